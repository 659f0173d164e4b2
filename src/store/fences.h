/*
 * fences: of each leaf of a segment's terms its first term, in memory, so that who looks for a term reads one page.
 */
#ifndef FIC_STORE_FENCES_H
#define FIC_STORE_FENCES_H

#include "state.h"

/* Eight bytes for each leaf, a page of terms: the key of its first term (terms.h). */
struct fences {
	uint32_t leaves;
	uint64_t keys[];
};

/* The only leaf that can have the term. False: two or more can, ask the tree. */
bool fences_find(const struct fences *f, struct bytes term, uint32_t *leaf_out);

/* Bytes of all that are loaded. */
size_t fences_bytes(const struct state *t);

#endif
