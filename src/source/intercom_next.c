/* intercom_next: cursors to the next page, in all the forms that Intercom gives them. Only values are taken: where a URL points to is never
 * followed. */
#include "intercom.h"

#include <codec/msgpack.h>

#include <stdio.h>
#include <string.h>

static const char scroll_mark[] = "scroll:";

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
		page_nonsense(page, "out of memory while reading a page");
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
	struct bytes pages, next, text;
	struct mp_value v;
	int64_t number;
	bool numbered = g->ask->kind == ASK_DELETED || g->ask->kind == ASK_NESTED ||
			g->route->page_numbers;
	const char *name = numbered ? "page" : "starting_after";

	if (g->route->scroll && mp_find_str(body, "scroll_param", &text)) {
		read_scroll(g, text);
		return;
	}
	if (mp_find_start(body, bytes_str("pages"), &pages) != 1 ||
	    mp_find(pages, bytes_str("next"), &next) != 1 || !mp_get(next, &v) || v.type == MP_NIL)
		return;
	if (v.type == MP_STR)
		page->next = url_parameter(&page->arena, v.str, name);
	else if (mp_find_str(next, name, &text))
		page->next = text;
	else if (numbered && mp_find_int(next, name, &number))
		page->next = number_text(page, number);
	if (page->next.len == 0) {
		page_nonsense(page, "there is a next page, but no cursor to it");
		return;
	}
	/* More than page numbers lead to: they are not followed to their end first. */
	if (g->route->scroll && page->total > INTERCOM_NUMBERED_MAX - (int64_t)g->route->page_max)
		page->next = arena_bytes(&page->arena, bytes_str(scroll_mark));
}
