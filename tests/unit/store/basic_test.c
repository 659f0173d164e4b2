/* The plain ways: records in and out, the rules of put, marks, limits, snapshots over commits and
 * folds. */
#include "support/lab.h"

#include <codec/msgpack.h>
#include <stdio.h>

#define C  "contacts"
#define T0 1700000000000 /* some moment in 2023 */

static struct lab lab;

static int setup(void **state)
{
	(void)state;
	lab_init(&lab);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	lab_release(&lab);
	return 0;
}

static int get(struct store *s, const char *resource, const char *id, struct record *out)
{
	static struct buf memory;
	struct snapshot *v = snapshot_new(s);
	struct record peeked;
	int rc = snapshot_get(v, resource, bytes_str(id), &memory, out);

	assert_int_equal(snapshot_peek(v, resource, bytes_str(id), &peeked), rc);
	if (rc == 1) {
		assert_true(peeked.created_ms == out->created_ms &&
			    peeked.updated_ms == out->updated_ms);
		assert_true(peeked.seen_ms == out->seen_ms && peeked.revision == out->revision &&
			    peeked.flags == out->flags);
		assert_true(bytes_is(peeked.id, id) && peeked.doc.len == 0);
	}
	snapshot_free(v);
	if (rc != 1)
		buf_release(&memory);
	return rc;
}

static void note_end(void *ctx, int rc, const struct why *why)
{
	(void)why;
	*(int *)ctx = rc;
}

static uint64_t count(struct store *s, const char *resource)
{
	struct snapshot *v = snapshot_new(s);
	uint64_t n = snapshot_count(v, resource);

	snapshot_free(v);
	return n;
}

static void put_and_get(void **state)
{
	struct store *s = lab_open(&lab);
	struct txn *t = lab_begin(s), *u;
	struct record r;
	struct buf before = {0}, after = {0};

	(void)state;
	assert_int_equal(store_begin(s, &u, NULL), ERR_BUSY);
	assert_int_equal(lab_put(t, C, "a", T0, T0 + 1, T0 + 2, 0, "p", 1), PUT_CREATED);
	assert_int_equal(lab_put(t, C, "b", TIME_NONE, TIME_NONE, T0, RECORD_TRUNCATED, NULL, 2),
			 PUT_CREATED);
	assert_int_equal(txn_records(t), 2);
	assert_int_equal(get(s, C, "a", &r), 0);
	assert_int_equal(txn_hold(t, C, (struct interval){T0, T0 + 1000, T0 + 1000}), 0);
	assert_int_equal(txn_mark(t, "etag", bytes_str("x")), 0);
	assert_int_equal(lab_commit(t), 0);
	assert_int_equal(get(s, C, "a", &r), 1);
	assert_true(bytes_is(r.id, "a") && bytes_is(r.parent, "p") && r.created_ms == T0 &&
		    r.revision == 1);
	assert_int_equal(get(s, C, "b", &r), 1);
	assert_true(r.created_ms == TIME_NONE && r.flags == RECORD_TRUNCATED && r.revision == 2);
	assert_int_equal(get(s, C, "c", &r), 0);
	assert_int_equal(get(s, "tags", "a", &r), 0);
	assert_int_equal(count(s, C), 2);
	lab_dump(s, &before, true);
	store_close(s);
	s = lab_open(&lab);
	lab_dump(s, &after, true);
	assert_string_equal(buf_text(&before), buf_text(&after));
	store_close(s);
	buf_release(&before);
	buf_release(&after);
	get(s = lab_open(&lab), C, "none", &r);
	store_close(s);
}

/* Puts against a committed and against an uncommitted copy must be judged alike. */
static enum put_outcome judge(struct store *s, bool same_txn, const char *id, int64_t u1,
			      int64_t s1, unsigned f1, unsigned d1, int64_t u2, int64_t s2,
			      unsigned f2, unsigned d2)
{
	struct txn *t = lab_begin(s);
	enum put_outcome o;

	lab_put(t, C, id, T0, u1, s1, f1, "p", d1);
	if (!same_txn) {
		assert_int_equal(lab_commit(t), 0);
		t = lab_begin(s);
	}
	o = lab_put(t, C, id, T0, u2, s2, f2, "p", d2);
	assert_int_equal(lab_commit(t), 0);
	return o;
}

