/*
 * get_bench: what a get by id costs, of records that were not asked for before, as the number of records grows: small ones, so that a
 * million of them take half a minute. The store has the memory of a daemon with `memory = 16M`. The disk is memory (/dev/shm): what
 * is told is the store's own part, with the system's calls.
 *
 * GET_BENCH says how many records ("10000 100000 1000000"). The indexes of ten thousand lie in the store's own memory, those of more do not, and cost
 * two reads of a page. Goals: 10 us, and of two that follow each other the second no more than twice the first, where both read pages. Ends
 * with 1 when one is missed.
 */
#include <base/log.h>
#include <codec/msgpack.h>
#include <store/store.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define T0          1700000000000
#define GETS        4000u
#define ROUNDS      5u
#define TXN_RECORDS 2000u
#define RATIO_MAX   2.0
#define GET_MAX_US  10.0

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

static void must(int rc, const char *what)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "get_bench: %s: %s\n", what, err_name(rc));
	exit(1);
}

/* Fifteen digits that grow, as a provider's do. */
static struct bytes id_of(unsigned i, char text[24])
{
	snprintf(text, 24, "%015" PRIu64, UINT64_C(215470000000000) + (uint64_t)i * 37);
	return bytes_str(text);
}

static void committed(void *ctx, int rc, const struct why *why)
{
	(void)ctx;
	if (rc)
		fprintf(stderr, "get_bench: %s\n", why->text);
	must(rc, "commit");
}

static void put_some(struct store *s, unsigned first, unsigned n)
{
	struct buf doc = {0};
	struct txn *t;
	char id[24];

	must(store_begin(s, &t, NULL), "begin");
	for (unsigned i = first; i < first + n; i++) {
		buf_reset(&doc);
		mp_put_map(&doc, 2);
		mp_put_cstr(&doc, "state");
		mp_put_cstr(&doc, i % 3 ? "open" : "closed");
		mp_put_cstr(&doc, "number");
		mp_put_uint(&doc, i);
		struct record r = {.id = id_of(i, id),
				   .created_ms = T0 + (int64_t)i * 43200,
				   .updated_ms = T0 + (int64_t)i * 43200,
				   .seen_ms = T0 + (int64_t)i * 43200,
				   .doc = buf_bytes(&doc)};
		must(txn_put(t, "records", &r, NULL, NULL), "put");
	}
	txn_commit(t, committed, NULL);
	buf_release(&doc);
	while (store_work(s))
		;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* The median; `held`: of records that are there, each once. */
static double bench_gets(struct store *s, unsigned count, bool held)
{
	static double us[GETS];
	struct snapshot *v = snapshot_new(s);
	struct buf memory = {0};
	struct record r;
	char id[24];

	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned i = 0; i < GETS; i++) {
			unsigned which = (unsigned)(((uint64_t)round * GETS + i) * 104729 % count);
			struct bytes name = id_of(which, id);
			id[14] = (char)(held ? id[14] : 'x');
			double t = now_us();
			int rc = snapshot_get(v, "records", name, &memory, &r);
			us[i] = now_us() - t;
			must(rc == held ? 0 : ERR_NOTFOUND, "get");
		}
	snapshot_free(v);
	buf_release(&memory);
	qsort(us, GETS, sizeof *us, by_size);
	return us[GETS / 2];
}

static double bench(const char *dir, unsigned count)
{
	const struct store_options o = {.dir = dir,
					.cache_bytes = (16u << 20) / 12,
					.filter_bytes = 4u << 20,
					.txn_bytes_max = 4u << 20,
					.journal_bytes = 1u << 20};
	struct store_stats stats;
	struct store *s;
	struct why why;

	must(store_open(&o, &s, &why), "open");
	for (unsigned i = 0; i < count; i += TXN_RECORDS)
		put_some(s, i, count - i < TXN_RECORDS ? count - i : TXN_RECORDS);
	store_flush(s);
	while (store_work(s))
		;
	store_stats(s, &stats);
	double us = bench_gets(s, count, true);
	printf("%9u records, %3" PRIu64
	       " files, %5.2f MB of filters: a get %6.2f us, of what is not there %6.2f us\n",
	       count, stats.segments, (double)stats.filter_bytes / 1e6, us,
	       bench_gets(s, count, false));
	store_close(s);
	return us;
}

int main(void)
{
	const char *counts = getenv("GET_BENCH");
	double first = 0, before = 0, us = 0;
	bool missed = false;
	char *end;

	log_setup(LOG_LEVEL_ERROR, false);
	setvbuf(stdout, NULL, _IOLBF, 0);
	counts = counts ? counts : "10000 100000 1000000";
	for (unsigned long n; (n = strtoul(counts, &end, 10)) > 0; counts = end) {
		char dir[] = "/dev/shm/fic-get-XXXXXX", command[64];
		if (!mkdtemp(dir))
			exit(1);
		us = bench(dir, (unsigned)n);
		missed |= us > GET_MAX_US || (before > 0 && us > before * RATIO_MAX);
		before = first > 0 ? us : 0;
		first = first > 0 ? first : us;
		snprintf(command, sizeof command, "rm -rf '%s'", dir);
		must(system(command) == 0 ? 0 : ERR_IO, command);
	}
	printf("the last is %.2f times the first; goals %s\n", us / first,
	       missed ? "missed" : "reached");
	return missed;
}
