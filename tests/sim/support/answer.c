/* answer: the workspace as Intercom's API shows it, with its habits and its mishaps. */
#include "world.h"

#include <codec/msgpack.h>
#include <codec/json.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct row {
	const struct thing *thing;
	unsigned version;
	int64_t key; /* seconds, in the order that is asked for */
};

struct rows {
	struct row *items;
	unsigned count;
};

static const char *const type_names[KINDS] = {"conversation", "contact", "company", "tag", "ticket"};

static int64_t seconds(int64_t ms)
{
	return ms / 1000;
}

static void put_id(struct buf *out, const struct thing *t)
{
	if (t->kind == KIND_CONTACT || t->kind == KIND_COMPANY)
		buf_printf(out, "\"%024x\"", t->id);
	else
		buf_printf(out, "\"%u\"", t->id);
}

static void put_parts(struct buf *out, const struct world *w, const struct thing *t)
{
	unsigned first = t->part_count > w->options.parts_max ? t->part_count - w->options.parts_max
							      : 0;
	const char *type = type_names[t->kind];

	buf_printf(out, ",\"%s_parts\":{\"type\":\"%s_part.list\",\"total_count\":%u,\"%s_parts\":[",
		   type, type, t->part_count, type);
	for (unsigned i = first; i < t->part_count; i++)
		buf_printf(out,
			   "%s{\"type\":\"%s_part\",\"id\":\"%u\",\"part_type\":\"comment\",\"body\":\"<p>p%u</p>\",\"created_at\":%lld,\"updated_at\":%lld}",
			   i > first ? "," : "", type, t->parts[i].id, i,
			   (long long)seconds(t->parts[i].created_ms),
			   (long long)seconds(t->parts[i].created_ms));
	buf_put_str(out, "]}");
}

static void put_thing(struct buf *out, const struct world *w, const struct thing *t,
		      unsigned version, bool whole)
{
	buf_printf(out, "{\"type\":\"%s\",\"id\":", type_names[t->kind]);
	put_id(out, t);
	buf_printf(out, ",\"%s\":\"v%u\"", t->kind == KIND_CONVERSATION ? "title" : "name", version);
	if (t->kind != KIND_TAG)
		buf_printf(out, ",\"created_at\":%lld,\"updated_at\":%lld",
			   (long long)seconds(t->change_ms[0]),
			   (long long)seconds(t->change_ms[version - 1]));
	if (t->kind == KIND_CONVERSATION)
		buf_printf(out,
			   ",\"source\":{\"type\":\"conversation\",\"id\":\"9\",\"body\":\"hello\"},\"statistics\":{\"count_conversation_parts\":%d}",
			   (int)t->part_count + t->lie);
	if (w->put_more)
		w->put_more(w->desk, t, version, out);
	if ((whole && t->kind == KIND_CONVERSATION) || t->kind == KIND_TICKET)
		put_parts(out, w, t);
	buf_put_byte(out, '}');
}

void world_error(struct sim_answer *out, int status, const char *code)
{
	out->status = status;
	buf_reset(&out->body);
	buf_printf(&out->body,
		   "{\"type\":\"error.list\",\"request_id\":\"r\",\"errors\":[{\"code\":\"%s\",\"message\":\"as scripted\"}]}",
		   code);
}

/* ---- listings ---- */

static int by_key(const void *a, const void *b, bool descending, bool ties_descending)
{
	const struct row *x = a, *y = b;

	if (x->key != y->key)
		return (x->key < y->key) != descending ? -1 : 1;
	return (x->thing->id < y->thing->id) != ties_descending ? -1 : 1;
}

static int ascending_ties_up(const void *a, const void *b)
{
	return by_key(a, b, false, false);
}
static int ascending_ties_down(const void *a, const void *b)
{
	return by_key(a, b, false, true);
}
static int descending_ties_up(const void *a, const void *b)
{
	return by_key(a, b, true, false);
}
static int descending_ties_down(const void *a, const void *b)
{
	return by_key(a, b, true, true);
}

static int (*order_of(bool descending, bool ties))(const void *, const void *)
{
	if (descending)
		return ties ? descending_ties_down : descending_ties_up;
	return ties ? ascending_ties_down : ascending_ties_up;
}

