/*
 * What is excluded is never on the disk: not of what is put, and of what was held before no longer, in segments, journals, dictionaries and columns. Wherever the process dies, the next
 * one goes on. Everything else of the records stays as it is.
 */
#include "support/find.h"
#include "support/lab.h"

#include <codec/msgpack.h>
#include <model/field.h>
#include <model/strip.h>

#include <stdio.h>

#define T0 INT64_C(1700000000000)

static const struct field fields[] = {{.name = "city", .type = FIELD_TEXT, .path = "person.city"},
				      {.name = "state", .type = FIELD_TEXT, .path = "state"},
				      {.name = NULL}};
static const struct store_field indexed[] = {{&fields[0], STORE_KEYWORD}, {&fields[1], STORE_TEXT}};
static const struct store_schema schemas[] = {
	{"contacts", indexed, 2, NULL}, {"tags", NULL, 0, NULL}, {NULL, NULL, 0, NULL}};
static const struct store_exclusion city[] = {
	{"contacts", "person.city"}, {"contacts", "cards.number"}, {"nowhere", "x"}, {NULL, NULL}};
static const struct store_exclusion none[] = {{NULL, NULL}};
static struct lab lab;

/* What is excluded, with texts that stand nowhere else; the dictionary gets them, too. */
static void put_one(struct txn *t, int i, int64_t seen)
{
	struct buf doc = {0};
	char id[16], text[48];
	snprintf(id, sizeof id, "c%d", i);
	struct record r = {.id = bytes_str(id),
			   .created_ms = T0 + i,
			   .updated_ms = T0 + seen,
			   .seen_ms = T0 + seen + 100000};

	mp_put_map(&doc, 4);
	mp_put_cstr(&doc, "state");
	mp_put_cstr(&doc, i % 2 ? "open and waiting" : "closed by somebody");
	mp_put_cstr(&doc, "person");
	mp_put_map(&doc, 2);
	mp_put_cstr(&doc, "name");
	snprintf(text, sizeof text, "somebody number %d", i);
	mp_put_cstr(&doc, text);
	mp_put_cstr(&doc, "city");
	mp_put_cstr(&doc, i % 3 ? "Zwiebelstadt" : "Kleinkleckersdorf");
	mp_put_cstr(&doc, "cards");
	mp_put_array(&doc, 2);
	for (int k = 0; k < 2; k++) {
		mp_put_map(&doc, 2);
		mp_put_cstr(&doc, "number");
		mp_put_cstr(&doc, "4929-1111-2222");
		mp_put_cstr(&doc, "kind");
		mp_put_cstr(&doc, "credit");
	}
	mp_put_cstr(&doc, "n");
	mp_put_int(&doc, i);
	r.doc = buf_bytes(&doc);
	assert_int_equal(txn_put(t, "contacts", &r, NULL, NULL), 0);
	buf_release(&doc);
}

static void fill(struct store *s, int from, int to, int64_t seen)
{
	struct txn *t = lab_begin(s);

	for (int i = from; i < to; i++)
		put_one(t, i, seen);
	txn_hold(t, "contacts", (struct interval){T0, T0 + 500, T0 + seen + 100000});
	assert_int_equal(lab_commit(t), 0);
}

static unsigned secrets(void)
{
	static const char *const texts[] = {"Zwiebelstadt", "Kleinkleckersdorf", "4929-1111-2222",
					    "leckers"};
	unsigned found = 0;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		found += find_bytes(lab.dir, bytes_str(texts[i]), NULL);
	assert_true(find_bytes(lab.dir, bytes_str("somebody number"), NULL) >= 200);
	return found;
}

