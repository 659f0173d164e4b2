/* dead: the command about records that cannot be read. What they are is listed by ask.c; here they are tried again or given up. */
#include "dead.h"

#include "ask.h"

#include <codec/msgpack.h>

static int change(struct app *a, const char *verb, const char *method, const char *key)
{
	const char *id = app_arg(a, 1);
	struct params p = {0};
	struct bytes result;
	int64_t count = 0, queued = 0;

	if (!id == !app_given(a, OPT_ALL))
		return report_error(&a->report, EXIT_USAGE, "usage",
				    "dead %s takes an ID of 'ficq dead', or --all", verb);
	params_str(&p, "source", app_value(a, OPT_SOURCE));
	params_str(&p, "id", id);
	int code = app_call(a, method, params_end(&p), &result);
	params_release(&p);
	if (code)
		return code;
	if (a->format == FORMAT_JSON)
		return app_print_json(a, result);
	mp_find_int(result, key, &count);
	mp_find_int(result, "queued", &queued);
	if (count || !queued)
		buf_printf(&a->out.buf, "%lld %s\n", (long long)count, key);
	if (queued)
		buf_printf(&a->out.buf, "%lld queued already\n", (long long)queued);
	return 0;
}

int dead_command(struct app *a)
{
	const char *word = app_arg(a, 0);

	if (word && strcmp(word, "retry") == 0)
		return change(a, word, "dead_retry", "retried");
	if (word && strcmp(word, "drop") == 0)
		return change(a, word, "dead_drop", "dropped");
	if (app_arg(a, 1))
		return report_error(&a->report, EXIT_USAGE, "usage",
				    "ficq dead [ID], ficq dead retry ID, or ficq dead drop ID");
	return ask_dead(a);
}
