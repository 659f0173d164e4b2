/* route: never more of a class in any window, and nearly as many as that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "budget.h"
#include "route.h"

#define NOW INT64_C(1000000)

enum { OTHER, SEARCH, BURST, PLAIN };

static const struct route_class classes[] = {
	[OTHER] = {.name = "other"},
	[SEARCH] = {.name = "search", .percent = 40},
	[BURST] = {.name = "burst", .calls_max = 5, .window_ms = 1000},
	[PLAIN] = {.name = "plain"},
	{.name = NULL},
};

static const struct provider asked = {.name = "p", .rate_window_ms = 60000, .routes = classes};

/* Sends as fast as it may for a while, each call answered after a time of its own; notes when. */
static size_t send_all(struct route_budget *r, int64_t limit, int64_t until, int64_t *sent, size_t max)
{
	int64_t answers[8], mono = NOW;
	size_t n = 0, open = 0;

	while (mono < until) {
		int64_t wait = route_wait(r, limit, mono), next = INT64_MAX;
		size_t first = 0;
		if (wait == 0 && open < 8) {
			assert_true(n < max);
			route_sent(r);
			answers[open++] = mono + 20 + (int64_t)(n * 7 % 60);
			sent[n++] = mono;
			continue;
		}
		for (size_t i = 0; i < open; i++)
			if (answers[i] < next) {
				next = answers[i];
				first = i;
			}
		if (wait && wait != BUDGET_WAIT_ANSWER && mono + wait < next) {
			mono += wait;
			continue;
		}
		assert_true(open > 0);
		mono = next > mono ? next : mono;
		answers[first] = answers[--open];
		route_answered(r, mono);
	}
	return n;
}

/* A call may arrive at the provider at any time up to its answer: no two that are `most` apart may arrive within one window. */
static void in_any_window(const int64_t *sent, size_t n, size_t most, int64_t window_ms)
{
	for (size_t i = most; i < n; i++)
		assert_true(sent[i] - sent[i - most] > window_ms);
}

static void a_share_of_the_rate(void **state)
{
	struct route_budget r;
	int64_t sent[2000];

	(void)state;
	route_init(&r, &asked, SEARCH, 1.0, 0);
	size_t n = send_all(&r, 100, NOW + 600000, sent, 2000);
	in_any_window(sent, n, 40, 60000);
	assert_true(n >= 400 * 95 / 100);
}

/* What is shown is what the waiting goes by. */
static void shown(void **state)
{
	struct route_budget r;
	struct sync_route seen;

	(void)state;
	route_init(&r, &asked, SEARCH, 0.5, 0);
	assert_false(route_look(&r, -1, NOW, &seen));
	for (int i = 0; i < 3; i++)
		route_sent(&r);
	route_answered(&r, NOW);
	assert_true(route_look(&r, 100, NOW, &seen));
	assert_string_equal(seen.name, "search");
	assert_int_equal(seen.limit, 20);
	assert_int_equal(seen.window_ms, 60000);
	assert_int_equal(seen.used, 3);
	assert_int_equal(seen.wait_ms, 0);
	assert_true(route_look(&r, 100, NOW + 59000, &seen));
	assert_int_equal(seen.used, 3);
	assert_true(route_look(&r, 100, NOW + 62000, &seen));
	assert_int_equal(seen.used, 2);
	assert_true(route_look(&r, 100, NOW + 3600000, &seen));
	assert_int_equal(seen.used, 2); /* under way */
	route_init(&r, &asked, PLAIN, 1.0, 0);
	assert_false(route_look(&r, 100, NOW, &seen));
	route_block(&r, NOW + 4000);
	assert_true(route_look(&r, 100, NOW + 1000, &seen));
	assert_int_equal(seen.limit, -1);
	assert_int_equal(seen.wait_ms, 3000);
	assert_false(route_look(&r, 100, NOW + 4000, &seen));
}

static void so_many_in_a_second(void **state)
{
	struct route_budget r;
	int64_t sent[2000];

	(void)state;
	route_init(&r, &asked, BURST, 0.8, 0);
	/* The account's limit does not matter. */
	size_t n = send_all(&r, -1, NOW + 60000, sent, 2000);
	in_any_window(sent, n, 4, 1000);
	assert_true(n >= 4 * 60 * 90 / 100); /* each waits for its answer */
}

static void what_the_configuration_gives(void **state)
{
	struct route_budget r;
	int64_t sent[2000];

	(void)state;
	route_init(&r, &asked, PLAIN, 0.8, 0.1);
	in_any_window(sent, send_all(&r, 100, NOW + 300000, sent, 2000), 10, 60000);
	/* Never more than the account's share, and one call at least. */
	route_init(&r, &asked, SEARCH, 0.5, 0.9);
	in_any_window(sent, send_all(&r, 100, NOW + 300000, sent, 2000), 20, 60000);
	route_init(&r, &asked, SEARCH, 0.5, 0);
	assert_true(send_all(&r, 1, NOW + 300000, sent, 2000) >= 4);
}

static void no_limit(void **state)
{
	struct route_budget r;

	(void)state;
	for (int i = 0; i < 2; i++) {
		route_init(&r, &asked, i ? PLAIN : OTHER, 0.8, 0);
		for (int n = 0; n < 1000; n++) {
			assert_int_equal(route_wait(&r, 10, NOW), 0);
			route_sent(&r);
		}
		for (int n = 0; n < 1000; n++)
			route_answered(&r, NOW);
		assert_int_equal(route_wait(&r, 10, NOW), 0);
	}
	/* A part of what nobody knows yet. */
	route_init(&r, &asked, SEARCH, 0.8, 0);
	assert_int_equal(route_wait(&r, -1, NOW), 0);
}

/* All that may be sent is under way. */
static void waits_for_an_answer(void **state)
{
	struct route_budget r;

	(void)state;
	route_init(&r, &asked, BURST, 1, 0);
	for (int i = 0; i < 5; i++)
		route_sent(&r);
	assert_true(route_wait(&r, 100, NOW) == BUDGET_WAIT_ANSWER);
	route_answered(&r, NOW + 300);
	int64_t wait = route_wait(&r, 100, NOW + 300);
	assert_true(wait > 1000 && wait < 1050);
	assert_int_equal(route_wait(&r, 100, NOW + 300 + wait), 0);
	/* Long ago. */
	for (int i = 0; i < 4; i++)
		route_answered(&r, NOW + 400);
	assert_int_equal(route_wait(&r, 100, NOW + 100000000), 0);
}

static void told_to_wait(void **state)
{
	struct route_budget r;

	(void)state;
	route_init(&r, &asked, OTHER, 1, 0);
	route_block(&r, NOW + 500);
	route_block(&r, NOW + 300);
	assert_int_equal(route_wait(&r, 100, NOW), 500);
	assert_int_equal(route_wait(&r, 100, NOW + 500), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_share_of_the_rate),
		cmocka_unit_test(shown),
		cmocka_unit_test(so_many_in_a_second),
		cmocka_unit_test(what_the_configuration_gives),
		cmocka_unit_test(no_limit),
		cmocka_unit_test(waits_for_an_answer),
		cmocka_unit_test(told_to_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
