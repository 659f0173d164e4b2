/*
 * spans: sets of spans in words for tests, in minutes of 2024-12-20 (UTC): "0..600@900 700..800@900"; "min" and "max" are open ends.
 */
#ifndef FIC_TEST_MODEL_SPANS_H
#define FIC_TEST_MODEL_SPANS_H

#include <model/coverage.h>

#define DAY_START_MS INT64_C(1734652800000) /* 2024-12-20T00:00:00Z */
#define MINUTE_MS    INT64_C(60000)

/* Minute n of the day; INT_MIN and INT_MAX are TIME_MIN and TIME_MAX. */
int64_t minute(int n);
/* Holds each span of the text in turn, through coverage_hold. */
void spans_hold(struct coverage *c, const char *text);
/* The set as text; with the as_of when `as_of` is set. One static buffer. */
const char *spans_text(const struct intervals *s, bool as_of);

/* A small generator of numbers, the same everywhere (xorshift64). */
struct dice {
	uint64_t state;
};
uint32_t dice_roll(struct dice *d, uint32_t below);

#endif
