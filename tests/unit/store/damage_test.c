/*
 * Every byte flipped and every file cut: an error or a right answer, never a wrong one; and damage
 * becomes a gap that a later hold closes.
 *
 * What is right is judged by honest(): a record that is answered is the one that was put; one that
 * is not answered lies outside of what the coverage claims. STORE_TEST_ALL=1 flips the zeros
 * between the sections one by one, too.
 */
#include "support/lab.h"

#include "framed.h"

#include <codec/msgpack.h>
#include <store/inspect.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "skip.h"

#define T0  1700000000000
#define DAY 86400000

struct known {
	char id[16];
	int64_t created;
	unsigned seed, flags;
};

static struct lab lab;
static char base[160];
static struct known known[64];
static unsigned known_count;

static void put(struct txn *t, unsigned i, int64_t created, unsigned flags, const char *parent)
{
	struct known *k = &known[known_count++];

	snprintf(k->id, sizeof k->id, "id%u", i);
	k->created = created;
	k->seed = i + 1;
	k->flags = flags;
	lab_put(t, "contacts", k->id, created, T0 + i, T0 + DAY, flags, parent, i + 1);
}

static void prepare(unsigned n)
{
	known_count = 0;
	lab_init(&lab);
	snprintf(base, sizeof base, "%.100s-base", lab.dir);
	struct store *s = lab_open(&lab);
	struct txn *t = lab_begin(s);
	for (unsigned i = 0; i < n; i++)
		put(t, i, T0 + (int64_t)i * DAY / 10,
		    i == 2   ? RECORD_DELETED
		    : i == 3 ? RECORD_TRUNCATED
			     : 0,
		    i % 2 ? "p" : NULL);
	txn_hold(t, "contacts", (struct interval){T0, T0 + 30LL * DAY, T0 + 40LL * DAY});
	txn_mark(t, "a", bytes_str("value"));
	assert_int_equal(lab_commit(t), 0);
	store_close(s);
	lab_copy(lab.dir, base);
}

static void finish(void)
{
	lab_remove(base);
	lab_release(&lab);
}

static const struct known *find_known(struct bytes id)
{
	for (unsigned i = 0; i < known_count; i++)
		if (bytes_is(id, known[i].id))
			return &known[i];
	return NULL;
}

static void right_record(const struct known *k, const struct record *r)
{
	struct buf doc = {0};

	assert_non_null(k);
	lab_doc(&doc, k->seed, 40 + k->seed % 200);
	assert_true(r->created_ms == k->created && r->flags == k->flags &&
		    r->updated_ms == T0 + k->seed - 1 && r->seen_ms == T0 + DAY);
	assert_true(bytes_equal(r->doc, buf_bytes(&doc)) && r->revision == k->seed);
	buf_release(&doc);
}

static bool claimed(struct snapshot *v, const struct known *k)
{
	return intervals_contain(&snapshot_coverage(v, "contacts")->held, k->created, k->created + 1);
}

static unsigned honest_scan(struct snapshot *v, enum axis axis, const char *parent)
{
	struct scan_spec spec = {.resource = "contacts",
				 .axis = axis,
				 .start_ms = TIME_MIN,
				 .end_ms = TIME_MAX,
				 .tombstones = true,
				 .parent = bytes_str(parent)};
	struct buf memory = {0};
	struct scan_row row;
	struct record r;
	struct scan *s;
	unsigned n = 0;
	int rc = scan_open(v, &spec, &s, NULL);

	if (rc)
		return UINT32_MAX;
	while ((rc = scan_next(s, &row)) == 1) {
		rc = scan_record(s, &memory, &r);
		if (rc != 1)
			break;
		right_record(find_known(r.id), &r);
		if (!lab_columns(s, "contacts", &r)) {
			rc = ERR_CORRUPT;
			break;
		}
		n++;
	}
	scan_close(s);
	buf_release(&memory);
	return rc ? UINT32_MAX : n;
}

