/* Companies: by page number, by filter, by scroll, one of them. Those in
 * which nobody is are never listed. */
#include "ledger.h"
#include "listing.h"
#include "intercom.h"
#include "settings.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMPANIES_CAP 10000

/* Visible companies by last request, kept until the world changes. */
static struct {
	uint64_t version;
	bool made;
	uint32_t *idx, *key;
	uint32_t count, cap;
} order;

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (order.key[x] != order.key[y])
		return order.key[x] < order.key[y] ? -1 : 1;
	return x < y ? -1 : x > y;
}

static void make_order(void)
{
	const struct pop *p = &world.companies;

	if (order.made && order.version == world.version)
		return;
	order.idx = realloc(order.idx, (p->count + 1) * sizeof(uint32_t));
	order.key = realloc(order.key, (p->count + 1) * sizeof(uint32_t));
	if (!order.idx || !order.key)
		abort();
	order.count = 0;
	for (uint32_t i = 0; i < p->count; i++) {
		order.key[i] = company_last_request(i);
		if (company_visible(i))
			order.idx[order.count++] = i;
	}
	qsort(order.idx, order.count, sizeof(uint32_t), compare);
	order.version = world.version;
	order.made = true;
}

static bool slides(const struct call *c)
{
	return c->fault && c->fault->kind == FAULT_SLIDING_PAGES;
}

static void print_page(struct call *c, const uint32_t *list, uint32_t count, bool from_end,
		       const char *query, uint32_t page, uint32_t per_page)
{
	struct buf *b = &c->out;
	struct view v = {.version = c->version};
	uint64_t from = slides(c) ? page - 1 : (uint64_t)(page - 1) * per_page;
	uint64_t end = slides(c) ? from + count : count;

	j_open(b, NULL, '{');
	j_str(b, "type", "list");
	j_open(b, "data", '[');
	for (uint64_t n = from; n < end && n < from + per_page; n++) {
		assert(count); /* or `end` is no more than `from` */
		uint64_t i = n % count;
		if (c->fault && c->fault->kind == FAULT_WRONG_RESOURCE)
			render_contact_reference(b, NULL, 0);
		else
			render_company(b, NULL, list[from_end ? count - 1 - i : i], &v);
	}
	j_close(b, ']');
	listing_numbered_pages(c, query, page, per_page, count);
	j_int(b, "total_count", count);
	j_close(b, '}');
}

void answer_companies_list(struct call *c)
{
	const char *wanted = call_argument(c, "order");
	bool ascending = wanted && !strcmp(wanted, "asc");
	char query[32], token[16], next[16];
	uint32_t page, per_page;
	uint64_t name;

	if (!call_number(c, "page", 1, 100000, &page) ||
	    !call_number(c, "per_page", 15, 60, &per_page))
		return;
	if (wanted && !ascending && strcmp(wanted, "desc") != 0) {
		call_error(c, 400, "parameter_invalid", "order must be asc or desc");
		return;
	}
	if ((uint64_t)page * per_page > COMPANIES_CAP) {
		call_error(c, 400, "bad_request", "page limit reached, please use scroll API");
		return;
	}
	make_order();
	name = listing_name(c, ascending ? "asc" : "desc", per_page);
	snprintf(token, sizeof(token), page > 1 ? "%u" : "", page);
	snprintf(next, sizeof(next), page * per_page < order.count || slides(c) ? "%u" : "", page + 1);
	ledger_page_asked(name, token, false);
	if (c->fault && c->fault->kind == FAULT_UNSORTED)
		ascending = !ascending;
	snprintf(query, sizeof(query), "order=%s&", ascending ? "asc" : "desc");
	print_page(c, order.idx, order.count, !ascending, query, page, per_page);
	ledger_page_given(name, token, next, c->spoiled);
}

static bool fits(uint32_t idx, const char *name, const char *own, const char *tag, const char *segment)
{
	char text[128];

	if (name) {
		company_name(idx, text, sizeof(text));
		return !strcmp(text, name);
	}
	if (own) {
		snprintf(text, sizeof(text), "acct-%u", 500 + idx);
		return !strcmp(text, own);
	}
	if (tag)
		return items_find(&world.tags, tag) >= 0 &&
		       company_has_tag(idx, (uint32_t)items_find(&world.tags, tag));
	for (uint32_t i = 0; i < world.segments.count; i++) {
		segment_id(i, text);
		if (!strcmp(text, segment))
			return company_has_segment(idx, i);
	}
	return false;
}

void answer_companies(struct call *c)
{
	const char *name = call_argument(c, "name"), *own = call_argument(c, "company_id");
	const char *tag = call_argument(c, "tag_id"), *segment = call_argument(c, "segment_id");
	uint32_t page, per_page, count = 0, *list;

	if (!call_number(c, "page", 1, 100000, &page) ||
	    !call_number(c, "per_page", 15, 60, &per_page))
		return;
	if (!name && !own && !tag && !segment) {
		call_error(c, 400, "parameter_not_found",
			   "One of name, company_id, tag_id, segment_id is required");
		return;
	}
	list = malloc((world.companies.count + 1) * sizeof(*list));
	if (!list)
		abort();
	for (uint32_t i = 0; i < world.companies.count; i++)
		if (company_visible(i) && fits(i, name, own, tag, segment))
			list[count++] = i;
	if (count == 0 && (name || own))
		call_not_found(c, "company_not_found", "Company Not Found");
	else
		print_page(c, list, count, false, "", page, per_page);
	free(list);
}

void answer_companies_scroll(struct call *c)
{
	const char *param = call_argument(c, "scroll_param");
	struct view v = {.version = c->version};
	struct buf *b = &c->out;
	uint32_t at, n = 0;

	switch (ledger_scroll(param, &at)) {
	case SCROLL_OK: break;
	case SCROLL_EXISTS:
		call_error(c, 400, "scroll_exists", "scroll already exists for this workspace");
		return;
	case SCROLL_UNKNOWN: call_not_found(c, "not_found", "scroll parameter not found"); return;
	}
	j_open(b, NULL, '{');
	j_str(b, "type", "list");
	j_open(b, "data", '[');
	for (; at < world.companies.count && n < settings.scroll_page; at++) {
		if (!company_visible(at))
			continue;
		render_company(b, NULL, at, &v);
		n++;
	}
	j_close(b, ']');
	j_lit(b, "\"pages\":null,\"total_count\":null");
	j_str(b, "scroll_param", ledger_scroll_name());
	j_close(b, '}');
	ledger_scroll_given(at, n == 0, c->spoiled, false);
}

void answer_company(struct call *c)
{
	uint32_t idx;

	if (!company_index(c->id, &idx) || !pop_live(&world.companies, idx)) {
		call_not_found(c, "company_not_found", "Company Not Found");
		return;
	}
	render_company(&c->out, NULL, idx, &(struct view){.version = c->version});
}
