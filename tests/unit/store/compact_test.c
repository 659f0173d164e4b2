/*
 * What a store merges by itself: to how few files, how often a record is written until then, that it
 * ends, and what one step of it takes. STORE_TEST_ROWS (24,000) records in the largest test.
 */
#include "support/lab.h"

#include "inside.h"

#include <codec/msgpack.h>

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "valgrind.h"

#define T0         1700000000000
#define DAY        INT64_C(86400000)
#define HOURS4     (DAY / 6)
#define SMALL_MOST 7 /* files that are not full, at rest */

static struct lab lab;
static struct buf before, after;

static int setup(void **state)
{
	(void)state;
	lab_init(&lab);
	lab.journal_bytes = 1 << 20;
	lab.sliced = true;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	lab_release(&lab);
	buf_release(&before);
	buf_release(&after);
	return 0;
}

static unsigned work(struct store *s)
{
	unsigned steps = 0;

	while (store_work(s))
		assert_true(++steps < 4000000); /* it ends */
	return steps;
}

static unsigned segments(struct store *s)
{
	struct store_stats stats;

	store_stats(s, &stats);
	return (unsigned)stats.segments;
}

static const struct state_resource *contacts(const struct store *s)
{
	return state_find(s->state, "contacts");
}

/* Records from..from+n of an age, a commit of them at most 2,000 long. The bytes that were put. */
static uint64_t put_rows(struct store *s, unsigned from, unsigned n, int64_t created, int64_t seen,
			 unsigned round)
{
	uint64_t bytes = 0;

	for (unsigned i = from; i < from + n;) {
		struct txn *t = lab_begin(s);
		for (unsigned end = i + 2000; i < end && i < from + n; i++) {
			char id[24];
			snprintf(id, sizeof id, "i%u", i);
			lab_put(t, "contacts", id, created + (int64_t)(i - from) * 1000,
				created + (int64_t)round * 1000, seen, 0, i % 3 ? "p" : NULL,
				i * 31 + round * 7919 + 1);
		}
		bytes += txn_bytes(t);
		assert_int_equal(lab_commit(t), 0);
	}
	return bytes;
}

static void flush(struct store *s)
{
	store_flush(s);
	work(s);
}

static void noted(void *ctx, int rc, const struct why *why)
{
	(void)why;
	assert_int_equal(rc, 0);
	*(int *)ctx = rc;
}

/* ---- rest ---- */

/* Nobody changes anything: nothing is written, now or after the next start. */
static void rests(struct store **s, struct snapshot **v)
{
	flush(*s);
	if (v)
		snapshot_free(*v);
	work(*s); /* files that nobody reads any more */
	lab_dump(*s, &before, true);
	lab_calm(&lab);
	assert_false(store_work(*s));
	store_close(*s);
	*s = lab_open(&lab);
	work(*s);
	assert_int_equal(lab.writes + lab.renames, 0);
	lab_dump(*s, &after, true);
	assert_string_equal(buf_text(&before), buf_text(&after));
}

static uint64_t ended(const struct state_resource *r, bool cold)
{
	uint64_t n = 0;

	for (size_t i = 0; i < r->count; i++)
		n += r->segments[i].segment->meta.cold == cold ? segment_live(&r->segments[i]) : 0;
	return n;
}

/* A year's history at once, then four months in which each day some new records come and some
 * change, young ones more often. */
static void months(void **state)
{
	const unsigned rows = 12000, full = 1000;
	uint64_t put = 0, random = 7;
	unsigned next = rows, most = 0;

	(void)state;
	lab.segment_rows = full;
	struct store *s = lab_open(&lab);
	for (unsigned day = 0; day < 360; day += 30) {
		put_rows(s, day * rows / 360, rows / 12, T0 + day * DAY, T0 + 360 * DAY, 0);
		flush(s);
	}
	assert_true(segments(s) <= rows / full + SMALL_MOST);
	lab.written = 0;
	for (unsigned day = 360; day < 480; day++) {
		int64_t today = T0 + day * DAY;
		put += put_rows(s, next, 30, today, today + DAY, 0);
		next += 30;
		for (unsigned k = 0; k < 20; k++) {
			unsigned back = (unsigned)(lab_random(&random) % (k ? 900 : next));
			put += put_rows(s, next - 1 - back, 1, T0 + (next - 1 - back) * (DAY / 33),
					today + DAY, day);
		}
		flush(s);
		most = segments(s) > most ? segments(s) : most;
	}
	double times = (double)lab.written / (double)put;
	print_message("# %u records: at most %u files, %.1f bytes written for each put\n", next,
		      most, times);
	rests(&s, NULL);
	print_message("# at rest %u files, %u of %u rows packed densely\n", segments(s),
		      (unsigned)ended(contacts(s), true), next);
	assert_true(most <= next / full * 4 / 3 + SMALL_MOST);
	assert_true(times < 30);
	assert_true(ended(contacts(s), true) > next / 2);
	store_close(s);
}

