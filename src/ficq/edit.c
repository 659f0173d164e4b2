/* edit: FIELD=VALUE into an edit, and its fate into words and an exit code. What a field takes only the daemon knows. */
#include "edit.h"

#include "text.h"

#include <base/when.h>
#include <codec/json.h>
#include <codec/msgpack.h>

#include <stdio.h>
#include <stdlib.h>

/* FIELD=TEXT or FIELD:=JSON, as a pair. */
static int put_field(struct app *a, const char *arg, struct buf *out)
{
	const char *sign = strchr(arg, '=');
	struct why why = {""};

	if (!sign || sign == arg || (sign == arg + 1 && arg[0] == ':'))
		return report_error(&a->report, EXIT_USAGE, "usage",
				    "'%.60s' is not FIELD=VALUE, as in state=closed", arg);
	bool json = sign[-1] == ':';
	mp_put_str(out, bytes_of(arg, (size_t)(sign - arg) - json));
	if (!json) {
		mp_put_cstr(out, sign + 1);
		return 0;
	}
	if (json_to_msgpack(bytes_str(sign + 1), JSON_STRICT, out, &why))
		return report_error(&a->report, EXIT_DATA, "data", "'%.60s' is no JSON: %s",
				    sign + 1, why.text);
	return 0;
}

static int put_set(struct app *a, struct params *p)
{
	struct buf set = {0};
	uint32_t n = 0;
	int code = 0;

	size_t mark = mp_begin_map(&set);
	for (const char *arg; code == 0 && (arg = app_arg(a, 2 + n)); n++)
		code = put_field(a, arg, &set);
	mp_end_map(&set, mark, n);
	if (code == 0)
		params_value(p, "set", buf_bytes(&set));
	buf_release(&set);
	return code;
}

static int exit_of(struct bytes edit)
{
	struct bytes state = member_str(edit, "state");

	return bytes_is(state, "conflict") ? EXIT_CONFLICTS
	       : bytes_is(state, "failed") ? EXIT_NO
					   : EXIT_OK;
}

/* "edit 12: conflict: the same field was changed upstream" */
static void print_edit(struct app *a, struct bytes edit)
{
	struct buf *out = &a->out.buf;
	struct bytes state = member_str(edit, "state"), error = member_str(edit, "error");
	bool unchanged = false;
	int64_t id;

	if (mp_find_bool(edit, "unchanged", &unchanged) && unchanged) {
		buf_put_str(out, "unchanged: the record is like that already\n");
		return;
	}
	if (mp_find_int(edit, "id", &id))
		buf_printf(out, "edit %lld: ", (long long)id);
	text_clean(out, state, TEXT_LINE, a->show.ascii);
	if (error.len) {
		buf_put_str(out, ": ");
		text_clean(out, error, TEXT_LINE, a->show.ascii);
	}
	buf_put_byte(out, '\n');
}

static int show(struct app *a, struct bytes edit)
{
	int code = 0;

	if (a->format == FORMAT_JSON)
		code = app_print_json(a, edit);
	else if (a->format == FORMAT_MSGPACK)
		buf_put_bytes(&a->out.buf, edit);
	else
		print_edit(a, edit);
	return code ? code : exit_of(edit);
}

int edit_command(struct app *a)
{
	bool wait = app_given(a, OPT_WAIT) || (a->term.err_tty && !app_given(a, OPT_NO_WAIT));
	struct params p = {0};
	struct bytes result;
	int code = put_set(a, &p);

	params_str(&p, "resource", app_arg(a, 0));
	params_str(&p, "id", app_arg(a, 1));
	params_str(&p, "source", app_value(a, OPT_SOURCE));
	params_str(&p, "expect_updated", app_value(a, OPT_EXPECT));
	if (wait) {
		params_bool(&p, "wait", true);
		/* Its answer comes before this side's patience ends. */
		params_int(&p, "timeout_ms", a->timeout_ms > 2000 ? a->timeout_ms - 1000 : 1000);
	}
	if (code == 0)
		code = app_call(a, "edit", params_end(&p), &result);
	params_release(&p);
	return code ? code : show(a, result);
}

int edit_resolve(struct app *a)
{
	const char *id = app_arg(a, 0);
	struct params p = {0};
	struct bytes result;
	char *end;
	long long number = strtoll(id, &end, 10);

	if (*end || number <= 0)
		return report_error(&a->report, EXIT_USAGE, "usage",
				    "'%.40s' is no number of an edit", id);
	params_int(&p, "id", number);
	params_str(&p, "resolution", app_arg(a, 1));
	params_str(&p, "source", app_value(a, OPT_SOURCE));
	int code = app_call(a, "edit_resolve", params_end(&p), &result);
	params_release(&p);
	return code ? code : show(a, result);
}
