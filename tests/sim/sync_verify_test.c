/*
 * What no feed tells of: updates that a search never learns, deletions that are not announced, counts that lie. Verify runs find it within their period,
 * claim nothing by it, give way to what is fresh, and do not believe that much is gone at once. And what else reads apart from changes: single records,
 * threads that are cut, the feed of deletions.
 */
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
	lab.only_conversations = true;
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

static const struct resource_type *type(const char *name)
{
	return provider_type(&provider_intercom, bytes_str(name));
}

static struct sync_resource_state state_of(const char *name)
{
	struct sync_resource_state s;

	assert_true(sync_resource_state(lab.sync, name, &s));
	return s;
}

/* ---- runs and their ends ---- */

static struct told {
	unsigned ended;
	struct run_info info;
} told;

static void on_progress(void *ctx, const struct run_info *run)
{
	(void)ctx;
	(void)run;
}

static void on_ended(void *ctx, const struct run_info *run)
{
	struct told *t = ctx;

	t->ended++;
	t->info = *run;
}

static void watch(uint64_t id)
{
	struct run_watch w = {on_progress, on_ended, &told};

	told = (struct told){0};
	assert_int_equal(sync_watch(lab.sync, id, &w), 0);
}

static bool ended(struct lab *l)
{
	(void)l;
	return told.ended > 0;
}

static uint64_t wish_verify(int64_t start_ms, int64_t end_ms)
{
	uint64_t ids[4];
	struct why why;

	assert_int_equal(sync_wish_span(lab.sync, type("conversations"), SYNC_VERIFY, start_ms,
					end_ms, ids, 4, &why),
			 1);
	return ids[0];
}

static struct run_info verify(void)
{
	watch(wish_verify(LAB_START - 26 * DAY_MS, world_now(lab.world)));
	assert_true(lab_run_until(&lab, 120 * MINUTE_MS, ended));
	return told.info;
}

/* ---- what is held ---- */

static int peek(const char *resource, const char *id, struct record *out)
{
	struct snapshot *view = snapshot_new(lab.store);
	int rc = snapshot_peek(view, resource, bytes_str(id), out);

	snapshot_free(view);
	return rc;
}

static bool lives(const struct thing *t)
{
	struct record held;
	char id[24];

	snprintf(id, sizeof id, "%u", t->id);
	return peek("conversations", id, &held) == 1 && !(held.flags & RECORD_DELETED);
}

/* The conversation and every one of its parts. */
static bool whole(const struct thing *t)
{
	struct record held;
	char id[24];

	snprintf(id, sizeof id, "%u", t->id);
	if (peek("conversations", id, &held) != 1 ||
	    held.updated_ms != t->change_ms[t->changes - 1] / 1000 * 1000)
		return false;
	for (unsigned p = 0; p < t->part_count; p++) {
		snprintf(id, sizeof id, "%u", t->parts[p].id);
		if (peek("messages", id, &held) != 1 || (held.flags & RECORD_DELETED))
			return false;
	}
	return true;
}

static uint64_t count(const char *resource)
{
	struct snapshot *view = snapshot_new(lab.store);
	uint64_t n = snapshot_count(view, resource);

	snapshot_free(view);
	return n;
}

static struct thing *nth(enum kind kind, unsigned n)
{
	for (unsigned i = 0; i < lab.world->count; i++)
		if (lab.world->things[i]->kind == kind && n-- == 0)
			return lab.world->things[i];
	fail_msg("there is no such thing");
	return NULL;
}

static struct thing *conversation(unsigned n)
{
	return nth(KIND_CONVERSATION, n);
}

/* It changes, and the search never learns of it. */
static void change_untold(struct thing *t)
{
	if (!t->dropped)
		t->dropped = t->changes;
	world_change(lab.world, t, world_now(lab.world), true);
}

static void delete_untold(struct thing *t)
{
	t->unfed = true;
	world_delete(t, world_now(lab.world));
}

/* ---- the law ---- */

static void untold(uint64_t seed, bool restarts)
{
	uint64_t random = seed * 31 + 7;
	unsigned changed = 0, deleted = 0;

	lab.options.seed = seed;
	lab.options.change_every_ms = 30 * MINUTE_MS;
	lab.options.ties_descending = sim_below(&random, 2);
	lab.options.sort_ignored = sim_below(&random, 4) == 0;
	lab.options.page_max = 3 + (unsigned)sim_below(&random, 20);
	lab.options.rate_limit = sim_below(&random, 2) ? 20 : 0;
	/* Without its order and with a wrong total a listing is not believed at all. */
	lab.options.total_lie = lab.options.sort_ignored ? 0 : (int)sim_below(&random, 7) - 3;
	lab.verify_ms = 3 * DAY_MS;
	lab.concurrency = 1 + (unsigned)sim_below(&random, 5);
	lab_open(&lab);
	lab_run(&lab, 30 * MINUTE_MS);
	struct thing *touched[24];
	for (unsigned i = 0; i < 24; i++) {
		struct thing *t = touched[i] = conversation((unsigned)sim_below(&random, 60));
		if (t->deleted_ms != TIME_MAX)
			continue;
		t->lie = (int)sim_below(&random, 5) - 2;
		if (i % 3 == 0) {
			delete_untold(t);
			deleted++;
		} else {
			change_untold(t);
			changed++;
		}
	}
	assert_true(changed && deleted);
	for (int hour = 0; hour < 24 * 4; hour += 4) {
		lab_run(&lab, 240 * MINUTE_MS);
		if (restarts)
			lab_restart(&lab);
	}
	for (unsigned i = 0; i < 24; i++) {
		struct thing *t = touched[i];
		if (t->deleted_ms <= world_now(lab.world) - MINUTE_MS * 60) {
			if (lives(t))
				fail_msg("seed %llu: %u is gone, and nobody noticed",
					 (unsigned long long)seed, t->id);
			continue;
		}
		struct record held;
		char id[24];
		/* The first untold change at least: later ones have until the next time. */
		snprintf(id, sizeof id, "%u", t->parts[t->part_count - 1].id);
		if (t->deleted_ms == TIME_MAX && t->changes == t->dropped + 1 &&
		    peek("messages", id, &held) != 1)
			fail_msg("seed %llu: a message of %u was missed for ever",
				 (unsigned long long)seed, t->id);
	}
	assert_int_equal(lab.broken, 0);
}

