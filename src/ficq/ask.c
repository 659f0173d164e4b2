/*
 * ask: the commands that read records. Rows are printed as they arrive, in a stream or page after page: how many there are does not decide how much memory is
 * taken. A stream without its end is not whole: that is an error, whatever was printed.
 */
#include "ask.h"

#include "text.h"
#include "values.h"

#include <base/clock.h>
#include <codec/json.h>
#include <codec/msgpack.h>

#include <errno.h>
#include <stdlib.h>

/* Rows of one question. With whole objects in them they are some ten times as long. */
#define PAGE_ROWS        500
#define PAGE_ROWS_DOC    50
#define PAGE_ROWS_EXPORT 200
#define LIMIT_TERMINAL   20
#define SEARCH_WIDE      110 /* a terminal that shows more than what was found */
#define LIMIT_ELSE       100
#define RANKED           1000 /* rows that the daemon puts in the order of relevance, the newest */

struct query {
	struct app *app;
	const char *method;
	const char *key;      /* of the list of rows in a result */
	const char *resource; /* whose records they are; NULL: they are none */
	int (*put_params)(struct app *a, struct params *p);
	uint64_t left; /* rows still wanted */
	uint64_t printed;
	uint64_t page_rows;
	struct buf cursor; /* MessagePack of the last next_cursor; empty: the first page */
	bool more;         /* there are rows beyond the limit */
	struct rows rows;
	struct columns columns;
	int64_t scanned, duration_us; /* of all pages */
	int64_t found;                /* rows in all; 0: not known */
	/* Of a stream: */
	struct client_wait wait;
	bool begun;       /* its first piece has come */
	bool stopped;     /* nobody reads what is printed */
	uint64_t undrawn; /* rows of a table that are not printed yet */
};

static int read_limit(struct app *a, uint64_t *limit_out)
{
	const char *text = app_value(a, OPT_LIMIT);
	uint64_t limit = a->term.out_tty ? LIMIT_TERMINAL : LIMIT_ELSE;
	char *end;

	if (text) {
		errno = 0;
		unsigned long long n = strtoull(text, &end, 10);
		if (*text < '0' || *text > '9' || *end || errno)
			return report_error(&a->report, EXIT_USAGE, "usage",
					    "--limit: \"%.40s\" is no number of rows", text);
		limit = n ? n : UINT64_MAX;
	}
	*limit_out = a->rows_most && limit > a->rows_most ? a->rows_most : limit;
	return 0;
}

static bool wants_doc(const char *fields)
{
	for (const char *p = fields; p && *p; p += strcspn(p, ","), p += *p == ',')
		if (strncmp(p, "doc", 3) == 0 && (p[3] == 0 || p[3] == ','))
			return true;
	return false;
}

/* The word that begins at `at`, or is put in quotes there: how long it is. */
static size_t word_length(const char *at)
{
	bool quoted = false;
	size_t n = 0;

	for (; at[n] && (quoted || !strchr(" \t\n()", at[n])); n++)
		quoted ^= at[n] == '"';
	return n;
}

static bool has_word(const char *text, const char *word)
{
	for (size_t n; *text; text += n ? n : 1) {
		n = word_length(text);
		if (bytes_is(bytes_of(text, n), word))
			return true;
	}
	return false;
}

void ask_remark_words(struct app *a, const char *text)
{
	static const struct {
		const char *word, *meant;
	} known[] = {
		{"or", "OR in capitals finds either"},
		{"and", "AND in capitals joins, as nothing at all does"},
		{"not", "to leave a word out write -word"},
	};

	for (size_t i = 0; text && i < sizeof known / sizeof *known; i++)
		if (has_word(text, known[i].word))
			app_remark(a, true, "'%s' is looked for as a word; %s", known[i].word,
				   known[i].meant);
}

