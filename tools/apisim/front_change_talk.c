/* Changes to what is said: messages, comments, drafts. Who answers archives,
 * and the event of that comes first. */
#include "front_change.h"

#include "clock.h"

bool front_change_pick(struct change *m, unsigned fits, uint32_t *idx)
{
	const struct front_order *o = &front.by_bump;
	uint32_t recent = o->count < 200 ? o->count : 200;

	for (int tries = 0; tries < 60 && o->count; tries++) {
		const struct front_conversation *c;
		bool late = rng_chance(&m->rng, 600);

		*idx = o->idx[late ? o->count - 1 - rng_below(&m->rng, recent)
				   : rng_below(&m->rng, o->count)];
		if (m->fixed)
			*idx = m->target;
		c = &front.conversations.list[*idx];
		if (front_conversation_visible(*idx) && !c->unsent && (fits >> c->status & 1) &&
		    (!(fits & FIT_TALK) || c->type == TYPE_CONVERSATION))
			return true;
	}
	return false;
}

int64_t front_change_begin(struct change *m)
{
	world.version++;
	return front_decimals(m->at - 1, rng_next(&m->rng));
}

void front_change_report(struct change *m, const char *resource, enum front_kind kind, uint32_t idx,
			 int64_t at)
{
	change_report(m, resource, front_id(kind, idx).text, (uint32_t)(at / 1000));
}

bool front_change_end(struct change *m, uint32_t idx, int64_t at, bool bump)
{
	front_touch(idx, at, bump);
	front_change_report(m, "conversations", FRONT_CONVERSATION, idx, at);
	return true;
}

static uint32_t some_teammate(struct change *m)
{
	return items_pick(&front.teammates, &m->rng);
}

static uint32_t say(struct change *m, uint32_t idx, int64_t at, bool inbound, uint32_t author)
{
	struct front_conversation *c = &front.conversations.list[idx];
	uint32_t message =
		front_message_add(&(struct front_said){idx, at, rng_next(&m->rng), author, inbound});

	if (front_last_message(idx) == message + 1) {
		c->from = inbound;
		c->waiting = inbound ? at : 0;
	}
	return message;
}

bool front_do_inbound(struct change *m)
{
	struct front_conversation *c;
	uint32_t idx, message;
	int64_t at;

	if (!front_change_pick(m, FIT_ANY | FIT_TALK, &idx))
		return false;
	at = front_change_begin(m);
	c = &front.conversations.list[idx];
	message = say(m, idx, at, true, 0);
	front_event_add(idx, EVENT_INBOUND, at, BY_INBOX, c->inbox - 1, message);
	if (c->status == STATUS_ARCHIVED) {
		c->status = STATUS_OPEN;
		c->reminder_at = 0;
		if (rng_chance(&m->rng, 500)) /* not always is there an event for that */
			front_event_add(idx, EVENT_REOPEN, at + rng_below(&m->rng, 80), BY_RULE, 0, 0);
	}
	return front_change_end(m, idx, at, true);
}

bool front_do_reply(struct change *m)
{
	uint32_t idx, message, mate = some_teammate(m);
	struct front_conversation *c;
	int64_t at;

	if (!front_change_pick(m, FIT_ANY | FIT_TALK, &idx))
		return false;
	at = front_change_begin(m);
	c = &front.conversations.list[idx];
	if (c->status == STATUS_OPEN && rng_chance(&m->rng, 600)) {
		c->status = STATUS_ARCHIVED;
		front_event_add(idx, EVENT_ARCHIVE, at - 250, BY_TEAMMATE, mate, 0);
	}
	message = say(m, idx, at, false, rng_chance(&m->rng, 60) ? 0 : mate + 1);
	front_event_add(idx, EVENT_OUT_REPLY, at, BY_INBOX, c->inbox - 1, message);
	return front_change_end(m, idx, at, true);
}

bool front_do_forward(struct change *m)
{
	uint32_t idx, message, mate = some_teammate(m);
	int64_t at;

	if (!front_change_pick(m, FIT_ANY | FIT_TALK, &idx))
		return false;
	at = front_change_begin(m);
	message = say(m, idx, at, false, mate + 1);
	front_event_add(idx, EVENT_FORWARD, at, BY_TEAMMATE, mate, message);
	return front_change_end(m, idx, at, true);
}

