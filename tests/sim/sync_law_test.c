/*
 * Days in the life of a mirror: whatever changes, slips between pages, fails or is stopped, coverage never claims what the store does not hold.
 *
 * SIM_SEEDS=N tries N more seeds, SIM_SEED=S one of them with SIM_LOG=4 to see what happens.
 */
#include "support/lab.h"

#include <stdio.h>
#include <stdlib.h>

static void vary(struct lab *lab)
{
	uint64_t random = lab->options.seed * 31;
	struct world_options *o = &lab->options;

	o->ties_descending = sim_below(&random, 2);
	o->sort_ignored = sim_below(&random, 5) == 0;
	o->index_lag_ms = sim_below(&random, 3) == 0 ? 20000 : 0;
	o->clock_ms = (int64_t)sim_below(&random, 3) * 7200000 - 7200000;
	o->page_max = 3 + (unsigned)sim_below(&random, 20);
	o->parts_max = sim_below(&random, 4) == 0 ? 4 : 500;
	o->change_every_ms = 3000 + (int64_t)sim_below(&random, 120000);
	o->rate_limit = sim_below(&random, 3) == 0 ? 20 : 200;
	o->others = (unsigned)sim_below(&random, 3);
	lab->fsync_ms = (int64_t)sim_below(&random, 3) * 20;
	lab->verify_ms = (int64_t)sim_below(&random, 2) * 4 * DAY_MS;
	lab->verify_counts = sim_below(&random, 3) == 0;
	lab->concurrency = 1 + (unsigned)sim_below(&random, 6);
}

static void live(uint64_t seed, unsigned mishap_percent, bool restarts, bool steps)
{
	struct lab lab;
	uint64_t random = seed * 17 + 3;

	lab_init(&lab, seed);
	vary(&lab);
	lab_open(&lab);
	lab.world->mishap_percent = mishap_percent;
	/* Some conversation cannot be read at all, until the end. */
	if (mishap_percent && seed % 3 == 0) {
		lab.world->mishap = MISHAP_500;
		lab.world->mishap_at = 1;
		lab.world->mishap_calls = 1000000;
		lab.world->mishap_path = "/conversations/3";
	}
	for (int i = 0; i < 40; i++) {
		lab_run(&lab, (int64_t)sim_below(&random, i < 20 ? 20000 : 90 * (uint64_t)MINUTE_MS));
		if (steps && i == 25)
			sim_step_wall(lab.loop, 0);
		if (restarts)
			lab_restart(&lab);
	}
	lab.world->mishap_percent = lab.world->mishap_calls = 0;
	lab_run(&lab, 60 * MINUTE_MS);
	lab_check(&lab);
	if (lab.broken)
		fail_msg("seed %llu: %u claims were broken", (unsigned long long)seed, lab.broken);
	if (!lab_whole(&lab, 6 * MINUTE_MS + lab.options.index_lag_ms))
		fail_msg("seed %llu: not everything is held in the end", (unsigned long long)seed);
	/* Who starts anew asks once before it knows. */
	int64_t ours = restarts ? lab.options.rate_limit
				: (int64_t)((double)lab.options.rate_limit * lab.share);
	if (lab.world->window_calls_max > ours)
		fail_msg("seed %llu: %lld calls in a window, %lld are ours", (unsigned long long)seed,
			 (long long)lab.world->window_calls_max, (long long)ours);
	lab_close(&lab);
}

static void seeds(unsigned mishap_percent, bool restarts)
{
	uint64_t n = getenv("SIM_SEEDS") ? strtoull(getenv("SIM_SEEDS"), NULL, 10) : 0;

	if (getenv("SIM_SEED")) {
		live(strtoull(getenv("SIM_SEED"), NULL, 10), mishap_percent, restarts, false);
		return;
	}
	for (uint64_t seed = 1; seed <= 6 + n; seed++)
		live(seed, mishap_percent, restarts, false);
}

static void quiet_days(void **state)
{
	(void)state;
	seeds(0, false);
}

static void bad_days(void **state)
{
	(void)state;
	seeds(8, false);
}

static void restless_days(void **state)
{
	(void)state;
	seeds(0, true);
}

static void the_worst_days(void **state)
{
	(void)state;
	seeds(5, true);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quiet_days),
		cmocka_unit_test(bad_days),
		cmocka_unit_test(restless_days),
		cmocka_unit_test(the_worst_days),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
