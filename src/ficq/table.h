/*
 * table: cells in columns that fit a width.
 */
#ifndef FIC_FICQ_TABLE_H
#define FIC_FICQ_TABLE_H

#include <base/bytes.h>

#include "term.h"

#define TABLE_COLUMNS_MAX 64

/* How early a column gives way when there is not room for all. */
enum table_give {
	TABLE_TEXT, /* first; of these the last column last, because it says most */
	TABLE_FIRM, /* numbers, times: never cut; left out when texts are at their least */
	TABLE_ID,   /* what is useless when cut, and what all else is about: at the very end */
};

struct table_column {
	const char *title;
	bool right; /* numbers */
	enum table_give give;
	bool dropped; /* there is no room for it */
	size_t width; /* so far: of the widest cell; fixed by the first table_put */
};

struct table_cell {
	size_t at, len; /* in `text` */
	enum style style;
};

struct table {
	struct table_column columns[TABLE_COLUMNS_MAX];
	size_t column_count;
	struct buf text;
	struct buf cells; /* of struct table_cell, row by row */
	size_t dropped;   /* columns that there is no room for */
	size_t last;      /* column that is shown */
	bool begun;       /* widths are fixed, the header is out */
};

struct table_look {
	size_t width; /* SIZE_MAX: as wide as it gets */
	bool header;
	bool color;
	bool ascii;
	size_t indent;
};

void table_init(struct table *t);
/* Before the first cell. */
void table_column(struct table *t, const char *title, bool right, enum table_give give);
/* Cells come row by row. `clean` is copied; what stands between SHOW_MARK and SHOW_UNMARK (cell.h) becomes yellow. */
void table_cell(struct table *t, struct bytes clean, enum style style);
/* Appends the rows gathered so far and forgets them; the first time with the header, and settles the widths. */
void table_put(struct table *t, struct buf *out, const struct table_look *look);
void table_release(struct table *t);

#endif
