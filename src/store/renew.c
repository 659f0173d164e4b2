/*
 * renew: see the header.
 *
 *   SAMPLE (records of the newest file: of four one to weigh, the others to train with) -> TRAIN ->
 *     PRIME (a packer for each dictionary) -> WEIGH -> over
 *
 * A trial holds no file: what it needs is looked for again with each step, and when that is gone the
 * trial is given up. What comes of it is not written here.
 */
#include "choice.h"
#include "renew.h"

#include <stdlib.h>

/* As many as a transaction trains with, and every fourth is weighed. */
#define SAMPLES_MAX GATHER_MORE
#define TRAIN_BYTES GATHER_BYTES_MAX
#define WEIGH_EACH  4u
#define RECORD_MAX  (16u << 10) /* of one; larger ones say little */
#define STEP_BYTES  (6u << 10)
/* Fewer say nothing. */
#define SAMPLES_MIN 8u
/* After so many trials in vain they do not become rarer. */
#define VAIN_MAX 4u

enum stage { STAGE_SAMPLE, STAGE_TRAIN, STAGE_PRIME, STAGE_WEIGH };

struct sample {
	struct buf bytes;
	size_t ends[SAMPLES_MAX];
	size_t count;
};

struct renewal {
	char resource[SEGMENT_NAME_SIZE];
	uint64_t segment; /* its number */
	uint64_t dictionary;
	bool insists; /* whatever comes of the training is taken */
	enum stage stage;
	uint32_t at; /* the next row, or the next record to weigh */
	unsigned taken;
	struct sample train, weigh;
	struct dictionary_trainer *trainer;
	struct buf candidate, packed;
	struct packer *now, *then;
	size_t now_bytes, then_bytes;
};

/* ---- when ---- */

static struct store_trial *trial_of(struct store *s, const char *resource)
{
	for (size_t i = 0; i < STORE_RESOURCES_MAX; i++) {
		struct store_trial *t = &s->trials[i];
		if (strcmp(t->resource, resource) == 0)
			return t;
		if (t->resource[0])
			continue;
		strcpy(t->resource, resource);
		t->revision = s->state->revision;
		return t;
	}
	return NULL;
}

/* The file whose records came last. */
static const struct state_segment *newest(const struct state_resource *r)
{
	const struct state_segment *found = NULL;
	int64_t revision = -1;

	for (size_t i = 0; i < r->count; i++) {
		const struct state_segment *e = &r->segments[i];
		if (segment_in_memory(e->segment) || e->segment->damaged ||
		    segment_live(e) < SAMPLES_MIN * WEIGH_EACH * 2 ||
		    e->segment->meta.ranges[RANGE_REVISION].min <= revision)
			continue;
		found = e;
		revision = e->segment->meta.ranges[RANGE_REVISION].min;
	}
	return found;
}

/* Changes from one trial to the next, while they come to something. */
static uint64_t trial_changes(const struct store *s)
{
	return s->merged_rows / 4;
}

/* What did not pay will hardly pay next time: each trial in vain doubles the time to the next one. In a
 * rush one is enough for long: each costs as much as a thousand records, and what is packed with another
 * dictionary is packed anew when it is merged. */
static uint64_t trial_rests(const struct store *s, const struct store_trial *t)
{
	if (s->rush && t->tried)
		return trial_changes(s) << VAIN_MAX;
	return trial_changes(s) << (t->vain < VAIN_MAX ? t->vain : VAIN_MAX);
}

/* Changes before there may be another dictionary: when one has to go for it, as many as records are packed anew for that, so that a store whose
 * records drift (their ids and times grow) is not written again and again. */
static uint64_t room_rests(const struct state_resource *r)
{
	uint64_t rows;

	if (r->dictionaries_count + 1 < RESOURCE_DICTIONARIES_MAX)
		return 0;
	choice_spare_dictionary(r, &rows);
	return rows;
}

static const struct state_segment *due(struct store *s, const struct state_resource *r)
{
	struct store_trial *t = trial_of(s, r->name);

	if (r->dictionary == 0 || r->dictionaries_count >= RESOURCE_DICTIONARIES_MAX || !t ||
	    s->state->revision - t->revision < trial_rests(s, t) ||
	    s->state->revision - t->revision < room_rests(r))
		return NULL;
	const struct state_segment *e = newest(r);
	return e && e->segment->meta.ranges[RANGE_REVISION].max > (int64_t)t->revision ? e : NULL;
}

