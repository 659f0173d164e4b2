/* Changes to conversations themselves: who has them, whether they are open,
 * their tags, links, inboxes and fields, and their ends. None of them moves
 * a conversation in the lists. */
#include "front_change.h"

#include "clock.h"

static uint32_t some_teammate(struct change *m)
{
	return items_pick(&front.teammates, &m->rng);
}

/* A change with one event. */
static bool simple(struct change *m, unsigned fits, enum front_event_type type,
		   bool (*change)(struct change *m, struct front_conversation *c, uint32_t *target))
{
	uint32_t idx, target = 0, mate = some_teammate(m);
	enum front_actor actor = rng_chance(&m->rng, 250) ? BY_RULE : BY_TEAMMATE;
	int64_t at;

	if (!front_change_pick(m, fits, &idx) || !change(m, &front.conversations.list[idx], &target))
		return false;
	at = front_change_begin(m);
	front_event_add(idx, type, at, actor, mate, target);
	return front_change_end(m, idx, at, false);
}

static bool set_assignee(struct change *m, struct front_conversation *c, uint32_t *target)
{
	*target = some_teammate(m);
	if (c->assignee == *target + 1)
		return false;
	c->assignee = *target + 1;
	return true;
}

bool front_do_assign(struct change *m)
{
	return simple(m, FIT_ANY, EVENT_ASSIGN, set_assignee);
}

static bool clear_assignee(struct change *m, struct front_conversation *c, uint32_t *target)
{
	(void)m;
	(void)target;
	if (!c->assignee)
		return false;
	c->assignee = 0;
	return true;
}

bool front_do_unassign(struct change *m)
{
	return simple(m, FIT_ANY, EVENT_UNASSIGN, clear_assignee);
}

static bool set_archived(struct change *m, struct front_conversation *c, uint32_t *target)
{
	(void)m;
	(void)target;
	c->status = STATUS_ARCHIVED;
	return true;
}

bool front_do_archive(struct change *m)
{
	return simple(m, FIT_OPEN, EVENT_ARCHIVE, set_archived);
}

static bool set_open(struct change *m, struct front_conversation *c, uint32_t *target)
{
	(void)m;
	(void)target;
	c->status = STATUS_OPEN;
	c->reminder_at = 0;
	return true;
}

bool front_do_reopen(struct change *m)
{
	return simple(m, FIT_ARCHIVED, EVENT_REOPEN, set_open);
}

static bool set_trashed(struct change *m, struct front_conversation *c, uint32_t *target)
{
	(void)m;
	(void)target;
	c->status = STATUS_TRASHED;
	c->reminder_at = 0;
	return true;
}

bool front_do_trash(struct change *m)
{
	return simple(m, FIT_ANY, EVENT_TRASH, set_trashed);
}

bool front_do_restore(struct change *m)
{
	return simple(m, FIT_TRASHED, EVENT_RESTORE, set_open);
}

static bool set_snoozed(struct change *m, struct front_conversation *c, uint32_t *target)
{
	(void)target;
	c->status = STATUS_ARCHIVED;
	c->reminder_created = (int64_t)(m->at - 1) * 1000 + rng_below(&m->rng, 1000);
	c->reminder_at = (int64_t)(m->at + rng_range(&m->rng, 3600, 86400 * 7)) * 1000;
	c->reminder_owner = some_teammate(m);
	return true;
}

bool front_do_snooze(struct change *m)
{
	return simple(m, FIT_OPEN, EVENT_ARCHIVE, set_snoozed);
}

/* A reminder comes due: its event, and then the conversation is open again. */
bool front_do_wake(struct change *m)
{
	struct front_conversation *c;
	uint32_t idx;
	int64_t at;

	if (!front_change_pick(m, FIT_ARCHIVED, &idx))
		return false;
	c = &front.conversations.list[idx];
	if (!c->reminder_at)
		return false;
	at = front_change_begin(m);
	c->reminder_at = 0;
	c->status = STATUS_OPEN;
	front_event_add(idx, EVENT_REMINDER, at, BY_REMINDER, 0, 0);
	front_event_add(idx, EVENT_REOPEN, at + 40, BY_RULE, 2, 0);
	return front_change_end(m, idx, at, false);
}

static bool has_tag(const struct front_conversation *c, uint32_t tag)
{
	for (uint32_t i = 0; i < c->tag_count; i++)
		if (c->tags[i] == tag + 1)
			return true;
	return false;
}

static bool add_tag(struct change *m, struct front_conversation *c, uint32_t *target)
{
	*target = items_pick(&front.tags, &m->rng);
	if (c->tag_count == FRONT_TAGS_MAX || has_tag(c, *target) ||
	    !front_item_live(&front.tags, *target) || front_tag_private(*target))
		return false;
	c->tags[c->tag_count++] = *target + 1;
	return true;
}

bool front_do_tag(struct change *m)
{
	return simple(m, FIT_ANY, EVENT_TAG, add_tag);
}

