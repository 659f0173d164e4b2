/*
 * front_read: pages out of Front's answers. Lenient in what it accepts (members that are null or missing), strict in what it believes: an answer of another
 * kind than was asked for is a fault, never an empty page.
 */
#include "front.h"

static void read_list(const struct front_reading *g, struct bytes body)
{
	struct page *page = g->page;
	struct mp_reader r;
	struct bytes doc;
	uint32_t count;

	if (!front_results(page, body, &r, &count) || !page_room(page, count))
		return;
	for (uint32_t i = 0; i < count; i++) {
		struct page_record *item = &page->records[page->count];
		if (mp_take(&r, &doc) != 1 || !front_record(g, doc, &item->record)) {
			page_nonsense(page, "an item of the list has no id");
			return;
		}
		item->type = g->ask->type;
		item->children = -1;
		/* Shown as it is, but for what is inside it. */
		if (g->route->threads)
			item->record.flags |= RECORD_POOR;
		page->count++;
	}
	if (!mp_find_int(body, "_total", &page->total) || page->total < 0)
		page->total = -1;
	front_read_next(page, body);
}

static void read_one(const struct front_reading *g, struct bytes body)
{
	struct page *page = g->page;

	if (!page_room(page, 1))
		return;
	if (!front_record(g, body, &page->records[0].record)) {
		page_nonsense(page, "the answer is not the record that was asked for");
		return;
	}
	if (!bytes_equal(page->records[0].record.id, g->ask->id)) {
		page_nonsense(page, "another record was answered than was asked for");
		return;
	}
	page->records[0].type = g->ask->type;
	page->count = 1;
	if (g->route->threads)
		front_cut_lists(NULL, page);
}

/* Who has the handle that is looked for: one contact, or nobody. */
static void read_handle(const struct front_reading *g, struct bytes body)
{
	struct page *page = g->page;

	if (!page_room(page, 1))
		return;
	if (!front_record(g, body, &page->records[0].record)) {
		page_nonsense(page, "the answer is no contact");
		return;
	}
	page->records[0].type = g->ask->type;
	page->records[0].children = -1;
	page->count = 1;
}

static void read_identity(struct bytes body, struct page *page)
{
	page_copy_text(body, "id", page->identity.id, sizeof page->identity.id);
	page_copy_text(body, "name", page->identity.name, sizeof page->identity.name);
	if (!page->identity.id[0])
		page_nonsense(page, "the answer does not name a company (id)");
}

void front_read(const struct account *a, const struct ask *ask, int status, const char *link,
		int64_t seen_ms, struct page *page)
{
	struct bytes body = buf_bytes(&page->body), error;
	struct front_reading g = {ask, front_route(ask->type), seen_ms, page};

	(void)a;
	(void)link;
	if (status != 200 || mp_find(body, bytes_str("_error"), &error) == 1) {
		front_read_fault(ask, status, page);
		/* Nobody has the handle. */
		if (page->fault == FAULT_GONE && ask->kind == ASK_SEARCH)
			page->fault = FAULT_NONE;
		return;
	}
	switch (ask->kind) {
	case ASK_IDENTITY: read_identity(body, page); return;
	case ASK_LIST:
	case ASK_CHANGED: read_list(&g, body); return;
	case ASK_EVENTS: front_read_events(&g, body); return;
	case ASK_ONE: read_one(&g, body); return;
	case ASK_NESTED: front_read_nested(&g, body); return;
	case ASK_PASS: return; /* it is what the client asked for */
	case ASK_CHANGE: return;
	case ASK_SEARCH:
		if (g.route->threads)
			read_list(&g, body);
		else
			read_handle(&g, body);
		return;
	case ASK_DELETED: return; /* is never asked */
	}
}
