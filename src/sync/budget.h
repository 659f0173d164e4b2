/*
 * budget: how many calls may be sent to one provider account, and when.
 *
 * The provider says with each answer how many calls its present window allows and how many are left. A share of the window is left
 * to the others who use the same account. What is under way counts as used. Half of what is ours may go at once, the rest
 * is spread over the window, so that the provider is not asked in bursts. Where calls are few, some of each window are kept for what somebody waits
 * for, and go at once.
 */
#ifndef FIC_SYNC_BUDGET_H
#define FIC_SYNC_BUDGET_H

#include <io/http.h>

struct budget {
	double share; /* 0..1 */
	double reserve; /* 0..1 of the limit: kept for what is urgent; 0: nothing is, and urgency is ignored */
	bool urgent;       /* what is asked now is waited for by somebody */
	int64_t window_ms; /* where the provider does not say when it ends */
	int64_t limit;     /* calls a window; -1: not known yet */
	int64_t remaining;
	int64_t reset;            /* of the window, as the provider wrote it */
	int64_t reset_mono_ms;    /* the same on our monotonic clock */
	int64_t since_mono_ms;    /* when this window was first known */
	int64_t blocked_until_ms; /* told to wait (monotonic) */
	unsigned inflight;
	uint64_t minute_calls[60]; /* calls in each of the last sixty seconds */
	int64_t minute_at;         /* the monotonic second that was counted last */
};

#define BUDGET_WAIT_ANSWER INT64_MAX

void budget_init(struct budget *b, double share, int64_t window_ms);
/* So many calls a window until an answer tells another number. */
void budget_assume(struct budget *b, int64_t limit);
/* Calls of a window that are for what nobody waits for; at least one. The limit is known. */
int64_t budget_calls(const struct budget *b);
/* 0: a call may be sent now; else milliseconds to wait, or BUDGET_WAIT_ANSWER: until an answer comes. */
int64_t budget_wait(const struct budget *b, int64_t mono_ms);
void budget_sent(struct budget *b, int64_t mono_ms);
void budget_answered(struct budget *b, const struct http_result *result, int64_t mono_ms);
/* Nothing more until then. */
void budget_block(struct budget *b, int64_t until_mono_ms);
uint64_t budget_last_minute(const struct budget *b, int64_t mono_ms);

#endif
