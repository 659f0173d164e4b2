/*
 * Days of a mirror that does not keep everything: what is older than it is kept for goes, whole threads, once a day; what is claimed is there all the
 * same, and nothing of it is fetched again.
 */
#include "support/lab.h"

#include <codec/msgpack.h>

#include <stdio.h>

struct counted {
	unsigned backfills;
	int64_t since_ms;
};

static bool count_run(void *ctx, uint64_t sequence, struct bytes value)
{
	struct counted *n = ctx;
	struct bytes kind = {0}, started = {0};
	int64_t ms = 0;

	(void)sequence;
	mp_find_str(value, "kind", &kind);
	mp_find_str(value, "started", &started);
	if (time_parse(started, &ms) == 0 && ms >= n->since_ms && bytes_is(kind, "backfill"))
		n->backfills++;
	return true;
}

static unsigned backfills_since(struct lab *lab, int64_t ms)
{
	struct counted n = {0, ms};

	assert_int_equal(trail_scan(lab->trail, UINT64_MAX, count_run, &n), 0);
	return n.backfills;
}

static uint64_t count(struct lab *lab, const char *resource)
{
	struct snapshot *view = snapshot_new(lab->store);
	uint64_t n = snapshot_count(view, resource);

	snapshot_free(view);
	return n;
}

/* Nothing that went is there, and of what is there each message has its conversation. */
static void nothing_old(struct lab *lab, int64_t kept_from)
{
	struct snapshot *view = snapshot_new(lab->store);
	struct scan_spec spec = {.resource = "conversations", .start_ms = TIME_MIN, .end_ms = TIME_MAX};
	struct buf memory = {0};
	struct scan_row row;
	struct record r, parent;
	struct scan *scan;

	assert_int_equal(scan_open(view, &spec, &scan, NULL), 0);
	while (scan_next(scan, &row) == 1)
		assert_true(row.created_ms >= kept_from || row.updated_ms >= kept_from);
	scan_close(scan);
	spec.resource = "messages";
	assert_int_equal(scan_open(view, &spec, &scan, NULL), 0);
	while (scan_next(scan, &row) == 1) {
		char id[64];
		assert_int_equal(scan_record(scan, &memory, &r), 1);
		snprintf(id, sizeof id, "%.*s", (int)r.parent.len, (const char *)r.parent.data);
		assert_int_equal(snapshot_peek(view, "conversations", bytes_str(id), &parent), 1);
	}
	scan_close(scan);
	snapshot_free(view);
	buf_release(&memory);
}

static void live(uint64_t seed, int64_t history_days, int64_t retain_days, unsigned mishaps,
		 bool restarts)
{
	struct lab lab;

	lab_init(&lab, seed);
	lab.only_conversations = true;
	lab.history_ms = history_days * DAY_MS;
	lab.retain_ms = retain_days * DAY_MS;
	/* So few changes that some threads rest until they are too old. */
	lab.options.change_every_ms = 120 * MINUTE_MS;
	lab.options.count[KIND_CONVERSATION] = 200;
	lab_open(&lab);
	lab.world->mishap_percent = mishaps;
	lab_run(&lab, 60 * MINUTE_MS);
	uint64_t before = count(&lab, "conversations");
	assert_true(before > 0);
	for (int day = 0; day < 4; day++) {
		lab_run(&lab, DAY_MS);
		if (restarts)
			lab_restart(&lab);
	}
	/* Something went, or the rest proves nothing. */
	struct store_stats stats;
	store_stats(lab.store, &stats);
	assert_true(restarts || history_days < retain_days || stats.retained > 0);
	lab.world->mishap_percent = 0;
	lab_run(&lab, 26 * 60 * MINUTE_MS);
	int64_t now = world_now(lab.world), quiet_since = loop_wall_ms(lab.loop);
	int64_t kept_from = sync_retain_start(lab.sync, "messages");
	assert_true(kept_from > now - (retain_days + 1) * DAY_MS &&
		    kept_from <= now - retain_days * DAY_MS);
	/* It may be a day since. */
	nothing_old(&lab, kept_from - DAY_MS);
	lab_run(&lab, 2 * DAY_MS);
	lab_check(&lab);
	assert_int_equal(lab.broken, 0);
	assert_int_equal(backfills_since(&lab, quiet_since), 0);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
	lab_close(&lab);
}

static void days(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 2; seed++)
		live(seed, 20, 20, 0, false);
}

static void wider_than_kept(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 1; seed++)
		live(seed, 12, 25, 0, false);
}

static void bad_restless_days(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 2; seed++)
		live(seed, 15, 15, 5, true);
}

/* Asked for, it comes at once, and to an end in each case. */
static int asked_rc = 1;

static void on_done(void *ctx, int rc, const struct why *why)
{
	(void)why;
	++*(unsigned *)ctx;
	asked_rc = rc;
}

static bool is_asked(struct lab *lab)
{
	(void)lab;
	return asked_rc != 1;
}

