/*
 * verified: when each stretch of the history was last re-read by a verify run, durable as one mark, and which stretch is next. It decides what is
 * read, never what is claimed: a forgotten entry costs calls, not truth.
 */
#include "run.h"
#include "sync_state.h"

#include <stdio.h>
#include <stdlib.h>

#define SPANS_MAX 60 /* of the mark; with three numbers each they fit into its 4 KiB */
#define SPAN_TEXT 64
#define MARK_MAX  ((SPANS_MAX + 1) * SPAN_TEXT)
#define SLOTS     256 /* a period is cut into so many runs … */
#define STRETCHES 240 /* … each of this part of the history, so that a few may fail */
#define DAY_MS    INT64_C(86400000)

/* Times are the provider's. */
struct verified {
	int64_t last_ms; /* when something was verified last; TIME_NONE: never */
	struct intervals spans;
};

static void key_of(const struct resource *r, char *key, size_t cap)
{
	snprintf(key, cap, "verified.%s", r->options.type->name);
}

/* The moment of the last run, then a span a line with its moment. What cannot be read is forgotten. */
static int parse(char *text, struct verified *out)
{
	char *at = text;
	int rc = 0;

	out->last_ms = strtoll(at, &at, 10);
	if (*at++ != '\n')
		return 0;
	while (*at && rc == 0) {
		struct interval span = {.start_ms = strtoll(at, &at, 10)};
		span.end_ms = strtoll(at, &at, 10);
		span.as_of_ms = strtoll(at, &at, 10);
		if (*at++ != '\n' || span.start_ms == TIME_NONE)
			return 0;
		rc = intervals_add(&out->spans, span);
	}
	return rc;
}

/* The caller releases out->spans, whatever is returned. */
static int load(const struct resource *r, const struct snapshot *view, struct verified *out)
{
	char key[64], text[MARK_MAX + 1];

	*out = (struct verified){.last_ms = TIME_NONE};
	key_of(r, key, sizeof key);
	struct bytes mark = snapshot_mark(view, key);
	if (mark.len == 0 || mark.len >= sizeof text)
		return 0;
	memcpy(text, mark.data, mark.len);
	text[mark.len] = 0;
	return parse(text, out);
}

/* The neighbours whose moments differ least, 0: none touch; the index is of the second. */
static size_t most_alike(const struct intervals *s)
{
	int64_t least = TIME_MAX;
	size_t best = 0;

	for (size_t i = 1; i < s->count; i++) {
		int64_t between = s->items[i].as_of_ms - s->items[i - 1].as_of_ms;
		if (between < 0)
			between = -between;
		if (s->items[i].start_ms == s->items[i - 1].end_ms && between < least) {
			least = between;
			best = i;
		}
	}
	return best;
}

/* Fewer spans, which say no more than before: neighbours take the older moment, and where there are none the first span is forgotten. */
static void compact(struct intervals *s)
{
	while (s->count > SPANS_MAX) {
		size_t at = most_alike(s);
		if (at) {
			struct interval *one = &s->items[at - 1], *other = one + 1;
			one->end_ms = other->end_ms;
			if (other->as_of_ms < one->as_of_ms)
				one->as_of_ms = other->as_of_ms;
		}
		memmove(&s->items[at], &s->items[at + 1], (s->count - at - 1) * sizeof *s->items);
		s->count--;
	}
}

static int save(struct run *run, const struct verified *v)
{
	char key[64], text[MARK_MAX];
	int n = snprintf(text, sizeof text, "%lld\n", (long long)v->last_ms);

	for (size_t i = 0; i < v->spans.count; i++) {
		const struct interval *span = &v->spans.items[i];
		n += snprintf(text + n, sizeof text - (size_t)n, "%lld %lld %lld\n",
			      (long long)span->start_ms, (long long)span->end_ms,
			      (long long)span->as_of_ms);
	}
	key_of(run->resource, key, sizeof key);
	return txn_mark(run->txn, key, bytes_of(text, (size_t)n));
}

