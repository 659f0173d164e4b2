/*
 * method_alerts: who is told of what, what is raised now, how the notices fare; and a test of every way, once, with its outcome.
 */
#include "alerts.h"
#include "method.h"
#include "pairs.h"
#include "params.h"

#include <codec/msgpack.h>

#include <stdio.h>
#include <stdlib.h>

/* ---- what there is ---- */

static void put_conditions(struct buf *out, const struct alert_conditions *when)
{
	char text[ALERT_TEXT_MAX];

	mp_put_cstr(out, "when");
	mp_put_array(out, (uint32_t)when->count);
	for (size_t i = 0; i < when->count; i++) {
		alert_print(&when->items[i], text);
		mp_put_cstr(out, text);
	}
}

static void put_raised(struct buf *out, const struct raised_list *l, const char *alert)
{
	uint32_t n = 0;

	mp_put_cstr(out, "raised");
	size_t mark = mp_begin_array(out);
	for (size_t i = 0; i < l->count; i++) {
		const struct raised *r = &l->items[i];
		if (!r->state.raised || strcmp(r->alert, alert) != 0)
			continue;
		mp_put_map(out, 6);
		put_text(out, "source", r->source);
		put_text(out, "resource", *r->resource ? r->resource : NULL);
		put_text(out, "condition", r->condition);
		put_time(out, "since", r->state.since_ms);
		put_time(out, "told", r->state.told_ms);
		put_text(out, "text", *r->text ? r->text : NULL);
		n++;
	}
	mp_end_array(out, mark, n);
}

static void put_ways(struct buf *out, const struct deliver *v)
{
	uint32_t n = 0;

	mp_put_cstr(out, "ways");
	size_t mark = mp_begin_array(out);
	for (int i = 0; i < WAYS; i++) {
		struct deliver_state state;
		if (!way_set(deliver_alert(v), (enum way)i))
			continue;
		deliver_state(v, (enum way)i, &state);
		mp_put_map(out, 7);
		put_text(out, "way", way_name((enum way)i));
		put_integer(out, "sent", (int64_t)state.sent);
		put_integer(out, "failed", (int64_t)state.failed);
		put_integer(out, "dropped", (int64_t)state.dropped);
		put_integer(out, "waiting", state.waiting);
		put_time(out, "last_sent", state.sent_ms);
		put_text(out, "error", *state.error ? state.error : NULL);
		n++;
	}
	mp_end_array(out, mark, n);
}

void method_alerts(struct request *r)
{
	const struct alerts *a = r->daemon->alerts;
	struct buf *out = &r->result;
	const struct deliver *v;
	uint32_t n = 0;

	mp_put_map(out, 1);
	mp_put_cstr(out, "alerts");
	size_t mark = mp_begin_array(out);
	for (; (v = alerts_deliver(a, n)); n++) {
		const struct config_alert *c = deliver_alert(v);
		mp_put_map(out, 6);
		put_text(out, "name", c->name);
		put_conditions(out, &c->when);
		put_text(out, "sources", c->sources);
		put_integer(out, "repeat_s", c->repeat_ms / 1000);
		put_raised(out, alerts_raised(a), c->name);
		put_ways(out, v);
	}
	mp_end_array(out, mark, n);
	request_answer(r);
}

/* ---- a test ---- */

struct probe {
	struct test *test;
	struct attempt *attempt; /* NULL: it has ended, or never began */
	const char *way;
	char alert[CONFIG_NAME_MAX + 1];
	char error[160]; /* "": it was taken */
};

struct test {
	struct request *request;
	struct probe probes[CONFIG_ALERTS_MAX * WAYS];
	size_t count, left;
};

static void test_release(struct request *r)
{
	struct test *t = r->state;

	for (size_t i = 0; i < t->count; i++)
		attempt_cancel(t->probes[i].attempt);
	free(t);
}

static void answer(struct test *t)
{
	struct buf *out = &t->request->result;

	mp_put_map(out, 1);
	mp_put_cstr(out, "results");
	mp_put_array(out, (uint32_t)t->count);
	for (size_t i = 0; i < t->count; i++) {
		mp_put_map(out, 4);
		put_text(out, "alert", t->probes[i].alert);
		put_text(out, "way", t->probes[i].way);
		put_bool(out, "sent", !t->probes[i].error[0]);
		put_text(out, "error", t->probes[i].error[0] ? t->probes[i].error : NULL);
	}
	request_answer(t->request);
}

static void on_probe(void *ctx, const char *error)
{
	struct probe *p = ctx;

	p->attempt = NULL;
	snprintf(p->error, sizeof p->error, "%s", error ? error : "");
	if (--p->test->left == 0)
		answer(p->test);
}

static void probe(struct test *t, const struct config_alert *c, enum way way, struct notice *n)
{
	struct probe *p = &t->probes[t->count++];
	struct why why = {""};

	*p = (struct probe){.test = t, .way = way_name(way)};
	snprintf(p->alert, sizeof p->alert, "%s", c->name);
	p->attempt = attempt_start(t->request->daemon, c, way, n, on_probe, p, &why);
	if (p->attempt)
		t->left++;
	else
		snprintf(p->error, sizeof p->error, "%s", why.text);
}

static void test_one(struct test *t, const struct config_alert *c)
{
	struct notice *n = notice_new(c->name, NULL, 0, 0, loop_wall_ms(t->request->daemon->loop));

	for (int i = 0; n && i < WAYS; i++)
		if (way_set(c, (enum way)i))
			probe(t, c, (enum way)i, n);
	notice_leave(n);
}

static void none_of_that_name(struct request *r, struct bytes name)
{
	if (name.data)
		request_error(r, RPC_NOT_FOUND, "no_alert", "'ficq alerts' lists them",
			      "there is no alert '%.*s'", (int)(name.len > 60 ? 60 : name.len),
			      (const char *)name.data);
	else
		request_error(r, RPC_NOT_FOUND, "no_alert",
			      "write a section [alert NAME] into ficd.conf, then 'ficq reload'",
			      "no alert is configured");
}

void method_alerts_test(struct request *r)
{
	const struct config *c = r->daemon->config;
	struct test *t = calloc(1, sizeof *t);
	struct bytes name = {NULL, 0};

	if (!t) {
		request_error(r, RPC_INTERNAL, "memory", NULL, "out of memory");
		return;
	}
	param_text(r, "name", &name);
	t->request = r;
	r->state = t;
	r->release = test_release;
	for (size_t i = 0; i < c->alert_count; i++)
		if (!name.data || bytes_is(name, c->alerts[i].name))
			test_one(t, &c->alerts[i]);
	if (t->count == 0)
		none_of_that_name(r, name);
	else if (t->left == 0)
		answer(t);
}
