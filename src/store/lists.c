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

/* Rows that died of a list with many: each of them is looked for. */
static int subtract_dead(struct posting *l, const struct dead *dead, uint32_t first, uint32_t end,
			 uint64_t *count)
{
	for (uint32_t i = first; i < end;) {
		if (i % 8 == 0 && end - i >= 8 && dead->bits[i / 8] == 0) {
			i += 8;
			continue;
		}
		if (dead_has(dead, i)) {
			int rc = lists_have(l, i);
			if (rc < 0)
				return rc;
			*count -= (uint64_t)rc;
		}
		i++;
	}
	return 0;
}

int lists_live(struct posting *l, const struct dead *dead, uint32_t first, uint32_t end,
	       uint64_t *count)
{
	uint32_t from = 0, to = l->count, ordinal;
	int rc = first ? posting_rank(l, first, &from) : 0;

	if (!rc && end < l->segment->meta.records)
		rc = posting_rank(l, end, &to);
	if (rc || to <= from)
		return rc;
	*count += to - from;
	if (!dead || dead->count == 0)
		return 0;
	/* To look one up costs some hundred times as much as to pass one by. */
	if (dead->count < (to - from) / 128)
		return subtract_dead(l, dead, first, end, count);
	for (uint32_t i = from; i < to; i++) {
		rc = posting_at(l, i, &ordinal);
		if (rc)
			return rc;
		*count -= dead_has(dead, ordinal);
	}
	return 0;
}
