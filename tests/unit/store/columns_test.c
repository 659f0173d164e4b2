/*
 * How columns are packed: numbers by what they have in common, and in no more bits than their differences take. That values are
 * read as they were is terms_test's.
 */
#include "columns.h"
#include "inside.h"
#include "support/lab.h"

#include <codec/msgpack.h>

#include <stdio.h>

#define T0      1700000000000
#define RECORDS 200u

static const struct field fields[] = {{"waiting", FIELD_TIME, "waiting", NULL},
				      {"count", FIELD_INTEGER, "count", NULL},
				      {"same", FIELD_INTEGER, "same", NULL}};
static const struct store_field indexed[] = {
	{&fields[0], STORE_TIME}, {&fields[1], STORE_INTEGER}, {&fields[2], STORE_INTEGER}};
static const struct store_schema schemas[] = {{"contacts", indexed, 3, NULL}, {NULL, NULL, 0, NULL}};

static struct lab lab;

static int setup(void **state)
{
	(void)state;
	lab_init(&lab);
	lab.schemas = schemas;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	lab_release(&lab);
	return 0;
}

static void put(struct txn *t, unsigned i)
{
	struct buf doc = {0};
	char id[16];

	mp_put_map(&doc, 3);
	mp_put_cstr(&doc, "waiting");
	/* The first is not the smallest, and one has none. */
	if (i == 3)
		mp_put_nil(&doc);
	else
		mp_put_uint(&doc, 1700000000 + (i + RECORDS / 2) % RECORDS * 60);
	mp_put_cstr(&doc, "count");
	mp_put_int(&doc, (int64_t)(i % 7) - 3);
	mp_put_cstr(&doc, "same");
	mp_put_uint(&doc, 42);
	snprintf(id, sizeof id, "c%u", i);
	struct record r = {.id = bytes_str(id),
			   .created_ms = T0 + i,
			   .updated_ms = T0,
			   .seen_ms = T0,
			   .doc = buf_bytes(&doc)};
	assert_int_equal(txn_put(t, "contacts", &r, NULL, NULL), 0);
	buf_release(&doc);
}

static void packed(void **state)
{
	static const struct {
		uint64_t scale;
		unsigned width;
		int64_t min, max;
	} want[] = {{60000, 8, 1700000000000, 1700000000000 + (RECORDS - 1) * 60000},
		    {1, 3, -3, 3},
		    {1, 1, 42, 42}};
	struct store *s = lab_open(&lab);
	struct txn *t = lab_begin(s);

	(void)state;
	for (unsigned i = 0; i < RECORDS; i++)
		put(t, i);
	assert_int_equal(lab_commit(t), 0);
	const struct state_resource *r = state_find(s->state, "contacts");
	assert_int_equal(r->count, 1);
	for (unsigned i = 0; i < 3; i++) {
		struct column c;
		assert_int_equal(segment_column(r->segments[0].segment, s->pages,
						SEGMENT_OWN_FIELDS + i, &c),
				 0);
		assert_int_equal(c.form, FORM_NUMBERS);
		assert_int_equal(c.scale, want[i].scale);
		assert_int_equal(c.width, want[i].width);
		assert_int_equal(c.min, want[i].min);
		assert_int_equal(c.max, want[i].max);
		assert_int_equal(c.present, RECORDS - (i == 0));
	}
	store_close(s);
}

/* Of one width after the other, over several pages: numbers read in runs and by their rows are those that are read one by one. */
#define MANY 4000u

static void put_wide(struct txn *t, unsigned i, unsigned width)
{
	struct buf doc = {0};
	char id[16];

	mp_put_map(&doc, 1);
	mp_put_cstr(&doc, "count");
	if (i % 11 == 5)
		mp_put_nil(&doc);
	else
		mp_put_uint(&doc, i % 97 == 0   ? 1
				  : i % 89 == 0 ? ((uint64_t)1 << width) - 1
						: (i * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - width));
	snprintf(id, sizeof id, "c%u", i);
	struct record r = {.id = bytes_str(id),
			   .created_ms = T0 + i,
			   .updated_ms = T0,
			   .seen_ms = T0,
			   .doc = buf_bytes(&doc)};
	assert_int_equal(txn_put(t, "contacts", &r, NULL, NULL), 0);
	buf_release(&doc);
}

static void compare_runs(struct segment *g, struct pages *p, unsigned field)
{
	uint32_t ordinals[100], hint = 0, n = 0;
	uint64_t out[100];
	struct column_hint h = {.loaded = false};
	struct packed_run run = {.rows = 0};
	struct column c;

	assert_int_equal(segment_column(g, p, field, &c), 0);
	for (uint32_t i = 0; i < MANY; i++) {
		int64_t number = 0;
		int has = column_number(g, p, field, i, &h, &number);
		if (i - run.first >= run.rows)
			assert_int_equal(column_run(g, p, &c, i, &hint, &run), 0);
		uint64_t packed = packed_run_at(&run, i);
		assert_int_equal(packed != 0, has);
		assert_true(!has || column_number_of(&c, packed) == number);
		/* Some of the rows, in ascending order. */
		if (i % 3 && n < 100)
			ordinals[n++] = i;
		if (n < 100)
			continue;
		assert_int_equal(column_packed(g, p, &c, ordinals, n, &hint, out), 0);
		for (uint32_t k = 0; k < n; k++) {
			has = column_number(g, p, field, ordinals[k], &h, &number);
			assert_int_equal(out[k] != 0, has);
			assert_true(!has || column_number_of(&c, out[k]) == number);
		}
		run.rows = n = 0;
	}
	assert_int_equal(column_run(g, p, &c, MANY, &hint, &run), ERR_CORRUPT);
}

static void runs_are_the_numbers(void **state)
{
	static const unsigned widths[] = {1, 5, 8, 11, 17, 24, 31, 40, 53};

	for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
		struct store *s = lab_open(&lab);
		struct txn *t = lab_begin(s);
		for (unsigned k = 0; k < MANY; k++)
			put_wide(t, k, widths[i]);
		assert_int_equal(lab_commit(t), 0);
		const struct state_resource *r = state_find(s->state, "contacts");
		assert_int_equal(r->count, 1);
		for (unsigned f = 0; f < 3; f++)
			compare_runs(r->segments[0].segment, s->pages, SEGMENT_OWN_FIELDS + f);
		store_close(s);
		teardown(state);
		setup(state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(packed, setup, teardown),
		cmocka_unit_test_setup_teardown(runs_are_the_numbers, setup, teardown),
	};

	return cmocka_run_group_tests_name("columns", tests, NULL, NULL);
}
