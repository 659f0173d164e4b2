/* Answers a call: judged by the API, spoilt by a fault, or handled. Refusals
 * speak the API's words; what the API would let pass but a good client never
 * does is only counted. */
#include "call.h"

#include "api.h"
#include "ledger.h"
#include "routes.h"
#include "settings.h"
#include "spoil.h"
#include "stats.h"
#include "write.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *call_argument(const struct call *c, const char *name)
{
	return c->in->argument(c->in->from, name);
}

const char *call_header_in(const struct call *c, const char *name)
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
	api->error(c, status, code, message);
}

void call_header(struct call *c, const char *name, const char *fmt, ...)
{
	struct header *h = &c->headers[c->header_count];
	va_list ap;

	if (c->header_count == CALL_HEADERS_MAX)
		abort();
	c->header_count++;
	h->name = name;
	va_start(ap, fmt);
	vsnprintf(h->value, sizeof(h->value), fmt, ap);
	va_end(ap);
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

bool call_listed(const char *list, const char *name)
{
	char with_blanks[80];

	snprintf(with_blanks, sizeof(with_blanks), " %s ", name);
	return list && strstr(list, with_blanks);
}

static void check_parameter(void *ctx, const char *name, const char *value)
{
	struct call *c = ctx;

	(void)value;
	if (!call_listed(c->route->parameters, name))
		stats_breach(BREACH_UNKNOWN_PARAMETER, "query parameter %s", name);
}

void call_check_names(struct call *c)
{
	const char *key;
	json_t *v;

	c->in->each_argument(c->in->from, check_parameter, c);
	json_object_foreach(c->body, key, v) if (!call_listed(c->route->members, key))
		stats_breach(BREACH_UNKNOWN_MEMBER, "member %s", key);
	if (!call_header_in(c, "User-Agent"))
		stats_breach(BREACH_NO_USER_AGENT, "no User-Agent header");
}

static void answer_html(struct call *c)
{
	c->content_type = "text/html; charset=utf-8";
	buf_reset(&c->out);
	buf_lit(&c->out, "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>"
			 "<h1>Checking your browser</h1><p>{\"type\":\"list\"}</p></body></html>");
}

/* Faults that stand in for the answer. false: go on to the handler. */
static bool fault_instead(struct call *c)
{
	const struct fault *f = c->fault;

	c->status = 200;
	switch (f->kind) {
	case FAULT_STATUS:
	case FAULT_ERROR_LIST_200:
	case FAULT_RATE429:
	case FAULT_EXPIRED_CURSOR:
	case FAULT_UNAUTHORIZED: api->fault(c); return true;
	case FAULT_HTML200: answer_html(c); return true;
	case FAULT_EMPTY200: buf_reset(&c->out); return true;
	case FAULT_RESET:
	case FAULT_HUGE: return true;
	default: return false;
	}
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

static void answer(struct call *c)
{
	if (!api->judge(c))
		return;
	c->snapshot = c->route->snapshot;
	c->fault = faults_take(c->method, c->path, api->has_cursor(c));
	c->spoiled = fault_spoils(c->fault);
	if (c->fault && !c->fault->acts && fault_instead(c))
		return;
	c->later = settings.write_lag_s > 0;
	c->route->handle(c);
	if (c->write)
		write_accepted(c);
	if (c->fault && c->fault->acts && fault_instead(c))
		return;
	if (c->fault)
		spoil(c->fault, &c->out);
	if (settings.totals && c->status == 200)
		spoil_totals(settings.totals, &c->out);
}

void call_answer(struct call *c)
{
	writes_due();
	stats_begin(c->method, c->uri);
	c->id = c->ids[0];
	make_request_id(c);
	c->content_type = "application/json; charset=utf-8";
	c->status = 200;
	answer(c);
	if (c->authorized)
		ledger_rate_words(&c->words);
	if (c->fault && c->fault->kind == FAULT_RATE429)
		c->words.remaining = 0;
	api->headers(c);
}

void call_release(struct call *c)
{
	json_decref(c->body);
	buf_release(&c->out);
}
