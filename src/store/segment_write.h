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
	/* One of the two; neither, when all that orders them is written. */
	const struct segment_row *rows;
	const struct moved_row *moved;
	uint32_t count;
	struct segment_place *places; /* what is left to write of them then */
	struct segment_meta *meta;
	struct section sections[SEGMENT_SECTIONS];
	struct pager pager;
	struct sort sort;
	const struct index *index;                /* that is sorted */
	uint64_t (*filter)[SEGMENT_FILTER_WORDS]; /* that is written, of so many blocks */
	uint32_t blocks;
	struct columns_writer *columns;
	struct terms_writer *terms;
	/* Of one that is moved: appends its frame to an empty buffer; and the whole row, but for its offset. */
	int (*fetch)(void *ctx, const struct moved_row *r, struct buf *out);
	int (*fetch_row)(void *ctx, const struct moved_row *r, struct row *out);
	/* The rows are needed no more; NULL: nobody wants to know. */
	void (*forget)(void *ctx);
	void *ctx;
	struct buf fetched;
	unsigned stage, phase; /* which section, and what of it */
	bool begun;            /* the stage */
	uint32_t at, into;     /* the next row, and the next byte of its frame */
	uint64_t offset;       /* of the next row's frame */
	uint64_t id_key_min, id_key_max;
	uint32_t id_pages[SEGMENT_ID_PAGES_MAX]; /* the high words of the last hashes of SECTION_IDS' pages */
};

/* Of `rows` and `moved` one is NULL. Borrows the rows until `forget`, and all else until the release. `meta` is filled but for number, folder and
 * dictionary, which are taken from there. ERR_NOMEM: nothing to release. */
int segment_writer_init(struct segment_writer *w, struct out *out, const struct segment_plan *plan,
			const struct segment_row *rows, const struct moved_row *moved,
			uint32_t count, struct segment_meta *meta);
/* 1: there is more; 0: the file is written (not synced); or an error. ERR_CORRUPT: a source is
 * damaged, and noted. */
int segment_writer_step(struct segment_writer *w);
void segment_writer_release(struct segment_writer *w);

#endif
