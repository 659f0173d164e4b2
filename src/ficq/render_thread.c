/*
 * render_thread: a conversation as a text to read: who said what when, notes marked, what is only an event in one line, what is only
 * quoted folded. Everything in it was written by strangers and is cleaned before it is printed.
 */
#include "render_thread.h"

#include "quote.h"
#include "text.h"

#include <codec/msgpack.h>

#define INDENT         2
#define QUOTE_SHOWN    2 /* lines of a quote that stay */
#define QUOTE_FOLD_MIN 4 /* shorter quotes stay whole */
#define WIDTH_MAX      100

struct drawing {
	struct buf *out;
	const struct thread_look *look;
	size_t width;
	bool folded;
};

static void put_styled(struct drawing *d, enum style style, struct bytes clean)
{
	buf_put_str(d->out, style_on(d->look->color, style));
	buf_put_bytes(d->out, clean);
	buf_put_str(d->out, style_off(d->look->color, style));
}

/* Whoever takes part has written, as a rule: what a contact's id is called stands in a message. */
static bool name_of_contact(struct bytes messages, struct bytes id, struct bytes *name_out)
{
	struct mp_reader r = mp_reader_of(messages);
	struct mp_value head;
	struct bytes message;

	if (!messages.data || mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return false;
	while (mp_take(&r, &message) == 1) {
		if (!bytes_equal(member_str(message, "doc.author.id"), id))
			continue;
		*name_out = member_str(message, "author_name");
		if (name_out->len == 0)
			*name_out = member_str(message, "author");
		return name_out->len > 0;
	}
	return false;
}

static void put_name(struct buf *out, const struct drawing *d, const char *name)
{
	if (out->len)
		buf_put_str(out, d->look->show->utf8 ? " · " : " | ");
	buf_put_str(out, name);
}

/* " · name value" when there is a value. */
static void put_part(const struct drawing *d, struct buf *out, struct bytes map, const char *path,
		     const char *name, enum cell_kind kind)
{
	struct buf text = {0};

	member_show(&text, d->look->show, map, path, kind);
	if (text.len) {
		put_name(out, d, name);
		buf_put_bytes(out, buf_bytes(&text));
	}
	buf_release(&text);
}

static void put_contacts(const struct drawing *d, struct buf *out, struct bytes conversation,
			 struct bytes messages)
{
	struct bytes list = member(conversation, "contact"), item;
	struct mp_reader r = mp_reader_of(list);
	struct mp_value head, v;
	bool first = true;

	if (!list.data || mp_next(&r, &head) != 1 || head.type != MP_ARRAY) {
		put_part(d, out, conversation, "contact", "contact ", CELL_TEXT);
		return;
	}
	for (; mp_take(&r, &item) == 1; first = false) {
		struct bytes name;
		if (!mp_get(item, &v) || v.type != MP_STR)
			continue;
		if (first)
			put_name(out, d, "contact ");
		else
			buf_put_str(out, ", ");
		if (!name_of_contact(messages, v.str, &name))
			name = v.str;
		text_clean(out, name, TEXT_LINE, d->look->show->ascii);
	}
}

static void put_lines(struct drawing *d, struct bytes text)
{
	struct bytes line;

	while (text_wrap(&text, d->width, &line)) {
		buf_put_bytes(d->out, line);
		buf_put_byte(d->out, '\n');
	}
}

/* Who has it; nobody where the provider's own object says so. */
static void put_assignee(const struct drawing *d, struct buf *parts, struct bytes conversation)
{
	static const uint8_t key[] = "admin_assignee_id";
	struct bytes who = member_str(conversation, "assignee"), given;
	bool said = mp_find(member(conversation, "doc"), bytes_of(key, sizeof key - 1), &given) == 1;

	if (who.len && !bytes_is(who, "0"))
		put_part(d, parts, conversation, "assignee", "assigned to ", CELL_ADMIN);
	else if (who.len || said)
		put_name(parts, d, "unassigned");
}

static void put_parts(struct drawing *d, struct bytes conversation, struct bytes messages)
{
	struct buf parts = {0};
	bool waits = !bytes_is(member_str(conversation, "state"), "closed");

	put_part(d, &parts, conversation, "id", "", CELL_TEXT);
	put_part(d, &parts, conversation, "number", "ticket #", CELL_TEXT);
	put_part(d, &parts, conversation, "kind", "", CELL_TEXT);
	put_part(d, &parts, conversation, "state", "", CELL_TEXT);
	put_part(d, &parts, conversation, "snoozed_until", "until ", CELL_TIME);
	put_assignee(d, &parts, conversation);
	if (!bytes_is(member_str(conversation, "team"), "0"))
		put_part(d, &parts, conversation, "team", "team ", CELL_TEAM);
	put_contacts(d, &parts, conversation, messages);
	put_part(d, &parts, conversation, "channel", "by ", CELL_TEXT);
	if (!bytes_is(member_str(conversation, "priority"), "none"))
		put_part(d, &parts, conversation, "priority", "priority ", CELL_TEXT);
	put_part(d, &parts, conversation, "tags", "tags ", CELL_TEXT);
	put_part(d, &parts, conversation, "rating", "rated ", CELL_TEXT);
	if (waits)
		put_part(d, &parts, conversation, "waiting_since", "waits for an answer since ",
			 CELL_TIME);
	put_lines(d, buf_bytes(&parts));
	buf_release(&parts);
}

static void put_missing(struct drawing *d)
{
	struct bytes text = bytes_str(
		"Messages are missing here: the provider shows a part of this thread only, or it could not be read (ficq dead).");
	struct bytes line;

	while (text_wrap(&text, d->width, &line)) {
		put_styled(d, STYLE_YELLOW, line);
		buf_put_byte(d->out, '\n');
	}
}

static void put_header(struct drawing *d, struct bytes conversation, struct bytes messages,
		       bool truncated)
{
	struct buf subject = {0}, line = {0};

	member_show(&subject, d->look->show, conversation, "subject", CELL_TEXT);
	if (!subject.len)
		member_show(&subject, d->look->show, conversation, "title", CELL_TEXT);
	if (!subject.len)
		buf_put_str(&subject, "(no subject)");
	struct bytes rest = buf_bytes(&subject), piece;
	while (text_wrap(&rest, d->width, &piece)) {
		put_styled(d, STYLE_BOLD, piece);
		buf_put_byte(d->out, '\n');
	}
	put_parts(d, conversation, messages);
	buf_put_str(&line, "created ");
	member_show(&line, d->look->show, conversation, "created", CELL_TIME);
	buf_put_str(&line, ", updated ");
	member_show(&line, d->look->show, conversation, "updated", CELL_TIME);
	put_lines(d, buf_bytes(&line));
	if (truncated || member_true(conversation, "truncated"))
		put_missing(d);
	buf_release(&subject);
	buf_release(&line);
}

static bool is_note(struct bytes message)
{
	struct bytes kind = member_str(message, "kind");

	return bytes_is(kind, "note") || bytes_is(kind, "comment_note") ||
	       bytes_is(kind, "note_and_reopen");
}

static void put_author(const struct drawing *d, struct buf *out, struct bytes message)
{
	size_t before = out->len;

	member_show(out, d->look->show, message, "author_name", CELL_TEXT);
	if (out->len == before)
		member_show(out, d->look->show, message, "author", CELL_TEXT);
	if (out->len == before)
		buf_put_str(out, "somebody");
}

/* A name of the provider's as words. */
static void put_words(const struct drawing *d, struct buf *out, struct bytes name)
{
	size_t start = out->len;

	text_clean(out, name, TEXT_LINE, d->look->show->ascii);
	for (size_t i = start; i < out->len; i++)
		if (out->data[i] == '_')
			out->data[i] = ' ';
}

/* "── 2026-11-20 10:51 +0100  Ada (admin)  NOTE ───────" */
static void put_message_head(struct drawing *d, struct bytes message, bool note)
{
	struct bytes kind = member_str(message, "kind");
	struct buf line = {0}, cut = {0};
	bool utf8 = d->look->show->utf8;

	buf_put_str(&line, utf8 ? "── " : "-- ");
	member_show(&line, d->look->show, message, "created", CELL_TIME);
	buf_put_str(&line, "  ");
	put_author(d, &line, message);
	if (member_str(message, "author_type").len) {
		buf_put_str(&line, " (");
		member_show(&line, d->look->show, message, "author_type", CELL_TEXT);
		buf_put_byte(&line, ')');
	}
	if (note || (kind.len && !bytes_is(kind, "comment") && !bytes_is(kind, "source"))) {
		buf_put_str(&line, "  ");
		if (note)
			buf_put_str(&line, "NOTE");
		else
			put_words(d, &line, kind);
	}
	buf_put_byte(&line, ' ');
	size_t used = text_put_cut(&cut, buf_bytes(&line), d->width, !utf8);
	for (; used < d->width; used++)
		buf_put_str(&cut, utf8 ? "─" : "-");
	buf_put_byte(d->out, '\n');
	put_styled(d, note ? STYLE_YELLOW : STYLE_CYAN, buf_bytes(&cut));
	buf_put_byte(d->out, '\n');
	buf_release(&line);
	buf_release(&cut);
}

/* What came of an event: to whom something was assigned, which state it has now. */
static void put_outcome(const struct drawing *d, struct buf *out, struct bytes message)
{
	const char *arrow = d->look->show->utf8 ? " → " : " -> ";
	struct bytes who = member_str(message, "assignee"), state = member_str(message, "state"),
		     name;

	if (who.len && !bytes_is(who, "0")) {
		buf_put_str(out, arrow);
		struct bytes source = member_str(message, "source");
		if (!names_find(d->look->show->names, NAMES_ADMINS, source, who, &name) &&
		    !names_find(d->look->show->names, NAMES_TEAMS, source, who, &name))
			name = who;
		text_clean(out, name, TEXT_LINE, d->look->show->ascii);
	} else if (state.len) {
		buf_put_str(out, arrow);
		put_words(d, out, state);
	}
}

/* An event without words: one quiet line. */
static void put_event(struct drawing *d, struct bytes message)
{
	struct buf line = {0}, cut = {0};
	bool utf8 = d->look->show->utf8;

	buf_put_str(&line, utf8 ? "·  " : "*  ");
	member_show(&line, d->look->show, message, "created", CELL_TIME);
	buf_put_str(&line, "  ");
	put_author(d, &line, message);
	buf_put_str(&line, ": ");
	put_words(d, &line, member_str(message, "kind"));
	put_outcome(d, &line, message);
	text_put_cut(&cut, buf_bytes(&line), d->width, !utf8);
	buf_put_byte(d->out, '\n');
	put_styled(d, STYLE_DIM, buf_bytes(&cut));
	buf_put_byte(d->out, '\n');
	buf_release(&line);
	buf_release(&cut);
}

static struct bytes first_line(struct bytes block)
{
	const uint8_t *end = block.len ? memchr(block.data, '\n', block.len) : NULL;

	return bytes_of(block.data, end ? (size_t)(end - block.data) : block.len);
}

static struct bytes behind(struct bytes block, struct bytes line)
{
	size_t taken = line.len < block.len ? line.len + 1 : line.len;

	return bytes_of(block.data + taken, block.len - taken);
}

static bool quoted(struct bytes line)
{
	size_t i = 0;

	while (i < line.len && line.data[i] == ' ')
		i++;
	return i < line.len && line.data[i] == '>';
}

static void put_wrapped(struct drawing *d, struct bytes line, enum style style)
{
	struct bytes piece;

	if (line.len == 0)
		buf_put_byte(d->out, '\n');
	while (text_wrap(&line, d->width - INDENT, &piece)) {
		if (piece.len) {
			text_put_spaces(d->out, INDENT);
			put_styled(d, style, piece);
		}
		buf_put_byte(d->out, '\n');
	}
}

/* "-----Original Message-----", in whatever language: below it stands the mail that is answered. */
static bool opens_original(struct bytes block)
{
	struct bytes line = first_line(block), next = first_line(behind(block, line));
	size_t dashes = 0, end = line.len;

	while (end > 0 && line.data[end - 1] == '-')
		end--;
	while (dashes < line.len && line.data[dashes] == '-')
		dashes++;
	return dashes >= 3 && end + 3 <= line.len && end > dashes && next.len &&
	       memchr(next.data, ':', next.len);
}

/* The lines of one quote (or all to the end), of which the first ones stay; returns what follows it. */
static struct bytes put_quote(struct drawing *d, struct bytes block, bool to_end)
{
	struct bytes rest = block;
	size_t lines = 0;

	while (rest.len && (to_end || quoted(first_line(rest)))) {
		rest = behind(rest, first_line(rest));
		lines++;
	}
	size_t shown = d->look->unfold || lines < QUOTE_FOLD_MIN ? lines : QUOTE_SHOWN;
	for (size_t i = 0; i < shown; i++) {
		put_wrapped(d, first_line(block), STYLE_DIM);
		block = behind(block, first_line(block));
	}
	if (shown < lines) {
		struct buf more = {0};
		buf_printf(&more, "> %s %zu more quoted lines", d->look->show->utf8 ? "…" : "...",
			   lines - shown);
		put_wrapped(d, buf_bytes(&more), STYLE_DIM);
		buf_release(&more);
		d->folded = true;
	}
	return rest;
}

static void put_body(struct drawing *d, struct bytes body, enum style style)
{
	struct buf clean = {0};

	text_clean(&clean, body, TEXT_BLOCK, d->look->show->ascii);
	while (clean.len && (clean.data[clean.len - 1] == '\n' || clean.data[clean.len - 1] == ' '))
		clean.len--;
	struct bytes block = buf_bytes(&clean);
	while (block.len) {
		struct bytes line = first_line(block);
		/* What is quoted without an answer above it is forwarded, and to be read. */
		bool original = block.data != clean.data && opens_original(block);
		if (original || quoted(line)) {
			block = put_quote(d, block, original);
			continue;
		}
		put_wrapped(d, line, style);
		block = behind(block, line);
	}
	buf_release(&clean);
}

static bool blank(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] != ' ' && text.data[i] != '\n' && text.data[i] != '\r' &&
		    text.data[i] != '\t')
			return false;
	return true;
}

