/* query: against a plain filter over the same records; pages, totals, limits, cursors while commits go on. */
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

/* ---- helpers ---- */

/* Rows of one answer: ids and times of the axis, in order. */
struct answer {
	char ids[WORLD_RECORDS_MAX][24];
	int64_t times[WORLD_RECORDS_MAX];
	size_t count;
};

static struct answer got, expected;

static struct query_spec spec_of(struct buf *rows)
{
	return (struct query_spec){
		.source = "acme",
		.resource = "conversations",
		.fields = world_fields,
		.start_ms = TIME_MIN,
		.end_ms = TIME_MAX,
		.limit = 1000000,
		.bytes_max = 64 << 20,
		.rows = rows,
	};
}

static struct query_result run_on(struct snapshot *v, const struct query_spec *spec, unsigned budget)
{
	struct query *q;
	struct why why;
	int rc = query_open(v, spec, &q, &why);

	if (rc)
		fail_msg("%s", why.text);
	while ((rc = query_step(q, budget, &why)) == 1)
		;
	if (rc)
		fail_msg("%s", why.text);
	assert_int_equal(query_step(q, budget, &why), 0);
	struct query_result result = *query_result(q);
	query_free(q);
	assert_int_equal(result.damaged, 0);
	return result;
}

static struct query_result run(const struct query_spec *spec, unsigned budget)
{
	struct snapshot *v = snapshot_new(world.store);
	struct query_result result = run_on(v, spec, budget);

	snapshot_free(v);
	return result;
}

static int64_t time_of(struct bytes row, const char *name)
{
	struct bytes text;
	int64_t ms;

	if (!mp_find_str(row, name, &text))
		return TIME_NONE;
	assert_int_equal(time_parse(text, &ms), 0);
	return ms;
}

/* Adds the rows of a buffer to `got`. */
static size_t collect(const struct buf *rows, enum axis axis)
{
	struct mp_reader r = mp_reader_of(buf_bytes(rows));
	struct bytes row, id;
	size_t n = 0;

	for (; mp_take(&r, &row) == 1; n++) {
		assert_int_equal(mp_check(row), 0);
		assert_true(mp_find_str(row, "id", &id));
		snprintf(got.ids[got.count], sizeof got.ids[0], "%.*s", (int)id.len,
			 (const char *)id.data);
		got.times[got.count++] = time_of(row, axis == AXIS_UPDATED ? "updated" : "created");
	}
	return n;
}

static bool in_span(const struct query_spec *s, int64_t ms)
{
	if (ms == TIME_NONE)
		return s->start_ms == TIME_MIN && s->end_ms == TIME_MAX;
	return ms >= s->start_ms && ms < s->end_ms;
}