static void rows_sort(struct rows *r, bool descending, bool ties)
{
	if (r->count)
		qsort(r->items, r->count, sizeof *r->items, order_of(descending, ties));
}

/* What lived at a moment, keyed by last update or by creation. */
static struct rows rows_since(const struct world *w, enum kind kind, int64_t at_ms, bool created,
			      bool searched, int64_t since_s)
{
	struct rows r = {.items = calloc(w->count + 1, sizeof *r.items)};

	assert(r.items);
	for (unsigned i = 0; i < w->count; i++) {
		const struct thing *t = w->things[i];
		if (t->kind != kind || t->deleted_ms <= at_ms ||
		    seconds(t->change_ms[t->changes - 1]) < since_s)
			continue;
		unsigned version = thing_version(t, at_ms);
		if (version == 0)
			continue;
		if (searched && t->dropped && version > t->dropped)
			version = t->dropped;
		if (searched && kind == KIND_CONVERSATION && t->id < w->hidden_below)
			continue;
		r.items[r.count++] = (struct row){t, version,
						  seconds(t->change_ms[created ? 0 : version - 1])};
	}
	return r;
}

static struct rows rows_of(const struct world *w, enum kind kind, int64_t at_ms, bool created,
			   bool searched)
{
	return rows_since(w, kind, at_ms, created, searched, INT64_MIN);
}

/* A row's time of the field that a filter names. */
static int64_t time_of(const struct row *row, struct bytes filter)
{
	struct bytes field;

	assert(mp_find_str(filter, "field", &field));
	assert(bytes_is(field, "updated_at") || bytes_is(field, "created_at"));
	return seconds(row->thing->change_ms[bytes_is(field, "created_at") ? 0 : row->version - 1]);
}

static bool holds(struct bytes query, const struct row *row, bool days)
{
	struct bytes operator, value, each;
	struct mp_reader r;
	struct mp_value head;
	int64_t n;

	assert(mp_find_str(query, "operator", &operator));
	assert(mp_find(query, bytes_str("value"), &value) == 1);
	r = mp_reader_of(value);
	assert(mp_next(&r, &head) == 1);
	if (head.type == MP_ARRAY) {
		bool all = bytes_is(operator, "AND"), result = all;
		for (uint32_t i = 0; i < head.count; i++) {
			assert(mp_take(&r, &each) == 1);
			bool one = holds(each, row, days);
			result = all ? result && one : result || one;
		}
		return result;
	}
	int64_t at = time_of(row, query);
	assert(mp_find_int(query, "value", &n));
	if (days) {
		at /= 86400;
		n /= 86400;
	}
	if (bytes_is(operator, ">"))
		return at > n;
	if (bytes_is(operator, "<"))
		return at < n;
	assert(bytes_is(operator, "="));
	return at == n;
}

static void filter(struct rows *r, struct bytes query, bool days)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->count; i++) {
		const struct row *row = &r->items[i];
		if (holds(query, row, days))
			r->items[n++] = *row;
	}
	r->count = n;
}

/* The smallest time that a query names from below; what changed last before it is not looked at. */
static int64_t floor_of(struct bytes query, bool days)
{
	struct bytes operator, value, each;
	struct mp_reader r;
	struct mp_value head;
	int64_t n, least = INT64_MAX;

	assert(mp_find_str(query, "operator", &operator));
	assert(mp_find(query, bytes_str("value"), &value) == 1);
	r = mp_reader_of(value);
	assert(mp_next(&r, &head) == 1);
	for (uint32_t i = 0; head.type == MP_ARRAY && i < head.count; i++) {
		assert(mp_take(&r, &each) == 1);
		n = floor_of(each, days);
		least = n < least ? n : least;
	}
	if (head.type == MP_ARRAY || bytes_is(operator, "<"))
		return least;
	assert(mp_find_int(query, "value", &n));
	return days ? n / 86400 * 86400 : n;
}

