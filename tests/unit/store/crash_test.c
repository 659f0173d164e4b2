/*
 * A commit is cut at each of its durable steps: the process dies, a write is torn, a step fails.
 * What is found afterwards is the old state or the new one, whole, and nothing is left lying about.
 *
 * The commits that are cut do everything at once: new resource, new dictionary, replaced rows, a
 * fold, coverage, marks, a quarantine.
 */
#include "support/lab.h"

#include "inside.h"

#include <errno.h>
#include <stdio.h>

#define T0 1700000000000

static void fill(struct store *s, int from, int rounds)
{
	char id[16];

	for (int round = from; round < from + rounds; round++) {
		struct txn *t = lab_begin(s);
		for (int i = 0; i < 6; i++) {
			snprintf(id, sizeof id, "i%d", (round * 5 + i) % 41);
			lab_put(t, "contacts", id, T0 + i * 86400000LL, T0 + round * 5000,
				T0 + round * 5000 + 100000, 0, NULL, (unsigned)(round * 10 + i + 1));
		}
		txn_hold(t, "contacts",
			 (struct interval){T0, T0 + 100 + round * 1000, T0 + 10000000 + round});
		assert_int_equal(lab_commit(t), 0);
	}
}

/* How the store is kept and what is cut: segments at once; a small commit that goes to the journal;
 * a large one that flushes what the journal has. */
static size_t journal_bytes;
static bool keep_previous;
static int messages;

static int setup_plain(void **state)
{
	(void)state;
	journal_bytes = 0;
	messages = 70; /* enough for a dictionary */
	return 0;
}

static int setup_keep(void **state)
{
	(void)state;
	journal_bytes = 1 << 20;
	messages = 70;
	keep_previous = true;
	return 0;
}

static int setup_journal(void **state)
{
	(void)state;
	journal_bytes = 1 << 20;
	messages = 9;
	return 0;
}

static int setup_flush(void **state)
{
	(void)state;
	journal_bytes = 1 << 20;
	messages = 70;
	return 0;
}

/* The commit that is cut. */
static struct txn *cut_txn(struct store *s)
{
	struct txn *t = lab_begin(s);
	char id[16];

	for (int i = 0; i < messages; i++) {
		snprintf(id, sizeof id, "m%d", i);
		lab_put(t, "messages", id, T0 + i * 3600000, T0, T0 + 100000, 0, "i1",
			(unsigned)i + 1);
	}
	for (int i = 0; i < 20; i++) {
		snprintf(id, sizeof id, "i%d", i);
		lab_put(t, "contacts", id, T0 + i * 86400000LL, T0 + 900000, T0 + 1000000,
			i % 5 ? 0 : RECORD_DELETED, NULL, (unsigned)i + 7000);
	}
	txn_hold(t, "messages", (struct interval){T0, T0 + 5000000, T0 + 5000000});
	txn_chain_start(t, "messages", T0);
	txn_withdraw(t, "contacts", T0 + 50, T0 + 60);
	txn_mark(t, "etag", bytes_str("new"));
	if (messages == 70) /* what the journal never takes */
		txn_retain(t, "contacts", T0 + 3 * 86400000LL);
	return t;
}

/* Every record that lies in a held span of the new state's making must be there: coverage comes
 * with its records or not at all. */
static void coverage_is_true(struct store *s)
{
	struct snapshot *v = snapshot_new(s);
	bool claimed = intervals_contain(&snapshot_coverage(v, "messages")->held, T0, T0 + 5000000);

	assert_int_equal(snapshot_count(v, "messages"), claimed ? messages : 0);
	assert_int_equal(snapshot_mark(v, "etag").data != NULL, claimed);
	snapshot_free(v);
}

static unsigned files_of(struct store *s)
{
	struct store_stats stats;

	store_stats(s, &stats);
	return (unsigned)stats.segments;
}

static void no_leftovers(struct lab *l, struct store *s)
{
	while (store_discard_step(s))
		;
	if (keep_previous) /* with what the previous manifest names */
		assert_true(lab_files(l->dir, ".seg") >= files_of(s));
	else
		assert_int_equal(lab_files(l->dir, ".seg"), files_of(s));
	assert_int_equal(lab_files(l->dir, ".tmp"), 0);
}

struct states {
	struct buf old, new;
	unsigned steps;
};

