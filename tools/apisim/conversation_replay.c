/* Replays on a conversation what happened to it at run time, and derives
 * what follows from the parts: statistics, who took part, who waits. Must
 * never look at anything later than the change being replayed, or documents
 * would change without their updated_at. */
#include "conversation.h"

#include "contact.h"
#include "text.h"

#include <string.h>

static void created(struct conversation *c, const struct op *op)
{
	struct rng r = {op->seed};

	c->seed = op->seed;
	c->topic = rng_below(&r, text_topics());
	c->contact = op->a;
	c->source_who = WHO_CONTACT;
	c->source_who_idx = op->a;
	c->source_type = (uint8_t)(rng_chance(&r, 700) ? 0 : 1);
	c->has_subject = c->source_type == 1;
	c->source_attachments = (uint8_t)rng_chance(&r, 100);
	c->attribute_seed = rng_next(&r);
	c->title_seed = rng_next(&r);
	c->statistics_missing = rng_chance(&r, 100);
}

static struct part *add(struct conversation *c, const struct op *op, enum part_type type,
			enum who who, uint32_t who_idx)
{
	struct part *p = conversation_add_part(c, type, who, who_idx, op->at, op->seed);

	p->seq = op->seq;
	return p;
}

static void reply(struct conversation *c, const struct op *op)
{
	struct part *p;

	if (op->x == 0) {
		c->state = STATE_OPEN;
		c->snoozed_until = 0;
		c->read = false;
		p = add(c, op, PART_COMMENT, WHO_CONTACT, c->contact);
	} else {
		p = add(c, op, PART_COMMENT, op->x == 1 ? WHO_ADMIN : WHO_FIN, op->a);
		c->has_ai |= op->x == 2;
	}
	p->attachments = (uint8_t)(op->seed % 11 == 0);
}

static void change_state(struct conversation *c, const struct op *op)
{
	static const enum part_type types[] = {PART_OPEN, PART_CLOSE, PART_SNOOZED};
	struct part *part;

	c->state = op->x;
	c->snoozed_until = op->x != STATE_SNOOZED ? 0 : op->b ? op->b : op->at + 86400;
	part = add(c, op, types[op->x % 3], WHO_ADMIN, op->a);
	if (op->x == STATE_CLOSED && op->b) {
		part->written = op->b;
		part->has_body = true;
	}
}

static void assign(struct conversation *c, const struct op *op)
{
	struct part *p = add(c, op, PART_ASSIGNMENT, WHO_ADMIN, op->b);

	p->to_team = op->x % 2;
	p->assigned = op->x >= 2 ? 0 : op->a + 1;
	*(p->to_team ? &c->team : &c->admin) = p->assigned;
}

static void toggle_tag(struct conversation *c, const struct op *op)
{
	for (uint32_t i = 0; i < c->tag_count; i++) {
		if (c->tags[i].tag != op->a)
			continue;
		memmove(&c->tags[i], &c->tags[i + 1], (c->tag_count - i - 1) * sizeof(c->tags[0]));
		c->tag_count--;
		return;
	}
	if (c->tag_count == CONVERSATION_TAGS_MAX)
		return;
	c->tags[c->tag_count].tag = op->a;
	c->tags[c->tag_count].at = op->at;
	c->tags[c->tag_count].admin = op->b;
	c->tag_count++;
}

static void redact(struct conversation *c, const struct op *op)
{
	struct part *p;

	if (op->a >= c->part_count) {
		c->source_redacted = true;
		c->source_attachments = 0;
		return;
	}
	p = &c->parts[op->a];
	p->redacted = true;
	p->has_body = false;
	p->attachments = 0;
	p->updated = op->at;
}

static void rate(struct conversation *c, const struct op *op)
{
	add(c, op, PART_RATING, WHO_CONTACT, c->contact);
	c->rating = op->x;
	c->rated_at = op->at;
	c->rated_admin = c->admin ? c->admin - 1 : 0;
	c->rating_seed = op->seed;
}

static void set_written(struct conversation *c, const struct op *op)
{
	const struct written *w = written_at(op->a);
	uint32_t company;

	if (!strcmp(w->field, "read")) {
		c->read = json_is_true(w->value);
		return;
	}
	if (!strcmp(w->field, "company_id")) {
		c->company = company_index(json_string_value(w->value), &company) ? company + 1 : 0;
		return;
	}
	if (!strncmp(w->field, "custom_attributes.", 18))
		add(c, op, PART_ATTRIBUTE_ADMIN, WHO_FIN, 0);
	written_put(&c->own, op->a);
}

static void say(struct conversation *c, const struct op *op)
{
	struct part *p = add(c, op, (enum part_type)op->x, WHO_ADMIN, op->b);

	p->written = op->a;
	p->has_body = true;
}

static void link_to(struct conversation *c, uint32_t other)
{
	if (c->link_count < CONVERSATION_LINKS_MAX)
		c->links[c->link_count++] = other;
}

/* One of another thread, where its time puts it. */
static void place(struct conversation *c, struct part moved)
{
	uint32_t at = c->part_count;

	conversation_add_part(c, (enum part_type)moved.type, (enum who)moved.who, moved.who_idx,
			      moved.at, moved.seed);
	for (; at > 0 && c->parts[at - 1].at > moved.at; at--)
		c->parts[at] = c->parts[at - 1];
	c->parts[at] = moved;
}

