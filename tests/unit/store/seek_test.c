/* Where rows lie: guesses by time and by a parent's hash end where a look at every row would, however unevenly they lie. */
#include "inside.h"
#include "support/lab.h"

#include <stdio.h>

#define T0     1700000000000
#define MANY   900 /* children of one parent: several pages of them */
#define OTHERS 500

static struct lab lab;
static struct store *store;

static int setup(void **state)
{
	(void)state;
	lab_init(&lab);
	lab.schemas = NULL;
	/* Of a page or two more than it needs at once. */
	lab.cache_bytes = 1;
	lab.segment_rows = 1 << 20;
	store = lab_open(&lab);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	store_close(store);
	lab_release(&lab);
	return 0;
}

static struct segment *only_segment(void)
{
	lab_work(store);
	const struct state_resource *r = state_find(store->state, "messages");
	assert_int_equal(r->count, 1);
	assert_int_equal(segment_load(r->segments[0].segment, store->pages), 0);
	return r->segments[0].segment;
}

static void put(struct txn *t, unsigned i, int64_t created_ms, const char *parent)
{
	char id[16];

	snprintf(id, sizeof id, "m%u", i);
	lab_put(t, "messages", id, created_ms, T0, T0, 0, parent, i);
}

/* ---- by time ---- */

static uint32_t rank_of_time(struct segment *g, int64_t time_ms, uint64_t hash)
{
	uint32_t at = 0, hint = 0;
	struct row row;

	for (; at < g->meta.records; at++) {
		assert_int_equal(segment_row(g, store->pages, at, &hint, &row), 0);
		if (row.created_ms > time_ms || (row.created_ms == time_ms && row.id_hash >= hash))
			break;
	}
	return at;
}

static void time_is(struct segment *g, int64_t time_ms, uint64_t hash)
{
	uint32_t at = UINT32_MAX;

	assert_int_equal(segment_seek_created(g, store->pages, time_ms, hash, &at), 0);
	assert_int_equal(at, rank_of_time(g, time_ms, hash));
}

static void times_are_right(struct segment *g)
{
	uint32_t hint = 0;
	struct row row;

	for (uint32_t i = 0; i < g->meta.records; i += 7) {
		assert_int_equal(segment_row(g, store->pages, i, &hint, &row), 0);
		if (row.created_ms == TIME_NONE)
			continue;
		for (int64_t away = -1; away <= 1; away++)
			time_is(g, row.created_ms + away, 0);
		time_is(g, row.created_ms, row.id_hash);
		time_is(g, row.created_ms, row.id_hash + 1);
		time_is(g, row.created_ms, UINT64_MAX);
	}
	time_is(g, TIME_MIN, 0);
	time_is(g, TIME_MIN, 1);
	time_is(g, TIME_MAX, UINT64_MAX);
}

static void even_times(void **state)
{
	struct txn *t = lab_begin(store);

	(void)state;
	for (unsigned i = 0; i < 2000; i++)
		put(t, i, T0 + (int64_t)i * 60000 + (int64_t)(i * 7919 % 50000), NULL);
	assert_int_equal(lab_commit(t), 0);
	times_are_right(only_segment());
}

/* Some without a time, many at once, more and more apart, and one that is wrong by ages. */
static void uneven_times(void **state)
{
	struct txn *t = lab_begin(store);
	unsigned n = 0;

	(void)state;
	while (n < 130)
		put(t, n++, TIME_NONE, NULL);
	while (n < 800)
		put(t, n++, T0, NULL);
	for (int64_t away = 1; n < 1200; away += 1 + away / 20)
		put(t, n++, T0 + away, NULL);
	put(t, n++, INT64_C(253402300799999), NULL);
	put(t, n++, INT64_C(-62167219200000), NULL);
	assert_int_equal(lab_commit(t), 0);
	times_are_right(only_segment());
}

