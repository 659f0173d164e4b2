/*
 * resident: filters over the ids of segments, kept in memory. A segment that cannot hold an id is
 * passed over without a look at its file, so that the cost of a lookup hardly depends on the number
 * of segments.
 */
#ifndef FIC_STORE_RESIDENT_H
#define FIC_STORE_RESIDENT_H

#include "inside.h"

/* Some words of each block of a segment's SECTION_FILTER. */
struct resident {
	uint32_t blocks;
	uint32_t words; /* of each: 1 to SEGMENT_FILTER_WORDS */
	uint64_t bits[];
};

/* What an id asks of every filter: the block's place, of all blocks, and the bits in it. */
struct resident_key {
	uint64_t place;
	uint64_t bits[SEGMENT_FILTER_WORDS];
};

struct resident_key resident_key(uint64_t id_hash);

/* False: certainly not there. NULL: who knows. Decides once, when all words were looked at: most answers are no, so
 * that the processor asks the next filters meanwhile. */
static inline bool resident_may_hold(const struct resident *f, const struct resident_key *k)
{
	uint64_t missing = 0;

	if (!f)
		return true;
	const uint64_t *block = f->bits + (size_t)(k->place * f->blocks >> 32) * f->words;
	if (f->words == SEGMENT_FILTER_WORDS)
		for (uint32_t w = 0; w < SEGMENT_FILTER_WORDS; w++)
			missing |= k->bits[w] & ~block[w];
	else
		for (uint32_t w = 0; w < f->words; w++)
			missing |= k->bits[w] & ~block[w];
	return !missing;
}

/* Loads the filter of one segment that has none, or makes one smaller that takes more than its share.
 * True: call again. A segment whose filter cannot be read is left without; damage is noted in it. */
bool resident_step(struct store *s);

/* Of a filter with all its words, about: ten bits for each of so many records. */
uint64_t resident_whole_bytes(uint64_t records);

/* Bytes of all. */
size_t resident_bytes(const struct store *s);

#endif
