/*
 * render_coverage: what is held of the wanted history, as bars: filled is held, light is held but older than asked, half is held in
 * part, blank is a gap. The gaps are the daemon's own list, so that the bar and the words below it cannot differ.
 */
#include "render_coverage.h"

#include "text.h"

#include <codec/msgpack.h>

#include <stdio.h>

#define BAR_MAX    100
#define GAPS_SHOWN 10

struct span {
	int64_t start_ms;
	int64_t end_ms;
};

/* [start, end] of RFC 3339 texts; null is an open end. */
static bool read_pair(struct bytes pair, struct span *out)
{
	struct mp_value v;

	if (!pair.data || !mp_get(pair, &v) || v.type != MP_ARRAY || v.count != 2)
		return false;
	if (!member_time(pair, "0", &out->start_ms))
		out->start_ms = TIME_MIN;
	if (!member_time(pair, "1", &out->end_ms))
		out->end_ms = TIME_MAX;
	return true;
}

static int64_t overlap(struct span a, struct span b)
{
	int64_t start = a.start_ms > b.start_ms ? a.start_ms : b.start_ms;
	int64_t end = a.end_ms < b.end_ms ? a.end_ms : b.end_ms;

	return end > start ? end - start : 0;
}

/* One item after the other of a list. */
static bool next_item(struct mp_reader *r, struct bytes list, struct bytes *item)
{
	struct mp_value head;

	if (!r->at) {
		if (!list.data)
			return false;
		*r = mp_reader_of(list);
		if (mp_next(r, &head) != 1 || head.type != MP_ARRAY)
			return false;
	}
	return mp_take(r, item) == 1;
}

/* An interval's as-of, which is the chain's end when it lies in the chain: from there on every change was taken. */
static bool read_interval(struct bytes resource, struct bytes interval, struct span *span,
			  int64_t *as_of_ms)
{
	struct span chain;

	if (!member_time(interval, "start", &span->start_ms))
		span->start_ms = TIME_MIN;
	if (!member_time(interval, "end", &span->end_ms))
		span->end_ms = TIME_MAX;
	if (!member_time(interval, "as_of", as_of_ms))
		return false;
	if (read_pair(member(resource, "chain"), &chain) && chain.start_ms <= *as_of_ms &&
	    *as_of_ms <= chain.end_ms && chain.end_ms != TIME_MAX)
		*as_of_ms = chain.end_ms;
	return true;
}

/* The time since the last sync is a gap too, but no hole: while it is not longer than the age that is asked for, the line of ages
 * tells of it. */
static bool is_tail(struct bytes resource, struct span gap, int64_t now_ms, int64_t old_ms)
{
	struct span wanted;
	int64_t end_ms = gap.end_ms == TIME_MAX ? now_ms : gap.end_ms;

	if (!read_pair(member(resource, "wanted"), &wanted) || gap.start_ms == TIME_MIN)
		return false;
	return (wanted.end_ms == TIME_MAX || gap.end_ms >= wanted.end_ms) &&
	       end_ms - gap.start_ms <= old_ms;
}

static int64_t gap_in(struct bytes resource, struct span cell, int64_t now_ms, int64_t old_ms)
{
	struct mp_reader r = {NULL, NULL};
	struct bytes gaps = member(resource, "gaps"), item;
	struct span gap;
	int64_t sum = 0;

	while (next_item(&r, gaps, &item))
		if (read_pair(item, &gap) && !is_tail(resource, gap, now_ms, old_ms))
			sum += overlap(gap, cell);
	return sum;
}

static int64_t old_in(struct bytes resource, struct span cell, int64_t now_ms, int64_t old_ms)
{
	struct mp_reader r = {NULL, NULL};
	struct bytes intervals = member(resource, "intervals"), item;
	struct span span;
	int64_t sum = 0, as_of_ms;

	while (next_item(&r, intervals, &item))
		if (read_interval(resource, item, &span, &as_of_ms) && now_ms - as_of_ms > old_ms)
			sum += overlap(span, cell);
	return sum;
}

