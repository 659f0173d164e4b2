/* overlay: what a question answers over records with edits is what it would answer of a store in which they were made. */
#include "support/world.h"

#include <codec/msgpack.h>
#include <query/aggregate.h>
#include <query/query.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#define DAY_MS      INT64_C(86400000)
#define START       INT64_C(1700000000000)
#define OVERLAY_MAX 80

/* The same records: in the first some are edited, in the second they are stored so. */
static struct world edited, made;

static struct record records[OVERLAY_MAX];
static uint64_t hashes[OVERLAY_MAX];
static struct overlay overlay;

static int by_hash(const void *a, const void *b)
{
	uint64_t x = bytes_hash(((const struct record *)a)->id),
		 y = bytes_hash(((const struct record *)b)->id);

	return (x > y) - (x < y);
}

/* Other states, numbers and labels; titles stay, so that searches by words find the same. */
static void edit_some(size_t most)
{
	static const char *const labels[] = {NULL, "vip", "late", "spam"};
	size_t n = 0;

	for (size_t i = 0; i < edited.count && n < most; i++) {
		struct world_record *r = &edited.records[i];
		struct bytes title;
		char text[100];
		if (r->deleted || world_random(&edited, 4))
			continue;
		bool titled = mp_find_str(bytes_of(r->doc, r->doc_len), "title", &title);
		snprintf(text, sizeof text, "%.*s", titled ? (int)title.len : 0,
			 titled ? (const char *)title.data : "");
		world_doc(r, world_random(&edited, 2) ? "open" : "closed", titled ? text : NULL,
			  (int64_t)world_random(&edited, 100), labels[world_random(&edited, 4)],
			  NULL);
		records[n] = world_record_of(r);
		records[n++].flags |= RECORD_PENDING;
	}
	qsort(records, n, sizeof *records, by_hash);
	for (size_t i = 0; i < n; i++)
		hashes[i] = bytes_hash(records[i].id);
	overlay = (struct overlay){records, hashes, n};
}

static void open_both(uint64_t seed, size_t n)
{
	world_open(&edited, seed);
	world_fill(&edited, n);
	edit_some(OVERLAY_MAX);
	assert_true(overlay.count > 10);
	world_open(&made, seed + 1000);
	for (size_t i = 0; i < edited.count; i++) {
		world_put(&made, "conversations", &edited.records[i]);
		if (i % 100 == 99)
			world_commit(&made);
	}
	world_commit(&made);
}

static void close_both(void)
{
	world_close(&edited);
	world_close(&made);
}

static struct query_result run(struct world *w, struct query_spec *spec, struct buf *rows,
			       unsigned budget)
{
	struct snapshot *v = snapshot_new(w->store);
	struct query *q;
	struct why why;
	int rc;

	spec->rows = rows;
	spec->overlay = w == &edited ? &overlay : NULL;
	rc = query_open(v, spec, &q, &why);
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

static bool is_edited(struct bytes id)
{
	for (size_t i = 0; i < overlay.count; i++)
		if (bytes_equal(records[i].id, id))
			return true;
	return false;
}

/* The same values under all names; what is edited is marked, and nothing else is. */
static void same_row(struct bytes a, struct bytes b)
{
	static const char *const names[] = {"id",   "state", "title", "number",  "labels",
					    "cost", "due",   "late",  "created", "updated"};
	struct bytes x, y, id;
	bool pending = false;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		int have = mp_find(a, bytes_str(names[i]), &x);
		assert_int_equal(have, mp_find(b, bytes_str(names[i]), &y));
		if (have && !mp_equal(x, y))
			fail_msg("%s differs", names[i]);
	}
	assert_true(mp_find_str(a, "id", &id));
	mp_find_bool(a, "pending", &pending);
	assert_int_equal(pending, is_edited(id));
}

static uint32_t same_rows(const struct buf *a, const struct buf *b)
{
	struct mp_reader x = mp_reader_of(buf_bytes(a)), y = mp_reader_of(buf_bytes(b));
	struct bytes p, q;
	uint32_t n = 0;

	for (; mp_take(&x, &p) == 1; n++) {
		assert_int_equal(mp_take(&y, &q), 1);
		same_row(p, q);
	}
	assert_int_equal(mp_take(&y, &q), 0);
	return n;
}

static const char *const wheres[] = {NULL,
				     "state = open",
				     "state = closed and number < 40",
				     "id in (#, #, #, #, #, #, #, #, #, #)",
				     "doc.statistics.reopens >= 1",
				     "labels contains vip",
				     "not labels contains vip and number > 20",
				     "created > @1700500000 and state = open"};
static const char *const sorts[] = {"number", "-number", "title",   "-cost",
				    "due",    "updated", "-created"};

