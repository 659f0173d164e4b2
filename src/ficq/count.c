/* count: one number, or with --by and --metric a row for each group. */
#include "count.h"

#include "ask.h"

#include <base/zone.h>

#include <errno.h>
#include <stdlib.h>
#include <codec/msgpack.h>

static int put_limit(struct app *a, struct params *p)
{
	const char *text = app_value(a, OPT_LIMIT);
	char *end;

	if (!text)
		return 0;
	errno = 0;
	unsigned long n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || n > 10000)
		return report_error(&a->report, EXIT_USAGE, "usage",
				    "--limit: \"%.40s\" is no number of groups (at most 10000)",
				    text);
	params_int(p, "limit", (int64_t)n);
	return 0;
}

/* A span of time is called by its beginning, as finely as it says something; another field is what it is. */
static enum cell_kind kind_of_group(const char *name)
{
	static const struct {
		const char *name;
		enum cell_kind kind;
	} buckets[] = {
		{"hour", CELL_HOUR}, {"day", CELL_DAY}, {"week", CELL_DAY}, {"month", CELL_MONTH}};
	size_t len = strcspn(name, ":,");

	for (size_t i = 0; i < sizeof buckets / sizeof *buckets; i++)
		if (strlen(buckets[i].name) == len && memcmp(buckets[i].name, name, len) == 0)
			return buckets[i].kind;
	return columns_kind(name);
}

bool count_by_time(const struct app *a)
{
	const char *by = app_value(a, OPT_BY);
	enum cell_kind kind = by ? kind_of_group(by) : CELL_TEXT;

	return kind == CELL_HOUR || kind == CELL_DAY || kind == CELL_MONTH;
}

/* "count", or a number about a field: spans of time stay such. */
static enum cell_kind kind_of_metric(const char *metric)
{
	const char *field = strchr(metric, ':');
	enum cell_kind kind = field ? columns_kind(field + 1) : CELL_NUMBER;
	bool number = strncmp(metric, "count", 5) == 0 || (kind != CELL_SECONDS && kind != CELL_TIME);

	return number ? CELL_NUMBER : kind;
}

/* What a group has, in the order of the command line: what it is grouped by, its count, the metrics. */
static int choose_columns(struct app *a, struct columns *c)
{
	const char *by = app_value(a, OPT_BY), *metrics = app_value(a, OPT_METRIC);
	struct buf names = {0};
	bool counted = false;

	buf_printf(&names, "%s,count", by ? by : "");
	for (const char *m = metrics; m && *m; m += strcspn(m, ","), m += *m == ',') {
		int len = (int)strcspn(m, ",");
		if (len != 5 || memcmp(m, "count", 5) != 0)
			buf_printf(&names, ",%.*s", len, m);
	}
	int rc = names.error ? names.error : columns_of_fields(c, buf_text(&names));
	buf_release(&names);
	if (rc)
		return report_error(&a->report, EXIT_USAGE, "usage",
				    "--by and --metric: more than %d columns", COLUMNS_MAX);
	for (size_t i = 0; i < c->count; i++) {
		struct column *column = &c->items[i];
		counted |= strcmp(column->path, "count") == 0;
		c->groups += !counted;
		column->kind = counted ? kind_of_metric(column->path) : kind_of_group(column->path);
	}
	return 0;
}

static int print_groups(struct app *a, struct bytes result, const struct columns *columns)
{
	struct bytes groups = member(result, "groups");
	struct mp_value head = {.count = 1};
	int64_t found;

	if (!groups.data)
		return report_error(&a->report, EXIT_PROTOCOL, "protocol",
				    "ficd's answer has no groups");
	app_note_worth(a, result);
	if (a->format == FORMAT_JSON)
		return app_print_json(a, result);
	bool counted = mp_get(groups, &head) && member_int(result, "groups_found", &found);
	if (counted && found > head.count)
		app_remark(a, true, "%u of %lld groups; -n 0 for all", head.count, (long long)found);
	else if (head.count == 0 && a->format == FORMAT_TABLE && a->term.out_tty)
		app_remark(a, false, "nothing was found");
	int code = app_print_rows(a, groups, columns, NULL);
	if (code == 0 && head.count == 0)
		ask_remark_values(a, app_arg(a, 0));
	return code;
}

static int count_groups(struct app *a)
{
	struct columns columns;
	struct params p = {0};
	struct bytes result;

	int code = choose_columns(a, &columns);
	if (code)
		return code;
	code = app_load_names(a, &columns);
	if (code == 0)
		code = ask_put_question(a, &p);
	if (code == 0)
		code = put_limit(a, &p);
	if (code == 0) {
		params_list(&p, "group_by", app_value(a, OPT_BY));
		params_list(&p, "metrics", app_value(a, OPT_METRIC));
		if (!app_value(a, OPT_WHERE)) /* with it goes the zone */
			params_str(&p, "timezone", zone_name(a->zone));
		code = app_call(a, "aggregate", params_end(&p), &result);
	}
	params_release(&p);
	if (code == 0)
		code = print_groups(a, result, &columns);
	columns_release(&columns);
	return code;
}

static int count_all(struct app *a)
{
	struct params p = {0};
	struct bytes result, total;
	int64_t n;

	int code = ask_put_question(a, &p);
	if (code == 0) {
		params_int(&p, "limit", 0);
		params_bool(&p, "total", true);
		code = app_call(a, "query", params_end(&p), &result);
	}
	params_release(&p);
	if (code)
		return code;
	total = member(result, "total");
	if (!total.data)
		return report_error(&a->report, EXIT_PROTOCOL, "protocol",
				    "ficd's answer has no total");
	app_note_worth(a, result);
	if (a->format == FORMAT_JSON)
		return app_print_json(a, result);
	if (a->format == FORMAT_MSGPACK)
		buf_put_bytes(&a->out.buf, total);
	else
		cell_raw(&a->out.buf, total);
	if (a->format != FORMAT_MSGPACK)
		buf_put_byte(&a->out.buf, '\n');
	if (member_int(result, "total", &n) && n == 0)
		ask_remark_values(a, app_arg(a, 0));
	return 0;
}

int count_records(struct app *a)
{
	ask_remark_words(a, app_value(a, OPT_TEXT));
	if (app_given(a, OPT_BY) || app_given(a, OPT_METRIC))
		return count_groups(a);
	if (app_given(a, OPT_LIMIT))
		return report_error(&a->report, EXIT_USAGE, "usage",
				    "--limit is about groups: it needs --by");
	return count_all(a);
}
