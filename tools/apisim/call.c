/* Judges a call before it is handled (token, version, headers, parameters,
 * body, rate, faults) and answers it. Refusals speak the API's words; what
 * the API would let pass but a good client never does is only counted. */
#include "call.h"

#include "clock.h"
#include "ledger.h"
#include "routes.h"
#include "settings.h"
#include "stats.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *call_argument(const struct call *c, const char *name)
{
	return c->in->argument(c->in->from, name);
}

static const char *header(const struct call *c, const char *name)
{
	return c->in->header(c->in->from, name);
}

void call_error(struct call *c, int status, const char *code, const char *fmt, ...)
{
	char message[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	c->status = status;
	buf_reset(&c->out);
	j_open(&c->out, NULL, '{');
	j_str(&c->out, "type", "error.list");
	j_str(&c->out, "request_id", c->request_id);
	j_open(&c->out, "errors", '[');
	j_open(&c->out, NULL, '{');
	j_str(&c->out, "code", code);
	j_str(&c->out, "message", message);
	buf_lit(&c->out, "}]}");
}

bool call_not_found(struct call *c, const char *code, const char *message)
{
	call_error(c, 404, code, "%s", message);
	return false;
}

bool call_number(struct call *c, const char *name, uint32_t otherwise, uint32_t max, uint32_t *out)
{
	const char *s = call_argument(c, name);
	unsigned long v;
	char *end;

	*out = otherwise;
	if (!s)
		return true;
	v = strtoul(s, &end, 10);
	if (*s < '0' || *s > '9' || *end || v == 0) {
		stats_breach(BREACH_PER_PAGE, "%s=%s", name, s);
		call_error(c, 400, "parameter_invalid", "%s is invalid", name);
		return false;
	}
	if (v > max) {
		stats_breach(BREACH_PER_PAGE, "%s=%s, the most is %u", name, s, max);
		call_error(c, 400, "parameter_invalid", "%s is too big",
			   !strcmp(name, "per_page") ? "Per Page" : name);
		return false;
	}
	*out = (uint32_t)v;
	return true;
}

bool call_flag(const struct call *c, const char *name)
{
	const char *s = call_argument(c, name);

	return s && !strcmp(s, "true");
}

static bool check_token(struct call *c)
{
	const char *given = header(c, "Authorization");

	if (given && !strncmp(given, "Bearer ", 7) && !strcmp(given + 7, settings.token)) {
		c->authorized = true;
		return true;
	}
	stats_breach(BREACH_NO_TOKEN, given ? "wrong token" : "no Authorization header");
	call_error(c, 401, "unauthorized", "Access Token Invalid");
	return false;
}

static bool check_version(struct call *c)
{
	static const struct {
		const char *text;
		int number;
	} versions[] = {{"2.14", 214}, {"2.15", 215}, {"2.16", 216}};
	const char *given = header(c, "Intercom-Version");

	c->version = VERSION_2_16;
	if (!given) {
		stats_breach(BREACH_NO_VERSION, "no Intercom-Version header");
		return true;
	}
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		if (!strcmp(versions[i].text, given)) {
			c->version = versions[i].number;
			return true;
		}
	}
	stats_breach(BREACH_BAD_VERSION, "Intercom-Version %s", given);
	call_error(c, 400, "intercom_version_invalid", "The requested version could not be found");
	return false;
}

static bool check_accept(struct call *c)
{
	const char *accept = header(c, "Accept");

	if (!accept)
		stats_breach(BREACH_NO_ACCEPT, "no Accept header");
	else if (!strstr(accept, "json") && !strstr(accept, "*/*") && !strstr(accept, "application/*"))
		stats_breach(BREACH_BAD_ACCEPT, "Accept: %s", accept);
	else
		return true;
	call_error(c, 406, "media_type_not_acceptable", "The Accept header must be application/json");
	return false;
}

