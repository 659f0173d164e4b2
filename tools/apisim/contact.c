/* Builds a contact from the seed, then replays its changes. Must stay a pure
 * function of (world, index): the list, the search, GET and the truth all
 * print what this makes. */
#include "contact.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

const char *contact_plan_name(uint32_t plan)
{
	static const char *const plans[] = {"Free", "Starter", "Team", "Business",
					    "Enterprise \xe2\x98\x85"};

	return plans[plan % 5];
}

static void lower_ascii(char *s)
{
	for (; *s; s++)
		*s = (char)(isalnum((unsigned char)*s) ? tolower((unsigned char)*s) : '-');
}

void contact_identify(uint32_t idx, struct contact_identity *out)
{
	uint64_t seed = world_seed(SEED_CONTACT, idx);
	struct rng r = {seed};
	char word[32];

	out->user = rng_chance(&r, 720);
	out->first_name = text_first_name(seed);
	out->name[0] = out->external_id[0] = '\0';
	if (out->user) {
		snprintf(out->name, sizeof(out->name), "%s %s", out->first_name, text_last_name(seed));
		snprintf(out->external_id, sizeof(out->external_id), "cust-%u", 70000 + idx);
	}
	snprintf(word, sizeof(word), "%s", text_word(seed));
	lower_ascii(word);
	if (out->user || rng_chance(&r, 600))
		snprintf(out->email, sizeof(out->email), "%s.%u@%s.example", word, idx + 1,
			 idx % 3 ? "mail" : "corp-post");
	else
		out->email[0] = '\0';
}

uint32_t contact_base_companies(uint32_t idx, uint32_t out[CONTACT_LINKS_MAX])
{
	struct rng r = {world_seed(SEED_MEMBERS, idx)};
	uint32_t all = world.opt.companies, n, k = 0, c;

	if (idx >= world.contacts.base || all == 0)
		return 0;
	n = rng_chance(&r, 10) ? 13 : rng_below(&r, 3);
	c = rng_below(&r, all);
	for (uint32_t tries = 0; k < n && tries < all; tries++, c = (c + 1) % all)
		if (!company_hidden_at_start(c))
			out[k++] = c;
	return k;
}

static uint32_t some_time(struct rng *r, const struct contact *c, uint32_t permille)
{
	return rng_chance(r, permille) ? rng_range(r, c->created, c->updated) : 0;
}

static void build_times(struct contact *c, struct rng *r)
{
	c->signed_up = c->who.user ? c->created : 0;
	c->last_seen = some_time(r, c, 800);
	c->last_replied = some_time(r, c, 500);
	c->last_contacted = some_time(r, c, 600);
	c->last_opened = some_time(r, c, 300);
	c->last_clicked = c->last_opened && rng_chance(r, 400) ? c->last_opened : 0;
}

static void build_links(struct contact *c, struct rng *r)
{
	uint32_t n = rng_chance(r, 15) ? 12 : rng_chance(r, 350) ? rng_range(r, 1, 3) : 0;
	uint32_t tag = rng_below(r, world.opt.tags), base_tags = world.opt.tags;

	for (uint32_t i = 0; i < n && i < base_tags; i++, tag = (tag + 1) % base_tags)
		c->tags[c->tag_count++] = (struct contact_tag){
			tag, rng_range(r, c->created, c->updated), rng_below(r, world.opt.admins)};
	n = rng_chance(r, 15) ? 13 : rng_chance(r, 150) ? rng_range(r, 1, 2) : 0;
	for (uint32_t i = 0; i < n; i++)
		c->notes[c->note_count++] = (struct contact_note){
			rng_range(r, c->created, c->updated), rng_below(r, world.opt.admins),
			(uint64_t)c->idx * 32 + i + 25, rng_next(r)};
	c->company_count = contact_base_companies(c->idx, c->companies);
}

static void build_base(uint32_t idx, struct contact *c)
{
	struct rng r = {world_seed(SEED_CONTACT, idx) ^ 0x5bd1e995u};

	memset(c, 0, sizeof(*c));
	c->idx = idx;
	c->seed = world_seed(SEED_CONTACT, idx);
	c->created = world.contacts.created[idx];
	c->updated = contact_base_updated(idx); /* until all is drawn from it */
	contact_identify(idx, &c->who);
	memcpy(c->name, c->who.name, sizeof(c->name));
	build_times(c, &r);
	c->owner = rng_chance(&r, 250) ? 1 + rng_below(&r, world.opt.admins) : 0;
	if (rng_chance(&r, 300))
		snprintf(c->phone, sizeof(c->phone), "+4930%07u", rng_below(&r, 10000000));
	c->bounced = rng_chance(&r, 20);
	c->spam = rng_chance(&r, 5);
	c->unsubscribed = rng_chance(&r, 80);
	c->push_known = rng_chance(&r, 100);
	c->push = rng_chance(&r, 500);
	c->has_browser = c->last_seen && rng_chance(&r, 700);
	c->has_ios = rng_chance(&r, 80);
	c->has_android = rng_chance(&r, 80);
	c->has_utm = rng_chance(&r, 60);
	c->has_avatar = c->who.user && rng_chance(&r, 300);
	c->has_location = rng_chance(&r, 700);
	c->place = text_place(rng_next(&r));
	c->plan = rng_below(&r, 5);
	c->seats = rng_chance(&r, 600) ? rng_range(&r, 1, 400) : 0;
	c->renewal = rng_chance(&r, 300) ? world.opt.now + rng_below(&r, 300) * 86400 : 0;
	build_links(c, &r);
}

