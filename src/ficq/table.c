/*
 * table: cells in columns that fit a width. Text that is too long is cut, the widest column first; a number or a time that is cut would be a wrong one, so its
 * column goes when there is no room. Rows never wrap.
 */
#include "table.h"

#include "cell.h"
#include "text.h"

#include <base/err.h>

#include <assert.h>

#define GAP 2

/* Who gives way down to what, in this order. */
enum part { PART_TEXTS, PART_LAST, PART_ANY_TEXT };

static const struct {
	enum part part;
	size_t least;
} ways[] = {{PART_TEXTS, 12}, {PART_LAST, 24}, {PART_ANY_TEXT, 8}};

#define LEAST 4 /* of the only column that is left */

void table_init(struct table *t)
{
	*t = (struct table){0};
}

void table_column(struct table *t, const char *title, bool right, enum table_give give)
{
	if (t->column_count == TABLE_COLUMNS_MAX)
		return;
	t->columns[t->column_count++] = (struct table_column){
		.title = title, .right = right, .give = give, .width = text_width(bytes_str(title))};
}

static size_t cell_count(const struct table *t)
{
	return t->cells.len / sizeof(struct table_cell);
}

void table_cell(struct table *t, struct bytes clean, enum style style)
{
	struct table_column *c = &t->columns[cell_count(t) % t->column_count];
	struct table_cell cell = {.at = t->text.len, .len = clean.len, .style = style};
	size_t width = text_width(clean);

	buf_put_bytes(&t->text, clean);
	buf_put(&t->cells, &cell, sizeof cell);
	if (!t->begun && width > c->width)
		c->width = width;
}

static bool belongs(const struct table *t, size_t column, enum part part)
{
	enum table_give give = t->columns[column].give;
	bool text = give == TABLE_TEXT, last = column + 1 == t->column_count;

	switch (part) {
	case PART_TEXTS: return text && !last;
	case PART_LAST: return text && last;
	default: return text;
	}
}

/* The column to take from next: the widest that may give, NULL when none may. */
static struct table_column *widest(struct table *t, enum part part, size_t least)
{
	struct table_column *best = NULL;

	for (size_t i = 0; i < t->column_count; i++) {
		struct table_column *c = &t->columns[i];
		if (!c->dropped && belongs(t, i, part) && c->width > least &&
		    (!best || c->width > best->width))
			best = c;
	}
	return best;
}

/* The rightmost of a kind that is there; NULL: none is. */
static struct table_column *rightmost(struct table *t, enum table_give give, bool last)
{
	for (size_t i = t->column_count; i-- > 0;)
		if (!t->columns[i].dropped && t->columns[i].give == give &&
		    (last || i + 1 < t->column_count))
			return &t->columns[i];
	return NULL;
}

/* What can be done without first: numbers and times, then texts, the last one last, because it says most; of ids one stays. NULL: nothing more. */
static struct table_column *to_drop(struct table *t)
{
	struct table_column *c = rightmost(t, TABLE_FIRM, true);

	if (!c)
		c = rightmost(t, TABLE_TEXT, false);
	if (!c)
		c = rightmost(t, TABLE_TEXT, true);
	return c ? c : rightmost(t, TABLE_ID, true);
}

static size_t total_width(const struct table *t)
{
	size_t total = 0, shown = 0;

	for (size_t i = 0; i < t->column_count; i++)
		if (!t->columns[i].dropped)
			total += t->columns[i].width + (shown++ ? GAP : 0);
	return total;
}

/* Texts give way as far as they may. */
static void narrow(struct table *t, size_t width)
{
	size_t total = total_width(t), way = 0;

	while (total > width && way < sizeof ways / sizeof *ways) {
		struct table_column *c = widest(t, ways[way].part, ways[way].least);
		if (!c) {
			way++;
			continue;
		}
		c->width--;
		total--;
	}
}

static void fit(struct table *t, size_t width)
{
	size_t whole[TABLE_COLUMNS_MAX];

	for (size_t i = 0; i < t->column_count; i++)
		whole[i] = t->columns[i].width;
	narrow(t, width);
	while (total_width(t) > width && t->dropped + 1 < t->column_count) {
		to_drop(t)->dropped = true;
		t->dropped++;
		/* Those that stay have its room. */
		for (size_t i = 0; i < t->column_count; i++)
			t->columns[i].width = whole[i];
		narrow(t, width);
	}
	for (size_t i = 0; i < t->column_count; i++)
		if (!t->columns[i].dropped && total_width(t) > width)
			t->columns[i].width = width > LEAST ? width : LEAST;
}