/* While much comes a record is copied once, when a full file comes of it or the files are too many, and
 * nothing is packed densely; when it is over everything becomes as if there had been no rush. */
static void rush(void **state)
{
	(void)state;
	lab.segment_rows = 1000;
	struct store *s = lab_open(&lab);
	store_rush(s, true);
	for (unsigned i = 0; i < 9; i++) {
		put_rows(s, i * 100, 100, T0 + i * DAY, T0 + 360 * DAY, 0);
		flush(s);
	}
	assert_int_equal(segments(s), 9);
	put_rows(s, 900, 100, T0 + 9 * DAY, T0 + 360 * DAY, 0);
	flush(s);
	assert_int_equal(segments(s), 1);
	for (unsigned i = 0; i < 23; i++) {
		put_rows(s, 1000 + i * 10, 10, T0 + (10 + i) * DAY, T0 + 360 * DAY, 0);
		flush(s);
	}
	assert_int_equal(segments(s), 24);
	put_rows(s, 1230, 10, T0 + 40 * DAY, T0 + 360 * DAY, 0);
	flush(s);
	assert_int_equal(segments(s), 2);
	assert_int_equal(ended(contacts(s), true), 0);
	store_rush(s, false);
	work(s);
	assert_int_equal(ended(contacts(s), true), 1000);
	for (unsigned i = 0; i < 8; i++) {
		put_rows(s, 1240 + i * 10, 10, T0 + (50 + i) * DAY, T0 + 360 * DAY, 0);
		flush(s);
	}
	assert_true(segments(s) < 9);
	rests(&s, NULL);
	store_close(s);
}

/* ---- dictionaries ---- */

/* Documents of a kind share long phrases with each other, and nothing with those of another kind. */
static int commit_kind(struct store *s, unsigned from, unsigned n, unsigned kind)
{
	struct txn *t = lab_begin(s);

	for (unsigned i = from; i < from + n; i++) {
		struct buf doc = {0};
		uint64_t phrase, random = i + 1;
		char id[24];
		snprintf(id, sizeof id, "k%u", i);
		mp_put_map(&doc, 20);
		for (unsigned k = 0; k < 20; k++) {
			char text[64];
			phrase = kind * 1000 + lab_random(&random) % 40 + 1;
			snprintf(text, sizeof text, "k%u", k);
			mp_put_cstr(&doc, text);
			snprintf(text, sizeof text, "%012" PRIx64 "%012" PRIx64 "%012" PRIx64,
				 lab_random(&phrase), lab_random(&phrase), lab_random(&phrase));
			mp_put_cstr(&doc, text);
		}
		struct record r = {.id = bytes_str(id),
				   .created_ms = T0 + (int64_t)i * HOURS4,
				   .updated_ms = T0 + (int64_t)i * HOURS4,
				   .seen_ms = T0 + (int64_t)i * HOURS4 + DAY,
				   .doc = buf_bytes(&doc)};
		assert_int_equal(txn_put(t, "contacts", &r, NULL, NULL), 0);
		buf_release(&doc);
	}
	txn_hold(t, "contacts", (struct interval){T0, T0 + (from + n) * HOURS4, T0 + 900 * DAY});
	return lab_commit(t);
}

static void put_kind(struct store *s, unsigned from, unsigned n, unsigned kind)
{
	assert_int_equal(commit_kind(s, from, n, kind), 0);
}

