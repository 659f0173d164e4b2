/*
 * fold: what is in memory, and small segments, go into the one that a commit writes anyway, so that
 * their number stays small. (What a store merges by itself, beside the commits: merge.h.)
 */
#ifndef FIC_STORE_FOLD_H
#define FIC_STORE_FOLD_H

#include "inside.h"

/* A resource with so many small segments folds. */
#define FOLD_SEGMENTS 8u
/* Taken in one step: some tenths of a millisecond. */
#define FOLD_STEP_ROWS   64u
#define FOLD_STEP_BYTES  (64u << 10)
#define FOLD_REPACK_COST 8u /* of a row that is packed or indexed anew, in rows that are copied */

enum fold_how {
	FOLD_MEMORY, /* small ones among those in memory: their frames stay where they are */
	FOLD_FLUSH,  /* all in memory */
	FOLD_FILES,  /* those, and small files */
};

/* Rows taken over; their frames lie in `frames`. */
struct fold {
	struct segment_row *rows;
	uint32_t count, cap;
	struct buf frames;
	/* Where their terms and columns come from: first what was made from records anew. There is room
	 * for one more. */
	struct segment_source *sources;
	uint32_t sources_count;
	struct extract extract;
	struct segment **chosen; /* of the resource */
	size_t chosen_count, at;
	/* The one at hand. */
	bool begun;
	bool indexed;           /* it has the store's schema: terms and columns are taken over */
	uint32_t probed;        /* their pages that could be read */
	uint32_t ordinal, hint; /* its next row */
	uint32_t count_before;  /* what was taken before it */
	uint32_t sources_before, extracted_before;
	size_t frames_before;
};

void fold_release(struct fold *f);
/* Gives back the memory of the rows, once they are copied: only they go, not what they name. */
void fold_forget_rows(struct fold *f);

/* Chooses segments of `r`. `added`: rows that the commit writes beside. ERR_NOMEM. */
int fold_begin(struct store *s, struct fold *f, const struct state_resource *r, enum fold_how how,
	       size_t added);
/* Whether something is packed anew, so that a packer is needed. */
bool fold_repacks(const struct fold *f, uint64_t dictionary);
/* Takes some live rows of the chosen ones, and out of `r` (a clone that nobody else holds) those
 * that were taken whole. Frames are packed with `dictionary`. A segment that turns out to be
 * damaged is noted and left alone. 1: there is more, 0, ERR_NOMEM, ERR_IO. */
int fold_step(struct store *s, struct fold *f, struct state_resource *r, uint64_t dictionary,
	      struct packer *packer);

#endif
