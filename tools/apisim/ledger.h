/* What this client was told, and may therefore be held to. */
#ifndef APISIM_LEDGER_H
#define APISIM_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

/* The rate limit. false: the window is used up. */
bool ledger_rate_take(void);
/* The limit of searches alone; false: it is used up, until so many seconds later. */
bool ledger_search_take(uint32_t *retry_after_s);
struct rate_words {
	uint32_t limit, remaining;
	int64_t reset; /* Unix seconds */
};
void ledger_rate_words(struct rate_words *out);
/* Until the window ends. */
uint32_t ledger_window_left_ms(void);
/* A call arrives: does the client know better? Counts breaches. */
void ledger_arrival(void);
/* An answer leaves, with these words in its headers. */
void ledger_told(const struct rate_words *words, uint32_t retry_after_s);

/* Pages. name: the listing (path, query, order, page size); token: the
 * cursor's text or the page number's, "" for the first page. */
void ledger_page_asked(uint64_t name, const char *token, bool is_cursor);
/* spoiled: the client cannot have understood it. next: "" at the end. */
void ledger_page_given(uint64_t name, const char *token, const char *next, bool spoiled);

/* A thread was asked for by GET. */
void ledger_thread_given(uint32_t conversation, bool spoiled);

/* The one scroll of the workspace. */
enum scroll_verdict { SCROLL_OK, SCROLL_EXISTS, SCROLL_UNKNOWN };
/* param NULL or "": a new one. Where to go on is *at. */
enum scroll_verdict ledger_scroll(const char *param, uint32_t *at);
const char *ledger_scroll_name(void);
/* The next position; end: the scroll is over. */
void ledger_scroll_given(uint32_t at, bool end, bool spoiled, bool dropped);

/* What the answer being made would let the client know. */
struct receipt {
	uint32_t thread; /* conversation index plus 1 */
	uint64_t page;   /* listing */
	bool scroll;
};
/* The receipt of the answer just made; there is one for each answer. */
void ledger_take_receipt(struct receipt *out);
/* The client went away before it had the answer. */
void ledger_undelivered(const struct receipt *r);

void ledger_restarted(void);
void ledger_release(void);

#endif
