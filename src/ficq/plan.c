/*
 * plan: what a sync would do and cost, before anything is sent.
 */
#include "plan.h"

#include <codec/msgpack.h>

#include <string.h>

static bool is_source(struct app *a, const char *name)
{
	struct bytes sources = member(buf_bytes(&a->client.hello), "sources"), item;
	struct mp_reader r = mp_reader_of(sources);
	struct mp_value v;

	if (!sources.data || mp_next(&r, &v) != 1 || v.type != MP_ARRAY)
		return false;
	while (mp_take(&r, &item) == 1)
		if (mp_get(item, &v) && v.type == MP_STR && bytes_is(v.str, name))
			return true;
	return false;
}

/* Names of resources have no digits; ids have. The first id's place among the arguments behind the resource. */
static size_t ids_start(const char *const *args, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (strpbrk(args[i], "0123456789"))
			return i;
	return n;
}

/* The arguments: a source's name first, if it is one and --source does not say it; then resources, or one and ids. */
int plan_targets(struct app *a, struct params *p)
{
	const char *source = app_value(a, OPT_SOURCE), *const *args = a->options.args + 1;
	size_t n = a->options.arg_count - 1;

	if (!source && n > 0 && is_source(a, args[0])) {
		source = *args++;
		n--;
	}
	/* The source is written with the span, unless it was an argument. */
	if (!app_value(a, OPT_SOURCE))
		params_str(p, "source", source);
	size_t ids = ids_start(args, n);
	if (ids < n)
		params_strs(p, "ids", args + ids, n - ids);
	else
		params_list(p, "ids", app_value(a, OPT_IDS));
	if (ids == 1 && (n > 1 || app_given(a, OPT_IDS)))
		params_str(p, "resource", args[0]);
	else if (ids > 0)
		params_strs(p, "resource", args, ids);
	params_str(p, "mode", app_value(a, OPT_MODE));
	return app_put_span(a, p);
}

static void put_sum(struct app *a, struct bytes result)
{
	struct buf *out = &a->out.buf;
	int64_t calls, least = 0, ms;

	member_int(result, "calls_least", &least);
	buf_put_str(out, "in all ");
	if (member_int(result, "calls", &calls)) {
		show_count(out, calls);
		buf_put_str(out, calls == 1 ? " call" : " calls");
	} else {
		buf_put_str(out, "at least ");
		show_count(out, least);
		buf_put_str(out,
			    least == 1 ? " call, more is not known" : " calls, more is not known");
	}
	if (member_int(result, "duration_ms", &ms)) {
		buf_put_str(out, ", ");
		show_millis(out, ms);
	}
	buf_put_str(out, "; nothing was sent\n");
}

int plan_command(struct app *a)
{
	static const struct column list[] = {
		{"source", "SOURCE", CELL_TEXT},
		{"resource", "RESOURCE", CELL_TEXT},
		{"kind", "KIND", CELL_TEXT},
		{"calls", "CALLS", CELL_NUMBER},
		{"calls_least", "AT LEAST", CELL_NUMBER},
		{"duration_ms", "TIME", CELL_MILLIS},
		{"basis", "BASIS", CELL_TEXT},
		{NULL, NULL, CELL_TEXT},
	};
	struct params p = {0};
	struct columns columns;
	struct bytes result;

	int code = app_connect(a);
	if (code)
		return code;
	code = plan_targets(a, &p);
	if (code) {
		params_release(&p);
		return code;
	}
	params_bool(&p, "dry_run", true);
	code = app_call(a, "sync", params_end(&p), &result);
	params_release(&p);
	if (code)
		return code;
	if (a->format == FORMAT_JSON)
		return app_print_json(a, result);
	columns_of_list(&columns, list);
	code = app_print_rows(a, member(result, "plan"), &columns, NULL);
	if (code == 0 && a->format == FORMAT_TABLE)
		put_sum(a, result);
	return code;
}
