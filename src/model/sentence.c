/*
 * sentence: what people are told about an answer. The first two sentences are the users' own words (the contract) and stay as they
 * are; the others follow their tone. Must never promise a sync that cannot happen.
 */
#include "sentence.h"

#include <math.h>
#include <stdio.h>

#define MINUTE_MS INT64_C(60000)

#define MINUTE_TEXT_MAX 17
/* "2024-12-20 14:30", UTC; the minute that holds t. */
static const char *minute_text(int64_t t_ms, char out[MINUTE_TEXT_MAX])
{
	char whole[TIME_TEXT_MAX];

	memcpy(out, time_text(t_ms, false, whole), 16);
	out[10] = ' ';
	out[16] = 0;
	return out;
}

/* The end of a span, so that a span of seconds does not read as an empty one. */
static const char *minute_up_text(int64_t t_ms, char out[MINUTE_TEXT_MAX])
{
	return minute_text(t_ms < TIME_MAX - MINUTE_MS ? t_ms + MINUTE_MS - 1 : t_ms, out);
}

static const char *trouble_text(const struct freshness *f)
{
	static const char *const words[][2] = {
		{"auth", "access token refused"},
		{"rate-limited", "the provider's rate limit is used up"},
		{"paused", "syncing is paused"},
		{"clock", "this machine's clock is not set"},
		{"source-error", "the provider answers with errors"},
	};
	if (f->unreached && strcmp(f->trouble, "source-error") == 0)
		return "the provider cannot be reached";
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i][0], f->trouble) == 0)
			return words[i][1];
	return f->trouble;
}

static void write_stale(struct freshness *f)
{
	size_t n = f->gaps.count;
	char time[MINUTE_TEXT_MAX];

	if (f->not_begun)
		snprintf(f->message, sizeof f->message, "Nothing is known yet - %s has not begun",
			 minute_text(f->requested_start_ms, time));
	else if (n && f->gaps.items[n - 1].end_ms <= f->history_ms)
		snprintf(f->message, sizeof f->message, "Data is stale - %s before %s are not kept",
			 f->noun, minute_text(f->history_ms, time));
	else if (f->trouble)
		snprintf(f->message, sizeof f->message, "Data is stale - cannot sync: %s",
			 trouble_text(f));
	else
		snprintf(f->message, sizeof f->message, "Data is stale - syncing latest %s...",
			 f->noun);
}

static double missing_ms(const struct intervals *gaps)
{
	double sum = 0;

	for (size_t i = 0; i < gaps->count; i++)
		sum += (double)gaps->items[i].end_ms - (double)gaps->items[i].start_ms;
	return sum;
}

/* "Analysis covers 29 of 30 days asked for", in the largest unit that says something. */
static void write_share(const struct freshness *f, int64_t limit_ms, char *out, size_t size)
{
	static const struct {
		const char *name;
		double ms;
	} units[] = {{"days", 86400e3}, {"hours", 3600e3}, {"minutes", 60e3}};
	double asked = (double)limit_ms - (double)f->requested_start_ms;
	double known = asked - missing_ms(&f->gaps);
	size_t i = 0;

	while (i < 2 && (asked < 2 * units[i].ms || known < units[i].ms))
		i++;
	snprintf(out, size, "Analysis covers %.0f of %.0f %s asked for -",
		 floor(known / units[i].ms), ceil(asked / units[i].ms), units[i].name);
}

/* Holes, but not (only) at the end. */
static void write_holes(struct freshness *f)
{
	int64_t limit_ms = f->requested_end_ms < f->now_ms ? f->requested_end_ms : f->now_ms;
	const struct interval *first = f->gaps.items, *last = first + f->gaps.count - 1;
	char share[80], start[MINUTE_TEXT_MAX], end[MINUTE_TEXT_MAX];

	if (f->requested_start_ms == TIME_MIN)
		snprintf(share, sizeof share, "Analysis");
	else
		write_share(f, limit_ms, share, sizeof share);
	minute_up_text(last->end_ms, end);
	if (first->start_ms == TIME_MIN)
		snprintf(f->message, sizeof f->message, "%s may be missing %s before %s", share,
			 f->noun, end);
	else
		snprintf(f->message, sizeof f->message, "%s may be missing %s between %s and %s",
			 share, f->noun, minute_text(first->start_ms, start), end);
}

static void write_partial(struct freshness *f)
{
	char time[MINUTE_TEXT_MAX];

	if (f->tail_ms != TIME_NONE)
		snprintf(f->message, sizeof f->message,
			 "Analysis includes %s up to %s - may be missing recent %s", f->noun,
			 minute_text(f->tail_ms, time), f->noun);
	else if (f->gaps.count)
		write_holes(f);
	else
		snprintf(f->message, sizeof f->message,
			 "Analysis shows %s as of %s - may be missing recent changes", f->noun,
			 minute_text(f->as_of_ms, time));
}

void sentence_write(struct freshness *f)
{
	f->message[0] = 0;
	if (f->state == FRESHNESS_STALE)
		write_stale(f);
	else if (f->state == FRESHNESS_PARTIAL)
		write_partial(f);
}
