/* match: a search that is got ready from the ends of segments on, as far as it is read, finds what one finds that is got ready as a whole. */
#include "match_bits.h"
#include "support/lab.h"
#include "view.h"

#include <codec/msgpack.h>

#include <stdio.h>
#include <stdlib.h>

#define T0    1700000000000
#define ROWS  24000u
#define STEPS 100000u

static const struct field body = {"body", FIELD_TEXT, "body", NULL};
static const struct store_field bodies[] = {{&body, STORE_WORDS}};
static const struct store_schema schemas[] = {{"messages", bodies, 1, NULL}, {NULL, NULL, 0, NULL}};

/* Long lists and short ones, what is sure, what is only possible, and what is found by what it has not. */
static const char *const questions[] = {"often",
					"often sometimes",
					"often -sometimes",
					"\"often sometimes\"",
					"rarely",
					"often rarely",
					"rarely OR often",
					"some*",
					"often -rarely",
					"\"often sometimes\" OR rarely",
					"never"};

static struct lab lab;
static uint64_t dice;

static unsigned below(unsigned n)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(dice >> 33) % n;
}

static int setup(void **state)
{
	(void)state;
	lab_init(&lab);
	lab.sliced = true;
	lab.schemas = schemas;
	dice = 7;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	lab_release(&lab);
	return 0;
}

static void put(struct txn *t, unsigned i, bool deleted, int64_t updated_ms)
{
	struct buf doc = {0}, text = {0};
	char id[16];

	snprintf(id, sizeof id, "m%u", i);
	for (unsigned n = 0; n < 3; n++) {
		unsigned word = below(400);
		buf_put_str(&text, word < 200    ? "often "
				   : word < 280  ? "sometimes "
				   : word == 399 ? "rarely "
						 : "else ");
	}
	/* More words than are listed: only the record says. */
	for (unsigned n = 0; i % 997 == 0 && n < 6000; n++) {
		char word[16];
		snprintf(word, sizeof word, "w%u ", n);
		buf_put_str(&text, word);
	}
	mp_put_map(&doc, 1);
	mp_put_cstr(&doc, "body");
	mp_put_str(&doc, buf_bytes(&text));
	struct record r = {.id = bytes_str(id),
			   .parent = bytes_str("thread"),
			   .created_ms = T0 + (int64_t)i * 1000,
			   .updated_ms = updated_ms,
			   .seen_ms = updated_ms,
			   .flags = deleted ? RECORD_DELETED : 0,
			   .doc = deleted ? bytes_of(NULL, 0) : buf_bytes(&doc)};
	assert_int_equal(txn_put(t, "messages", &r, NULL, NULL), 0);
	buf_release(&doc);
	buf_release(&text);
}

static void commit(struct store *s, struct txn *t)
{
	assert_int_equal(lab_commit(t), 0);
	store_flush(s);
	lab_work(s);
}

/* Segments whose times overlap, with rows that were replaced, and some that were deleted. */
static struct store *filled(void)
{
	struct store *s = lab_open(&lab);

	for (unsigned part = 0; part < 2; part++) {
		struct txn *t = lab_begin(s);
		for (unsigned i = part; i < ROWS; i += 2)
			put(t, i, false, T0 + (int64_t)i * 1000);
		commit(s, t);
	}
	struct txn *t = lab_begin(s);
	for (unsigned i = 0; i < ROWS; i += 1 + below(40))
		put(t, i, below(4) == 0, T0 + (int64_t)ROWS * 1000);
	commit(s, t);
	return s;
}

static void finish(struct match *m)
{
	unsigned cost = 0;
	int rc = 1;

	while (rc == 1)
		rc = match_step(m, &cost);
	assert_int_equal(rc, 0);
}

static void mark(struct match *m, size_t segment, uint32_t ordinal, bool sure)
{
	const struct state_segment *e = &match_resource(m)->segments[segment];
	struct pages *p = match_store(m)->pages;
	uint32_t hint = 0;
	struct row row;

	assert_int_equal(segment_row(e->segment, p, ordinal, &hint, &row), 0);
	if (!dead_has(e->dead, ordinal) && !(row.flags & RECORD_DELETED))
		assert_int_equal(match_mark(m, segment, ordinal, sure), 0);
}

/* The same rows anywhere are added to both. */
static void add_some(struct match *a, struct match *b, unsigned n)
{
	const struct state_resource *r = match_resource(a);

	while (n-- > 0) {
		size_t segment = below((unsigned)r->count);
		uint32_t ordinal = below(r->segments[segment].segment->meta.records);
		bool sure = below(2);
		mark(a, segment, ordinal, sure);
		mark(b, segment, ordinal, sure);
	}
}