static bool check_body(struct call *c)
{
	const char *type = header(c, "Content-Type");
	json_error_t error;

	if (c->body_len == 0 && !(c->route->members && *c->route->members))
		return true;
	if (!type || strncmp(type, "application/json", 16) != 0) {
		stats_breach(BREACH_NO_CONTENT_TYPE, "Content-Type: %s", type ? type : "(none)");
		call_error(c, 415, "media_type_not_supported",
			   "The Content-Type header must be application/json");
		return false;
	}
	c->body = json_loadb(c->body_text, c->body_len, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(c->body)) {
		stats_breach(BREACH_BAD_JSON, "%s", c->body ? "not an object" : error.text);
		call_error(c, 400, "parameter_invalid", "Request body is not valid JSON");
		return false;
	}
	return true;
}

static bool listed(const char *list, const char *name)
{
	char with_blanks[80];

	snprintf(with_blanks, sizeof(with_blanks), " %s ", name);
	return list && strstr(list, with_blanks);
}

static void check_parameter(void *ctx, const char *name)
{
	struct call *c = ctx;

	if (!listed(c->route->parameters, name))
		stats_breach(BREACH_UNKNOWN_PARAMETER, "query parameter %s", name);
}

static void check_names(struct call *c)
{
	const char *key;
	json_t *v;

	c->in->each_argument(c->in->from, check_parameter, c);
	json_object_foreach(c->body, key, v) if (!listed(c->route->members, key))
		stats_breach(BREACH_UNKNOWN_MEMBER, "member %s", key);
	if (!header(c, "User-Agent"))
		stats_breach(BREACH_NO_USER_AGENT, "no User-Agent header");
}

static bool check_rate(struct call *c)
{
	struct rate_words words;

	ledger_arrival();
	if (ledger_rate_take())
		return true;
	ledger_rate_words(&words);
	call_error(c, 429, "rate_limit_exceeded", "Exceeded rate limit of %u in 10_seconds",
		   words.limit);
	return false;
}

/* A limit of its own, told as Front does: by a header that names whom it is about. */
static bool check_search_rate(struct call *c)
{
	uint32_t retry_after_s;
	size_t len = strlen(c->path);

	if (len < 7 || strcmp(c->path + len - 7, "/search") != 0 || ledger_search_take(&retry_after_s))
		return true;
	c->retry_after_s = retry_after_s;
	c->tier = "search";
	call_error(c, 429, "rate_limit_exceeded", "Rate limit exceeded for search routes");
	return false;
}

static const char *code_of(int status)
{
	static const struct {
		int status;
		const char *code;
	} codes[] = {
		{400, "bad_request"},
		{401, "token_unauthorized"},
		{402, "payment_required"},
		{403, "api_plan_restricted"},
		{404, "not_found"},
		{408, "request_timeout"},
		{409, "conflict"},
		{422, "unprocessable_entity"},
		{429, "too_many_requests"},
		{502, "service_unavailable"},
		{503, "service_unavailable"},
		{504, "service_unavailable"},
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].status == status)
			return codes[i].code;
	return "server_error";
}

static void answer_html(struct call *c)
{
	c->content_type = "text/html; charset=utf-8";
	buf_reset(&c->out);
	buf_lit(&c->out, "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>"
			 "<h1>Checking your browser</h1><p>{\"type\":\"list\"}</p></body></html>");
}

static void drop_scroll(struct call *c)
{
	if (strstr(c->path, "/companies/scroll"))
		ledger_scroll_given(0, true, true, true);
}

/* Faults that stand in for the answer. false: go on to the handler. */
static bool fault_instead(struct call *c)
{
	const struct fault *f = c->fault;

	c->status = 200;
	switch (f->kind) {
	case FAULT_STATUS:
		drop_scroll(c);
		call_error(c, f->status, f->code[0] ? f->code : code_of(f->status),
			   f->status >= 500 ? "Request failed due to an internal error"
					    : "Fault on purpose");
		return true;
	case FAULT_HTML200: answer_html(c); return true;
	case FAULT_EMPTY200: buf_reset(&c->out); return true;
	case FAULT_ERROR_LIST_200:
		call_error(c, 200, f->code[0] ? f->code : "server_error", "Fault on purpose");
		return true;
	case FAULT_RATE429:
		c->retry_after_s = f->retry_after_s;
		call_error(c, 429, "rate_limit_exceeded", "Exceeded rate limit of 1 in 10_seconds");
		return true;
	case FAULT_EXPIRED_CURSOR:
		call_error(c, 400, "client_error",
			   "Invalid starting_after param. Please try again "
			   "using a starting_after value from a paginated response");
		return true;
	case FAULT_UNAUTHORIZED:
		call_error(c, 401, "token_revoked", "Access Token has been revoked");
		return true;
	case FAULT_RESET:
	case FAULT_HUGE: return true;
	default: return false;
	}
}

