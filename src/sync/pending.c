/*
 * pending: what a walk has proven but for what slipped past it, durable as marks until a changes run makes coverage of it; and how far back walks
 * have come. Never claims coverage itself.
 */
#include "run.h"
#include "sync_state.h"

#include <stdio.h>
#include <stdlib.h>

void resource_pend(struct resource *r, struct interval span)
{
	struct store_stats stats;

	store_stats(r->sync->options.store, &stats);
	if (r->pending_count && r->pending_quarantined != stats.quarantined)
		r->pending_count = 0;
	r->pending_quarantined = stats.quarantined;
	for (unsigned i = 0; i < r->pending_count; i++) {
		struct interval *p = &r->pending[i];
		if (p->start_ms != span.end_ms)
			continue;
		p->start_ms = span.start_ms;
		if (span.as_of_ms < p->as_of_ms)
			p->as_of_ms = span.as_of_ms;
		return;
	}
	/* With every place taken the oldest claim is given up: it becomes a gap that is read again. */
	if (r->pending_count == PENDING_MAX) {
		for (unsigned i = 1; i < PENDING_MAX; i++)
			r->pending[i - 1] = r->pending[i];
		r->pending_count--;
	}
	r->pending[r->pending_count++] = span;
}

int resource_pending_save(const struct resource *r, struct txn *txn)
{
	char key[64], text[PENDING_MAX * 64];
	int n = 0;

	snprintf(key, sizeof key, "pending.%s", r->options.type->name);
	for (unsigned i = 0; i < r->pending_count; i++)
		n += snprintf(text + n, sizeof text - (size_t)n, "%lld %lld %lld\n",
			      (long long)r->pending[i].start_ms, (long long)r->pending[i].end_ms,
			      (long long)r->pending[i].as_of_ms);
	return txn_mark(txn, key, n ? bytes_of(text, (size_t)n) : bytes_of(NULL, 0));
}

int run_pending_save(struct run *run, struct why *why)
{
	int rc = resource_pending_save(run->resource, run->txn);

	return rc ? why_set(why, rc, "cannot note what was read") : 0;
}

void resource_pending_load(struct resource *r, const struct snapshot *view)
{
	char key[64], text[PENDING_MAX * 64 + 1];
	struct store_stats stats;

	snprintf(key, sizeof key, "pending.%s", r->options.type->name);
	struct bytes mark = snapshot_mark(view, key);
	store_stats(r->sync->options.store, &stats);
	r->pending_count = 0;
	r->pending_quarantined = stats.quarantined;
	/* A store that lost something when it was opened may have lost what the claims are about. */
	if (mark.len == 0 || mark.len >= sizeof text || stats.quarantined)
		return;
	memcpy(text, mark.data, mark.len);
	text[mark.len] = 0;
	for (char *line = text; *line && r->pending_count < PENDING_MAX;) {
		char *at = line;
		struct interval span = {.start_ms = strtoll(at, &at, 10)};
		span.end_ms = strtoll(at, &at, 10);
		span.as_of_ms = strtoll(at, &at, 10);
		if (*at != '\n' || span.start_ms >= span.end_ms)
			return;
		r->pending[r->pending_count++] = span;
		line = at + 1;
	}
}

int64_t resource_walked(const struct resource *r, const struct snapshot *view)
{
	char key[64], text[24];

	snprintf(key, sizeof key, "walked.%s", r->options.type->name);
	struct bytes mark = snapshot_mark(view, key);
	if (mark.len == 0 || mark.len >= sizeof text)
		return TIME_NONE;
	memcpy(text, mark.data, mark.len);
	text[mark.len] = 0;
	return strtoll(text, NULL, 10);
}

int run_walked_forget(struct run *run)
{
	char key[64];

	snprintf(key, sizeof key, "walked.%s", run->info.resource);
	return txn_mark(run->txn, key, bytes_of(NULL, 0));
}

int run_walked_save(struct run *run, int64_t from_ms)
{
	int64_t before = resource_walked(run->resource, run->view);
	char key[64], text[24];

	if (before != TIME_NONE && before <= from_ms)
		return 0;
	snprintf(key, sizeof key, "walked.%s", run->info.resource);
	snprintf(text, sizeof text, "%lld", (long long)from_ms);
	return txn_mark(run->txn, key, bytes_str(text));
}