/* The store before the commit, in l->dir; what is seen before and after. */
static void prepare(struct lab *l, struct states *st)
{
	char base[160];
	struct store *s;

	lab_init(l);
	l->journal_bytes = journal_bytes;
	l->keep_previous = keep_previous;
	s = lab_open(l);
	for (int i = 0; journal_bytes ? i < 30 : files_of(s) < 8; i++)
		fill(s, i, 1);
	lab_dump(s, &st->old, true);
	store_close(s);
	snprintf(base, sizeof base, "%s-base", l->dir);
	lab_copy(l->dir, base);
	s = lab_open(l);
	lab_calm(l);
	assert_int_equal(lab_commit(cut_txn(s)), 0);
	st->steps = l->steps;
	lab_dump(s, &st->new, true);
	store_close(s);
}

static void restore(struct lab *l)
{
	char base[160];

	snprintf(base, sizeof base, "%s-base", l->dir);
	lab_copy(base, l->dir);
	lab_calm(l);
}

static void finish(struct lab *l, struct states *st)
{
	char base[160];

	snprintf(base, sizeof base, "%s-base", l->dir);
	lab_remove(base);
	lab_release(l);
	buf_release(&st->old);
	buf_release(&st->new);
}

static bool is_new(const struct states *st, struct buf *seen)
{
	bool new = bytes_equal(buf_bytes(seen), buf_bytes(&st->new));

	if (!new)
		assert_string_equal(buf_text(seen), (const char *)st->old.data);
	return new;
}

static void die_at(struct lab *l, struct states *st, enum lab_fault fault, unsigned k, unsigned *news)
{
	struct buf seen = {0}, again = {0};

	restore(l);
	l->sliced = k % 2;
	struct store *s = lab_open(l);
	lab_calm(l);
	struct txn *t = cut_txn(s);
	l->fault = fault;
	l->at = k;
	int rc = lab_commit(t);
	store_close(s); /* where a store in slices removes the last files, too */
	assert_true(l->died);
	if (fault == FAULT_LOSE)
		lab_lose(l);
	lab_calm(l);
	s = lab_open(l);
	lab_dump(s, &seen, true);
	bool new = is_new(st, &seen);
	assert_true(rc || new);
	*news += new;
	coverage_is_true(s);
	no_leftovers(l, s);
	store_close(s);
	lab_calm(l);
	s = lab_open(l);
	assert_int_equal(l->steps, 0); /* nothing to do a second time */
	lab_dump(s, &again, true);
	assert_string_equal(buf_text(&seen), buf_text(&again));
	/* The same again comes to what an undisturbed commit would have. */
	assert_int_equal(lab_commit(cut_txn(s)), 0);
	fill(s, 100, 1);
	no_leftovers(l, s);
	store_close(s);
	buf_release(&seen);
	buf_release(&again);
}

static void dies(void **state)
{
	struct lab l;
	struct states st = {{0}, {0}, 0};
	unsigned news = 0, torn = 0;

	(void)state;
	prepare(&l, &st);
	assert_true(journal_bytes && messages < 70 ? st.steps == 4 : st.steps > 12);
	buf_text(&st.old);
	for (unsigned k = 1; k <= st.steps; k++) {
		die_at(&l, &st, FAULT_DIE, k, &news);
		die_at(&l, &st, FAULT_TORN, k, &torn);
		die_at(&l, &st, FAULT_LOSE, k, &news);
	}
	assert_true(news > 0 && news < 2 * st.steps && torn > 0 && torn < st.steps);
	finish(&l, &st);
}

/* What a crash now would leave: one of the two states. */
static bool crash_shows_new(const struct lab *l, const struct states *st)
{
	struct buf seen = {0};
	struct lab after = {0};

	after.journal_bytes = journal_bytes;
	after.keep_previous = keep_previous;
	snprintf(after.dir, sizeof after.dir, "%.100s-copy", l->dir);
	lab_copy(l->dir, after.dir);
	struct store *s = lab_open(&after);
	lab_dump(s, &seen, true);
	/* An empty commit may have raised the revision of the old state. */
	const char *line = strchr(buf_text(&seen), '\n'),
		   *old = strchr((const char *)st->old.data, '\n');
	bool new = strcmp(line, old) != 0 && is_new(st, &seen);
	coverage_is_true(s);
	store_close(s);
	lab_remove(after.dir);
	buf_release(&seen);
	return new;
}