/* A message that comes late: its event is emitted in the past. */
static bool back_date(struct change *m, int64_t least_ms, uint32_t more_s)
{
	uint32_t idx, message;
	int64_t at;

	if (!front_change_pick(m, FIT_ANY | FIT_TALK, &idx))
		return false;
	at = front_change_begin(m) - least_ms - (int64_t)rng_below(&m->rng, more_s) * 1000;
	message = say(m, idx, at, true, 0);
	front_event_add(idx, EVENT_INBOUND, at, BY_INBOX, front.conversations.list[idx].inbox - 1,
			message);
	return front_change_end(m, idx, at, true);
}

bool front_do_late_message(struct change *m)
{
	return back_date(m, 1000, 60);
}

bool front_do_import_message(struct change *m)
{
	return back_date(m, 3600000, 86400);
}

static uint32_t add_conversation(struct change *m, int64_t at)
{
	uint32_t idx = front_add(&front.conversations), inbox, handle;
	struct front_conversation *c = &front.conversations.list[idx];

	handle = rng_below(&m->rng, front.handles.count);
	inbox = rng_below(&m->rng, front.inboxes.count);
	for (uint32_t k = 0; k < front.inboxes.count; k++) {
		uint32_t i = (inbox + k) % front.inboxes.count;

		c->inbox = i + 1;
		if (!front_inbox_private(i) &&
		    front_inbox_source(i) == front.handles.list[handle].source)
			break;
	}
	if (front_inbox_private(c->inbox - 1))
		c->inbox = 1;
	c->person = handle + 1;
	c->contact = front.handles.list[handle].owner;
	c->seed = rng_next(&m->rng);
	c->created = at + rng_below(&m->rng, 900);
	c->ticket = rng_chance(&m->rng, 80);
	return idx;
}

bool front_do_new_conversation(struct change *m)
{
	int64_t at = front_change_begin(m);
	uint32_t idx = add_conversation(m, at), message = say(m, idx, at, true, 0);

	front_event_add(idx, EVENT_INBOUND, at, BY_INBOX, front.conversations.list[idx].inbox - 1,
			message);
	if (rng_chance(&m->rng, 400)) {
		uint32_t mate = some_teammate(m);

		front.conversations.list[idx].assignee = mate + 1;
		front_event_add(idx, EVENT_ASSIGN, at + 150, BY_RULE, 0, mate);
	}
	return front_change_end(m, idx, at, true);
}

bool front_do_new_outbound(struct change *m)
{
	int64_t at = front_change_begin(m);
	uint32_t idx = add_conversation(m, at), mate = some_teammate(m), message;

	/* The assignment can come before the first message. */
	front.conversations.list[idx].assignee = mate + 1;
	front_event_add(idx, EVENT_ASSIGN, at - 700, BY_TEAMMATE, mate, mate);
	message = say(m, idx, at, false, mate + 1);
	front_event_add(idx, EVENT_OUTBOUND, at, BY_INBOX, front.conversations.list[idx].inbox - 1,
			message);
	return front_change_end(m, idx, at, true);
}

/* A conversation that is begun and not sent: only its assignment is told. */
bool front_do_unsent(struct change *m)
{
	int64_t at = front_change_begin(m);
	uint32_t idx = add_conversation(m, at), mate = some_teammate(m), draft;

	front.conversations.list[idx].assignee = mate + 1;
	front.conversations.list[idx].unsent = true;
	draft = front_message_add(&(struct front_said){idx, at, rng_next(&m->rng), mate + 1, false});
	front.messages.list[draft].draft = true;
	front_event_add(idx, EVENT_ASSIGN, at, BY_TEAMMATE, mate, mate);
	return front_change_end(m, idx, at, true);
}

bool front_do_sending_error(struct change *m)
{
	struct front_message *sent;
	uint32_t idx, at_message;
	int64_t at;

	if (!front_change_pick(m, FIT_ANY | FIT_TALK, &idx))
		return false;
	for (at_message = front_last_message(idx); at_message; at_message = sent->older) {
		sent = &front.messages.list[at_message - 1];
		if (!sent->inbound && !sent->draft && !sent->gone && !sent->error)
			break;
	}
	if (!at_message)
		return false;
	at = front_change_begin(m);
	sent->error = ERROR_UNDELIVERED;
	sent->seq = world.version;
	front_event_add(idx, rng_chance(&m->rng, 500) ? EVENT_SENDING_ERROR : EVENT_BOUNCE, at,
			BY_RECIPIENT, 0, at_message - 1);
	return front_change_end(m, idx, at, false);
}

