/* Listings by cursor. Each page is found anew: what changed between two
 * pages is missed or seen twice, as with the real one. */
#include "listing.h"

#include "ledger.h"
#include "page.h"
#include "settings.h"
#include "stats.h"
#include "ticket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INVALID_CURSOR                                                           \
	"Invalid starting_after param. Please try again using a starting_after " \
	"value from a paginated response"

struct listing_call {
	struct call *call;
	const struct resource *res;
	struct walk walk;
	struct page page;
	struct cursor after;
	const char *token; /* starting_after as sent, "" on the first page */
	uint64_t name;
	bool by_id;
	struct buf next; /* the next cursor, empty at the end */
};

uint64_t listing_name(const struct call *c, const char *what, uint32_t per_page)
{
	uint64_t h = hash_bytes(c->path, strlen(c->path), per_page + 1);

	h = hash_bytes(what, strlen(what), h);
	return h ? h : 1;
}

static void render_record(struct call *c, const struct resource *res, uint32_t idx)
{
	struct view v = {.version = c->version,
			 .monitors = call_flag(c, "include_monitors"),
			 .scorecards = call_flag(c, "include_scorecards"),
			 .merge_history = call_flag(c, "include_merge_history")};

	if (res == &resource_conversations) {
		static struct conversation conv;

		conversation_build(idx, &conv);
		render_conversation(&c->out, NULL, &conv, &v);
	} else if (res == &resource_tickets) {
		static struct ticket ticket;

		v.parts = true;
		v.parts_total = settings.parts_total;
		ticket_build(idx, &ticket);
		render_ticket(&c->out, NULL, &ticket, &v);
	} else {
		static struct contact contact;

		contact_build(idx, &contact);
		render_contact(&c->out, NULL, &contact, &v);
	}
}

static bool fault_is(const struct call *c, enum fault_kind kind)
{
	return c->fault && c->fault->kind == kind;
}

/* The cursor that leads to the page just served once more. */
static void repeat_cursor(struct listing_call *l)
{
	struct cursor c = {0, l->page.count ? l->page.idx[0] : 0, 2};
	const uint32_t *key = l->walk.sort->what == WHAT_CREATED ? l->res->pop->created
								 : l->res->pop->updated;

	if (*l->token) {
		buf_str(&l->next, l->token);
		return;
	}
	c.key = key[c.idx] + (l->walk.descending ? 1 : (uint32_t)-1);
	cursor_encode(&l->next, l->res, l->by_id, &c);
}

static void make_next(struct listing_call *l)
{
	struct call *c = l->call;
	struct cursor last = l->page.last;

	if (fault_is(c, FAULT_REPEAT_CURSOR)) {
		repeat_cursor(l);
		return;
	}
	if (fault_is(c, FAULT_FOREIGN_CURSOR)) {
		static const char foreign[] = "[\"not-yours\",{},-7]";

		base64_encode(&l->next, foreign, sizeof(foreign) - 1);
		return;
	}
	if (!l->page.more && !fault_is(c, FAULT_ENDLESS_NEXT))
		return;
	if (!l->page.count)
		last = l->walk.after ? l->after : (struct cursor){1, 0, 1};
	last.page = (*l->token ? l->after.page : 1) + 1;
	cursor_encode(&l->next, l->res, l->by_id, &last);
}

static void print_pages(struct listing_call *l)
{
	struct buf *b = &l->call->out;
	uint32_t page = *l->token ? l->after.page : 1, per_page = l->walk.per_page;

	j_open(b, "pages", '{');
	j_str(b, "type", "pages");
	if (fault_is(l->call, FAULT_FOREIGN_NEXT_HOST)) {
		buf_fmt(b,
			",\"next\":\"https://collector.evil.example%s?starting_after=", l->call->path);
		buf_put(b, l->next.p, l->next.len);
		buf_lit(b, "\"");
	} else if (l->next.len) {
		j_open(b, "next", '{');
		j_int(b, "page", page + 1);
		j_strn(b, "starting_after", l->next.p, l->next.len);
		j_close(b, '}');
	}
	j_int(b, "page", page);
	j_int(b, "per_page", per_page);
	j_int(b, "total_pages", (l->page.total + per_page - 1) / per_page);
	j_close(b, '}');
}

