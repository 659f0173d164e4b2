/* What a plan says a sync would cost, and what it costs then. Nothing is sent for a plan. */
#include "support/lab.h"

#include <stdio.h>

#define PLAN_MAX 16

static struct lab lab;

static int setup(void **state)
{
	(void)state;
	lab_init(&lab, 1);
	lab.options.change_every_ms = 0;
	lab.options.page_max = 150;
	lab.options.history_ms = 25 * DAY_MS;
	lab.options.count[KIND_CONVERSATION] = 900;
	lab.options.count[KIND_CONTACT] = 400;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(lab.broken, 0);
	lab_close(&lab);
	return 0;
}

static bool idle(struct lab *l)
{
	return sync_idle(l->sync);
}

static void until_idle(void)
{
	assert_true(lab_run_until(&lab, 300 * MINUTE_MS, idle));
}

static const struct resource_type *type(const char *name)
{
	return provider_type(&provider_intercom, bytes_str(name));
}

static int plan(const char *resource, enum sync_mode mode, struct sync_estimate *out)
{
	struct why why;
	uint64_t calls = lab.world->calls;

	int n = sync_estimate(lab.sync, resource ? type(resource) : NULL, mode, TIME_MIN, TIME_MAX,
			      out, PLAN_MAX, &why);
	lab_run(&lab, 0);
	assert_true(lab.world->calls == calls);
	return n;
}

/* The calls of what a plan has, -1 when some are not known. */
static int64_t planned(const struct sync_estimate *items, int n)
{
	int64_t sum = 0;

	assert_true(n > 0);
	for (int i = 0; i < n; i++)
		sum = sum < 0 || items[i].calls < 0 ? -1 : sum + items[i].calls;
	return sum;
}

static void near(int64_t expected, uint64_t counted, double tolerance)
{
	double off = (double)counted - (double)expected;

	if (off > tolerance * (double)counted + 2 || -off > tolerance * (double)counted + 2)
		fail_msg("planned %lld, counted %llu", (long long)expected,
			 (unsigned long long)counted);
}

static void wish(const char *resource, enum sync_mode mode)
{
	uint64_t ids[8];
	struct why why;

	assert_int_equal(sync_wish(lab.sync, type(resource), mode, ids, 8, &why), 1);
	until_idle();
}

/* Nothing was read yet: what cannot be known is not, and what is certain is. */
static void before_the_first_sync(void **state)
{
	struct sync_estimate items[PLAN_MAX];
	struct why why;

	(void)state;
	assert_int_equal(week_parse(bytes_str("03:00-03:01"), &lab.window, &why), 0);
	lab.window_strict = true;
	lab_open(&lab);
	lab_run(&lab, 10 * MINUTE_MS);
	assert_int_equal(lab.world->calls, 1); /* who we are */
	int n = plan(NULL, SYNC_CHANGES, items);
	/* Two lists; contacts and conversations with the changes run after them. */
	assert_int_equal(n, 6);
	for (int i = 0; i < n; i++) {
		assert_true(items[i].calls_least >= 1);
		if (strcmp(items[i].resource, "tags") == 0) {
			assert_int_equal(items[i].calls, 1);
		} else if (items[i].kind == RUN_CHANGES) {
			assert_true(items[i].calls >= 1);
		} else {
			assert_int_equal(items[i].calls, -1);
			assert_int_equal(items[i].ms, -1);
		}
	}
	assert_int_equal(lab.world->calls, 1);
	assert_int_equal(lab_runs(&lab, NULL, NULL, NULL, 0), 0);
}

static void everything_again(void **state)
{
	static const char *const names[] = {"conversations", "contacts", "companies", "tags"};
	struct sync_estimate items[PLAN_MAX];

	(void)state;
	lab_open(&lab);
	until_idle();
	/* Enough runs to know that nothing changes. */
	lab_run(&lab, 20 * MINUTE_MS);
	for (int i = 0; i < 4; i++) {
		int64_t calls = planned(items, plan(names[i], SYNC_FULL, items));
		uint64_t before = lab.world->calls;
		wish(names[i], SYNC_FULL);
		near(calls, lab.world->calls - before, 0.02);
	}
	/* The history is whole: there is nothing to fill. */
	assert_int_equal(plan("conversations", SYNC_BACKFILL, items), 0);
}

