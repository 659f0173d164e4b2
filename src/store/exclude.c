/* exclude: see the header. What is to be excluded is settled in exclude_set.c. */
#include "exclude.h"
#include "purge.h"

#include <stdio.h>
#include <stdlib.h>

void excludes_release(struct excludes *x)
{
	for (size_t i = 0; i < x->count; i++)
		buf_release(&x->items[i].text);
	free(x->items);
	*x = (struct excludes){0};
}

const struct exclude *exclude_find(const struct store *s, const char *resource)
{
	for (size_t i = 0; i < s->excludes.count; i++)
		if (strcmp(s->excludes.items[i].resource, resource) == 0)
			return &s->excludes.items[i];
	return NULL;
}

struct bytes exclude_key(const char *resource, char out[EXCLUDE_KEY_SIZE])
{
	snprintf(out, EXCLUDE_KEY_SIZE, EXCLUDE_MARK "%s", resource);
	return bytes_str(out);
}

struct bytes exclude_marked(const struct state *t, const char *resource)
{
	char key[EXCLUDE_KEY_SIZE];
	const struct mark *m = state_find_mark(t, exclude_key(resource, key));

	return m ? mark_value(m) : bytes_of(NULL, 0);
}

/* ---- documents ---- */

int exclude_doc(const struct store *s, const char *resource, struct bytes doc, struct buf *out)
{
	const struct exclude *x = exclude_find(s, resource);

	return x ? doc_strip(doc, x->paths, x->count, out) : 0;
}

bool exclude_unclean(const struct store *s, const char *resource, uint64_t number)
{
	const struct exclude *x = exclude_find(s, resource);

	return x && (number < purge_of(s->state, resource).strip ||
		     !bytes_equal(buf_bytes(&x->text), exclude_marked(s->state, resource)));
}

int exclude_record(const struct store *s, const char *resource, struct buf *raw, struct row *row)
{
	struct buf doc = {0}, made = {0};
	struct record r;
	int rc = record_decode(buf_bytes(raw), &r);

	if (!rc)
		rc = exclude_doc(s, resource, r.doc, &doc);
	if (rc == 1) {
		r.doc = buf_bytes(&doc);
		record_encode(&r, &made);
		rc = made.error;
		row->raw_bytes = (uint32_t)made.len;
		row->doc_hash = row_doc_hash(&r);
		if (!rc) {
			buf_release(raw);
			*raw = made;
			made = (struct buf){0};
		}
	}
	buf_release(&doc);
	buf_release(&made);
	return rc;
}
