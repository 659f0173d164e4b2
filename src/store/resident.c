/*
 * resident: as much of the filters as their share of memory allows.
 *
 * Each word of a block has one bit of every hash, so any of the words are a filter of their own: with all
 * eight one id in a hundred is taken for held, with four one in ten, with two one in three.
 *
 * Who reads a thread asks every segment for the parent: filters over parents go first, an eighth at most. Of ids, resources
 * with few records get all words, those with most share what is left. What is looked up most is what is not there yet: each new record of a first sync. Without
 * filters it looks into the one in the file of every segment, and those of millions of records (some megabytes) do not fit into the page cache.
 */
#include "resident.h"

#include <stdlib.h>

#define FAMILY_SHARE 8 /* of what all filters may have */

/* ---- shares ---- */

/* In all segments. */
struct wanted {
	uint64_t records;
	uint64_t families; /* bytes of whole filters over parents */
};

static struct wanted wanted_of(const struct state_resource *r)
{
	struct wanted w = {0};

	for (size_t i = 0; i < r->count; i++) {
		const struct segment *g = r->segments[i].segment;
		w.records += g->meta.records;
		w.families += (uint64_t)g->sections[SECTION_PARENT_FILTER].elements *
			      SEGMENT_BLOCK_SIZE;
	}
	return w;
}

/* The rest of each file's last block is among them. */
uint64_t resident_whole_bytes(uint64_t records)
{
	return records * 41 / 32;
}

/* All that fit of `whole` bytes. */
static uint32_t words_in(uint64_t room, uint64_t whole)
{
	uint64_t words = SEGMENT_FILTER_WORDS * room / (whole + 1);

	return words < SEGMENT_FILTER_WORDS ? (uint32_t)words : SEGMENT_FILTER_WORDS;
}

/* How many words each filter of a resource may have. */
struct shares {
	uint32_t ids, families;
};

static struct shares shares_of(const struct store *s, const struct state_resource *r)
{
	struct wanted own = wanted_of(r), all = {.families = 0};
	uint64_t smaller = 0, room = s->filter_bytes;

	for (size_t i = 0; i < s->state->resources_count; i++) {
		struct wanted w = wanted_of(s->state->resources[i]);
		all.families += w.families;
		if (w.records < own.records)
			smaller += resident_whole_bytes(w.records);
	}
	uint64_t families = room / FAMILY_SHARE < all.families ? room / FAMILY_SHARE : all.families;
	struct shares shares = {.families = words_in(families, all.families)};
	room -= families;
	if (smaller < room)
		shares.ids = words_in(room - smaller, resident_whole_bytes(own.records));
	return shares;
}

/* ---- loading ---- */

static struct bloom *resident_new(uint32_t blocks, uint32_t words)
{
	struct bloom *f = malloc(sizeof *f + (size_t)blocks * words * sizeof *f->bits);

	if (f)
		*f = (struct bloom){.blocks = blocks, .words = words};
	return f;
}

static struct bloom *load(struct segment *g, struct pages *p, enum segment_section section,
			  uint32_t words)
{
	const uint8_t *block;
	uint32_t hint = 0;

	if (segment_load(g, p) || g->sections[section].elements == 0)
		return NULL;
	struct bloom *f = resident_new(g->sections[section].elements, words);
	for (uint32_t b = 0; f && b < f->blocks; b++) {
		if (segment_element(g, p, section, b, &hint, &block)) {
			free(f);
			return NULL;
		}
		for (uint32_t w = 0; w < words; w++)
			f->bits[(size_t)b * words + w] = le64(block + 8 * w);
	}
	return f;
}

/* The first words of each block are moved together. */
static struct bloom *narrow(struct bloom *f, uint32_t words)
{
	for (uint32_t b = 0; b < f->blocks; b++)
		memmove(f->bits + (size_t)b * words, f->bits + (size_t)b * f->words,
			words * sizeof *f->bits);
	f->words = words;
	struct bloom *less = realloc(f, sizeof *f + (size_t)f->blocks * words * sizeof *f->bits);
	return less ? less : f;
}

/* True: something was done. */
static bool fit(struct store *s, struct segment *g, enum segment_section section, uint32_t words,
		struct bloom **filter, bool *failed)
{
	if (*filter && words == 0) {
		free(*filter);
		*filter = NULL;
		return true;
	}
	if (*filter && (*filter)->words > words) {
		*filter = narrow(*filter, words);
		return true;
	}
	if (*filter || words == 0 || *failed)
		return false;
	*filter = load(g, s->pages, section, words);
	*failed = !*filter;
	return true;
}

/* What a segment has is known from its header. */
static bool open_one(struct store *s, struct segment *g)
{
	if (g->loaded || g->resident_failed)
		return false;
	g->resident_failed = g->families_failed = segment_load(g, s->pages) != 0;
	return true;
}

static bool is_asked_in_files(const struct segment *g)
{
	return !segment_in_memory(g) && !g->damaged;
}

static bool open_all(struct store *s)
{
	for (size_t i = 0; i < s->state->resources_count; i++) {
		struct state_resource *r = s->state->resources[i];
		for (size_t j = 0; j < r->count; j++)
			if (is_asked_in_files(r->segments[j].segment) &&
			    open_one(s, r->segments[j].segment))
				return true;
	}
	return false;
}

static bool fit_all(struct store *s, struct state_resource *r)
{
	struct shares shares = shares_of(s, r);

	for (size_t j = 0; j < r->count; j++) {
		struct segment *g = r->segments[j].segment;
		if (is_asked_in_files(g) &&
		    (fit(s, g, SECTION_PARENT_FILTER, shares.families, &g->families,
			 &g->families_failed) ||
		     fit(s, g, SECTION_FILTER, shares.ids, &g->resident, &g->resident_failed)))
			return true;
		/* Nothing that a reader of this state sees changes by it. */
		r->segments[j].ids = g->ids;
	}
	return false;
}

bool resident_step(struct store *s)
{
	if (!s->filters_wanted)
		return false;
	if (open_all(s))
		return true;
	for (size_t i = 0; i < s->state->resources_count; i++)
		if (fit_all(s, s->state->resources[i]))
			return true;
	s->filters_wanted = false;
	return false;
}

size_t resident_bytes(const struct store *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->state->resources_count; i++) {
		const struct state_resource *r = s->state->resources[i];
		for (size_t j = 0; j < r->count; j++)
			n += bloom_size(r->segments[j].segment->resident) +
			     bloom_size(r->segments[j].segment->families);
	}
	return n;
}
