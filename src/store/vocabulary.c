/*
 * vocabulary: made from the segment's terms, some thousand at a time. Small segments have none: they are soon merged, and their few pages of terms
 * are often in the cache.
 */
#include "vocabulary.h"
#include "columns.h"
#include "schema.h"
#include "terms.h"

#include <stdlib.h>

#define RECORDS_MIN 512u
/* Words of each block: five bits a term, and one term in ten that is not there is taken for one that is. */
#define BLOCK_WORDS 4u
#define BLOCK_TERMS 51u
#define SHARE       4 /* of what all filters may have */
#define STEP_TERMS  2000u
#define SAMPLES     8u /* leaves that tell how many terms there are */

/* The one that is being made. */
struct vocabulary_work {
	uint64_t number; /* of the segment */
	struct bloom *filter;
	struct term_cursor cursor;
	size_t field; /* of the schema; the cursor stands in it */
	bool seeks;   /* no: it is to be put there */
};

void vocabulary_stop(struct store *s)
{
	if (s->vocabulary)
		free(s->vocabulary->filter);
	free(s->vocabulary);
	s->vocabulary = NULL;
}

/* ---- how many terms ---- */

static bool has_words(const struct segment *g, const struct schema *schema, size_t i)
{
	return kind_has_words(schema->fields[i].kind) && g->fields[i] != FIELD_ABSENT;
}

/* The leaf where the terms of a field begin, or would. */
static int leaf_of(struct segment *g, struct pages *p, unsigned field, uint32_t *page_out)
{
	uint8_t term = (uint8_t)field;
	struct term_cursor c;

	term_cursor_init(&c, g, p);
	int rc = term_cursor_seek(&c, bytes_of(&term, 1));
	*page_out = c.page;
	return rc;
}

/* About how many terms a leaf has, by some of those from `first` to `last`. */
static int terms_a_leaf(struct segment *g, struct pages *p, uint32_t first, uint32_t last,
			uint32_t *out)
{
	uint32_t step = (last - first) / SAMPLES + 1, sum = 0, n = 0, hint = 0;
	const uint8_t *page;

	for (uint32_t at = first; at <= last; at += step, n++) {
		int rc = segment_element(g, p, SECTION_TERMS, at, &hint, &page);
		if (rc)
			return rc;
		sum += le16(page + 2);
	}
	*out = sum / n + 1;
	return 0;
}

/* About how many terms its fields of words have. */
static int count_terms(struct segment *g, struct pages *p, const struct schema *schema, uint64_t *out)
{
	int rc = segment_fields(g, p, schema);

	*out = 0;
	for (size_t i = 0; !rc && i < schema->count; i++) {
		uint32_t first, last = 0, each;
		if (!has_words(g, schema, i))
			continue;
		rc = leaf_of(g, p, g->fields[i], &first);
		if (!rc)
			rc = leaf_of(g, p, g->fields[i] + 1u, &last);
		if (rc || g->sections[SECTION_TERMS].elements == 0 || last < first)
			continue;
		rc = terms_a_leaf(g, p, first, last, &each);
		*out += (uint64_t)(last - first + 1) * each;
	}
	return rc;
}

/* ---- one segment ---- */

static size_t size_for(uint64_t terms)
{
	return sizeof(struct bloom) +
	       (size_t)(terms / BLOCK_TERMS + 1) * BLOCK_WORDS * sizeof(uint64_t);
}

static struct bloom *filter_for(uint64_t terms)
{
	struct bloom *f = calloc(1, size_for(terms));

	if (f)
		*f = (struct bloom){.blocks = (uint32_t)(terms / BLOCK_TERMS + 1),
				    .words = BLOCK_WORDS};
	return f;
}

static void add(struct bloom *f, struct bytes term)
{
	struct bloom_key k = bloom_key(bytes_hash(term));
	uint64_t *block = f->bits + (size_t)(k.place * f->blocks >> 32) * BLOCK_WORDS;

	for (unsigned w = 0; w < BLOCK_WORDS; w++)
		block[w] |= k.bits[w];
}

