/*
 * Threads end whole, and only those without anything from the kept time: a random world against a model, with segments and a journal, in slices and at
 * once, also with damage in the way. What coverage still claims afterwards is there.
 */
#include "support/lab.h"

#include <stdio.h>

#define P   "conversations"
#define C   "messages"
#define DAY INT64_C(86400000)
#define T0  (INT64_C(1699920000000)) /* a midnight */
#define N   60
#define M   6

static struct lab lab;

struct thread {
	int64_t created, updated;
	unsigned flags;
	int64_t child[M]; /* TIME_NONE - 1: none; TIME_NONE: one without a time */
};

static struct thread world[N];

#define NOBODY (TIME_MAX)

static void make_world(uint64_t seed)
{
	uint64_t random = seed;

	for (int i = 0; i < N; i++) {
		struct thread *t = &world[i];
		t->created = T0 + (int64_t)(lab_random(&random) % (40 * DAY));
		t->updated = t->created + (int64_t)(lab_random(&random) % 4
							    ? lab_random(&random) % DAY
							    : lab_random(&random) % (30 * DAY));
		t->flags = lab_random(&random) % 9 == 0 ? RECORD_DELETED : 0;
		if (lab_random(&random) % 12 == 0)
			t->created = TIME_NONE;
		for (int k = 0; k < M; k++) {
			int64_t from = t->created == TIME_NONE ? T0 : t->created;
			int64_t span = t->updated - from + 1;
			t->child[k] = lab_random(&random) % 3 == 0 ? NOBODY
				      : lab_random(&random) % 10 == 0
					      ? TIME_NONE
					      : from + (int64_t)(lab_random(&random) %
								 (uint64_t)(span > 0 ? span : 1));
		}
		/* A child from later than its parent was updated: no provider should, but coverage must not depend on it. */
		if (lab_random(&random) % 10 == 0)
			t->child[0] = t->updated + (int64_t)(lab_random(&random) % (20 * DAY));
	}
}

static void put_world(struct store *s)
{
	char id[16], child[24];

	for (int i = 0; i < N;) {
		struct txn *t = lab_begin(s);
		for (int n = 0; n < 7 && i < N; n++, i++) {
			snprintf(id, sizeof id, "c%d", i);
			lab_put(t, P, id, world[i].created, world[i].updated, T0 + 90 * DAY,
				world[i].flags, NULL, (unsigned)i + 1);
			for (int k = 0; k < M; k++) {
				if (world[i].child[k] == NOBODY)
					continue;
				snprintf(child, sizeof child, "m%d-%d", i, k);
				lab_put(t, C, child, world[i].child[k], world[i].child[k],
					T0 + 90 * DAY, world[i].flags, id, (unsigned)(i * M + k + 1));
			}
		}
		for (int r = 0; r < 2; r++)
			txn_hold(t, r ? C : P, (struct interval){T0, T0 + 80 * DAY, T0 + 90 * DAY});
		assert_int_equal(lab_commit(t), 0);
	}
}

static bool goes(const struct thread *t, int64_t cut)
{
	if (t->created == TIME_NONE || t->created >= cut || t->updated >= cut)
		return false;
	for (int k = 0; k < M; k++)
		if (t->child[k] != NOBODY && t->child[k] != TIME_NONE && t->child[k] >= cut)
			return false;
	return true;
}

static void check_world(struct store *s, int64_t cut)
{
	struct snapshot *v = snapshot_new(s);
	struct buf memory = {0};
	struct record r;
	char id[16], child[24];

	for (int i = 0; i < N; i++) {
		bool gone = goes(&world[i], cut);
		snprintf(id, sizeof id, "c%d", i);
		assert_int_equal(snapshot_get(v, P, bytes_str(id), &memory, &r), !gone);
		for (int k = 0; k < M; k++) {
			if (world[i].child[k] == NOBODY)
				continue;
			snprintf(child, sizeof child, "m%d-%d", i, k);
			assert_int_equal(snapshot_get(v, C, bytes_str(child), &memory, &r), !gone);
			assert_true(!gone || world[i].child[k] == TIME_NONE ||
				    world[i].child[k] < cut);
		}
	}
	for (int k = 0; k < 2; k++) {
		const struct intervals *held = &snapshot_coverage(v, k ? C : P)->held;
		assert_true(intervals_contain(held, cut, T0 + 80 * DAY));
		assert_false(intervals_contain(held, cut - 1, cut));
	}
	snapshot_free(v);
	buf_release(&memory);
}

static int retain(struct store *s, int64_t cut)
{
	struct txn *t = lab_begin(s);

	assert_int_equal(txn_retain_threads(t, P, C, cut), 0);
	return lab_commit(t);
}

