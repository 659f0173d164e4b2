/*
 * Front: a walk over an order that moves, events as the only feed of changes, threads in parts, few calls a minute. What is held is what there is, after one
 * changes run, for as many calls as that takes.
 */
#include "support/office.h"

#include <codec/msgpack.h>

#include <stdio.h>
#include <string.h>

static bool holds_thread(const struct office *o, unsigned id)
{
	struct snapshot *view = snapshot_new(o->store);
	struct record r;
	char text[32];

	snprintf(text, sizeof text, "cnv_%u", id);
	int rc = snapshot_peek(view, "conversations", bytes_str(text), &r);
	snapshot_free(view);
	return rc == 1 && !(r.flags & RECORD_DELETED);
}

/* ---- tests ---- */

static void first_sync(void **state)
{
	struct office o = {0};

	(void)state;
	office_open(&o, 120, 5 * HOUR_MS);
	office_whole(&o);
	office_equal(&o);
	assert_int_equal(o.company->refused, 0);
	office_close(&o);
}

/* Each kind of change, none of which the list's order need tell of; then all of them at once. */
static void changes(void **state)
{
	static const char *const kinds[] = {"tag",        "assign",   "archive",
					    "reopen",     "trash",    "restore",
					    "link_added", "reminder", "custom_field_updated"};
	struct office o = {0};
	struct company *c;

	(void)state;
	office_open(&o, 60, 5 * HOUR_MS);
	c = o.company;
	office_whole(&o);
	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		office_live(&o, 30000);
		company_touch(c, &c->threads[i], kinds[i], false);
		office_wish(&o, "conversations", SYNC_CHANGES);
		office_equal(&o);
	}
	company_open(c);
	company_message(c, &c->threads[20]);
	company_comment(c, &c->threads[21]);
	office_wish(&o, "conversations", SYNC_CHANGES);
	office_equal(&o);
	office_live(&o, 5000);
	for (unsigned i = 0; i < 40; i++)
		company_touch(c, &c->threads[i], kinds[i % 9], i % 2);
	for (unsigned i = 0; i < 230; i++)
		company_message(c, &c->threads[30]);
	company_open(c);
	c->contact_version[3]++;
	c->contact_updated_ms[3] = loop_wall_ms(o.loop);
	office_wish(&o, "contacts", SYNC_CHANGES);
	office_wish(&o, "conversations", SYNC_CHANGES);
	office_equal(&o);
	/* Previews say which conversation, and no more. */
	c->previews = true;
	office_live(&o, 5000);
	company_touch(c, &c->threads[5], "tag", false);
	office_wish(&o, "conversations", SYNC_CHANGES);
	office_equal(&o);
	office_close(&o);
}

static void merges(void **state)
{
	struct office o = {0};
	struct company *c;

	(void)state;
	office_open(&o, 40, 5 * HOUR_MS);
	c = o.company;
	office_whole(&o);
	for (unsigned i = 0; i < 6; i++) {
		office_live(&o, MINUTE_MS);
		company_merge(c, &c->threads[i * 3], &c->threads[i * 3 + 1 + i % 2]);
		/* Now and then the one that it went into is read first. */
		if (i % 2)
			company_touch(c, &c->threads[i * 3 + 1 + i % 2], "tag", false);
		office_wish(&o, "conversations", SYNC_CHANGES);
		office_equal(&o);
	}
	office_close(&o);
}

/* An event may show up after others that are dated later. */
static void late_events(void **state)
{
	struct office o = {0};
	struct company *c;

	(void)state;
	office_open(&o, 40, 5 * HOUR_MS);
	c = o.company;
	office_whole(&o);
	company_touch(c, &c->threads[4], "tag", false);
	c->events[c->event_count - 1].shown_ms += 4 * MINUTE_MS;
	c->threads[4].version--; /* nor is what it tells of there yet */
	office_wish(&o, "conversations", SYNC_CHANGES);
	office_live(&o, MINUTE_MS);
	company_touch(c, &c->threads[5], "tag", false);
	office_wish(&o, "conversations", SYNC_CHANGES);
	office_equal(&o);
	office_live(&o, 4 * MINUTE_MS);
	c->threads[4].version++;
	office_wish(&o, "conversations", SYNC_CHANGES);
	office_equal(&o);
	/* Nor does a conversation that was read since say that all of its events were there. */
	company_touch(c, &c->threads[6], "tag", false);
	company_touch(c, &c->threads[6], "assign", false);
	c->events[c->event_count - 1].shown_ms += 4 * MINUTE_MS;
	c->threads[6].version--;
	office_live(&o, 3000);
	office_wish(&o, "conversations", SYNC_CHANGES);
	office_equal(&o);
	office_live(&o, 4 * MINUTE_MS);
	c->threads[6].version++;
	office_wish(&o, "conversations", SYNC_CHANGES);
	office_equal(&o);
	office_close(&o);
}

