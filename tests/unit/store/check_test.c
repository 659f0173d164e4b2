/*
 * A check finds what is not as it was written: each byte of each kind of file, and each cut, offline without changing anything; and online what is damaged is
 * gone after the next commit, by a quarantine or by writing it anew.
 */
#include "support/lab.h"

#include <store/trail.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define T0  1700000000000
#define DAY INT64_C(86400000)

static struct lab lab;
static char base[160];

static void put_some(struct store *s, unsigned from, unsigned n)
{
	struct txn *t = lab_begin(s);
	char id[16];

	for (unsigned i = from; i < from + n; i++) {
		snprintf(id, sizeof id, "i%u", i);
		lab_put(t, "contacts", id, T0 + i * DAY / 20, T0 + i, T0 + DAY, 0,
			i % 2 ? "p" : NULL, i + 1);
	}
	txn_hold(t, "contacts", (struct interval){T0, T0 + 5 * DAY, T0 + 9 * DAY});
	assert_int_equal(lab_commit(t), 0);
}

/* Every kind of file: a dictionary, segments, both manifests, a journal, a trail. */
static int prepare(void **state)
{
	struct trail *trail;
	char runs[200];

	(void)state;
	lab_init(&lab);
	lab.journal_bytes = 1 << 20;
	lab.keep_previous = true;
	snprintf(base, sizeof base, "%.100s-base", lab.dir);
	struct store *s = lab_open(&lab);
	put_some(s, 0, 66);
	store_flush(s);
	while (store_work(s))
		;
	put_some(s, 66, 66);
	store_flush(s);
	while (store_work(s))
		;
	put_some(s, 140, 3);
	put_some(s, 144, 3);
	store_close(s);
	snprintf(runs, sizeof runs, "%s/runs", lab.dir);
	assert_int_equal(trail_open(runs, 4096, 3, &trail, NULL), 0);
	static const uint8_t value[] = {0x92, 0xa2, 'o', 'k', 0x01};
	for (int i = 0; i < 4; i++)
		assert_int_equal(trail_append(trail, bytes_of(value, sizeof value), NULL), 0);
	trail_close(trail);
	lab_copy(lab.dir, base);
	return 0;
}

static int finish(void **state)
{
	(void)state;
	lab_remove(base);
	lab_release(&lab);
	return 0;
}

struct told {
	unsigned count;
	char file[128];
	enum store_action action;
	uint64_t records;
};

static void on_found(void *ctx, const struct store_damage *d)
{
	struct told *t = ctx;

	t->count++;
	assert_non_null(d->words);
	assert_true(d->records == 0 || (d->resource && d->span.start_ms < d->span.end_ms));
	snprintf(t->file, sizeof t->file, "%s", d->file);
	if (getenv("CHECK_TEST_SAY"))
		print_message("# %s: %s (%u)\n", d->file, d->words, (unsigned)d->records);
	t->action = d->action;
	t->records += d->records;
}

static uint64_t check(struct store *s, struct told *told)
{
	struct store_check *c = store_check_new(s);
	uint64_t bad = 0, files, bytes;
	double progress;
	int rc;

	*told = (struct told){0};
	store_check_tell(c, on_found, told);
	while ((rc = store_check_step(c, 5000, &bad, &progress)) == 1)
		;
	assert_int_equal(rc, 0);
	store_check_read(c, &files, &bytes);
	assert_true(files > 0 && bytes > 0 && progress > 0.999);
	store_check_free(c);
	assert_int_equal(told->count, bad);
	return bad;
}

static int open_read_only(struct store **out)
{
	struct store_options o = {.dir = lab.dir, .read_only = true};

	return store_open(&o, out, NULL);
}

/* What a check of the folder as it is finds; a store that cannot even be opened is found, too. */
static uint64_t offline(struct told *told)
{
	struct store *s;

	if (open_read_only(&s))
		return 1;
	uint64_t bad = check(s, told);
	store_close(s);
	return bad;
}

