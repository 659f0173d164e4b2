/* merged: several stores' rows against each store's own, and against one store that has all; pages, flows, totals, cursors that are none. */
#include "support/world.h"

#include <codec/msgpack.h>
#include <query/aggregate.h>
#include <query/merged.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#define DAY_MS INT64_C(86400000)
#define START  INT64_C(1700000000000)
#define STORES 3

static struct world worlds[STORES], whole; /* `whole` has the records of the first two */
static struct world *dice = &worlds[0];
static const char *const names[STORES] = {"acme", "beta", "gamma"};

static const char *const conditions[] = {
	NULL,
	"state = open",
	"number < 3 or labels contains vip",
	"created > @1700864000",
	"title ~ 'about 7'",
	"not (state = open)",
	"state = nothing",
};

static const char *const orders[] = {NULL,    NULL,   "number",  "-number",
				     "title", "-due", "updated", "late"};

static const struct where *parse_where(const char *text, struct arena *a)
{
	const struct where *w = NULL;
	struct why why;

	if (text && where_parse(bytes_str(text), world_fields, START + 50 * DAY_MS, NULL, a, &w, &why))
		fail_msg("%s: %s", text, why.text);
	return w;
}

static struct query_spec spec_of(size_t store)
{
	static const struct bytes shown[] = {{(const uint8_t *)"created", 7},
					     {(const uint8_t *)"updated", 7},
					     {(const uint8_t *)"number", 6}};

	return (struct query_spec){.source = names[store],
				   .resource = "conversations",
				   .fields = world_fields,
				   .start_ms = TIME_MIN,
				   .end_ms = TIME_MAX,
				   .names = shown,
				   .name_count = 3};
}

/* A question of the first `count` stores, from the dice. */
static void draw(struct merged_part *parts, size_t count, struct arena *a)
{
	const char *condition = conditions[world_random(dice, sizeof conditions / sizeof *conditions)];
	const char *order = orders[world_random(dice, sizeof orders / sizeof *orders)];
	bool ascending = world_random(dice, 3) == 0, spanned = world_random(dice, 2);
	enum axis axis = world_random(dice, 2) ? AXIS_UPDATED : AXIS_CREATED;
	int64_t start = START + (int64_t)world_random(dice, 40) * DAY_MS / 4;
	struct why why;

	for (size_t i = 0; i < count; i++) {
		struct query_spec *s = &parts[i].spec;
		*s = spec_of(i);
		s->axis = axis;
		s->ascending = ascending;
		s->where = parse_where(condition, a);
		if (spanned) {
			s->start_ms = start;
			s->end_ms = start + 7 * DAY_MS;
		}
		if (order &&
		    query_sort(bytes_str(order), world_fields, axis, &s->ascending, &s->sort, &why))
			fail_msg("%s", why.text);
	}
}

static void views(struct merged_part *parts, size_t count, bool open)
{
	for (size_t i = 0; i < count; i++)
		if (open)
			parts[i].view = snapshot_new(worlds[i].store);
		else
			snapshot_free(parts[i].view);
}

/* All rows of one store, as it answers by itself; the number of them. */
static uint64_t alone(const struct merged_part *part, struct buf *rows)
{
	struct query_spec s = part->spec;
	struct query *q;
	struct why why;

	s.limit = 100000;
	s.rows = rows;
	assert_int_equal(query_open(part->view, &s, &q, &why), 0);
	while (query_step(q, 1000, &why) == 1)
		;
	uint64_t n = query_result(q)->rows;
	query_free(q);
	return n;
}

static struct bytes source_of(struct bytes row)
{
	struct bytes text = {NULL, 0};

	assert_true(mp_find_str(row, "source", &text));
	return text;
}

/* The rows of one source among those of all. */
static void pick(const struct buf *rows, const char *source, struct buf *out)
{
	struct mp_reader r = mp_reader_of(buf_bytes(rows));
	struct bytes row;

	while (mp_take(&r, &row) == 1)
		if (bytes_is(source_of(row), source))
			buf_put_bytes(out, row);
}

static const char *order_name(const struct query_spec *s)
{
	if (s->sort)
		return s->sort->name;
	return s->axis == AXIS_UPDATED ? "updated" : "created";
}

