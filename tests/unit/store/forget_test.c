/*
 * What is forgotten is gone from the disk: from segments, journals, dictionaries and whatever was set aside, and what is put again does not come back. Wherever the process
 * dies, the next one finds nothing forgotten, or goes on until nothing is left.
 */
/* What they keep in memory is looked at byte by byte. */
#include "frames.c"
#include "pages.c"

#include "support/find.h"
#include "support/lab.h"

#include "dictionary.h"
#include "inside.h"
#include "state.h"

#include <codec/msgpack.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define T0 INT64_C(1700000000000)

/* Texts of the record that is forgotten, and one that all records of its resource have. */
#define SECRET "Marguerite Kowalczyk-Svensson"
#define COMMON "the invoice that was sent by mail"

static const struct store_schema schemas[] = {{"conversations", NULL, 0, NULL},
					      {"messages", NULL, 0, "conversations"},
					      {NULL, NULL, 0, NULL}};

/* Of records with fields there are lists of terms and columns, too. */
#define SECRET_ID   "thread-of-kowalczyk"
#define SECRET_WORD "svensson"
static const struct field text_field = {"text", FIELD_TEXT, "text", NULL},
			  name_field = {"name", FIELD_TEXT, "name", NULL};
static const struct store_field indexed[] = {{&name_field, STORE_KEYWORD}, {&text_field, STORE_WORDS}};
static const struct store_schema with_fields[] = {{"conversations", indexed, 2, NULL},
						  {NULL, NULL, 0, NULL}};
static const uint8_t key[STORE_FORGET_KEY] = {7, 1, 2, 3};
static struct lab lab;

static enum put_outcome put(struct txn *t, const char *resource, const char *id, const char *parent,
			    const char *text, int64_t seen)
{
	struct buf doc = {0};
	struct record r = {.id = bytes_str(id),
			   .parent = bytes_str(parent),
			   .created_ms = T0,
			   .updated_ms = T0 + seen,
			   .seen_ms = T0 + seen + 100000};
	enum put_outcome outcome = PUT_SAME;

	mp_put_map(&doc, 3);
	mp_put_cstr(&doc, "name");
	mp_put_cstr(&doc, text);
	mp_put_cstr(&doc, "id");
	mp_put_cstr(&doc, id);
	mp_put_cstr(&doc, "text");
	mp_put_cstr(&doc, COMMON);
	r.doc = buf_bytes(&doc);
	assert_int_equal(txn_put(t, resource, &r, &outcome, NULL), 0);
	buf_release(&doc);
	return outcome;
}

/* The first five of the threads are about the one who is forgotten, so that the dictionaries have the name. */
static void fill(struct store *s, int from, int to, int64_t seen)
{
	char id[32], child[32], name[64];

	struct txn *t = lab_begin(s);
	for (int i = from; i < to; i++) {
		snprintf(id, sizeof id, "thread-%d", i);
		snprintf(name, sizeof name, "somebody number %d", i);
		put(t, "conversations", id, NULL, i < 5 ? SECRET : name, seen);
		for (int k = 0; k < 4; k++) {
			snprintf(child, sizeof child, "part-%d-%d", i, k);
			put(t, "messages", child, id, i < 5 ? SECRET : name, seen);
		}
	}
	for (int r = 0; r < 2; r++)
		txn_hold(t, r ? "messages" : "conversations",
			 (struct interval){T0 - 5, T0 + 5, T0 + seen + 100000});
	assert_int_equal(lab_commit(t), 0);
}

/* Old and new segments, a journal, and copies of everything in both. */
static void make(struct store *s)
{
	fill(s, 0, 120, 0);
	fill(s, 120, 140, 0);
	fill(s, 0, 8, 5000);
	fill(s, 3, 6, 9000);
}

static int forget(struct store *s)
{
	struct txn *t = lab_begin(s);
	char id[32], child[32];
	bool held;

	for (int i = 0; i < 5; i++) {
		snprintf(id, sizeof id, "thread-%d", i);
		for (int k = 0; k < 4; k++) {
			snprintf(child, sizeof child, "part-%d-%d", i, k);
			assert_int_equal(txn_forget(t, "messages", bytes_str(child),
						    bytes_of(key, sizeof key), &held, NULL),
					 0);
		}
		assert_int_equal(txn_forget(t, "conversations", bytes_str(id),
					    bytes_of(key, sizeof key), &held, NULL),
				 0);
	}
	return lab_commit(t);
}

