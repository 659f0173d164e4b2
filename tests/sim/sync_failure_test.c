/* What is done about failures: dead letters, the breaker, tokens, clocks and rates, over days of a scripted provider. */
#include "support/lab.h"

#include <stdio.h>
#include <stdlib.h>

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

static void until_idle(void)
{
	assert_true(lab_run_until(&lab, 120 * MINUTE_MS, idle));
}

static void go_wrong(enum mishap mishap, const char *path, uint64_t at, unsigned calls)
{
	lab.world->mishap = mishap;
	lab.world->mishap_path = path;
	lab.world->mishap_at = at;
	lab.world->mishap_calls = calls;
	lab.world->path_calls = 0;
}

static void all_well(void)
{
	go_wrong(MISHAP_NONE, NULL, 0, 0);
}

static void for_good(enum mishap mishap, const char *path)
{
	go_wrong(mishap, path, 1, 1000000000);
}

static struct sync_state state_of(void)
{
	struct sync_state s;

	sync_state(lab.sync, &s);
	return s;
}

static int wish(const char *resource)
{
	struct why why;
	uint64_t ids[8];

	return sync_wish(lab.sync, provider_type(&provider_intercom, bytes_str(resource)),
			 SYNC_CHANGES, ids, 8, &why);
}

/* ---- dead letters ---- */

static unsigned letters(void)
{
	struct dead_entry e;
	unsigned n = 0;

	for (uint64_t at = 0; sync_dead_next(lab.sync, at, &e); at = e.number)
		n++;
	return n;
}

static struct dead_entry letter(void)
{
	struct dead_entry e;

	assert_true(sync_dead_next(lab.sync, 0, &e));
	return e;
}

static unsigned flags_of(const char *id)
{
	struct snapshot *view = snapshot_new(lab.store);
	struct record held;
	int rc = snapshot_peek(view, "conversations", bytes_str(id), &held);

	snapshot_free(view);
	assert_int_equal(rc, 1);
	return held.flags;
}

static uint64_t truncated(void)
{
	struct snapshot *view = snapshot_new(lab.store);
	uint64_t n = snapshot_truncated(view, "conversations", TIME_MIN, TIME_MAX);

	snapshot_free(view);
	return n;
}

/* One conversation changes and cannot be read. */
static struct thing *poison(char path[64], char id[16])
{
	lab_open(&lab);
	until_idle();
	struct thing *bad = lab.world->things[3];
	snprintf(id, 16, "%u", bad->id);
	snprintf(path, 64, "/conversations/%s", id);
	world_change(lab.world, bad, world_now(lab.world), true);
	for_good(MISHAP_500, path);
	lab_run(&lab, 8 * MINUTE_MS);
	return bad;
}

static void a_letter_tells_what_happened(void **state)
{
	char path[64], id[16], asked[80];

	(void)state;
	poison(path, id);
	assert_int_equal(letters(), 1);
	for (int i = 0; i < 2; i++) {
		const struct dead_letter *d = letter().letter;
		assert_string_equal(d->resource, "conversations");
		assert_string_equal(d->id, id);
		assert_int_equal(d->class, CLASS_NOW);
		assert_int_equal(d->status, 500);
		snprintf(asked, sizeof asked, "GET %s", path);
		assert_memory_equal(d->asked, asked, strlen(asked));
		assert_non_null(strstr(d->answer, "server_error"));
		assert_non_null(strstr(d->reason, "500"));
		assert_true(d->attempts >= 1 && d->next_ms > d->last_ms);
		assert_false(d->dropped);
		/* The same after a restart. */
		lab_restart(&lab);
	}
	assert_true((flags_of(id) & (RECORD_POOR | RECORD_TRUNCATED)) ==
		    (RECORD_POOR | RECORD_TRUNCATED));
}