static void goes_on(struct lab *l, struct store *s)
{
	struct buf seen = {0}, again = {0};

	assert_int_equal(lab_commit(cut_txn(s)), 0);
	fill(s, 200, 1);
	lab_dump(s, &seen, true);
	store_close(s);
	s = lab_open(l);
	no_leftovers(l, s);
	lab_dump(s, &again, true);
	assert_string_equal(buf_text(&seen), buf_text(&again));
	store_close(s);
	buf_release(&seen);
	buf_release(&again);
}

static void fail_at(struct lab *l, struct states *st, enum lab_fault fault, int error, unsigned k)
{
	struct buf seen = {0};

	restore(l);
	struct store *s = lab_open(l);
	lab_calm(l);
	struct txn *t = cut_txn(s);
	l->fault = fault;
	l->at = k;
	l->error = error;
	int rc = lab_commit(t);
	lab_dump(s, &seen, true);
	/* The unlinks after the commit point may fail: the commit stands. */
	if (rc == 0)
		assert_true(bytes_equal(buf_bytes(&seen), buf_bytes(&st->new)));
	else
		assert_string_equal(buf_text(&seen), (const char *)st->old.data);
	l->fault = FAULT_NONE;
	l->error = 0;
	crash_shows_new(l, st);
	/* The next commit, an empty one too, settles which of the two it is. */
	assert_int_equal(lab_commit(lab_begin(s)), 0);
	assert_int_equal(crash_shows_new(l, st), rc == 0);
	goes_on(l, s);
	buf_release(&seen);
}

static void fails(void **state)
{
	struct lab l;
	struct states st = {{0}, {0}, 0};

	(void)state;
	prepare(&l, &st);
	buf_text(&st.old);
	for (unsigned k = 1; k <= st.steps; k++) {
		fail_at(&l, &st, FAULT_FAIL, ENOSPC, k);
		fail_at(&l, &st, FAULT_FAIL, EIO, k);
		fail_at(&l, &st, FAULT_SHORT, ENOSPC, k);
	}
	finish(&l, &st);
}

/* The very first commit of a store, where there is no manifest yet. */
static void first_commit_dies(void **state)
{
	(void)state;
	for (unsigned k = 1;; k++) {
		struct lab l;
		lab_init(&l);
		struct store *s = lab_open(&l);
		lab_calm(&l);
		l.fault = k % 2 ? FAULT_DIE : FAULT_TORN;
		l.at = k / 2 + 1;
		lab_commit(cut_txn(s));
		bool died = l.died;
		store_close(s);
		lab_calm(&l);
		s = lab_open(&l);
		coverage_is_true(s);
		no_leftovers(&l, s);
		store_close(s);
		lab_release(&l);
		if (!died)
			break;
	}
}

/* A commit that quarantines is cut, too: the damage is never forgotten. */
static void quarantine_dies(void **state)
{
	(void)state;
	for (unsigned k = 1;; k++) {
		struct lab l;
		struct buf file = {0}, memory = {0};
		char path[512];
		struct record r;
		lab_init(&l);
		struct store *s = lab_open(&l);
		struct txn *t = lab_begin(s);
		lab_put(t, "contacts", "a", T0, T0, T0, 0, NULL, 1);
		txn_hold(t, "contacts", (struct interval){T0 - 10, T0 + 10, T0 + 10});
		assert_int_equal(lab_commit(t), 0);
		lab_find(l.dir, ".seg", path);
		lab_read("", path, &file);
		file.data[4100] ^= 1;
		lab_write("", path, buf_bytes(&file));
		struct snapshot *v = snapshot_new(s);
		assert_int_equal(snapshot_get(v, "contacts", bytes_str("a"), &memory, &r),
				 ERR_CORRUPT);
		snapshot_free(v);
		lab_calm(&l);
		l.fault = FAULT_TORN;
		l.at = k;
		t = lab_begin(s);
		lab_put(t, "tags", "t", T0, T0, T0, 0, NULL, 1);
		lab_commit(t);
		bool died = l.died;
		store_close(s);
		lab_calm(&l);
		s = lab_open(&l);
		v = snapshot_new(s);
		int rc = snapshot_get(v, "contacts", bytes_str("a"), &memory, &r);
		bool held = intervals_contain(&snapshot_coverage(v, "contacts")->held, T0, T0 + 1);
		assert_true(rc == ERR_CORRUPT ? held : rc == 0 && !held);
		assert_int_equal(snapshot_quarantined(v, "contacts", T0, T0 + 1), rc == 0);
		snapshot_free(v);
		store_close(s);
		lab_release(&l);
		buf_release(&file);
		buf_release(&memory);
		if (!died)
			break;
	}
}

