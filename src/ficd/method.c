/* method: the table of methods, and the checks that all of them share. What each does is in method_*.c. */
#include "method.h"
#include "pairs.h"
#include "params.h"

#include <base/suggest.h>
#include <codec/msgpack.h>

#include <assert.h>
#include <stdio.h>

static const struct param no_params[] = {{NULL, PARAM_TEXT, false}};

static const struct param source_params[] = {{"source", PARAM_TEXT, false}, {NULL, PARAM_TEXT, false}};

static const struct param query_params[] = {
	{"resource", PARAM_TEXT, true},     {"source", PARAM_TEXT, false},
	{"since", PARAM_TIME, false},       {"until", PARAM_TIME, false},
	{"axis", PARAM_TEXT, false},        {"where", PARAM_TEXT, false},
	{"timezone", PARAM_TEXT, false},    {"text", PARAM_TEXT, false},
	{"sort", PARAM_TEXT, false},        {"limit", PARAM_INTEGER, false},
	{"cursor", PARAM_TEXT, false},      {"fields", PARAM_TEXTS, false},
	{"total", PARAM_BOOL, false},       {"doc", PARAM_BOOL, false},
	{"max_age", PARAM_DURATION, false}, {"require", PARAM_TEXT, false},
	{"on_stale", PARAM_TEXT, false},    {"timeout_ms", PARAM_INTEGER, false},
	{"stream", PARAM_BOOL, false},      {NULL, PARAM_TEXT, false},
};

static const struct param aggregate_params[] = {
	{"resource", PARAM_TEXT, true},       {"source", PARAM_TEXT, false},
	{"since", PARAM_TIME, false},         {"until", PARAM_TIME, false},
	{"axis", PARAM_TEXT, false},          {"where", PARAM_TEXT, false},
	{"text", PARAM_TEXT, false},          {"group_by", PARAM_TEXTS, false},
	{"metrics", PARAM_TEXTS, false},      {"timezone", PARAM_TEXT, false},
	{"limit", PARAM_INTEGER, false},      {"max_age", PARAM_DURATION, false},
	{"require", PARAM_TEXT, false},       {"on_stale", PARAM_TEXT, false},
	{"timeout_ms", PARAM_INTEGER, false}, {NULL, PARAM_TEXT, false},
};

static const struct param get_params[] = {
	{"resource", PARAM_TEXT, true},       {"id", PARAM_TEXT, true},
	{"source", PARAM_TEXT, false},        {"fields", PARAM_TEXTS, false},
	{"live", PARAM_BOOL, false},          {"max_age", PARAM_DURATION, false},
	{"require", PARAM_TEXT, false},       {"on_stale", PARAM_TEXT, false},
	{"timeout_ms", PARAM_INTEGER, false}, {NULL, PARAM_TEXT, false},
};

static const struct param thread_params[] = {
	{"id", PARAM_TEXT, true},           {"resource", PARAM_TEXT, false},
	{"source", PARAM_TEXT, false},      {"live", PARAM_BOOL, false},
	{"max_age", PARAM_DURATION, false}, {"require", PARAM_TEXT, false},
	{"on_stale", PARAM_TEXT, false},    {"timeout_ms", PARAM_INTEGER, false},
	{"fields", PARAM_TEXTS, false},     {NULL, PARAM_TEXT, false},
};

static const struct param freshness_params[] = {
	{"resource", PARAM_TEXT, false}, {"source", PARAM_TEXT, false},
	{"since", PARAM_TIME, false},    {"until", PARAM_TIME, false},
	{"axis", PARAM_TEXT, false},     {"max_age", PARAM_DURATION, false},
	{NULL, PARAM_TEXT, false},
};

static const struct param coverage_params[] = {
	{"resource", PARAM_TEXT, false},
	{"source", PARAM_TEXT, false},
	{NULL, PARAM_TEXT, false},
};

