/* feed: the order of revisions over several resources, pages that join without a seam, latest states, conditions, steps. */
#include "support/world.h"

#include <base/arena.h>
#include <codec/msgpack.h>
#include <query/feed.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

static struct world world;

static const struct feed_resource resources[] = {
	{"conversations", world_fields}, {"messages", world_fields}, {"nothing", NULL}};

static void put(const char *resource, const char *id, const char *state, int64_t updated_ms,
		bool deleted)
{
	struct world_record r = {.created_ms = 1000, .updated_ms = updated_ms, .deleted = deleted};

	snprintf(r.id, sizeof r.id, "%s", id);
	world_doc(&r, state, "a title", 1, NULL, NULL);
	world_put(&world, resource, &r);
}

static struct feed_spec spec_of(struct buf *rows)
{
	return (struct feed_spec){.source = "acme",
				  .resources = resources,
				  .count = 3,
				  .limit = 1000,
				  .bytes_max = 1 << 20,
				  .rows = rows};
}

/* The ids of the rows in order, a space behind each, "!" behind what is deleted. */
static const char *ids_of(struct bytes rows, uint64_t *last)
{
	static char text[4000];
	struct mp_reader r = mp_reader_of(rows);
	struct bytes row, id;
	int64_t revision;
	size_t n = 0;
	bool deleted;

	text[0] = 0;
	while (mp_take(&r, &row) == 1) {
		assert_int_equal(mp_check(row), 0);
		assert_true(mp_find_str(row, "id", &id));
		assert_true(mp_find_int(row, "revision", &revision));
		assert_true((uint64_t)revision > *last);
		*last = (uint64_t)revision;
		bool gone = mp_find_bool(row, "deleted", &deleted) && deleted;
		n += (size_t)snprintf(text + n, sizeof text - n, "%.*s%s ", (int)id.len,
				      (const char *)id.data, gone ? "!" : "");
	}
	return text;
}

/* One page of a new snapshot. */
static struct feed_result page(const struct feed_spec *spec, unsigned budget)
{
	struct snapshot *v = snapshot_new(world.store);
	struct feed *f;
	struct why why;
	int rc;

	assert_int_equal(feed_open(v, spec, &f, &why), 0);
	while ((rc = feed_step(f, budget, &why)) == 1)
		;
	assert_int_equal(rc, 0);
	assert_int_equal(feed_step(f, budget, &why), 0);
	struct feed_result result = *feed_result(f);
	if (!result.more)
		assert_int_equal(result.next, snapshot_revision(v));
	feed_free(f);
	snapshot_free(v);
	return result;
}

static int setup(void **state)
{
	(void)state;
	world_open(&world, 5);
	put("conversations", "c1", "open", 1000, false);
	put("messages", "m1", "open", 1000, false);
	put("conversations", "c2", "closed", 1000, false);
	world_commit(&world);
	put("messages", "m2", "closed", 1000, false);
	put("conversations", "c3", "open", 1000, false);
	world_commit(&world);
	put("conversations", "c1", "closed", 2000, false);
	put("messages", "m1", "open", 2000, true);
	world_commit(&world);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close(&world);
	return 0;
}

static void each_record_once_in_its_latest_state(void **state)
{
	(void)state;
	for (unsigned budget = 1; budget < 9; budget++) {
		struct buf rows = {0};
		struct feed_spec spec = spec_of(&rows);
		uint64_t last = 0;
		struct feed_result r = page(&spec, budget);
		assert_int_equal(r.rows, 5);
		assert_false(r.more);
		assert_string_equal(ids_of(buf_bytes(&rows), &last), "c2 m2 c3 c1 m1! ");
		buf_reset(&rows);
		spec.since = r.next;
		r = page(&spec, budget);
		assert_int_equal(r.rows, 0);
		assert_int_equal(r.next, spec.since);
		buf_release(&rows);
	}
}

static void pages_join(void **state)
{
	(void)state;
	for (uint32_t limit = 1; limit < 7; limit++) {
		struct buf rows = {0};
		struct feed_spec spec = spec_of(&rows);
		struct feed_result r;
		uint64_t last = 0;
		spec.limit = limit;
		do {
			r = page(&spec, 3);
			assert_true(r.rows <= limit &&
				    (!r.more || (r.rows == limit && r.next > spec.since)));
			spec.since = r.next;
		} while (r.more);
		assert_string_equal(ids_of(buf_bytes(&rows), &last), "c2 m2 c3 c1 m1! ");
		buf_release(&rows);
	}
}

