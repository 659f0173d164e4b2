/*
 * export: records for other programs, page after page. What is committed while it runs may or may not be in it, so the revision to resume from is that of the
 * start: the next export brings such a record again, and none is ever missed.
 */
#include "export.h"

#include "ask.h"
#include "feed.h"
#include "place.h"

#include <unistd.h>

static int check(struct app *a)
{
	static const enum option spans[] = {OPT_SINCE, OPT_UNTIL,   OPT_AXIS,
					    OPT_LIMIT, OPT_MAX_AGE, OPT_ON_STALE};
	bool binary = a->format == FORMAT_MSGPACK || app_given(a, OPT_GZIP);

	if (!app_given(a, OPT_OUTPUT) && !app_given(a, OPT_JSON))
		a->format = FORMAT_NDJSON;
	if (a->format == FORMAT_TABLE || a->format == FORMAT_JSON)
		return report_error(&a->report, EXIT_USAGE, "usage",
				    "export writes ndjson, csv, tsv or msgpack");
	if (binary && a->term.out_tty)
		return report_error(&a->report, EXIT_USAGE, "usage",
				    "this is nothing for a terminal: redirect it into a file");
	for (size_t i = 0; app_given(a, OPT_SINCE_REVISION) && i < sizeof spans / sizeof *spans; i++)
		if (app_given(a, spans[i]))
			return report_error(
				&a->report, EXIT_USAGE, "usage",
				"--%s does not go with --since-revision, which is about everything that changed",
				option_table[spans[i]].name);
	return 0;
}

/* Formats that hold objects get the whole record, the others its columns. */
static bool wants_doc(const struct app *a)
{
	return a->format == FORMAT_NDJSON || a->format == FORMAT_MSGPACK;
}

static int export_changes(struct app *a, struct bytes since, uint64_t *count, struct buf *revision)
{
	struct feed_reading f = {
		.app = a,
		.resources = a->options.args + 1,
		.resource_count = 1,
		.since = since,
		.doc = wants_doc(a),
		.left = UINT64_MAX,
	};

	int code = ask_columns(a, app_arg(a, 0), &f.columns);
	if (code)
		return code;
	if (!app_given(a, OPT_FIELDS) && f.columns.count < COLUMNS_MAX)
		f.columns.items[f.columns.count++] = (struct column){"deleted", NULL, CELL_TEXT};
	code = app_show_source(a, &f.columns);
	if (code == 0)
		code = feed_read(&f);
	columns_release(&f.columns);
	*count = f.count;
	*revision = f.next;
	return code;
}

static int current_revision(struct app *a, struct buf *revision)
{
	struct params p = {0};
	struct bytes result;

	params_str(&p, "source", app_value(a, OPT_SOURCE));
	params_str(&p, "resource", app_arg(a, 0));
	params_int(&p, "limit", 0);
	int code = app_call(a, "changes", params_end(&p), &result);
	params_release(&p);
	if (code == 0 && !place_take(result, "revision", revision))
		code = report_error(&a->report, EXIT_PROTOCOL, "protocol",
				    "ficd's answer has no revision");
	return code;
}

int export_command(struct app *a)
{
	uint64_t count = 0;
	struct buf revision = {0};
	struct bytes since;
	bool more = false;

	int code = check(a);
	if (code == 0)
		code = place_of_option(a, OPT_SINCE_REVISION, &since);
	if (code == 0)
		code = app_connect(a);
	if (code == 0 && app_given(a, OPT_GZIP) && output_filter(&a->out, "gzip -c") < 0)
		code = report_error(&a->report, EXIT_SOFTWARE, "internal", "gzip cannot be started");
	if (code)
		return code;
	if (since.len) {
		code = export_changes(a, since, &count, &revision);
	} else {
		code = current_revision(a, &revision);
		if (code == 0)
			code = ask_export(a, wants_doc(a), &count, &more);
	}
	if (code == 0 && more)
		app_close_with(a, "%llu records; there are more than --limit",
			       (unsigned long long)count);
	else if (code == 0)
		app_close_with(a, "%llu records; continue with --since-revision=%.*s",
			       (unsigned long long)count, (int)revision.len,
			       (const char *)revision.data);
	buf_release(&revision);
	return code;
}
