/*
 * count: what lists and bitmaps say of one term without a scan.
 */
#include "lists.h"
#include "view.h"

/* Of a list what was created in the span. 1 or an error. */
static int count_span(struct store *s, const struct state_segment *e, struct posting *list,
		      int64_t start_ms, int64_t end_ms, uint64_t *count)
{
	struct segment *g = e->segment;
	uint32_t first = 0, end = g->meta.records;
	int rc = 0;

	if (start_ms != TIME_MIN || end_ms != TIME_MAX)
		rc = segment_seek_created(g, s->pages, start_ms, 0, &first);
	if (!rc && end_ms != TIME_MAX)
		rc = segment_seek_created(g, s->pages, end_ms, 0, &end);
	if (!rc)
		rc = lists_live(list, e->dead, first, end, count);
	return rc ? rc : 1;
}

static int count_in(struct store *s, const struct state_segment *e, const struct schema *schema,
		    const struct store_term *term, int64_t start_ms, int64_t end_ms, uint64_t *count)
{
	struct posting list;
	int rc = lists_find(e->segment, s->pages, schema, term, 1, &list);

	return rc == 1 ? count_span(s, e, &list, start_ms, end_ms, count) : rc;
}

/* As count_in, in all fields of words. Two lists that are not empty may have rows in common. */
static int count_word_in(struct store *s, const struct state_segment *e, const struct schema *schema,
			 struct bytes word, int64_t start_ms, int64_t end_ms, uint64_t *count)
{
	struct posting list, kept;
	bool found = false;

	for (unsigned i = 0; i < schema->count; i++) {
		const struct store_term term = {i, word};
		if (!kind_has_words(schema->fields[i].kind))
			continue;
		int rc = lists_find(e->segment, s->pages, schema, &term, 1, &list);
		if (rc != 1)
			return rc;
		if (list.count == 0)
			continue;
		if (found)
			return 0;
		found = true;
		kept = list;
	}
	return found ? count_span(s, e, &kept, start_ms, end_ms, count) : 1;
}

/* What the manifest says of it: nobody was created in the span, or nobody lives. */
static bool counts_none(const struct state_segment *e, int64_t start_ms, int64_t end_ms)
{
	const struct range *r = &e->segment->meta.ranges[RANGE_CREATED];

	if (segment_live(e) == 0)
		return true;
	if (start_ms == TIME_MIN && end_ms == TIME_MAX)
		return false;
	return (end_ms != TIME_MAX && r->min != TIME_NONE && r->min >= end_ms &&
		e->segment->meta.untimed == 0) ||
	       (start_ms != TIME_MIN && r->max < start_ms);
}

int snapshot_term_count_step(struct snapshot *v, const char *resource, const struct store_term *term,
			     int64_t start_ms, int64_t end_ms, size_t *at, uint64_t *count)
{
	const struct state_resource *r = state_find(v->state, resource);
	const struct schema *schema = schema_find(&v->store->schemas, resource);

	if (!schema || term->field >= schema->count ||
	    !kind_has_terms(schema->fields[term->field].kind))
		return 0;
	while (r && *at < r->count && counts_none(&r->segments[*at], start_ms, end_ms))
		++*at;
	if (!r || *at >= r->count)
		return 1;
	int rc = count_in(v->store, &r->segments[*at], schema, term, start_ms, end_ms, count);
	++*at;
	return rc < 0 ? store_trouble(v->store, rc) : rc ? SCAN_MORE : 0;
}

int snapshot_term_count(struct snapshot *v, const char *resource, const struct store_term *term,
			int64_t start_ms, int64_t end_ms, uint64_t *count_out)
{
	uint64_t count = 0;
	size_t at = 0;
	int rc;

	do
		rc = snapshot_term_count_step(v, resource, term, start_ms, end_ms, &at, &count);
	while (rc == SCAN_MORE);
	if (rc == 1)
		*count_out = count;
	return rc;
}

int snapshot_word_count(struct snapshot *v, const char *resource, struct bytes word,
			int64_t start_ms, int64_t end_ms, uint64_t *count_out)
{
	const struct state_resource *r = state_find(v->state, resource);
	const struct schema *schema = schema_find(&v->store->schemas, resource);
	uint64_t count = 0;
	int rc = 1;

	for (size_t i = 0; schema && rc == 1 && r && i < r->count; i++)
		if (!counts_none(&r->segments[i], start_ms, end_ms))
			rc = count_word_in(v->store, &r->segments[i], schema, word, start_ms,
					   end_ms, &count);
	if (rc == 1)
		*count_out = count;
	return rc < 0 ? store_trouble(v->store, rc) : rc;
}

int snapshot_field(const struct snapshot *v, const char *resource, const struct field *f,
		   enum store_kind *kind_out)
{
	const struct schema *schema = schema_find(&v->store->schemas, resource);

	for (size_t i = 0; schema && f->path && i < schema->count; i++) {
		const struct field *own = schema->fields[i].field;
		if (own != f && (own->type != f->type || strcmp(own->name, f->name) != 0 ||
				 strcmp(own->path, f->path) != 0))
			continue;
		if (kind_out)
			*kind_out = schema->fields[i].kind;
		return (int)i;
	}
	return -1;
}
