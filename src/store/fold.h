/*
 * fold: small segments go into the one that a commit writes anyway, so that their number stays
 * small.
 */
#ifndef FIC_STORE_FOLD_H
#define FIC_STORE_FOLD_H

#include "inside.h"

/* A resource with so many small segments folds. */
#define FOLD_SEGMENTS 8u
/* A small one has fewer rows that live, and fewer packed bytes. */
#define FOLD_SMALL_RECORDS 4096u
#define FOLD_SMALL_BYTES   (2u << 20)
/* Taken in one commit. A fold runs on the loop: so many rows cost about 6 ms. */
#define FOLD_RECORDS_MAX 4096u
#define FOLD_BYTES_MAX   (4u << 20)

/* Rows taken over; their frames lie in `frames`. */
struct fold {
	struct segment_row *rows;
	uint32_t count, cap;
	struct buf frames;
	/* Where their terms and columns come from: first what was made from records anew. */
	struct segment_source *sources;
	uint32_t sources_count;
	struct extract extract;
};

void fold_release(struct fold *f);

/* Takes the live rows of small segments out of `r` (a clone that nobody else holds) and drops those
 * segments from it. `added`: rows that the commit writes beside. Frames are packed with
 * `dictionary`. A segment that turns out to be damaged is noted and left alone. 0, ERR_NOMEM,
 * ERR_IO. */
int fold_take(struct store *s, struct state_resource *r, uint64_t dictionary, struct packer *packer,
	      size_t added, struct fold *f);

#endif
