/*
 * app: one run of ficq. What every command shares: settling the options, asking the daemon, and turning what goes wrong into
 * words and an exit code.
 */
#include "app.h"

#include "complaint.h"
#include "text.h"

#include <base/when.h>
#include <codec/msgpack.h>

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define TIMEOUT_DEFAULT_MS 60000
#define WAIT_MAX_MS        (10 * 60 * 1000)

/* --- options --- */

const char *app_value(const struct app *a, enum option option)
{
	return a->options.value[option];
}

bool app_given(const struct app *a, enum option option)
{
	return option_given(&a->options, option);
}

const char *app_arg(const struct app *a, size_t n)
{
	return n + 1 < a->options.arg_count ? a->options.args[n + 1] : NULL;
}

int app_duration(struct app *a, enum option option, int64_t otherwise, int64_t *ms_out)
{
	const char *text = app_value(a, option);
	char *end;

	*ms_out = otherwise;
	if (!text)
		return 0;
	/* A bare number is seconds, as everywhere. */
	errno = 0;
	long long seconds = strtoll(text, &end, 10);
	if (*text && !*end && !errno && seconds >= 0 && seconds < INT64_C(1) << 40) {
		*ms_out = seconds * 1000;
		return 0;
	}
	if (duration_parse(bytes_str(text), ms_out) == 0)
		return 0;
	return report_error(&a->report, EXIT_USAGE, "usage",
			    "--%s: \"%.40s\" is no duration; try 90s, 5m, 2h, 1d",
			    option_table[option].name, text);
}

static int settle_zone(struct app *a)
{
	const char *name = app_value(a, OPT_TZ);
	struct why why;

	int r = zone_load(bytes_str(name ? name : "local"), &a->zone, &why);
	/* A machine without zone data still shows times: as UTC. */
	if (r < 0 && name)
		return report_error(&a->report, EXIT_USAGE, "usage", "--tz: %s", why.text);
	if (r < 0 && getenv("TZ") && a->command != CMD_COMPLETION && a->command != CMD_MCP) {
		struct buf text = {0};
		buf_printf(&text, "TZ: %s; times are in UTC", why.text);
		report_warning(&a->report, buf_bytes(&text));
		buf_release(&text);
	}
	return 0;
}

static int settle_now(struct app *a)
{
	const char *text = app_value(a, OPT_NOW);

	a->show.now_ms = clock_wall_ms();
	if (text && time_parse(bytes_str(text), &a->show.now_ms) < 0)
		return report_error(&a->report, EXIT_USAGE, "usage", "--now: not a time");
	return 0;
}

/* It is a kind of csv, and says so. */
static int settle_spreadsheet(struct app *a)
{
	if (app_given(a, OPT_OUTPUT) && a->format != FORMAT_CSV)
		return report_error(&a->report, EXIT_USAGE, "usage",
				    "--spreadsheet is a kind of csv: leave out --output");
	a->format = FORMAT_CSV;
	a->options.value[OPT_OUTPUT] = "csv";
	a->options.times[OPT_OUTPUT] = 1;
	a->out.may_page = false;
	return 0;
}

static void settle_looks(struct app *a)
{
	const struct term *t = &a->term;

	a->format = format_of(app_value(a, OPT_OUTPUT));
	a->report = (struct report){
		.json = a->format == FORMAT_JSON,
		.quiet = app_given(a, OPT_QUIET),
		.verbose = app_given(a, OPT_VERBOSE),
		.color = t->err_color,
		.ascii = t->err_tty && !t->utf8,
	};
	a->width = app_given(a, OPT_WIDE) ? SIZE_MAX : t->width;
	/* What reads a pipe has no edge where rows would have to end. */
	a->look = (struct table_look){
		.width = t->width_known ? a->width : SIZE_MAX,
		.header = !app_given(a, OPT_NO_HEADER),
		.color = t->out_color,
		.ascii = !t->utf8,
	};
	a->show.ascii = t->ascii_out;
	a->show.utf8 = t->utf8;
	a->show.color = t->out_color;
	a->show.relative = t->out_tty;
}

int app_init(struct app *a)
{
	const char *wire = app_value(a, OPT_WIRE);

	a->started_ms = clock_mono_ms();
	term_init(&a->term, app_value(a, OPT_COLOR));
	settle_looks(a);
	output_init(&a->out, &a->term, a->format == FORMAT_TABLE && !app_given(a, OPT_NO_PAGER));
	a->client = (struct client){
		.fd = -1, .ask = wire && strcmp(wire, "json") == 0 ? WIRE_JSON : WIRE_MSGPACK};
	int code = settle_zone(a);
	if (code == 0)
		code = settle_now(a);
	if (code == 0 && app_given(a, OPT_SPREADSHEET))
		code = settle_spreadsheet(a);
	if (code == 0)
		code = app_duration(a, OPT_TIMEOUT, TIMEOUT_DEFAULT_MS, &a->timeout_ms);
	a->show.zone = a->zone;
	return code;
}