/* False: the answer, which may still come, would be taken for that of another question. */
static bool remark_value(struct app *a, const struct value_sought *v, const char *resource)
{
	const char *source = app_value(a, OPT_SOURCE);
	struct client_wait wait = app_wait(a);
	struct rpc_response answer;
	struct params p = {0};
	struct buf words = {0}, whose = {0};
	struct why why;
	int64_t until_ms = clock_mono_ms() + VALUES_MS;

	if (wait.until_ms < 0 || wait.until_ms > until_ms)
		wait.until_ms = until_ms;
	params_str(&p, "source", source);
	params_str(&p, "resource", resource);
	values_ask(&p, v);
	buf_printf(&whose, "%s%s%s", resource, source ? " of " : "", source ? source : "");
	values_say(&words, v, buf_bytes(&whose), a->report.ascii);
	size_t said = words.len;
	int rc = client_call(&a->client, "aggregate", params_end(&p), &wait, &answer, &why);
	if (rc == 0 && values_judge(answer.result, v, a->report.ascii, &words) == VALUES_LACKS) {
		if (words.len == said)
			buf_printf(&words, ": 'ficq count %s --by %.*s%s%s' tells what there is",
				   resource, (int)v->field.len, (const char *)v->field.data,
				   source ? " -s " : "", source ? source : "");
		app_remark(a, false, "%s", buf_text(&words));
	}
	params_release(&p);
	buf_release(&whose);
	buf_release(&words);
	return rc == 0;
}

void ask_remark_values(struct app *a, const char *resource)
{
	const char *where = app_value(a, OPT_WHERE);
	bool read = a->term.err_tty && !a->report.quiet && a->command != CMD_WATCH;
	struct value_sought sought[VALUES_MAX];
	size_t n = where && read ? values_sought(bytes_str(where), sought) : 0;

	/* Nobody waits for what is known. */
	if (n && !output_flush(&a->out, false))
		return;
	for (size_t i = 0; i < n && a->connected; i++)
		if (!remark_value(a, &sought[i], resource)) {
			client_close(&a->client);
			a->connected = false;
		}
}

int ask_put_question(struct app *a, struct params *p)
{
	params_str(p, "resource", app_arg(a, 0));
	params_str(p, "text", app_value(a, OPT_TEXT));
	app_put_where(a, p);
	app_put_on_stale(a, p);
	int code = app_put_span(a, p);
	return code ? code : app_put_max_age(a, p);
}

static int ask_page(struct query *q, struct bytes *result_out)
{
	struct params p = {0};
	uint64_t n = q->left < q->page_rows ? q->left : q->page_rows;

	int code = q->put_params(q->app, &p);
	if (code == 0) {
		params_int(&p, "limit", (int64_t)n);
		if (q->cursor.len)
			params_value(&p, "cursor", buf_bytes(&q->cursor));
		code = app_call(q->app, q->method, params_end(&p), result_out);
	}
	params_release(&p);
	return code;
}

/* JSON is one object however many pages it took: freshness and rows as they come, the rest from the last page. */
static void json_head(struct query *q, struct bytes result)
{
	struct buf *out = &q->app->out.buf;
	struct bytes freshness = member(result, "freshness");

	buf_put_byte(out, '{');
	if (freshness.data) {
		buf_put_str(out, "\"freshness\":");
		cell_json(out, freshness);
		buf_put_byte(out, ',');
	}
	buf_printf(out, "\"%s\":[", q->key);
}

static void json_tail(struct query *q, struct bytes result)
{
	struct buf *out = &q->app->out.buf;
	struct mp_reader r = mp_reader_of(result);
	struct mp_value v;
	struct bytes value;

	buf_put_byte(out, ']');
	if (mp_next(&r, &v) != 1 || v.type != MP_MAP)
		return;
	while (mp_next(&r, &v) == 1 && v.type == MP_STR && mp_take(&r, &value) == 1) {
		if (bytes_is(v.str, "freshness") || bytes_is(v.str, q->key) ||
		    bytes_is(v.str, "streamed"))
			continue;
		buf_put_byte(out, ',');
		json_write_str(out, v.str);
		buf_put_byte(out, ':');
		if (bytes_is(v.str, "stats") && q->scanned >= 0)
			buf_printf(out, "{\"scanned\":%lld,\"duration_us\":%lld}",
				   (long long)q->scanned, (long long)q->duration_us);
		else if (cell_json(out, value) < 0)
			buf_put_str(out, "null");
	}
	buf_put_str(out, "}\n");
}

