/* Prints conversations and comments. */
#include "front_render.h"
#include "settings.h"
#include "text.h"

#include <stdio.h>

static const char *status_name(const struct front_conversation *c)
{
	if (c->unsent)
		return "invisible";
	if (c->status == STATUS_TRASHED)
		return "deleted";
	if (c->status == STATUS_ARCHIVED)
		return "archived";
	return c->assignee ? "assigned" : "unassigned";
}

static uint32_t topic_of(const struct front_conversation *c)
{
	return (uint32_t)(hash2(c->seed, c->subject) % text_topics());
}

void front_subject(struct buf *b, uint32_t conversation)
{
	const struct front_conversation *c = &front.conversations.list[conversation];
	uint32_t last = front_last_message(conversation);
	struct text_names names;

	front_names(c->person, c->seed, 0, &names);
	if (c->unsent || (c->inbox && front_inbox_source(c->inbox - 1) != SOURCE_EMAIL))
		return;
	if (last && !front.messages.list[last - 1].opening)
		buf_lit(b, "Re: ");
	text_write(b, c->type == TYPE_CONVERSATION ? VOICE_SUBJECT : VOICE_TITLE, topic_of(c),
		   hash2(c->seed, c->subject), &names, true);
}

static void print_subject(struct buf *b, uint32_t conversation)
{
	struct buf text = {0};

	front_subject(&text, conversation);
	j_strn(b, "subject", text.len ? text.p : "", text.len);
	buf_release(&text);
}

static void print_conversation_links(struct buf *b, uint32_t idx, const char *id)
{
	static const char *const parts[] = {"events", "followers", "messages", "comments", "inboxes"};
	uint32_t last = front_last_message(idx);

	front_links_open(b, "/conversations/%s", id);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		front_url(b, parts[i], "/conversations/%s/%s", id, parts[i]);
	if (last)
		front_url(b, "last_message", "/messages/%s?referer=conversation",
			  front_id(FRONT_MESSAGE, last - 1).text);
	else
		j_null(b, "last_message");
	front_links_close(b);
}

static void print_marks(struct buf *b, const struct front_conversation *c)
{
	j_open(b, "tags", '[');
	for (uint32_t i = 0; i < c->tag_count; i++)
		if (!front_tag_private(c->tags[i] - 1) &&
		    item_there(&front.tags.list[c->tags[i] - 1], c->seq))
			front_render_tag(b, NULL, c->tags[i] - 1, c->seq);
	j_close(b, ']');
	j_open(b, "links", '[');
	for (uint32_t i = 0; i < c->link_count; i++)
		front_render_link(b, NULL, c->links[i] - 1, c->seq);
	j_close(b, ']');
}

static void print_reminders(struct buf *b, const struct front_conversation *c)
{
	j_open(b, "scheduled_reminders", '[');
	if (c->reminder_at) {
		j_open(b, NULL, '{');
		j_open(b, "_links", '{');
		j_open(b, "related", '{');
		front_url(b, "owner", "/teammates/%s",
			  front_id(FRONT_TEAMMATE, c->reminder_owner).text);
		front_links_close(b);
		front_time(b, "created_at", c->reminder_created);
		front_time(b, "scheduled_at", c->reminder_at);
		front_time(b, "updated_at", c->reminder_created);
		j_close(b, '}');
	}
	j_close(b, ']');
}

static void print_ticket(struct buf *b, uint32_t idx, const struct front_conversation *c)
{
	char text[24];

	j_open(b, "ticket_ids", '[');
	if (c->ticket && settings.ticketing) {
		snprintf(text, sizeof(text), "TKT-%u", idx + 1);
		j_str(b, NULL, text);
	}
	j_close(b, ']');
	if (!settings.ticketing)
		return;
	j_str(b, "status_id", front_id(FRONT_STATUS, c->ticket_status).text);
	j_str(b, "status_category", front_status_category(c->ticket_status));
}

static void print_times(struct buf *b, const struct front_conversation *c)
{
	front_time(b, "created_at", c->created);
	if (!settings.no_updated_at)
		front_time(b, "updated_at", settings.updated_by_messages ? c->bumped : c->updated);
	if (c->waiting && c->status == STATUS_OPEN)
		front_time(b, "waiting_since", c->waiting);
}

static void print_metadata(struct buf *b, const struct front_conversation *c)
{
	char text[32];

	j_open(b, "metadata", '{');
	if (c->inbox && front_inbox_source(c->inbox - 1) == SOURCE_CUSTOM) {
		snprintf(text, sizeof(text), "JS%u", (uint32_t)(c->seed % 100000));
		j_open(b, "external_conversation_ids", '[');
		j_str(b, NULL, text);
		j_close(b, ']');
	}
	j_close(b, '}');
}

void front_render_conversation(struct buf *b, const char *key, uint32_t idx)
{
	static const char *const types[] = {"conversation", "discussion", "task"};
	const struct front_conversation *c = &front.conversations.list[idx];
	struct front_id id = front_id(FRONT_CONVERSATION, idx);

	j_open(b, key, '{');
	print_conversation_links(b, idx, id.text);
	j_str(b, "id", id.text);
	j_str(b, "type", types[c->type]);
	print_subject(b, idx);
	j_str(b, "status", status_name(c));
	print_ticket(b, idx, c);
	if (c->assignee)
		front_render_teammate(b, "assignee", c->assignee - 1, c->seq);
	else
		j_null(b, "assignee");
	if (c->person)
		front_render_recipient(b, "recipient", c->person - 1, c->contact,
				       c->from ? "from" : "to");
	else
		j_null(b, "recipient");
	print_marks(b, c);
	front_own_fields(b, c->own_fields, hash2(c->seed, c->fields));
	print_times(b, c);
	j_bool(b, "is_private", c->is_private);
	print_reminders(b, c);
	if (c->type == TYPE_TASK) {
		j_str(b, "description", c->seed % 2 ? "Until the end of the week" : NULL);
		front_time(b, "due_at", c->created + 86400000);
	}
	print_metadata(b, c);
	j_close(b, '}');
}

void front_render_comment(struct buf *b, const char *key, uint32_t idx)
{
	const struct front_comment *m = &front.comments.list[idx];
	struct front_id id = front_id(FRONT_COMMENT, idx);
	struct text_names names;
	struct buf text = {0};

	front_names(0, m->seed, m->author, &names);
	text_write(&text, VOICE_NOTE, (uint32_t)(m->seed % text_topics()),
		   hash2(m->seed, m->revision), &names, true);
	j_open(b, key, '{');
	front_links_open(b, "/comments/%s", id.text);
	front_url(b, "conversation", "/conversations/%s",
		  front_id(FRONT_CONVERSATION, m->conversation).text);
	front_url(b, "mentions", "/comments/%s/mentions", id.text);
	if (m->replied_to)
		front_url(b, "comment_replied_to", "/comments/%s",
			  front_id(FRONT_COMMENT, m->replied_to - 1).text);
	else
		j_null(b, "comment_replied_to");
	front_links_close(b);
	j_str(b, "id", id.text);
	front_render_teammate(b, "author", m->author ? m->author - 1 : 0, m->seq);
	j_strn(b, "body", text.p, text.len);
	front_time(b, "posted_at", m->posted);
	front_render_attachments(b, m->seed, (uint64_t)idx * 2 + 1);
	j_bool(b, "is_pinned", m->pinned);
	j_close(b, '}');
	buf_release(&text);
}
