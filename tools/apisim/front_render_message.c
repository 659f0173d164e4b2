/* Prints messages, their recipients and what hangs on them. A message never
 * changes by what becomes of its conversation or its people. */
#include "front_render.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

void front_names(uint32_t person, uint64_t seed, uint32_t author, struct text_names *out)
{
	*out = (struct text_names){
		.customer = person ? front_person_first(person - 1) : "team",
		.agent = author ? text_first_name(world_seed(SEED_ADMIN, author - 1)) : "Alex",
		.company = text_company_stem(seed),
	};
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

void front_render_attachments(struct buf *b, uint64_t seed, uint64_t number)
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

void front_message_text(struct buf *b, uint32_t idx, bool plain)
{
	const struct front_message *m = &front.messages.list[idx];
	struct text_names names;
	enum voice voice = !m->inbound ? VOICE_AGENT : m->opening ? VOICE_OPENING : VOICE_CUSTOMER;

	front_names(m->person, m->seed, m->author, &names);
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

	front_names(m->person, m->seed, 0, &names);
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
	front_render_attachments(b, m->seed, (uint64_t)idx * 2);
	print_signature(b, m);
	print_message_metadata(b, m);
	j_bool(b, "is_draft", m->draft);
	j_close(b, '}');
}