/* Five minutes, an hour, six hours, then every day; whoever wishes has it tried at once. */
/* That one record may not be read does not keep the others for ever, though at first it may be all of them. */
static void a_denied_record(void **state)
{
	char path[64], id[16];

	(void)state;
	lab_open(&lab);
	until_idle();
	struct thing *bad = lab.world->things[3], *other = lab.world->things[5];
	snprintf(id, sizeof id, "%u", bad->id);
	snprintf(path, sizeof path, "/conversations/%s", id);
	world_change(lab.world, bad, world_now(lab.world), true);
	for_good(MISHAP_403, path);
	lab_run(&lab, 6 * MINUTE_MS);
	assert_int_equal(letters(), 0);
	lab_run(&lab, 10 * MINUTE_MS);
	assert_int_equal(letters(), 1);
	assert_int_equal(letter().letter->class, CLASS_NEVER);
	assert_int_equal(letter().letter->status, 403);
	assert_true(flags_of(id) & RECORD_POOR);
	world_change(lab.world, other, world_now(lab.world), true);
	/* Its letter is tried again meanwhile, in vain. */
	lab_run(&lab, 3 * 60 * MINUTE_MS);
	assert_true(letter().letter->attempts > 1);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
	assert_int_equal(lab_runs(&lab, "conversations", "changes", "failed",
				  loop_wall_ms(lab.loop) - 2 * 60 * MINUTE_MS),
			 0);
	all_well();
	assert_int_equal(sync_dead_retry(lab.sync, letter().number), 0);
	assert_int_equal(wish("conversations"), 1);
	lab_run(&lab, MINUTE_MS);
	assert_int_equal(letters(), 0);
	assert_false(flags_of(id) & RECORD_POOR);
}

/* Its time has come, and a listing shows it as well: that is one attempt. */
static void a_letter_is_tried_once_a_run(void **state)
{
	char path[64], id[16];

	(void)state;
	struct thing *bad = poison(path, id);
	assert_int_equal(letter().letter->attempts, 1);
	lab_run(&lab, letter().letter->next_ms - loop_wall_ms(lab.loop));
	world_change(lab.world, bad, world_now(lab.world), true);
	for_good(MISHAP_500, path);
	lab_run(&lab, 5 * MINUTE_MS);
	assert_int_equal(letter().letter->attempts, 2);
	assert_int_equal(lab.world->path_calls, 1);
}

static void a_letter_has_its_schedule(void **state)
{
	char path[64], id[16];

	(void)state;
	struct thing *bad = poison(path, id);
	lab_run(&lab, 60 * MINUTE_MS);
	unsigned tried = letter().letter->attempts;
	uint64_t calls = lab.world->path_calls;
	assert_true(lab_whole(&lab, 7 * MINUTE_MS));
	lab_run(&lab, 10 * DAY_MS);
	assert_in_range(letter().letter->attempts - tried, 10, 12);
	assert_in_range(lab.world->path_calls - calls, 10, 12);
	/* Nobody is told that the hole is none: in its own time, and in that of its messages. */
	struct snapshot *view = snapshot_new(lab.store);
	assert_int_equal(snapshot_truncated(view, "conversations", TIME_MIN, TIME_MAX), 1);
	snapshot_free(view);
	int64_t changed = bad->change_ms[bad->changes - 1];
	assert_int_equal(sync_dead_touching(lab.sync, "conversations", false, TIME_MIN, TIME_MAX), 1);
	assert_int_equal(
		sync_dead_touching(lab.sync, "conversations", false, changed - 1000, TIME_MAX), 1);
	assert_int_equal(
		sync_dead_touching(lab.sync, "conversations", false, changed + 2000, TIME_MAX), 0);
	assert_int_equal(sync_dead_touching(lab.sync, "conversations", false, TIME_MIN,
					    bad->change_ms[0] - 2000),
			 0);
	assert_int_equal(sync_dead_touching(lab.sync, "conversations", true,
					    bad->change_ms[0] / 1000 * 1000, TIME_MAX),
			 1);
	assert_int_equal(sync_dead_touching(lab.sync, "conversations", true,
					    bad->change_ms[0] + 1000, TIME_MAX),
			 0);
	assert_int_equal(sync_dead_touching(lab.sync, "contacts", false, TIME_MIN, TIME_MAX), 0);
	all_well();
	lab_run(&lab, 60 * MINUTE_MS);
	assert_int_equal(letters(), 1);
	assert_int_equal(sync_dead_retry(lab.sync, letter().number), 0);
	wish("conversations");
	lab_run(&lab, MINUTE_MS);
	assert_int_equal(letters(), 0);
	assert_int_equal(truncated(), 0);
	lab_restart(&lab);
	assert_int_equal(letters(), 0);
	assert_int_equal(sync_dead_count(lab.sync), 0);
}