/* A kind that comes to an end: its dictionary goes with the last record that it packed. */
static void dictionaries(void **state)
{
	char id[24];
	struct buf memory = {0};
	struct record r;

	(void)state;
	lab.segment_rows = 400;
	lab.keep_previous = true;
	struct store *s = lab_open(&lab);
	for (unsigned i = 0; i < 6; i++) {
		put_kind(s, i * 100, 100, 1);
		flush(s);
	}
	uint64_t first = contacts(s)->dictionary;
	assert_true(first && contacts(s)->dictionaries_count == 1);
	struct snapshot *v = snapshot_new(s);
	for (unsigned i = 6; i < 16; i++) {
		put_kind(s, i * 100, 100, 2);
		/* Begun before the dictionary changes, it packs with the old one. */
		struct txn *t = lab_begin(s);
		snprintf(id, sizeof id, "o%u", i);
		lab_put(t, "contacts", id, T0, T0, T0 + i, 0, NULL, i);
		flush(s);
		assert_int_equal(lab_commit(t), 0);
	}
	uint64_t second = contacts(s)->dictionary;
	assert_true(second != first);
	size_t held = contacts(s)->dictionaries_count;
	rests(&s, &v);
	assert_int_equal(contacts(s)->dictionary, second);
	/* All that the first one packed goes. */
	struct txn *t = lab_begin(s);
	for (unsigned i = 0; i < 616; i++) {
		snprintf(id, sizeof id, i < 600 ? "k%u" : "o%u", i < 600 ? i : i - 600);
		lab_put(t, "contacts", id, TIME_NONE, T0 + 300 * DAY, T0 + 301 * DAY,
			RECORD_DELETED, NULL, 0);
	}
	assert_int_equal(lab_commit(t), 0);
	flush(s);
	put_kind(s, 2000, 100, 2);
	flush(s);
	put_kind(s, 2100, 100, 2);
	flush(s);
	print_message("# dictionaries: %zu, then %zu, files %u\n", held,
		      contacts(s)->dictionaries_count, lab_files(lab.dir, ".dict"));
	assert_int_equal(contacts(s)->dictionaries_count, 1);
	assert_int_equal(lab_files(lab.dir, ".dict"), 1);
	v = snapshot_new(s);
	for (unsigned i = 0; i < 1600; i++) {
		snprintf(id, sizeof id, "k%u", i);
		assert_int_equal(snapshot_get(v, "contacts", bytes_str(id), &memory, &r), 1);
	}
	snapshot_free(v);
	store_close(s);
	buf_release(&memory);
}

#define DRIFT_KINDS 80u

/* Records that change their kind for ever need new dictionaries for ever, and there is room for few: what is held is packed anew about once for
 * each that comes, not once for each dictionary. */
static void drift(void **state)
{
	(void)state;
	lab.segment_rows = 400;
	struct store *s = lab_open(&lab);
	for (unsigned kind = 0; kind < DRIFT_KINDS; kind++) {
		put_kind(s, kind * 200, 200, kind + 1);
		flush(s);
	}
	size_t held = contacts(s)->dictionaries_count;
	uint64_t numbers = s->next_file;
	print_message("# %u kinds: %zu dictionaries, %" PRIu64 " files were written\n", DRIFT_KINDS,
		      held, numbers);
	assert_true(held > 2 && held <= RESOURCE_DICTIONARIES_MAX);
	assert_true(numbers < 6 * DRIFT_KINDS);
	rests(&s, NULL);
	store_close(s);
}

/* In a rush one trial is enough for long, whatever comes; what it left undone is tried afterwards. */
static void few_trials(void **state)
{
	(void)state;
	lab.segment_rows = 400;
	struct store *s = lab_open(&lab);
	store_rush(s, true);
	for (unsigned i = 0; i < 6; i++) {
		put_kind(s, i * 100, 100, 1);
		flush(s);
	}
	uint64_t first = contacts(s)->dictionary;
	for (unsigned i = 6; i < 16; i++) {
		put_kind(s, i * 100, 100, 2);
		flush(s);
	}
	assert_int_equal(contacts(s)->dictionary, first);
	store_rush(s, false);
	work(s);
	assert_true(contacts(s)->dictionary != first);
	store_close(s);
}

/* ---- cut anywhere ---- */

/* What a store looks like before the script, after its first commit, and after its second. */
static struct buf looks[3];
static char base[160];

static int commit_retain(struct store *s)
{
	struct txn *t = lab_begin(s);

	assert_int_equal(txn_retain(t, "contacts", T0 + 5 * DAY), 0);
	return lab_commit(t);
}

static void shows(struct store *s, unsigned look)
{
	lab_dump(s, &after, true);
	assert_string_equal(buf_text(&after), buf_text(&looks[look]));
}

