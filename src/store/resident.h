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

/* False: certainly not there. NULL: who knows. */
bool resident_may_hold(const struct resident *f, uint64_t id_hash);

/* Loads the filter of one segment that has none, or makes one smaller that takes more than its share.
 * True: call again. A segment whose filter cannot be read is left without; damage is noted in it. */
bool resident_step(struct store *s);

/* Bytes of all. */
size_t resident_bytes(const struct store *s);

#endif