static void put_rules(void **state)
{
	enum { D = RECORD_DELETED, P = RECORD_POOR };
	const int64_t U = T0 + 100000, N = TIME_NONE, S = U + 60000;
	static char id[16];
	struct record r;
	const struct {
		int64_t u1, s1;
		unsigned f1, d1;
		int64_t u2, s2;
		unsigned f2, d2;
		enum put_outcome want;
		int held; /* which is held at the end: 1 or 2 */
	} rules[] = {
		{U, S, 0, 1, U, S, 0, 1, PUT_SAME, 1},
		{U, S, 0, 1, U, S + 9000, 0, 1, PUT_SAME, 1}, /* settled already */
		{U, U + 10, 0, 1, U, S, 0, 1, PUT_SAME, 2},   /* now settled */
		{U, U + 10, 0, 1, U, U + 20, 0, 1, PUT_SAME, 1},
		{U, S, 0, 1, U + 1, S, 0, 2, PUT_UPDATED, 2},
		{U, S, 0, 1, U + 1, S - 5, 0, 2, PUT_UPDATED, 2},
		{U, S, 0, 1, U - 1, S + 5, 0, 2, PUT_POORER, 1},
		{U, S, 0, 1, U, S - 1, 0, 2, PUT_POORER, 1},
		{U, S, 0, 1, U, S, 0, 2, PUT_UPDATED, 2},
		{U, S, 0, 1, U, S + 1, 0, 2, PUT_UPDATED, 2},
		{N, S, 0, 1, N, S + 1, 0, 2, PUT_UPDATED, 2},
		{N, S, 0, 1, N, S - 1, 0, 2, PUT_POORER, 1},
		{N, S, 0, 1, U, S - 1, 0, 2, PUT_POORER, 1},
		/* poor copies */
		{U, S, 0, 1, U, S + 5, P, 2, PUT_POORER, 1},
		{U, S, 0, 1, U + 1, S + 5, P, 2, PUT_UPDATED, 2},
		{U, S, 0, 1, N, S + 5, P, 2, PUT_POORER, 1},
		{N, S, 0, 1, N, S + 5, P, 2, PUT_POORER, 1},
		{U, S, P, 1, U, S + 5, P, 2, PUT_UPDATED, 2},
		{U, S, P, 1, U, S + 5, 0, 1, PUT_UPDATED, 2},
		{U, S, P, 1, U, S + 5, 0, 2, PUT_UPDATED, 2},
		{U, S, P, 1, U - 1, S + 5, 0, 2, PUT_POORER, 1},
		{U, S, P, 1, U, S, P, 1, PUT_SAME, 1},
		/* tombstones */
		{U, S, 0, 1, U - 50, S - 50, D, 0, PUT_DELETED, 2},
		{U, S, 0, 1, N, S, D, 1, PUT_DELETED, 2},
		{U, S, P, 1, U, S, D, 0, PUT_DELETED, 2},
		{U, S, D, 0, U, S, D, 0, PUT_SAME, 1},
		{U, S, D, 0, U + 1, S, D, 0, PUT_SAME, 2},
		{U, S, D, 0, U - 1, S, D, 0, PUT_POORER, 1},
		{U, S, D, 0, U, S, 0, 1, PUT_POORER, 1},
		{U, S, D, 0, U, S + 1, 0, 1, PUT_CREATED, 2},
		{U, S, D, 0, U + 1, S, 0, 1, PUT_CREATED, 2},
		{U, S, D, 0, U - 1, S + 1, 0, 1, PUT_CREATED, 2},
		{U, S, D, 0, U - 1, S, 0, 1, PUT_POORER, 1},
		{U, S, D, 0, U - 1, S + 1, P, 1, PUT_POORER, 1},
		{N, S, D, 0, U, S + 1, 0, 1, PUT_CREATED, 2},
		{N, S, D, 0, U, S - 1, 0, 1, PUT_POORER, 1},
		{U, S, D, 0, U + 1, S, P, 1, PUT_CREATED, 2},
	};
	struct store *s = lab_open(&lab);

	(void)state;
	for (unsigned i = 0; i < sizeof rules / sizeof *rules; i++)
		for (int same = 0; same < 2; same++) {
			snprintf(id, sizeof id, "r%u-%d", i, same);
			enum put_outcome o = judge(s, same, id, rules[i].u1, rules[i].s1,
						   rules[i].f1, rules[i].d1, rules[i].u2,
						   rules[i].s2, rules[i].f2, rules[i].d2);
			if (o != rules[i].want)
				print_error("rule %u same %d: %d\n", i, same, o);
			assert_int_equal(o, rules[i].want);
			assert_int_equal(get(s, C, id, &r), 1);
			bool second = rules[i].held == 2;
			assert_true(r.seen_ms == (second ? rules[i].s2 : rules[i].s1));
			assert_true(r.updated_ms == (second ? rules[i].u2 : rules[i].u1));
			assert_int_equal(r.flags, second ? rules[i].f2 : rules[i].f1);
		}
	store_close(s);
}

