/* What happens to conversations. Each change bumps updated_at, save a silent
 * redaction; a deletion shows in the deletion feed only. */
#include "change.h"
#include "conversation.h"
#include "settings.h"

static struct conversation conv; /* the one being changed */

static bool pick_conversation(struct change *m, uint32_t *idx)
{
	if (m->fixed)
		*idx = m->target;
	else if (!change_pick(m, &world.conversations, idx))
		return false;
	if (!pop_live(&world.conversations, *idx))
		return false;
	conversation_build(*idx, &conv);
	return conv.part_count < PARTS_MAX;
}

static bool change_conversation(struct change *m, uint32_t idx, struct op op)
{
	op.at = m->at > conv.updated ? m->at : conv.updated;
	op.seed = rng_next(&m->rng);
	change_apply(&world.conversations, idx, op, op.kind == CONV_REDACT && settings.redact_silent);
	change_report_number(m, "conversations", conversation_id(idx), op.at);
	return true;
}

bool do_reply(struct change *m)
{
	uint32_t idx;

	return pick_conversation(m, &idx) &&
	       change_conversation(
		       m, idx,
		       (struct op){.kind = CONV_REPLY,
				   .x = (uint8_t)(rng_chance(&m->rng, 60) ? 2 : rng_below(&m->rng, 2)),
				   .a = change_admin(m)});
}

bool do_note(struct change *m)
{
	uint32_t idx;

	return pick_conversation(m, &idx) &&
	       change_conversation(m, idx, (struct op){.kind = CONV_NOTE, .a = change_admin(m)});
}

bool do_state(struct change *m)
{
	uint32_t idx;

	if (!pick_conversation(m, &idx))
		return false;
	return change_conversation(
		m, idx,
		(struct op){.kind = CONV_STATE,
			    .x = (uint8_t)((conv.state + 1 + rng_below(&m->rng, 2)) % 3),
			    .a = change_admin(m)});
}

bool do_assign(struct change *m)
{
	uint32_t idx, x = rng_below(&m->rng, 3);

	return pick_conversation(m, &idx) &&
	       change_conversation(m, idx,
				   (struct op){.kind = CONV_ASSIGN,
					       .x = (uint8_t)x,
					       .a = x == 1 ? items_pick(&world.teams, &m->rng)
							   : change_admin(m),
					       .b = change_admin(m)});
}

bool do_tag(struct change *m)
{
	uint32_t idx;

	return pick_conversation(m, &idx) &&
	       change_conversation(m, idx,
				   (struct op){.kind = CONV_TAG,
					       .a = items_pick(&world.tags, &m->rng),
					       .b = change_admin(m)});
}

bool do_attribute(struct change *m)
{
	uint32_t idx;

	return pick_conversation(m, &idx) &&
	       change_conversation(m, idx, (struct op){.kind = CONV_ATTRIBUTE});
}

/* A part with a body, or the opening message. */
bool do_redact(struct change *m)
{
	uint32_t idx, part = UINT32_MAX;

	if (!pick_conversation(m, &idx))
		return false;
	for (uint32_t i = 0, k = rng_below(&m->rng, conv.part_count + 1); i < conv.part_count; i++)
		if (conv.parts[(i + k) % conv.part_count].has_body)
			part = (i + k) % conv.part_count;
	if (rng_chance(&m->rng, 150))
		part = UINT32_MAX;
	return change_conversation(m, idx, (struct op){.kind = CONV_REDACT, .a = part});
}

bool do_rate(struct change *m)
{
	uint32_t idx;

	return pick_conversation(m, &idx) &&
	       change_conversation(m, idx,
				   (struct op){.kind = CONV_RATE,
					       .x = (uint8_t)rng_range(&m->rng, 1, 5)});
}

bool do_read(struct change *m)
{
	uint32_t idx;

	return pick_conversation(m, &idx) &&
	       change_conversation(m, idx, (struct op){.kind = CONV_READ});
}

bool do_priority(struct change *m)
{
	uint32_t idx;

	return pick_conversation(m, &idx) &&
	       change_conversation(
		       m, idx,
		       (struct op){.kind = CONV_PRIORITY,
				   .x = (uint8_t)((conv.priority + rng_range(&m->rng, 1, 4)) % 5)});
}

bool do_title(struct change *m)
{
	uint32_t idx;

	return pick_conversation(m, &idx) &&
	       change_conversation(m, idx, (struct op){.kind = CONV_TITLE});
}

bool do_merge_conversation(struct change *m)
{
	uint32_t secondary, primary;

	if (!change_pick(m, &world.conversations, &primary) || !pick_conversation(m, &secondary) ||
	    primary == secondary || conv.link_count)
		return false;
	/* Nothing that is moved is younger than the one that it is moved to. */
	if (m->at < conv.updated)
		m->at = conv.updated;
	change_conversation(m, secondary,
			    (struct op){.kind = CONV_MERGED_INTO, .a = primary, .b = change_admin(m)});
	conversation_build(primary, &conv);
	return change_conversation(m, primary,
				   (struct op){.kind = CONV_MERGED_FROM,
					       .x = (uint8_t)rng_below(&m->rng, 2),
					       .a = secondary});
}

bool do_delete_conversation(struct change *m)
{
	uint32_t idx, at;

	if (!pick_conversation(m, &idx))
		return false;
	at = m->at > conv.updated ? m->at : conv.updated;
	world.version++;
	world_delete_feed(conversation_id(idx), at, rng_chance(&m->rng, 500));
	change_report_number(m, "conversations", conversation_id(idx), at);
	pop_remove(&world.conversations, idx);
	return true;
}

/* It is a ticket from now on, and no feed says so. */
bool do_convert_conversation(struct change *m)
{
	uint32_t idx;

	if (!pick_conversation(m, &idx))
		return false;
	change_report_number(m, "conversations", conversation_id(idx), m->at);
	pop_remove(&world.conversations, idx);
	return do_new_ticket(m);
}

bool do_new_conversation(struct change *m)
{
	uint32_t contact, idx;
	struct op op = {.kind = CONV_CREATED, .at = m->at};

	if (!change_pick(m, &world.contacts, &contact) || world.contacts.created[contact] > m->at)
		return false;
	op.a = contact;
	op.seed = rng_next(&m->rng);
	idx = pop_add(&world.conversations, m->at);
	change_apply(&world.conversations, idx, op, false);
	change_report_number(m, "conversations", conversation_id(idx), m->at);
	return true;
}
