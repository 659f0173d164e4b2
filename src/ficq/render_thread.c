/*
 * render_thread: a conversation as a text to read: who said what when, notes marked, what is only an event in one line, what is only
 * quoted folded. Everything in it was written by strangers and is cleaned before it is printed.
 */
#include "render_thread.h"

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
};

static void put_styled(struct drawing *d, enum style style, struct bytes clean)
{
	buf_put_str(d->out, style_on(d->look->color, style));
	buf_put_bytes(d->out, clean);
	buf_put_str(d->out, style_off(d->look->color, style));
}

/* " · name value" when there is a value. */
static void put_part(struct drawing *d, struct buf *out, struct bytes map, const char *path,
		     const char *name)
{
	struct bytes value = member(map, path);
	struct buf text = {0};

	cell_show(&text, d->look->show, value, CELL_TEXT);
	if (text.len) {
		if (out->len)
			buf_put_str(out, d->look->show->utf8 ? " · " : " | ");
		buf_put_str(out, name);
		buf_put_bytes(out, buf_bytes(&text));
	}
	buf_release(&text);
}

static void put_parts(struct drawing *d, struct bytes conversation)
{
	struct buf parts = {0};
	struct bytes rest, line;

	put_part(d, &parts, conversation, "id", "");
	put_part(d, &parts, conversation, "state", "");
	put_part(d, &parts, conversation, "assignee", "assigned to ");
	put_part(d, &parts, conversation, "team", "team ");
	put_part(d, &parts, conversation, "contact", "contact ");
	put_part(d, &parts, conversation, "channel", "by ");
	put_part(d, &parts, conversation, "tags", "tags ");
	for (rest = buf_bytes(&parts); text_wrap(&rest, d->width, &line);) {
		buf_put_bytes(d->out, line);
		buf_put_byte(d->out, '\n');
	}
	buf_release(&parts);
}

static void put_header(struct drawing *d, struct bytes conversation, bool truncated)
{
	struct buf subject = {0};

	member_show(&subject, d->look->show, conversation, "subject", CELL_TEXT);
	if (!subject.len)
		buf_put_str(&subject, "(no subject)");
	put_styled(d, STYLE_BOLD, buf_bytes(&subject));
	buf_put_byte(d->out, '\n');
	put_parts(d, conversation);
	buf_put_str(d->out, "created ");
	member_show(d->out, d->look->show, conversation, "created", CELL_TIME);
	buf_put_str(d->out, ", updated ");
	member_show(d->out, d->look->show, conversation, "updated", CELL_TIME);
	buf_put_byte(d->out, '\n');
	if (truncated || member_true(conversation, "truncated"))
		put_styled(
			d, STYLE_YELLOW,
			bytes_str("Messages of this conversation are missing: the provider shows a part of it only, or it could not be read (ficq dead).\n"));
	buf_release(&subject);
}

static bool is_note(struct bytes message)
{
	struct bytes kind = member_str(message, "kind");

	return bytes_is(kind, "note") || bytes_is(kind, "comment_note") ||
	       bytes_is(kind, "note_and_reopen");
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
	size_t before = line.len;
	member_show(&line, d->look->show, message, "author", CELL_TEXT);
	if (line.len == before)
		buf_put_str(&line, "somebody");
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
			text_clean(&line, kind, TEXT_LINE, d->look->show->ascii);
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

/* An event without words: one quiet line. */
static void put_event(struct drawing *d, struct bytes message)
{
	struct buf line = {0}, cut = {0};
	bool utf8 = d->look->show->utf8;

	buf_put_str(&line, utf8 ? "·  " : "*  ");
	member_show(&line, d->look->show, message, "created", CELL_TIME);
	buf_put_str(&line, "  ");
	member_show(&line, d->look->show, message, "author", CELL_TEXT);
	buf_put_str(&line, ": ");
	member_show(&line, d->look->show, message, "kind", CELL_TEXT);
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

/* The lines of one quote, of which the first ones stay; returns what follows it. */
static struct bytes put_quote(struct drawing *d, struct bytes block)
{
	struct bytes rest = block;
	size_t lines = 0;

	while (rest.len && quoted(first_line(rest))) {
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
		if (quoted(line)) {
			block = put_quote(d, block);
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

static void put_message(struct drawing *d, struct bytes message)
{
	struct bytes body = member_str(message, "body"), kind = member_str(message, "kind");
	bool note = is_note(message), spoken = bytes_is(kind, "comment") || bytes_is(kind, "source");

	if (blank(body) && !note && !spoken) {
		put_event(d, message);
		return;
	}
	put_message_head(d, message, note);
	if (blank(body))
		put_wrapped(d, bytes_str("(no text)"), STYLE_DIM);
	else
		put_body(d, body, note ? STYLE_YELLOW : STYLE_NONE);
}

void render_thread(struct buf *out, struct bytes result, const struct thread_look *look)
{
	struct bytes messages = member(result, "messages"), message;
	struct drawing d = {.out = out,
			    .look = look,
			    .width = look->width > WIDTH_MAX ? WIDTH_MAX : look->width};
	struct mp_reader r = mp_reader_of(messages);
	struct mp_value head;

	put_header(&d, member(result, "conversation"), member_true(result, "truncated"));
	if (!messages.data || mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return;
	while (mp_take(&r, &message) == 1)
		put_message(&d, message);
}