static char cell_of(struct bytes resource, struct span cell, int64_t now_ms, int64_t old_ms)
{
	int64_t length = cell.end_ms - cell.start_ms, gap = gap_in(resource, cell, now_ms, old_ms);

	if (gap >= length)
		return ' ';
	if (gap > 0)
		return '+';
	return old_in(resource, cell, now_ms, old_ms) * 2 > length ? '-' : '#';
}

/* The wanted history with its open ends closed. */
static bool wanted_span(struct bytes resource, int64_t now_ms, struct span *out)
{
	if (!read_pair(member(resource, "wanted"), out))
		return false;
	if (out->end_ms == TIME_MAX)
		out->end_ms = now_ms;
	return out->start_ms != TIME_MIN && out->end_ms > out->start_ms;
}

bool coverage_bar(struct bytes resource, int64_t now_ms, int64_t old_ms, size_t cells, char *bar_out)
{
	struct span wanted;

	if (!wanted_span(resource, now_ms, &wanted))
		return false;
	/* In doubles: a span of milliseconds times a number of cells may pass 64 bits. */
	double step = (double)(wanted.end_ms - wanted.start_ms) / (double)cells;
	for (size_t i = 0; i < cells; i++) {
		struct span cell = {wanted.start_ms + (int64_t)(step * (double)i),
				    wanted.start_ms + (int64_t)(step * (double)(i + 1))};
		if (cell.end_ms <= cell.start_ms)
			cell.end_ms = cell.start_ms + 1;
		bar_out[i] = cell_of(resource, cell, now_ms, old_ms);
	}
	return true;
}

/* --- drawing --- */

static void put_cell(struct buf *out, const struct coverage_look *look, char c)
{
	static const char from[] = "#-+ ";
	static const char *const blocks[] = {"█", "░", "▌", " "};

	if (look->show->utf8)
		buf_put_str(out, blocks[strchr(from, c) - from]);
	else
		buf_put_byte(out, (uint8_t)c);
}

static void put_bar(struct buf *out, struct bytes resource, const struct coverage_look *look)
{
	size_t cells = look->width > BAR_MAX + 4 ? BAR_MAX : look->width - 4;
	struct buf labels = {0}, end = {0};
	struct span wanted;
	char bar[BAR_MAX];

	if (!coverage_bar(resource, look->show->now_ms, look->old_ms, cells, bar) ||
	    !wanted_span(resource, look->show->now_ms, &wanted))
		return;
	buf_printf(out, "  %s%s", look->show->utf8 ? "▕" : "[", style_on(look->color, STYLE_GREEN));
	for (size_t i = 0; i < cells; i++)
		put_cell(out, look, bar[i]);
	buf_printf(out, "%s%s\n   ", style_off(look->color, STYLE_GREEN),
		   look->show->utf8 ? "▏" : "]");
	show_time(&labels, look->show, wanted.start_ms);
	show_time(&end, look->show, wanted.end_ms);
	/* The dates alone: what is finer than a cell says nothing. */
	size_t from = labels.len < 10 ? labels.len : 10, to = end.len < 10 ? end.len : 10;
	buf_put(out, labels.data, from);
	text_put_spaces(out, cells > from + to ? cells - from - to : 1);
	buf_put(out, end.data, to);
	buf_put_byte(out, '\n');
	buf_release(&labels);
	buf_release(&end);
}

static void put_gap(struct buf *out, struct span gap, const struct show *s)
{
	buf_put_str(out, "  gap from ");
	if (gap.start_ms == TIME_MIN)
		buf_put_str(out, "the beginning");
	else
		show_time(out, s, gap.start_ms);
	buf_put_str(out, " to ");
	if (gap.end_ms == TIME_MAX)
		buf_put_str(out, "now");
	else
		show_time(out, s, gap.end_ms);
	if (gap.start_ms != TIME_MIN && gap.end_ms != TIME_MAX) {
		buf_put_str(out, " (");
		show_millis(out, gap.end_ms - gap.start_ms);
		buf_put_byte(out, ')');
	}
	buf_put_byte(out, '\n');
}