/* The plain filter. */
static void filter(const struct query_spec *s)
{
	struct buf scratch = {0};

	expected.count = 0;
	for (size_t i = 0; i < world.count; i++) {
		struct record r = world_record_of(&world.records[i]);
		int64_t ms = s->axis == AXIS_UPDATED ? r.updated_ms : r.created_ms;
		if (r.flags & RECORD_DELETED || !in_span(s, ms) ||
		    (s->where && where_match(s->where, &r, &scratch) != 1))
			continue;
		memcpy(expected.ids[expected.count], world.records[i].id, sizeof expected.ids[0]);
		expected.times[expected.count++] = ms;
	}
	buf_release(&scratch);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The same records, each once, and in the order of the axis. */
static void same(bool ascending)
{
	for (size_t i = 1; i < got.count; i++)
		assert_true(ascending ? got.times[i] >= got.times[i - 1]
				      : got.times[i] <= got.times[i - 1]);
	assert_int_equal(got.count, expected.count);
	qsort(got.ids, got.count, sizeof got.ids[0], by_text);
	qsort(expected.ids, expected.count, sizeof expected.ids[0], by_text);
	for (size_t i = 0; i < got.count; i++)
		assert_string_equal(got.ids[i], expected.ids[i]);
}

static const struct where *parse_where(const char *text, struct arena *a)
{
	const struct where *w;
	struct why why;

	text = world_named(&world, text, a);
	if (where_parse(bytes_str(text), world_fields, START + 50 * DAY_MS, NULL, a, &w, &why))
		fail_msg("%s: %s", text, why.text);
	return w;
}

static const char *const conditions[] = {
	NULL,
	"state = open",
	"number < 3 or labels contains vip and not state = closed",
	"created > @1700864000 and deleted = false",
	"updated exists",
	"labels = vip and state = closed",
	"state = open and number < 40",
	"labels contains VIP or number = 7",
	"kind = none and state = open",
	"state = open and state = closed",
	"state = \"\"",
	"title ~ 'about 7'",
	"doc.statistics.reopens = 2",
	"state = nothing",
	"created > @1700200000 and (state = open and updated < @1700500000) and deleted = false",
	"not (created > @1700200000 and state = open)",
	"created > @1700600000 or state = open",
	"parent = p1 or id = 7",
	"parent = p3",
	"id = #",
	"id = nobody",
	"id in (#, #, #, nobody, #, #, #, #, #)",
	"id in (#, #, #, #, #, #, #, #, #) and (state = open or number < 40)",
	"id in (#, #, #, #, #, #) and id > 5 and created exists",
	"not id in (#, #, #)",
	"id = # or id = #",
	"parent = p3 and (state = open or number < 40)",
	"parent = p1 and labels contains vip",
	"id in (#, #, #, #, #, #, #, #, #, #) and parent = p1",
};

#define CONDITIONS (sizeof conditions / sizeof *conditions)

/* A question from the world's dice. */
static void dice(struct query_spec *s, struct arena *a)
{
	const char *condition = conditions[world_random(&world, CONDITIONS)];

	s->axis = world_random(&world, 2) ? AXIS_UPDATED : AXIS_CREATED;
	s->ascending = world_random(&world, 4) == 0;
	s->where = condition ? parse_where(condition, a) : NULL;
	if (world_random(&world, 3)) {
		s->start_ms = START + (int64_t)world_random(&world, 40) * DAY_MS / 4;
		s->end_ms = s->start_ms + (int64_t)world_random(&world, 30) * DAY_MS / 4;
	}
}

/* Nothing indexed; everything; or only what came later. */
static enum { PLAIN, INDEXED, MIXED } mode;

static int setup(void **state)
{
	(void)state;
	world_indexed = mode == INDEXED;
	world_open(&world, 7);
	world_fill(&world, 700);
	if (mode == MIXED) {
		world_indexed = true;
		world_reopen(&world);
	}
	world_fill(&world, 800);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close(&world);
	return 0;
}

/* ---- tests ---- */

static void one_page_shows_what_a_filter_finds(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++) {
		struct arena arena = {0};
		struct buf rows = {0};
		struct query_spec s = spec_of(&rows);
		dice(&s, &arena);
		s.want_total = world_random(&world, 2);
		struct query_result r = run(&s, 1 + (unsigned)world_random(&world, 500));
		got.count = 0;
		assert_int_equal(collect(&rows, s.axis), r.rows);
		filter(&s);
		assert_int_equal(r.total, expected.count);
		assert_true(r.total_known);
		assert_false(r.more);
		assert_string_equal(r.next_cursor, "");
		same(s.ascending);
		buf_release(&rows);
		arena_release(&arena);
	}
}

/* What a condition names is looked up: nothing else is looked at. */
static void named_ones_are_looked_up(void **state)
{
	static const struct {
		const char *condition;
		bool children;
	} asked[] = {{"id = #", false},
		     {"id in (#, #, #, #)", false},
		     {"number exists and (id in (#, #, #, #) and created exists)", false},
		     {"parent = p3", true},
		     {"number < 50 and parent = p1", true}};

	(void)state;
	for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
		struct arena arena = {0};
		struct buf rows = {0};
		struct query_spec s = spec_of(&rows);
		uint64_t children = 0;
		s.where = parse_where(asked[i].condition, &arena);
		s.want_total = true;
		for (size_t k = 0; k < world.count; k++)
			children += world.records[k].parent[0] != 0;
		struct query_result r = run(&s, 100);
		assert_true(r.scanned <= (asked[i].children ? children : 4));
		assert_true(r.scanned * 2 < world.count);
		got.count = 0;
		collect(&rows, s.axis);
		filter(&s);
		same(false);
		buf_release(&rows);
		arena_release(&arena);
	}
}

