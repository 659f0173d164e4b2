/*
 * What the store costs, in CPU time of one core: puts and a commit, gets, scan steps over one
 * segment and over twenty, small commits. The disk is memory (/dev/shm), and fsyncs are the
 * system's: count them instead.
 */
#include <base/log.h>
#include <codec/msgpack.h>
#include <store/store.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define T0 1700000000000

static uint64_t random_state = 88172645463325252u;

static unsigned below(unsigned n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)((random_state >> 20) % n);
}

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void must(int rc, const char *what)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, err_name(rc));
	exit(1);
}

static const char *word(void)
{
	static const char *const words[] = {"Ada",     "Grace", "Lovelace", "Hopper", "Berlin",
					    "Lisbon",  "Osaka", "Quito",    "trial",  "paid",
					    "churn",   "north", "support",  "sales",  "premium",
					    "starter", "de",    "pt-BR",    "iOS",    "Linux"};
	return words[below(20)];
}

/* About 1.7 KB of MessagePack, 2 KB as JSON. */
static void contact(struct buf *b, unsigned i)
{
	static const char *const keys[] = {
		"external_id",  "name",       "email",      "phone",
		"role",         "avatar",     "browser",    "browser_language",
		"os",           "city",       "country",    "region",
		"plan",         "referrer",   "utm_medium", "utm_source",
		"utm_campaign", "last_words", "language",   "timezone",
		"last_email",   "segment"};
	static const char *const times[] = {"created_at",   "updated_at",      "signed_up_at",
					    "last_seen_at", "last_replied_at", "last_contacted_at"};
	char text[160];

	buf_reset(b);
	mp_put_map(b, 22 + 6 + 3);
	mp_put_cstr(b, "type");
	mp_put_cstr(b, "contact");
	mp_put_cstr(b, "workspace_id");
	mp_put_cstr(b, "ecahpwf5");
	for (unsigned k = 0; k < 22; k++) {
		mp_put_cstr(b, keys[k]);
		snprintf(text, sizeof text, "%s %s %s%u", word(), word(), word(), below(1000));
		mp_put_cstr(b, text);
	}
	for (unsigned k = 0; k < 6; k++) {
		mp_put_cstr(b, times[k]);
		mp_put_uint(b, 1700000000 + below(9000000));
	}
	mp_put_cstr(b, "custom_attributes");
	mp_put_map(b, 8);
	for (unsigned k = 0; k < 8; k++) {
		snprintf(text, sizeof text, "attribute_of_the_workspace_%u", k);
		mp_put_cstr(b, text);
		snprintf(text, sizeof text, "%s-%u-%08x", word(), i, below(1u << 30));
		mp_put_cstr(b, text);
	}
}

static void committed(void *ctx, int rc, const struct why *why)
{
	(void)ctx;
	if (rc)
		fprintf(stderr, "commit: %s\n", why->text);
	must(rc, "commit");
}

static size_t put_many(struct store *s, const char *resource, unsigned first, unsigned n, unsigned step)
{
	struct txn *t;
	struct buf doc = {0};
	char id[32];
	size_t raw = 0;

	must(store_begin(s, &t, NULL), "begin");
	for (unsigned i = 0; i < n; i++) {
		contact(&doc, first + i * step);
		snprintf(id, sizeof id, "%024x", (first + i * step) * 2654435761u);
		struct record r = {.id = bytes_str(id),
				   .created_ms = T0 + (int64_t)below(90000) * 86400,
				   .updated_ms = T0 + 9000000000 + below(1000000),
				   .seen_ms = T0 + 9900000000,
				   .doc = buf_bytes(&doc)};
		if (below(3) == 0)
			r.parent = bytes_str("mother");
		must(txn_put(t, resource, &r, NULL, NULL), "put");
		raw += doc.len;
	}
	txn_commit(t, committed, NULL);
	buf_release(&doc);
	return raw;
}

static void bench_gets(struct store *s, const char *resource, unsigned n)
{
	struct snapshot *v = snapshot_new(s);
	struct buf memory = {0};
	struct record r;
	char id[32];
	double t = 0;

	for (int round = 0; round < 2; round++) {
		t = cpu_s();
		for (unsigned i = 0; i < n; i++) {
			snprintf(id, sizeof id, "%024x", i * 2654435761u);
			must(snapshot_get(v, resource, bytes_str(id), &memory, &r) == 1 ? 0
											: ERR_NOTFOUND,
			     "get");
		}
		t = cpu_s() - t;
	}
	printf("%-44s %8.2f us\n", "get by id, warm", t / n * 1e6);
	t = cpu_s();
	for (unsigned i = 0; i < n; i++) {
		snprintf(id, sizeof id, "absent%u", i);
		must(snapshot_get(v, resource, bytes_str(id), &memory, &r), "get");
	}
	printf("%-44s %8.2f us\n", "get of what is not there", (cpu_s() - t) / n * 1e6);
	snapshot_free(v);
	buf_release(&memory);
}

static void bench_scan(struct store *s, const char *resource, enum axis axis, const char *what)
{
	struct scan_spec spec = {
		.resource = resource, .axis = axis, .start_ms = TIME_MIN, .end_ms = TIME_MAX};
	struct snapshot *v = snapshot_new(s);
	struct scan_row row;
	struct scan *scan;
	unsigned n = 0;
	double t = 0;

	for (int round = 0; round < 2; round++) {
		t = cpu_s();
		must(scan_open(v, &spec, &scan, NULL), "scan");
		for (n = 0; scan_next(scan, &row) == 1; n++)
			;
		scan_close(scan);
		t = cpu_s() - t;
	}
	printf("%-44s %8.3f us\n", what, t / n * 1e6);
	snapshot_free(v);
}

