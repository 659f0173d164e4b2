/* named: see the header. The condition is asked of each record all the same: what is found here is only where to look. */
#include "named.h"

#include <base/sorted.h>

#include <stdlib.h>

static bool is_envelope(const struct field *f, const char *name)
{
	return !f->path && strcmp(f->name, name) == 0;
}

static bool is_few(const struct where_value *v)
{
	size_t n = 0;

	for (; v; v = v->next)
		n++;
	return n <= NAMED_MAX;
}

/* What must hold together with the rest: not what stands below `or` and `not`. */
static void collect(struct named *n, const struct where *w)
{
	if (w->op == WHERE_AND) {
		for (const struct where *child = w->child; child; child = child->next)
			collect(n, child);
		return;
	}
	if (w->op != WHERE_EQUAL && w->op != WHERE_IN)
		return;
	if (is_envelope(w->field, "id") && !n->ids && is_few(w->values))
		n->ids = w->values;
	else if (is_envelope(w->field, "parent") && !n->parent.len && !w->values->next)
		n->parent = w->values->text;
}

void named_init(struct named *n, const struct where *where)
{
	if (where)
		collect(n, where);
	if (n->ids)
		n->parent = bytes_of(NULL, 0);
}

void named_release(struct named *n)
{
	for (size_t i = 0; n->memory && i < NAMED_MAX; i++)
		buf_release(&n->memory[i]);
	free(n->memory);
	free(n->records);
	free(n->hashes);
	*n = (struct named){0};
}

static const struct record *edited(const struct overlay *edits, uint64_t hash)
{
	if (!edits)
		return NULL;
	size_t at = sorted_rank64(edits->hashes, edits->count, hash);
	return at < edits->count && edits->hashes[at] == hash ? &edits->records[at] : NULL;
}

/* In the order of hashes. */
static void insert(struct named *n, const struct record *r, uint64_t hash)
{
	size_t at = n->overlay.count++;

	for (; at > 0 && n->hashes[at - 1] > hash; at--) {
		n->hashes[at] = n->hashes[at - 1];
		n->records[at] = n->records[at - 1];
	}
	n->hashes[at] = hash;
	n->records[at] = *r;
}

static int look_up(struct named *n, struct snapshot *v, const char *resource, struct bytes id,
		   const struct overlay *edits, uint64_t *damaged)
{
	uint64_t hash = bytes_hash(id);
	const struct record *known = edited(edits, hash);
	struct record r;

	if (!id.len || id.len > RECORD_ID_MAX || edited(&n->overlay, hash))
		return 0;
	if (known) {
		insert(n, known, hash);
		return 0;
	}
	int rc = snapshot_get(v, resource, id, &n->memory[n->overlay.count], &r);
	if (rc == 1 && !(r.flags & RECORD_DELETED))
		insert(n, &r, hash);
	*damaged += rc == ERR_CORRUPT;
	return rc < 0 && rc != ERR_CORRUPT ? rc : 0;
}

int named_read(struct named *n, struct snapshot *v, const char *resource,
	       const struct overlay *edits, uint64_t *damaged)
{
	int rc = 0;

	if (n->read)
		return 0;
	n->read = true;
	n->records = calloc(NAMED_MAX, sizeof *n->records);
	n->hashes = calloc(NAMED_MAX, sizeof *n->hashes);
	n->memory = calloc(NAMED_MAX, sizeof *n->memory);
	if (!n->records || !n->hashes || !n->memory)
		return ERR_NOMEM;
	n->overlay.records = n->records;
	n->overlay.hashes = n->hashes;
	for (const struct where_value *id = n->ids; !rc && id; id = id->next)
		rc = look_up(n, v, resource, id->text, edits, damaged);
	return rc;
}
