/* alerts: see the header. Changes nothing; the test sends notices. */
#include "alerts.h"

#include "inspect.h"

#include <codec/msgpack.h>

#include <sysexits.h>

/* Calls `each` with every map of an array. */
static void each_of(struct app *a, struct bytes array,
		    void (*each)(struct app *a, struct bytes alert, struct bytes item),
		    struct bytes alert)
{
	struct mp_reader r = mp_reader_of(array);
	struct mp_value head;
	struct bytes item;

	if (!array.data || mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return;
	while (mp_take(&r, &item) == 1)
		each(a, alert, item);
}

static void put_way(struct app *a, struct bytes alert, struct bytes way)
{
	struct buf *out = &a->out.buf;
	int64_t waiting = 0;

	buf_put_str(out, "  ");
	member_show(out, &a->show, alert, "name", CELL_TEXT);
	buf_put_str(out, " by ");
	member_show(out, &a->show, way, "way", CELL_TEXT);
	buf_put_str(out, ": ");
	member_show(out, &a->show, way, "sent", CELL_NUMBER);
	buf_put_str(out, " sent");
	if (mp_find_int(way, "waiting", &waiting) && waiting)
		buf_printf(out, ", %lld waiting", (long long)waiting);
	if (member_str(way, "error").len) {
		buf_put_str(out, ", the last attempt failed: ");
		member_show(out, &a->show, way, "error", CELL_TEXT);
	}
	buf_put_byte(out, '\n');
}

static void put_alert(struct app *a, struct bytes none, struct bytes alert)
{
	(void)none;
	each_of(a, member(alert, "ways"), put_way, alert);
}

static bool is_empty(struct bytes array)
{
	struct mp_value head;
	struct mp_reader r = mp_reader_of(array);

	return mp_next(&r, &head) != 1 || head.type != MP_ARRAY || head.count == 0;
}

static int list(struct app *a)
{
	static const struct column columns[] = {
		{"alert", "ALERT", CELL_TEXT},       {"source", "SOURCE", CELL_TEXT},
		{"resource", "RESOURCE", CELL_TEXT}, {"condition", "CONDITION", CELL_TEXT},
		{"since", "SINCE", CELL_AGO},        {"told", NULL, CELL_TIME},
		{"text", "WHAT", CELL_TEXT},         {NULL, NULL, CELL_TEXT},
	};
	struct bytes result;

	int code = app_call(a, "alerts", bytes_of(NULL, 0), &result);
	if (code)
		return code;
	if (a->format == FORMAT_JSON)
		return app_print_json(a, result);
	struct bytes alerts = member(result, "alerts");
	code = inspect_print_flat(a, alerts, "raised", "alert", NULL, columns);
	if (code || a->format != FORMAT_TABLE)
		return code;
	if (is_empty(alerts))
		buf_put_str(&a->out.buf, "no alert is configured: see [alert NAME] in ficd.conf(5)\n");
	else
		each_of(a, alerts, put_alert, bytes_of(NULL, 0));
	return 0;
}

static int test(struct app *a)
{
	static const struct column columns[] = {
		{"alert", "ALERT", CELL_TEXT}, {"way", "WAY", CELL_TEXT},
		{"sent", "SENT", CELL_YES},    {"error", "ERROR", CELL_TEXT},
		{NULL, NULL, CELL_TEXT},
	};
	struct params p = {0};
	struct columns list_of;
	struct bytes result;

	params_str(&p, "name", app_arg(a, 1));
	int code = app_call(a, "alerts_test", params_end(&p), &result);
	params_release(&p);
	if (code)
		return code;
	columns_of_list(&list_of, columns);
	struct bytes results = member(result, "results"), item;
	code = a->format == FORMAT_JSON ? app_print_json(a, result)
					: app_print_rows(a, results, &list_of, NULL);
	struct mp_reader r = mp_reader_of(results);
	struct mp_value head;
	bool sent = true, one;
	if (mp_next(&r, &head) == 1 && head.type == MP_ARRAY)
		while (mp_take(&r, &item) == 1)
			sent = sent && mp_find_bool(item, "sent", &one) && one;
	return code || sent ? code : EX_UNAVAILABLE;
}

int alerts_command(struct app *a)
{
	const char *word = app_arg(a, 0);

	if (!word)
		return list(a);
	if (strcmp(word, "test") == 0)
		return test(a);
	return report_error(&a->report, EXIT_USAGE, "usage",
			    "ficq alerts, or ficq alerts test [NAME]");
}