static void found_within_the_period(void **state)
{
	uint64_t n = getenv("SIM_SEEDS") ? strtoull(getenv("SIM_SEEDS"), NULL, 10) : 0;

	if (getenv("SIM_SEED")) {
		untold(strtoull(getenv("SIM_SEED"), NULL, 10), false);
		return;
	}
	for (uint64_t seed = 1; seed <= 6 + n; seed++) {
		untold(seed, seed % 2 == 0);
		lab_close(&lab);
		setup(state);
	}
	lab_open(&lab);
}

/* Without verify runs nothing of it would be found: the tests above can fail. */
static void not_found_without(void **state)
{
	(void)state;
	lab_open(&lab);
	until_idle();
	change_untold(conversation(3));
	delete_untold(conversation(5));
	lab_run(&lab, 2 * DAY_MS);
	assert_false(whole(conversation(3)));
	assert_true(lives(conversation(5)));
}

static void on_demand(void **state)
{
	(void)state;
	lab_open(&lab);
	until_idle();
	change_untold(conversation(3));
	delete_untold(conversation(5));
	/* Old enough that the next changes run would not look there. */
	lab_run(&lab, 60 * MINUTE_MS);
	struct run_info info = verify();
	assert_int_equal(info.outcome, RUN_OK);
	assert_int_equal(info.kind, RUN_VERIFY);
	assert_int_equal(info.differences, 2);
	assert_int_equal(info.deleted, 1);
	assert_true(whole(conversation(3)));
	assert_false(lives(conversation(5)));
	info = verify();
	assert_int_equal(info.outcome, RUN_OK);
	assert_int_equal(info.differences, 0);
}

/* A search shows tickets whole: nothing but what is missing there is asked for by itself. */
static void tickets(void **state)
{
	uint64_t ids[4];
	struct record held;
	struct why why;
	char id[24], part[24];

	(void)state;
	lab.tickets = true;
	lab.options.count[KIND_TICKET] = 40;
	lab_open(&lab);
	until_idle();
	assert_int_equal(count("tickets"), 40);
	struct thing *changed = nth(KIND_TICKET, 3), *gone = nth(KIND_TICKET, 5);
	world_change(lab.world, gone, world_now(lab.world), true);
	lab_run(&lab, 10 * MINUTE_MS);
	snprintf(part, sizeof part, "%u", gone->parts[gone->part_count - 1].id);
	assert_int_equal(peek("ticket_parts", part, &held), 1);
	change_untold(changed);
	delete_untold(gone);
	lab_run(&lab, DAY_MS);
	snprintf(id, sizeof id, "%u", gone->id);
	assert_true(peek("tickets", id, &held) == 1 && !(held.flags & RECORD_DELETED));
	/* The search knows it by now, though no search for changes showed it. */
	changed->dropped = 0;
	uint64_t calls = lab.world->calls;
	assert_int_equal(sync_wish_span(lab.sync, type("tickets"), SYNC_VERIFY,
					LAB_START - 26 * DAY_MS, world_now(lab.world), ids, 4, &why),
			 1);
	watch(ids[0]);
	assert_true(lab_run_until(&lab, 120 * MINUTE_MS, ended));
	assert_int_equal(told.info.outcome, RUN_OK);
	assert_int_equal(told.info.kind, RUN_VERIFY);
	assert_int_equal(told.info.differences, 2);
	assert_int_equal(told.info.deleted, 1);
	assert_true(lab.world->calls - calls <= 40 / lab.options.page_max + 4);
	assert_true(peek("tickets", id, &held) == 1 && (held.flags & RECORD_DELETED));
	assert_true(peek("ticket_parts", part, &held) == 1 && (held.flags & RECORD_DELETED));
	snprintf(part, sizeof part, "%u", changed->parts[changed->part_count - 1].id);
	assert_int_equal(peek("ticket_parts", part, &held), 1);
	/* And by itself, in its time. */
	lab_stop(&lab);
	lab.verify_ms = 2 * DAY_MS;
	lab_start(&lab);
	gone = nth(KIND_TICKET, 8);
	delete_untold(gone);
	lab_run(&lab, 3 * DAY_MS);
	snprintf(id, sizeof id, "%u", gone->id);
	assert_true(peek("tickets", id, &held) == 1 && (held.flags & RECORD_DELETED));
}

