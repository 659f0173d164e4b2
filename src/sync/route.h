/*
 * route: how many calls of one class of routes may be sent, and when. A call of the class needs this and the budget of the whole account.
 *
 * Providers say nothing about such a limit but that it was hit. So it is kept whatever moment their windows begin at: a call counts from when it
 * is sent until a whole window after it was answered.
 */
#ifndef FIC_SYNC_ROUTE_H
#define FIC_SYNC_ROUTE_H

#include <sync/sync.h>

/* A window is counted in so many parts, less one. */
#define ROUTE_PARTS 128

struct route_budget {
	const struct route_class *class; /* NULL: there is no such class */
	double share; /* 0..1: of its limit, or, where none is known, of the account's */
	bool limited; /* also where no limit is known */
	int64_t window_ms, account_window_ms;
	unsigned inflight;
	int64_t blocked_until_ms;       /* told to wait (monotonic) */
	int64_t part;                   /* the newest that was counted in */
	uint32_t answered[ROUTE_PARTS]; /* by part */
	uint32_t answered_all;
};

/* `share` of the account's budget; `own`: what the configuration gives this class, 0: nothing. */
void route_init(struct route_budget *r, const struct provider *p, unsigned route, double share,
		double own);
/* 0: a call may be sent now, as far as this class goes; else milliseconds to wait, or BUDGET_WAIT_ANSWER. `account_limit`: calls in the account's
 * window; negative: not known yet. */
int64_t route_wait(struct route_budget *r, int64_t account_limit, int64_t mono_ms);
void route_sent(struct route_budget *r);
void route_answered(struct route_budget *r, int64_t mono_ms);
/* How it stands. False: there is nothing to say, for it has no limit and nobody told it to wait. */
bool route_look(const struct route_budget *r, int64_t account_limit, int64_t mono_ms,
		struct sync_route *out);
/* Nothing more of this class until then. */
void route_block(struct route_budget *r, int64_t until_mono_ms);

#endif
