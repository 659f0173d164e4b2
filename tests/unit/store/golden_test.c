/*
 * The formats are pinned: stores written by every version are read and show the same, and writing
 * the same again gives the bytes of the newest.
 *
 *   tests/golden/store-vN/plain    written from the code below, once byte for byte
 *   tests/golden/store-vN/trained  with a dictionary, whose training may change: read only
 *   tests/golden/store-vN/journaled  with a journal
 *   tests/golden/store-v1/trail    a trail, byte for byte
 *   ....txt                        what readers see
 *
 *   v1: segments of version 1, without terms and columns
 *   v2: segments of version 2
 *   v3: segments of version 3, dictionaries of phrases
 *   v4: segments of version 4, with filters of parents, by a writer that finds what the numbers of a column have in common
 *   v5: segments of version 5, with keys of ids and ends of pages in the header
 *
 * These files are never edited. A new version gets a folder of its own: STORE_GOLDEN_WRITE=1 writes
 * what is not there.
 */
#include "support/lab.h"

#include <base/files.h>
#include <codec/deflate.h>
#include <store/trail.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ROOT   "tests/golden"
#define T0     1700000000000
#define NEWEST 5

static void golden_path(unsigned version, const char *name, char out[256])
{
	const char *root = access(ROOT, F_OK) == 0 ? ROOT : getenv("STORE_GOLDEN");

	snprintf(out, 256, "%s/store-v%u/%s", root ? root : "../../../" ROOT, version, name);
}

/* ---- what is written ---- */

static void write_plain(struct store *s)
{
	struct txn *t = lab_begin(s);
	char id[16];

	for (int i = 0; i < 20; i++) {
		snprintf(id, sizeof id, "contact-%d", i);
		lab_put(t, "contacts", id, i == 7 ? TIME_NONE : T0 + i * 7000000LL,
			T0 + 1000000 - i * 3, T0 + 2000000,
			i == 3   ? RECORD_TRUNCATED
			: i == 4 ? RECORD_POOR
				 : 0,
			NULL, (unsigned)i + 1);
	}
	for (int i = 0; i < 6; i++) {
		snprintf(id, sizeof id, "m%d", i);
		lab_put(t, "messages", id, T0 + i * 1000, TIME_NONE, T0 + 9000, 0,
			i % 2 ? "contact-1" : "contact-2", (unsigned)i + 100);
	}
	txn_hold(t, "contacts", (struct interval){T0, T0 + 100000000, T0 + 100000000});
	txn_chain_start(t, "contacts", T0 + 100000000);
	txn_mark(t, "etag", bytes_str("W/\"abc\""));
	assert_int_equal(lab_commit(t), 0);
	t = lab_begin(s);
	lab_put(t, "contacts", "contact-5", T0 + 35000000, T0 + 3000000, T0 + 4000000, 0, NULL, 77);
	lab_put(t, "contacts", "contact-6", TIME_NONE, TIME_NONE, T0 + 4000000, RECORD_DELETED,
		NULL, 0);
	lab_put(t, "tags", "tag", TIME_NONE, TIME_NONE, T0, 0, NULL, 200);
	txn_hold(t, "tags", (struct interval){TIME_MIN, T0, T0});
	txn_withdraw(t, "contacts", T0 + 10, T0 + 20);
	txn_chain_extend(t, "contacts", T0 + 100000000, T0 + 110000000);
	assert_int_equal(lab_commit(t), 0);
}

static void write_journaled(struct store *s)
{
	struct txn *t;

	write_plain(s);
	t = lab_begin(s);
	lab_put(t, "contacts", "contact-5", T0 + 35000000, T0 + 5000000, T0 + 6000000,
		RECORD_TRUNCATED, NULL, 78);
	lab_put(t, "contacts", "contact-9", TIME_NONE, T0 + 5000000, T0 + 6000000, RECORD_DELETED,
		NULL, 0);
	lab_put(t, "messages", "m9", T0 + 9000, TIME_NONE, T0 + 9000, 0, "contact-1", 109);
	txn_hold(t, "messages", (struct interval){T0, T0 + 100000, T0 + 100000});
	txn_mark(t, "etag", bytes_of(NULL, 0));
	txn_mark(t, "a", bytes_str("1"));
	assert_int_equal(lab_commit(t), 0);
}

static void write_trained(struct store *s)
{
	for (int round = 0; round < 2; round++) {
		struct txn *t = lab_begin(s);
		char id[16];
		for (int i = 0; i < 100; i++) {
			snprintf(id, sizeof id, "contact-%d", i + round * 50);
			lab_put(t, "contacts", id, T0 + i * 7000000LL, T0 + round * 10000,
				T0 + 2000000, 0, i % 3 ? NULL : "parent",
				(unsigned)(i + round * 1000) + 1);
		}
		assert_int_equal(lab_commit(t), 0);
	}
}

static void write_trail(const char *dir)
{
	struct trail *t;
	struct buf value = {0};

	assert_int_equal(trail_open(dir, 600, 4, &t, NULL), 0);
	for (unsigned i = 0; i < 8; i++) {
		lab_doc(&value, i + 1, 150);
		assert_int_equal(trail_append(t, buf_bytes(&value), NULL), 0);
	}
	trail_close(t);
	buf_release(&value);
}

/* ---- reading and comparing ---- */