static void print_records(struct listing_call *l)
{
	struct buf *b = &l->call->out;
	const struct resource *res = l->res;

	j_open(b, res == &resource_contacts ? "data" : res->name, '[');
	if (fault_is(l->call, FAULT_WRONG_RESOURCE)) {
		res = res == &resource_contacts ? &resource_conversations : &resource_contacts;
		l->page.count = res->pop->live < 5 ? res->pop->live : 5;
		memcpy(l->page.idx, res->pop->by_created, l->page.count * sizeof(uint32_t));
	}
	for (uint32_t i = 0; i < l->page.count; i++)
		render_record(l->call, res, l->page.idx[i]);
	j_close(b, ']');
}

static void print_listing(struct listing_call *l)
{
	struct buf *b = &l->call->out;
	bool contacts = l->res == &resource_contacts;

	j_open(b, NULL, '{');
	j_str(b, "type",
	      contacts                            ? "list"
	      : l->res == &resource_conversations ? "conversation.list"
						  : "ticket.list");
	if (!contacts) {
		print_pages(l);
		j_int(b, "total_count", l->page.total);
	}
	print_records(l);
	if (contacts) {
		j_int(b, "total_count", l->page.total);
		print_pages(l);
	}
	j_close(b, '}');
}

static void walk_and_print(struct listing_call *l)
{
	struct call *c = l->call;

	ledger_page_asked(l->name, l->token, true);
	if (fault_is(c, FAULT_UNSORTED)) {
		l->walk.descending = !l->walk.descending;
		l->walk.after = NULL;
	}
	l->walk.lag_s = settings.search_lag_s;
	if (!page_walk(&l->walk, &l->page)) {
		stats_breach(BREACH_UNKNOWN_FIELD, "cannot sort by %s", l->walk.sort->name);
		call_error(c, 400, "invalid_field", "%s is not a valid sort field",
			   l->walk.sort->name);
		return;
	}
	if (settings.inexact_totals)
		l->page.total = l->after.page % 2 ? l->page.total / 10 * 9
						  : l->page.total / 9 * 10 + 1;
	make_next(l);
	print_listing(l);
	ledger_page_given(l->name, l->token, buf_text(&l->next), c->spoiled);
	buf_release(&l->next);
}

/* false: the error is written. */
static bool take_token(struct listing_call *l, const char *token)
{
	l->token = token ? token : "";
	if (!token)
		return true;
	if (!*token) {
		stats_breach(BREACH_EMPTY_CURSOR, "starting_after is empty");
		call_error(l->call, 500, "server_error", "An unexpected error occurred");
		return false;
	}
	if (!cursor_decode(token, l->res, l->by_id, &l->after)) {
		stats_breach(BREACH_CURSOR_FOREIGN, "starting_after %s", token);
		call_error(l->call, 400, "client_error", INVALID_CURSOR);
		return false;
	}
	l->walk.after = &l->after;
	return true;
}

void listing_answer(struct call *c, const struct resource *res)
{
	struct listing_call l = {.call = c, .res = res};

	l.walk = (struct walk){.res = res,
			       .descending = true,
			       .sort = resource_field(res, res == &resource_conversations
								   ? "updated_at"
								   : "created_at")};
	if (!call_number(c, "per_page", res == &resource_conversations ? 20 : 50, PAGE_MAX,
			 &l.walk.per_page) ||
	    !take_token(&l, call_argument(c, "starting_after")))
		return;
	l.name = listing_name(c, call_flag(c, "include_merge_history") ? "history" : "",
			      l.walk.per_page);
	walk_and_print(&l);
}

static bool refuse(struct call *c, enum breach kind, const char *code, const char *words)
{
	stats_breach(kind, "%s", words);
	call_error(c, 400, code, "%s", words);
	return false;
}

static void check_members(json_t *json, const char *known)
{
	const char *key;
	char with_blanks[80];
	json_t *v;

	json_object_foreach(json, key, v)
	{
		snprintf(with_blanks, sizeof(with_blanks), " %s ", key);
		if (!strstr(known, with_blanks))
			stats_breach(BREACH_UNKNOWN_MEMBER, "member %s", key);
	}
}

static bool read_pagination(struct listing_call *l)
{
	json_t *p = json_object_get(l->call->body, "pagination");
	json_t *per_page = json_object_get(p, "per_page"),
	       *after = json_object_get(p, "starting_after");
	json_int_t n = l->res == &resource_contacts ? 50 : 20;

	if (p && !json_is_object(p))
		return refuse(l->call, BREACH_BAD_QUERY, "parameter_invalid", "Invalid pagination");
	check_members(p, " per_page starting_after ");
	if (json_is_string(per_page))
		n = strtoll(json_string_value(per_page), NULL, 10);
	else if (per_page)
		n = json_integer_value(per_page);
	if (n < 1)
		return refuse(l->call, BREACH_PER_PAGE, "parameter_invalid", "Per Page is invalid");
	if (n > PAGE_MAX)
		return refuse(l->call, BREACH_PER_PAGE, "parameter_invalid", "Per Page is too big");
	l->walk.per_page = (uint32_t)n;
	if (after && !json_is_null(after) && !json_is_string(after))
		return refuse(l->call, BREACH_CURSOR_FOREIGN, "client_error", INVALID_CURSOR);
	return take_token(l, json_string_value(after));
}

