/* spans: test sets of spans from and to words. */
#include "spans.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>

int64_t minute(int n)
{
	if (n == INT_MIN)
		return TIME_MIN;
	if (n == INT_MAX)
		return TIME_MAX;
	return DAY_START_MS + n * MINUTE_MS;
}

static int64_t take(const char **at)
{
	char *end;

	if (strncmp(*at, "min", 3) == 0 || strncmp(*at, "max", 3) == 0) {
		*at += 3;
		return (*at)[-1] == 'n' ? TIME_MIN : TIME_MAX;
	}
	long n = strtol(*at, &end, 10);
	assert_ptr_not_equal(*at, end);
	*at = end;
	return minute((int)n);
}

void spans_hold(struct coverage *c, const char *text)
{
	while (*text) {
		struct interval span;
		span.start_ms = take(&text);
		text += strspn(text, ".");
		span.end_ms = take(&text);
		text += strspn(text, "@");
		span.as_of_ms = take(&text);
		text += strspn(text, " ");
		assert_int_equal(coverage_hold(c, span), 0);
	}
}

static void put(char *out, size_t size, int64_t ms)
{
	if (ms == TIME_MIN)
		snprintf(out, size, "min");
	else if (ms == TIME_MAX)
		snprintf(out, size, "max");
	else
		snprintf(out, size, "%d", (int)((ms - DAY_START_MS) / MINUTE_MS));
}

const char *spans_text(const struct intervals *s, bool as_of)
{
	static char text[4096];
	char start[16], end[16], moment[16];
	size_t n = 0;

	text[0] = 0;
	for (size_t i = 0; i < s->count && n < sizeof text - 64; i++) {
		put(start, sizeof start, s->items[i].start_ms);
		put(end, sizeof end, s->items[i].end_ms);
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%s..%s", i ? " " : "", start, end);
		if (!as_of)
			continue;
		put(moment, sizeof moment, s->items[i].as_of_ms);
		n += (size_t)snprintf(text + n, sizeof text - n, "@%s", moment);
	}
	return text;
}

uint32_t dice_roll(struct dice *d, uint32_t below)
{
	d->state ^= d->state << 13;
	d->state ^= d->state >> 7;
	d->state ^= d->state << 17;
	return (uint32_t)(d->state >> 32) % below;
}