/* Given up: not asked for, and a hole all the same, until it changes. */
static void a_dropped_letter_stays_a_hole(void **state)
{
	char path[64], id[16];

	(void)state;
	struct thing *bad = poison(path, id);
	assert_int_equal(sync_dead_drop(lab.sync, letter().number), 0);
	assert_int_equal(sync_dead_drop(lab.sync, letter().number + 1), ERR_NOTFOUND);
	lab_run(&lab, 1000);
	lab_restart(&lab);
	all_well();
	lab.world->mishap_path = path;
	lab_run(&lab, 3 * DAY_MS);
	assert_int_equal(lab.world->path_calls, 0);
	assert_int_equal(sync_dead_count(lab.sync), 0);
	assert_int_equal(letters(), 1);
	assert_true(letter().letter->dropped);
	assert_int_equal(sync_dead_touching(lab.sync, "conversations", false, TIME_MIN, TIME_MAX), 1);
	assert_int_equal(truncated(), 1);
	world_change(lab.world, bad, world_now(lab.world), true);
	lab_run(&lab, 12 * MINUTE_MS);
	assert_int_equal(letters(), 0);
	assert_int_equal(truncated(), 0);
	assert_int_equal(flags_of(id), 0);
}

/* Most of what changed cannot be read, for long: in the end the others are followed all the same, and nothing is lost. */
static void many_letters(void **state)
{
	(void)state;
	lab.options.count[KIND_CONVERSATION] = 700;
	lab.options.page_max = 100;
	lab_open(&lab);
	until_idle();
	unsigned changed = 0;
	for (unsigned i = 0; i < lab.world->count; i++)
		if (lab.world->things[i]->kind == KIND_CONVERSATION && i % 10) {
			world_change(lab.world, lab.world->things[i], world_now(lab.world), true);
			changed++;
		}
	assert_true(changed > 600);
	for_good(MISHAP_500, "/conversations/#");
	lab_run(&lab, 10 * 60 * MINUTE_MS);
	assert_int_equal(letters(), changed);
	assert_int_equal(truncated(), changed);
	assert_true(lab_whole(&lab, 7 * MINUTE_MS));
	assert_null(state_of().trouble);
	lab_restart(&lab);
	assert_int_equal(letters(), changed);
	/* The first that is read again says that the others may be, too. */
	all_well();
	lab_run(&lab, DAY_MS);
	assert_int_equal(letters(), 0);
	assert_int_equal(truncated(), 0);
	assert_true(lab_whole(&lab, 7 * MINUTE_MS));
}