static void model(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 24; seed++) {
		lab_init(&lab);
		lab.journal_bytes = seed % 2 ? 1 << 20 : 0;
		lab.sliced = seed % 3 == 0;
		make_world(seed);
		struct store *s = lab_open(&lab);
		put_world(s);
		for (int64_t days = 5; days < 45; days += 13) {
			assert_int_equal(retain(s, T0 + days * DAY + 5000), 0);
			check_world(s, T0 + days * DAY);
			if (seed % 4 < 2) {
				store_close(s);
				s = lab_open(&lab);
				check_world(s, T0 + days * DAY);
			}
		}
		store_close(s);
		lab_release(&lab);
	}
}

/* An index that cannot be read keeps what it may speak of; after the quarantine the claims are smaller. */
static void damaged(void **state)
{
	char path[512];
	struct buf file = {0}, memory = {0};
	struct record r;

	(void)state;
	lab_init(&lab);
	struct store *s = lab_open(&lab);
	for (int i = 0; i < 2; i++) {
		struct txn *t = lab_begin(s);
		lab_put(t, P, i ? "b" : "a", T0, T0, T0, 0, NULL, 1);
		lab_put(t, C, i ? "mb" : "ma", T0 + (i ? 9 * DAY : 5), T0, T0, 0, i ? "b" : "a", 2);
		txn_hold(t, C, (struct interval){T0, T0 + 20 * DAY, T0 + 20 * DAY});
		assert_int_equal(lab_commit(t), 0);
	}
	store_close(s);
	char folder[256];
	snprintf(folder, sizeof folder, "%s/" C, lab.dir);
	if (lab_find(folder, ".seg", path)) {
		lab_read("", path, &file);
		for (size_t at = 4096 + 200; at + 8 < file.len; at += 4096)
			file.data[at] ^= 1;
		lab_write("", path, buf_bytes(&file));
	}
	s = lab_open(&lab);
	retain(s, T0 + 3 * DAY);
	lab_commit(lab_begin(s));
	struct snapshot *v = snapshot_new(s);
	/* b has a child from later: whether or not it could be read, b stays, or else its child's time is not claimed. */
	bool held = intervals_contain(&snapshot_coverage(v, C)->held, T0 + 9 * DAY, T0 + 9 * DAY + 1);
	int there = snapshot_get(v, C, bytes_str("mb"), &memory, &r);
	assert_true(!held || there == 1);
	snapshot_free(v);
	store_close(s);
	buf_release(&file);
	buf_release(&memory);
	lab_release(&lab);
}

/* More than one commit takes: coverage goes at once, the rest with the next, and the count says so. */
static void many(void **state)
{
	struct store_stats stats;
	char id[24];

	(void)state;
	lab_init(&lab);
	lab.txn_bytes_max = 64 << 20;
	struct store *s = lab_open(&lab);
	struct txn *t = lab_begin(s);
	for (unsigned i = 0; i < STORE_RETAIN_MAX + 100; i++) {
		snprintf(id, sizeof id, "c%u", i);
		lab_put(t, P, id, T0 + i, T0 + i, T0 + DAY, 0, NULL, 1);
	}
	assert_int_equal(lab_commit(t), 0);
	assert_int_equal(retain(s, T0 + 2 * DAY), 0);
	struct snapshot *v = snapshot_new(s);
	assert_int_equal(snapshot_count(v, P), 100);
	snapshot_free(v);
	store_stats(s, &stats);
	assert_int_equal(stats.retained, STORE_RETAIN_MAX);
	assert_int_equal(retain(s, T0 + 2 * DAY), 0);
	v = snapshot_new(s);
	assert_int_equal(snapshot_count(v, P), 0);
	snapshot_free(v);
	assert_int_equal(lab_files(lab.dir, ".seg"), 0);
	store_close(s);
	lab_release(&lab);
}

static void arguments(void **state)
{
	(void)state;
	lab_init(&lab);
	struct store *s = lab_open(&lab);
	struct txn *t = lab_begin(s);
	lab_put(t, C, "m", T0, T0, T0, 0, NULL, 1);
	assert_int_equal(txn_retain_threads(t, P, C, T0), ERR_INVALID);
	assert_int_equal(txn_retain_threads(t, "Bad!", NULL, T0), ERR_INVALID);
	txn_abort(t);
	t = lab_begin(s);
	assert_int_equal(txn_retain_threads(t, P, NULL, T0), 0);
	assert_int_equal(lab_commit(t), 0);
	store_close(s);
	lab_release(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(model),
		cmocka_unit_test(damaged),
		cmocka_unit_test(many),
		cmocka_unit_test(arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
