/* aggregate: against plain sums over the same records; buckets against the calendar; memory; percentiles. */
#include "support/world.h"

#include <codec/msgpack.h>
#include <query/aggregate.h>

#include "bucket.h"
#include "summary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define DAY_MS INT64_C(86400000)
#define START  INT64_C(1700000000000)

static struct world world;

/* ---- the oracle: groups as texts, numbers as lists ---- */

#define ORACLE_GROUPS 2000
#define ORACLE_TOKENS 3

struct oracle_group {
	char key[400];
	uint64_t count;
	double *numbers;
	size_t n;
};

static struct oracle_group oracle[ORACLE_GROUPS];
static size_t oracle_count;
static uint64_t oracle_records;

static void oracle_reset(void)
{
	for (size_t i = 0; i < oracle_count; i++)
		free(oracle[i].numbers);
	memset(oracle, 0, sizeof oracle);
	oracle_count = 0;
	oracle_records = 0;
}

static void oracle_add(const char *key, bool has, double number)
{
	size_t i = 0;

	while (i < oracle_count && strcmp(oracle[i].key, key) != 0)
		i++;
	assert_true(i < ORACLE_GROUPS);
	if (i == oracle_count)
		snprintf(oracle[oracle_count++].key, sizeof oracle[0].key, "%s", key);
	oracle[i].count++;
	if (!has)
		return;
	oracle[i].numbers = realloc(oracle[i].numbers, (oracle[i].n + 1) * sizeof(double));
	assert_non_null(oracle[i].numbers);
	oracle[i].numbers[oracle[i].n++] = number;
}

/* A value as text, for keys. */
static void show(struct bytes value, char *out, size_t size)
{
	struct mp_value v;

	assert_true(mp_get(value, &v));
	switch (v.type) {
	case MP_NIL: snprintf(out, size, "-"); break;
	case MP_BOOL: snprintf(out, size, "%s", v.boolean ? "true" : "false"); break;
	case MP_INT: snprintf(out, size, "%lld", (long long)v.integer); break;
	case MP_FLOAT: snprintf(out, size, "%.6f", v.real); break;
	case MP_STR: snprintf(out, size, "'%.*s'", (int)v.str.len, (const char *)v.str.data); break;
	default: fail_msg("a value of type %d", v.type);
	}
}

/* UTC buckets by the plainest arithmetic there is. */
static int64_t plain_bucket(const char *name, int64_t ms)
{
	int64_t day = ms / DAY_MS, walk = day;
	int year, month, in_month;

	if (strcmp(name, "hour") == 0)
		return ms / 3600000 * 3600000;
	if (strcmp(name, "day") == 0)
		return day * DAY_MS;
	if (strcmp(name, "week") == 0) {
		/* 2023-11-13 was a Monday. */
		int64_t monday = date_days(2023, 11, 13);
		while ((walk - monday) % 7)
			walk--;
		return walk * DAY_MS;
	}
	date_of_days(day, &year, &month, &in_month);
	return (day - in_month + 1) * DAY_MS;
}