static const struct param changes_params[] = {
	{"source", PARAM_TEXT, false},   {"resource", PARAM_TEXTS, false},
	{"since", PARAM_ID, false},      {"follow", PARAM_BOOL, false},
	{"where", PARAM_TEXT, false},    {"timezone", PARAM_TEXT, false},
	{"limit", PARAM_INTEGER, false}, {"fields", PARAM_TEXTS, false},
	{"doc", PARAM_BOOL, false},      {NULL, PARAM_TEXT, false},
};

static const struct param cancel_params[] = {{"id", PARAM_ID, true}, {NULL, PARAM_TEXT, false}};

static const struct param sync_params[] = {
	{"source", PARAM_TEXT, false}, {"resource", PARAM_TEXTS, false},
	{"mode", PARAM_TEXT, false},   {"since", PARAM_TIME, false},
	{"until", PARAM_TIME, false},  {"ids", PARAM_TEXTS, false},
	{"wait", PARAM_BOOL, false},   {"dry_run", PARAM_BOOL, false},
	{NULL, PARAM_TEXT, false},
};

static const struct param prune_params[] = {
	{"source", PARAM_TEXT, false},
	{"dry_run", PARAM_BOOL, false},
	{NULL, PARAM_TEXT, false},
};

static const struct param forget_params[] = {
	{"resource", PARAM_TEXT, true}, {"id", PARAM_TEXT, true},  {"source", PARAM_TEXT, false},
	{"dry_run", PARAM_BOOL, false}, {NULL, PARAM_TEXT, false},
};

static const struct param runs_params[] = {
	{"source", PARAM_TEXT, false},   {"resource", PARAM_TEXT, false},
	{"limit", PARAM_INTEGER, false}, {"cursor", PARAM_TEXT, false},
	{NULL, PARAM_TEXT, false},
};

static const struct param dead_params[] = {
	{"id", PARAM_TEXT, false},      {"source", PARAM_TEXT, false},
	{"dropped", PARAM_BOOL, false}, {"limit", PARAM_INTEGER, false},
	{"cursor", PARAM_TEXT, false},  {NULL, PARAM_TEXT, false},
};

static const struct param letter_params[] = {
	{"id", PARAM_TEXT, false}, {"source", PARAM_TEXT, false}, {NULL, PARAM_TEXT, false}};

static const struct param live_params[] = {
	{"path", PARAM_TEXT, true},    {"params", PARAM_MAP, false},
	{"source", PARAM_TEXT, false}, {"timeout_ms", PARAM_INTEGER, false},
	{NULL, PARAM_TEXT, false},
};

static const struct param alert_params[] = {{"name", PARAM_TEXT, false}, {NULL, PARAM_TEXT, false}};

static const struct param edit_params[] = {
	{"resource", PARAM_TEXT, true},
	{"id", PARAM_TEXT, true},
	{"set", PARAM_MAP, true},
	{"source", PARAM_TEXT, false},
	{"expect_updated", PARAM_TIME, false},
	{"wait", PARAM_BOOL, false},
	{"timeout_ms", PARAM_INTEGER, false},
	{NULL, PARAM_TEXT, false},
};

static const struct param edits_params[] = {
	{"id", PARAM_INTEGER, false},    {"source", PARAM_TEXT, false},
	{"resource", PARAM_TEXT, false}, {"record", PARAM_TEXT, false},
	{"state", PARAM_TEXTS, false},   {"all", PARAM_BOOL, false},
	{"limit", PARAM_INTEGER, false}, {"cursor", PARAM_TEXT, false},
	{NULL, PARAM_TEXT, false},
};

static const struct param resolve_params[] = {
	{"id", PARAM_INTEGER, true},
	{"resolution", PARAM_TEXT, true},
	{"source", PARAM_TEXT, false},
	{NULL, PARAM_TEXT, false},
};