/* A word of a known record: only records that have it, this one among them, or an error. */
static void honest_terms(struct snapshot *v, const struct known *k)
{
	struct buf doc = {0}, memory = {0};
	struct bytes state = {0}, other = {0};
	struct scan_row row;
	struct record r;
	struct scan *s;
	uint64_t count = 0, want = 0;

	lab_doc(&doc, k->seed, 40 + k->seed % 200);
	if (mp_find_str(buf_bytes(&doc), "state_1", &state) && !(k->flags & RECORD_DELETED)) {
		const struct store_term term = {1, state};
		const struct scan_spec spec = {.resource = "contacts",
					       .start_ms = TIME_MIN,
					       .end_ms = TIME_MAX,
					       .terms = &term,
					       .terms_count = 1};
		int counted = snapshot_term_count(v, "contacts", &term, TIME_MIN, TIME_MAX, &count);
		int rc = scan_open(v, &spec, &s, NULL);
		if (!rc) {
			while ((rc = scan_next(s, &row)) == 1 && scan_record(s, &memory, &r) == 1) {
				assert_true(!row.certain || (mp_find_str(r.doc, "state_1", &other) &&
							     bytes_equal(other, state)));
				want++;
			}
			scan_close(s);
		}
		assert_true(rc || counted != 1 || count == want);
		assert_true(rc || want || !claimed(v, k));
	}
	buf_release(&doc);
	buf_release(&memory);
}

/* Whether everything is there without any trouble. */
static bool honest(struct store *s)
{
	struct snapshot *v = snapshot_new(s);
	struct buf memory = {0};
	struct record r;
	unsigned good = 0, missing = 0;

	for (unsigned i = 0; i < known_count; i++) {
		int rc = snapshot_get(v, "contacts", bytes_str(known[i].id), &memory, &r);
		if (rc == 1)
			right_record(&known[i], &r);
		if (rc == 0)
			assert_false(claimed(v, &known[i]));
		good += rc == 1;
		missing += rc == 0;
	}
	for (int axis = 0; axis < 2; axis++) {
		unsigned n = honest_scan(v, axis ? AXIS_UPDATED : AXIS_CREATED, NULL),
			 children = honest_scan(v, axis ? AXIS_UPDATED : AXIS_CREATED, "p");
		assert_true(n == known_count || n == UINT32_MAX || missing);
		assert_true(children == known_count / 2 || children == UINT32_MAX || missing);
		good += n == known_count && children == known_count / 2;
	}
	for (unsigned i = 0; i < known_count; i += 3)
		honest_terms(v, &known[i]);
	assert_int_equal(snapshot_get(v, "contacts", bytes_str("nobody"), &memory, &r) == 1, 0);
	struct bytes mark = snapshot_mark(v, "a");
	assert_true(mark.data == NULL || bytes_is(mark, "value"));
	good += mark.data != NULL;
	snapshot_free(v);
	buf_release(&memory);
	return good == known_count + 3;
}

/* Damages are made in lab.dir; afterwards everything is as in base. */
static bool judge(const char *path, const struct buf *file, bool whole_folder)
{
	struct store *s;
	int rc;

	lab_write("", path, buf_bytes(file));
	rc = lab_try_open(&lab, &s);
	if (rc) {
		assert_true(rc == ERR_CORRUPT || rc == ERR_INVALID);
		return false;
	}
	bool good = honest(s);
	/* The next commit settles it: everything that is claimed can be read. */
	if (!good && whole_folder) {
		struct txn *t = lab_begin(s);
		assert_int_equal(lab_commit(t), 0);
		honest(s);
	}
	store_close(s);
	return good;
}

static void flip_file(const char *suffix, bool whole_folder, unsigned *goods, unsigned *bads)
{
	char path[512];
	struct buf file = {0};
	bool all = getenv("STORE_TEST_ALL") != NULL;

	assert_true(lab_find(lab.dir, suffix, path));
	lab_read("", path, &file);
	size_t len = file.len;
	for (size_t i = 0; i < len; i++) {
		if (!all && file.data[i] == 0 && i % 61)
			continue;
		uint8_t was = file.data[i];
		file.data[i] ^= (uint8_t)(1u << (i % 8));
		*(judge(path, &file, whole_folder) ? goods : bads) += 1;
		file.data[i] = was;
		if (whole_folder)
			lab_copy(base, lab.dir);
	}
	for (size_t cut = 0; cut < len; cut += !all && len > 4096 && cut % 97 ? 1 + cut % 89 : 1) {
		file.len = cut;
		assert_false(judge(path, &file, true));
		lab_copy(base, lab.dir);
	}
	file.len = len;
	buf_put_byte(&file, 0);
	assert_false(judge(path, &file, true));
	lab_copy(base, lab.dir);
	buf_release(&file);
}

