/*
 * watch: follows changes on a connection of its own, so that the table can be asked for meanwhile on the other. It is never longer than the screen: what scrolls
 * away cannot be drawn over. When the daemon goes the table stays, and is drawn again when there is one.
 *
 *   following --changes--> drawing --> following; daemon gone: waiting --it answers--> following
 */
#include "watch.h"

#include "ask.h"
#include "count.h"
#include "feed.h"

#include <poll.h>

#define DRAW_MS  500 /* between drawings */
#define AGAIN_MS 300 /* between looks for a daemon that has gone */

struct watching {
	struct app *app;
	struct client client; /* that follows */
	uint64_t left;        /* drawings */
	int64_t until_ms;     /* -1: no end */
	int64_t drawn_ms;
	bool drawn, due;
	bool told;    /* that the daemon has gone */
	bool stopped; /* by `code`, which may be 0 */
	int code;
};

/* ---- drawing ---- */

static size_t line_length(struct bytes text)
{
	const uint8_t *end = text.len ? memchr(text.data, '\n', text.len) : NULL;

	return end ? (size_t)(end - text.data) + 1 : text.len;
}

/* Leaves `room` lines of what stands behind `start`: the heading, and the first rows or, of a list by time, the last. */
static void cut(struct buf *out, size_t start, size_t room, bool header, bool newest_last)
{
	struct bytes all = bytes_of(out->data + start, out->len - start);
	size_t lines = 0, head = header ? line_length(all) : 0, keep = header ? room - 1 : room;

	for (size_t at = head; at < all.len; lines++)
		at += line_length(bytes_of(all.data + at, all.len - at));
	if (lines <= keep)
		return;
	struct bytes rest = bytes_of(all.data + head, all.len - head);
	for (size_t i = 0; newest_last && i < lines - keep; i++) {
		size_t len = line_length(rest);
		rest = bytes_of(rest.data + len, rest.len - len);
	}
	size_t kept = 0;
	for (size_t i = 0; i < keep; i++)
		kept += line_length(bytes_of(rest.data + kept, rest.len - kept));
	memmove(out->data + start + head, rest.data, kept);
	out->len = start + head + kept;
}

static bool counts(const struct app *a)
{
	return app_given(a, OPT_BY) || app_given(a, OPT_METRIC);
}

/* The screen may have another size than before. Its last line is the cursor's. */
static size_t measure(struct app *a)
{
	term_measure(&a->term);
	if (!app_given(a, OPT_WIDE))
		a->look.width = a->width = a->term.width;
	size_t room = a->term.height > 3 ? a->term.height - 1 : 2;
	a->rows_most = a->look.header ? room - 1 : room;
	return room;
}

static void draw(struct watching *w)
{
	struct app *a = w->app;
	struct buf *out = &a->out.buf;
	size_t room = measure(a);

	if (!app_given(a, OPT_NOW))
		a->show.now_ms = clock_wall_ms();
	buf_reset(&a->remarks);
	buf_put_str(out, "\033[H\033[2J");
	size_t start = out->len;
	w->code = counts(a) ? count_records(a) : ask_query(a);
	if (w->code == EXIT_UNAVAILABLE && a->lost) {
		/* What is on the screen stays. */
		buf_reset(out);
	} else {
		cut(out, start, room, a->look.header, counts(a) && count_by_time(a));
		output_flush(&a->out, true);
		w->due = w->told = false;
		/* A daemon that was never there is not waited for. */
		w->drawn = a->waits = true;
		w->drawn_ms = clock_mono_ms();
		w->left--;
	}
	w->stopped = w->code || w->left == 0 || a->out.error;
	if (w->stopped)
		client_interrupted = 1;
}

/* ---- following ---- */

static void on_watched(void *ctx, struct bytes method, struct bytes params)
{
	struct watching *w = ctx;

	(void)params;
	w->due |= bytes_is(method, "changes");
}

/* Changes that come together are one drawing. */
static void on_tick(void *ctx)
{
	struct watching *w = ctx;

	if (!w->stopped && w->due && (!w->drawn || clock_mono_ms() - w->drawn_ms >= DRAW_MS))
		draw(w);
}

/* As long as there is a daemon. */
static int follow(struct watching *w)
{
	struct app *a = w->app;
	struct client_wait wait = {
		.until_ms = w->until_ms, .on_notification = on_watched, .on_tick = on_tick, .ctx = w};
	struct client_wait open = app_wait(a);
	struct params p = {0};
	struct why why;

	w->stopped = false;
	w->due = w->drawn;
	int r = client_open(&w->client, app_value(a, OPT_SOCKET), &open, &why);
	if (r < 0)
		return app_client_error(a, r, &why);
	params_str(&p, "source", app_value(a, OPT_SOURCE));
	params_str(&p, "resource", app_arg(a, 0));
	params_bool(&p, "follow", true);
	int code = feed_call(a, &w->client, params_end(&p), &wait, &w->stopped);
	params_release(&p);
	client_close(&w->client);
	return w->stopped ? w->code : code;
}

/* A while before the next look. 0 or an exit code. */
static int linger(struct watching *w)
{
	struct app *a = w->app;

	report_note(&a->report, !w->told, "ficd has gone; this goes on when it is back");
	w->told = true;
	client_interrupted = 0;
	app_catch_interrupt(true);
	poll(NULL, 0, AGAIN_MS);
	app_catch_interrupt(false);
	client_close(&a->client);
	a->connected = false;
	return client_interrupted ? EXIT_INTERRUPTED : 0;
}

static bool is_over(const struct watching *w)
{
	return w->until_ms >= 0 && clock_mono_ms() >= w->until_ms;
}

static int watch_table(struct app *a)
{
	struct watching w = {.app = a, .client = {.fd = -1, .ask = a->client.ask}};

	int code = feed_count(a, OPT_TIMES, &w.left);
	if (code == 0)
		code = feed_end_ms(a, &w.until_ms);
	if (code)
		return code;
	a->out.may_page = false;
	a->out.hold = true;
	do {
		a->lost = false;
		code = follow(&w);
		if (code != EXIT_UNAVAILABLE || !a->lost || !w.drawn)
			break;
		code = linger(&w);
	} while (code == 0 && !is_over(&w));
	/* Who looks at a table that is drawn again has seen how much of it there is room for. */
	buf_reset(&a->remarks);
	return code;
}

static int watch_stream(struct app *a)
{
	static const enum option tables[] = {OPT_SINCE, OPT_UNTIL,  OPT_DURING, OPT_AXIS,
					     OPT_TEXT,  OPT_BY,     OPT_METRIC, OPT_SORT,
					     OPT_LIMIT, OPT_MAX_AGE};
	struct feed_reading f = {
		.app = a,
		.resources = a->options.args + 1,
		.resource_count = 1,
		.follow = true,
	};

	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		if (app_given(a, tables[i]))
			return report_error(
				&a->report, EXIT_USAGE, "usage",
				"--%s narrows the table on a terminal; a stream of changes takes --where",
				option_table[tables[i]].name);
	int code = feed_count(a, OPT_TIMES, &f.left);
	return code ? code : feed_run(&f);
}

int watch_command(struct app *a)
{
	if (a->options.arg_count == 1)
		a->options.args[a->options.arg_count++] = "conversations";
	return a->format == FORMAT_TABLE && a->term.out_tty ? watch_table(a) : watch_stream(a);
}