/* The texts of a token's values in a record, each once; "-" when there is none. */
static size_t token_values(const char *token, const struct record *r, char out[][120])
{
	char name[20] = "", when[TIME_TEXT_MAX];
	const char *colon = strchr(token, ':');
	struct buf b = {0};
	size_t n = 0;

	snprintf(name, sizeof name, "%.*s", (int)(colon ? colon - token : (int)strlen(token)), token);
	bool bucketed = strcmp(name, "hour") == 0 || strcmp(name, "day") == 0 ||
			strcmp(name, "week") == 0 || strcmp(name, "month") == 0;
	if (bucketed) {
		int64_t ms = r->created_ms;
		if (colon && strcmp(colon, ":updated") == 0)
			ms = r->updated_ms;
		if (colon && strcmp(colon, ":due") == 0) {
			struct bytes due;
			ms = TIME_NONE;
			if (mp_find(r->doc, bytes_str("due"), &due) == 1) {
				struct mp_value v;
				assert_true(mp_get(due, &v));
				ms = v.integer * 1000;
			}
		}
		if (ms == TIME_NONE)
			snprintf(out[0], 120, "-");
		else
			snprintf(out[0], 120, "'%s'", time_text(plain_bucket(name, ms), true, when));
		return 1;
	}
	const struct field *f = field_find(world_fields, bytes_str(token));
	struct mp_reader reader;
	struct mp_value head;
	struct bytes item;
	assert_true(field_value(f, r->doc, &b) >= 0);
	reader = mp_reader_of(buf_bytes(&b));
	assert_int_equal(mp_next(&reader, &head), 1);
	if (head.type != MP_ARRAY) {
		show(buf_bytes(&b), out[n++], 120);
	} else {
		while (mp_take(&reader, &item) == 1) {
			show(item, out[n], 120);
			bool twice = false;
			for (size_t i = 0; i < n; i++)
				twice |= strcmp(out[i], out[n]) == 0;
			n += !twice;
		}
		if (n == 0)
			snprintf(out[n++], 120, "-");
	}
	buf_release(&b);
	return n;
}

static void add_record(const struct record *r, const struct bytes *tokens, size_t count,
		       const char *metric_field)
{
	static char texts[ORACLE_TOKENS][8][120];
	size_t n[ORACLE_TOKENS] = {1, 1, 1};
	struct buf b = {0};
	struct mp_value v;
	double number = 0;

	for (size_t i = 0; i < count; i++)
		n[i] = token_values((const char *)tokens[i].data, r, texts[i]);
	bool has = field_value(field_find(world_fields, bytes_str(metric_field)), r->doc, &b) == 1;
	if (has) {
		assert_true(mp_get(buf_bytes(&b), &v));
		number = v.type == MP_INT ? (double)v.integer : v.real;
	}
	buf_release(&b);
	oracle_records++;
	for (size_t i = 0; i < n[0]; i++)
		for (size_t j = 0; j < n[1]; j++)
			for (size_t k = 0; k < n[2]; k++) {
				char key[400] = "";
				size_t at[] = {i, j, k};
				for (size_t t = 0; t < count; t++) {
					size_t len = strlen(key);
					snprintf(key + len, sizeof key - len, "%s|", texts[t][at[t]]);
				}
				oracle_add(key, has, number);
			}
}

static void ask_oracle(const struct aggregate_spec *s, const char *metric_field)
{
	struct buf scratch = {0};

	oracle_reset();
	for (size_t i = 0; i < world.count; i++) {
		struct record r = world_record_of(&world.records[i]);
		int64_t ms = s->axis == AXIS_UPDATED ? r.updated_ms : r.created_ms;
		bool open = s->start_ms == TIME_MIN && s->end_ms == TIME_MAX;
		if (r.flags & RECORD_DELETED ||
		    (!open && (ms == TIME_NONE || ms < s->start_ms || ms >= s->end_ms)) ||
		    (s->where && where_match(s->where, &r, &scratch) != 1))
			continue;
		add_record(&r, s->group_by, s->group_by_count, metric_field);
	}
	if (s->group_by_count == 0 && oracle_count == 0) {
		oracle_count = 1;
		oracle[0].count = 0;
	}
	buf_release(&scratch);
}

/* ---- comparing ---- */

static struct aggregate_result run(struct snapshot *v, const struct aggregate_spec *spec,
				   unsigned budget)
{
	struct aggregate *a;
	struct why why;
	int rc = aggregate_open(v, spec, &a, &why);

	if (rc)
		fail_msg("%s", why.text);
	while ((rc = aggregate_step(a, budget, &why)) == 1)
		;
	if (rc)
		fail_msg("%s", why.text);
	assert_int_equal(aggregate_step(a, budget, &why), 0);
	struct aggregate_result result = *aggregate_result(a);
	aggregate_free(a);
	assert_int_equal(result.damaged, 0);
	return result;
}

