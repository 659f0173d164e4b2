/* Answers about conversations, messages, comments and events. */
#include "front_api.h"
#include "front_page.h"
#include "front_render.h"
#include "settings.h"
#include "stats.h"

#include <stdio.h>
#include <string.h>

enum { SHOW_ASSIGNED = 1, SHOW_UNASSIGNED = 2, SHOW_ARCHIVED = 4, SHOW_TRASHED = 8 };

struct narrowing {
	unsigned statuses;                        /* 0: all that are not trashed */
	unsigned categories;                      /* bits of enum of statuses; 0: any */
	uint32_t inbox, tag, mate, contact, link; /* plus 1; 0: any */
};

static int64_t bump_key(uint32_t idx)
{
	return front.conversations.list[idx].bumped;
}

static unsigned status_bit(const struct front_conversation *c)
{
	if (c->status == STATUS_TRASHED)
		return SHOW_TRASHED;
	if (c->status == STATUS_ARCHIVED)
		return SHOW_ARCHIVED;
	return c->assignee ? SHOW_ASSIGNED : SHOW_UNASSIGNED;
}

static bool has(const uint32_t *list, uint32_t count, uint32_t wanted)
{
	for (uint32_t i = 0; i < count; i++)
		if (list[i] == wanted)
			return true;
	return false;
}

static bool in_listing(const struct front_page *p, uint32_t idx)
{
	const struct narrowing *n = p->filter;
	const struct front_conversation *c = &front.conversations.list[idx];
	unsigned bit = status_bit(c);

	if (c->unsent)
		return false;
	if (n->statuses ? !(bit & n->statuses) : bit == SHOW_TRASHED)
		return false;
	if (n->categories && !(n->categories >> c->ticket_status & 1))
		return false;
	if (n->inbox && c->inbox != n->inbox && c->second_inbox != n->inbox)
		return false;
	if (n->mate && c->assignee != n->mate)
		return false;
	if (n->contact && c->contact != n->contact)
		return false;
	return (!n->tag || has(c->tags, c->tag_count, n->tag)) &&
	       (!n->link || has(c->links, c->link_count, n->link));
}

static bool add_status(void *ctx, const char *value)
{
	static const char *const names[] = {"assigned", "unassigned", "archived", "trashed"};
	struct narrowing *n = ctx;

	for (unsigned i = 0; i < 4; i++) {
		if (strcmp(names[i], value) != 0)
			continue;
		n->statuses |= 1u << i;
		return true;
	}
	return false;
}

static bool add_category(void *ctx, const char *value)
{
	struct narrowing *n = ctx;
	unsigned before = n->categories;

	for (uint32_t i = 0; i < front_status_count(); i++)
		if (!strcmp(front_status_category(i), value))
			n->categories |= 1u << i;
	return n->categories != before;
}

static bool add_status_id(void *ctx, const char *value)
{
	struct narrowing *n = ctx;
	uint32_t idx;

	if (!front_index(FRONT_STATUS, value, front_status_count(), &idx))
		return false;
	n->categories |= 1u << idx;
	return true;
}

static void print_conversation(struct buf *b, uint32_t idx)
{
	front_render_conversation(b, NULL, idx);
}

static void list_conversations(struct call *c, struct narrowing *n)
{
	struct front_page p = {.call = c,
			       .idx = front.by_bump.idx,
			       .count = front.by_bump.count,
			       .key = bump_key,
			       .wanted = in_listing,
			       .shown = front_conversation_visible,
			       .print = print_conversation,
			       .filter = n,
			       .max = 100,
			       .usual = 50,
			       .sorts = " date "};

	if (front_each_value(c, "statuses", add_status, n) &&
	    front_each_value(c, "status_categories", add_category, n) &&
	    front_each_value(c, "status_ids", add_status_id, n))
		front_page_answer(&p);
}

void front_answer_conversations(struct call *c)
{
	list_conversations(c, &(struct narrowing){0});
}

void front_answer_inbox_conversations(struct call *c)
{
	uint32_t idx;

	if (!front_index(FRONT_INBOX, c->id, front.inboxes.count, &idx) || front_inbox_private(idx))
		front_unknown(c, "inbox");
	else
		list_conversations(c, &(struct narrowing){.inbox = idx + 1});
}

