/* Answers about conversations: lists of them, and what they are in. */
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
