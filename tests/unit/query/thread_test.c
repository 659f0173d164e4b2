/* thread: order, the opening message, bounds, steps. */
#include "support/world.h"

#include <codec/msgpack.h>
#include <query/thread.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

static struct world world;

static void put(const char *parent, const char *id, int64_t created_ms, const char *kind, bool deleted)
{
	struct world_record r = {
		.created_ms = created_ms, .updated_ms = created_ms, .deleted = deleted};

	snprintf(r.id, sizeof r.id, "%s", id);
	snprintf(r.parent, sizeof r.parent, "%s", parent);
	world_doc(&r, NULL, NULL, 0, NULL, kind);
	world_put(&world, "messages", &r);
}

static struct buf memory;

static struct thread_spec spec_of(const char *parent, struct buf *rows)
{
	return (struct thread_spec){.source = "acme",
				    .resource = "messages",
				    .fields = world_fields,
				    .parent = bytes_str(parent),
				    .rows = rows,
				    .memory = &memory};
}

static struct thread_result run(const struct thread_spec *spec, unsigned budget)
{
	struct snapshot *v = snapshot_new(world.store);
	struct thread *t;
	struct why why;

	assert_int_equal(thread_open(v, spec, &t, &why), 0);
	int rc;
	while ((rc = thread_step(t, budget, &why)) == 1)
		;
	assert_int_equal(rc, 0);
	assert_int_equal(thread_step(t, budget, &why), 0);
	struct thread_result result = *thread_result(t);
	thread_free(t);
	snapshot_free(v);
	return result;
}

/* The ids in order, with a space behind each. */
static const char *ids_of(const struct buf *rows)
{
	static char text[4000];
	struct mp_reader r = mp_reader_of(buf_bytes(rows));
	struct bytes row, id;
	size_t n = 0;

	text[0] = 0;
	while (mp_take(&r, &row) == 1) {
		assert_int_equal(mp_check(row), 0);
		assert_true(mp_find_str(row, "id", &id));
		n += (size_t)snprintf(text + n, sizeof text - n, "%.*s ", (int)id.len,
				      (const char *)id.data);
	}
	return text;
}

static int setup(void **state)
{
	(void)state;
	world_open(&world, 3);
	put("c1", "m3", 3000, "comment", false);
	put("c1", "m2", 2000, "note", false);
	put("c2", "x1", 1000, "source", false);
	put("c1", "s", 2000, "source", false);
	world_commit(&world);
	put("c1", "m4", 4000, "close", false);
	put("c1", "gone", 2500, "comment", true);
	put("c3", "a", 1000, "comment", false);
	put("c3", "late", 5000, "source", false);
	put("c3", "b", 2000, "comment", false);
	world_commit(&world);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_release(&memory);
	world_close(&world);
	return 0;
}

static void oldest_first_and_the_opening_message_before_all(void **state)
{
	static const char *const parents[] = {"c1", "c2", "c3", "c4"};
	static const char *const expected[] = {"s m2 m3 m4 ", "x1 ", "late a b ", ""};

	(void)state;
	for (unsigned budget = 1; budget < 20; budget += 3)
		for (size_t i = 0; i < 4; i++) {
			struct buf rows = {0};
			buf_put_str(&rows, "before");
			struct thread_spec s = spec_of(parents[i], &rows);
			struct thread_result r = run(&s, budget);
			assert_false(r.truncated);
			assert_memory_equal(rows.data, "before", 6);
			buf_consume(&rows, 6);
			assert_string_equal(ids_of(&rows), expected[i]);
			buf_release(&rows);
		}
}

static void rows_show_everything_or_what_is_named(void **state)
{
	struct bytes name = bytes_str("kind"), doc, row;
	struct buf rows = {0};
	struct thread_spec s = spec_of("c2", &rows);

	(void)state;
	run(&s, 100);
	assert_int_equal(mp_find(buf_bytes(&rows), bytes_str("doc"), &doc), 1);
	assert_true(mp_find_str(buf_bytes(&rows), "parent", &row));
	assert_true(bytes_is(row, "c2"));
	buf_reset(&rows);
	s.names = &name;
	s.name_count = 1;
	run(&s, 100);
	assert_int_equal(mp_find(buf_bytes(&rows), bytes_str("doc"), &doc), 0);
	assert_true(mp_find_str(buf_bytes(&rows), "kind", &row));
	assert_true(bytes_is(row, "source"));
	name = bytes_str("nothing");
	struct snapshot *v = snapshot_new(world.store);
	struct thread *t = NULL;
	struct why why;
	assert_int_equal(thread_open(v, &s, &t, &why), ERR_NOTFOUND);
	assert_null(t);
	snapshot_free(v);
	buf_release(&rows);
}

static void the_newest_are_left_out_when_it_is_too_long(void **state)
{
	struct buf rows = {0};
	struct thread_spec s = spec_of("c1", &rows);

	(void)state;
	run(&s, 100);
	size_t all = rows.len;
	for (size_t max = 1; max <= all; max += 7) {
		buf_reset(&rows);
		s.bytes_max = max;
		struct thread_result r = run(&s, 100);
		assert_true(r.rows == 1 || rows.len <= max);
		assert_true(r.rows >= 1 && r.truncated);
		assert_int_equal(strncmp("s m2 m3 m4 ", ids_of(&rows),
					 r.rows > 1 ? strlen(ids_of(&rows)) : 0),
				 0);
	}
	buf_reset(&rows);
	s.bytes_max = all;
	assert_false(run(&s, 100).truncated);
	buf_release(&rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(oldest_first_and_the_opening_message_before_all),
		cmocka_unit_test(rows_show_everything_or_what_is_named),
		cmocka_unit_test(the_newest_are_left_out_when_it_is_too_long),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