/* Merges with several files as their outcome, rows packed anew, a dictionary replaced, old windows
 * gone. What it came to, at least: the look. */
static unsigned script(struct store *s, bool check)
{
	unsigned look = 0;

	flush(s);
	if (check)
		shows(s, look);
	look = commit_kind(s, 1000, 70, 2) == 0 ? 1 : look;
	flush(s);
	if (look == 1 && check)
		shows(s, look);
	look = look == 1 && commit_retain(s) == 0 ? 2 : look;
	flush(s);
	return look;
}

/* So many files, none of them merged. */
static void script_base(void)
{
	struct store *s = lab_open(&lab);

	for (unsigned i = 0; i < 12; i++) {
		put_kind(s, i * 48, 50, i < 9 ? 1 : 2);
		store_flush(s);
		for (unsigned files = segments(s); segments(s) == files && store_work(s);)
			;
	}
	lab_dump(s, &looks[0], true);
	store_close(s);
	snprintf(base, sizeof base, "%.100s-base", lab.dir);
	lab_copy(lab.dir, base);
	s = lab_open(&lab);
	uint64_t first = contacts(s)->dictionary;
	flush(s);
	assert_true(segments(s) < 12 && ended(contacts(s), true) > 0);
	assert_int_equal(commit_kind(s, 1000, 70, 2), 0);
	lab_dump(s, &looks[1], true);
	flush(s);
	assert_true(contacts(s)->dictionary != first);
	assert_int_equal(commit_retain(s), 0);
	lab_dump(s, &looks[2], true);
	store_close(s);
}

static void cut_at(enum lab_fault fault, unsigned k)
{
	lab_copy(base, lab.dir);
	lab_calm(&lab);
	struct store *s = lab_open(&lab);
	lab_calm(&lab);
	lab.fault = fault;
	lab.at = k;
	unsigned look = script(s, fault == FAULT_FAIL);
	bool died = lab.died;
	store_close(s);
	if (fault == FAULT_LOSE)
		lab_lose(&lab);
	lab_calm(&lab);
	s = lab_open(&lab);
	lab_dump(s, &after, true);
	/* What was acknowledged is there; what was not may be. */
	while (look < 2 && strcmp(buf_text(&after), buf_text(&looks[look])) != 0)
		look++;
	assert_string_equal(buf_text(&after), buf_text(&looks[look]));
	assert_int_equal(lab_files(lab.dir, "spill.tmp"), 0);
	/* And it comes to the same as if nothing had been. */
	flush(s);
	if (look < 1)
		assert_int_equal(commit_kind(s, 1000, 70, 2), 0);
	flush(s);
	if (look < 2)
		assert_int_equal(commit_retain(s), 0);
	flush(s);
	shows(s, 2);
	store_close(s);
	assert_true(died || fault == FAULT_FAIL);
}

static void cut_anywhere(enum lab_fault fault)
{
	const char *text = getenv("STORE_TEST_CUTS");
	unsigned cuts = text ? (unsigned)strtoul(text, NULL, 10) : 25;

	lab.segment_rows = 120;
	lab.keep_previous = true;
	script_base();
	lab_copy(base, lab.dir);
	struct store *s = lab_open(&lab);
	lab_calm(&lab);
	assert_int_equal(script(s, true), 2);
	unsigned steps = lab.steps, stride = steps / cuts + 1;
	store_close(s);
	print_message("# %u steps, each %u.\n", steps, stride);
	for (unsigned k = 1 + fault % stride; k <= steps; k += stride)
		cut_at(fault, k);
	lab_remove(base);
	for (int i = 0; i < 3; i++)
		buf_release(&looks[i]);
}

static void dies(void **state)
{
	(void)state;
	cut_anywhere(FAULT_DIE);
}

static void torn(void **state)
{
	(void)state;
	cut_anywhere(FAULT_TORN);
}

static void loses(void **state)
{
	(void)state;
	cut_anywhere(FAULT_LOSE);
}

static void fails(void **state)
{
	(void)state;
	cut_anywhere(FAULT_FAIL);
}

/* ---- trouble ---- */

/* What is logged goes to a file meanwhile. How often it has the words. */
static int log_aside(FILE *file)
{
	int stderr_fd = dup(2);

	fflush(stderr);
	dup2(fileno(file), 2);
	return stderr_fd;
}

