/*
 * get_bench: what a get by id costs as the number of records grows: whole gets (found, read, inflated and decoded) of records that
 * are drawn at random from all of a kind. One record in so many is like a conversation (6 KB of JSON), the others are small: every
 * second one of up to 100,000, one in sixteen of more, so that a million are made in a minute or two; their indexes are the same. A
 * store has the memory of a daemon with `memory = 16M`, and lies in memory (/dev/shm): what is told is the store's own part with
 * the system's calls. All stores are there at once and are asked in turns, so that whatever else the machine does meets all alike.
 *
 * GET_BENCH says how many records ("10000 100000 1000000"), GET_BENCH_LARGE that one in so many is like a conversation. Goals, of a get:
 *   10 us, by the median
 *   one read of data and at most two of an index, each of them
 *   of a large one, with the most records at most 1.5 times what it is with the fewest
 *   of a small one, no more than twice what it is with the number before. Not asked of the second number: the indexes of the first ten
 *     thousand lie in the store's own memory, those of more do not, and two reads cost more than all else of such a get
 * Ends with 1 when one is missed.
 *
 * Then the same on the disk of GET_BENCH_DISK (the build's), with nothing of a store's files in the system's memory: a get beside a
 * read of 4 KB at a random place of the same files. How fast a disk is nobody can promise; the goal is the number of reads.
 */
#include "support/page.h"

#include <base/log.h>
#include <codec/msgpack.h>
#include <store/store.h>

#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define T0           1700000000000
#define SIZES_MAX    8u
#define GETS         2000u /* in a row, of one store */
#define ROUNDS       10u
#define COUNTED      20000u
#define COLD_RECORDS 100000u
#define COLD_GETS    200u
#define COLD_FILES   64u
#define TXN_RECORDS  2000u
#define TEXTS        256u
#define MANY         100000u

#define INDEX_READS_MAX 2u
#define DATA_READS      1u
#define RATIO_MAX       1.5
#define STEP_MAX        2.0
#define GET_MAX_US      10.0

enum kind { SMALL, LARGE, ABSENT, KINDS };

/* A store, and what its gets cost. */
struct world {
	char dir[256];
	struct store *store;
	struct snapshot *view;
	unsigned count;
	unsigned large_every; /* one in so many is like a conversation */
	double us[KINDS][ROUNDS * GETS], cpu_us[KINDS];
};

static bool missed;

static double now_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

static void must(int rc, const char *what)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "get_bench: %s: %s\n", what, err_name(rc));
	exit(1);
}

static void goal(bool reached, const char *what)
{
	if (!reached)
		printf("  missed: %s\n", what);
	missed |= !reached;
}

/* ---- records ---- */

/* Fifteen digits that grow, as a provider's do; `off`: of none. */
static struct bytes id_of(unsigned i, unsigned off, char text[24])
{
	snprintf(text, 24, "%015" PRIu64, UINT64_C(215470000000000) + (uint64_t)i * 37 + off);
	return bytes_str(text);
}

static struct bytes conversation(void)
{
	static struct buf texts[TEXTS];

	if (!texts[0].len)
		page_sentences(5);
	for (unsigned i = 0; i < TEXTS && !texts[TEXTS - 1].len; i++)
		page_conversation(&texts[i], 4, 5);
	return buf_bytes(&texts[page_random(TEXTS)]);
}

static void put_one(struct txn *t, unsigned i, bool large, struct buf *doc)
{
	int64_t at = T0 + (int64_t)i * 43200;
	char id[24];

	buf_reset(doc);
	mp_put_map(doc, large ? 3 : 2);
	mp_put_cstr(doc, "state");
	mp_put_cstr(doc, i % 3 ? "open" : "closed");
	mp_put_cstr(doc, "number");
	mp_put_uint(doc, i);
	if (large) {
		struct bytes text = conversation();
		mp_put_cstr(doc, "text");
		mp_put_str(doc, text);
	}
	struct record r = {.id = id_of(i, 0, id),
			   .created_ms = at,
			   .updated_ms = at,
			   .seen_ms = at,
			   .doc = buf_bytes(doc)};
	must(txn_put(t, "records", &r, NULL, NULL), "put");
}

static void committed(void *ctx, int rc, const struct why *why)
{
	(void)ctx;
	if (rc)
		fprintf(stderr, "get_bench: %s\n", why->text);
	must(rc, "commit");
}

static void work(struct store *s)
{
	while (store_work(s))
		;
}

static void world_open(struct world *w)
{
	const struct store_options o = {.dir = w->dir,
					.cache_bytes = (16u << 20) / 14,
					.frame_bytes = (16u << 20) / 16,
					.filter_bytes = (16u << 20) / 3,
					.txn_bytes_max = 4u << 20,
					.journal_bytes = 1u << 20};
	struct why why;

	must(store_open(&o, &w->store, &why), "open");
}