/* Without reading every thread: the listing itself, and the number of parts. */
static void counts_only(void **state)
{
	(void)state;
	lab.verify_counts = true;
	lab_open(&lab);
	/* Read again each time, and found to be as it was. */
	conversation(4)->lie = 2;
	until_idle();
	lab_run(&lab, 60 * MINUTE_MS);
	uint64_t calls = lab.world->calls;
	struct run_info info = verify();
	assert_int_equal(info.differences, 0);
	assert_true(lab.world->calls - calls < 30);
	/* The search keeps the old time, but the number of parts has grown. */
	change_untold(conversation(3));
	lab_run(&lab, 60 * MINUTE_MS);
	info = verify();
	assert_int_equal(info.outcome, RUN_OK);
	assert_int_equal(info.differences, 1);
	assert_true(whole(conversation(3)));
}

/* ---- giving way ---- */

static void gives_way(void **state)
{
	(void)state;
	lab.options.rate_limit = 12;
	lab.options.count[KIND_CONVERSATION] = 400;
	lab.verify_ms = DAY_MS;
	lab_open(&lab);
	until_idle();
	watch(wish_verify(LAB_START - 26 * DAY_MS, world_now(lab.world)));
	int64_t began = world_now(lab.world);
	while (!told.ended) {
		lab_run(&lab, MINUTE_MS);
		struct snapshot *view = snapshot_new(lab.store);
		int64_t age = world_now(lab.world) -
			      snapshot_coverage(view, "conversations")->chain_end_ms;
		snapshot_free(view);
		assert_true(age < 7 * MINUTE_MS);
	}
	assert_int_equal(told.info.outcome, RUN_OK);
	assert_true(world_now(lab.world) - began > 6 * MINUTE_MS);
}

/* A period's runs cost about as many calls as there are threads, however often the daemon is started. */
static void costs_what_it_must(void **state)
{
	(void)state;
	lab.verify_ms = 10 * DAY_MS;
	lab_open(&lab);
	until_idle();
	uint64_t calls = lab.world->calls;
	lab_run(&lab, 2 * DAY_MS);
	uint64_t plain = 2 * 2 * 24 * 12;
	/* A fifth of eighty threads, the listings of fifty slots, and what a slot at the end reads besides. */
	assert_true(lab.world->calls - calls > plain + 40);
	assert_true(lab.world->calls - calls < plain + 16 + 110 + 30);
	calls = lab.world->calls;
	for (int i = 0; i < 30; i++) {
		lab_run(&lab, 10000);
		lab_restart(&lab);
	}
	assert_true(lab.world->calls - calls < 30 * 8);
}

static void killed_at_every_commit(void **state)
{
	(void)state;
	lab_open(&lab);
	until_idle();
	lab_run(&lab, 30 * MINUTE_MS);
	for (unsigned i = 0; i < 20; i++)
		change_untold(conversation(i));
	for (unsigned i = 20; i < 26; i++)
		delete_untold(conversation(i));
	for (int ms = 0; ms < 3000; ms += 61) {
		wish_verify(LAB_START - 26 * DAY_MS, world_now(lab.world));
		lab_run(&lab, ms);
		lab_restart(&lab);
	}
	assert_int_equal(verify().outcome, RUN_OK);
	for (unsigned i = 0; i < 20; i++)
		assert_true(whole(conversation(i)));
	for (unsigned i = 20; i < 26; i++)
		assert_false(lives(conversation(i)));
	lab_check(&lab);
}

/* ---- the guard ---- */

/* A search that suddenly leaves out most of it is not believed, whoever asks; what it leaves out and is there stays. */
static void half_a_listing(void **state)
{
	(void)state;
	lab_open(&lab);
	until_idle();
	lab.world->hidden_below = conversation(50)->id;
	struct run_info info = verify();
	assert_int_equal(info.outcome, RUN_FAILED);
	assert_non_null(strstr(info.error, "not believed"));
	assert_int_equal(info.failed, 50);
	assert_int_equal(info.deleted, 0);
	assert_int_equal(count("conversations"), 80);
	assert_non_null(state_of("conversations").note);
	lab_restart(&lab);
	assert_non_null(strstr(state_of("conversations").note, "50 of 80"));
	assert_non_null(strstr(state_of("conversations").note, "--mode=verify --since=2023-"));
	/* Who insists makes each of them be asked for: they are there. */
	info = verify();
	assert_int_equal(info.outcome, RUN_OK);
	assert_int_equal(count("conversations"), 80);
	assert_null(state_of("conversations").note);
}

static bool refused(struct lab *l)
{
	struct sync_resource_state s;

	return sync_resource_state(l->sync, "conversations", &s) && s.note;
}

