/*
 * freshness: the verdict over an answer, and its joining and writing. Pure: no clock, no state. Must never call fresh what has a hole
 * in it. The sentence for people is made in sentence.c.
 */
#include <model/freshness.h>

#include <codec/msgpack.h>

#include "sentence.h"

static const char *const state_names[] = {"fresh", "partial", "stale"};

const char *freshness_state_name(enum freshness_state state)
{
	return state_names[state];
}

int freshness_state_parse(struct bytes text, enum freshness_state *out)
{
	for (unsigned i = 0; i < sizeof state_names / sizeof *state_names; i++)
		if (bytes_is(text, state_names[i])) {
			*out = (enum freshness_state)i;
			return 0;
		}
	return ERR_SYNTAX;
}

void freshness_release(struct freshness *f)
{
	intervals_release(&f->covered);
	intervals_release(&f->gaps);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* a - b for b >= 0, never below TIME_MIN. */
static int64_t minus(int64_t a, int64_t b)
{
	int64_t difference;

	if (__builtin_sub_overflow(a, b, &difference) || difference < TIME_MIN)
		return TIME_MIN;
	return difference;
}

/* What a judgement looks at, gathered once. */
struct scene {
	const struct freshness_question *q;
	const struct freshness_evidence *e;
	struct intervals known; /* on the question's axis */
	int64_t known_end_ms;   /* of them; TIME_NONE: nothing */
	int64_t held_end_ms;    /* of the coverage, whatever the axis; TIME_NONE: nothing */
	int64_t tolerance_ms;
};

static int scene_set(struct scene *s, const struct freshness_question *q,
		     const struct freshness_evidence *e)
{
	*s = (struct scene){.q = q, .e = e, .known_end_ms = TIME_NONE};
	int rc = coverage_known(e->coverage, q->axis, &s->known);
	if (rc)
		return rc;
	if (s->known.count)
		s->known_end_ms = s->known.items[s->known.count - 1].end_ms;
	s->held_end_ms = coverage_end(e->coverage);
	s->tolerance_ms = q->tolerance_ms > 0 ? q->tolerance_ms : 0;
	return 0;
}

static void defaults_set(const struct scene *s, struct freshness *f)
{
	const struct freshness_question *q = s->q;

	*f = (struct freshness){
		.as_of_ms = TIME_NONE,
		.age_ms = -1,
		.last_sync_ms = s->e->last_sync_ms,
		.requested_start_ms = q->start_ms == TIME_MIN ? q->history_ms : q->start_ms,
		.requested_end_ms = q->end_ms == TIME_MAX ? later(q->now_ms, q->start_ms) : q->end_ms,
		.syncing = s->e->syncing,
		.progress = s->e->progress,
		.now_ms = q->now_ms,
		.tail_ms = TIME_NONE,
		.history_ms = q->history_ms,
		.noun = q->noun ? q->noun : "conversations",
	};
}

/* Spans and holes of the request, and the oldest state among the spans. */
static int spans_set(const struct scene *s, struct freshness *f, int64_t limit_ms)
{
	struct intervals parts = {0};
	int rc = intervals_clip(&s->known, f->requested_start_ms, f->requested_end_ms, &parts);

	for (size_t i = 0; rc == 0 && i < parts.count; i++) {
		struct interval part = parts.items[i];
		if (i == 0 || part.as_of_ms < f->as_of_ms)
			f->as_of_ms = part.as_of_ms;
		part.as_of_ms = TIME_NONE;
		rc = intervals_add(&f->covered, part);
	}
	intervals_release(&parts);
	return rc ? rc : intervals_gaps(&s->known, f->requested_start_ms, limit_ms, &f->gaps);
}

/* A hole at the end with nothing held behind it is a tail: within the tolerance it is no hole at all. */
static void tail_set(const struct scene *s, struct freshness *f, int64_t limit_ms)
{
	if (f->gaps.count == 0)
		return;
	struct interval last = f->gaps.items[f->gaps.count - 1];
	if (last.end_ms != limit_ms || s->held_end_ms > last.start_ms)
		return;
	if (s->known_end_ms != TIME_NONE && s->known_end_ms >= minus(limit_ms, s->tolerance_ms))
		f->gaps.count--;
	else
		f->tail_ms = last.start_ms;
}

static const char *stale_reason(const struct scene *s, const struct freshness *f, bool asks_nothing)
{
	if (f->not_begun)
		return "gap";
	if (s->held_end_ms == TIME_NONE)
		return s->e->last_sync_ms == TIME_NONE ? "never-synced" : "gap";
	if (s->held_end_ms <= f->requested_start_ms)
		return asks_nothing ? "expired" : "older";
	return "gap";
}

#define CLOCKS_MS 30000 /* that an asker's clock may be ahead of the provider's */

/* What is known reaches up to now, but what is asked for has not happened yet: there is nothing that could be held. */
static bool begins_later(const struct scene *s, bool reached)
{
	return reached && s->q->start_ms != TIME_MIN &&
	       minus(s->q->start_ms, CLOCKS_MS) > s->q->now_ms;
}

static void state_set(const struct scene *s, struct freshness *f, bool asks_nothing)
{
	int64_t start_ms = earlier(f->requested_start_ms, s->q->now_ms);
	bool reached = s->known_end_ms != TIME_NONE &&
		       s->known_end_ms >= minus(start_ms, s->tolerance_ms);

	f->not_begun = begins_later(s, reached);
	if (asks_nothing ? reached && !f->not_begun : f->gaps.count == 0) {
		f->state = FRESHNESS_FRESH;
	} else if (f->covered.count == 0) {
		f->state = FRESHNESS_STALE;
		f->reason = stale_reason(s, f, asks_nothing);
	} else {
		f->state = FRESHNESS_PARTIAL;
		f->reason = f->gaps.count == 1 && f->tail_ms != TIME_NONE ? "expired" : "gap";
	}
}

static void age_set(const struct scene *s, struct freshness *f)
{
	if (f->state == FRESHNESS_FRESH && f->covered.count == 0)
		f->as_of_ms = s->known.items[s->known.count - 1].as_of_ms;
	if (f->as_of_ms == TIME_NONE)
		return;
	f->age_ms = later(minus(f->now_ms, f->as_of_ms), 0);
	if (f->state == FRESHNESS_FRESH && s->q->max_age_ms >= 0 && f->age_ms > s->q->max_age_ms) {
		f->state = FRESHNESS_PARTIAL;
		f->reason = "expired";
	}
}

/* A source that cannot sync explains everything but what nobody means to fetch: what is older than the wanted history. */
static bool trouble_explains(const struct scene *s, const struct freshness *f)
{
	if (!s->e->trouble || f->state == FRESHNESS_FRESH || f->not_begun)
		return false;
	return f->gaps.count == 0 || f->gaps.items[f->gaps.count - 1].end_ms > s->q->history_ms;
}

static int judge(const struct scene *s, struct freshness *f)
{
	int64_t limit_ms = earlier(f->requested_end_ms, f->now_ms);
	bool asks_nothing = f->requested_start_ms >= limit_ms;
	int rc = spans_set(s, f, limit_ms);

	if (rc)
		return rc;
	tail_set(s, f, limit_ms);
	state_set(s, f, asks_nothing);
	age_set(s, f);
	if (trouble_explains(s, f)) {
		f->reason = s->e->trouble;
		f->trouble = f->syncing ? NULL : f->reason;
		f->unreached = s->e->unreached;
	}
	f->complete = f->state == FRESHNESS_FRESH && !s->e->dead && !s->e->truncated &&
		      !s->e->quarantined;
	sentence_write(f);
	return 0;
}

int freshness_judge(const struct freshness_question *q, const struct freshness_evidence *e,
		    struct freshness *out)
{
	struct scene s;
	int rc = scene_set(&s, q, e);

	defaults_set(&s, out);
	if (rc == 0)
		rc = judge(&s, out);
	if (rc)
		freshness_release(out);
	intervals_release(&s.known);
	return rc;
}

/* --- join ------------------------------------------------------------------------------------------------------- */

/* What a verdict does not know of what all were asked, the future and a tolerated tail included; before its own history it was not asked. */
static int add_unknown(const struct freshness *f, int64_t end_ms, struct intervals *unknown)
{
	struct intervals parts = {0};
	int rc = intervals_gaps(&f->covered, f->requested_start_ms, end_ms, &parts);

	for (size_t i = 0; rc == 0 && i < parts.count; i++)
		rc = intervals_add(unknown, parts.items[i]);
	intervals_release(&parts);
	return rc;
}

static int join_spans(const struct freshness *a, const struct freshness *b, struct freshness *joined)
{
	struct intervals unknown = {0};
	int rc = add_unknown(a, joined->requested_end_ms, &unknown);

	if (rc == 0)
		rc = add_unknown(b, joined->requested_end_ms, &unknown);
	if (rc == 0)
		rc = intervals_gaps(&unknown, joined->requested_start_ms, joined->requested_end_ms,
				    &joined->covered);
	intervals_release(&unknown);
	if (rc == 0)
		rc = intervals_copy(&a->gaps, &joined->gaps);
	for (size_t i = 0; rc == 0 && i < b->gaps.count; i++)
		rc = intervals_add(&joined->gaps, b->gaps.items[i]);
	return rc;
}

static void join_sync(struct freshness *into, const struct freshness *other)
{
	if (!into->syncing || (other->syncing && other->progress < into->progress))
		into->progress = other->progress;
	into->syncing = into->syncing || other->syncing;
	into->last_sync_ms = earlier(into->last_sync_ms, other->last_sync_ms); /* TIME_NONE is the least */
}

static void join_state(struct freshness *into, const struct freshness *other)
{
	if (other->state > into->state) {
		into->reason = other->reason;
		into->trouble = other->trouble;
		into->unreached = other->unreached;
	} else if (other->state == into->state && !into->trouble && other->trouble) {
		/* Of two equally bad ones, the one that will not heal by itself is to be named. */
		into->reason = other->reason;
		into->trouble = other->trouble;
		into->unreached = other->unreached;
	}
	into->state = other->state > into->state ? other->state : into->state;
	into->not_begun = into->not_begun && other->not_begun;
	into->complete = into->complete && other->complete;
	into->as_of_ms = earlier(into->as_of_ms, other->as_of_ms);
	into->age_ms = into->as_of_ms == TIME_NONE ? -1 : later(into->age_ms, other->age_ms);
	if (into->tail_ms == TIME_NONE ||
	    (other->tail_ms != TIME_NONE && other->tail_ms < into->tail_ms))
		into->tail_ms = other->tail_ms;
}

int freshness_join(struct freshness *into, const struct freshness *other)
{
	struct freshness joined = *into;

	joined.covered = joined.gaps = (struct intervals){0};
	joined.requested_start_ms = earlier(into->requested_start_ms, other->requested_start_ms);
	joined.requested_end_ms = later(into->requested_end_ms, other->requested_end_ms);
	joined.history_ms = earlier(into->history_ms, other->history_ms);
	int rc = join_spans(into, other, &joined);
	if (rc) {
		freshness_release(&joined);
		return rc;
	}
	join_sync(&joined, other);
	join_state(&joined, other);
	sentence_write(&joined);
	freshness_release(into);
	*into = joined;
	return 0;
}

/* --- write ------------------------------------------------------------------------------------------------------ */

static void put_time(struct buf *out, int64_t ms)
{
	char text[TIME_TEXT_MAX];

	if (ms == TIME_NONE || ms == TIME_MIN || ms == TIME_MAX)
		mp_put_nil(out);
	else
		mp_put_cstr(out, time_text(ms, false, text));
}

static void put_span(struct buf *out, int64_t start_ms, int64_t end_ms)
{
	mp_put_array(out, 2);
	put_time(out, start_ms);
	put_time(out, end_ms);
}

static void put_spans(struct buf *out, const struct intervals *s)
{
	mp_put_array(out, (uint32_t)s->count);
	for (size_t i = 0; i < s->count; i++)
		put_span(out, s->items[i].start_ms, s->items[i].end_ms);
}

#define WRITTEN_PAIRS 13

void freshness_write(const struct freshness *f, const char *source, unsigned extra_pairs,
		     struct buf *out)
{
	mp_put_map(out, WRITTEN_PAIRS + extra_pairs);
	mp_put_name(out, "state");
	mp_put_cstr(out, freshness_state_name(f->state));
	mp_put_name(out, "complete");
	mp_put_bool(out, f->complete);
	mp_put_name(out, "as_of");
	put_time(out, f->as_of_ms);
	mp_put_name(out, "age_s");
	if (f->age_ms < 0)
		mp_put_nil(out);
	else
		mp_put_int(out, f->age_ms / 1000);
	mp_put_name(out, "last_sync");
	put_time(out, f->last_sync_ms);
	mp_put_name(out, "requested");
	put_span(out, f->requested_start_ms, f->requested_end_ms);
	mp_put_name(out, "covered");
	put_spans(out, &f->covered);
	mp_put_name(out, "gaps");
	put_spans(out, &f->gaps);
	mp_put_name(out, "syncing");
	mp_put_bool(out, f->syncing);
	mp_put_name(out, "progress");
	if (f->syncing && f->progress >= 0)
		mp_put_float(out, f->progress);
	else
		mp_put_nil(out);
	mp_put_name(out, "source");
	mp_put_cstr(out, source);
	mp_put_name(out, "reason");
	mp_put_cstr(out, f->reason);
	mp_put_name(out, "message");
	mp_put_cstr(out, f->message[0] ? f->message : NULL);
}