static unsigned large_every(unsigned count)
{
	const char *said = getenv("GET_BENCH_LARGE");

	return said && atoi(said) > 0 ? (unsigned)atoi(said) : count > MANY ? 16 : 2;
}

static void world_make(struct world *w, const char *root, unsigned count)
{
	struct buf doc = {0};
	struct txn *t;

	snprintf(w->dir, sizeof w->dir, "%s/fic-get-XXXXXX", root);
	must(mkdtemp(w->dir) ? 0 : ERR_IO, w->dir);
	w->count = count;
	w->large_every = large_every(count);
	world_open(w);
	for (unsigned i = 0; i < count;) {
		must(store_begin(w->store, &t, NULL), "begin");
		for (unsigned end = i + TXN_RECORDS; i < count && i < end; i++)
			put_one(t, i, i % w->large_every == 0, &doc);
		txn_commit(t, committed, NULL);
		work(w->store);
	}
	store_flush(w->store);
	work(w->store);
	w->view = snapshot_new(w->store);
	buf_release(&doc);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static void world_free(struct world *w)
{
	snapshot_free(w->view);
	store_close(w->store);
	must(nftw(w->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) ? ERR_IO : 0, w->dir);
}

/* ---- gets ---- */

/* Any of a kind. */
static struct bytes draw(const struct world *w, enum kind kind, char id[24])
{
	unsigned i = page_random(w->count);

	if (kind == LARGE)
		i = i / w->large_every * w->large_every;
	else if (kind == SMALL && i % w->large_every == 0)
		i++;
	return id_of(i < w->count ? i : 1, kind == ABSENT ? 5 : 0, id);
}

static void get(const struct world *w, enum kind kind, struct bytes id, struct buf *memory)
{
	struct record r;
	int rc = snapshot_get(w->view, "records", id, memory, &r);

	must(rc == (kind != ABSENT) ? 0 : ERR_NOTFOUND, "get");
}

static void time_gets(struct world *w, enum kind kind, unsigned round, struct buf *memory)
{
	double *us = w->us[kind] + (size_t)round * GETS, cpu = now_us(CLOCK_PROCESS_CPUTIME_ID);
	char id[24];

	for (unsigned i = 0; i < GETS; i++) {
		struct bytes name = draw(w, kind, id);
		double t = now_us(CLOCK_MONOTONIC);
		get(w, kind, name, memory);
		us[i] = now_us(CLOCK_MONOTONIC) - t;
	}
	w->cpu_us[kind] += now_us(CLOCK_PROCESS_CPUTIME_ID) - cpu;
}

struct reads {
	double index, data; /* of a get, as a mean */
	uint64_t index_most, data_most;
};

static void count_get(const struct world *w, enum kind kind, struct buf *memory, struct reads *n)
{
	struct store_stats before, after;
	char id[24];

	store_stats(w->store, &before);
	get(w, kind, draw(w, kind, id), memory);
	store_stats(w->store, &after);
	uint64_t index = after.cache_misses - before.cache_misses,
		 data = after.reads - before.reads - index;
	n->index += (double)index;
	n->data += (double)data;
	n->index_most = index > n->index_most ? index : n->index_most;
	n->data_most = data > n->data_most ? data : n->data_most;
}

static void count_gets(const struct world *w, enum kind kind, unsigned gets, struct buf *memory,
		       struct reads *n)
{
	*n = (struct reads){0};
	for (unsigned i = 0; i < gets; i++)
		count_get(w, kind, memory, n);
	n->index /= gets;
	n->data /= gets;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *us, size_t n)
{
	qsort(us, n, sizeof *us, by_size);
	return us[n / 2];
}

/* The median. */
static double say_gets(struct world *w, enum kind kind, struct buf *memory)
{
	static const char *const names[KINDS] = {"small", "like a conversation", "not there"};
	double us = median(w->us[kind], (size_t)ROUNDS * GETS);
	struct reads n;

	count_gets(w, kind, COUNTED, memory, &n);
	printf("%9u records, a get of one that is %-19s: %6.2f us (median), %6.2f us (mean, processor), reads of "
	       "an index %.2f (at most %" PRIu64 "), of data %.2f (at most %" PRIu64 ")\n",
	       w->count, names[kind], us, w->cpu_us[kind] / (ROUNDS * GETS), n.index, n.index_most,
	       n.data, n.data_most);
	if (kind == ABSENT)
		return us;
	goal(us <= GET_MAX_US, "10 us");
	goal(n.index_most <= INDEX_READS_MAX, "two reads of an index");
	goal(n.data_most == DATA_READS, "one read of data");
	return us;
}

static void bench_warm(struct world *worlds, unsigned count)
{
	struct buf memory = {0};
	double us[SIZES_MAX][KINDS];

	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned i = 0; i < count; i++)
			for (enum kind k = 0; k < KINDS; k++)
				time_gets(&worlds[i], k, round, &memory);
	for (enum kind k = 0; k < KINDS; k++)
		for (unsigned i = 0; i < count; i++)
			us[i][k] = say_gets(&worlds[i], k, &memory);
	for (unsigned i = 2; i < count; i++)
		goal(us[i][SMALL] <= STEP_MAX * us[i - 1][SMALL],
		     "a small one, twice the number before");
	if (count > 1) {
		const double *last = us[count - 1], *first = us[0];
		printf("from %u to %u records a get grows %.2f times like a conversation, %.2f times small\n",
		       worlds[0].count, worlds[count - 1].count, last[LARGE] / first[LARGE],
		       last[SMALL] / first[SMALL]);
		goal(last[LARGE] <= RATIO_MAX * first[LARGE], "1.5 times");
	}
	buf_release(&memory);
}

