/*
 * The store against a plain table in memory, which knows nothing of segments: random puts,
 * deletions, poorer copies, coverage, marks, commits, aborts, reopenings, and after each commit
 * every read compared. STORE_TEST_OPS (2,000) operations, STORE_TEST_SEED.
 */
#include "support/lab.h"

#include <codec/msgpack.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define IDS       220
#define RESOURCES 3
#define T0        1700000000000
#define DAY       86400000LL

static const char *const names[RESOURCES] = {"contacts", "messages", "tags"};

struct entry {
	bool held;
	int64_t created, updated, seen;
	unsigned flags, seed, parent, merged; /* 0: none */
	uint64_t revision;
};

struct table {
	struct entry entries[RESOURCES][IDS];
	struct coverage coverage[RESOURCES];
	char mark[3][16];
	uint64_t revision;
};

static struct lab lab;
static struct store *store;
static struct table now, next;
static uint64_t seed;
static uint64_t given;     /* revisions in the open transaction */
static int64_t updated_ms; /* long ago in some lives: what is merged is packed densely */
static bool touched;       /* the open transaction changes something */

static unsigned below(unsigned n)
{
	return (unsigned)(lab_random(&seed) % n);
}

static void table_copy(const struct table *from, struct table *to)
{
	struct coverage kept[RESOURCES];

	memcpy(kept, to->coverage, sizeof kept);
	memcpy(to, from, sizeof *to);
	memcpy(to->coverage, kept, sizeof kept);
	for (int i = 0; i < RESOURCES; i++)
		assert_int_equal(coverage_copy(&from->coverage[i], &to->coverage[i]), 0);
}

static void name_id(unsigned i, char out[16])
{
	snprintf(out, 16, "id-%u", i * 7919);
}

/* ---- the rules, once more and in other words ---- */

static bool settled(const struct entry *e)
{
	int64_t changed = e->updated != TIME_NONE ? e->updated : e->created;

	return changed != TIME_NONE && e->seen != TIME_NONE && e->seen / 1000 - changed / 1000 >= 2;
}

static enum put_outcome apply(struct entry *held, struct entry n)
{
	if (held->held && n.flags & RECORD_DELETED) {
		n.created = n.created == TIME_NONE ? held->created : n.created;
		n.parent = n.parent ? n.parent : held->parent;
	}
	n.held = true;
	if (!held->held) {
		n.revision = now.revision + ++given;
		*held = n;
		return n.flags & RECORD_DELETED ? PUT_SAME : PUT_CREATED;
	}
	bool dead = held->flags & RECORD_DELETED, dying = n.flags & RECORD_DELETED;
	if (n.created == held->created && n.updated == held->updated && n.flags == held->flags &&
	    n.seed == held->seed && n.parent == held->parent && n.merged == held->merged) {
		if (settled(held) || !settled(&n))
			return PUT_SAME;
		n.revision = held->revision;
		*held = n;
		touched = true;
		return PUT_SAME;
	}
	bool both = n.updated != TIME_NONE && held->updated != TIME_NONE;
	bool later = both && n.updated > held->updated, earlier = both && n.updated < held->updated;
	bool level = !later && !earlier;
	bool win;
	enum put_outcome o;
	if (dying && !dead) {
		win = true;
		o = PUT_DELETED;
	} else if (dead && !dying) {
		bool full = !(n.flags & RECORD_POOR);
		bool moved = full && n.parent && held->parent && n.parent != held->parent;
		win = later || moved || ((level || full) && n.seen > held->seen);
		o = PUT_CREATED;
	} else {
		win = later || (level && n.seen >= held->seen);
		if (n.flags & RECORD_POOR && !(held->flags & RECORD_POOR) &&
		    !(later || (n.updated != TIME_NONE && held->updated == TIME_NONE)))
			win = false;
		o = dead ? PUT_SAME : PUT_UPDATED;
	}
	if (!win)
		return PUT_POORER;
	n.revision = now.revision + ++given;
	*held = n;
	return o;
}