/* Pages of events, and three calls for each conversation that they are about: no more, however the feed's overlap repeats them. */
static void cost(void **state)
{
	struct office o = {.only_threads = true, .every_ms = 20 * DAY_MS};
	struct company *c;

	(void)state;
	office_open(&o, 60, 5 * HOUR_MS);
	c = o.company;
	c->tidy = true;
	while (!office_history_is_held(&o)) {
		office_live(&o, HOUR_MS);
		office_wish(&o, "conversations", SYNC_CHANGES);
	}
	for (int round = 0; round < 5; round++) {
		office_live(&o, 3 * MINUTE_MS);
		unsigned calls = c->calls, events = 0;
		/* Whatever the last rounds told of is in the overlap as well. */
		for (unsigned i = 0; i < c->event_count; i++)
			events += c->events[i].at_ms > loop_wall_ms(o.loop) - 14 * MINUTE_MS;
		for (unsigned i = 0; i < 24; i++, events++)
			company_touch(c, &c->threads[(i * 5 + (unsigned)round) % 8], "tag", false);
		office_wish(&o, "conversations", SYNC_CHANGES);
		calls = c->calls - calls;
		if (calls > (unsigned)((double)((events + 14) / 15 + 8 * 3) * 1.1))
			fail_msg("%u calls for %u events about 8 conversations", calls, events);
		office_equal(&o);
	}
	/* Nothing happens: a page of events, and no record is written. */
	office_live(&o, HOUR_MS);
	office_wish(&o, "conversations", SYNC_CHANGES);
	unsigned calls = c->calls;
	office_live(&o, HOUR_MS);
	office_wish(&o, "conversations", SYNC_CHANGES);
	assert_int_equal(c->calls - calls, 1);
	assert_int_equal(o.info.created + o.info.updated + o.info.deleted, 0);
	office_close(&o);
}

/* Killed again and again in the middle of the first reading: threads that were committed are not read again. */
static void kills(void **state)
{
	struct office o = {.only_threads = true};
	unsigned kills = 0;

	(void)state;
	office_open(&o, 150, 5 * HOUR_MS);
	o.company->tidy = true;
	/* Old ones that somebody has written to of late stand among the first: nothing is known of what was made since. */
	for (unsigned i = 0; i < 150; i += 25)
		company_message(o.company, &o.company->threads[i]);
	while (!office_history_is_held(&o) && kills < 100) {
		/* Once its last page's cursor is not taken any more. */
		o.company->forgets |= kills == 3;
		office_live(&o, 3 * MINUTE_MS + 17000);
		office_true(&o);
		if (office_history_is_held(&o))
			break;
		office_restart(&o);
		kills++;
	}
	assert_true(kills > 2 && kills < 100);
	office_equal(&o);
	/* Of each kill what was read but not committed yet. */
	assert_true(o.company->thread_calls <= 150 * 3 + kills * 5 * 3);
	/* The page at work is listed again; from the top only once. */
	assert_true(o.company->list_calls <= 6 + kills + 6);
	assert_false(o.company->forgets);
	assert_int_equal(o.company->refused, 0);
	office_close(&o);
}

/* One answer that there is no such conversation deletes none; a second one, asked for later, does. */
static void passing_404s(void **state)
{
	struct office o = {.only_threads = true};
	struct company *c;

	(void)state;
	office_open(&o, 40, 5 * HOUR_MS);
	c = o.company;
	office_whole(&o);
	for (unsigned i = 0; i < 2; i++) {
		office_live(&o, MINUTE_MS);
		company_message(c, &c->threads[7]);
		c->denied = c->threads[7].id;
		c->denials = i ? 1000 : 1;
		office_wish(&o, "conversations", SYNC_CHANGES);
		assert_true(holds_thread(&o, c->denied));
		office_live(&o, 2 * HOUR_MS);
		office_wish(&o, "conversations", SYNC_CHANGES);
		if (i)
			c->threads[7].gone_ms = loop_wall_ms(o.loop);
		office_equal(&o);
	}
	office_close(&o);
}

