/*
 * plan: what a sync would do and cost, before anything is sent.
 */
#include "plan.h"

#include "sync.h"

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
		buf_put_str(out, least == 1 ? " call, more is not known" : " calls, more is not known");
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
	sync_targets(a, &p);
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
