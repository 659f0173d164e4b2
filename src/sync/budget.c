/* budget: arithmetic over the provider's rate headers. Never sends, never waits. */
#include "budget.h"

#include <math.h>

#define SPREAD_SHARE 0.8 /* of what is left of a window: all that is ours is sent by then */
#define RESET_MAX    INT64_C(1000000000000) /* seconds; no honest time is beyond it */
#define WINDOWS_MAX  2 /* no honest window ends later, the difference of clocks included */

void budget_init(struct budget *b, double share, int64_t window_ms)
{
	*b = (struct budget){.share = share, .window_ms = window_ms, .limit = -1, .remaining = -1};
}

void budget_assume(struct budget *b, int64_t limit)
{
	b->limit = b->remaining = limit;
}

/* Calls of a window that are left to others; at least one call is always ours. */
static int64_t others(const struct budget *b)
{
	int64_t n = (int64_t)ceil((double)b->limit * (1 - b->share));

	return n < b->limit ? n : b->limit - 1;
}

/* What is kept for urgent calls is left as well; at least one is for the others. */
static int64_t kept(const struct budget *b)
{
	int64_t n = others(b) + (int64_t)ceil((double)b->limit * b->reserve);

	return n < b->limit ? n : b->limit - 1;
}

int64_t budget_calls(const struct budget *b)
{
	return b->limit - kept(b);
}

/* Until the next call is due, so many being used: half of ours at once, then one after the other. */
static int64_t spread(const struct budget *b, int64_t used, int64_t mono_ms)
{
	int64_t ours = budget_calls(b), later = ours / 2, at_once = ours - later;

	if (used < at_once || later == 0)
		return 0;
	double span = (double)(b->reset_mono_ms - b->since_mono_ms) * SPREAD_SHARE;
	int64_t due = b->since_mono_ms +
		      (int64_t)ceil(span * (double)(used + 1 - at_once) / (double)later);
	return due > mono_ms ? due - mono_ms : 0;
}

int64_t budget_wait(const struct budget *b, int64_t mono_ms)
{
	if (mono_ms < b->blocked_until_ms)
		return b->blocked_until_ms - mono_ms;
	/* The first answer tells the limit: until then one call at a time. */
	if (b->limit < 0)
		return b->inflight ? BUDGET_WAIT_ANSWER : 0;
	bool over = mono_ms >= b->reset_mono_ms, urgent = b->urgent && b->reserve > 0;
	int64_t left = (over ? b->limit : b->remaining) - (int64_t)b->inflight;
	if (left > (urgent ? others(b) : kept(b)))
		return over || urgent ? 0 : spread(b, b->limit - left, mono_ms);
	if (over)
		return BUDGET_WAIT_ANSWER;
	return b->reset_mono_ms - mono_ms;
}

static void minute_advance(struct budget *b, int64_t second)
{
	if (second - b->minute_at > 60)
		b->minute_at = second - 60;
	while (b->minute_at < second)
		b->minute_calls[++b->minute_at % 60] = 0;
}

void budget_sent(struct budget *b, int64_t mono_ms)
{
	minute_advance(b, mono_ms / 1000);
	b->minute_calls[b->minute_at % 60]++;
	b->inflight++;
	/* The window that we knew is over. Until an answer tells of the next one, it is taken to begin now. */
	if (b->limit >= 0 && mono_ms >= b->reset_mono_ms) {
		b->remaining = b->limit;
		b->reset = 0;
		b->since_mono_ms = mono_ms;
		b->reset_mono_ms = mono_ms + b->window_ms;
	}
}

uint64_t budget_last_minute(const struct budget *b, int64_t mono_ms)
{
	struct budget now = *b;
	uint64_t sum = 0;

	minute_advance(&now, mono_ms / 1000);
	for (int i = 0; i < 60; i++)
		sum += now.minute_calls[i];
	return sum;
}

/* Until the window ends. The Date header is cut to the second, so this waits up to a second too long, never too short. An end that is over already says nothing about when: what is
 * left is not called for before a window has passed. */
static int64_t until_reset(const struct budget *b, const struct http_result *result, int64_t reset)
{
	if (result->date_ms == TIME_NONE || reset == 0)
		return b->window_ms;
	int64_t wait = reset * 1000 - result->date_ms;
	if (wait <= 0)
		return result->rate_remaining > kept(b) ? 0 : b->window_ms;
	return wait < WINDOWS_MAX * b->window_ms ? wait : WINDOWS_MAX * b->window_ms;
}

void budget_answered(struct budget *b, const struct http_result *result, int64_t mono_ms)
{
	if (b->inflight)
		b->inflight--;
	if (result->rate_limit <= 0 || result->rate_remaining < 0) {
		/* It may have been counted all the same. */
		if (b->limit >= 0 && b->remaining > 0)
			b->remaining--;
		return;
	}
	/* Without a time the window is taken to begin with its first answer. */
	int64_t reset = result->rate_reset;
	if (reset <= 0 || reset > RESET_MAX)
		reset = b->limit >= 0 && mono_ms < b->reset_mono_ms ? b->reset : 0;
	/* Answers overtake each other: within a window the lowest count is the newest, an older window says nothing. */
	if (b->limit >= 0 && reset > 0 && reset < b->reset && mono_ms < b->reset_mono_ms)
		return;
	bool same = b->limit >= 0 && reset == b->reset && (reset > 0 || mono_ms < b->reset_mono_ms);
	if (!same || result->rate_remaining < b->remaining)
		b->remaining = result->rate_remaining;
	b->limit = result->rate_limit;
	b->reset = reset;
	if (!same) {
		b->since_mono_ms = mono_ms;
		b->reset_mono_ms = mono_ms + until_reset(b, result, reset);
	}
}

void budget_block(struct budget *b, int64_t until_mono_ms)
{
	if (until_mono_ms > b->blocked_until_ms)
		b->blocked_until_ms = until_mono_ms;
}
