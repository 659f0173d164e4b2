/* parents: what children that are found make of the records that they belong to, against a plain list of both. */
#include "lookup.h"
#include "match_bits.h"
#include "support/lab.h"
#include "view.h"

#include <codec/msgpack.h>
#include <store/parents.h>

#include <stdio.h>
#include <stdlib.h>

#define T0         1700000000000
#define THREADS    9000u /* more than are looked for at a time */
#define STEP_COST  40u   /* some ten microseconds */
#define HASH_TRIES 1000000u

static const struct field title = {"title", FIELD_TEXT, "title", NULL},
			  body = {"body", FIELD_TEXT, "body", NULL};
static const struct store_field titles[] = {{&title, STORE_TEXT}}, bodies[] = {{&body, STORE_WORDS}};
static const struct store_schema schemas[] = {{"conversations", titles, 1, NULL},
					      {"messages", bodies, 1, "conversations"},
					      {NULL, NULL, 0, NULL}};

/* What a message says: with what is searched for it is found for sure, perhaps, or not. */
enum says { SAYS_NOTHING, SAYS_BOTH, SAYS_WORD };

#define SEARCH "gamma OR \"alpha beta\""
static const char *const texts[] = {"alpha", "beta and alpha", "gamma"};

struct thread {
	char id[24];
	bool held, deleted;
	enum match_verdict own, want;
};

static struct lab lab;
static struct thread *threads;
static size_t thread_count;
static unsigned message_count;

static int setup(void **state)
{
	(void)state;
	lab_init(&lab);
	lab.sliced = true;
	lab.cache_bytes = 1;
	lab.schemas = schemas;
	threads = calloc(THREADS, sizeof *threads);
	thread_count = message_count = 0;
	return threads ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(threads);
	lab_release(&lab);
	return 0;
}

static void put(struct txn *t, const char *resource, const char *id, const char *parent, int64_t ms,
		bool deleted, const char *name, const char *text)
{
	struct buf doc = {0};

	mp_put_map(&doc, 1);
	mp_put_cstr(&doc, name);
	mp_put_cstr(&doc, text);
	struct record r = {.id = bytes_str(id),
			   .parent = bytes_str(parent),
			   .created_ms = ms,
			   .updated_ms = ms,
			   .seen_ms = T0,
			   .flags = deleted ? RECORD_DELETED : 0,
			   .doc = deleted ? bytes_of(NULL, 0) : buf_bytes(&doc)};
	assert_int_equal(txn_put(t, resource, &r, NULL, NULL), 0);
	buf_release(&doc);
}

/* What was put last is what counts. */
static void put_thread(struct txn *t, size_t i, bool deleted, const char *text)
{
	struct thread *k = &threads[i];

	put(t, "conversations", k->id, "", T0 + (int64_t)i * 1000 + (deleted ? 5 : 0), deleted,
	    "title", text);
	k->held = true;
	k->deleted = deleted;
	k->own = strcmp(text, texts[SAYS_WORD]) == 0   ? MATCH_SURE
		 : strcmp(text, texts[SAYS_BOTH]) == 0 ? MATCH_POSSIBLE
						       : MATCH_OUT;
}

static void put_message(struct txn *t, size_t thread, int64_t ms, enum says says)
{
	struct thread *k = &threads[thread];
	char id[24];

	snprintf(id, sizeof id, "m%u", message_count++);
	put(t, "messages", id, k->id, ms, false, "body", texts[says]);
	if (says == SAYS_WORD)
		k->want = MATCH_SURE;
	else if (says == SAYS_BOTH && k->want == MATCH_OUT)
		k->want = MATCH_POSSIBLE;
}

static void commit(struct store *s, struct txn *t, bool flush)
{
	assert_int_equal(lab_commit(t), 0);
	if (flush)
		store_flush(s);
	lab_work(s);
}

static struct match *ready_match(struct snapshot *v, const char *resource, const struct search *q)
{
	struct match *m;
	unsigned cost = 0;
	int rc = 1;

