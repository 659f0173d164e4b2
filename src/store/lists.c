/* lists: a segment answers for a term when it was written with the field, and lists all terms of its
 * rows. */
#include "lists.h"

#include "columns.h"

/* As the segment has it; false: it cannot say. */
static bool term_of(const struct segment *g, const struct schema *schema,
		    const struct store_term *t, uint8_t out[SEGMENT_TERM_MAX], size_t *len)
{
	if (!schema || t->field >= schema->count || g->fields[t->field] == FIELD_ABSENT ||
	    !kind_has_terms(schema->fields[t->field].kind) || t->text.len == 0 ||
	    t->text.len >= SEGMENT_TERM_MAX - 1)
		return false;
	out[0] = g->fields[t->field];
	memcpy(out + 1, t->text.data, t->text.len);
	*len = 1 + t->text.len;
	return true;
}

int lists_find(struct segment *g, struct pages *p, const struct schema *schema,
	       const struct store_term *terms, size_t count, struct posting *lists)
{
	uint8_t term[SEGMENT_TERM_MAX];
	size_t len = 0;
	int rc = segment_fields(g, p, schema);

	if (rc || g->more_terms)
		return rc;
	for (size_t i = 0; i < count; i++) {
		if (!term_of(g, schema, &terms[i], term, &len))
			return 0;
		rc = terms_find(g, p, bytes_of(term, len), &lists[i]);
		if (rc < 0)
			return rc;
	}
	return 1;
}

int lists_have(struct posting *l, uint32_t ordinal)
{
	uint32_t rank, found;
	int rc = posting_rank(l, ordinal, &rank);

	if (rc || rank == l->count)
		return rc;
	rc = posting_at(l, rank, &found);
	return rc ? rc : found == ordinal;
}
