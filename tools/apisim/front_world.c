/* Makes the company from a seed: short lists, people, and conversations with
 * all that happened in them. The world at the start is a pure function of
 * the options; only changes (front_change_*.c) may touch it afterwards. */
#include "front.h"

#include "clock.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct front front;

void *front_grow(void *list, uint32_t *count, uint32_t *cap, size_t size)
{
	if (*count == *cap) {
		*cap = *cap ? *cap * 2 : 64;
		list = realloc(list, *cap * size);
		if (!list)
			abort();
	}
	memset((char *)list + *count * size, 0, size);
	(*count)++;
	return list;
}

int64_t front_now(void)
{
	return clock_now_ms();
}

/* Of recorded times three quarters have three decimals, the others fewer or none. */
int64_t front_decimals(uint32_t at, uint64_t seed)
{
	struct rng r = {hash2(seed, at)};
	uint32_t kind = rng_below(&r, 40);

	if (kind < 9)
		return (int64_t)at * 1000;
	if (kind < 11)
		return (int64_t)at * 1000 + rng_below(&r, 100) * 10;
	return (int64_t)at * 1000 + rng_below(&r, 1000);
}

bool front_item_live(const struct items *l, uint32_t idx)
{
	return idx < l->count && !l->list[idx].gone_seq;
}

/* Every fourth tag is the child of the one three before it. */
uint32_t front_tag_parent(uint32_t idx)
{
	return idx % 4 == 3 ? idx - 3 + 1 : 0;
}

bool front_tag_private(uint32_t idx)
{
	return idx % 11 == 5;
}

bool front_inbox_private(uint32_t idx)
{
	return idx % 7 == 6;
}

enum front_source front_inbox_source(uint32_t idx)
{
	static const enum front_source sources[] = {SOURCE_EMAIL,  SOURCE_EMAIL, SOURCE_PHONE,
						    SOURCE_CUSTOM, SOURCE_EMAIL, SOURCE_TWITTER};

	return idx < 6 ? sources[idx] : SOURCE_EMAIL;
}

static void add_items(struct items *l, uint32_t count, void (*name)(uint32_t i, char out[128]))
{
	uint32_t at = world.opt.now - (world.opt.days + 60) * 86400;
	char text[128];

	for (uint32_t i = 0; i < count; i++) {
		name(i, text);
		items_add(l, i, text, at + i * 61);
	}
}

static void teammate_name(uint32_t i, char out[128])
{
	uint64_t s = world_seed(SEED_ADMIN, i);

	snprintf(out, 128, "%s %s", text_first_name(s), text_last_name(s));
}

static void team_name(uint32_t i, char out[128])
{
	static const char *const names[] = {"Support", "Sales", "Billing", "Operations"};

	snprintf(out, 128, i < 4 ? "%s" : "%s %u", names[i % 4], i / 4 + 1);
}

static void tag_name(uint32_t i, char out[128])
{
	snprintf(out, 128, i % 7 == 3 ? "%s / %u \xf0\x9f\x9a\x9a" : "%s-%u",
		 text_word(world_seed(SEED_TAG, i)), i);
}

static void inbox_name(uint32_t i, char out[128])
{
	static const char *const names[] = {"Support", "Sales",  "SMS",
					    "Shop",    "Orders", "Social \xe2\x98\x85"};

	snprintf(out, 128, i < 6 ? "%s" : "%s %u", names[i % 6], i / 6 + 1);
}

static void account_name(uint32_t i, char out[128])
{
	uint64_t s = world_seed(SEED_COMPANY, 900000 + i);

	snprintf(out, 128, "%s %s", text_company_stem(s), text_company_tail(s));
}

static void link_name(uint32_t i, char out[128])
{
	snprintf(out, 128, i % 2 ? "OPS-%u" : "Order %u", 1000 + i * 7);
}

static void list_name(uint32_t i, char out[128])
{
	snprintf(out, 128, "%s people", text_word(world_seed(SEED_SEGMENT, i)));
}

static void make_short_lists(void)
{
	add_items(&front.teammates, world.opt.admins, teammate_name);
	add_items(&front.teams, world.opt.teams, team_name);
	add_items(&front.tags, world.opt.tags, tag_name);
	add_items(&front.inboxes, world.opt.inboxes, inbox_name);
	add_items(&front.accounts, world.opt.companies, account_name);
	add_items(&front.links, world.opt.links, link_name);
	add_items(&front.lists, world.opt.segments, list_name);
}

static void make_people(void)
{
	uint32_t n = world.opt.contacts, span = (world.opt.days + 30) * 86400;

	front.first_handle = calloc(n, sizeof(*front.first_handle));
	if (!front.first_handle)
		abort();
	for (uint32_t i = 0; i < n; i++) {
		struct rng r = {world_seed(SEED_TIME, hash2(2, i))};
		uint32_t back = (uint32_t)((uint64_t)span * (n - i) / n);
		int64_t at = front_decimals(world.opt.now - 60 - back, i), later;
		uint32_t idx = front_contact_add(at);

		front.first_handle[i] = front.contacts.list[idx].handle - 1;
		later = front_decimals(world.opt.now - 60 - rng_below(&r, back / 2 + 1), i + 1);
		if (rng_chance(&r, 500) && later > at) {
			front.contacts.list[idx].updated = later;
			front_order_put(&front.by_contact_updated, idx, later);
		}
	}
	for (uint32_t i = 0; i < n / 4 + 5; i++)
		front_handle_add((enum front_source)(i % 3 == 1 ? SOURCE_PHONE : SOURCE_EMAIL), 0);
}