static unsigned after_cursor(const struct rows *r, struct bytes cursor, bool descending, bool ties)
{
	char text[64];
	long long key;
	struct thing mark = {0};
	unsigned i = 0;

	if (cursor.len == 0)
		return 0;
	assert(cursor.len < sizeof text);
	memcpy(text, cursor.data, cursor.len);
	text[cursor.len] = 0;
	assert(sscanf(text, "%lld %u", &key, &mark.id) == 2);
	struct row at = {&mark, 0, key};
	while (i < r->count && ((r->items[i].thing->id == mark.id && r->items[i].key == key) ||
				order_of(descending, ties)(&r->items[i], &at) < 0))
		i++;
	return i;
}

static void put_rows(struct buf *out, const struct world *w, const struct rows *r, unsigned first,
		     unsigned end)
{
	for (unsigned i = first; i < end; i++) {
		if (i > first)
			buf_put_byte(out, ',');
		put_thing(out, w, r->items[i].thing, r->items[i].version, false);
	}
}

static void put_cursor_page(struct world *w, struct rows *r, unsigned first, const char *type,
			    const char *key, struct buf *out)
{
	unsigned end = first + w->options.page_max < r->count ? first + w->options.page_max
							      : r->count;

	buf_printf(out, "{\"type\":\"%s\",\"total_count\":%d,\"%s\":[", type,
		   (int)r->count + w->options.total_lie, key);
	put_rows(out, w, r, first, end);
	buf_put_str(out,
		    "],\"pages\":{\"type\":\"pages\",\"page\":1,\"per_page\":5,\"total_pages\":1");
	if (end < r->count)
		buf_printf(out, ",\"next\":{\"page\":2,\"starting_after\":\"%lld %u\"}",
			   (long long)r->items[end - 1].key, r->items[end - 1].thing->id);
	buf_put_str(out, "}}");
	free(r->items);
}

static void serve_search(struct world *w, enum kind kind, struct bytes body, struct sim_answer *out)
{
	static const char *const types[KINDS] = {
		[KIND_CONVERSATION] = "conversation.list", [KIND_CONTACT] = "list", [KIND_TICKET] = "ticket.list"};
	static const char *const keys[KINDS] = {
		[KIND_CONVERSATION] = "conversations", [KIND_CONTACT] = "data", [KIND_TICKET] = "tickets"};
	bool days = kind == KIND_CONTACT;
	struct buf words = {0};
	struct bytes query, order, field, cursor = {0}, v;
	struct mp_value text;
	struct why why;

	assert(json_to_msgpack(body, JSON_STRICT, &words, &why) == 0);
	assert(mp_path(buf_bytes(&words), bytes_str("sort"), &v) == 1 &&
	       mp_find_str(v, "field", &field));
	assert(mp_path(buf_bytes(&words), bytes_str("query"), &query) == 1);
	int64_t floor = floor_of(query, days);
	struct rows r = rows_since(w, kind, world_now(w) - w->options.index_lag_ms,
				   w->options.sort_ignored != bytes_is(field, "created_at"), true,
				   floor == INT64_MAX ? INT64_MIN : floor);
	assert(mp_path(buf_bytes(&words), bytes_str("sort.order"), &v) == 1 && mp_get(v, &text));
	order = text.str;
	if (mp_path(buf_bytes(&words), bytes_str("pagination.starting_after"), &v) == 1 &&
	    mp_get(v, &text))
		cursor = text.str;
	bool descending = bytes_is(order, "descending") && !w->options.sort_ignored;
	filter(&r, query, days);
	rows_sort(&r, descending, w->options.ties_descending);
	put_cursor_page(w, &r, after_cursor(&r, cursor, descending, w->options.ties_descending),
			types[kind], keys[kind], &out->body);
	buf_release(&words);
}

static bool parameter(const char *url, const char *name, char *out, size_t cap)
{
	const char *at = strstr(url, name);
	size_t n = 0;

	out[0] = 0;
	if (!at)
		return false;
	for (at += strlen(name); *at && *at != '&' && n + 1 < cap; at++) {
		unsigned c = (unsigned char)*at;
		if (c == '%') {
			assert(sscanf(at + 1, "%2x", &c) == 1);
			at += 2;
		}
		out[n++] = (char)c;
	}
	out[n] = 0;
	return true;
}

