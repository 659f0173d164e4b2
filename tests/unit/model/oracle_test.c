/*
 * oracle_test: coverage and freshness held against the slow way: a flag for each minute, no cleverness, written from the
 * headers' words and not from the code. Random histories, seeded.
 */
#include <model/freshness.h>

#include "support/spans.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#define MINUTES 90
#define NEVER   (-1)

/* Minute by minute: as of when it is held, or NEVER. */
struct slow {
	int held[MINUTES];
	int chain_start, chain_end; /* NEVER: none */
};

static bool slow_in_chain(const struct slow *s, int as_of)
{
	return s->chain_start != NEVER && as_of >= s->chain_start && as_of <= s->chain_end;
}

static int slow_as_of(const struct slow *s, int m)
{
	return slow_in_chain(s, s->held[m]) ? s->chain_end : s->held[m];
}

static void slow_hold(struct slow *s, int start, int end, int as_of)
{
	int shown = slow_in_chain(s, as_of) ? s->chain_end : as_of;

	for (int m = start; m < end && m < shown; m++)
		if (slow_as_of(s, m) < shown)
			s->held[m] = shown;
}

static void slow_chain_start(struct slow *s, int t)
{
	for (int m = 0; m < MINUTES; m++)
		s->held[m] = slow_as_of(s, m);
	s->chain_start = s->chain_end = t;
}

static void slow_extend(struct slow *s, int from, int to)
{
	if (s->chain_start == NEVER || from > s->chain_end || to < s->chain_end)
		return;
	s->chain_end = to;
	for (int m = from; m < to; m++)
		if (s->held[m] < to)
			s->held[m] = to;
}

static int slow_held_end(const struct slow *s)
{
	int end = NEVER;

	for (int m = 0; m < MINUTES; m++)
		if (s->held[m] != NEVER)
			end = m + 1;
	return end;
}

/* As of when a minute of the axis is known, or NEVER. */
static int slow_known(const struct slow *s, enum axis axis, int t)
{
	int oldest = MINUTES + 1;
	bool begun = false;

	if (axis == AXIS_CREATED)
		return s->held[t] == NEVER ? NEVER : slow_as_of(s, t);
	for (int m = 0; m <= t; m++) {
		begun = begun || s->held[m] != NEVER;
		if (begun && s->held[m] == NEVER)
			return NEVER; /* a hole at or below t, above the lowest span */
		if (begun && slow_as_of(s, m) < oldest)
			oldest = slow_as_of(s, m);
	}
	if (!begun)
		return NEVER;
	if (t < oldest)
		return oldest;
	return s->chain_start != NEVER && t >= s->chain_start && t < s->chain_end ? s->chain_end
										  : NEVER;
}

/* --- random histories ------------------------------------------------------------------------------------------- */

static void step(struct dice *dice, struct coverage *c, struct slow *s)
{
	int a = (int)dice_roll(dice, MINUTES), b = a + 1 + (int)dice_roll(dice, 30);
	int t = (int)dice_roll(dice, MINUTES);

	if (b > MINUTES)
		b = MINUTES;
	switch (dice_roll(dice, 8)) {
	case 0:
		assert_int_equal(coverage_withdraw(c, minute(a), minute(b)), 0);
		for (int m = a; m < b; m++)
			s->held[m] = NEVER;
		break;
	case 1:
		if (c->chain_end_ms == TIME_NONE || t >= s->chain_end) {
			coverage_chain_start(c, minute(t));
			slow_chain_start(s, t);
		}
		break;
	case 2:
	case 3:
		(void)coverage_chain_extend(c, minute(a), minute(b));
		slow_extend(s, a, b);
		break;
	default:
		assert_int_equal(coverage_hold(c, (struct interval){minute(a), minute(b), minute(t)}),
				 0);
		slow_hold(s, a, b, t);
	}
	assert_true(intervals_valid(&c->held));
}

static void history(struct dice *dice, struct coverage *c, struct slow *s, int steps)
{
	coverage_init(c);
	s->chain_start = s->chain_end = NEVER;
	for (int m = 0; m < MINUTES; m++)
		s->held[m] = NEVER;
	while (steps-- > 0)
		step(dice, c, s);
}

