/* Prints companies. Unlike contacts, what is not set is missing, not null.
 * A company inside a conversation is printed as it was at the start, so that
 * the conversation does not change when the company does. */
#include "render.h"

#include "text.h"

#include <stdio.h>
#include <string.h>

enum company_field { FIELD_NAME, FIELD_SPEND, FIELD_SIZE, FIELD_PLAN, FIELD_REQUEST, FIELD_COUNT };

struct company {
	uint64_t seed;
	uint32_t created, updated, last_request;
	uint32_t plan, size, spend, sessions;
	uint64_t renamed; /* seed of the later name, 0 none */
};

static void company_build(uint32_t idx, bool snapshot, struct company *c)
{
	const struct overlay *o = pop_overlay(&world.companies, idx);
	struct rng r = {world_seed(SEED_COMPANY, idx) ^ 0x77u};

	memset(c, 0, sizeof(*c));
	c->seed = world_seed(SEED_COMPANY, idx);
	c->created = world.companies.created[idx];
	c->updated = company_base_updated(idx);
	c->last_request = rng_chance(&r, 700) ? rng_range(&r, c->created, c->updated) : 0;
	c->plan = rng_below(&r, 5);
	c->size = rng_chance(&r, 500) ? rng_range(&r, 2, 9000) : 0;
	c->spend = rng_below(&r, 5000);
	c->sessions = rng_below(&r, 100000);
	if (snapshot)
		return;
	c->updated = world.companies.updated[idx];
	for (uint32_t i = 0; o && i < o->count; i++) {
		struct rng v = {o->ops[i].seed};

		if (o->ops[i].kind != COMPANY_SET)
			continue;
		switch ((enum company_field)(o->ops[i].x % FIELD_COUNT)) {
		case FIELD_NAME: c->renamed = o->ops[i].seed | 1; break;
		case FIELD_SPEND: c->spend = rng_below(&v, 9000); break;
		case FIELD_SIZE: c->size = rng_range(&v, 2, 9000); break;
		case FIELD_PLAN: c->plan = (c->plan + 1) % 5; break;
		case FIELD_REQUEST: c->last_request = o->ops[i].at; break;
		case FIELD_COUNT: break;
		}
	}
}

static void put_name(const struct company *c, uint32_t idx, char *out, size_t size)
{
	uint64_t seed = c->renamed ? c->renamed : c->seed;

	snprintf(out, size, "%s %s %u%s", text_company_stem(seed), text_company_tail(seed), idx + 1,
		 c->renamed ? " (new)" : "");
}

void company_name(uint32_t idx, char *out, size_t size)
{
	struct company c;

	company_build(idx, false, &c);
	put_name(&c, idx, out, size);
}

bool company_visible(uint32_t idx)
{
	return pop_live(&world.companies, idx) && idx < world.company_users_cap &&
	       world.company_users[idx] > 0;
}

uint32_t company_last_request(uint32_t idx)
{
	struct company c;

	company_build(idx, false, &c);
	return c.last_request;
}

bool company_has_tag(uint32_t idx, uint32_t tag)
{
	uint64_t seed = world_seed(SEED_COMPANY, idx);

	return seed % 4 == 0 && (seed >> 8) % world.opt.tags == tag && !world.tags.list[tag].gone_seq;
}

bool company_has_segment(uint32_t idx, uint32_t segment)
{
	uint64_t seed = world_seed(SEED_COMPANY, idx);

	return seed % 5 == 0 && (seed >> 16) % world.opt.segments == segment;
}

static void put_marks(struct buf *b, uint32_t idx, bool snapshot)
{
	uint64_t seed = world_seed(SEED_COMPANY, idx);
	uint32_t tag = (uint32_t)((seed >> 8) % world.opt.tags);
	uint32_t segment = (uint32_t)((seed >> 16) % world.opt.segments);

	j_open(b, "tags", '{');
	j_str(b, "type", "tag.list");
	j_open(b, "tags", '[');
	if (!snapshot && company_has_tag(idx, tag))
		render_tag(b, tag, UINT64_MAX);
	buf_lit(b, "]}");
	j_open(b, "segments", '{');
	j_str(b, "type", "segment.list");
	j_open(b, "segments", '[');
	if (!snapshot && company_has_segment(idx, segment))
		render_segment(b, segment, &(struct view){.version = VERSION_2_16});
	buf_lit(b, "]}");
}

void render_company(struct buf *b, const char *key, uint32_t idx, const struct view *v)
{
	struct company c;
	char hex[25], name[128], own[32];

	company_build(idx, v->snapshot, &c);
	company_id(idx, hex);
	put_name(&c, idx, name, sizeof(name));
	snprintf(own, sizeof(own), "acct-%u", 500 + idx);
	j_open(b, key, '{');
	j_str(b, "type", "company");
	j_str(b, "company_id", own);
	j_str(b, "id", hex);
	j_str(b, "app_id", world.opt.app_id);
	j_str(b, "name", name);
	j_int(b, "remote_created_at", c.created - 86400);
	j_int(b, "created_at", c.created);
	j_int(b, "updated_at", c.updated);
	if (c.last_request)
		j_int(b, "last_request_at", c.last_request);
	j_int(b, "monthly_spend", c.spend);
	j_int(b, "session_count", c.sessions);
	j_int(b, "user_count", v->snapshot ? 1 : world.company_users[idx]);
	if (c.size)
		j_int(b, "size", c.size);
	put_marks(b, idx, v->snapshot);
	if (c.plan)
		buf_fmt(b, ",\"plan\":{\"type\":\"plan\",\"id\":\"%u\",\"name\":\"%s\"}",
			40 + c.plan, contact_plan_name(c.plan));
	else
		j_lit(b, "\"plan\":{}");
	if (c.seed % 3 == 0)
		buf_fmt(b,
			",\"custom_attributes\":{\"paid_subscriber\":true,\"team_mates\":%u,"
			"\"monthly volume\":%u.5}",
			(uint32_t)(c.seed % 40), c.spend);
	else
		j_lit(b, "\"custom_attributes\":{}");
	j_close(b, '}');
}
