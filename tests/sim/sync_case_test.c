/* The mirror's scripted troubles: one thing goes wrong at a chosen moment, and coverage, state and the number of calls are what they must be. */
#include "support/lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct lab lab;

static int setup(void **state)
{
	(void)state;
	lab_init(&lab, 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(lab.broken, 0);
	lab_close(&lab);
	return 0;
}

static void quiet_world(void)
{
	lab.options.change_every_ms = 0;
	lab.options.rate_limit = 0;
	lab.options.history_ms = 25 * DAY_MS;
}

static bool idle(struct lab *l)
{
	return sync_idle(l->sync);
}

static void until_idle(void)
{
	assert_true(lab_run_until(&lab, 120 * MINUTE_MS, idle));
}

static struct sync_state state_of(void)
{
	struct sync_state s;

	sync_state(lab.sync, &s);
	return s;
}

static struct sync_resource_state resource_of(const char *name)
{
	struct sync_resource_state s;

	assert_true(sync_resource_state(lab.sync, name, &s));
	return s;
}

static uint64_t count(const char *resource)
{
	struct snapshot *view = snapshot_new(lab.store);
	uint64_t n = snapshot_count(view, resource);

	snapshot_free(view);
	return n;
}

static void go_wrong(enum mishap mishap, const char *path, uint64_t at, unsigned calls)
{
	lab.world->mishap = mishap;
	lab.world->mishap_path = path;
	lab.world->mishap_at = at;
	lab.world->mishap_calls = calls;
	lab.world->path_calls = 0;
}

static const struct resource_type *type(const char *name)
{
	return provider_type(&provider_intercom, bytes_str(name));
}

/* ---- watching ---- */

struct told {
	unsigned ended;
	enum run_outcome outcome;
	uint64_t follow;
	char error[320];
};

static void on_progress(void *ctx, const struct run_info *run)
{
	(void)ctx;
	(void)run;
}

static void on_ended(void *ctx, const struct run_info *run)
{
	struct told *told = ctx;

	told->ended++;
	told->outcome = run->outcome;
	told->follow = run->follow;
	snprintf(told->error, sizeof told->error, "%s", run->error);
}

static int wish(const char *resource, enum sync_mode mode, uint64_t *ids)
{
	struct why why;

	return sync_wish(lab.sync, resource ? type(resource) : NULL, mode, ids, 8, &why);
}

static void watch(uint64_t id, struct told *told)
{
	struct run_watch w = {on_progress, on_ended, told};

	*told = (struct told){0};
	assert_int_equal(sync_watch(lab.sync, id, &w), 0);
}

/* ---- faults ---- */

/* A resource that the token may not read stops nothing else, and an answer that is refused is not an empty page. */
static void denied_resource(void **state)
{
	(void)state;
	quiet_world();
	lab_open(&lab);
	go_wrong(MISHAP_403, "/tags", 1, 1000000);
	until_idle();
	struct sync_resource_state tags = resource_of("tags");
	assert_non_null(tags.last_error);
	assert_non_null(strstr(tags.last_error, "api_plan_restricted"));
	assert_string_equal(state_of().state, "ok");
	assert_null(state_of().trouble);
	assert_int_equal(count("conversations"), 80);
	assert_int_equal(count("contacts"), 30);
	struct snapshot *view = snapshot_new(lab.store);
	assert_int_equal(snapshot_coverage(view, "tags")->held.count, 0);
	snapshot_free(view);
	go_wrong(MISHAP_NONE, NULL, 0, 0);
	lab_run(&lab, 20 * MINUTE_MS);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
}

/* The same with 401, which some resources answer for a missing permission. */
static void unauthorized_resource(void **state)
{
	(void)state;
	quiet_world();
	lab_open(&lab);
	go_wrong(MISHAP_401, "/tags", 1, 1000000);
	lab_run(&lab, 3 * MINUTE_MS);
	assert_int_equal(count("conversations"), 80);
	assert_int_equal(count("contacts"), 30);
	assert_string_equal(state_of().state, "ok");
	assert_non_null(resource_of("tags").last_error);
	assert_true(lab.world->path_calls < 6);
}

/* A refused token stops everything at once, says how to mend it, tells who waits, and costs next to no calls. */
static void refused_token(void **state)
{
	struct told told;
	uint64_t ids[8];

	(void)state;
	quiet_world();
	lab_open(&lab);
	until_idle();
	go_wrong(MISHAP_401, NULL, 1, 1000000);
	uint64_t calls = lab.world->calls;
	lab_run(&lab, 60 * MINUTE_MS);
	assert_string_equal(state_of().state, "error");
	assert_string_equal(state_of().trouble, "auth");
	assert_non_null(strstr(state_of().error, "token"));
	assert_true(lab.world->calls - calls <= 2 + 60 / 15 + 1);
	assert_int_equal(wish("contacts", SYNC_CHANGES, ids), 1);
	watch(ids[0], &told);
	lab_run(&lab, 1000);
	assert_int_equal(told.ended, 1);
	assert_int_equal(told.outcome, RUN_FAILED);
	assert_non_null(strstr(told.error, "token"));
	assert_true(sync_idle(lab.sync));
	go_wrong(MISHAP_NONE, NULL, 0, 0);
	assert_int_equal(wish("contacts", SYNC_CHANGES, ids), 1);
	lab_run(&lab, 1000);
	assert_string_equal(state_of().state, "ok");
	lab_run(&lab, 10 * MINUTE_MS);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
}

/* Somebody else's "not found" page deletes nothing. */
static void foreign_404(void **state)
{
	(void)state;
	quiet_world();
	lab_open(&lab);
	until_idle();
	world_change(lab.world, lab.world->things[0], world_now(lab.world), true);
	go_wrong(MISHAP_404_HTML, "/conversations/#", 1, 3);
	lab_run(&lab, 30 * MINUTE_MS);
	assert_int_equal(count("conversations"), 80);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
}

/* Most of what is listed is said not to exist: not believed. */
static void mass_404(void **state)
{
	(void)state;
	quiet_world();
	lab_open(&lab);
	until_idle();
	for (unsigned i = 0; i < lab.world->count; i++)
		if (lab.world->things[i]->kind == KIND_CONVERSATION)
			world_change(lab.world, lab.world->things[i], world_now(lab.world), true);
	go_wrong(MISHAP_404, "/conversations/#", 1, 1000000);
	lab_run(&lab, 30 * MINUTE_MS);
	assert_true(count("conversations") >= 80 - 21);
	assert_non_null(resource_of("conversations").last_error);
	go_wrong(MISHAP_NONE, NULL, 0, 0);
}

/* "Retry-After: 0", again and again, is no leave to storm. */
static void told_to_come_at_once(void **state)
{
	(void)state;
	quiet_world();
	lab_open(&lab);
	go_wrong(MISHAP_429_NOW, NULL, 5, 1000000);
	lab_run(&lab, 10 * MINUTE_MS);
	assert_true(lab.world->calls < 100);
	assert_string_equal(state_of().state, "error");
	assert_string_equal(state_of().trouble, "rate-limited");
	go_wrong(MISHAP_NONE, NULL, 0, 0);
	lab_run(&lab, 60 * MINUTE_MS);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
}

/* Nothing but failures for a day: calls stay few. */
static void dead_provider(void **state)
{
	(void)state;
	quiet_world();
	lab_open(&lab);
	until_idle();
	go_wrong(MISHAP_500, NULL, 1, 1000000);
	uint64_t calls = lab.world->calls;
	lab_run(&lab, DAY_MS);
	/* Six tries every quarter of an hour at most, and the first few more often. */
	assert_true(lab.world->calls - calls < 6 * (96 + 12));
	go_wrong(MISHAP_NONE, NULL, 0, 0);
	lab_run(&lab, 40 * MINUTE_MS);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
}

static void deletions_denied(void **state)
{
	(void)state;
	quiet_world();
	lab.options.feed_denied = true;
	lab_open(&lab);
	lab_run(&lab, DAY_MS);
	/* Reading the past succeeds, so it is not read again because the feed fails. */
	assert_true(lab.world->calls < 2500);
	assert_non_null(resource_of("conversations").last_error);
}

/* ---- the disk ---- */

static void full_disk(void **state)
{
	(void)state;
	quiet_world();
	lab_open(&lab);
	lab.disk_full = true;
	uint64_t calls = lab.world->calls;
	lab_run(&lab, 10 * MINUTE_MS);
	assert_string_equal(state_of().state, "error");
	assert_string_equal(state_of().trouble, "no-space");
	assert_true(lab.world->calls - calls < 100);
	lab.disk_full = false;
	lab_run(&lab, 60 * MINUTE_MS);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
	assert_string_equal(state_of().state, "ok");
}

/* A page may call for more than a transaction holds. */
static void small_transactions(void **state)
{
	(void)state;
	quiet_world();
	lab.txn_bytes = 6000;
	lab.options.page_max = 150;
	lab_open(&lab);
	lab_run(&lab, 60 * MINUTE_MS);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
}

static bool some_held(struct lab *l)
{
	(void)l;
	return count("conversations") > 0;
}

/* What was committed of a page that was not read to its end is held, and is no sign that anything was synced. */
static void a_part_is_no_success(void **state)
{
	(void)state;
	quiet_world();
	lab.only_conversations = true;
	lab.txn_bytes = 6000;
	lab.options.page_max = 150;
	lab_open(&lab);
	assert_true(lab_run_until(&lab, 60 * MINUTE_MS, some_held));
	go_wrong(MISHAP_500, NULL, 1, 1000000);
	lab_restart(&lab);
	assert_true(some_held(&lab));
	assert_true(resource_of("conversations").last_sync_ms == TIME_NONE);
	go_wrong(MISHAP_NONE, NULL, 0, 0);
	lab_run(&lab, 60 * MINUTE_MS);
	assert_true(resource_of("conversations").last_sync_ms != TIME_NONE);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
}

static void lose(const char *resource, const char *which)
{
	char command[256];

	lab_stop(&lab);
	snprintf(command, sizeof command,
		 "cd '%s/%s' && for d in $(ls -d */ | %s); do rm -f $d*.seg; done", lab.dir,
		 resource, which);
	assert_int_equal(system(command), 0);
	lab_start(&lab);
}

/* What is lost on disk is read again: all of it, whenever it changed last. */
static void lost_segments(void **state)
{
	(void)state;
	lab_open(&lab);
	until_idle();
	/* The old change long after they were made. */
	lab_run(&lab, 2 * DAY_MS);
	lose("conversations", "head -4");
	lab_run(&lab, 20 * MINUTE_MS);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
	lose("messages", "head -4");
	lab_run(&lab, 20 * MINUTE_MS);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
	lose("messages", "sed -n 5,8p");
	lab_run(&lab, 20 * MINUTE_MS);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
	lose("contacts", "head -1");
	lab_run(&lab, 20 * MINUTE_MS);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
	lose("tags", "head -1");
	lab_run(&lab, 90 * MINUTE_MS);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
	lab_check(&lab);
}

/* Messages outlive the conversations that they are of, when only these are damaged: what went upstream meanwhile goes here, too. */
static void lost_above_its_messages(void **state)
{
	struct thing *t = NULL;
	struct record held;
	char part[24];

	(void)state;
	lab.only_conversations = true;
	quiet_world();
	lab.options.index_lag_ms = 0;
	lab_open(&lab);
	until_idle();
	/* In the first folder. */
	for (unsigned i = 0; i < lab.world->count; i++) {
		struct thing *other = lab.world->things[i];
		if (other->kind == KIND_CONVERSATION && other->part_count &&
		    (!t || other->change_ms[0] < t->change_ms[0]))
			t = other;
	}
	assert_non_null(t);
	snprintf(part, sizeof part, "%u", t->parts[--t->part_count].id);
	world_change(lab.world, t, world_now(lab.world), false);
	struct snapshot *view = snapshot_new(lab.store);
	assert_int_equal(snapshot_peek(view, "messages", bytes_str(part), &held), 1);
	snapshot_free(view);
	/* Read after the second of the change, so that it is not read twice. */
	lab_sleep(&lab, 10000);
	lose("conversations", "head -1");
	lab_run(&lab, 20 * MINUTE_MS);
	view = snapshot_new(lab.store);
	assert_int_equal(snapshot_peek(view, "messages", bytes_str(part), &held), 1);
	assert_true(held.flags & RECORD_DELETED);
	snapshot_free(view);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
}

/* Messages that are lost while what they belong to is only pending. */
static void lost_while_pending(void **state)
{
	(void)state;
	lab.options.feed_denied = true; /* nothing that is pending is proven */
	lab.only_conversations = true;
	lab_open(&lab);
	lab_run(&lab, 10 * MINUTE_MS);
	lose("messages", "head -30");
	lab.world->options.feed_denied = false;
	lab_run(&lab, 60 * MINUTE_MS);
	lab_check(&lab);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
}

/* ---- the first reading ---- */

/* A first list that is interrupted after its changes have begun is read to its end all the same. */
static void interrupted_list(void **state)
{
	uint64_t ids[8];

	(void)state;
	quiet_world();
	lab.options.count[KIND_CONTACT] = 60;
	lab_open(&lab);
	go_wrong(MISHAP_500, "/contacts?", 4, 30);
	/* What a client waits for makes the list give way, and commit what it has. */
	for (int i = 0; i < 100; i++) {
		wish("tags", SYNC_CHANGES, ids);
		lab_run(&lab, 30);
	}
	lab_run(&lab, 60 * MINUTE_MS);
	lab_restart(&lab);
	lab_run(&lab, 60 * MINUTE_MS);
	assert_int_equal(count("contacts"), 60);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
}

static void stop_at_every_moment(void **state)
{
	(void)state;
	for (int ms = 0; ms < 120; ms++) {
		struct lab young;
		lab_init(&young, (uint64_t)ms);
		young.options.count[KIND_CONVERSATION] = 10;
		lab_open(&young);
		lab_run(&young, ms);
		lab_close(&young);
	}
	lab_open(&lab);
	for (int ms = 0; ms < 400; ms += 3) {
		lab_run(&lab, ms);
		lab_restart(&lab);
	}
	lab_run(&lab, 30 * MINUTE_MS);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
}

/* Freed as it stands, with calls under way that end only later. */
static void free_in_the_middle(void **state)
{
	(void)state;
	lab.fsync_ms = 0;
	lab_open(&lab);
	for (int ms = 0; ms < 1000; ms += 37) {
		sim_run(lab.loop, loop_mono_ms(lab.loop) + ms, NULL, NULL);
		sync_free(lab.sync);
		lab.sync = NULL;
		trail_close(lab.trail);
		outbox_close(lab.outbox);
		store_close(lab.store);
		lab.checked_revision = 0;
		lab_start(&lab);
	}
}

/* ---- claims ---- */

static size_t contact_spans(void)
{
	struct snapshot *view = snapshot_new(lab.store);
	size_t n = snapshot_coverage(view, "contacts")->held.count;

	snapshot_free(view);
	return n;
}

/* That there is nothing is known as well as anything: of lists, of the past, and of the time since. */
static void nothing_there(void **state)
{
	uint64_t ids[8];

	(void)state;
	quiet_world();
	memset(lab.options.count, 0, sizeof lab.options.count);
	lab_open(&lab);
	until_idle();
	lab_run(&lab, 10 * MINUTE_MS);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
	assert_int_equal(count("conversations") + count("contacts") + count("tags"), 0);
	lab_run(&lab, DAY_MS);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
	assert_int_equal(wish("conversations", SYNC_BACKFILL, ids), 0);
}

/* A walk that is not in the order that was asked for, and shows fewer than there are said to be, may have passed over some: nothing of it is claimed, not even at its end. */
static void unsorted_and_short(void **state)
{
	(void)state;
	quiet_world();
	lab.only_conversations = true;
	lab.options.sort_ignored = true;
	lab.options.total_lie = 5;
	lab_open(&lab);
	lab_run(&lab, 60 * MINUTE_MS);
	assert_true(count("conversations") > 0);
	assert_non_null(strstr(resource_of("conversations").last_error, "does not keep the order"));
	struct snapshot *view = snapshot_new(lab.store);
	for (size_t i = 0; i < snapshot_coverage(view, "conversations")->held.count; i++)
		assert_true(snapshot_coverage(view, "conversations")->held.items[i].start_ms >=
			    LAB_START - MINUTE_MS);
	snapshot_free(view);
	lab.world->options.sort_ignored = false;
	lab_run(&lab, 60 * MINUTE_MS);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
}

static bool contacts_listed(struct lab *l)
{
	return lab_runs(l, "contacts", "snapshot", "ok", 0) > 0;
}

static bool contacts_changes(struct lab *l)
{
	return lab_runs(l, "contacts", "changes", "ok", 0) > 0;
}

/* While pages are read records move from one to another: a list of what changes claims nothing before the changes that came meanwhile were read. */
static void a_moving_list_claims_late(void **state)
{
	(void)state;
	quiet_world();
	lab_open(&lab);
	assert_true(lab_run_until(&lab, 120 * MINUTE_MS, contacts_listed));
	assert_true(count("contacts") > 0);
	assert_false(contacts_changes(&lab));
	assert_int_equal(contact_spans(), 0);
	assert_true(lab_run_until(&lab, 120 * MINUTE_MS, contacts_changes));
	assert_int_equal(contact_spans(), 1);
}

/* ---- clients ---- */

static void wishes(void **state)
{
	struct told told, full;
	uint64_t a[8], b[8];

	(void)state;
	quiet_world();
	lab_open(&lab);
	assert_int_equal(wish(NULL, SYNC_CHANGES, a), 4);
	assert_int_equal(wish(NULL, SYNC_CHANGES, b), 4);
	assert_memory_equal(a, b, 4 * sizeof *a);
	watch(a[3], &told);
	lab_run(&lab, 200);
	/* Everything is wished for while the first reading is under way: it follows. */
	assert_int_equal(wish("conversations", SYNC_FULL, b), 1);
	assert_int_equal(b[0], a[3]);
	until_idle();
	assert_int_equal(told.ended, 1);
	assert_int_equal(told.outcome, RUN_OK);
	assert_true(told.follow != 0);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
	assert_int_equal(wish("conversations", SYNC_BACKFILL, b), 0);
	assert_int_equal(wish("conversations", SYNC_FULL, b), 1);
	watch(b[0], &full);
	sync_unwatch(lab.sync, &full);
	watch(b[0], &full);
	until_idle();
	assert_int_equal(full.ended, 1);
	struct run_watch w = {on_progress, on_ended, &full};
	assert_int_equal(sync_watch(lab.sync, b[0], &w), ERR_NOTFOUND);
}

/* A client's impatience is no call storm. */
static void impatience(void **state)
{
	uint64_t ids[8];

	(void)state;
	quiet_world();
	lab_open(&lab);
	until_idle();
	go_wrong(MISHAP_500, NULL, 1, 1000000);
	uint64_t calls = lab.world->calls;
	for (int i = 0; i < 600; i++) {
		wish(NULL, SYNC_CHANGES, ids);
		lab_run(&lab, 100);
	}
	assert_true(lab.world->calls - calls < 40);
	/* Nor when it is known that the provider does not answer: then it is asked now and then, however often that is wished. */
	lab_run(&lab, 5 * MINUTE_MS);
	calls = lab.world->calls;
	for (int i = 0; i < 600; i++) {
		wish(NULL, SYNC_CHANGES, ids);
		lab_run(&lab, 100);
	}
	assert_in_range(lab.world->calls - calls, 1, 20);
	go_wrong(MISHAP_NONE, NULL, 0, 0);
}

/* ---- pages that are numbered over a moving order ---- */

static uint64_t pages_asked;

static bool page_asked(struct lab *l)
{
	return l->world->path_calls > pages_asked;
}

static void until_page(void)
{
	pages_asked = lab.world->path_calls;
	assert_true(lab_run_until(&lab, MINUTE_MS, page_asked));
}

static struct thing *newest_company(void)
{
	struct thing *best = NULL;

	for (unsigned i = 0; i < lab.world->count; i++) {
		struct thing *t = lab.world->things[i];
		if (t->kind == KIND_COMPANY && t->deleted_ms == TIME_MAX &&
		    (!best || t->change_ms[t->changes - 1] >= best->change_ms[best->changes - 1]))
			best = t;
	}
	return best;
}

/* In each of two readings a company goes after the first page has shown it, so that the same other one moves over the border and is not shown: all readings together show as many as the second counts. */
static void one_goes_and_one_is_missed(void **state)
{
	(void)state;
	quiet_world();
	lab.options.page_max = 3;
	lab.options.count[KIND_COMPANY] = 9;
	lab_open(&lab);
	go_wrong(MISHAP_NONE, "/companies", 0, 0);
	until_page();
	lab_run(&lab, 2);
	world_delete(newest_company(), world_now(lab.world));
	for (int page = 0; page < 2; page++)
		until_page();
	world_add(lab.world, KIND_COMPANY, world_now(lab.world));
	until_page();
	lab_run(&lab, 2);
	world_delete(newest_company(), world_now(lab.world));
	lab_run(&lab, 20 * MINUTE_MS);
	assert_int_equal(count("companies"), 8);
	lab_check(&lab);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
}

/* A list that is longer than what is compared within bounds: what is listed is held, nothing is buried, and people are told. */
static void a_list_beyond_its_bounds(void **state)
{
	uint64_t ids[8];

	(void)state;
	quiet_world();
	lab.options.count[KIND_COMPANY] = 25;
	lab.listed_max = 25;
	lab_open(&lab);
	until_idle();
	assert_int_equal(count("contacts"), 30);
	assert_int_equal(count("companies"), 25);
	assert_non_null(strstr(resource_of("contacts").note, "more than 25 contacts are listed"));
	for (unsigned i = 0; i < lab.world->count; i++)
		if (lab.world->things[i]->kind == KIND_CONTACT) {
			world_delete(lab.world->things[i], world_now(lab.world));
			break;
		}
	assert_int_equal(wish("contacts", SYNC_FULL, ids), 1);
	lab_run(&lab, 10 * MINUTE_MS);
	assert_int_equal(count("contacts"), 30);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
	/* Pages that may have missed something are not believed at all. */
	world_add(lab.world, KIND_COMPANY, world_now(lab.world));
	assert_int_equal(wish("companies", SYNC_FULL, ids), 1);
	lab_run(&lab, MINUTE_MS);
	assert_non_null(strstr(resource_of("companies").last_error, "more than 25 are listed"));
	/* With room for them it is as ever. */
	lab.listed_max = 0;
	lab_restart(&lab);
	until_idle();
	assert_int_equal(wish("contacts", SYNC_FULL, ids), 1);
	lab_run(&lab, 10 * MINUTE_MS);
	assert_int_equal(count("contacts"), 29);
	assert_int_equal(count("companies"), 26);
	assert_null(resource_of("contacts").note);
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_goes_and_one_is_missed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_list_beyond_its_bounds, setup, teardown),
		CASE(denied_resource),
		CASE(unauthorized_resource),
		CASE(refused_token),
		CASE(foreign_404),
		CASE(mass_404),
		CASE(told_to_come_at_once),
		CASE(dead_provider),
		CASE(deletions_denied),
		CASE(full_disk),
		CASE(small_transactions),
		CASE(lost_segments),
		CASE(lost_above_its_messages),
		CASE(lost_while_pending),
		CASE(interrupted_list),
		CASE(stop_at_every_moment),
		CASE(free_in_the_middle),
		CASE(a_moving_list_claims_late),
		CASE(nothing_there),
		CASE(a_part_is_no_success),
		CASE(unsorted_and_short),
		CASE(wishes),
		CASE(impatience),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
