/*
 * lists: the terms of a question in one segment.
 */
#ifndef FIC_STORE_LISTS_H
#define FIC_STORE_LISTS_H

#include "schema.h"
#include "state.h"
#include "terms.h"

/* The list of each term. 1; 0: the segment cannot say; or an error. */
int lists_find(struct segment *g, struct pages *p, const struct schema *schema,
	       const struct store_term *terms, size_t count, struct posting *lists);
/* Whether a list has the ordinal: 1, 0 or an error. */
int lists_have(struct posting *l, uint32_t ordinal);
/* Adds how many of its ordinals in [first, end) live. */
int lists_live(struct posting *l, const struct dead *dead, uint32_t first, uint32_t end,
	       uint64_t *count);

#endif