static bool is_forgotten(struct store *s)
{
	struct snapshot *v = snapshot_new(s);
	bool is = snapshot_forgotten(v, "conversations", bytes_str("thread-3"));

	for (int k = 0; k < 2; k++) {
		const struct intervals *held =
			&snapshot_coverage(v, k ? "messages" : "conversations")->held;
		assert_true(intervals_contain(held, T0 - 5, T0 + 5));
	}
	assert_int_equal(snapshot_count(v, "conversations"), is ? 135 : 140);
	assert_int_equal(snapshot_count(v, "messages"), is ? 540 : 560);
	snapshot_free(v);
	return is;
}

static unsigned secrets(void)
{
	static const char *const texts[] = {SECRET, "Kowalczyk", "thread-3\"", "part-2-1"};
	unsigned found = 0, inflated = 0;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		found += find_bytes(lab.dir, bytes_str(texts[i]), &inflated);
	assert_true(inflated >= 670);
	assert_true(find_bytes(lab.dir, bytes_str(COMMON), NULL) >= 670);
	return found;
}

static void is_clean(struct store *s)
{
	struct store_purge left;

	lab_work(s);
	assert_false(store_purging(s, &left));
	assert_int_equal(left.bytes, 0);
	assert_int_equal(secrets(), 0);
}

static void stays_away(struct store *s)
{
	struct txn *t = lab_begin(s);

	assert_int_equal(put(t, "conversations", "thread-2", NULL, SECRET, 99000), PUT_POORER);
	assert_int_equal(put(t, "messages", "part-2-1", "thread-2", SECRET, 99000), PUT_POORER);
	assert_int_equal(put(t, "messages", "another", "thread-2", SECRET, 99000), PUT_POORER);
	assert_true(put(t, "messages", "part-60-1", "thread-60", "other", 99000) < PUT_POORER);
	assert_int_equal(lab_commit(t), 0);
}

static void setup(uint64_t kind)
{
	lab_init(&lab);
	lab.schemas = schemas;
	lab.journal_bytes = kind % 2 ? 1 << 20 : 0;
	lab.keep_previous = kind % 3 != 0;
	lab.sliced = kind % 4 < 2;
}

static void gone(void **state)
{
	(void)state;
	for (uint64_t kind = 0; kind < 12; kind++) {
		setup(kind);
		struct store *s = lab_open(&lab);
		make(s);
		assert_true(secrets() > 20);
		assert_int_equal(forget(s), 0);
		assert_true(is_forgotten(s));
		is_clean(s);
		stays_away(s);
		assert_true(is_forgotten(s));
		assert_int_equal(secrets(), 0);
		store_close(s);
		s = lab_open(&lab);
		assert_true(is_forgotten(s));
		stays_away(s);
		store_close(s);
		assert_int_equal(secrets(), 0);
		lab_release(&lab);
	}
}

/* The dictionary that had the name is another one; without enough to train from there is none. */
static void dictionaries_go(void **state)
{
	char path[512];

	(void)state;
	setup(4);
	struct store *s = lab_open(&lab);
	make(s);
	assert_true(lab_files(lab.dir, ".dict") >= 2);
	assert_int_equal(forget(s), 0);
	is_clean(s);
	assert_true(lab_find(lab.dir, ".dict", path)); /* there was enough */
	store_close(s);
	lab_release(&lab);
}

/* What readers see stays, and so do its files, until they are done. */
static void readers_keep(void **state)
{
	struct buf memory = {0};
	struct record r;
	struct store_purge left;

	(void)state;
	setup(4);
	struct store *s = lab_open(&lab);
	make(s);
	struct snapshot *v = snapshot_new(s);
	assert_int_equal(forget(s), 0);
	lab_work(s);
	assert_true(store_purging(s, &left));
	assert_int_equal(snapshot_get(v, "conversations", bytes_str("thread-3"), &memory, &r), 1);
	snapshot_free(v);
	buf_release(&memory);
	is_clean(s);
	store_close(s);
	lab_release(&lab);
}