/* Up to 2.15 short forms of the order were let through. */
static bool read_order(struct listing_call *l, const char *order)
{
	bool lenient = l->call->version < VERSION_2_16;

	if (!order)
		return true;
	if (!strcmp(order, "ascending") || (lenient && !strcmp(order, "asc")))
		l->walk.descending = false;
	else if (strcmp(order, "descending") != 0 && !(lenient && !strcmp(order, "desc"))) {
		stats_breach(BREACH_BAD_QUERY, "sort order %s", order);
		call_error(l->call, 400, "invalid_sort_order",
			   "Invalid sort order '%s'. Must be one of: ascending, descending", order);
		return false;
	}
	return true;
}

static bool read_sort(struct listing_call *l)
{
	json_t *sort = json_object_get(l->call->body, "sort");
	const char *name = json_string_value(json_object_get(sort, "field"));

	l->walk.descending = true;
	l->walk.sort = resource_field(l->res, "created_at");
	if (!sort)
		return true;
	if (!json_is_object(sort) || !name)
		return refuse(l->call, BREACH_BAD_QUERY, "parameter_invalid", "Invalid sort");
	check_members(sort, " field order ");
	l->walk.sort = resource_field(l->res, name);
	if (!l->walk.sort) {
		stats_breach(BREACH_UNKNOWN_FIELD, "cannot sort by %s", name);
		call_error(l->call, 400, "invalid_field", "%s is not a valid sort field", name);
		return false;
	}
	l->by_id = l->walk.sort->what == WHAT_ID;
	return read_order(l, json_string_value(json_object_get(sort, "order")));
}

/* The name of a search: its body without the pagination. */
static uint64_t search_hash(const struct call *c)
{
	json_t *copy = json_copy(c->body);
	char *text;
	uint64_t h;

	json_object_del(copy, "pagination");
	text = json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS);
	h = text ? hash_bytes(text, strlen(text), 5) : 1;
	free(text);
	json_decref(copy);
	return h;
}

void listing_search(struct call *c, const struct resource *res)
{
	static struct query query; /* large, and one search runs at a time */
	struct listing_call l = {.call = c, .res = res};
	struct refusal why;

	l.walk = (struct walk){.res = res, .query = &query};
	query.inclusive = settings.inclusive;
	if (!json_object_get(c->body, "query")) {
		refuse(c, BREACH_BAD_QUERY, "parameter_not_found", "query is required");
		return;
	}
	if (!query_parse(&query, res, json_object_get(c->body, "query"), &why)) {
		stats_breach(stats_breach_named(why.breach), "%s", why.message);
		call_error(c, why.status, why.code, "%s", why.message);
		return;
	}
	if (!read_sort(&l) || !read_pagination(&l))
		return;
	l.walk.query_hash = search_hash(c);
	l.name = hash2(listing_name(c, "search", l.walk.per_page), l.walk.query_hash);
	walk_and_print(&l);
}

void listing_numbered_pages(struct call *c, const char *query, uint32_t page, uint32_t per_page,
			    uint32_t total)
{
	struct buf *b = &c->out;
	uint32_t pages = (total + per_page - 1) / per_page;
	const char *host = c->in->header(c->in->from, "Host");
	bool foreign = fault_is(c, FAULT_FOREIGN_NEXT_HOST);
	uint32_t next = fault_is(c, FAULT_REPEAT_CURSOR) ? page : page + 1;

	j_open(b, "pages", '{');
	j_str(b, "type", "pages");
	if (page < pages || foreign || fault_is(c, FAULT_ENDLESS_NEXT) ||
	    fault_is(c, FAULT_SLIDING_PAGES) || fault_is(c, FAULT_REPEAT_CURSOR))
		buf_fmt(b, ",\"next\":\"%s://%s%s?per_page=%u&%spage=%u\"", foreign ? "https" : "http",
			foreign ? "collector.evil.example"
			: host  ? host
				: "127.0.0.1",
			c->path, per_page, query, next);
	else
		j_null(b, "next");
	j_int(b, "page", page);
	j_int(b, "per_page", per_page);
	j_int(b, "total_pages", pages);
	j_close(b, '}');
}
