/* care: see the header. Both only ask; what is done is the daemon's business. */
#include "care.h"

#include "sync.h"

#include <codec/msgpack.h>

static bool array_of(struct bytes value, struct mp_reader *r)
{
	struct mp_value head;

	*r = mp_reader_of(value);
	return value.data && mp_next(r, &head) == 1 && head.type == MP_ARRAY;
}

/* --- verify --- */

/* "acme: 12 files, 3.4 MiB in 0.2 s: no damage" */
static void put_checked(struct app *a, struct buf *out, struct bytes source)
{
	int64_t damaged = 0;

	member_int(source, "damaged", &damaged);
	member_show(out, &a->show, source, "source", CELL_TEXT);
	buf_put_str(out, ": ");
	member_show(out, &a->show, source, "files", CELL_NUMBER);
	buf_put_str(out, " files, ");
	member_show(out, &a->show, source, "bytes", CELL_BYTES);
	buf_put_str(out, " in ");
	member_show(out, &a->show, source, "duration_ms", CELL_MILLIS);
	buf_printf(out, ": %s", style_on(a->term.out_color, damaged ? STYLE_RED : STYLE_GREEN));
	if (damaged)
		member_show(out, &a->show, source, "damaged", CELL_NUMBER);
	buf_printf(out, "%s%s", damaged ? " damaged" : "no damage",
		   style_off(a->term.out_color, damaged ? STYLE_RED : STYLE_GREEN));
	if (damaged && !member_true(source, "settled"))
		buf_put_str(out, ", to be set aside when the sync under way lets it");
	if (damaged && member_true(source, "refetch"))
		buf_put_str(out, "; what is lost is fetched again");
	buf_put_byte(out, '\n');
}

static void put_damage(struct app *a, struct buf *out, struct bytes one)
{
	int64_t records = 0;

	buf_put_str(out, "  ");
	member_show(out, &a->show, one, "file", CELL_TEXT);
	buf_put_str(out, ": ");
	member_show(out, &a->show, one, "what", CELL_TEXT);
	buf_put_str(out, " (");
	member_show(out, &a->show, one, "action", CELL_TEXT);
	if (member_int(one, "records", &records) && records) {
		buf_put_str(out, ", ");
		member_show(out, &a->show, one, "records", CELL_NUMBER);
		buf_put_str(out, " of the ");
		member_show(out, &a->show, one, "resource", CELL_TEXT);
		buf_put_str(out, " from ");
		member_show(out, &a->show, one, "start", CELL_TIME);
		buf_put_str(out, " to ");
		member_show(out, &a->show, one, "end", CELL_TIME);
	}
	buf_put_str(out, ")\n");
}

static void put_verified(struct app *a, struct bytes result)
{
	struct mp_reader sources, damaged;
	struct bytes source, one;

	if (!array_of(member(result, "sources"), &sources))
		return;
	while (mp_take(&sources, &source) == 1) {
		put_checked(a, &a->out.buf, source);
		if (!array_of(member(result, "damaged"), &damaged))
			continue;
		while (mp_take(&damaged, &one) == 1)
			if (bytes_equal(member_str(one, "source"), member_str(source, "source")))
				put_damage(a, &a->out.buf, one);
	}
}

static int print_result(struct app *a, struct bytes result, const char *rows,
			const struct column *list, void (*words)(struct app *a, struct bytes result))
{
	struct columns columns;

	if (a->format == FORMAT_JSON)
		return app_print_json(a, result);
	if (a->format == FORMAT_TABLE) {
		words(a, result);
		return 0;
	}
	columns_of_list(&columns, list);
	return app_print_rows(a, member(result, rows), &columns, NULL);
}

int care_verify(struct app *a)
{
	static const struct column list[] = {
		{"source", NULL, CELL_TEXT},   {"file", NULL, CELL_TEXT},
		{"resource", NULL, CELL_TEXT}, {"start", NULL, CELL_TEXT},
		{"end", NULL, CELL_TEXT},      {"records", NULL, CELL_TEXT},
		{"what", NULL, CELL_TEXT},     {"action", NULL, CELL_TEXT},
		{NULL, NULL, CELL_TEXT},
	};
	struct params p = {0};
	struct bytes result;
	int64_t damage = 0;

	params_str(&p, "source", app_value(a, OPT_SOURCE));
	int code = sync_watch_call(a, "verify", params_end(&p), "nothing more is checked", &result);
	params_release(&p);
	if (code)
		return code;
	if (!member_int(result, "damage", &damage))
		return report_error(&a->report, EXIT_PROTOCOL, "protocol",
				    "ficd's answer does not tell of damage");
	code = print_result(a, result, "damaged", list, put_verified);
	return code ? code : damage ? EXIT_NO : 0;
}

/* --- prune --- */

static void put_pruned(struct app *a, struct bytes result)
{
	struct buf *out = &a->out.buf;
	bool dry = member_true(result, "dry_run"), any = false;
	struct mp_reader r;
	struct bytes row;

	if (array_of(member(result, "dropped"), &r))
		for (; mp_take(&r, &row) == 1; any = true) {
			member_show(out, &a->show, row, "source", CELL_TEXT);
			buf_put_str(out, ": ");
			member_show(out, &a->show, row, "records", CELL_NUMBER);
			buf_put_byte(out, ' ');
			member_show(out, &a->show, row, "resource", CELL_TEXT);
			buf_put_str(out, dry ? " would be dropped, all from before "
					     : " dropped, all from before ");
			member_show(out, &a->show, row, "kept_from", CELL_TIME);
			buf_put_byte(out, '\n');
		}
	if (!any)
		buf_put_str(out, "everything is kept for ever: no retain is configured\n");
	if (dry || !any)
		return;
	member_show(out, &a->show, result, "bytes_before", CELL_BYTES);
	buf_put_str(out, " on disk before, ");
	member_show(out, &a->show, result, "bytes", CELL_BYTES);
	buf_put_str(out, " now; files are still being merged\n");
}

int care_prune(struct app *a)
{
	static const struct column list[] = {
		{"source", NULL, CELL_TEXT},    {"resource", NULL, CELL_TEXT},
		{"kept_from", NULL, CELL_TEXT}, {"records", NULL, CELL_TEXT},
		{NULL, NULL, CELL_TEXT},
	};
	struct params p = {0};
	struct bytes result;

	params_str(&p, "source", app_value(a, OPT_SOURCE));
	if (app_given(a, OPT_DRY_RUN))
		params_bool(&p, "dry_run", true);
	int code = sync_watch_call(a, "prune", params_end(&p), "what was begun goes on", &result);
	params_release(&p);
	return code ? code : print_result(a, result, "dropped", list, put_pruned);
}

/* --- reload --- */

int care_reload(struct app *a)
{
	struct bytes result;
	int code = app_call(a, "reload", bytes_of(NULL, 0), &result);

	if (code)
		return code;
	if (a->format == FORMAT_JSON)
		return app_print_json(a, result);
	struct bytes waits = member_str(result, "restart_needed");
	if (waits.len) {
		buf_put_str(&a->out.buf, "read again; only a restart brings into force: ");
		member_show(&a->out.buf, &a->show, result, "restart_needed", CELL_TEXT);
	} else {
		member_show(&a->out.buf, &a->show, result, "path", CELL_TEXT);
		buf_put_str(&a->out.buf, " was read again and is in force");
	}
	buf_put_byte(&a->out.buf, '\n');
	return 0;
}
