/*
 * Filters over words and the first terms of leaves, in memory: with them the same is found as without, with fewer looks at the files, and within a share of memory.
 */
#include "fences.h"
#include "support/lab.h"
#include "terms.h"
#include "view.h"
#include "vocabulary.h"

#include <codec/msgpack.h>
#include <store/match.h>

#include <stdio.h>
#include <stdlib.h>

#define T0       1700000000000
#define EACH     1200u
#define SEGMENTS 3u
#define WORDS    6u /* of each record */

static const struct field body = {"body", FIELD_TEXT, "body", NULL},
			  kind = {"kind", FIELD_TEXT, "kind", NULL};
static const struct store_field indexed[] = {{&kind, STORE_KEYWORD}, {&body, STORE_WORDS}};
static const struct store_schema schemas[] = {{"contacts", indexed, 2, NULL}, {NULL, NULL, 0, NULL}};

static struct lab lab;

static int setup(void **state)
{
	(void)state;
	lab_init(&lab);
	lab.sliced = true;
	lab.cache_bytes = 1;
	lab.schemas = schemas;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	lab_release(&lab);
	return 0;
}

static struct store *open_with(size_t filter_bytes)
{
	lab.filter_bytes = filter_bytes;
	return lab_open(&lab);
}

/* Word `w` of record `i`: every record has its own words, and one that its segment has. */
static void word_of(char *out, size_t size, unsigned i, unsigned w)
{
	if (w == 0)
		snprintf(out, size, "segment%u", i / EACH);
	else
		snprintf(out, size, "w%xx%x", i * 2654435761u, w);
}

static void put(struct txn *t, unsigned i)
{
	struct buf doc = {0}, text = {0};
	char word[32], id[24];

	for (unsigned w = 0; w < WORDS; w++) {
		word_of(word, sizeof word, i, w);
		buf_printf(&text, "%s ", word);
	}
	mp_put_map(&doc, 2);
	mp_put_cstr(&doc, "kind");
	mp_put_cstr(&doc, i % 2 ? "odd" : "even");
	mp_put_cstr(&doc, "body");
	mp_put_str(&doc, buf_bytes(&text));
	snprintf(id, sizeof id, "c%u", i);
	struct record r = {.id = bytes_str(id),
			   .created_ms = T0 + i,
			   .updated_ms = T0 + i,
			   .seen_ms = T0,
			   .doc = buf_bytes(&doc)};
	assert_int_equal(txn_put(t, "contacts", &r, NULL, NULL), 0);
	buf_release(&doc);
	buf_release(&text);
}

static void fill(struct store *s)
{
	for (unsigned n = 0; n < SEGMENTS; n++) {
		struct txn *t = lab_begin(s);
		for (unsigned i = 0; i < EACH; i++)
			put(t, n * EACH + i);
		assert_int_equal(lab_commit(t), 0);
		store_flush(s);
		lab_work(s);
	}
}

/* Rows that have the words. */
static uint64_t rows_of(struct store *s, const char *text)
{
	struct snapshot *v = snapshot_new(s);
	struct arena a = {0};
	const struct search *search;
	struct match *m;
	unsigned cost = 0;
	int rc = 1;

	assert_int_equal(search_parse(bytes_str(text), &a, &search, NULL), 0);
	assert_int_equal(match_new(v, "contacts", search, &m), 0);
	while (rc == 1)
		rc = match_step(m, &cost);
	assert_int_equal(rc, 0);
	uint64_t rows = match_rows(m);
	match_free(m);
	arena_release(&a);
	snapshot_free(v);
	return rows;
}

static void assert_all_found(struct store *s)
{
	char word[32];

	for (unsigned i = 0; i < SEGMENTS * EACH; i += 7) {
		word_of(word, sizeof word, i, 1 + i % (WORDS - 1));
		assert_int_equal(rows_of(s, word), 1);
	}
	for (unsigned n = 0; n < SEGMENTS; n++) {
		snprintf(word, sizeof word, "segment%u", n);
		assert_int_equal(rows_of(s, word), EACH);
	}
	assert_int_equal(rows_of(s, "segment1 segment2"), 0);
	assert_int_equal(rows_of(s, "segment1 OR segment2"), 2 * EACH);
	assert_int_equal(rows_of(s, "segment*"), SEGMENTS * EACH);
	assert_int_equal(rows_of(s, "odd"), 0); /* no word */
}