static unsigned logged(FILE *file, int stderr_fd, const char *words)
{
	char line[512];
	unsigned n = 0;

	fflush(stderr);
	dup2(stderr_fd, 2);
	close(stderr_fd);
	rewind(file);
	while (fgets(line, sizeof line, file))
		n += strstr(line, words) != NULL;
	fclose(file);
	return n;
}

/* Many small files; they are merged, and nothing else is. */
static struct store *small_files(unsigned n)
{
	lab.segment_rows = 100000;
	struct store *s = lab_open(&lab);
	for (unsigned i = 0; i < n; i++) {
		put_kind(s, i * 60, 60, 1);
		store_flush(s);
		for (unsigned files = segments(s); segments(s) == files && store_work(s);)
			;
	}
	return s;
}

/* Commits do not wait for a merge: what they change in its sources is changed in what comes of it, and it
 * is not begun again for them. */
static void gives_way(void **state)
{
	const unsigned files = 12, rows = 800;
	unsigned commits = 0, merged = 0, most = 0;
	char id[24];

	(void)state;
	lab.segment_rows = files * rows / 4;
	struct store *s = lab_open(&lab);
	for (unsigned i = 0; i < files; i++) {
		put_rows(s, i * rows, rows, T0 + i * DAY, T0 + 90 * DAY, 0);
		store_flush(s);
		for (unsigned held = segments(s); segments(s) == held && store_work(s);)
			;
	}
	while (!s->merging)
		assert_true(store_work(s));
	const struct commit *merge = s->merging;
	while (s->merging == merge) {
		for (unsigned k = 0; k < 150 && s->merging == merge; k++, merged++)
			store_work(s);
		if (s->merging != merge)
			break;
		/* Rows of each source, changed or deleted, and a whole one. */
		struct txn *t = lab_begin(s);
		for (unsigned i = commits % 7; i < files * rows; i += commits == 2 ? 1 : 97) {
			unsigned flags = i % 5 == 0 ? RECORD_DELETED : 0;
			if (commits == 2 && i / rows != 3)
				continue;
			snprintf(id, sizeof id, "i%u", i);
			lab_put(t, "contacts", id, T0 + i, T0 + 60 * DAY, T0 + 91 * DAY + commits,
				flags, NULL, flags ? 0 : i * 31 + commits);
		}
		int rc = 1;
		unsigned waited = 0;
		txn_commit(t, noted, &rc);
		for (; rc == 1; waited++)
			store_work(s);
		most = waited > most ? waited : most;
		assert_ptr_equal(s->merging, merge);
		commits++;
	}
	print_message("# a merge of %u steps and %u commits within, the longest of %u steps\n",
		      merged, commits, most);
	assert_true(commits >= 6 && most < merged / 4);
	lab_dump(s, &before, true);
	work(s);
	assert_true(segments(s) <= 4 + SMALL_MOST);
	lab_dump(s, &after, true);
	assert_string_equal(buf_text(&before), buf_text(&after));
	rests(&s, NULL);
	store_close(s);
}

/* A disk that is full: nothing is lost, the line comes once, the tries become rare, flushes go on,
 * and when there is room the files are merged. */
static void full_disk(void **state)
{
	unsigned tries = 0;
	FILE *lines = tmpfile();
	int stderr_fd = log_aside(lines);

	(void)state;
	lab.floor_bytes = 1 << 20;
	lab.free_bytes = 1 << 30;
	struct store *s = small_files(8);
	lab_dump(s, &before, true);
	lab.free_bytes = (1 << 20) + (300 << 10); /* enough for what is small */
	work(s);
	lab_dump(s, &after, true);
	assert_string_equal(buf_text(&before), buf_text(&after));
	for (unsigned i = 8; i < 48; i++) {
		unsigned failures = s->compact_failures, rests = s->compact_rests;
		put_kind(s, i * 60, 10, 1);
		flush(s);
		tries += s->compact_failures > failures || s->compact_rests > rests;
	}
	assert_int_equal(segments(s), 48);
	assert_true(tries >= 2 && tries <= 8);
	lab.free_bytes = 1 << 30;
	for (unsigned i = 48; i < 48 + 64 && segments(s) > 10; i++) {
		put_kind(s, i * 60, 10, 1);
		flush(s);
	}
	assert_true(segments(s) <= 10);
	rests(&s, NULL);
	store_close(s);
	assert_int_equal(logged(lines, stderr_fd, "cannot be merged"), 1);
}