static void serve_contacts(struct world *w, const char *url, struct sim_answer *out)
{
	struct rows r = rows_of(w, KIND_CONTACT, world_now(w), true, false);
	char cursor[64];

	rows_sort(&r, true, w->options.ties_descending);
	parameter(url, "starting_after=", cursor, sizeof cursor);
	put_cursor_page(w, &r, after_cursor(&r, bytes_str(cursor), true, w->options.ties_descending),
			"list", "data", &out->body);
}

static unsigned page_number(const char *url)
{
	char page[16];

	assert(parameter(url, "&page=", page, sizeof page));
	return (unsigned)atoi(page);
}

static void put_numbered(struct world *w, struct rows *r, unsigned page, const char *path,
			 struct buf *out)
{
	unsigned end = page * w->options.page_max;

	buf_put_str(out, "],\"pages\":{\"type\":\"pages\",\"next\":");
	if (end < r->count)
		buf_printf(out, "\"https://api.intercom.io%s?per_page=60&page=%u\"", path, page + 1);
	else
		buf_put_str(out, "null");
	buf_put_str(out, "}}");
	free(r->items);
}

static void serve_companies(struct world *w, const char *url, struct sim_answer *out)
{
	struct rows r = rows_of(w, KIND_COMPANY, world_now(w), false, false);
	unsigned page = page_number(url), first = (page - 1) * w->options.page_max,
		 end = first + w->options.page_max;

	rows_sort(&r, true, w->options.ties_descending);
	buf_printf(&out->body, "{\"type\":\"list\",\"total_count\":%u,\"data\":[", r.count);
	put_rows(&out->body, w, &r, first < r.count ? first : r.count, end < r.count ? end : r.count);
	put_numbered(w, &r, page, "/companies/list", &out->body);
}

static void serve_deleted(struct world *w, const char *url, struct sim_answer *out)
{
	struct rows r = {.items = calloc(w->count + 1, sizeof *r.items)};
	unsigned page = page_number(url), first = (page - 1) * w->options.page_max;

	assert(r.items);
	for (unsigned i = 0; i < w->count; i++)
		if (w->things[i]->kind == KIND_CONVERSATION &&
		    (!w->things[i]->unfed || w->feed_catches_up) &&
		    w->things[i]->deleted_ms <= world_now(w))
			r.items[r.count++] = (struct row){w->things[i], 1,
							  seconds(w->things[i]->deleted_ms)};
	rows_sort(&r, !w->options.feed_ascending, w->options.ties_descending);
	buf_printf(&out->body,
		   "{\"type\":\"conversations.list\",\"total_count\":%u,\"conversations\":[",
		   r.count);
	for (unsigned i = first; i < r.count && i < first + w->options.page_max; i++)
		buf_printf(&out->body,
			   "%s{\"type\":\"conversation\",\"id\":\"%u\",\"metrics_retained\":true,\"deleted_at\":%lld}",
			   i > first ? "," : "", r.items[i].thing->id, (long long)r.items[i].key);
	put_numbered(w, &r, page, "/conversations/deleted", &out->body);
}

static void serve_tags(struct world *w, const struct http_request *request, struct sim_answer *out)
{
	struct rows r = rows_of(w, KIND_TAG, world_now(w), true, false);
	uint64_t hash;

	buf_put_str(&out->body, "{\"type\":\"list\",\"data\":[");
	put_rows(&out->body, w, &r, 0, r.count);
	buf_put_str(&out->body, "]}");
	free(r.items);
	hash = bytes_hash(buf_bytes(&out->body));
	snprintf(out->etag, sizeof out->etag, "W/\"%llx\"", (unsigned long long)hash);
	for (size_t i = 0; i < HTTP_HEADERS_MAX && request->headers[i]; i++)
		if (strncmp(request->headers[i], "If-None-Match: ", 15) == 0 &&
		    strcmp(request->headers[i] + 15, out->etag) == 0) {
			out->status = 304;
			buf_reset(&out->body);
		}
}

static void serve_one(struct world *w, enum kind kind, const char *id, struct sim_answer *out)
{
	unsigned number = (unsigned)strtoul(id, NULL, kind == KIND_CONTACT ? 16 : 10);
	int64_t now = world_now(w);

	const struct thing *t = world_find(w, number);

	if (t && t->kind == kind && t->deleted_ms > now)
		put_thing(&out->body, w, t, thing_version(t, now), true);
	else
		world_error(out, 404, "not_found");
}

