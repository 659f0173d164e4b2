/*
 * Terms, columns and the order of changes against a plain reading of the same records: across many
 * segments, replaced and deleted records, folds, other schemas, and reopening.
 *
 * STORE_TEST_SEED and STORE_TEST_ROUNDS make it another or a longer run.
 */
#include "support/lab.h"

#include <codec/msgpack.h>
#include <codec/words.h>

#include <stdio.h>
#include <stdlib.h>

#define T0      1700000000000
#define RECORDS 400
#define HIGHEST TIME_MAX

static const struct field fields[] = {
	{"state", FIELD_TEXT, "state", NULL},     {"assignee", FIELD_TEXT, "admin.id", NULL},
	{"open", FIELD_BOOL, "open", NULL},       {"tags", FIELD_LIST, "tags.*.name", NULL},
	{"subject", FIELD_HTML, "subject", NULL}, {"body", FIELD_HTML, "source.body", NULL},
	{"count", FIELD_INTEGER, "count", NULL},  {"waiting", FIELD_TIME, "waiting", NULL},
	{"spend", FIELD_REAL, "spend", NULL},     {"long", FIELD_TEXT, "long", NULL},
};

static const struct store_field indexed[] = {
	{&fields[0], STORE_KEYWORD}, {&fields[1], STORE_KEYWORD}, {&fields[2], STORE_KEYWORD},
	{&fields[3], STORE_LIST},    {&fields[4], STORE_TEXT},    {&fields[5], STORE_WORDS},
	{&fields[6], STORE_INTEGER}, {&fields[7], STORE_TIME},    {&fields[8], STORE_INTEGER},
	{&fields[9], STORE_KEYWORD},
};
#define FIELDS 10u

static const struct store_schema all_fields[] = {{"contacts", indexed, FIELDS, NULL},
						 {NULL, NULL, 0, NULL}},
				 some_fields[] = {{"contacts", indexed, 4, NULL},
						  {NULL, NULL, 0, NULL}};

static const char *const vocabulary[] = {"refund", "Invoice", "caf\xc3\xa9",
					 "login",  "ORD-17",  "ada@example.com",
					 "the",    "a",       "\xe6\x9d\xb1\xe4\xba\xac"};
static const char *const states[] = {"open", "closed", "snoozed", "Open"};

static struct lab lab;
static struct store *store;
static uint64_t seed;

static unsigned below(unsigned n)
{
	return (unsigned)(lab_random(&seed) % n);
}

/* ---- documents ---- */

static void put_words(struct buf *out, unsigned n)
{
	struct buf text = {0};

	buf_put_str(&text, "<p>");
	for (unsigned i = 0; i < n; i++) {
		unsigned at = below(9) * below(9) / 8;
		buf_printf(&text, "%s%s", vocabulary[at], below(5) ? " " : "</p><p>");
		if (below(6) == 0)
			buf_printf(&text, "unique%u ", below(5000));
	}
	mp_put_str(out, buf_bytes(&text));
	buf_release(&text);
}

static void make_doc(struct buf *out)
{
	char text[300];

	buf_reset(out);
	mp_put_map(out, 10);
	mp_put_cstr(out, "state");
	mp_put_cstr(out, below(20) ? states[below(4)] : NULL);
	mp_put_cstr(out, "admin");
	mp_put_map(out, 1);
	mp_put_cstr(out, "id");
	mp_put_uint(out, 1000 + below(10));
	mp_put_cstr(out, "open");
	mp_put_bool(out, below(2));
	mp_put_cstr(out, "tags");
	unsigned tags = below(3);
	mp_put_array(out, tags);
	for (unsigned i = 0; i < tags; i++) {
		mp_put_map(out, 1);
		mp_put_cstr(out, "name");
		mp_put_cstr(out, states[below(3)]);
	}
	mp_put_cstr(out, "subject");
	put_words(out, below(below(4) ? 5 : 80));
	mp_put_cstr(out, "source");
	mp_put_map(out, 1);
	mp_put_cstr(out, "body");
	put_words(out, below(60));
	mp_put_cstr(out, "count");
	mp_put_int(out, below(300) ? (int64_t)below(100) - 50
			: below(2) ? INT64_MAX
				   : INT64_MIN + (int64_t)below(2));
	mp_put_cstr(out, "waiting");
	if (below(3))
		mp_put_uint(out, 1700000000 + below(90000) * 60);
	else
		mp_put_nil(out);
	mp_put_cstr(out, "spend");
	if (below(2))
		mp_put_float(out, below(1000) / 8.0);
	else
		mp_put_uint(out, below(1000));
	mp_put_cstr(out, "long");
	snprintf(text, sizeof text, "%0*u", below(8) ? 5 : 126 + (int)below(5), below(30));
	mp_put_cstr(out, text);
}