static void segment_bytes(void **state)
{
	unsigned goods = 0, bads = 0;

	(void)state;
	prepare(6);
	flip_file(".seg", false, &goods, &bads);
	print_message("# segment: %u flips harmless, %u met\n", goods, bads);
	/* What does no harm lies between data and sections. */
	assert_true(bads > 500);
	finish();
}

static void manifest_bytes(void **state)
{
	unsigned goods = 0, bads = 0;

	(void)state;
	prepare(6);
	flip_file("MANIFEST", true, &goods, &bads);
	assert_int_equal(goods, 0);
	assert_true(bads > 100);
	finish();
}

static void dictionary_bytes(void **state)
{
	unsigned goods = 0, bads = 0;

	(void)state;
	prepare(64);
	flip_file(".dict", false, &goods, &bads);
	assert_int_equal(goods, 0);
	assert_true(bads > 100);
	finish();
}

/* ---- the way of a damaged segment ---- */

static void spoil(const char *path, size_t at)
{
	struct buf file = {0};

	lab_read("", path, &file);
	file.data[at] ^= 0x10;
	lab_write("", path, buf_bytes(&file));
	buf_release(&file);
}

static unsigned quarantined(struct store *s)
{
	struct store_stats stats;

	store_stats(s, &stats);
	return (unsigned)stats.quarantined;
}

static void damage_and_repair(void **state)
{
	char path[512];
	struct buf memory = {0};
	struct record r;

	(void)state;
	prepare(6);
	assert_true(lab_find(lab.dir, ".seg", path));
	spoil(path, 4110); /* the first frame */
	struct store *s = lab_open(&lab);
	struct snapshot *v = snapshot_new(s);
	assert_int_equal(snapshot_get(v, "contacts", bytes_str("id0"), &memory, &r), ERR_CORRUPT);
	assert_int_equal(snapshot_get(v, "contacts", bytes_str("id1"), &memory, &r),
			 1); /* until the commit */
	assert_true(claimed(v, &known[0]));
	/* It was known before this transaction: what it puts and holds stays held. */
	struct txn *t = lab_begin(s);
	assert_int_equal(lab_put(t, "contacts", "id0", T0, T0, T0 + DAY, 0, NULL, 1), PUT_CREATED);
	assert_int_equal(txn_hold(t, "contacts", (struct interval){T0, T0 + 1000, T0 + 50LL * DAY}),
			 0);
	assert_int_equal(lab_commit(t), 0);
	assert_int_equal(snapshot_get(v, "contacts", bytes_str("id1"), &memory, &r),
			 1); /* the old snapshot still reads it */
	snapshot_free(v);
	v = snapshot_new(s);
	assert_int_equal(quarantined(s), 1);
	assert_int_equal(lab_files(lab.dir, ".seg.bad"), 1);
	assert_int_equal(snapshot_get(v, "contacts", bytes_str("id0"), &memory, &r), 1);
	assert_int_equal(snapshot_get(v, "contacts", bytes_str("id1"), &memory, &r), 0);
	assert_true(claimed(v, &known[0]));
	assert_false(claimed(v, &known[1]));
	assert_int_equal(snapshot_quarantined(v, "contacts", T0, T0 + 1000), 0);
	assert_int_equal(snapshot_quarantined(v, "contacts", T0, T0 + DAY), 1);
	/* What lies outside of the segment's span stays. */
	assert_true(intervals_contain(&snapshot_coverage(v, "contacts")->held, T0 + DAY,
				      T0 + 30LL * DAY));
	snapshot_free(v);
	t = lab_begin(s);
	txn_hold(t, "contacts", (struct interval){T0, T0 + DAY, T0 + 50LL * DAY});
	assert_int_equal(lab_commit(t), 0);
	v = snapshot_new(s);
	assert_int_equal(snapshot_quarantined(v, "contacts", TIME_MIN, TIME_MAX), 0);
	snapshot_free(v);
	store_close(s);
	s = lab_open(&lab);
	assert_int_equal(quarantined(s), 0);
	store_close(s);
	buf_release(&memory);
	finish();
}