/* Where the first thing that was found begins, as colour or as a bracket shows it; 0: nothing was. */
static size_t first_mark(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] == SHOW_MARK ||
		    (text.len - i >= 3 && memcmp(text.data + i, "\xe2\x9f\xa6", 3) == 0))
			return i;
	return 0;
}

/* Of a text that is too long: how much to leave out at its front so that what was found can be seen, with a word or two before it. */
static size_t left_out(struct bytes text, size_t width)
{
	size_t mark = first_mark(text), at = mark;

	if (text_width(bytes_of(text.data, mark)) <= width / 2 || text_width(text) <= width)
		return 0;
	for (size_t i = mark; i > 0 && mark - i <= width / 4; i--)
		if (text.data[i - 1] == ' ')
			at = i;
	return at;
}

/* As text_put_cut, with marks as colour. */
static size_t put_colored(struct buf *out, struct bytes text, size_t width, bool ascii)
{
	struct buf cut = {0};
	size_t used;

	if (!text.len || !memchr(text.data, SHOW_MARK, text.len))
		return text_put_cut(out, text, width, ascii);
	used = text_put_cut(&cut, text, width, ascii);
	bool open = false;
	for (size_t i = 0; i < cut.len; i++) {
		uint8_t c = cut.data[i];
		if (c == SHOW_MARK)
			buf_put_str(out, style_on(true, STYLE_YELLOW));
		else if (c == SHOW_UNMARK)
			buf_put_str(out, style_off(true, STYLE_YELLOW));
		else
			buf_put_byte(out, c);
		open = c == SHOW_MARK || (open && c != SHOW_UNMARK);
	}
	buf_put_str(out, style_off(open, STYLE_YELLOW));
	if (cut.error)
		out->error = cut.error;
	buf_release(&cut);
	return used;
}

static size_t put_marked(struct buf *out, struct bytes text, size_t width, bool ascii)
{
	size_t front = left_out(text, width);
	struct buf rest = {0};

	if (!front)
		return put_colored(out, text, width, ascii);
	buf_put_str(&rest, ascii ? "..." : "…");
	buf_put(&rest, text.data + front, text.len - front);
	size_t used = put_colored(out, buf_bytes(&rest), width, ascii);
	if (rest.error)
		out->error = rest.error;
	buf_release(&rest);
	return used;
}

static void put_cell(const struct table *t, size_t column, struct bytes text, enum style style,
		     struct buf *out, const struct table_look *look)
{
	const struct table_column *c = &t->columns[column];
	bool last = column == t->last;
	size_t columns = text_width(text), used = columns < c->width ? columns : c->width;

	if (c->right)
		text_put_spaces(out, c->width - used);
	buf_put_str(out, style_on(look->color && text.len, style));
	used = put_marked(out, text, c->width, look->ascii);
	buf_put_str(out, style_off(look->color && text.len, style));
	if (!last)
		text_put_spaces(out, (c->right || used > c->width ? 0 : c->width - used) + GAP);
}

static void trim_line(struct buf *out)
{
	while (out->len > 0 && out->data[out->len - 1] == ' ')
		out->len--;
	buf_put_byte(out, '\n');
}

static void put_header(const struct table *t, struct buf *out, const struct table_look *look)
{
	text_put_spaces(out, look->indent);
	for (size_t i = 0; i < t->column_count; i++)
		if (!t->columns[i].dropped)
			put_cell(t, i, bytes_str(t->columns[i].title), STYLE_BOLD, out, look);
	trim_line(out);
}

void table_put(struct table *t, struct buf *out, const struct table_look *look)
{
	const struct table_cell *cells = (const void *)t->cells.data;
	size_t n = cell_count(t);

	if (t->cells.error || t->text.error) {
		out->error = ERR_NOMEM;
		return;
	}
	if (!t->begun) {
		t->begun = true;
		if (look->width != SIZE_MAX)
			fit(t, look->width > look->indent ? look->width - look->indent : 1);
		for (size_t i = 0; i < t->column_count; i++)
			t->last = t->columns[i].dropped ? t->last : i;
		if (look->header)
			put_header(t, out, look);
	}
	assert(n == 0 || t->column_count);
	for (size_t i = 0; i < n; i++) {
		size_t column = i % t->column_count;
		if (column == 0)
			text_put_spaces(out, look->indent);
		if (!t->columns[column].dropped)
			put_cell(t, column, bytes_of(t->text.data + cells[i].at, cells[i].len),
				 cells[i].style, out, look);
		if (column + 1 == t->column_count)
			trim_line(out);
	}
	buf_reset(&t->text);
	buf_reset(&t->cells);
}

void table_release(struct table *t)
{
	buf_release(&t->text);
	buf_release(&t->cells);
}
