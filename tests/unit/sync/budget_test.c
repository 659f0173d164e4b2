/* budget: a share of the provider's windows, whatever order the answers come in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "budget.h"

#define NOW  INT64_C(1000000)
#define DATE INT64_C(1700000001000)

static void answer(struct budget *b, int64_t mono, int64_t limit, int64_t remaining, int64_t reset)
{
	struct http_result r = {.date_ms = DATE,
				.rate_limit = limit,
				.rate_remaining = remaining,
				.rate_reset = reset};

	budget_answered(b, &r, mono);
}

static void no_headers(struct budget *b, int64_t mono)
{
	answer(b, mono, -1, -1, -1);
}

static void one_at_a_time_until_known(void **state)
{
	struct budget b;

	(void)state;
	budget_init(&b, 0.5, 10000);
	assert_int_equal(budget_wait(&b, NOW), 0);
	budget_sent(&b, NOW);
	assert_true(budget_wait(&b, NOW) == BUDGET_WAIT_ANSWER);
	no_headers(&b, NOW);
	assert_int_equal(budget_wait(&b, NOW), 0);
	budget_sent(&b, NOW);
	answer(&b, NOW, 10, 9, 1700000010);
	assert_int_equal(budget_wait(&b, NOW), 0);
}

/* Where no answer says how many, what is assumed holds; where one does, that does. */
static void assumed(void **state)
{
	struct budget b;
	int64_t mono = NOW;
	unsigned sent = 0;

	(void)state;
	budget_init(&b, 0.8, 60000);
	budget_assume(&b, 50);
	for (; mono < NOW + 60000; mono++)
		while (budget_wait(&b, mono) == 0) {
			budget_sent(&b, mono);
			no_headers(&b, mono);
			sent++;
		}
	assert_int_equal(sent, 40);
	answer(&b, mono, 100, 99, 1700000060);
	assert_int_equal(b.limit, 100);
}

/* Waits as long as it says, but not beyond the window. */
static bool may_send(struct budget *b, int64_t *mono)
{
	int64_t wait = budget_wait(b, *mono);

	if (wait > 0 && (wait == BUDGET_WAIT_ANSWER || *mono + wait >= b->reset_mono_ms))
		return false;
	*mono += wait;
	assert_int_equal(budget_wait(b, *mono), 0);
	return true;
}

/* From the very first window on no more than the share is used, and all of it is: half at once, the rest one after the other, with time to spare. */
static void share(void **state)
{
	static const int64_t at[] = {0, 0, 0, 0, 1800, 3600, 5400, 7200};
	struct budget b;
	int64_t mono = NOW;
	int sent = 0;

	(void)state;
	budget_init(&b, 0.8, 10000);
	budget_sent(&b, NOW);
	answer(&b, NOW, 10, 9, 1700000010);
	sent++;
	while (may_send(&b, &mono) && sent < 8) {
		assert_int_equal(mono, NOW + at[sent]);
		budget_sent(&b, mono);
		sent++;
		answer(&b, mono, 10, 10 - sent, 1700000010);
	}
	assert_int_equal(sent, 8);
	assert_int_equal(budget_wait(&b, NOW + 7200), 1800);
	assert_int_equal(budget_wait(&b, NOW + 8999), 1);
	assert_int_equal(budget_wait(&b, NOW + 9000), 0);
}

/* No second of a full window sees much more than its part of the later half. */
static void no_bursts(void **state)
{
	struct budget b;
	int64_t mono = NOW, seconds[20] = {0};
	int sent = 1;

	(void)state;
	budget_init(&b, 1, 10000);
	budget_sent(&b, NOW);
	answer(&b, NOW, 1667, 1666, 1700000011);
	for (; may_send(&b, &mono); sent++) {
		seconds[(mono - NOW) / 1000]++;
		budget_sent(&b, mono);
		answer(&b, mono, 1667, 1666 - sent, 1700000011);
	}
	assert_int_equal(sent, 1667);
	for (int s = 1; s < 8; s++)
		assert_in_range(seconds[s], 100, 108);
	/* Nothing of what was left unused then is made up for. */
	budget_sent(&b, NOW + 15000);
	answer(&b, NOW + 15000, 1667, 1666, 1700000021);
	mono = NOW + 15000;
	for (sent = 1; budget_wait(&b, mono) == 0; sent++)
		budget_sent(&b, mono);
	assert_int_equal(sent, 834);
}

