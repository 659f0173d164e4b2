/*
 * sync: the command that makes the daemon fetch, and stays to watch when asked to. Leaving early (Ctrl-C) ends the watching,
 * not the sync.
 */
#include "sync.h"

#include "plan.h"
#include "progress.h"

#include <codec/msgpack.h>

#include <signal.h>

static void on_notification(void *ctx, struct bytes method, struct bytes params)
{
	if (bytes_is(method, "progress"))
		progress_take(ctx, params);
}

static void on_tick(void *ctx)
{
	progress_tick(ctx);
}

int sync_watch_call(struct app *a, const char *method, struct bytes params, const char *left,
		    struct bytes *result)
{
	struct progress progress;
	struct client_wait wait = {.until_ms = -1,
				   .on_notification = on_notification,
				   .on_tick = on_tick,
				   .ctx = &progress};

	if (app_given(a, OPT_TIMEOUT) && a->timeout_ms)
		wait.until_ms = clock_mono_ms() + a->timeout_ms;
	bool silent = a->report.quiet || a->report.json;
	progress_init(&progress, &a->term, &a->show, a->report.verbose && !silent);
	if (silent)
		wait.on_tick = NULL;
	app_catch_interrupt(true);
	int code = app_call_with(a, method, params, &wait, result);
	progress_clear(&progress);
	app_catch_interrupt(false);
	if (code == EXIT_INTERRUPTED) {
		report_note(&a->report, true, "%s", left);
		/* The shell is to see what ended us. */
		raise(SIGINT);
	}
	return code;
}

/* A count that is seldom there. */
static void put_count(struct app *a, struct buf *out, struct bytes run, const char *key,
		      const char *words)
{
	int64_t n;

	if (!mp_find_int(run, key, &n) || n <= 0)
		return;
	buf_put_str(out, ", ");
	member_show(out, &a->show, run, key, CELL_NUMBER);
	buf_printf(out, " %s", words);
}

/* Appends one run's sentence: "acme/conversations: changes ok, 12 new, 3 changed, 0 gone in 2.4 s (31 calls)". */
static void put_outcome(struct app *a, struct buf *out, struct bytes run)
{
	struct bytes outcome = member_str(run, "outcome");
	enum style style = bytes_is(outcome, "ok") ? STYLE_GREEN : STYLE_RED;
	int64_t calls;

	member_show(out, &a->show, run, "source", CELL_TEXT);
	buf_put_byte(out, '/');
	member_show(out, &a->show, run, "resource", CELL_TEXT);
	buf_put_str(out, ": ");
	member_show(out, &a->show, run, "kind", CELL_TEXT);
	buf_printf(out, " %s", style_on(a->term.out_color, style));
	member_show(out, &a->show, run, "outcome", CELL_TEXT);
	buf_printf(out, "%s, ", style_off(a->term.out_color, style));
	member_show(out, &a->show, run, "created", CELL_NUMBER);
	buf_put_str(out, " new, ");
	member_show(out, &a->show, run, "updated", CELL_NUMBER);
	buf_put_str(out, " changed, ");
	member_show(out, &a->show, run, "deleted", CELL_NUMBER);
	buf_put_str(out, " gone");
	put_count(a, out, run, "differences", "not as they were held");
	put_count(a, out, run, "gone", "said not to exist");
	put_count(a, out, run, "failed", "failed");
	buf_put_str(out, " in ");
	member_show(out, &a->show, run, "duration_ms", CELL_MILLIS);
	buf_put_str(out, " (");
	member_show(out, &a->show, run, "calls", CELL_NUMBER);
	buf_put_str(out, member_int(run, "calls", &calls) && calls == 1 ? " call)" : " calls)");
	if (member(run, "error").data) {
		buf_put_str(out, ": ");
		member_show(out, &a->show, run, "error", CELL_TEXT);
	}
	buf_put_byte(out, '\n');
}

static int print_outcomes(struct app *a, struct bytes runs)
{
	static const struct column list[] = {
		{"id", NULL, CELL_TEXT},          {"source", NULL, CELL_TEXT},
		{"resource", NULL, CELL_TEXT},    {"kind", NULL, CELL_TEXT},
		{"outcome", NULL, CELL_TEXT},     {"created", NULL, CELL_TEXT},
		{"updated", NULL, CELL_TEXT},     {"deleted", NULL, CELL_TEXT},
		{"unchanged", NULL, CELL_TEXT},   {"calls", NULL, CELL_TEXT},
		{"retries", NULL, CELL_TEXT},     {"bytes", NULL, CELL_TEXT},
		{"duration_ms", NULL, CELL_TEXT}, {"error", NULL, CELL_TEXT},
		{NULL, NULL, CELL_TEXT},
	};
	struct columns columns;
	struct mp_reader r = mp_reader_of(runs);
	struct mp_value head;
	struct bytes run;

	if (a->format != FORMAT_TABLE) {
		columns_of_list(&columns, list);
		return app_print_rows(a, runs, &columns, NULL);
	}
	if (!runs.data || mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return 0;
	while (mp_take(&r, &run) == 1)
		put_outcome(a, &a->out.buf, run);
	return 0;
}

/* The worst of the runs decides: failed before canceled before ok. */
static int exit_of_runs(struct bytes runs)
{
	struct mp_reader r = mp_reader_of(runs);
	struct mp_value head;
	struct bytes run;
	int code = EXIT_OK;

	if (!runs.data || mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return EXIT_PROTOCOL;
	while (mp_take(&r, &run) == 1) {
		struct bytes outcome = member_str(run, "outcome");
		if (bytes_is(outcome, "failed"))
			return EXIT_UNAVAILABLE;
		if (!bytes_is(outcome, "ok"))
			code = EXIT_RETRY;
	}
	return code;
}

/* The numbers of runs that were started and not waited for, one a line. */
static int print_started(struct app *a, struct bytes runs)
{
	struct mp_reader r = mp_reader_of(runs);
	struct mp_value head;
	struct bytes id;
	size_t n = 0;

	if (!runs.data || mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return report_error(&a->report, EXIT_PROTOCOL, "protocol",
				    "ficd's answer has no runs");
	for (; mp_take(&r, &id) == 1; n++) {
		if (a->format == FORMAT_MSGPACK) {
			buf_put_bytes(&a->out.buf, id);
			continue;
		}
		cell_raw(&a->out.buf, id);
		buf_put_byte(&a->out.buf, '\n');
	}
	report_note(&a->report, a->term.err_tty || a->report.verbose,
		    "%zu runs started; ficq runs tells how they went", n);
	return 0;
}

int sync_command(struct app *a)
{
	bool wait = app_given(a, OPT_WAIT) || (a->term.err_tty && !app_given(a, OPT_NO_WAIT));
	struct params p = {0};
	struct bytes result, runs;

	if (app_given(a, OPT_DRY_RUN))
		return plan_command(a);
	int code = app_connect(a);
	if (code)
		return code;
	code = plan_targets(a, &p);
	if (code) {
		params_release(&p);
		return code;
	}
	if (wait) {
		params_bool(&p, "wait", true);
		code = sync_watch_call(a, "sync", params_end(&p),
				       "the sync goes on; ficq status shows it", &result);
	} else {
		code = app_call(a, "sync", params_end(&p), &result);
	}
	params_release(&p);
	if (code)
		return code;
	runs = member(result, "runs");
	if (a->format == FORMAT_JSON)
		code = app_print_json(a, result);
	else
		code = wait ? print_outcomes(a, runs) : print_started(a, runs);
	if (code == 0 && wait)
		code = exit_of_runs(runs);
	return code;
}