/* What is not listed and cannot be asked for stays as it is, and keeps nobody from the others. */
static void an_absent_one_cannot_be_read(void **state)
{
	char path[64];

	(void)state;
	lab_open(&lab);
	until_idle();
	lab.world->hidden_below = conversation(15)->id;
	delete_untold(conversation(12));
	delete_untold(conversation(13));
	snprintf(path, sizeof path, "/conversations/%u", conversation(13)->id);
	lab.world->mishap = MISHAP_500;
	lab.world->mishap_path = path;
	lab.world->mishap_at = 1;
	lab.world->mishap_calls = 1000000;
	struct run_info info = verify();
	assert_int_equal(info.outcome, RUN_OK);
	assert_int_equal(info.failed, 1);
	assert_int_equal(info.deleted, 1);
	assert_true(lives(conversation(13)) && !lives(conversation(12)));
	lab.world->mishap = MISHAP_NONE;
	assert_int_equal(verify().deleted, 1);
	assert_false(lives(conversation(13)));
}

/* The listing is well again: nothing is left to be believed. */
static void a_passing_weakness(void **state)
{
	(void)state;
	lab_open(&lab);
	until_idle();
	lab.world->hidden_below = conversation(50)->id;
	assert_int_equal(verify().outcome, RUN_FAILED);
	lab.world->hidden_below = 0;
	assert_int_equal(verify().outcome, RUN_OK);
	assert_null(state_of("conversations").note);
	assert_int_equal(count("conversations"), 80);
	/* A new one is not believed because there was one before. */
	lab.world->hidden_below = conversation(50)->id;
	assert_int_equal(verify().outcome, RUN_FAILED);
}

/* It was true: the same records are missing in a later reading. */
static void a_great_clean_up(void **state)
{
	(void)state;
	lab.verify_ms = DAY_MS;
	/* All of one quarter of an hour, so that one stretch shows them together. */
	lab.options.history_ms = 15 * MINUTE_MS;
	lab_open(&lab);
	until_idle();
	lab_run(&lab, 25 * 60 * MINUTE_MS);
	for (unsigned i = 0; i < 40; i++)
		delete_untold(conversation(i));
	assert_true(lab_run_until(&lab, 2 * DAY_MS, refused));
	assert_int_equal(count("conversations"), 80);
	lab_run(&lab, 50 * MINUTE_MS);
	assert_int_equal(count("conversations"), 80);
	lab_run(&lab, 90 * MINUTE_MS);
	assert_int_equal(count("conversations"), 40);
	assert_null(state_of("conversations").note);
}

/* More than are wanted at once: pass by pass, to the last, and those that exist all the same stay. */
static void more_absent_than_are_wanted_at_once(void **state)
{
	uint64_t run;
	struct why why;
	unsigned gone = 0;

	(void)state;
	lab.only_conversations = false;
	lab.options.count[KIND_CONTACT] = 11500;
	lab.options.count[KIND_CONVERSATION] = 1;
	lab.options.page_max = 150;
	lab.check_every_ms = 60 * MINUTE_MS;
	lab.concurrency = 8;
	lab_open(&lab);
	until_idle();
	assert_int_equal(count("contacts"), 11500);
	for (unsigned i = 0; i < lab.world->count; i++)
		if (lab.world->things[i]->kind == KIND_CONTACT && gone < 10500 && ++gone)
			world_delete(lab.world->things[i], world_now(lab.world));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sync_wish(lab.sync, type("contacts"), SYNC_FULL, &run, 1, &why), 1);
		until_idle();
		assert_int_equal(count("contacts"), i ? 1000 : 11500);
	}
}

/* The same for a list that is read whole. */
static void an_empty_list(void **state)
{
	uint64_t ids[4];
	struct why why;

	(void)state;
	lab.only_conversations = false;
	lab.options.count[KIND_TAG] = 30;
	lab_open(&lab);
	until_idle();
	for (unsigned i = 0; i < lab.world->count; i++)
		if (lab.world->things[i]->kind == KIND_TAG)
			world_delete(lab.world->things[i], world_now(lab.world));
	lab_run(&lab, DAY_MS);
	assert_int_equal(count("tags"), 30);
	assert_non_null(state_of("tags").note);
	assert_non_null(strstr(state_of("tags").last_error, "--mode=full"));
	assert_int_equal(sync_wish(lab.sync, type("tags"), SYNC_FULL, ids, 4, &why), 1);
	watch(ids[0]);
	lab_run(&lab, MINUTE_MS);
	assert_int_equal(told.info.outcome, RUN_OK);
	assert_int_equal(told.info.deleted, 30);
	assert_int_equal(count("tags"), 0);
	assert_null(state_of("tags").note);
	lab_run(&lab, 10 * MINUTE_MS);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
}

/* A smaller part of a list: believed when it is still so an hour later. */
static void a_shorter_list(void **state)
{
	unsigned left = 12;

	(void)state;
	lab.only_conversations = false;
	lab.options.count[KIND_TAG] = 30;
	lab_open(&lab);
	until_idle();
	for (unsigned i = 0; i < lab.world->count && left; i++)
		if (lab.world->things[i]->kind == KIND_TAG) {
			world_delete(lab.world->things[i], world_now(lab.world));
			left--;
		}
	lab_run(&lab, 61 * MINUTE_MS);
	assert_int_equal(count("tags"), 30);
	assert_non_null(state_of("tags").note);
	lab_run(&lab, 90 * MINUTE_MS);
	assert_int_equal(count("tags"), 18);
	assert_null(state_of("tags").note);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
}

