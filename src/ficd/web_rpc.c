/*
 * web_rpc: methods over HTTP. Each request has a session of its own, which ends with its answer; notifications have no place in one answer, so what answers with them is
 * refused.
 */
#include "web.h"

#include <codec/json.h>
#include <codec/msgpack.h>

#include <stdlib.h>
#include <strings.h>

struct web_ask {
	struct web_request *request; /* NULL: answered, or nobody waits */
	struct session *session;
	struct timer *end; /* a session does not end inside its own answer */
	bool result_alone;
};

static unsigned status_of(int code)
{
	switch (code) {
	case RPC_PARSE:
	case RPC_INVALID_REQUEST:
	case RPC_INVALID_PARAMS:
	case RPC_BAD_EXPRESSION: return 400;
	case RPC_FORBIDDEN: return 403;
	case RPC_NO_METHOD:
	case RPC_NOT_FOUND: return 404;
	case RPC_CONFLICT:
	case RPC_STALE: return 409;
	case RPC_RATE_LIMITED: return 429;
	case RPC_UNAVAILABLE:
	case RPC_BUSY: return 503;
	default: return 500;
	}
}

static void reply(struct web_ask *a, struct bytes message, const struct rpc_response *answer)
{
	struct buf text = {0};
	bool alone = a->result_alone && answer->result.data;
	struct web_request *r = a->request;

	a->request = NULL;
	web_set_user(r, NULL);
	if (json_write(alone ? answer->result : message, &text))
		web_reply_text(r, 500, "the answer cannot be written\n");
	else
		web_reply(r, answer->result.data ? 200 : status_of(answer->code),
			  "application/json", buf_bytes(&text));
	buf_release(&text);
}

static void on_message(void *ctx, struct bytes message)
{
	struct web_ask *a = ctx;
	struct rpc_response answer;
	struct why why;

	if (!a->request || rpc_response_parse(message, &answer, &why) || answer.method.data)
		return;
	reply(a, message, &answer);
	timer_start(a->end, 0, 0);
}

static void ask_free(struct web_ask *a)
{
	session_end(a->session);
	timer_free(a->end);
	free(a);
}

static void on_end(void *ctx)
{
	ask_free(ctx);
}

void web_ask_gone(struct web_request *r)
{
	struct web_ask *a = web_user(r);

	if (a)
		ask_free(a);
}

void web_ask(struct web *w, struct web_request *r, struct bytes message, bool result_alone)
{
	struct web_ask *a = calloc(1, sizeof *a);
	struct daemon *d = w->daemon;

	if (a) {
		*a = (struct web_ask){.request = r, .result_alone = result_alone};
		a->end = timer_new(d->loop, on_end, a);
		a->session = session_local(d, web_may_read(w, r), web_may_write(w, r), on_message, a);
	}
	if (!a || !a->end || !a->session) {
		if (a)
			ask_free(a);
		web_reply_text(r, 503, "out of memory\n");
		return;
	}
	web_set_user(r, a);
	session_ask(a->session, message);
}

void web_status(struct web *w, struct web_request *r)
{
	struct buf message = {0};

	rpc_put_request(&message, 1, "status", bytes_of(NULL, 0));
	web_ask(w, r, buf_bytes(&message), true);
	buf_release(&message);
}

/* ---- POST /rpc ---- */

/* NULL: it may be asked. */
static const char *refusal(struct bytes message)
{
	static const char *const kept[] = {"follow", "stream"};
	struct bytes params, id;
	bool yes;

	if (mp_find(message, bytes_str("id"), &id) != 1)
		return "a request over HTTP has an id\n";
	if (mp_find(message, bytes_str("params"), &params) != 1)
		return NULL;
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		if (mp_find_bool(params, kept[i], &yes) && yes)
			return "answers in pieces (follow, stream) are given on the socket alone\n";
	return NULL;
}

static int read_message(struct bytes body, struct buf *out, struct why *why)
{
	struct json_limits limits = {.depth_max = WIRE_DEPTH_MAX};
	struct json *j = json_new(JSON_STRICT, &limits, out);
	struct mp_value v;

	if (!j)
		return why_set(why, ERR_NOMEM, "out of memory");
	int rc = json_feed(j, body.data, body.len, why);
	if (rc == 0)
		rc = json_finish(j, why);
	json_free(j);
	if (rc == 0 && (!mp_get(buf_bytes(out), &v) || v.type != MP_MAP))
		rc = why_set(why, ERR_SYNTAX, "a request is one object; batches are not taken");
	return rc;
}

static bool is_json(struct web_request *r)
{
	static const char json[] = "application/json";
	const char *type = web_header(r, "Content-Type");
	size_t len = sizeof json - 1;

	return type && strncasecmp(type, json, len) == 0 &&
	       (type[len] == 0 || type[len] == ';' || type[len] == ' ');
}

void web_rpc(struct web *w, struct web_request *r)
{
	struct buf message = {0};
	struct why why = {""};

	/* A form of another site's page cannot say so. */
	if (!is_json(r)) {
		web_reply_text(r, 415, "send one JSON-RPC request as application/json\n");
		return;
	}
	if (read_message(web_body(r), &message, &why)) {
		web_reply_text(r, 400, why.text);
	} else {
		const char *words = refusal(buf_bytes(&message));
		if (words)
			web_reply_text(r, 400, words);
		else
			web_ask(w, r, buf_bytes(&message), false);
	}
	buf_release(&message);
}
