/* What happens in conversations: messages, comments and events, each in a
 * chain from the newest to the oldest. Must keep the chains in the order of
 * time, also for what comes late. */
#include "front.h"
#include "settings.h"

#include <stdlib.h>
#include <string.h>

uint32_t front_message_add(const struct front_said *said)
{
	struct front_conversation *c = &front.conversations.list[said->conversation];
	uint32_t idx = front_add(&front.messages), *at = &c->message, number = 0;
	struct front_message *m = &front.messages.list[idx];
	struct rng r = {said->seed};

	while (*at && front.messages.list[*at - 1].created > said->at)
		at = &front.messages.list[*at - 1].older;
	if (*at && !said->inbound)
		number = *at; /* what it answers */
	*m = (struct front_message){.created = said->at,
				    .seed = said->seed,
				    .seq = world.version,
				    .conversation = said->conversation,
				    .older = *at,
				    .author = said->author,
				    .replied_to = number,
				    .person = c->person,
				    .contact = c->contact,
				    .inbox = c->inbox,
				    .inbound = said->inbound,
				    .opening = !*at};
	if (said->inbound && rng_chance(&r, 60))
		m->error = ERROR_SPOOFED;
	*at = idx + 1;
	return idx;
}

uint32_t front_comment_add(const struct front_said *said)
{
	struct front_conversation *c = &front.conversations.list[said->conversation];
	uint32_t idx = front_add(&front.comments), *at = &c->comment;
	struct rng r = {said->seed};

	while (*at && front.comments.list[*at - 1].posted > said->at)
		at = &front.comments.list[*at - 1].older;
	front.comments.list[idx] = (struct front_comment){
		.posted = said->at,
		.seed = said->seed,
		.seq = world.version,
		.conversation = said->conversation,
		.older = *at,
		.author = said->author,
		.replied_to = *at && rng_chance(&r, 250) ? *at : 0,
		.pinned = rng_chance(&r, 50),
	};
	*at = idx + 1;
	return idx;
}

static void link_event(uint32_t idx)
{
	struct front_event *e = &front.events.list[idx];
	uint32_t *at = &front.conversations.list[e->conversation].event;

	while (*at && front.events.list[*at - 1].emitted > e->emitted)
		at = &front.events.list[*at - 1].older;
	e->older = *at;
	*at = idx + 1;
}

void front_event_add(uint32_t conversation, enum front_event_type type, int64_t at,
		     enum front_actor actor, uint32_t who, uint32_t target)
{
	uint32_t idx = front_add(&front.events);

	front.events.list[idx] = (struct front_event){.emitted = at,
						      .conversation = conversation,
						      .older = idx,
						      .who = who,
						      .target = target,
						      .type = (uint8_t)type,
						      .actor = (uint8_t)actor};
	if (!front.settled)
		return;
	link_event(idx);
	front_order_put(&front.by_emitted, idx, at);
}

bool front_event_forgotten(uint32_t idx)
{
	int64_t kept = settings.event_days * 86400000ll;

	return kept && front.events.list[idx].emitted < front_now() - kept;
}

static int compare_events(const void *a, const void *b)
{
	const struct front_event *x = a, *y = b;

	if (x->emitted != y->emitted)
		return x->emitted < y->emitted ? -1 : 1;
	return x->older < y->older ? -1 : x->older > y->older;
}

void front_events_settle(void)
{
	if (front.events.count)
		qsort(front.events.list, front.events.count, sizeof(*front.events.list),
		      compare_events);
	for (uint32_t i = 0; i < front.events.count; i++) {
		link_event(i);
		front_order_put(&front.by_emitted, i, front.events.list[i].emitted);
	}
	front.settled = true;
}

void front_touch(uint32_t conversation, int64_t at, bool bump)
{
	struct front_conversation *c = &front.conversations.list[conversation];

	c->seq = world.version;
	c->updated = at > c->updated ? at : c->updated + 1;
	if (c->person)
		c->contact = front.handles.list[c->person - 1].owner;
	if (bump && at > c->bumped)
		c->bumped = at;
	if (c->gone || c->merged_into)
		front_order_remove(&front.by_bump, conversation);
	else if (bump)
		front_order_put(&front.by_bump, conversation, c->bumped);
}

static void take_messages(uint32_t from, uint32_t into)
{
	uint32_t next = front.conversations.list[from].message;

	front.conversations.list[from].message = 0;
	while (next) {
		struct front_message *m = &front.messages.list[next - 1];
		uint32_t own = next, *at = &front.conversations.list[into].message;

		next = m->older;
		while (*at && front.messages.list[*at - 1].created > m->created)
			at = &front.messages.list[*at - 1].older;
		m->conversation = into;
		m->older = *at;
		*at = own;
	}
}

static void take_comments(uint32_t from, uint32_t into)
{
	uint32_t next = front.conversations.list[from].comment;

	front.conversations.list[from].comment = 0;
	while (next) {
		struct front_comment *m = &front.comments.list[next - 1];
		uint32_t own = next, *at = &front.conversations.list[into].comment;

		next = m->older;
		while (*at && front.comments.list[*at - 1].posted > m->posted)
			at = &front.comments.list[*at - 1].older;
		m->conversation = into;
		m->older = *at;
		*at = own;
	}
}

static void take_events(uint32_t from, uint32_t into)
{
	uint32_t next = front.conversations.list[from].event;

	front.conversations.list[from].event = 0;
	while (next) {
		uint32_t own = next - 1;

		next = front.events.list[own].older;
		front.events.list[own].conversation = into;
		link_event(own);
	}
}

void front_merge(uint32_t from, uint32_t into)
{
	take_messages(from, into);
	take_comments(from, into);
	take_events(from, into);
	front.conversations.list[from].merged_into = into + 1;
}

bool front_conversation_visible(uint32_t idx)
{
	const struct front_conversation *c = &front.conversations.list[idx];

	return !c->gone && !c->merged_into && !c->is_private;
}

uint32_t front_last_message(uint32_t conversation)
{
	uint32_t at = front.conversations.list[conversation].message;

	while (at && (front.messages.list[at - 1].draft || front.messages.list[at - 1].gone))
		at = front.messages.list[at - 1].older;
	return at;
}
