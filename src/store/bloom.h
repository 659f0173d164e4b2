/*
 * bloom: a filter over hashes, in memory: which are certainly not among those that it was made of.
 */
#ifndef FIC_STORE_BLOOM_H
#define FIC_STORE_BLOOM_H

#include <store/segment.h>

#include <stdbool.h>
#include <stddef.h>

/* Some words of each block of a filter (SECTION_FILTER in <store/segment.h>). */
struct bloom {
	uint32_t blocks;
	uint32_t words; /* of each: 1 to SEGMENT_FILTER_WORDS */
	uint64_t bits[];
};

/* What a hash asks of every filter: the block's place, of all blocks, and the bits in it. */
struct bloom_key {
	uint64_t place;
	uint64_t bits[SEGMENT_FILTER_WORDS];
};

struct bloom_key bloom_key(uint64_t hash);

static inline const uint64_t *bloom_block(const struct bloom *f, const struct bloom_key *k)
{
	return f->bits + (size_t)(k->place * f->blocks >> 32) * f->words;
}

/* False: certainly not there. NULL: who knows. Decides once, when all words were looked at: most answers are no, so
 * that the processor asks the next filters meanwhile. */
static inline bool bloom_may_hold(const struct bloom *f, const struct bloom_key *k)
{
	uint64_t missing = 0;

	if (!f)
		return true;
	const uint64_t *block = bloom_block(f, k);
	if (f->words == SEGMENT_FILTER_WORDS)
		for (uint32_t w = 0; w < SEGMENT_FILTER_WORDS; w++)
			missing |= k->bits[w] & ~block[w];
	else
		for (uint32_t w = 0; w < f->words; w++)
			missing |= k->bits[w] & ~block[w];
	return !missing;
}

/* The same for who asks one filter only. */
static inline bool bloom_denies(const struct bloom *f, uint64_t hash)
{
	struct bloom_key k = bloom_key(hash);

	return !bloom_may_hold(f, &k);
}

/* Whether it knows as much as the file's. */
static inline bool bloom_whole(const struct bloom *f)
{
	return f && f->words == SEGMENT_FILTER_WORDS;
}

/* Bytes of one (NULL: none). */
size_t bloom_size(const struct bloom *f);

#endif
