/*
 * What a store does by itself: flushes, merges, quarantines. Nothing of it changes what readers see,
 * at whatever step it is cut, with a transaction open or a commit waiting behind it.
 */
#include "support/lab.h"

#include <stdio.h>

#define T0   1700000000000
#define SOME 300 /* records of a flush */

static struct lab lab;

static int setup(void **state)
{
	(void)state;
	lab_init(&lab);
	lab.journal_bytes = 4 << 20;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	lab_release(&lab);
	return 0;
}

static unsigned segments(struct store *s)
{
	struct store_stats stats;

	store_stats(s, &stats);
	return (unsigned)stats.segments;
}

static void put_some(struct txn *t, int from, int n, int round)
{
	char id[24];

	for (int i = from; i < from + n; i++) {
		snprintf(id, sizeof id, "i%d", i);
		lab_put(t, "contacts", id, T0 + (int64_t)(i * 7919 % 1000) * 3600000,
			T0 + round * 1000, T0 + 10000000, 0, i % 3 ? "p" : NULL,
			(unsigned)(i + round * 31) + 1);
	}
}

static void commit_some(struct store *s, int from, int n, int round)
{
	struct txn *t = lab_begin(s);

	put_some(t, from, n, round);
	txn_hold(t, "contacts", (struct interval){T0, T0 + 1000 + round, T0 + 10000000});
	assert_int_equal(lab_commit(t), 0);
}

/* So many files, the upkeep due but not done. */
static struct store *files(int n)
{
	struct store *s = lab_open(&lab);

	for (int i = 0; i < n; i++) {
		commit_some(s, i * SOME - i * 20, SOME, i);
		store_flush(s);
		for (unsigned before = segments(s); segments(s) == before && store_work(s);)
			;
	}
	return s;
}

static void merges(void **state)
{
	struct buf before = {0}, after = {0}, old = {0};

	(void)state;
	struct store *s = files(12);
	assert_true(segments(s) >= 3);
	struct snapshot *v = snapshot_new(s);
	unsigned on_disk = lab_files(lab.dir, ".seg");
	lab_dump(s, &before, true);
	lab_work(s);
	lab_dump(s, &after, true);
	assert_string_equal(buf_text(&before), buf_text(&after));
	assert_true(segments(s) < 8);
	/* A reader keeps what it reads; its files go with it. */
	assert_true(lab_files(lab.dir, ".seg") >= on_disk);
	assert_int_equal(snapshot_count(v, "contacts"), 12 * SOME - 11 * 20);
	snapshot_free(v);
	assert_int_equal(lab_files(lab.dir, ".seg"), segments(s));
	assert_false(store_work(s));
	store_close(s);
	s = lab_open(&lab);
	lab_dump(s, &after, true);
	assert_string_equal(buf_text(&before), buf_text(&after));
	store_close(s);
	buf_release(&before);
	buf_release(&after);
	buf_release(&old);
}

/* A large file of which most is dead is written anew, although it is the only one. */
static void half_dead(void **state)
{
	struct store_stats stats;

	(void)state;
	struct store *s = lab_open(&lab);
	commit_some(s, 0, 3000, 0);
	lab_work(s);
	assert_int_equal(segments(s), 1);
	commit_some(s, 0, 2000, 1);
	lab_work(s);
	store_stats(s, &stats);
	struct snapshot *v = snapshot_new(s);
	assert_int_equal(snapshot_count(v, "contacts"), 3000);
	snapshot_free(v);
	uint64_t bytes = stats.disk_bytes;
	lab_files(lab.dir, ".seg");
	store_close(s);
	lab_remove(lab.dir);
	s = lab_open(&lab);
	commit_some(s, 0, 3000, 0);
	store_stats(s, &stats);
	assert_true(bytes < stats.disk_bytes * 5 / 4);
	store_close(s);
}

static void cut(enum lab_fault fault)
{
	char base[160];
	struct buf before = {0}, after = {0};

	struct store *s = files(9);
	commit_some(s, 5, 50, 20);
	lab_dump(s, &before, true);
	store_close(s);
	snprintf(base, sizeof base, "%.100s-base", lab.dir);
	lab_copy(lab.dir, base);
	for (unsigned k = 1, more = 1; more; k++) {
		lab_copy(base, lab.dir);
		lab_calm(&lab);
		s = lab_open(&lab);
		lab_calm(&lab);
		lab.fault = fault;
		lab.at = k;
		store_flush(s);
		lab_work(s);
		more = lab.steps >= k;
		lab_dump(s, &after, true);
		assert_string_equal(buf_text(&before), buf_text(&after));
		if (!lab.died) { /* it goes on */
			lab_calm(&lab);
			store_flush(s);
			lab_work(s);
			commit_some(s, 1, 3, 30);
			lab_dump(s, &after, true);
			struct buf again = {0};
			store_close(s);
			s = lab_open(&lab);
			lab_dump(s, &again, true);
			assert_string_equal(buf_text(&after), buf_text(&again));
			buf_release(&again);
		} else {
			store_close(s);
			if (fault == FAULT_LOSE)
				lab_lose(&lab);
			lab_calm(&lab);
			s = lab_open(&lab);
			lab_dump(s, &after, true);
			assert_string_equal(buf_text(&before), buf_text(&after));
			assert_int_equal(lab_files(lab.dir, ".seg"), segments(s));
		}
		store_close(s);
		assert_true(k < 200);
	}
	lab_remove(base);
	buf_release(&before);
	buf_release(&after);
}

