/* What the client was told: rate windows, waits, cursors, pages, threads,
 * the open scroll. Everything here exists to catch a client that does not
 * listen; a client that could not have known must never be blamed. */
#include "ledger.h"

#include "api.h"
#include "clock.h"
#include "rng.h"
#include "settings.h"
#include "stats.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
	int64_t window;
	uint32_t used, searches;
	/* The client knows since told_at that it must wait until then. */
	int64_t exhausted_told_at, exhausted_until;
	int64_t retry_told_at, retry_until;
} rate;

static uint32_t window_limit(void)
{
	uint64_t in_window = ((uint64_t)settings.rate * api->window_ms + 30000) / 60000;

	return settings.rate ? (uint32_t)in_window : 1000000;
}

static void roll_window(void)
{
	int64_t window = clock_flow_ms() / api->window_ms;

	if (window != rate.window) {
		rate.window = window;
		rate.used = rate.searches = 0;
	}
}

/* With what others have used up, evenly through the window. */
static uint32_t taken(void)
{
	int64_t passed_ms = clock_flow_ms() - rate.window * api->window_ms;
	int64_t others = (int64_t)settings.others * passed_ms / 60000;

	return rate.used + (uint32_t)others;
}

bool ledger_rate_take(void)
{
	roll_window();
	if (settings.rate && taken() >= window_limit())
		return false;
	rate.used++;
	return true;
}

bool ledger_search_take(uint32_t *retry_after_s)
{
	roll_window();
	*retry_after_s = (uint32_t)((rate.window + 1) * 10 - clock_flow_ms() / 1000);
	return !settings.search_rate || rate.searches++ < (settings.search_rate + 3) / 6;
}

uint32_t ledger_window_left_ms(void)
{
	return (uint32_t)((clock_flow_ms() / api->window_ms + 1) * api->window_ms - clock_flow_ms());
}

void ledger_rate_words(struct rate_words *out)
{
	int64_t left_ms;

	roll_window();
	left_ms = (rate.window + 1) * api->window_ms - clock_flow_ms();
	out->limit = window_limit();
	out->remaining = out->limit;
	if (settings.rate)
		out->remaining = taken() < out->limit ? out->limit - taken() : 0;
	/* The same as the end of the window unless the clock stands still. */
	out->reset = clock_is_frozen() ? clock_now() + (left_ms + 999) / 1000
				       : (rate.window + 1) * (api->window_ms / 1000);
}

void ledger_arrival(void)
{
	int64_t flow = clock_flow_ms(), mono = clock_mono_ms();

	if (rate.exhausted_until > flow && mono > rate.exhausted_told_at + settings.grace_ms)
		stats_breach(BREACH_EXHAUSTED, "%lld ms before the window ends",
			     (long long)(rate.exhausted_until - flow));
	if (rate.retry_until > flow && mono > rate.retry_told_at + settings.grace_ms)
		stats_breach(BREACH_RETRY_AFTER, "%lld ms before Retry-After has passed",
			     (long long)(rate.retry_until - flow));
}

void ledger_told(const struct rate_words *words, uint32_t retry_after_s)
{
	int64_t flow = clock_flow_ms(), mono = clock_mono_ms();

	if (words->remaining == 0 && rate.exhausted_until <= flow) {
		rate.exhausted_told_at = mono;
		rate.exhausted_until = (rate.window + 1) * api->window_ms;
	}
	if (retry_after_s && rate.retry_until <= flow) {
		rate.retry_told_at = mono;
		rate.retry_until = flow + (int64_t)retry_after_s * 1000;
	}
}

/* Growing hash tables of 64-bit names; 0 marks a free slot. */
struct listing {
	uint64_t name;
	uint64_t answered, next; /* hashes of tokens */
	uint64_t version;        /* of the world when last answered */
	uint32_t epoch;          /* life of the client it belongs to */
	bool complete;
};

static struct listing *listings;
static uint64_t *issued;
static size_t listing_cap, listing_count, issued_cap, issued_count;
static uint32_t epoch = 1;
static struct receipt receipt;

static uint64_t token_hash(const char *token)
{
	uint64_t h = hash_bytes(token, strlen(token), 77);

	return h ? h : 1;
}

static size_t issued_slot(const uint64_t *table, size_t cap, uint64_t h)
{
	size_t at = (size_t)h & (cap - 1);

	while (table[at] && table[at] != h)
		at = (at + 1) & (cap - 1);
	return at;
}

static void issue(uint64_t h)
{
	if ((issued_count + 1) * 2 > issued_cap) {
		size_t cap = issued_cap ? issued_cap * 2 : 1024;
		uint64_t *table = calloc(cap, sizeof(*table));

		if (!table)
			abort();
		for (size_t i = 0; i < issued_cap; i++)
			if (issued[i])
				table[issued_slot(table, cap, issued[i])] = issued[i];
		free(issued);
		issued = table;
		issued_cap = cap;
	}
	if (!issued[issued_slot(issued, issued_cap, h)])
		issued_count++;
	issued[issued_slot(issued, issued_cap, h)] = h;
}

static bool was_issued(uint64_t h)
{
	return issued_cap && issued[issued_slot(issued, issued_cap, h)] == h;
}

static struct listing *find_listing(struct listing *table, size_t cap, uint64_t name)
{
	size_t at = (size_t)name & (cap - 1);

	while (table[at].name && table[at].name != name)
		at = (at + 1) & (cap - 1);
	return &table[at];
}