/* ---- operations ---- */

static void random_entry(struct entry *e)
{
	*e = (struct entry){.created = below(9) ? T0 + (int64_t)below(40) * DAY / 4 : TIME_NONE,
			    .updated = below(8) ? updated_ms + below(12) * 1000 : TIME_NONE,
			    .seen = T0 + 20 * DAY + below(16) * 1000,
			    .seed = below(4) + 1};
	if (below(3) == 0)
		e->parent = below(5) + 1;
	if (below(6) == 0)
		e->flags |= RECORD_POOR;
	if (below(6) == 0)
		e->flags |= RECORD_TRUNCATED;
	if (below(7) == 0) {
		e->flags = RECORD_DELETED;
		e->seed = below(2);
	}
	if (below(20) == 0) {
		e->flags |= RECORD_MERGED;
		e->merged = below(3) + 1;
	}
	if (below(4) == 0) {
		e->created = below(2) ? e->created : TIME_NONE;
		e->parent = 0;
	}
}

static void op_put(struct txn *t)
{
	unsigned r = below(10) < 6 ? 0 : below(RESOURCES), i = below(IDS);
	char id[16], parent[16], merged[16];
	struct buf doc = {0};
	struct record record;
	struct entry e;
	enum put_outcome got, want;

	random_entry(&e);
	if (below(3) == 0 && next.entries[r][i].held) { /* nearly the same again */
		struct entry again = next.entries[r][i];
		again.seen += (int64_t)below(4) * 1000 - 1000;
		again.updated = below(4) || again.updated == TIME_NONE ? again.updated
								       : again.updated + 1000;
		e = again;
	}
	name_id(i, id);
	name_id(e.parent, parent);
	name_id(e.merged, merged);
	if (e.seed)
		lab_doc(&doc, e.seed, 30 + e.seed * 150);
	record = (struct record){.id = bytes_str(id),
				 .parent = e.parent ? bytes_str(parent) : bytes_of(NULL, 0),
				 .merged_into = e.merged ? bytes_str(merged) : bytes_of(NULL, 0),
				 .created_ms = e.created,
				 .updated_ms = e.updated,
				 .seen_ms = e.seen,
				 .flags = e.flags,
				 .doc = buf_bytes(&doc)};
	assert_int_equal(txn_put(t, names[r], &record, &got, NULL), 0);
	want = apply(&next.entries[r][i], e);
	assert_int_equal(got, want);
	buf_release(&doc);
}

static void op_coverage(struct txn *t)
{
	unsigned r = below(RESOURCES);
	int64_t a = T0 + (int64_t)below(40) * DAY, b = a + (int64_t)below(6) * DAY;
	struct interval span = {a, b, T0 + (int64_t)below(60) * DAY};
	struct coverage *c = &next.coverage[r];

	switch (below(4)) {
	case 0: assert_int_equal(txn_hold(t, names[r], span), coverage_hold(c, span)); break;
	case 1:
		assert_int_equal(txn_withdraw(t, names[r], a, b), coverage_withdraw(c, a, b));
		break;
	case 2:
		assert_int_equal(txn_chain_start(t, names[r], a), 0);
		coverage_chain_start(c, a);
		break;
	default:
		assert_int_equal(txn_chain_extend(t, names[r], a, b), coverage_chain_extend(c, a, b));
	}
}

static void op_retain(struct txn *t)
{
	unsigned r = below(RESOURCES);
	int64_t before = T0 + (int64_t)below(12) * DAY + below(1000000),
		whole = before - before % DAY;

	assert_int_equal(txn_retain(t, names[r], before), 0);
	assert_int_equal(coverage_withdraw(&next.coverage[r], TIME_MIN, whole), 0);
	for (unsigned i = 0; i < IDS; i++) {
		struct entry *e = &next.entries[r][i];
		bool own = e->revision > now.revision ||
			   memcmp(e, &now.entries[r][i], sizeof *e) != 0;
		if (e->held && !own && e->created != TIME_NONE && e->created < whole)
			e->held = false;
	}
	touched = true;
}