static bool begin(struct store *s, const struct state_resource *r, const struct state_segment *e,
		  bool insists)
{
	s->renewal = calloc(1, sizeof *s->renewal);
	if (!s->renewal)
		return false;
	strcpy(s->renewal->resource, r->name);
	s->renewal->segment = e->segment->meta.number;
	s->renewal->dictionary = r->dictionary;
	s->renewal->insists = insists;
	return true;
}

bool renew_begin(struct store *s)
{
	for (size_t i = 0; i < s->state->resources_count; i++) {
		const struct state_resource *r = s->state->resources[i];
		const struct state_segment *e = due(s, r);
		if (!e)
			continue;
		if (!begin(s, r, e, false))
			return false;
		trial_of(s, r->name)->revision = s->state->revision;
		trial_of(s, r->name)->tried = true;
		return true;
	}
	return false;
}

bool renew_insist(struct store *s, const char *resource)
{
	const struct state_resource *r = state_find(s->state, resource);
	const struct state_segment *e = r ? newest(r) : NULL;

	return e && begin(s, r, e, true);
}

bool renewal_insists(const struct renewal *n, const char *resource)
{
	return n->insists && strcmp(n->resource, resource) == 0;
}

/* ---- the stages: 1 to go on, 0 when it came to nothing ---- */

static const struct state_segment *segment_of(const struct store *s, const struct renewal *n)
{
	const struct state_resource *r = state_find(s->state, n->resource);

	for (size_t i = 0; r && r->dictionary == n->dictionary && i < r->count; i++)
		if (r->segments[i].segment->meta.number == n->segment &&
		    !r->segments[i].segment->damaged)
			return &r->segments[i];
	return NULL;
}

static struct bytes sample_at(const struct sample *l, size_t i)
{
	size_t start = i ? l->ends[i - 1] : 0;

	return bytes_of(l->bytes.data + start, l->ends[i] - start);
}

static struct sample *next_sample(struct renewal *n)
{
	return n->taken % WEIGH_EACH == 0 ? &n->weigh : &n->train;
}

static bool samples_full(const struct renewal *n)
{
	return n->train.count == SAMPLES_MAX || n->train.bytes.len >= TRAIN_BYTES ||
	       n->weigh.count == SAMPLES_MAX || n->weigh.bytes.len >= TRAIN_BYTES;
}

/* Adds the record of a row that has a document; what cannot be read is noted and left out. */
static void sample_row(struct store *s, struct segment *g, uint32_t ordinal, struct sample *l)
{
	struct unpacker *u;
	struct row row;
	uint32_t hint = 0;

	struct buf raw = {0};

	if (segment_row(g, s->pages, ordinal, &hint, &row) || row.raw_bytes > RECORD_MAX ||
	    row.flags & RECORD_DELETED || segment_frame(g, s->pages, &row, &s->frame) ||
	    dictionary_unpacker(s->dictionaries, g->resource, g->meta.dictionary, &u) ||
	    segment_note(g, unpacker_unpack(u, frame_packed(buf_bytes(&s->frame)), row.raw_bytes,
					    &raw)) ||
	    (exclude_unclean(s, g->resource, g->meta.number) &&
	     exclude_record(s, g->resource, &raw, &row))) {
		buf_release(&raw);
		return;
	}
	buf_put_bytes(&l->bytes, buf_bytes(&raw));
	buf_release(&raw);
	if (!l->bytes.error)
		l->ends[l->count++] = l->bytes.len;
}

static int stage_sample(struct store *s, struct renewal *n)
{
	const struct state_segment *e = segment_of(s, n);

	if (!e)
		return 0;
	uint32_t records = e->segment->meta.records, stride = records / (SAMPLES_MAX * 4 / 3) + 1;
	size_t before = n->train.bytes.len + n->weigh.bytes.len;
	for (; n->at < records && !samples_full(n); n->at += stride) {
		if (n->train.bytes.len + n->weigh.bytes.len - before >= STEP_BYTES)
			return 1;
		if (!dead_has(e->dead, n->at))
			sample_row(s, e->segment, n->at, next_sample(n));
		n->taken++;
	}
	n->stage = STAGE_TRAIN;
	return n->train.count >= SAMPLES_MIN && n->weigh.count >= SAMPLES_MIN;
}

