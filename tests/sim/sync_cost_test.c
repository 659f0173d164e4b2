/* What syncs cost: laws on the number of calls, counted by the one who is called. */
#include "support/lab.h"

#include <stdio.h>

static struct lab lab;

static int setup(void **state)
{
	(void)state;
	lab_init(&lab, 1);
	lab.options.change_every_ms = 0;
	lab.options.rate_limit = 0;
	lab.options.page_max = 150;
	lab.options.history_ms = 25 * DAY_MS;
	lab.options.count[KIND_CONVERSATION] = 3000;
	lab.only_conversations = true;
	lab.check_every_ms = 30 * MINUTE_MS; /* other tests hold claims against the world more often */
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

static uint64_t pages(uint64_t n)
{
	return n == 0 ? 1 : (n + 149) / 150;
}

static void at_most(uint64_t calls, double share, uint64_t least)
{
	if ((double)calls > share * (double)least)
		fail_msg("%llu calls, %llu are the least: more than %.2f times that",
			 (unsigned long long)calls, (unsigned long long)least, share);
	assert_true(calls >= least);
}

static bool rushes(void)
{
	struct store_stats stats;

	store_stats(lab.store, &stats);
	return stats.rush;
}

/* The first sync of n conversations: its list's pages and one read each. The store knows that much is coming. */
static void first_sync(void **state)
{
	(void)state;
	lab_open(&lab);
	lab_run(&lab, 8000);
	assert_true(rushes());
	assert_true(lab_run_until(&lab, 120 * MINUTE_MS, idle));
	assert_false(rushes());
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
	at_most(lab.world->calls, 1.02, pages(3000) + 3000);
}

/* A first sync that is killed on its way does not read twice what it had. */
static void first_sync_that_is_killed(void **state)
{
	(void)state;
	lab_open(&lab);
	for (int i = 0; i < 5; i++) {
		lab_run(&lab, 8000);
		lab_kill(&lab);
	}
	assert_true(lab_run_until(&lab, 120 * MINUTE_MS, idle));
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
	/* Each kill costs the page under way, and asking who we are. */
	assert_true(lab.world->calls <= 1.02 * (double)(pages(3000) + 3000) + 5 * (150 + 5));
}

/* Changes of k conversations, then one changes run: its search pages, one read each, one page of deletions. Nothing changes in the second in which it is read. */
static void changed(unsigned k)
{
	uint64_t calls = lab.world->calls, least = pages(k) + k + 1;
	int64_t since = loop_wall_ms(lab.loop);
	unsigned done = 0;

	for (unsigned i = 0; done < k; i++) {
		struct thing *t = lab.world->things[i * 7 % lab.world->count];
		if (t->kind != KIND_CONVERSATION)
			continue;
		world_change(lab.world, t, world_now(lab.world), true);
		done++;
	}
	while (lab_runs(&lab, "conversations", "changes", "ok", since) == 0)
		lab_run(&lab, 5000);
	assert_int_equal(lab_runs(&lab, NULL, NULL, NULL, since), 1);
	at_most(lab.world->calls - calls, 1.05, least);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
}

static void steady_state(void **state)
{
	static const unsigned counts[] = {0, 1, 10, 100, 149, 150, 300, 1000, 0, 0};

	(void)state;
	lab_open(&lab);
	assert_true(lab_run_until(&lab, 120 * MINUTE_MS, idle));
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		/* The look-back lists what changed shortly before once more: a page for 150 of them, and no reads. */
		lab_run(&lab, 16 * MINUTE_MS);
		changed(counts[i]);
	}
}

/* A living day: each change costs one read, however its moment falls between two runs. */
static void a_day(void **state)
{
	uint64_t calls, before = 0, after = 0;
	int64_t since;

	(void)state;
	lab.options.change_every_ms = 20000;
	lab.options.burst = 0;
	lab_open(&lab);
	assert_true(lab_run_until(&lab, 120 * MINUTE_MS, idle));
	lab_run(&lab, 10 * MINUTE_MS);
	calls = lab.world->calls;
	since = loop_wall_ms(lab.loop);
	for (unsigned i = 0; i < lab.world->count; i++)
		if (lab.world->things[i]->kind == KIND_CONVERSATION)
			before += lab.world->things[i]->changes;
	lab_run(&lab, DAY_MS);
	for (unsigned i = 0; i < lab.world->count; i++)
		if (lab.world->things[i]->kind == KIND_CONVERSATION)
			after += lab.world->things[i]->changes;
	unsigned runs = lab_runs(&lab, NULL, NULL, NULL, since);
	assert_true(runs > 280);
	calls = lab.world->calls - calls;
	/* At most one read for each change; two changes between two runs need only one. */
	if ((double)calls > 1.05 * (double)(2 * runs + after - before))
		fail_msg("%llu calls for %llu changes in %u runs", (unsigned long long)calls,
			 (unsigned long long)(after - before), runs);
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(first_sync),
		CASE(first_sync_that_is_killed),
		CASE(steady_state),
		CASE(a_day),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
