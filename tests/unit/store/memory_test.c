/*
 * The k-th allocation fails, for every k: alone, or with all that follow in the same call. Each call then says so or does its work; nothing is answered
 * wrongly, nothing leaks, and what is found after the next start is what was there before or after the commit, and after it when it was said to have gone well.
 *
 * The linker puts the functions below in the place of the allocator's (Makefile).
 */
#include "fences.h"
#include "inside.h"
#include "support/lab.h"
#include "terms.h"

#include <base/log.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define T0      1700000000000
#define DAY     INT64_C(86400000)
#define OLD     12
#define IDS_MAX (OLD + 70)

static unsigned added; /* records of the commit: few, or enough for a dictionary */
#define IDS (OLD + added)

/* ---- the allocator ---- */

static bool armed, persistent, failed;
static unsigned long at, fail_at;
static long live;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void __real_free(void *p);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void __wrap_free(void *p);
char *__wrap_strdup(const char *s);
int __wrap_asprintf(char **out, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap___asprintf_chk(char **out, int flag, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static bool refuse(void)
{
	if (!armed)
		return false;
	at++;
	if (at != fail_at && !(persistent && failed))
		return false;
	failed = true;
	return true;
}

static void *counted(void *p)
{
	live += p != NULL;
	return p;
}

void *__wrap_malloc(size_t n)
{
	return refuse() ? NULL : counted(__real_malloc(n));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return refuse() ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t n)
{
	if (refuse())
		return NULL;
	void *grown = __real_realloc(p, n);
	live += !p && grown;
	return grown;
}

void __wrap_free(void *p)
{
	live -= p != NULL;
	__real_free(p);
}

char *__wrap_strdup(const char *s)
{
	return refuse() ? NULL : counted(__real_strdup(s));
}

static int print(char **out, const char *format, va_list args)
{
	int n = refuse() ? -1 : vasprintf(out, format, args);

	live += n >= 0;
	return n;
}

int __wrap_asprintf(char **out, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int n = print(out, format, args);
	va_end(args);
	return n;
}

int __wrap___asprintf_chk(char **out, int flag, const char *format, ...)
{
	va_list args;

	(void)flag;
	va_start(args, format);
	int n = print(out, format, args);
	va_end(args);
	return n;
}

/* The call with allocations that may fail; a failure lasts to its end. */
#define ARMED(call)                                              \
	do {                                                     \
		armed = true;                                    \
		call;                                            \
		armed = false;                                   \
		if (!persistent)                                 \
			break;                                   \
		if (failed)                                      \
			fail_at = 0, failed = false, hit = true; \
	} while (0)

static bool hit; /* of a persistent failure: it has been */

/* ---- what is stored ---- */

static struct lab lab;
static char base[160];
static struct record records[IDS_MAX];
static struct buf docs[IDS_MAX];
static char ids[IDS_MAX][16];
static struct buf before, after; /* as lab_dump says it */

static void make_records(void)
{
	for (unsigned i = 0; i < IDS; i++) {
		snprintf(ids[i], sizeof ids[i], "id%u", i % (OLD + added / 2)); /* some are replaced */
		buf_reset(&docs[i]);
		lab_doc(&docs[i], i + 1, 60 + i * 9);
		records[i] = (struct record){.id = bytes_str(ids[i]),
					     .parent = i % 3 == 1 ? bytes_str("p") : bytes_of(NULL, 0),
					     .created_ms = T0 + (i % (OLD + added / 2)) * DAY / 4,
					     .updated_ms = T0 + i * 1000,
					     .seen_ms = T0 + 3 * DAY,
					     .doc = buf_bytes(&docs[i])};
	}
}

static int put(struct txn *t, unsigned from, unsigned to)
{
	int rc = 0;

	for (unsigned i = from; !rc && i < to; i++)
		rc = txn_put(t, "contacts", &records[i], NULL, NULL);
	return rc;
}

static int change(struct txn *t)
{
	int rc = put(t, OLD, IDS);

	if (!rc)
		rc = txn_hold(t, "contacts", (struct interval){T0, T0 + 20 * DAY, T0 + 20 * DAY});
	if (!rc)
		rc = txn_mark(t, "mark", bytes_str("new"));
	if (!rc)
		rc = txn_withdraw(t, "contacts", T0 + 15 * DAY, T0 + 16 * DAY);
	return rc;
}

static const char *body(struct buf *dump)
{
	return strchr(buf_text(dump), '\n');
}

static void make_base(bool journal, bool keep)
{
	lab_init(&lab);
	lab.journal_bytes = journal ? 1 << 20 : 0;
	lab.keep_previous = keep;
	snprintf(base, sizeof base, "%.100s-base", lab.dir);
	struct store *s = lab_open(&lab);
	for (unsigned i = 0; i < OLD; i += 3) {
		struct txn *t = lab_begin(s);
		assert_int_equal(put(t, i, i + 3), 0);
		txn_hold(t, "contacts", (struct interval){T0, T0 + 10 * DAY, T0 + 10 * DAY});
		assert_int_equal(lab_commit(t), 0);
	}
	store_close(s);
	lab_copy(lab.dir, base);
	s = lab_open(&lab);
	lab_dump(s, &before, true);
	struct txn *t = lab_begin(s);
	assert_int_equal(change(t), 0);
	assert_int_equal(lab_commit(t), 0);
	lab_dump(s, &after, true);
	store_close(s);
}

/* ---- one life ---- */

static void note(void *ctx, int rc, const struct why *why)
{
	(void)why;
	*(int *)ctx = rc;
}

static bool is_error(int rc)
{
	return rc == ERR_NOMEM || rc == ERR_IO;
}

static void read_all(struct store *s, bool changed)
{
	struct buf memory = {0};
	struct snapshot *v = NULL;
	struct record r;

	ARMED(v = snapshot_new(s));
	for (unsigned i = 0; v && i < (changed ? IDS : OLD); i++) {
		int rc;
		ARMED(rc = snapshot_get(v, "contacts", records[i].id, &memory, &r));
		assert_true(rc == 1 || is_error(rc));
		/* The newest of its id. */
		bool last = !changed || i >= OLD || i >= added / 2;
		if (rc == 1 && last)
			assert_true(r.updated_ms >= records[i].updated_ms);
	}
	snapshot_free(v);
	buf_release(&memory);
}

static void scan_all(struct store *s, bool changed)
{
	struct scan_spec spec = {.resource = "contacts", .start_ms = TIME_MIN, .end_ms = TIME_MAX};
	struct buf memory = {0};
	struct snapshot *v = NULL;
	struct scan *scan = NULL;
	struct scan_row row;
	struct record r;
	unsigned n = 0;
	int rc = ERR_NOMEM;

	ARMED(v = snapshot_new(s));
	if (v)
		ARMED(rc = scan_open(v, &spec, &scan, NULL));
	while (!rc) {
		ARMED(rc = scan_next(scan, &row));
		if (rc != 1)
			break;
		ARMED(rc = scan_record(scan, &memory, &r));
		n += rc == 1;
		rc = rc == 1 ? 0 : rc;
	}
	assert_true(rc ? is_error(rc) : n == (changed ? OLD + added / 2 : OLD));
	if (v && scan)
		scan_close(scan);
	snapshot_free(v);
	buf_release(&memory);
}

static char found_file[64], found_words[80];

static void on_found(void *ctx, const struct store_damage *d)
{
	(void)ctx;
	snprintf(found_file, sizeof found_file, "%s", d->file);
	snprintf(found_words, sizeof found_words, "%s", d->words);
}

static void check_all(struct store *s)
{
	struct store_check *c = NULL;
	uint64_t bad = 0;
	double progress;
	int rc = ERR_NOMEM;

	ARMED(c = store_check_new(s));
	if (c)
		store_check_tell(c, on_found, NULL);
	while (c) {
		ARMED(rc = store_check_step(c, 1 << 16, &bad, &progress));
		if (rc != 1)
			break;
	}
	assert_true(rc == 0 || rc == ERR_NOMEM);
	if (bad)
		fail_msg("allocation %lu: %s: %s", fail_at, found_file, found_words);
	store_check_free(c);
}

/* True: a failure came to pass. */
static bool live_once(unsigned long k, bool lasting)
{
	struct store *s = NULL;
	struct txn *t = NULL;
	struct buf seen = {0};
	int rc = 0, committed = 1;

	lab_copy(base, lab.dir);
	lab_calm(&lab);
	long live_before = live;
	at = 0;
	fail_at = k;
	persistent = lasting;
	failed = hit = false;
	ARMED(rc = lab_try_open(&lab, &s));
	if (rc) {
		assert_true(is_error(rc));
		s = lab_open(&lab);
	}
	ARMED(rc = store_begin(s, &t, NULL));
	if (!rc) {
		ARMED(rc = change(t));
		if (rc) {
			assert_true(is_error(rc));
			txn_abort(t);
		} else {
			ARMED(txn_commit(t, note, &committed));
			for (int i = 0; i < 10000 && committed == 1; i++)
				ARMED(store_work(s));
			if (committed && !is_error(committed))
				fail_msg("allocation %lu: the commit says %d", k, committed);
		}
	} else {
		assert_true(is_error(rc));
	}
	read_all(s, committed == 0);
	scan_all(s, committed == 0);
	ARMED(store_flush(s));
	for (bool more = true; more;)
		ARMED(more = store_work(s));
	check_all(s);
	store_close(s);
	assert_int_equal(lab_files(lab.dir, ".bad"), 0);
	s = lab_open(&lab);
	lab_dump(s, &seen, true);
	store_close(s);
	bool new = strcmp(body(&seen), body(&after)) == 0;
	assert_true(new || strcmp(body(&seen), body(&before)) == 0);
	assert_true(committed != 0 || new);
	buf_release(&seen);
	assert_int_equal(live, live_before);
	return failed || hit;
}

static void every(bool journal, bool keep, unsigned count)
{
	unsigned long k = 1;

	added = count;
	make_records();
	buf_reset(&before);
	buf_reset(&after);
	make_base(journal, keep);
	for (; live_once(k, false); k++)
		;
	print_message("# %lu allocations\n", k - 1);
	assert_true(k > 100);
	for (unsigned long i = 1; i < k; i += 3)
		live_once(i, true);
	lab_remove(base);
	lab_release(&lab);
}

static void segments(void **state)
{
	(void)state;
	every(false, false, 8);
}

static void journal(void **state)
{
	(void)state;
	every(true, true, 8);
}

static void dictionary(void **state)
{
	(void)state;
	every(true, true, 70);
}

/* What had no memory once is loaded with the next question. */
static void fences_come_later(void **state)
{
	struct term_cursor all;
	struct posting list;
	char id[16];

	(void)state;
	lab_init(&lab);
	struct store *s = lab_open(&lab);
	struct txn *t = lab_begin(s);
	for (unsigned i = 0; i < 400; i++) {
		snprintf(id, sizeof id, "id%u", i);
		lab_put(t, "contacts", id, T0 + i, T0 + i, T0, 0, NULL, i);
	}
	assert_int_equal(lab_commit(t), 0);
	store_flush(s);
	lab_work(s);
	struct segment *g = state_find(s->state, "contacts")->segments[0].segment;
	/* All its pages are in memory: the fences are what is still to be had. */
	term_cursor_init(&all, g, s->pages);
	while (term_cursor_next(&all) == 1)
		;
	at = 0;
	fail_at = 1;
	persistent = failed = false;
	armed = true;
	int rc = terms_find(g, s->pages, bytes_str("\x04nothing"), &list);
	armed = false;
	assert_true(rc == 0 && failed && !g->fences);
	assert_int_equal(terms_find(g, s->pages, bytes_str("\x04nothing"), &list), 0);
	assert_true(g->fences && g->fences->leaves > 1);
	store_close(s);
	lab_release(&lab);
}

static int setup(void **state)
{
	(void)state;
	log_setup(LOG_LEVEL_ERROR, false);
	buf_reserve(&before, 1 << 20);
	buf_reserve(&after, 1 << 20);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments),
		cmocka_unit_test(journal),
		cmocka_unit_test(dictionary),
		cmocka_unit_test(fences_come_later),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