static bool attachments(struct bytes message, struct mp_reader *r)
{
	struct bytes list = member(message, "doc.attachments");
	struct mp_value head;

	*r = mp_reader_of(list);
	return list.data && mp_next(r, &head) == 1 && head.type == MP_ARRAY && head.count;
}

static bool has_attachments(struct bytes message)
{
	struct mp_reader r;

	return attachments(message, &r);
}

/* "attached: invoice.pdf (application/pdf, 12.3 KiB)" */
static void put_attachments(struct drawing *d, struct bytes message)
{
	struct mp_reader r;
	struct bytes item;

	for (bool more = attachments(message, &r); more && mp_take(&r, &item) == 1;) {
		struct buf line = {0}, about = {0};
		const char *name = member(item, "name").data ? "name" : "filename";
		int64_t size;

		buf_put_str(&line, "attached: ");
		size_t before = line.len;
		member_show(&line, d->look->show, item, name, CELL_TEXT);
		if (line.len == before)
			buf_put_str(&line, "a file without a name");
		member_show(&about, d->look->show, item, "content_type", CELL_TEXT);
		if (member_int(item, "filesize", &size) || member_int(item, "size", &size)) {
			buf_put_str(&about, about.len ? ", " : "");
			show_bytes(&about, size);
		}
		if (about.len)
			buf_printf(&line, " (%s)", buf_text(&about));
		put_wrapped(d, buf_bytes(&line), STYLE_CYAN);
		buf_release(&line);
		buf_release(&about);
	}
}