/* --- the end --- */

static int judge(struct app *a)
{
	struct bytes state = member_str(buf_bytes(&a->worth), "state");
	struct bytes message = member_str(buf_bytes(&a->worth), "message");
	const char *required = app_value(a, OPT_REQUIRE);
	bool fresh = bytes_is(state, "fresh"), partial = bytes_is(state, "partial");

	if (!state.data)
		return 0;
	if (!fresh)
		report_warning(&a->report, message.len ? message : state);
	if (!required || fresh || (partial && strcmp(required, "partial") == 0))
		return 0;
	return report_error(&a->report, EXIT_FRESHNESS, "stale",
			    "the answer is %.*s, --require=%s was asked for",
			    (int)(state.len < 20 ? state.len : 20), (const char *)state.data,
			    required);
}

/* What came of asking the provider: only what is less than was asked for. */
static void tell_live(struct app *a)
{
	struct bytes f = buf_bytes(&a->worth);
	struct bytes message = member_str(f, "live.message"), reason = member_str(f, "live.reason");

	if (message.len)
		report_note(&a->report, true, "%s: %.*s",
			    reason.len ? "the cache answers, not the provider" : "asked live, but",
			    (int)(message.len < 300 ? message.len : 300), (const char *)message.data);
}

static void tell_more(struct app *a)
{
	struct bytes f = buf_bytes(&a->worth);
	struct buf text = {0};
	int64_t as_of;

	if (!f.len || !a->report.verbose || !member_time(f, "as_of", &as_of))
		return;
	member_show(&text, &a->show, f, "state", CELL_TEXT);
	buf_put_str(&text, " as of ");
	show_time(&text, &a->show, as_of);
	buf_put_str(&text, ", last sync ");
	member_show(&text, &a->show, f, "last_sync", CELL_AGO);
	report_note(&a->report, true, "%s", buf_text(&text));
	buf_release(&text);
}

/* The commands that answer with what is in a span, and the threads that would be held in part. */
static const char *threads_of(const struct app *a)
{
	static const enum command spans[] = {CMD_QUERY, CMD_SEARCH, CMD_COUNT, CMD_FRESHNESS};
	const char *resource = command_resource(a->command, &a->options);

	for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
		if (a->command != spans[i])
			continue;
		if (!resource || strcmp(resource, "messages") == 0)
			return "conversations";
		return strcmp(resource, "ticket_parts") == 0 ? "tickets" : resource;
	}
	return NULL;
}

/* Fresh and without a gap, and yet not all of it: that no state says. */
static void tell_holes(struct app *a)
{
	struct bytes f = buf_bytes(&a->worth);
	const char *threads = threads_of(a);
	bool complete;

	if (!threads || a->format != FORMAT_TABLE || !bytes_is(member_str(f, "state"), "fresh") ||
	    !mp_find_bool(f, "complete", &complete) || complete)
		return;
	bool parts = strcmp(threads, "conversations") == 0 || strcmp(threads, "tickets") == 0;
	report_note(&a->report, true,
		    parts ? "not complete: threads are held in part (ficq query %s --where truncated), or records could not be read (ficq dead)"
			  : "not complete: some %s could not be read (ficq dead, ficq status)",
		    threads);
}

static void tell_remarks(struct app *a)
{
	struct bytes rest = buf_bytes(&a->remarks), line;

	while (text_wrap(&rest, SIZE_MAX, &line))
		report_note(&a->report, true, "%.*s", (int)line.len, (const char *)line.data);
}

int app_release(struct app *a, int code)
{
	int error = output_end(&a->out);

	if (error == EPIPE)
		code = EXIT_PIPE;
	else if (error)
		code = report_error(&a->report, EXIT_IO, "io", "standard output: %s", strerror(error));
	if (!error && (code == EXIT_OK || code == EXIT_NO)) {
		int worth = judge(a);
		tell_live(a);
		tell_holes(a);
		tell_more(a);
		tell_remarks(a);
		code = worth ? worth : code;
	}
	if (!error && a->closing.len && !a->report.quiet)
		report_note(&(struct report){.color = a->report.color, .ascii = a->report.ascii},
			    true, "%s", buf_text(&a->closing));
	if (a->connected)
		client_close(&a->client);
	buf_release(&a->closing);
	buf_release(&a->remarks);
	buf_release(&a->worth);
	names_release(&a->names);
	options_release(&a->options);
	zone_free(a->zone);
	a->zone = NULL;
	return code;
}