static unsigned tags_reads;

static bool tags_read_again(struct lab *l)
{
	return lab_runs(l, "tags", "snapshot", NULL, 0) > tags_reads;
}

/* Each time others are missing: that is no list to believe, however long it goes on. */
static void another_part_each_time(void **state)
{
	(void)state;
	lab.only_conversations = false;
	lab.options.count[KIND_TAG] = 30;
	lab_open(&lab);
	until_idle();
	for (unsigned round = 0; round < 4; round++) {
		unsigned at = 0;
		for (unsigned i = 0; i < lab.world->count; i++)
			if (lab.world->things[i]->kind == KIND_TAG)
				lab.world->things[i]->deleted_ms = at++ / 15 == round % 2
									   ? world_now(lab.world)
									   : TIME_MAX;
		/* Long after the last reading. */
		lab_sleep(&lab, 2 * 60 * MINUTE_MS);
		tags_reads = lab_runs(&lab, "tags", "snapshot", NULL, 0);
		assert_true(lab_run_until(&lab, DAY_MS, tags_read_again));
		assert_int_equal(count("tags"), 30);
		assert_non_null(state_of("tags").note);
	}
	for (unsigned i = 0; i < lab.world->count; i++)
		lab.world->things[i]->deleted_ms = TIME_MAX;
	lab_run(&lab, 2 * 60 * MINUTE_MS);
	assert_null(state_of("tags").note);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
}

/* ---- single records ---- */

static uint64_t ask_for(const char *const *texts, size_t n)
{
	struct bytes ids[8];
	uint64_t run = 0;
	struct why why;

	for (size_t i = 0; i < n; i++)
		ids[i] = bytes_str(texts[i]);
	assert_int_equal(sync_wish_ids(lab.sync, type("conversations"), ids, n, &run, &why), 0);
	return run;
}

/* Messages of a span may belong to conversations that began before it: reading those that began in it proves nothing of the messages. */
static void messages_are_not_claimed(void **state)
{
	int64_t start = LAB_START - 60 * DAY_MS, end = LAB_START - 40 * DAY_MS;

	(void)state;
	lab.options.history_ms = 90 * DAY_MS;
	lab.history_ms = 20 * DAY_MS;
	lab_open(&lab);
	until_idle();
	lab_run(&lab, MINUTE_MS);
	struct snapshot *view = snapshot_new(lab.store);
	int64_t first = snapshot_coverage(view, "messages")->held.items[0].start_ms;
	assert_true(first > end);
	snapshot_free(view);
	watch(wish_verify(start, end));
	assert_true(lab_run_until(&lab, 60 * MINUTE_MS, ended));
	assert_int_equal(told.info.outcome, RUN_OK);
	view = snapshot_new(lab.store);
	assert_int_equal(snapshot_coverage(view, "conversations")->held.items[0].start_ms, start);
	assert_int_equal(snapshot_coverage(view, "messages")->held.items[0].start_ms, first);
	snapshot_free(view);
}

/* What comes in another order than was asked for may have slipped from one page to another. */
static void unsorted_proves_nothing(void **state)
{
	int64_t start = LAB_START - 60 * DAY_MS, end = LAB_START - 40 * DAY_MS;

	(void)state;
	lab.options.history_ms = 90 * DAY_MS;
	lab.history_ms = 20 * DAY_MS;
	lab_open(&lab);
	until_idle();
	lab_run(&lab, MINUTE_MS);
	lab.world->options.sort_ignored = true;
	watch(wish_verify(start, end));
	assert_true(lab_run_until(&lab, 60 * MINUTE_MS, ended));
	assert_int_equal(told.info.outcome, RUN_OK);
	assert_true(told.info.done > 1);
	struct snapshot *view = snapshot_new(lab.store);
	int64_t first = snapshot_coverage(view, "conversations")->held.items[0].start_ms;
	snapshot_free(view);
	assert_true(first > end);
}

static struct run_info read_one(const char *id)
{
	watch(ask_for(&id, 1));
	assert_true(lab_run_until(&lab, 5 * MINUTE_MS, ended));
	return told.info;
}

static void id_text(const struct thing *t, char out[24])
{
	snprintf(out, 24, "%u", t->id);
}

