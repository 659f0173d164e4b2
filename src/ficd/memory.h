/*
 * memory: what the configuration's `memory` is divided into. One budget: ficd.conf(5) and the README tell these parts, so change them together. Private to this layer.
 */
#ifndef FIC_FICD_MEMORY_INTERNAL_H
#define FIC_FICD_MEMORY_INTERNAL_H

#include "daemon.h"

/* One in so many. */
enum memory_part {
	/* Caches, which fill: some six tenths together. What is left is for the libraries and for what is under way. */
	MEMORY_FILTERS = 3, /* over the ids and words that are held: whole up to some four million records */
	MEMORY_KEPT = 9,     /* answers to what is asked again and again */
	MEMORY_PAGES = 14,   /* of indexes */
	MEMORY_FRAMES = 16,  /* packed records that conditions found */
	MEMORY_JOURNAL = 16, /* what is not written to segments yet */
	/* Bounds of what is hardly ever there. */
	MEMORY_UNREAD = 2, /* answers that nobody has read; over it pages are short */
	MEMORY_TXN = 4, /* a transaction, which is committed long before it is full (sync/run.h) */
};

/* Bytes for all sources together. */
static inline size_t memory_of(const struct config *c, enum memory_part part)
{
	return (size_t)c->memory_bytes / part;
}

/* Bytes for each source. */
static inline size_t memory_of_source(const struct config *c, enum memory_part part)
{
	return memory_of(c, part) / c->source_count;
}

#endif