/* More than a thousand: the run stops and says so; nothing is claimed, and nothing lost. */
static void too_many_letters(void **state)
{
	(void)state;
	lab.options.count[KIND_CONVERSATION] = 1200;
	lab.options.count[KIND_CONTACT] = lab.options.count[KIND_COMPANY] = 5;
	lab.options.page_max = 150;
	lab.concurrency = 8;
	lab_open(&lab);
	until_idle();
	for (unsigned i = 0; i < lab.world->count; i++)
		if (lab.world->things[i]->kind == KIND_CONVERSATION)
			world_change(lab.world, lab.world->things[i], world_now(lab.world), true);
	for_good(MISHAP_500, "/conversations/#");
	lab_run(&lab, 16 * 60 * MINUTE_MS);
	assert_int_equal(sync_dead_count(lab.sync), 1024);
	struct sync_resource_state r;
	assert_true(sync_resource_state(lab.sync, "conversations", &r));
	assert_non_null(r.last_error);
	assert_non_null(strstr(r.last_error, "ficq dead"));
	assert_false(lab_whole(&lab, 60 * MINUTE_MS));
	all_well();
	lab_run(&lab, DAY_MS);
	assert_int_equal(letters(), 0);
	assert_true(lab_whole(&lab, 7 * MINUTE_MS));
}

/* ---- the breaker ---- */

static void the_breaker_opens_and_probes(void **state)
{
	(void)state;
	lab_open(&lab);
	until_idle();
	assert_int_equal(state_of().breaker, BREAKER_CLOSED);
	for_good(MISHAP_500, NULL);
	wish("contacts");
	lab_run(&lab, 90 * 1000);
	struct sync_state s = state_of();
	assert_int_equal(s.breaker, BREAKER_OPEN);
	assert_true(s.probe_ms > loop_wall_ms(lab.loop));
	assert_true(s.breaker_since_ms <= loop_wall_ms(lab.loop));
	/* A probe is one call; the pauses grow to a quarter of an hour. */
	lab_run(&lab, 2 * 60 * MINUTE_MS);
	uint64_t calls = lab.world->calls;
	lab_run(&lab, 4 * 60 * MINUTE_MS);
	assert_in_range(lab.world->calls - calls, 15, 17);
	/* Half-open while the question is under way. */
	s = state_of();
	assert_int_equal(s.breaker, BREAKER_OPEN);
	lab_run(&lab, s.probe_ms - loop_wall_ms(lab.loop) + 10);
	assert_int_equal(state_of().breaker, BREAKER_HALF_OPEN);
	all_well();
	lab_run(&lab, 16 * MINUTE_MS);
	assert_int_equal(state_of().breaker, BREAKER_CLOSED);
	assert_string_equal(state_of().state, "ok");
	lab_run(&lab, 10 * MINUTE_MS);
	assert_true(lab_whole(&lab, 7 * MINUTE_MS));
}

/* One resource that fails for long is none of the others' affair. */
static uint64_t tags_held(void)
{
	struct snapshot *view = snapshot_new(lab.store);
	uint64_t n = snapshot_count(view, "tags");

	snapshot_free(view);
	return n;
}

/* Who asks for a full reading vouches for what it does not find; when it is refused at once, no later run does so in his name. */
static void a_refused_wish_is_forgotten(void **state)
{
	struct why why;
	uint64_t ids[8];

	(void)state;
	lab.options.count[KIND_TAG] = 40;
	lab_open(&lab);
	until_idle();
	for (unsigned i = 0, n = 0; n < 30; i++)
		if (lab.world->things[i]->kind == KIND_TAG) {
			world_delete(lab.world->things[i], world_now(lab.world));
			n++;
		}
	lab_run(&lab, 60 * MINUTE_MS);
	assert_int_equal(tags_held(), 40);
	for_good(MISHAP_500, NULL);
	lab_run(&lab, 10 * MINUTE_MS);
	assert_int_equal(state_of().breaker, BREAKER_OPEN);
	int64_t since = loop_wall_ms(lab.loop);
	assert_int_equal(sync_wish(lab.sync, provider_type(&provider_intercom, bytes_str("tags")),
				   SYNC_FULL, ids, 8, &why),
			 1);
	lab_run(&lab, 2 * MINUTE_MS);
	assert_int_equal(lab_runs(&lab, "tags", "snapshot", "failed", since), 1);
	all_well();
	since = loop_wall_ms(lab.loop);
	lab_run(&lab, 30 * MINUTE_MS);
	assert_true(lab_runs(&lab, "tags", "snapshot", "failed", since) >= 1);
	assert_int_equal(tags_held(), 40);
	/* It is said again. */
	assert_int_equal(sync_wish(lab.sync, provider_type(&provider_intercom, bytes_str("tags")),
				   SYNC_FULL, ids, 8, &why),
			 1);
	lab_run(&lab, 2 * MINUTE_MS);
	assert_int_equal(tags_held(), 10);
}