static void op_mark(struct txn *t)
{
	static const char *const keys[3] = {"a", "b", "etag"};
	unsigned i = below(3);
	char value[16] = "";

	if (below(4))
		snprintf(value, sizeof value, "v%u", below(3));
	assert_int_equal(txn_mark(t, keys[i], value[0] ? bytes_str(value) : bytes_of(NULL, 0)), 0);
	strcpy(next.mark[i], value);
}

/* ---- comparing ---- */

static bool is_id(struct bytes got, unsigned number)
{
	char id[16];

	name_id(number, id);
	return number ? bytes_is(got, id) : got.len == 0;
}

static void same_record(const struct entry *e, const struct record *r)
{
	struct buf doc = {0};

	assert_true(r->created_ms == e->created && r->updated_ms == e->updated &&
		    r->seen_ms == e->seen);
	assert_int_equal(r->flags, e->flags);
	assert_int_equal(r->revision, e->revision);
	assert_true(is_id(r->parent, e->parent) && is_id(r->merged_into, e->merged));
	if (e->seed)
		lab_doc(&doc, e->seed, 30 + e->seed * 150);
	else
		mp_put_nil(&doc);
	assert_true(bytes_equal(r->doc, buf_bytes(&doc)));
	buf_release(&doc);
}

static void compare_gets(struct snapshot *v, unsigned r)
{
	struct buf memory = {0};
	struct record got, peeked;
	char id[16];

	for (unsigned i = 0; i < IDS; i++) {
		const struct entry *e = &now.entries[r][i];
		name_id(i, id);
		assert_int_equal(snapshot_get(v, names[r], bytes_str(id), &memory, &got), e->held);
		assert_int_equal(snapshot_peek(v, names[r], bytes_str(id), &peeked), e->held);
		if (!e->held)
			continue;
		same_record(e, &got);
		assert_true(bytes_is(got.id, id));
		assert_true(peeked.revision == e->revision && peeked.flags == e->flags &&
			    peeked.seen_ms == e->seen);
	}
	buf_release(&memory);
}

struct line {
	struct scan_position p;
	unsigned i;
};

static int by_position(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->p.time_ms != y->p.time_ms)
		return x->p.time_ms < y->p.time_ms ? -1 : 1;
	return x->p.id_hash < y->p.id_hash ? -1 : x->p.id_hash > y->p.id_hash;
}

static unsigned expect(unsigned r, const struct scan_spec *spec, unsigned parent, struct line *out)
{
	unsigned n = 0;
	char id[16];

	for (unsigned i = 0; i < IDS; i++) {
		const struct entry *e = &now.entries[r][i];
		int64_t t = spec->axis == AXIS_UPDATED ? e->updated : e->created;
		if (!e->held || (e->flags & RECORD_DELETED && !spec->tombstones) ||
		    (parent && e->parent != parent))
			continue;
		if (t == TIME_NONE ? spec->start_ms != TIME_MIN || spec->end_ms != TIME_MAX
				   : t < spec->start_ms || t >= spec->end_ms)
			continue;
		name_id(i, id);
		out[n++] = (struct line){{t, bytes_hash(bytes_str(id))}, i};
	}
	qsort(out, n, sizeof *out, by_position);
	for (unsigned i = 0; spec->descending && i < n / 2; i++) {
		struct line l = out[i];
		out[i] = out[n - 1 - i];
		out[n - 1 - i] = l;
	}
	return n;
}