static void spoil_utf8(struct buf *b)
{
	static const char *const marks[] = {"\"body\":\"", "\"name\":\"", "\"type\":\""};
	const char *text = buf_text(b);

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		char *at = strstr((char *)(uintptr_t)text, marks[i]);

		if (!at)
			continue;
		at[strlen(marks[i])] = (char)0xff;
		return;
	}
}

/* A right answer in form, with nothing in it. */
static void empty_list(struct buf *b)
{
	static const char *const keys[] = {"data",   "conversations", "tickets",
					   "admins", "teams",         "segments"};
	json_t *json = json_loadb(b->p, b->len, 0, NULL);
	char *text;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		json_array_clear(json_object_get(json, keys[i]));
	if (json_object_get(json, "total_count"))
		json_object_set_new(json, "total_count", json_integer(0));
	json_object_del(json_object_get(json, "pages"), "next");
	text = json_dumps(json, JSON_COMPACT);
	buf_reset(b);
	buf_str(b, text ? text : "");
	free(text);
	json_decref(json);
}

/* Faults that change the finished answer; truncate, wrong_length, slow and
 * drip are the connection's affair (http.c). */
static void fault_afterwards(struct call *c)
{
	if (c->fault->kind == FAULT_BAD_JSON && c->out.len > 20) {
		c->out.len -= c->out.len / 3;
		buf_lit(&c->out, "]},,nul");
	} else if (c->fault->kind == FAULT_BAD_UTF8) {
		spoil_utf8(&c->out);
	} else if (c->fault->kind == FAULT_EMPTY_LIST) {
		empty_list(&c->out);
	}
}

static bool has_cursor(const struct call *c)
{
	return call_argument(c, "starting_after") || call_argument(c, "scroll_param") ||
	       json_object_get(json_object_get(c->body, "pagination"), "starting_after");
}

static void make_request_id(struct call *c)
{
	static uint64_t count;
	static const char letters[] = "0123456789abcdefghijklmnopqrstuv";
	uint64_t h = mix64(++count + 0xabcdef);

	c->request_id[0] = '0';
	c->request_id[1] = '0';
	for (int i = 2; i < 20; i++) {
		c->request_id[i] = letters[h & 31];
		h = (i == 12) ? mix64(h + count) : h >> 5 | h << 59;
	}
	c->request_id[20] = '\0';
}

static bool judge(struct call *c)
{
	if (!check_token(c))
		return false;
	if (!check_rate(c) || !check_search_rate(c))
		return false;
	if (!check_version(c) || !check_accept(c))
		return false;
	c->route = route_find(c->method, c->path, c->id);
	if (!c->route) {
		stats_breach(BREACH_UNKNOWN_PATH, "no such path or method");
		call_error(c, 404, "not_found", "Resource Not Found");
		return false;
	}
	stats_route(route_number(c->route));
	if (!check_body(c))
		return false;
	check_names(c);
	if (c->version < c->route->since) {
		stats_breach(BREACH_BAD_VERSION, "%s is not in this version", c->route->path);
		call_error(c, 400, "intercom_version_invalid",
			   "Requested resource is not available in current API version.");
		return false;
	}
	return true;
}

void call_answer(struct call *c)
{
	stats_begin(c->method, c->uri);
	make_request_id(c);
	c->content_type = "application/json; charset=utf-8";
	c->status = 200;
	if (!judge(c))
		return;
	c->snapshot = c->route->snapshot;
	c->fault = faults_take(c->method, c->path, has_cursor(c));
	c->spoiled = fault_spoils(c->fault);
	if (c->fault && fault_instead(c))
		return;
	c->route->handle(c);
	if (c->fault)
		fault_afterwards(c);
}

void call_release(struct call *c)
{
	json_decref(c->body);
	buf_release(&c->out);
}
