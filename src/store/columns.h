/*
 * columns: the fields of a segment's rows, value by value, without their records.
 */
#ifndef FIC_STORE_COLUMNS_H
#define FIC_STORE_COLUMNS_H

#include "pager.h"

/* Writes SECTION_COLUMNS and SECTION_FIELDS of a new segment, in slices. Borrows all of it until the
 * end. NULL: no memory. */
struct columns_writer;
struct columns_writer *columns_writer_new(struct pager *p, const struct segment_plan *plan,
					  const struct segment_place *rows, uint32_t count,
					  struct section *sections);
/* About 2,000 values, looked at or written. 1: there is more, 0: done, or an error. */
int columns_writer_step(struct columns_writer *w);
void columns_writer_free(struct columns_writer *w);

/* An element of SECTION_FIELDS. */
struct column {
	char name[SEGMENT_NAME_SIZE];
	uint64_t definition;
	uint8_t kind, form, width, offset_width;
	uint32_t heap_values, packed_at, heap_at, heap_bytes, offsets_at;
	int64_t min, max;
	uint64_t scale;
	uint32_t present;
};

/* Packed numbers: the bytes that were looked at last hold more of them. */
struct packed_hint {
	uint32_t page;
	bool known;
	uint64_t at, word; /* where they lie in the stream, and what they are */
};

/* What a reader of one column remembers; starts zeroed. */
struct column_hint {
	bool loaded;
	struct column column;
	struct packed_hint packed, offsets;
	uint32_t heap;
	uint32_t block;       /* of the heap, whose places are known; plus 1, 0: none */
	uint32_t block_start; /* where it begins in the heap … */
	uint16_t block_at[SEGMENT_HEAP_BLOCK + 1]; /* … and its values, from there on; and its end */
};

/* What a reader of many rows remembers besides: values that many of them share. Starts zeroed. */
struct column_reader {
	struct column_hint hint;
	uint8_t room[SEGMENT_VALUE_MAX]; /* of a value that does not lie on one page */
	struct column_kept *kept;        /* owned; NULL: none, or no memory for them */
	uint32_t kept_mask;
	uint32_t learned; /* blocks of which all values were kept; a bit for each */
};
void column_reader_release(struct column_reader *r);

/* Finds the fields of the schema (NULL: none) in the segment, once. */
int segment_fields(struct segment *g, struct pages *p, const struct schema *schema);
int segment_column(struct segment *g, struct pages *p, unsigned field, struct column *out);
/* Of one of the fields that every segment has, kept since it was read first. ERR_NOTFOUND: the segment is from before there were columns. */
int segment_own_column(struct segment *g, struct pages *p, enum segment_own which, struct column *out);
/* A row's value into an emptied `out`: MessagePack, or the byte 0xc1. ERR_CORRUPT also for a field
 * without a column. */
int column_value(struct segment *g, struct pages *p, unsigned field, uint32_t ordinal,
		 struct column_hint *hint, struct buf *out);

/* The same; borrowed until the next call with this reader, or one that may load a page. */
int column_look(struct segment *g, struct pages *p, unsigned field, uint32_t ordinal,
		struct column_reader *r, struct bytes *out);

/* Which of the column's own values a row has: 1; 0: it keeps none of its own; or an error. */
int column_place(struct segment *g, struct pages *p, unsigned field, uint32_t ordinal,
		 struct column_hint *hint, uint32_t *out);

/* A row's number: 1; 0: it has none; ERR_NOTFOUND: the column does not keep numbers as such; or an error. */
int column_number(struct segment *g, struct pages *p, unsigned field, uint32_t ordinal,
		  struct column_hint *hint, int64_t *out);

/* Packed numbers of rows side by side, borrowed from their page. */
struct packed_run {
	uint32_t first, rows;
	unsigned width, bit; /* of the first one … */
	const uint8_t *at;   /* … behind this */
	uint64_t mask;
	uint8_t room[8]; /* of one that lies on two pages */
};

/* From this row on, one at least: until the next call that may load a page. 0 or an error. */
int column_run(struct segment *g, struct pages *p, const struct column *c, uint32_t row,
	       uint32_t *hint, struct packed_run *out);

/* Of a row in the run. */
static inline uint64_t packed_run_at(const struct packed_run *r, uint32_t row)
{
	uint64_t bit = r->bit + (uint64_t)(row - r->first) * r->width;

	return le64(r->at + bit / 8) >> bit % 8 & r->mask;
}

/* Of `n` rows in ascending order. */
int column_packed(struct segment *g, struct pages *p, const struct column *c,
		  const uint32_t *ordinals, uint32_t n, uint32_t *hint, uint64_t *out);
/* All of them are going to be read from this row on: the next pages that have to be are, together. */
void column_ahead(struct segment *g, struct pages *p, const struct column *c, uint32_t row);

/* What a packed number but 0 (nil) means in a column of numbers. */
static inline int64_t column_number_of(const struct column *c, uint64_t packed)
{
	return (int64_t)((uint64_t)c->min + (packed - 1) * c->scale);
}

#endif