/* Fields that mean the same, but that no index knows: the answers have the same bytes. */
static void columns_show_what_records_do(void **state)
{
	static struct field unknown[16];
	static char paths[16][80];
	const struct bytes names[] = {bytes_str("number"), bytes_str("labels"),
				      bytes_str("created"), bytes_str("parent"), bytes_str("state")};

	(void)state;
	for (size_t i = 0; world_fields[i].name; i++) {
		unknown[i] = world_fields[i];
		snprintf(paths[i], sizeof paths[i], "%s|%s", unknown[i].path, unknown[i].path);
		unknown[i].path = paths[i];
	}
	for (int i = 0; i < 100; i++) {
		struct arena arena = {0};
		struct buf rows = {0}, other = {0};
		struct query_spec s = spec_of(&rows);
		dice(&s, &arena);
		if (i % 2) {
			s.names = names;
			s.name_count = 5;
		}
		struct query_result r = run(&s, 1 + (unsigned)world_random(&world, 500));
		s.fields = unknown;
		s.rows = &other;
		struct query_result q = run(&s, 100);
		assert_int_equal(r.rows, q.rows);
		assert_true(bytes_equal(buf_bytes(&rows), buf_bytes(&other)));
		assert_true(r.read <= q.read);
		if (mode == INDEXED && (!s.where || s.where->op == WHERE_EQUAL) && s.where &&
		    s.where->field->type != FIELD_ANY && s.where->field->path)
			assert_int_equal(r.read, 0);
		buf_release(&rows);
		buf_release(&other);
		arena_release(&arena);
	}
}

/* Every page's cursor leads to the next, whatever the page's size, with a restart in between. */
static void pages_together_are_the_whole(void **state)
{
	(void)state;
	for (int i = 0; i < 120; i++) {
		struct arena arena = {0};
		struct buf rows = {0};
		struct query_spec s = spec_of(&rows);
		char cursor[CURSOR_TEXT_MAX];
		dice(&s, &arena);
		filter(&s);
		s.want_total = world_random(&world, 2);
		got.count = 0;
		for (size_t pages = 0;; pages++) {
			s.limit = world_random(&world, 2) ? 1 + (uint32_t)world_random(&world, 60)
							  : 1000;
			s.bytes_max = world_random(&world, 2)
					      ? 1 + (size_t)world_random(&world, 9000)
					      : 0;
			buf_reset(&rows);
			struct query_result r = run(&s, 1 + (unsigned)world_random(&world, 300));
			assert_int_equal(collect(&rows, s.axis), r.rows);
			assert_true(r.rows <= s.limit &&
				    (r.rows <= 1 || !s.bytes_max || rows.len <= s.bytes_max));
			if (s.want_total) {
				assert_true(r.total_known);
				assert_int_equal(r.total, expected.count);
				assert_int_equal(r.more, got.count < expected.count);
			}
			assert_int_equal(r.more, r.next_cursor[0] != 0);
			assert_true(pages <= expected.count + 1);
			if (!r.more)
				break;
			memcpy(cursor, r.next_cursor, sizeof cursor);
			s.cursor = bytes_str(cursor);
			/* What the span says is not asked again. */
			s.start_ms = 1;
			s.end_ms = 2;
			if (world_random(&world, 50) == 0)
				world_reopen(&world);
		}
		same(s.ascending);
		buf_release(&rows);
		arena_release(&arena);
	}
}

/* Rows taken out as they come, with little memory whatever their number; the cursor of any moment leads to the rest. */
static void a_flow_is_the_whole(void **state)
{
	(void)state;
	for (int i = 0; i < 120; i++) {
		struct snapshot *v = snapshot_new(world.store);
		struct arena arena = {0};
		struct buf rows = {0};
		struct query_spec s = spec_of(&rows);
		char cursor[CURSOR_TEXT_MAX];
		struct why why;
		struct query *q;
		int rc;
		dice(&s, &arena);
		filter(&s);
		s.flow = true;
		s.limit = UINT32_MAX;
		s.bytes_max = 1 + (size_t)world_random(&world, 9000);
		s.want_total = world_random(&world, 2);
		size_t leave_at = world_random(&world, 3) ? SIZE_MAX : world_random(&world, 500);
		got.count = 0;
		assert_int_equal(query_open(v, &s, &q, &why), 0);
		do {
			rc = query_step(q, 1 + (unsigned)world_random(&world, 300), &why);
			assert_true(rc >= 0 && rows.len < s.bytes_max + 2000);
			if (rc == 1 && rows.len >= s.bytes_max)
				assert_int_equal(query_step(q, 1000, &why), 1);
			if (rc == 0 || rows.len >= s.bytes_max) {
				collect(&rows, s.axis);
				buf_reset(&rows);
			}
		} while (rc == 1 && (got.count <= leave_at || rows.len));
		bool whole = rc == 0;
		assert_int_equal(query_cursor(q, cursor)[0] != 0, got.count > 0);
		if (whole) {
			assert_int_equal(query_result(q)->rows, got.count);
			assert_false(query_result(q)->more);
			if (s.want_total)
				assert_int_equal(query_result(q)->total, got.count);
		}
		query_free(q);
		if (!whole) {
			s.cursor = bytes_str(cursor);
			s.bytes_max = 64 << 20;
			run_on(v, &s, 1000);
			collect(&rows, s.axis);
		}
		same(s.ascending);
		snapshot_free(v);
		buf_release(&rows);
		arena_release(&arena);
	}
}

