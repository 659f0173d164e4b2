/* When runs happen: after sleep and downtime, with clocks that are set, within windows, in their order, and not all at once. */
#include "support/lab.h"

#include <stdio.h>

#define HOUR_MS (60 * MINUTE_MS)

static struct lab lab;

static int setup(void **state)
{
	(void)state;
	lab_init(&lab, 1);
	lab.options.change_every_ms = 0;
	lab.options.rate_limit = 0;
	lab.options.history_ms = 25 * DAY_MS;
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

static void settle(void)
{
	lab_open(&lab);
	assert_true(lab_run_until(&lab, 30 * MINUTE_MS, idle));
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
}

static int64_t now(void)
{
	return loop_wall_ms(lab.loop);
}

static unsigned runs(const char *resource, const char *kind, int64_t since)
{
	return lab_runs(&lab, resource, kind, "ok", since);
}

static uint64_t count(const char *resource)
{
	struct snapshot *view = snapshot_new(lab.store);
	uint64_t n = snapshot_count(view, resource);

	snapshot_free(view);
	return n;
}

static int wish(const char *resource, enum sync_mode mode)
{
	uint64_t ids[8];
	struct why why;

	return sync_wish(lab.sync, provider_type(&provider_intercom, bytes_str(resource)), mode,
			 ids, 8, &why);
}

/* What is due once after a long absence: changes of each, and one full reading. The clock stands at 22:13; contacts are read in full at 02:00. */
static void one_of_each(int64_t since, int64_t within)
{
	lab_run(&lab, within);
	assert_int_equal(runs("conversations", "changes", since), 1);
	assert_int_equal(runs("contacts", "snapshot", since), 1);
	/* A walk's claims become coverage with the next changes run. */
	assert_int_equal(runs("contacts", "changes", since), 2);
	assert_int_equal(runs("companies", "snapshot", since), 1);
	assert_int_equal(runs("tags", "snapshot", since), 1);
	assert_int_equal(lab_runs(&lab, NULL, NULL, NULL, since), 6);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
}

static void sleep_is_slept_once(void **state)
{
	(void)state;
	settle();
	lab_sleep(&lab, 8 * HOUR_MS);
	int64_t since = now();
	one_of_each(since, 4 * MINUTE_MS);
}

static void nights_asleep_are_no_storm(void **state)
{
	(void)state;
	settle();
	lab_sleep(&lab, 9 * DAY_MS + 8 * HOUR_MS);
	int64_t since = now();
	one_of_each(since, 4 * MINUTE_MS);
}

static void days_down_are_made_up_for_once(void **state)
{
	(void)state;
	settle();
	lab_stop(&lab);
	lab_sleep(&lab, 5 * DAY_MS + 8 * HOUR_MS);
	lab_start(&lab);
	int64_t since = now();
	one_of_each(since, 3 * MINUTE_MS);
	/* And the next one at its time. */
	lab_run(&lab, DAY_MS);
	assert_int_equal(runs("contacts", "snapshot", since), 2);
	/* A restart repeats nothing. */
	lab_restart(&lab);
	since = now();
	lab_run(&lab, HOUR_MS);
	assert_int_equal(runs("contacts", "snapshot", since), 0);
}

/* Shortly before its regular time a missed run is left to that. */
static void nearly_due_is_not_made_up_for(void **state)
{
	(void)state;
	settle();
	lab_sleep(&lab, 2 * DAY_MS + 3 * HOUR_MS); /* 01:13 */
	int64_t since = now();
	lab_run(&lab, 30 * MINUTE_MS);
	assert_int_equal(runs("contacts", "snapshot", since), 0);
	lab_run(&lab, 30 * MINUTE_MS);
	assert_int_equal(runs("contacts", "snapshot", since), 1);
}

static void a_clock_set_back_stalls_nothing(void **state)
{
	(void)state;
	lab.options.change_every_ms = 60000;
	settle();
	lab_run(&lab, HOUR_MS);
	lab_step_clock(&lab, -3 * DAY_MS);
	int64_t since = now();
	lab_run(&lab, DAY_MS);
	/* The first reading is in the future now. */
	assert_int_equal(runs("contacts", "snapshot", since), 2);
	assert_true(runs("conversations", "changes", since) >= DAY_MS / (6 * MINUTE_MS));
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
	lab_step_clock(&lab, 3 * DAY_MS);
	since = now();
	lab_run(&lab, DAY_MS);
	/* The days that were jumped over look like sleep. */
	assert_in_range(runs("contacts", "snapshot", since), 1, 2);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
}

static void a_small_step_back_repeats_nothing(void **state)
{
	(void)state;
	settle();
	int64_t start = now();
	while (runs("contacts", "snapshot", start) == 0)
		lab_run(&lab, MINUTE_MS);
	lab_step_clock(&lab, -20 * MINUTE_MS);
	lab_run(&lab, 12 * HOUR_MS);
	assert_int_equal(runs("contacts", "snapshot", start - HOUR_MS),
			 2); /* the first reading, and this one */
}

/* A full reading that fails is not lost until tomorrow. */
static void a_failed_full_run_comes_again(void **state)
{
	(void)state;
	settle();
	int64_t start = now();
	lab_run(&lab, 3 * HOUR_MS);
	lab.world->mishap = MISHAP_403;
	lab.world->mishap_path = "/contacts?";
	lab.world->mishap_at = 1;
	lab.world->mishap_calls = 1;
	lab.world->path_calls = 0;
	lab_run(&lab, 90 * MINUTE_MS);
	assert_int_equal(lab_runs(&lab, "contacts", "snapshot", "failed", start), 1);
	lab_run(&lab, 90 * MINUTE_MS);
	assert_int_equal(runs("contacts", "snapshot", start), 1);
}

/* ---- windows ---- */

static void window(const char *text)
{
	struct why why;

	assert_int_equal(week_parse(bytes_str(text), &lab.window, &why), 0);
}

static void the_past_waits_for_its_window(void **state)
{
	(void)state;
	window("23:00-23:30, 02:30-03:00");
	lab_open(&lab);
	lab_run(&lab, 40 * MINUTE_MS);
	/* What a changes run needs to begin with was read: the lists, and one page of conversations. */
	assert_int_equal(count("contacts"), 30);
	assert_int_equal(count("conversations"), 7);
	assert_true(runs("conversations", "changes", LAB_START) > 3);
	struct sync_resource_state c;
	assert_true(sync_resource_state(lab.sync, "conversations", &c));
	assert_false(c.waiting || c.syncing);
	assert_true(sync_idle(lab.sync));
	lab_run(&lab, 20 * MINUTE_MS);
	assert_int_equal(count("conversations"), 80);
	int64_t since = now();
	/* 02:00 is outside: the full reading begins at half past. */
	lab_run(&lab, 3 * HOUR_MS + 10 * MINUTE_MS);
	assert_int_equal(runs("contacts", "snapshot", since), 0);
	lab_run(&lab, 15 * MINUTE_MS);
	assert_int_equal(runs("contacts", "snapshot", since), 1);
}

static void a_window_ends_a_walk_in_the_middle(void **state)
{
	(void)state;
	window("hourly 20-21");
	lab.options.rate_limit = 20;
	lab.options.count[KIND_CONVERSATION] = 400;
	lab_open(&lab);
	lab_run(&lab, 30 * MINUTE_MS);
	uint64_t held = count("conversations");
	assert_true(held > 7 && held < 400);
	lab_run(&lab, 20 * MINUTE_MS);
	assert_int_equal(count("conversations"), held);
	assert_int_equal(wish("conversations", SYNC_BACKFILL), 1);
	lab_run(&lab, 10 * MINUTE_MS);
	assert_int_equal(count("conversations"), 400);
}

static bool verifying(struct lab *l)
{
	struct sync_resource_state s;

	return sync_resource_state(l->sync, "conversations", &s) && s.syncing &&
	       s.run.kind == RUN_VERIFY && s.run.calls > 100;
}

/* Two thousand conversations of one stretch: four windows, which take more than the minute that there is. Of the last one nothing tells that it is gone. */
static void a_window_ends_a_verify_run(bool strict)
{
	struct thing *last = NULL;

	window("hourly 20-21");
	lab.window_strict = strict;
	lab.only_conversations = true;
	lab.concurrency = 1;
	lab.options.count[KIND_CONVERSATION] = 0;
	lab.options.page_max = 150;
	lab.verify_ms = 20 * MINUTE_MS;
	lab.check_every_ms = 30 * MINUTE_MS;
	lab_open(&lab);
	for (int i = 0; i < 2000; i++)
		last = world_add(lab.world, KIND_CONVERSATION,
				 LAB_START - 29 * DAY_MS - 22 * HOUR_MS + i * 2000);
	assert_int_equal(wish("conversations", SYNC_BACKFILL), 1);
	lab_run(&lab, 10 * MINUTE_MS);
	assert_int_equal(count("conversations"), 2000);
	last->unfed = true;
	world_delete(last, world_now(lab.world));
	assert_true(lab_run_until(&lab, 2 * HOUR_MS, verifying));
	assert_int_equal(now() / MINUTE_MS % 60, 20);
	/* What is begun of five hundred is read to its end. */
	lab_run(&lab, 60000 - now() % 60000 + 45000);
	assert_false(verifying(&lab));
	assert_int_equal(count("conversations"), 2000);
	uint64_t calls = lab.world->calls;
	lab_run(&lab, 50 * MINUTE_MS);
	assert_true(strict ? lab.world->calls == calls : lab.world->calls - calls < 30);
	/* The rest comes in the next windows. */
	lab_run(&lab, 6 * HOUR_MS);
	assert_int_equal(count("conversations"), 1999);
	assert_int_equal(lab_runs(&lab, "conversations", "verify", "failed", 0), 0);
}

static void a_window_ends_the_reading_again(void **state)
{
	(void)state;
	a_window_ends_a_verify_run(false);
}

static void a_strict_window_ends_the_reading_again(void **state)
{
	(void)state;
	a_window_ends_a_verify_run(true);
}

static void a_strict_window_holds_all_but_clients(void **state)
{
	(void)state;
	window("23:00-24:00");
	lab.window_strict = true;
	lab_open(&lab);
	lab_run(&lab, 40 * MINUTE_MS);
	assert_int_equal(count("contacts") + count("tags") + count("conversations"), 0);
	assert_int_equal(wish("tags", SYNC_CHANGES), 1);
	lab_run(&lab, MINUTE_MS);
	assert_int_equal(count("tags"), 8);
	assert_int_equal(count("contacts"), 0);
	lab_run(&lab, 30 * MINUTE_MS);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
	lab_run(&lab, HOUR_MS);
	int64_t since = now();
	lab_run(&lab, HOUR_MS);
	assert_int_equal(lab_runs(&lab, NULL, NULL, NULL, since), 0);
}

/* ---- order ---- */

static bool has(struct lab *l)
{
	return runs("companies", "snapshot", 0) > 0 && l->world->calls > 0;
}

/* What others refer to is there before the first conversation. */
static void foundation_first(void **state)
{
	(void)state;
	lab_open(&lab);
	assert_true(lab_run_until(&lab, MINUTE_MS, has));
	assert_int_equal(count("tags"), 8);
	assert_int_equal(count("conversations"), 0);
	assert_true(lab_run_until(&lab, 30 * MINUTE_MS, idle));
	assert_int_equal(count("conversations"), 80);
}

/* Clients who ask for everything without end go first, and changes of the others are read all the same. */
static void clients_starve_nobody(void **state)
{
	(void)state;
	lab.options.change_every_ms = 10000;
	lab.options.rate_limit = 20;
	settle();
	int64_t since = now();
	for (int i = 0; i < 240; i++) {
		assert_int_equal(wish("contacts", SYNC_FULL), 1);
		lab_run(&lab, 15000);
	}
	assert_true(runs("contacts", "snapshot", since) > 100);
	assert_true(runs("conversations", "changes", since) >= 9);
	assert_true(lab_whole(&lab, 7 * MINUTE_MS));
}

/* So do those who ask for single records, faster than they can be read; and who asked first gets his answer. */
static void single_records_starve_nobody(void **state)
{
	const struct resource_type *type = provider_type(&provider_intercom,
							 bytes_str("conversations"));
	unsigned refused = 0;

	(void)state;
	lab.options.change_every_ms = 10000;
	lab.options.rate_limit = 20;
	settle();
	int64_t since = now();
	for (unsigned i = 0; i < 900; i++) {
		struct bytes ids[2];
		char text[2][16];
		struct why why;
		uint64_t run;
		for (unsigned k = 0; k < 2; k++) {
			snprintf(text[k], sizeof text[k], "%u", 1 + (2 * i + k) % 80);
			ids[k] = bytes_str(text[k]);
		}
		refused += sync_wish_ids(lab.sync, type, ids, 2, &run, &why) == ERR_LIMIT;
		lab_run(&lab, 1000);
		/* Long before that many were read. */
		if (i == 400)
			assert_true(runs("conversations", "changes", since) >= 1);
	}
	assert_true(refused > 0 && refused < 450);
	assert_true(runs("conversations", "one", since) >= 1);
	assert_true(runs("conversations", "changes", since) >= 2);
	assert_true(lab_whole(&lab, 7 * MINUTE_MS));
}

static struct sync_search search;
static unsigned found;
static size_t most;
static bool enough;

/* The next one at once. */
static void on_searched(void *ctx, const struct run_info *run)
{
	const struct run_watch watch = {.ended = on_searched, .ctx = ctx};
	struct why why;

	found += run && run->outcome == RUN_OK;
	most = search.count > most ? search.count : most;
	if (!enough)
		assert_int_equal(sync_search(lab.sync, &search, &watch, &why), 0);
}

/* And who has the provider searched without end: everything else has its turns, and nothing is claimed that was not proven. */
static void searches_starve_nobody(void **state)
{
	const struct run_watch watch = {.ended = on_searched};
	struct why why;

	(void)state;
	lab.options.change_every_ms = 10000;
	lab.options.rate_limit = 20;
	lab_open(&lab);
	found = 0;
	most = 0;
	enough = false;
	search = (struct sync_search){
		.type = provider_type(&provider_intercom, bytes_str("conversations")),
		.start_ms = TIME_MIN,
		.end_ms = TIME_MAX,
	};
	int64_t since = now();
	on_searched(NULL, NULL);
	assert_int_equal(sync_search(lab.sync, &search, &watch, &why), ERR_BUSY);
	lab_run(&lab, HOUR_MS);
	enough = true;
	assert_true(found > 100);
	assert_true(most > 0 && most <= SEEK_RECORDS_MAX);
	assert_int_equal(runs("conversations", "backfill", since), 1);
	assert_true(runs("conversations", "changes", since) >= 6);
	assert_true(lab_whole(&lab, 7 * MINUTE_MS));
	lab_run(&lab, MINUTE_MS);
}

/* ---- spread ---- */

/* When the full reading of contacts began, after 02:00. */
static int64_t begins_after(uint64_t seed)
{
	int64_t start = LAB_START + 226 * MINUTE_MS + 40000, at = 0;

	lab.seed = seed;
	settle();
	int64_t since = now();
	lab_run(&lab, start - 10000 - since);
	while (runs("contacts", "snapshot", since) == 0) {
		at = now();
		lab_run(&lab, 1000);
		assert_true(at < start + HOUR_MS);
	}
	return at - start;
}

static void starts_are_spread(void **state)
{
	int64_t first, again, other;

	first = begins_after(12345);
	teardown(state);
	setup(state);
	again = begins_after(12345);
	teardown(state);
	setup(state);
	other = begins_after(99999);
	assert_true(first == again);
	assert_true(first != other);
	assert_in_range(first, 0, 5 * MINUTE_MS + 2000);
	assert_in_range(other, 0, 5 * MINUTE_MS + 2000);
	/* And changes come up to a tenth sooner than every five minutes. */
	int64_t since = now();
	lab_run(&lab, 10 * HOUR_MS);
	assert_in_range(runs("conversations", "changes", since), 121, 133);
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(sleep_is_slept_once),
		CASE(nights_asleep_are_no_storm),
		CASE(days_down_are_made_up_for_once),
		CASE(nearly_due_is_not_made_up_for),
		CASE(a_clock_set_back_stalls_nothing),
		CASE(a_small_step_back_repeats_nothing),
		CASE(a_failed_full_run_comes_again),
		CASE(the_past_waits_for_its_window),
		CASE(a_window_ends_a_walk_in_the_middle),
		CASE(a_window_ends_the_reading_again),
		CASE(a_strict_window_ends_the_reading_again),
		CASE(a_strict_window_holds_all_but_clients),
		CASE(foundation_first),
		CASE(clients_starve_nobody),
		CASE(single_records_starve_nobody),
		CASE(searches_starve_nobody),
		CASE(starts_are_spread),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
