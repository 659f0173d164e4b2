/*
 * wait: looks again and again, less and less often, and shows how far it is. Makes the daemon fetch nothing.
 */
#include "wait.h"

#include "inspect.h"
#include "progress.h"

#include <base/clock.h>
#include <codec/msgpack.h>

#include <time.h>

#define POLL_MIN_MS 200
#define POLL_MAX_MS 2000
#define DRAW_MS     200 /* between drawings while nothing is asked */

struct waiting {
	struct app *app;
	struct progress progress;
	bool idle;           /* what is waited for */
	struct bytes result; /* of the last look */
};

static void sleep_ms(int64_t ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};

	nanosleep(&t, NULL);
}

/* Keeps the line on the terminal alive. */
static void pause_for(struct waiting *w, int64_t ms)
{
	for (; ms > 0; ms -= DRAW_MS) {
		progress_tick(&w->progress);
		sleep_ms(ms < DRAW_MS ? ms : DRAW_MS);
	}
	progress_tick(&w->progress);
}

static int connect_once(struct app *a)
{
	struct client_wait wait = app_wait(a);
	struct why why;

	if (a->connected)
		return 0;
	int r = client_open(&a->client, app_value(a, OPT_SOCKET), &wait, &why);
	if (r == ERR_NOTFOUND || r == ERR_IO || r == ERR_REMOTE)
		return EXIT_UNAVAILABLE;
	if (r < 0)
		return app_client_error(a, r, &why);
	a->connected = true;
	return 0;
}

static int look_fresh(struct waiting *w)
{
	struct app *a = w->app;
	const char *resource = app_value(a, OPT_FRESH);

	int code = inspect_call_freshness(a, resource, &w->result);
	if (code)
		return code;
	app_note_worth(a, w->result);
	progress_note(&w->progress, resource ? resource : "conversations",
		      member_str(w->result, "freshness.state"),
		      member(w->result, "freshness.progress"));
	return bytes_is(member_str(w->result, "freshness.state"), "fresh") ? 0 : EXIT_FRESHNESS;
}

/* True: nothing of the source is under way or due. */
static bool source_idle(struct waiting *w, struct bytes source)
{
	struct bytes list = member(source, "resources"), resource;
	struct mp_reader r = mp_reader_of(list);
	struct mp_value head;
	bool idle = bytes_is(member_str(source, "state"), "ok");

	if (!list.data || mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return idle;
	while (mp_take(&r, &resource) == 1) {
		char name[64];
		struct bytes text = member_str(resource, "name");
		size_t n = text.len < sizeof name ? text.len : sizeof name - 1;
		bool syncing = member_true(resource, "syncing");
		if (!syncing && !member_true(resource, "waiting"))
			continue;
		idle = false;
		if (!syncing || !n)
			continue;
		memcpy(name, text.data, n);
		name[n] = 0;
		progress_note(&w->progress, name, bytes_str("syncing"),
			      member(resource, "progress.ratio"));
	}
	return idle;
}

static int look_idle(struct waiting *w)
{
	struct app *a = w->app;
	struct params p = {0};
	struct mp_value head;
	struct bytes source;
	bool idle = true;

	params_str(&p, "source", app_value(a, OPT_SOURCE));
	int code = app_call(a, "status", params_end(&p), &w->result);
	params_release(&p);
	if (code)
		return code;
	struct bytes sources = member(w->result, "sources");
	struct mp_reader r = mp_reader_of(sources);
	if (!sources.data || mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return report_error(&a->report, EXIT_PROTOCOL, "protocol",
				    "ficd's answer has no sources");
	while (mp_take(&r, &source) == 1)
		idle &= source_idle(w, source);
	return idle ? 0 : EXIT_FRESHNESS;
}

/* One look: 0 done, EXIT_FRESHNESS not yet, EXIT_UNAVAILABLE no daemon yet, anything else is final. */
static int look_once(struct waiting *w)
{
	int code = connect_once(w->app);

	if (code)
		return code;
	return w->idle ? look_idle(w) : look_fresh(w);
}

static int give_up(struct waiting *w, int code)
{
	struct app *a = w->app;

	if (code == EXIT_UNAVAILABLE) {
		struct why why = {""};
		struct client_wait wait = {.until_ms = clock_mono_ms() + 1000};
		int r = client_open(&a->client, app_value(a, OPT_SOCKET), &wait, &why);
		a->connected = r == 0;
		if (r < 0)
			return app_client_error(a, r, &why);
	}
	return report_error(&a->report, EXIT_FRESHNESS, w->idle ? "syncing" : "stale", "%s",
			    w->idle ? "still syncing" : "still not fresh");
}

static int done(struct waiting *w)
{
	struct app *a = w->app;

	if (a->format == FORMAT_JSON)
		return app_print_json(a, w->result);
	report_note(&a->report, a->report.verbose, w->idle ? "nothing is under way" : "fresh");
	return 0;
}

int wait_command(struct app *a)
{
	struct waiting w = {.app = a, .idle = app_given(a, OPT_IDLE)};
	int64_t end_ms = a->timeout_ms ? clock_mono_ms() + a->timeout_ms : INT64_MAX,
		pause_ms = POLL_MIN_MS;
	bool silent = a->report.quiet || a->report.json;
	int code;

	progress_init(&w.progress, &a->term, &a->show, a->report.verbose && !silent);
	w.progress.silent = silent;
	for (;;) {
		code = look_once(&w);
		if (code != EXIT_FRESHNESS && code != EXIT_UNAVAILABLE)
			break;
		int64_t left_ms = end_ms - clock_mono_ms();
		if (left_ms <= 0)
			break;
		pause_for(&w, left_ms < pause_ms ? left_ms : pause_ms);
		pause_ms = pause_ms * 3 / 2 < POLL_MAX_MS ? pause_ms * 3 / 2 : POLL_MAX_MS;
	}
	progress_clear(&w.progress);
	if (code == 0)
		return done(&w);
	return code == EXIT_FRESHNESS || code == EXIT_UNAVAILABLE ? give_up(&w, code) : code;
}