void world_show(const struct world *w, const struct thing *t, struct sim_answer *out)
{
	put_thing(&out->body, w, t, thing_version(t, world_now(w)), true);
}

static void route(struct world *w, const struct http_request *request, const char *path,
		  struct sim_answer *out)
{
	if (w->write && w->write(w->desk, request, path, out))
		return;
	if (strcmp(path, "/me") == 0)
		buf_printf(&out->body,
			   "{\"type\":\"admin\",\"id\":\"1\",\"app\":{\"type\":\"app\",\"id_code\":\"%s\",\"name\":\"W\",\"region\":\"US\",\"timezone\":\"UTC\"}}",
			   w->workspace);
	else if (strcmp(path, "/conversations/search") == 0)
		serve_search(w, KIND_CONVERSATION, request->body, out);
	else if (strcmp(path, "/tickets/search") == 0)
		serve_search(w, KIND_TICKET, request->body, out);
	else if (strcmp(path, "/contacts/search") == 0)
		serve_search(w, KIND_CONTACT, request->body, out);
	else if (strncmp(path, "/conversations/deleted?", 23) == 0)
		serve_deleted(w, path, out);
	else if (strncmp(path, "/conversations/", 15) == 0)
		serve_one(w, KIND_CONVERSATION, path + 15, out);
	else if (strncmp(path, "/tickets/", 9) == 0)
		serve_one(w, KIND_TICKET, path + 9, out);
	else if (strncmp(path, "/contacts/", 10) == 0)
		serve_one(w, KIND_CONTACT, path + 10, out);
	else if (strncmp(path, "/contacts?", 10) == 0)
		serve_contacts(w, path, out);
	else if (strncmp(path, "/companies/list?", 16) == 0)
		serve_companies(w, path, out);
	else if (strcmp(path, "/tags") == 0)
		serve_tags(w, request, out);
	else
		world_error(out, 404, "not_found");
}

/* ---- what goes wrong ---- */

/* A pattern's '#' at its end stands for a digit. */
static bool path_is(const char *path, const char *pattern)
{
	size_t n = strlen(pattern);

	if (pattern[n - 1] != '#')
		return strstr(path, pattern) != NULL;
	return strncmp(path, pattern, n - 1) == 0 && path[n - 1] >= '0' && path[n - 1] <= '9';
}

static enum mishap mishap_of(struct world *w, const char *path)
{
	if (w->mishap_path && !path_is(path, w->mishap_path))
		return MISHAP_NONE;
	w->path_calls++;
	if (w->mishap_at && w->path_calls >= w->mishap_at &&
	    w->path_calls < w->mishap_at + w->mishap_calls)
		return w->mishap;
	if (sim_below(&w->random, 100) < w->mishap_percent)
		return (enum mishap)(1 + sim_below(&w->random, MISHAPS - 1));
	return MISHAP_NONE;
}