static void same_as(const char *path, const struct buf *file)
{
	struct buf now = {0};

	lab_read("", path, &now);
	assert_true(bytes_equal(buf_bytes(&now), buf_bytes(file)));
	buf_release(&now);
}

static const struct {
	const char *suffix;
	size_t step; /* of the bytes that are flipped, but for the first and last 200 */
} kinds[] = {{"/MANIFEST", 1},       {"/MANIFEST.prev", 1}, {".dict", 17},
	     {"/journal/1.log", 13}, {".seg", 97},          {"/runs/0.log", 1}};

#define KINDS (sizeof kinds / sizeof *kinds)

static bool find(unsigned kind, char path[512])
{
	if (kinds[kind].suffix[0] == '.')
		return lab_find(lab.dir, kinds[kind].suffix, path);
	snprintf(path, 512, "%s%s", lab.dir, kinds[kind].suffix);
	if (access(path, F_OK) == 0)
		return true;
	snprintf(path, 512, "%s/journal", lab.dir);
	return strstr(kinds[kind].suffix, "journal") && lab_find(path, ".log", path);
}

/* What lies between a segment's records and its first section is filled up and never read. */
static bool harmless(unsigned kind, const struct buf *file, size_t i)
{
	return strcmp(kinds[kind].suffix, ".seg") == 0 && i >= le64(file->data + 24) &&
	       i < (le64(file->data + 24) + 4095) / 4096 * 4096;
}

static void every_byte(void **state)
{
	(void)state;
	for (unsigned k = 0; k < KINDS; k++) {
		struct buf file = {0};
		struct told told;
		char path[512];
		unsigned flips = 0;
		assert_true(find(k, path));
		lab_read("", path, &file);
		unsigned files = lab_files(lab.dir, "");
		assert_int_equal(offline(&told), 0);
		size_t len = file.len;
		for (size_t i = 0; i < len;
		     i += i < 200 || len - i < 200 || getenv("STORE_TEST_ALL") ? 1 : kinds[k].step) {
			if (harmless(k, &file, i))
				continue;
			file.data[i] ^= (uint8_t)(1u << (i % 8));
			lab_write("", path, buf_bytes(&file));
			uint64_t bad = offline(&told);
			if (bad == 0)
				fail_msg("%s: a flip at %zu of %zu is not found", path, i, len);
			same_as(path, &file);
			file.data[i] ^= (uint8_t)(1u << (i % 8));
			flips++;
		}
		for (size_t cut = 0; cut<len; cut += len> 2000 ? 501 : 1) {
			/* A journal that was made and not written to, and a frame that is not there: nobody can miss them. */
			file.len = cut;
			lab_write("", path, buf_bytes(&file));
			bool journal = strstr(path, "/journal/") != NULL,
			     trail = strstr(path, "/runs/") != NULL;
			if (offline(&told) == 0)
				assert_true(journal || trail);
			same_as(path, &file);
		}
		file.len = len;
		lab_write("", path, buf_bytes(&file));
		assert_int_equal(lab_files(lab.dir, ""), files);
		assert_int_equal(offline(&told), 0);
		print_message("# %s: %u flips\n", path + strlen(lab.dir), flips);
		buf_release(&file);
	}
}

static void missing_files(void **state)
{
	(void)state;
	for (unsigned k = 0; k < KINDS; k++) {
		struct told told;
		char path[512];
		assert_true(find(k, path));
		unlink(path);
		uint64_t bad = offline(&told);
		if (strstr(path, ".seg") || strstr(path, ".dict")) {
			assert_true(bad > 0 && told.records > 0);
			assert_int_equal(told.action, STORE_QUARANTINES);
		}
		assert_int_not_equal(access(path, F_OK), 0);
		lab_copy(base, lab.dir);
	}
}

