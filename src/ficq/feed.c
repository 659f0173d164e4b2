/*
 * feed: changes, page after page, and those to come for as long as somebody looks. Whatever ends it, standard error tells the revision to continue from.
 */
#include "feed.h"

#include "ask.h"
#include "count.h"
#include "place.h"

#include <codec/msgpack.h>

#include <errno.h>
#include <stdlib.h>

#define PAGE_ROWS     500
#define PAGE_ROWS_DOC 100
#define DRAW_MS       500 /* between drawings */

/* ---- pages ---- */

static void put_question(const struct feed_reading *f, struct params *p)
{
	struct app *a = f->app;
	uint64_t page = f->doc ? PAGE_ROWS_DOC : PAGE_ROWS;

	params_str(p, "source", app_value(a, OPT_SOURCE));
	if (f->resource_count)
		params_strs(p, "resource", f->resources, f->resource_count);
	params_str(p, "where", app_value(a, OPT_WHERE));
	params_list(p, "fields", app_value(a, OPT_FIELDS));
	if (f->doc && !app_given(a, OPT_FIELDS))
		params_bool(p, "doc", true);
	if (f->follow)
		params_bool(p, "follow", true);
	else
		params_int(p, "limit", (int64_t)(f->left < page ? f->left : page));
}

/* Prints the rows of an answer or a notification. */
static int take_page(struct feed_reading *f, struct bytes page)
{
	struct app *a = f->app;
	struct bytes rows = member(page, "rows"), row;
	struct mp_reader r = mp_reader_of(rows);
	struct mp_value head;
	struct bytes last = {NULL, 0};

	if (!rows.data || mp_next(&r, &head) != 1 || head.type != MP_ARRAY ||
	    !place_take(page, "next", &f->next))
		return report_error(&a->report, EXIT_PROTOCOL, "protocol",
				    "ficd's answer has no changes");
	while (f->left > 0 && mp_take(&r, &row) == 1) {
		rows_add(&f->rows, row, &a->out.buf);
		f->count++;
		f->left--;
		last = row;
		output_flush(&a->out, false);
	}
	rows_page(&f->rows, &a->out.buf);
	/* Not the whole page: the next reading goes on behind the last row. */
	if (f->left == 0 && mp_take(&r, &row) == 1)
		place_end_with(&f->next, last);
	output_flush(&a->out, f->follow);
	return 0;
}

static int read_pages(struct feed_reading *f)
{
	struct bytes page;
	int code;

	do {
		struct params p = {0};
		put_question(f, &p);
		place_put(&p, "since", f->next.len ? buf_bytes(&f->next) : f->since);
		code = app_call(f->app, "changes", params_end(&p), &page);
		params_release(&p);
		if (code == 0)
			code = take_page(f, page);
	} while (code == 0 && f->left > 0 && !f->app->out.error && member_true(page, "more"));
	return code;
}

int feed_read(struct feed_reading *f)
{
	app_rows(f->app, &f->rows, &f->columns);
	int code = read_pages(f);
	app_rows_end(f->app, &f->rows);
	return code;
}

/* ---- following ---- */

static void on_changes(void *ctx, struct bytes method, struct bytes params)
{
	struct feed_reading *f = ctx;

	if (!bytes_is(method, "changes") || f->done)
		return;
	f->done = take_page(f, params) != 0 || f->left == 0 || f->app->out.error;
	if (f->done)
		client_interrupted = 1;
}

static int watch_end_ms(struct app *a, int64_t *until_ms)
{
	int64_t span_ms;
	int code = app_duration(a, OPT_DURATION, -1, &span_ms);

	*until_ms = span_ms < 0 ? -1 : clock_mono_ms() + span_ms;
	return code;
}

/* The call that follows does not end by itself: what ended it is no error when it was asked for. */
static int call_follow(struct app *a, struct client *client, struct bytes params,
		       const struct client_wait *wait, const bool *done)
{
	struct rpc_response answer;
	struct why why = {""};

	app_catch_interrupt(true);
	int r = client_call(client, "changes", params, wait, &answer, &why);
	app_catch_interrupt(false);
	if (r == ERR_CANCELED && *done)
		return 0;
	if (r == ERR_BUSY && wait->until_ms >= 0)
		return 0;
	if (r < 0)
		return app_client_error(a, r, &why);
	return answer.result.data ? 0 : app_answer_error(a, &answer);
}

static int read_following(struct feed_reading *f)
{
	struct client_wait wait = {.on_notification = on_changes, .ctx = f};
	struct app *a = f->app;
	struct params p = {0};

	int code = watch_end_ms(a, &wait.until_ms);
	if (code == 0)
		code = app_connect(a);
	if (code)
		return code;
	put_question(f, &p);
	place_put(&p, "since", f->since);
	a->out.may_page = false;
	app_rows(a, &f->rows, &f->columns);
	code = call_follow(a, &a->client, params_end(&p), &wait, &f->done);
	app_rows_end(f->app, &f->rows);
	params_release(&p);
	return code;
}

/* ---- commands ---- */