static void put_http_date(int64_t ms, char *out, size_t cap)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(out, cap, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

static void go_wrong(struct world *w, enum mishap mishap, struct sim_answer *out)
{
	switch (mishap) {
	case MISHAP_500: world_error(out, 500, "server_error"); break;
	case MISHAP_502_HTML:
		out->status = 502;
		buf_reset(&out->body);
		buf_put_str(&out->body, "<html>bad gateway</html>");
		break;
	case MISHAP_429:
		world_error(out, 429, "rate_limit_exceeded");
		snprintf(out->retry_after, sizeof out->retry_after, "3");
		break;
	case MISHAP_429_RESET: world_error(out, 429, "rate_limit_exceeded"); break;
	case MISHAP_STALLED: out->outcome = HTTP_STALLED; break;
	case MISHAP_CUT: out->outcome = HTTP_CUT; break;
	case MISHAP_CONNECT: out->outcome = HTTP_CONNECT; break;
	case MISHAP_EMPTY: buf_reset(&out->body); break;
	case MISHAP_HTML:
		buf_reset(&out->body);
		buf_put_str(&out->body, "<html>please log in</html>");
		break;
	case MISHAP_404_HTML:
		out->status = 404;
		buf_reset(&out->body);
		buf_put_str(&out->body, "<html>no such page</html>");
		break;
	case MISHAP_ERROR_200: world_error(out, 200, "server_error"); break;
	case MISHAP_NOT_MODIFIED:
		out->status = 304;
		buf_reset(&out->body);
		break;
	case MISHAP_404: world_error(out, 404, "not_found"); break;
	case MISHAP_429_NOW:
		world_error(out, 429, "rate_limit_exceeded");
		snprintf(out->retry_after, sizeof out->retry_after, "0");
		break;
	case MISHAP_429_DATE:
		world_error(out, 429, "rate_limit_exceeded");
		w->named_wait_ms = out->date_ms + 40000;
		put_http_date(w->named_wait_ms, out->retry_after, sizeof out->retry_after);
		break;
	case MISHAP_CLOCK: out->date_ms += INT64_C(86400000); break;
	case MISHAP_401: world_error(out, 401, "unauthorized"); break;
	case MISHAP_403: world_error(out, 403, "api_plan_restricted"); break;
	default: break;
	}
}

static bool within_rate(struct world *w, struct sim_answer *out)
{
	int64_t window = world_now(w) / 10000;

	if (w->options.rate_limit == 0)
		return true;
	if (window != w->window)
		w->window_calls = 0;
	w->window = window;
	w->window_calls++;
	if (w->window_calls > w->window_calls_max)
		w->window_calls_max = w->window_calls;
	int64_t left = w->options.rate_limit - w->window_calls - (int64_t)w->options.others;
	out->rate_limit = w->options.rate_limit;
	out->rate_remaining = left > 0 ? left : 0;
	out->rate_reset = (window + 1) * 10;
	return left >= 0;
}

/* A limit of its own, beside that of all calls. */
static bool within_search_rate(struct world *w, const char *path, struct sim_answer *out)
{
	int64_t window = world_now(w) / 10000;

	if (!strstr(path, "/search"))
		return true;
	w->searches++;
	if (window != w->search_window)
		w->search_calls = 0;
	w->search_window = window;
	if (w->options.search_limit == 0 || ++w->search_calls <= w->options.search_limit)
		return true;
	snprintf(out->rate_tier, sizeof out->rate_tier, "search");
	snprintf(out->retry_after, sizeof out->retry_after, "%lld",
		 (long long)((window + 1) * 10 - world_now(w) / 1000));
	return false;
}

static bool conditional(const struct http_request *request)
{
	for (size_t i = 0; i < HTTP_HEADERS_MAX && request->headers[i]; i++)
		if (strncmp(request->headers[i], "If-None-Match:", 14) == 0)
			return true;
	return false;
}

/* Who is told to wait, or never arrives, has done nothing. */
static bool mishap_comes_before(enum mishap mishap)
{
	return mishap == MISHAP_429 || mishap == MISHAP_429_RESET || mishap == MISHAP_429_NOW ||
	       mishap == MISHAP_429_DATE || mishap == MISHAP_CONNECT;
}

void world_serve(void *ctx, const struct http_request *request, struct sim_answer *out)
{
	struct world *w = ctx;
	const char *path = strchr(request->url + strlen("https://"), '/');

	assert(path);
	world_advance(w);
	w->calls++;
	snprintf(w->last_path, sizeof w->last_path, "%s", path);
	out->date_ms = world_now(w) / 1000 * 1000;
	if (!within_rate(w, out) || !within_search_rate(w, path, out)) {
		w->refused++;
		world_error(out, 429, "rate_limit_exceeded");
		return;
	}
	enum mishap mishap = mishap_of(w, path);
	if (w->options.feed_denied && strstr(path, "/deleted"))
		world_error(out, 403, "api_plan_restricted");
	else if (w->options.feed_missing && strstr(path, "/deleted"))
		world_error(out, 404, "not_found");
	else if (!mishap_comes_before(mishap))
		route(w, request, path, out);
	/* "Not modified" to who asked under that condition could not be told from the truth. */
	if (mishap == MISHAP_NOT_MODIFIED && conditional(request))
		return;
	go_wrong(w, mishap, out);
}