static void single_records(void **state)
{
	char id[24], old_id[24];

	(void)state;
	lab_open(&lab);
	until_idle();
	lab_run(&lab, MINUTE_MS);
	struct snapshot *view = snapshot_new(lab.store);
	size_t spans = snapshot_coverage(view, "conversations")->held.count;
	int64_t first = snapshot_coverage(view, "conversations")->held.items[0].start_ms;
	snapshot_free(view);
	int64_t synced = state_of("conversations").last_sync_ms;
	change_untold(conversation(3));
	id_text(conversation(3), id);
	struct run_info info = read_one(id);
	assert_int_equal(info.outcome, RUN_OK);
	assert_int_equal(info.kind, RUN_ONE);
	assert_int_equal(info.updated, 1);
	assert_int_equal(info.calls, 1);
	assert_true(whole(conversation(3)));
	assert_int_equal(read_one(id).unchanged, 1);
	/* Older than everything wanted: stored, not claimed. */
	struct thing *old = world_add(lab.world, KIND_CONVERSATION, LAB_START - 300 * DAY_MS);
	id_text(old, old_id);
	info = read_one(old_id);
	assert_int_equal(info.created, 1);
	assert_true(lives(old));
	view = snapshot_new(lab.store);
	assert_int_equal(snapshot_coverage(view, "conversations")->held.count, spans);
	assert_int_equal(snapshot_coverage(view, "conversations")->held.items[0].start_ms, first);
	snapshot_free(view);
	assert_int_equal(state_of("conversations").last_sync_ms, synced);
	/* Never heard of, and gone: neither is a failure. */
	info = read_one("999999");
	assert_int_equal(info.outcome, RUN_OK);
	assert_int_equal(info.gone, 1);
	assert_int_equal(info.failed, 0);
	delete_untold(conversation(7));
	id_text(conversation(7), id);
	info = read_one(id);
	assert_int_equal(info.gone, 1);
	assert_int_equal(info.outcome, RUN_OK);
	/* One answer does not delete; the next run asks again. */
	assert_true(lives(conversation(7)));
	lab_run(&lab, 6 * MINUTE_MS);
	assert_false(lives(conversation(7)));
}

static void single_records_fail_alone(void **state)
{
	char a[24], b[24], path[64];
	const char *both[2] = {a, b};

	(void)state;
	lab_open(&lab);
	until_idle();
	change_untold(conversation(3));
	change_untold(conversation(4));
	id_text(conversation(3), a);
	id_text(conversation(4), b);
	snprintf(path, sizeof path, "/conversations/%s", a);
	lab.world->mishap = MISHAP_500;
	lab.world->mishap_path = path;
	lab.world->mishap_at = 1;
	lab.world->mishap_calls = 1000000;
	lab.world->path_calls = 0;
	watch(ask_for(both, 2));
	assert_true(lab_run_until(&lab, 5 * MINUTE_MS, ended));
	assert_int_equal(told.info.outcome, RUN_FAILED);
	assert_int_equal(told.info.failed, 1);
	assert_int_equal(told.info.updated, 1);
	assert_non_null(strstr(told.info.error, a));
	assert_true(whole(conversation(4)));
	lab.world->mishap = MISHAP_NONE;
	assert_int_equal(read_one(a).outcome, RUN_OK);
	assert_true(whole(conversation(3)));
}

/* It ends the letter of what could not be read before. */
static void single_record_ends_a_letter(void **state)
{
	char id[24], path[64];
	struct record held;

	(void)state;
	lab_open(&lab);
	until_idle();
	world_change(lab.world, conversation(3), world_now(lab.world), true);
	id_text(conversation(3), id);
	snprintf(path, sizeof path, "/conversations/%s", id);
	lab.world->mishap = MISHAP_500;
	lab.world->mishap_path = path;
	lab.world->mishap_at = 1;
	lab.world->mishap_calls = 1000000;
	lab_run(&lab, 10 * MINUTE_MS);
	assert_int_equal(peek("conversations", id, &held), 1);
	assert_true(held.flags & RECORD_TRUNCATED);
	lab.world->mishap = MISHAP_NONE;
	assert_int_equal(read_one(id).outcome, RUN_OK);
	assert_int_equal(peek("conversations", id, &held), 1);
	assert_int_equal(held.flags, 0);
	struct snapshot *view = snapshot_new(lab.store);
	assert_int_equal(snapshot_mark(view, "dead.conversations").len, 0);
	snapshot_free(view);
}

static void equal_wishes_are_one(void **state)
{
	char a[24], b[24];
	const char *both[2] = {a, b}, *again[2] = {b, a};
	struct bytes bad = bytes_str("../me"), message = bytes_str("5");
	uint64_t run;
	struct why why = {""};

	(void)state;
	lab_open(&lab);
	until_idle();
	lab_run(&lab, MINUTE_MS);
	id_text(conversation(3), a);
	id_text(conversation(4), b);
	uint64_t calls = lab.world->calls, first = ask_for(both, 2);
	assert_int_equal(ask_for(again, 2), first);
	watch(first);
	lab_run(&lab, 20);
	assert_int_equal(ask_for(both, 1), first);
	assert_true(lab_run_until(&lab, MINUTE_MS, ended));
	/* The third: what was under way may have been answered before it was wished for again. */
	assert_int_equal(lab.world->calls - calls, 3);
	assert_int_equal(told.info.unchanged, 3);
	/* More comes while it ends, at every moment of it. */
	for (int ms = 0; ms < 160; ms += 3) {
		uint64_t at = ask_for(both, 1);
		lab_run(&lab, ms);
		uint64_t next = ask_for(again, 1);
		watch(next);
		assert_true(at == next || sync_watch(lab.sync, at,
						     &(struct run_watch){on_progress, on_ended,
									 &told}) == ERR_NOTFOUND);
		assert_true(lab_run_until(&lab, MINUTE_MS, ended));
		assert_int_equal(told.info.outcome, RUN_OK);
	}
	assert_int_equal(sync_wish_ids(lab.sync, type("conversations"), &bad, 1, &run, &why),
			 ERR_INVALID);
	assert_int_equal(sync_wish_ids(lab.sync, type("messages"), &message, 1, &run, &why),
			 ERR_INVALID);
	assert_non_null(strstr(why.text, "conversations"));
	assert_int_equal(sync_wish_ids(lab.sync, type("conversations"), &message, 0, &run, &why),
			 ERR_INVALID);
}