static uint32_t inbox_for(enum front_source source, struct rng *r)
{
	uint32_t start = rng_below(r, front.inboxes.count);

	for (uint32_t k = 0; k < front.inboxes.count; k++) {
		uint32_t i = (start + k) % front.inboxes.count;

		if (front_inbox_source(i) == source && !front_inbox_private(i))
			return i + 1;
	}
	return 1;
}

/* One conversation while it is being made. */
struct making {
	uint32_t idx;
	struct rng r;
	uint32_t at; /* seconds */
	uint32_t until;
};

static struct front_conversation *made(const struct making *m)
{
	return &front.conversations.list[m->idx];
}

/* The next thing happens a while later, never after now. */
static int64_t next_time(struct making *m)
{
	uint32_t gap = rng_below(&m->r, 100) < 60 ? rng_range(&m->r, 20, 5400)
						  : rng_range(&m->r, 3600, 86400 * 3);

	m->at = m->at + gap < m->until ? m->at + gap : m->until;
	return front_decimals(m->at, m->r.state);
}

static void say(struct making *m, bool inbound, bool first)
{
	struct front_conversation *c = made(m);
	int64_t at = first ? front_decimals(m->at, m->r.state) : next_time(m);
	uint32_t author = rng_below(&m->r, front.teammates.count) + 1, message;

	/* Mails of whole seconds; some are sent past Front. */
	if (rng_chance(&m->r, 300))
		at -= at % 1000;
	if (c->assignee && rng_chance(&m->r, 700))
		author = c->assignee;
	message = front_message_add(&(struct front_said){
		m->idx, at, rng_next(&m->r), inbound || rng_chance(&m->r, 50) ? 0 : author, inbound});
	front_event_add(m->idx,
			inbound ? EVENT_INBOUND
			: first ? EVENT_OUTBOUND
				: EVENT_OUT_REPLY,
			at, BY_INBOX, c->inbox - 1, message);
	c->from = inbound;
	c->waiting = inbound ? at : 0;
	front_touch(m->idx, at, true);
}

static void comment(struct making *m)
{
	uint32_t author = rng_below(&m->r, front.teammates.count) + 1;
	int64_t at = next_time(m);
	uint32_t idx =
		front_comment_add(&(struct front_said){m->idx, at, rng_next(&m->r), author, false});

	front_event_add(m->idx, EVENT_COMMENT, at + rng_range(&m->r, 19, 520), BY_TEAMMATE,
			author - 1, idx);
	if (rng_chance(&m->r, 200)) {
		front.comments.list[idx].mentioned = rng_below(&m->r, front.teammates.count) + 1;
		front_event_add(m->idx, EVENT_MENTION, at + 30, BY_TEAMMATE, author - 1, idx);
	}
	front_touch(m->idx, at, false);
}

static void mark(struct making *m)
{
	struct front_conversation *c = made(m);
	uint32_t n = rng_chance(&m->r, 350) ? rng_range(&m->r, 1, 3) : 0;

	for (uint32_t i = 0; i < n && front.tags.count >= 3; i++) {
		uint32_t tag = (rng_below(&m->r, front.tags.count / 3) * 3 + i) % front.tags.count;
		int64_t at = next_time(m);

		c->tags[c->tag_count++] = tag + 1;
		front_event_add(m->idx, EVENT_TAG, at, BY_RULE, 0, tag);
		front_touch(m->idx, at, false);
	}
	if (front.links.count && rng_chance(&m->r, 80)) {
		uint32_t link = rng_below(&m->r, front.links.count);
		int64_t at = next_time(m);

		c->links[c->link_count++] = link + 1;
		front_event_add(m->idx, EVENT_LINK_ADDED, at, BY_TEAMMATE, 0, link);
		front_touch(m->idx, at, false);
	}
}

static void assign(struct making *m)
{
	struct front_conversation *c = made(m);
	uint32_t to = rng_below(&m->r, front.teammates.count);
	int64_t at = next_time(m);

	c->assignee = to + 1;
	front_event_add(m->idx, EVENT_ASSIGN, at, rng_chance(&m->r, 300) ? BY_RULE : BY_TEAMMATE,
			rng_chance(&m->r, 500) ? to : 0, to);
	front_touch(m->idx, at, false);
}

