/* Changes made to the world at run time: what people in the workspace do.
 * Every change raises the world's version, leaves a trace a client can find
 * (updated_at, the deletion feed, a short list), unless its kind says it does
 * not, and is drawn from a seed. */
#include "mutate.h"

#include "change.h"
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

/* weight 0: only when it is asked for by name, since a client that reads the
 * API as it should cannot see it at once (or sees it too well). */
static const struct kind {
	const char *name;
	bool (*change)(struct change *m);
	uint32_t weight;
	bool of_conversation;
} kinds[] = {
	{"reply", do_reply, 30, true},
	{"note", do_note, 6, true},
	{"new_conversation", do_new_conversation, 10, false},
	{"state", do_state, 8, true},
	{"assign", do_assign, 6, true},
	{"tag", do_tag, 5, true},
	{"attribute", do_attribute, 4, true},
	{"redact", do_redact, 3, true},
	{"rate", do_rate, 2, true},
	{"read", do_read, 3, true},
	{"priority", do_priority, 2, true},
	{"title", do_title, 2, true},
	{"delete_conversation", do_delete_conversation, 2, true},
	{"merge_conversation", do_merge_conversation, 2, true},
	{"new_contact", do_new_contact, 4, false},
	{"update_contact", do_update_contact, 8, false},
	{"update_company", do_update_company, 3, false},
	{"new_company", do_new_company, 1, false},
	{"rename_tag", do_rename_tag, 1, false},
	{"new_tag", do_new_tag, 1, false},
	{"delete_tag", do_delete_tag, 1, false},
	{"rename_admin", do_rename_admin, 1, false},
	{"rename_team", do_rename_team, 1, false},
	{"rename_segment", do_rename_segment, 1, false},
	{"new_segment", do_new_segment, 1, false},
	{"new_ticket", do_new_ticket, 2, false},
	{"update_ticket", do_update_ticket, 6, false},
	{"new_article", do_new_article, 1, false},
	{"update_article", do_update_article, 1, false},
	{"delete_article", do_delete_article, 0, false},
	{"touch_articles", do_touch_articles, 0, false},
	{"grow_ticket", do_grow_ticket, 0, false},
	{"delete_ticket", do_delete_ticket, 0, false},
	{"delete_contact", do_delete_contact, 0, false},
	{"merge_contact", do_merge_contact, 0, false},
	{"archive_contact", do_archive_contact, 0, false},
	{"update_hidden_company", do_update_hidden_company, 0, false},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct plan {
	const struct kind *list[64];
	uint32_t weight[64];
	uint32_t count, sum;
	uint32_t done[KINDS];
};

static const char *plan_named(struct plan *p, const json_t *names)
{
	size_t i;
	json_t *name;

	json_array_foreach(names, i, name)
	{
		const struct kind *found = NULL;

		for (size_t k = 0; k < KINDS; k++)
			if (json_is_string(name) && !strcmp(kinds[k].name, json_string_value(name)))
				found = &kinds[k];
		if (!found || p->count == 64)
			return "unknown kind of change";
		p->weight[p->count] = 1;
		p->list[p->count++] = found;
	}
	return NULL;
}

static const char *make_plan(struct plan *p, const json_t *names, bool of_conversation)
{
	const char *wrong = plan_named(p, names);

	for (size_t k = 0; k < KINDS && !names; k++) {
		bool unfit = !kinds[k].weight || (of_conversation && !kinds[k].of_conversation) ||
			     (of_conversation && kinds[k].change == do_delete_conversation);

		if (unfit)
			continue;
		p->weight[p->count] = kinds[k].weight;
		p->list[p->count++] = &kinds[k];
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
			p->done[k - kinds]++;
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
	if (id && !conversation_index(id, &m.target))
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
	for (size_t k = 0; k < KINDS; k++)
		if (p.done[k])
			j_int(out, kinds[k].name, p.done[k]);
	buf_lit(out, "}}");
	return NULL;
}