/* ---- spans ---- */

/* The gaps of a span, even from before the wanted history; and nothing when there are none. */
static void backfill_of_a_span(void **state)
{
	uint64_t ids[4];
	struct why why;

	(void)state;
	lab.history_ms = 5 * DAY_MS;
	lab_open(&lab);
	until_idle();
	uint64_t before = count("conversations");
	int64_t start = LAB_START - 15 * DAY_MS, end = LAB_START - 10 * DAY_MS;
	assert_int_equal(sync_wish_span(lab.sync, type("conversations"), SYNC_BACKFILL, start, end,
					ids, 4, &why),
			 1);
	watch(ids[0]);
	until_idle();
	assert_int_equal(told.info.outcome, RUN_OK);
	assert_true(count("conversations") > before);
	struct snapshot *view = snapshot_new(lab.store);
	assert_true(intervals_contain(&snapshot_coverage(view, "conversations")->held, start, end));
	assert_true(intervals_contain(&snapshot_coverage(view, "messages")->held, start, end));
	snapshot_free(view);
	lab_check(&lab);
	assert_int_equal(sync_wish_span(lab.sync, type("conversations"), SYNC_BACKFILL, start, end,
					ids, 4, &why),
			 0);
	assert_int_equal(sync_wish_span(lab.sync, type("conversations"), SYNC_FULL, start, end, ids,
					4, &why),
			 ERR_INVALID);
}

/* ---- threads that are cut ---- */

static void threads_grow(void **state)
{
	struct record held;
	char id[24];

	(void)state;
	lab.options.parts_max = 4;
	lab_open(&lab);
	until_idle();
	struct thing *t = conversation(3);
	while (t->part_count < 4)
		world_change(lab.world, t, world_now(lab.world), true);
	lab_run(&lab, 6 * MINUTE_MS);
	id_text(t, id);
	assert_int_equal(peek("conversations", id, &held), 1);
	assert_false(held.flags & RECORD_TRUNCATED);
	for (int i = 0; i < 6; i++) {
		world_change(lab.world, t, world_now(lab.world), true);
		world_change(lab.world, t, world_now(lab.world), true);
		lab_run(&lab, 6 * MINUTE_MS);
		assert_true(whole(t));
		assert_int_equal(peek("conversations", id, &held), 1);
		assert_true(held.flags & RECORD_TRUNCATED);
	}
	assert_int_equal(t->part_count, 16);
	/* Nor does reading it for any other reason take away what is not shown any more. */
	assert_int_equal(verify().differences, 0);
	assert_true(whole(t));
	assert_int_equal(read_one(id).unchanged, 1);
	assert_true(whole(t));
}

/* ---- the feed of deletions ---- */

/* Without a feed changes are followed all the same; what was deleted meanwhile is read when the feed is there again. */
static void no_feed(void **state)
{
	(void)state;
	lab_open(&lab);
	until_idle();
	lab_run(&lab, 10 * MINUTE_MS);
	assert_null(state_of("conversations").note);
	lab.world->options.feed_missing = true;
	struct thing *t = conversation(3);
	lab_run(&lab, 6 * MINUTE_MS);
	delete_untold(t);
	lab_run(&lab, DAY_MS);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
	assert_non_null(strstr(state_of("conversations").note, "verify"));
	assert_null(state_of("conversations").last_error);
	assert_true(lives(t));
	lab_restart(&lab);
	lab.world->options.feed_missing = false;
	lab.world->feed_catches_up = true;
	lab_run(&lab, 6 * MINUTE_MS);
	assert_false(lives(t));
	assert_null(state_of("conversations").note);
}

/* Shown again and again within the overlap, it is one deletion. */
/* A search that lags shows what the feed has told to be deleted already. Changed and deleted in one second, so that times do not tell which came last. */
static void a_search_behind_the_feed(void **state)
{
	struct record held;
	char id[24];

	(void)state;
	lab.options.index_lag_ms = 20000;
	lab_open(&lab);
	until_idle();
	lab_run(&lab, 60000 - world_now(lab.world) % 1000);
	struct thing *t = conversation(3);
	int64_t at = world_now(lab.world);
	id_text(t, id);
	world_change(lab.world, t, at, true);
	world_delete(t, at + 900);
	lab_run(&lab, 5000);
	for (int i = 0; i < 30; i++) {
		uint64_t run;
		struct why why;
		assert_int_equal(
			sync_wish(lab.sync, type("conversations"), SYNC_CHANGES, &run, 1, &why), 1);
		lab_run(&lab, 700);
		struct snapshot *view = snapshot_new(lab.store);
		assert_int_equal(snapshot_peek(view, "conversations", bytes_str(id), &held), 1);
		snapshot_free(view);
		assert_true(held.flags & RECORD_DELETED);
		assert_int_equal(sync_dead_count(lab.sync), 0);
	}
}