static void same_text(unsigned version, const char *name, struct buf *seen)
{
	char path[256], file[32];
	struct buf want = {0};

	snprintf(file, sizeof file, "%s.txt", name);
	golden_path(version, file, path);
	if (access(path, F_OK) != 0 && getenv("STORE_GOLDEN_WRITE"))
		lab_write("", path, buf_bytes(seen));
	lab_read("", path, &want);
	assert_string_equal(buf_text(seen), buf_text(&want));
	buf_release(&want);
}

static void same_file(const char *golden, const char *made, const char *name)
{
	struct buf a = {0}, b = {0};

	lab_read(golden, name, &a);
	lab_read(made, name, &b);
	if (!bytes_equal(buf_bytes(&a), buf_bytes(&b)))
		fail_msg("%s is written with other bytes than its version wrote", name);
	buf_release(&a);
	buf_release(&b);
}

/* Another zlib may pack otherwise; then the bytes say nothing about the format. */
static bool packs_as_then(void)
{
	static const uint8_t then[] = {0x4b, 0x4c, 0x4a, 0x4e, 0x49, 0x4d, 0x4b,
				       0x4f, 0x44, 0xa6, 0x20, 0x1c, 0x00};
	struct packer *p = packer_new(bytes_of(NULL, 0), 3);
	struct buf out = {0};
	bool same = packer_pack(p, bytes_str("abcdefgabcdefgabcdefabcdef"), &out) == 0 &&
		    bytes_equal(buf_bytes(&out), bytes_of(then, sizeof then));

	if (!same)
		print_message("# another zlib: bytes are not compared\n");
	packer_free(p);
	buf_release(&out);
	return same;
}

static void golden_read(unsigned version, const char *name)
{
	char path[256];
	struct lab read = {0};
	struct buf seen = {0};
	struct store *s;

	golden_path(version, name, path);
	/* Read a copy: opening must never change the original. */
	lab_init(&read);
	lab_copy(path, read.dir);
	s = lab_open(&read);
	lab_dump(s, &seen, true);
	assert_int_equal(read.steps, 0);
	same_text(version, name, &seen);
	uint64_t bad = 1;
	double progress;
	struct store_check *c = store_check_new(s);
	while (store_check_step(c, 1 << 20, &bad, &progress) == 1)
		;
	store_check_free(c);
	assert_int_equal(bad, 0);
	store_close(s);
	lab_release(&read);
	buf_release(&seen);
}

static void golden_store(const char *name, size_t journal_bytes, void (*write)(struct store *s),
			 struct lab *made)
{
	char path[256];
	struct store *s;

	lab_init(made);
	made->journal_bytes = journal_bytes;
	s = lab_open(made);
	write(s);
	store_close(s);
	golden_path(NEWEST, name, path);
	if (access(path, F_OK) != 0 && getenv("STORE_GOLDEN_WRITE"))
		lab_copy(made->dir, path);
	for (unsigned version = 1; version <= NEWEST; version++)
		golden_read(version, name);
}

static void plain(void **state)
{
	static const char *const files[] = {"MANIFEST", "contacts/2023-11-14/1.seg",
					    "messages/2023-11-14/2.seg",
					    "contacts/2023-11-15/3.seg", "tags/all/4.seg"};
	struct lab made;
	char path[256];

	(void)state;
	golden_store("plain", 0, write_plain, &made);
	golden_path(NEWEST, "plain", path);
	for (unsigned i = 0; packs_as_then() && i < sizeof files / sizeof *files; i++)
		same_file(path, made.dir, files[i]);
	lab_release(&made);
}

static void journaled(void **state)
{
	static const char *const files[] = {"MANIFEST", "journal/1.log"};
	struct lab made;
	char path[256];

	(void)state;
	golden_store("journaled", 1 << 20, write_journaled, &made);
	golden_path(NEWEST, "journaled", path);
	for (unsigned i = 0; packs_as_then() && i < sizeof files / sizeof *files; i++)
		same_file(path, made.dir, files[i]);
	lab_release(&made);
}

static void trained(void **state)
{
	struct lab made;

	(void)state;
	golden_store("trained", 0, write_trained, &made);
	lab_release(&made);
}

static bool each(void *ctx, uint64_t sequence, struct bytes value)
{
	buf_printf(ctx, "%llu %016llx\n", (unsigned long long)sequence,
		   (unsigned long long)bytes_hash(value));
	return true;
}

static void trail(void **state)
{
	struct lab made, read;
	struct buf seen = {0};
	char path[256], first[512];
	struct trail *t;

	(void)state;
	lab_init(&made);
	lab_init(&read);
	write_trail(made.dir);
	golden_path(1, "trail", path);
	if (access(path, F_OK) != 0 && getenv("STORE_GOLDEN_WRITE"))
		lab_copy(made.dir, path);
	lab_copy(path, read.dir);
	assert_int_equal(trail_open(read.dir, 600, 4, &t, NULL), 0);
	assert_int_equal(trail_scan(t, UINT64_MAX, each, &seen), 0);
	trail_close(t);
	same_text(1, "trail", &seen);
	assert_int_equal(lab_files(path, ".log"), lab_files(made.dir, ".log"));
	assert_true(lab_find(made.dir, "0.log", first));
	same_file(path, made.dir, "0.log");
	lab_release(&made);
	lab_release(&read);
	buf_release(&seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(plain), cmocka_unit_test(journaled),
					   cmocka_unit_test(trained), cmocka_unit_test(trail)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