/* ---- with nothing in the system's memory ---- */

static struct {
	int fd;
	off_t bytes;
} files[COLD_FILES];
static unsigned files_count;

static int keep_file(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)at;
	if (type != FTW_F || st->st_size < 1 << 16 || files_count == COLD_FILES)
		return 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	must(fd < 0 || fsync(fd) < 0 ? ERR_IO : 0, path);
	posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	files[files_count].fd = fd;
	files[files_count++].bytes = st->st_size;
	return 0;
}

static void forget_files(void)
{
	for (unsigned i = 0; i < files_count; i++)
		posix_fadvise(files[i].fd, 0, 0, POSIX_FADV_DONTNEED);
}

static double cold_read_us(void)
{
	unsigned which = page_random(files_count);
	uint8_t page[4096];

	forget_files();
	off_t at = (off_t)page_random((uint32_t)(files[which].bytes / 4096)) * 4096;
	double t = now_us(CLOCK_MONOTONIC);
	must(pread(files[which].fd, page, sizeof page, at) < 1 ? ERR_IO : 0, "read");
	return now_us(CLOCK_MONOTONIC) - t;
}

static double cold_get_us(const struct world *w, struct buf *memory, struct reads *n)
{
	forget_files();
	double t = now_us(CLOCK_MONOTONIC);
	count_get(w, LARGE, memory, n);
	return now_us(CLOCK_MONOTONIC) - t;
}

static void bench_cold(struct world *w, const char *root)
{
	static double gets[COLD_GETS], reads[COLD_GETS];
	struct reads n = {0};
	struct buf memory = {0};

	world_make(w, root, COLD_RECORDS);
	nftw(w->dir, keep_file, 16, FTW_PHYS);
	must(files_count ? 0 : ERR_NOTFOUND, "files of a store");
	for (unsigned i = 0; i < COLD_GETS; i++) {
		reads[i] = cold_read_us();
		gets[i] = cold_get_us(w, &memory, &n);
	}
	double get_us = median(gets, COLD_GETS), read_us = median(reads, COLD_GETS);
	printf("%9u records on a disk, nothing of them in memory: a get %.0f us (median), a read of 4 KB %.0f us: %.1f times; "
	       "reads of an index %.2f (at most %" PRIu64 "), of data %.2f (at most %" PRIu64 ")\n",
	       w->count, get_us, read_us, get_us / read_us, n.index / COLD_GETS, n.index_most,
	       n.data / COLD_GETS, n.data_most);
	goal(n.index_most <= INDEX_READS_MAX && n.data_most == DATA_READS,
	     "three reads of what is on a disk");
	for (unsigned i = 0; i < files_count; i++)
		close(files[i].fd);
	world_free(w);
	buf_release(&memory);
}

int main(void)
{
	const char *counts = getenv("GET_BENCH"), *disk = getenv("GET_BENCH_DISK");
	struct world *worlds = calloc(SIZES_MAX, sizeof *worlds);
	unsigned count = 0;
	char *end;

	must(worlds ? 0 : ERR_NOMEM, "memory");
	log_setup(LOG_LEVEL_ERROR, false);
	setvbuf(stdout, NULL, _IOLBF, 0);
	page_init();
	counts = counts ? counts : "10000 100000 1000000";
	for (unsigned long n; count < SIZES_MAX && (n = strtoul(counts, &end, 10)) > 0; counts = end)
		world_make(&worlds[count++], "/dev/shm", (unsigned)n);
	bench_warm(worlds, count);
	for (unsigned i = 0; i < count; i++)
		world_free(&worlds[i]);
	disk = disk ? disk : getenv("BUILD");
	bench_cold(&worlds[0], disk ? disk : ".");
	free(worlds);
	printf("goals %s\n", missed ? "missed" : "reached");
	return missed;
}