static bool take_tag(struct change *m, struct front_conversation *c, uint32_t *target)
{
	uint32_t at = rng_below(&m->rng, c->tag_count);

	if (!c->tag_count || front_tag_private(c->tags[at] - 1))
		return false;
	*target = c->tags[at] - 1;
	for (; at + 1 < c->tag_count; at++)
		c->tags[at] = c->tags[at + 1];
	c->tag_count--;
	return true;
}

bool front_do_untag(struct change *m)
{
	return simple(m, FIT_ANY, EVENT_UNTAG, take_tag);
}

static bool add_link(struct change *m, struct front_conversation *c, uint32_t *target)
{
	if (!front.links.count || c->link_count == FRONT_LINKS_MAX)
		return false;
	*target = items_pick(&front.links, &m->rng);
	for (uint32_t i = 0; i < c->link_count; i++)
		if (c->links[i] == *target + 1)
			return false;
	c->links[c->link_count++] = *target + 1;
	return true;
}

bool front_do_link(struct change *m)
{
	return simple(m, FIT_ANY, EVENT_LINK_ADDED, add_link);
}

static bool take_link(struct change *m, struct front_conversation *c, uint32_t *target)
{
	(void)m;
	if (!c->link_count)
		return false;
	*target = c->links[--c->link_count] - 1;
	return true;
}

bool front_do_unlink(struct change *m)
{
	return simple(m, FIT_ANY, EVENT_LINK_REMOVED, take_link);
}

static bool set_inbox(struct change *m, struct front_conversation *c, uint32_t *target)
{
	*target = items_pick(&front.inboxes, &m->rng);
	if (!c->inbox || c->inbox == *target + 1 || front_inbox_private(*target))
		return false;
	if (c->second_inbox == *target + 1)
		c->second_inbox = 0;
	c->inbox = *target + 1;
	return true;
}

bool front_do_move(struct change *m)
{
	return simple(m, FIT_ANY | FIT_TALK, EVENT_MOVE, set_inbox);
}

static bool set_fields(struct change *m, struct front_conversation *c, uint32_t *target)
{
	(void)target;
	c->fields += rng_range(&m->rng, 1, 5);
	c->own_fields = 0;
	return true;
}

bool front_do_custom_field(struct change *m)
{
	return simple(m, FIT_ANY, EVENT_FIELD, set_fields);
}

static bool set_ticket(struct change *m, struct front_conversation *c, uint32_t *target)
{
	uint8_t status = (uint8_t)rng_below(&m->rng, front_status_count());

	(void)target;
	if (c->ticket_status == status)
		return false;
	c->ticket_status = status;
	return true;
}

bool front_do_ticket_status(struct change *m)
{
	return simple(m, FIT_ANY, EVENT_TICKET, set_ticket);
}

/* Without an event; updated_at moves. */
static bool silent(struct change *m, void (*change)(struct front_conversation *c))
{
	uint32_t idx;
	int64_t at;

	if (!front_change_pick(m, FIT_ANY | FIT_TALK, &idx))
		return false;
	at = front_change_begin(m);
	change(&front.conversations.list[idx]);
	return front_change_end(m, idx, at, false);
}

static void next_fields(struct front_conversation *c)
{
	c->fields++;
	c->own_fields = 0;
}

bool front_do_silent_field(struct change *m)
{
	return silent(m, next_fields);
}

static void next_subject(struct front_conversation *c)
{
	c->subject++;
}

bool front_do_subject(struct change *m)
{
	return silent(m, next_subject);
}

static void hide(struct front_conversation *c)
{
	c->is_private = true;
}

bool front_do_make_private(struct change *m)
{
	return silent(m, hide);
}

bool front_do_merge(struct change *m)
{
	uint32_t from, into;
	struct front_conversation *a, *b;
	bool fixed = m->fixed, found;
	int64_t at;

	if (!front_change_pick(m, FIT_ANY | FIT_TALK, &into))
		return false;
	m->fixed = false;
	found = front_change_pick(m, FIT_ANY | FIT_TALK, &from) && from != into;
	m->fixed = fixed;
	if (!found)
		return false;
	at = front_change_begin(m);
	a = &front.conversations.list[into];
	b = &front.conversations.list[from];
	for (uint32_t i = 0; i < b->tag_count && a->tag_count < FRONT_TAGS_MAX; i++)
		if (!has_tag(a, b->tags[i] - 1))
			a->tags[a->tag_count++] = b->tags[i];
	front_merge(from, into);
	front_event_add(into, EVENT_MERGED, at, BY_TEAMMATE, some_teammate(m), from);
	front_touch(from, at, false);
	front_change_report(m, "conversations", FRONT_CONVERSATION, from, at);
	return front_change_end(m, into, at, a->bumped < b->bumped);
}

/* Out of the trash for good: no event tells of it. */
bool front_do_delete_forever(struct change *m)
{
	uint32_t idx;
	int64_t at;

	if (!front_change_pick(m, FIT_TRASHED, &idx))
		return false;
	at = front_change_begin(m);
	front.conversations.list[idx].gone = true;
	return front_change_end(m, idx, at, false);
}
