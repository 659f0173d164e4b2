/*
 * frames: rows that lists of terms found, with their frames as they lie in the file: each would cost a read of its own, and often one of a page of the index, and the
 * same ones are found again by the next question like the last. What is here was verified when it was read; segments never change, so it stays right.
 */
#ifndef FIC_STORE_FRAMES_H
#define FIC_STORE_FRAMES_H

#include "segment_file.h"

struct frames;

/* Never holds more than `bytes_max`, 64 KB at least; takes memory as it fills. NULL: no memory. */
struct frames *frames_new(size_t bytes_max);
void frames_free(struct frames *f);

/* The row of a segment, by the segment's number and the row's ordinal: its frame and a copy of its row. Borrowed until the next frames_keep. False: not here. */
bool frames_find(const struct frames *f, uint64_t segment, uint32_t ordinal, struct row *row_out,
		 struct bytes *frame_out);
/* Keeps what was not found, in the place of what has been here longest. A large frame is not kept. */
void frames_keep(struct frames *f, uint64_t segment, uint32_t ordinal, const struct row *row,
		 struct bytes frame);
/* Nothing of them is left in memory. */
void frames_clear(struct frames *f);

#endif
