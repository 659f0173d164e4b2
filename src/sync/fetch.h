/*
 * fetch: one question to the provider until it is answered or given up: waits for the budgets and for a free place, sends, reads, tries again.
 *
 *   queued ──budgets, place ───> sent ──answer──> page ──> done
 *     ^                           │
 *     └────── backoff <───────────┘ passing failure, told to wait
 */
#ifndef FIC_SYNC_FETCH_H
#define FIC_SYNC_FETCH_H

#include "budget.h"
#include "meter.h"
#include "pace.h"
#include "route.h"

#include <source/provider.h>

struct fetch;

/* One line to one account. */
struct line {
	struct loop *loop;
	struct http *http;
	const struct account *account;
	const char *token;
	unsigned concurrency; /* at most */
	int64_t retry_ms;
	int64_t stall_ms; /* an answer may stand still for so long; 0: thirty seconds */
	const double *route_shares; /* of each class of the provider's; 0: none of its own. Borrowed by line_open only; NULL: none */
	struct budget budget;
	struct route_budget routes[ROUTE_CLASSES_MAX];
	struct pace pace;
	struct meter meter;
	struct fetch *head, *tail; /* queued, in order; one whose class must wait is passed by others */
	struct fetch *all;         /* every fetch that is not done */
	struct timer *timer;       /* the next time that the queue may move */
	unsigned sent;             /* under way at the provider */
	uint64_t calls, retries, bytes;
	bool clock_known;
	unsigned clock_doubts;   /* answers in a row that were suddenly far ahead */
	bool unreached;          /* the last call got no connection */
	int64_t clock_offset_ms; /* provider's clock minus ours; 0 within two seconds */
};

int line_open(struct line *l);   /* with a budget */
void line_close(struct line *l); /* drops what is under way (fetch_drop) */

/* What a fetch cost and when the provider answered. */
struct fetch_cost {
	uint64_t calls, retries, bytes;
	int64_t asked_ms; /* the provider's clock just before it was asked, cut to the second: what changed later may be missing in the page */
	char etag[96];
	int status;      /* of the last answer; 0: there was none */
	char asked[200]; /* method, path and query, cut to what fits */
	char head[240]; /* how the last answer's body begins: bytes from outside, up to the first 0 */
	bool canceled;
	bool answered; /* by the provider, with whatever; not a failure on the way */
};

/* Asks once. `etag` NULL or "": unconditional. `done` comes exactly once, from the loop; it owns the page (never NULL unless canceled or out of memory). NULL: no memory. */
struct fetch *fetch_start(struct line *l, const struct ask *ask, struct bytes cursor, const char *etag,
			  void (*done)(void *ctx, struct page *page, const struct fetch_cost *cost),
			  void *ctx);
/* It is sent once, and a passing failure is its end. Before it is sent. */
void fetch_once(struct fetch *f);
/* Calls of which some are kept for what is urgent have to be waited for. */
bool line_is_short(const struct line *l);
/* What is under way and what comes is urgent, until budget.urgent is reset. */
void line_hurry(struct line *l);
/* done is not called any more. */
void fetch_drop(struct fetch *f);

#endif