static void put_some(unsigned n)
{
	struct txn *t = lab_begin(store);
	struct buf doc = {0};
	static int64_t clock = T0;
	char id[40];

	for (unsigned i = 0; i < n; i++) {
		unsigned k = below(RECORDS);
		bool dead = below(12) == 0;
		snprintf(id, sizeof id, k % 3 ? "%u" : "contact-%024u", k);
		make_doc(&doc);
		clock += 1000;
		struct record r = {.id = bytes_str(id),
				   .parent = bytes_str(k % 5   ? NULL
						       : k % 2 ? "17"
							       : "mother"),
				   .created_ms = k % 17 ? T0 + k * 3600000LL : TIME_NONE,
				   .updated_ms = clock,
				   .seen_ms = clock + 5000,
				   .flags = dead ? RECORD_DELETED : 0,
				   .doc = buf_bytes(&doc)};
		assert_int_equal(txn_put(t, "contacts", &r, NULL, NULL), 0);
	}
	buf_release(&doc);
	assert_int_equal(lab_commit(t), 0);
}

/* ---- what a record has, read plainly ---- */

struct looking {
	struct bytes word;
};

static int is_word(void *ctx, struct bytes word)
{
	return bytes_equal(((struct looking *)ctx)->word, word);
}

static bool value_has(enum store_kind kind, struct bytes text, struct bytes term)
{
	struct looking l = {term};

	return kind == STORE_TEXT || kind == STORE_WORDS ? words_each(text, is_word, &l) == 1
							 : bytes_equal(text, term);
}

static bool record_has(const struct record *r, const struct store_term *t)
{
	struct buf value = {0};
	struct mp_value v;
	bool found = false;

	if (field_value(&fields[t->field], r->doc, &value) == 1) {
		struct mp_reader reader = mp_reader_of(buf_bytes(&value));
		assert_int_equal(mp_next(&reader, &v), 1);
		bool list = v.type == MP_ARRAY;
		uint32_t n = list ? v.count : 1;
		for (uint32_t i = 0; i < n; i++) {
			if (list)
				assert_int_equal(mp_next(&reader, &v), 1);
			if (v.type == MP_BOOL)
				found |= bytes_is(t->text, v.boolean ? "true" : "false");
			else if (v.type == MP_STR)
				found |= value_has(indexed[t->field].kind, v.str, t->text);
		}
	}
	buf_release(&value);
	return found;
}

/* ---- comparing ---- */

struct seen {
	struct scan_position position;
	uint64_t revision;
};

/* Rows of a scan that hold in the plain reading; all of them must, where they are certain. */
static size_t read_rows(struct snapshot *v, const struct scan_spec *spec,
			const struct store_term *terms, size_t n, struct seen *out, bool all_certain)
{
	struct buf memory = {0};
	struct scan_row row;
	struct record r;
	struct scan *s;
	size_t count = 0;

	assert_int_equal(scan_open(v, spec, &s, NULL), 0);
	while (scan_next(s, &row) == 1) {
		bool has = true;
		assert_int_equal(scan_record(s, &memory, &r), 1);
		for (size_t i = 0; i < n; i++)
			has &= record_has(&r, &terms[i]);
		if (spec->terms_count && row.certain)
			assert_true(has);
		if (all_certain)
			assert_true(row.certain);
		if (has)
			out[count++] = (struct seen){row.position, row.revision};
	}
	scan_close(s);
	buf_release(&memory);
	return count;
}

