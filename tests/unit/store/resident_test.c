/*
 * Filters in memory: they never deny what is held, they stay within their share, and with them a lookup
 * looks at no page of a segment that does not hold the record.
 */
#include "resident.h"
#include "support/lab.h"

#include <stdio.h>
#include <stdlib.h>

#define T0   1700000000000
#define EACH 2000

static struct lab lab;

static int setup(void **state)
{
	(void)state;
	lab_init(&lab);
	lab.sliced = true;
	lab.cache_bytes = 1;
	lab.schemas = NULL;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	lab_release(&lab);
	return 0;
}

static struct store *open_with(size_t filter_bytes)
{
	lab.filter_bytes = filter_bytes;
	return lab_open(&lab);
}

/* `apart`: each segment has the ids of a time, as providers give them; else every one has ids from all over. */
static void fill_with(struct store *s, const char *resource, unsigned segments, unsigned each,
		      bool apart)
{
	char id[24];

	for (unsigned n = 0; n < segments; n++) {
		struct txn *t = lab_begin(s);
		for (unsigned i = 0; i < each; i++) {
			snprintf(id, sizeof id, "%c%u", resource[0],
				 apart ? n * each + i : i * segments + n);
			lab_put(t, resource, id, T0 + (int64_t)n * 86400000 * 40 + i, T0, T0, 0,
				NULL, i);
		}
		assert_int_equal(lab_commit(t), 0);
	}
	lab_work(s);
}

static void fill(struct store *s, const char *resource, unsigned segments, unsigned each)
{
	fill_with(s, resource, segments, each, false);
}

static uint64_t looked_at(const struct store *s)
{
	struct store_stats stats;

	store_stats(s, &stats);
	return stats.cache_hits + stats.cache_misses;
}

static size_t filter_bytes(const struct store *s)
{
	struct store_stats stats;

	store_stats(s, &stats);
	return stats.filter_bytes;
}

static void assert_all_held(struct store *s, const char *resource, unsigned n)
{
	struct snapshot *v = snapshot_new(s);
	struct record r;
	char id[24];

	for (unsigned i = 0; i < n; i++) {
		snprintf(id, sizeof id, "%c%u", resource[0], i);
		assert_int_equal(snapshot_peek(v, resource, bytes_str(id), &r), 1);
	}
	snapshot_free(v);
}

/* Pages looked at for so many ids that are not held, but lie among those that are. */
static uint64_t cost_of_absent(struct store *s, const char *resource, unsigned n)
{
	struct snapshot *v = snapshot_new(s);
	uint64_t before = looked_at(s);
	struct record r;
	char id[24];

	for (unsigned i = 0; i < n; i++) {
		snprintf(id, sizeof id, "%c%ux", resource[0], i);
		assert_int_equal(snapshot_peek(v, resource, bytes_str(id), &r), 0);
	}
	snapshot_free(v);
	return looked_at(s) - before;
}

/* A scan reads the segments it comes to, whatever the span: the first rows cost the same with many. */
static uint64_t cost_of_scan(struct store *s, bool descending, unsigned rows)
{
	const struct scan_spec spec = {.resource = "contacts",
				       .axis = AXIS_CREATED,
				       .start_ms = TIME_MIN,
				       .end_ms = TIME_MAX,
				       .descending = descending};
	struct snapshot *v = snapshot_new(s);
	uint64_t before = looked_at(s);
	struct scan_row row;
	struct scan *scan;

	assert_int_equal(scan_open(v, &spec, &scan, NULL), 0);
	assert_int_equal(looked_at(s), before); /* nothing yet */
	for (unsigned i = 0; i < rows; i++) {
		assert_int_equal(scan_next(scan, &row), 1);
		unsigned at = descending ? 6 * EACH - 1 - i : i;
		assert_int_equal(row.created_ms,
				 T0 + (int64_t)(at / EACH) * 86400000 * 40 + at % EACH);
	}
	scan_close(scan);
	snapshot_free(v);
	return looked_at(s) - before;
}