static void dice(struct query_spec *s, struct arena *arena)
{
	const char *where = wheres[world_random(&edited, sizeof wheres / sizeof *wheres)];
	struct why why;

	*s = (struct query_spec){.source = "acme",
				 .resource = "conversations",
				 .fields = world_fields,
				 .axis = world_random(&edited, 2) ? AXIS_CREATED : AXIS_UPDATED,
				 .start_ms = TIME_MIN,
				 .end_ms = TIME_MAX,
				 .ascending = world_random(&edited, 2),
				 .want_total = world_random(&edited, 2)};
	if (world_random(&edited, 3) == 0)
		s->start_ms = START + (int64_t)world_random(&edited, 40) * DAY_MS / 4;
	if (world_random(&edited, 3) == 0)
		s->end_ms = START + (int64_t)(10 + world_random(&edited, 40)) * DAY_MS / 4;
	if (where && where_parse(bytes_str(world_named(&edited, where, arena)), world_fields, START,
				 NULL, arena, &s->where, &why))
		fail_msg("%s", why.text);
	if (world_random(&edited, 3) == 0 &&
	    search_parse(bytes_str(world_random(&edited, 2) ? "about 7" : "abo* -13"), arena,
			 &s->text.search, &why))
		fail_msg("%s", why.text);
	if (world_random(&edited, 2))
		assert_int_equal(
			query_sort(bytes_str(sorts[world_random(&edited, sizeof sorts / sizeof *sorts)]),
				   world_fields, s->axis, &s->ascending, &s->sort, &why),
			0);
}

static void one_question(struct arena *arena)
{
	struct buf rows[2] = {0};
	char cursors[2][CURSOR_TEXT_MAX];
	struct query_spec s;

	dice(&s, arena);
	s.limit = (uint32_t)world_random(&edited, world_random(&edited, 3) ? 20 : 400);
	for (int page = 0; page < 400; page++) {
		buf_reset(&rows[0]);
		buf_reset(&rows[1]);
		if (page)
			s.cursor = bytes_str(cursors[0]);
		struct query_result a = run(&edited, &s, &rows[0],
					    1 + (unsigned)world_random(&edited, 300));
		if (page)
			s.cursor = bytes_str(cursors[1]);
		struct query_result b = run(&made, &s, &rows[1], 1000000);
		assert_int_equal(a.rows, b.rows);
		assert_int_equal(same_rows(&rows[0], &rows[1]), a.rows);
		if (s.want_total)
			assert_true(a.total_known && a.total == b.total);
		/* That there may be more is not said by both where nobody has looked. */
		if (!a.more || !b.more || s.limit == 0)
			break;
		memcpy(cursors[0], a.next_cursor, sizeof cursors[0]);
		memcpy(cursors[1], b.next_cursor, sizeof cursors[1]);
	}
	buf_release(&rows[0]);
	buf_release(&rows[1]);
}

static void questions(int n)
{
	struct arena arena;

	arena_init(&arena, 1 << 22);
	for (int i = 0; i < n; i++)
		one_question(&arena);
	arena_release(&arena);
}

static void pages_are_those_of_what_was_made(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		world_indexed = i != 3;
		open_both(70 + (uint64_t)i, 300);
		questions(60);
		store_flush(edited.store);
		while (store_work(edited.store))
			;
		questions(60);
		close_both();
	}
	world_indexed = false;
}

static void group(struct world *w, const struct bytes *by, size_t by_count,
		  const struct where *where, struct buf *groups)
{
	const struct bytes metric = bytes_str("sum:number");
	struct snapshot *v = snapshot_new(w->store);
	const struct aggregate_spec s = {.resource = "conversations",
					 .fields = world_fields,
					 .start_ms = TIME_MIN,
					 .end_ms = TIME_MAX,
					 .where = where,
					 .overlay = w == &edited ? &overlay : NULL,
					 .group_by = by,
					 .group_by_count = by_count,
					 .metrics = &metric,
					 .metric_count = world_random(w, 2),
					 .groups = groups};
	struct aggregate *a;
	struct why why;

	if (aggregate_open(v, &s, &a, &why))
		fail_msg("%s", why.text);
	while (aggregate_step(a, 1000, &why) == 1)
		;
	aggregate_free(a);
	snapshot_free(v);
}

static void groups_are_those_of_what_was_made(void **state)
{
	struct arena arena;
	struct why why;

	(void)state;
	world_indexed = true;
	arena_init(&arena, 1 << 20);
	open_both(90, 300);
	for (size_t i = 0; i < sizeof wheres / sizeof *wheres; i++) {
		static const char *const fields[] = {"state", "labels", "day:created"};
		const struct where *where = NULL;
		if (wheres[i])
			assert_int_equal(
				where_parse(bytes_str(world_named(&edited, wheres[i], &arena)),
					    world_fields, START, NULL, &arena, &where, &why),
				0);
		for (size_t k = 0; k < 3; k++) {
			const struct bytes by = bytes_str(fields[k]);
			struct buf a = {0}, b = {0};
			made.random = edited.random;
			group(&edited, &by, 1, where, &a);
			group(&made, &by, 1, where, &b);
			assert_true(a.len > 0 && a.len == b.len && memcmp(a.data, b.data, a.len) == 0);
			buf_release(&a);
			buf_release(&b);
		}
	}
	close_both();
	arena_release(&arena);
	world_indexed = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_are_those_of_what_was_made),
		cmocka_unit_test(groups_are_those_of_what_was_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