static void one_resource_fails(void **state)
{
	(void)state;
	lab_open(&lab);
	until_idle();
	for_good(MISHAP_500, "/contacts/search");
	for (int hour = 0; hour < 6; hour++) {
		lab_run(&lab, 60 * MINUTE_MS);
		struct snapshot *view = snapshot_new(lab.store);
		int64_t end = coverage_end(snapshot_coverage(view, "conversations"));
		snapshot_free(view);
		assert_true(end > world_now(lab.world) - 7 * MINUTE_MS);
	}
	assert_true(lab.world->path_calls < 6 * 6 * 6);
	all_well();
	lab_run(&lab, 20 * MINUTE_MS);
	assert_true(lab_whole(&lab, 7 * MINUTE_MS));
}

/* ---- tokens ---- */

/* A refused token is mended by another one, at once and without a restart. */
static void a_mended_token(void **state)
{
	(void)state;
	lab_open(&lab);
	until_idle();
	for_good(MISHAP_401, NULL);
	lab_run(&lab, 10 * MINUTE_MS);
	assert_string_equal(state_of().trouble, "auth");
	assert_int_equal(state_of().breaker, BREAKER_OPEN);
	assert_true(state_of().probe_ms > loop_wall_ms(lab.loop) + 60000);
	all_well();
	assert_int_equal(sync_token(lab.sync, "another"), 0);
	lab_run(&lab, 1000);
	assert_string_equal(state_of().state, "ok");
	assert_int_equal(state_of().breaker, BREAKER_CLOSED);
}

/* A token of another workspace, put in place in the middle of a run: nothing of the other one gets in. */
static void another_workspace(void **state)
{
	(void)state;
	lab_open(&lab);
	lab_run(&lab, 700);
	assert_false(sync_idle(lab.sync));
	lab.world->workspace = "ws2";
	assert_int_equal(sync_token(lab.sync, "token of ws2"), 0);
	lab_run(&lab, 2000);
	assert_string_equal(state_of().state, "error");
	assert_string_equal(state_of().trouble, "auth");
	assert_non_null(strstr(state_of().error, "ws2"));
	assert_non_null(strstr(state_of().error, "ws1"));
	uint64_t calls = lab.world->calls;
	lab_run(&lab, DAY_MS);
	/* Who the token belongs to is asked now and then, and nothing else. */
	assert_in_range(lab.world->calls - calls, 90, 100);
	assert_string_equal(lab.world->last_path, "/me");
	lab_restart(&lab);
	lab_run(&lab, MINUTE_MS);
	assert_non_null(strstr(state_of().error, "ws2"));
	lab.world->workspace = "ws1";
	assert_int_equal(sync_token(lab.sync, "token of ws1"), 0);
	lab_run(&lab, 20 * MINUTE_MS);
	assert_true(lab_whole(&lab, 7 * MINUTE_MS));
}

/* ---- clocks ---- */

static void nothing_from_the_future(void)
{
	static const char *const names[] = {"conversations", "messages", "contacts", "companies",
					    "tags"};
	struct snapshot *view = snapshot_new(lab.store);

	int64_t last = TIME_MIN;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		int64_t end = coverage_end(snapshot_coverage(view, names[i]));
		last = end > last ? end : last;
	}
	snapshot_free(view);
	assert_true(last <= world_now(lab.world) + 1000);
}