void front_answer_tag_conversations(struct call *c)
{
	uint32_t idx;

	if (!front_index(FRONT_TAG, c->id, front.tags.count, &idx) ||
	    !front_item_live(&front.tags, idx) || front_tag_private(idx))
		front_unknown(c, "tag");
	else
		list_conversations(c, &(struct narrowing){.tag = idx + 1});
}

void front_answer_teammate_conversations(struct call *c)
{
	uint32_t idx;

	if (!front_index(FRONT_TEAMMATE, c->id, front.teammates.count, &idx))
		front_unknown(c, "teammate");
	else
		list_conversations(c, &(struct narrowing){.mate = idx + 1});
}

void front_answer_contact_conversations(struct call *c)
{
	uint32_t idx;

	if (!front_contact_find(c->id, &idx))
		front_unknown(c, "contact");
	else
		list_conversations(c, &(struct narrowing){.contact = idx + 1});
}

void front_answer_link_conversations(struct call *c)
{
	uint32_t idx;

	if (!front_index(FRONT_LINK, c->id, front.links.count, &idx))
		front_unknown(c, "link");
	else
		list_conversations(c, &(struct narrowing){.link = idx + 1});
}

/* The address with the id of the conversation that it became. */
static void redirect(struct call *c, uint32_t idx)
{
	const char *rest = strstr(c->path, c->id) + strlen(c->id);
	struct buf url = {0};

	while (front.conversations.list[idx].merged_into)
		idx = front.conversations.list[idx].merged_into - 1;
	c->status = 301;
	buf_reset(&c->out);
	if (!settings.merged_without_location) {
		front_put_host(c, &url);
		buf_fmt(&url, "/conversations/%s%s", front_id(FRONT_CONVERSATION, idx).text, rest);
		snprintf(c->link, sizeof(c->link), "%s", buf_text(&url));
	}
	buf_release(&url);
}

bool front_conversation_of(struct call *c, uint32_t *idx_out)
{
	bool known = front_index(FRONT_CONVERSATION, c->id, front.conversations.count, idx_out);
	const struct front_conversation *v = &front.conversations.list[known ? *idx_out : 0];

	if (known && front_conversation_visible(*idx_out))
		return true;
	if (known && v->merged_into && !v->gone && !v->is_private)
		redirect(c, *idx_out);
	else
		front_unknown(c, "conversation");
	return false;
}

void front_answer_conversation(struct call *c)
{
	uint32_t idx;

	if (front_conversation_of(c, &idx))
		front_render_conversation(&c->out, NULL, idx);
}

static uint32_t older_message(uint32_t idx)
{
	return front.messages.list[idx].older;
}

static int64_t message_key(uint32_t idx)
{
	return front.messages.list[idx].created;
}

/* A private draft is its writer's alone. */
static bool message_visible(uint32_t idx)
{
	const struct front_message *m = &front.messages.list[idx];

	return !m->gone && !m->private_draft;
}

static void print_message(struct buf *b, uint32_t idx)
{
	front_render_message(b, NULL, idx);
}

void front_answer_conversation_messages(struct call *c)
{
	struct front_page p = {.call = c,
			       .key = message_key,
			       .shown = message_visible,
			       .print = print_message,
			       .max = 100,
			       .usual = 50,
			       .sorts = " created_at "};
	uint32_t idx;

	if (!front_conversation_of(c, &idx))
		return;
	p.idx = front_chain(front.conversations.list[idx].message, older_message, message_key,
			    &p.count);
	front_page_answer(&p);
}

void front_answer_conversation_comments(struct call *c)
{
	uint32_t idx, at;

	if (!front_conversation_of(c, &idx))
		return;
	front_whole_open(c);
	for (at = front.conversations.list[idx].comment; at; at = front.comments.list[at - 1].older)
		if (!front.comments.list[at - 1].gone)
			front_render_comment(&c->out, NULL, at - 1);
	front_whole_close(c);
}

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

void front_answer_conversation_inboxes(struct call *c)
{
	const struct front_conversation *v;
	uint32_t idx;

	if (!front_conversation_of(c, &idx))
		return;
	v = &front.conversations.list[idx];
	front_whole_open(c);
	if (v->inbox)
		front_render_inbox(&c->out, NULL, v->inbox - 1, UINT64_MAX);
	if (v->second_inbox && !front_inbox_private(v->second_inbox - 1))
		front_render_inbox(&c->out, NULL, v->second_inbox - 1, UINT64_MAX);
	front_whole_close(c);
}