void app_close_with(struct app *a, const char *format, ...)
{
	va_list args;

	buf_reset(&a->closing);
	va_start(args, format);
	buf_vprintf(&a->closing, format, args);
	va_end(args);
}

static void on_interrupt(int number)
{
	(void)number;
	client_interrupted = 1;
}

void app_catch_interrupt(bool on)
{
	struct sigaction action = {.sa_handler = on ? on_interrupt : SIG_DFL};

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
}

void app_remark(struct app *a, bool always, const char *format, ...)
{
	va_list args;

	if (!always && !a->term.err_tty)
		return;
	va_start(args, format);
	buf_vprintf(&a->remarks, format, args);
	va_end(args);
	buf_put_byte(&a->remarks, '\n');
}

void app_note_worth(struct app *a, struct bytes result)
{
	struct bytes freshness = member(result, "freshness");

	buf_reset(&a->worth);
	buf_put_bytes(&a->worth, freshness);
}

/* --- asking --- */

int app_client_error(struct app *a, int err, const struct why *why)
{
	static const struct {
		int err;
		int exit;
		const char *code;
		const char *hint;
	} meanings[] = {
		{ERR_NOTFOUND, EXIT_UNAVAILABLE, "unavailable",
		 "start it with \"systemctl start ficd\" or \"ficd --config FILE\"; --socket names another place"},
		{ERR_DENIED, EXIT_DENIED, "forbidden",
		 "join the group that owns the socket, usually ficd, and log in anew"},
		{ERR_IO, EXIT_UNAVAILABLE, "unavailable", "its log says more: journalctl -u ficd"},
		{ERR_SYNTAX, EXIT_PROTOCOL, "protocol", NULL},
		{ERR_LIMIT, EXIT_PROTOCOL, "protocol", NULL},
		{ERR_INVALID, EXIT_PROTOCOL, "protocol", NULL},
		{ERR_BUSY, EXIT_RETRY, "timeout", "--timeout=5m waits longer"},
		{ERR_REMOTE, EXIT_RETRY, "busy", "try again in a moment"},
	};
	struct failure f = {.exit = EXIT_SOFTWARE, .code = "internal", .message = bytes_str(why->text)};

	/* Who pressed Ctrl-C knows. */
	if (err == ERR_CANCELED)
		return EXIT_INTERRUPTED;
	a->lost = err == ERR_NOTFOUND || err == ERR_IO || err == ERR_REMOTE;
	if (a->lost && a->waits)
		return EXIT_UNAVAILABLE;
	for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
		if (meanings[i].err != err)
			continue;
		f.exit = meanings[i].exit;
		f.code = meanings[i].code;
		f.hint = bytes_str(meanings[i].hint);
	}
	return report_failure(&a->report, &f);
}

static int exit_of_code(int code)
{
	switch (code) {
	case RPC_NOT_FOUND: return EXIT_NO;
	case RPC_CONFLICT: return EXIT_CONFLICTS;
	case RPC_UNAVAILABLE: return EXIT_UNAVAILABLE;
	case RPC_RATE_LIMITED:
	case RPC_CANCELED:
	case RPC_BUSY: return EXIT_RETRY;
	case RPC_FORBIDDEN: return EXIT_DENIED;
	case RPC_STALE: return EXIT_FRESHNESS;
	case RPC_BAD_EXPRESSION: return EXIT_DATA;
	case RPC_INVALID_PARAMS: return EXIT_USAGE;
	case RPC_NO_METHOD: return EXIT_PROTOCOL;
	default: return EXIT_SOFTWARE;
	}
}

struct client_wait app_wait(const struct app *a)
{
	return (struct client_wait){.until_ms = a->timeout_ms ? clock_mono_ms() + a->timeout_ms : -1};
}

/* A field that this resource has not may be one of what hangs under it: the daemon knows. */
static void look_further(struct app *a, struct complaint *c)
{
	struct client_wait wait = app_wait(a);
	struct rpc_response answer;
	struct params p = {0};
	struct why why;

	if (!c->unknown.len || !c->resource || !a->connected)
		return;
	params_str(&p, "source", app_value(a, OPT_SOURCE));
	if (client_call(&a->client, "resources", params_end(&p), &wait, &answer, &why) == 0)
		complaint_look(c, a->command, answer.result);
	params_release(&p);
}

