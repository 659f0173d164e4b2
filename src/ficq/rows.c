/*
 * rows: records to standard output, in every format that has rows. Machine formats carry the values exactly; tables carry them for
 * people.
 */
#include "rows.h"

#include "text.h"

#include <codec/msgpack.h>

static const char *const format_names[] = {"table", "json", "ndjson", "csv", "tsv", "msgpack"};

enum format format_of(const char *name)
{
	for (size_t i = 0; name && i < sizeof format_names / sizeof *format_names; i++)
		if (strcmp(format_names[i], name) == 0)
			return (enum format)i;
	return FORMAT_TABLE;
}

static enum table_give give(const struct column *c)
{
	if (strcmp(c->path, "id") == 0 || strcmp(c->path, "parent") == 0 ||
	    strcmp(c->path, "count") == 0 || c->kind == CELL_NAME)
		return TABLE_ID;
	return c->kind == CELL_TEXT || c->kind == CELL_SNIPPET || c->kind == CELL_ADMIN ||
			       c->kind == CELL_TEAM
		       ? TABLE_TEXT
		       : TABLE_FIRM;
}

static bool right(enum cell_kind kind)
{
	return kind == CELL_NUMBER || kind == CELL_RATIO || kind == CELL_BYTES ||
	       kind == CELL_MILLIS || kind == CELL_SECONDS;
}

void rows_begin(struct rows *r, enum format format, const struct columns *columns,
		const struct show *show, const struct table_look *look)
{
	*r = (struct rows){.format = format, .columns = columns, .show = show, .look = *look};
	table_init(&r->table);
	for (size_t i = 0; i < columns->count; i++) {
		const struct column *c = &columns->items[i];
		if (c->title)
			table_column(&r->table, c->title, right(c->kind), give(c));
	}
}

/* --- tables --- */

static void add_to_table(struct rows *r, struct bytes row)
{
	struct buf cell = {0};

	for (size_t i = 0; i < r->columns->count; i++) {
		const struct column *c = &r->columns->items[i];
		if (!c->title)
			continue;
		struct bytes value = member(row, c->path);
		buf_reset(&cell);
		if (value.data || i >= r->columns->groups)
			member_show(&cell, r->show, row, c->path, c->kind);
		else
			buf_put_str(&cell, "none");
		table_cell(&r->table, buf_bytes(&cell),
			   r->style ? r->style(c->path, value) : STYLE_NONE);
	}
	buf_release(&cell);
}

/* --- csv (RFC 4180, but lines end in LF as shells like it) and tsv (backslash escapes, as PostgreSQL and jq write it) --- */

static void put_csv(struct buf *out, struct bytes text)
{
	bool quote = false;

	for (size_t i = 0; i < text.len && !quote; i++)
		quote = text.data[i] == '"' || text.data[i] == ',' || text.data[i] == '\n' ||
			text.data[i] == '\r';
	/* A space at an end is lost by many a reader unless quoted. */
	if (text.len && (text.data[0] == ' ' || text.data[text.len - 1] == ' '))
		quote = true;
	if (!quote) {
		buf_put_bytes(out, text);
		return;
	}
	buf_put_byte(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '"')
			buf_put_byte(out, '"');
		buf_put_byte(out, text.data[i]);
	}
	buf_put_byte(out, '"');
}

static void put_tsv(struct buf *out, struct bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		switch (text.data[i]) {
		case '\t': buf_put_str(out, "\\t"); break;
		case '\n': buf_put_str(out, "\\n"); break;
		case '\r': buf_put_str(out, "\\r"); break;
		case '\\': buf_put_str(out, "\\\\"); break;
		default: buf_put_byte(out, text.data[i]);
		}
	}
}

/*
 * A spreadsheet takes a file for its own old encoding unless a mark says UTF-8, and a text that begins like a formula for one, whoever wrote it
 * (CWE-1236); with a ' in front it is a text.
 */
static void put_spreadsheet(struct buf *out, struct bytes text, bool number)
{
	struct buf guarded = {0};

	if (number || !text.len || !memchr("=+-@\t\r", text.data[0], 6)) {
		put_csv(out, text);
		return;
	}
	buf_put_byte(&guarded, '\'');
	buf_put_bytes(&guarded, text);
	put_csv(out, buf_bytes(&guarded));
	buf_release(&guarded);
}

static void put_line_end(const struct rows *r, struct buf *out)
{
	buf_put_str(out, r->spreadsheet ? "\r\n" : "\n");
}

static void put_field(const struct rows *r, struct buf *out, struct bytes text, bool number, bool first)
{
	struct buf clean = {0};

	if (!first)
		buf_put_byte(out, r->format == FORMAT_CSV ? ',' : '\t');
	if (r->guard) {
		text_clean(&clean, text, TEXT_BLOCK, r->show->ascii);
		text = buf_bytes(&clean);
	}
	if (r->spreadsheet)
		put_spreadsheet(out, text, number);
	else if (r->format == FORMAT_CSV)
		put_csv(out, text);
	else
		put_tsv(out, text);
	buf_release(&clean);
}

static void put_names(const struct rows *r, struct buf *out)
{
	for (size_t i = 0; i < r->columns->count; i++)
		put_field(r, out, bytes_str(r->columns->items[i].path), false, i == 0);
	put_line_end(r, out);
}

static bool is_number(struct bytes value)
{
	struct mp_value v;

	return value.data && mp_get(value, &v) &&
	       (v.type == MP_INT || v.type == MP_UINT || v.type == MP_FLOAT);
}

static void put_fields(const struct rows *r, struct buf *out, struct bytes row)
{
	struct buf raw = {0};

	for (size_t i = 0; i < r->columns->count; i++) {
		struct bytes value = member(row, r->columns->items[i].path);
		buf_reset(&raw);
		cell_raw(&raw, value);
		put_field(r, out, buf_bytes(&raw), is_number(value), i == 0);
	}
	put_line_end(r, out);
	buf_release(&raw);
}

/* --- all --- */

static void begin(struct rows *r, struct buf *out)
{
	if (r->begun)
		return;
	r->begun = true;
	if (r->spreadsheet)
		buf_put_str(out, "\xef\xbb\xbf");
	if ((r->format == FORMAT_CSV || r->format == FORMAT_TSV) && r->look.header)
		put_names(r, out);
}

void rows_add(struct rows *r, struct bytes row, struct buf *out)
{
	struct mp_value v;

	if (!mp_get(row, &v) || v.type != MP_MAP)
		return;
	begin(r, out);
	switch (r->format) {
	case FORMAT_TABLE: add_to_table(r, row); return;
	case FORMAT_CSV:
	case FORMAT_TSV: put_fields(r, out, row); return;
	case FORMAT_MSGPACK: buf_put_bytes(out, row); return;
	default:
		if (cell_json(out, row) == 0)
			buf_put_byte(out, '\n');
	}
}

void rows_page(struct rows *r, struct buf *out)
{
	begin(r, out);
	if (r->format == FORMAT_TABLE && r->table.column_count)
		table_put(&r->table, out, &r->look);
}

void rows_release(struct rows *r)
{
	table_release(&r->table);
}