/* The cursor of every single row, and what follows it. */
static void a_cursor_stands_at_every_position(void **state)
{
	struct buf rows = {0};
	struct query_spec s = spec_of(&rows);
	char cursor[CURSOR_TEXT_MAX];

	(void)state;
	filter(&s);
	s.limit = 1;
	got.count = 0;
	for (size_t i = 0; i < expected.count; i++) {
		buf_reset(&rows);
		struct query_result r = run(&s, 3);
		assert_int_equal(collect(&rows, s.axis), 1);
		/* Without a condition it is known whether there is more. */
		assert_int_equal(r.more, i + 1 < expected.count);
		memcpy(cursor, r.next_cursor, sizeof cursor);
		s.cursor = bytes_str(cursor);
	}
	same(false);
	buf_release(&rows);
}

/* What is committed between two pages and lies before the cursor is not seen, what lies behind it is, and no row that stays where it was is lost or shown twice. */
static void commits_between_pages_do_not_disturb(void **state)
{
	struct buf rows = {0};
	struct query_spec s = spec_of(&rows);
	char cursor[CURSOR_TEXT_MAX];
	size_t pages = 0;

	(void)state;
	filter(&s);
	s.limit = 37;
	got.count = 0;
	for (;; pages++) {
		buf_reset(&rows);
		struct query_result r = run(&s, 1000);
		collect(&rows, s.axis);
		if (!r.more)
			break;
		memcpy(cursor, r.next_cursor, sizeof cursor);
		s.cursor = bytes_str(cursor);
		struct world_record new = {.created_ms = START + (100 + (int64_t)pages) * DAY_MS,
					   .updated_ms = START};
		snprintf(new.id, sizeof new.id, "new%zu", pages);
		world_doc(&new, "open", "new", 1, NULL, NULL);
		world_put(&world, "conversations", &new);
		/* The same record in another state stays where its creation puts it. */
		struct world_record old = world.records[world_random(&world, 500)];
		old.updated_ms += 1000;
		world_doc(&old, "closed", "changed", (int64_t)pages, NULL, NULL);
		world_put(&world, "conversations", &old);
		world_commit(&world);
	}
	assert_true(pages > 10);
	same(false);
	buf_release(&rows);
}

static void a_snapshot_does_not_move(void **state)
{
	struct buf rows = {0};
	struct query_spec s = spec_of(&rows);
	struct snapshot *v = snapshot_new(world.store);
	struct query *q;
	struct why why;

	(void)state;
	filter(&s);
	assert_int_equal(query_open(v, &s, &q, &why), 0);
	assert_int_equal(query_step(q, 50, &why), 1);
	world_fill(&world, 200);
	while (query_step(q, 50, &why) == 1)
		;
	query_free(q);
	snapshot_free(v);
	got.count = 0;
	collect(&rows, s.axis);
	same(false);
	buf_release(&rows);
}