static void same_row(const struct match *whole, const struct match *m, const struct scan_row *row)
{
	assert_int_equal(row->verdict,
			 match_bits_say(match_bits_of(whole, row->segment), row->ordinal));
	if (row->verdict == MATCH_POSSIBLE)
		assert_int_equal(match_alone(m, row->segment, row->ordinal),
				 match_alone(whole, row->segment, row->ordinal));
}

static void same_bits(const struct match *a, const struct match *b)
{
	const struct state_resource *r = match_resource(a);

	assert_int_equal(match_rows(a), match_rows(b));
	for (size_t i = 0; i < r->count; i++) {
		const struct match_bits *x = match_bits_of(a, i), *y = match_bits_of(b, i);
		assert_true(x->ready && y->ready);
		assert_int_equal(x->may_count, y->may_count);
		assert_int_equal(x->must_count, y->must_count);
		for (uint32_t o = 0; o < r->segments[i].segment->meta.records; o++) {
			assert_int_equal(match_bits_say(x, o), match_bits_say(y, o));
			if (match_bits_say(x, o) == MATCH_POSSIBLE)
				assert_int_equal(match_alone(a, (uint32_t)i, o),
						 match_alone(b, (uint32_t)i, o));
		}
	}
}

static bool some_begun(const struct match *m)
{
	bool any = false;

	for (size_t i = 0; i < match_resource(m)->count; i++)
		any |= !match_bits_of(m, i)->ready && match_bits_of(m, i)->begun;
	return any;
}

/* Reads so many rows, the newest first, then gets the rest ready. Whether parts of segments were ready on the way. */
static bool compare(struct store *s, const char *text, uint64_t rows_max, int64_t end_ms)
{
	struct snapshot *v = snapshot_new(s);
	struct arena a = {0};
	const struct search *search;
	struct match *whole, *m;
	struct scan_spec spec = {
		.resource = "messages", .start_ms = TIME_MIN, .end_ms = end_ms, .descending = true};
	struct scan_row row;
	struct scan *scan;
	int64_t last_ms = TIME_MAX;
	uint64_t rows = 0, all = 0;
	bool begun = false;
	unsigned steps = 0;
	int rc = 1;

	assert_int_equal(search_parse(bytes_str(text), &a, &search, NULL), 0);
	assert_int_equal(match_new(v, "messages", search, &whole), 0);
	assert_int_equal(match_new(v, "messages", search, &m), 0);
	spec.match = m;
	assert_int_equal(scan_open(v, &spec, &scan, NULL), 0);
	finish(whole);
	add_some(whole, m, 200);
	while (rows < rows_max && (rc = scan_step(scan, &row)) > 0) {
		assert_true(++steps < STEPS);
		begun |= some_begun(m);
		if (rc == SCAN_MORE)
			continue;
		assert_true(row.created_ms <= last_ms && row.created_ms < end_ms);
		last_ms = row.created_ms;
		same_row(whole, m, &row);
		rows += row.verdict != MATCH_OUT;
	}
	assert_true(rc >= 0);
	scan_close(scan);
	/* None is missing: all in the span, when it was read to its end. */
	spec.match = whole;
	assert_int_equal(scan_open(v, &spec, &scan, NULL), 0);
	while (all < rows_max && scan_next(scan, &row) == 1)
		all += row.verdict != MATCH_OUT;
	assert_int_equal(rows, all);
	assert_true(all == 0 || row.verdict == MATCH_OUT || all < rows_max ||
		    row.created_ms == last_ms);
	scan_close(scan);
	add_some(whole, m, 200);
	finish(m);
	same_bits(whole, m);
	match_free(whole);
	match_free(m);
	arena_release(&a);
	snapshot_free(v);
	return begun;
}

static void from_its_end_on(void **state)
{
	static const uint64_t rows[] = {1, 20, 700, UINT64_MAX};
	struct store *s = filled();
	unsigned begun = 0;

	(void)state;
	for (size_t q = 0; q < sizeof questions / sizeof *questions; q++)
		for (size_t n = 0; n < 4; n++) {
			begun += compare(s, questions[q], rows[n], TIME_MAX);
			begun += compare(s, questions[q], rows[n], T0 + (int64_t)below(ROWS) * 1000);
		}
	/* Where lists are long. */
	assert_true(begun > 20);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(from_its_end_on, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