	assert_int_equal(match_new(v, resource, q, &m), 0);
	while (rc == 1)
		rc = match_step(m, &cost);
	assert_int_equal(rc, 0);
	return m;
}

/* To the end; what it cost. Every step is bounded. */
static int run(struct match *own, struct match *children, unsigned *cost)
{
	struct parents *p;
	int rc = 1;

	*cost = 0;
	assert_int_equal(parents_new(own, children, &p), 0);
	while (rc == 1) {
		unsigned before = *cost;
		rc = parents_step(p, cost);
		assert_true(*cost > before && *cost - before <= STEP_COST);
	}
	parents_free(p);
	return rc;
}

static enum match_verdict verdict_of(struct store *s, const struct match *own, const char *id)
{
	const struct state_resource *r = match_resource(own);
	struct found found;

	if (lookup(s, r, bytes_str(id), false, &found) != 1)
		return MATCH_OUT;
	return match_bits_say(match_bits_of(own, (size_t)(found.entry - r->segments)), found.ordinal);
}

/* Marks, and compares with the list. What it cost. */
static unsigned expect(struct store *s)
{
	struct snapshot *v = snapshot_new(s);
	struct arena a = {0};
	const struct search *search;
	uint64_t rows = 0;
	unsigned cost;

	assert_int_equal(search_parse(bytes_str(SEARCH), &a, &search, NULL), 0);
	struct match *own = ready_match(v, "conversations", search);
	struct match *children = ready_match(v, "messages", search);
	assert_int_equal(run(own, children, &cost), 0);
	for (size_t i = 0; i < thread_count; i++) {
		const struct thread *k = &threads[i];
		enum match_verdict want = k->own > k->want ? k->own : k->want;
		if (!k->held || k->deleted)
			want = MATCH_OUT;
		rows += want != MATCH_OUT;
		if (verdict_of(s, own, k->id) != want)
			fail_msg("%s: %d instead of %d", k->id, verdict_of(s, own, k->id), want);
	}
	/* Not more: copies that were replaced stay out. */
	assert_int_equal(match_rows(own), rows);
	match_free(own);
	match_free(children);
	arena_release(&a);
	snapshot_free(v);
	return cost;
}

/* ---- ids of every kind, in all kinds of segments ---- */

#define KINDS 5u
#define EACH  300u

/* Numbers, small and large ones, and what looks like some. */
static void name_thread(size_t i)
{
	char *id = threads[i].id;
	size_t room = sizeof threads[i].id;

	switch (i % KINDS) {
	case 0: snprintf(id, room, "%zu", i); break;
	case 1: snprintf(id, room, "92233720368547%05zu", i); break;
	case 2: snprintf(id, room, "cnv_%zx", i); break;
	case 3: snprintf(id, room, "0%zu", i); break;
	default: snprintf(id, room, "-%zu", i); break;
	}
}

static void fill_part(struct store *s, unsigned part, bool flush)
{
	struct txn *t = lab_begin(s);

	for (size_t i = part * EACH; i < (part + 1) * EACH; i++) {
		name_thread(i);
		/* Of some there are only messages. */
		if (i % 17)
			put_thread(t, i, false, texts[i % 19 % 3]);
	}
	thread_count = (part + 1) * EACH;
	/* Others of before go, or change. */
	for (size_t i = 0; i < part * EACH; i += 7)
		if (threads[i].held && !threads[i].deleted)
			put_thread(t, i, i % 3 == 0, i % 2 ? "delta" : "gamma");
	for (size_t i = 0; i < thread_count; i++)
		if ((i * 2654435761u >> 7) % 5 == part % 5)
			put_message(t, i, T0 + (int64_t)(part * EACH + i) * 1000,
				    (i * 2246822519u >> 9) % 3);
	commit(s, t, flush);
}