static void put_gaps(struct buf *out, struct bytes resource, const struct coverage_look *look)
{
	struct mp_reader r = {NULL, NULL};
	struct bytes gaps = member(resource, "gaps"), item;
	size_t count = 0, hidden = 0;
	struct span gap;

	while (next_item(&r, gaps, &item)) {
		if (!read_pair(item, &gap) || is_tail(resource, gap, look->show->now_ms, look->old_ms))
			continue;
		if (count++ < GAPS_SHOWN || look->all_gaps)
			put_gap(out, gap, look->show);
		else
			hidden++;
	}
	if (hidden)
		buf_printf(out, "  and %zu more gaps (--verbose lists them)\n", hidden);
}

static void put_ages(struct buf *out, struct bytes resource, const struct coverage_look *look)
{
	struct mp_reader r = {NULL, NULL};
	struct bytes intervals = member(resource, "intervals"), item;
	int64_t newest = TIME_NONE, oldest = TIME_NONE, as_of_ms;
	char text[WHEN_OUT_MAX];
	struct span span;

	while (next_item(&r, intervals, &item)) {
		if (!read_interval(resource, item, &span, &as_of_ms))
			continue;
		if (newest == TIME_NONE || as_of_ms > newest)
			newest = as_of_ms;
		if (oldest == TIME_NONE || as_of_ms < oldest)
			oldest = as_of_ms;
	}
	if (newest == TIME_NONE) {
		buf_put_str(out, "  nothing is held yet\n");
		return;
	}
	buf_printf(out, "  state as of %s", when_relative_text(newest, look->show->now_ms, text));
	if (oldest != newest)
		buf_printf(out, ", the oldest part %s",
			   when_relative_text(oldest, look->show->now_ms, text));
	if (read_pair(member(resource, "chain"), &span) && span.start_ms != TIME_MIN) {
		buf_put_str(out, "; changes followed since ");
		show_time(out, look->show, span.start_ms);
	}
	buf_put_byte(out, '\n');
}

static void put_resource(struct buf *out, struct bytes resource, const struct coverage_look *look)
{
	buf_put_str(out, style_on(look->color, STYLE_BOLD));
	member_show(out, look->show, resource, "source", CELL_TEXT);
	buf_put_byte(out, '/');
	member_show(out, look->show, resource, "resource", CELL_TEXT);
	buf_put_str(out, style_off(look->color, STYLE_BOLD));
	buf_put_str(out, "  ");
	member_show(out, look->show, resource, "ratio", CELL_RATIO);
	buf_put_str(out, ", ");
	member_show(out, look->show, resource, "records", CELL_NUMBER);
	buf_put_str(out, " records\n");
	put_bar(out, resource, look);
	put_gaps(out, resource, look);
	put_ages(out, resource, look);
}

static void put_legend(struct buf *out, const struct coverage_look *look)
{
	buf_printf(out, "\n%s", style_on(look->color, STYLE_DIM));
	put_cell(out, look, '#');
	buf_put_str(out, " held   ");
	put_cell(out, look, '-');
	buf_put_str(out, " older than ");
	show_millis(out, look->old_ms);
	buf_put_str(out, "   ");
	put_cell(out, look, '+');
	buf_printf(out, " in part   blank: a gap%s\n", style_off(look->color, STYLE_DIM));
}

void render_coverage(struct buf *out, struct bytes result, const struct coverage_look *look)
{
	struct mp_reader r = {NULL, NULL};
	struct bytes resources = member(result, "resources"), item;
	size_t count = 0;

	while (next_item(&r, resources, &item)) {
		if (count++)
			buf_put_byte(out, '\n');
		put_resource(out, item, look);
	}
	if (count)
		put_legend(out, look);
	else
		buf_put_str(out, "no resource is configured\n");
}
