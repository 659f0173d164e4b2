/*
 * intercom_nested: lists inside a contact show their first ten items and say that there are more. The whole list is read by its own path and put
 * into the contact's document in the form that short ones have there: references of type, id and url.
 */
#include "intercom.h"

#include <codec/msgpack.h>

#include <stdio.h>
#include <string.h>

static const struct nested {
	const char *list; /* member of the contact */
	const char *path; /* after its id */
	const char *item_type, *url;
} lists[] = {
	{"tags", "/tags", "tag", "/tags/"},
	{"companies", "/companies?per_page=50&page=", "company", "/companies/"},
	{"notes", "/notes?per_page=50&page=", "note", "/notes/"},
};

#define LISTS (sizeof lists / sizeof *lists)

_Static_assert(LISTS <= PAGE_NESTED_MAX, "a page has room for all of them");

static const struct nested *nested_of(const char *list)
{
	for (size_t i = 0; i < LISTS; i++)
		if (strcmp(lists[i].list, list) == 0)
			return &lists[i];
	return NULL;
}

const char *intercom_nested_path(const char *list)
{
	const struct nested *n = nested_of(list);

	return n ? n->path : NULL;
}

static bool is_cut(struct bytes doc, const char *list)
{
	struct bytes whole, data;
	struct mp_value head;
	int64_t total;
	bool more;

	if (mp_find(doc, bytes_str(list), &whole) != 1)
		return false;
	if (mp_find_bool(whole, "has_more", &more) && more)
		return true;
	return mp_find_int(whole, "total_count", &total) &&
	       mp_find(whole, bytes_str("data"), &data) == 1 && mp_get(data, &head) &&
	       head.type == MP_ARRAY && total > (int64_t)head.count;
}

bool intercom_cut(struct bytes doc)
{
	for (size_t i = 0; i < LISTS; i++)
		if (is_cut(doc, lists[i].list))
			return true;
	return false;
}

void intercom_cut_lists(const struct account *a, struct page *page)
{
	struct bytes doc = page->records[0].record.doc;

	(void)a;
	page->nested_count = 0;
	for (size_t i = 0; i < LISTS; i++)
		if (is_cut(doc, lists[i].list))
			page->nested[page->nested_count++] = lists[i].list;
}

/* The description names the list of companies "companies", its example "data". */
static bool find_items(struct bytes body, const char *list, struct bytes *items)
{
	return intercom_type_is(body, "list") && (mp_find(body, bytes_str("data"), items) == 1 ||
						  mp_find(body, bytes_str(list), items) == 1);
}

void intercom_read_nested(const struct intercom_reading *g, struct bytes body)
{
	const struct nested *n = nested_of(g->ask->nested);
	struct page *page = g->page;
	struct mp_reader r;
	struct mp_value head;
	struct bytes items, doc;

	if (!find_items(body, n->list, &items)) {
		page_nonsense(page, "the answer is not the list that was asked for");
		return;
	}
	r = mp_reader_of(items);
	if (mp_next(&r, &head) != 1 || head.type != MP_ARRAY) {
		page_nonsense(page, "the list of items is not a list");
		return;
	}
	if (!page_room(page, head.count))
		return;
	for (uint32_t i = 0; i < head.count; i++) {
		if (mp_take(&r, &doc) != 1 || !intercom_type_is(doc, n->item_type) ||
		    !intercom_record(g, doc, &page->records[page->count].record)) {
			page_nonsense(page, "an item of the list is of another kind, or has no id");
			return;
		}
		page->records[page->count++].type = NULL;
	}
	if (strchr(n->path, '?'))
		intercom_read_next(g, body);
}

/* The items of an array that stand in a list already. */
static uint32_t copy_items(struct bytes list, struct buf *out)
{
	struct mp_reader r;
	struct mp_value head;
	struct bytes data, item;
	uint32_t n = 0;

	if (mp_find(list, bytes_str("data"), &data) != 1)
		return 0;
	r = mp_reader_of(data);
	if (mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return 0;
	while (n < head.count && mp_take(&r, &item) == 1) {
		buf_put_bytes(out, item);
		n++;
	}
	return n;
}

static void put_reference(const struct nested *n, struct bytes id, struct buf *out)
{
	char url[RECORD_ID_MAX + 16];

	snprintf(url, sizeof url, "%s%.*s", n->url, (int)id.len, (const char *)id.data);
	mp_put_map(out, 3);
	mp_put_cstr(out, "type");
	mp_put_cstr(out, n->item_type);
	mp_put_cstr(out, "id");
	mp_put_str(out, id);
	mp_put_cstr(out, "url");
	mp_put_cstr(out, url);
}

int intercom_nest(const struct account *a, struct page *whole, const char *list,
		  const struct page *part, bool first)
{
	static const uint8_t no[] = {0xc2};
	const struct nested *n = nested_of(list);
	struct record *r = &whole->records[0].record;
	struct bytes old, grown, doc;
	struct buf data = {0};

	(void)a;
	if (mp_find(r->doc, bytes_str(list), &old) != 1)
		return ERR_INVALID;
	size_t mark = mp_begin_array(&data);
	uint32_t count = first ? 0 : copy_items(old, &data);
	for (size_t i = 0; i < part->count; i++)
		put_reference(n, part->records[i].record.id, &data);
	mp_end_array(&data, mark, count + (uint32_t)part->count);
	grown = data.error ? bytes_of(NULL, 0) : page_map_with(whole, old, "data", buf_bytes(&data));
	buf_release(&data);
	if (grown.data)
		grown = page_map_with(whole, grown, "has_more", bytes_of(no, sizeof no));
	if (!grown.data)
		return ERR_NOMEM;
	doc = page_map_with(whole, r->doc, list, grown);
	if (!doc.data)
		return ERR_NOMEM;
	r->doc = doc;
	return 0;
}