static bool number_at(struct bytes map, const char *name, double *out)
{
	struct bytes value;
	struct mp_value v;

	assert_int_equal(mp_find(map, bytes_str(name), &value), 1);
	assert_true(mp_get(value, &v));
	*out = v.type == MP_INT ? (double)v.integer : v.real;
	assert_true(v.type == MP_INT || v.type == MP_FLOAT || v.type == MP_NIL);
	return v.type != MP_NIL;
}

static int by_number(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void same_number(struct bytes map, const char *metric, const char *field, bool known,
			double expected)
{
	char name[60];
	double got;

	snprintf(name, sizeof name, "%s:%s", metric, field);
	assert_int_equal(number_at(map, name, &got), known);
	if (known && fabs(got - expected) > 1e-9 * (1 + fabs(expected)))
		fail_msg("%s is %f, not %f", name, got, expected);
}

static void same_metrics(struct bytes map, struct oracle_group *g, const char *field)
{
	static const int percents[] = {50, 90, 99};
	double sum = 0;
	char name[8];

	if (g->n)
		qsort(g->numbers, g->n, sizeof(double), by_number);
	for (size_t i = 0; i < g->n; i++)
		sum += g->numbers[i];
	same_number(map, "count", field, true, (double)g->n);
	same_number(map, "sum", field, g->n, sum);
	same_number(map, "avg", field, g->n, g->n ? sum / (double)g->n : 0);
	same_number(map, "min", field, g->n, g->n ? g->numbers[0] : 0);
	same_number(map, "max", field, g->n, g->n ? g->numbers[g->n - 1] : 0);
	for (int i = 0; i < 3; i++) {
		size_t rank = 0;
		while (rank * 100 < (size_t)percents[i] * g->n)
			rank++;
		snprintf(name, sizeof name, "p%d", percents[i]);
		same_number(map, name, field, g->n, g->n ? g->numbers[rank - 1] : 0);
	}
}

static void same_groups(const struct buf *groups, const struct aggregate_spec *s,
			const struct aggregate_result *result, const char *metric_field)
{
	struct mp_reader r = mp_reader_of(buf_bytes(groups));
	struct bytes map, value;
	size_t n = 0;
	double before = INFINITY;
	bool by_time = false;

	for (size_t i = 0; i < s->group_by_count; i++)
		by_time |= strcmp((const char *)s->group_by[i].data, "state") != 0 &&
			   !field_find(world_fields, s->group_by[i]);
	for (; mp_take(&r, &map) == 1; n++) {
		char key[400] = "", text[120];
		double count;
		size_t i = 0;
		assert_int_equal(mp_check(map), 0);
		for (size_t t = 0; t < s->group_by_count; t++) {
			assert_int_equal(mp_find(map, s->group_by[t], &value), 1);
			show(value, text, sizeof text);
			snprintf(key + strlen(key), sizeof key - strlen(key), "%s|", text);
		}
		while (i < oracle_count && strcmp(oracle[i].key, key) != 0)
			i++;
		if (i == oracle_count)
			fail_msg("there is no group %s", key);
		assert_true(number_at(map, "count", &count));
		assert_int_equal((uint64_t)count, oracle[i].count);
		if (!by_time)
			assert_true(count <= before);
		before = count;
		if (s->metric_count)
			same_metrics(map, &oracle[i], metric_field);
	}
	assert_int_equal(n, oracle_count);
	assert_int_equal(result->groups, oracle_count);
	assert_int_equal(result->groups_found, oracle_count);
	assert_int_equal(result->records, oracle_records);
}

/* ---- random questions ---- */

static const char *const tokens[] = {"state", "labels", "late",     "kind",         "number",
				     "day",   "week",   "month",    "day:updated",  "week:due",
				     "hour",  "cost",   "hour:due", "month:updated"};
static const char *const wheres[] = {NULL,
				     NULL,
				     NULL,
				     "state = open",
				     "labels contains vip",
				     "number < 30 and state = open",
				     "created > 2023-11-20",
				     "title ~ 1 or late",
				     "not labels exists",
				     "doc.statistics.reopens >= 1"};

static void one_question(struct snapshot *v, struct arena *arena)
{
	static const char *const names[] = {"count", "min", "max", "sum",
					    "avg",   "p50", "p90", "p99"};
	char words[8][40];
	struct bytes by[3], metrics[8];
	struct buf groups = {0};
	struct why why;
	size_t n = (size_t)world_random(&world, 4), first = (size_t)world_random(&world, 14);
	const char *metric_field = world_random(&world, 2) ? "number" : "cost";
	const char *where = wheres[world_random(&world, sizeof wheres / sizeof *wheres)];
	struct aggregate_spec s = {.resource = "conversations",
				   .fields = world_fields,
				   .axis = world_random(&world, 3) ? AXIS_CREATED : AXIS_UPDATED,
				   .start_ms = TIME_MIN,
				   .end_ms = TIME_MAX,
				   .group_by = by,
				   .metrics = metrics,
				   .groups = &groups};

	/* Most questions are about few parts; many parts make more groups than the oracle is made for. */
	for (size_t i = 0; i < n; i++)
		by[i] = bytes_str(tokens[(first + i * 5) % (i ? 7 : 14)]);
	for (size_t i = 1; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (bytes_equal(by[i], by[k]))
				n = i;
	s.group_by_count = n;
	for (size_t i = 0; i < 8; i++) {
		snprintf(words[i], sizeof words[i], "%s:%s", names[i], metric_field);
		metrics[i] = bytes_str(words[i]);
	}
	s.metric_count = world_random(&world, 3) ? 8 : 0;
	if (world_random(&world, 2))
		s.start_ms = START + (int64_t)world_random(&world, 40) * DAY_MS / 4;
	if (world_random(&world, 2))
		s.end_ms = START + (int64_t)world_random(&world, 44) * DAY_MS / 4;
	if (where)
		assert_int_equal(where_parse(bytes_str(where), world_fields, START, NULL, arena,
					     &s.where, &why),
				 0);
	s.memory_max = 64 << 20;
	struct aggregate_result result = run(v, &s, world_random(&world, 2) ? 7 : 100000);
	ask_oracle(&s, metric_field);
	same_groups(&groups, &s, &result, metric_field);
	buf_release(&groups);
}

static void questions(int n)
{
	struct arena arena;

	arena_init(&arena, 1 << 24);
	for (int i = 0; i < n; i++) {
		struct snapshot *v = snapshot_new(world.store);
		one_question(v, &arena);
		snapshot_free(v);
	}
	arena_release(&arena);
}

static void random_questions_are_as_plain_sums_say(void **state)
{
	(void)state;
	for (int i = 0; i < 6; i++) {
		world_indexed = i != 5;
		world_open(&world, 100 + (uint64_t)i);
		questions(2);
		world_fill(&world, 150);
		questions(20);
		world_fill(&world, 500);
		questions(20);
		/* Segments, and merged ones. */
		store_flush(world.store);
		while (store_work(world.store))
			;
		questions(20);
		world_fill(&world, 100);
		questions(10);
		world_reopen(&world);
		questions(10);
		world_close(&world);
	}
	world_indexed = false;
	oracle_reset();
}

/* ---- single cases ---- */

static int open_rc(struct snapshot *v, const char *by, const char *metric, struct why *why)
{
	struct bytes b = bytes_str(by), m = bytes_str(metric ? metric : "");
	struct buf groups = {0};
	struct aggregate *a = NULL;
	const struct aggregate_spec s = {.resource = "conversations",
					 .fields = world_fields,
					 .start_ms = TIME_MIN,
					 .end_ms = TIME_MAX,
					 .group_by = &b,
					 .group_by_count = *by ? 1 : 0,
					 .metrics = &m,
					 .metric_count = metric ? 1 : 0,
					 .groups = &groups};
	int rc = aggregate_open(v, &s, &a, why);

	if (!rc)
		aggregate_free(a);
	return rc;
}

static void what_cannot_be_asked_is_said(void **state)
{
	struct why why;

	(void)state;
	world_open(&world, 1);
	struct snapshot *v = snapshot_new(world.store);
	assert_int_equal(open_rc(v, "stat", NULL, &why), ERR_NOTFOUND);
	assert_non_null(strstr(why.text, "did you mean state?"));
	assert_int_equal(open_rc(v, "doc.statistics.reopens", NULL, &why), ERR_INVALID);
	assert_int_equal(open_rc(v, "due", NULL, &why), ERR_INVALID);
	assert_non_null(strstr(why.text, "day:due"));
	assert_int_equal(open_rc(v, "day:state", NULL, &why), ERR_INVALID);
	assert_int_equal(open_rc(v, "", "avg", &why), ERR_INVALID);
	assert_int_equal(open_rc(v, "", "avg:state", &why), ERR_INVALID);
	assert_int_equal(open_rc(v, "", "sum:due", &why), ERR_INVALID);
	assert_int_equal(open_rc(v, "", "mean:number", &why), ERR_INVALID);
	assert_non_null(strstr(why.text, "as in avg:"));
	assert_int_equal(open_rc(v, "", "median:number", &why), 0);
	assert_int_equal(open_rc(v, "", "count:state", &why), 0);
	assert_int_equal(open_rc(v, "state", "max:due", &why), 0);
	snapshot_free(v);
	world_close(&world);
}

static void more_groups_than_fit_is_an_error(void **state)
{
	struct bytes by[] = {bytes_str("title"), bytes_str("hour")};
	struct buf groups = {0};
	struct aggregate *a;
	struct why why = {""};
	struct aggregate_spec s = {.resource = "conversations",
				   .fields = world_fields,
				   .start_ms = TIME_MIN,
				   .end_ms = TIME_MAX,
				   .group_by = by,
				   .group_by_count = 2,
				   .memory_max = 16 << 10,
				   .groups = &groups};
	int rc;

	(void)state;
	world_indexed = true;
	world_open(&world, 2);
	world_fill(&world, 600);
	struct snapshot *v = snapshot_new(world.store);
	assert_int_equal(aggregate_open(v, &s, &a, &why), 0);
	while ((rc = aggregate_step(a, 50, &why)) == 1)
		;
	assert_int_equal(rc, ERR_LIMIT);
	assert_non_null(strstr(why.text, "more groups than fit"));
	assert_int_equal(aggregate_step(a, 50, &why), ERR_LIMIT);
	aggregate_free(a);
	/* A limit of groups is about what is shown, and in their order. */
	s.group_by_count = 0;
	s.group_by = (struct bytes[]){bytes_str("number")};
	s.group_by_count = 1;
	s.limit = 3;
	s.memory_max = 0;
	struct aggregate_result r = run(v, &s, 50);
	assert_int_equal(r.groups, 3);
	assert_true(r.groups_found > 50);
	buf_release(&groups);
	snapshot_free(v);
	world_close(&world);
	world_indexed = false;
}

/* One keyword over a span of creation looks at no row. */
static void a_keyword_is_counted_from_terms(void **state)
{
	struct bytes by = bytes_str("state");
	struct buf groups = {0};
	const struct aggregate_spec s = {.resource = "conversations",
					 .fields = world_fields,
					 .start_ms = START + DAY_MS,
					 .end_ms = START + 8 * DAY_MS,
					 .group_by = &by,
					 .group_by_count = 1,
					 .groups = &groups};

	(void)state;
	world_indexed = true;
	world_open(&world, 3);
	world_fill(&world, 800);
	struct snapshot *v = snapshot_new(world.store);
	struct aggregate_result r = run(v, &s, 5);
	assert_int_equal(r.scanned, 0);
	assert_int_equal(r.read, 0);
	ask_oracle(&s, "number");
	same_groups(&groups, &s, &r, "number");
	assert_true(r.records > 100);
	buf_release(&groups);
	snapshot_free(v);
	world_close(&world);
	world_indexed = false;
	oracle_reset();
}

/* Few dead rows in long lists are looked up, not passed by. */
static void rows_that_died_do_not_count(void **state)
{
	struct bytes by = bytes_str("state");
	struct buf groups = {0};
	struct aggregate_spec s = {.resource = "conversations",
				   .fields = world_fields,
				   .start_ms = TIME_MIN,
				   .end_ms = TIME_MAX,
				   .group_by = &by,
				   .group_by_count = 1,
				   .groups = &groups};

	(void)state;
	world_indexed = true;
	world_open(&world, 5);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < (round ? 6 : 2000); i++) {
			struct world_record r = {.deleted = round && i % 3 == 0};
			int n = round ? i * 331 + 7 : i;
			r.created_ms = START + n * INT64_C(1000);
			r.updated_ms = r.created_ms + round * 1000;
			snprintf(r.id, sizeof r.id, "%d", n);
			world_doc(&r, (n + round) % 4 ? "open" : "closed", NULL, n, NULL, NULL);
			world_put(&world, "conversations", &r);
		}
		world_commit(&world);
		if (round == 0)
			store_flush(world.store);
	}
	for (int i = 0; i < 20; i++) {
		struct snapshot *v = snapshot_new(world.store);
		buf_reset(&groups);
		if (i) {
			s.start_ms = START + (int64_t)world_random(&world, 900000);
			s.end_ms = s.start_ms + (int64_t)world_random(&world, 1500000);
		}
		struct aggregate_result r = run(v, &s, 50);
		assert_int_equal(r.scanned, 0);
		ask_oracle(&s, "number");
		same_groups(&groups, &s, &r, "number");
		snapshot_free(v);
	}
	buf_release(&groups);
	world_close(&world);
	world_indexed = false;
	oracle_reset();
}