/* A list in another order than was asked for says nothing before its end. */
static void another_order(void **state)
{
	struct office o = {.only_threads = true};
	unsigned looks = 0;

	(void)state;
	office_open(&o, 150, 5 * HOUR_MS);
	o.company->tidy = o.company->shuffled = true;
	for (; !office_history_is_held(&o); looks++) {
		office_live(&o, 2 * MINUTE_MS);
		office_wish(&o, "conversations", SYNC_CHANGES);
		office_true(&o);
	}
	assert_true(looks > 2);
	office_whole(&o);
	office_equal(&o);
	office_close(&o);
}

/* What no event tells of but the list does: a reading of all of it reads what has moved, and nothing else. */
static void everything_again(void **state)
{
	struct office o = {.only_threads = true};
	struct company *c;

	(void)state;
	office_open(&o, 60, 5 * HOUR_MS);
	c = o.company;
	office_whole(&o);
	office_live(&o, HOUR_MS);
	for (unsigned i = 0; i < 60; i += 20) {
		c->threads[i].version++;
		c->threads[i].updated_ms = loop_wall_ms(o.loop);
	}
	unsigned before = c->thread_calls;
	office_wish(&o, "conversations", SYNC_FULL);
	assert_int_equal(o.outcome, RUN_OK);
	assert_int_equal(c->thread_calls - before, 3 * 3);
	office_equal(&o);
	office_close(&o);
}

/* Fifty calls a minute are little: the newest day is there soon, and the limit is never passed. */
static void newest_day(void **state)
{
	struct office o = {.only_threads = true};

	(void)state;
	office_open(&o, 800, HOUR_MS / 2);
	office_live(&o, 10 * MINUTE_MS);
	assert_true(office_covered(&o, "conversations", START - DAY_MS, START - 1000));
	assert_true(office_covered(&o, "messages", START - DAY_MS, START - 1000));
	assert_int_equal(o.company->refused, 0);
	office_close(&o);
}

/* What is left of the past is foretold: its calls, and the hours that they take. */
static void plan(void **state)
{
	struct office o = {.only_threads = true, .history_ms = 16 * DAY_MS};
	struct sync_estimate e[2];
	struct why why = {""};

	(void)state;
	office_open(&o, 800, HOUR_MS / 2);
	office_live(&o, 20 * MINUTE_MS);
	assert_int_equal(sync_estimate(o.sync,
				       provider_type(&provider_front, bytes_str("conversations")),
				       SYNC_BACKFILL, TIME_MIN, TIME_MAX, e, 2, &why),
			 2);
	unsigned calls = o.company->calls;
	int64_t began = loop_wall_ms(o.loop);
	office_whole(&o);
	calls = o.company->calls - calls;
	double took = (double)(loop_wall_ms(o.loop) - began);
	print_message("%lld calls in %lld min foretold, %u in %.0f\n", (long long)e[0].calls,
		      (long long)(e[0].ms / MINUTE_MS), calls, took / (double)MINUTE_MS);
	assert_true((double)e[0].calls > calls * 0.8 && (double)e[0].calls < calls * 1.2);
	assert_true((double)e[0].ms > took * 0.7 && (double)e[0].ms < took * 1.3);
	assert_int_equal(o.company->refused, 0);
	office_close(&o);
}

