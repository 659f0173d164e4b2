/*
 * freshness: what an answer is worth. A pure function of a question's span, the coverage, and the time.
 *
 *   stale    nothing of the span is known: never synced, the last knowledge is older than the span, or no part of it was ever read
 *   fresh    no gap in the span, known up to min(end, now) - tolerance, and no older than max_age when that is asked
 *   partial  everything between; the gaps are listed
 *
 * A missing tail no longer than the tolerance is no gap. A tail is what is missing at the end of the span when nothing later is held: a hole that
 * happens to end with the span is a gap, however short. A span that asks nothing yet, because it lies
 * within the tolerance of now, and an empty one, is fresh when the cache is known up to its start - tolerance, else stale. A span that begins
 * in the future (by more than clocks differ) is never fresh: what has not happened yet is not held. One that began is judged up to now.
 * `complete` is stricter than fresh: no dead letter, no truncated thread and no quarantined block touches the span.
 */
#ifndef FIC_MODEL_FRESHNESS_H
#define FIC_MODEL_FRESHNESS_H

#include <model/coverage.h>

enum freshness_state {
	FRESHNESS_FRESH,
	FRESHNESS_PARTIAL,
	FRESHNESS_STALE
}; /* from best to worst */

#define FRESHNESS_TOLERANCE_MS (5 * 60 * 1000)

struct freshness_question {
	int64_t start_ms; /* TIME_MIN: from the start of the wanted history */
	int64_t end_ms;   /* TIME_MAX: now */
	enum axis axis;
	int64_t now_ms;
	int64_t history_ms; /* start of the wanted history; TIME_MIN: all there is */
	int64_t tolerance_ms;
	int64_t max_age_ms; /* negative: any age */
	const char *noun;   /* for the sentence, in the plural, static; NULL: "conversations" */
};

struct freshness_evidence {
	const struct coverage *coverage;
	int64_t last_sync_ms; /* end of the last successful run that concerns this resource; TIME_NONE: never */
	bool syncing;
	double progress;      /* 0..1 of the sync under way; negative: unknown */
	unsigned dead;        /* dead letters that touch the span */
	unsigned truncated;   /* truncated threads that touch the span */
	unsigned quarantined; /* damaged blocks that touch the span */
	const char *trouble; /* what keeps the source from syncing: "source-error", "rate-limited", "auth", "paused", "clock"; NULL: nothing.
			       * Static; it is borrowed by the verdict. */
	bool unreached;      /* of "source-error": no connection to the provider could be made */
};

struct freshness {
	enum freshness_state state;
	bool complete;
	int64_t as_of_ms; /* the oldest state shown in the known part of the span (of a fresh span that asks nothing yet: the newest state known);
			   * TIME_NONE: nothing known */
	int64_t age_ms;   /* now - as_of, at least 0; -1: nothing known */
	int64_t last_sync_ms;
	int64_t requested_start_ms; /* as judged: after defaults; the end may lie in the future */
	int64_t requested_end_ms;
	struct intervals covered; /* within the requested span, merged whatever their as_of (TIME_NONE here) */
	struct intervals gaps; /* likewise, up to now; a tail within the tolerance is not listed */
	bool not_begun; /* the span begins in the future, and all that a sync could bring up to now is known */
	bool syncing;
	double progress;
	const char *reason; /* NULL when fresh; else "never-synced", "gap", "expired" (max_age, or the tail is too old), "older" (all knowledge
			     * is older than the span), or the evidence's trouble, which explains whatever the wanted history lacks */
	char message[320];  /* the sentence for people; "" when fresh */

	/* What the sentence of a join is made from. */
	int64_t now_ms;
	int64_t tail_ms; /* where the missing tail begins; TIME_NONE: none is missing */
	int64_t history_ms;
	const char *noun;
	bool unreached;      /* of the evidence */
	const char *trouble; /* of the evidence, while nothing syncs and it explains what is missing */
};

/* Fills `out` (any old content is overwritten, not released). 0 or ERR_NOMEM/ERR_LIMIT, then `out` is empty. Release with freshness_release. */
int freshness_judge(const struct freshness_question *q, const struct freshness_evidence *e,
		    struct freshness *out);
void freshness_release(struct freshness *f);

/* Joins the verdicts of several sources into the worst: state the worst, complete only if all are, as_of the oldest, covered the
 * intersection (where one source was not asked, because its history is shorter, it takes nothing away), gaps the union, last_sync the
 * oldest (none if one has none), syncing if any, progress of the one that is least far. `into` starts as a judged verdict of the
 * first; after ERR_NOMEM or ERR_LIMIT it is unchanged. */
int freshness_join(struct freshness *into, const struct freshness *other);

const char *freshness_state_name(enum freshness_state state); /* "fresh", "partial", "stale" */
int freshness_state_parse(struct bytes text, enum freshness_state *out); /* 0 or ERR_SYNTAX */

/* The contract's object: {state, complete, as_of, age_s, last_sync, requested, covered, gaps, syncing, progress, source, reason, message}; times RFC
 * 3339 UTC or nil, open bounds nil, progress nil when unknown or nothing syncs, reason and message nil when fresh. `source` is "cache", "live" or
 * "mixed". `extra_pairs` more pairs will be appended by the caller. */
void freshness_write(const struct freshness *f, const char *source, unsigned extra_pairs,
		     struct buf *out);

#endif
