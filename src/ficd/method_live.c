/*
 * method_live: a GET that a client asks for is passed to the provider, within the budget, and its answer passed back. Nothing of it is stored.
 *
 * It reaches what is not held, also what the configuration keeps out of the store, and spends calls: so it is for those who may write.
 */
#include "method.h"
#include "pairs.h"
#include "params.h"

#include <codec/msgpack.h>
#include <source/pass.h>

#include <stdio.h>
#include <stdlib.h>

#define ANSWER_MAX      (4 * 1024 * 1024) /* as MessagePack; what is longer is read page by page */
#define PARAMETERS_MAX  64
#define WAIT_DEFAULT_MS 30000
#define WAIT_MAX_MS     (10 * 60 * 1000)

struct passing {
	struct request *request;
	struct sync_pass *pass;
	struct timer *timer;
};

static void passing_release(struct request *r)
{
	struct passing *p = r->state;

	sync_pass_drop(p->pass);
	timer_free(p->timer);
	free(p);
}

/* ---- what is asked ---- */

struct parameters {
	struct pass_parameter list[PARAMETERS_MAX];
	size_t count;
	struct buf numbers; /* values that were no texts */
};

/* One value of a parameter; a text is borrowed. False: it cannot be one. */
static bool add(struct parameters *p, struct bytes name, struct bytes whole)
{
	struct mp_value v;
	size_t at = p->numbers.len;

	if (p->count == PARAMETERS_MAX || !mp_get(whole, &v))
		return false;
	if (v.type == MP_INT)
		buf_printf(&p->numbers, "%lld", (long long)v.integer);
	else if (v.type == MP_BOOL)
		buf_put_str(&p->numbers, v.boolean ? "true" : "false");
	else if (v.type != MP_STR)
		return false;
	/* The buffer was made as large as it can get: what points into it stays. */
	p->list[p->count++] = (struct pass_parameter){
		name, v.type == MP_STR ? v.str : bytes_of(p->numbers.data + at, p->numbers.len - at)};
	return !p->numbers.error;
}

/* A list gives the name once for each of its items. */
static bool add_all(struct parameters *p, struct bytes name, struct bytes whole)
{
	struct mp_reader items = mp_reader_of(whole);
	struct mp_value head;
	struct bytes item;

	if (mp_next(&items, &head) != 1 || head.type != MP_ARRAY)
		return add(p, name, whole);
	while (mp_take(&items, &item) == 1)
		if (!add(p, name, item))
			return false;
	return true;
}

/* False: the error was sent. */
static bool read_parameters(struct request *r, struct parameters *p)
{
	struct bytes map, name, whole;
	struct mp_value head, key;
	bool fits = true;

	if (!param_raw(r, "params", &map))
		return true;
	buf_reserve(&p->numbers, PARAMETERS_MAX * 24);
	struct mp_reader reader = mp_reader_of(map);
	if (mp_next(&reader, &head) != 1)
		return true;
	for (uint32_t i = 0; fits && i < head.count; i++)
		fits = mp_take(&reader, &name) == 1 && mp_get(name, &key) && key.type == MP_STR &&
		       key.str.len > 0 && mp_take(&reader, &whole) == 1 && add_all(p, key.str, whole);
	if (!fits)
		request_error(
			r, RPC_INVALID_PARAMS, "params", NULL,
			"'params' has up to %d names with a text, an integer, true or false, or a list of them",
			PARAMETERS_MAX);
	return fits;
}

static void refuse_path(struct request *r, const struct source *s, struct bytes path,
			const struct why *why)
{
	const char *near = pass_near(s->provider, path);
	char hint[160] = "ficd-protocol(7) names the paths; parameters go into params";

	if (near)
		snprintf(hint, sizeof hint, "did you mean '%s'? * stands for an id, ? for any text",
			 near);
	request_error(r, RPC_INVALID_PARAMS, "path", hint, "%s", why->text);
}

/* Why nothing would come of asking. False: the error was sent. */
static bool may_ask(struct request *r, const struct source *s, int64_t timeout_ms)
{
	struct sync_state state;

	sync_state(s->sync, &state);
	if (s->token.len == 0 || s->token_error[0])
		request_error(r, RPC_UNAVAILABLE, "auth", NULL, "there is no usable token");
	else if (state.trouble || state.breaker != BREAKER_CLOSED)
		request_error(r, RPC_UNAVAILABLE, state.trouble ? state.trouble : "source-error",
			      "ficq status says when it is asked again", "%s",
			      state.error ? state.error : "the provider is not well");
	else if (!state.workspace_id[0])
		request_error(r, RPC_UNAVAILABLE, "starting", "try again in a moment",
			      "the provider has not said yet whose the token is");
	else if (state.wait_ms > timeout_ms)
		request_error(r, RPC_RATE_LIMITED, "rate-limited",
			      "wait, or ask with a longer timeout_ms",
			      "the budget of calls is used up for %lld ms", (long long)state.wait_ms);
	else
		return true;
	return false;
}