/* While the past is read for hours, somebody asks: he waits for seconds, what was begun is read on, and nothing twice. */
static void on_demand(void **state)
{
	struct office o = {.only_threads = true, .every_ms = 20 * DAY_MS};
	int64_t worst = 0;
	unsigned random = 7;

	(void)state;
	office_open(&o, 500, HOUR_MS / 2);
	o.company->tidy = true;
	for (int i = 0; i < 25; i++) {
		random = random * 1103515245 + 12345;
		office_live(&o, 25000 + random / 65536 % 60000);
		/* Of long ago: the walk has not come to it. */
		unsigned id = o.company->threads[i].id;
		assert_false(holds_thread(&o, id));
		int64_t took = office_read(&o, id);
		assert_true(holds_thread(&o, id));
		worst = took > worst ? took : worst;
	}
	print_message("a thread was there after %lld ms at the most\n", (long long)worst);
	assert_true(worst < 20000);
	assert_false(office_history_is_held(&o));
	/* Whoever asks on and on: the past is read all the same. */
	unsigned before = o.company->thread_calls;
	for (int i = 0; i < 60; i++)
		office_read(&o, o.company->threads[0].id);
	assert_true(o.company->thread_calls - before >= 60 * 4 + 60);
	before = o.company->thread_calls - before - 60 * 4 - 60;
	office_whole(&o);
	office_wish(&o, "conversations", SYNC_CHANGES);
	office_equal(&o);
	/* Four calls for each that was asked for, and three for each other: none is read for it again but what the page at work had listed. */
	assert_true(o.company->thread_calls <= 60 * 4 + 25 * 4 + 475 * 3 + 30);
	assert_int_equal(o.company->refused, 0);
	office_close(&o);
}

/* A search brings what it finds, keeps to its own limit, and claims nothing. */
static void searches(void **state)
{
	struct office o = {.only_threads = true, .every_ms = 20 * DAY_MS};

	(void)state;
	office_open(&o, 100, HOUR_MS);
	o.company->tidy = true;
	office_live(&o, 10000);
	int64_t took = office_search(&o);
	assert_true(o.company->search_calls == 1 && took < 3 * MINUTE_MS);
	office_whole(&o);
	office_wish(&o, "conversations", SYNC_CHANGES);
	for (int i = 0; i < 40; i++)
		office_search(&o);
	assert_int_equal(o.company->search_calls, 41);
	assert_int_equal(o.company->refused, 0);
	office_equal(&o);
	office_close(&o);
}

/* Only the wanted history is read. */
static void history(void **state)
{
	struct office o = {.only_threads = true, .history_ms = 4 * DAY_MS};

	(void)state;
	office_open(&o, 400, 2 * HOUR_MS);
	office_whole(&o);
	/* Four days and a part of one are sixty; a page more, and those that were tagged since. */
	assert_true(o.company->thread_calls < 110 * 3);
	office_close(&o);
}

/* What no event tells of: a comment that was edited, a conversation that was deleted for good. */
static void verify(void **state)
{
	struct office o = {.only_threads = true};
	struct company *c;

	(void)state;
	office_open(&o, 40, 5 * HOUR_MS);
	c = o.company;
	company_comment(c, &c->threads[10]);
	office_whole(&o);
	office_live(&o, 2 * DAY_MS);
	c->threads[10].comments[0].version++;
	c->threads[11].messages[0].gone = true;
	c->threads[12].gone_ms = loop_wall_ms(o.loop);
	for (int i = 0; i < 300; i++) {
		office_wish(&o, "conversations", SYNC_VERIFY);
		assert_int_equal(o.outcome, RUN_OK);
	}
	office_wish(&o, "conversations", SYNC_CHANGES);
	office_live(&o, DAY_MS);
	office_equal(&o);
	office_close(&o);
}

/* A list that never ends is noticed, whichever it is. */
static void endless(void **state)
{
	struct office o = {.only_threads = true};

	(void)state;
	office_open(&o, 40, 5 * HOUR_MS);
	o.company->endless = true;
	office_live(&o, HOUR_MS);
	assert_true(o.company->calls < 60 * 40);
	unsigned calls = o.company->calls;
	assert_true(calls > 3);
	o.company->endless = false;
	office_whole(&o);
	office_equal(&o);
	o.company->endless = true;
	calls = o.company->calls;
	office_wish(&o, "conversations", SYNC_CHANGES);
	assert_int_not_equal(o.outcome, RUN_OK);
	assert_true(o.company->calls - calls < 20);
	office_close(&o);
}