static void under_way_counts(void **state)
{
	struct budget b;

	(void)state;
	budget_init(&b, 0.8, 10000);
	budget_sent(&b, NOW);
	answer(&b, NOW, 10, 9, 1700000010);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(budget_wait(&b, NOW), 0);
		budget_sent(&b, NOW);
	}
	assert_int_equal(budget_wait(&b, NOW), 1800);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(budget_wait(&b, NOW + 8000), 0);
		budget_sent(&b, NOW + 8000);
	}
	assert_int_equal(budget_wait(&b, NOW + 8000), 1000);
}

/* Calls that fail on the way were counted by the provider, or were not: they are counted here. */
static void failures_count(void **state)
{
	struct budget b;
	int sent = 1;

	(void)state;
	budget_init(&b, 0.8, 10000);
	budget_sent(&b, NOW);
	answer(&b, NOW, 10, 9, 1700000010);
	/* In the known window, and in the next of which nothing is known yet. */
	for (int64_t start = NOW; start <= NOW + 9000; start += 9000) {
		int64_t mono = start;
		if (start > NOW) {
			assert_int_equal(budget_wait(&b, mono), 0);
			budget_sent(&b, mono);
			no_headers(&b, mono);
			sent++;
		}
		for (; may_send(&b, &mono) && sent < 100; sent++) {
			budget_sent(&b, mono);
			no_headers(&b, mono);
		}
		assert_int_equal(sent, 8);
		sent = 0;
	}
}

static void out_of_order(void **state)
{
	struct budget b;

	(void)state;
	budget_init(&b, 1, 10000);
	for (int i = 0; i < 4; i++)
		budget_sent(&b, NOW);
	answer(&b, NOW, 10, 3, 1700000010);
	answer(&b, NOW, 10, 7, 1700000010); /* older, of the same window */
	assert_int_equal(b.remaining, 3);
	answer(&b, NOW, 10, 9, 1700000020); /* the next window */
	assert_int_equal(b.remaining, 9);
	answer(&b, NOW, 10, 0, 1700000010); /* the last of the old one */
	assert_int_equal(b.remaining, 9);
	assert_int_equal(b.inflight, 0);
}

static void others_use_it_too(void **state)
{
	struct budget b;

	(void)state;
	budget_init(&b, 0.8, 10000);
	budget_sent(&b, NOW);
	answer(&b, NOW, 10, 2, 1700000010);
	assert_true(budget_wait(&b, NOW) > 0);
	/* A tiny limit: one call is always ours. */
	budget_init(&b, 0.1, 10000);
	budget_sent(&b, NOW);
	answer(&b, NOW, 1, 0, 1700000010);
	assert_int_equal(budget_wait(&b, NOW), 9000);
	assert_int_equal(budget_wait(&b, NOW + 9000), 0);
}