static void dies(void **state)
{
	(void)state;
	cut(FAULT_DIE);
}

static void torn(void **state)
{
	(void)state;
	cut(FAULT_TORN);
}

static void loses(void **state)
{
	(void)state;
	cut(FAULT_LOSE);
}

static void fails(void **state)
{
	(void)state;
	cut(FAULT_FAIL);
}

/* A transaction is opened before, and filled while rows move; what it replaces dies where it lies
 * by then. */
static void beside(void **state)
{
	struct buf before = {0}, after = {0};

	(void)state;
	for (unsigned steps = 0; steps < 400; steps += steps < 40 ? 1 : 37) {
		lab_remove(lab.dir);
		lab.sliced = true;
		struct store *s = files(9);
		struct txn *t = lab_begin(s);
		put_some(t, 100, 40, 50);
		store_flush(s);
		for (unsigned i = 0; i < steps && store_work(s); i++)
			;
		put_some(t, 130, 200, 50);
		assert_int_equal(lab_commit(t), 0);
		lab_work(s);
		struct snapshot *v = snapshot_new(s);
		assert_int_equal(snapshot_count(v, "contacts"), 9 * SOME - 8 * 20);
		snapshot_free(v);
		lab_dump(s, &before, true);
		store_close(s);
		s = lab_open(&lab);
		lab_dump(s, &after, true);
		assert_string_equal(buf_text(&before), buf_text(&after));
		store_close(s);
	}
	buf_release(&before);
	buf_release(&after);
}

static void done(void *ctx, int rc, const struct why *why)
{
	(void)why;
	*(int *)ctx = rc;
}

/* Its fsyncs take long: a commit waits behind them, and readers do not. */
static void waits(void **state)
{
	(void)state;
	int rc = 1;
	lab.sliced = true;
	struct store *s = files(9);
	commit_some(s, 5, 50, 20);
	store_flush(s);
	lab.later = true;
	lab_work(s);
	assert_true(lab.waiting_count > 0);
	struct txn *t = lab_begin(s);
	put_some(t, 0, 10, 60);
	txn_commit(t, done, &rc);
	assert_false(store_work(s));
	assert_int_equal(rc, 1);
	while (rc == 1) {
		lab_sync_all(&lab, 0);
		lab_work(s);
	}
	assert_int_equal(rc, 0);
	while (lab.waiting_count) {
		lab_sync_all(&lab, 0);
		lab_work(s);
	}
	struct snapshot *v = snapshot_new(s);
	assert_int_equal(snapshot_count(v, "contacts"), 9 * SOME - 8 * 20);
	snapshot_free(v);
	store_close(s);
}

/* What a reader finds damaged is quarantined without a commit of anyone; not while a transaction is
 * open that does not know. */
static void quarantines(void **state)
{
	struct buf file = {0}, memory = {0};
	struct record r;
	char path[512];

	(void)state;
	lab.sliced = true;
	struct store *s = lab_open(&lab);
	commit_some(s, 0, 100, 1);
	lab_work(s);
	assert_true(lab_find(lab.dir, ".seg", path));
	lab_read("", path, &file);
	file.data[5000] ^= 1;
	lab_write("", path, buf_bytes(&file));
	struct txn *t = lab_begin(s);
	lab.awake = false;
	struct snapshot *v = snapshot_new(s);
	unsigned bad = 0;
	for (int i = 0; i < 100; i++) {
		char id[16];
		snprintf(id, sizeof id, "i%d", i);
		bad += snapshot_get(v, "contacts", bytes_str(id), &memory, &r) == ERR_CORRUPT;
	}
	snapshot_free(v);
	assert_true(bad > 0 && lab.awake);
	assert_false(store_work(s));
	txn_abort(t);
	lab_work(s);
	v = snapshot_new(s);
	assert_int_equal(snapshot_quarantined(v, "contacts", T0, T0 + 1), 1);
	assert_false(intervals_contain(&snapshot_coverage(v, "contacts")->held, T0, T0 + 1));
	assert_int_equal(snapshot_count(v, "contacts"), 0);
	snapshot_free(v);
	store_close(s);
	buf_release(&file);
	buf_release(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(merges, setup, teardown),
		cmocka_unit_test_setup_teardown(half_dead, setup, teardown),
		cmocka_unit_test_setup_teardown(dies, setup, teardown),
		cmocka_unit_test_setup_teardown(torn, setup, teardown),
		cmocka_unit_test_setup_teardown(loses, setup, teardown),
		cmocka_unit_test_setup_teardown(fails, setup, teardown),
		cmocka_unit_test_setup_teardown(beside, setup, teardown),
		cmocka_unit_test_setup_teardown(waits, setup, teardown),
		cmocka_unit_test_setup_teardown(quarantines, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
