/*
 * estimate: what a wish would cost, from what is held and from how earlier runs went. Asks the provider nothing, starts nothing, and calls unknown what it
 * does not know.
 */
#include "sync_state.h"

#include <stdio.h>
#include <stdlib.h>

#define RUNS_MAX  20   /* of a resource that are looked at */
#define TRAIL_MAX 2000 /* entries that are looked through for them */
#define UNKNOWN   (-1)
#define PACE_CALLS \
	10 /* of a run, from which on its time says how fast calls are answered: a short one has mostly waited for its turn */
/* What is believed to be typical: so long, and so many. */
#define DENSE_MS      INT64_C(86400000)
#define DENSE_RECORDS 50
#define ROWS_MAX      5000 /* that are counted one by one */

/* What the audit trail tells about a resource. */
struct past {
	const char *resource;
	unsigned entries, runs;       /* changes runs that ended well */
	int64_t newest_ms, oldest_ms; /* ends of them */
	uint64_t changed;             /* records that all but the oldest brought */
	uint64_t last_changed;        /* and that one */
	uint64_t calls, ms;           /* of runs of any resource, and how long they took */
};

static bool look_at(void *ctx, uint64_t sequence, struct bytes value)
{
	struct past *p = ctx;
	struct run_entry run;

	(void)sequence;
	if (++p->entries > TRAIL_MAX || p->runs == RUNS_MAX)
		return false;
	if (run_decode(value, &run) || !bytes_is(run.outcome, run_outcome_name(RUN_OK)))
		return true;
	if (run.calls >= PACE_CALLS) {
		p->calls += run.calls;
		p->ms += run.duration_ms;
	}
	if (!bytes_is(run.resource, p->resource) || !bytes_is(run.kind, run_kind_name(RUN_CHANGES)))
		return true;
	if (p->runs++ == 0)
		p->newest_ms = run.ended_ms;
	p->oldest_ms = run.ended_ms;
	p->changed += p->last_changed;
	p->last_changed = run.created + run.updated + run.deleted;
	return true;
}

static struct past past_of(const struct resource *r)
{
	struct past p = {.resource = r->options.type->name};

	/* A trail that cannot be read tells nothing. */
	trail_scan(r->sync->options.trail, UINT64_MAX, look_at, &p);
	return p;
}

/* What is asked, and looked at for it. */
struct question {
	const struct resource *resource;
	struct snapshot *view;
	struct past past;
	struct interval span; /* of a verify run; TIME_MIN to TIME_MAX: the stretch whose turn it is */
};

static int64_t pages(const struct question *q, enum ask_kind kind, int64_t records)
{
	const struct account *a = &q->resource->sync->options.account;
	int64_t page = a->provider->page_max
			       ? a->provider->page_max(a, kind, q->resource->options.type)
			       : 0;

	/* All at once, or nobody knows. */
	return page <= 0 || records <= page ? 1 : (records + page - 1) / page;
}

static int64_t reads(const struct question *q, int64_t records)
{
	const struct account *a = &q->resource->sync->options.account;
	const struct resource_type *type = q->resource->options.type;

	if (a->provider->reads)
		return records * a->provider->reads(a, type);
	return type->traits & TRAIT_POOR ? records : 0;
}

/* Pages of deletions that each changes run asks for. */
static int64_t deletions(const struct question *q)
{
	const struct account *a = &q->resource->sync->options.account;

	return a->provider->traits(a, q->resource->options.type) & TRAIT_DELETED ? 1 : 0;
}

/* Records that change in a span, at the pace of the last runs. */
static int64_t changes_in(const struct question *q, int64_t span_ms)
{
	int64_t over = q->past.newest_ms - q->past.oldest_ms;

	if (q->past.runs < 2 || over <= 0)
		return UNKNOWN;
	return (int64_t)((double)q->past.changed * (double)(span_ms > 0 ? span_ms : 0) / (double)over +
			 0.5);
}

static int64_t held_of(const struct question *q)
{
	return (int64_t)snapshot_count(q->view, q->resource->options.type->name);
}

/* As the provider said when everything was read last; UNKNOWN. */
static int64_t total_of(const struct question *q)
{
	char key[64], text[24];

	snprintf(key, sizeof key, "total.%s", q->resource->options.type->name);
	struct bytes mark = snapshot_mark(q->view, key);
	if (mark.len == 0 || mark.len >= sizeof text)
		return UNKNOWN;
	snprintf(text, sizeof text, "%.*s", (int)mark.len, (const char *)mark.data);
	return strtoll(text, NULL, 10);
}

static enum ask_kind changes_ask(const struct question *q)
{
	return q->resource->options.type->traits & TRAIT_EVENTS ? ASK_EVENTS : ASK_CHANGED;
}