static void odd_headers(void **state)
{
	struct budget b;

	(void)state;
	budget_init(&b, 1, 10000);
	budget_sent(&b, NOW);
	answer(&b, NOW, 10, 0, INT64_MAX);
	assert_int_equal(budget_wait(&b, NOW), 10000);
	budget_init(&b, 1, 10000);
	budget_sent(&b, NOW);
	answer(&b, NOW, 10, 0, -1);
	assert_int_equal(budget_wait(&b, NOW), 10000);
	assert_int_equal(budget_wait(&b, NOW + 10000), 0);
	budget_sent(&b, NOW + 10000);
	answer(&b, NOW + 10001, 10, 9, -1);
	assert_int_equal(budget_wait(&b, NOW + 10001), 0);
	/* Milliseconds where seconds belong, a moment of last year, a limit of nothing. */
	answer(&b, NOW + 30000, 10, 0, 1700000010000);
	assert_int_equal(budget_wait(&b, NOW + 30000), 10000);
	answer(&b, NOW + 300000, 10, 5, 1600000000);
	assert_int_equal(budget_wait(&b, NOW + 300000), 0);
	answer(&b, NOW + 300000, 0, 0, 1700000010);
	assert_int_equal(b.limit, 10);
	/* Nothing left, and the window's end is over: that is no leave to call; nor must its end next year be waited for. */
	for (int year = -1; year <= 1; year += 2) {
		budget_init(&b, 0.8, 10000);
		budget_sent(&b, NOW);
		answer(&b, NOW, 10, 0, 1700000000 + year * 31000000);
		assert_int_equal(budget_wait(&b, NOW), year < 0 ? 10000 : 20000);
		assert_int_equal(budget_wait(&b, NOW + 20000), 0);
		budget_sent(&b, NOW + 20000);
		answer(&b, NOW + 20000, 10, 2, 1700000020 + year * 31000000);
		assert_true(budget_wait(&b, NOW + 20000) >= 10000);
	}
}

static void blocked(void **state)
{
	struct budget b;

	(void)state;
	budget_init(&b, 1, 10000);
	budget_block(&b, NOW + 500);
	budget_block(&b, NOW + 100);
	assert_int_equal(budget_wait(&b, NOW), 500);
	assert_int_equal(budget_wait(&b, NOW + 500), 0);
}

static void minutes(void **state)
{
	struct budget b;

	(void)state;
	budget_init(&b, 1, 10000);
	for (int s = 0; s < 90; s++)
		budget_sent(&b, NOW + s * 1000);
	assert_int_equal(budget_last_minute(&b, NOW + 89999), 60);
	assert_int_equal(budget_last_minute(&b, NOW + 89999 + 30000), 30);
	assert_int_equal(budget_last_minute(&b, NOW + 89999 + 3600000), 0);
	assert_int_equal(budget_last_minute(&b, NOW + 89999), 60);
}

/* What is kept is left for urgent calls, which go at once; the share of others is nobody's. */
static void reserve(void **state)
{
	struct budget b;
	unsigned plain = 0, urgent = 0;

	(void)state;
	budget_init(&b, 0.8, 60000);
	b.reserve = 0.1;
	answer(&b, NOW, 50, 50, 1700000061);
	assert_int_equal(budget_calls(&b), 35);
	for (int64_t mono = NOW; mono < NOW + 59000; mono++)
		while (budget_wait(&b, mono) == 0) {
			budget_sent(&b, mono);
			answer(&b, mono, 50, 49 - plain++, 1700000061);
		}
	assert_int_equal(plain, 35);
	b.urgent = true;
	while (budget_wait(&b, NOW + 59000) == 0) {
		budget_sent(&b, NOW + 59000);
		answer(&b, NOW + 59000, 50, 49 - plain - urgent++, 1700000061);
	}
	assert_int_equal(urgent, 5);
	/* Without a reserve nothing is urgent. */
	b = (struct budget){0};
	budget_init(&b, 0.8, 60000);
	answer(&b, NOW, 50, 25, 1700000061);
	b.urgent = true;
	assert_true(budget_wait(&b, NOW) > 0);
	b.reserve = 0.1;
	assert_int_equal(budget_wait(&b, NOW), 0);
	/* Of one call a window none is kept. */
	b.urgent = false;
	answer(&b, NOW + 61000, 1, 1, 1700000121);
	assert_int_equal(budget_calls(&b), 1);
	assert_int_equal(budget_wait(&b, NOW + 61000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_at_a_time_until_known),
		cmocka_unit_test(reserve),
		cmocka_unit_test(assumed),
		cmocka_unit_test(share),
		cmocka_unit_test(no_bursts),
		cmocka_unit_test(under_way_counts),
		cmocka_unit_test(failures_count),
		cmocka_unit_test(out_of_order),
		cmocka_unit_test(others_use_it_too),
		cmocka_unit_test(odd_headers),
		cmocka_unit_test(blocked),
		cmocka_unit_test(minutes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