static void is_whole(struct store *s, bool stripped)
{
	struct snapshot *v = snapshot_new(s);
	struct buf memory = {0};
	struct bytes value;
	struct record r;
	char id[16];
	int64_t n;

	assert_int_equal(snapshot_count(v, "contacts"), 200);
	assert_true(intervals_contain(&snapshot_coverage(v, "contacts")->held, T0, T0 + 500));
	for (int i = 0; i < 200; i++) {
		snprintf(id, sizeof id, "c%d", i);
		assert_int_equal(snapshot_get(v, "contacts", bytes_str(id), &memory, &r), 1);
		assert_true(mp_find_int(r.doc, "n", &n) && n == i);
		assert_int_equal(mp_path(r.doc, bytes_str("person.name"), &value), 1);
		assert_int_equal(mp_path(r.doc, bytes_str("cards.1.kind"), &value), 1);
		assert_int_equal(mp_path(r.doc, bytes_str("person.city"), &value), !stripped);
		assert_int_equal(mp_path(r.doc, bytes_str("cards.0.number"), &value), !stripped);
	}
	buf_release(&memory);
	snapshot_free(v);
}

/* The index knows nothing of it, either. */
static void is_unfound(struct store *s)
{
	struct snapshot *v = snapshot_new(s);
	int field = snapshot_field(v, "contacts", &fields[0], NULL);
	struct store_term term = {(unsigned)field, bytes_str("Zwiebelstadt")};
	uint64_t count = 7;

	assert_true(field >= 0);
	assert_int_equal(snapshot_term_count(v, "contacts", &term, TIME_MIN, TIME_MAX, &count), 1);
	assert_int_equal(count, 0);
	term = (struct store_term){(unsigned)snapshot_field(v, "contacts", &fields[1], NULL),
				   bytes_str("waiting")};
	assert_int_equal(snapshot_term_count(v, "contacts", &term, TIME_MIN, TIME_MAX, &count), 1);
	assert_int_equal(count, 100);
	snapshot_free(v);
}

static void is_clean(struct store *s)
{
	struct store_purge left;

	lab_work(s);
	assert_false(store_purging(s, &left));
	assert_int_equal(secrets(), 0);
	is_whole(s, true);
	is_unfound(s);
}

static void setup(uint64_t kind)
{
	lab_init(&lab);
	lab.schemas = schemas;
	lab.journal_bytes = kind % 2 ? 1 << 20 : 0;
	lab.keep_previous = kind % 3 != 0;
	lab.sliced = kind % 4 < 2;
}

static void make(struct store *s)
{
	fill(s, 0, 150, 0);
	fill(s, 150, 200, 0);
	fill(s, 0, 9, 5000);
	fill(s, 3, 6, 9000);
}

static void never_stored(void **state)
{
	(void)state;
	for (uint64_t kind = 0; kind < 12; kind++) {
		setup(kind);
		struct store *s = lab_open(&lab);
		assert_int_equal(store_exclude(s, city), 0);
		make(s);
		assert_int_equal(secrets(), 0);
		is_whole(s, true);
		is_clean(s);
		/* What is the same but for what is excluded is the same. */
		struct store_stats before, after;
		store_stats(s, &before);
		fill(s, 0, 150, 0);
		store_stats(s, &after);
		assert_int_equal(before.revision, after.revision);
		store_close(s);
		lab_release(&lab);
	}
}

static void configured_later(void **state)
{
	(void)state;
	for (uint64_t kind = 0; kind < 12; kind++) {
		setup(kind);
		struct store *s = lab_open(&lab);
		assert_int_equal(store_exclude(s, none), 0);
		make(s);
		assert_true(secrets() > 200);
		is_whole(s, false);
		if (kind % 5 == 0) {
			store_close(s);
			s = lab_open(&lab);
		}
		assert_int_equal(store_exclude(s, city), 0);
		is_clean(s);
		store_close(s);
		/* It is known to be clean: nothing is written. */
		s = lab_open(&lab);
		lab_calm(&lab);
		assert_int_equal(store_exclude(s, city), 0);
		lab_work(s);
		assert_int_equal(lab.writes, 0);
		fill(s, 40, 50, 99000);
		is_clean(s);
		store_close(s);
		lab_release(&lab);
	}
}