static int begin_training(struct renewal *n)
{
	struct bytes samples[SAMPLES_MAX];

	for (size_t i = 0; i < n->train.count; i++)
		samples[i] = sample_at(&n->train, i);
	n->trainer = dictionary_trainer_new(samples, n->train.count);
	buf_release(&n->train.bytes); /* it has its own copy */
	return n->trainer != NULL;
}

static int stage_train(struct store *s, struct renewal *n)
{
	(void)s;
	if (!n->trainer)
		return begin_training(n);
	int rc = dictionary_trainer_step(n->trainer, &n->candidate);
	if (rc)
		return rc == 1;
	dictionary_trainer_free(n->trainer);
	n->trainer = NULL;
	n->stage = STAGE_PRIME;
	return n->candidate.len != 0 && !n->insists;
}

static int stage_prime(struct store *s, struct renewal *n)
{
	if (!n->now)
		return dictionary_packer_new(s->dictionaries, n->resource, n->dictionary,
					     PACK_LEVEL, &n->now) == 0;
	n->then = packer_new(buf_bytes(&n->candidate), PACK_LEVEL);
	n->stage = STAGE_WEIGH;
	n->at = 0;
	return n->then != NULL;
}

static int weigh_one(struct packer *p, struct bytes raw, struct buf *packed, size_t *bytes)
{
	buf_reset(packed);
	int rc = packer_pack(p, raw, packed);
	*bytes += packed->len;
	return rc;
}

static int stage_weigh(struct store *s, struct renewal *n)
{
	size_t done = 0;

	(void)s;
	for (; n->at < n->weigh.count && done < STEP_BYTES; n->at++) {
		struct bytes raw = sample_at(&n->weigh, n->at);
		if (weigh_one(n->now, raw, &n->packed, &n->now_bytes) ||
		    weigh_one(n->then, raw, &n->packed, &n->then_bytes))
			return 0;
		done += raw.len;
	}
	return n->at < n->weigh.count;
}

/* A tenth is worth a file more, and that what is merged is packed anew, if until the next trial the
 * dictionary saves more than it takes. */
static bool is_better(const struct store *s, const struct renewal *n)
{
	if (n->insists)
		return n->stage == STAGE_PRIME && n->candidate.len != 0;
	if (n->stage != STAGE_WEIGH || n->at < n->weigh.count ||
	    n->then_bytes >= n->now_bytes / 10 * 9)
		return false;
	uint64_t saved = (n->now_bytes - n->then_bytes) * trial_changes(s) / n->weigh.count;
	return saved > n->candidate.len;
}

int renew_step(struct store *s, bool *better)
{
	static int (*const stages[])(struct store * s, struct renewal * n) = {
		[STAGE_SAMPLE] = stage_sample,
		[STAGE_TRAIN] = stage_train,
		[STAGE_PRIME] = stage_prime,
		[STAGE_WEIGH] = stage_weigh,
	};

	*better = false;
	if (stages[s->renewal->stage](s, s->renewal))
		return 1;
	*better = is_better(s, s->renewal);
	struct store_trial *t = trial_of(s, s->renewal->resource);
	if (t)
		t->vain = *better ? 0 : t->vain + 1;
	if (!*better) {
		renewal_free(s->renewal);
		s->renewal = NULL;
	}
	return 0;
}

const char *renewal_resource(const struct renewal *n)
{
	return n->resource;
}

struct bytes renewal_dictionary(const struct renewal *n)
{
	return buf_bytes(&n->candidate);
}

void renewal_free(struct renewal *n)
{
	if (!n)
		return;
	buf_release(&n->train.bytes);
	buf_release(&n->weigh.bytes);
	dictionary_trainer_free(n->trainer);
	buf_release(&n->candidate);
	buf_release(&n->packed);
	packer_free(n->now);
	packer_free(n->then);
	free(n);
}