/* What its parent does not show any more may be with another one, and either may have been read first. */
static void buried_and_moved(void **state)
{
	const struct {
		const char *parent;
		int64_t seen;
		unsigned flags;
		enum put_outcome want;
	} rules[] = {
		{"q", T0 + 3000, 0, PUT_CREATED},          {"q", T0 + 1000, 0, PUT_CREATED},
		{"q", T0 + 3000, RECORD_POOR, PUT_POORER}, {"p", T0 + 3000, 0, PUT_POORER},
		{NULL, T0 + 3000, 0, PUT_POORER},
	};
	struct store *s = lab_open(&lab);
	struct record r;
	char id[16];

	(void)state;
	for (unsigned i = 0; i < sizeof rules / sizeof *rules; i++) {
		struct txn *t = lab_begin(s);
		snprintf(id, sizeof id, "m%u", i);
		lab_put(t, C, id, T0, T0, T0 + 2000, 0, "p", 1);
		assert_int_equal(lab_put(t, C, id, T0, T0 + 3000, T0 + 3000, RECORD_DELETED, "p", 0),
				 PUT_DELETED);
		assert_int_equal(lab_put(t, C, id, T0, T0, rules[i].seen, rules[i].flags,
					 rules[i].parent, 1),
				 rules[i].want);
		assert_int_equal(lab_commit(t), 0);
		assert_int_equal(get(s, C, id, &r), 1);
		assert_true(bytes_is(r.parent, i < 2 ? "q" : "p"));
	}
	store_close(s);
}

static void same_keeps_revision(void **state)
{
	struct store *s = lab_open(&lab);
	struct record r;

	(void)state;
	struct txn *t = lab_begin(s);
	lab_put(t, C, "a", T0, T0, T0, 0, NULL, 1);
	lab_put(t, C, "b", T0, T0, T0, 0, NULL, 1);
	assert_int_equal(lab_commit(t), 0);
	t = lab_begin(s);
	assert_int_equal(lab_put(t, C, "a", T0, T0, T0 + 60000, 0, NULL, 1), PUT_SAME);
	assert_int_equal(txn_records(t), 1);
	assert_int_equal(lab_commit(t), 0);
	get(s, C, "a", &r);
	assert_true(r.revision == 1 && r.seen_ms == T0 + 60000);
	assert_int_equal(count(s, C), 2);
	store_close(s);
}

static void tombstone_inherits(void **state)
{
	struct store *s = lab_open(&lab);
	struct record r;

	(void)state;
	struct txn *t = lab_begin(s);
	lab_put(t, C, "a", T0, T0 + 1, T0 + 2, 0, "mother", 1);
	assert_int_equal(lab_commit(t), 0);
	t = lab_begin(s);
	lab_put(t, C, "b", T0 + 7, T0 + 1, T0 + 2, 0, "father", 1);
	assert_int_equal(lab_put(t, C, "a", TIME_NONE, TIME_NONE, T0 + 3, RECORD_DELETED, NULL, 0),
			 PUT_DELETED);
	assert_int_equal(lab_put(t, C, "b", TIME_NONE, TIME_NONE, T0 + 3, RECORD_DELETED, NULL, 0),
			 PUT_DELETED);
	assert_int_equal(lab_put(t, C, "c", TIME_NONE, TIME_NONE, T0 + 3, RECORD_DELETED, NULL, 0),
			 PUT_SAME);
	assert_int_equal(lab_commit(t), 0);
	assert_int_equal(get(s, C, "a", &r), 1);
	assert_true(r.created_ms == T0 && bytes_is(r.parent, "mother") &&
		    r.flags == RECORD_DELETED && r.updated_ms == TIME_NONE);
	assert_int_equal(get(s, C, "b", &r), 1);
	assert_true(r.created_ms == T0 + 7 && bytes_is(r.parent, "father"));
	assert_int_equal(get(s, C, "c", &r), 1);
	assert_int_equal(count(s, C), 0);
	store_close(s);
}

static void bad_arguments(void **state)
{
	static char long_id[300];
	struct store *s = lab_open(&lab);
	struct txn *t = lab_begin(s);
	struct record r = {.id = bytes_str("x"), .created_ms = T0, .updated_ms = T0, .seen_ms = T0};
	static const char *const names[] = {"",   "Contacts", "a/b",
					    "..", "a1",       "abcdefghijklmnopqrstuvwxyz_abcdef"};

	(void)state;
	memset(long_id, 'x', sizeof long_id);
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		assert_int_equal(txn_put(t, names[i], &r, NULL, NULL), ERR_INVALID);
		assert_int_equal(txn_hold(t, names[i], (struct interval){1, 2, 3}), ERR_INVALID);
	}
	assert_int_equal(txn_put(t, "abcdefghijklmnopqrstuvwxyz_abcd", &r, NULL, NULL), 0);
	r.id = bytes_of(long_id, 0);
	assert_int_equal(txn_put(t, C, &r, NULL, NULL), ERR_INVALID);
	r.id = bytes_of(long_id, 256);
	assert_int_equal(txn_put(t, C, &r, NULL, NULL), ERR_INVALID);
	r.id = r.parent = r.merged_into = bytes_of(long_id, 255);
	assert_int_equal(txn_put(t, C, &r, NULL, NULL), 0);
	r.parent = bytes_of(long_id, 256);
	assert_int_equal(txn_put(t, C, &r, NULL, NULL), ERR_INVALID);
	r.parent = bytes_of(NULL, 0);
	r.doc = bytes_str("\x93\x01");
	assert_int_equal(txn_put(t, C, &r, NULL, NULL), ERR_INVALID);
	r.doc = bytes_str("\x01\x01");
	assert_int_equal(txn_put(t, C, &r, NULL, NULL), ERR_INVALID);
	assert_int_equal(txn_mark(t, "", bytes_str("x")), ERR_INVALID);
	assert_int_equal(txn_mark(t, "k", bytes_of(long_id, 0)), 0);
	assert_int_equal(txn_chain_start(t, C, T0), 0);
	assert_int_equal(txn_chain_extend(t, C, T0 + 5, T0 + 9), ERR_INVALID);
	assert_int_equal(lab_commit(t), 0);
	store_close(s);
}

