/*
 * Front: a walk over an order that moves, events as the only feed of changes, threads in parts, few calls a minute. What is held is what there is, after one
 * changes run, for as many calls as that takes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/company.h"

#include <codec/msgpack.h>
#include <sync/sync.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define START     INT64_C(1700000000000)
#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

struct office {
	struct loop *loop;
	struct http *http;
	struct store *store;
	struct trail *trail;
	struct sync *sync;
	struct company *company;
	char dir[64];
	int64_t every_ms, history_ms, verify_ms;
	bool only_threads, stopped, ended;
	enum run_outcome outcome;
	struct run_info info;
};

static int hook_fsync(void *ctx, int fd, void (*done)(void *arg, int error), void *arg)
{
	(void)ctx;
	(void)fd;
	done(arg, 0);
	return 0;
}

static void begin(struct office *o)
{
	static const char *const names[] = {"conversations", "tags", "contacts"};
	struct sync_resource_options resources[3];
	struct why why = {""};
	char runs[96];
	size_t n = o->only_threads ? 1 : 3;
	struct store_options store = {.dir = o->dir, .hooks = {.fsync = hook_fsync}};

	assert_int_equal(store_open(&store, &o->store, &why), 0);
	snprintf(runs, sizeof runs, "%s/runs", o->dir);
	assert_int_equal(trail_open(runs, 1 << 20, 2, &o->trail, &why), 0);
	for (size_t i = 0; i < n; i++)
		resources[i] = (struct sync_resource_options){
			.type = provider_type(&provider_front, bytes_str(names[i])),
			.every_ms = i ? HOUR_MS : o->every_ms,
			.full = {.kind = SCHEDULE_OFF},
			.history_ms = o->history_ms,
			.verify_ms = o->verify_ms,
			.priority = (unsigned)i + 1,
		};
	struct sync_options options = {
		.name = "acme",
		.account = {&provider_front, "https://front.test", ""},
		.token = "token",
		.loop = o->loop,
		.http = o->http,
		.store = o->store,
		.trail = o->trail,
		.budget = 0.8,
		.concurrency = 4,
		.retry_ms = 1000,
		.resources = resources,
		.resource_count = n,
	};
	o->sync = sync_new(&options);
	assert_non_null(o->sync);
	sync_start(o->sync);
}

static void open_office(struct office *o, unsigned threads, int64_t apart_ms)
{
	const char *tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	struct why why;

	if (!o->every_ms)
		o->every_ms = 5 * MINUTE_MS;
	if (!o->history_ms)
		o->history_ms = 400 * DAY_MS;
	snprintf(o->dir, sizeof o->dir, "%s/fic-front-XXXXXX", tmp);
	assert_non_null(mkdtemp(o->dir));
	o->loop = sim_loop_new(START);
	o->company = company_new(o->loop, threads, apart_ms, 7);
	o->http = http_new(o->loop, NULL, &why);
	sim_http_serve(o->http, company_serve, o->company, 40, 7);
	begin(o);
}

/* As after a kill: what was not committed is not there. */
static void restart(struct office *o)
{
	sync_free(o->sync);
	trail_close(o->trail);
	store_close(o->store);
	begin(o);
}

static void close_office(struct office *o)
{
	char command[128];

	assert_int_equal(o->company->breaches, 0);
	sync_free(o->sync);
	http_free(o->http);
	trail_close(o->trail);
	store_close(o->store);
	company_free(o->company);
	sim_run(o->loop, loop_mono_ms(o->loop), NULL, NULL);
	loop_free(o->loop);
	snprintf(command, sizeof command, "rm -rf '%s'", o->dir);
	assert_int_equal(system(command), 0);
}

static void live(struct office *o, int64_t ms)
{
	sim_run(o->loop, loop_mono_ms(o->loop) + ms, NULL, NULL);
}

/* ---- runs ---- */

static void on_ended(void *ctx, const struct run_info *run)
{
	struct office *o = ctx;

	o->ended = true;
	o->outcome = run->outcome;
	o->info = *run;
}

static bool has_ended(void *ctx)
{
	return ((struct office *)ctx)->ended;
}

static void wish(struct office *o, const char *resource, enum sync_mode mode)
{
	struct run_watch watch = {.ended = on_ended, .ctx = o};
	struct why why = {""};
	uint64_t id = 0;

	o->ended = false;
	if (sync_wish(o->sync, provider_type(&provider_front, bytes_str(resource)), mode, &id, 1,
		      &why) != 1)
		fail_msg("no run: %s", why.text);
	assert_int_equal(sync_watch(o->sync, id, &watch), 0);
	if (!sim_run(o->loop, loop_mono_ms(o->loop) + 10 * HOUR_MS, has_ended, o))
		fail_msg("the run does not end");
	if (o->outcome != RUN_OK && o->info.error[0])
		print_message("%s\n", o->info.error);
}

