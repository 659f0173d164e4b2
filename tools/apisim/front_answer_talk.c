/* Answers about what is said: messages, comments, drafts, attachments. */
#include "front_api.h"
#include "front_page.h"
#include "front_render.h"

#include <stdio.h>

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