static void many_resources(void **state)
{
	struct store *s = lab_open(&lab);
	struct txn *t = lab_begin(s);
	char name[8] = "r_";

	(void)state;
	for (int i = 0; i <= STORE_RESOURCES_MAX; i++) {
		name[2] = (char)('a' + i % 16);
		name[3] = (char)('a' + i / 16);
		int rc = txn_hold(t, name, (struct interval){1, 2, 3});
		assert_int_equal(rc, i < STORE_RESOURCES_MAX ? 0 : ERR_LIMIT);
	}
	assert_int_equal(lab_commit(t), 0);
	t = lab_begin(s);
	assert_int_equal(txn_hold(t, "r_zz", (struct interval){1, 2, 3}), ERR_LIMIT);
	txn_abort(t);
	store_close(s);
}

static void full_transaction(void **state)
{
	struct record r = {.created_ms = T0, .updated_ms = T0, .seen_ms = T0};
	struct store *s;
	struct txn *t;
	struct buf doc = {0};
	char id[32];
	int rc = 0, n = 0;

	(void)state;
	lab.txn_bytes_max = 20000;
	s = lab_open(&lab);
	t = lab_begin(s);
	while (!rc && n < 10000) {
		lab_doc(&doc, (unsigned)n + 1, 500);
		snprintf(id, sizeof id, "i%d", n);
		r.id = bytes_str(id);
		r.doc = buf_bytes(&doc);
		rc = txn_put(t, C, &r, NULL, NULL);
		n += rc == 0;
	}
	assert_int_equal(rc, ERR_LIMIT);
	assert_true(txn_bytes(t) <= 20000 && txn_records(t) == (size_t)n && n > 10);
	assert_int_equal(lab_commit(t), 0);
	assert_int_equal(count(s, C), n);
	t = lab_begin(s);
	assert_int_equal(txn_put(t, C, &r, NULL, NULL), 0);
	txn_abort(t);
	store_close(s);
	buf_release(&doc);
}

static void marks(void **state)
{
	static const uint8_t big[5000];
	struct store *s = lab_open(&lab);
	struct txn *t = lab_begin(s);

	(void)state;
	assert_int_equal(txn_mark(t, "b", bytes_str("2")), 0);
	assert_int_equal(txn_mark(t, "a", bytes_of(big, 4096)), 0);
	assert_int_equal(txn_mark(t, "c", bytes_of(big, 4097)), ERR_LIMIT);
	assert_int_equal(txn_mark(t, "b", bytes_str("3")), 0);
	assert_int_equal(lab_commit(t), 0);
	struct snapshot *v = snapshot_new(s), *w;
	assert_true(bytes_is(snapshot_mark(v, "b"), "3") && snapshot_mark(v, "a").len == 4096);
	assert_null(snapshot_mark(v, "c").data);
	t = lab_begin(s);
	assert_int_equal(txn_mark(t, "b", bytes_of(NULL, 0)), 0);
	assert_int_equal(lab_commit(t), 0);
	w = snapshot_new(s);
	assert_true(bytes_is(snapshot_mark(v, "b"), "3"));
	assert_null(snapshot_mark(w, "b").data);
	assert_true(snapshot_revision(w) == snapshot_revision(v) + 1);
	snapshot_free(v);
	snapshot_free(w);
	store_close(s);
}

static void nothing_touches_nothing(void **state)
{
	struct store *s = lab_open(&lab);
	struct txn *t = lab_begin(s);
	struct store_stats stats;

	(void)state;
	lab_put(t, C, "a", T0, T0, T0 + 60000, 0, NULL, 1);
	txn_hold(t, C, (struct interval){0, 10, 15});
	txn_mark(t, "a", bytes_str("1"));
	assert_int_equal(lab_commit(t), 0);
	lab_calm(&lab);
	t = lab_begin(s);
	lab_put(t, C, "a", T0, T0, T0 + 60000, 0, NULL, 1);
	txn_hold(t, C, (struct interval){0, 10, 15});
	txn_mark(t, "a", bytes_str("1"));
	txn_mark(t, "z", bytes_of(NULL, 0));
	assert_int_equal(lab_commit(t), 0);
	assert_int_equal(lab.steps, 0);
	/* Coverage alone: the manifest and its folder. */
	t = lab_begin(s);
	txn_hold(t, C, (struct interval){0, 10, 16});
	assert_int_equal(lab_commit(t), 0);
	assert_int_equal(lab.syncs, 2);
	assert_int_equal(lab.writes, 1);
	assert_int_equal(lab.renames, 1);
	store_stats(s, &stats);
	assert_int_equal(stats.revision, 2);
	store_close(s);
}