/* An even pace of changes is foreseen within a quarter. */
static void changes_at_a_pace(void **state)
{
	struct sync_estimate items[PLAN_MAX];

	(void)state;
	lab.options.change_every_ms = 15000;
	lab.options.burst = 0;
	lab.only_conversations = true;
	lab.every_ms = 30 * MINUTE_MS;
	lab_open(&lab);
	until_idle();
	/* Too little is known at first, and said so. */
	assert_int_equal(plan("conversations", SYNC_CHANGES, items), 1);
	assert_true(items[0].calls >= -1 && items[0].calls_least == 2);
	lab_run(&lab, 8 * 60 * MINUTE_MS);
	for (int i = 0; i < 4; i++) {
		lab_run(&lab, 25 * MINUTE_MS);
		int64_t calls = planned(items, plan("conversations", SYNC_CHANGES, items));
		assert_int_equal(items[0].kind, RUN_CHANGES);
		uint64_t before = lab.world->calls;
		wish("conversations", SYNC_CHANGES);
		assert_true(calls > 20);
		near(calls, lab.world->calls - before, 0.25);
	}
}

/* An interrupted first reading knows how much there is, and how long the rest takes at the budget's rate. */
static void what_is_left(void **state)
{
	struct sync_estimate items[PLAN_MAX];

	(void)state;
	lab.options.rate_limit = 20;
	lab.only_conversations = true;
	lab_open(&lab);
	lab_run(&lab, 3 * MINUTE_MS);
	lab_kill(&lab);
	/* The answer to who we are tells the rate. */
	lab_run(&lab, 200);
	int n = plan("conversations", SYNC_BACKFILL, items);
	assert_int_equal(items[0].kind, RUN_BACKFILL);
	int64_t calls = planned(items, n), ms = items[0].ms, start = loop_mono_ms(lab.loop);
	uint64_t before = lab.world->calls;
	assert_true(calls > 300 && calls < 900);
	until_idle();
	near(calls, lab.world->calls - before, 0.05);
	int64_t took = loop_mono_ms(lab.loop) - start;
	assert_in_range(ms, took * 8 / 10, took * 12 / 10);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
}

/* What is read again: all threads of a stretch, or its listing only. */
static void what_a_verify_run_costs(void **state)
{
	struct sync_estimate items[PLAN_MAX];
	struct why why;
	uint64_t id;

	(void)state;
	lab.only_conversations = true;
	for (int counts = 0; counts < 2; counts++) {
		lab.verify_counts = counts;
		if (counts)
			lab_restart(&lab);
		else
			lab_open(&lab);
		until_idle();
		int64_t end = world_now(lab.world) - DAY_MS, start = end - 20 * DAY_MS;
		assert_int_equal(sync_estimate(lab.sync, type("conversations"), SYNC_VERIFY, start,
					       end, items, PLAN_MAX, &why),
				 1);
		assert_int_equal(items[0].kind, RUN_VERIFY);
		assert_int_equal(items[0].span_start_ms, start);
		assert_true(counts ? items[0].calls < 10 : items[0].calls > 500);
		assert_int_equal(items[0].calls, items[0].calls_least);
		uint64_t before = lab.world->calls;
		assert_int_equal(sync_wish_span(lab.sync, type("conversations"), SYNC_VERIFY, start,
						end, &id, 1, &why),
				 1);
		until_idle();
		near(items[0].calls, lab.world->calls - before, 0.02);
	}
	/* Without a span: the stretch whose turn it is. */
	int n = plan("conversations", SYNC_VERIFY, items);
	assert_int_equal(n, 1);
	assert_true(items[0].calls >= 1 && items[0].span_end_ms < TIME_MAX);
	uint64_t before = lab.world->calls;
	wish("conversations", SYNC_VERIFY);
	near(items[0].calls, lab.world->calls - before, 0.02);
}

static void unknown_resources(void **state)
{
	struct sync_estimate items[PLAN_MAX];

	(void)state;
	lab_open(&lab);
	assert_int_equal(plan("admins", SYNC_CHANGES, items), ERR_INVALID);
	/* Messages are their conversations'. */
	assert_int_equal(plan("messages", SYNC_CHANGES, items), 2);
	assert_string_equal(items[0].resource, "conversations");
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(before_the_first_sync), CASE(everything_again),        CASE(changes_at_a_pace),
		CASE(what_is_left),          CASE(what_a_verify_run_costs), CASE(unknown_resources),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