static void same_rows(struct snapshot *v, struct scan_spec spec, const struct store_term *terms,
		      size_t n, bool certain)
{
	static struct seen plain[RECORDS], found[RECORDS];
	size_t count = read_rows(v, &spec, terms, n, plain, false);

	spec.terms = terms;
	spec.terms_count = n;
	assert_int_equal(read_rows(v, &spec, terms, n, found, certain), count);
	for (size_t i = 0; i < count; i++)
		assert_true(plain[i].revision == found[i].revision &&
			    plain[i].position.id_hash == found[i].position.id_hash &&
			    plain[i].position.time_ms == found[i].position.time_ms);
	if (count < 2)
		return;
	size_t at = below((unsigned)count - 1);
	spec.after = &plain[at].position;
	assert_int_equal(read_rows(v, &spec, terms, n, found, certain), count - at - 1);
	assert_true(found[0].revision == plain[at + 1].revision);
}

static struct store_term random_term(void)
{
	static char room[8][160];
	static unsigned next;
	char *text = room[next++ % 8];
	unsigned field = below(FIELDS);

	switch (field) {
	case 0:
	case 3: snprintf(text, 160, "%s", states[below(4)]); break;
	case 1: snprintf(text, 160, "%u", 1000 + below(11)); break;
	case 2: snprintf(text, 160, "%s", below(2) ? "true" : "false"); break;
	case 9: snprintf(text, 160, "%0*u", below(3) ? 5 : 126 + (int)below(5), below(30)); break;
	default:
		field = 4 + below(2);
		snprintf(text, 160, "%s",
			 (const char *[]){"refund", "invoice", "ord-17", "17", "ada@example.com",
					  "the", "none", "\xe6\x9d\xb1\xe4\xba\xac"}[below(8)]);
		if (below(4) == 0)
			snprintf(text, 160, "unique%u", below(5000));
	}
	return (struct store_term){field, bytes_str(text)};
}

/* An index does not tell texts apart that are so long. */
static bool keeps(const struct store_term *t)
{
	return t->text.len < 128;
}

static void check_count(struct snapshot *v, const struct store_term *t, int64_t start, int64_t end)
{
	static struct seen plain[RECORDS];
	const struct scan_spec spec = {.resource = "contacts", .start_ms = start, .end_ms = end};
	uint64_t count = UINT64_MAX;
	int rc = snapshot_term_count(v, "contacts", t, start, end, &count);

	assert_int_equal(rc, keeps(t));
	if (rc == 1)
		assert_int_equal(count, read_rows(v, &spec, t, 1, plain, false));
}

static void check_terms(struct snapshot *v)
{
	for (int i = 0; i < 12; i++) {
		struct store_term terms[3] = {random_term(), random_term(), random_term()};
		int64_t start = T0 + below(RECORDS) * 3600000LL, end = start + below(200) * 3600000LL;
		bool all = below(2);
		size_t n = 1 + below(3);
		bool certain = keeps(&terms[0]) && (n < 2 || keeps(&terms[1])) &&
			       (n < 3 || keeps(&terms[2]));
		struct scan_spec spec = {.resource = "contacts",
					 .axis = below(2) ? AXIS_UPDATED : AXIS_CREATED,
					 .start_ms = all ? TIME_MIN : start,
					 .end_ms = all ? TIME_MAX : end,
					 .descending = below(2),
					 .parent = bytes_str(below(4) ? NULL : "17")};
		same_rows(v, spec, terms, n, certain);
		check_count(v, &terms[0], spec.start_ms, spec.end_ms);
	}
}

static int by_revision(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return x->revision < y->revision ? -1 : x->revision > y->revision;
}

