/* Pages of Front: lists that move while they are read, page tokens that say
 * after which record to go on, and links to the next page on a host that is
 * not the one that was asked. */
#include "front_page.h"

#include "foreign.h"
#include "front_api.h"
#include "settings.h"
#include "stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct front_place {
	int64_t key;
	uint32_t idx;
	uint32_t page; /* the page that begins behind it */
};

/* The listing's name: path, filters, order and page size, without the page. */
static uint64_t name_of(const struct call *c)
{
	const char *query = strchr(c->uri, '?');
	uint64_t h = hash_bytes(c->path, strlen(c->path), 9);

	while (query) {
		size_t n = strcspn(++query, "&");

		if (strncmp(query, "page_token=", 11) != 0)
			h += hash_bytes(query, n, 10);
		query = strchr(query, '&');
	}
	return h;
}

static void token_write(char out[72], uint64_t name, const struct front_place *at)
{
	uint64_t mask = hash2(name, at->page);

	snprintf(out, 72, "%08x%016llx%016llx%08x%016llx", at->page ^ 0x5bd1e995u,
		 (unsigned long long)((uint64_t)at->key ^ mask), (unsigned long long)mask,
		 at->idx ^ (uint32_t)mask,
		 (unsigned long long)hash2(mask ^ (uint64_t)at->key, at->idx));
}

/* false: not a token of this listing. */
static bool token_read(const char *token, uint64_t name, struct front_place *out)
{
	unsigned long long key, mask, check;
	unsigned page, idx;
	char again[72];

	if (strlen(token) != 64 ||
	    sscanf(token, "%8x%16llx%16llx%8x%16llx", &page, &key, &mask, &idx, &check) != 5)
		return false;
	out->page = page ^ 0x5bd1e995u;
	out->key = (int64_t)(key ^ mask);
	out->idx = idx ^ (uint32_t)mask;
	token_write(again, name, out);
	return !strcmp(again, token);
}

static uint32_t lower(const struct front_page *p, const struct front_place *at)
{
	uint32_t from = 0, to = p->count;

	while (from < to) {
		uint32_t mid = from + (to - from) / 2;
		int64_t key = p->key(p->idx[mid]);

		if (key < at->key || (key == at->key && p->idx[mid] < at->idx))
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

/* One page being made. */
struct cut {
	struct front_place last;
	uint32_t taken, most;
	bool more;
};

/* Pages that end too early, with a next one all the same. */
static uint32_t most_of(const struct front_page *p, const struct front_place *after)
{
	struct rng r = {hash2(world.opt.seed + 5, hash2((uint64_t)after->key, after->page))};

	if (!rng_chance(&r, settings.short_pages))
		return p->limit;
	return rng_chance(&r, 350) ? 0 : rng_below(&r, p->limit);
}

static bool take(const struct front_page *p, struct cut *cut, uint32_t idx)
{
	if (p->wanted && !p->wanted(p, idx))
		return true;
	if (cut->taken == cut->most) {
		cut->more = true;
		return false;
	}
	cut->taken++;
	cut->last.key = p->key(idx);
	cut->last.idx = idx;
	if (!p->shown || p->shown(idx))
		p->print(&p->call->out, idx);
	return true;
}

static void walk(const struct front_page *p, const struct front_place *after, struct cut *cut)
{
	uint32_t at = after ? lower(p, after) : p->ascending ? 0 : p->count;

	if (p->ascending) {
		if (after && at < p->count && p->idx[at] == after->idx &&
		    p->key(p->idx[at]) == after->key)
			at++;
		while (at < p->count && take(p, cut, p->idx[at]))
			at++;
	} else {
		while (at > 0 && take(p, cut, p->idx[at - 1]))
			at--;
	}
}

static uint32_t total_of(const struct front_page *p)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->count; i++)
		n += (!p->wanted || p->wanted(p, p->idx[i])) && (!p->shown || p->shown(p->idx[i]));
	return n;
}

void front_put_host(const struct call *c, struct buf *b)
{
	const char *host = call_header_in(c, "Host");
	bool foreign = settings.next_foreign ||
		       (c->fault && c->fault->kind == FAULT_FOREIGN_NEXT_HOST);

	if (foreign)
		buf_fmt(b, "http://127.0.0.1:%u", foreign_port());
	else if (settings.next_same)
		buf_fmt(b, "http://%s", host ? host : "127.0.0.1");
	else
		buf_lit(b, FRONT_HOST);
}

/* The address that was asked for, with another token. "[" and "]" are as the
 * client wrote them. */
static void print_next(struct call *c, const char *token)
{
	const char *query = strchr(c->uri, '?');
	size_t path = query ? (size_t)(query - c->uri) : strlen(c->uri);
	char between = '?';
	struct buf url = {0};

	front_put_host(c, &url);
	buf_put(&url, c->uri, path);
	while (query) {
		size_t n = strcspn(++query, "&");

		if (n && strncmp(query, "page_token=", 11) != 0) {
			buf_char(&url, between);
			buf_put(&url, query, n);
			between = '&';
		}
		query = strchr(query, '&');
	}
	buf_char(&url, between);
	buf_lit(&url, "page_token=");
	buf_str(&url, token);
	j_strn(&c->out, "next", url.p, url.len);
	buf_release(&url);
}

