/*
 * segment_write: a new segment, in slices.
 */
#ifndef FIC_STORE_SEGMENT_WRITE_H
#define FIC_STORE_SEGMENT_WRITE_H

#include "pager.h"

/* Writes a whole file from rows that are sorted by segment_row_key, in slices of some tenths of a
 * millisecond. Takes memory for the term tree, about 15 bytes for each different term, and 4 bytes
 * for each row of the sources. */
struct index;

struct segment_writer {
	struct out *out;
	const struct segment_plan *plan;
	struct segment_row *rows;
	uint32_t count;
	struct segment_meta *meta;
	struct section sections[SEGMENT_SECTIONS];
	struct pager pager;
	struct sort sort;
	const struct index *index;                /* that is sorted */
	uint64_t (*filter)[SEGMENT_FILTER_WORDS]; /* that is written, of so many blocks */
	uint32_t blocks;
	struct columns_writer *columns;
	struct terms_writer *terms;
	/* Appends the frame of a row that has none, to an empty buffer. */
	int (*fetch)(void *ctx, const struct segment_row *r, struct buf *out);
	void *ctx;
	struct buf fetched;
	unsigned stage, phase; /* which section, and what of it */
	bool begun;            /* the stage */
	uint32_t at, into;     /* the next row, and the next byte of its frame */
};

/* Borrows all of it until the release. `meta` is filled but for number, folder and
 * dictionary, which are taken from there. ERR_NOMEM: nothing to release. */
int segment_writer_init(struct segment_writer *w, struct out *out, const struct segment_plan *plan,
			struct segment_row *rows, uint32_t count, struct segment_meta *meta);
/* 1: there is more; 0: the file is written (not synced); or an error. ERR_CORRUPT: a source is
 * damaged, and noted. */
int segment_writer_step(struct segment_writer *w);
void segment_writer_release(struct segment_writer *w);

#endif