static void check_changes(struct snapshot *v)
{
	static struct seen plain[RECORDS], found[RECORDS];
	struct scan_spec spec = {
		.resource = "contacts", .start_ms = TIME_MIN, .end_ms = TIME_MAX, .tombstones = true};
	size_t count = read_rows(v, &spec, NULL, 0, plain, false);

	qsort(plain, count, sizeof *plain, by_revision);
	spec.changes = true;
	for (int down = 0; down < 2; down++) {
		spec.descending = down;
		spec.after = NULL;
		assert_int_equal(read_rows(v, &spec, NULL, 0, found, false), count);
		for (size_t i = 0; i < count; i++)
			assert_int_equal(found[i].revision, plain[down ? count - 1 - i : i].revision);
		size_t at = below((unsigned)count);
		struct scan_position after = {(int64_t)found[at].revision, 0};
		spec.after = &after;
		assert_int_equal(read_rows(v, &spec, NULL, 0, found, false), count - at - 1);
	}
	/* What came after a revision, without a row that was seen before. */
	struct store_term t = {0, bytes_str("open")};
	spec = (struct scan_spec){.resource = "contacts",
				  .changes = true,
				  .start_ms = (int64_t)plain[count / 2].revision,
				  .end_ms = TIME_MAX,
				  .tombstones = true};
	assert_int_equal(read_rows(v, &spec, NULL, 0, found, false), count - count / 2);
	same_rows(v, (struct scan_spec){.resource = "contacts", .changes = true, .end_ms = TIME_MAX},
		  &t, 1, true);
}

static void check_columns(struct snapshot *v, bool all)
{
	struct scan_spec spec = {.resource = "contacts", .start_ms = TIME_MIN, .end_ms = TIME_MAX};
	struct buf memory = {0}, want = {0};
	struct bytes value, id, parent;
	struct scan_row row;
	struct record r;
	struct scan *s;

	assert_int_equal(scan_open(v, &spec, &s, NULL), 0);
	while (scan_next(s, &row) == 1) {
		assert_int_equal(scan_record(s, &memory, &r), 1);
		assert_int_equal(scan_names(s, &id, &parent), 1);
		assert_true(bytes_equal(id, r.id) && bytes_equal(parent, r.parent));
		for (unsigned i = 0; i < FIELDS; i++) {
			buf_reset(&want);
			assert_true(field_stored(&fields[i], r.doc, &want) >= 0);
			int rc = scan_column(s, i, &value);
			if (rc == ERR_INVALID && !all)
				continue;
			if (rc == 1)
				assert_true(bytes_equal(value, buf_bytes(&want)));
			else
				assert_true(rc == 0 && (!all || i == 5 || want.len > 160));
		}
	}
	scan_close(s);
	buf_release(&memory);
	buf_release(&want);
}

static void check(bool all)
{
	struct snapshot *v = snapshot_new(store);
	struct store_check *c = store_check_new(store);
	uint64_t bad;
	double progress;

	while (store_check_step(c, 1 << 20, &bad, &progress) == 1)
		;
	store_check_free(c);
	assert_int_equal(bad, 0);
	check_columns(v, all);
	if (all) {
		check_terms(v);
		check_changes(v);
	}
	snapshot_free(v);
}

static void reopen(const struct store_schema *schemas)
{
	store_close(store);
	lab.schemas = schemas;
	store = lab_open(&lab);
}

/* What is in memory to segments, and those to fewer. */
static void flush_all(void)
{
	store_flush(store);
	while (store_work(store))
		;
}

static void run(size_t journal_bytes)
{
	const char *rounds = getenv("STORE_TEST_ROUNDS");
	unsigned n = rounds ? (unsigned)atoi(rounds) : 40;

	seed = getenv("STORE_TEST_SEED") ? strtoull(getenv("STORE_TEST_SEED"), NULL, 10) : 1;
	lab_init(&lab);
	lab.schemas = all_fields;
	lab.journal_bytes = journal_bytes;
	store = lab_open(&lab);
	for (unsigned round = 0; round < n; round++) {
		put_some(round % 10 == 0 ? 150 : 1 + below(25));
		if (below(4) == 0)
			reopen(all_fields);
		if (journal_bytes && below(8) == 0)
			flush_all();
		if (round % 4 == 3)
			check(true);
	}
	store_close(store);
	lab_release(&lab);
}