/* A file is damaged where only a merge looks: it is quarantined, with its span, and the others are
 * merged. */
static void damaged_source(void **state)
{
	struct buf file = {0};
	char path[512];

	(void)state;
	struct store *s = small_files(9);
	const struct segment *g = contacts(s)->segments[4].segment;
	snprintf(path, sizeof path, "%s", g->file.path);
	uint32_t rows = g->meta.records;
	store_close(s);
	lab_read("", path, &file);
	memset(file.data + 4096 + 700, 0x5a, 400); /* frames, which nothing else reads */
	lab_write("", path, buf_bytes(&file));
	s = lab_open(&lab);
	work(s);
	struct snapshot *v = snapshot_new(s);
	assert_int_equal(snapshot_count(v, "contacts"), 9 * 60 - rows);
	assert_int_equal(snapshot_quarantined(v, "contacts", TIME_MIN, TIME_MAX), 1);
	assert_false(intervals_contain(&snapshot_coverage(v, "contacts")->held,
				       T0 + 4 * 60 * HOURS4, T0 + 4 * 60 * HOURS4 + 1));
	assert_true(intervals_contain(&snapshot_coverage(v, "contacts")->held, T0, T0 + DAY));
	snapshot_free(v);
	assert_int_equal(segments(s), 1);
	rests(&s, NULL);
	store_close(s);
	buf_release(&file);
}

/* ---- another schema ---- */

static const struct field other_field = {"state", FIELD_TEXT, "subject_0", NULL};
static const struct store_field other_fields[] = {{&other_field, STORE_KEYWORD}};
static const struct store_schema other[] = {{"contacts", other_fields, 1, NULL},
					    {NULL, NULL, 0, NULL}};

/* Full files, whose indexes are made anew in memory that has a bound: first smaller ones come of it, then
 * full ones again. */
static void schemas(void **state)
{
	(void)state;
	lab.segment_rows = 4000;
	struct store *s = lab_open(&lab);
	put_rows(s, 0, 16000, T0, T0 + 90 * DAY, 0);
	flush(s);
	unsigned files = segments(s);
	lab_dump(s, &before, true);
	store_close(s);
	lab.schemas = other;
	s = lab_open(&lab);
	work(s);
	for (size_t i = 0; i < contacts(s)->count; i++)
		assert_true(contacts(s)->segments[i].segment->same_schema);
	assert_true(segments(s) <= files + SMALL_MOST);
	store_close(s);
	lab.schemas = lab_schemas;
	s = lab_open(&lab);
	work(s);
	rests(&s, NULL);
	lab_dump(s, &after, true);
	assert_string_equal(buf_text(&before), buf_text(&after));
	store_close(s);
}

/* ---- what a step takes ---- */

#ifdef __SANITIZE_ADDRESS__
#define ROWS_DEFAULT 10000u /* as slow as more */
#else
#define ROWS_DEFAULT 24000u
#endif

static unsigned rows_wanted(void)
{
	const char *text = getenv("STORE_TEST_ROWS");

	return text ? (unsigned)strtoul(text, NULL, 10) : ROWS_DEFAULT;
}

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

#define STEPS_MAX   400000u
#define STEP_MS_MAX 4.5 /* 2 are meant */

/* Each run of a test takes the same steps; what the machine does beside does not come twice at the same
 * one, so that the shorter time of each counts. */
static struct {
	float ms[STEPS_MAX];
	unsigned count, known;
} taken;

static bool timed_step(struct store *s)
{
	double start = cpu_ms();
	bool more = store_work(s);
	float took = (float)(cpu_ms() - start);

	assert_true(taken.count < STEPS_MAX);
	float *ms = &taken.ms[taken.count++];
	*ms = taken.count > taken.known || took < *ms ? took : *ms;
	return more;
}

static void steps_begin(bool again)
{
	taken.known = again ? taken.count : 0;
	taken.count = 0;
}

static double longest_step(double *sum_ms, unsigned *where)
{
	double longest = 0;

	*sum_ms = 0;
	for (unsigned i = 0; i < taken.count; i++) {
		*sum_ms += (double)taken.ms[i];
		if ((double)taken.ms[i] > longest) {
			longest = (double)taken.ms[i];
			*where = i;
		}
	}
	return longest;
}