/* Found while a transaction is open: its hold must not cover what its puts left out as already
 * held. */
static void damage_in_between(void **state)
{
	char path[512];
	struct buf memory = {0};
	struct record r;

	(void)state;
	prepare(6);
	assert_true(lab_find(lab.dir, ".seg", path));
	struct store *s = lab_open(&lab);
	struct txn *t = lab_begin(s);
	assert_int_equal(lab_put(t, "contacts", "id1", T0 + DAY / 10, T0 + 1, T0 + DAY, 0, "p", 2),
			 PUT_SAME);
	assert_int_equal(txn_hold(t, "contacts", (struct interval){T0, T0 + DAY, T0 + 60LL * DAY}), 0);
	spoil(path, 4110);
	struct snapshot *v = snapshot_new(s);
	assert_int_equal(snapshot_get(v, "contacts", bytes_str("id0"), &memory, &r), ERR_CORRUPT);
	snapshot_free(v);
	assert_int_equal(lab_commit(t), 0);
	v = snapshot_new(s);
	assert_int_equal(snapshot_get(v, "contacts", bytes_str("id1"), &memory, &r), 0);
	assert_false(claimed(v, &known[1]));
	assert_int_equal(snapshot_quarantined(v, "contacts", T0, T0 + DAY), 1);
	snapshot_free(v);
	store_close(s);
	buf_release(&memory);
	finish();
}

static void untimed_damage(void **state)
{
	char path[512];

	(void)state;
	lab_init(&lab);
	struct store *s = lab_open(&lab);
	struct txn *t = lab_begin(s);
	lab_put(t, "tags", "t", TIME_NONE, TIME_NONE, T0, 0, NULL, 1);
	txn_hold(t, "tags", (struct interval){TIME_MIN, T0, T0});
	assert_int_equal(lab_commit(t), 0);
	store_close(s);
	assert_true(lab_find(lab.dir, ".seg", path));
	assert_non_null(strstr(path, "/tags/all/"));
	unlink(path);
	for (int round = 0; round < 2; round++) {
		s = lab_open(&lab);
		struct snapshot *v = snapshot_new(s);
		assert_int_equal(snapshot_coverage(v, "tags")->held.count, 0);
		assert_int_equal(snapshot_count(v, "tags"), 0);
		assert_int_equal(snapshot_quarantined(v, "tags", TIME_MIN, TIME_MAX), 1);
		snapshot_free(v);
		assert_int_equal(quarantined(s), round == 0);
		if (round == 0) {
			assert_int_equal(lab_commit(lab_begin(s)), 0);
		} else {
			t = lab_begin(s);
			lab_put(t, "tags", "t", TIME_NONE, TIME_NONE, T0, 0, NULL, 1);
			txn_hold(t, "tags", (struct interval){TIME_MIN, T0 + 5, T0 + 5});
			assert_int_equal(lab_commit(t), 0);
			v = snapshot_new(s);
			assert_int_equal(snapshot_quarantined(v, "tags", TIME_MIN, TIME_MAX), 0);
			snapshot_free(v);
		}
		store_close(s);
	}
	lab_release(&lab);
}

static void lost_dictionary(void **state)
{
	char path[512];

	(void)state;
	prepare(64);
	assert_true(lab_find(lab.dir, ".dict", path));
	unlink(path);
	struct store *s = lab_open(&lab);
	assert_int_equal(quarantined(s), 1);
	assert_false(honest(s));
	struct txn *t = lab_begin(s);
	for (unsigned i = 0; i < 64; i++)
		lab_put(t, "contacts", known[i].id, known[i].created, T0 + i, T0 + DAY,
			known[i].flags, i % 2 ? "p" : NULL, i + 1);
	assert_int_equal(lab_commit(t), 0);
	assert_int_equal(lab_files(lab.dir, ".dict"), 1);
	store_close(s);
	finish();
}