static void bench_newest(struct store *s, const char *resource)
{
	struct scan_spec spec = {
		.resource = resource, .start_ms = TIME_MIN, .end_ms = TIME_MAX, .descending = true};
	struct snapshot *v = snapshot_new(s);
	struct buf memory = {0};
	struct scan_row row;
	struct record r;
	struct scan *scan;
	double t = 0;

	for (int round = 0; round < 2; round++) {
		t = cpu_s();
		must(scan_open(v, &spec, &scan, NULL), "scan");
		for (unsigned n = 0; n < 100 && scan_next(scan, &row) == 1; n++)
			must(scan_record(scan, &memory, &r), "record");
		scan_close(scan);
		t = cpu_s() - t;
	}
	printf("%-44s %8.1f us\n", "newest 100 with their records", t * 1e6);
	snapshot_free(v);
	buf_release(&memory);
}

static unsigned fsyncs;

static int count_fsync(void *ctx, int fd, void (*done)(void *arg, int error), void *arg)
{
	(void)ctx;
	(void)fd;
	fsyncs++;
	done(arg, 0);
	return 0;
}

static void bench_small(struct store *s)
{
	unsigned n = 500, before = fsyncs;
	double t = cpu_s();
	struct store_stats stats;

	for (unsigned i = 0; i < n; i++)
		put_many(s, "small", i, 1, 1);
	t = cpu_s() - t;
	store_stats(s, &stats);
	printf("%-44s %8.1f us, %.1f fsyncs\n", "put and commit of one record", t / n * 1e6,
	       (double)(fsyncs - before) / n);
}

static void no_wake(void *ctx)
{
	(void)ctx;
}

/* All that is due; the longest slice. */
static double work(struct store *s, double *total)
{
	double longest = 0;

	for (bool more = true; more;) {
		double t = cpu_s();
		more = store_work(s);
		t = cpu_s() - t;
		*total += t;
		longest = t > longest ? t : longest;
	}
	return longest;
}

/* Commits in slices, and the merges that follow from forty of them. */
static void bench_slices(const char *dir)
{
	struct store_options o = {.dir = dir,
				  .hooks = {.fsync = count_fsync, .wake = no_wake},
				  .journal_bytes = 2 << 20};
	struct store *s;
	double longest = 0, total = 0, l;
	struct store_stats stats;

	must(store_open(&o, &s, NULL), "open");
	for (unsigned i = 0; i < 40; i++) {
		put_many(s, "many", i * 1000, 1500, 1);
		l = work(s, &total);
		longest = l > longest ? l : longest;
	}
	store_stats(s, &stats);
	printf("%-44s %8.2f ms, %" PRIu64 " segments, %.2f s in all\n",
	       "longest slice of 40 commits, merges", longest * 1e3, stats.segments, total);
	unsigned before = fsyncs;
	double t = cpu_s(), ignored = 0;
	for (unsigned i = 0; i < 500; i++) {
		put_many(s, "many", i, 1, 1);
		while (store_work(s))
			;
	}
	printf("%-44s %8.1f us, %.1f fsyncs\n", "put and commit of one record, journal",
	       (cpu_s() - t) / 500 * 1e6, (double)(fsyncs - before) / 500);
	store_flush(s);
	work(s, &ignored);
	store_close(s);
}

int main(void)
{
	char dir[] = "/dev/shm/fic-bench-XXXXXX", command[64];
	struct store_options o = {.dir = dir, .hooks = {.fsync = count_fsync}, .cache_bytes = 32 << 20};
	struct store_stats stats;
	struct store *s;
	struct why why;

	log_setup(LOG_LEVEL_ERROR, false);
	if (!mkdtemp(dir) || store_open(&o, &s, &why)) {
		fprintf(stderr, "no store in %s\n", dir);
		return 1;
	}
	double t = cpu_s();
	size_t raw = put_many(s, "one", 0, 10000, 1);
	t = cpu_s() - t;
	store_stats(s, &stats);
	printf("%-44s %8.3f s\n", "10,000 contacts put and committed", t);
	printf("%-44s %8.3f (%" PRIu64 " of %zu bytes)\n", "size on disk of MessagePack",
	       (double)stats.disk_bytes / (double)raw, stats.disk_bytes, raw);
	t = cpu_s();
	random_state = 88172645463325252u;
	put_many(s, "one", 0, 10000, 1);
	printf("%-44s %8.3f s\n", "the same again, nothing changed", cpu_s() - t);
	bench_gets(s, "one", 10000);
	bench_scan(s, "one", AXIS_CREATED, "scan step, created, one segment");
	bench_scan(s, "one", AXIS_UPDATED, "scan step, updated, one segment");
	bench_newest(s, "one");
	for (unsigned i = 0; i < 20; i++)
		put_many(s, "twenty", i, 5000, 20);
	bench_gets(s, "twenty", 100000);
	bench_scan(s, "twenty", AXIS_CREATED, "scan step, created, twenty segments");
	bench_scan(s, "twenty", AXIS_UPDATED, "scan step, updated, twenty segments");
	bench_newest(s, "twenty");
	bench_small(s);
	snprintf(command, sizeof command, "%s/slices", dir);
	bench_slices(command);
	store_stats(s, &stats);
	printf("%-44s %8" PRIu64 "\n", "segments", stats.segments);
	store_close(s);
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command) == 0 ? 0 : 1;
}