static void marks_the_parents_of_all_kinds(void **state)
{
	lab.journal_bytes = 1 << 20;
	struct store *s = lab_open(&lab);

	(void)state;
	for (unsigned part = 0; part < 8; part++) {
		fill_part(s, part, part % 3 != 1 && part < 6);
		expect(s);
	}
	store_close(s);
	s = lab_open(&lab);
	expect(s);
	store_flush(s);
	lab_work(s);
	expect(s);
	store_close(s);
}

/* ---- more than are looked for at a time ---- */

static void name_numbers(uint64_t first, uint64_t step)
{
	thread_count = THREADS;
	for (size_t i = 0; i < THREADS; i++)
		snprintf(threads[i].id, sizeof threads[i].id, "%llu",
			 (unsigned long long)(first + i * step));
}

static void put_threads(struct store *s, size_t from, size_t to)
{
	struct txn *t = lab_begin(s);

	for (size_t i = from; i < to; i++)
		put_thread(t, i, false, "delta");
	commit(s, t, true);
}

/* Of each thread what makes it possible, the first ones long before what makes some of them sure: in other batches. */
static void put_both(struct store *s)
{
	struct txn *t = lab_begin(s);

	for (size_t i = 0; i < THREADS; i++)
		put_message(t, i, T0 + (int64_t)i * 1000, SAYS_BOTH);
	commit(s, t, true);
	t = lab_begin(s);
	for (size_t i = 0; i < THREADS; i += 3)
		put_message(t, i, T0 + (int64_t)(THREADS + i) * 1000, SAYS_WORD);
	commit(s, t, true);
	/* What is sure stays so when one comes that is not. */
	t = lab_begin(s);
	for (size_t i = 0; i < THREADS; i += 6)
		put_message(t, i, T0 + (int64_t)(2 * THREADS + i) * 1000, SAYS_BOTH);
	commit(s, t, true);
}

