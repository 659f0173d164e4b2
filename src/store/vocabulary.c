/*
 * vocabulary: made from the segment's terms, in one go of a few milliseconds at most. Small segments have none: they are soon merged, and their few pages of terms
 * are often in the cache.
 */
#include "vocabulary.h"
#include "columns.h"
#include "schema.h"
#include "terms.h"

#include <stdlib.h>

#define RECORDS_MIN 512u
/* Words of each block: five bits a term, and one term in ten that is not there is taken for one that is. */
#define WORDS 4u
#define SHARE 4 /* of what all filters may have */

/* ---- one segment ---- */

/* The hashes of all terms of a field. */
static int collect(struct segment *g, struct pages *p, uint8_t field, struct buf *hashes)
{
	struct term_cursor c;

	term_cursor_init(&c, g, p);
	int rc = term_cursor_seek(&c, bytes_of(&field, 1));
	while (!rc && (rc = term_cursor_next(&c)) == 1 && c.term[0] <= field) {
		uint64_t hash = bytes_hash(bytes_of(c.term, c.len));
		if (c.term[0] == field)
			buf_put(hashes, &hash, sizeof hash);
		rc = hashes->error;
	}
	return rc < 0 ? rc : 0;
}

static struct resident *filter_of(const uint64_t *hashes, size_t count)
{
	uint32_t blocks = (uint32_t)(count * 10 / 512 + 1);
	struct resident *f = calloc(1, sizeof *f + (size_t)blocks * WORDS * sizeof *f->bits);

	if (!f)
		return NULL;
	*f = (struct resident){.blocks = blocks, .words = WORDS};
	for (size_t i = 0; i < count; i++) {
		struct resident_key k = resident_key(hashes[i]);
		uint64_t *block = f->bits + (size_t)(k.place * blocks >> 32) * WORDS;
		for (unsigned w = 0; w < WORDS; w++)
			block[w] |= k.bits[w];
	}
	return f;
}

/* NULL: it cannot be read, or there is no memory. */
static struct resident *load(struct segment *g, struct pages *p, const struct schema *schema)
{
	struct buf hashes = {0};
	struct resident *f = NULL;
	int rc = segment_fields(g, p, schema);

	for (size_t i = 0; !rc && i < schema->count; i++)
		if (kind_has_words(schema->fields[i].kind) && g->fields[i] != FIELD_ABSENT)
			rc = collect(g, p, g->fields[i], &hashes);
	if (!rc)
		f = filter_of((const uint64_t *)(const void *)hashes.data,
			      hashes.len / sizeof(uint64_t));
	buf_release(&hashes);
	return f;
}

static size_t bytes_of_filter(const struct resident *f)
{
	return f ? sizeof *f + (size_t)f->blocks * f->words * sizeof *f->bits : 0;
}

/* ---- all of them ---- */

/* What filters over ids leave, as if all of them were whole. */
static size_t room_of(const struct store *s)
{
	uint64_t ids = 0;

	for (size_t i = 0; i < s->state->resources_count; i++) {
		const struct state_resource *r = s->state->resources[i];
		for (size_t j = 0; j < r->count; j++)
			ids += resident_whole_bytes(r->segments[j].segment->meta.records);
	}
	size_t left = ids < s->filter_bytes ? s->filter_bytes - (size_t)ids : 0;
	return left < s->filter_bytes / SHARE ? left : s->filter_bytes / SHARE;
}

/* True: something was done. `bytes`: of those before it, and then of this one, too. */
static bool look_at(struct store *s, struct segment *g, const struct schema *schema, size_t room,
		    size_t *bytes)
{
	*bytes += bytes_of_filter(g->vocabulary);
	if (g->vocabulary && *bytes > room) {
		free(g->vocabulary);
		g->vocabulary = NULL;
		g->vocabulary_failed = true;
		return true;
	}
	if (g->vocabulary || g->vocabulary_failed || *bytes >= room || g->damaged ||
	    segment_in_memory(g) || g->meta.records < RECORDS_MIN)
		return false;
	g->vocabulary = load(g, s->pages, schema);
	g->vocabulary_failed = !g->vocabulary;
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
	s->vocabularies_wanted = false;
	return false;
}

size_t vocabulary_bytes(const struct store *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->state->resources_count; i++) {
		const struct state_resource *r = s->state->resources[i];
		for (size_t j = 0; j < r->count; j++)
			n += bytes_of_filter(r->segments[j].segment->vocabulary);
	}
	return n;
}