/* Of words that no segment has, each behind one that all rows of a segment have or alone. */
static uint64_t cost_of_absent(struct store *s, const char *before_it)
{
	struct store_stats before, after;
	char word[48];

	store_stats(s, &before);
	for (unsigned i = 0; i < 500; i++) {
		snprintf(word, sizeof word, "%sw%uabsent", before_it, i * 48271);
		assert_int_equal(rows_of(s, word), 0);
	}
	store_stats(s, &after);
	return after.cache_hits + after.cache_misses - before.cache_hits - before.cache_misses;
}

static size_t vocabularies(struct store *s)
{
	const struct state_resource *r = state_find(s->state, "contacts");
	size_t n = 0;

	for (size_t i = 0; i < r->count; i++)
		n += r->segments[i].segment->vocabulary != NULL;
	return n;
}

static void what_is_not_there_costs_little(void **state)
{
	(void)state;
	struct store *s = open_with(1 << 20);
	fill(s);
	assert_all_found(s);
	store_close(s);
	s = open_with(1 << 20);
	assert_int_equal(vocabularies(s), 0); /* a start reads no segment */
	uint64_t without = cost_of_absent(s, "");
	assert_all_found(s);
	lab_work(s);
	assert_int_equal(vocabularies(s), SEGMENTS);
	assert_in_range(vocabulary_bytes(s), SEGMENTS * EACH * (WORDS - 1) * 5 / 8,
			SEGMENTS * EACH * (WORDS - 1));
	uint64_t with = cost_of_absent(s, ""), behind = cost_of_absent(s, "segment1 ");
	print_message("pages looked at for 500 words that are not there: %u without filters, %u with\n",
		      (unsigned)without, (unsigned)with);
	assert_true(with < without / 3);
	/* What is there is not looked for when something else is not. */
	assert_true(behind < with + with / 4);
	assert_all_found(s);
	store_close(s);
}

/* A quarter is for words, as long as filters over ids leave so much; and none are loaded in a rush. */
static void ids_go_first(void **state)
{
	(void)state;
	struct store *s = open_with(1 << 20);
	size_t one, ids = (size_t)resident_whole_bytes(SEGMENTS * EACH);
	fill(s);
	one = vocabulary_bytes(s) / SEGMENTS;
	store_close(s);
	s = open_with(8 * one + 200);
	lab_work(s);
	assert_int_equal(vocabularies(s), 2);
	assert_all_found(s);
	store_close(s);
	s = open_with(ids + one + one / 2);
	lab_work(s);
	assert_true(vocabulary_bytes(s) <= one + one / 2);
	store_close(s);
	s = open_with(ids / 2);
	lab_work(s);
	assert_int_equal(vocabularies(s), 0);
	assert_all_found(s);
	store_close(s);
	s = open_with(1 << 20);
	store_rush(s, true);
	lab_work(s);
	assert_int_equal(vocabularies(s), 0);
	store_rush(s, false);
	lab_work(s);
	assert_int_equal(vocabularies(s), SEGMENTS);
	store_close(s);
}

/* Every term of a segment of many leaves is found through them, with the list that a walk through all finds. */
static void fences_lead_to_every_term(void **state)
{
	(void)state;
	struct store *s = open_with(1 << 20);
	fill(s);
	struct segment *g = state_find(s->state, "contacts")->segments[0].segment;
	struct term_cursor c;
	struct posting list, resumed;
	struct posting_place place;
	unsigned terms = 0, alone = 0;
	uint32_t leaf;

	assert_int_equal(terms_find(g, s->pages, bytes_str("\x03none"), &list), 0);
	assert_non_null(g->fences);
	assert_true(g->fences->leaves > 10);
	term_cursor_init(&c, g, s->pages);
	int rc;
	while ((rc = term_cursor_next(&c)) == 1) {
		struct bytes term = bytes_of(c.term, c.len);
		uint32_t a, b;
		assert_int_equal(terms_find(g, s->pages, term, &list), 1);
		assert_int_equal(list.count, c.list.count);
		posting_place(&list, &place);
		posting_resume(&resumed, g, s->pages, &place);
		for (uint32_t i = 0; i < list.count; i += 100) {
			assert_int_equal(posting_at(&c.list, i, &a), 0);
			assert_int_equal(posting_at(&resumed, i, &b), 0);
			assert_int_equal(a, b);
		}
		alone += fences_find(g->fences, term, &leaf);
		terms++;
	}
	assert_int_equal(rc, 0);
	assert_true(terms > EACH * (WORDS - 1));
	assert_true(alone > terms / 10 * 9);
	store_close(s);
}

