/* sort: pages in the order of a field, against the same records put in order by qsort. */
#include "support/world.h"

#include <codec/msgpack.h>
#include <query/query.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#define DAY_MS INT64_C(86400000)
#define START  INT64_C(1700000000000)

static struct world world;

/* A record as the oracle sees it: a number or a text, or neither. */
struct item {
	char id[24];
	bool known, is_text;
	double number;
	char text[SORT_KEY_MAX + 1];
};

static struct item items[WORLD_RECORDS_MAX];
static size_t count;
static bool ascending;

static int by_value(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->known != y->known)
		return x->known ? -1 : 1;
	int c = x->is_text ? strcmp(x->text, y->text)
			   : (x->number > y->number) - (x->number < y->number);
	if (c == 0) {
		uint64_t p = bytes_hash(bytes_str(x->id)), q = bytes_hash(bytes_str(y->id));
		c = (p > q) - (p < q);
	}
	return ascending ? c : -c;
}

static void read_item(struct item *i, const struct field *f, const struct record *r)
{
	struct buf b = {0};
	struct mp_value v;

	if (!f->path) {
		int64_t ms = strcmp(f->name, "updated") == 0 ? r->updated_ms : r->created_ms;
		i->known = ms != TIME_NONE;
		i->number = (double)ms;
		return;
	}
	assert_true(field_stored(f, r->doc, &b) >= 0);
	assert_true(mp_get(buf_bytes(&b), &v));
	i->known = v.type != MP_NIL;
	i->is_text = v.type == MP_STR || f->type == FIELD_TEXT;
	if (v.type == MP_STR)
		snprintf(i->text, sizeof i->text, "%.*s", (int)v.str.len, (const char *)v.str.data);
	else if (v.type == MP_BOOL)
		i->number = v.boolean;
	else if (v.type == MP_INT)
		i->number = (double)v.integer;
	else if (v.type == MP_FLOAT)
		i->number = v.real;
	buf_release(&b);
}

static void oracle(const struct query_spec *s, const struct field *f)
{
	struct buf scratch = {0};
	bool all = s->start_ms == TIME_MIN && s->end_ms == TIME_MAX;

	count = 0;
	for (size_t i = 0; i < world.count; i++) {
		struct record r = world_record_of(&world.records[i]);
		int64_t ms = s->axis == AXIS_UPDATED ? r.updated_ms : r.created_ms;
		if (r.flags & RECORD_DELETED ||
		    (!all && (ms == TIME_NONE || ms < s->start_ms || ms >= s->end_ms)) ||
		    (s->where && where_match(s->where, &r, &scratch) != 1))
			continue;
		memset(&items[count], 0, sizeof items[0]);
		memcpy(items[count].id, world.records[i].id, sizeof items[0].id);
		read_item(&items[count++], f, &r);
	}
	ascending = s->ascending;
	qsort(items, count, sizeof *items, by_value);
	buf_release(&scratch);
}

static struct query_result run(const struct query_spec *spec, unsigned budget)
{
	struct snapshot *v = snapshot_new(world.store);
	struct query *q;
	struct why why;
	int rc = query_open(v, spec, &q, &why);

	if (rc)
		fail_msg("%s", why.text);
	while ((rc = query_step(q, budget, &why)) == 1)
		;
	if (rc)
		fail_msg("%s", why.text);
	struct query_result result = *query_result(q);
	query_free(q);
	snapshot_free(v);
	assert_int_equal(result.damaged, 0);
	return result;
}

/* The page's rows are those of the oracle from `at` on. */
static size_t same_page(const struct buf *rows, size_t at)
{
	struct mp_reader r = mp_reader_of(buf_bytes(rows));
	struct bytes row, id;
	size_t n = 0;

	for (; mp_take(&r, &row) == 1; n++) {
		assert_int_equal(mp_check(row), 0);
		assert_true(mp_find_str(row, "id", &id));
		assert_true(at + n < count);
		if (!bytes_is(id, items[at + n].id))
			fail_msg("row %zu is %.*s, not %s", at + n, (int)id.len,
				 (const char *)id.data, items[at + n].id);
	}
	return n;
}

static const char *const sorts[] = {"number",   "-number", "title", "-title",  "state",
				    "-cost",    "cost",    "due",   "-late",   "created",
				    "-updated", "updated", "kind",  "-created"};

