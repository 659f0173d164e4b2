/*
 * front_nested: a conversation is read in parts: its messages page by page, its comments, and the inboxes it is in. Messages and comments become its children; the
 * inboxes are put into its document, which says nothing of them.
 */
#include "front.h"

#include <stdlib.h>
#include <string.h>

static const struct nested {
	const char *list, *path;
	const char *created; /* of a child the member that says when it was made; NULL: no child */
} lists[] = {
	{"messages", "/messages?limit=100&sort_by=created_at&sort_order=desc", "created_at"},
	{"comments", "/comments", "posted_at"},
	{"inboxes", "/inboxes", NULL},
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

const char *front_nested_path(const char *list)
{
	const struct nested *n = nested_of(list);

	return n ? n->path : NULL;
}

/* Comes after a contact's or another record's reading as well, which has none. */
void front_cut_lists(const struct account *a, struct page *page)
{
	const struct front_route *route = front_route(page->records[0].type);

	(void)a;
	page->nested_count = 0;
	for (size_t i = 0; route && route->threads && i < LISTS; i++)
		page->nested[page->nested_count++] = lists[i].list;
}

void front_read_nested(const struct front_reading *g, struct bytes body)
{
	const struct nested *n = nested_of(g->ask->nested);
	struct page *page = g->page;
	struct mp_reader r;
	struct bytes doc;
	uint32_t count;

	if (!front_results(page, body, &r, &count) || !page_room(page, count))
		return;
	for (uint32_t i = 0; i < count; i++) {
		struct record *record = &page->records[page->count].record;
		if (mp_take(&r, &doc) != 1 || !front_record(g, doc, record)) {
			page_nonsense(page, "an item of the list has no id");
			return;
		}
		if (n->created)
			record->created_ms = front_time(doc, n->created);
		page->records[page->count++].type = NULL;
	}
	front_read_next(page, body);
}

/* Children in the order of their creation, whatever order they came in. */
static int by_creation(const void *a, const void *b)
{
	const struct record *x = &((const struct page_record *)a)->record;
	const struct record *y = &((const struct page_record *)b)->record;

	return x->created_ms != y->created_ms
		       ? (x->created_ms > y->created_ms) - (x->created_ms < y->created_ms)
		       : bytes_compare(x->id, y->id);
}

static int add_children(const struct account *a, struct page *whole, const struct page *part)
{
	const struct resource_type *child = provider_type(a->provider,
							  bytes_str(whole->records[0].type->child));
	size_t all = whole->count + part->count;
	struct page_record *grown = arena_alloc(&whole->arena,
						(all + front_recipients(part)) * sizeof *grown);

	if (!grown)
		return ERR_NOMEM;
	memcpy(grown, whole->records, whole->count * sizeof *grown);
	for (size_t i = 0; i < part->count; i++) {
		struct page_record *item = &grown[whole->count + i];
		*item = part->records[i];
		item->type = child;
		item->children = -1;
		item->record.id = arena_bytes(&whole->arena, item->record.id);
		item->record.doc = arena_bytes(&whole->arena, item->record.doc);
		item->record.parent = whole->records[0].record.id;
		if (!item->record.id.data || !item->record.doc.data)
			return ERR_NOMEM;
	}
	qsort(grown + 1, all - 1, sizeof *grown, by_creation);
	whole->records = grown;
	whole->count = all;
	return front_add_people(a, whole, part);
}

/* The items of an array that stands there already. */
static uint32_t copy_items(struct bytes doc, const char *list, struct buf *out)
{
	struct bytes old, item;
	struct mp_value head;
	uint32_t n = 0;

	if (mp_find(doc, bytes_str(list), &old) != 1)
		return 0;
	struct mp_reader r = mp_reader_of(old);
	if (mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return 0;
	for (; n < head.count && mp_take(&r, &item) == 1; n++)
		buf_put_bytes(out, item);
	return n;
}

static bool append_member(struct bytes doc, const char *key, struct bytes value, struct buf *out)
{
	struct mp_reader r = mp_reader_of(doc);
	struct mp_value head;

	if (mp_next(&r, &head) != 1 || head.type != MP_MAP)
		return false;
	mp_put_map(out, head.count + 1);
	buf_put_bytes(out, bytes_of(r.at, (size_t)(r.end - r.at)));
	mp_put_cstr(out, key);
	buf_put_bytes(out, value);
	return true;
}

static int put_list(struct page *whole, const char *list, const struct page *part, bool first)
{
	struct record *r = &whole->records[0].record;
	struct bytes doc = page_map_with(whole, r->doc, list, bytes_of(NULL, 0));
	struct buf items = {0}, out = {0};
	int rc = ERR_NOMEM;

	size_t mark = mp_begin_array(&items);
	uint32_t count = first ? 0 : copy_items(r->doc, list, &items);
	for (size_t i = 0; i < part->count; i++)
		buf_put_bytes(&items, part->records[i].record.doc);
	mp_end_array(&items, mark, count + (uint32_t)part->count);
	if (doc.data && !items.error) {
		rc = append_member(doc, list, buf_bytes(&items), &out) ? out.error : ERR_INVALID;
		doc = rc ? doc : arena_bytes(&whole->arena, buf_bytes(&out));
	}
	if (rc == 0 && !doc.data)
		rc = ERR_NOMEM;
	if (rc == 0)
		r->doc = doc;
	buf_release(&items);
	buf_release(&out);
	return rc;
}

int front_nest(const struct account *a, struct page *whole, const char *list,
	       const struct page *part, bool first)
{
	const struct nested *n = nested_of(list);

	if (!n)
		return ERR_INVALID;
	return n->created ? add_children(a, whole, part) : put_list(whole, list, part, first);
}