/* A file that takes the place of a folder is a loss; what may not be looked at is not. */
static void not_a_loss(void **state)
{
	char path[512];
	struct store *s;

	(void)state;
	if (geteuid() == 0)
		skip_because("root may look at everything");
	prepare(6);
	assert_true(lab_find(lab.dir, ".seg", path));
	*strrchr(path, '/') = 0;
	chmod(path, 0);
	assert_int_equal(lab_try_open(&lab, &s), ERR_DENIED);
	chmod(path, 0700);
	s = lab_open(&lab);
	assert_true(honest(s));
	assert_int_equal(quarantined(s), 0);
	store_close(s);
	finish();
}

static void checks(void **state)
{
	static const size_t places[] = {4110, 8192 + 5, 12288 + 3, 16384 + 1, 20480 + 2};
	char path[512];

	(void)state;
	prepare(6);
	for (unsigned i = 0; i < 5; i++) {
		uint64_t bad = 0;
		double progress;
		assert_true(lab_find(lab.dir, ".seg", path));
		struct store *s = lab_open(&lab);
		struct buf memory = {0};
		struct record r;
		/* What the cache knows does not hide what is on the disk. */
		struct snapshot *v = snapshot_new(s);
		assert_int_equal(snapshot_get(v, "contacts", bytes_str("id1"), &memory, &r), 1);
		snapshot_free(v);
		spoil(path, places[i]);
		struct store_check *c = store_check_new(s);
		while (store_check_step(c, 4096, &bad, &progress) == 1)
			;
		store_check_free(c);
		assert_int_equal(bad, 1);
		assert_int_equal(lab_commit(lab_begin(s)), 0);
		assert_int_equal(quarantined(s), 1);
		store_close(s);
		lab_copy(base, lab.dir);
		buf_release(&memory);
	}
	finish();
}

static void newer_version(void **state)
{
	struct buf file = {0}, after = {0};
	struct store *s;

	(void)state;
	prepare(6);
	lab_read(lab.dir, "MANIFEST", &file);
	file.data[6] = '2';
	framed_end(&file, 0);
	lab_write(lab.dir, "MANIFEST", buf_bytes(&file));
	assert_int_equal(lab_try_open(&lab, &s), ERR_INVALID);
	lab_read(lab.dir, "MANIFEST", &after);
	assert_true(bytes_equal(buf_bytes(&file), buf_bytes(&after)));
	assert_int_equal(lab_files(lab.dir, ".seg"), 1);
	buf_release(&file);
	buf_release(&after);
	finish();
}

static void count_line(void *ctx, struct bytes text)
{
	assert_true(text.len > 0);
	++*(unsigned *)ctx;
}

static void inspects(void **state)
{
	static const char *const suffixes[] = {".seg", ".dict", "MANIFEST"};
	char path[512];

	(void)state;
	prepare(64);
	for (unsigned i = 0; i < 3; i++) {
		unsigned lines = 0, more = 0;
		struct why why;
		assert_true(lab_find(lab.dir, suffixes[i], path));
		assert_int_equal(store_inspect(path, false, count_line, &lines, &why), 0);
		assert_int_equal(store_inspect(path, true, count_line, &more, &why), 0);
		assert_true(lines >= 1);
		assert_int_equal(more - lines, i == 0 ? 64 : 0);
		spoil(path, i == 0 ? 4200 : 20);
		assert_int_equal(store_inspect(path, true, count_line, &more, &why), ERR_CORRUPT);
	}
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segment_bytes),     cmocka_unit_test(manifest_bytes),
		cmocka_unit_test(dictionary_bytes),  cmocka_unit_test(damage_and_repair),
		cmocka_unit_test(damage_in_between), cmocka_unit_test(untimed_damage),
		cmocka_unit_test(lost_dictionary),   cmocka_unit_test(checks),
		cmocka_unit_test(not_a_loss),        cmocka_unit_test(newer_version),
		cmocka_unit_test(inspects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