static struct listing *listing_of(uint64_t name)
{
	struct listing *l;

	if ((listing_count + 1) * 2 > listing_cap) {
		size_t cap = listing_cap ? listing_cap * 2 : 256;
		struct listing *table = calloc(cap, sizeof(*table));

		if (!table)
			abort();
		for (size_t i = 0; i < listing_cap; i++)
			if (listings[i].name)
				*find_listing(table, cap, listings[i].name) = listings[i];
		free(listings);
		listings = table;
		listing_cap = cap;
	}
	l = find_listing(listings, listing_cap, name);
	if (!l->name) {
		listing_count++;
		l->name = name;
	}
	return l;
}

void ledger_page_asked(uint64_t name, const char *token, bool is_cursor)
{
	struct listing *l = listing_of(name);
	uint64_t h = token_hash(token);

	if (!*token) {
		*l = (struct listing){.name = name, .epoch = epoch};
		return;
	}
	if (is_cursor && !was_issued(h)) {
		stats_breach(BREACH_CURSOR_FOREIGN, "cursor %s was never given out", token);
		return;
	}
	if (is_cursor && !was_issued(hash2(h, name))) {
		stats_breach(BREACH_CURSOR_OTHER_QUERY, "cursor %s belongs to another listing", token);
		return;
	}
	if (l->epoch != epoch)
		return; /* a client that was started again may go on anywhere */
	if (h == l->answered) {
		if (l->complete && l->version == world.version)
			stats_breach(BREACH_PAGE_AGAIN, "page %s was answered and nothing changed",
				     token);
	} else if (h != l->next) {
		stats_breach(BREACH_PAGE_ORDER, "page %s is not the one that follows", token);
	}
}

void ledger_page_given(uint64_t name, const char *token, const char *next, bool spoiled)
{
	struct listing *l = listing_of(name);
	uint64_t h = token_hash(next);

	receipt.page = name;
	l->epoch = epoch;
	l->answered = token_hash(token);
	l->version = world.version;
	l->complete = !spoiled;
	if (*next) {
		issue(h);
		issue(hash2(h, name));
	}
	if (!spoiled)
		l->next = *next ? h : 0;
}

void ledger_thread_given(uint32_t conversation, bool spoiled)
{
	struct pop *p = &world.conversations;
	uint32_t at = p->fetched[conversation];

	/* A change in the second before the last answer may or may not have
	 * been in it, as far as the client can tell. */
	if (at && !(p->flags[conversation] & POP_FAULTY) && p->updated[conversation] + 1 < at)
		stats_breach(BREACH_REFETCHED, "updated at %u, fetched at %u already",
			     p->updated[conversation], at);
	if (spoiled) {
		p->flags[conversation] |= POP_FAULTY;
		return;
	}
	receipt.thread = conversation + 1;
	p->flags[conversation] &= (uint8_t)~POP_FAULTY;
	p->fetched[conversation] = (uint32_t)clock_now();
}

static struct {
	char name[48];
	uint32_t at;
	uint32_t opened; /* how many were opened ever */
	int64_t expires; /* 0: none is open */
	bool spoiled;    /* its last answer was */
	uint32_t epoch;
} scroll;

enum scroll_verdict ledger_scroll(const char *param, uint32_t *at)
{
	bool open = scroll.expires > clock_flow_ms();

	if (!param || !*param) {
		if (open) {
			if (scroll.epoch == epoch && !scroll.spoiled)
				stats_breach(BREACH_SECOND_SCROLL, "%s is still open", scroll.name);
			return SCROLL_EXISTS;
		}
		scroll.opened++;
		snprintf(scroll.name, sizeof(scroll.name), "%08x-ab5b-42ac-b004-%012x",
			 (uint32_t)world_seed(SEED_ID, 0x5c011u + scroll.opened), scroll.opened);
		scroll.at = 0;
		scroll.spoiled = false;
	} else {
		if (!open || strcmp(param, scroll.name) != 0)
			return SCROLL_UNKNOWN;
		if (scroll.spoiled)
			stats_breach(BREACH_SCROLL_AFTER_FAULT,
				     "a spoiled page is lost, the scroll must be started again");
	}
	scroll.epoch = epoch;
	*at = scroll.at;
	return SCROLL_OK;
}

const char *ledger_scroll_name(void)
{
	return scroll.name;
}

void ledger_scroll_given(uint32_t at, bool end, bool spoiled, bool dropped)
{
	receipt.scroll = !dropped;
	scroll.at = at;
	scroll.spoiled = spoiled;
	scroll.expires = end || dropped ? 0 : clock_flow_ms() + 60000;
}

void ledger_take_receipt(struct receipt *out)
{
	*out = receipt;
	receipt = (struct receipt){0};
}

void ledger_undelivered(const struct receipt *r)
{
	if (r->thread)
		world.conversations.flags[r->thread - 1] |= POP_FAULTY;
	if (r->page) {
		struct listing *l = listing_of(r->page);

		l->complete = false;
		l->next = l->answered;
	}
	if (r->scroll)
		scroll.spoiled = true;
}

void ledger_restarted(void)
{
	epoch++;
	rate.exhausted_until = rate.retry_until = 0;
	if (world.conversations.count)
		memset(world.conversations.fetched, 0, world.conversations.count * sizeof(uint32_t));
	for (uint32_t i = 0; i < world.conversations.count; i++)
		world.conversations.flags[i] &= (uint8_t)~POP_FAULTY;
}

void ledger_release(void)
{
	free(listings);
	free(issued);
}