int app_answer_error(struct app *a, const struct rpc_response *answer)
{
	struct bytes reason = member_str(answer->error_data, "reason");
	struct failure f = {.exit = exit_of_code(answer->code), .code = rpc_code_name(answer->code)};
	struct complaint c;
	struct buf kept = {0};

	if (answer->code == RPC_UNAVAILABLE && bytes_is(reason, "timeout"))
		f.exit = EXIT_RETRY;
	/* The method was the user's to name. */
	if (answer->code == RPC_NO_METHOD && a->command == CMD_RPC)
		f.exit = EXIT_USAGE;
	buf_put_bytes(&kept, reason);
	complaint_init(&c, a->command, &a->options, answer);
	look_further(a, &c);
	f.message = buf_bytes(&c.message);
	f.reason = reason.data ? buf_bytes(&kept) : reason;
	f.hint = c.hint.len ? buf_bytes(&c.hint) : bytes_of(NULL, 0);
	int code = report_failure(&a->report, &f);
	complaint_release(&c);
	buf_release(&kept);
	return code;
}

int app_connect(struct app *a)
{
	struct client_wait wait = app_wait(a);
	struct why why;

	if (a->connected)
		return 0;
	int r = client_open(&a->client, app_value(a, OPT_SOCKET), &wait, &why);
	if (r < 0)
		return app_client_error(a, r, &why);
	a->connected = true;
	return 0;
}

int app_reconnect(struct app *a)
{
	client_close(&a->client);
	a->connected = false;
	return app_connect(a);
}

int app_call_with(struct app *a, const char *method, struct bytes params,
		  const struct client_wait *wait, struct bytes *result_out)
{
	struct rpc_response answer;
	struct why why;

	int code = app_connect(a);
	if (code)
		return code;
	int r = client_call(&a->client, method, params, wait, &answer, &why);
	if (r < 0)
		return app_client_error(a, r, &why);
	if (!answer.result.data)
		return app_answer_error(a, &answer);
	*result_out = answer.result;
	return 0;
}

int app_call(struct app *a, const char *method, struct bytes params, struct bytes *result_out)
{
	struct client_wait wait = app_wait(a);

	return app_call_with(a, method, params, &wait, result_out);
}

static void load_names(struct app *a, enum names_of kind, const char *resource)
{
	struct client_wait wait = app_wait(a);
	struct rpc_response answer;
	struct params p = {0};
	struct why why;

	params_str(&p, "source", app_value(a, OPT_SOURCE));
	params_str(&p, "resource", resource);
	params_list(&p, "fields", "name");
	params_int(&p, "limit", 1000);
	if (client_call(&a->client, "query", params_end(&p), &wait, &answer, &why) == 0)
		names_take(&a->names, kind, member(answer.result, "rows"));
	params_release(&p);
}

static bool has_names(const struct columns *columns)
{
	for (size_t i = 0; columns && i < columns->count; i++)
		if (columns->items[i].title &&
		    (columns->items[i].kind == CELL_ADMIN || columns->items[i].kind == CELL_TEAM))
			return true;
	return !columns;
}

int app_load_names(struct app *a, const struct columns *columns)
{
	if (a->format != FORMAT_TABLE || a->names.loaded || !has_names(columns))
		return 0;
	int code = app_connect(a);
	if (code)
		return code;
	a->names.loaded = true;
	load_names(a, NAMES_ADMINS, "admins");
	load_names(a, NAMES_TEAMS, "teams");
	a->show.names = &a->names;
	return 0;
}

bool app_asks_several(const struct app *a)
{
	struct mp_reader r = mp_reader_of(member(buf_bytes(&a->client.hello), "sources"));
	struct mp_value v;

	return !app_value(a, OPT_SOURCE) && mp_next(&r, &v) == 1 && v.type == MP_ARRAY && v.count > 1;
}

int app_show_source(struct app *a, struct columns *c)
{
	int code = app_given(a, OPT_FIELDS) ? 0 : app_connect(a);

	if (code == 0 && !app_given(a, OPT_FIELDS) && app_asks_several(a))
		columns_show_source(c);
	return code;
}

static void put_time(struct params *p, const char *key, int64_t ms)
{
	char text[TIME_TEXT_MAX];

	if (ms != TIME_MIN && ms != TIME_MAX)
		params_str(p, key, time_text(ms, false, text));
}

