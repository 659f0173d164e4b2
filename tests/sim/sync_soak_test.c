/*
 * Months in the life of a mirror, on a virtual clock: 5,000 changes a day, faults in one answer of twenty, a daemon that is killed again and again, a
 * machine that sleeps, and a clock that is set both ways. No claim is false at any checkpoint, hardly a run fails, and in the end cache and truth are the same.
 *
 * SOAK_DAYS=N (5) and SOAK_SEED=N (1) in the environment; `make soak` runs ninety days.
 */
#include "support/lab.h"

#include <codec/msgpack.h>

#include <stdio.h>
#include <stdlib.h>

#define HOUR_MS       (60 * MINUTE_MS)
#define SUCCESS_LEAST 0.995

static unsigned long setting(const char *name, unsigned long otherwise)
{
	return getenv(name) ? strtoul(getenv(name), NULL, 10) : otherwise;
}

/* ---- how runs ended ---- */

struct runs {
	uint64_t last, newest; /* sequence numbers in the trail */
	unsigned ok, failed;
};

static bool note_run(void *ctx, uint64_t sequence, struct bytes run)
{
	struct runs *r = ctx;
	struct bytes outcome, error;

	if (sequence <= r->last)
		return false;
	if (sequence > r->newest)
		r->newest = sequence;
	if (!mp_find_str(run, "outcome", &outcome))
		return true;
	r->ok += bytes_is(outcome, "ok");
	r->failed += bytes_is(outcome, "failed");
	if (bytes_is(outcome, "failed") && getenv("SIM_LOG") && mp_find_str(run, "error", &error))
		fprintf(stderr, "failed: %.*s\n", (int)error.len, (const char *)error.data);
	return true;
}

static void note_runs(struct lab *lab, struct runs *r)
{
	if (trail_scan(lab->trail, UINT64_MAX, note_run, r))
		fail_msg("the trail cannot be read");
	r->last = r->newest;
}

/* ---- what happens ---- */

struct plan {
	uint64_t random;
	unsigned days, kills, sleeps, steps; /* the last three: so far */
};

/* So many times in ninety days. */
static bool happens(struct plan *p, unsigned times)
{
	return sim_below(&p->random, 90 * 24) < times;
}

static void step(struct lab *lab, struct plan *p, int64_t by_ms)
{
	lab_step_clock(lab, by_ms);
	p->steps++;
}

static void an_hour(struct lab *lab, struct plan *p)
{
	int64_t before = (int64_t)sim_below(&p->random, (uint64_t)HOUR_MS);

	lab_run(lab, before);
	if (happens(p, 55)) {
		lab_kill(lab);
		p->kills++;
	}
	if (happens(p, 20)) {
		lab_sleep(lab, (int64_t)sim_below(&p->random, 10 * (uint64_t)HOUR_MS));
		p->sleeps++;
	}
	if (happens(p, 20)) {
		int64_t by = (int64_t)sim_below(&p->random, 2 * (uint64_t)DAY_MS) - DAY_MS;
		step(lab, p, p->steps % 2 ? by : by / 100);
	}
	lab_run(lab, HOUR_MS - before);
}

/* What even the shortest soak shall see. */
static void at_the_end_of_a_day(struct lab *lab, struct plan *p, unsigned day)
{
	if (p->kills <= day * 50 / 90) {
		lab_kill(lab);
		p->kills++;
	}
	if (day % 5 == 1)
		step(lab, p, -7 * HOUR_MS);
	if (day % 5 == 2) {
		lab_sleep(lab, 9 * HOUR_MS);
		p->sleeps++;
	}
	if (day % 5 == 3)
		step(lab, p, 7 * HOUR_MS);
}

static bool idle(struct lab *lab)
{
	return sync_idle(lab->sync);
}

/* The world stands still; what is due is read, contacts in full. */
static void end(struct lab *lab)
{
	uint64_t ids[4];
	struct why why;

	lab->world->options.change_every_ms = 0;
	lab->world->mishap_percent = 0;
	lab_run(lab, 90 * MINUTE_MS);
	if (sync_wish(lab->sync, provider_type(&provider_intercom, bytes_str("contacts")),
		      SYNC_FULL, ids, 4, &why) != 1)
		fail_msg("contacts cannot be asked for");
	if (!lab_run_until(lab, HOUR_MS, idle))
		fail_msg("the sync does not come to rest");
	lab_run(lab, 10 * MINUTE_MS);
	lab_check(lab);
	lab_equal(lab);
}

static uint64_t changes_of(const struct world *w)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < w->count; i++)
		n += w->things[i]->changes + (w->things[i]->deleted_ms != TIME_MAX);
	return n;
}

static void soak(void **state)
{
	struct lab lab;
	struct runs runs = {0};
	struct plan plan = {.random = setting("SOAK_SEED", 1) * 7777 + 5,
			    .days = (unsigned)setting("SOAK_DAYS", 5)};

	(void)state;
	lab_init(&lab, setting("SOAK_SEED", 1));
	lab.options.change_every_ms = 17000;
	lab.options.page_max = 150;
	lab.options.count[KIND_CONVERSATION] = 2000;
	lab.options.count[KIND_CONTACT] = 600;
	lab.options.count[KIND_COMPANY] = 100;
	lab.check_every_ms = 6 * HOUR_MS;
	lab_open(&lab);
	lab.world->mishap_percent = 5;
	uint64_t before = changes_of(lab.world);
	for (unsigned day = 0; day < plan.days; day++) {
		for (int hour = 0; hour < 24; hour++)
			an_hour(&lab, &plan);
		at_the_end_of_a_day(&lab, &plan, day);
		lab_check(&lab);
		note_runs(&lab, &runs);
		if (getenv("SIM_LOG"))
			fprintf(stderr, "day %u: %u things, %u ok, %u failed, %llu calls\n", day,
				lab.world->count, runs.ok, runs.failed,
				(unsigned long long)lab.world->calls);
	}
	uint64_t changes = changes_of(lab.world) - before;
	end(&lab);
	note_runs(&lab, &runs);
	double success = (double)runs.ok / (double)(runs.ok + runs.failed);
	printf("%u days, %llu changes, %llu calls, %u kills, %u sleeps, %u clock steps, %u runs, %.3f %% ok, %llu checks, %u false claims\n",
	       plan.days, (unsigned long long)changes, (unsigned long long)lab.world->calls,
	       plan.kills, plan.sleeps, plan.steps, runs.ok + runs.failed, success * 100,
	       (unsigned long long)lab.checks, lab.broken);
	assert_int_equal(lab.broken, 0);
	assert_true(changes >= plan.days * UINT64_C(5000));
	assert_true(success > SUCCESS_LEAST);
	lab_close(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(soak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