/* fsyncs end late and one by one, readers read between them, in the order that is worst. */
static void done(void *ctx, int rc, const struct why *why)
{
	(void)why;
	*(int *)ctx = rc;
}

static void late(void **state)
{
	struct lab l;
	struct states st = {{0}, {0}, 0};
	struct buf seen = {0};

	(void)state;
	prepare(&l, &st);
	buf_text(&st.old);
	for (int error = 0; error < 4; error++) {
		int rc = 1;
		restore(&l);
		struct store *s = lab_open(&l);
		struct snapshot *v = snapshot_new(s);
		l.later = true;
		txn_commit(cut_txn(s), done, &rc);
		for (int round = 0; rc == 1; round++) {
			assert_true(l.waiting_count > 0);
			lab_dump(s, &seen, true);
			assert_string_equal(buf_text(&seen), (const char *)st.old.data);
			struct lab_wait w = l.waiting[0];
			memmove(l.waiting, l.waiting + 1, --l.waiting_count * sizeof w);
			w.done(w.arg,
			       (error == 1 && round == 0) || (error == 2 && l.waiting_count == 0)
				       ? EIO
				       : 0);
			if (error == 3 && round == 2)
				snapshot_free(v), v = NULL;
		}
		assert_int_equal(l.waiting_count, 0);
		assert_int_equal(rc, error == 1 || error == 2 ? ERR_IO : 0);
		lab_dump(s, &seen, true);
		assert_int_equal(is_new(&st, &seen), rc == 0);
		l.later = false;
		snapshot_free(v);
		no_leftovers(&l, s);
		store_close(s);
	}
	buf_release(&seen);
	finish(&l, &st);
}

/* In slices: between two of them readers see the old state, no slice writes much, and a store that
 * is closed in the middle leaves nothing behind. */
static void sliced(void **state)
{
	struct lab l;
	struct states st = {{0}, {0}, 0};
	struct buf seen = {0};
	unsigned slices = 0;

	(void)state;
	prepare(&l, &st);
	buf_text(&st.old);
	l.sliced = true;
	for (int rc = 1, stop = 0; rc; stop++) {
		rc = 1;
		restore(&l);
		struct store *s = lab_open(&l);
		l.awake = false;
		txn_commit(cut_txn(s), done, &rc);
		assert_true(l.awake && rc == 1 && l.writes == 0);
		for (slices = 0; slices < (unsigned)stop && rc == 1; slices++) {
			unsigned before = l.writes;
			bool more = store_work(s);
			assert_true(more || rc != 1);
			assert_true(l.writes - before <= 2);
			lab_dump(s, &seen, true);
			assert_int_equal(is_new(&st, &seen), rc == 0);
		}
		store_close(s);
		s = lab_open(&l);
		lab_dump(s, &seen, true);
		assert_int_equal(is_new(&st, &seen), rc == 0);
		no_leftovers(&l, s);
		store_close(s);
	}
	assert_true(slices > 15);
	buf_release(&seen);
	finish(&l, &st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(first_commit_dies, setup_plain),
		cmocka_unit_test_setup(quarantine_dies, setup_plain),
		{"dies, plain", dies, setup_plain, NULL, NULL},
		{"fails, plain", fails, setup_plain, NULL, NULL},
		{"late, plain", late, setup_plain, NULL, NULL},
		{"sliced, plain", sliced, setup_plain, NULL, NULL},
		{"dies, journal", dies, setup_journal, NULL, NULL},
		{"fails, journal", fails, setup_journal, NULL, NULL},
		{"late, journal", late, setup_journal, NULL, NULL},
		{"sliced, journal", sliced, setup_journal, NULL, NULL},
		{"dies, flush", dies, setup_flush, NULL, NULL},
		{"fails, flush", fails, setup_flush, NULL, NULL},
		{"late, flush", late, setup_flush, NULL, NULL},
		{"sliced, flush", sliced, setup_flush, NULL, NULL},
		{"dies, keep", dies, setup_keep, NULL, NULL},
		{"fails, keep", fails, setup_keep, NULL, NULL},
		{"late, keep", late, setup_keep, NULL, NULL},
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
