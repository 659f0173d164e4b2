/*
 * query_bench: what questions cost on a store of conversations with their messages, beside what they may cost at 100,000 of them, and beside what they
 * cost on the smallest store of the run: a page must not cost more because the cache is larger.
 *
 *   query_bench          for each number in QUERY_BENCH (default "3000 12000"), below /dev/shm
 *   query_bench DIR ...  on stores that are there (scale_bench DIR NUMBER makes them)
 *
 * Processor time of the store's and the query's part, the median of some rounds; socket and JSON cost the daemon more.
 */
#include "support/threads.h"

#include <base/log.h>
#include <query/aggregate.h>
#include <query/query.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 21

/* One kind of question. */
struct question {
	const char *what, *resource, *text, *sort;
	uint32_t limit;  /* 0: a total */
	bool whole;      /* with documents; else the ids */
	double goal_us;  /* 0: none is set */
	double first_us; /* on the first store */
};

static struct question asks[] = {
	{"count, common word, conversations", "conversations", "permission", NULL, 0, false, 10, 0},
	{"count, common word, messages", "messages", "permission", NULL, 0, false, 10, 0},
	{"count, two words", "conversations", "refund invoice", NULL, 0, false, 50, 0},
	{"20 ids, very common word", "conversations", "the", NULL, 20, false, 0, 0},
	{"20 full, very common word", "conversations", "the", NULL, 20, true, 130, 0},
	{"20 ids, common word", "conversations", "permission", NULL, 20, false, 0, 0},
	{"20 full, common word", "conversations", "permission", NULL, 20, true, 130, 0},
	{"20 full, two words", "conversations", "refund invoice", NULL, 20, true, 160, 0},
	{"20 full, phrase", "conversations", "\"the customer\"", NULL, 20, true, 160, 0},
	{"20 full, prefix", "conversations", "refun*", NULL, 20, true, 0, 0},
	{"20 full, common word, messages", "messages", "permission", NULL, 20, true, 130, 0},
	{"no such word", "conversations", "nothinglikeit", NULL, 20, true, 0, 0},
	{"20 by relevance", "conversations", "refund invoice", "relevance", 20, false, 0, 0},
	{"20 by a field", "conversations", NULL, "-reopens", 20, false, 0, 0},
	{"newest 100, ids", "conversations", NULL, NULL, 100, false, 15, 0},
};

static double state_goal_us = 15, state_first_us;

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void must(int rc, const char *what, const struct why *why)
{
	if (rc == 0)
		return;
	fprintf(stderr, "query_bench: %s: %s\n", what, why->text);
	exit(1);
}

static void search_for(const struct question *a, const struct resource_type *type,
		       struct arena *arena, struct query_text *out)
{
	struct why why = {""};

	if (!a->text)
		return;
	must(search_parse(bytes_str(a->text), arena, &out->search, &why), a->text, &why);
	if (!type->child)
		return;
	out->child = type->child;
	out->child_fields = provider_type(&provider_intercom, bytes_str(type->child))->fields;
}

/* From the text on until the rows are there. */
static double ask_once(struct store *s, const struct question *a, struct query_result *out)
{
	static const struct bytes id = {(const uint8_t *)"id", 2};
	const struct resource_type *type = provider_type(&provider_intercom, bytes_str(a->resource));
	struct snapshot *v = snapshot_new(s);
	struct arena arena = {0};
	struct buf rows = {0};
	struct query_spec spec = {.source = "acme",
				  .resource = a->resource,
				  .fields = type->fields,
				  .start_ms = TIME_MIN,
				  .end_ms = TIME_MAX,
				  .names = a->whole ? NULL : &id,
				  .name_count = !a->whole,
				  .whole = a->whole,
				  .limit = a->limit,
				  .want_total = !a->limit,
				  .rows = &rows};
	struct query *q;
	struct why why = {""};
	double begin = now_us();
	int rc;

	search_for(a, type, &arena, &spec.text);
	if (a->sort)
		must(query_sort(bytes_str(a->sort), type->fields, AXIS_CREATED, &spec.ascending,
				&spec.sort, &why),
		     a->sort, &why);
	must(query_open(v, &spec, &q, &why), a->what, &why);
	while ((rc = query_step(q, 60, &why)) == 1)
		;
	must(rc, a->what, &why);
	*out = *query_result(q);
	query_free(q);
	double took = now_us() - begin;
	snapshot_free(v);
	arena_release(&arena);
	buf_release(&rows);
	return took;
}

static double count_states(struct store *s, unsigned count)
{
	static const struct bytes state = {(const uint8_t *)"state", 5};
	int64_t end_ms = ((int64_t)THREADS_T0_S + (int64_t)count / THREADS_A_DAY * 86400) * 1000;
	struct snapshot *v = snapshot_new(s);
	struct buf groups = {0};
	struct aggregate_spec spec = {.resource = "conversations",
				      .fields = threads_fields(),
				      .start_ms = end_ms - INT64_C(90) * 86400000,
				      .end_ms = end_ms + 1,
				      .group_by = &state,
				      .group_by_count = 1,
				      .groups = &groups};
	struct aggregate *a;
	struct why why = {""};
	double begin = now_us();
	int rc;

	must(aggregate_open(v, &spec, &a, &why), "count by state", &why);
	while ((rc = aggregate_step(a, 60, &why)) == 1)
		;
	must(rc, "count by state", &why);
	aggregate_free(a);
	double took = now_us() - begin;
	snapshot_free(v);
	buf_release(&groups);
	return took;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void say(const char *what, double *us, double goal_us, double *first_us)
{
	double first = us[0];

	qsort(us, ROUNDS, sizeof *us, by_size);
	double median = us[ROUNDS / 2];
	printf("%-36s %10.1f us, the first time %10.1f", what, median, first);
	if (goal_us > 0)
		printf("; goal %4.0f: %7.2f times it", goal_us, median / goal_us);
	if (*first_us > 0)
		printf("; %.2f times the smallest store's", median / *first_us);
	else
		*first_us = median;
	printf("\n");
}

static void bench(const char *dir, unsigned count)
{
	struct store *s = threads_open(dir);
	struct snapshot *v = snapshot_new(s);
	unsigned there = (unsigned)snapshot_count(v, "conversations");
	struct query_result result;
	double us[ROUNDS];

	snapshot_free(v);
	if (there == 0) {
		threads_fill(s, count);
		there = count;
	}
	while (store_work(s))
		;
	printf("\n%u conversations\n", there);
	for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
		for (unsigned n = 0; n < ROUNDS; n++)
			us[n] = ask_once(s, &asks[i], &result);
		say(asks[i].what, us, asks[i].goal_us, &asks[i].first_us);
	}
	for (unsigned n = 0; n < ROUNDS; n++)
		us[n] = count_states(s, there);
	say("count by state, 90 days", us, state_goal_us, &state_first_us);
	store_close(s);
}

int main(int argc, char **argv)
{
	const char *counts = getenv("QUERY_BENCH");
	char *end;

	log_setup(LOG_LEVEL_ERROR, false);
	threads_begin();
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 1; i < argc; i++)
		bench(argv[i], 0);
	if (argc == 1 && !counts)
		counts = "3000 12000";
	for (unsigned long n; argc == 1 && (n = strtoul(counts, &end, 10)) > 0; counts = end) {
		char dir[] = "/dev/shm/fic-query-XXXXXX", command[64];
		if (!mkdtemp(dir))
			return 1;
		bench(dir, (unsigned)n);
		snprintf(command, sizeof command, "rm -rf '%s'", dir);
		if (system(command) != 0)
			return 1;
	}
	threads_end();
	return 0;
}