static bool comment(struct change *m, bool mention)
{
	uint32_t idx, made, mate = some_teammate(m);
	int64_t at;

	if (!front_change_pick(m, FIT_ANY, &idx))
		return false;
	at = front_change_begin(m);
	made = front_comment_add(&(struct front_said){idx, at, rng_next(&m->rng), mate + 1, false});
	front_event_add(idx, EVENT_COMMENT, at + rng_range(&m->rng, 19, 520), BY_TEAMMATE, mate, made);
	front.comments.list[made].mentioned = mention ? some_teammate(m) + 1 : 0;
	if (mention)
		front_event_add(idx, EVENT_MENTION, at + 30, BY_TEAMMATE, mate, made);
	return front_change_end(m, idx, at, false);
}

bool front_do_comment(struct change *m)
{
	return comment(m, false);
}

bool front_do_mention(struct change *m)
{
	return comment(m, true);
}

/* A live comment of some conversation. */
static bool pick_comment(struct change *m, uint32_t *conversation, uint32_t *idx)
{
	for (int tries = 0; tries < 40; tries++) {
		uint32_t at;

		if (!front_change_pick(m, FIT_ANY, conversation))
			return false;
		for (at = front.conversations.list[*conversation].comment; at;
		     at = front.comments.list[at - 1].older) {
			*idx = at - 1;
			if (!front.comments.list[at - 1].gone)
				return true;
		}
	}
	return false;
}

/* No event, and the conversation's own times stay. */
bool front_do_edit_comment(struct change *m)
{
	uint32_t conversation, idx;
	int64_t at;

	if (!pick_comment(m, &conversation, &idx))
		return false;
	at = front_change_begin(m);
	front.comments.list[idx].revision++;
	front.comments.list[idx].seq = world.version;
	front_change_report(m, "comments", FRONT_COMMENT, idx, at);
	return true;
}

bool front_do_delete_comment(struct change *m)
{
	uint32_t conversation, idx;
	int64_t at;

	if (!pick_comment(m, &conversation, &idx))
		return false;
	at = front_change_begin(m);
	front.comments.list[idx].gone = true;
	front_change_report(m, "comments", FRONT_COMMENT, idx, at);
	return true;
}

bool front_do_draft(struct change *m)
{
	uint32_t idx, message, mate = some_teammate(m);
	int64_t at;

	if (!front_change_pick(m, FIT_ANY | FIT_TALK, &idx))
		return false;
	at = front_change_begin(m);
	message = front_message_add(&(struct front_said){idx, at, rng_next(&m->rng), mate + 1, false});
	front.messages.list[message].draft = true;
	front.messages.list[message].private_draft = rng_chance(&m->rng, 300);
	front_change_report(m, "messages", FRONT_MESSAGE, message, at);
	return true;
}

static bool pick_draft(struct change *m, uint32_t *idx)
{
	uint32_t start = rng_below(&m->rng, front.messages.count);

	for (uint32_t k = 0; k < front.messages.count; k++) {
		const struct front_message *d;

		*idx = (start + k) % front.messages.count;
		d = &front.messages.list[*idx];
		if (d->draft && !d->gone && front_conversation_visible(d->conversation) &&
		    front.conversations.list[d->conversation].status != STATUS_TRASHED &&
		    (!m->fixed || d->conversation == m->target))
			return true;
	}
	return false;
}

bool front_do_edit_draft(struct change *m)
{
	uint32_t idx;
	int64_t at;

	if (!pick_draft(m, &idx))
		return false;
	at = front_change_begin(m);
	front.messages.list[idx].revision++;
	front.messages.list[idx].seq = world.version;
	front_change_report(m, "messages", FRONT_MESSAGE, idx, at);
	return true;
}

bool front_do_discard_draft(struct change *m)
{
	uint32_t idx;
	int64_t at;

	if (!pick_draft(m, &idx))
		return false;
	at = front_change_begin(m);
	front.messages.list[idx].gone = true;
	front_change_report(m, "messages", FRONT_MESSAGE, idx, at);
	return true;
}

bool front_do_send_draft(struct change *m)
{
	uint32_t draft, idx, message;
	int64_t at;
	bool first;

	if (!pick_draft(m, &draft))
		return false;
	at = front_change_begin(m);
	front.messages.list[draft].gone = true;
	idx = front.messages.list[draft].conversation;
	first = front.conversations.list[idx].unsent;
	front.conversations.list[idx].unsent = false;
	message = say(m, idx, at, false, front.messages.list[draft].author);
	front.messages.list[message].opening = first;
	front_event_add(idx, first ? EVENT_OUTBOUND : EVENT_OUT_REPLY, at, BY_INBOX,
			front.conversations.list[idx].inbox - 1, message);
	return front_change_end(m, idx, at, true);
}