void front_answer_conversation_followers(struct call *c)
{
	uint32_t idx;

	if (!front_conversation_of(c, &idx))
		return;
	front_whole_open(c);
	if (front.conversations.list[idx].assignee)
		front_render_teammate(&c->out, NULL, front.conversations.list[idx].assignee - 1,
				      UINT64_MAX);
	front_whole_close(c);
}

void front_answer_conversation_drafts(struct call *c)
{
	uint32_t idx, at;

	if (!front_conversation_of(c, &idx))
		return;
	front_whole_open(c);
	for (at = front.conversations.list[idx].message; at; at = older_message(at - 1))
		if (front.messages.list[at - 1].draft && message_visible(at - 1))
			front_render_message(&c->out, NULL, at - 1);
	front_whole_close(c);
}

static bool message_of(struct call *c, uint32_t *idx)
{
	if (front_index(FRONT_MESSAGE, c->id, front.messages.count, idx) && message_visible(*idx) &&
	    front_conversation_visible(front.messages.list[*idx].conversation))
		return true;
	front_unknown(c, "message");
	return false;
}

void front_answer_message(struct call *c)
{
	uint32_t idx;

	if (message_of(c, &idx))
		front_render_message(&c->out, NULL, idx);
}

/* Its time is the only one in whole milliseconds, and a string. */
static void print_receipt(struct buf *b, uint32_t idx)
{
	const struct front_message *m = &front.messages.list[idx];
	struct front_id id = front_id(FRONT_MESSAGE, idx);
	char text[96];

	j_open(b, NULL, '{');
	front_links_open(b, "/messages/%s/seen", id.text);
	front_url(b, "message", "/messages/%s", id.text);
	front_links_close(b);
	snprintf(text, sizeof(text), "%lld", (long long)m->created + 90123);
	j_str(b, "first_seen_at", text);
	if (m->person && m->seed % 2) {
		front_handle_text(m->person - 1, text);
		j_open(b, "seen_by", '{');
		j_str(b, "handle", text);
		j_str(b, "source",
		      front_source_name((enum front_source)front.handles.list[m->person - 1].source));
		j_close(b, '}');
	} else {
		j_null(b, "seen_by");
	}
	j_close(b, '}');
}

void front_answer_message_seen(struct call *c)
{
	uint32_t idx;

	if (!message_of(c, &idx))
		return;
	front_whole_open(c);
	if (!front.messages.list[idx].inbound && front.messages.list[idx].seed % 3 == 0)
		print_receipt(&c->out, idx);
	front_whole_close(c);
}

static bool comment_of(struct call *c, uint32_t *idx)
{
	if (front_index(FRONT_COMMENT, c->id, front.comments.count, idx) &&
	    !front.comments.list[*idx].gone &&
	    front_conversation_visible(front.comments.list[*idx].conversation))
		return true;
	front_unknown(c, "comment");
	return false;
}

void front_answer_comment(struct call *c)
{
	uint32_t idx;

	if (comment_of(c, &idx))
		front_render_comment(&c->out, NULL, idx);
}

void front_answer_comment_mentions(struct call *c)
{
	uint32_t idx;

	if (!comment_of(c, &idx))
		return;
	front_whole_open(c);
	if (front.comments.list[idx].mentioned)
		front_render_teammate(&c->out, NULL, front.comments.list[idx].mentioned - 1,
				      UINT64_MAX);
	front_whole_close(c);
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

/* As many bytes as its metadata says; which ones follows from the id. */
void front_answer_download(struct call *c)
{
	struct front_attachment file;
	uint32_t idx;

	if (!front_index(FRONT_FILE, c->id, UINT32_MAX, &idx) || !front_attachment(idx, &file) ||
	    !front_conversation_visible(file.conversation)) {
		front_unknown(c, "attachment");
		return;
	}
	c->content_type = file.type;
	while (c->out.len < file.size)
		buf_fmt(&c->out, "%016llx\n",
			(unsigned long long)world_seed(SEED_ID, hash2(idx, c->out.len)));
	c->out.len = file.size;
}