static void a_scan_opens_what_it_comes_to(void **state)
{
	(void)state;
	struct store *s = open_with(1 << 20);
	fill(s, "contacts", 6, EACH);
	store_close(s);
	for (unsigned descending = 0; descending < 2; descending++) {
		s = open_with(1 << 20);
		uint64_t few = cost_of_scan(s, descending, 5);
		assert_true(few < 20);
		assert_true(cost_of_scan(s, descending, EACH + 5) > few);
		cost_of_scan(s, descending, 6 * EACH);
		store_close(s);
	}
}

/* One segment at most with each step, however many have no such row. */
static void a_step_opens_one_segment(void **state)
{
	const struct scan_spec spec = {.resource = "contacts",
				       .axis = AXIS_CREATED,
				       .start_ms = TIME_MIN,
				       .end_ms = TIME_MAX,
				       .parent = bytes_str("nobody")};
	struct scan_row row;
	struct scan *scan;
	unsigned steps = 1;

	(void)state;
	struct store *s = open_with(1 << 20);
	fill(s, "contacts", 6, EACH);
	struct snapshot *v = snapshot_new(s);
	assert_int_equal(scan_open(v, &spec, &scan, NULL), 0);
	while (scan_step(scan, &row) == SCAN_MORE)
		steps++;
	assert_int_equal(steps, 6);
	assert_int_equal(scan_step(scan, &row), 0);
	scan_close(scan);
	snapshot_free(v);
	store_close(s);
}

/* What was asked for before is found without a look at an index, until it is replaced. */
static void what_was_asked_for_is_known(void **state)
{
	struct record r;

	(void)state;
	struct store *s = open_with(1 << 20);
	fill(s, "contacts", 6, EACH);
	struct snapshot *v = snapshot_new(s);
	assert_int_equal(snapshot_peek(v, "contacts", bytes_str("c4321"), &r), 1);
	uint64_t before = looked_at(s);
	assert_int_equal(snapshot_peek(v, "contacts", bytes_str("c4321"), &r), 1);
	assert_int_equal(looked_at(s), before);
	assert_int_equal(snapshot_peek(v, "companies", bytes_str("c4321"), &r), 0);
	struct txn *t = lab_begin(s);
	lab_put(t, "contacts", "c4321", T0, T0 + 7, T0, 0, NULL, 99);
	assert_int_equal(lab_commit(t), 0);
	struct snapshot *now = snapshot_new(s);
	assert_int_equal(snapshot_peek(now, "contacts", bytes_str("c4321"), &r), 1);
	assert_int_equal(r.updated_ms, T0 + 7);
	assert_int_equal(snapshot_peek(v, "contacts", bytes_str("c4321"), &r), 1);
	assert_int_equal(r.updated_ms, T0);
	snapshot_free(now);
	snapshot_free(v);
	store_close(s);
}

static void what_is_not_held_costs_nothing(void **state)
{
	(void)state;
	struct store *s = open_with(1 << 20);
	fill(s, "contacts", 6, EACH);
	store_close(s);
	s = open_with(1 << 20);
	assert_int_equal(filter_bytes(s), 0); /* a start reads no segment */
	assert_true(lab.awake);
	uint64_t without = cost_of_absent(s, "contacts", 1000);
	lab_work(s);
	assert_true(filter_bytes(s) >= 6 * EACH * 10 / 8);
	uint64_t with = cost_of_absent(s, "contacts", 1000);
	print_message("pages looked at for 1,000 ids that are not held: %u without filters, %u with\n",
		      (unsigned)without, (unsigned)with);
	assert_true(with < without / 20);
	assert_all_held(s, "contacts", 6 * EACH);
	store_close(s);
}

/* Where the segments' ids lie apart, that alone says which one it is, before any filter is there. */
static void ids_that_lie_apart_need_no_filter(void **state)
{
	(void)state;
	uint64_t costs[2];

	for (unsigned apart = 0; apart < 2; apart++) {
		lab_init(&lab);
		lab.sliced = true;
		struct store *s = open_with(1 << 20);
		fill_with(s, "contacts", 6, EACH, apart);
		store_close(s);
		s = open_with(1 << 20);
		costs[apart] = cost_of_absent(s, "contacts", 1000);
		assert_int_equal(filter_bytes(s), 0);
		assert_all_held(s, "contacts", 6 * EACH);
		store_close(s);
		if (!apart)
			lab_release(&lab);
	}
	print_message(
		"pages looked at for 1,000 ids, without filters: %u, %u where segments' ids lie apart\n",
		(unsigned)costs[0], (unsigned)costs[1]);
	assert_true(costs[1] < costs[0] / 3);
}