static bool covered(const struct office *o, const char *resource, int64_t start, int64_t end)
{
	struct snapshot *view = snapshot_new(o->store);
	const struct coverage *c = snapshot_coverage(view, resource);
	struct intervals gaps = {0};

	assert_int_equal(intervals_gaps(&c->held, start, end, &gaps), 0);
	bool all = gaps.count == 0 && c->chain_end_ms != TIME_NONE;
	intervals_release(&gaps);
	snapshot_free(view);
	return all;
}

static bool history_is_held(void *ctx)
{
	struct office *o = ctx;
	int64_t now = loop_wall_ms(o->loop);

	return covered(o, "conversations", now - o->history_ms + DAY_MS, START - 1000) &&
	       covered(o, "messages", now - o->history_ms + DAY_MS, START - 1000);
}

static void whole(struct office *o)
{
	if (!sim_run(o->loop, loop_mono_ms(o->loop) + 40 * DAY_MS, history_is_held, o))
		fail_msg("the history is never held whole");
}

/* ---- what is held ---- */

static unsigned version_of(struct snapshot *view, const char *resource, const char *id,
			   const char *member)
{
	struct buf memory = {0};
	struct record r;
	struct bytes text;
	unsigned version = 0;

	if (snapshot_get(view, resource, bytes_str(id), &memory, &r) == 1 &&
	    !(r.flags & (RECORD_DELETED | RECORD_POOR)) && mp_find_str(r.doc, member, &text))
		for (size_t i = 1; i < text.len; i++)
			version = version * 10 + (unsigned)(text.data[i] - '0');
	buf_release(&memory);
	return version;
}

static void equal_part(struct snapshot *view, const char *prefix, const struct company_part *part,
		       bool lives)
{
	char id[32];

	snprintf(id, sizeof id, "%s_%u", prefix, part->id);
	unsigned held = version_of(view, "messages", id, "body");
	if (held != (lives && !part->gone ? part->version : 0))
		fail_msg("%s is held as v%u, it is v%u, lives %d", id, held, part->version, lives);
}

static void equal_thread(struct snapshot *view, const struct company_thread *t)
{
	bool lives = t->gone_ms == TIME_MAX;
	struct buf memory = {0};
	struct bytes inbox;
	struct record r;
	char id[32];

	snprintf(id, sizeof id, "cnv_%u", t->id);
	unsigned held = version_of(view, "conversations", id, "subject");
	if (held != (lives ? t->version : 0))
		fail_msg("%s is held as v%u, it is v%u, lives %d", id, held, t->version, lives);
	if (snapshot_get(view, "conversations", bytes_str(id), &memory, &r) == 1 && t->into) {
		char into[32];
		snprintf(into, sizeof into, "cnv_%u", t->into);
		assert_true(r.flags & RECORD_MERGED);
		assert_true(bytes_is(r.merged_into, into));
	} else if (lives) {
		assert_int_equal(mp_path(r.doc, bytes_str("inboxes.0.id"), &inbox), 1);
		assert_true(r.created_ms == t->created_ms && r.updated_ms == t->updated_ms);
	}
	buf_release(&memory);
	/* What went into another has its messages there. */
	for (unsigned i = 0; i < t->parts && !t->into; i++)
		equal_part(view, "msg", &t->messages[i], lives);
	for (unsigned i = 0; i < t->notes; i++)
		equal_part(view, "com", &t->comments[i], lives);
}

static void equal(struct office *o)
{
	struct snapshot *view = snapshot_new(o->store);
	struct company *c = o->company;
	uint64_t live = 0;

	assert_non_null(view);
	for (unsigned i = 0; i < c->count; i++) {
		equal_thread(view, &c->threads[i]);
		live += c->threads[i].gone_ms == TIME_MAX;
	}
	assert_true(snapshot_count(view, "conversations") == live);
	for (unsigned i = 0; i < 8 && !o->only_threads; i++) {
		char id[32];
		snprintf(id, sizeof id, "crd_%u", i);
		assert_int_equal(version_of(view, "contacts", id, "name"), c->contact_version[i]);
	}
	snapshot_free(view);
}

/* ---- tests ---- */