static void one_time(void **state)
{
	struct txn *t = lab_begin(store);

	(void)state;
	for (unsigned i = 0; i < 300; i++)
		put(t, i, T0, NULL);
	assert_int_equal(lab_commit(t), 0);
	times_are_right(only_segment());
}

/* What lies evenly is found with a few pages, not with one for each half. */
static void a_guess_reads_little(void **state)
{
	struct pages_stats before, after;
	struct txn *t = lab_begin(store);
	uint32_t at;

	(void)state;
	for (unsigned i = 0; i < 6000; i++)
		put(t, i, T0 + (int64_t)i * 1000, NULL);
	assert_int_equal(lab_commit(t), 0);
	struct segment *g = only_segment();
	pages_stats(store->pages, &before);
	for (unsigned i = 100; i < 6000; i += 590)
		assert_int_equal(
			segment_seek_created(g, store->pages, T0 + (int64_t)i * 1000, 0, &at), 0);
	pages_stats(store->pages, &after);
	assert_true(after.misses - before.misses <= 20);
}

/* ---- by parent ---- */

static void parent_name(unsigned i, char out[16])
{
	snprintf(out, 16, "p%u", i);
}

static unsigned children_of(unsigned parent)
{
	return parent == 11 ? MANY : parent == 12 ? 40 : parent % 5;
}

static struct segment *fill_children(void)
{
	struct txn *t = lab_begin(store);
	unsigned n = 0;
	char parent[16];

	for (unsigned p = 0; p < OTHERS; p++)
		for (unsigned i = 0; i < children_of(p); i++, n++) {
			parent_name(p, parent);
			put(t, n, i % 3 ? T0 + (int64_t)i : T0 - (int64_t)i, parent);
		}
	assert_int_equal(lab_commit(t), 0);
	return only_segment();
}

static uint32_t rank_of_child(struct segment *g, const struct child *k)
{
	uint32_t at = 0, hint = 0;
	struct child c;

	for (; at < g->sections[SECTION_PARENTS].elements; at++) {
		assert_int_equal(segment_child(g, store->pages, at, &hint, &c), 0);
		if (c.parent_hash != k->parent_hash ? c.parent_hash > k->parent_hash
		    : c.created_ms != k->created_ms ? c.created_ms > k->created_ms
						    : c.id_hash >= k->id_hash)
			break;
	}
	return at;
}

static void child_is(struct segment *g, uint64_t parent_hash, int64_t created_ms, uint64_t id_hash)
{
	struct child k = {parent_hash, created_ms, id_hash, 0};
	uint32_t at = UINT32_MAX;

	assert_int_equal(segment_seek_child(g, store->pages, parent_hash, created_ms, id_hash, &at),
			 0);
	assert_int_equal(at, rank_of_child(g, &k));
}

static void children_by_key(void **state)
{
	struct segment *g = fill_children();
	uint32_t hint = 0;
	struct child c;

	(void)state;
	assert_true(g->sections[SECTION_PARENTS].pages > MANY / 146);
	for (uint32_t i = 0; i < g->sections[SECTION_PARENTS].elements; i += 5) {
		assert_int_equal(segment_child(g, store->pages, i, &hint, &c), 0);
		child_is(g, c.parent_hash, TIME_NONE, 0);
		child_is(g, c.parent_hash, c.created_ms, c.id_hash);
		child_is(g, c.parent_hash, c.created_ms, c.id_hash + 1);
		child_is(g, c.parent_hash + 1, TIME_NONE, 0);
	}
	child_is(g, 0, TIME_NONE, 0);
	child_is(g, UINT64_MAX, TIME_MAX, UINT64_MAX);
}

