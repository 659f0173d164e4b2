/*
 * The journal by itself: what a small commit costs, what is found after every byte of it was flipped
 * and after every cut (the store as it was after one of the commits, never anything else), when it
 * goes, and whose it is.
 */
#include "support/lab.h"

#include <store/inspect.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define T0     1700000000000
#define ROUNDS 5

static struct lab lab;
static struct buf states[ROUNDS + 1]; /* what is seen after each commit */

static int setup(void **state)
{
	(void)state;
	lab_init(&lab);
	lab.journal_bytes = 1 << 20;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	lab_release(&lab);
	return 0;
}

static struct store_stats stats_of(struct store *s)
{
	struct store_stats stats;

	store_stats(s, &stats);
	return stats;
}

/* Round 0 writes the manifest. */
static void round_commit(struct store *s, int round)
{
	struct txn *t = lab_begin(s);
	char id[16];

	for (int i = 0; i < 4; i++) {
		snprintf(id, sizeof id, "i%d", (round * 3 + i) % 7);
		lab_put(t, "contacts", id, T0 + i * 1000, T0 + round * 5000, T0 + 900000,
			round == 3 && i == 1   ? RECORD_DELETED
			: round == 2 && i == 2 ? RECORD_TRUNCATED
					       : 0,
			i ? "p" : NULL, (unsigned)(round * 10 + i + 1));
	}
	if (round % 2)
		lab_put(t, "messages", "m", TIME_NONE, T0 + round, T0 + 900000, 0, NULL,
			(unsigned)round + 1);
	txn_hold(t, "contacts", (struct interval){T0, T0 + (round + 1) * 1000, T0 + 1000000});
	txn_mark(t, "a", round == 4 ? bytes_of(NULL, 0) : bytes_str(round % 2 ? "odd" : ""));
	assert_int_equal(lab_commit(t), 0);
}

static void states_forget(void)
{
	for (int i = 0; i <= ROUNDS; i++)
		buf_release(&states[i]);
}

static struct store *fill(void)
{
	struct store *s = lab_open(&lab);

	for (int i = 0; i <= ROUNDS; i++) {
		round_commit(s, i);
		lab_dump(s, &states[i], true);
	}
	return s;
}

/* Which state is seen; fails when it is none. */
static int state_seen(struct store *s)
{
	struct buf seen = {0};
	int found = -1;

	lab_dump(s, &seen, true);
	for (int i = 0; i <= ROUNDS; i++)
		if (bytes_equal(buf_bytes(&seen), buf_bytes(&states[i])))
			found = i;
	if (found < 0)
		print_error("%s", buf_text(&seen));
	assert_true(found >= 0);
	buf_release(&seen);
	return found;
}

static void costs(void **state)
{
	(void)state;
	struct store *s = lab_open(&lab);
	round_commit(s, 0);
	assert_int_equal(stats_of(s).memory_bytes, 0);
	round_commit(s, 1);
	for (int i = 2; i < 100; i++) {
		lab_calm(&lab);
		round_commit(s, i);
		assert_int_equal(lab.writes, 1);
		assert_int_equal(lab.syncs, 1);
		assert_int_equal(lab.steps, 2);
	}
	/* In memory, too, small segments become few. */
	assert_true(stats_of(s).memory_bytes > 0 && stats_of(s).memory_bytes < 600000);
	assert_int_equal(stats_of(s).segments, 1);
	assert_int_equal(lab_files(lab.dir, ".seg"), 1);
	store_close(s);
}

/* A large commit takes what is in memory along, and the journal goes. */
static void flushes(void **state)
{
	struct buf before = {0}, after = {0};
	char id[16];

	(void)state;
	struct store *s = fill();
	assert_int_equal(lab_files(lab.dir, ".log"), 1);
	struct txn *t = lab_begin(s);
	for (int i = 0; i < 100; i++) {
		snprintf(id, sizeof id, "t%d", i);
		lab_put(t, "tags", id, T0, T0, T0, 0, NULL, (unsigned)i + 1);
	}
	assert_int_equal(lab_commit(t), 0);
	assert_int_equal(lab_files(lab.dir, ".log"), 0);
	assert_int_equal(stats_of(s).memory_bytes, 0);
	assert_int_equal(stats_of(s).journal_bytes, 0);
	lab_dump(s, &before, true);
	store_close(s);
	s = lab_open(&lab);
	lab_dump(s, &after, true);
	assert_string_equal(buf_text(&before), buf_text(&after));
	store_close(s);
	buf_release(&before);
	buf_release(&after);
	states_forget();
}