static void end(struct making *m)
{
	struct front_conversation *c = made(m);
	bool trash = rng_chance(&m->r, 30);
	int64_t at;

	if (!trash && !rng_chance(&m->r, 600))
		return;
	at = next_time(m);
	c->status = trash ? STATUS_TRASHED : STATUS_ARCHIVED;
	c->waiting = 0;
	front_event_add(m->idx, trash ? EVENT_TRASH : EVENT_ARCHIVE, at, BY_TEAMMATE,
			c->assignee ? c->assignee - 1 : 0, 0);
	front_touch(m->idx, at, false);
	if (!trash && rng_chance(&m->r, 60)) {
		c->reminder_created = at;
		c->reminder_at = (int64_t)(world.opt.now + rng_range(&m->r, 3600, 86400 * 9)) * 1000;
		c->reminder_owner = c->assignee ? c->assignee - 1 : 0;
	}
}

static void choose_people(struct making *m)
{
	struct front_conversation *c = made(m);
	uint32_t handle = rng_below(&m->r, front.handles.count);

	c->person = handle + 1;
	c->contact = front.handles.list[handle].owner;
	c->inbox = inbox_for((enum front_source)front.handles.list[handle].source, &m->r);
	if (rng_chance(&m->r, 40) && front.inboxes.count > 1)
		c->second_inbox = c->inbox % front.inboxes.count + 1;
	c->is_private = front_inbox_private(c->inbox - 1) || rng_chance(&m->r, 25);
}

static uint32_t messages_of(uint32_t i, struct rng *r)
{
	uint32_t n = rng_below(r, 5) + rng_below(r, 4);
	uint32_t long_ones = world.opt.long_threads, step;

	if (long_ones == UINT32_MAX)
		long_ones = world.opt.conversations >= 50;
	step = world.opt.conversations / (long_ones + 1);
	if (long_ones && step && i && i % step == 0 && i / step <= long_ones)
		n = 230 + rng_below(r, 100);
	return n;
}

static void make_thread(struct making *m)
{
	struct front_conversation *c = made(m);
	uint32_t more = messages_of(m->idx, &m->r);

	say(m, rng_chance(&m->r, 850), true);
	c->created = c->bumped + rng_range(&m->r, 0, 1200);
	if (rng_chance(&m->r, 600))
		assign(m);
	for (uint32_t i = 0; i < more; i++) {
		if (rng_chance(&m->r, 220))
			comment(m);
		say(m, rng_chance(&m->r, 480), false);
	}
	if (rng_chance(&m->r, 30)) { /* an answer that was not sent yet */
		uint32_t draft = front_message_add(
			&(struct front_said){m->idx, next_time(m), rng_next(&m->r),
					     rng_below(&m->r, front.teammates.count) + 1, false});

		front.messages.list[draft].draft = true;
	}
	mark(m);
	end(m);
}

static void make_discussion(struct making *m)
{
	struct front_conversation *c = made(m);
	uint32_t n = rng_range(&m->r, 1, 6);

	c->person = c->contact = c->inbox = c->second_inbox = 0;
	for (uint32_t i = 0; i < n; i++)
		comment(m);
	c->bumped = c->updated;
	front_touch(m->idx, c->updated, true);
	mark(m);
}

static void make_conversation(uint32_t i, uint32_t count)
{
	uint32_t span = world.opt.days * 86400, now = world.opt.now;
	struct making m = {
		front_add(&front.conversations), {world_seed(SEED_CONVERSATION, i)}, 0, now - 30};
	struct front_conversation *c = made(&m);
	uint32_t kind = rng_below(&m.r, 100);

	m.at = now - 40 - (uint32_t)((uint64_t)span * (count - i) / count) +
	       rng_below(&m.r, span / count + 1);
	if (m.at > m.until)
		m.at = m.until;
	c->seed = rng_next(&m.r);
	c->seq = world.version;
	c->created = front_decimals(m.at, c->seed);
	c->type = kind < 94 ? TYPE_CONVERSATION : kind < 98 ? TYPE_DISCUSSION : TYPE_TASK;
	c->ticket = rng_chance(&m.r, 80);
	c->ticket_status = (uint8_t)rng_below(&m.r, front_status_count());
	choose_people(&m);
	if (c->type == TYPE_CONVERSATION)
		make_thread(&m);
	else
		make_discussion(&m);
}

void front_init(const struct world_options *opt)
{
	world = (struct world){.opt = *opt};
	front = (struct front){0};
	make_short_lists();
	make_people();
	for (uint32_t i = 0; i < opt->conversations; i++)
		make_conversation(i, opt->conversations);
	front_events_settle();
}

void front_release(void)
{
	struct items *const lists[] = {&front.tags,  &front.inboxes, &front.teammates, &front.teams,
				       &front.links, &front.lists,   &front.accounts};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		items_release(lists[i]);
	free(front.first_handle);
	free(front.handles.list);
	free(front.contacts.list);
	free(front.conversations.list);
	free(front.messages.list);
	free(front.comments.list);
	free(front.events.list);
	front_order_release(&front.by_bump);
	front_order_release(&front.by_emitted);
	front_order_release(&front.by_contact_created);
	front_order_release(&front.by_contact_updated);
	front = (struct front){0};
}
