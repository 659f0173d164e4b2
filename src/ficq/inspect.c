/*
 * inspect: the commands that look at the cache rather than at records: how it is, what it holds, what an answer would be worth. None of
 * them changes anything.
 */
#include "inspect.h"

#include "ask.h"
#include "render_coverage.h"
#include "render_status.h"
#include "render_thread.h"
#include "text.h"

#include <base/suggest.h>
#include <codec/msgpack.h>
#include <model/field.h>

#include <stdio.h>

#define OLD_DEFAULT_MS (60 * 60 * 1000)
#define NAMES_MAX      128
#define NAME_MAX_BYTES 48
#define EDITABLE       4       /* the column of fields */
#define EVERY          "(all)" /* the resource of what every record has */

static int call(struct app *a, const char *method, bool with_resource, struct bytes *result)
{
	struct params p = {0};

	params_str(&p, "source", app_value(a, OPT_SOURCE));
	if (with_resource)
		params_str(&p, "resource", app_arg(a, 0));
	int code = app_call(a, method, params_end(&p), result);
	params_release(&p);
	return code;
}

/* --- lists inside lists as rows --- */

/* Appends `map` with the outer one's name in front, as `key`, and its source where it has one. */
static void put_joined(struct buf *out, struct bytes map, const char *key, struct bytes outer)
{
	struct mp_reader r = mp_reader_of(map);
	struct bytes source = member(outer, "source");
	struct mp_value head;

	if (mp_next(&r, &head) != 1 || head.type != MP_MAP)
		return;
	mp_put_map(out, head.count + 1 + (source.data != NULL));
	mp_put_cstr(out, key);
	buf_put_bytes(out, member(outer, "name"));
	if (source.data) {
		mp_put_cstr(out, "source");
		buf_put_bytes(out, source);
	}
	buf_put(out, r.at, (size_t)(r.end - r.at));
}

/* Of [{name: A, <inner>: [{…} …]} …] one array of the inner maps, each with `key`: A in front. */
static void flatten(struct bytes outer, const char *inner, const char *key, const char *only,
		    struct buf *out)
{
	struct mp_reader r = mp_reader_of(outer);
	struct mp_value head;
	struct bytes item, row;
	size_t mark = mp_begin_array(out);
	uint32_t count = 0;

	if (outer.data && mp_next(&r, &head) == 1 && head.type == MP_ARRAY) {
		while (mp_take(&r, &item) == 1) {
			struct bytes name = member(item, "name"), list = member(item, inner);
			struct mp_reader rows = mp_reader_of(list);
			if (!name.data || !list.data ||
			    (only && !bytes_is(member_str(item, "name"), only)) ||
			    mp_next(&rows, &head) != 1 || head.type != MP_ARRAY)
				continue;
			for (; mp_take(&rows, &row) == 1; count++)
				put_joined(out, row, key, item);
		}
	}
	mp_end_array(out, mark, count);
}

int inspect_print_flat(struct app *a, struct bytes outer, const char *inner, const char *key,
		       const char *only, const struct column *list)
{
	struct columns columns;
	struct buf flat = {0};

	flatten(outer, inner, key, only, &flat);
	columns_of_list(&columns, list);
	if (strcmp(key, "source") != 0 && app_asks_several(a))
		columns_show_source(&columns);
	int code = flat.error ? report_error(&a->report, EXIT_SOFTWARE, "internal", "out of memory")
			      : app_print_rows(a, buf_bytes(&flat), &columns, NULL);
	buf_release(&flat);
	return code;
}

/* --- status, sources, fields --- */

int inspect_status(struct app *a)
{
	static const struct column columns[] = {
		{"source", "SOURCE", CELL_TEXT},
		{"name", "RESOURCE", CELL_TEXT},
		{"state", "STATE", CELL_TEXT},
		{"records", "RECORDS", CELL_NUMBER},
		{"coverage_ratio", "COVERED", CELL_RATIO},
		{"as_of", "AS OF", CELL_TIME},
		{"last_sync", "LAST SYNC", CELL_TIME},
		{"next_run", "NEXT RUN", CELL_TIME},
		{"syncing", "SYNCING", CELL_YES},
		{"last_error", "LAST ERROR", CELL_TEXT},
		{NULL, NULL, CELL_TEXT},
	};
	struct bytes result;

	int code = call(a, "status", false, &result);
	if (code)
		return code;
	if (a->format == FORMAT_JSON)
		return app_print_json(a, result);
	if (a->format != FORMAT_TABLE)
		return inspect_print_flat(a, member(result, "sources"), "resources", "source", NULL,
					  columns);
	render_status(&a->out.buf, result, &a->show, &a->look);
	output_flush(&a->out, false);
	return 0;
}