static void take_parts(struct conversation *c, const struct op *op)
{
	static struct conversation other; /* kept for its memory */

	conversation_build_unmerged(op->a, c->idx, &other);
	for (uint32_t i = 0; i < other.part_count && c->part_count < PARTS_MAX; i++) {
		struct part moved = other.parts[i];

		if (op->x) {
			moved.owner = c->idx;
			moved.number = c->numbered;
		}
		place(c, moved);
	}
}

static void replay(struct conversation *c, const struct op *op)
{
	switch ((enum conversation_op)op->kind) {
	case CONV_CREATED: created(c, op); break;
	case CONV_REPLY: reply(c, op); break;
	case CONV_NOTE: add(c, op, PART_NOTE, WHO_ADMIN, op->a); break;
	case CONV_STATE: change_state(c, op); break;
	case CONV_ASSIGN: assign(c, op); break;
	case CONV_TAG: toggle_tag(c, op); break;
	case CONV_ATTRIBUTE:
		c->attribute_seed = op->seed;
		written_drop(&c->own, "custom_attributes.");
		add(c, op, PART_ATTRIBUTE_ADMIN, WHO_FIN, 0);
		break;
	case CONV_REDACT: redact(c, op); break;
	case CONV_RATE: rate(c, op); break;
	case CONV_READ: c->read = !c->read; break;
	case CONV_PRIORITY: c->priority = op->x; break;
	case CONV_MERGED_INTO:
		c->state = STATE_CLOSED;
		c->part_count = 0;
		add(c, op, PART_CLOSE, WHO_ADMIN, op->b);
		link_to(c, op->a);
		break;
	case CONV_MERGED_FROM:
		take_parts(c, op);
		add(c, op, PART_MERGED_PRIMARY, WHO_BOT, 0);
		link_to(c, op->a);
		break;
	case CONV_TITLE:
		c->has_title = true;
		written_drop(&c->own, "title");
		c->title_seed = op->seed;
		break;
	case CONV_WRITTEN: set_written(c, op); break;
	case CONV_SAID: say(c, op); break;
	}
	c->seq = op->seq;
}

void conversation_replay(struct conversation *c, const struct overlay *o, uint32_t count)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < count; i++)
		replay(c, &o->ops[i]);
	for (uint32_t i = 0; i < c->tag_count; i++)
		if (item_there(&world.tags.list[c->tags[i].tag], c->seq))
			c->tags[kept++] = c->tags[i];
	c->tag_count = kept;
}

static void count_mate(struct conversation *c, uint32_t admin)
{
	for (uint32_t i = 0; i < c->mate_count; i++)
		if (c->mates[i] == admin)
			return;
	if (c->mate_count < CONVERSATION_MATES_MAX)
		c->mates[c->mate_count++] = admin;
}

static void first(uint32_t *field, uint32_t at)
{
	if (!*field)
		*field = at;
}

static void count_part(struct conversation *c, const struct part *p)
{
	struct statistics *s = &c->stats;
	bool comment = p->type == PART_COMMENT;

	if (comment && p->who == WHO_CONTACT) {
		s->last_contact_reply = p->at;
		first(&c->waiting_since, p->at);
	} else if (comment && p->who == WHO_ADMIN) {
		first(&s->first_admin_reply, p->at);
		s->last_admin_reply = p->at;
		if (s->last_assignment)
			first(&s->last_assignment_reply, p->at);
		c->waiting_since = 0;
	} else if (p->type == PART_ASSIGNMENT) {
		first(&s->first_assignment, p->at);
		s->last_assignment = p->at;
		s->last_assignment_reply = 0;
		s->assignments++;
	} else if (p->type == PART_CLOSE) {
		first(&s->first_close, p->at);
		s->last_close = p->at;
		s->last_closed_by = p->who == WHO_ADMIN ? p->who_idx + 1 : 0;
	} else if (p->type == PART_OPEN && s->last_close) {
		s->reopens++;
	}
	if (p->who == WHO_ADMIN)
		count_mate(c, p->who_idx);
}

/* Parts of a merged conversation may be older than this one. */
static uint32_t since_start(const struct conversation *c, uint32_t at)
{
	return at > c->created ? at - c->created : 0;
}

void conversation_count(struct conversation *c)
{
	struct statistics *s = &c->stats;

	if (c->source_who == WHO_CONTACT) {
		s->first_contact_reply = s->last_contact_reply = c->created;
		c->waiting_since = c->created;
	}
	for (uint32_t i = 0; i < c->part_count; i++)
		count_part(c, &c->parts[i]);
	if (!s->first_contact_reply)
		s->first_contact_reply = s->last_contact_reply;
	if (c->state == STATE_CLOSED)
		c->waiting_since = 0;
	s->to_assignment = since_start(c, s->first_assignment);
	s->to_admin_reply = since_start(c, s->first_admin_reply);
	s->to_first_close = since_start(c, s->first_close);
	s->to_last_close = since_start(c, s->last_close);
	s->median_reply = s->to_admin_reply ? s->to_admin_reply / 2 + 17 : 0;
	s->handling = 30 * c->part_count + (uint32_t)(c->seed % 97);
}
