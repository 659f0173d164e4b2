/* Tickets: search and one of them; their types and states; articles and
 * collections. */
#include "ledger.h"
#include "listing.h"
#include "intercom.h"
#include "settings.h"
#include "ticket.h"

#include <stdio.h>
#include <stdlib.h>

void answer_tickets_search(struct call *c)
{
	listing_search(c, &resource_tickets);
}

void answer_ticket(struct call *c)
{
	static struct ticket t;
	struct view v = {.version = c->version, .parts = true, .parts_total = settings.parts_total};
	uint32_t idx;

	if (!ticket_index(c->id, &idx) || !pop_live(&world.tickets, idx)) {
		call_not_found(c, "ticket_not_found", "Ticket not found");
		return;
	}
	ticket_build(idx, &t);
	render_ticket(&c->out, NULL, &t, &v);
}

void answer_ticket_types(struct call *c)
{
	buf_lit(&c->out, "{\"type\":\"list\",\"data\":[");
	for (uint32_t i = 0; i < ticket_type_count(); i++)
		render_ticket_type(&c->out, i);
	buf_lit(&c->out, "]}");
}

void answer_ticket_states(struct call *c)
{
	buf_lit(&c->out, "{\"type\":\"list\",\"data\":[");
	for (uint32_t i = 0; i < ticket_state_count(); i++)
		render_ticket_state(&c->out, i);
	buf_lit(&c->out, "]}");
}

/* Newest update first. Of those of the same second that two pages part, the
 * one that ends a page may begin the next as well, and the other be missed. */
static void print_articles(struct call *c, uint32_t page, uint32_t per_page)
{
	const struct pop *p = &world.articles;
	struct view v = {.version = c->version};
	uint64_t from = (uint64_t)(page - 1) * per_page;

	j_open(&c->out, "data", '[');
	for (uint64_t i = from; i < p->live && i < from + per_page; i++) {
		uint32_t idx = p->by_updated[p->live - 1 - i], before;

		if (c->fault && c->fault->kind == FAULT_WRONG_RESOURCE) {
			render_contact_reference(&c->out, NULL, 0);
			continue;
		}
		before = i == from && i > 0 ? p->by_updated[p->live - i] : idx;
		if (settings.unstable_ties && p->updated[before] == p->updated[idx])
			idx = before;
		render_article(&c->out, NULL, idx, &v);
	}
	j_close(&c->out, ']');
}

static void print_collections(struct call *c, uint32_t page, uint32_t per_page)
{
	uint32_t from = (page - 1) * per_page;

	j_open(&c->out, "data", '[');
	for (uint32_t i = from; i < collection_count() && i < from + per_page; i++)
		render_collection(&c->out, i);
	j_close(&c->out, ']');
}

static void answer_numbered(struct call *c, uint32_t otherwise, uint32_t total,
			    void (*print)(struct call *c, uint32_t page, uint32_t per_page))
{
	char token[16], next[16];
	uint32_t page, per_page;
	uint64_t name;

	if (!call_number(c, "page", 1, 100000, &page) ||
	    !call_number(c, "per_page", otherwise, 250, &per_page))
		return;
	name = listing_name(c, "", per_page);
	snprintf(token, sizeof(token), page > 1 ? "%u" : "", page);
	snprintf(next, sizeof(next), page * per_page < total ? "%u" : "", page + 1);
	ledger_page_asked(name, token, false);
	j_open(&c->out, NULL, '{');
	j_str(&c->out, "type", "list");
	listing_numbered_pages(c, "", page, per_page, total);
	j_int(&c->out, "total_count", total);
	print(c, page, per_page);
	j_close(&c->out, '}');
	ledger_page_given(name, token, next, c->spoiled);
}

void answer_articles(struct call *c)
{
	answer_numbered(c, 25, world.articles.live, print_articles);
}

void answer_collections(struct call *c)
{
	answer_numbered(c, 20, collection_count(), print_collections);
}