static void set_field(struct contact *c, const struct op *op)
{
	struct rng r = {op->seed};

	switch ((enum contact_field)op->x) {
	case CONTACT_PHONE:
		snprintf(c->phone, sizeof(c->phone), "+1415%07u", rng_below(&r, 10000000));
		break;
	case CONTACT_SEEN: c->last_seen = op->at; break;
	case CONTACT_PLAN:
		c->plan = (c->plan + rng_range(&r, 1, 4)) % 5;
		written_drop(&c->own, "custom_attributes.plan");
		break;
	case CONTACT_OWNER: c->owner = 1 + rng_below(&r, world.opt.admins); break;
	case CONTACT_NAME:
		snprintf(c->name, sizeof(c->name), "%s %s-%s", c->who.first_name,
			 text_last_name(op->seed), text_last_name(op->seed + 1));
		break;
	case CONTACT_CITY:
		c->place = text_place(op->seed);
		c->has_location = true;
		break;
	case CONTACT_UNSUBSCRIBED: c->unsubscribed = !c->unsubscribed; break;
	case CONTACT_FIELD_COUNT: break;
	}
}

static void untag(struct contact *c, uint32_t tag)
{
	uint32_t k = 0;

	for (uint32_t i = 0; i < c->tag_count; i++)
		if (c->tags[i].tag != tag)
			c->tags[k++] = c->tags[i];
	c->tag_count = k;
}

static void set_text(char *out, size_t size, const json_t *value)
{
	const char *text = json_string_value(value);

	snprintf(out, size, "%s", text ? text : "");
}

static void set_written(struct contact *c, uint32_t number)
{
	const struct written *w = written_at(number);
	const char *id = json_string_value(w->value);

	if (!strcmp(w->field, "name"))
		set_text(c->name, sizeof(c->name), w->value);
	else if (!strcmp(w->field, "phone"))
		set_text(c->phone, sizeof(c->phone), w->value);
	else if (!strcmp(w->field, "email"))
		set_text(c->who.email, sizeof(c->who.email), w->value);
	else if (!strcmp(w->field, "external_id"))
		set_text(c->who.external_id, sizeof(c->who.external_id), w->value);
	else if (!strcmp(w->field, "role"))
		c->who.user = !strcmp(id, "user");
	else if (!strcmp(w->field, "owner_id"))
		c->owner = id ? (uint32_t)items_find(&world.admins, id) + 1 : 0;
	else if (!strcmp(w->field, "unsubscribed_from_emails"))
		c->unsubscribed = json_is_true(w->value);
	else if (!strcmp(w->field, "signed_up_at"))
		c->signed_up = (uint32_t)json_integer_value(w->value);
	else if (!strcmp(w->field, "last_seen_at"))
		c->last_seen = (uint32_t)json_integer_value(w->value);
	else
		written_put(&c->own, number);
}

static void replay(struct contact *c, const struct op *op)
{
	c->seq = op->seq;
	switch ((enum contact_op)op->kind) {
	case CONTACT_SET: set_field(c, op); break;
	case CONTACT_TAG:
		untag(c, op->a);
		if (c->tag_count < CONTACT_LINKS_MAX)
			c->tags[c->tag_count++] = (struct contact_tag){op->a, op->at, op->b};
		break;
	case CONTACT_UNTAG: untag(c, op->a); break;
	case CONTACT_NOTE:
		if (c->note_count < CONTACT_LINKS_MAX) {
			c->notes[c->note_count] = (struct contact_note){
				op->at, op->b, (uint64_t)c->idx * 32 + c->note_count + 25, op->seed};
			c->note_count++;
		}
		break;
	case CONTACT_COMPANY:
		for (uint32_t i = 0; i < c->company_count; i++)
			if (c->companies[i] == op->a)
				return;
		if (c->company_count < CONTACT_LINKS_MAX)
			c->companies[c->company_count++] = op->a;
		break;
	case CONTACT_MERGED_INTO: c->merged_into = op->a + 1; break;
	case CONTACT_MERGED_FROM: break;
	case CONTACT_ARCHIVED: c->archived = true; break;
	case CONTACT_WRITTEN: set_written(c, op->a); break;
	}
}

void contact_build(uint32_t idx, struct contact *out)
{
	const struct overlay *o = pop_overlay(&world.contacts, idx);
	uint32_t kept = 0;

	build_base(idx, out);
	out->updated = world.contacts.updated[idx];
	for (uint32_t i = 0; o && i < o->count; i++)
		replay(out, &o->ops[i]);
	/* A tag that was deleted before the last change is no longer shown. */
	for (uint32_t i = 0; i < out->tag_count; i++)
		if (item_there(&world.tags.list[out->tags[i].tag], out->seq))
			out->tags[kept++] = out->tags[i];
	out->tag_count = kept;
}

uint32_t contact_segments(const struct contact *c, uint32_t out[2])
{
	struct rng r = {hash2(c->seed, SEED_SEGMENT)};
	uint32_t n = rng_below(&r, 3), all = world.opt.segments;

	for (uint32_t i = 0; i < n && i < all; i++)
		out[i] = (rng_below(&r, all) + i) % all;
	if (n == 2 && all > 1 && out[0] == out[1])
		n = 1;
	return n < all ? n : all;
}
