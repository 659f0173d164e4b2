/*
 * intercom_read: pages out of Intercom's answers. Lenient in what it accepts (ids as text or numbers, null or missing, cursors as objects or
 * URLs), strict in what it believes: an answer of another kind than was asked for is a fault, never an empty page.
 */
#include "intercom.h"

#include <codec/msgpack.h>

#include <stdio.h>

/* ---- lists ---- */

/* How many records a thread of a listing would bring: its parts, and the opening message. */
static int64_t children_of(const struct ask *ask, struct bytes doc)
{
	struct bytes value;
	struct mp_value v;
	int64_t parts;

	if (!ask->type->child || mp_find(doc, bytes_str("statistics"), &value) != 1 ||
	    !mp_find_int(value, "count_conversation_parts", &parts) || parts < 0)
		return -1;
	return parts + (mp_find(doc, bytes_str("source"), &value) == 1 && mp_get(value, &v) &&
			v.type == MP_MAP);
}

static bool type_fits(const struct intercom_route *route, struct bytes doc)
{
	struct bytes type;
	struct mp_value v;

	if (route->untyped && mp_find(doc, bytes_str("type"), &type) != 1)
		return mp_get(doc, &v) && v.type == MP_MAP;
	return intercom_type_is(doc, route->item_type);
}

/* Whether the list shows threads with all that belongs to them. */
static bool lists_threads(const struct intercom_reading *g)
{
	return g->ask->kind != ASK_DELETED && g->route->parts && !(g->ask->type->traits & TRAIT_POOR);
}

static void read_item(const struct intercom_reading *g, struct bytes doc)
{
	struct page *page = g->page;
	struct page_record *item = &page->records[page->count];

	if (!type_fits(g->route, doc) || !intercom_record(g, doc, &item->record)) {
		page_nonsense(page, "an item of the list is of another kind, or has no id");
		return;
	}
	if (lists_threads(g)) {
		intercom_thread(g, doc);
		return;
	}
	item->type = g->ask->type;
	item->children = children_of(g->ask, doc);
	if ((g->ask->type->traits & TRAIT_POOR) || (g->route->cut_lists && intercom_cut(doc)))
		item->record.flags |= RECORD_POOR;
	page->count++;
}

/* Room for all records that a list makes. */
static bool make_room(const struct intercom_reading *g, struct mp_reader r, uint32_t count)
{
	size_t all = count;
	struct bytes doc;

	if (lists_threads(g))
		for (uint32_t i = 0; i < count && mp_take(&r, &doc) == 1; i++)
			all += intercom_thread_count(g->route, doc);
	return page_room(g->page, all);
}

/* `list` begins there; where it ends shows when it is read. */
static void read_items(const struct intercom_reading *g, struct bytes list)
{
	struct page *page = g->page;
	struct mp_reader r = mp_reader_of(list);
	struct mp_value head;
	struct bytes doc;

	if (mp_next(&r, &head) != 1 || head.type != MP_ARRAY) {
		page_nonsense(page, "the list of items is not a list");
		return;
	}
	if (!make_room(g, r, head.count))
		return;
	for (uint32_t i = 0; i < head.count && !page->fault; i++) {
		if (mp_take(&r, &doc) != 1)
			page_nonsense(page, "the list of items is cut");
		else
			read_item(g, doc);
	}
}

static void read_list(const struct intercom_reading *g, struct bytes body)
{
	struct page *page = g->page;
	struct bytes list;

	if (!intercom_type_is(body, g->route->list_type)) {
		page_nonsense(page, "the answer is not the list that was asked for");
		return;
	}
	if (mp_find_start(body, bytes_str(g->route->key), &list) != 1) {
		page_nonsense(page, "the list has no items member");
		return;
	}
	if (!mp_find_int(body, "total_count", &page->total) || page->total < 0)
		page->total = -1;
	read_items(g, list);
	if (!page->fault)
		intercom_read_next(g, body);
}

/* Deletions come as {id, deleted_at}: tombstones without a document. */
static void read_deleted(const struct intercom_reading *g, struct bytes body)
{
	static const uint8_t nil = 0xc0;
	struct page *page = g->page;
	struct bytes list;

	if (!intercom_type_is(body, "conversations.list") ||
	    mp_find_start(body, bytes_str("conversations"), &list) != 1) {
		page_nonsense(page, "the answer is not the list of deleted conversations");
		return;
	}
	read_items(g, list);
	for (size_t i = 0; i < page->count; i++) {
		struct record *r = &page->records[i].record;
		r->updated_ms = intercom_seconds(r->doc, "deleted_at");
		/* What does not say when it was deleted may be a conversation that lives. */
		if (r->updated_ms == TIME_NONE) {
			page_nonsense(page,
				      "an item of the deletions does not say when it was deleted");
			return;
		}
		r->created_ms = TIME_NONE;
		r->flags = RECORD_DELETED;
		r->doc = bytes_of(&nil, 1);
	}
	if (!page->fault)
		intercom_read_next(g, body);
}

/* ---- single records ---- */

static void read_one(const struct intercom_reading *g, struct bytes body)
{
	struct page *page = g->page;

	if (!intercom_type_is(body, g->route->item_type)) {
		page_nonsense(page, "the answer is not the record that was asked for");
		return;
	}
	if (!page_room(page, g->route->parts ? intercom_thread_count(g->route, body) : 1))
		return;
	if (g->route->parts) {
		intercom_thread(g, body);
	} else {
		page->records[0].type = g->ask->type;
		page->count = intercom_record(g, body, &page->records[0].record);
	}
	if (page->fault)
		return;
	if (page->count == 0 || !bytes_equal(page->records[0].record.id, g->ask->id)) {
		page_nonsense(page, "another record was answered than was asked for");
		return;
	}
	if (g->route->cut_lists)
		intercom_cut_lists(g->account, page);
}

/* ---- who we are ---- */

static void read_identity(struct bytes body, struct page *page)
{
	page_copy_text(body, "app.id_code", page->identity.id, sizeof page->identity.id);
	page_copy_text(body, "app.name", page->identity.name, sizeof page->identity.name);
	page_copy_text(body, "app.region", page->identity.region, sizeof page->identity.region);
	page_copy_text(body, "app.timezone", page->identity.timezone, sizeof page->identity.timezone);
	if (intercom_type_is(body, "admin"))
		page_copy_text(body, "id", page->identity.actor, sizeof page->identity.actor);
	if (!page->identity.id[0])
		page_nonsense(page, "the answer does not name a workspace (app.id_code)");
}

void intercom_read(const struct account *a, const struct ask *ask, int status, const char *link,
		   int64_t seen_ms, struct page *page)
{
	struct bytes body = buf_bytes(&page->body);
	struct intercom_reading g = {a, ask, intercom_route(a, ask->type), seen_ms, page};

	if (intercom_next_scrolls(&g, status))
		return;
	if (status != 200 || intercom_type_is(body, "error.list")) {
		intercom_read_fault(ask, status, link, page);
		return;
	}
	switch (ask->kind) {
	case ASK_IDENTITY: read_identity(body, page); return;
	case ASK_LIST:
	case ASK_SEARCH:
	case ASK_CHANGED: read_list(&g, body); return;
	case ASK_DELETED: read_deleted(&g, body); return;
	case ASK_ONE: read_one(&g, body); return;
	case ASK_NESTED: intercom_read_nested(&g, body); return;
	case ASK_PASS: return; /* it is what the client asked for */
	case ASK_CHANGE: return;
	case ASK_EVENTS: return; /* is never asked */
	}
}