/* One answer of a machine with a clock far ahead, at every call: no claim of what has not happened yet, and nothing waits for that time. */
static void one_clock_ahead(void **state)
{
	(void)state;
	lab_open(&lab);
	until_idle();
	for (uint64_t call = 1; call <= 40; call++) {
		world_change(lab.world, lab.world->things[call % 80], world_now(lab.world), true);
		go_wrong(MISHAP_CLOCK, NULL, 1 + call % 4, (unsigned)(call % 3 + 1));
		lab_run(&lab, 6 * MINUTE_MS);
		nothing_from_the_future();
		assert_true(lab_whole(&lab, 7 * MINUTE_MS));
		assert_true(llabs(state_of().clock_offset_ms) < 3000);
	}
}

/* When all say so, it is so. */
static void all_clocks_ahead(void **state)
{
	(void)state;
	lab_open(&lab);
	until_idle();
	for_good(MISHAP_CLOCK, NULL);
	lab_run(&lab, 20 * MINUTE_MS);
	assert_true(state_of().clock_offset_ms > DAY_MS - 3000);
	all_well();
	lab_run(&lab, 3 * 60 * MINUTE_MS);
	nothing_from_the_future();
	assert_true(lab_whole(&lab, 7 * MINUTE_MS));
}

/* ---- orders ---- */

/* Deletions that come oldest first, against what was asked: all of them are read, and none is missed. */
static void deletions_out_of_order(void **state)
{
	struct snapshot *view;
	uint64_t before;

	(void)state;
	lab.options.feed_ascending = true;
	lab_open(&lab);
	/* Long ago: a page and more of deletions that end the feed when they come first. */
	for (unsigned i = 0; i < 10; i++)
		world_delete(lab.world->things[i], world_now(lab.world) - (12 - i) * DAY_MS);
	until_idle();
	view = snapshot_new(lab.store);
	before = snapshot_count(view, "conversations");
	snapshot_free(view);
	for (unsigned i = 20; i < 25; i++)
		world_delete(lab.world->things[i], world_now(lab.world));
	lab_run(&lab, 12 * MINUTE_MS);
	view = snapshot_new(lab.store);
	uint64_t after = snapshot_count(view, "conversations");
	snapshot_free(view);
	assert_int_equal(after, before - 5);
}

/* ---- rates ---- */

/* A backlog that lasts for minutes: of the allowed rate at least 95 %, and never more than is allowed. */
static void uses_its_share(int64_t limit, double share, unsigned others, int64_t latency_ms,
			   unsigned conversations)
{
	lab_init(&lab, 1);
	lab.options.change_every_ms = 0;
	lab.options.history_ms = 25 * DAY_MS;
	lab.options.rate_limit = limit;
	lab.options.others = others;
	lab.options.count[KIND_CONVERSATION] = conversations;
	lab.options.page_max = 150;
	lab.share = share;
	lab.concurrency = 8;
	lab_open(&lab);
	sim_http_serve(lab.http, world_serve, lab.world, latency_ms, 1);
	sim_run(lab.loop, loop_mono_ms(lab.loop) + MINUTE_MS, NULL, NULL);
	uint64_t before = lab.world->calls;
	sim_run(lab.loop, loop_mono_ms(lab.loop) + MINUTE_MS, NULL, NULL);
	uint64_t calls = lab.world->calls - before;
	assert_false(sync_idle(lab.sync));
	int64_t reserve = limit - (int64_t)((double)limit * share);
	double allowed = (double)(limit - reserve - (int64_t)others) * 6;
	printf("# limit %lld in ten seconds, share %.0f %%, others %u: %llu of %.0f calls (%.1f %%), %llu refused\n",
	       (long long)limit, share * 100, others, (unsigned long long)calls, allowed,
	       (double)calls / allowed * 100, (unsigned long long)lab.world->refused);
	assert_true((double)calls >= 0.95 * allowed);
	assert_true((double)calls <= allowed);
	assert_int_equal(lab.world->refused, 0);
}

static void the_rate_of_ten_thousand_a_minute(void **state)
{
	(void)state;
	uses_its_share(1667, 0.8, 0, 15, 18000);
}