static void asked(void **state)
{
	struct lab lab;
	unsigned done = 0;

	(void)state;
	lab_init(&lab, 3);
	lab.only_conversations = true;
	lab.options.change_every_ms = 0;
	lab.history_ms = lab.retain_ms = 30 * DAY_MS;
	lab_open(&lab);
	lab_run(&lab, 30 * MINUTE_MS);
	uint64_t before = count(&lab, "conversations");
	lab_run(&lab, 5 * MINUTE_MS);
	assert_int_equal(sync_retain(lab.sync, on_done, &done), 0);
	assert_int_equal(sync_retain(lab.sync, on_done, &done), ERR_BUSY);
	assert_true(lab_run_until(&lab, MINUTE_MS, is_asked));
	assert_int_equal(asked_rc, 0);
	assert_int_equal(done, 1);
	assert_int_equal(count(&lab, "conversations"), before);
	/* A client that left is not told. */
	assert_int_equal(sync_retain(lab.sync, on_done, &done), 0);
	sync_retain_forget(lab.sync, &done);
	lab_run(&lab, MINUTE_MS);
	assert_int_equal(done, 1);
	/* A stop tells who waits. */
	asked_rc = 1;
	assert_int_equal(sync_retain(lab.sync, on_done, &done), 0);
	lab_stop(&lab);
	assert_int_equal(done, 2);
	lab_start(&lab);
	assert_int_equal(lab.broken, 0);
	lab_close(&lab);
}

static bool at_rest(struct lab *lab)
{
	return sync_idle(lab->sync);
}

static uint64_t retained(struct lab *lab)
{
	struct store_stats stats;

	store_stats(lab->store, &stats);
	return stats.retained;
}

/* What goes while a verify run is reading it is not claimed by that run. */
static void while_verifying(void **state)
{
	const struct resource_type *type = provider_type(&provider_intercom,
							 bytes_str("conversations"));
	struct lab lab;
	unsigned done = 0;
	uint64_t ids[4];
	struct why why;

	(void)state;
	lab_init(&lab, 3);
	lab.only_conversations = true;
	lab.options.change_every_ms = 0;
	lab.options.count[KIND_CONVERSATION] = 600;
	lab.options.rate_limit = 3;
	lab.history_ms = lab.retain_ms = 10 * DAY_MS;
	lab_open(&lab);
	/* Ten seconds before the day ends whose threads are the oldest that are kept. */
	lab_run(&lab, DAY_MS - LAB_START % DAY_MS - 10000);
	int64_t oldest = sync_retain_start(lab.sync, "conversations");
	assert_int_equal(sync_wish_span(lab.sync, type, SYNC_VERIFY, oldest, oldest + 2 * DAY_MS,
					ids, 4, &why),
			 1);
	lab_run(&lab, 20000);
	assert_true(sync_retain_start(lab.sync, "conversations") > oldest);
	assert_int_equal(lab_runs(&lab, NULL, "verify", NULL, 0), 0);
	asked_rc = 1;
	assert_int_equal(sync_retain(lab.sync, on_done, &done), 0);
	assert_true(lab_run_until(&lab, MINUTE_MS, is_asked));
	assert_true(retained(&lab) > 0);
	assert_int_equal(lab_runs(&lab, NULL, "verify", NULL, 0), 0);
	assert_true(lab_run_until(&lab, 60 * MINUTE_MS, at_rest));
	assert_int_equal(lab_runs(&lab, NULL, "verify", "ok", 0), 1);
	lab_check(&lab);
	assert_int_equal(lab.broken, 0);
	lab_close(&lab);
}

/* What would be dropped again is not fetched, and whoever asks for it is told from when on there is something. */
static void what_is_not_kept_is_not_wished_for(void **state)
{
	const struct resource_type *type = provider_type(&provider_intercom,
							 bytes_str("conversations"));
	struct sync_estimate plan[4];
	struct why why = {""};
	struct lab lab;
	uint64_t id;

	(void)state;
	lab_init(&lab, 1);
	lab.only_conversations = true;
	lab.history_ms = 10 * DAY_MS;
	lab.retain_ms = 20 * DAY_MS;
	lab.options.change_every_ms = 0;
	lab_open(&lab);
	lab_run(&lab, 30 * MINUTE_MS);
	int64_t kept = sync_retain_start(lab.sync, "conversations");
	uint64_t held = count(&lab, "conversations");
	int64_t since = loop_wall_ms(lab.loop);
	static const enum sync_mode modes[] = {SYNC_BACKFILL, SYNC_VERIFY};
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sync_wish_span(lab.sync, type, modes[i], kept - 1, TIME_MAX, &id,
						1, &why),
				 ERR_INVALID);
		assert_non_null(strstr(why.text, "conversations are kept from 2023-10-25"));
		assert_int_equal(sync_wish_span(lab.sync, NULL, modes[i], kept - 1, TIME_MAX, &id,
						1, &why),
				 ERR_INVALID);
		assert_int_equal(sync_estimate(lab.sync, type, modes[i], kept - 1, TIME_MAX, plan,
					       4, &why),
				 ERR_INVALID);
	}
	lab_run(&lab, MINUTE_MS);
	assert_int_equal(lab_runs(&lab, NULL, "backfill", NULL, since), 0);
	assert_int_equal(lab_runs(&lab, NULL, "verify", NULL, since), 0);
	/* From there on it is fetched, though it is older than the wanted history. */
	assert_int_equal(sync_wish_span(lab.sync, type, SYNC_BACKFILL, kept, TIME_MAX, &id, 1, &why),
			 1);
	lab_run(&lab, 30 * MINUTE_MS);
	uint64_t more = count(&lab, "conversations");
	assert_true(more > held);
	lab_run(&lab, 25 * 60 * MINUTE_MS);
	nothing_old(&lab, sync_retain_start(lab.sync, "conversations") - DAY_MS);
	lab_check(&lab);
	assert_int_equal(lab.broken, 0);
	lab_close(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_kept_is_not_wished_for),
		cmocka_unit_test(days),
		cmocka_unit_test(wider_than_kept),
		cmocka_unit_test(bad_restless_days),
		cmocka_unit_test(asked),
		cmocka_unit_test(while_verifying),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
