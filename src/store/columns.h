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

/* What a reader of one column remembers; starts zeroed. */
struct column_hint {
	bool loaded;
	struct column column;
	uint32_t packed, offsets, heap;
	uint32_t block;       /* of the heap, whose places are known; plus 1, 0: none */
	uint32_t block_start; /* where it begins in the heap … */
	uint16_t block_at[SEGMENT_HEAP_BLOCK + 1]; /* … and its values, from there on; and its end */
};

#define COLUMN_KEPT_COUNT 16u /* power of two */
#define COLUMN_KEPT_BYTES 27u

/* What a reader of many rows remembers besides: values that many of them share. Starts zeroed. */
struct column_reader {
	struct column_hint hint;
	uint8_t room[SEGMENT_VALUE_MAX]; /* of a value that does not lie on one page */
	struct column_kept {
		uint32_t number; /* among the column's own values, plus 1; 0: none */
		uint8_t len;
		uint8_t data[COLUMN_KEPT_BYTES];
	} kept[COLUMN_KEPT_COUNT];
};

/* Finds the fields of the schema (NULL: none) in the segment, once. */
int segment_fields(struct segment *g, struct pages *p, const struct schema *schema);
int segment_column(struct segment *g, struct pages *p, unsigned field, struct column *out);
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

#endif