/* A page that is full by its bytes, and pages of one snapshot: a row that did not fit begins the next. */
static void pages_of_few_bytes_of_one_snapshot(void **state)
{
	(void)state;
	struct snapshot *v = snapshot_new(world.store);
	struct buf rows = {0}, all = {0};
	struct feed_spec spec = spec_of(&rows);
	uint64_t last = 0;
	struct feed *f;
	struct why why;
	unsigned turns = 0;

	spec.bytes_max = 300;
	spec.whole = true;
	assert_int_equal(feed_open(v, &spec, &f, &why), 0);
	for (bool more = true; more; turns++) {
		while (feed_step(f, 2, &why) == 1)
			;
		assert_true(feed_result(f)->rows == 1 || rows.len <= 300);
		more = feed_result(f)->more;
		buf_put_bytes(&all, buf_bytes(&rows));
		buf_reset(&rows);
		if (more)
			feed_turn(f);
	}
	assert_true(turns > 2);
	assert_string_equal(ids_of(buf_bytes(&all), &last), "c2 m2 c3 c1 m1! ");
	assert_int_equal(feed_result(f)->next, snapshot_revision(v));
	feed_free(f);
	snapshot_free(v);
	buf_release(&rows);
	buf_release(&all);
}

static void conditions_do_not_hide_what_is_deleted(void **state)
{
	(void)state;
	struct buf rows = {0};
	struct feed_spec spec = spec_of(&rows);
	struct arena arena = {0};
	uint64_t last = 0;
	struct why why;

	assert_int_equal(where_parse(bytes_str("state = closed"), world_fields, 0, NULL, &arena,
				     &spec.where, &why),
			 0);
	struct feed_result r = page(&spec, 1);
	assert_int_equal(r.rows, 4);
	assert_string_equal(ids_of(buf_bytes(&rows), &last), "c2 m2 c1 m1! ");
	buf_reset(&rows);
	spec.limit = 0;
	r = page(&spec, 1);
	assert_true(r.rows == 0 && r.more && r.next == 0);
	buf_release(&rows);
	arena_release(&arena);
}

static void names_that_no_resource_has_are_refused(void **state)
{
	(void)state;
	struct snapshot *v = snapshot_new(world.store);
	struct bytes name = bytes_str("nosuchthing");
	struct buf rows = {0};
	struct feed_spec spec = spec_of(&rows);
	struct feed *f = NULL;
	struct why why = {""};

	spec.names = &name;
	spec.name_count = 1;
	assert_int_equal(feed_open(v, &spec, &f, &why), ERR_NOTFOUND);
	assert_non_null(strstr(why.text, "nosuchthing"));
	snapshot_free(v);
}

static int number(struct bytes id)
{
	int n = 0;

	for (size_t i = 1; i < id.len; i++)
		n = n * 10 + id.data[i] - '0';
	return n;
}

/* The next page: each row is newer than what was known of its record. */
static void take(struct feed_spec *spec, uint64_t known[])
{
	struct bytes row, id;
	int64_t revision;

	buf_reset(spec->rows);
	spec->since = page(spec, 4).next;
	struct mp_reader r = mp_reader_of(buf_bytes(spec->rows));
	while (mp_take(&r, &row) == 1) {
		assert_true(mp_find_str(row, "id", &id) && mp_find_int(row, "revision", &revision));
		if (id.data[0] != 'r')
			continue;
		assert_true((uint64_t)revision > known[number(id)]);
		known[number(id)] = (uint64_t)revision;
	}
}

/* Whatever is committed and wherever the pages end: a reader that goes on from `next` ends with what the store holds. */
static void random_commits_and_pages(void **state)
{
	(void)state;
	static uint64_t known[200];
	struct buf rows = {0};
	struct feed_spec spec = spec_of(&rows);

	memset(known, 0, sizeof known);
	spec.count = 1;
	for (int turn = 0; turn < 150; turn++) {
		for (uint64_t n = world_random(&world, 6); n > 0; n--) {
			char id[24];
			snprintf(id, sizeof id, "r%d", (int)world_random(&world, 100));
			put("conversations", id, "open", 5000 + turn, world_random(&world, 5) == 0);
		}
		if (world.txn)
			world_commit(&world);
		spec.limit = 1 + (uint32_t)world_random(&world, 9);
		take(&spec, known);
	}
	spec.limit = 1000;
	take(&spec, known);
	spec.since = 0;
	buf_reset(&rows);
	page(&spec, 100);
	struct mp_reader r = mp_reader_of(buf_bytes(&rows));
	struct bytes row, id;
	int64_t revision;
	unsigned seen = 0;
	while (mp_take(&r, &row) == 1) {
		assert_true(mp_find_str(row, "id", &id) && mp_find_int(row, "revision", &revision));
		if (id.data[0] != 'r')
			continue;
		seen++;
		assert_int_equal(known[number(id)], revision);
	}
	assert_true(seen > 50);
	buf_release(&rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_record_once_in_its_latest_state, setup, teardown),
		cmocka_unit_test_setup_teardown(pages_join, setup, teardown),
		cmocka_unit_test_setup_teardown(pages_of_few_bytes_of_one_snapshot, setup, teardown),
		cmocka_unit_test_setup_teardown(conditions_do_not_hide_what_is_deleted, setup,
						teardown),
		cmocka_unit_test_setup_teardown(names_that_no_resource_has_are_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(random_commits_and_pages, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