/* What was stored while it was not excluded is found when it is excluded again. */
static void off_and_on(void **state)
{
	(void)state;
	setup(5);
	struct store *s = lab_open(&lab);
	assert_int_equal(store_exclude(s, city), 0);
	make(s);
	is_clean(s);
	assert_int_equal(store_exclude(s, none), 0);
	lab_work(s);
	fill(s, 30, 60, 7000);
	assert_true(secrets() > 0);
	store_close(s);
	s = lab_open(&lab);
	assert_int_equal(store_exclude(s, city), 0);
	is_clean(s);
	store_close(s);
	lab_release(&lab);
}

/* It is said while a transaction is open, being committed, or files are being merged. */
static void meanwhile(void **state)
{
	(void)state;
	for (int steps = 0; steps < 160; steps += 3) {
		setup(5 + (uint64_t)steps % 2);
		lab.sliced = true;
		struct store *s = lab_open(&lab);
		assert_int_equal(store_exclude(s, none), 0);
		for (int i = 0; i < 200; i += 20)
			fill(s, i, i + 20, 0);
		struct txn *t = lab_begin(s);
		put_one(t, 7, 4000);
		for (int i = 0; i < steps && store_work(s); i++)
			;
		assert_int_equal(store_exclude(s, city), 0);
		for (int i = 0; i < 40 && store_work(s); i++)
			;
		put_one(t, 8, 4000);
		assert_int_equal(lab_commit(t), 0);
		is_clean(s);
		store_close(s);
		lab_release(&lab);
	}
}

static void dies_in(uint64_t kind)
{
	char base[160];
	unsigned steps;

	setup(kind);
	struct store *s = lab_open(&lab);
	assert_int_equal(store_exclude(s, none), 0);
	make(s);
	store_close(s);
	snprintf(base, sizeof base, "%s-base", lab.dir);
	lab_copy(lab.dir, base);
	s = lab_open(&lab);
	lab_calm(&lab);
	assert_int_equal(store_exclude(s, city), 0);
	is_clean(s);
	store_close(s);
	steps = lab.steps;
	assert_true(steps > 15);
	for (unsigned k = 1; k <= steps; k++) {
		lab_copy(base, lab.dir);
		lab_calm(&lab);
		s = lab_open(&lab);
		lab_calm(&lab);
		lab.fault = k % 3 == 0 ? FAULT_DIE : k % 3 == 1 ? FAULT_TORN : FAULT_LOSE;
		lab.at = k;
		assert_int_equal(store_exclude(s, city), 0);
		lab_work(s);
		store_close(s);
		if (lab.fault == FAULT_LOSE)
			lab_lose(&lab);
		lab_calm(&lab);
		s = lab_open(&lab);
		assert_int_equal(store_exclude(s, city), 0);
		is_clean(s);
		store_close(s);
	}
	lab_remove(base);
	lab_release(&lab);
}

static void dies(void **state)
{
	(void)state;
	for (uint64_t kind = 1; kind < 6; kind++)
		dies_in(kind);
}

static void refused(void **state)
{
	static const struct store_exclusion bad[] = {{"No Name", "x"}, {NULL, NULL}},
					    empty[] = {{"contacts", ""}, {NULL, NULL}};
	struct store_exclusion many[STRIP_PATHS_MAX + 2] = {{NULL, NULL}};
	char names[STRIP_PATHS_MAX + 1][8];

	(void)state;
	setup(1);
	struct store *s = lab_open(&lab);
	assert_int_equal(store_exclude(s, bad), ERR_INVALID);
	assert_int_equal(store_exclude(s, empty), ERR_INVALID);
	for (int i = 0; i <= STRIP_PATHS_MAX; i++) {
		snprintf(names[i], sizeof names[i], "p%d", i);
		many[i] = (struct store_exclusion){"contacts", names[i]};
	}
	assert_int_equal(store_exclude(s, many), ERR_LIMIT);
	store_close(s);
	lab_release(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(never_stored), cmocka_unit_test(configured_later),
		cmocka_unit_test(off_and_on),   cmocka_unit_test(meanwhile),
		cmocka_unit_test(dies),         cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