static void look_at_memory(size_t *most)
{
	static unsigned calls;
	struct mallinfo2 m = calls++ % 8 ? (struct mallinfo2){0} : mallinfo2();
	size_t held = m.uordblks + m.hblkhd;

	*most = held > *most ? held : *most;
}

static void load(struct store *s, unsigned rows, int64_t seen)
{
	for (unsigned i = 0; i < rows;) {
		struct txn *txn = lab_begin(s);
		int rc = 1;
		for (unsigned end = i + 150; i < end && i < rows; i++) {
			struct buf doc = {0};
			char id[24];
			snprintf(id, sizeof id, "i%u", i);
			lab_doc(&doc, i + 1, 400 + i % 1200);
			struct record r = {.id = bytes_str(id),
					   .created_ms = T0 + (int64_t)i * 60000,
					   .updated_ms = T0 + (int64_t)i * 60000 + 5,
					   .seen_ms = seen,
					   .doc = buf_bytes(&doc)};
			assert_int_equal(txn_put(txn, "contacts", &r, NULL, NULL), 0);
			buf_release(&doc);
		}
		txn_commit(txn, noted, &rc);
		while (rc == 1)
			timed_step(s);
	}
	store_flush(s);
	while (timed_step(s))
		;
}

static void steps(void **state)
{
	unsigned rows = rows_wanted();
	struct store_stats stats;
	unsigned where = 0;
	double sum_ms;

	(void)state;
	lab.journal_bytes = 2 << 20;
	for (int run = 0; run < 2; run++) {
		steps_begin(run > 0);
		lab_remove(lab.dir);
		struct store *s = lab_open(&lab);
		load(s, rows, T0 + 400 * DAY);
		store_stats(s, &stats);
		assert_true(segments(s) <= rows / 20000 + SMALL_MOST);
		store_close(s);
	}
	assert_int_equal(taken.count, taken.known);
	double longest_ms = longest_step(&sum_ms, &where);
	print_message("# %u records, %u files, %" PRIu64 " bytes: %u steps, %.0f ms, the longest %.2f "
		      "ms (%u)\n",
		      rows, (unsigned)stats.segments, stats.disk_bytes, taken.count, sum_ms,
		      longest_ms, where);
#ifndef __SANITIZE_ADDRESS__
	assert_true(longest_ms < STEP_MS_MAX || under_valgrind());
#endif
}

/* Files of 2,000 become full ones: what that takes beside what stays in memory anyway. */
static void memory(void **state)
{
	unsigned rows = rows_wanted();
	size_t most = 0;

	(void)state;
	steps_begin(false);
	lab.segment_rows = 2000;
	lab.cache_bytes = 1 << 20;
	struct store *s = lab_open(&lab);
	load(s, rows, T0 + 400 * DAY);
	assert_true(segments(s) >= rows / 2000);
	store_close(s);
	lab.segment_rows = 0;
	lab.schemas = lab_schemas;
	s = lab_open(&lab);
	while (look_at_memory(&most), timed_step(s))
		;
	assert_true(segments(s) <= rows / 20000 + SMALL_MOST);
	size_t held = mallinfo2().uordblks + mallinfo2().hblkhd;
	print_message("# %u rows merged in %zu KiB\n", rows, most > held ? (most - held) >> 10 : 0);
	assert_true(most < held + (9 << 18)); /* 2.25 MiB */
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(months, setup, teardown),
		cmocka_unit_test_setup_teardown(rush, setup, teardown),
		cmocka_unit_test_setup_teardown(dictionaries, setup, teardown),
		cmocka_unit_test_setup_teardown(drift, setup, teardown),
		cmocka_unit_test_setup_teardown(few_trials, setup, teardown),
		cmocka_unit_test_setup_teardown(dies, setup, teardown),
		cmocka_unit_test_setup_teardown(torn, setup, teardown),
		cmocka_unit_test_setup_teardown(loses, setup, teardown),
		cmocka_unit_test_setup_teardown(fails, setup, teardown),
		cmocka_unit_test_setup_teardown(gives_way, setup, teardown),
		cmocka_unit_test_setup_teardown(full_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(damaged_source, setup, teardown),
		cmocka_unit_test_setup_teardown(schemas, setup, teardown),
		cmocka_unit_test_setup_teardown(steps, setup, teardown),
		cmocka_unit_test_setup_teardown(memory, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
