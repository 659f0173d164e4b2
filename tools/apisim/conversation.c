/* Builds a conversation from the seed: the people, the order of events, the
 * texts' seeds. Must stay a pure function of (world, index); what happened at
 * run time is replayed on top of it by conversation_replay.c. */
#include "conversation.h"

#include "contact.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

const char *part_type_name(enum part_type t)
{
	static const char *const names[PART_TYPE_COUNT] = {
		[PART_COMMENT] = "comment",
		[PART_NOTE] = "note",
		[PART_QUICK_REPLY] = "quick_reply",
		[PART_OPEN] = "open",
		[PART_CLOSE] = "close",
		[PART_SNOOZED] = "snoozed",
		[PART_ASSIGNMENT] = "assignment",
		[PART_ATTRIBUTE_ADMIN] = "conversation_attribute_updated_by_admin",
		[PART_ATTRIBUTE_USER] = "conversation_attribute_updated_by_user",
		[PART_ATTRIBUTE_WORKFLOW] = "conversation_attribute_updated_by_workflow",
		[PART_ACTION_STARTED] = "custom_action_started",
		[PART_ACTION_FINISHED] = "custom_action_finished",
		[PART_MERGED_PRIMARY] = "merged_primary_conversation",
		[PART_RATING] = "conversation_rating_changed",
		[PART_EXPECTATION] = "channel_and_reply_time_expectation",
		[PART_PARTICIPANT] = "participant_added",
		[PART_LANGUAGE] = "language_detection_details",
	};

	return names[t];
}

const char *conversation_state_name(uint8_t state)
{
	static const char *const names[] = {"open", "closed", "snoozed"};

	return names[state % 3];
}

struct part *conversation_add_part(struct conversation *c, enum part_type type, enum who who,
				   uint32_t who_idx, uint32_t at, uint64_t seed)
{
	struct part *p;

	if (c->part_count == c->part_cap) {
		c->part_cap = c->part_cap ? c->part_cap * 2 : 32;
		c->parts = realloc(c->parts, c->part_cap * sizeof(*c->parts));
		if (!c->parts)
			abort();
	}
	p = &c->parts[c->part_count];
	*p = (struct part){.owner = c->idx,
			   .number = c->numbered++,
			   .topic = c->topic,
			   .about = c->contact,
			   .thread_seed = c->seed,
			   .at = at,
			   .updated = at,
			   .type = (uint8_t)type,
			   .who = (uint8_t)who,
			   .who_idx = who_idx,
			   .state = c->state,
			   .seed = seed};
	p->has_body = type == PART_COMMENT || type == PART_NOTE || type == PART_QUICK_REPLY;
	c->part_count++;
	return p;
}

/* Threads have ten parts on average: most have few, one in twenty is long,
 * and the given number of them is longer than the API serves. */
static uint32_t base_part_count(uint32_t idx, struct rng *r)
{
	uint32_t all = world.conversations.base, monsters = world.opt.long_threads;
	uint32_t n = 1 + rng_below(r, 6) + rng_below(r, 6) + rng_below(r, 6);

	if (rng_chance(r, 60))
		n *= 4;
	if (rng_chance(r, 20))
		n = 0;
	if (monsters && all) {
		uint32_t step = all / (monsters + 1);

		if (step && idx % step == 0 && idx && idx / step <= monsters)
			n = 510 + rng_below(r, 300);
	}
	return n;
}

struct event {
	uint32_t weight;
	uint8_t type, who;
};

/* What may come next in a thread, by weight of 1000. */
static const struct event events[] = {
	{330, PART_COMMENT, WHO_CONTACT},
	{390, PART_COMMENT, WHO_ADMIN},
	{75, PART_NOTE, WHO_ADMIN},
	{30, PART_ASSIGNMENT, WHO_ADMIN},
	{20, PART_ATTRIBUTE_ADMIN, WHO_ADMIN},
	{15, PART_ATTRIBUTE_WORKFLOW, WHO_BOT},
	{10, PART_ATTRIBUTE_USER, WHO_CONTACT},
	{40, PART_COMMENT, WHO_FIN},
	{15, PART_QUICK_REPLY, WHO_BOT},
	{15, PART_SNOOZED, WHO_ADMIN},
	{10, PART_ACTION_STARTED, WHO_ADMIN},
	{10, PART_ACTION_FINISHED, WHO_ADMIN},
	{15, PART_CLOSE, WHO_ADMIN},
	{10, PART_OPEN, WHO_ADMIN},
	{5, PART_PARTICIPANT, WHO_ADMIN},
	{5, PART_LANGUAGE, WHO_BOT},
	{5, PART_ASSIGNMENT, WHO_TEAM},
};