static void compare_scan_from(struct snapshot *v, unsigned r, struct scan_spec *spec,
			      const struct line *want, unsigned from, unsigned n)
{
	struct buf memory = {0};
	struct scan_row row;
	struct record got;
	struct scan *s;

	spec->after = from ? &want[from - 1].p : NULL;
	assert_int_equal(scan_open(v, spec, &s, NULL), 0);
	for (unsigned i = from; i < n; i++) {
		const struct entry *e = &now.entries[r][want[i].i];
		assert_int_equal(scan_next(s, &row), 1);
		assert_true(row.position.time_ms == want[i].p.time_ms &&
			    row.position.id_hash == want[i].p.id_hash);
		assert_true(row.revision == e->revision && row.flags == e->flags &&
			    row.created_ms == e->created && row.updated_ms == e->updated);
		if (below(4) == 0) {
			assert_int_equal(scan_record(s, &memory, &got), 1);
			same_record(e, &got);
			assert_true(row.raw_bytes == memory.len);
		}
	}
	assert_int_equal(scan_next(s, &row), 0);
	assert_int_equal(scan_next(s, &row), 0);
	scan_close(s);
	buf_release(&memory);
}

static void compare_scans(struct snapshot *v, unsigned r, unsigned rounds)
{
	static struct line want[IDS];
	char parent[16];

	for (unsigned round = 0; round < rounds; round++) {
		unsigned p = below(3) ? 0 : below(6);
		struct scan_spec spec = {.resource = names[r],
					 .axis = below(2) ? AXIS_UPDATED : AXIS_CREATED,
					 .start_ms = TIME_MIN,
					 .end_ms = TIME_MAX};
		name_id(p, parent);
		spec.parent = p ? bytes_str(parent) : bytes_of(NULL, 0);
		spec.descending = below(2);
		spec.tombstones = below(2);
		if (below(3) == 0)
			spec.start_ms = T0 + (int64_t)below(44) * DAY / 2;
		if (below(3) == 0)
			spec.end_ms = updated_ms + (int64_t)below(20) * 1000;
		unsigned n = expect(r, &spec, p, want);
		compare_scan_from(v, r, &spec, want, 0, n);
		if (n && below(2))
			compare_scan_from(v, r, &spec, want, below(n + 1), n);
		if (round == 0 && below(8) == 0)
			for (unsigned from = 0; from <= n; from++)
				compare_scan_from(v, r, &spec, want, from, n);
	}
}

static void compare_totals(struct snapshot *v, unsigned r)
{
	int64_t first = TIME_MAX, last = TIME_NONE, got_first = TIME_MAX, got_last = TIME_NONE,
		a = T0 + below(40) * DAY, b = a + below(20) * DAY;
	uint64_t live = 0, truncated = 0;
	struct buf want = {0}, got = {0};

	for (unsigned i = 0; i < IDS; i++) {
		const struct entry *e = &now.entries[r][i];
		if (!e->held)
			continue;
		truncated += e->flags & RECORD_TRUNCATED && e->created != TIME_NONE &&
			     e->created >= a && e->created < b;
		if (e->flags & RECORD_DELETED)
			continue;
		live++;
		first = e->created != TIME_NONE && e->created < first ? e->created : first;
		last = e->created > last ? e->created : last;
	}
	assert_int_equal(snapshot_count(v, names[r]), live);
	assert_int_equal(snapshot_extent(v, names[r], &got_first, &got_last), last != TIME_NONE);
	assert_true(got_first == first && got_last == last);
	assert_int_equal(snapshot_truncated(v, names[r], a, b), truncated);
	assert_int_equal(snapshot_quarantined(v, names[r], TIME_MIN, TIME_MAX), 0);
	coverage_encode(&now.coverage[r], &want);
	coverage_encode(snapshot_coverage(v, names[r]), &got);
	assert_true(bytes_equal(buf_bytes(&want), buf_bytes(&got)));
	buf_release(&want);
	buf_release(&got);
}

