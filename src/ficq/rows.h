/*
 * rows: records to standard output, in every format that has rows.
 */
#ifndef FIC_FICQ_ROWS_H
#define FIC_FICQ_ROWS_H

#include "columns.h"
#include "table.h"

enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_NDJSON, FORMAT_CSV, FORMAT_TSV, FORMAT_MSGPACK };

struct rows {
	enum format format;
	const struct columns *columns;
	const struct show *show;
	struct table_look look;
	/* The style of a cell in a table; NULL: none. */
	enum style (*style)(const char *path, struct bytes value);
	bool guard;       /* csv and tsv to a terminal: control characters are made harmless */
	bool spreadsheet; /* csv for programs that guess: see put_spreadsheet */
	bool begun;
	struct table table;
};

enum format format_of(const char *name); /* of --output; NULL: table */

/* Everything is borrowed until rows_release. FORMAT_JSON has no rows: the whole result is printed elsewhere. */
void rows_begin(struct rows *r, enum format format, const struct columns *columns,
		const struct show *show, const struct table_look *look);
/* Appends a row, or gathers it for the table. A row that is not a map is left out. */
void rows_add(struct rows *r, struct bytes row, struct buf *out);
/* Appends what was gathered for the table, and what stands above rows even when there are none. Column widths stay. */
void rows_page(struct rows *r, struct buf *out);
void rows_release(struct rows *r);

#endif