/* Rows stand in the order of what they show: RFC 3339 texts and numbers; what has no value at the end that is its. */
static void in_order(const struct buf *rows, const struct query_spec *s)
{
	struct mp_reader r = mp_reader_of(buf_bytes(rows));
	struct bytes row, value;
	struct mp_value v, last = {.type = MP_NIL};
	bool any = false;

	if (s->sort && strcmp(s->sort->name, "number") != 0 && strcmp(s->sort->name, "updated") != 0)
		return;
	for (; mp_take(&r, &row) == 1; last = v, any = true) {
		int c = 0;
		assert_int_equal(mp_find(row, bytes_str(order_name(s)), &value), 1);
		assert_true(mp_get(value, &v));
		if (!any || v.type == MP_NIL || last.type == MP_NIL) {
			/* By the axis no time is the least; in an order of values it comes last. */
			if (any && (s->sort || !s->ascending))
				assert_true(last.type != MP_NIL || v.type == MP_NIL);
			continue;
		}
		if (v.type == MP_STR)
			c = bytes_compare(last.str, v.str);
		else
			c = (last.integer > v.integer) - (last.integer < v.integer);
		assert_true(s->ascending ? c <= 0 : c >= 0);
	}
}

/* Runs one page; its rows are appended. */
static struct query_result page(const struct merged_spec *spec, char cursor[MERGED_CURSOR_MAX])
{
	struct merged *m;
	struct why why;
	int rc = merged_open(spec, &m, &why);

	if (rc)
		fail_msg("%s", why.text);
	while ((rc = merged_step(m, 1 + (unsigned)world_random(dice, 200), &why)) == 1)
		;
	assert_int_equal(rc, 0);
	struct query_result result = *merged_result(m);
	snprintf(cursor, MERGED_CURSOR_MAX, "%s", result.more ? merged_cursor(m) : "");
	merged_free(m);
	return result;
}

static int setup(void **state)
{
	(void)state;
	for (size_t i = 0; i < STORES; i++) {
		world_indexed = i != 1; /* one answers from records, the others from columns */
		world_open(&worlds[i], 11 + i);
		world_fill(&worlds[i], i == 2 ? 20 : 500);
	}
	world_open(&whole, 99);
	for (size_t i = 0; i < 2; i++) {
		for (size_t k = 0; k < worlds[i].count; k++) {
			struct world_record r = worlds[i].records[k];
			snprintf(r.id, sizeof r.id, "%s-%.16s", names[i], worlds[i].records[k].id);
			world_put(&whole, "conversations", &r);
		}
	}
	world_commit(&whole);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < STORES; i++)
		world_close(&worlds[i]);
	world_close(&whole);
	return 0;
}

/* ---- tests ---- */

/* Every source's own rows in their own order, put together in one. */
static void pages_are_what_each_store_answers(void **state)
{
	(void)state;
	for (int i = 0; i < 150; i++) {
		struct merged_part parts[STORES] = {{0}};
		struct arena arena = {0};
		struct buf rows = {0};
		char cursor[MERGED_CURSOR_MAX] = "";
		struct merged_spec spec = {.parts = parts, .rows = &rows};
		struct query_result r;
		uint64_t total = 0;

		spec.count = 1 + world_random(dice, STORES);
		draw(parts, spec.count, &arena);
		views(parts, spec.count, true);
		spec.want_total = world_random(dice, 2);
		size_t pages = 0;
		do {
			struct bytes before = bytes_of(NULL, rows.len);
			spec.limit = 1 + (uint32_t)world_random(dice, 400);
			spec.bytes_max = world_random(dice, 3) ? 1 << 20 : 2000;
			spec.cursor = bytes_str(cursor);
			char next[MERGED_CURSOR_MAX];
			r = page(&spec, next);
			memcpy(cursor, next, sizeof cursor);
			assert_true(r.rows <= spec.limit);
			assert_true(r.rows <= 1 || rows.len - before.len <= spec.bytes_max);
			assert_true(pages++ <= 1 + 2000 / (r.rows + 1) + total + 1000);
			/* What the span says is not asked again. */
			for (size_t k = 0; k < spec.count; k++)
				if (r.more && parts[k].spec.start_ms != TIME_MIN)
					parts[k].spec.start_ms = parts[k].spec.end_ms - 1;
		} while (r.more);
		for (size_t k = 0; k < spec.count; k++) {
			struct buf mine = {0}, own = {0};
			parts[k].spec.start_ms = r.start_ms;
			parts[k].spec.end_ms = r.end_ms;
			total += alone(&parts[k], &own);
			pick(&rows, names[k], &mine);
			assert_true(bytes_equal(buf_bytes(&mine), buf_bytes(&own)));
			buf_release(&mine);
			buf_release(&own);
		}
		in_order(&rows, &parts[0].spec);
		if (spec.want_total) {
			assert_true(r.total_known);
			assert_int_equal(r.total, total);
		}
		views(parts, spec.count, false);
		buf_release(&rows);
		arena_release(&arena);
	}
}