/* What a snapshot shows stays, though all of it is replaced and folded away; the files go with the
 * snapshot. */
static void snapshots_stay(void **state)
{
	struct store *s = lab_open(&lab);
	struct buf before = {0}, after = {0};
	struct snapshot *v = NULL;
	char id[16];

	(void)state;
	for (int round = 0; round < 40; round++) {
		struct txn *t = lab_begin(s);
		for (int i = 0; i < 20; i++) {
			snprintf(id, sizeof id, "i%d", (round * 7 + i) % 50);
			lab_put(t, C, id, T0 + i * 1000, T0 + 100000 + round * 5000,
				T0 + 200000 + round * 5000, 0, NULL, (unsigned)(round * 100 + i + 1));
		}
		assert_int_equal(lab_commit(t), 0);
		if (round == 5) {
			v = snapshot_new(s);
			lab_dump(s, &before, true);
		}
	}
	struct buf memory = {0};
	struct record r;
	for (int i = 0; i < 50; i++) {
		char line[32];
		snprintf(id, sizeof id, "i%d", i);
		int rc = snapshot_get(v, C, bytes_str(id), &memory, &r);
		snprintf(line, sizeof line, "\ni%d parent", i);
		assert_int_equal(rc, strstr(buf_text(&before), line) != NULL);
		if (rc == 1) {
			char want[64];
			snprintf(want, sizeof want, "rev=%llu flags", (unsigned long long)r.revision);
			assert_non_null(strstr(buf_text(&before), want));
		}
	}
	struct store_stats stats;
	store_stats(s, &stats);
	assert_true(stats.segments <= 16);
	assert_true(lab_files(lab.dir, ".seg") > stats.segments);
	snapshot_free(v);
	assert_int_equal(lab_files(lab.dir, ".seg"), stats.segments);
	lab_dump(s, &before, true);
	store_close(s);
	s = lab_open(&lab);
	lab_dump(s, &after, true);
	assert_string_equal(buf_text(&before), buf_text(&after));
	store_close(s);
	buf_release(&before);
	buf_release(&after);
	buf_release(&memory);
}

/* Many commits of one record: the number of segments stays small, and so does what is written
 * again. */
static void folds_are_few(void **state)
{
	struct store *s = lab_open(&lab);
	struct store_stats stats;
	char id[16];
	uint64_t most = 0;

	(void)state;
	for (int i = 0; i < 1500; i++) {
		struct txn *t = lab_begin(s);
		snprintf(id, sizeof id, "i%d", i);
		lab_put(t, C, id, T0 + i, T0 + i, T0 + 200000, i % 10 == 3 ? RECORD_DELETED : 0,
			NULL, (unsigned)i + 1);
		assert_int_equal(lab_commit(t), 0);
		store_stats(s, &stats);
		most = stats.segments > most ? stats.segments : most;
	}
	assert_true(most <= 9);
	assert_int_equal(count(s, C), 1350);
	for (int i = 0; i < 1500; i++) {
		struct record r;
		snprintf(id, sizeof id, "i%d", i);
		assert_int_equal(get(s, C, id, &r), 1);
		assert_int_equal(r.revision, i + 1);
	}
	store_close(s);
}

static void dictionaries(void **state)
{
	struct store *s = lab_open(&lab);
	struct record r;
	char id[16];

	(void)state;
	for (int round = 0; round < 4; round++) {
		struct txn *t = lab_begin(s);
		for (int i = 0; i < (round ? 200 : 30); i++) {
			snprintf(id, sizeof id, "%d-%d", round, i);
			lab_put(t, C, id, T0 + i, T0, T0, 0, NULL, (unsigned)(round * 1000 + i + 1));
		}
		assert_int_equal(lab_commit(t), 0);
		assert_int_equal(lab_files(lab.dir, ".dict"), round ? 1 : 0);
	}
	/* A fold joins what was packed with and without it. */
	for (int i = 0; i < 30; i++) {
		struct txn *t = lab_begin(s);
		snprintf(id, sizeof id, "x-%d", i);
		lab_put(t, C, id, T0 + i, T0, T0, 0, NULL, (unsigned)i + 1);
		assert_int_equal(lab_commit(t), 0);
	}
	for (int i = 0; i < 30; i++) {
		snprintf(id, sizeof id, "0-%d", i);
		assert_int_equal(get(s, C, id, &r), 1);
	}
	assert_int_equal(count(s, C), 660);
	store_close(s);
	s = lab_open(&lab);
	assert_int_equal(get(s, C, "2-7", &r), 1);
	store_close(s);
}