static void dice(struct query_spec *s, struct arena *arena, const struct field **f)
{
	static const char *const wheres[] = {NULL, "state = open", "number < 40",
					     "doc.statistics.reopens >= 1", "labels contains vip"};
	const char *where = wheres[world_random(&world, 5)];
	struct bytes name = bytes_str(sorts[world_random(&world, sizeof sorts / sizeof *sorts)]);
	struct why why;

	*s = (struct query_spec){.source = "acme",
				 .resource = "conversations",
				 .fields = world_fields,
				 .axis = world_random(&world, 2) ? AXIS_CREATED : AXIS_UPDATED,
				 .start_ms = TIME_MIN,
				 .end_ms = TIME_MAX};
	if (world_random(&world, 3) == 0)
		s->start_ms = START + (int64_t)world_random(&world, 40) * DAY_MS / 4;
	if (where)
		assert_int_equal(where_parse(bytes_str(where), world_fields, START, NULL, arena,
					     &s->where, &why),
				 0);
	assert_int_equal(query_sort(name, world_fields, s->axis, &s->ascending, &s->sort, &why), 0);
	*f = s->sort;
}

static void one_question(struct arena *arena)
{
	struct buf rows = {0};
	const struct field *f;
	struct query_spec s;
	char cursor[CURSOR_TEXT_MAX];
	size_t at = 0;

	dice(&s, arena, &f);
	if (!f) /* the axis's own order is query_test's */
		return;
	s.rows = &rows;
	s.want_total = world_random(&world, 3) == 0;
	oracle(&s, f);
	for (;;) {
		s.limit = 1 + (uint32_t)world_random(&world, world_random(&world, 2) ? 1000 : 60);
		s.bytes_max = world_random(&world, 3) ? 0 : 1 + (size_t)world_random(&world, 9000);
		buf_reset(&rows);
		struct query_result r = run(&s, 1 + (unsigned)world_random(&world, 3000));
		size_t n = same_page(&rows, at);
		assert_int_equal(n, r.rows);
		at += n;
		/* Where rows are left out that cannot be of the page, nobody has counted them. */
		assert_true(r.total_known || !s.want_total);
		assert_true(!r.total_known || r.total == count);
		assert_true(r.more || at == count);
		if (!r.more)
			break;
		assert_true(n > 0 || at == count);
		memcpy(cursor, r.next_cursor, sizeof cursor);
		s.cursor = bytes_str(cursor);
	}
	assert_int_equal(at, count);
	buf_release(&rows);
}

static void questions(int n)
{
	struct arena arena;

	arena_init(&arena, 1 << 22);
	for (int i = 0; i < n; i++)
		one_question(&arena);
	arena_release(&arena);
}

static void pages_are_as_qsort_says(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		world_indexed = i != 3;
		world_open(&world, 40 + (uint64_t)i);
		questions(2);
		world_fill(&world, 150);
		questions(20);
		world_fill(&world, 500);
		questions(20);
		store_flush(world.store);
		while (store_work(world.store))
			;
		questions(20);
		world_fill(&world, 50);
		world_reopen(&world);
		questions(20);
		world_close(&world);
	}
	world_indexed = false;
}

/* Between pages records change, come and go: what did not change is shown once, in its place. */
static void commits_between_pages_do_not_disturb(void **state)
{
	static char shown[WORLD_RECORDS_MAX][24];
	struct buf rows = {0};
	char cursor[CURSOR_TEXT_MAX];
	size_t shown_count = 0;
	struct why why;
	struct query_spec s = {.source = "acme",
			       .resource = "conversations",
			       .fields = world_fields,
			       .start_ms = TIME_MIN,
			       .end_ms = TIME_MAX,
			       .limit = 25,
			       .rows = &rows};

	(void)state;
	world_indexed = true;
	world_open(&world, 50);
	world_fill(&world, 400);
	assert_int_equal(query_sort(bytes_str("-number"), world_fields, AXIS_CREATED, &s.ascending,
				    &s.sort, &why),
			 0);
	oracle(&s, s.sort);
	static struct item before[WORLD_RECORDS_MAX];
	size_t before_count = count;
	memcpy(before, items, sizeof before);
	for (;;) {
		buf_reset(&rows);
		struct query_result r = run(&s, 200);
		struct mp_reader reader = mp_reader_of(buf_bytes(&rows));
		struct bytes row, id;
		while (mp_take(&reader, &row) == 1) {
			assert_true(mp_find_str(row, "id", &id));
			snprintf(shown[shown_count++], 24, "%.*s", (int)id.len, (const char *)id.data);
			assert_true(shown_count < WORLD_RECORDS_MAX);
		}
		if (!r.more)
			break;
		memcpy(cursor, r.next_cursor, sizeof cursor);
		s.cursor = bytes_str(cursor);
		world_fill(&world, 7);
	}
	oracle(&s, s.sort);
	for (size_t i = 0; i < before_count; i++) {
		const struct item *now = NULL;
		size_t times = 0;
		for (size_t k = 0; k < count; k++)
			if (strcmp(items[k].id, before[i].id) == 0)
				now = &items[k];
		if (!now || now->known != before[i].known || now->number != before[i].number)
			continue;
		for (size_t k = 0; k < shown_count; k++)
			times += strcmp(shown[k], before[i].id) == 0;
		/* A record may have changed and changed back: more than once is what must not be without a change. */
		assert_true(times >= 1);
	}
	assert_true(before_count > 200);
	buf_release(&rows);
	world_close(&world);
	world_indexed = false;
}

