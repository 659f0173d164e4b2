/* Conversations and tickets: list, search, one thread, the deletion feed. */
#include "ledger.h"
#include "listing.h"
#include "intercom.h"
#include "settings.h"
#include "stats.h"

#include <stdio.h>
#include <string.h>

void answer_conversations(struct call *c)
{
	listing_answer(c, &resource_conversations);
}

void answer_conversation_search(struct call *c)
{
	listing_search(c, &resource_conversations);
}

void answer_conversation(struct call *c)
{
	static struct conversation conv;
	const char *as = call_argument(c, "display_as");
	struct view v = {.version = c->version, .parts = true, .parts_total = settings.parts_total};
	uint32_t idx;

	if (!conversation_index(c->id, &idx) || !pop_live(&world.conversations, idx)) {
		call_not_found(c, "not_found", "Resource Not Found");
		return;
	}
	if (as && strcmp(as, "plaintext") != 0)
		stats_breach(BREACH_UNKNOWN_PARAMETER, "display_as=%s", as);
	v.plain = as && !strcmp(as, "plaintext");
	conversation_build(idx, &conv);
	render_conversation(&c->out, NULL, &conv, &v);
	ledger_thread_given(idx, c->spoiled);
}

static void print_deleted(struct call *c, uint32_t page, uint32_t per_page, bool oldest_first)
{
	struct buf *b = &c->out;
	uint32_t n = world.deletion_count, from = (page - 1) * per_page;

	j_open(b, "conversations", '[');
	for (uint32_t i = from; i < n && i < from + per_page; i++) {
		const struct deletion *d = &world.deletions[oldest_first ? i : n - 1 - i];

		j_open(b, NULL, '{');
		j_str(b, "type", "conversation");
		j_idstr(b, "id", d->conversation_id);
		j_bool(b, "metrics_retained", d->metrics_retained);
		j_int(b, "deleted_at", d->at);
		j_close(b, '}');
	}
	j_close(b, ']');
}

void answer_conversations_deleted(struct call *c)
{
	const char *order = call_argument(c, "order");
	bool oldest_first = order && !strcmp(order, "asc");
	char query[32], token[16], next[16];
	uint32_t page, per_page;
	uint64_t name;

	if (!call_number(c, "page", 1, 1000000, &page) ||
	    !call_number(c, "per_page", 20, 60, &per_page))
		return;
	if (order && !oldest_first && strcmp(order, "desc") != 0) {
		stats_breach(BREACH_UNKNOWN_PARAMETER, "order=%s", order);
		call_error(c, 400, "parameter_invalid", "order must be asc or desc");
		return;
	}
	name = listing_name(c, oldest_first ? "asc" : "desc", per_page);
	snprintf(token, sizeof(token), page > 1 ? "%u" : "", page);
	snprintf(next, sizeof(next), page * per_page < world.deletion_count ? "%u" : "", page + 1);
	ledger_page_asked(name, token, false);
	j_open(&c->out, NULL, '{');
	j_str(&c->out, "type", "conversations.list");
	j_int(&c->out, "total_count", world.deletion_count);
	snprintf(query, sizeof(query), "order=%s&", oldest_first ? "asc" : "desc");
	listing_numbered_pages(c, query, page, per_page, world.deletion_count);
	print_deleted(c, page, per_page, oldest_first);
	j_close(&c->out, '}');
	ledger_page_given(name, token, next, c->spoiled);
}