/* Whether he who wrote with this handle is held as somebody of our own: 1; -1: as merged into that contact; 0: not at all. */
static int stranger(const struct office *o, unsigned person)
{
	struct snapshot *view = snapshot_new(o->store);
	char id[40], contact[16];
	struct record r;

	snprintf(id, sizeof id, "alt:email:p%u@x.test", person);
	snprintf(contact, sizeof contact, "crd_%u", person);
	struct buf memory = {0};
	int rc = snapshot_get(view, "contacts", bytes_str(id), &memory, &r);
	if (rc == 1 && (r.flags & RECORD_DELETED)) {
		assert_true(r.flags & RECORD_MERGED && bytes_is(r.merged_into, contact));
		rc = -1;
	}
	buf_release(&memory);
	snapshot_free(view);
	return rc;
}

/* Who writes without being a contact is held once, however often and however spelt; not when the contact is held, and no more when he comes. */
static void strangers(void **state)
{
	struct office o = {0};
	struct company *c;

	(void)state;
	office_open(&o, 40, HOUR_MS);
	c = o.company;
	c->known = 2;
	office_whole(&o);
	office_live(&o, HOUR_MS);
	assert_true(stranger(&o, 0) == 0 && stranger(&o, 1) == 0);
	for (unsigned i = 2; i < COMPANY_PEOPLE; i++)
		assert_int_equal(stranger(&o, i), 1);
	struct snapshot *view = snapshot_new(o.store);
	assert_int_equal(snapshot_count(view, "contacts"), c->contacts + COMPANY_PEOPLE - 2);
	snapshot_free(view);
	/* He becomes a contact. */
	c->known = 3;
	c->contact_version[2]++;
	c->contact_updated_ms[2] = loop_wall_ms(o.loop);
	office_wish(&o, "contacts", SYNC_CHANGES);
	assert_int_equal(stranger(&o, 2), -1);
	/* His messages still do not say so. */
	for (unsigned i = 0; i < 20; i++)
		company_message(c, &c->threads[i]);
	office_wish(&o, "conversations", SYNC_CHANGES);
	office_equal(&o);
	assert_int_equal(stranger(&o, 2), -1);
	assert_true(stranger(&o, 0) == 0 && stranger(&o, 3) == 1);
	/* A list of all contacts says nothing of the others. */
	unsigned calls = c->calls;
	office_wish(&o, "contacts", SYNC_FULL);
	assert_true(o.outcome == RUN_OK && o.info.deleted == 0 && o.info.gone == 0);
	assert_true(c->calls - calls < 12);
	assert_true(stranger(&o, 3) == 1 && stranger(&o, 4) == 1);
	office_close(&o);
}

/* One conversation whose messages cannot be read stops nobody, is told of, and is read when it can be. */
static void dead(void **state)
{
	struct office o = {.only_threads = true};
	struct dead_entry letter = {0};
	char id[32];

	(void)state;
	office_open(&o, 60, 5 * HOUR_MS);
	o.company->broken = o.company->threads[30].id;
	snprintf(id, sizeof id, "cnv_%u", o.company->broken);
	office_live(&o, HOUR_MS);
	assert_true(sync_dead_next(o.sync, 0, &letter));
	assert_string_equal(letter.letter->id, id);
	assert_false(sync_dead_next(o.sync, letter.number, &letter));
	/* All others are there, and changes go on. */
	company_message(o.company, &o.company->threads[29]);
	office_wish(&o, "conversations", SYNC_CHANGES);
	assert_int_equal(o.outcome, RUN_OK);
	for (unsigned i = 0; i < 60; i++)
		assert_true(i == 30 || holds_thread(&o, o.company->threads[i].id));
	assert_true(office_covered(&o, "conversations", START - 12 * DAY_MS, START - 1000));
	o.company->broken = 0;
	office_live(&o, 2 * DAY_MS);
	letter = (struct dead_entry){0};
	assert_false(sync_dead_next(o.sync, 0, &letter));
	office_whole(&o);
	office_equal(&o);
	office_close(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_sync),   cmocka_unit_test(changes),
		cmocka_unit_test(merges),       cmocka_unit_test(late_events),
		cmocka_unit_test(cost),         cmocka_unit_test(kills),
		cmocka_unit_test(newest_day),   cmocka_unit_test(history),
		cmocka_unit_test(plan),         cmocka_unit_test(on_demand),
		cmocka_unit_test(searches),     cmocka_unit_test(strangers),
		cmocka_unit_test(dead),         cmocka_unit_test(verify),
		cmocka_unit_test(endless),      cmocka_unit_test(another_order),
		cmocka_unit_test(passing_404s), cmocka_unit_test(everything_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