static void first_sync(void **state)
{
	struct office o = {0};

	(void)state;
	open_office(&o, 120, 5 * HOUR_MS);
	whole(&o);
	equal(&o);
	assert_int_equal(o.company->refused, 0);
	close_office(&o);
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
	open_office(&o, 60, 5 * HOUR_MS);
	c = o.company;
	whole(&o);
	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		live(&o, 30000);
		company_touch(c, &c->threads[i], kinds[i], false);
		wish(&o, "conversations", SYNC_CHANGES);
		equal(&o);
	}
	company_open(c);
	company_message(c, &c->threads[20]);
	company_comment(c, &c->threads[21]);
	wish(&o, "conversations", SYNC_CHANGES);
	equal(&o);
	live(&o, 5000);
	for (unsigned i = 0; i < 40; i++)
		company_touch(c, &c->threads[i], kinds[i % 9], i % 2);
	for (unsigned i = 0; i < 230; i++)
		company_message(c, &c->threads[30]);
	company_open(c);
	c->contact_version[3]++;
	c->contact_updated_ms[3] = loop_wall_ms(o.loop);
	wish(&o, "contacts", SYNC_CHANGES);
	wish(&o, "conversations", SYNC_CHANGES);
	equal(&o);
	/* Previews say which conversation, and no more. */
	c->previews = true;
	live(&o, 5000);
	company_touch(c, &c->threads[5], "tag", false);
	wish(&o, "conversations", SYNC_CHANGES);
	equal(&o);
	close_office(&o);
}

static void merges(void **state)
{
	struct office o = {0};
	struct company *c;

	(void)state;
	open_office(&o, 40, 5 * HOUR_MS);
	c = o.company;
	whole(&o);
	for (unsigned i = 0; i < 6; i++) {
		live(&o, MINUTE_MS);
		company_merge(c, &c->threads[i * 3], &c->threads[i * 3 + 1 + i % 2]);
		/* Now and then the one that it went into is read first. */
		if (i % 2)
			company_touch(c, &c->threads[i * 3 + 1 + i % 2], "tag", false);
		wish(&o, "conversations", SYNC_CHANGES);
		equal(&o);
	}
	close_office(&o);
}

/* An event may show up after others that are dated later. */
static void late_events(void **state)
{
	struct office o = {0};
	struct company *c;

	(void)state;
	open_office(&o, 40, 5 * HOUR_MS);
	c = o.company;
	whole(&o);
	company_touch(c, &c->threads[4], "tag", false);
	c->events[c->event_count - 1].shown_ms += 4 * MINUTE_MS;
	c->threads[4].version--; /* nor is what it tells of there yet */
	wish(&o, "conversations", SYNC_CHANGES);
	live(&o, MINUTE_MS);
	company_touch(c, &c->threads[5], "tag", false);
	wish(&o, "conversations", SYNC_CHANGES);
	equal(&o);
	live(&o, 4 * MINUTE_MS);
	c->threads[4].version++;
	wish(&o, "conversations", SYNC_CHANGES);
	equal(&o);
	close_office(&o);
}

/* Pages of events, and three calls for each conversation that they are about: no more, however the feed's overlap repeats them. */
static void cost(void **state)
{
	struct office o = {.only_threads = true, .every_ms = 20 * DAY_MS};
	struct company *c;

	(void)state;
	open_office(&o, 60, 5 * HOUR_MS);
	c = o.company;
	c->tidy = true;
	while (!history_is_held(&o)) {
		live(&o, HOUR_MS);
		wish(&o, "conversations", SYNC_CHANGES);
	}
	for (int round = 0; round < 5; round++) {
		live(&o, 3 * MINUTE_MS);
		unsigned calls = c->calls, events = 0;
		/* Whatever the last rounds told of is in the overlap as well. */
		for (unsigned i = 0; i < c->event_count; i++)
			events += c->events[i].at_ms > loop_wall_ms(o.loop) - 14 * MINUTE_MS;
		for (unsigned i = 0; i < 24; i++, events++)
			company_touch(c, &c->threads[(i * 5 + (unsigned)round) % 8], "tag", false);
		wish(&o, "conversations", SYNC_CHANGES);
		calls = c->calls - calls;
		if (calls > (unsigned)((double)((events + 14) / 15 + 8 * 3) * 1.1))
			fail_msg("%u calls for %u events about 8 conversations", calls, events);
		equal(&o);
	}
	/* Nothing happens: a page of events, and no record is written. */
	live(&o, HOUR_MS);
	wish(&o, "conversations", SYNC_CHANGES);
	unsigned calls = c->calls;
	live(&o, HOUR_MS);
	wish(&o, "conversations", SYNC_CHANGES);
	assert_int_equal(c->calls - calls, 1);
	assert_int_equal(o.info.created + o.info.updated + o.info.deleted, 0);
	close_office(&o);
}