int run_verified(struct run *run, struct interval span)
{
	struct verified v;
	int rc = load(run->resource, run->view, &v);

	/* The newer moment would win, and a clock may have been set back. */
	if (rc == 0)
		rc = intervals_remove(&v.spans, span.start_ms, span.end_ms);
	if (rc == 0)
		rc = intervals_remove(&v.spans, TIME_MIN, resource_history_start(run->resource));
	if (rc == 0)
		rc = intervals_add(&v.spans, span);
	v.last_ms = span.as_of_ms;
	compact(&v.spans);
	if (rc == 0)
		rc = save(run, &v);
	intervals_release(&v.spans);
	return rc;
}

bool resource_verifies(const struct resource *r)
{
	unsigned traits = r->options.type->traits;

	return (traits & TRAIT_WINDOWED) && (traits & (TRAIT_CREATED | TRAIT_EVENTS));
}

int run_verify_rest(struct run *run, int64_t at_ms)
{
	struct verified v;
	int rc = load(run->resource, run->view, &v);

	v.last_ms = at_ms;
	if (rc == 0)
		rc = save(run, &v);
	intervals_release(&v.spans);
	return rc;
}

/* What may be verified: held, in the wanted history, and old enough to be at rest. */
static int candidates(const struct resource *r, const struct snapshot *view, struct intervals *out)
{
	const struct coverage *c = snapshot_coverage(view, r->options.type->name);

	return intervals_clip(&c->held, resource_history_start(r),
			      sync_provider_now(r->sync) - DAY_MS, out);
}

static void take_older(const struct intervals *parts, bool verified, struct interval span,
		       struct interval *best)
{
	for (size_t i = 0; i < parts->count; i++) {
		struct interval part = parts->items[i];
		if (!verified)
			part.as_of_ms = part.start_ms;
		if (part.as_of_ms >= best->as_of_ms)
			continue;
		*best = part;
		best->end_ms = span.end_ms;
	}
}

/* The oldest of one candidate, and all that follows it there: what was verified piece by piece must not be read so for ever. What was never verified counts from its creation: it was read then, or later; so what grows old at the near end does not
 * go before what has waited longer. */
static int oldest_of(const struct intervals *verified, struct interval span, struct interval *best)
{
	struct intervals parts = {0};
	int rc = intervals_gaps(verified, span.start_ms, span.end_ms, &parts);

	take_older(&parts, false, span, best);
	intervals_release(&parts);
	if (rc == 0)
		rc = intervals_clip(verified, span.start_ms, span.end_ms, &parts);
	take_older(&parts, true, span, best);
	intervals_release(&parts);
	return rc;
}

bool resource_verify_next(const struct resource *r, const struct snapshot *view,
			  struct interval *stretch_out)
{
	struct intervals may = {0};
	struct verified v;
	struct interval best = {.as_of_ms = TIME_MAX};
	int64_t most = r->options.history_ms / STRETCHES + 1;
	int rc = load(r, view, &v);

	if (rc == 0)
		rc = candidates(r, view, &may);
	for (size_t i = 0; i < may.count && rc == 0; i++)
		rc = oldest_of(&v.spans, may.items[i], &best);
	intervals_release(&v.spans);
	intervals_release(&may);
	if (best.end_ms - best.start_ms > most)
		best.end_ms = best.start_ms + most;
	*stretch_out = best;
	return rc == 0 && best.start_ms < best.end_ms;
}

int64_t resource_verify_due(const struct resource *r, const struct snapshot *view)
{
	int64_t slot = r->options.verify_ms / SLOTS, now = sync_provider_now(r->sync);
	int64_t oldest = TIME_MAX;
	struct verified v;
	int rc = load(r, view, &v);

	for (size_t i = 0; i < v.spans.count; i++)
		if (v.spans.items[i].as_of_ms < oldest)
			oldest = v.spans.items[i].as_of_ms;
	intervals_release(&v.spans);
	if (rc || v.last_ms == TIME_NONE || v.last_ms > now)
		return now;
	/* Late by a standstill: caught up with, but not all at once. */
	return v.last_ms + (oldest < now - r->options.verify_ms ? slot / 4 : slot);
}
