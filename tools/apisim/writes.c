/* The log of accepted writes, and the queue of those that come into effect
 * later. What waits is kept as it was asked for and asked for again when its
 * time has come: whatever stands against it then is its bad luck, as with any
 * work that is done behind an answer 202. */
#include "write.h"

#include "api.h"
#include "clock.h"
#include "routes.h"
#include "settings.h"
#include "stats.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	int64_t at_ms, due_ms; /* due_ms 0: at once */
	char *method, *path, *body, *key, *request_id;
	int version, status;
	uint64_t same; /* how many before it were the same */
	uint32_t changes;
	bool waiting;
	const char *answer; /* what the client got; static */
};

static struct entry *entries;
static uint64_t count, cap;

bool refuse(struct refusal *why, int status, const char *code, const char *fmt, ...)
{
	va_list ap;

	why->status = status;
	why->code = code;
	va_start(ap, fmt);
	vsnprintf(why->message, sizeof(why->message), fmt, ap);
	va_end(ap);
	return false;
}

void write_refused(struct call *c, const struct refusal *why)
{
	call_error(c, why->status, why->code, "%s", why->message);
}

bool write_allowed(struct call *c)
{
	if (!settings.read_only)
		return true;
	stats_breach(BREACH_WRITE, "the token may only read");
	call_error(c, 403, NULL, "The token does not have the required scope");
	return false;
}

bool write_now(struct call *c)
{
	c->write = true;
	return !c->later;
}

static char *copy(const char *text)
{
	char *made = strdup(text ? text : "");

	if (!made)
		abort();
	return made;
}

static const char *answer_word(const struct call *c)
{
	switch (c->fault ? c->fault->kind : FAULT_NONE) {
	case FAULT_NONE: return "sent";
	case FAULT_RESET: return "reset";
	case FAULT_SLOW:
	case FAULT_DRIP: return "slow";
	case FAULT_STATUS: return "status";
	default: return "spoilt";
	}
}

static struct entry *add(const struct call *c)
{
	struct entry *e;

	if (count == cap) {
		cap = cap ? cap * 2 : 64;
		entries = realloc(entries, cap * sizeof(*entries));
		if (!entries)
			abort();
	}
	e = &entries[count];
	*e = (struct entry){.at_ms = clock_now_ms(),
			    .method = copy(c->method),
			    .path = copy(c->path),
			    .body = copy(c->body_len ? c->body_text : ""),
			    .key = copy(call_header_in(c, "Idempotency-Key")),
			    .request_id = copy(c->request_id),
			    .version = c->version,
			    .status = c->status,
			    .changes = c->changes,
			    .answer = answer_word(c)};
	for (uint64_t i = 0; i < count; i++)
		e->same += !strcmp(entries[i].method, e->method) &&
			   !strcmp(entries[i].path, e->path) && !strcmp(entries[i].body, e->body);
	count++;
	return e;
}

void write_accepted(struct call *c)
{
	struct entry *e = add(c);

	if (!c->later)
		return;
	e->due_ms = e->at_ms + (int64_t)settings.write_lag_s * 1000;
	e->waiting = true;
	c->status = 202;
	e->status = 202;
	buf_reset(&c->out);
}

static const char *no_argument(void *from, const char *name)
{
	(void)from;
	(void)name;
	return NULL;
}

static void no_arguments(void *from, void (*fn)(void *ctx, const char *name, const char *value),
			 void *ctx)
{
	(void)from;
	(void)fn;
	(void)ctx;
}

static void make(struct entry *e)
{
	static const struct lookup nothing = {NULL, no_argument, no_argument, no_arguments};
	struct call c = {.method = e->method,
			 .path = e->path,
			 .uri = e->path,
			 .in = &nothing,
			 .version = e->version,
			 .status = 200};

	e->waiting = false;
	c.id = c.ids[0];
	c.route = route_find(c.method, c.path, c.ids);
	c.body = *e->body ? json_loads(e->body, 0, NULL) : NULL;
	c.route->handle(&c);
	e->changes = c.changes;
	call_release(&c);
}

void writes_due(void)
{
	for (uint64_t i = 0; settings.write_lag_s && i < count; i++)
		if (entries[i].waiting && entries[i].due_ms <= clock_now_ms())
			make(&entries[i]);
}

static void print_entry(struct buf *b, uint64_t i)
{
	const struct entry *e = &entries[i];

	j_open(b, NULL, '{');
	j_int(b, "n", (int64_t)i + 1);
	j_int(b, "at_ms", e->at_ms);
	j_str(b, "method", e->method);
	j_str(b, "path", e->path);
	j_raw(b, "body", *e->body ? e->body : "null");
	j_int(b, "status", e->status);
	j_str(b, "answer", e->answer);
	j_str(b, "request_id", e->request_id);
	j_str(b, "idempotency_key", *e->key ? e->key : NULL);
	j_int(b, "same_before", (int64_t)e->same);
	j_int(b, "changes", e->changes);
	j_bool(b, "waiting", e->waiting);
	j_close(b, '}');
}

void writes_print(struct buf *b, uint64_t after)
{
	j_open(b, NULL, '{');
	j_int(b, "count", (int64_t)count);
	j_open(b, "writes", '[');
	for (uint64_t i = after; i < count; i++)
		print_entry(b, i);
	buf_lit(b, "]}");
}

void writes_release(void)
{
	for (uint64_t i = 0; i < count; i++) {
		free(entries[i].method);
		free(entries[i].path);
		free(entries[i].body);
		free(entries[i].key);
		free(entries[i].request_id);
	}
	free(entries);
	entries = NULL;
	count = cap = 0;
}
