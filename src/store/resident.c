/*
 * resident: as much of the filters as their share of memory allows.
 *
 * Each word of a block has one bit of every id, so any of the words are a filter of their own: with all
 * eight one id in a hundred is taken for held, with four one in ten, with two one in three. Resources
 * with few records get all words, those with most share what is left.
 *
 * What is looked up most is what is not there yet: each new record of a first sync. Without these it
 * looks into the filter of every segment in the file, and those of millions of records (some
 * megabytes) do not fit into the page cache. By estimate that would be a millisecond or more for each.
 */
#include "resident.h"

#include <stdlib.h>

struct resident_key resident_key(uint64_t id_hash)
{
	static const uint32_t salts[SEGMENT_FILTER_WORDS] = SEGMENT_FILTER_SALTS;
	struct resident_key k = {.place = id_hash >> 32};

	for (uint32_t w = 0; w < SEGMENT_FILTER_WORDS; w++)
		k.bits[w] = UINT64_C(1) << ((uint32_t)id_hash * salts[w] >> 26);
	return k;
}

/* ---- shares ---- */

static uint64_t records_of(const struct state_resource *r)
{
	uint64_t n = 0;

	for (size_t i = 0; i < r->count; i++)
		n += r->segments[i].segment->meta.records;
	return n;
}

/* The rest of each file's last block is among them. */
uint64_t resident_whole_bytes(uint64_t records)
{
	return records * 41 / 32;
}

/* How many words a resource's filters may have: all that fit behind those of smaller resources. */
static uint32_t words_of(const struct store *s, const struct state_resource *r)
{
	uint64_t own = records_of(r), smaller = 0;

	for (size_t i = 0; i < s->state->resources_count; i++) {
		uint64_t n = records_of(s->state->resources[i]);
		if (n < own)
			smaller += resident_whole_bytes(n);
	}
	if (smaller >= s->filter_bytes)
		return 0;
	uint64_t words = SEGMENT_FILTER_WORDS * (s->filter_bytes - smaller) /
			 (resident_whole_bytes(own) + 1);
	return words < SEGMENT_FILTER_WORDS ? (uint32_t)words : SEGMENT_FILTER_WORDS;
}

/* ---- loading ---- */

static struct resident *resident_new(uint32_t blocks, uint32_t words)
{
	struct resident *f = malloc(sizeof *f + (size_t)blocks * words * sizeof *f->bits);

	if (f)
		*f = (struct resident){.blocks = blocks, .words = words};
	return f;
}

static struct resident *load(struct segment *g, struct pages *p, uint32_t words)
{
	const uint8_t *block;
	uint32_t hint = 0;

	if (segment_load(g, p))
		return NULL;
	struct resident *f = resident_new(g->sections[SECTION_FILTER].elements, words);
	for (uint32_t b = 0; f && b < f->blocks; b++) {
		if (segment_element(g, p, SECTION_FILTER, b, &hint, &block)) {
			free(f);
			return NULL;
		}
		for (uint32_t w = 0; w < words; w++)
			f->bits[(size_t)b * words + w] = le64(block + 8 * w);
	}
	return f;
}

/* The first words of each block are moved together. */
static struct resident *narrow(struct resident *f, uint32_t words)
{
	for (uint32_t b = 0; b < f->blocks; b++)
		memmove(f->bits + (size_t)b * words, f->bits + (size_t)b * f->words,
			words * sizeof *f->bits);
	f->words = words;
	struct resident *less = realloc(f, sizeof *f + (size_t)f->blocks * words * sizeof *f->bits);
	return less ? less : f;
}

static bool resident_of(struct store *s, struct segment *g, uint32_t words)
{
	if (segment_in_memory(g) || g->damaged)
		return false;
	if (g->resident && words == 0) {
		free(g->resident);
		g->resident = NULL;
		return true;
	}
	if (g->resident && g->resident->words > words) {
		g->resident = narrow(g->resident, words);
		return true;
	}
	if (g->resident || words == 0 || g->resident_failed)
		return false;
	g->resident = load(g, s->pages, words);
	g->resident_failed = !g->resident;
	return true;
}

bool resident_step(struct store *s)
{
	if (!s->filters_wanted)
		return false;
	for (size_t i = 0; i < s->state->resources_count; i++) {
		struct state_resource *r = s->state->resources[i];
		uint32_t words = words_of(s, r);
		for (size_t j = 0; j < r->count; j++) {
			if (resident_of(s, r->segments[j].segment, words))
				return true;
			/* Nothing that a reader of this state sees changes by it. */
			r->segments[j].ids = r->segments[j].segment->ids;
		}
	}
	s->filters_wanted = false;
	return false;
}

size_t resident_bytes(const struct store *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->state->resources_count; i++) {
		const struct state_resource *r = s->state->resources[i];
		for (size_t j = 0; j < r->count; j++) {
			const struct resident *f = r->segments[j].segment->resident;
			n += f ? sizeof *f + (size_t)f->blocks * f->words * sizeof *f->bits : 0;
		}
	}
	return n;
}