/* A transaction that was open packs with the old dictionary: what it brings is packed anew, too. */
static void transaction_meanwhile(void **state)
{
	(void)state;
	setup(5);
	struct store *s = lab_open(&lab);
	make(s);
	assert_int_equal(forget(s), 0);
	struct txn *t = lab_begin(s);
	put(t, "messages", "part-60-1", "thread-60", "other", 99000);
	for (int i = 0; i < 50; i++)
		store_work(s);
	assert_int_equal(lab_commit(t), 0);
	is_clean(s);
	store_close(s);
	lab_release(&lab);
}

/* A second one comes while the first is being worked at. */
static void again(void **state)
{
	bool held;

	(void)state;
	for (int steps = 0; steps < 400; steps += 37) {
		setup((uint64_t)steps);
		lab.sliced = true;
		struct store *s = lab_open(&lab);
		make(s);
		assert_int_equal(forget(s), 0);
		for (int i = 0; i < steps && store_work(s); i++)
			;
		struct txn *t = lab_begin(s);
		assert_int_equal(txn_forget(t, "messages", bytes_str("part-99-2"),
					    bytes_of(key, sizeof key), &held, NULL),
				 0);
		assert_true(held);
		assert_int_equal(txn_forget(t, "nowhere", bytes_str("x"), bytes_of(key, sizeof key),
					    &held, NULL),
				 0);
		assert_false(held);
		assert_int_equal(lab_commit(t), 0);
		is_clean(s);
		assert_int_equal(find_bytes(lab.dir, bytes_str("part-99-2"), NULL), 0);
		store_close(s);
		lab_release(&lab);
	}
}

/* Damaged files are set aside, and go with what is forgotten. */
static void set_aside(void **state)
{
	struct buf file = {0};
	char path[512];

	(void)state;
	setup(4);
	struct store *s = lab_open(&lab);
	make(s);
	lab_work(s);
	store_close(s);
	assert_true(lab_find(lab.dir, ".seg", path));
	lab_read("", path, &file);
	lab_write("", path, bytes_of(file.data, file.len - SEGMENT_PAGE));
	s = lab_open(&lab);
	assert_int_equal(lab_commit(lab_begin(s)), 0);
	assert_int_equal(lab_files(lab.dir, ".bad"), 1);
	assert_int_equal(forget(s), 0);
	lab_work(s);
	assert_int_equal(lab_files(lab.dir, ".bad"), 0);
	store_close(s);
	lab_release(&lab);
	buf_release(&file);
}

/* Old copies of what was replaced go when somebody asks. */
static void scrubbed(void **state)
{
	unsigned stayed = 0;

	(void)state;
	for (uint64_t kind = 0; kind < 12; kind++) {
		setup(kind);
		struct store *s = lab_open(&lab);
		fill(s, 5, 100, 0);
		struct txn *t = lab_begin(s);
		put(t, "messages", "one", "thread-9", "a text that is redacted later", 10);
		assert_int_equal(lab_commit(t), 0);
		t = lab_begin(s);
		assert_int_equal(put(t, "messages", "one", "thread-9", "nothing", 20), PUT_UPDATED);
		for (int i = 0; i < 3; i++)
			assert_int_equal(txn_scrub(t, "messages"), 0);
		assert_int_equal(lab_commit(t), 0);
		stayed += find_bytes(lab.dir, bytes_str("that is redacted later"), NULL) > 0;
		store_close(s);
		s = lab_open(&lab);
		store_scrub(s);
		lab_work(s);
		struct store_purge left;
		assert_false(store_purging(s, &left));
		assert_int_equal(find_bytes(lab.dir, bytes_str("that is redacted later"), NULL), 0);
		unsigned files = lab.writes;
		store_scrub(s);
		lab_work(s);
		assert_int_equal(lab.writes, files); /* nothing more was noted */
		store_close(s);
		lab_release(&lab);
	}
	assert_true(stayed > 6); /* else this shows nothing */
}

/* ---- the process dies ---- */