const struct method methods[] = {
	{"hello", false, false, no_params, method_hello},
	{"status", false, false, source_params, method_status},
	{"resources", false, false, source_params, method_resources},
	{"query", false, true, query_params, method_query},
	{"aggregate", false, true, aggregate_params, method_aggregate},
	{"get", false, true, get_params, method_get},
	{"thread", false, true, thread_params, method_thread},
	{"freshness", false, true, freshness_params, method_freshness},
	{"coverage", false, false, coverage_params, method_coverage},
	{"changes", false, false, changes_params, method_changes},
	{"cancel", false, false, cancel_params, method_cancel},
	{"sync", true, false, sync_params, method_sync},
	{"runs", false, false, runs_params, method_runs},
	{"verify", true, false, source_params, method_verify},
	{"prune", true, false, prune_params, method_prune},
	{"forget", true, false, forget_params, method_forget},
	{"dead", false, false, dead_params, method_dead},
	{"dead_retry", true, false, letter_params, method_dead_retry},
	{"dead_drop", true, false, letter_params, method_dead_drop},
	{"alerts", false, false, no_params, method_alerts},
	{"alerts_test", true, false, alert_params, method_alerts_test},
	{"edit", true, false, edit_params, method_edit},
	{"edits", false, false, edits_params, method_edits},
	{"edit_resolve", true, false, resolve_params, method_edit_resolve},
	{"reload", true, false, no_params, method_reload},
	{"config", false, false, no_params, method_config},
	{"live", true, false, live_params, method_live},
	{NULL, false, false, NULL, NULL},
};

_Static_assert(sizeof methods / sizeof *methods <= METHODS_MAX, "all are counted");
_Static_assert(sizeof query_params / sizeof *query_params - 1 <= REQUEST_PARAMS_MAX,
	       "the method with the most parameters can be given all of them");

/* ---- checks ---- */

static bool value_fits(enum mp_type is, enum param_type type)
{
	switch (type) {
	case PARAM_TEXT: return is == MP_STR;
	case PARAM_ID:
	case PARAM_TIME:
	case PARAM_DURATION: return is == MP_STR || is == MP_INT;
	case PARAM_INTEGER: return is == MP_INT;
	case PARAM_BOOL: return is == MP_BOOL;
	case PARAM_TEXTS: return is == MP_STR || is == MP_ARRAY;
	case PARAM_MAP: return is == MP_MAP;
	}
	return false;
}

static const char *type_words(enum param_type type)
{
	static const char *const words[] = {
		[PARAM_TEXT] = "text",
		[PARAM_INTEGER] = "an integer",
		[PARAM_BOOL] = "true or false",
		[PARAM_TEXTS] = "text or a list of texts",
		[PARAM_TIME] = "a time",
		[PARAM_DURATION] = "a duration",
		[PARAM_ID] = "an integer or a text",
		[PARAM_MAP] = "an object of names and values",
	};

	return words[type];
}

static void refuse_name(struct request *r, struct bytes name)
{
	const char *names[32] = {NULL};
	char hint[120] = "this method takes no parameters";
	size_t n = 0;

	for (const struct param *p = r->method->params; p->name && n < 31; p++)
		names[n++] = p->name;
	const char *near = suggest(name, names);
	if (near)
		snprintf(hint, sizeof hint, "did you mean '%s'?", near);
	else if (n)
		snprintf(hint, sizeof hint, "see ficd-protocol(7) for what '%s' takes",
			 r->method->name);
	request_error(r, RPC_INVALID_PARAMS, "unknown_parameter", hint, "%s has no parameter '%.*s'",
		      r->method->name, (int)(name.len > 60 ? 60 : name.len), (const char *)name.data);
}

static const struct param *param_find(const struct method *m, struct bytes name)
{
	for (const struct param *p = m->params; p->name; p++)
		if (name.len && *name.data == (uint8_t)*p->name && bytes_is(name, p->name))
			return p;
	return NULL;
}

