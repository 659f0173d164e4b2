/*
 * count: what lists and bitmaps say of one term without a scan.
 */
#include "lists.h"
#include "view.h"

static int count_in(struct store *s, const struct state_segment *e, const struct schema *schema,
		    const struct store_term *term, int64_t start_ms, int64_t end_ms, uint64_t *count)
{
	struct segment *g = e->segment;
	uint32_t first = 0, end = g->meta.records;
	struct posting list;
	int rc = lists_find(g, s->pages, schema, term, 1, &list);

	if (rc != 1)
		return rc;
	rc = 0;
	if (start_ms != TIME_MIN || end_ms != TIME_MAX)
		rc = segment_seek_created(g, s->pages, start_ms, 0, &first);
	if (!rc && end_ms != TIME_MAX)
		rc = segment_seek_created(g, s->pages, end_ms, 0, &end);
	if (!rc)
		rc = lists_live(&list, e->dead, first, end, count);
	return rc ? rc : 1;
}

int snapshot_term_count(struct snapshot *v, const char *resource, const struct store_term *term,
			int64_t start_ms, int64_t end_ms, uint64_t *count_out)
{
	const struct state_resource *r = state_find(v->state, resource);
	const struct schema *schema = schema_find(&v->store->schemas, resource);
	uint64_t count = 0;
	int rc = 1;

	if (!schema || term->field >= schema->count ||
	    !kind_has_terms(schema->fields[term->field].kind))
		return 0;
	for (size_t i = 0; rc == 1 && r && i < r->count; i++)
		if (segment_live(&r->segments[i]))
			rc = count_in(v->store, &r->segments[i], schema, term, start_ms, end_ms,
				      &count);
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
