/*
 * merge: the rows of many segments in one order, a full segment of them at a time. Memory depends on
 * what one segment takes, not on how many rows there are: where it can a row stays where it is until
 * it is written, and what is packed anew waits in a file.
 */
#ifndef FIC_STORE_MERGE_H
#define FIC_STORE_MERGE_H

#include "choice.h"
#include "spill.h"

struct merge_source {
	struct segment *segment;
	const struct dead *dead;
	bool indexed;   /* it has the store's schema: terms and columns are taken over */
	uint32_t index; /* of the sources of the new segment; UINT32_MAX: not among them yet */
	uint32_t ordinal, hint; /* behind the row at hand */
	bool open;              /* there is one */
	struct row row;
	struct sort_key key;
};

struct merge {
	struct store *s;
	struct choice choice;
	const char *resource;
	uint64_t dictionary;
	struct packer *packer;
	struct spill spill; /* of frames that are packed anew */
	struct merge_source *sources;
	uint32_t begun; /* of the sources */
	/* The next segment. `rows` has room for a full one, while there are any. */
	struct moved_row *rows;
	uint32_t count;
	uint64_t bytes;
	struct segment_source *index; /* first `extract`, with what is made from records anew */
	uint32_t index_count;
	struct extract extract;
	bool full;
	/* The record that is being packed, and how much of it went in. */
	struct merge_source *packing;
	struct buf raw, packed;
	size_t fed, frame;
};

/* Takes the choice, which must not be empty, and borrows the rest until the release; `r` must not
 * change meanwhile. What is packed anew gets the dictionary. 0, or an error with nothing to release
 * but what merge_release does. */
int merge_init(struct merge *m, struct store *s, const struct state_resource *r,
	       struct choice *choice, uint64_t dictionary, struct why *why);
void merge_release(struct merge *m);
/* Gathers rows, about a millisecond of work. 1: there is more to do; 0: `rows` and `index` are those of
 * the next segment, and none when all are over; or an error. ERR_CORRUPT: a source is damaged, and
 * noted. */
int merge_step(struct merge *m);
/* Gives back the memory of the rows that it gave. */
void merge_forget_rows(struct merge *m);
/* Forgets all that it gave. */
void merge_next(struct merge *m);
/* The smallest known creation time of the rows that it gave, TIME_NONE when none is known. */
int64_t merge_start(const struct merge *m);
/* The frame of a row that it gave, appended to an empty buffer; and all of the row but its offset. */
int merge_frame(struct merge *m, const struct moved_row *r, struct buf *out);
int merge_row(struct merge *m, const struct moved_row *r, struct row *out);

#endif