static const struct event *draw_event(struct rng *r)
{
	uint32_t at = rng_below(r, 1000), sum = 0;

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		sum += events[i].weight;
		if (at < sum)
			return &events[i];
	}
	return &events[0];
}

static uint32_t author_index(const struct conversation *c, enum who who, struct rng *r)
{
	uint32_t other = rng_below(r, world.opt.admins);

	switch (who) {
	case WHO_CONTACT:
		return c->second_contact && rng_chance(r, 300) ? c->second_contact - 1 : c->contact;
	case WHO_ADMIN: return c->admin && rng_chance(r, 800) ? c->admin - 1 : other;
	case WHO_TEAM: return c->team ? c->team - 1 : 0;
	default: return 0;
	}
}

static void add_assignment(struct conversation *c, struct rng *r, enum who who, uint32_t at)
{
	struct part *p;
	bool to_team = rng_chance(r, 350);
	uint32_t which = rng_below(r, to_team ? world.opt.teams : world.opt.admins);
	uint32_t by = author_index(c, who, r);

	p = conversation_add_part(c, PART_ASSIGNMENT, who, by, at, rng_next(r));
	p->to_team = to_team;
	p->assigned = which + 1;
	p->has_body = rng_chance(r, 150);
	if (to_team)
		c->team = which + 1;
	else
		c->admin = which + 1;
}

static void add_event(struct conversation *c, struct rng *r, const struct event *e, uint32_t at)
{
	struct part *p;

	if (e->type == PART_ASSIGNMENT) {
		add_assignment(c, r, (enum who)e->who, at);
		return;
	}
	if (e->type == PART_CLOSE)
		c->state = STATE_CLOSED;
	else if (e->type == PART_SNOOZED)
		c->state = STATE_SNOOZED;
	else if (e->type == PART_OPEN || (e->type == PART_COMMENT && e->who == WHO_CONTACT))
		c->state = STATE_OPEN;
	p = conversation_add_part(c, (enum part_type)e->type, (enum who)e->who,
				  author_index(c, (enum who)e->who, r), at, rng_next(r));
	if (e->type == PART_COMMENT && e->who != WHO_FIN)
		p->attachments = (uint8_t)(rng_chance(r, 70) ? rng_range(r, 1, 3) : 0);
	if (e->type == PART_COMMENT && rng_chance(r, 10))
		p->tag = rng_below(r, world.opt.tags) + 1;
	if (e->type == PART_CLOSE)
		p->has_body = rng_chance(r, 600);
	if (p->has_body && rng_chance(r, 4)) {
		p->redacted = true;
		p->has_body = false;
		p->attachments = 0;
	}
	p->external = rng_chance(r, 30);
	c->has_ai |= e->who == WHO_FIN;
}

static void build_parts(struct conversation *c, struct rng *r, uint32_t n)
{
	static const struct event closing = {0, PART_CLOSE, WHO_ADMIN};
	static const struct event expectation = {0, PART_EXPECTATION, WHO_BOT};
	uint32_t span = conversation_base_span(c->idx);
	bool quiet_end = rng_chance(r, 150), closes = rng_chance(r, 620);

	for (uint32_t k = 0; k < n; k++) {
		uint64_t jitter = k + 1 == n && !quiet_end ? 1000 : rng_below(r, 1000);
		uint32_t at = c->created + (uint32_t)((uint64_t)span * (k * 1000 + jitter) /
						      ((uint64_t)n * 1000));

		if (k + 1 == n && n > 2 && closes)
			add_event(c, r, &closing, at);
		else if (k == 0 && rng_chance(r, 250))
			add_event(c, r, &expectation, at);
		else if (!c->admin && k < 3)
			add_assignment(c, r, rng_chance(r, 500) ? WHO_BOT : WHO_ADMIN, at);
		else
			add_event(c, r, draw_event(r), at);
	}
}

static void build_people(struct conversation *c, struct rng *r)
{
	uint32_t known = pop_base_until(&world.contacts, c->created);

	c->contact = rng_below(r, known ? known : 1);
	if (known > 1 && rng_chance(r, 40))
		c->second_contact = rng_below(r, known) + 1;
	if (c->second_contact == c->contact + 1)
		c->second_contact = 0;
}