static void a_cursor_of_another_order_is_refused(void **state)
{
	struct buf rows = {0};
	char cursor[CURSOR_TEXT_MAX];
	struct query *q;
	struct why why;
	struct query_spec s = {.source = "acme",
			       .resource = "conversations",
			       .fields = world_fields,
			       .start_ms = TIME_MIN,
			       .end_ms = TIME_MAX,
			       .limit = 5,
			       .rows = &rows};

	(void)state;
	world_open(&world, 51);
	world_fill(&world, 60);
	assert_int_equal(query_sort(bytes_str("title"), world_fields, AXIS_CREATED, &s.ascending,
				    &s.sort, &why),
			 0);
	memcpy(cursor, run(&s, 100).next_cursor, sizeof cursor);
	assert_true(strlen(cursor) > 60);
	s.cursor = bytes_str(cursor);
	struct snapshot *v = snapshot_new(world.store);
	s.ascending = false;
	assert_int_equal(query_open(v, &s, &q, &why), ERR_INVALID);
	s.sort = NULL;
	assert_int_equal(query_open(v, &s, &q, &why), ERR_INVALID);
	s.sort = &world_fields[2];
	s.ascending = true;
	assert_int_equal(query_open(v, &s, &q, &why), ERR_INVALID);
	snapshot_free(v);
	buf_release(&rows);
	world_close(&world);
}

static void what_is_no_order_is_said(void **state)
{
	const struct field *f;
	struct why why;
	bool up;

	(void)state;
	assert_int_equal(query_sort(bytes_str("-titel"), world_fields, AXIS_CREATED, &up, &f, &why),
			 ERR_NOTFOUND);
	assert_non_null(strstr(why.text, "did you mean title?"));
	assert_int_equal(query_sort(bytes_str("labels"), world_fields, AXIS_CREATED, &up, &f, &why),
			 ERR_INVALID);
	assert_int_equal(query_sort(bytes_str(""), world_fields, AXIS_CREATED, &up, &f, &why),
			 ERR_NOTFOUND);
	assert_int_equal(query_sort(bytes_str("-updated"), NULL, AXIS_UPDATED, &up, &f, &why), 0);
	assert_true(!f && !up);
	assert_int_equal(query_sort(bytes_str("updated"), NULL, AXIS_CREATED, &up, &f, &why), 0);
	assert_true(f && up);
}

/* More rows than are put in order at once, taken out as they come. */
static void a_flow_looks_at_all_rows_again(void **state)
{
	struct arena arena = {0};

	(void)state;
	world_indexed = true;
	world_open(&world, 91);
	world_fill(&world, 2600);
	for (int i = 0; i < 12; i++) {
		struct snapshot *v = snapshot_new(world.store);
		struct buf rows = {0};
		const struct field *f;
		struct query_spec s;
		struct query *q;
		struct why why;
		size_t at = 0;
		int rc;
		dice(&s, &arena, &f);
		s.rows = &rows;
		s.flow = true;
		s.limit = i % 3 ? UINT32_MAX : 1700;
		s.bytes_max = 5000;
		if (f) {
			oracle(&s, f);
			assert_int_equal(query_open(v, &s, &q, &why), 0);
			do {
				rc = query_step(q, 500, &why);
				assert_true(rc >= 0 && rows.len < s.bytes_max + 2000);
				at += same_page(&rows, at);
				buf_reset(&rows);
			} while (rc == 1);
			assert_int_equal(at, count < s.limit ? count : s.limit);
			assert_int_equal(query_result(q)->rows, at);
			assert_int_equal(query_result(q)->more, at < count);
			query_free(q);
		}
		snapshot_free(v);
		buf_release(&rows);
	}
	world_close(&world);
	world_indexed = false;
	arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_are_as_qsort_says),
		cmocka_unit_test(commits_between_pages_do_not_disturb),
		cmocka_unit_test(a_cursor_of_another_order_is_refused),
		cmocka_unit_test(what_is_no_order_is_said),
		cmocka_unit_test(a_flow_looks_at_all_rows_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
