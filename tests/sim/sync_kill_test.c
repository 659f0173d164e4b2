/*
 * Killed at durable steps while conversations are deleted, changed and read: by backfills, changes runs, verify runs and single reads, with a journal and the store's own upkeep.
 * Whatever is lost, coverage never claims it, and when the world stands still the mirror is the world: above all, nothing that was deleted is held.
 *
 * SIM_SEEDS=N tries N more seeds, SIM_SEED=S one of them with SIM_LOG=4 to see what happens.
 */
#include "support/lab.h"

#include <stdio.h>
#include <stdlib.h>

#define KILLS 25

static const struct resource_type *conversations(void)
{
	return provider_type(&provider_intercom, bytes_str("conversations"));
}

static void vary(struct lab *lab, uint64_t *random)
{
	struct world_options *o = &lab->options;

	lab->only_conversations = true;
	lab->upkeep = true;
	lab->journal_bytes = sim_below(random, 4) == 0 ? 0 : 4096 << sim_below(random, 5);
	lab->every_ms = MINUTE_MS;
	lab->fsync_ms = (int64_t)sim_below(random, 3) * 20;
	lab->concurrency = 1 + (unsigned)sim_below(random, 6);
	lab->verify_ms = (int64_t)sim_below(random, 2) * 2 * DAY_MS;
	lab->txn_bytes = sim_below(random, 3) == 0 ? 4000 : 0;
	o->rate_limit = 0;
	o->deletions = 20;
	o->burst = 20;
	o->page_max = 2 + (unsigned)sim_below(random, sim_below(random, 2) ? 8 : 40);
	o->index_lag_ms = sim_below(random, 3) == 0 ? 20000 : 0;
	o->ties_descending = sim_below(random, 2);
	o->change_every_ms = 100 + (int64_t)sim_below(random, 3000);
	o->count[KIND_CONVERSATION] = 60;
}

/* What clients do, too. */
static void wish(struct lab *lab, uint64_t *random)
{
	static const enum sync_mode modes[] = {SYNC_CHANGES, SYNC_FULL, SYNC_BACKFILL, SYNC_VERIFY};
	struct thing *t = lab->world->things[sim_below(random, lab->world->count)];
	struct why why;
	uint64_t id;
	char text[24];

	snprintf(text, sizeof text, "%u", t->id);
	struct bytes name = bytes_str(text);
	if (sim_below(random, 3) == 0)
		sync_wish_ids(lab->sync, conversations(), &name, 1, &id, &why);
	if (sim_below(random, 2))
		sync_wish(lab->sync, conversations(), modes[sim_below(random, 4)], &id, 1, &why);
}

static bool struck(struct lab *lab)
{
	return lab->struck;
}

static void killed(uint64_t seed)
{
	struct lab lab;
	uint64_t random = seed * 131 + 7;

	lab_init(&lab, seed);
	vary(&lab, &random);
	lab_open(&lab);
	for (int kill = 0; kill < KILLS; kill++) {
		lab.strike = 1 + sim_below(&random, 80);
		for (int i = 0; i < 6 && !lab.struck; i++) {
			wish(&lab, &random);
			lab_run_until(&lab, (int64_t)sim_below(&random, 30000), struck);
		}
		lab.strike = 0;
		if (lab.struck)
			lab_strike(&lab);
		/* Longer than changes runs look back. */
		if (sim_below(&random, 6) == 0)
			lab_sleep(&lab, 10 * MINUTE_MS);
	}
	lab.world->options.change_every_ms = 0;
	lab_run(&lab, 30 * MINUTE_MS);
	lab_check(&lab);
	lab_equal(&lab);
	if (lab.broken)
		fail_msg("seed %llu: %u claims were broken", (unsigned long long)seed, lab.broken);
	if (!lab_whole(&lab, 3 * MINUTE_MS + lab.options.index_lag_ms))
		fail_msg("seed %llu: not everything is held in the end", (unsigned long long)seed);
	lab_close(&lab);
}

static void killed_while_conversations_are_deleted(void **state)
{
	uint64_t n = getenv("SIM_SEEDS") ? strtoull(getenv("SIM_SEEDS"), NULL, 10) : 0;

	(void)state;
	if (getenv("SIM_SEED")) {
		killed(strtoull(getenv("SIM_SEED"), NULL, 10));
		return;
	}
	for (uint64_t seed = 1; seed <= 8 + n; seed++)
		killed(seed);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_while_conversations_are_deleted),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
