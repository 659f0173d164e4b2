/*
 * feed: changes, page after page, and those to come for as long as somebody looks. Whatever ends it, standard error tells the revision to continue from.
 */
#include "feed.h"

#include "ask.h"
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
	app_put_where(a, p);
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

int feed_end_ms(struct app *a, int64_t *until_ms)
{
	int64_t span_ms;
	int code = app_duration(a, OPT_DURATION, -1, &span_ms);

	*until_ms = span_ms < 0 ? -1 : clock_mono_ms() + span_ms;
	return code;
}

/* The call that follows does not end by itself: what ended it is no error when it was asked for. */
int feed_call(struct app *a, struct client *client, struct bytes params,
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

	int code = feed_end_ms(a, &wait.until_ms);
	if (code == 0)
		code = app_connect(a);
	if (code)
		return code;
	put_question(f, &p);
	place_put(&p, "since", f->since);
	a->out.may_page = false;
	app_rows(a, &f->rows, &f->columns);
	code = feed_call(a, &a->client, params_end(&p), &wait, &f->done);
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

int feed_count(struct app *a, enum option option, uint64_t *out)
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

int feed_run(struct feed_reading *f)
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
		code = feed_count(a, OPT_LIMIT, &f.left);
	if (code == 0 && app_given(a, OPT_DURATION) && !f.follow)
		code = report_error(&a->report, EXIT_USAGE, "usage", "--duration goes with --follow");
	return code ? code : feed_run(&f);
}