static void build_source(struct conversation *c, struct rng *r)
{
	uint32_t kind = rng_below(r, 100);

	c->delivered_as = kind < 82 ? 0 : kind < 90 ? 1 : kind < 96 ? 2 : 3;
	c->source_type = (uint8_t)(rng_chance(r, 680) ? 0 : rng_below(r, 6));
	c->source_who = c->delivered_as == 0   ? WHO_CONTACT
			: c->delivered_as == 1 ? WHO_ADMIN
					       : WHO_BOT;
	c->source_who_idx = c->source_who == WHO_CONTACT ? c->contact
							 : rng_below(r, world.opt.admins);
	c->source_attachments = (uint8_t)(rng_chance(r, 60) ? rng_range(r, 1, 2) : 0);
	c->source_redacted = rng_chance(r, 3);
	c->has_subject = c->source_type == 1;
	c->has_url = c->source_type == 0 && rng_chance(r, 400);
}

static void build_marks(struct conversation *c, struct rng *r)
{
	uint32_t n = rng_chance(r, 300) ? rng_range(r, 1, 3) : 0, list[CONTACT_LINKS_MAX], companies;

	for (uint32_t i = 0; i < n && i < world.opt.tags; i++) {
		c->tags[c->tag_count].tag = (rng_below(r, world.opt.tags) + i) % world.opt.tags;
		c->tags[c->tag_count].at = rng_range(r, c->created, c->updated);
		c->tags[c->tag_count].admin = rng_below(r, world.opt.admins);
		if (c->tag_count == 0 || c->tags[0].tag != c->tags[c->tag_count].tag)
			c->tag_count++;
	}
	c->priority = (uint8_t)(rng_chance(r, 150) ? rng_range(r, 1, 4) : 0);
	c->read = rng_chance(r, 700);
	c->has_title = rng_chance(r, 350);
	c->title_seed = rng_next(r);
	c->statistics_missing = rng_chance(r, 100);
	c->sla = (uint8_t)(rng_chance(r, 150) ? rng_range(r, 1, 4) : 0);
	c->attribute_seed = rng_next(r);
	c->ticket = rng_chance(r, 25) ? 900000 + c->idx : 0;
	c->has_sales = rng_chance(r, 15);
	companies = contact_base_companies(c->contact, list);
	if (companies && rng_chance(r, 120))
		c->company = list[rng_below(r, companies)] + 1;
}

static void build_rating(struct conversation *c, struct rng *r)
{
	if (c->state != STATE_CLOSED || !c->admin || !rng_chance(r, 200))
		return;
	c->rating = (uint8_t)rng_range(r, 1, 5);
	c->rated_at = c->updated;
	c->rated_admin = c->admin - 1;
	c->rating_seed = rng_next(r);
}

static void clear(struct conversation *c, uint32_t idx)
{
	struct part *parts = c->parts;
	uint32_t cap = c->part_cap;

	memset(c, 0, sizeof(*c));
	c->parts = parts;
	c->part_cap = cap;
	c->idx = idx;
	c->created = world.conversations.created[idx];
	c->seed = world_seed(SEED_CONVERSATION, idx);
}

static void build_base(struct conversation *c)
{
	struct rng r = {c->seed};

	c->updated = c->created + conversation_base_span(c->idx);
	c->topic = rng_below(&r, text_topics());
	build_people(c, &r);
	build_source(c, &r);
	build_parts(c, &r, base_part_count(c->idx, &r));
	if (c->state == STATE_SNOOZED)
		c->snoozed_until = c->updated + rng_range(&r, 1, 14) * 43200;
	build_marks(c, &r);
	build_rating(c, &r);
}

static void build(uint32_t idx, struct conversation *c)
{
	clear(c, idx);
	if (idx < world.conversations.base)
		build_base(c);
}

void conversation_build_unmerged(uint32_t idx, uint32_t into, struct conversation *c)
{
	const struct overlay *o = pop_overlay(&world.conversations, idx);
	uint32_t count = 0;

	build(idx, c);
	while (count < o->count && (o->ops[count].kind != CONV_MERGED_INTO || o->ops[count].a != into))
		count++;
	conversation_replay(c, o, count);
}

void conversation_build(uint32_t idx, struct conversation *c)
{
	const struct overlay *o = pop_overlay(&world.conversations, idx);

	build(idx, c);
	if (o)
		conversation_replay(c, o, o->count);
	c->updated = world.conversations.updated[idx];
	conversation_count(c);
}

void conversation_release(struct conversation *c)
{
	free(c->parts);
	memset(c, 0, sizeof(*c));
}