static void dies_in(uint64_t kind)
{
	char base[160];
	unsigned before = 0, after = 0, steps;

	setup(kind);
	struct store *s = lab_open(&lab);
	make(s);
	store_close(s);
	snprintf(base, sizeof base, "%s-base", lab.dir);
	lab_copy(lab.dir, base);
	s = lab_open(&lab);
	lab_calm(&lab);
	assert_int_equal(forget(s), 0);
	is_clean(s);
	store_close(s);
	steps = lab.steps;
	assert_true(steps > 40);
	for (unsigned k = 1; k <= steps; k++) {
		lab_copy(base, lab.dir);
		lab_calm(&lab);
		s = lab_open(&lab);
		lab_calm(&lab);
		lab.fault = k % 3 == 0 ? FAULT_DIE : k % 3 == 1 ? FAULT_TORN : FAULT_LOSE;
		lab.at = k;
		forget(s);
		lab_work(s);
		store_close(s);
		if (lab.fault == FAULT_LOSE)
			lab_lose(&lab);
		lab_calm(&lab);
		s = lab_open(&lab);
		bool is = is_forgotten(s);
		if (is)
			is_clean(s);
		is ? after++ : before++;
		if (!is)
			assert_int_equal(forget(s), 0);
		is_clean(s);
		stays_away(s);
		store_close(s);
	}
	assert_true(before + after == steps && before > 1 && after > 10);
	lab_remove(base);
	lab_release(&lab);
}

static void dies(void **state)
{
	(void)state;
	for (uint64_t kind = 1; kind < 6; kind++)
		dies_in(kind);
}

/* More than fit one mark of the manifest. */
static void many(void **state)
{
	char id[32];
	bool held;

	(void)state;
	setup(1);
	struct store *s = lab_open(&lab);
	for (int round = 0; round < 3; round++) {
		struct txn *t = lab_begin(s);
		for (int i = 0; i < 700; i++) {
			snprintf(id, sizeof id, "%d", round * 700 + i);
			assert_int_equal(txn_forget(t, "conversations", bytes_str(id),
						    bytes_of(key, sizeof key), &held, NULL),
					 0);
		}
		assert_int_equal(lab_commit(t), 0);
	}
	for (int twice = 0; twice < 2; twice++) {
		struct snapshot *v = snapshot_new(s);
		for (int i = 0; i < 2110; i++) {
			snprintf(id, sizeof id, "%d", i);
			assert_int_equal(snapshot_forgotten(v, "conversations", bytes_str(id)),
					 i < 2100);
			assert_false(snapshot_forgotten(v, "messages", bytes_str(id)));
		}
		snapshot_free(v);
		store_close(s);
		s = lab_open(&lab);
	}
	store_close(s);
	lab_release(&lab);
}

static void refused(void **state)
{
	struct why why;
	bool held;

	(void)state;
	setup(1);
	struct store *s = lab_open(&lab);
	make(s);
	struct txn *t = lab_begin(s);
	assert_int_equal(txn_forget(t, "messages", bytes_str(""), bytes_of(key, sizeof key), &held,
				    &why),
			 ERR_INVALID);
	put(t, "messages", "new", "thread-9", "text", 0);
	assert_int_equal(txn_forget(t, "messages", bytes_str("new"), bytes_of(key, sizeof key),
				    &held, &why),
			 ERR_INVALID);
	txn_abort(t);
	store_close(s);
	lab_release(&lab);
}

/* ---- memory ---- */

static void put_with_fields(struct txn *t, const char *id, const char *name, const char *word)
{
	struct buf doc = {0}, text = {0};
	struct record r = {
		.id = bytes_str(id), .created_ms = T0, .updated_ms = T0, .seen_ms = T0 + 100000};

	buf_printf(&text, COMMON " to %s", word);
	mp_put_map(&doc, 2);
	mp_put_cstr(&doc, "name");
	mp_put_cstr(&doc, name);
	mp_put_cstr(&doc, "text");
	mp_put_str(&doc, buf_bytes(&text));
	r.doc = buf_bytes(&doc);
	assert_int_equal(txn_put(t, "conversations", &r, NULL, NULL), 0);
	buf_release(&doc);
	buf_release(&text);
}

static void make_with_fields(struct store *s)
{
	char id[32];

	struct txn *t = lab_begin(s);
	for (int i = 0; i < 600; i++) {
		snprintf(id, sizeof id, "thread-%d", i);
		put_with_fields(t, i == 300 ? SECRET_ID : id, i == 300 ? "odd" : "even",
				i == 300 ? SECRET_WORD : "somebody");
	}
	assert_int_equal(lab_commit(t), 0);
	lab_work(s);
}

