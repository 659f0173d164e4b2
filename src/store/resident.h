/*
 * resident: filters over segments, kept in memory: over their ids, and over the parents of their records. A segment that cannot
 * hold an id, or a child, is passed over without a look at its file, so that the cost of a lookup, and of a thread, hardly
 * depends on the number of segments. Filters over words (vocabulary.h) have the same form.
 */
#ifndef FIC_STORE_RESIDENT_H
#define FIC_STORE_RESIDENT_H

#include "bloom.h"
#include "inside.h"

/* Loads a filter of one segment that has none, or makes one smaller that takes more than its share.
 * True: call again. A segment whose filter cannot be read is left without; damage is noted in it. */
bool resident_step(struct store *s);

/* Of a filter with all its words, about: ten bits for each of so many records. */
uint64_t resident_whole_bytes(uint64_t records);

/* Bytes of all. */
size_t resident_bytes(const struct store *s);

#endif