/* Killed again and again in the middle of the first reading: threads that were committed are not read again. */
static void kills(void **state)
{
	struct office o = {.only_threads = true};
	unsigned kills = 0;

	(void)state;
	open_office(&o, 150, 5 * HOUR_MS);
	o.company->tidy = true;
	while (!history_is_held(&o) && kills < 100) {
		/* Once its last page's cursor is not taken any more. */
		o.company->forgets |= kills == 3;
		live(&o, 3 * MINUTE_MS + 17000);
		if (history_is_held(&o))
			break;
		restart(&o);
		kills++;
	}
	assert_true(kills > 2 && kills < 100);
	equal(&o);
	/* Of each kill the page at work, at most. */
	assert_true(o.company->thread_calls <= 150 * 3 + kills * 25 * 3);
	/* The page at work is listed again; from the top only once. */
	assert_true(o.company->list_calls <= 6 + kills + 6);
	assert_false(o.company->forgets);
	assert_int_equal(o.company->refused, 0);
	close_office(&o);
}

/* Fifty calls a minute are little: the newest day is there soon, and the limit is never passed. */
static void newest_day(void **state)
{
	struct office o = {.only_threads = true};

	(void)state;
	open_office(&o, 800, HOUR_MS / 2);
	live(&o, 10 * MINUTE_MS);
	assert_true(covered(&o, "conversations", START - DAY_MS, START - 1000));
	assert_true(covered(&o, "messages", START - DAY_MS, START - 1000));
	assert_int_equal(o.company->refused, 0);
	close_office(&o);
}

/* What is left of the past is foretold: its calls, and the hours that they take. */
static void plan(void **state)
{
	struct office o = {.only_threads = true, .history_ms = 16 * DAY_MS};
	struct sync_estimate e[2];
	struct why why = {""};

	(void)state;
	open_office(&o, 800, HOUR_MS / 2);
	live(&o, 20 * MINUTE_MS);
	assert_int_equal(sync_estimate(o.sync,
				       provider_type(&provider_front, bytes_str("conversations")),
				       SYNC_BACKFILL, TIME_MIN, TIME_MAX, e, 2, &why),
			 2);
	unsigned calls = o.company->calls;
	int64_t began = loop_wall_ms(o.loop);
	whole(&o);
	calls = o.company->calls - calls;
	double took = (double)(loop_wall_ms(o.loop) - began);
	print_message("%lld calls in %lld min foretold, %u in %.0f\n", (long long)e[0].calls,
		      (long long)(e[0].ms / MINUTE_MS), calls, took / (double)MINUTE_MS);
	assert_true((double)e[0].calls > calls * 0.8 && (double)e[0].calls < calls * 1.2);
	assert_true((double)e[0].ms > took * 0.7 && (double)e[0].ms < took * 1.3);
	assert_int_equal(o.company->refused, 0);
	close_office(&o);
}

/* Only the wanted history is read. */
static void history(void **state)
{
	struct office o = {.only_threads = true, .history_ms = 4 * DAY_MS};

	(void)state;
	open_office(&o, 400, 2 * HOUR_MS);
	whole(&o);
	/* Four days and a part of one are sixty; a page more, and those that were tagged since. */
	assert_true(o.company->thread_calls < 110 * 3);
	close_office(&o);
}

/* What no event tells of: a comment that was edited, a conversation that was deleted for good. */
static void verify(void **state)
{
	struct office o = {.only_threads = true};
	struct company *c;

	(void)state;
	open_office(&o, 40, 5 * HOUR_MS);
	c = o.company;
	company_comment(c, &c->threads[10]);
	whole(&o);
	live(&o, 2 * DAY_MS);
	c->threads[10].comments[0].version++;
	c->threads[11].messages[0].gone = true;
	c->threads[12].gone_ms = loop_wall_ms(o.loop);
	for (int i = 0; i < 300; i++) {
		wish(&o, "conversations", SYNC_VERIFY);
		assert_int_equal(o.outcome, RUN_OK);
	}
	wish(&o, "conversations", SYNC_CHANGES);
	live(&o, DAY_MS);
	equal(&o);
	close_office(&o);
}

/* A list that never ends is noticed, whichever it is. */
static void endless(void **state)
{
	struct office o = {.only_threads = true};

	(void)state;
	open_office(&o, 40, 5 * HOUR_MS);
	o.company->endless = true;
	live(&o, HOUR_MS);
	assert_true(o.company->calls < 60 * 40);
	unsigned calls = o.company->calls;
	assert_true(calls > 3);
	o.company->endless = false;
	whole(&o);
	equal(&o);
	o.company->endless = true;
	calls = o.company->calls;
	wish(&o, "conversations", SYNC_CHANGES);
	assert_int_not_equal(o.outcome, RUN_OK);
	assert_true(o.company->calls - calls < 20);
	close_office(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_sync),  cmocka_unit_test(changes), cmocka_unit_test(merges),
		cmocka_unit_test(late_events), cmocka_unit_test(cost),    cmocka_unit_test(kills),
		cmocka_unit_test(newest_day),  cmocka_unit_test(history), cmocka_unit_test(plan),
		cmocka_unit_test(verify),      cmocka_unit_test(endless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