/* Rows that are taken out as they come are the same ones, with little memory; the cursor of any moment leads to the rest. */
static void a_flow_is_the_pages(void **state)
{
	struct merged_part parts[2] = {{0}};
	struct buf rows = {0}, flown = {0}, rest = {0};
	struct arena arena = {0};
	char cursor[MERGED_CURSOR_MAX], middle[MERGED_CURSOR_MAX] = "";
	struct merged_spec spec = {
		.parts = parts, .count = 2, .limit = UINT32_MAX, .bytes_max = 3000, .flow = true};
	struct merged *m;
	struct why why;
	size_t at = 0;
	int rc;

	(void)state;
	draw(parts, 2, &arena);
	parts[0].spec.where = parts[1].spec.where = NULL;
	views(parts, 2, true);
	spec.rows = &rows;
	assert_int_equal(merged_open(&spec, &m, &why), 0);
	do {
		rc = merged_step(m, 50, &why);
		assert_true(rc >= 0);
		if (rows.len < spec.bytes_max && rc)
			continue;
		assert_true(rows.len < 2 * spec.bytes_max);
		buf_put_bytes(&flown, buf_bytes(&rows));
		buf_reset(&rows);
		if (!middle[0]) {
			snprintf(middle, sizeof middle, "%s", merged_cursor(m));
			at = flown.len;
		}
	} while (rc);
	assert_true(at > 0 && at < flown.len);
	merged_free(m);
	spec.flow = false;
	spec.bytes_max = 64 << 20;
	page(&spec, cursor);
	assert_true(bytes_equal(buf_bytes(&flown), buf_bytes(&rows)));
	spec.cursor = bytes_str(middle);
	spec.rows = &rest;
	page(&spec, cursor);
	assert_true(bytes_equal(buf_bytes(&rest), bytes_of(flown.data + at, flown.len - at)));
	views(parts, 2, false);
	buf_release(&rows);
	buf_release(&flown);
	buf_release(&rest);
	arena_release(&arena);
}

static void a_cursor_of_another_question_is_refused(void **state)
{
	struct merged_part parts[2] = {{.spec = spec_of(0)}, {.spec = spec_of(1)}};
	struct buf rows = {0};
	char good[MERGED_CURSOR_MAX], bad[MERGED_CURSOR_MAX];
	struct merged_spec spec = {
		.parts = parts, .count = 2, .limit = 5, .bytes_max = 1 << 20, .rows = &rows};
	struct merged *m;
	struct why why;

	(void)state;
	views(parts, 2, true);
	page(&spec, good);
	const char *const wrong[] = {"x", "-.-", "-", ".", "", good + 1};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		snprintf(bad, sizeof bad, "%s%s", wrong[i], *wrong[i] ? "" : good);
		if (!*wrong[i])
			strcat(bad, ".-");
		spec.cursor = bytes_str(bad);
		assert_int_equal(merged_open(&spec, &m, &why), ERR_INVALID);
	}
	spec.cursor = bytes_str(good);
	parts[1].spec.ascending = true;
	int rc = merged_open(&spec, &m, &why);
	assert_true(rc == ERR_INVALID || strstr(good, ".-"));
	if (rc == 0)
		merged_free(m);
	views(parts, 2, false);
	buf_release(&rows);
}

