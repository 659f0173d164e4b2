/*
 * quote: cuts HTML at the borders of its <blockquote> elements, and has each piece made a text by itself. What is not closed is quoted to the end, what is
 * closed too often is not.
 */
#include "quote.h"

#include <model/html.h>

#include <ctype.h>
#include <strings.h>

#define NAME     "blockquote"
#define NAME_LEN (sizeof NAME - 1)

/* The next tag of a blockquote: its place, and where it ends. */
static bool next_tag(struct bytes html, size_t from, size_t *at_out, size_t *end_out, bool *closing_out)
{
	for (size_t at = from; at < html.len; at++) {
		const uint8_t *p = memchr(html.data + at, '<', html.len - at);
		if (!p)
			return false;
		at = (size_t)(p - html.data);
		bool closing = at + 1 < html.len && p[1] == '/';
		size_t name = at + 1 + closing, behind = name + NAME_LEN;
		if (behind >= html.len ||
		    strncasecmp((const char *)html.data + name, NAME, NAME_LEN) != 0 ||
		    isalnum(html.data[behind]))
			continue;
		const uint8_t *end = memchr(html.data + behind, '>', html.len - behind);
		*at_out = at;
		*end_out = end ? (size_t)(end - html.data) + 1 : html.len;
		*closing_out = closing;
		return true;
	}
	return false;
}

/* Each line of the piece's text behind its marks. */
static void put_piece(struct buf *out, size_t start, struct bytes html, unsigned depth)
{
	struct buf text = {0};
	struct bytes rest;

	html_to_text(html, &text);
	for (rest = buf_bytes(&text); rest.len;) {
		const uint8_t *end = memchr(rest.data, '\n', rest.len);
		size_t len = end ? (size_t)(end - rest.data) : rest.len;
		if (out->len > start)
			buf_put_byte(out, '\n');
		for (unsigned i = 0; i < depth && i < QUOTE_DEPTH_MAX; i++)
			buf_put_str(out, "> ");
		buf_put(out, rest.data, len);
		len += end != NULL;
		rest = bytes_of(rest.data + len, rest.len - len);
	}
	buf_release(&text);
}

bool quote_is_in(struct bytes html)
{
	size_t at, end;
	bool closing;

	return html.len && next_tag(html, 0, &at, &end, &closing);
}

void quote_text(struct bytes html, struct buf *out)
{
	size_t from = 0, at, end, start = out->len;
	unsigned depth = 0;
	bool closing;

	while (html.len && next_tag(html, from, &at, &end, &closing)) {
		put_piece(out, start, bytes_of(html.data + from, at - from), depth);
		if (!closing)
			depth++;
		else if (depth)
			depth--;
		from = end;
	}
	put_piece(out, start, bytes_of(html.data + from, html.len - from), depth);
}