/* A text that is longer than a term stands in the record only: terms give up, columns do, too. */
static void long_texts_are_groups_as_well(void **state)
{
	char text[300];
	struct bytes by = bytes_str("kind");
	struct buf groups = {0};
	const struct aggregate_spec s = {.resource = "conversations",
					 .fields = world_fields,
					 .start_ms = TIME_MIN,
					 .end_ms = TIME_MAX,
					 .group_by = &by,
					 .group_by_count = 1,
					 .groups = &groups};
	struct mp_reader r;
	struct bytes map;
	int n = 0;

	(void)state;
	world_indexed = true;
	world_open(&world, 4);
	for (int i = 0; i < 40; i++) {
		struct world_record record = {.created_ms = START + i, .updated_ms = START + i};
		snprintf(record.id, sizeof record.id, "%d", i);
		memset(text, 'k', sizeof text);
		text[i % 4 == 3 ? 0 : 100 + i % 4 * 60] = 0;
		world_doc(&record, "open", NULL, i, NULL, i % 8 == 7 ? NULL : text);
		world_put(&world, "conversations", &record);
	}
	world_commit(&world);
	struct snapshot *v = snapshot_new(world.store);
	struct aggregate_result result = run(v, &s, 10);
	assert_int_equal(result.groups, 4);
	for (r = mp_reader_of(buf_bytes(&groups)); mp_take(&r, &map) == 1; n++) {
		int64_t count;
		assert_true(mp_find_int(map, "count", &count));
		assert_int_equal(count, 10);
	}
	assert_int_equal(n, 4);
	buf_release(&groups);
	snapshot_free(v);
	world_close(&world);
	world_indexed = false;
}

