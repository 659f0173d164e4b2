/* Answers about events: the feed of the company, and that of a conversation. */
#include "front_api.h"
#include "front_page.h"
#include "front_render.h"
#include "settings.h"

#include <string.h>

static uint32_t older_event(uint32_t idx)
{
	return front.events.list[idx].older;
}

static int64_t event_key(uint32_t idx)
{
	return front.events.list[idx].emitted;
}

static void print_event(struct buf *b, uint32_t idx)
{
	front_render_event(b, NULL, idx);
}

void front_answer_conversation_events(struct call *c)
{
	struct front_page p = {
		.call = c, .key = event_key, .print = print_event, .max = 100, .usual = 50};
	uint32_t idx;

	if (!front_conversation_of(c, &idx))
		return;
	p.idx = front_chain(front.conversations.list[idx].event, older_event, event_key, &p.count);
	front_page_answer(&p);
}

/* Which events are asked for. */
struct wanted_events {
	int64_t after, before;
	uint64_t types; /* bits; 0: all */
	uint64_t inboxes;
};

static bool event_wanted(const struct front_page *p, uint32_t idx)
{
	const struct wanted_events *w = p->filter;
	const struct front_event *e = &front.events.list[idx];
	const struct front_conversation *c = &front.conversations.list[e->conversation];
	int64_t slack = settings.inclusive ? 0 : 1;

	if (!front_conversation_visible(e->conversation))
		return false;
	if (front_event_forgotten(idx))
		return false;
	if (e->emitted < w->after + slack || e->emitted > w->before - slack)
		return false;
	if (w->inboxes && !(c->inbox && w->inboxes >> ((c->inbox - 1) % 64) & 1))
		return false;
	return !w->types || w->types >> e->type & 1;
}

static bool add_type(void *ctx, const char *value)
{
	struct wanted_events *w = ctx;

	for (unsigned i = 0; i < EVENT_TYPES; i++) {
		if (strcmp(front_event_name((enum front_event_type)i), value) != 0)
			continue;
		w->types |= 1ull << i;
		return true;
	}
	return !strncmp(value, "call_", 5); /* there are no calls here */
}

static bool add_inbox(void *ctx, const char *value)
{
	struct wanted_events *w = ctx;
	uint32_t idx;

	if (!front_index(FRONT_INBOX, value, front.inboxes.count, &idx))
		return false;
	w->inboxes |= 1ull << (idx % 64);
	return true;
}

void front_answer_events(struct call *c)
{
	struct wanted_events w = {INT64_MIN / 2, INT64_MAX / 2, 0, 0};
	struct front_page p = {.call = c,
			       .idx = front.by_emitted.idx,
			       .count = front.by_emitted.count,
			       .key = event_key,
			       .wanted = event_wanted,
			       .print = print_event,
			       .filter = &w,
			       .max = 15,
			       .usual = 15,
			       .sorts = " created_at "};

	if (front_time_argument(c, "q[after]", &w.after) &&
	    front_time_argument(c, "q[before]", &w.before) &&
	    front_each_value(c, "types", add_type, &w) &&
	    front_each_value(c, "inboxes", add_inbox, &w))
		front_page_answer(&p);
}

void front_answer_event(struct call *c)
{
	uint32_t idx;

	if (front_index(FRONT_EVENT, c->id, front.events.count, &idx) &&
	    front_conversation_visible(front.events.list[idx].conversation))
		front_render_event(&c->out, NULL, idx);
	else
		front_unknown(c, "event");
}