static void spoil(const char *path, size_t at)
{
	struct buf file = {0};

	lab_read("", path, &file);
	file.data[at % file.len] ^= 4;
	lab_write("", path, buf_bytes(&file));
	buf_release(&file);
}

static unsigned count(struct store *s)
{
	struct snapshot *v = snapshot_new(s);
	unsigned n = (unsigned)snapshot_count(v, "contacts");

	snapshot_free(v);
	return n;
}

/* While the store is open, what is in memory mends what it can; the rest becomes a gap. */
static void online(void **state)
{
	(void)state;
	for (unsigned k = 0; k < KINDS; k++) {
		struct told told;
		char path[512];
		struct store *s = lab_open(&lab);
		put_some(s, 200, 2);
		unsigned before = count(s);
		assert_int_equal(check(s, &told), 0);
		assert_true(find(k, path));
		spoil(path, strstr(path, ".seg") ? 4100 : 30);
		assert_true(check(s, &told) > 0);
		bool trail = strstr(path, "/runs/") != NULL;
		assert_int_equal(store_damaged(s), !trail);
		if (!trail) {
			assert_true(told.action == STORE_REWRITES || told.records > 0);
			while (store_work(s))
				;
			assert_int_equal(lab_commit(lab_begin(s)), 0);
			assert_false(store_damaged(s));
			if (check(s, &told))
				fail_msg("%s was damaged, then %s is", path, told.file);
			assert_int_equal(count(s) < before,
					 strstr(path, ".seg") || strstr(path, ".dict"));
		}
		unsigned after = count(s);
		put_some(s, 300, 70); /* nothing more is packed with a damaged dictionary */
		store_close(s);
		s = lab_open(&lab);
		assert_int_equal(count(s), after + 70);
		assert_int_equal(check(s, &told), trail);
		store_close(s);
		lab_copy(base, lab.dir);
	}
}

/* What is damaged is out of a sound snapshot, and of its claims, before any commit. */
static void sound(void **state)
{
	struct told told;
	char path[512];

	(void)state;
	struct store *s = lab_open(&lab);
	assert_true(lab_find(lab.dir, ".seg", path));
	spoil(path, 4100);
	assert_true(check(s, &told) > 0);
	struct snapshot *v = snapshot_sound(s), *old = snapshot_new(s);
	assert_true(snapshot_count(v, "contacts") < snapshot_count(old, "contacts"));
	assert_true(snapshot_quarantined(v, "contacts", TIME_MIN, TIME_MAX) == 1);
	assert_false(intervals_contain(&snapshot_coverage(v, "contacts")->held, T0, T0 + 5 * DAY));
	assert_true(intervals_contain(&snapshot_coverage(old, "contacts")->held, T0, T0 + 5 * DAY));
	uint64_t n = snapshot_count(v, "contacts");
	snapshot_free(v);
	snapshot_free(old);
	assert_int_equal(lab_commit(lab_begin(s)), 0);
	assert_int_equal(count(s), n);
	store_close(s);
	lab_copy(base, lab.dir);
}

static void read_only(void **state)
{
	struct store *s;

	(void)state;
	assert_int_equal(open_read_only(&s), 0);
	struct txn *t = lab_begin(s);
	lab_put(t, "contacts", "new", T0, T0, T0, 0, NULL, 1);
	assert_true(lab_commit(t) < 0);
	store_close(s);
	char keep[128];
	memcpy(keep, lab.dir, sizeof keep);
	snprintf(lab.dir, sizeof lab.dir, "%.100s-none", keep);
	assert_int_equal(open_read_only(&s), ERR_NOTFOUND);
	assert_int_not_equal(access(lab.dir, F_OK), 0);
	memcpy(lab.dir, keep, sizeof keep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte), cmocka_unit_test(missing_files),
		cmocka_unit_test(online),     cmocka_unit_test(sound),
		cmocka_unit_test(read_only),
	};

	return cmocka_run_group_tests(tests, prepare, finish);
}