static void estimate_changes(const struct question *q, bool follows, struct sync_estimate *out)
{
	const struct coverage *c = snapshot_coverage(q->view, q->resource->options.type->name);
	int64_t lookback = q->resource->options.type->lookback_ms,
		now = sync_provider_now(q->resource->sync);
	int64_t k = follows ? 0 : changes_in(q, now - c->chain_end_ms);
	int64_t again = follows ? 0 : changes_in(q, lookback);

	out->calls_least = 1 + deletions(q);
	out->span_start_ms = follows ? now : c->chain_end_ms - lookback;
	if (k == UNKNOWN) {
		out->basis = "too few changes runs so far to tell how much changes";
		return;
	}
	out->calls = pages(q, changes_ask(q), k + again) + reads(q, k) + deletions(q);
	out->basis = follows ? "what changes meanwhile" : "how much changed in the last runs";
}

/* Everything again: what is held is listed, and read where it changed. */
static void estimate_full(const struct question *q, enum ask_kind ask, struct sync_estimate *out)
{
	const struct coverage *c = snapshot_coverage(q->view, q->resource->options.type->name);
	int64_t held = held_of(q), total = total_of(q), k = 0;
	struct interval gap;
	bool whole = c->held.count > 0 && !resource_gap(q->resource, q->view, &gap);

	if (ask == ASK_CHANGED && q->past.runs >= 2)
		k = changes_in(q, sync_provider_now(q->resource->sync) - q->past.newest_ms);
	out->calls_least = pages(q, ask, held);
	out->calls = out->calls_least + reads(q, k);
	out->basis = "what is held";
	/* What an interrupted reading has not come to. */
	if (!whole && total > held) {
		out->calls = pages(q, ask, total) + reads(q, total - held);
		out->basis = "the provider's count when it was read last";
	}
}

static void estimate_snapshot(const struct question *q, struct sync_estimate *out)
{
	const struct resource_type *type = q->resource->options.type;
	const struct account *a = &q->resource->sync->options.account;

	if (held_of(q) > 0 || total_of(q) > 0) {
		estimate_full(q, ASK_LIST, out);
		return;
	}
	out->calls_least = 1;
	out->basis = "nothing was read yet";
	if (a->provider->page_max && a->provider->page_max(a, ASK_LIST, type) == 0) {
		out->calls = 1;
		out->basis = "the list comes in one answer";
	}
}

/* Records that were created in a span and are held. *all_out: of all of it; else so many were counted up to *until_out. */
static int count_held(const struct question *q, struct interval span, int64_t *until_out,
		      bool *all_out, int64_t *count_out)
{
	struct scan_spec spec = {.resource = q->resource->options.type->name,
				 .start_ms = span.start_ms,
				 .end_ms = span.end_ms};
	struct scan_row row;
	struct scan *scan;
	struct why why;
	int rc = scan_open(q->view, &spec, &scan, &why);

	*count_out = 0;
	if (rc)
		return rc;
	while (*count_out < ROWS_MAX && (rc = scan_next(scan, &row)) == 1) {
		++*count_out;
		*until_out = row.created_ms;
	}
	scan_close(scan);
	*all_out = rc == 0;
	return rc < 0 ? rc : 0;
}

/* How many records the rest of a walk has, if it is as dense as what was walked; what was read of the page at work lies below that. */
static int64_t rest_of(const struct question *q, int64_t start_ms)
{
	struct interval span = {.start_ms = resource_walked(q->resource, q->view),
				.end_ms = sync_provider_now(q->resource->sync)};
	int64_t walked = span.start_ms, until = TIME_NONE, counted;
	bool all;

	if (walked == TIME_NONE || span.end_ms - walked < DENSE_MS || held_of(q) < DENSE_RECORDS ||
	    count_held(q, span, &until, &all, &counted) || counted == 0)
		return UNKNOWN;
	double over = (double)((all ? span.end_ms : until + 1) - walked);
	return walked <= start_ms ? 0
				  : (int64_t)((double)counted * (double)(walked - start_ms) / over);
}

static void estimate_backfill(const struct question *q, bool full, struct sync_estimate *out)
{
	const struct coverage *c = snapshot_coverage(q->view, q->resource->options.type->name);
	int64_t held = held_of(q), total = total_of(q);
	struct interval gap;

	out->span_start_ms = resource_history_start(q->resource);
	if (full && c->held.count > 0) {
		estimate_full(q, ASK_CHANGED, out);
		return;
	}
	if (resource_gap(q->resource, q->view, &gap)) {
		out->span_start_ms = gap.start_ms;
		out->span_end_ms = c->chain_end_ms == TIME_NONE ? TIME_MAX : gap.end_ms;
	}
	out->calls_least = 1;
	out->basis = held ? "nobody knows how much the gap holds" : "nothing was read yet";
	if (total > held) {
		out->calls = pages(q, ASK_CHANGED, total - held) + reads(q, total - held);
		out->basis = "the provider's count when the reading began";
		return;
	}
	int64_t rest = total == UNKNOWN ? rest_of(q, out->span_start_ms) : UNKNOWN;
	if (rest != UNKNOWN) {
		out->calls = pages(q, ASK_CHANGED, rest) + reads(q, rest);
		out->basis = "the past is as busy as what was read of it";
	}
}