/* By its size, too. */
static void stays_bounded(void **state)
{
	size_t most = 0;

	(void)state;
	lab.journal_bytes = 200000;
	struct store *s = lab_open(&lab);
	for (int i = 0; i < 400; i++) {
		round_commit(s, i);
		struct store_stats stats = stats_of(s);
		assert_true(stats.memory_bytes < 300000 && stats.journal_bytes < 900000);
		most = stats.memory_bytes > most ? stats.memory_bytes : most;
	}
	assert_true(most > 40000);
	store_close(s);
}

/* Opened again and again, each time with a journal of its own. */
static void several(void **state)
{
	(void)state;
	store_close(fill());
	lab_remove(lab.dir);
	struct store *s = lab_open(&lab);
	for (int i = 0; i <= ROUNDS; i++) {
		round_commit(s, i);
		store_close(s);
		lab_calm(&lab);
		s = lab_open(&lab);
		assert_int_equal(lab.steps, 0);
		assert_int_equal(state_seen(s), i);
		assert_int_equal(lab_files(lab.dir, ".log"), i);
	}
	store_close(s);
	states_forget();
}

static void spoilt(const char *base, struct bytes file, int least, int *seen_out)
{
	lab_copy(base, lab.dir);
	lab_write(lab.dir, "journal/1.log", file);
	struct store *s = lab_open(&lab);
	int seen = state_seen(s);
	assert_true(seen >= least);
	/* It goes on from there, and what is written then stays. */
	struct buf before = {0}, after = {0};
	round_commit(s, 9);
	lab_dump(s, &before, true);
	store_close(s);
	s = lab_open(&lab);
	lab_dump(s, &after, true);
	assert_string_equal(buf_text(&before), buf_text(&after));
	store_close(s);
	buf_release(&before);
	buf_release(&after);
	*seen_out = seen;
}

static void every_byte(void **state)
{
	struct buf file = {0};
	int seen[ROUNDS + 1] = {0}, last;
	char base[160];

	(void)state;
	store_close(fill());
	snprintf(base, sizeof base, "%.100s-base", lab.dir);
	lab_copy(lab.dir, base);
	lab_read(lab.dir, "journal/1.log", &file);
	for (size_t i = 0; i < file.len; i++) {
		file.data[i] ^= (uint8_t)(1u << (i % 8));
		spoilt(base, buf_bytes(&file), 0, &last);
		assert_true(last < ROUNDS);
		seen[last]++;
		file.data[i] ^= (uint8_t)(1u << (i % 8));
	}
	for (int i = 0; i < ROUNDS; i++)
		assert_true(seen[i] > 0);
	int before = 0;
	for (size_t i = 0; i <= file.len; i++) {
		spoilt(base, bytes_of(file.data, i), before, &last);
		before = last;
	}
	assert_int_equal(before, ROUNDS);
	/* What lies behind the last frame is nothing. */
	buf_put_str(&file, "torn");
	spoilt(base, buf_bytes(&file), ROUNDS, &last);
	lab_remove(base);
	buf_release(&file);
	states_forget();
}

/* A journal of another manifest says nothing about this one. */
static void stranger(void **state)
{
	struct buf file = {0}, seen = {0}, again = {0};

	(void)state;
	store_close(fill());
	lab_read(lab.dir, "journal/1.log", &file);
	struct store *s = lab_open(&lab);
	char id[16];
	struct txn *t = lab_begin(s);
	for (int i = 0; i < 100; i++) {
		snprintf(id, sizeof id, "t%d", i);
		lab_put(t, "tags", id, T0, T0, T0, 0, NULL, (unsigned)i + 1);
	}
	assert_int_equal(lab_commit(t), 0);
	lab_dump(s, &seen, true);
	store_close(s);
	lab_write(lab.dir, "journal/7.log", buf_bytes(&file));
	s = lab_open(&lab);
	lab_dump(s, &again, true);
	assert_string_equal(buf_text(&seen), buf_text(&again));
	assert_int_equal(lab_files(lab.dir, ".log"), 0);
	store_close(s);
	buf_release(&file);
	buf_release(&seen);
	buf_release(&again);
	states_forget();
}