static void later_done(void *ctx, int error, const struct why *why)
{
	(void)why;
	*(int *)ctx = error;
}

/* Later fsyncs: readers see the old state until all are done; a commit in flight keeps others out.
 * */
static void later_fsync(void **state)
{
	struct store *s = lab_open(&lab);
	struct record r;
	struct txn *t = lab_begin(s), *u;

	(void)state;
	lab_put(t, C, "a", T0, T0, T0, 0, NULL, 1);
	assert_int_equal(lab_commit(t), 0);
	for (int fails = 0; fails < 2; fails++) {
		static int rc;
		lab.later = true;
		t = lab_begin(s);
		lab_put(t, C, fails ? "c" : "b", T0, T0, T0, 0, NULL, 2);
		rc = 1;
		txn_commit(t, later_done, &rc);
		assert_int_equal(rc, 1);
		assert_true(lab.waiting_count >= 2);
		assert_int_equal(get(s, C, "a", &r), 1);
		assert_int_equal(get(s, C, fails ? "c" : "b", &r), 0);
		assert_int_equal(store_begin(s, &u, NULL), ERR_BUSY);
		lab_sync_all(&lab, fails ? 28 : 0);
		assert_int_equal(rc, fails ? ERR_NOSPACE : 0);
		assert_int_equal(get(s, C, fails ? "c" : "b", &r), !fails);
		lab.later = false;
	}
	assert_int_equal(lab_files(lab.dir, ".seg"), 2);
	assert_int_equal(lab_files(lab.dir, ".tmp"), 0);
	t = lab_begin(s);
	txn_abort(t);
	store_close(s);
}

static void checks_pass(void **state)
{
	struct store *s = lab_open(&lab);
	uint64_t bad = 0;
	double progress = 0;
	char id[16];

	(void)state;
	for (int round = 0; round < 3; round++) {
		struct txn *t = lab_begin(s);
		for (int i = 0; i < 100; i++) {
			snprintf(id, sizeof id, "i%d", i + round * 50);
			lab_put(t, i % 3 ? C : "messages", id, i % 7 ? T0 + i : TIME_NONE,
				T0 + round, T0, 0, i % 2 ? "p" : NULL, (unsigned)(i + 1));
		}
		assert_int_equal(lab_commit(t), 0);
	}
	struct store_check *c = store_check_new(s);
	int steps = 0;
	while (store_check_step(c, 5000, &bad, &progress) == 1)
		steps++;
	assert_true(steps > 5);
	assert_int_equal(bad, 0);
	assert_true(progress == 1);
	store_check_free(c);
	store_close(s);
}

static void put_large(struct txn *t, unsigned i, unsigned size)
{
	struct buf doc = {0};
	char id[32];
	struct record r = {.created_ms = T0 + i, .updated_ms = T0, .seen_ms = T0};

	lab_doc(&doc, i + 1, size);
	snprintf(id, sizeof id, "i%u", i);
	r.id = bytes_str(id);
	r.doc = buf_bytes(&doc);
	assert_int_equal(txn_put(t, C, &r, NULL, NULL), 0);
	buf_release(&doc);
}

/* Large records wait to be packed in slices, by other puts and by the commit; with a dictionary and
 * without one, and replaced while they wait. */
static void large_records(void **state)
{
	static const unsigned sizes[] = {200, 300000, 900, 1000000, 131072, 300000, 50};
	struct buf memory = {0}, doc = {0};
	struct record r;
	char id[32];

	(void)state;
	lab.sliced = true;
	lab.txn_bytes_max = 64u << 20;
	struct store *s = lab_open(&lab);
	for (int round = 0; round < 3; round++) {
		struct txn *t = lab_begin(s);
		for (unsigned i = 0; i < 90; i++)
			put_large(t, i + (unsigned)round * 1000, sizes[(i + (unsigned)round) % 7] / 2);
		for (unsigned i = 80; i < 100; i++)
			put_large(t, i + (unsigned)round * 1000, sizes[i % 7]);
		assert_int_equal(lab_commit(t), 0);
	}
	struct snapshot *v = snapshot_new(s);
	assert_int_equal(snapshot_count(v, C), 300);
	for (unsigned k = 0; k < 300; k++) {
		unsigned round = k / 100, i = k % 100;
		snprintf(id, sizeof id, "i%u", i + round * 1000);
		assert_int_equal(snapshot_get(v, C, bytes_str(id), &memory, &r), 1);
		lab_doc(&doc, i + round * 1000 + 1,
			i < 80 ? sizes[(i + round) % 7] / 2 : sizes[i % 7]);
		assert_true(bytes_equal(r.doc, buf_bytes(&doc)));
	}
	snapshot_free(v);
	store_close(s);
	buf_release(&memory);
	buf_release(&doc);
}

/* Below the floor nothing that brings records is begun, with the journal and without; what makes
 * room is. */