/* ---- the answer ---- */

static void refuse_fault(struct request *r, const struct sync_passed *passed)
{
	static const struct {
		enum fault fault;
		int code;
		const char *reason, *hint;
	} rules[] = {
		{FAULT_GONE, RPC_NOT_FOUND, "not_found", NULL},
		{FAULT_AUTH, RPC_UNAVAILABLE, "auth", "the provider refuses the token"},
		{FAULT_DENIED, RPC_FORBIDDEN, "denied",
		 "the provider's token or plan does not allow it"},
		{FAULT_LATER, RPC_RATE_LIMITED, "rate-limited", "try again later"},
		{FAULT_CURSOR, RPC_INVALID_PARAMS, "refused", "begin again at the first page"},
		{FAULT_NEVER, RPC_INVALID_PARAMS, "refused", "the provider does not take it like this"},
	};

	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		if (rules[i].fault != passed->fault)
			continue;
		request_error(r, rules[i].code, rules[i].reason, rules[i].hint, "%s",
			      passed->why->text);
		return;
	}
	request_error(r, RPC_UNAVAILABLE, "source-error", "try again", "%s", passed->why->text);
}

static void on_passed(void *ctx, const struct sync_passed *passed)
{
	struct passing *p = ctx;
	struct request *r = p->request;
	struct buf *out = &r->result;

	p->pass = NULL;
	if (passed->fault) {
		refuse_fault(r, passed);
		return;
	}
	mp_put_map(out, 4);
	put_text(out, "source", "live");
	put_time(out, "as_of", passed->asked_ms);
	put_integer(out, "status", passed->status);
	mp_put_cstr(out, "answer");
	buf_put_bytes(out, passed->answer);
	request_answer(r);
}

static void on_timer(void *ctx)
{
	struct passing *p = ctx;

	request_error(p->request, RPC_UNAVAILABLE, "timeout", "ask with a longer timeout_ms",
		      "the provider has not answered in time");
}

static void begin(struct request *r, struct source *s, struct bytes path, unsigned route,
		  int64_t timeout_ms)
{
	struct passing *p = calloc(1, sizeof *p);
	struct why why = {"out of memory"};

	if (!p) {
		request_error(r, RPC_INTERNAL, "no_memory", NULL, "out of memory");
		return;
	}
	p->request = r;
	r->state = p;
	r->release = passing_release;
	p->timer = timer_new(r->daemon->loop, on_timer, p);
	int rc = p->timer ? sync_pass(s->sync, path, route, ANSWER_MAX, on_passed, p, &p->pass, &why)
			  : ERR_NOMEM;
	if (rc)
		request_error(r, rc == ERR_BUSY ? RPC_BUSY : RPC_INTERNAL, err_name(rc), NULL, "%s",
			      why.text);
	else
		timer_start(p->timer, timeout_ms, 0);
}

void method_live(struct request *r)
{
	struct source *s = param_source(r);
	int64_t timeout_ms = WAIT_DEFAULT_MS;
	struct parameters parameters = {.count = 0};
	struct buf url = {0};
	struct bytes path;
	struct why why;
	unsigned route;

	if (!s)
		return;
	param_text(r, "path", &path);
	param_integer(r, "timeout_ms", &timeout_ms);
	if (timeout_ms < 0 || timeout_ms > WAIT_MAX_MS) {
		request_error(r, RPC_INVALID_PARAMS, "timeout_ms", NULL, "'timeout_ms' is 0 to %d",
			      WAIT_MAX_MS);
		return;
	}
	if (!read_parameters(r, &parameters))
		goto out;
	int rc = pass_path(s->provider, path, parameters.list, parameters.count, &url, &route, &why);
	if (rc == ERR_INVALID)
		refuse_path(r, s, path, &why);
	else if (rc)
		request_error(r, RPC_INTERNAL, "no_memory", NULL, "%s", why.text);
	else if (may_ask(r, s, timeout_ms))
		begin(r, s, buf_bytes(&url), route, timeout_ms);
out:
	buf_release(&url);
	buf_release(&parameters.numbers);
}