static void agrees(void **state)
{
	(void)state;
	run(0);
}

static uint64_t in_memory(void)
{
	struct store_stats stats;

	store_stats(store, &stats);
	return stats.memory_bytes;
}

/* The same while records wait in memory, are replayed, flushed and merged. */
static void journaled(void **state)
{
	(void)state;
	run(1 << 20);
}

static int counts(void)
{
	struct store_term t = {4, bytes_str("refund")};
	struct snapshot *v = snapshot_new(store);
	uint64_t count;
	int rc = snapshot_term_count(v, "contacts", &t, TIME_MIN, TIME_MAX, &count);

	snapshot_free(v);
	return rc;
}

/* A replay makes terms by the schema of now; so does a merge of files. */
static void replayed_schema(void **state)
{
	(void)state;
	seed = 7;
	lab_init(&lab);
	lab.schemas = NULL;
	lab.journal_bytes = 1 << 20;
	store = lab_open(&lab);
	put_some(70);
	flush_all();
	put_some(20);
	assert_true(in_memory() > 0);
	reopen(some_fields);
	put_some(10);
	assert_true(in_memory() > 0);
	check(false);
	reopen(all_fields);
	assert_true(in_memory() > 0);
	assert_int_equal(counts(), 0); /* for the file's sake */
	check(false);
	for (int i = 0; i < 12; i++) {
		put_some(20);
		flush_all();
		assert_int_equal(in_memory(), 0);
	}
	assert_int_equal(counts(), 1);
	check(true);
	reopen(all_fields);
	check(true);
	store_close(store);
	lab_release(&lab);
}

/* Segments of another schema, and of none, answer what they can; a fold makes them anew. */
static void schema_changes(void **state)
{
	struct store_term t = {4, bytes_str("refund")};
	uint64_t count;

	(void)state;
	seed = 5;
	lab_init(&lab);
	lab.schemas = NULL;
	store = lab_open(&lab);
	put_some(60);
	check(false);
	reopen(some_fields);
	put_some(60);
	check(false);
	reopen(all_fields);
	put_some(60);
	check(false);
	struct snapshot *v = snapshot_new(store);
	assert_int_equal(snapshot_field(v, "contacts", &fields[4], NULL), 4);
	assert_int_equal(snapshot_field(v, "tags", &fields[4], NULL), -1);
	assert_int_equal(snapshot_term_count(v, "contacts", &t, TIME_MIN, TIME_MAX, &count), 0);
	same_rows(v,
		  (struct scan_spec){.resource = "contacts", .start_ms = TIME_MIN, .end_ms = TIME_MAX},
		  &t, 1, false);
	snapshot_free(v);
	for (int i = 0; i < 12; i++)
		put_some(20);
	put_some(200);
	v = snapshot_new(store);
	assert_int_equal(snapshot_term_count(v, "contacts", &t, TIME_MIN, TIME_MAX, &count), 1);
	snapshot_free(v);
	check(true);
	store_close(store);
	lab_release(&lab);
}

