/*
 * match_bits: a match in one segment, as scans see it.
 */
#ifndef FIC_STORE_MATCH_BITS_H
#define FIC_STORE_MATCH_BITS_H

#include "state.h"

#include <store/match.h>

/* Bits by ordinal; both NULL: no row has one. */
struct match_bits {
	uint64_t *may, *must; /* what is sure may, too */
	uint64_t *alone;      /* what may by its own words; NULL: what is sure of them */
	uint32_t may_count, must_count;
	uint32_t from; /* of a segment that is not ready: its rows from here on are … */
	bool begun;    /* … if some are; of the others only what was added is there */
	bool ready;
	bool listed; /* they come from lists of terms alone, in which no tombstone is */
};

/* Gets the segment with this place ready; as match_step: 1: there is more, 0: it is, or an error. */
int match_segment_step(struct match *m, size_t segment, unsigned *cost);

/* Gets more of its rows ready, the last ones first, as many as a search that is read from there may need: as above, and 0 when there are more than before. Where that
 * is not worth while all of them are. */
int match_tail_step(struct match *m, size_t segment, unsigned *cost);

/* What its segments are those of; NULL: never written. */
const struct state_resource *match_resource(const struct match *m);
struct store *match_store(const struct match *m);

/* In the segment with this place in the snapshot's resource. */
const struct match_bits *match_bits_of(const struct match *m, size_t segment);
/* Makes a row that lives, and is no tombstone, sure, or possible if it is not sure already. 0 or ERR_NOMEM. */
int match_mark(struct match *m, size_t segment, uint32_t ordinal, bool sure);

static inline bool match_bits_none(const struct match_bits *b)
{
	return b->ready && b->may_count == 0;
}

/* The first of the rows that are ready; UINT32_MAX: none is. */
static inline uint32_t match_bits_ready(const struct match_bits *b)
{
	return b->ready ? 0 : b->begun ? b->from : UINT32_MAX;
}

static inline bool match_bits_has(const uint64_t *bits, uint32_t i)
{
	return bits && (bits[i / 64] >> i % 64 & 1);
}

static inline enum match_verdict match_bits_say(const struct match_bits *b, uint32_t ordinal)
{
	return match_bits_has(b->must, ordinal)  ? MATCH_SURE
	       : match_bits_has(b->may, ordinal) ? MATCH_POSSIBLE
						 : MATCH_OUT;
}

/* The first ordinal in [at, end) that is not out; `end`: there is none. */
uint32_t match_bits_from(const struct match_bits *b, uint32_t at, uint32_t end);
/* The ordinals in [*at, end) that are not out, up to `max` (1 or more); *at: where the next ones begin, `end`: there are none. */
uint32_t match_bits_take(const struct match_bits *b, uint32_t *at, uint32_t end, uint32_t *out,
			 uint32_t max);
/* One more than the last one; `at`: there is none. */
uint32_t match_bits_before(const struct match_bits *b, uint32_t at, uint32_t end);

#endif
