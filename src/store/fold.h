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
/* Taken in one commit. */
#define FOLD_RECORDS_MAX 4096u
#define FOLD_BYTES_MAX   (4u << 20)
/* Taken in one step: some tenths of a millisecond. */
#define FOLD_STEP_ROWS   64u
#define FOLD_STEP_BYTES  (64u << 10)
#define FOLD_REPACK_COST 8u /* of a row that is packed anew, in rows that are copied */

/* Rows taken over; their frames lie in `frames`. */
struct fold {
	struct segment_row *rows;
	uint32_t count, cap;
	struct buf frames;
	struct segment **chosen; /* of the resource */
	size_t chosen_count, at;
	uint32_t ordinal, hint; /* the next row of the one at hand */
	uint32_t count_before;  /* what was taken before it */
	size_t frames_before;
};

void fold_release(struct fold *f);

/* Chooses segments of `r`: with `memory` small ones among those in memory, else all of those, and
 * small files. `added`: rows that the commit writes beside. ERR_NOMEM. */
int fold_begin(struct fold *f, const struct state_resource *r, bool memory, size_t added);
/* Whether something is packed anew, so that a packer is needed. */
bool fold_repacks(const struct fold *f, uint64_t dictionary);
/* Takes some live rows of the chosen ones, and out of `r` (a clone that nobody else holds) those
 * that were taken whole. Frames are packed with `dictionary`. A segment that turns out to be
 * damaged is noted and left alone. 1: there is more, 0, ERR_NOMEM, ERR_IO. */
int fold_step(struct store *s, struct fold *f, struct state_resource *r, uint64_t dictionary,
	      struct packer *packer);

#endif
