/* Prints conversations, messages and comments. */
#include "front_render.h"
#include "settings.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

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

static void names_of(uint32_t person, uint64_t seed, uint32_t author, struct text_names *out)
{
	*out = (struct text_names){
		.customer = person ? front_person_first(person - 1) : "team",
		.agent = author ? text_first_name(world_seed(SEED_ADMIN, author - 1)) : "Alex",
		.company = text_company_stem(seed),
	};
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

	names_of(c->person, c->seed, 0, &names);
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
	front_custom_fields(b, hash2(c->seed, c->fields));
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

void front_message_text(struct buf *b, uint32_t idx, bool plain)
{
	const struct front_message *m = &front.messages.list[idx];
	struct text_names names;
	enum voice voice = !m->inbound ? VOICE_AGENT : m->opening ? VOICE_OPENING : VOICE_CUSTOMER;

	names_of(m->person, m->seed, m->author, &names);
	text_write(b, voice, (uint32_t)(m->seed % text_topics()), hash2(m->seed, m->revision),
		   &names, plain);
}

static const char *message_type(const struct front_message *m)
{
	static const char *const types[] = {"email", "sms", "custom", "tweet_dm"};

	return types[m->inbox ? front_inbox_source(m->inbox - 1) : SOURCE_EMAIL];
}

/* What the vendor may not pass on. */
static bool redacted(const struct front_message *m)
{
	return m->inbox && front_inbox_source(m->inbox - 1) == SOURCE_TWITTER;
}

/* The beginning of the text, in one line, cut between two characters. */
static void print_blurb(struct buf *b, const struct buf *text)
{
	char line[124];
	size_t n = text->len < 120 ? text->len : 120;

	while (n && n < text->len && ((unsigned char)text->p[n] & 0xc0) == 0x80)
		n--;
	for (size_t i = 0; i < n; i++)
		line[i] = text->p[i] == '\n' ? ' ' : text->p[i];
	j_strn(b, "blurb", line, n);
}

static void print_words(struct buf *b, uint32_t idx, const struct front_message *m)
{
	struct buf html = {0}, text = {0};

	front_message_text(&html, idx, false);
	front_message_text(&text, idx, true);
	if (m->replied_to && m->seed % 3 == 0) {
		buf_lit(&html, "<br /><blockquote type=\"cite\" class=\"front-blockquote\">");
		front_message_text(&html, m->replied_to - 1, false);
		buf_lit(&html, "</blockquote>");
	}
	if (redacted(m)) {
		j_lit(b, "\"blurb\":\"[REDACTED]\",\"body\":\"[REDACTED]\",\"text\":\"[REDACTED]\"");
	} else {
		print_blurb(b, &text);
		j_strn(b, "body", html.p, html.len);
		if (m->seed % 50 != 7) /* not all have it */
			j_strn(b, "text", text.p, text.len);
	}
	buf_release(&html);
	buf_release(&text);
}

static void print_channel_recipient(struct buf *b, const struct front_message *m, const char *role)
{
	char address[96];

	front_channel_address(m->inbox ? m->inbox - 1 : 0, address);
	j_open(b, NULL, '{');
	j_lit(b, "\"_links\":{\"related\":{\"contact\":null}}");
	j_str(b, "name", m->seed % 3 ? NULL : "");
	j_str(b, "handle", address);
	j_str(b, "role", role);
	j_close(b, '}');
}

static void print_recipients(struct buf *b, const struct front_message *m)
{
	uint32_t person = m->person ? m->person - 1 : 0;
	uint32_t other = (uint32_t)(m->seed % world.opt.contacts);

	j_open(b, "recipients", '[');
	if (m->inbound) {
		front_render_recipient(b, NULL, person, m->contact, "from");
		print_channel_recipient(b, m, "to");
		if (m->seed % 29 == 0)
			front_render_recipient(b, NULL, person, m->contact, "reply-to");
	} else {
		print_channel_recipient(b, m, "from");
		front_render_recipient(b, NULL, person, m->contact, "to");
		if (m->seed % 31 == 0)
			print_channel_recipient(b, m, "bcc");
	}
	/* Whom Front knew at the start is linked, whatever became of him. */
	if (m->seed % 7 == 0 && front.handles.list[person].source == SOURCE_EMAIL)
		front_render_recipient(b, NULL, front.first_handle[other],
				       m->seed % 14 ? other + 1 : 0, "cc");
	j_close(b, ']');
}

/* Numbers of attachments tell what they hang on: four for each message and
 * comment, taken in turns. */
#define FILES_EACH 4

static uint32_t attachments_of(uint64_t seed)
{
	return seed % 11 == 0 ? 1 + (uint32_t)(seed / 11 % 3) : 0;
}

static uint32_t attachment_size(uint64_t seed, uint32_t i)
{
	return (uint32_t)(hash2(seed, i) % 400000 + 1);
}

static const char *attachment_type(uint64_t seed, uint32_t i)
{
	static const char *const types[] = {
		"application/pdf", "image/png",
		"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"};

	return types[(seed / 64 + i) % 3];
}

bool front_attachment(uint32_t file, struct front_attachment *out)
{
	uint32_t owner = file / FILES_EACH / 2, i = file % FILES_EACH;
	bool comment = file / FILES_EACH % 2;
	uint64_t seed;

	if (owner >= (comment ? front.comments.count : front.messages.count))
		return false;
	seed = comment ? front.comments.list[owner].seed : front.messages.list[owner].seed;
	out->conversation = comment ? front.comments.list[owner].conversation
				    : front.messages.list[owner].conversation;
	out->size = attachment_size(seed, i);
	out->type = attachment_type(seed, i);
	return i < attachments_of(seed);
}

static void print_attachments(struct buf *b, uint64_t seed, uint64_t number)
{
	static const char *const names[] = {"invoice.pdf", "screen shot.png",
					    "Bericht \xc3\xbc"
					    "ber Juli.xlsx"};
	char cid[40];

	j_open(b, "attachments", '[');
	for (uint32_t i = 0; i < attachments_of(seed); i++) {
		struct front_id id = front_id(FRONT_FILE, number * FILES_EACH + i);
		uint32_t kind = (uint32_t)((seed / 64 + i) % 3);

		j_open(b, NULL, '{');
		j_str(b, "id", id.text);
		j_str(b, "filename", names[kind]);
		front_url(b, "url", "/download/%s", id.text);
		j_str(b, "content_type", attachment_type(seed, i));
		j_int(b, "size", attachment_size(seed, i));
		j_open(b, "metadata", '{');
		j_bool(b, "is_inline", kind == 1);
		if (kind == 1) {
			snprintf(cid, sizeof(cid), "%016llx", (unsigned long long)hash2(seed, 77 + i));
			j_str(b, "cid", cid);
		}
		buf_lit(b, "}}");
	}
	j_close(b, ']');
}

static void print_signature(struct buf *b, const struct front_message *m)
{
	if (m->inbound || !m->author || m->seed % 4) {
		j_null(b, "signature");
		return;
	}
	j_open(b, "signature", '{');
	front_links_open(b, "/signatures/sig_6rrv%u", m->author);
	front_url(b, "owner", "/teams/%s", front_id(FRONT_TEAM, 0).text);
	front_links_close(b);
	j_key(b, "id");
	buf_fmt(b, "\"sig_6rrv%u\"", m->author);
	j_lit(b, "\"name\":\"Short\",\"body\":\"<div>Kind regards,<br />{{user.name}}</div>\","
		 "\"sender_info\":null,\"is_visible_for_all_teammate_channels\":true,"
		 "\"is_default\":false,\"is_private\":false,\"channel_ids\":null");
	j_close(b, '}');
}

static void print_message_links(struct buf *b, uint32_t idx, const struct front_message *m)
{
	struct front_id id = front_id(FRONT_MESSAGE, idx);

	front_links_open(b, "/messages/%s", id.text);
	front_url(b, "conversation", "/conversations/%s",
		  front_id(FRONT_CONVERSATION, m->conversation).text);
	if (m->replied_to && m->seed % 6 == 1) /* no message has this address */
		front_url(b, "message_replied_to", "/messages/%s/parent", id.text);
	else if (m->replied_to)
		front_url(b, "message_replied_to", "/messages/%s",
			  front_id(FRONT_MESSAGE, m->replied_to - 1).text);
	front_url(b, "message_seen", "/messages/%s/seen", id.text);
	front_links_close(b);
}

static void print_state(struct buf *b, uint32_t idx, const struct front_message *m)
{
	static const char *const errors[] = {NULL, "id_usurpation", "undelivered"};
	char text[64];

	snprintf(text, sizeof(text), "%016llx%016llx",
		 (unsigned long long)world_seed(SEED_ID, hash2(idx, 1)),
		 (unsigned long long)world_seed(SEED_ID, hash2(idx, 2)));
	j_str(b, "message_uid", text);
	j_str(b, "type", message_type(m));
	j_bool(b, "is_inbound", m->inbound);
	j_str(b, "draft_mode", !m->draft ? NULL : m->private_draft ? "private" : "shared");
	j_str(b, "error_type", errors[m->error]);
	snprintf(text, sizeof(text), "551ba368f3e7803cce51503ee3e58ef0-%u-%u", idx, m->revision);
	j_str(b, "version", m->draft ? text : NULL);
	front_time(b, "created_at", m->created);
}

static void print_message_metadata(struct buf *b, const struct front_message *m)
{
	char text[40];

	j_open(b, "metadata", '{');
	snprintf(text, sizeof(text), "ext-%llu", (unsigned long long)(m->seed % 1000000000));
	if (strcmp(message_type(m), "email") != 0)
		j_str(b, "external_id", text);
	else if (m->seed % 5 == 0)
		j_lit(b, "\"headers\":{}");
	else if (m->seed % 5 == 1)
		j_str(b, "thread_ref", text);
	if (redacted(m))
		j_lit(b, "\"twitter_url\":\"https://social.example/status/1\",\"is_retweet\":false,"
			 "\"have_been_retweeted\":false,\"have_been_favorited\":true");
	j_close(b, '}');
}

void front_render_message(struct buf *b, const char *key, uint32_t idx)
{
	const struct front_message *m = &front.messages.list[idx];
	struct text_names names;

	names_of(m->person, m->seed, 0, &names);
	j_open(b, key, '{');
	print_message_links(b, idx, m);
	j_str(b, "id", front_id(FRONT_MESSAGE, idx).text);
	print_state(b, idx, m);
	j_key(b, "subject");
	if (strcmp(message_type(m), "email") != 0) {
		buf_lit(b, "null");
	} else {
		struct buf text = {0};

		if (!m->opening)
			buf_lit(&text, "Re: ");
		text_write(&text, VOICE_SUBJECT, (uint32_t)(m->seed % text_topics()), m->seed,
			   &names, true);
		j_quote(b, text.p, text.len);
		buf_release(&text);
	}
	print_words(b, idx, m);
	if (m->author)
		front_render_teammate(b, "author", m->author - 1, m->seq);
	else
		j_null(b, "author");
	print_recipients(b, m);
	print_attachments(b, m->seed, (uint64_t)idx * 2);
	print_signature(b, m);
	print_message_metadata(b, m);
	j_bool(b, "is_draft", m->draft);
	j_close(b, '}');
}

void front_render_comment(struct buf *b, const char *key, uint32_t idx)
{
	const struct front_comment *m = &front.comments.list[idx];
	struct front_id id = front_id(FRONT_COMMENT, idx);
	struct text_names names;
	struct buf text = {0};

	names_of(0, m->seed, m->author, &names);
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
	print_attachments(b, m->seed, (uint64_t)idx * 2 + 1);
	j_bool(b, "is_pinned", m->pinned);
	j_close(b, '}');
	buf_release(&text);
}