static void disk_floor(void **state)
{
	(void)state;
	for (lab.journal_bytes = 0; lab.journal_bytes <= 1 << 20; lab.journal_bytes += 1 << 20) {
		lab_remove(lab.dir);
		lab.floor_bytes = 10 << 20;
		lab.free_bytes = 20 << 20;
		struct store *s = lab_open(&lab);
		for (unsigned i = 0; i < 2; i++) {
			struct txn *t = lab_begin(s);
			lab_put(t, C, i ? "b" : "a", T0, T0, T0, 0, NULL, 1);
			assert_int_equal(lab_commit(t), 0);
		}
		lab.free_bytes = 10 << 20;
		lab_calm(&lab);
		struct txn *t = lab_begin(s);
		lab_put(t, C, "c", T0, T0, T0, 0, NULL, 1);
		assert_int_equal(lab_commit(t), ERR_NOSPACE);
		assert_int_equal(lab.steps, 0);
		assert_int_equal(count(s, C), 2);
		t = lab_begin(s);
		txn_withdraw(t, C, T0, T0 + 5);
		txn_mark(t, "a", bytes_str("1"));
		assert_int_equal(lab_commit(t), 0);
		t = lab_begin(s);
		assert_int_equal(txn_retain(t, C, T0 + 2 * 86400000LL), 0);
		assert_int_equal(lab_commit(t), 0);
		assert_int_equal(count(s, C), 0);
		assert_int_equal(lab_files(lab.dir, ".seg"), 0);
		store_close(s);
	}
	lab.journal_bytes = lab.floor_bytes = 0;
}

/* Whole windows go: what lies in the window of the moment, or has no time, stays. */
static void retention(void **state)
{
	char id[16];

	(void)state;
	struct store *s = lab_open(&lab);
	struct txn *t = lab_begin(s);
	for (int i = 0; i < 40; i++) {
		snprintf(id, sizeof id, "i%d", i);
		lab_put(t, C, id, i ? T0 + i * 21600000LL : TIME_NONE, T0, T0,
			i % 7 == 3 ? RECORD_DELETED : 0, NULL, (unsigned)i + 1);
	}
	txn_hold(t, C, (struct interval){T0 - 5, T0 + 100 * 86400000LL, T0 + 200 * 86400000LL});
	assert_int_equal(lab_commit(t), 0);
	struct snapshot *v = snapshot_new(s);
	uint64_t before = snapshot_count(v, C), revision = snapshot_revision(v);
	int64_t cut = 1700265600000; /* 2023-11-18, three hours and more before the row 12 */
	t = lab_begin(s);
	assert_int_equal(txn_retain(t, C, cut + 5 * 3600000), 0);
	lab_put(t, C, "late", T0, T0, T0, 0, NULL, 9);
	assert_int_equal(lab_commit(t), 0);
	assert_int_equal(snapshot_count(v, C), before);
	snapshot_free(v);
	v = snapshot_new(s);
	struct buf memory = {0};
	struct record r;
	for (int i = 0; i < 40; i++) {
		snprintf(id, sizeof id, "i%d", i);
		assert_int_equal(snapshot_get(v, C, bytes_str(id), &memory, &r),
				 i == 0 || T0 + i * 21600000LL >= cut);
	}
	assert_int_equal(snapshot_get(v, C, bytes_str("late"), &memory, &r), 1);
	assert_true(snapshot_revision(v) > revision);
	const struct intervals *held = &snapshot_coverage(v, C)->held;
	assert_false(intervals_contain(held, cut - 1, cut));
	assert_true(intervals_contain(held, cut, cut + 1000));
	snapshot_free(v);
	store_close(s);
	buf_release(&memory);
}

static uint64_t version(struct store *s, const char *resource)
{
	struct snapshot *v = snapshot_new(s);
	uint64_t n = snapshot_version(v, resource);

	snapshot_free(v);
	return n;
}

/* Another one for other rows, and only then. */
static void versions(void **state)
{
	struct store *s = lab_open(&lab);
	struct txn *t = lab_begin(s);

	(void)state;
	lab_put(t, C, "a", T0, T0, T0, 0, NULL, 1);
	lab_put(t, "tags", "x", T0, T0, T0, 0, NULL, 2);
	assert_int_equal(lab_commit(t), 0);
	uint64_t contacts = version(s, C), tags = version(s, "tags");
	struct snapshot *before = snapshot_new(s);
	t = lab_begin(s);
	txn_hold(t, C, (struct interval){T0, T0 + 1000, T0 + 1000});
	assert_int_equal(lab_commit(t), 0);
	assert_true(version(s, C) == contacts && version(s, "tags") == tags);
	t = lab_begin(s);
	lab_put(t, C, "a", T0, T0 + 1, T0 + 1, 0, NULL, 3);
	assert_int_equal(lab_commit(t), 0);
	assert_true(version(s, C) > contacts && version(s, "tags") == tags);
	assert_int_equal(snapshot_version(before, C), contacts);
	contacts = version(s, C);
	t = lab_begin(s);
	lab_put(t, C, "a", T0, T0 + 2, T0 + 2, RECORD_DELETED, NULL, 0);
	assert_int_equal(lab_commit(t), 0);
	assert_true(version(s, C) > contacts);
	assert_int_equal(version(s, "messages"), 0);
	snapshot_free(before);
	store_close(s);
}