static void compare_all(void)
{
	static const char *const keys[3] = {"a", "b", "etag"};
	struct snapshot *v = snapshot_new(store);

	assert_int_equal(snapshot_revision(v), now.revision);
	for (unsigned r = 0; r < RESOURCES; r++) {
		compare_gets(v, r);
		compare_scans(v, r, 6);
		compare_totals(v, r);
	}
	for (unsigned i = 0; i < 3; i++)
		assert_true(bytes_is(snapshot_mark(v, keys[i]), now.mark[i]));
	snapshot_free(v);
}

/* ---- a life ---- */

static bool coverage_differs(void)
{
	bool differs = false;

	for (int i = 0; i < RESOURCES; i++) {
		struct buf a = {0}, b = {0};
		coverage_encode(&now.coverage[i], &a);
		coverage_encode(&next.coverage[i], &b);
		differs |= !bytes_equal(buf_bytes(&a), buf_bytes(&b));
		buf_release(&a);
		buf_release(&b);
	}
	return differs;
}

static void commit(struct txn *t)
{
	bool changed = touched || given || coverage_differs() ||
		       memcmp(now.mark, next.mark, sizeof now.mark) != 0;

	assert_int_equal(lab_commit(t), 0);
	next.revision = now.revision + (given ? given : changed);
	table_copy(&next, &now);
}

static void life(uint64_t start, unsigned ops)
{
	struct txn *t = NULL;

	seed = start * 0x9e3779b97f4a7c15u + 12345;
	lab_init(&lab);
	lab.cache_bytes = below(2) ? 1 : 0; /* hardly any cache, or plenty */
	lab.sliced = below(2);
	updated_ms = below(2) ? T0 + 20 * DAY : T0 - 20 * DAY;
	lab.segment_rows = below(3) ? 8 + below(60) : 0;
	lab.journal_bytes = below(3) ? 100000 + below(2000000) : 0;
	memset(&now, 0, sizeof now);
	memset(&next, 0, sizeof next);
	for (int i = 0; i < RESOURCES; i++) {
		coverage_init(&now.coverage[i]);
		coverage_init(&next.coverage[i]);
	}
	store = lab_open(&lab);
	for (unsigned op = 0; op < ops; op++) {
		if (!t) {
			t = lab_begin(store);
			table_copy(&now, &next);
			given = 0;
			touched = false;
		}
		if (below(10) == 0)
			store_flush(store);
		for (unsigned n = below(4) ? 0 : below(40); n && store_work(store); n--)
			;
		unsigned dice = below(100);
		if (dice < 84) {
			for (unsigned n = below(60) ? 1 : 150; n > 0;
			     n--) /* now and then enough for a dictionary */
				op_put(t);
		} else if (dice < 89) {
			op_coverage(t);
		} else if (dice < 91) {
			op_mark(t);
		} else if (dice < 97) {
			if (below(5) == 0)
				op_retain(t);
			commit(t);
			t = NULL;
			compare_all();
		} else if (dice < 99) {
			txn_abort(t);
			t = NULL;
		} else {
			store_close(store); /* aborts */
			t = NULL;
			lab.schemas = below(2) ? lab_schemas
					       : lab_schemas + 1; /* contacts come or go */
			store = lab_open(&lab);
			compare_all();
		}
	}
	store_close(store);
	lab_release(&lab);
	for (int i = 0; i < RESOURCES; i++) {
		coverage_release(&now.coverage[i]);
		coverage_release(&next.coverage[i]);
	}
}

static void random_lives(void **state)
{
	const char *ops = getenv("STORE_TEST_OPS"), *start = getenv("STORE_TEST_SEED");
	unsigned n = ops ? (unsigned)strtoul(ops, NULL, 10) : 2000;

	(void)state;
	for (uint64_t i = 0; i < 4; i++) {
		uint64_t s = start ? strtoull(start, NULL, 10) + i : 1 + i;
		print_message("# seed %" PRIu64 "\n", s);
		life(s, n / 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(random_lives)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
