/*
 * scale_bench: a store of very many conversations, as the daemon would hold them, and what it costs to
 * have it: disk, files, the time to open it, the memory, gets by id when everything is warm and when
 * nothing is; counts in groups, and full text.
 *
 *   scale_bench               for each number in SCALE_BENCH (default "3000 10000"), below /dev/shm
 *   scale_bench DIR           full text only, on a store that is there
 *   scale_bench DIR NUMBER    makes the store in DIR, and leaves it there: the state_dir/SOURCE of a
 *                             ficd.conf (tests/bench/scale.py does); one that is there is measured
 *
 * Each conversation goes through the provider's reader, so that it becomes what a first sync makes of
 * it: a record and its messages, two on average and long, with the daemon's own indexes. They come in the
 * order of time, 2,000 a day.
 */
#include "support/ask.h"
#include "support/threads.h"

#include <base/log.h>
#include <query/aggregate.h>

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define GETS      4000u
#define COLD_GETS 40u

static double now_s(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void must(int rc, const char *what)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "scale_bench: %s: %s\n", what, err_name(rc));
	exit(1);
}

/* ---- measuring ---- */

static void say(const char *what, double value, const char *unit)
{
	printf("%-52s %10.2f %s\n", what, value, unit);
}

/* Of this process: what would be free if it were gone. */
static double private_mb(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "re");
	char line[128];
	long sum = 0, kb;

	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "Private_Clean: %ld", &kb) == 1 ||
		    sscanf(line, "Private_Dirty: %ld", &kb) == 1)
			sum += kb;
	if (f)
		fclose(f);
	return (double)sum / 1000;
}

static uint64_t reads(void)
{
	FILE *f = fopen("/proc/self/io", "re");
	char line[128];
	uint64_t n = 0;

	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "syscr: %" SCNu64, &n) == 1)
			break;
	if (f)
		fclose(f);
	return n;
}

/* What the kernel has of all files below. */
static void drop(const char *dir)
{
	char path[512];
	DIR *d = opendir(dir);

	for (struct dirent *e; d && (e = readdir(d));) {
		struct stat st;
		snprintf(path, sizeof path, "%.250s/%.250s", dir, e->d_name);
		if (e->d_name[0] == '.' || stat(path, &st))
			continue;
		if (S_ISDIR(st.st_mode)) {
			drop(path);
			continue;
		}
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			fdatasync(fd);
			posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
			close(fd);
		}
	}
	if (d)
		closedir(d);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double get_one(struct snapshot *v, unsigned i)
{
	static struct buf memory;
	struct record r;
	char id[16];

	snprintf(id, sizeof id, "%07u", 1000000 + i);
	double t = now_s(CLOCK_MONOTONIC);
	must(snapshot_get(v, "conversations", bytes_str(id), &memory, &r) == 1 ? 0 : ERR_NOTFOUND,
	     "get");
	return (now_s(CLOCK_MONOTONIC) - t) * 1e6;
}

static void say_gets(const char *what, double *us, unsigned n)
{
	char words[96];

	qsort(us, n, sizeof *us, by_size);
	snprintf(words, sizeof words, "%s, p50", what);
	say(words, us[n / 2], "us");
	snprintf(words, sizeof words, "%s, p99", what);
	say(words, us[n * 99 / 100], "us");
}

/* The same few thousand records again and again: what is asked for is what was looked at. */
static void bench_gets(struct store *s, unsigned count)
{
	static double us[GETS];
	struct snapshot *v = snapshot_new(s);
	unsigned hot = count < 1000 ? count : 1000;

	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 0; i < GETS; i++)
			us[i] = get_one(v, (unsigned)((uint64_t)(i % hot) * 7919 % count));
	say_gets("get by id, 1,000 hot ones", us, GETS);
	for (unsigned i = 0; i < GETS; i++)
		us[i] = get_one(v, (unsigned)((uint64_t)i * 104729 % count));
	say_gets("get by id, any, in the system's memory", us, GETS);
	snapshot_free(v);
}

/* Nothing in memory, neither the store's nor the system's: as after a start, one get each. */
static void bench_cold(const char *dir, unsigned count)
{
	static double us[COLD_GETS];
	struct store_stats before_it, after_it;
	uint64_t asked = 0, indexes = 0;

	for (unsigned i = 0; i < COLD_GETS; i++) {
		struct store *s = threads_open(dir);
		while (store_work(s))
			;
		struct snapshot *v = snapshot_new(s);
		get_one(v, 0); /* the dictionary and the libraries' own first steps */
		drop(dir);
		store_stats(s, &before_it);
		uint64_t none = reads(), before = reads();
		us[i] = get_one(v, (unsigned)(((uint64_t)i + 7) * 1299709 % count));
		asked += reads() - before - (before - none);
		store_stats(s, &after_it);
		indexes += after_it.cache_misses - before_it.cache_misses;
		snapshot_free(v);
		store_close(s);
	}
	say_gets("get by id, cold", us, COLD_GETS);
	say("pages of indexes that a cold get reads", (double)indexes / COLD_GETS, "");
	say("its reads from the disk, with dictionaries", (double)asked / COLD_GETS, "");
}

