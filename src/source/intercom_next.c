/* intercom_next: cursors to the next page, in all the forms that Intercom gives them. Only values are taken: where a URL points to is never
 * followed. */
#include "intercom.h"

#include <codec/msgpack.h>

#include <stdio.h>
#include <string.h>

static const char scroll_mark[] = "scroll:";

/* The place of a parameter's value in a URL's query; {NULL, 0}: it has none of that name. */
static struct bytes url_value(struct bytes url, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i + n + 1 < url.len; i++) {
		const char *at = (const char *)url.data + i;
		if ((at[0] != '?' && at[0] != '&') || memcmp(at + 1, name, n) != 0 || at[n + 1] != '=')
			continue;
		struct bytes value = bytes_of(at + n + 2, url.len - i - n - 2);
		for (size_t j = 0; j < value.len; j++)
			if (value.data[j] == '&' || value.data[j] == '#')
				value.len = j;
		return value;
	}
	return bytes_of(NULL, 0);
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A parameter's value without its escapes. */
static struct bytes url_parameter(struct page *page, struct bytes url, const char *name)
{
	struct bytes raw = url_value(url, name);
	uint8_t *out = arena_alloc(&page->arena, raw.len + 1);
	size_t n = 0;

	for (size_t i = 0; out && i < raw.len; i++) {
		int high = raw.data[i] == '%' && i + 2 < raw.len ? hex_digit(raw.data[i + 1]) : -1;
		int low = high >= 0 ? hex_digit(raw.data[i + 2]) : -1;
		out[n++] = low >= 0 ? (uint8_t)(high * 16 + low) : raw.data[i];
		i += low >= 0 ? 2 : 0;
	}
	return bytes_of(out, n);
}

static struct bytes number_text(struct page *page, int64_t n)
{
	char digits[24];

	snprintf(digits, sizeof digits, "%lld", (long long)n);
	return arena_bytes(&page->arena, bytes_str(digits));
}

bool intercom_cursor_scrolls(struct bytes cursor, struct bytes *parameter_out)
{
	size_t n = strlen(scroll_mark);

	if (cursor.len < n || memcmp(cursor.data, scroll_mark, n) != 0)
		return false;
	while (n < cursor.len && cursor.data[n] != ':')
		n++;
	*parameter_out = n < cursor.len ? bytes_of(cursor.data + n + 1, cursor.len - n - 1)
					: bytes_of(NULL, 0);
	return true;
}

/* Every page names itself by its first item. The end is an empty page, whose parameter must not be used again. */
static void read_scroll(const struct intercom_reading *g, struct bytes parameter)
{
	struct page *page = g->page;
	struct buf next = {0};

	if (page->count == 0)
		return;
	buf_put_str(&next, scroll_mark);
	buf_put_bytes(&next, page->records[0].record.id);
	buf_put_byte(&next, ':');
	buf_put_bytes(&next, parameter);
	page->next = arena_bytes(&page->arena, buf_bytes(&next));
	if (next.error || !page->next.len)
		intercom_nonsense(page, "out of memory while reading a page");
	buf_release(&next);
}

bool intercom_next_scrolls(const struct intercom_reading *g, int status)
{
	struct bytes code, message;

	if (g->ask->kind != ASK_LIST || !g->route || !g->route->scroll || status != 400 ||
	    mp_path(buf_bytes(&g->page->body), bytes_str("errors.0"), &code) != 1 ||
	    !mp_find_str(code, "message", &message) || !bytes_has(message, "scroll API"))
		return false;
	g->page->next = arena_bytes(&g->page->arena, bytes_str(scroll_mark));
	return g->page->next.len > 0;
}

/* pages.next: absent or null on the last page; an object {page, starting_after}, or a URL whose page is what counts. */
void intercom_read_next(const struct intercom_reading *g, struct bytes body)
{
	struct page *page = g->page;
	struct bytes next, text;
	struct mp_value v;
	int64_t number;
	bool numbered = g->ask->kind == ASK_DELETED || g->ask->kind == ASK_NESTED ||
			g->route->page_numbers;
	const char *name = numbered ? "page" : "starting_after";

	if (g->route->scroll && mp_find_str(body, "scroll_param", &text)) {
		read_scroll(g, text);
		return;
	}
	if (mp_path(body, bytes_str("pages.next"), &next) != 1 || !mp_get(next, &v) || v.type == MP_NIL)
		return;
	if (v.type == MP_STR)
		page->next = url_parameter(page, v.str, name);
	else if (mp_find_str(next, name, &text))
		page->next = text;
	else if (numbered && mp_find_int(next, name, &number))
		page->next = number_text(page, number);
	if (page->next.len == 0) {
		intercom_nonsense(page, "there is a next page, but no cursor to it");
		return;
	}
	/* More than page numbers lead to: they are not followed to their end first. */
	if (g->route->scroll && page->total > INTERCOM_NUMBERED_MAX - (int64_t)g->route->page_max)
		page->next = arena_bytes(&page->arena, bytes_str(scroll_mark));
}