/* Begins with a segment whose filter fits into the room. An error is the segment's. */
static int begin(struct store *s, struct segment *g, const struct schema *schema, size_t room)
{
	uint64_t terms;
	int rc = count_terms(g, s->pages, schema, &terms);

	if (rc)
		return rc;
	g->vocabulary_least = size_for(terms);
	if (g->vocabulary_least > room)
		return 0;
	/* Another one comes first now. */
	vocabulary_stop(s);
	struct vocabulary_work *w = calloc(1, sizeof *w);
	if (w)
		w->filter = filter_for(terms);
	s->vocabulary = w;
	if (!w || !w->filter) {
		vocabulary_stop(s);
		return ERR_NOMEM;
	}
	w->number = g->meta.number;
	term_cursor_init(&w->cursor, g, s->pages);
	return 0;
}

/* Some terms of the field where it is. 1: there may be more. */
static int add_some(struct vocabulary_work *w, uint8_t field, unsigned *left)
{
	int rc = w->seeks ? 0 : term_cursor_seek(&w->cursor, bytes_of(&field, 1));

	w->seeks = true;
	while (!rc && *left && (rc = term_cursor_next(&w->cursor)) == 1) {
		if (w->cursor.term[0] > field)
			return 0;
		if (w->cursor.term[0] == field)
			add(w->filter, bytes_of(w->cursor.term, w->cursor.len));
		--*left;
		rc = 0;
	}
	return rc < 0 ? rc : *left == 0;
}

/* Goes on; when it is done the segment has it. */
static int go_on(struct store *s, struct segment *g, const struct schema *schema)
{
	struct vocabulary_work *w = s->vocabulary;
	unsigned left = STEP_TERMS;
	int rc = segment_fields(g, s->pages, schema);

	while (!rc && w->field < schema->count) {
		rc = has_words(g, schema, w->field) ? add_some(w, g->fields[w->field], &left) : 0;
		if (rc)
			return rc < 0 ? rc : 0;
		w->field++;
		w->seeks = false;
	}
	if (rc)
		return rc;
	g->vocabulary = w->filter;
	w->filter = NULL;
	vocabulary_stop(s);
	return 0;
}

/* ---- all of them ---- */

/* What filters over ids and parents leave. */
static size_t room_of(const struct store *s)
{
	size_t others = resident_bytes(s);
	size_t left = others < s->filter_bytes ? s->filter_bytes - others : 0;

	return left < s->filter_bytes / SHARE ? left : s->filter_bytes / SHARE;
}

static bool wants_one(const struct segment *g)
{
	return !g->vocabulary && !g->vocabulary_failed && !g->damaged && !segment_in_memory(g) &&
	       g->meta.records >= RECORDS_MIN;
}

/* True: something was done. `bytes`: of those before it, and then of this one, too. */
static bool look_at(struct store *s, struct segment *g, const struct schema *schema, size_t room,
		    size_t *bytes)
{
	bool begun = s->vocabulary && s->vocabulary->number == g->meta.number;

	*bytes += bloom_size(g->vocabulary);
	if (g->vocabulary && *bytes > room) {
		free(g->vocabulary);
		g->vocabulary = NULL;
		return true;
	}
	if (!wants_one(g) || *bytes >= room || (!begun && g->vocabulary_least > room - *bytes))
		return false;
	int rc = begun ? go_on(s, g, schema) : begin(s, g, schema, room - *bytes);
	if (rc)
		vocabulary_stop(s);
	g->vocabulary_failed = rc == ERR_CORRUPT;
	/* What cannot be had now is tried again after the next commit. */
	s->vocabularies_wanted = !rc || rc == ERR_CORRUPT;
	return true;
}

bool vocabulary_step(struct store *s)
{
	size_t room, bytes = 0;

	if (s->rush || !s->vocabularies_wanted)
		return false;
	room = room_of(s);
	for (size_t i = 0; i < s->state->resources_count; i++) {
		const struct state_resource *r = s->state->resources[i];
		const struct schema *schema = schema_find(&s->schemas, r->name);
		for (size_t j = r->count; schema && j-- > 0;)
			if (look_at(s, r->segments[j].segment, schema, room, &bytes))
				return true;
	}
	/* Its segment is gone. */
	vocabulary_stop(s);
	s->vocabularies_wanted = false;
	return false;
}

size_t vocabulary_bytes(const struct store *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->state->resources_count; i++) {
		const struct state_resource *r = s->state->resources[i];
		for (size_t j = 0; j < r->count; j++)
			n += bloom_size(r->segments[j].segment->vocabulary);
	}
	return n;
}