/* A list of more than one block, and one that a record does not fit into. */
static void long_lists(void **state)
{
	struct buf doc = {0}, text = {0};
	uint64_t count = 0;

	(void)state;
	lab_init(&lab);
	lab.schemas = all_fields;
	store = lab_open(&lab);
	struct txn *t = lab_begin(store);
	for (unsigned i = 0; i < 3000; i++) {
		char id[16];
		buf_reset(&doc);
		mp_put_map(&doc, 2);
		mp_put_cstr(&doc, "state");
		mp_put_cstr(&doc, i % 3 ? "open" : "closed");
		mp_put_cstr(&doc, "subject");
		mp_put_cstr(&doc, i % 7 ? "x" : "seven");
		snprintf(id, sizeof id, "%u", i);
		struct record r = {.id = bytes_str(id),
				   .created_ms = T0 + i,
				   .updated_ms = T0 + 3000 - i,
				   .seen_ms = T0,
				   .doc = buf_bytes(&doc)};
		assert_int_equal(txn_put(t, "contacts", &r, NULL, NULL), 0);
	}
	assert_int_equal(lab_commit(t), 0);
	struct snapshot *v = snapshot_new(store);
	struct store_term open = {0, bytes_str("open")}, seven = {4, bytes_str("seven")};
	assert_int_equal(snapshot_term_count(v, "contacts", &open, TIME_MIN, TIME_MAX, &count), 1);
	assert_int_equal(count, 2000);
	for (unsigned i = 0; i < 40; i++) {
		unsigned a = i * 71, b = a + i * 3;
		uint64_t want = 0;
		for (unsigned k = a; k < b && k < 3000; k++)
			want += k % 7 == 0;
		assert_int_equal(snapshot_term_count(v, "contacts", &seven, T0 + a, T0 + b, &count),
				 1);
		assert_int_equal(count, want);
	}
	for (int how = 0; how < 4; how++) {
		struct scan_spec spec = {.resource = "contacts",
					 .axis = how & 1 ? AXIS_UPDATED : AXIS_CREATED,
					 .start_ms = TIME_MIN,
					 .end_ms = TIME_MAX,
					 .descending = how & 2,
					 .terms = (struct store_term[]){open, seven},
					 .terms_count = 2};
		struct scan_row row;
		struct scan *s;
		int64_t before = how & 2 ? HIGHEST : TIME_MIN;
		assert_int_equal(scan_open(v, &spec, &s, NULL), 0);
		for (count = 0; scan_next(s, &row) == 1; count++) {
			assert_true(how & 2 ? row.position.time_ms < before
					    : row.position.time_ms > before);
			before = row.position.time_ms;
			assert_true((row.created_ms - T0) % 7 == 0 && (row.created_ms - T0) % 3);
		}
		assert_int_equal(count, 286);
		scan_close(s);
	}
	/* No row has both: what comes now and then, so that no step takes long, is not certain. */
	struct scan_spec none = {.resource = "contacts",
				 .axis = AXIS_UPDATED,
				 .start_ms = TIME_MIN,
				 .end_ms = TIME_MAX,
				 .terms = (struct store_term[]){open, {0, bytes_str("closed")}},
				 .terms_count = 2};
	struct scan_row row;
	struct scan *s;
	assert_int_equal(scan_open(v, &none, &s, NULL), 0);
	for (count = 0; scan_next(s, &row) == 1; count++)
		assert_false(row.certain);
	assert_in_range(count, 1, 3);
	scan_close(s);
	snapshot_free(v);
	/* More different words than are listed of one record: nobody is told that it lacks one. */
	for (unsigned i = 0; i < 40000; i++)
		buf_printf(&text, "w%u ", i);
	buf_reset(&doc);
	mp_put_map(&doc, 1);
	mp_put_cstr(&doc, "subject");
	mp_put_str(&doc, buf_bytes(&text));
	t = lab_begin(store);
	struct record r = {
		.id = bytes_str("big"), .created_ms = T0, .seen_ms = T0, .doc = buf_bytes(&doc)};
	assert_int_equal(txn_put(t, "contacts", &r, NULL, NULL), 0);
	assert_true(txn_bytes(t) < 3u << 20);
	assert_int_equal(lab_commit(t), 0);
	v = snapshot_new(store);
	struct store_term last = {4, bytes_str("w39999")};
	assert_int_equal(snapshot_term_count(v, "contacts", &last, TIME_MIN, TIME_MAX, &count), 0);
	same_rows(v,
		  (struct scan_spec){.resource = "contacts", .start_ms = TIME_MIN, .end_ms = T0 + 1},
		  &last, 1, false);
	snapshot_free(v);
	store_close(store);
	lab_release(&lab);
	buf_release(&doc);
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(agrees), cmocka_unit_test(journaled),
					   cmocka_unit_test(schema_changes),
					   cmocka_unit_test(replayed_schema),
					   cmocka_unit_test(long_lists)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