static unsigned held(struct store *s)
{
	struct snapshot *v = snapshot_new(s);
	unsigned n = (unsigned)snapshot_count(v, "conversations");

	snapshot_free(v);
	return n;
}

static void make(struct store *s, unsigned count)
{
	double t = now_s(CLOCK_PROCESS_CPUTIME_ID), json = threads_fill(s, count);
	struct store_stats stats;

	t = now_s(CLOCK_PROCESS_CPUTIME_ID) - t;
	store_stats(s, &stats);
	printf("\n%u conversations of %.2f KB of JSON\n", count, json / count / 1000);
	say("CPU to make it, a conversation", t / count * 1e6, "us");
	say("disk, of the JSON", (double)stats.disk_bytes / json, "");
}

static void say_size(const struct store *s, const char *segments)
{
	struct store_stats stats;

	store_stats(s, &stats);
	say("disk", (double)stats.disk_bytes / 1e6, "MB");
	say(segments, (double)stats.segments, "");
	say("filters in memory", (double)stats.filter_bytes / 1e6, "MB");
}

/* Processor time of an answer, of many in a row. */
static double one_aggregate(struct store *s, const struct aggregate_spec *spec, unsigned times,
			    struct aggregate_result *out)
{
	double t = now_s(CLOCK_PROCESS_CPUTIME_ID);

	for (unsigned i = 0; i < times; i++) {
		struct snapshot *v = snapshot_new(s);
		struct aggregate *a;
		struct why why;
		int rc;
		buf_reset(spec->groups);
		must(aggregate_open(v, spec, &a, &why), "aggregate");
		while ((rc = aggregate_step(a, 60, &why)) == 1)
			;
		must(rc, "aggregate");
		*out = *aggregate_result(a);
		aggregate_free(a);
		snapshot_free(v);
	}
	return (now_s(CLOCK_PROCESS_CPUTIME_ID) - t) * 1e6 / times;
}

/* In groups, over the middle half of the conversations: the span cuts segments in two. */
static void bench_groups(struct store *s, unsigned count)
{
	const struct bytes by[] = {bytes_str("state"), bytes_str("day")};
	const struct bytes metric = bytes_str("p90:time_to_first_close");
	struct aggregate_result r = {0};
	struct buf groups = {0};
	int64_t days_ms = (int64_t)count / THREADS_A_DAY * 86400000 + 1;
	struct aggregate_spec spec = {
		.resource = "conversations",
		.fields = threads_fields(),
		.start_ms = THREADS_T0_S * INT64_C(1000) + days_ms / 4,
		.end_ms = THREADS_T0_S * INT64_C(1000) + days_ms * 3 / 4,
		.group_by = by,
		.group_by_count = 1,
		.groups = &groups,
	};

	say("count by state", one_aggregate(s, &spec, 500, &r), "us");
	say("conversations in it", (double)r.records, "");
	spec.group_by_count = 2;
	say("count by state and day", one_aggregate(s, &spec, 5, &r), "us");
	spec.group_by_count = 1;
	spec.metrics = &metric;
	spec.metric_count = 1;
	say("percentile by state", one_aggregate(s, &spec, 5, &r), "us");
	buf_release(&groups);
}

static void bench(const char *dir, unsigned count)
{
	struct store *s = threads_open(dir);

	unsigned there = held(s);
	if (there) {
		printf("\n%u conversations\n", there);
		count = there < count ? there : count; /* others may have come from a workspace */
	}
	if (!there)
		make(s, count);
	store_close(s);
	double base = private_mb(), t = now_s(CLOCK_PROCESS_CPUTIME_ID);
	s = threads_open(dir);
	say("open", (now_s(CLOCK_PROCESS_CPUTIME_ID) - t) * 1e3, "ms of processor time");
	say("memory of the process, before and after it", base, "MB");
	say("", private_mb(), "MB");
	while (store_work(s))
		;
	say_size(s, "segments, after what was to merge");
	bench_gets(s, count);
	bench_groups(s, count);
	say("memory after the gets", private_mb(), "MB");
	ask_all(s);
	say("memory after full text", private_mb(), "MB");
	store_close(s);
	bench_cold(dir, count);
}

static void bench_text(const char *dir)
{
	struct store *s = threads_open(dir);

	printf("\n%u conversations\n", held(s));
	while (store_work(s))
		;
	ask_all(s);
	store_close(s);
}

static void bench_all(const char *counts)
{
	char *end;

	for (unsigned long n; (n = strtoul(counts, &end, 10)) > 0; counts = end) {
		char dir[] = "/dev/shm/fic-scale-XXXXXX", command[64];
		if (!mkdtemp(dir))
			exit(1);
		bench(dir, (unsigned)n);
		snprintf(command, sizeof command, "rm -rf '%s'", dir);
		must(system(command) == 0 ? 0 : ERR_IO, command);
	}
}

int main(int argc, char **argv)
{
	const char *counts = getenv("SCALE_BENCH");

	log_setup(LOG_LEVEL_ERROR, false);
	threads_begin();
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2)
		bench_text(argv[1]);
	else if (argc == 3)
		bench(argv[1], (unsigned)strtoul(argv[2], NULL, 10));
	else
		bench_all(counts ? counts : "3000 10000");
	threads_end();
	return 0;
}
