/*
 * intercom_thread: conversations and tickets with their parts. The thread's document is kept without them, each part is a record of its own,
 * so that a part that is not shown any more (only the 500 newest are) is still held.
 */
#include "intercom.h"

#include <codec/msgpack.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the array of parts begins, and how many it has; false: there is none. */
static bool find_parts(const struct intercom_route *route, struct bytes doc, struct bytes *parts,
		       uint32_t *count)
{
	struct bytes list;
	struct mp_value head;

	if (mp_find_start(doc, bytes_str(route->parts), &list) != 1 ||
	    mp_find_start(list, bytes_str(route->parts), parts) != 1 || !mp_get(*parts, &head) ||
	    head.type != MP_ARRAY)
		return false;
	*count = head.count;
	return true;
}

size_t intercom_thread_count(const struct intercom_route *route, struct bytes doc)
{
	struct bytes parts;
	uint32_t count = 0;

	return find_parts(route, doc, &parts, &count) ? (size_t)count + 2 : 2;
}

/* The opening message is not among the parts: it is made a record of its own. Its id space is not the parts', so its id names the
 * conversation. */
static void add_opening(const struct intercom_reading *g, const struct resource_type *type,
			const struct record *parent, struct bytes thread)
{
	struct page *page = g->page;
	struct page_record *item = &page->records[page->count];
	char id[RECORD_ID_MAX + 1];
	struct bytes doc;
	struct mp_value v;

	if (!g->route->opening || mp_find(thread, bytes_str(g->route->opening), &doc) != 1 ||
	    !mp_get(doc, &v) || v.type != MP_MAP)
		return;
	if (parent->id.len + strlen("source:") > RECORD_ID_MAX) {
		page_nonsense(page, "the id of the conversation is too long");
		return;
	}
	snprintf(id, sizeof id, "source:%.*s", (int)parent->id.len, (const char *)parent->id.data);
	*item = (struct page_record){
		.type = type,
		.record =
			{
				.id = arena_bytes(&page->arena, bytes_str(id)),
				.parent = parent->id,
				.created_ms = parent->created_ms,
				.updated_ms = parent->created_ms,
				.seen_ms = parent->seen_ms,
				.doc = doc,
			},
	};
	page->count++;
}

/* Parts in the order of their creation, whatever order they came in. */
static int by_creation(const void *a, const void *b)
{
	const struct record *x = &((const struct page_record *)a)->record;
	const struct record *y = &((const struct page_record *)b)->record;

	return (x->created_ms > y->created_ms) - (x->created_ms < y->created_ms);
}

static void add_parts(const struct intercom_reading *g, const struct resource_type *type,
		      const struct record *parent, struct bytes parts)
{
	struct page *page = g->page;
	struct mp_reader r = mp_reader_of(parts);
	struct mp_value head;
	struct bytes doc;
	size_t first = page->count;

	if (mp_next(&r, &head) != 1)
		return;
	for (uint32_t i = 0; i < head.count; i++) {
		struct page_record *item = &page->records[page->count];
		if (mp_take(&r, &doc) != 1 || !intercom_record(g, doc, &item->record)) {
			page_nonsense(page, "a part of the thread has no id");
			return;
		}
		item->type = type;
		item->record.parent = parent->id;
		page->count++;
	}
	qsort(page->records + first, page->count - first, sizeof *page->records, by_creation);
}

/* Retrieving shows the 500 newest parts at most and does not say so: the counts do, where they are given. A thread that has reached the limit is
 * whole only when its own statistics say that there are just as many. */
static bool parts_missing(const struct intercom_route *route, struct bytes thread, uint32_t shown)
{
	struct bytes value;
	int64_t counted;

	if (mp_find_start(thread, bytes_str(route->parts), &value) == 1 &&
	    mp_find_int(value, "total_count", &counted) && counted > (int64_t)shown)
		return true;
	if (shown < INTERCOM_PARTS_MAX)
		return false;
	return mp_find(thread, bytes_str("statistics"), &value) != 1 ||
	       !mp_find_int(value, "count_conversation_parts", &counted) || counted != (int64_t)shown;
}

void intercom_thread(const struct intercom_reading *g, struct bytes doc)
{
	const struct resource_type *child = provider_type(g->account->provider,
							  bytes_str(g->ask->type->child));
	struct page *page = g->page;
	struct page_record *item = &page->records[page->count];
	struct bytes parts;
	uint32_t count;

	if (!find_parts(g->route, doc, &parts, &count)) {
		page_nonsense(page, "the thread came without its parts");
		return;
	}
	item->type = g->ask->type;
	if (!intercom_record(g, doc, &item->record)) {
		page_nonsense(page, "the thread has no id");
		return;
	}
	page->count++;
	if (parts_missing(g->route, doc, count))
		item->record.flags |= RECORD_TRUNCATED;
	item->record.doc = page_map_with(page, doc, g->route->parts, bytes_of(NULL, 0));
	if (!item->record.doc.data) {
		page_nonsense(page, "out of memory while reading a thread");
		return;
	}
	add_opening(g, child, &item->record, doc);
	if (!page->fault)
		add_parts(g, child, &item->record, parts);
}
