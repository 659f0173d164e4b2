/*
 * resident: filters over segments, kept in memory: over their ids, and over the parents of their records. A segment that cannot
 * hold an id, or a child, is passed over without a look at its file, so that the cost of a lookup, and of a thread, hardly
 * depends on the number of segments. Filters over words (vocabulary.h) have the same form.
 */
#ifndef FIC_STORE_RESIDENT_H
#define FIC_STORE_RESIDENT_H

#include "inside.h"

/* Some words of each block of a filter (SECTION_FILTER in <store/segment.h>). */
struct resident {
	uint32_t blocks;
	uint32_t words; /* of each: 1 to SEGMENT_FILTER_WORDS */
	uint64_t bits[];
};

/* What a hash asks of every filter: the block's place, of all blocks, and the bits in it. */
struct resident_key {
	uint64_t place;
	uint64_t bits[SEGMENT_FILTER_WORDS];
};

struct resident_key resident_key(uint64_t hash);

static inline const uint64_t *resident_block(const struct resident *f, const struct resident_key *k)
{
	return f->bits + (size_t)(k->place * f->blocks >> 32) * f->words;
}

/* False: certainly not there. NULL: who knows. Decides once, when all words were looked at: most answers are no, so
 * that the processor asks the next filters meanwhile. */
static inline bool resident_may_hold(const struct resident *f, const struct resident_key *k)
{
	uint64_t missing = 0;

	if (!f)
		return true;
	const uint64_t *block = resident_block(f, k);
	if (f->words == SEGMENT_FILTER_WORDS)
		for (uint32_t w = 0; w < SEGMENT_FILTER_WORDS; w++)
			missing |= k->bits[w] & ~block[w];
	else
		for (uint32_t w = 0; w < f->words; w++)
			missing |= k->bits[w] & ~block[w];
	return !missing;
}

/* The same for who asks one filter only. */
static inline bool resident_denies(const struct resident *f, uint64_t hash)
{
	struct resident_key k = resident_key(hash);

	return !resident_may_hold(f, &k);
}

/* Whether it knows as much as the file's. */
static inline bool resident_whole(const struct resident *f)
{
	return f && f->words == SEGMENT_FILTER_WORDS;
}

/* Loads a filter of one segment that has none, or makes one smaller that takes more than its share.
 * True: call again. A segment whose filter cannot be read is left without; damage is noted in it. */
bool resident_step(struct store *s);

/* Of a filter with all its words, about: ten bits for each of so many records. */
uint64_t resident_whole_bytes(uint64_t records);

/* Bytes of one (NULL: none), and of all over ids and parents. */
size_t resident_size(const struct resident *f);
size_t resident_bytes(const struct store *s);

#endif