/* The same of one that came and went between two readings, so that it was never held. */
static void a_search_behind_what_was_never_held(void **state)
{
	struct why why;
	uint64_t run;

	(void)state;
	lab.options.index_lag_ms = 20000;
	lab_open(&lab);
	until_idle();
	lab_run(&lab, 60000);
	uint64_t held = count("conversations");
	world_delete(world_add(lab.world, KIND_CONVERSATION, world_now(lab.world)),
		     world_now(lab.world) + 4000);
	lab_run(&lab, 6000);
	/* The feed is read, the search is behind. Killed besides: what is known of it is on the disk. */
	assert_int_equal(sync_wish(lab.sync, type("conversations"), SYNC_CHANGES, &run, 1, &why), 1);
	lab_run(&lab, 8000);
	lab_restart(&lab);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(sync_wish(lab.sync, type("conversations"),
					   i % 4 ? SYNC_CHANGES : SYNC_FULL, &run, 1, &why),
				 1);
		lab_run(&lab, 1000);
		assert_int_equal(count("conversations"), held);
		assert_int_equal(sync_dead_count(lab.sync), 0);
	}
}

static bool some_held(struct lab *l)
{
	(void)l;
	return count("conversations") > 0;
}

/* What was stored before the first page was over, and the chain of changes began, is gone when reading goes on: only the feed tells. */
static void deleted_before_the_chain(void **state)
{
	struct record r;
	char id[24];
	unsigned gone = 0;

	(void)state;
	lab.only_conversations = true;
	lab.options.page_max = 50;
	lab.txn_bytes = 4000;
	lab_open(&lab);
	assert_true(lab_run_until(&lab, MINUTE_MS, some_held));
	lab_kill(&lab);
	struct snapshot *view = snapshot_new(lab.store);
	assert_int_equal(snapshot_coverage(view, "conversations")->chain_start_ms, TIME_NONE);
	for (unsigned i = 0; i < 80; i++) {
		id_text(conversation(i), id);
		if (snapshot_peek(view, "conversations", bytes_str(id), &r) == 1 && ++gone)
			world_delete(conversation(i), world_now(lab.world));
	}
	snapshot_free(view);
	assert_true(gone > 0 && gone < 50);
	lab_sleep(&lab, 60 * MINUTE_MS);
	lab_run(&lab, 30 * MINUTE_MS);
	assert_int_equal(count("conversations"), 80 - gone);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
}

/* A single record that somebody has asked for before. */
static void deleted_before_the_first_reading(void **state)
{
	const char *one[1];
	struct why why;
	char id[24];

	(void)state;
	lab.only_conversations = true;
	lab.window_strict = true;
	assert_int_equal(week_parse(bytes_str("hourly 20-21"), &lab.window, &why), 0);
	lab_open(&lab);
	lab_run(&lab, MINUTE_MS);
	id_text(conversation(3), id);
	one[0] = id;
	ask_for(one, 1);
	lab_run(&lab, MINUTE_MS);
	assert_int_equal(count("conversations"), 1);
	world_delete(conversation(3), world_now(lab.world));
	lab_restart(&lab);
	lab_sleep(&lab, 55 * MINUTE_MS);
	lab_run(&lab, 3 * 60 * MINUTE_MS);
	assert_int_equal(count("conversations"), 79);
}

static void deleted_once(void **state)
{
	(void)state;
	lab_open(&lab);
	until_idle();
	for (unsigned i = 0; i < 20; i++)
		world_delete(conversation(i), world_now(lab.world));
	/* In the middle of the feed's pages. */
	lab.world->mishap = MISHAP_500;
	lab.world->mishap_path = "/conversations/deleted";
	lab.world->mishap_at = 2;
	lab.world->mishap_calls = 9;
	lab_run(&lab, 20 * MINUTE_MS);
	assert_int_equal(count("conversations"), 60);
	struct store_stats before, after;
	store_stats(lab.store, &before);
	lab_run(&lab, 60 * MINUTE_MS);
	assert_int_equal(count("conversations"), 60);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
	store_stats(lab.store, &after);
	/* A commit of each run for what it has proven, and none for tombstones. */
	assert_true(after.revision - before.revision <= 13);
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(found_within_the_period),
		CASE(not_found_without),
		CASE(on_demand),
		CASE(tickets),
		CASE(counts_only),
		CASE(gives_way),
		CASE(costs_what_it_must),
		CASE(killed_at_every_commit),
		CASE(half_a_listing),
		CASE(an_absent_one_cannot_be_read),
		CASE(a_passing_weakness),
		CASE(a_great_clean_up),
		CASE(more_absent_than_are_wanted_at_once),
		CASE(an_empty_list),
		CASE(a_shorter_list),
		CASE(another_part_each_time),
		CASE(messages_are_not_claimed),
		CASE(unsorted_proves_nothing),
		CASE(single_records),
		CASE(single_records_fail_alone),
		CASE(single_record_ends_a_letter),
		CASE(equal_wishes_are_one),
		CASE(backfill_of_a_span),
		CASE(threads_grow),
		CASE(no_feed),
		CASE(a_search_behind_the_feed),
		CASE(a_search_behind_what_was_never_held),
		CASE(deleted_before_the_chain),
		CASE(deleted_before_the_first_reading),
		CASE(deleted_once),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