static int choose_columns(struct feed_reading *f)
{
	static const struct column list[] = {
		{"revision", "REVISION", CELL_NUMBER}, {"source", NULL, CELL_TEXT},
		{"resource", "RESOURCE", CELL_TEXT},   {"id", "ID", CELL_TEXT},
		{"parent", NULL, CELL_TEXT},           {"created", NULL, CELL_TIME},
		{"updated", "UPDATED", CELL_TIME},     {"deleted", "DELETED", CELL_TEXT},
		{"merged_into", NULL, CELL_TEXT},      {NULL, NULL, CELL_TEXT},
	};
	const char *fields = app_value(f->app, OPT_FIELDS);

	if (!fields) {
		columns_of_list(&f->columns, list);
		return 0;
	}
	return ask_columns(f->app, NULL, &f->columns);
}

/* A terminal gets a table, what reads on gets lines; the whole of a feed is no single object. */
static void choose_format(struct app *a, bool follow)
{
	if (!app_given(a, OPT_OUTPUT) && !app_given(a, OPT_JSON) && !a->term.out_tty)
		a->format = FORMAT_NDJSON;
	if (a->format == FORMAT_JSON || (follow && a->format == FORMAT_TABLE && !a->term.out_tty))
		a->format = FORMAT_NDJSON;
}

static int read_count(struct app *a, enum option option, uint64_t *out)
{
	const char *text = app_value(a, option);
	char *end;

	*out = UINT64_MAX;
	if (!text)
		return 0;
	errno = 0;
	unsigned long long n = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || n == 0)
		return report_error(&a->report, EXIT_USAGE, "usage",
				    "--%s: \"%.40s\" is no number above 0",
				    option_table[option].name, text);
	*out = n;
	return 0;
}

static int run(struct feed_reading *f)
{
	struct app *a = f->app;
	int code = choose_columns(f);

	if (code)
		return code;
	choose_format(a, f->follow);
	code = app_load_names(a, &f->columns);
	if (code == 0)
		code = app_show_source(a, &f->columns);
	if (code) {
		columns_release(&f->columns);
		return code;
	}
	code = f->follow ? read_following(f) : feed_read(f);
	columns_release(&f->columns);
	if (f->next.len && a->command == CMD_WATCH)
		app_close_with(a, "continue with: ficq changes %s --follow --since=%.*s",
			       f->resources[0], (int)f->next.len, (const char *)f->next.data);
	else if (f->next.len)
		app_close_with(a, "continue with --since=%.*s", (int)f->next.len,
			       (const char *)f->next.data);
	buf_release(&f->next);
	return code;
}

int feed_changes(struct app *a)
{
	struct feed_reading f = {
		.app = a,
		.resources = a->options.args + 1,
		.resource_count = a->options.arg_count - 1,
		.follow = app_given(a, OPT_FOLLOW),
	};

	int code = place_of_option(a, OPT_SINCE, &f.since);
	if (code == 0)
		code = read_count(a, OPT_LIMIT, &f.left);
	if (code == 0 && app_given(a, OPT_DURATION) && !f.follow)
		code = report_error(&a->report, EXIT_USAGE, "usage", "--duration goes with --follow");
	return code ? code : run(&f);
}

/* ---- watch ---- */

struct watching {
	struct app *app;
	uint64_t left; /* drawings */
	int64_t drawn_ms;
	bool drawn, due, done;
	int code;
};

static void draw(struct watching *w)
{
	struct app *a = w->app;

	w->due = false;
	w->drawn = true;
	w->drawn_ms = clock_mono_ms();
	if (!app_given(a, OPT_NOW))
		a->show.now_ms = clock_wall_ms();
	buf_put_str(&a->out.buf, "\033[H\033[2J");
	w->code = app_given(a, OPT_BY) || app_given(a, OPT_METRIC) ? count_records(a) : ask_query(a);
	output_flush(&a->out, true);
	w->left--;
	w->done = w->code || w->left == 0 || a->out.error;
	if (w->done)
		client_interrupted = 1;
}

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

	if (!w->done && w->due && (!w->drawn || clock_mono_ms() - w->drawn_ms >= DRAW_MS))
		draw(w);
}

/* Follows on a connection of its own, so that the table can be asked for meanwhile. */
static int watch_table(struct app *a)
{
	struct watching w = {.app = a};
	struct client_wait wait = {.on_notification = on_watched, .on_tick = on_tick, .ctx = &w};
	struct client_wait open = app_wait(a);
	struct client client = {.fd = -1, .ask = a->client.ask};
	struct params p = {0};
	struct why why;

	int code = read_count(a, OPT_TIMES, &w.left);
	if (code == 0)
		code = watch_end_ms(a, &wait.until_ms);
	if (code)
		return code;
	int r = client_open(&client, app_value(a, OPT_SOCKET), &open, &why);
	if (r < 0)
		return app_client_error(a, r, &why);
	a->out.may_page = false;
	params_str(&p, "source", app_value(a, OPT_SOURCE));
	params_str(&p, "resource", app_arg(a, 0));
	params_bool(&p, "follow", true);
	code = call_follow(a, &client, params_end(&p), &wait, &w.done);
	params_release(&p);
	client_close(&client);
	return w.code ? w.code : code;
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
	int code = read_count(a, OPT_TIMES, &f.left);
	return code ? code : run(&f);
}

int feed_watch(struct app *a)
{
	if (a->options.arg_count == 1)
		a->options.args[a->options.arg_count++] = "conversations";
	return a->format == FORMAT_TABLE && a->term.out_tty ? watch_table(a) : watch_stream(a);
}