/* ---- buckets ---- */

static int64_t at(const char *text)
{
	int64_t ms;

	assert_int_equal(time_parse(bytes_str(text), &ms), 0);
	return ms;
}

static void in_bucket(const struct zone *z, enum bucket b, const char *moment, const char *start)
{
	struct bucket_span last = {0, 0};
	char text[TIME_TEXT_MAX];
	int64_t got;

	assert_true(bucket_start(b, z, at(moment), &last, &got));
	if (got != at(start))
		fail_msg("%s is in the bucket of %s, not %s", moment, time_text(got, false, text),
			 start);
}

static void buckets_follow_the_clocks(void **state)
{
	struct zone *z;
	struct why why;

	(void)state;
	/* Clocks as in Paris: forward on 2026-03-29 01:00Z, back on 2026-10-25 01:00Z. */
	assert_int_equal(zone_load(bytes_str("CET-1CEST,M3.5.0,M10.5.0/3"), &z, &why), 0);
	in_bucket(z, BUCKET_DAY, "2026-03-28T22:59:59.999Z", "2026-03-27T23:00:00Z");
	in_bucket(z, BUCKET_DAY, "2026-03-28T23:00:00Z", "2026-03-28T23:00:00Z");
	in_bucket(z, BUCKET_DAY, "2026-03-29T21:59:59Z", "2026-03-28T23:00:00Z"); /* 23 hours */
	in_bucket(z, BUCKET_DAY, "2026-03-29T22:00:00Z", "2026-03-29T22:00:00Z");
	in_bucket(z, BUCKET_DAY, "2026-10-24T22:00:00Z", "2026-10-24T22:00:00Z");
	in_bucket(z, BUCKET_DAY, "2026-10-25T22:59:59Z", "2026-10-24T22:00:00Z"); /* 25 hours */
	in_bucket(z, BUCKET_DAY, "2026-10-25T23:00:00Z", "2026-10-25T23:00:00Z");
	/* 02:00 to 03:00 comes twice: two buckets. */
	in_bucket(z, BUCKET_HOUR, "2026-10-25T00:30:00Z", "2026-10-25T00:00:00Z");
	in_bucket(z, BUCKET_HOUR, "2026-10-25T01:30:00Z", "2026-10-25T01:00:00Z");
	in_bucket(z, BUCKET_WEEK, "2026-03-29T21:59:59Z", "2026-03-22T23:00:00Z");
	in_bucket(z, BUCKET_WEEK, "2026-03-29T22:00:00Z", "2026-03-29T22:00:00Z");
	in_bucket(z, BUCKET_MONTH, "2026-03-31T21:59:59Z", "2026-02-28T23:00:00Z");
	in_bucket(z, BUCKET_MONTH, "2026-03-31T22:00:00Z", "2026-03-31T22:00:00Z");
	in_bucket(z, BUCKET_MONTH, "2026-12-31T23:00:00Z", "2026-12-31T23:00:00Z");
	in_bucket(NULL, BUCKET_WEEK, "2026-11-22T23:59:59Z", "2026-11-16T00:00:00Z");
	in_bucket(NULL, BUCKET_WEEK, "1969-12-31T00:00:00Z", "1969-12-29T00:00:00Z");
	in_bucket(NULL, BUCKET_MONTH, "1968-02-29T12:00:00Z", "1968-02-01T00:00:00Z");
	zone_free(z);
	/* Hours of a zone that is half an hour beside the others. */
	assert_int_equal(zone_load(bytes_str("<+0530>-5:30"), &z, &why), 0);
	in_bucket(z, BUCKET_HOUR, "2026-11-20T10:45:00Z", "2026-11-20T10:30:00Z");
	in_bucket(z, BUCKET_DAY, "2026-11-20T18:30:00Z", "2026-11-20T18:30:00Z");
	zone_free(z);
	/* Clocks that go back over midnight: 00:30 to 23:30 the day before. */
	assert_int_equal(zone_load(bytes_str("<-03>3<-02>,M3.5.0,M10.5.0/0:30"), &z, &why), 0);
	in_bucket(z, BUCKET_DAY, "2026-10-25T02:15:00Z", "2026-10-25T02:00:00Z");
	in_bucket(z, BUCKET_DAY, "2026-10-25T02:45:00Z", "2026-10-25T02:00:00Z");
	in_bucket(z, BUCKET_DAY, "2026-10-25T03:15:00Z", "2026-10-25T02:00:00Z");
	zone_free(z);
}