static void put_message(struct drawing *d, struct bytes message)
{
	struct bytes body = member_str(message, "body"), kind = member_str(message, "kind");
	struct bytes html = member_str(message, "doc.body");
	bool note = is_note(message), spoken = bytes_is(kind, "comment") || bytes_is(kind, "source");
	bool redacted = member_true(message, "redacted");
	struct buf text = {0};

	if (blank(body) && !note && !spoken && !redacted && !has_attachments(message)) {
		put_event(d, message);
		return;
	}
	put_message_head(d, message, note);
	/* The plain text has lost what was a quote. */
	if (quote_is_in(html)) {
		quote_text(html, &text);
		body = buf_bytes(&text);
	}
	if (!blank(body))
		put_body(d, body, note ? STYLE_YELLOW : STYLE_NONE);
	else if (redacted)
		put_wrapped(d, bytes_str("(redacted: the text was removed at the provider)"),
			    STYLE_DIM);
	else if (!has_attachments(message))
		put_wrapped(d, bytes_str("(no text)"), STYLE_DIM);
	put_attachments(d, message);
	buf_release(&text);
}

bool render_thread(struct buf *out, struct bytes result, const struct thread_look *look)
{
	struct bytes messages = member(result, "messages"), message;
	struct bytes conversation = member(result, "conversation");
	struct drawing d = {.out = out,
			    .look = look,
			    .width = look->width > WIDTH_MAX ? WIDTH_MAX : look->width};
	struct mp_reader r = mp_reader_of(messages);
	struct mp_value head;

	put_header(&d, conversation, messages, member_true(result, "truncated"));
	/* What a conversation opens with is its first message; a ticket's description is not. */
	if (member(conversation, "title").data && !blank(member_str(conversation, "body"))) {
		buf_put_byte(out, '\n');
		put_body(&d, member_str(conversation, "body"), STYLE_NONE);
	}
	if (!messages.data || mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return d.folded;
	while (mp_take(&r, &message) == 1)
		put_message(&d, message);
	return d.folded;
}