static enum style style_of_state(const char *path, struct bytes value)
{
	struct mp_value v;

	if (strcmp(path, "state") != 0 || !value.data || !mp_get(value, &v) || v.type != MP_STR)
		return STYLE_NONE;
	return status_style(v.str);
}

int inspect_sources(struct app *a)
{
	static const struct column list[] = {
		{"name", "SOURCE", CELL_TEXT},
		{"provider", "PROVIDER", CELL_TEXT},
		{"workspace.name", "WORKSPACE", CELL_TEXT},
		{"workspace.id", "ID", CELL_TEXT},
		{"workspace.region", "REGION", CELL_TEXT},
		{"workspace.timezone", "TIME ZONE", CELL_TEXT},
		{"state", "STATE", CELL_TEXT},
		{"error", "ERROR", CELL_TEXT},
		{NULL, NULL, CELL_TEXT},
	};
	struct columns columns;
	struct bytes result;

	int code = call(a, "status", false, &result);
	if (code)
		return code;
	if (a->format == FORMAT_JSON)
		return app_print_json(a, member(result, "sources"));
	columns_of_list(&columns, list);
	return app_print_rows(a, member(result, "sources"), &columns, style_of_state);
}

/* 0: one of them has the name. */
static int check_name(struct app *a, struct bytes resources, const char *name)
{
	char room[NAMES_MAX][NAME_MAX_BYTES];
	const char *names[NAMES_MAX + 1] = {NULL};
	struct mp_reader r = mp_reader_of(resources);
	struct mp_value head;
	struct bytes item;
	size_t n = 0;

	if (mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return 0;
	while (n < NAMES_MAX && mp_take(&r, &item) == 1) {
		struct bytes held = member_str(item, "name");
		if (bytes_is(held, name))
			return 0;
		snprintf(room[n], sizeof room[n], "%.*s", (int)held.len, (const char *)held.data);
		names[n] = room[n];
		n++;
	}
	const char *near = suggest(bytes_str(name), names);
	return report_error(&a->report, EXIT_USAGE, "usage", "there is no resource '%.60s'%s%s%s",
			    name, near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static bool some_editable(struct bytes resources, const char *only)
{
	struct mp_reader r = mp_reader_of(resources), fields;
	struct mp_value head;
	struct bytes item, field;

	if (mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return false;
	while (mp_take(&r, &item) == 1) {
		struct bytes list = member(item, "fields");
		fields = mp_reader_of(list);
		if ((only && !bytes_is(member_str(item, "name"), only)) || !list.data ||
		    mp_next(&fields, &head) != 1)
			continue;
		while (mp_take(&fields, &field) == 1)
			if (member_true(field, "editable"))
				return true;
	}
	return false;
}

/* What every record has, as the daemon tells the fields of a resource. */
static void put_envelope(struct buf *out, const char *resource)
{
	mp_put_map(out, 2);
	mp_put_cstr(out, "name");
	mp_put_cstr(out, resource);
	mp_put_cstr(out, "fields");
	size_t mark = mp_begin_array(out);
	uint32_t n = 0;
	for (const struct field *f = envelope_fields; f->name; f++, n++) {
		mp_put_map(out, 3);
		mp_put_cstr(out, "name");
		mp_put_cstr(out, f->name);
		mp_put_cstr(out, "type");
		mp_put_cstr(out, field_type_name(f->type));
		mp_put_cstr(out, "help");
		mp_put_cstr(out, f->help);
	}
	mp_end_array(out, mark, n);
}

/* The resources, and behind them what their records have in common: under the name that was asked for, or once for all. */
static void put_with_envelope(struct buf *out, struct bytes resources, const char *only)
{
	struct mp_reader r = mp_reader_of(resources);
	struct mp_value head;
	struct bytes item;

	size_t mark = mp_begin_array(out);
	uint32_t n = 1;
	if (mp_next(&r, &head) == 1 && head.type == MP_ARRAY)
		for (; mp_take(&r, &item) == 1; n++)
			buf_put_bytes(out, item);
	put_envelope(out, only ? only : EVERY);
	mp_end_array(out, mark, n);
}

int inspect_fields(struct app *a)
{
	const char *resource = app_arg(a, 0);
	struct column columns[] = {
		{"resource", resource ? NULL : "RESOURCE", CELL_TEXT},
		{"name", "FIELD", CELL_NAME},
		{"type", "TYPE", CELL_TEXT},
		{"indexed", NULL, CELL_YES},
		{"editable", NULL, CELL_YES},
		{"help", "WHAT IT IS", CELL_TEXT},
		{NULL, NULL, CELL_TEXT},
	};
	struct bytes result;
	struct buf all = {0};

	int code = call(a, "resources", false, &result);
	if (code == 0 && resource)
		code = check_name(a, member(result, "resources"), resource);
	if (code)
		return code;
	if (a->format == FORMAT_JSON)
		return app_print_json(a, result);
	if (some_editable(member(result, "resources"), resource))
		columns[EDITABLE].title = "EDITABLE";
	/* A person is told all that can be asked for; a program has what the daemon says about each resource. */
	if (a->format == FORMAT_TABLE)
		put_with_envelope(&all, member(result, "resources"), resource);
	else
		buf_put_bytes(&all, member(result, "resources"));
	code = inspect_print_flat(a, buf_bytes(&all), "fields", "resource", resource, columns);
	buf_release(&all);
	return code;
}

/* --- coverage, thread --- */

int inspect_coverage(struct app *a)
{
	static const struct column list[] = {
		{"source", "SOURCE", CELL_TEXT},  {"resource", "RESOURCE", CELL_TEXT},
		{"ratio", "COVERED", CELL_RATIO}, {"records", "RECORDS", CELL_NUMBER},
		{"wanted.0", "FROM", CELL_TIME},  {"wanted.1", "TO", CELL_TIME},
		{"gaps", "GAPS", CELL_TEXT},      {NULL, NULL, CELL_TEXT},
	};
	struct coverage_look look = {
		.show = &a->show,
		.width = a->width,
		.color = a->term.out_color,
		.all_gaps = app_given(a, OPT_VERBOSE),
	};
	struct columns columns;
	struct bytes result;

	int code = app_duration(a, OPT_MAX_AGE, OLD_DEFAULT_MS, &look.old_ms);
	if (code == 0)
		code = call(a, "coverage", true, &result);
	if (code)
		return code;
	if (a->format == FORMAT_JSON)
		return app_print_json(a, result);
	if (a->format != FORMAT_TABLE) {
		columns_of_list(&columns, list);
		return app_print_rows(a, member(result, "resources"), &columns, NULL);
	}
	render_coverage(&a->out.buf, result, &look);
	output_flush(&a->out, false);
	return 0;
}

static int print_thread(struct app *a, struct bytes result)
{
	struct thread_look look = {
		.show = &a->show,
		.width = a->width,
		.color = a->term.out_color,
		.unfold = app_given(a, OPT_QUOTES) || app_given(a, OPT_VERBOSE),
	};
	struct columns columns;

	if (a->format != FORMAT_TABLE) {
		columns_of_resource(&columns, "messages");
		return app_print_rows(a, member(result, "messages"), &columns, NULL);
	}
	if (render_thread(&a->out.buf, result, &look))
		app_remark(a, false, "quoted text is folded: --quotes shows it");
	output_flush(&a->out, false);
	return 0;
}

int inspect_thread(struct app *a)
{
	struct params p = {0};
	struct bytes result;

	params_str(&p, "id", app_arg(a, 0));
	params_str(&p, "resource", app_value(a, OPT_RESOURCE));
	params_str(&p, "source", app_value(a, OPT_SOURCE));
	if (app_given(a, OPT_LIVE))
		params_bool(&p, "live", true);
	app_put_on_stale(a, &p);
	int code = app_put_max_age(a, &p);
	if (code == 0)
		code = app_load_names(a, NULL);
	if (code == 0)
		code = app_call(a, "thread", params_end(&p), &result);
	params_release(&p);
	if (code)
		return code;
	bool there = member(result, "conversation").data != NULL;
	app_note_worth(a, result);
	if (a->format == FORMAT_JSON)
		code = app_print_json(a, result);
	else if (there)
		code = print_thread(a, result);
	if (code == 0 && !there)
		code = ask_absent(
			a, app_given(a, OPT_RESOURCE) ? app_value(a, OPT_RESOURCE) : "conversation",
			app_arg(a, 0), member(result, "absence"));
	return code;
}

/* --- freshness, wait --- */

int inspect_call_freshness(struct app *a, const char *resource, struct bytes *result)
{
	struct params p = {0};

	params_str(&p, "resource", resource);
	int code = app_put_span(a, &p);
	if (code == 0)
		code = app_put_max_age(a, &p);
	if (code == 0)
		code = app_call(a, "freshness", params_end(&p), result);
	params_release(&p);
	return code;
}

static void put_fact(struct app *a, struct bytes map, const char *title, const char *path,
		     enum cell_kind kind)
{
	struct bytes value = member(map, path);

	if (!value.data)
		return;
	buf_printf(&a->out.buf, "%-15s", title);
	cell_show(&a->out.buf, &a->show, value, kind);
	buf_put_byte(&a->out.buf, '\n');
}

static void put_gaps(struct app *a, struct bytes gaps)
{
	struct mp_reader r = mp_reader_of(gaps);
	struct mp_value head;
	struct bytes gap;

	if (!gaps.data || mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return;
	while (mp_take(&r, &gap) == 1) {
		buf_printf(&a->out.buf, "%-15sfrom ", "gap");
		member_show(&a->out.buf, &a->show, gap, "0", CELL_TIME);
		buf_put_str(&a->out.buf, " to ");
		member_show(&a->out.buf, &a->show, gap, "1", CELL_TIME);
		buf_put_byte(&a->out.buf, '\n');
	}
}

/* Of each source what it is worth, where several were asked. */
static void put_sources(struct app *a, struct bytes sources)
{
	struct mp_reader r = mp_reader_of(sources);
	struct buf *out = &a->out.buf;
	struct mp_value head;
	struct bytes one;

	if (!sources.data || mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return;
	while (mp_take(&r, &one) == 1) {
		struct bytes state = member_str(one, "freshness.state");
		buf_printf(out, "%-15s%s", "source", style_on(a->term.out_color, status_style(state)));
		member_show(out, &a->show, one, "freshness.state", CELL_TEXT);
		buf_put_str(out, style_off(a->term.out_color, STYLE_RED));
		buf_put_byte(out, ' ');
		member_show(out, &a->show, one, "source", CELL_TEXT);
		if (member(one, "freshness.as_of").data) {
			buf_put_str(out, ", as of ");
			member_show(out, &a->show, one, "freshness.as_of", CELL_TIME);
		}
		buf_put_byte(out, '\n');
	}
}

static void print_freshness(struct app *a, struct bytes result)
{
	struct bytes f = member(result, "freshness"), state = member_str(f, "state");
	struct buf *out = &a->out.buf;

	buf_printf(out, "%-15s", "resource");
	text_clean(out, bytes_str(app_arg(a, 0) ? app_arg(a, 0) : "conversations"), TEXT_LINE,
		   a->show.ascii);
	buf_printf(out, "\n%-15s%s", "state", style_on(a->term.out_color, status_style(state)));
	member_show(out, &a->show, f, "state", CELL_TEXT);
	buf_put_str(out, style_off(a->term.out_color, STYLE_RED));
	if (member(f, "reason").data) {
		buf_put_str(out, " (");
		member_show(out, &a->show, f, "reason", CELL_TEXT);
		buf_put_byte(out, ')');
	}
	buf_put_byte(out, '\n');
	put_fact(a, f, "complete", "complete", CELL_TEXT);
	put_fact(a, f, "as of", "as_of", CELL_TIME);
	put_fact(a, f, "last sync", "last_sync", CELL_TIME);
	put_fact(a, f, "asked from", "requested.0", CELL_TIME);
	put_fact(a, f, "asked to", "requested.1", CELL_TIME);
	put_gaps(a, member(f, "gaps"));
	put_fact(a, f, "syncing", "syncing", CELL_TEXT);
	put_sources(a, member(f, "sources"));
	put_fact(a, result, "held from", "coverage_start", CELL_TIME);
	put_fact(a, result, "held to", "coverage_end", CELL_TIME);
	/* Those of the span are not counted. */
	buf_printf(out, "%-15s", "records");
	member_show(out, &a->show, result, "records", CELL_NUMBER);
	buf_put_str(out, " in all\n");
}

int inspect_freshness(struct app *a)
{
	static const struct column list[] = {
		{"freshness.state", "STATE", CELL_TEXT},
		{"freshness.complete", "COMPLETE", CELL_TEXT},
		{"freshness.as_of", "AS OF", CELL_TIME},
		{"freshness.age_s", "AGE", CELL_NUMBER},
		{"freshness.last_sync", "LAST SYNC", CELL_TIME},
		{"freshness.reason", "REASON", CELL_TEXT},
		{"coverage_start", "FROM", CELL_TIME},
		{"coverage_end", "TO", CELL_TIME},
		{"records", "RECORDS", CELL_NUMBER},
		{NULL, NULL, CELL_TEXT},
	};
	struct columns columns;
	struct bytes result;
	struct rows rows;

	int code = inspect_call_freshness(a, app_arg(a, 0), &result);
	if (code)
		return code;
	app_note_worth(a, result);
	if (a->format == FORMAT_JSON)
		return app_print_json(a, result);
	if (a->format == FORMAT_TABLE) {
		print_freshness(a, result);
		return 0;
	}
	columns_of_list(&columns, list);
	app_rows(a, &rows, &columns);
	rows_add(&rows, result, &a->out.buf);
	app_rows_end(a, &rows);
	return 0;
}