/* Whatever the order in which moments come, and in every zone, buckets part the line of time. */
static void buckets_part_time(void **state)
{
	static const char *const zones[] = {"CET-1CEST,M3.5.0,M10.5.0/3",
					    "<-03>3<-02>,M3.5.0,M10.5.0/0:30",
					    "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "UTC"};
	struct why why;
	struct zone *z;

	(void)state;
	for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
		assert_int_equal(zone_load(bytes_str(zones[i]), &z, &why), 0);
		for (int b = BUCKET_DAY; b <= BUCKET_MONTH; b++) {
			struct bucket_span last = {0, 0}, fresh;
			int64_t before = INT64_MIN, start, alone;
			for (int64_t ms = at("2026-01-01T00:00:00Z");
			     ms < at("2027-01-02T00:00:00Z"); ms += 900000) {
				assert_true(bucket_start((enum bucket)b, z, ms, &last, &start));
				fresh = (struct bucket_span){0, 0};
				assert_true(bucket_start((enum bucket)b, z, ms, &fresh, &alone));
				assert_true(start == alone);
				assert_true(start <= ms && start >= before && ms < fresh.end_ms);
				before = start;
			}
		}
		zone_free(z);
	}
}

/* ---- summaries ---- */

static void percentiles_of_many_stay_near(void **state)
{
	struct allowance a = {0, 1 << 20};
	struct summary s = {0};
	struct number got;
	static double all[60000];

	(void)state;
	world.random = 88172645463325252u;
	for (size_t i = 0; i < 60000; i++) {
		struct number n = {.integer = (int64_t)world_random(&world, 1u << (1 + i % 28))};
		all[i] = (double)n.integer;
		assert_int_equal(summary_add(&s, n, true, &a), 0);
	}
	qsort(all, 60000, sizeof *all, by_number);
	assert_true(a.used <= 40000);
	assert_true(summary_error(&s) > 0 && summary_error(&s) < 0.008);
	for (unsigned p = 1; p <= 100; p++) {
		assert_true(summary_percentile(&s, p, &got));
		double exact = all[600 * p - 1];
		/* Classes of small numbers hold one integer: rounding is exact there. */
		assert_true(fabs((double)got.integer - exact) <= summary_error(&s) * exact + 0.5);
	}
	summary_release(&s);
}