/* A store that is opened again and again shows what was there, and the same once more has been committed. */
static void expect_all(struct buf *before)
{
	struct buf seen = {0};
	struct store *s;

	for (int again = 0; again < 2; again++) {
		s = lab_open(&lab);
		lab_dump(s, &seen, true);
		assert_string_equal(buf_text(&seen), buf_text(before));
		store_close(s);
	}
	s = lab_open(&lab);
	round_commit(s, 30);
	lab_dump(s, before, true);
	store_close(s);
	s = lab_open(&lab);
	lab_dump(s, &seen, true);
	assert_string_equal(buf_text(&seen), buf_text(before));
	store_close(s);
	buf_release(&seen);
}

/* A manifest that cannot be read: the one before it, with its journals, is what was there before the
 * last manifest was written. So too when there is none, between two renames. */
static void falls_back(void **state)
{
	struct buf before = {0}, seen = {0}, file = {0};
	char id[16], path[512];

	(void)state;
	for (int gone = 0; gone < 2; gone++) {
		lab_remove(lab.dir);
		lab.keep_previous = true;
		struct store *s = fill();
		for (int round = 0; round < 3; round++) {
			lab_dump(s, &before, true);
			struct txn *t = lab_begin(s);
			for (int i = 0; i < 100; i++) {
				snprintf(id, sizeof id, "t%d", i);
				lab_put(t, "tags", id, T0, T0 + round, T0 + round, 0, NULL,
					(unsigned)(i + round * 100) + 1);
			}
			for (int i = 0; i < 1000; i++) { /* more than the journal takes */
				snprintf(id, sizeof id, "n%d", i);
				lab_put(t, "messages", id, T0, T0 + round, T0 + round, 0, NULL, 1);
			}
			assert_int_equal(lab_commit(t), 0);
			if (round < 2)
				round_commit(s, 20 + round);
		}
		store_close(s);
		snprintf(path, sizeof path, "%.100s/MANIFEST", lab.dir);
		lab_read("", path, &file);
		file.data[file.len / 2] ^= 4;
		lab_write("", path, buf_bytes(&file));
		if (gone)
			assert_int_equal(unlink(path), 0);
		expect_all(&before);
	}
	lab.keep_previous = false;
	buf_release(&before);
	buf_release(&seen);
	buf_release(&file);
	states_forget();
}

/* Upkeep that finds nothing to do may write the same manifest twice: what the journal has is on top of both. */
static void two_alike(void **state)
{
	struct buf before = {0}, file = {0};

	(void)state;
	lab_remove(lab.dir);
	lab.keep_previous = true;
	struct store *s = fill();
	lab_dump(s, &before, true);
	uint64_t revision = stats_of(s).revision;
	store_close(s);
	lab_read(lab.dir, "MANIFEST", &file);
	lab_write(lab.dir, "MANIFEST.prev", buf_bytes(&file));
	for (int again = 0; again < 2; again++) {
		s = lab_open(&lab);
		assert_int_equal(stats_of(s).revision, revision);
		store_close(s);
	}
	expect_all(&before);
	lab.keep_previous = false;
	buf_release(&before);
	buf_release(&file);
	states_forget();
}

static void count_line(void *ctx, struct bytes text)
{
	*(unsigned *)ctx += text.len > 12 && memcmp(text.data, "transaction ", 12) == 0;
}

static void inspects(void **state)
{
	struct buf file = {0};
	unsigned n = 0;
	char path[512];

	(void)state;
	store_close(fill());
	assert_true(lab_find(lab.dir, ".log", path));
	assert_int_equal(store_inspect(path, false, count_line, &n, NULL), 0);
	assert_int_equal(n, ROUNDS);
	lab_read("", path, &file);
	lab_write("", path, bytes_of(file.data, file.len - 1));
	assert_int_equal(store_inspect(path, false, count_line, &n, NULL), ERR_CORRUPT);
	assert_int_equal(n, 2 * ROUNDS - 1);
	buf_release(&file);
	states_forget();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(costs, setup, teardown),
		cmocka_unit_test_setup_teardown(flushes, setup, teardown),
		cmocka_unit_test_setup_teardown(stays_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(several, setup, teardown),
		cmocka_unit_test_setup_teardown(every_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(stranger, setup, teardown),
		cmocka_unit_test_setup_teardown(falls_back, setup, teardown),
		cmocka_unit_test_setup_teardown(two_alike, setup, teardown),
		cmocka_unit_test_setup_teardown(inspects, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