static void the_rate_of_five_hundred_a_minute(void **state)
{
	(void)state;
	uses_its_share(83, 1.0, 0, 40, 1500);
}

static void others_use_it_too(void **state)
{
	(void)state;
	uses_its_share(200, 0.8, 60, 40, 3000);
}

/* Searches have a limit of their own, which is used and not passed; nothing else waits for it. */
static void uses_its_share_of_a_route(double share, double search_share, int64_t search_limit)
{
	lab_init(&lab, 1);
	lab.options.change_every_ms = 0;
	lab.options.history_ms = 25 * DAY_MS;
	lab.options.rate_limit = 400;
	lab.options.search_limit = search_limit;
	lab.options.count[KIND_CONVERSATION] = 1200;
	lab.options.page_max = 1; /* each search finds one */
	lab.share = share;
	lab.search_share = search_share;
	lab.concurrency = 8;
	lab_open(&lab);
	sim_http_serve(lab.http, world_serve, lab.world, 15, 1);
	sim_run(lab.loop, loop_mono_ms(lab.loop) + MINUTE_MS, NULL, NULL);
	uint64_t before = lab.world->searches, calls = lab.world->calls;
	sim_run(lab.loop, loop_mono_ms(lab.loop) + 2 * MINUTE_MS, NULL, NULL);
	uint64_t searches = lab.world->searches - before;
	double allowed = (double)(int64_t)(400 * search_share) * 12;
	printf("# searches: %llu of %.0f (%.1f %%), other calls %llu, refused %llu\n",
	       (unsigned long long)searches, allowed, (double)searches / allowed * 100,
	       (unsigned long long)(lab.world->calls - calls - searches),
	       (unsigned long long)lab.world->refused);
	assert_false(sync_idle(lab.sync));
	assert_true((double)searches >= 0.95 * allowed);
	assert_true((double)searches <= allowed + 1);
	assert_int_equal(lab.world->refused, 0);
	/* Each that was found is read at once. */
	assert_true(lab.world->calls - calls - searches + 5 >= searches);
}

static void a_limit_of_one_route(void **state)
{
	(void)state;
	uses_its_share_of_a_route(1.0, 0.1, 40);
}

static void a_small_limit_of_one_route(void **state)
{
	(void)state;
	uses_its_share_of_a_route(0.8, 0.05, 20);
}

/* Retry-After as a date: not one call before it. */
static void told_a_date(void **state)
{
	(void)state;
	lab_open(&lab);
	until_idle();
	go_wrong(MISHAP_429_DATE, NULL, 1, 1);
	wish("contacts");
	lab_run(&lab, 2000);
	uint64_t calls = lab.world->calls;
	int64_t named = lab.world->named_wait_ms;
	assert_in_range(named - world_now(lab.world), 30000, 40000);
	lab_run(&lab, named - world_now(lab.world) - 1);
	assert_int_equal(lab.world->calls, calls);
	lab_run(&lab, 3000);
	assert_true(lab.world->calls > calls);
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_letter_tells_what_happened),
		CASE(a_denied_record),
		CASE(a_letter_is_tried_once_a_run),
		CASE(a_letter_has_its_schedule),
		CASE(a_dropped_letter_stays_a_hole),
		CASE(many_letters),
		CASE(too_many_letters),
		CASE(the_breaker_opens_and_probes),
		CASE(a_refused_wish_is_forgotten),
		CASE(one_resource_fails),
		CASE(a_mended_token),
		CASE(another_workspace),
		CASE(one_clock_ahead),
		CASE(all_clocks_ahead),
		CASE(deletions_out_of_order),
		CASE(the_rate_of_ten_thousand_a_minute),
		CASE(the_rate_of_five_hundred_a_minute),
		CASE(a_limit_of_one_route),
		CASE(a_small_limit_of_one_route),
		CASE(others_use_it_too),
		CASE(told_a_date),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
