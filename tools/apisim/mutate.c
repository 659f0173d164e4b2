/* Changes made to the world at run time: what people in the workspace do.
 * Every change raises the world's version, leaves a trace a client can find
 * (updated_at, the deletion feed, a short list), unless its kind says it does
 * not, and is drawn from a seed. */
#include "mutate.h"

#include "api.h"
#include "clock.h"

#include <stdio.h>
#include <string.h>

void change_report(struct change *m, const char *resource, const char *id, uint32_t at)
{
	if (m->out->len > 2000000)
		return; /* enough of a list */
	j_open(m->out, NULL, '{');
	j_str(m->out, "kind", m->kind);
	j_str(m->out, "resource", resource);
	j_str(m->out, "id", id);
	j_int(m->out, "at", at);
	j_close(m->out, '}');
}

void change_report_number(struct change *m, const char *resource, uint64_t id, uint32_t at)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)id);
	change_report(m, resource, text, at);
}

/* Mostly what moved lately, as in life. */
bool change_pick(struct change *m, const struct pop *p, uint32_t *idx)
{
	uint32_t recent = p->live < 200 ? p->live : 200;

	if (p->live == 0)
		return false;
	if (rng_chance(&m->rng, 600))
		*idx = p->by_updated[p->live - 1 - rng_below(&m->rng, recent)];
	else
		*idx = p->by_updated[rng_below(&m->rng, p->live)];
	return true;
}

void change_apply(struct pop *p, uint32_t idx, struct op op, bool silent)
{
	op.seq = ++world.version;
	pop_op(p, idx, op);
	if (!silent)
		pop_touch(p, idx, op.at);
}

uint32_t change_admin(struct change *m)
{
	return items_pick(&world.admins, &m->rng);
}

#define KINDS_MAX 64

struct plan {
	const struct kind *list[KINDS_MAX];
	uint32_t weight[KINDS_MAX];
	uint32_t count, sum;
	uint32_t done[KINDS_MAX];
};

static const char *plan_named(struct plan *p, const json_t *names)
{
	size_t i;
	json_t *name;

	json_array_foreach(names, i, name)
	{
		const struct kind *found = NULL;

		for (unsigned k = 0; k < api->kind_count; k++)
			if (json_is_string(name) &&
			    !strcmp(api->kinds[k].name, json_string_value(name)))
				found = &api->kinds[k];
		if (!found || p->count == KINDS_MAX)
			return "unknown kind of change";
		p->weight[p->count] = 1;
		p->list[p->count++] = found;
	}
	return NULL;
}

static const char *make_plan(struct plan *p, const json_t *names, bool of_conversation)
{
	const char *wrong = plan_named(p, names);

	for (unsigned k = 0; k < api->kind_count && !names; k++) {
		bool unfit = !api->kinds[k].weight ||
			     (of_conversation && !api->kinds[k].of_conversation);

		if (unfit)
			continue;
		p->weight[p->count] = api->kinds[k].weight;
		p->list[p->count++] = &api->kinds[k];
	}
	for (uint32_t i = 0; i < p->count; i++)
		p->sum += p->weight[i];
	return wrong ? wrong : p->count ? NULL : "no kinds of change";
}

static const struct kind *draw(const struct plan *p, struct rng *r)
{
	uint32_t at = rng_below(r, p->sum);

	for (uint32_t i = 0; i < p->count; i++) {
		if (at < p->weight[i])
			return p->list[i];
		at -= p->weight[i];
	}
	return p->list[0];
}

static void run(struct plan *p, struct change *m, uint32_t count, uint32_t spread, bool named)
{
	uint32_t now = (uint32_t)clock_now();

	for (uint32_t i = 0; i < count; i++) {
		/* Named kinds all get their turn, however few changes are made. */
		for (uint32_t tries = 0; tries < 20; tries++) {
			const struct kind *k = named && i < p->count ? p->list[i] : draw(p, &m->rng);

			m->kind = k->name;
			m->at = now - (spread ? rng_below(&m->rng, spread + 1) : 0);
			if (!k->change(m))
				continue;
			p->done[k - api->kinds]++;
			break;
		}
	}
}

static int64_t integer(const json_t *json, const char *key, int64_t otherwise)
{
	const json_t *v = json_object_get(json, key);

	return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

const char *mutate(const json_t *request, struct buf *out)
{
	const json_t *names = json_object_get(request, "kinds");
	const char *id = json_string_value(json_object_get(request, "conversation")), *wrong;
	int64_t count = integer(request, "count", 1), spread = integer(request, "spread_s", 0);
	struct change m = {.rng = {hash2((uint64_t)integer(request, "seed", 1), world.version)},
			   .out = out};
	static struct plan p;

	p = (struct plan){0};
	if (!json_is_object(request) || count < 0 || count > 10000000 || spread < 0 ||
	    spread > 86400 * 30)
		return "an object with count and spread_s in range is expected";
	if (id && !api->conversation_index(id, &m.target))
		return "no such conversation";
	m.fixed = id != NULL;
	wrong = make_plan(&p, names, m.fixed);
	if (wrong)
		return wrong;
	j_open(out, NULL, '{');
	j_int(out, "now", clock_now());
	j_open(out, "changes", '[');
	run(&p, &m, (uint32_t)count, (uint32_t)spread, names != NULL);
	j_close(out, ']');
	j_open(out, "done", '{');
	for (unsigned k = 0; k < api->kind_count; k++)
		if (p.done[k])
			j_int(out, api->kinds[k].name, p.done[k]);
	buf_lit(out, "}}");
	return NULL;
}
