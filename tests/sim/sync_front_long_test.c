/*
 * A company at Front at its size, for days: a first reading of a day and more at fifty calls a minute, restarts in the middle of it, ten thousand contacts; and a
 * company that lives on for months while the mirror is killed again and again.
 *
 * FRONT_THREADS=N (2000), SOAK_DAYS=N (3) and SOAK_SEED=N (1) in the environment; `make soak` reads 20,000 and lives ninety days.
 */
#include "support/office.h"

#include <stdio.h>
#include <stdlib.h>

static unsigned setting(const char *name, unsigned otherwise)
{
	return getenv(name) ? (unsigned)strtoul(getenv(name), NULL, 10) : otherwise;
}

static struct sync_estimate foretold(struct office *o)
{
	struct sync_estimate e[2];
	struct why why = {""};

	assert_int_equal(sync_estimate(o->sync,
				       provider_type(&provider_front, bytes_str("conversations")),
				       SYNC_BACKFILL, TIME_MIN, TIME_MAX, e, 2, &why),
			 2);
	return e[0];
}

/* A conversation every half an hour, for as long as it takes. */
static void first_reading(void **state)
{
	unsigned threads = setting("FRONT_THREADS", 2000), kills = 0;
	struct office o = {.history_ms = threads * (HOUR_MS / 2) + DAY_MS};

	(void)state;
	office_open(&o, threads, HOUR_MS / 2);
	o.company->tidy = true;
	while (!office_covered(&o, "messages", START - DAY_MS, START - 1000))
		office_live(&o, 10000);
	assert_true(office_covered(&o, "conversations", START - DAY_MS, START - 1000));
	int64_t newest = loop_wall_ms(o.loop) - START;
	assert_true(newest < 10 * MINUTE_MS);
	office_live(&o, threads * (HOUR_MS / 2) / 2000);
	struct sync_estimate plan = foretold(&o);
	int64_t began = loop_wall_ms(o.loop);
	for (unsigned i = 1; !office_history_is_held(&o); i++) {
		office_live(&o, 97 * MINUTE_MS / 10);
		if (i % 10 == 0 && !office_history_is_held(&o)) {
			office_restart(&o);
			kills++;
		}
	}
	int64_t took = loop_wall_ms(o.loop) - began;
	print_message(
		"%u threads, newest day after %lld s, %lld calls in %lld min foretold, %lld taken, %u kills, %u calls for threads, %u for lists\n",
		threads, (long long)newest / 1000, (long long)plan.calls,
		(long long)(plan.ms / MINUTE_MS), (long long)(took / MINUTE_MS), kills,
		o.company->thread_calls, o.company->list_calls);
	assert_true((double)plan.ms > (double)took * 0.75 && (double)plan.ms < (double)took * 1.25);
	assert_true(kills > 0);
	/* What a kill may cost: threads that were read but for the commit, and the page at work, listed again. */
	assert_true(o.company->thread_calls <= threads * 3 + kills * 6 * 3);
	assert_true(o.company->list_calls <= threads / 25 + 2 + kills * 2);
	assert_int_equal(o.company->refused, 0);
	office_wish(&o, "conversations", SYNC_CHANGES);
	office_equal(&o);
	office_close(&o);
}

/* Without limits, at 40 to 80 ms an answer. */
static void many_contacts(void **state)
{
	struct office o = {.rate = 6000, .contacts = 10000};

	(void)state;
	office_open(&o, 30, HOUR_MS);
	o.company->tidy = true;
	for (unsigned i = 0; i < 249; i++)
		company_message(o.company, &o.company->threads[3]);
	for (unsigned i = 0; i < 8; i++)
		company_comment(o.company, &o.company->threads[3]);
	while (!office_covered(&o, "contacts", TIME_MIN, START))
		office_live(&o, 500);
	int64_t took = loop_wall_ms(o.loop) - START;
	assert_true(o.company->contact_calls <= 102);
	office_whole(&o);
	int64_t thread = office_read(&o, o.company->threads[3].id);
	print_message("10,000 contacts after %lld ms, a thread of 250 messages after %lld ms\n",
		      (long long)took, (long long)thread);
	assert_true(took < 30000);
	assert_true(thread < 1000);
	office_equal(&o);
	office_close(&o);
}

/* ---- months ---- */

static void happen(struct company *c, uint64_t *random)
{
	static const char *const kinds[] = {"tag",   "untag",      "assign",   "archive", "reopen",
					    "trash", "link_added", "reminder", "restore"};
	struct company_thread *t = &c->threads[sim_below(random, c->count)];
	struct company_thread *other = &c->threads[sim_below(random, c->count)];
	uint64_t what = sim_below(random, 100);

	if (t->gone_ms != TIME_MAX)
		return;
	if (what < 20)
		company_open(c);
	else if (what < 50)
		company_message(c, t);
	else if (what < 60 && t->notes < 8)
		company_comment(c, t);
	else if (what < 63 && other != t && other->gone_ms == TIME_MAX)
		company_merge(c, t, other);
	else
		company_touch(c, t, kinds[what % 9], what % 2);
	if (what % 10 == 0)
		c->events[c->event_count - 1].shown_ms += (int64_t)sim_below(random, 120000);
}

struct months {
	uint64_t random;
	unsigned kills, checks, changes;
	uint64_t held;
};

static void an_hour(struct office *o, struct months *m)
{
	unsigned n = (unsigned)sim_below(&m->random, 12);

	for (unsigned i = 0; i < n; i++) {
		office_live(o, (int64_t)sim_below(&m->random, (uint64_t)HOUR_MS / 12));
		happen(o->company, &m->random);
		m->changes++;
		if (sim_below(&m->random, 100) == 0)
			office_read(o, o->company->threads[sim_below(&m->random, 100)].id);
	}
	if (sim_below(&m->random, 20) == 0) {
		office_restart(o);
		m->kills++;
	}
	office_live(o, HOUR_MS / 4);
}

static void soak(void **state)
{
	struct months m = {.random = setting("SOAK_SEED", 1) * 31 + 7};
	struct office o = {.history_ms = 70 * DAY_MS};
	unsigned days = setting("SOAK_DAYS", 3);

	(void)state;
	office_open(&o, 1500, HOUR_MS);
	for (unsigned hour = 0; hour < days * 24; hour++) {
		an_hour(&o, &m);
		if (hour % 3)
			continue;
		/* What shows up later than it is dated has shown up by then. */
		office_live(&o, 3 * MINUTE_MS);
		office_wish(&o, "conversations", SYNC_CHANGES);
		m.held += office_true(&o);
		m.checks++;
	}
	office_whole(&o);
	office_wish(&o, "conversations", SYNC_CHANGES);
	office_equal(&o);
	print_message(
		"%u days, %u changes, %u calls, %u kills, %u checks of %llu conversations, %u refused\n",
		days, m.changes, o.company->calls, m.kills, m.checks, (unsigned long long)m.held,
		o.company->refused);
	assert_true(m.kills > 0 && m.held > 0);
	assert_int_equal(o.company->refused, 0);
	office_close(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_reading),
		cmocka_unit_test(many_contacts),
		cmocka_unit_test(soak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