/* Windows of some hundred records: listed page by page, and read, but where a listing that agrees is enough. */
static int64_t verify_calls(const struct question *q, int64_t records)
{
	int64_t whole = records / VERIFY_WINDOW, rest = records % VERIFY_WINDOW;
	int64_t listed = whole * pages(q, ASK_CHANGED, VERIFY_WINDOW);

	if (rest || whole == 0)
		listed += pages(q, ASK_CHANGED, rest);
	return listed + (q->resource->options.verify_counts ? 0 : reads(q, records));
}

static void estimate_verify(const struct question *q, struct sync_estimate *out)
{
	struct interval span = q->span;
	int64_t counted, until = TIME_NONE;
	bool all;

	if (span.start_ms == TIME_MIN && !resource_verify_next(q->resource, q->view, &span)) {
		out->calls_least = out->calls = 0;
		out->basis = "nothing that is held is old enough to be verified";
		return;
	}
	out->span_start_ms = span.start_ms;
	out->span_end_ms = span.end_ms;
	if (count_held(q, span, &until, &all, &counted)) {
		out->basis = "what is held cannot be counted";
		return;
	}
	out->calls_least = out->calls = verify_calls(q, counted);
	out->basis = "what is held there";
	if (all)
		return;
	double share = (double)(until - span.start_ms + 1) / (double)(span.end_ms - span.start_ms);
	out->calls = verify_calls(q, (int64_t)((double)counted / share));
	out->basis = "what is held at its beginning, and as much in the rest";
}

/* Whichever takes longer: the calls at the budget's rate, or as fast as they were answered lately. */
static int64_t time_of(const struct question *q, int64_t calls)
{
	const struct budget *b = &q->resource->sync->line.budget;
	double window = b->limit > 0 ? (double)budget_calls(b) : 0, by_rate = 0, by_pace = 0;

	if (calls < 0 || (b->limit <= 0 && q->past.calls == 0))
		return UNKNOWN;
	/* What one window allows needs not wait for the next. */
	if (b->limit > 0 && window >= 1 && (double)calls > window)
		by_rate = (double)calls / window * (double)b->window_ms;
	if (q->past.calls)
		by_pace = (double)calls * (double)q->past.ms / (double)q->past.calls;
	return (int64_t)(by_rate > by_pace ? by_rate : by_pace);
}

static struct sync_estimate estimate(const struct question *q, enum run_kind kind, bool full,
				     bool follows)
{
	struct sync_estimate e = {
		.resource = q->resource->options.type->name,
		.kind = kind,
		.span_start_ms = TIME_MIN,
		.span_end_ms = TIME_MAX,
		.calls_least = 1,
		.calls = UNKNOWN,
		.basis = "",
	};

	if (kind == RUN_CHANGES)
		estimate_changes(q, follows, &e);
	else if (kind == RUN_SNAPSHOT)
		estimate_snapshot(q, &e);
	else if (kind == RUN_BACKFILL)
		estimate_backfill(q, full, &e);
	else if (kind == RUN_VERIFY)
		estimate_verify(q, &e);
	if (e.calls >= 0 && e.calls < e.calls_least)
		e.calls = e.calls_least;
	e.ms = time_of(q, e.calls);
	e.ms_least = time_of(q, e.calls_least);
	return e;
}

int sync_estimate(const struct sync *s, const struct resource_type *resource, enum sync_mode mode,
		  int64_t start_ms, int64_t end_ms, struct sync_estimate *out, size_t cap,
		  struct why *why)
{
	struct interval span = {.start_ms = start_ms, .end_ms = end_ms};
	const struct resource *only = resource ? resource_find(s, resource->name) : NULL;
	struct snapshot *view;
	size_t n = 0;

	int rc = wish_check(s, resource, mode, span, why);
	if (rc)
		return rc;
	view = snapshot_new(s->options.store);
	if (!view)
		return why_set(why, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < s->options.resource_count && n + 1 < cap; i++) {
		const struct resource *r = &s->resources[i];
		enum run_kind kind = RUN_KINDS;
		if (!only || r == only)
			kind = wish_kind(r, mode, span, view);
		if (kind == RUN_KINDS)
			continue;
		struct question q = {r, view, past_of(r), wish_span(r, span)};
		out[n++] = estimate(&q, kind, mode == SYNC_FULL, false);
		/* A walk's claims become coverage with the changes run after it. */
		if (kind != RUN_CHANGES && kind != RUN_VERIFY &&
		    (r->options.type->traits & TRAIT_CHANGED))
			out[n++] = estimate(&q, RUN_CHANGES, false, true);
	}
	snapshot_free(view);
	return (int)n;
}