/* One page of ids and one of rows, whatever the id: the ends of the pages are known. */
static void a_get_looks_at_two_pages(void **state)
{
	struct record r;
	char id[24];

	(void)state;
	struct store *s = open_with(1 << 20);
	fill(s, "contacts", 1, 6 * EACH);
	struct snapshot *v = snapshot_new(s);
	for (unsigned i = 0; i < 6 * EACH; i++) {
		struct store_stats before, after;
		store_stats(s, &before);
		snprintf(id, sizeof id, "c%u", i);
		assert_int_equal(snapshot_peek(v, "contacts", bytes_str(id), &r), 1);
		store_stats(s, &after);
		assert_true(after.cache_misses - before.cache_misses <= 2);
		/* Where it is, what is there, and its row. */
		assert_int_equal(after.cache_hits + after.cache_misses - before.cache_hits -
					 before.cache_misses,
				 3);
	}
	snapshot_free(v);
	store_close(s);
}

/* With a fifth of what they all need: the small resource has its own, the large one what is left. */
static void they_stay_within_their_share(void **state)
{
	(void)state;
	size_t share = 6000;
	struct store *s = open_with(share);
	fill(s, "contacts", 8, EACH);
	size_t alone = filter_bytes(s);
	assert_in_range(alone, share / 4, share * 5 / 4);
	fill(s, "messages", 1, EACH);
	assert_in_range(filter_bytes(s), share / 4, share * 5 / 4);
	assert_all_held(s, "contacts", 8 * EACH);
	assert_all_held(s, "messages", EACH);
	assert_true(cost_of_absent(s, "messages", 1000) < 400);
	fill(s, "admins", 1, 3 * EACH); /* takes what the contacts had left */
	assert_in_range(filter_bytes(s), share / 4, share * 5 / 4);
	assert_all_held(s, "contacts", 8 * EACH);
	store_close(s);
}

/* Four messages of each parent, side by side; a segment's parents are all its own, but for one that all have. */
static void fill_families(struct store *s, unsigned segments)
{
	char id[24], parent[24];

	for (unsigned n = 0; n < segments; n++) {
		struct txn *t = lab_begin(s);
		for (unsigned i = 0; i < EACH; i++) {
			snprintf(id, sizeof id, "m%u", n * EACH + i);
			snprintf(parent, sizeof parent, "p%u", i == 0 ? 0 : (n * EACH + i) / 4 + 1);
			lab_put(t, "messages", id, T0 + (int64_t)n * 86400000 * 40 + i, T0, T0, 0,
				parent, i);
		}
		assert_int_equal(lab_commit(t), 0);
	}
	lab_work(s);
}

static unsigned children_of(struct store *s, const char *parent)
{
	const struct scan_spec spec = {.resource = "messages",
				       .axis = AXIS_CREATED,
				       .start_ms = TIME_MIN,
				       .end_ms = TIME_MAX,
				       .parent = bytes_str(parent)};
	struct snapshot *v = snapshot_new(s);
	struct scan_row row;
	struct scan *scan;
	unsigned n = 0;
	int rc;

	assert_int_equal(scan_open(v, &spec, &scan, NULL), 0);
	while ((rc = scan_step(scan, &row)) != 0) {
		assert_true(rc == 1 || rc == SCAN_MORE);
		n += rc == 1;
	}
	scan_close(scan);
	snapshot_free(v);
	return n;
}

static uint64_t cost_of_families(struct store *s, unsigned segments)
{
	uint64_t before = looked_at(s);
	char parent[24];

	assert_int_equal(children_of(s, "p0"), segments);
	for (unsigned i = 0; i < segments * EACH / 4; i++) {
		snprintf(parent, sizeof parent, "p%u", i + 1);
		assert_int_equal(children_of(s, parent), i % (EACH / 4) ? 4 : 3);
	}
	return looked_at(s) - before;
}

static size_t families_bytes(const struct store *s)
{
	const struct state_resource *r = state_find(s->state, "messages");
	size_t n = 0;

	for (size_t i = 0; i < r->count; i++)
		n += bloom_size(r->segments[i].segment->families);
	return n;
}

