/* The controls: truth, statistics, clock, changes, faults. Everything a test
 * needs to know and a client must not. */
#include "control.h"

#include "api.h"
#include "clock.h"
#include "faults.h"
#include "ledger.h"
#include "mutate.h"
#include "routes.h"
#include "stats.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

static void wrong(struct control_answer *out, int status, const char *words)
{
	out->status = status;
	buf_reset(&out->out);
	j_open(&out->out, NULL, '{');
	j_str(&out->out, "error", words);
	j_close(&out->out, '}');
}

static void done(struct control_answer *out)
{
	buf_lit(&out->out, "{\"ok\":true}");
}

static void do_stats(const struct call *c, json_t *body, struct control_answer *out)
{
	(void)c;
	(void)body;
	stats_print(&out->out, route_name, route_count(), api->stats);
}

static void do_stats_reset(const struct call *c, json_t *body, struct control_answer *out)
{
	(void)c;
	(void)body;
	stats_reset();
	done(out);
}

static void do_restarted(const struct call *c, json_t *body, struct control_answer *out)
{
	(void)c;
	(void)body;
	ledger_restarted();
	done(out);
}

static void do_clock(const struct call *c, json_t *body, struct control_answer *out)
{
	(void)c;
	(void)body;
	buf_fmt(&out->out, "{\"now\":%lld,\"frozen\":%s,\"started\":%u,\"version\":%llu}",
		(long long)clock_now(), clock_is_frozen() ? "true" : "false", world.opt.now,
		(unsigned long long)world.version);
}

static void do_clock_set(const struct call *c, json_t *body, struct control_answer *out)
{
	json_t *advance = json_object_get(body, "advance_s"), *set = json_object_get(body, "set");

	if (json_is_integer(advance))
		clock_advance(json_integer_value(advance));
	else if (json_is_integer(set))
		clock_set(json_integer_value(set));
	else {
		wrong(out, 400, "advance_s or set is expected");
		return;
	}
	do_clock(c, body, out);
}

static void do_mutate(const struct call *c, json_t *body, struct control_answer *out)
{
	const char *words = mutate(body, &out->out);

	(void)c;
	if (words)
		wrong(out, 400, words);
}

static void do_edit(const struct call *c, json_t *body, struct control_answer *out)
{
	const char *resource = json_string_value(json_object_get(body, "resource"));
	const char *id = json_string_value(json_object_get(body, "id"));
	const json_t *set = json_object_get(body, "set");
	struct refusal why = {.status = 400, .message = "resource, id and set are expected"};

	(void)c;
	if (!resource || !id || !json_object_size(set) || !api->edit(resource, id, set, &why)) {
		wrong(out, why.status, why.message);
		return;
	}
	done(out);
}

static void do_writes(const struct call *c, json_t *body, struct control_answer *out)
{
	const char *after = call_argument(c, "after");

	(void)body;
	writes_print(&out->out, after ? strtoull(after, NULL, 10) : 0);
}

static void do_faults(const struct call *c, json_t *body, struct control_answer *out)
{
	(void)c;
	(void)body;
	faults_print(&out->out);
}

static void do_faults_add(const struct call *c, json_t *body, struct control_answer *out)
{
	const char *words = faults_add(body);

	(void)c;
	if (words)
		wrong(out, 400, words);
	else
		faults_print(&out->out);
}

static void do_faults_clear(const struct call *c, json_t *body, struct control_answer *out)
{
	(void)c;
	(void)body;
	faults_clear();
	done(out);
}

static void do_truth(const struct call *c, struct control_answer *out)
{
	const char *since = call_argument(c, "since"), *version = call_argument(c, "version");
	int as = version && !strncmp(version, "2.1", 3) ? 210 + atoi(version + 3) : VERSION_2_16;

	const char *lists = call_argument(c, "lists");

	out->stream = truth_open(
		c->path + strlen("/_sim/truth/"), since ? (uint32_t)strtoul(since, NULL, 10) : 0,
		&(struct view){.version = as, .whole_lists = lists && !strcmp(lists, "whole")});
	if (!out->stream)
		wrong(out, 404, "no such resource");
}

static const struct {
	const char *method, *path;
	void (*fn)(const struct call *c, json_t *body, struct control_answer *out);
} table[] = {
	{"GET", "/_sim/stats", do_stats},
	{"POST", "/_sim/stats/reset", do_stats_reset},
	{"POST", "/_sim/client/restarted", do_restarted},
	{"GET", "/_sim/clock", do_clock},
	{"POST", "/_sim/clock", do_clock_set},
	{"POST", "/_sim/mutate", do_mutate},
	{"POST", "/_sim/edit", do_edit},
	{"GET", "/_sim/writes", do_writes},
	{"GET", "/_sim/faults", do_faults},
	{"POST", "/_sim/faults", do_faults_add},
	{"DELETE", "/_sim/faults", do_faults_clear},
};

void control_answer(const struct call *c, struct control_answer *out)
{
	json_t *body = c->body_len ? json_loadb(c->body_text, c->body_len, 0, NULL) : NULL;

	writes_due();
	if (c->body_len && !body) {
		wrong(out, 400, "the body is not JSON");
		return;
	}
	if (!strcmp(c->method, "GET") && !strncmp(c->path, "/_sim/truth/", 12)) {
		do_truth(c, out);
		json_decref(body);
		return;
	}
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(table[i].method, c->method) != 0 || strcmp(table[i].path, c->path) != 0)
			continue;
		table[i].fn(c, body, out);
		json_decref(body);
		return;
	}
	json_decref(body);
	wrong(out, 404, "no such control");
}
