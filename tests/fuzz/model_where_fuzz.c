/*
 * model_where_fuzz: any text as a condition, matched against a record whose document is any MessagePack. A newline-free first line is the
 * condition, what follows it the document. Parsing twice gives the same, and `not (x)` is the opposite of x.
 */
#include <model/where.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1734706800000)

static const struct field table[] = {
	{"state", FIELD_TEXT, "state|a.b|=\xa4open", NULL},
	{"tags", FIELD_LIST, "tags.tags.*.name|tags", NULL},
	{"body", FIELD_HTML, "body", NULL},
	{"waiting", FIELD_TIME, "waiting_since", NULL},
	{"parts", FIELD_INTEGER, "parts", NULL},
	{"score", FIELD_REAL, "score", NULL},
	{"read", FIELD_BOOL, "read", NULL},
	{NULL, FIELD_TEXT, NULL, NULL},
};

static int match(struct bytes text, const struct record *r)
{
	struct arena a = {.max = 1 << 20};
	struct buf scratch = {.max = 1 << 20};
	const struct where *w;
	struct why why = {""};
	int rc = where_parse(text, table, NOW, NULL, &a, &w, &why);

	if (rc && (rc > 0 || !why.text[0]))
		abort();
	if (rc == 0)
		rc = where_match(w, r, &scratch);
	else
		rc -= 100; /* told apart from an error of the document */
	arena_release(&a);
	buf_release(&scratch);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = size ? memchr(data, '\n', size) : NULL;
	struct bytes text = bytes_of(data, line ? (size_t)(line - data) : size);
	struct record r = {.id = bytes_str("7"),
			   .created_ms = NOW,
			   .updated_ms = TIME_NONE,
			   .seen_ms = NOW,
			   .flags = RECORD_DELETED};

	if (line)
		r.doc = bytes_of(line + 1, size - text.len - 1);
	int rc = match(text, &r);
	if (rc != 0 && rc != 1)
		return 0;
	struct buf negated = {0};
	buf_put_str(&negated, "not (");
	buf_put_bytes(&negated, text);
	buf_put_str(&negated, ")");
	int opposite = match(buf_bytes(&negated), &r);
	/* One level and a few parts more may be too many; a blank condition cannot stand in brackets. */
	if (opposite >= 0 && opposite != !rc)
		abort();
	if (match(text, &r) != rc)
		abort();
	buf_release(&negated);
	return 0;
}
