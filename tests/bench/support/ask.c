/* ask: rows and counts, the first page as ficq asks for it, in processor time. */
#include "ask.h"

#include <query/query.h>
#include <source/provider.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 5

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* One question from its text on; the longest step into *step_us. */
static double ask(struct store *s, const char *resource, const char *text, uint32_t limit,
		  struct query_result *result, double *step_us)
{
	const struct resource_type *type = provider_type(&provider_intercom, bytes_str(resource));
	struct snapshot *v = snapshot_new(s);
	struct arena arena = {0};
	struct buf rows = {0};
	struct query_spec spec = {.source = "acme",
				  .resource = resource,
				  .fields = type->fields,
				  .start_ms = TIME_MIN,
				  .end_ms = TIME_MAX,
				  .limit = limit,
				  .want_total = !limit,
				  .rows = &rows};
	struct query *q;
	struct why why = {""};
	double begin = now_us();

	if (type->child) {
		spec.text.child = type->child;
		spec.text.child_fields =
			provider_type(&provider_intercom, bytes_str(type->child))->fields;
	}
	int rc = search_parse(bytes_str(text), &arena, &spec.text.search, &why);
	if (!rc)
		rc = query_open(v, &spec, &q, &why);
	for (*step_us = 0, rc = rc ? rc : 1; rc == 1;) {
		double t = now_us();
		rc = query_step(q, 60, &why);
		t = now_us() - t;
		*step_us = t > *step_us ? t : *step_us;
	}
	if (rc) {
		fprintf(stderr, "scale_bench: %s: %s\n", text, why.text);
		exit(1);
	}
	*result = *query_result(q);
	query_free(q);
	double took = now_us() - begin;
	snapshot_free(v);
	arena_release(&arena);
	buf_release(&rows);
	return took;
}

static void say(struct store *s, const char *resource, const char *text, uint32_t limit)
{
	struct query_result result;
	double best = 0, step = 0, worst = 0;
	char words[96];

	for (int i = 0; i < ROUNDS; i++) {
		double us = ask(s, resource, text, limit, &result, &step);
		best = !i || us < best ? us : best;
		worst = i && step < worst ? worst : step;
	}
	snprintf(words, sizeof words, "%s %s %s", limit ? "rows" : "count", resource, text);
	printf("%-52s %10.1f us; %llu %s, %llu read, longest step %.0f us\n", words, best,
	       limit ? (unsigned long long)result.rows : (unsigned long long)result.total,
	       limit ? "rows" : "found", (unsigned long long)result.read, worst);
}

void ask_all(struct store *s)
{
	static const char *const texts[] = {
		"permission",
		"the",
		"refund invoice",
		"\"the customer\"",
		"\"refund permission\"",
		"refun*",
		"the -refund",
		"nothinglikeit",
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		say(s, "conversations", texts[i], 20);
		say(s, "messages", texts[i], 20);
		say(s, "messages", texts[i], 0);
		say(s, "conversations", texts[i], 0);
	}
}