static void totals_without_rows(void **state)
{
	struct arena arena = {0};
	struct query_spec s = spec_of(NULL);

	(void)state;
	s.limit = 0;
	s.want_total = true;
	filter(&s);
	struct query_result r = run(&s, 10);
	assert_int_equal(r.total, expected.count);
	assert_int_equal(r.scanned, 0);
	s.start_ms = START;
	s.end_ms = START + 3 * DAY_MS;
	filter(&s);
	r = run(&s, 10);
	assert_int_equal(r.total, expected.count);
	assert_int_equal(r.read, 0);
	s.where = parse_where("updated > @1700300000", &arena);
	filter(&s);
	r = run(&s, 10);
	assert_int_equal(r.total, expected.count);
	assert_int_equal(r.read, 0);
	s.where = parse_where("state = open", &arena);
	filter(&s);
	r = run(&s, 10);
	assert_int_equal(r.total, expected.count);
	assert_true(r.total_known && !r.more);
	/* Only what the index lets through is read. */
	uint64_t read = r.read;
	assert_true(mode == INDEXED ? read == 0 && r.scanned == 0 : mode == MIXED || read > 0);
	s.where = parse_where("updated > @1700300000 and state = open", &arena);
	filter(&s);
	r = run(&s, 10);
	assert_int_equal(r.total, expected.count);
	assert_true(mode == INDEXED ? r.read == 0 : mode == MIXED || (r.read > 0 && r.read < read));
	s.want_total = false;
	r = run(&s, 10);
	assert_false(r.total_known);
	assert_int_equal(r.scanned, 0);
	arena_release(&arena);
}

static void a_total_is_known_when_it_was_seen(void **state)
{
	struct buf rows = {0};
	struct query_spec s = spec_of(&rows);
	struct query_result r = run(&s, 10000);

	(void)state;
	filter(&s);
	assert_true(r.total_known);
	assert_int_equal(r.total, expected.count);
	s.limit = 5;
	r = run(&s, 10000);
	assert_false(r.total_known);
	assert_true(r.more);
	buf_release(&rows);
}

static void the_first_row_is_given_whatever_its_size(void **state)
{
	struct buf rows = {0};
	struct query_spec s = spec_of(&rows);

	(void)state;
	s.bytes_max = 1;
	buf_put_str(&rows, "before");
	struct query_result r = run(&s, 1000);
	assert_int_equal(r.rows, 1);
	assert_true(r.more);
	assert_memory_equal(rows.data, "before", 6);
	buf_release(&rows);
}

static void refused(const struct query_spec *s, int code, const char *words)
{
	struct snapshot *v = snapshot_new(world.store);
	struct query *q = NULL;
	struct why why;

	assert_int_equal(query_open(v, s, &q, &why), code);
	assert_non_null(strstr(why.text, words));
	assert_null(q);
	snapshot_free(v);
}

static void a_cursor_of_another_question_is_refused(void **state)
{
	struct arena arena = {0};
	struct buf rows = {0};
	struct query_spec s = spec_of(&rows), other;
	static const char words[] = "this cursor belongs to another question";

	(void)state;
	s.limit = 3;
	s.where = parse_where("created > 400 days ago and number >= 0", &arena);
	struct query_result r = run(&s, 1000);
	s.cursor = bytes_str(r.next_cursor);
	assert_int_equal(run(&s, 1000).rows, 3);
	other = s;
	other.where = NULL;
	refused(&other, ERR_INVALID, words);
	other.where = parse_where("created > 401 days ago and number >= 0", &arena);
	refused(&other, ERR_INVALID, words);
	other.where = parse_where("created > 400 days ago or number >= 0", &arena);
	refused(&other, ERR_INVALID, words);
	other = s;
	other.axis = AXIS_UPDATED;
	refused(&other, ERR_INVALID, words);
	other = s;
	other.resource = "contacts";
	refused(&other, ERR_INVALID, words);
	other = s;
	other.source = "other";
	refused(&other, ERR_INVALID, words);
	other = s;
	other.ascending = true;
	refused(&other, ERR_INVALID, words);
	other = s;
	other.cursor = bytes_str("x");
	refused(&other, ERR_INVALID, "this is not a cursor");
	/* Another page size and other fields are the same question. */
	struct bytes names[] = {bytes_str("state"), bytes_str("created")};
	other = s;
	other.limit = 4;
	other.names = names;
	other.name_count = 2;
	assert_int_equal(run(&other, 1000).rows, 4);
	buf_release(&rows);
	arena_release(&arena);
}

static void a_resource_without_records(void **state)
{
	struct buf rows = {0};
	struct query_spec s = spec_of(&rows);

	(void)state;
	s.resource = "segments";
	s.want_total = true;
	struct query_result r = run(&s, 10);
	assert_int_equal(r.rows, 0);
	assert_int_equal(r.total, 0);
	assert_true(r.total_known && !r.more);
	buf_release(&rows);
}