/* Groups over two stores have the same bytes as over one that has all their records: averages and percentiles, too. */
static void groups_are_those_of_one_store(void **state)
{
	static const struct bytes all_metrics[] = {{(const uint8_t *)"avg:number", 10},
						   {(const uint8_t *)"p50:number", 10},
						   {(const uint8_t *)"p99:cost", 8},
						   {(const uint8_t *)"max:due", 7},
						   {(const uint8_t *)"sum:number", 10}};
	static const char *const groupings[] = {"state", "labels", "day", "late", "week:updated"};

	(void)state;
	for (int i = 0; i < 80; i++) {
		struct arena arena = {0};
		struct buf one = {0}, two = {0};
		struct aggregate *a, *b;
		struct why why;
		struct bytes by = bytes_str(groupings[world_random(dice, 5)]);
		struct aggregate_spec spec = {
			.resource = "conversations",
			.fields = world_fields,
			.start_ms = TIME_MIN,
			.end_ms = TIME_MAX,
			.where = parse_where(conditions[world_random(dice, 7)], &arena),
			.group_by = &by,
			.group_by_count = world_random(dice, 4) > 0,
			.metrics = all_metrics,
			.metric_count = world_random(dice, 2) * 5,
			.groups = &two,
		};
		struct snapshot *v[3] = {snapshot_new(worlds[0].store),
					 snapshot_new(worlds[1].store), snapshot_new(whole.store)};
		assert_int_equal(aggregate_open(v[0], &spec, &b, &why), 0);
		assert_int_equal(aggregate_add(b, v[1], &spec, &why), 0);
		spec.groups = &one;
		assert_int_equal(aggregate_open(v[2], &spec, &a, &why), 0);
		while (aggregate_step(a, 100, &why) == 1)
			;
		while (aggregate_step(b, 100, &why) == 1)
			;
		assert_int_equal(aggregate_result(a)->records, aggregate_result(b)->records);
		assert_int_equal(aggregate_result(a)->groups, aggregate_result(b)->groups);
		assert_true(one.len > 0 || aggregate_result(a)->groups == 0);
		assert_true(bytes_equal(buf_bytes(&one), buf_bytes(&two)));
		aggregate_free(a);
		aggregate_free(b);
		for (int k = 0; k < 3; k++)
			snapshot_free(v[k]);
		buf_release(&one);
		buf_release(&two);
		arena_release(&arena);
	}
}

static void a_field_of_two_kinds_is_refused(void **state)
{
	static const struct field other[] = {{"number", FIELD_TEXT, "number", ""},
					     {NULL, FIELD_TEXT, NULL, NULL}};
	static const struct bytes metric = {(const uint8_t *)"count:number", 12};
	struct buf out = {0};
	struct aggregate_spec spec = {.resource = "conversations",
				      .fields = world_fields,
				      .start_ms = TIME_MIN,
				      .end_ms = TIME_MAX,
				      .metrics = &metric,
				      .metric_count = 1,
				      .groups = &out};
	struct snapshot *v = snapshot_new(worlds[0].store);
	struct aggregate *a;
	struct why why;

	(void)state;
	assert_int_equal(aggregate_open(v, &spec, &a, &why), 0);
	assert_int_equal(aggregate_add(a, v, &spec, &why), 0);
	spec.fields = other;
	assert_int_equal(aggregate_add(a, v, &spec, &why), ERR_INVALID);
	aggregate_free(a);
	snapshot_free(v);
}

/* A field that leads nowhere, or that is a constant, is answered without reading a record. */
static void constants_read_nothing(void **state)
{
	const struct field fields[] = {{"source", FIELD_TEXT,
					"=\xa4"
					"acme",
					""},
				       {"rating", FIELD_INTEGER, field_nowhere, ""},
				       {NULL, FIELD_TEXT, NULL, NULL}};
	static const struct {
		const char *where;
		bool all;
	} cases[] = {{"source = acme", true},
		     {"source = beta", false},
		     {"rating > 1", false},
		     {"not rating exists", true},
		     {"rating exists or source in (beta, acme)", true}};
	struct snapshot *v = snapshot_new(worlds[0].store);

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena arena = {0};
		struct query_spec s = spec_of(0);
		struct query *q;
		struct why why;
		assert_int_equal(where_parse(bytes_str(cases[i].where), fields, START, NULL, &arena,
					     &s.where, &why),
				 0);
		s.want_total = true;
		s.fields = fields;
		s.names = NULL;
		assert_int_equal(query_open(v, &s, &q, &why), 0);
		while (query_step(q, 100, &why) == 1)
			;
		assert_int_equal(query_result(q)->total,
				 cases[i].all ? snapshot_count(v, "conversations") : 0);
		assert_int_equal(query_result(q)->read, 0);
		query_free(q);
		arena_release(&arena);
	}
	snapshot_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_are_what_each_store_answers),
		cmocka_unit_test(a_flow_is_the_pages),
		cmocka_unit_test(a_cursor_of_another_question_is_refused),
		cmocka_unit_test(groups_are_those_of_one_store),
		cmocka_unit_test(a_field_of_two_kinds_is_refused),
		cmocka_unit_test(constants_read_nothing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