/* A start, and upkeep after it, load none; what is loaded is counted. */
static void fences_wait_for_a_question(void **state)
{
	struct store_stats before, after;
	char word[32];

	(void)state;
	struct store *s = open_with(1 << 20);
	fill(s);
	store_close(s);
	s = open_with(1 << 20);
	lab_work(s);
	assert_int_equal(vocabularies(s), SEGMENTS);
	assert_int_equal(fences_bytes(s->state), 0);
	store_stats(s, &before);
	word_of(word, sizeof word, 5, 1);
	assert_int_equal(rows_of(s, word), 1);
	store_stats(s, &after);
	assert_true(fences_bytes(s->state) > 10 * sizeof(uint64_t));
	assert_int_equal(after.filter_bytes - before.filter_bytes, fences_bytes(s->state));
	store_close(s);
}

/* Keywords are no words, whatever the search is like. */
static void without_words_nothing_is_found(void **state)
{
	static const struct store_schema keywords[] = {{"contacts", indexed, 1, NULL},
						       {NULL, NULL, 0, NULL}};
	static const char *const searches[] = {"odd", "od*", "ev*", "zz*", "odd OR ev*"};

	(void)state;
	lab.schemas = keywords;
	struct store *s = open_with(1 << 20);
	fill(s);
	for (size_t i = 0; i < sizeof searches / sizeof *searches; i++)
		assert_int_equal(rows_of(s, searches[i]), 0);
	store_close(s);
}

/* A record of more words than are listed, among others that fill a segment. */
static void put_verbose(struct txn *t, const char *last)
{
	struct buf doc = {0}, text = {0};
	struct record r = {
		.id = bytes_str("verbose"), .created_ms = T0, .updated_ms = T0, .seen_ms = T0};

	for (unsigned i = 0; i < EXTRACT_TERMS_MAX; i++)
		buf_printf(&text, "n%u ", i);
	buf_put_str(&text, last);
	mp_put_map(&doc, 1);
	mp_put_cstr(&doc, "body");
	mp_put_str(&doc, buf_bytes(&text));
	r.doc = buf_bytes(&doc);
	assert_int_equal(txn_put(t, "contacts", &r, NULL, NULL), 0);
	buf_release(&doc);
	buf_release(&text);
}

/* A word that stands only behind what is listed, and in no other record of its segment: the row may have it. */
static void what_is_not_listed_may_be_there(void **state)
{
	(void)state;
	struct store *s = open_with(1 << 20);
	struct txn *t = lab_begin(s);
	for (unsigned i = 0; i < EACH; i++)
		put(t, i);
	put_verbose(t, "zebra");
	assert_int_equal(lab_commit(t), 0);
	store_flush(s);
	lab_work(s);
	store_close(s);
	for (int with = 0; with < 2; with++) {
		s = open_with(1 << 20);
		if (with)
			lab_work(s);
		assert_int_equal(vocabularies(s), with);
		assert_int_equal(rows_of(s, "zebra"), 1);
		assert_int_equal(rows_of(s, "n32000 zebra"), 1);
		assert_int_equal(rows_of(s, "segment0"), EACH + 1); /* which it may have, too */
		store_close(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_not_there_costs_little, setup, teardown),
		cmocka_unit_test_setup_teardown(ids_go_first, setup, teardown),
		cmocka_unit_test_setup_teardown(fences_lead_to_every_term, setup, teardown),
		cmocka_unit_test_setup_teardown(fences_wait_for_a_question, setup, teardown),
		cmocka_unit_test_setup_teardown(without_words_nothing_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_listed_may_be_there, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