/* Children are found whatever filters are there, and with them only where they are. */
static void who_has_no_children_is_not_asked(void **state)
{
	const unsigned segments = 6;
	size_t families;

	(void)state;
	struct store *s = open_with(1 << 20);
	fill_families(s, segments);
	store_close(s);
	s = open_with(1 << 20);
	uint64_t without = cost_of_families(s, segments);
	lab_work(s);
	uint64_t with = cost_of_families(s, segments);
	families = families_bytes(s);
	assert_in_range(families, segments * EACH / 4 * 9 / 8, segments * EACH / 4 * 15 / 8);
	print_message("pages looked at for %u parents: %u without filters, %u with\n",
		      segments * EACH / 4, (unsigned)without, (unsigned)with);
	assert_true(without - with > (segments - 1) * segments * EACH / 4 * 9 /
					     10); /* a look at the file's filter each */
	store_close(s);
	s = open_with(8 * families / 2); /* half of what they need */
	lab_work(s);
	assert_in_range(families_bytes(s), families / 4, families / 2 + 100);
	uint64_t narrow = cost_of_families(s, segments);
	assert_true(narrow > with && narrow < without);
	store_close(s);
}

static void narrow_ones_deny_nothing(void **state)
{
	(void)state;
	uint64_t hashes[200];
	static const uint32_t salts[SEGMENT_FILTER_WORDS] = SEGMENT_FILTER_SALTS;

	for (uint32_t words = 1; words <= SEGMENT_FILTER_WORDS; words++) {
		struct bloom *f = calloc(1, sizeof *f + 5 * words * sizeof *f->bits);
		f->blocks = 5;
		f->words = words;
		for (unsigned i = 0; i < 200; i++) {
			uint64_t h = hashes[i] = bytes_hash(bytes_of(&i, sizeof i));
			for (uint32_t w = 0; w < words; w++)
				f->bits[(((h >> 32) * 5) >> 32) * words + w] |=
					1ull << ((uint32_t)h * salts[w] >> 26);
		}
		unsigned wrong = 0;
		struct bloom_key k;
		for (unsigned i = 0; i < 200; i++) {
			k = bloom_key(hashes[i]);
			assert_true(bloom_may_hold(f, &k));
		}
		for (unsigned i = 1000; i < 2000; i++) {
			k = bloom_key(bytes_hash(bytes_of(&i, sizeof i)));
			wrong += bloom_may_hold(f, &k);
		}
		print_message("%u words: %u of 1,000 are taken for held\n", words, wrong);
		assert_true(wrong < (words == 1 ? 700u : words < 4 ? 400u : 100u));
		free(f);
	}
	struct bloom_key any = bloom_key(1);
	assert_true(bloom_may_hold(NULL, &any));
}

static void damage_is_found_early(void **state)
{
	(void)state;
	struct buf file = {0};
	char path[512];
	struct store *s = open_with(1 << 20);
	fill(s, "contacts", 1, EACH);
	store_close(s);
	assert_true(lab_find(lab.dir, ".seg", path));
	lab_read("", path, &file);
	assert_true(file.len > 8192);
	for (size_t at = file.len / 2; at < file.len; at += 4096)
		file.data[at] ^= 1;
	lab_write("", path, buf_bytes(&file));
	buf_release(&file);
	s = open_with(1 << 20);
	lab_work(s);
	struct store_stats stats;
	store_stats(s, &stats);
	assert_int_equal(stats.quarantined, 1);
	assert_int_equal(stats.filter_bytes, 0);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_not_held_costs_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_scan_opens_what_it_comes_to, setup, teardown),
		cmocka_unit_test_setup_teardown(a_step_opens_one_segment, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_asked_for_is_known, setup, teardown),
		cmocka_unit_test_setup_teardown(a_get_looks_at_two_pages, setup, teardown),
		cmocka_unit_test_teardown(ids_that_lie_apart_need_no_filter, teardown),
		cmocka_unit_test_setup_teardown(they_stay_within_their_share, setup, teardown),
		cmocka_unit_test_setup_teardown(who_has_no_children_is_not_asked, setup, teardown),
		cmocka_unit_test_setup_teardown(narrow_ones_deny_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(damage_is_found_early, setup, teardown),
	};

	return cmocka_run_group_tests_name("resident", tests, NULL, NULL);
}