static void children_end_where_they_end(void **state)
{
	struct segment *g = fill_children();
	char name[16];

	(void)state;
	for (unsigned p = 0; p < OTHERS; p++) {
		uint32_t at = 0, end = 0;
		parent_name(p, name);
		uint64_t hash = row_parent_hash(bytes_str(name));
		assert_int_equal(segment_seek_child(g, store->pages, hash, TIME_NONE, 0, &at), 0);
		assert_int_equal(segment_children_end(g, store->pages, hash, at, &end), 0);
		assert_int_equal(end - at, children_of(p));
	}
	uint32_t last = g->sections[SECTION_PARENTS].elements, end = 0;
	assert_int_equal(segment_children_end(g, store->pages, UINT64_MAX, last, &end), 0);
	assert_int_equal(end, last);
}

/* Filters are asked only where they are in memory, and say what they say when they are read. */
static void filters_together(void **state)
{
	struct segment *g = fill_children();
	struct segment *both[] = {g, g};
	unsigned without = 0;
	char name[16];

	(void)state;
	for (unsigned p = 0; p < 2 * OTHERS; p++) {
		parent_name(p, name);
		uint64_t hash = row_parent_hash(bytes_str(name));
		int may = segment_may_have_children(g, store->pages, hash);
		assert_in_range(may, 0, 1);
		assert_int_equal(segments_childless(both, 2, store->pages, hash), may ? 0 : 3);
		without += !may;
	}
	assert_true(without > OTHERS / 2);
	assert_int_equal(segments_childless(both, 0, store->pages, 1), 0);
	/* A cache that has seen other pages since. */
	uint32_t hint = 0;
	struct row row;
	for (uint32_t i = 0; i < g->meta.records; i++)
		assert_int_equal(segment_row(g, store->pages, i, &hint, &row), 0);
	for (uint32_t i = 0, at = 0; i < g->meta.records; i++, at = 0)
		assert_int_equal(segment_updated(g, store->pages, i, &hint, &(int64_t){0}, &at), 0);
	struct pages_stats before, after;
	pages_stats(store->pages, &before);
	segments_childless(both, 2, store->pages, 12345);
	pages_stats(store->pages, &after);
	assert_int_equal(after.reads, before.reads);
}

/* All children in their order, each with its record, in both directions. */
static void records_of_children(void **state)
{
	char name[16];

	(void)state;
	fill_children();
	struct snapshot *v = snapshot_new(store);
	for (unsigned p = 5; p < 25; p++)
		for (int descending = 0; descending <= 1; descending++) {
			struct buf memory = {0};
			struct scan_row row;
			struct record r;
			struct scan *s;
			struct why why;
			unsigned n = 0;
			int64_t last = descending ? TIME_MAX : TIME_MIN;
			parent_name(p, name);
			const struct scan_spec spec = {.resource = "messages",
						       .axis = AXIS_CREATED,
						       .start_ms = TIME_MIN,
						       .end_ms = TIME_MAX,
						       .descending = descending,
						       .parent = bytes_str(name)};
			assert_int_equal(scan_open(v, &spec, &s, &why), 0);
			for (; scan_next(s, &row) == 1; n++) {
				assert_int_equal(scan_record(s, &memory, &r), 1);
				assert_true(bytes_is(r.parent, name));
				assert_true(descending ? r.created_ms <= last : r.created_ms >= last);
				last = r.created_ms;
			}
			assert_int_equal(n, children_of(p));
			scan_close(s);
			buf_release(&memory);
		}
	snapshot_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(even_times, setup, teardown),
		cmocka_unit_test_setup_teardown(uneven_times, setup, teardown),
		cmocka_unit_test_setup_teardown(one_time, setup, teardown),
		cmocka_unit_test_setup_teardown(a_guess_reads_little, setup, teardown),
		cmocka_unit_test_setup_teardown(children_by_key, setup, teardown),
		cmocka_unit_test_setup_teardown(children_end_where_they_end, setup, teardown),
		cmocka_unit_test_setup_teardown(filters_together, setup, teardown),
		cmocka_unit_test_setup_teardown(records_of_children, setup, teardown),
	};

	return cmocka_run_group_tests_name("seek", tests, NULL, NULL);
}
