/*
 * How columns are packed: numbers by what they have in common, and in no more bits than their differences take. That values are
 * read as they were is terms_test's, whatever order they are read in is looked at here.
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

/* ---- one reader, many rows ---- */

#define LOOKED 6000u

static const struct field texts[] = {{"state", FIELD_TEXT, "state", NULL},
				     {"team", FIELD_TEXT, "team", NULL},
				     {"long", FIELD_TEXT, "long", NULL},
				     {"subject", FIELD_TEXT, "subject", NULL},
				     {"count", FIELD_INTEGER, "count", NULL}};
static const struct store_field texts_indexed[] = {{&texts[0], STORE_KEYWORD},
						   {&texts[1], STORE_KEYWORD},
						   {&texts[2], STORE_KEYWORD},
						   {&texts[3], STORE_KEYWORD},
						   {&texts[4], STORE_INTEGER}};
static const struct store_schema texts_schemas[] = {{"contacts", texts_indexed, 5, NULL},
						    {NULL, NULL, 0, NULL}};

/* A word of so many bytes that the number decides. */
static struct bytes word(char room[200], unsigned number, unsigned len)
{
	memset(room, 'a' + (int)(number % 26), len);
	int n = snprintf(room + len, 12, "%u", number);
	return bytes_of(room, len + (unsigned)n);
}

/* A few values, some hundred, a few long ones, and all different: some too long for a column. */
static void put_texts(struct txn *t, unsigned i)
{
	struct buf doc = {0};
	char id[16], room[200];

	mp_put_map(&doc, 5);
	mp_put_cstr(&doc, "state");
	if (i % 5)
		mp_put_str(&doc, word(room, i % 3, 4));
	else
		mp_put_nil(&doc);
	mp_put_cstr(&doc, "team");
	mp_put_str(&doc, word(room, i * 7 % 300, i * 7 % 300 % 30));
	mp_put_cstr(&doc, "long");
	mp_put_str(&doc, word(room, i % 40, 10 + i % 40 * 3));
	mp_put_cstr(&doc, "subject");
	mp_put_str(&doc, word(room, i, i % 170));
	mp_put_cstr(&doc, "count");
	mp_put_int(&doc, (int64_t)(i * 7919 % 100000) - 5);
	snprintf(id, sizeof id, "c%u", i);
	struct record r = {.id = bytes_str(id),
			   .created_ms = T0 + i,
			   .updated_ms = T0,
			   .seen_ms = T0,
			   .doc = buf_bytes(&doc)};
	assert_int_equal(txn_put(t, "contacts", &r, NULL, NULL), 0);
	buf_release(&doc);
}

static struct segment *looked_at(struct store *s)
{
	struct txn *t = lab_begin(s);

	for (unsigned i = 0; i < LOOKED; i++)
		put_texts(t, i);
	assert_int_equal(lab_commit(t), 0);
	const struct state_resource *r = state_find(s->state, "contacts");
	assert_int_equal(r->count, 1);
	assert_int_equal(segment_load(r->segments[0].segment, s->pages), 0);
	return r->segments[0].segment;
}

/* With a reader that saw other rows as with one that saw none. */
static void same_value(struct store *s, struct segment *g, unsigned field, uint32_t row,
		       struct column_reader *r)
{
	struct column_hint fresh = {.loaded = false};
	struct buf want = {0};
	struct bytes got;

	assert_int_equal(column_value(g, s->pages, field, row, &fresh, &want), 0);
	assert_int_equal(column_look(g, s->pages, field, row, r, &got), 0);
	assert_int_equal(got.len, want.len);
	assert_memory_equal(got.data, want.data, want.len);
	buf_release(&want);
}

static void looked_at_in_any_order(void **state)
{
	(void)state;
	lab.schemas = texts_schemas;
	lab.segment_rows = 1 << 20;
	lab.cache_bytes = 1;
	struct store *s = lab_open(&lab);
	struct segment *g = looked_at(s);
	uint64_t seed = 5;

	for (unsigned field = 0; field < SEGMENT_OWN_FIELDS + 5; field++) {
		struct column_reader r[3] = {{.kept_mask = 0}};
		for (uint32_t i = 0; i < LOOKED; i++) {
			same_value(s, g, field, i, &r[0]);
			same_value(s, g, field, LOOKED - 1 - i, &r[1]);
			same_value(s, g, field, (uint32_t)(lab_random(&seed) % LOOKED), &r[2]);
		}
		for (unsigned i = 0; i < 3; i++)
			column_reader_release(&r[i]);
	}
	struct column c;
	static const enum segment_form forms[] = {FORM_DICTIONARY, FORM_DICTIONARY, FORM_DICTIONARY,
						  FORM_HEAP, FORM_NUMBERS};
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(segment_column(g, s->pages, SEGMENT_OWN_FIELDS + i, &c), 0);
		assert_int_equal(c.form, forms[i]);
	}
	store_close(s);
}

/* A row that the segment does not have. */
static void looked_at_outside(void **state)
{
	(void)state;
	lab.schemas = texts_schemas;
	lab.segment_rows = 1 << 20;
	struct store *s = lab_open(&lab);
	struct segment *g = looked_at(s);
	struct column_reader r = {.kept_mask = 0};
	struct bytes got;

	assert_int_equal(column_look(g, s->pages, SEGMENT_OWN_FIELDS, LOOKED, &r, &got), ERR_CORRUPT);
	assert_true(g->damaged);
	column_reader_release(&r);
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
		cmocka_unit_test_setup_teardown(looked_at_in_any_order, setup, teardown),
		cmocka_unit_test_setup_teardown(looked_at_outside, setup, teardown),
		cmocka_unit_test_setup_teardown(packed, setup, teardown),
		cmocka_unit_test_setup_teardown(runs_are_the_numbers, setup, teardown),
	};

	return cmocka_run_group_tests_name("columns", tests, NULL, NULL);
}