/* Reads the one that is named odd, by its list, and all of its columns. */
static void read_odd(struct snapshot *v)
{
	struct store_term term = {0, bytes_str("odd")};
	struct scan_spec spec = {.resource = "conversations",
				 .start_ms = TIME_MIN,
				 .end_ms = TIME_MAX,
				 .terms = &term,
				 .terms_count = 1};
	struct buf memory = {0};
	struct scan_row row;
	struct bytes id, parent;
	struct record r;
	struct scan *scan;

	assert_int_equal(scan_open(v, &spec, &scan, NULL), 0);
	assert_int_equal(scan_next(scan, &row), 1);
	assert_int_equal(scan_names(scan, &id, &parent), 1);
	assert_true(bytes_is(id, SECRET_ID));
	assert_int_equal(scan_record(scan, &memory, &r), 1);
	assert_true(bytes_is(r.id, SECRET_ID));
	scan_close(scan);
	assert_int_equal(snapshot_get(v, "conversations", bytes_str(SECRET_ID), &memory, &r), 1);
	buf_release(&memory);
}

static bool has_secret(const void *data, size_t len)
{
	return bytes_has(bytes_of(data, len), SECRET_ID) ||
	       bytes_has(bytes_of(data, len), SECRET_WORD);
}

enum { KEPT_RING = 1, KEPT_PAGES = 2, KEPT_STRETCH = 4, KEPT_FRAME = 8 };

/* Where the store has something of it in memory. */
static unsigned kept(const struct store *s)
{
	const struct frames *f = s->frames;
	const struct pages *p = s->pages;
	unsigned where = 0;

	where |= has_secret(f->ring, f->end < f->size ? f->end : f->size) ? KEPT_RING : 0;
	for (uint32_t i = 0; i < p->count; i++)
		where |= has_secret(p->slots[i].data, SEGMENT_PAGE) ? KEPT_PAGES : 0;
	where |= has_secret(p->stretch.data, sizeof p->stretch.data) ? KEPT_STRETCH : 0;
	where |= s->frame.data && has_secret(s->frame.data, s->frame.cap) ? KEPT_FRAME : 0;
	return where;
}

static void forget_odd(struct store *s)
{
	bool held;
	struct txn *t = lab_begin(s);

	assert_int_equal(txn_forget(t, "conversations", bytes_str(SECRET_ID),
				    bytes_of(key, sizeof key), &held, NULL),
			 0);
	assert_true(held);
	assert_int_equal(lab_commit(t), 0);
	lab_work(s);
}

/* When it is over nothing of it is in what the store keeps in memory, whatever was read before and, by readers from before, meanwhile. */
static void nothing_stays_in_memory(void **state)
{
	struct store_purge left;
	unsigned before = 0;

	(void)state;
	for (int reader = 0; reader < 3; reader++) {
		setup(2);
		lab.schemas = with_fields;
		lab.sliced = true;
		struct store *s = lab_open(&lab);
		make_with_fields(s);
		struct snapshot *v = snapshot_new(s);
		if (reader < 2)
			read_odd(v);
		before |= kept(s);
		if (reader == 0) {
			snapshot_free(v);
			v = NULL;
		}
		forget_odd(s);
		assert_int_equal(store_purging(s, &left), v != NULL);
		if (v)
			read_odd(v);
		assert_int_equal(kept(s) & KEPT_RING, 0);
		snapshot_free(v);
		lab_work(s);
		assert_false(store_purging(s, &left));
		assert_int_equal(kept(s), 0);
		store_close(s);
		lab_release(&lab);
	}
	assert_int_equal(before & (KEPT_RING | KEPT_PAGES | KEPT_FRAME),
			 KEPT_RING | KEPT_PAGES | KEPT_FRAME); /* else this shows nothing */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gone),
		cmocka_unit_test(dictionaries_go),
		cmocka_unit_test(readers_keep),
		cmocka_unit_test(transaction_meanwhile),
		cmocka_unit_test(again),
		cmocka_unit_test(set_aside),
		cmocka_unit_test(scrubbed),
		cmocka_unit_test(dies),
		cmocka_unit_test(many),
		cmocka_unit_test(refused),
		cmocka_unit_test(nothing_stays_in_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