static void a_full_buffer_is_an_error_that_stays(void **state)
{
	struct buf rows;
	struct snapshot *v = snapshot_new(world.store);
	struct query *q;
	struct why why;

	(void)state;
	buf_init(&rows, 2000);
	struct query_spec s = spec_of(&rows);
	assert_int_equal(query_open(v, &s, &q, &why), 0);
	assert_int_equal(query_step(q, 100000, &why), ERR_LIMIT);
	assert_string_equal(why.text, "the answer is too large: ask for fewer rows or fewer fields");
	memset(&why, 0, sizeof why);
	assert_int_equal(query_step(q, 100000, &why), ERR_LIMIT);
	assert_string_equal(why.text, "the answer is too large: ask for fewer rows or fewer fields");
	query_free(q);
	snapshot_free(v);
	buf_release(&rows);
}

static void a_step_keeps_to_its_budget(void **state)
{
	struct arena arena = {0};
	struct buf rows = {0};
	struct query_spec s = spec_of(&rows);
	struct snapshot *v = snapshot_new(world.store);
	struct query *q;
	struct why why;

	(void)state;
	s.where = parse_where("title = nothing", &arena);
	s.limit = 1;
	assert_int_equal(query_open(v, &s, &q, &why), 0);
	assert_int_equal(query_step(q, 20, &why), 1);
	assert_in_range(query_result(q)->scanned, 10, 20);
	query_free(q);
	snapshot_free(v);
	buf_release(&rows);
	arena_release(&arena);
}

/* Changes one byte of the first record of some segment behind the store's back. */
static void damage_a_record(void)
{
	char command[200], path[300] = "";

	snprintf(command, sizeof command, "find '%s' -name '*.seg' | sort | head -1", world.dir);
	FILE *found = popen(command, "r");
	assert_non_null(found);
	assert_non_null(fgets(path, sizeof path, found));
	pclose(found);
	path[strcspn(path, "\n")] = 0;
	FILE *f = fopen(path, "r+b");
	assert_non_null(f);
	/* The data area begins behind the header page; the frame's check sum and the id's length come first. */
	assert_int_equal(fseek(f, 4096 + 8, SEEK_SET), 0);
	int byte = fgetc(f);
	assert_int_equal(fseek(f, 4096 + 8, SEEK_SET), 0);
	fputc(byte ^ 0x55, f);
	assert_int_equal(fclose(f), 0);
}

/* The last test: it begins a world of its own. */
static void a_damaged_record_costs_itself_only(void **state)
{
	struct buf rows = {0};
	struct query_spec s = spec_of(&rows);
	struct query *q;
	struct why why;

	(void)state;
	world_close(&world);
	world_open(&world, 9);
	for (int i = 0; i < 5; i++) {
		struct world_record r = {.created_ms = START + i, .updated_ms = START + i};
		snprintf(r.id, sizeof r.id, "r%d", i);
		world_doc(&r, "open", "title", i, NULL, NULL);
		world_put(&world, "conversations", &r);
	}
	world_commit(&world);
	damage_a_record();
	world_reopen(&world);
	struct snapshot *v = snapshot_new(world.store);
	s.whole = true;
	assert_int_equal(query_open(v, &s, &q, &why), 0);
	while (query_step(q, 100, &why) == 1)
		;
	assert_int_equal(query_result(q)->damaged, 1);
	assert_int_equal(query_result(q)->rows, 4);
	query_free(q);
	snapshot_free(v);
	buf_release(&rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_page_shows_what_a_filter_finds),
		cmocka_unit_test(named_ones_are_looked_up),
		cmocka_unit_test(columns_show_what_records_do),
		cmocka_unit_test(pages_together_are_the_whole),
		cmocka_unit_test(a_cursor_stands_at_every_position),
		cmocka_unit_test(commits_between_pages_do_not_disturb),
		cmocka_unit_test(a_snapshot_does_not_move),
		cmocka_unit_test(totals_without_rows),
		cmocka_unit_test(a_total_is_known_when_it_was_seen),
		cmocka_unit_test(the_first_row_is_given_whatever_its_size),
		cmocka_unit_test(a_cursor_of_another_question_is_refused),
		cmocka_unit_test(a_resource_without_records),
		cmocka_unit_test(a_full_buffer_is_an_error_that_stays),
		cmocka_unit_test(a_step_keeps_to_its_budget),
		cmocka_unit_test(a_flow_is_the_whole),
		cmocka_unit_test(a_damaged_record_costs_itself_only),
	};
	int failed = 0;

	for (mode = PLAIN; mode <= MIXED; mode++)
		failed += cmocka_run_group_tests(tests, setup, teardown);
	return failed;
}