static bool is_fault(const struct call *c, enum fault_kind kind)
{
	return c->fault && c->fault->kind == kind;
}

static void print_end(const struct front_page *p, uint64_t name, const char *asked,
		      const struct cut *cut)
{
	struct call *c = p->call;
	char token[72] = "";

	j_close(&c->out, ']');
	j_open(&c->out, "_pagination", '{');
	if (is_fault(c, FAULT_REPEAT_CURSOR))
		snprintf(token, sizeof(token), "%s", *asked ? asked : "0000");
	else if (is_fault(c, FAULT_FOREIGN_CURSOR))
		snprintf(token, sizeof(token), "%064x", 0xabcdefu);
	else if (cut->more || is_fault(c, FAULT_ENDLESS_NEXT))
		token_write(token, name, &cut->last);
	if (*token)
		print_next(c, token);
	else
		j_null(&c->out, "next");
	j_close(&c->out, '}');
	if (p->total)
		j_int(&c->out, "_total", total_of(p));
	j_close(&c->out, '}');
	ledger_page_given(name, asked, token, c->spoiled);
}

static void print_self(struct call *c)
{
	struct buf url = {0};

	buf_lit(&url, FRONT_HOST);
	buf_put(&url, c->uri, strcspn(c->uri, "?"));
	j_open(&c->out, "_links", '{');
	j_strn(&c->out, "self", url.p, url.len);
	j_close(&c->out, '}');
	buf_release(&url);
}

static bool read_order(struct front_page *p)
{
	const char *by = call_argument(p->call, "sort_by");
	const char *order = call_argument(p->call, "sort_order");

	if (by && !call_listed(p->sorts, by)) {
		stats_breach(BREACH_UNKNOWN_FIELD, "sort_by=%s", by);
		front_bad_request(p->call);
		return false;
	}
	p->ascending = order && !strcmp(order, "asc");
	if (order && !p->ascending && strcmp(order, "desc") != 0) {
		stats_breach(BREACH_BAD_VALUE, "sort_order=%s", order);
		front_bad_request(p->call);
		return false;
	}
	return true;
}

void front_page_answer(struct front_page *p)
{
	struct call *c = p->call;
	const char *token = call_argument(c, "page_token");
	struct front_place after = {0};
	uint64_t name = name_of(c);
	struct cut cut = {0};

	if (!call_number(c, "limit", p->usual, p->max, &p->limit) || !read_order(p))
		return;
	if (is_fault(c, FAULT_UNSORTED))
		p->ascending = !p->ascending;
	if (token && !token_read(token, name, &after)) {
		ledger_page_asked(name, *token ? token : "-", true);
		front_bad_request(c);
		return;
	}
	ledger_page_asked(name, token ? token : "", true);
	cut.last = after;
	cut.last.page++;
	cut.most = most_of(p, &after);
	j_open(&c->out, NULL, '{');
	print_self(c);
	j_open(&c->out, "_results", '[');
	walk(p, token && after.idx != UINT32_MAX ? &after : NULL, &cut);
	if (!token && !cut.taken) /* an empty first page: its token stands for the start */
		cut.last.idx = UINT32_MAX;
	print_end(p, name, token ? token : "", &cut);
}

void front_whole_open(struct call *c)
{
	j_open(&c->out, NULL, '{');
	print_self(c);
	j_open(&c->out, "_results", '[');
}

/* Without pages there is no _pagination, an empty one, or one of nulls. */
void front_whole_close(struct call *c)
{
	static const char *const ends[] = {"]}", "],\"_pagination\":{}}",
					   "],\"_pagination\":{\"prev\":null,\"next\":null}}",
					   "],\"_pagination\":{\"next\":null}}"};

	buf_str(&c->out, ends[hash_bytes(c->path, strlen(c->path), 3) % 4]);
}

static uint32_t *scratch;
static uint32_t scratch_cap;

static uint32_t *scratch_of(uint32_t n)
{
	if (n <= scratch_cap && scratch)
		return scratch;
	scratch_cap = n + n / 2 + 64;
	scratch = realloc(scratch, scratch_cap * sizeof(*scratch));
	if (!scratch)
		abort();
	return scratch;
}

const uint32_t *front_all(uint32_t n)
{
	uint32_t *idx = scratch_of(n);

	for (uint32_t i = 0; i < n; i++)
		idx[i] = i;
	return idx;
}

static int64_t (*sort_key)(uint32_t idx);

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int64_t kx = sort_key(x), ky = sort_key(y);

	if (kx != ky)
		return kx < ky ? -1 : 1;
	return x < y ? -1 : x > y;
}

const uint32_t *front_sorted(uint32_t n, int64_t (*key)(uint32_t idx))
{
	front_all(n);
	sort_key = key;
	if (n)
		qsort(scratch, n, sizeof(*scratch), compare);
	return scratch;
}

const uint32_t *front_chain(uint32_t newest, uint32_t (*older)(uint32_t idx),
			    int64_t (*key)(uint32_t idx), uint32_t *count_out)
{
	uint32_t n = 0;
	uint32_t *idx = scratch_of(64);

	for (uint32_t at = newest; at; at = older(at - 1)) {
		idx = scratch_of(n + 1);
		idx[n++] = at - 1;
	}
	sort_key = key;
	if (n)
		qsort(idx, n, sizeof(*idx), compare);
	*count_out = n;
	return idx;
}