static int put_end(struct app *a, struct params *p, enum option option, enum when_role role)
{
	const char *text = app_value(a, option);
	struct why why;
	int64_t ms;

	if (!text)
		return 0;
	if (when_parse(bytes_str(text), a->show.now_ms, a->zone, role, &ms, &why) < 0)
		return report_error(&a->report, EXIT_USAGE, "usage", "--%s: %s",
				    option_table[option].name, why.text);
	put_time(p, option_table[option].name, ms);
	return 0;
}

static int put_both_ends(struct app *a, struct params *p, enum option option)
{
	struct when span;
	struct why why;

	if (when_parse_interval(bytes_str(app_value(a, option)), a->show.now_ms, a->zone, &span,
				&why) < 0)
		return report_error(&a->report, EXIT_USAGE, "usage", "--%s: %s",
				    option_table[option].name, why.text);
	put_time(p, "since", span.start_ms);
	put_time(p, "until", span.end_ms);
	return 0;
}

int app_put_span(struct app *a, struct params *p)
{
	const char *since = app_value(a, OPT_SINCE);

	params_str(p, "source", app_value(a, OPT_SOURCE));
	params_str(p, "axis", app_value(a, OPT_AXIS));
	if (app_given(a, OPT_DURING) && (since || app_given(a, OPT_UNTIL)))
		return report_error(&a->report, EXIT_USAGE, "usage",
				    "--during says both ends: leave out --since and --until");
	if (app_given(a, OPT_DURING))
		return put_both_ends(a, p, OPT_DURING);
	/* --since=A..B says both. */
	if (since && strstr(since, "..") && !app_given(a, OPT_UNTIL))
		return put_both_ends(a, p, OPT_SINCE);
	int code = put_end(a, p, OPT_SINCE, WHEN_SINCE);
	return code ? code : put_end(a, p, OPT_UNTIL, WHEN_UNTIL);
}

int app_put_max_age(struct app *a, struct params *p)
{
	int64_t max_age_ms;

	int code = app_duration(a, OPT_MAX_AGE, -1, &max_age_ms);
	if (code == 0 && max_age_ms >= 0)
		params_int(p, "max_age", (max_age_ms + 999) / 1000);
	return code;
}

void app_put_where(struct app *a, struct params *p)
{
	params_str(p, "where", app_value(a, OPT_WHERE));
	if (app_value(a, OPT_WHERE))
		params_str(p, "timezone", zone_name(a->zone));
}

void app_put_on_stale(struct app *a, struct params *p)
{
	const char *policy = app_value(a, OPT_ON_STALE);
	int64_t ms = a->timeout_ms ? a->timeout_ms : INT64_MAX;

	params_str(p, "on_stale", policy);
	/* The daemon gives up a little earlier, so that its answer still arrives; it never takes more than ten minutes. */
	if (app_given(a, OPT_TIMEOUT))
		params_int(p, "timeout_ms", ms / 10 < 60000 ? ms / 10 * 9 : WAIT_MAX_MS);
}

/* --- printing --- */

int app_print_json(struct app *a, struct bytes result)
{
	if (cell_json(&a->out.buf, result) < 0)
		return report_error(&a->report, EXIT_PROTOCOL, "protocol",
				    "ficd's answer cannot be written as JSON");
	buf_put_byte(&a->out.buf, '\n');
	output_flush(&a->out, false);
	return 0;
}

void app_rows(struct app *a, struct rows *r, const struct columns *columns)
{
	rows_begin(r, a->format, columns, &a->show, &a->look);
	r->guard = a->term.out_tty;
	r->spreadsheet = app_given(a, OPT_SPREADSHEET);
}

void app_rows_end(struct app *a, struct rows *rows)
{
	size_t dropped = rows->table.dropped;

	if (dropped)
		app_remark(a, true, "%zu column%s not fit: --wide shows %s", dropped,
			   dropped > 1 ? "s do" : " does", dropped > 1 ? "them" : "it");
	rows_release(rows);
}

int app_print_rows(struct app *a, struct bytes array, const struct columns *columns,
		   enum style (*style)(const char *path, struct bytes value))
{
	struct mp_reader reader = mp_reader_of(array);
	struct mp_value head;
	struct bytes row;
	struct rows rows;

	app_rows(a, &rows, columns);
	rows.style = style;
	if (array.data && mp_next(&reader, &head) == 1 && head.type == MP_ARRAY) {
		while (mp_take(&reader, &row) == 1)
			rows_add(&rows, row, &a->out.buf);
	}
	rows_page(&rows, &a->out.buf);
	app_rows_end(a, &rows);
	output_flush(&a->out, false);
	return 0;
}