/* One that is given twice counts where it comes first. */
static void note_given(struct request *r, const char *name, struct bytes whole)
{
	for (unsigned i = 0; i < r->given_count; i++)
		if (r->given[i].name == name)
			return;
	assert(r->given_count < REQUEST_PARAMS_MAX);
	r->given[r->given_count++] = (struct given){name, whole};
}

/* Every parameter is known and of its type, and noted. False: the error was sent. */
static bool check_given(struct request *r)
{
	struct mp_reader reader = mp_reader_of(r->rpc.params);
	struct mp_value head, key, value;
	struct bytes whole;

	if (r->rpc.params.len == 0 || mp_next(&reader, &head) != 1 || head.type == MP_NIL)
		return true;
	if (head.type != MP_MAP) {
		request_error(r, RPC_INVALID_PARAMS, "parameters", "give parameters by name",
			      "%s takes its parameters by name", r->method->name);
		return false;
	}
	for (uint32_t i = 0; i < head.count; i++) {
		if (mp_next(&reader, &key) == 1 && key.type != MP_STR) {
			request_error(r, RPC_INVALID_PARAMS, "parameters",
				      "give each parameter by its name, a text",
				      "the name of parameter %u is no text", (unsigned)i + 1);
			return false;
		}
		if (mp_take(&reader, &whole) != 1) {
			request_error(r, RPC_INVALID_PARAMS, "parameters", NULL,
				      "the parameters cannot be read");
			return false;
		}
		const struct param *p = param_find(r->method, key.str);
		if (!p) {
			refuse_name(r, key.str);
			return false;
		}
		if (mp_get(whole, &value) && value.type != MP_NIL && !value_fits(value.type, p->type)) {
			request_error(r, RPC_INVALID_PARAMS, "parameter_type", NULL,
				      "'%s' must be %s", p->name, type_words(p->type));
			return false;
		}
		note_given(r, p->name, whole);
	}
	return true;
}

static bool check_required(struct request *r)
{
	struct bytes whole;

	for (const struct param *p = r->method->params; p->name; p++)
		if (p->required && !param_raw(r, p->name, &whole)) {
			request_error(r, RPC_INVALID_PARAMS, "parameter_missing", NULL,
				      "%s needs '%s'", r->method->name, p->name);
			return false;
		}
	return true;
}

static const struct method *method_find(struct bytes name)
{
	for (const struct method *m = methods; m->name; m++)
		if (name.len && *name.data == (uint8_t)*m->name && bytes_is(name, m->name))
			return m;
	return NULL;
}

static void refuse_method(struct request *r)
{
	const char *names[32] = {NULL};
	char hint[80] = "see ficd-protocol(7)";
	size_t n = 0;

	for (const struct method *m = methods; m->name && n < 31; m++)
		names[n++] = m->name;
	const char *near = suggest(r->rpc.method, names);
	if (near)
		snprintf(hint, sizeof hint, "did you mean '%s'?", near);
	request_error(r, RPC_NO_METHOD, "no_method", hint, "there is no method '%.*s'",
		      (int)(r->rpc.method.len > 60 ? 60 : r->rpc.method.len),
		      (const char *)r->rpc.method.data);
}

void method_cancel(struct request *r)
{
	struct bytes id;

	param_raw(r, "id", &id);
	bool canceled = session_cancel(r, id);
	mp_put_map(&r->result, 1);
	put_bool(&r->result, "canceled", canceled);
	request_answer(r);
}

void method_dispatch(struct request *r, bool may_read, bool may_write)
{
	r->method = method_find(r->rpc.method);
	if (r->method && r->method->judged)
		r->answers = r->daemon->answers[r->method - methods];
	if (!r->method)
		refuse_method(r);
	else if (r->method->writes ? !may_write : !may_read)
		request_error(r, RPC_FORBIDDEN, "forbidden",
			      r->method->writes ? "ask for a place in allow_write of ficd.conf"
						: "ask for a place in allow_read of ficd.conf",
			      "this user may not call '%s'", r->method->name);
	else if (check_given(r) && check_required(r))
		r->method->call(r);
}