static void known_check(const struct coverage *c, const struct slow *s, enum axis axis)
{
	struct intervals known = {0};

	assert_int_equal(coverage_known(c, axis, &known), 0);
	assert_true(intervals_valid(&known));
	size_t i = 0;
	for (int m = 0; m < MINUTES; m++) {
		while (i < known.count && known.items[i].end_ms <= minute(m))
			i++;
		bool in = i < known.count && known.items[i].start_ms <= minute(m);
		int want = slow_known(s, axis, m);
		assert_int_equal(in, want != NEVER);
		if (in)
			assert_int_equal(known.items[i].as_of_ms, minute(want));
	}
	intervals_release(&known);
}

static void test_coverage(void **state)
{
	struct dice dice = {0x5eed};

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct coverage c;
		struct slow s;
		history(&dice, &c, &s, (int)dice_roll(&dice, 20));
		known_check(&c, &s, AXIS_CREATED);
		known_check(&c, &s, AXIS_UPDATED);
		assert_int_equal(coverage_end(&c),
				 slow_held_end(&s) == NEVER ? TIME_NONE : minute(slow_held_end(&s)));
		coverage_release(&c);
	}
}

/* --- freshness -------------------------------------------------------------------------------------------------- */

struct asked {
	int start, end, now, tolerance, max_age;
	enum axis axis;
};

struct verdict {
	enum freshness_state state;
	bool covered[MINUTES], gap[MINUTES];
	int as_of;
};

static void slow_spans(const struct slow *s, const struct asked *q, struct verdict *v, int limit)
{
	*v = (struct verdict){.as_of = NEVER};
	for (int m = q->start; m < q->end && m < MINUTES; m++) {
		int as_of = slow_known(s, q->axis, m);
		v->covered[m] = as_of != NEVER;
		v->gap[m] = as_of == NEVER && m < limit;
		if (as_of != NEVER && (v->as_of == NEVER || as_of < v->as_of))
			v->as_of = as_of;
	}
}

static int slow_known_end(const struct slow *s, enum axis axis)
{
	int end = NEVER;

	for (int m = 0; m < MINUTES; m++)
		if (slow_known(s, axis, m) != NEVER)
			end = m + 1;
	return end;
}

/* Forgives the missing minutes at the end when all of them are within the tolerance of it and nothing later is held. */
static void slow_forgive(const struct slow *s, const struct asked *q, struct verdict *v, int limit)
{
	int tail = limit, end = slow_known_end(s, q->axis);

	while (tail > q->start && v->gap[tail - 1])
		tail--;
	if (tail == limit || end == NEVER || end < limit - q->tolerance || slow_held_end(s) > tail)
		return;
	for (int m = tail; m < limit; m++)
		v->gap[m] = false;
}

static bool any(const bool *flags)
{
	for (int m = 0; m < MINUTES; m++)
		if (flags[m])
			return true;
	return false;
}

static void slow_judge(const struct slow *s, const struct asked *q, struct verdict *v)
{
	int limit = q->end < q->now ? q->end : q->now, end = slow_known_end(s, q->axis);
	int start = q->start < q->now ? q->start : q->now;

	slow_spans(s, q, v, limit);
	if (q->start >= limit) { /* asks nothing yet */
		bool begun = q->start <= q->now;
		v->state = begun && end != NEVER && end >= start - q->tolerance ? FRESHNESS_FRESH
			   : any(v->covered)                                    ? FRESHNESS_PARTIAL
										: FRESHNESS_STALE;
	} else {
		slow_forgive(s, q, v, limit);
		v->state = !any(v->gap)      ? FRESHNESS_FRESH
			   : any(v->covered) ? FRESHNESS_PARTIAL
					     : FRESHNESS_STALE;
	}
	if (v->state == FRESHNESS_FRESH && !any(v->covered))
		v->as_of = slow_known(s, q->axis, end - 1);
	int age = q->now > v->as_of ? q->now - v->as_of : 0;
	if (v->state == FRESHNESS_FRESH && q->max_age >= 0 && age > q->max_age)
		v->state = FRESHNESS_PARTIAL;
}