static void more_than_are_looked_for_at_a_time(void **state)
{
	static const struct {
		uint64_t first, step;
	} ways[] = {{1000000, 1}, {215470000000001, 7919}};

	for (size_t w = 0; w < 2; w++) {
		struct store *s = lab_open(&lab);
		name_numbers(ways[w].first, ways[w].step);
		put_threads(s, 0, THREADS / 2);
		put_threads(s, THREADS / 2, THREADS);
		put_both(s);
		/* A walk finds many at a time: a fraction of what each of them costs by itself. */
		assert_true(expect(s) < THREADS / 8);
		/* Those that a walk must not mark: one is deleted, and one has a newer copy elsewhere. */
		struct txn *t = lab_begin(s);
		for (size_t i = 0; i < THREADS; i += 100)
			put_thread(t, i, i % 200 == 0, "delta");
		commit(s, t, true);
		expect(s);
		store_close(s);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

/* ---- hashes 0 and 1 ---- */

/* What bytes_hash does to each word … */
static uint64_t mix(uint64_t h)
{
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	return h ^ h >> 32;
}

/* … and how that is undone. */
static uint64_t unmix(uint64_t h)
{
	uint64_t inverse = 1;

	for (int i = 0; i < 6; i++)
		inverse *= 2 - 0xd6e8feb86659fd93u * inverse;
	h ^= h >> 32;
	h *= inverse;
	h ^= h >> 32;
	h *= inverse;
	h ^= h >> 32;
	return h;
}

/* An id of 16 letters and signs: bytes_hash backwards from its end. */
static void id_of_hash(uint64_t hash, char out[17])
{
	uint64_t random = 88172645463325252u;

	memset(out, 0, 17);
	for (unsigned n = 0; n < HASH_TRIES; n++) {
		uint8_t word[8];
		for (int i = 0; i < 8; i++)
			out[i] = (char)('a' + lab_random(&random) % 26);
		uint64_t h = mix(mix(0x9e3779b97f4a7c15u ^ 16) ^ le64((const uint8_t *)out));
		h += 0x9e3779b97f4a7c15u;
		put_le64(word, h ^ unmix(unmix(hash) - 0x9e3779b97f4a7c15u));
		bool plain = true;
		for (int i = 0; i < 8; i++)
			plain &= word[i] > ' ' && word[i] < 0x7f;
		if (!plain)
			continue;
		memcpy(out + 8, word, 8);
		assert_true(bytes_hash(bytes_str(out)) == hash);
		return;
	}
	fail_msg("no such id");
}

/* Children call the record whose hash is 0 by 1, as they do the one whose hash is 1. */
static void hashes_that_children_call_alike(void **state)
{
	(void)state;
	for (uint64_t hash = 0; hash < 2; hash++) {
		struct store *s = lab_open(&lab);
		struct txn *t = lab_begin(s);
		thread_count = 2;
		id_of_hash(hash, threads[0].id);
		snprintf(threads[1].id, sizeof threads[1].id, "other");
		put_thread(t, 0, false, "delta");
		put_thread(t, 1, false, "delta");
		put_message(t, 0, T0, SAYS_WORD);
		/* Of nobody. */
		put(t, "messages", "alone", "", T0, false, "body", "gamma");
		commit(s, t, true);
		expect(s);
		store_close(s);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

/* ---- trouble ---- */

static void nothing_to_mark(void **state)
{
	struct store *s = lab_open(&lab);
	struct txn *t;

	(void)state;
	expect(s);
	thread_count = 1;
	snprintf(threads[0].id, sizeof threads[0].id, "1");
	t = lab_begin(s);
	put_message(t, 0, T0, SAYS_WORD);
	commit(s, t, true);
	expect(s); /* its parent's resource was never written */
	t = lab_begin(s);
	put_thread(t, 0, false, "delta");
	commit(s, t, true);
	expect(s);
	store_close(s);
}

/* Damages the pages of the columns of a resource's only segment, which nobody has read yet. */
static void spoil_columns(struct store *s, const char *resource)
{
	struct segment *g = state_find(s->state, resource)->segments[0].segment;
	struct buf file = {0};

	assert_int_equal(state_find(s->state, resource)->count, 1);
	assert_int_equal(segment_load(g, s->pages), 0);
	lab_read("", g->file.path, &file);
	for (uint32_t i = 0; i < g->sections[SECTION_COLUMNS].pages; i++)
		file.data[(g->sections[SECTION_COLUMNS].first_page + i) * SEGMENT_PAGE + 100] ^= 1;
	FILE *f = fopen(g->file.path, "r+");
	assert_non_null(f);
	assert_int_equal(fwrite(file.data, 1, file.len, f), file.len);
	fclose(f);
	buf_release(&file);
}

static void damage_is_told(void **state)
{
	static const char *const resources[] = {"conversations", "messages"};

	for (size_t k = 0; k < 2; k++) {
		struct store *s = lab_open(&lab);
		name_numbers(1000000, 1);
		put_threads(s, 0, THREADS);
		struct txn *t = lab_begin(s);
		for (size_t i = 0; i < THREADS; i++)
			put_message(t, i, T0, SAYS_WORD);
		commit(s, t, true);
		store_close(s);
		s = lab_open(&lab);
		spoil_columns(s, resources[k]);
		struct snapshot *v = snapshot_new(s);
		struct arena a = {0};
		const struct search *search;
		unsigned cost;
		assert_int_equal(search_parse(bytes_str(SEARCH), &a, &search, NULL), 0);
		struct match *own = ready_match(v, "conversations", search);
		struct match *children = ready_match(v, "messages", search);
		assert_int_equal(run(own, children, &cost), ERR_CORRUPT);
		assert_true(state_find(s->state, resources[k])->segments[0].segment->damaged);
		match_free(own);
		match_free(children);
		arena_release(&a);
		snapshot_free(v);
		store_close(s);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(marks_the_parents_of_all_kinds, setup, teardown),
		cmocka_unit_test_setup_teardown(more_than_are_looked_for_at_a_time, setup, teardown),
		cmocka_unit_test_setup_teardown(hashes_that_children_call_alike, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_to_mark, setup, teardown),
		cmocka_unit_test_setup_teardown(damage_is_told, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
