/* http: calls that a function in the test answers. A request reaches the server after half its latency, the answer comes back after the other half. */
#include "sim.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

struct http_call {
	struct http *http;
	struct http_call *next;
	struct http_request request;
	struct buf text[3 + HTTP_HEADERS_MAX]; /* method, URL, body and headers, copied */
	struct timer *timer;
	struct sim_answer answer;
	int64_t latency_ms, sent_mono_ms, sent_ms;
	bool served, canceled;
};

struct http {
	struct loop *loop;
	struct http_call *calls;
	sim_serve *serve;
	void *ctx;
	int64_t latency_ms;
	uint64_t random;
};

struct http *http_new(struct loop *l, const struct http_options *options, struct why *why)
{
	struct http *h = calloc(1, sizeof *h);

	(void)options;
	(void)why;
	assert(h);
	h->loop = l;
	return h;
}

void sim_http_serve(struct http *h, sim_serve *serve, void *ctx, int64_t latency_ms, uint64_t seed)
{
	h->serve = serve;
	h->ctx = ctx;
	h->latency_ms = latency_ms;
	h->random = seed;
}

unsigned http_running(const struct http *h)
{
	unsigned n = 0;

	for (const struct http_call *c = h->calls; c; c = c->next)
		n++;
	return n;
}

static void call_free(struct http_call *c)
{
	for (struct http_call **at = &c->http->calls; *at; at = &(*at)->next)
		if (*at == c) {
			*at = c->next;
			break;
		}
	for (size_t i = 0; i < sizeof c->text / sizeof *c->text; i++)
		buf_release(&c->text[i]);
	buf_release(&c->answer.body);
	timer_free(c->timer);
	free(c);
}

static void finish(struct http_call *c, enum http_outcome outcome)
{
	struct sim_answer *a = &c->answer;
	bool answered = outcome == HTTP_OK;
	struct http_result result = {
		.outcome = outcome,
		.status = answered ? a->status : 0,
		.date_ms = answered ? a->date_ms : TIME_NONE,
		.sent_ms = c->sent_ms,
		.ended_ms = loop_wall_ms(c->http->loop),
		.duration_us = (loop_mono_ms(c->http->loop) - c->sent_mono_ms) * 1000,
		.bytes = a->body.len,
		.rate_limit = answered ? a->rate_limit : -1,
		.rate_remaining = answered ? a->rate_remaining : -1,
		.rate_reset = answered ? a->rate_reset : -1,
	};

	if (answered) {
		snprintf(result.retry_after, sizeof result.retry_after, "%s", a->retry_after);
		snprintf(result.rate_tier, sizeof result.rate_tier, "%s", a->rate_tier);
		snprintf(result.etag, sizeof result.etag, "%s", a->etag);
		snprintf(result.link, sizeof result.link, "%s", a->link);
		snprintf(result.location, sizeof result.location, "%s", a->location);
	} else {
		why_set(&result.why, 0, "sim: %s", http_outcome_name(outcome));
	}
	c->request.done(c->request.ctx, &result);
	call_free(c);
}

static void deliver(struct http_call *c)
{
	struct sim_answer *a = &c->answer;
	size_t at = 0, end = a->outcome == HTTP_OK ? a->body.len : a->body.len / 2;

	while (at < end && a->outcome != HTTP_RESOLVE && a->outcome != HTTP_CONNECT) {
		size_t n = 1 + (size_t)sim_below(&c->http->random, 4096);
		if (n > end - at)
			n = end - at;
		if (c->request.on_data && c->request.on_data(c->request.ctx, a->body.data + at, n)) {
			finish(c, HTTP_ABORTED);
			return;
		}
		at += n;
	}
	finish(c, a->outcome);
}

static void on_timer(void *ctx)
{
	struct http_call *c = ctx;

	if (c->canceled) {
		finish(c, HTTP_CANCELED);
		return;
	}
	if (c->served) {
		deliver(c);
		return;
	}
	c->served = true;
	c->http->serve(c->http->ctx, &c->request, &c->answer);
	timer_start(c->timer, c->latency_ms - c->latency_ms / 2, 0);
}

static const char *copy(struct buf *to, const char *text)
{
	buf_put_str(to, text);
	return buf_text(to);
}

struct http_call *http_start(struct http *h, const struct http_request *request, struct why *why)
{
	struct http_call *c = calloc(1, sizeof *c);

	(void)why;
	assert(c && h->serve);
	c->http = h;
	c->request = *request;
	c->request.method = copy(&c->text[0], request->method);
	c->request.url = copy(&c->text[1], request->url);
	buf_put_bytes(&c->text[2], request->body);
	c->request.body = buf_bytes(&c->text[2]);
	for (size_t i = 0; i < HTTP_HEADERS_MAX && request->headers[i]; i++)
		c->request.headers[i] = copy(&c->text[3 + i], request->headers[i]);
	c->answer = (struct sim_answer){.outcome = HTTP_OK,
					.status = 200,
					.date_ms = TIME_NONE,
					.rate_limit = -1,
					.rate_remaining = -1,
					.rate_reset = -1};
	c->latency_ms = h->latency_ms + (int64_t)sim_below(&h->random, (uint64_t)h->latency_ms + 1);
	c->sent_mono_ms = loop_mono_ms(h->loop);
	c->sent_ms = loop_wall_ms(h->loop);
	c->timer = timer_new(h->loop, on_timer, c);
	timer_start(c->timer, c->latency_ms / 2, 0);
	c->next = h->calls;
	h->calls = c;
	return c;
}

void http_cancel(struct http_call *call)
{
	call->canceled = true;
	timer_start(call->timer, 0, 0);
}

void http_free(struct http *h)
{
	if (!h)
		return;
	while (h->calls)
		finish(h->calls, HTTP_CANCELED);
	free(h);
}

const char *http_outcome_name(enum http_outcome outcome)
{
	static const char *const names[] = {"ok",  "resolve", "connect", "tls",      "stalled",
					    "cut", "too-big", "aborted", "canceled", "failed"};

	return names[outcome];
}