/* Children of many parents in several segments: each parent has its own, and one that has none has none. */
static void children_of_each(void **state)
{
	struct store *s = lab_open(&lab);
	char id[24], parent[24];

	(void)state;
	for (int part = 0; part < 3; part++) {
		struct txn *t = lab_begin(s);
		for (int i = 0; i < 300; i++) {
			snprintf(id, sizeof id, "m%d-%d", part, i);
			snprintf(parent, sizeof parent, i % 2 ? "%d" : "c%d", 1000 * part + i / 2);
			lab_put(t, "messages", id, T0 + i, TIME_NONE, T0, 0, parent, (unsigned)i + 1);
		}
		assert_int_equal(lab_commit(t), 0);
	}
	struct snapshot *v = snapshot_new(s);
	for (int i = 0; i < 3300; i++) {
		struct scan *scan;
		struct scan_row row;
		unsigned n = 0;
		snprintf(parent, sizeof parent, i % 2 ? "%d" : "c%d", i);
		const struct scan_spec spec = {.resource = "messages",
					       .start_ms = TIME_MIN,
					       .end_ms = TIME_MAX,
					       .parent = bytes_str(parent)};
		assert_int_equal(scan_open(v, &spec, &scan, NULL), 0);
		while (scan_next(scan, &row) == 1)
			n++;
		scan_close(scan);
		assert_int_equal(n, i < 3000 && i % 1000 < 150 ? 1 : 0);
	}
	snapshot_free(v);
	store_close(s);
}

/* The commit comes while a dictionary is being made, and most of them wait for it: with more of them the two would differ by a step, or by chance by none. */
#define ASKED_RECORDS 320

/* What a store of these records writes, and how many steps its commit takes. */
static unsigned write_all(bool asked, struct buf *out)
{
	char id[16], path[512];
	unsigned steps = 0;
	struct store *s;

	lab.sliced = true;
	lab.asked = asked;
	s = lab_open(&lab);
	struct txn *t = lab_begin(s);
	for (unsigned i = 1; i <= ASKED_RECORDS; i++) {
		snprintf(id, sizeof id, "r%u", i);
		lab_put(t, C, id, T0 + i, T0 + i, T0, 0, NULL, i);
	}
	int rc = 1;
	txn_commit(t, note_end, &rc);
	while (rc == 1 && store_work(s))
		steps++;
	assert_int_equal(rc, 0);
	assert_int_equal(count(s, C), ASKED_RECORDS);
	store_close(s);
	assert_true(lab_find(lab.dir, ".seg", path));
	lab_read("", path, out);
	lab_release(&lab);
	lab_init(&lab);
	return steps;
}

/* Smaller pieces of work, and the same bytes: dictionary, streams and all. */
static void who_asks_changes_nothing(void **state)
{
	struct buf whole = {0}, pieces = {0};

	(void)state;
	unsigned few = write_all(false, &whole), many = write_all(true, &pieces);
	assert_true(many > few);
	assert_int_equal(whole.len, pieces.len);
	assert_memory_equal(whole.data, pieces.data, whole.len);
	buf_release(&whole);
	buf_release(&pieces);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(put_and_get, setup, teardown),
		cmocka_unit_test_setup_teardown(put_rules, setup, teardown),
		cmocka_unit_test_setup_teardown(buried_and_moved, setup, teardown),
		cmocka_unit_test_setup_teardown(same_keeps_revision, setup, teardown),
		cmocka_unit_test_setup_teardown(tombstone_inherits, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_arguments, setup, teardown),
		cmocka_unit_test_setup_teardown(many_resources, setup, teardown),
		cmocka_unit_test_setup_teardown(full_transaction, setup, teardown),
		cmocka_unit_test_setup_teardown(marks, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_touches_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(snapshots_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(folds_are_few, setup, teardown),
		cmocka_unit_test_setup_teardown(dictionaries, setup, teardown),
		cmocka_unit_test_setup_teardown(later_fsync, setup, teardown),
		cmocka_unit_test_setup_teardown(checks_pass, setup, teardown),
		cmocka_unit_test_setup_teardown(large_records, setup, teardown),
		cmocka_unit_test_setup_teardown(disk_floor, setup, teardown),
		cmocka_unit_test_setup_teardown(retention, setup, teardown),
		cmocka_unit_test_setup_teardown(versions, setup, teardown),
		cmocka_unit_test_setup_teardown(children_of_each, setup, teardown),
		cmocka_unit_test_setup_teardown(who_asks_changes_nothing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