static void judge(const struct coverage *c, const struct asked *q, struct freshness *f)
{
	struct freshness_question question = {
		.start_ms = minute(q->start),
		.end_ms = minute(q->end),
		.axis = q->axis,
		.now_ms = minute(q->now),
		.history_ms = TIME_MIN,
		.tolerance_ms = q->tolerance * MINUTE_MS,
		.max_age_ms = q->max_age < 0 ? -1 : q->max_age * MINUTE_MS,
	};
	struct freshness_evidence e = {.coverage = c, .last_sync_ms = TIME_NONE, .progress = -1};

	assert_int_equal(freshness_judge(&question, &e, f), 0);
	assert_true(intervals_valid(&f->covered) && intervals_valid(&f->gaps));
}

static void compare(const struct freshness *f, const struct verdict *v)
{
	assert_int_equal(f->state, v->state);
	assert_int_equal(f->as_of_ms, v->as_of == NEVER ? TIME_NONE : minute(v->as_of));
	assert_int_equal(f->reason == NULL, f->state == FRESHNESS_FRESH);
	assert_int_equal(f->message[0] == 0, f->state == FRESHNESS_FRESH);
	for (int m = 0; m < MINUTES; m++) {
		assert_int_equal(intervals_contain(&f->covered, minute(m), minute(m + 1)),
				 v->covered[m]);
		assert_int_equal(intervals_contain(&f->gaps, minute(m), minute(m + 1)), v->gap[m]);
	}
}

static struct asked ask(struct dice *dice)
{
	struct asked q = {
		.start = (int)dice_roll(dice, MINUTES),
		.end = (int)dice_roll(dice, MINUTES),
		.now = (int)dice_roll(dice, MINUTES),
		.tolerance = (int)dice_roll(dice, 12),
		.max_age = (int)dice_roll(dice, 40) - 20,
		.axis = dice_roll(dice, 2) ? AXIS_CREATED : AXIS_UPDATED,
	};

	if (q.end < q.start && dice_roll(dice, 4)) {
		int swap = q.start;
		q.start = q.end;
		q.end = swap;
	}
	return q;
}

static void test_freshness(void **state)
{
	struct dice dice = {0xfac7};
	unsigned seen[3] = {0};

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct coverage c;
		struct slow s;
		history(&dice, &c, &s, (int)dice_roll(&dice, 16));
		for (int i = 0; i < 20; i++) {
			struct asked q = ask(&dice);
			struct verdict v;
			struct freshness f;
			slow_judge(&s, &q, &v);
			judge(&c, &q, &f);
			compare(&f, &v);
			seen[f.state]++;
			freshness_release(&f);
		}
		coverage_release(&c);
	}
	for (int i = 0; i < 3; i++)
		assert_true(seen[i] > 1000); /* else the dice ask the wrong things */
}

static void test_join(void **state)
{
	struct dice dice = {0x101};

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct coverage c[2];
		struct slow s[2];
		struct verdict v[2];
		struct freshness f[2];
		struct asked q = ask(&dice);
		for (int i = 0; i < 2; i++) {
			history(&dice, &c[i], &s[i], (int)dice_roll(&dice, 16));
			slow_judge(&s[i], &q, &v[i]);
			judge(&c[i], &q, &f[i]);
		}
		assert_int_equal(freshness_join(&f[0], &f[1]), 0);
		for (int m = 0; m < MINUTES; m++) {
			v[0].covered[m] = v[0].covered[m] && v[1].covered[m];
			v[0].gap[m] = v[0].gap[m] || v[1].gap[m];
		}
		v[0].state = v[0].state > v[1].state ? v[0].state : v[1].state;
		v[0].as_of = v[0].as_of < v[1].as_of ? v[0].as_of : v[1].as_of;
		compare(&f[0], &v[0]);
		for (int i = 0; i < 2; i++) {
			freshness_release(&f[i]);
			coverage_release(&c[i]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_coverage),
		cmocka_unit_test(test_freshness),
		cmocka_unit_test(test_join),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