static void percentiles_get_by_with_little_memory(void **state)
{
	struct allowance a = {0, 1024};
	struct summary s = {0};
	struct number got;

	(void)state;
	for (int i = 1; i <= 20000; i++) {
		struct number n = {.is_real = true, .real = i % 2 ? i : -i};
		assert_int_equal(summary_add(&s, n, true, &a), 0);
	}
	assert_true(a.used <= 1024);
	assert_true(summary_error(&s) > 0.008 && summary_error(&s) <= 0.5);
	assert_true(summary_percentile(&s, 90, &got));
	assert_true(fabs(got.real - 16000) <= summary_error(&s) * 16000);
	assert_true(summary_percentile(&s, 100, &got));
	assert_true(got.real <= 19999);
	summary_release(&s);
}

static void sums_neither_wrap_nor_drift(void **state)
{
	struct allowance a = {0, 1024};
	struct summary s = {0}, t = {0};
	struct number sum;

	(void)state;
	for (int i = 0; i < 3; i++)
		summary_add(&s, (struct number){.integer = INT64_MAX}, false, &a);
	assert_true(summary_sum(&s, &sum) && sum.is_real);
	assert_true(fabs(sum.real - 3 * 9.223372036854775807e18) < 1e10);
	summary_add(&t, (struct number){.is_real = true, .real = 1e16}, false, &a);
	for (int i = 0; i < 1000; i++)
		summary_add(&t, (struct number){.is_real = true, .real = 0.5}, false, &a);
	summary_add(&t, (struct number){.is_real = true, .real = -1e16}, false, &a);
	assert_true(summary_sum(&t, &sum));
	assert_true(sum.real == 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_questions_are_as_plain_sums_say),
		cmocka_unit_test(what_cannot_be_asked_is_said),
		cmocka_unit_test(more_groups_than_fit_is_an_error),
		cmocka_unit_test(a_keyword_is_counted_from_terms),
		cmocka_unit_test(rows_that_died_do_not_count),
		cmocka_unit_test(long_texts_are_groups_as_well),
		cmocka_unit_test(buckets_follow_the_clocks),
		cmocka_unit_test(buckets_part_time),
		cmocka_unit_test(percentiles_of_many_stay_near),
		cmocka_unit_test(percentiles_get_by_with_little_memory),
		cmocka_unit_test(sums_neither_wrap_nor_drift),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