static void count_stats(struct query *q, struct bytes result)
{
	int64_t scanned, duration_us;

	if (!member_int(result, "total", &q->found))
		q->found = 0;
	if (q->scanned < 0 || !member_int(result, "stats.scanned", &scanned) ||
	    !member_int(result, "stats.duration_us", &duration_us)) {
		q->scanned = -1;
		return;
	}
	q->scanned += scanned;
	q->duration_us += duration_us;
}

static void print_row(struct query *q, struct bytes row)
{
	struct app *a = q->app;

	if (a->format != FORMAT_JSON) {
		rows_add(&q->rows, row, &a->out.buf);
	} else {
		if (q->printed)
			buf_put_byte(&a->out.buf, ',');
		cell_json(&a->out.buf, row);
	}
	q->printed++;
	q->left--;
}

/* Prints a page's rows; returns their number, or -1 when there is no list of them. */
static int64_t print_page(struct query *q, struct bytes result)
{
	struct bytes rows = member(result, q->key), row;
	struct mp_reader r = mp_reader_of(rows);
	struct mp_value head;
	int64_t n = 0;

	if (!rows.data || mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return -1;
	while (q->left > 0 && mp_take(&r, &row) == 1) {
		print_row(q, row);
		n++;
		output_flush(&q->app->out, false);
	}
	if (q->app->format != FORMAT_JSON)
		rows_page(&q->rows, &q->app->out.buf);
	return n;
}

/* True when another page is wanted and there. */
static bool turn_page(struct query *q, struct bytes result, int *code_out)
{
	struct bytes next = member(result, "next_cursor");

	q->more = next.data != NULL;
	if (!next.data || q->left == 0)
		return false;
	if (bytes_equal(next, buf_bytes(&q->cursor))) {
		*code_out = report_error(&q->app->report, EXIT_PROTOCOL, "protocol",
					 "ficd does not get on with the next page");
		return false;
	}
	buf_reset(&q->cursor);
	buf_put_bytes(&q->cursor, next);
	return true;
}

/* ---- a stream ---- */

static void print_head(struct query *q, struct bytes result)
{
	app_note_worth(q->app, result);
	if (!q->begun && q->app->format == FORMAT_JSON)
		json_head(q, result);
	q->begun = true;
}

/* A table is drawn in pieces of its own, so that its columns stand still. */
static void print_piece(struct query *q, struct bytes rows)
{
	struct output *out = &q->app->out;
	struct mp_reader r = mp_reader_of(rows);
	struct mp_value head;
	struct bytes row;

	if (!rows.data || mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return;
	while (q->left > 0 && mp_take(&r, &row) == 1) {
		print_row(q, row);
		q->undrawn++;
	}
	if (q->app->format == FORMAT_TABLE && q->undrawn >= PAGE_ROWS) {
		rows_page(&q->rows, &out->buf);
		q->undrawn = 0;
	}
	q->stopped = !output_flush(out, q->app->format != FORMAT_TABLE);
}

static void on_records(void *ctx, struct bytes method, struct bytes params)
{
	struct query *q = ctx;
	struct bytes next = member(params, "next_cursor");

	if (!bytes_is(method, "records") || q->stopped)
		return;
	if (member(params, "freshness").data)
		print_head(q, params);
	print_piece(q, member(params, "rows"));
	if (next.data) {
		buf_reset(&q->cursor);
		buf_put_bytes(&q->cursor, next);
	}
	if (q->stopped)
		client_interrupted = 1;
	/* Each piece has the time that an answer has. */
	q->wait.until_ms = app_wait(q->app).until_ms;
}

/* An exit code, or 0 and in *err_out what became of the connection. */
static int ask_stream(struct query *q, struct rpc_response *answer, int *err_out, struct why *why)
{
	struct params p = {0};
	int code = q->put_params(q->app, &p);

	if (code == 0) {
		params_bool(&p, "stream", true);
		if (q->left < UINT32_MAX)
			params_int(&p, "limit", (int64_t)q->left);
		if (q->cursor.len)
			params_value(&p, "cursor", buf_bytes(&q->cursor));
		q->wait = app_wait(q->app);
		q->wait.on_notification = on_records;
		q->wait.ctx = q;
		*err_out = client_call(&q->app->client, q->method, params_end(&p), &q->wait, answer,
				       why);
	}
	params_release(&p);
	return code;
}

/* What is printed is not all: whoever reads on must know, whatever the format. */
static int cut_off(struct query *q, int code)
{
	if (q->printed)
		report_note(&q->app->report, true,
			    "the answer is not complete: it ends after %llu records",
			    (unsigned long long)q->printed);
	return code;
}

/* The daemon gave up its snapshot because it took long: the rest comes from a newer one, as the next page would. */
static bool may_go_on(const struct query *q, const struct rpc_response *answer)
{
	return q->cursor.len && bytes_is(member_str(answer->error_data, "reason"), "expired");
}

/* Nothing was read for so long that the daemon hung up, as when a pager stands: the rest comes over another connection. */
static int ask_anew(struct query *q, bool may, int err, const struct why *why)
{
	if (!may || err != ERR_IO || !q->cursor.len)
		return app_client_error(q->app, err, why);
	return app_reconnect(q->app);
}

static int run_stream(struct query *q)
{
	struct app *a = q->app;
	struct rpc_response answer = {.code = 0};
	struct why why = {""};
	int code, err = 0;

	do {
		uint64_t before = q->printed;
		code = ask_stream(q, &answer, &err, &why);
		if (code == 0 && err && !q->stopped)
			code = ask_anew(q, q->printed > before, err, &why);
		if (code || q->stopped)
			return code ? cut_off(q, code) : 0;
		if (err)
			continue;
		if (answer.result.data)
			break;
		if (q->printed == before || !may_go_on(q, &answer))
			return cut_off(q, app_answer_error(a, &answer));
	} while (true);
	print_head(q, answer.result);
	q->more = member(answer.result, "next_cursor").data != NULL;
	count_stats(q, answer.result);
	if (a->format == FORMAT_JSON)
		json_tail(q, answer.result);
	return 0;
}

static bool can_stream(const struct query *q)
{
	struct mp_reader r = mp_reader_of(member(buf_bytes(&q->app->client.hello), "features"));
	struct mp_value v;

	if (strcmp(q->method, "query") != 0 || mp_next(&r, &v) != 1 || v.type != MP_ARRAY)
		return false;
	while (mp_next(&r, &v) == 1)
		if (v.type == MP_STR && bytes_is(v.str, "stream"))
			return true;
	return false;
}

/* ---- pages ---- */

static int run_pages(struct query *q)
{
	struct app *a = q->app;
	struct bytes result;
	int code;

	do {
		bool first = q->cursor.len == 0;
		code = ask_page(q, &result);
		if (code)
			break;
		if (first)
			app_note_worth(a, result);
		if (first && a->format == FORMAT_JSON)
			json_head(q, result);
		count_stats(q, result);
		if (print_page(q, result) < 0)
			return report_error(&a->report, EXIT_PROTOCOL, "protocol",
					    "ficd's answer has no %s", q->key);
		if (!output_flush(&a->out, false))
			return 0;
	} while (turn_page(q, result, &code));
	if (code == 0 && a->format == FORMAT_JSON)
		json_tail(q, result);
	return code;
}

int ask_columns(struct app *a, const char *resource, struct columns *c)
{
	const char *fields = app_value(a, OPT_FIELDS);

	if (!fields)
		columns_of_resource(c, resource);
	if (!fields)
		return 0;
	int r = columns_of_fields(c, fields);
	if (r == 0)
		return 0;
	columns_release(c);
	return report_error(&a->report, EXIT_USAGE, "usage",
			    r == ERR_LIMIT ? "--fields: more than %d fields"
					   : "--fields: no field is named",
			    COLUMNS_MAX);
}

/* What a file lacks must be told: nobody counts its lines. */
static void remark(const struct query *q)
{
	struct app *a = q->app;
	const char *sort = app_value(a, OPT_SORT);

	if (!q->more && q->found >= RANKED && sort && strcmp(sort, "relevance") == 0)
		app_remark(a, true,
			   "the %d newest that were found are in this order; older ones are left out: narrow the question, or leave out --sort",
			   RANKED);

	if (q->more && a->term.out_tty)
		app_remark(a, false, "there are more: -n 100 shows a hundred, -n 0 all");
	else if (q->more && !app_given(a, OPT_LIMIT))
		app_remark(a, true, "there are more than these: --limit=0 prints all");
	else if (q->printed == 0 && a->format == FORMAT_TABLE && a->term.out_tty)
		app_remark(a, false, "nothing was found");
	if (q->printed == 0 && q->resource)
		ask_remark_values(a, q->resource);
}

static int print_query(struct query *q)
{
	struct app *a = q->app;

	int code = app_load_names(a, &q->columns);
	if (code == 0)
		code = app_connect(a);
	if (code == 0)
		code = app_show_source(a, &q->columns);
	app_rows(a, &q->rows, &q->columns);
	if (code == 0)
		code = can_stream(q) ? run_stream(q) : run_pages(q);
	if (a->format != FORMAT_JSON && code == 0)
		rows_page(&q->rows, &a->out.buf);
	app_rows_end(a, &q->rows);
	columns_release(&q->columns);
	buf_release(&q->cursor);
	if (code == 0)
		remark(q);
	return code;
}

static int put_query(struct app *a, struct params *p)
{
	params_list(p, "fields", app_value(a, OPT_FIELDS));
	params_str(p, "sort", app_value(a, OPT_SORT));
	return ask_put_question(a, p);
}

/* A table shows what it is sorted by. */
static int show_sorted(struct app *a, struct columns *c)
{
	const char *field = app_value(a, OPT_SORT);

	if (!field || app_given(a, OPT_FIELDS) || a->format != FORMAT_TABLE ||
	    strcmp(field, "relevance") == 0)
		return 0;
	if (columns_show(c, field + (*field == '-')) == 0)
		return 0;
	return report_error(&a->report, EXIT_SOFTWARE, "internal", "out of memory");
}

/* The same, and where it was found. */
static int search_columns(struct app *a, const char *resource, bool searched, struct columns *c)
{
	int code = ask_columns(a, resource, c);

	if (code == 0 && searched && !app_value(a, OPT_FIELDS))
		columns_add_snippet(c, a->look.width < SEARCH_WIDE);
	if (code == 0)
		code = show_sorted(a, c);
	return code;
}

int ask_query(struct app *a)
{
	struct query q = {.app = a, .method = "query", .key = "rows", .put_params = put_query};

	q.resource = app_arg(a, 0);
	ask_remark_words(a, app_value(a, OPT_TEXT));
	q.page_rows = wants_doc(app_value(a, OPT_FIELDS)) ? PAGE_ROWS_DOC : PAGE_ROWS;
	int code = read_limit(a, &q.left);
	if (code == 0)
		code = search_columns(a, app_arg(a, 0), app_given(a, OPT_TEXT), &q.columns);
	return code ? code : print_query(&q);
}

static const char *searched_resource(struct app *a)
{
	const char *resource = app_value(a, OPT_RESOURCE);

	return resource ? resource : "conversations";
}

/* Words that the shell has told apart belong together. */
static void join_words(const struct app *a, struct buf *out)
{
	for (size_t i = 0; app_arg(a, i); i++) {
		buf_put_str(out, i ? " " : "");
		buf_put_str(out, app_arg(a, i));
	}
}

static int put_search(struct app *a, struct params *p)
{
	struct buf text = {0};

	join_words(a, &text);
	buf_put_byte(&text, 0);
	if (text.error) {
		buf_release(&text);
		return report_error(&a->report, EXIT_SOFTWARE, "internal", "out of memory");
	}
	params_list(p, "fields", app_value(a, OPT_FIELDS));
	params_str(p, "resource", searched_resource(a));
	params_str(p, "text", (const char *)text.data);
	params_str(p, "sort", app_value(a, OPT_SORT));
	app_put_where(a, p);
	app_put_on_stale(a, p);
	buf_release(&text);
	int code = app_put_span(a, p);
	return code ? code : app_put_max_age(a, p);
}

int ask_search(struct app *a)
{
	struct query q = {.app = a, .method = "query", .key = "rows", .put_params = put_search};
	struct buf text = {0};

	q.resource = searched_resource(a);
	join_words(a, &text);
	ask_remark_words(a, buf_text(&text));
	buf_release(&text);
	q.page_rows = wants_doc(app_value(a, OPT_FIELDS)) ? PAGE_ROWS_DOC : PAGE_ROWS;
	int code = read_limit(a, &q.left);
	if (code == 0)
		code = search_columns(a, searched_resource(a), true, &q.columns);
	return code ? code : print_query(&q);
}

static int put_export(struct app *a, struct params *p)
{
	if (!app_given(a, OPT_FIELDS))
		params_bool(p, "doc", true);
	return put_query(a, p);
}

int ask_export(struct app *a, bool doc, uint64_t *count_out, bool *more_out)
{
	struct query q = {.app = a,
			  .method = "query",
			  .key = "rows",
			  .resource = app_arg(a, 0),
			  .put_params = doc ? put_export : put_query,
			  .page_rows = doc ? PAGE_ROWS_EXPORT : PAGE_ROWS,
			  .left = UINT64_MAX};

	int code = app_given(a, OPT_LIMIT) ? read_limit(a, &q.left) : 0;
	if (code == 0)
		code = ask_columns(a, app_arg(a, 0), &q.columns);
	if (code == 0)
		code = print_query(&q);
	*count_out = q.printed;
	*more_out = q.more;
	return code;
}

static int put_runs(struct app *a, struct params *p)
{
	params_str(p, "source", app_value(a, OPT_SOURCE));
	params_str(p, "resource", app_arg(a, 0));
	return 0;
}

int ask_runs(struct app *a)
{
	static const struct column columns[] = {
		{"id", NULL, CELL_TEXT},
		{"source", NULL, CELL_TEXT},
		{"resource", "RESOURCE", CELL_TEXT},
		{"kind", "KIND", CELL_TEXT},
		{"started", "STARTED", CELL_AGO},
		{"ended", NULL, CELL_TIME},
		{"duration_ms", "TOOK", CELL_MILLIS},
		{"outcome", "OUTCOME", CELL_TEXT},
		{"synced_until", NULL, CELL_TIME},
		{"created", "NEW", CELL_NUMBER},
		{"updated", "CHANGED", CELL_NUMBER},
		{"deleted", NULL, CELL_NUMBER},
		{"unchanged", NULL, CELL_NUMBER},
		{"failed", NULL, CELL_NUMBER},
		{"calls", NULL, CELL_NUMBER},
		{"retries", NULL, CELL_NUMBER},
		{"bytes", NULL, CELL_BYTES},
		{"error", "ERROR", CELL_TEXT},
		{"span.0", NULL, CELL_TIME},
		{"span.1", NULL, CELL_TIME},
		{NULL, NULL, CELL_TEXT},
	};
	struct query q = {.app = a,
			  .method = "runs",
			  .key = "runs",
			  .put_params = put_runs,
			  .page_rows = PAGE_ROWS};

	int code = read_limit(a, &q.left);
	if (code)
		return code;
	columns_of_list(&q.columns, columns);
	return print_query(&q);
}

static int put_dead(struct app *a, struct params *p)
{
	params_str(p, "source", app_value(a, OPT_SOURCE));
	params_str(p, "id", app_arg(a, 0));
	if (app_given(a, OPT_ALL))
		params_bool(p, "dropped", true);
	return 0;
}

int ask_dead(struct app *a)
{
	static const struct column columns[] = {
		{"id", "ID", CELL_TEXT},         {"source", NULL, CELL_TEXT},
		{"state", NULL, CELL_TEXT},      {"class", "CLASS", CELL_TEXT},
		{"status", "STATUS", CELL_TEXT}, {"attempts", "TRIED", CELL_NUMBER},
		{"last", "LAST", CELL_AGO},      {"next", "NEXT", CELL_TIME},
		{"reason", "REASON", CELL_TEXT}, {"asked", NULL, CELL_TEXT},
		{"answer", NULL, CELL_TEXT},     {NULL, NULL, CELL_TEXT},
	};
	struct query q = {.app = a,
			  .method = "dead",
			  .key = "letters",
			  .put_params = put_dead,
			  .page_rows = PAGE_ROWS};

	int code = read_limit(a, &q.left);
	if (code)
		return code;
	columns_of_list(&q.columns, columns);
	return print_query(&q);
}

static int put_edits(struct app *a, struct params *p)
{
	const char *id = app_arg(a, 0);
	char *end;

	params_str(p, "source", app_value(a, OPT_SOURCE));
	if (app_given(a, OPT_ALL))
		params_bool(p, "all", true);
	if (app_given(a, OPT_CONFLICTS))
		params_str(p, "state", "conflict");
	if (!id)
		return 0;
	long long number = strtoll(id, &end, 10);
	if (*end || number <= 0)
		return report_error(&a->report, EXIT_USAGE, "usage",
				    "'%.40s' is no number of an edit", id);
	params_int(p, "id", number);
	return 0;
}

int ask_edits(struct app *a)
{
	static const struct column columns[] = {
		{"id", "ID", CELL_TEXT},
		{"source", NULL, CELL_TEXT},
		{"resource", "RESOURCE", CELL_TEXT},
		{"record", "RECORD", CELL_TEXT},
		{"state", "STATE", CELL_TEXT},
		{"set", "MINE", CELL_TEXT},
		{"base", NULL, CELL_TEXT},
		{"theirs", "THEIRS", CELL_TEXT},
		{"created", "ASKED", CELL_AGO},
		{"changed", NULL, CELL_TIME},
		{"next", NULL, CELL_TIME},
		{"attempts", NULL, CELL_NUMBER},
		{"who", "WHO", CELL_TEXT},
		{"error", "ERROR", CELL_TEXT},
		{NULL, NULL, CELL_TEXT},
	};
	struct query q = {.app = a,
			  .method = "edits",
			  .key = "edits",
			  .put_params = put_edits,
			  .page_rows = PAGE_ROWS};

	int code = read_limit(a, &q.left);
	if (code)
		return code;
	columns_of_list(&q.columns, columns);
	return print_query(&q);
}

/* --- get --- */

int ask_absent(struct app *a, const char *resource, const char *id, struct bytes absence)
{
	static const struct {
		const char *reason;
		const char *words;
		bool enough; /* the daemon's detail says the same again */
	} known[] = {
		{"deleted", "was deleted", true},
		{"merged", "was merged into", true},
		{"covered_absent", "does not exist", false},
		{"not_covered", "is not known here", false},
	};
	struct bytes reason = member_str(absence, "reason"), detail = member_str(absence, "detail");
	struct bytes target = member_str(absence, "merged_into");
	const char *words = "is not there";
	struct buf text = {0};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (!bytes_is(reason, known[i].reason))
			continue;
		words = known[i].words;
		if (known[i].enough)
			detail.len = 0;
	}
	buf_printf(&text, "%s %.100s %s", resource, id, words);
	if (bytes_is(reason, "merged")) {
		buf_put_byte(&text, ' ');
		buf_put_bytes(&text, target.len ? target : bytes_str("another record"));
	}
	if (detail.len) {
		buf_put_str(&text, ": ");
		buf_put_bytes(&text, detail);
	}
	struct failure f = {
		.exit = EXIT_NO, .code = "not_found", .message = buf_bytes(&text), .reason = reason};
	int code = report_failure(&a->report, &f);
	buf_release(&text);
	return code;
}

static enum cell_kind kind_of(struct bytes key)
{
	char path[64] = "";

	if (key.len < sizeof path)
		memcpy(path, key.data, key.len);
	return columns_kind(path);
}

/* A record for people: a line for each of its own fields, then the provider's object. */
static void print_record(struct app *a, struct bytes record)
{
	struct buf *out = &a->out.buf, pretty = {0};
	struct mp_reader r = mp_reader_of(record);
	struct bytes doc = member(record, "doc"), value;
	struct mp_value v;

	if (mp_next(&r, &v) != 1 || v.type != MP_MAP)
		return;
	while (mp_next(&r, &v) == 1 && v.type == MP_STR && mp_take(&r, &value) == 1) {
		if (bytes_is(v.str, "doc"))
			continue;
		size_t start = out->len;
		buf_put_str(out, style_on(a->term.out_color, STYLE_BOLD));
		text_clean(out, v.str, TEXT_LINE, a->show.ascii);
		buf_put_str(out, style_off(a->term.out_color, STYLE_BOLD));
		text_put_spaces(out, v.str.len < 12 ? 14 - v.str.len : 2);
		cell_show(out, &a->show, value, kind_of(v.str));
		if (out->len > start)
			buf_put_byte(out, '\n');
	}
	if (doc.data && json_write_pretty(doc, &pretty) == 0) {
		buf_put_byte(out, '\n');
		text_clean(out, buf_bytes(&pretty), TEXT_BLOCK, a->show.ascii);
		buf_put_byte(out, '\n');
	}
	buf_release(&pretty);
}

static int print_get(struct app *a, struct bytes record)
{
	struct columns columns;
	struct rows rows;

	if (a->format == FORMAT_TABLE && !app_given(a, OPT_FIELDS)) {
		print_record(a, record);
		return 0;
	}
	int code = ask_columns(a, app_arg(a, 0), &columns);
	if (code)
		return code;
	app_rows(a, &rows, &columns);
	rows_add(&rows, record, &a->out.buf);
	rows_page(&rows, &a->out.buf);
	app_rows_end(a, &rows);
	columns_release(&columns);
	return 0;
}

static int load_names(struct app *a)
{
	struct columns columns;

	int code = ask_columns(a, app_arg(a, 0), &columns);
	if (code)
		return code;
	code = app_load_names(a, &columns);
	columns_release(&columns);
	return code;
}

int ask_get(struct app *a)
{
	struct params p = {0};
	struct bytes result;

	params_str(&p, "resource", app_arg(a, 0));
	params_str(&p, "id", app_arg(a, 1));
	params_str(&p, "source", app_value(a, OPT_SOURCE));
	params_list(&p, "fields", app_value(a, OPT_FIELDS));
	if (app_given(a, OPT_LIVE))
		params_bool(&p, "live", true);
	app_put_on_stale(a, &p);
	int code = app_put_max_age(a, &p);
	if (code == 0)
		code = load_names(a);
	if (code == 0)
		code = app_call(a, "get", params_end(&p), &result);
	params_release(&p);
	if (code)
		return code;
	struct bytes record = member(result, "record");
	app_note_worth(a, result);
	if (a->format == FORMAT_JSON)
		code = app_print_json(a, result);
	else if (record.data)
		code = print_get(a, record);
	if (code == 0 && !record.data)
		code = ask_absent(a, app_arg(a, 0), app_arg(a, 1), member(result, "absence"));
	return code;
}
