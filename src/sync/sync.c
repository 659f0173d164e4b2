/*
 * sync: what is due, who has the turn, and what clients wish. The public face of the layer. Never asks the provider anything itself.
 *
 * One run at a time has the turn (and the store's transaction). When it gives it back, the due run that goes first gets it: what a client waits for,
 * then by the resource's priority, changes before lists before backfill.
 */
#include "sync_state.h"

#include <base/log.h>

#include <stdio.h>
#include <stdlib.h>

#define PAUSE_AUTH_MS (15 * 60 * 1000)
#define PROGRESS_MS   100
#define RETRY_MIN_MS  10

static const char refused_words[] =
	"the access token is refused: put a valid one into the token file and restart ficd (or, if it was mended at the provider, run 'ficq sync')";

static void sync_pump(struct sync *s);

static void on_timer(void *ctx)
{
	struct sync *s = ctx;

	s->quiet = false;
	sync_pump(s);
}

static void on_reap(void *ctx)
{
	struct sync *s = ctx;

	while (s->ended) {
		struct run *run = s->ended;
		s->ended = run->next_ended;
		run_free(run);
	}
	if (s->stopping && !s->turn && !s->identifying && !s->repairing && s->stopped) {
		void (*stopped)(void *) = s->stopped;
		s->stopped = NULL;
		stopped(s->stopped_ctx);
	}
}

static const struct resource_type *child_of(const struct provider *p, const struct resource_type *type)
{
	return type->child ? provider_type(p, bytes_str(type->child)) : NULL;
}

static void resource_init(struct sync *s, struct resource *r,
			  const struct sync_resource_options *options)
{
	int64_t wall = loop_wall_ms(s->options.loop);

	*r = (struct resource){
		.sync = s,
		.options = *options,
		.child = child_of(s->options.account.provider, options->type),
		.last_sync_ms = TIME_NONE,
		.full_wall_ms = schedule_next(&options->full, wall),
	};
}

/* What earlier runs of the daemon left: pending claims, the time of the last success. */
static void resources_load(struct sync *s)
{
	struct snapshot *view = snapshot_new(s->options.store);

	if (!view)
		return;
	for (size_t i = 0; i < s->options.resource_count; i++) {
		struct resource *r = &s->resources[i];
		char key[64];
		snprintf(key, sizeof key, "synced.%s", r->options.type->name);
		struct bytes mark = snapshot_mark(view, key);
		int64_t ms;
		if (mark.len && time_parse(mark, &ms) == 0)
			r->last_sync_ms = ms;
		resource_pending_load(r, view);
		resource_dead_load(r, view);
	}
	snapshot_free(view);
}

static void sync_source_fault(struct sync *s, enum fault fault, const char *words);
static void sync_source_well(struct sync *s);
static void sync_store_well(struct sync *s);
static void sync_progress(struct run *run);
static void sync_turn_over(struct run *run);
static void sync_run_ended(struct run *run);

static const struct sync_tell tell = {
	.fault = sync_source_fault,
	.answered = sync_source_well,
	.stored = sync_store_well,
	.pump = sync_pump,
	.progress = sync_progress,
	.turn_over = sync_turn_over,
	.ended = sync_run_ended,
	.others_wait = plan_others_wait,
};

struct sync *sync_new(const struct sync_options *options)
{
	struct sync *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->options = *options;
	s->tell = &tell;
	if (s->options.retry_ms < RETRY_MIN_MS)
		s->options.retry_ms = RETRY_MIN_MS;
	if (s->options.concurrency == 0)
		s->options.concurrency = 1;
	s->resources = calloc(options->resource_count + 1, sizeof *s->resources);
	s->line = (struct line){
		.loop = options->loop,
		.http = options->http,
		.account = &s->options.account,
		.token = options->token,
		.concurrency = s->options.concurrency,
		.retry_ms = s->options.retry_ms,
	};
	budget_init(&s->line.budget, options->budget);
	s->timer = timer_new(options->loop, on_timer, s);
	s->reaper = timer_new(options->loop, on_reap, s);
	if (!s->resources || line_open(&s->line) || !s->timer || !s->reaper) {
		sync_free(s);
		return NULL;
	}
	for (size_t i = 0; i < options->resource_count; i++)
		resource_init(s, &s->resources[i], &options->resources[i]);
	s->options.resources = NULL;
	/* Ids grow over restarts: they begin with the time. */
	s->last_run_id = (uint64_t)loop_wall_ms(options->loop);
	resources_load(s);
	return s;
}

void sync_start(struct sync *s)
{
	s->started = true;
	sync_pump(s);
}

/* ---- faults of the source ---- */

/* Who waits for a run that cannot begin is told why, and may ask again. */
static void refuse_waiting(struct sync *s)
{
	for (size_t i = 0; i < s->options.resource_count; i++)
		for (int k = 0; k < RUN_KINDS; k++) {
			struct run *run = s->resources[i].runs[k];
			if (run && run->preferred && !run->begun)
				run_fail(run, "%s", s->error);
		}
}

static void sync_source_fault(struct sync *s, enum fault fault, const char *words)
{
	bool doubted = fault == FAULT_AUTH && s->identified;

	s->fault = fault;
	snprintf(s->error, sizeof s->error, "%s",
		 fault == FAULT_AUTH && !strstr(words, "workspace") ? refused_words : words);
	log_error("sync", "%s source=%s class=%s", s->error, s->options.name, fault_name(fault));
	timer_start(s->timer, 0, 0);
	/* Refused for one resource, or altogether? Asking who the token belongs to tells: in the first case the others go on. */
	if (doubted) {
		s->identified = false;
		return;
	}
	int64_t pause = fault == FAULT_AUTH ? PAUSE_AUTH_MS
					    : schedule_retry_ms(++s->failures, s->options.retry_ms);
	if (fault == FAULT_AUTH || fault == FAULT_NOW || fault == FAULT_NONE || !s->identified) {
		s->paused_until_ms = loop_mono_ms(s->options.loop) + pause;
		refuse_waiting(s);
	}
}

static void sync_source_well(struct sync *s)
{
	if (s->fault == FAULT_NONE)
		return;
	log_info("sync", "the provider answers again source=%s", s->options.name);
	s->fault = FAULT_NONE;
	s->error[0] = 0;
	s->failures = 0;
	s->paused_until_ms = 0;
}

static void sync_store_well(struct sync *s)
{
	if (s->fault != FAULT_NONE || !s->error[0])
		return;
	log_info("sync", "there is space again source=%s", s->options.name);
	s->error[0] = 0;
	s->failures = 0;
}

/* ---- turns ---- */

static void arm_timer(struct sync *s, int64_t mono, int64_t wall)
{
	int64_t next = 24 * 3600 * 1000;

	for (size_t i = 0; i < s->options.resource_count; i++) {
		const struct resource *r = &s->resources[i];
		int64_t in = r->due_mono_ms - mono;
		if (in > 0 && in < next)
			next = in;
		in = r->backfill_mono_ms - mono;
		if (in > 0 && in < next)
			next = in;
		if (r->full_wall_ms != TIME_NONE && r->full_wall_ms - wall < next)
			next = r->full_wall_ms - wall;
	}
	timer_start(s->timer, next > 0 ? next : 1, 0);
}

static void on_repaired(void *ctx, int rc, const struct why *why)
{
	struct sync *s = ctx;

	s->repairing = false;
	if (rc)
		log_warn("sync", "damage could not be set aside: %s source=%s", why->text,
			 s->options.name);
	timer_start(s->stopping ? s->reaper : s->timer, 0, 0);
}

static void repair(struct sync *s)
{
	struct txn *txn;
	struct why why = {""};

	s->repair = false;
	if (store_begin(s->options.store, &txn, &why))
		return;
	s->repairing = true;
	txn_commit(txn, on_repaired, s);
}

void sync_repair(struct sync *s)
{
	s->repair = true;
	timer_start(s->timer, 0, 0);
}

static void sync_pump(struct sync *s)
{
	int64_t mono = loop_mono_ms(s->options.loop), wall = loop_wall_ms(s->options.loop);

	if (s->stopping || s->turn || s->identifying || s->repairing)
		return;
	if (s->repair) {
		repair(s);
		return;
	}
	if (!s->started)
		return;
	if (mono < s->paused_until_ms) {
		timer_start(s->timer, s->paused_until_ms - mono, 0);
		return;
	}
	if (!s->identified) {
		sync_identify(s);
		return;
	}
	plan_all(s, mono, wall);
	struct run *run = plan_first(s);
	s->quiet = run == NULL;
	if (!run) {
		arm_timer(s, mono, wall);
		return;
	}
	s->turn = run;
	run->turn = true;
	run_turn(run);
}

static void sync_turn_over(struct run *run)
{
	struct sync *s = run->sync;

	run->turn = false;
	s->turn = NULL;
	if (s->stopping)
		run_cancel(run);
	else
		timer_start(s->timer, 0, 0);
}

/* ---- the end of a run ---- */

static void watches_tell(struct sync *s, const struct run *run, bool ended)
{
	int64_t mono = loop_mono_ms(s->options.loop);

	for (int i = 0; i < WATCHES_MAX; i++) {
		struct watch_entry *w = &s->watches[i];
		if (w->run != run->info.id)
			continue;
		if (ended) {
			struct run_watch watch = w->watch;
			*w = (struct watch_entry){0};
			watch.ended(watch.ctx, &run->info);
		} else if (mono - w->told_ms >= PROGRESS_MS) {
			w->told_ms = mono;
			w->watch.progress(w->watch.ctx, &run->info);
		}
	}
}

static void sync_progress(struct run *run)
{
	watches_tell(run->sync, run, false);
}

static void audit(struct sync *s, const struct run *run)
{
	struct buf out = {0};
	struct why why = {""};

	run_encode(&run->info, &out);
	if (out.error || trail_append(s->options.trail, buf_bytes(&out), &why))
		log_warn("sync", "a run could not be noted in the audit trail: %s", why.text);
	buf_release(&out);
}

static void run_log(const struct run *run)
{
	const struct run_info *i = &run->info;
	char took[DURATION_TEXT_MAX];

	duration_text(i->ended_ms - i->started_ms, took);
	if (i->outcome == RUN_OK)
		log_info("sync",
			 "%s done source=%s resource=%s created=%llu updated=%llu deleted=%llu unchanged=%llu calls=%llu took=%s",
			 run_kind_name(i->kind), i->source, i->resource,
			 (unsigned long long)i->created, (unsigned long long)i->updated,
			 (unsigned long long)i->deleted, (unsigned long long)i->unchanged,
			 (unsigned long long)i->calls, took);
	else
		log_warn("sync", "%s %s source=%s resource=%s: %s", run_kind_name(i->kind),
			 run_outcome_name(i->outcome), i->source, i->resource, i->error);
}

static void plan_next(struct resource *r, const struct run *run)
{
	struct sync *s = r->sync;
	int64_t mono = loop_mono_ms(s->options.loop);

	if (run->info.outcome == RUN_OK) {
		r->failures = 0;
		r->last_error[0] = 0;
		r->last_sync_ms = run->info.ended_ms;
		/* A walk's claims become coverage with the next changes run: at once, then as often as configured. */
		r->due_mono_ms = r->pending_count ? mono : mono + r->options.every_ms;
		if (run->ops->kind == RUN_BACKFILL && !r->pending_count)
			r->due_mono_ms = mono;
		return;
	}
	if (run->info.outcome != RUN_FAILED)
		return;
	struct snapshot *view = snapshot_new(s->options.store);
	if (view) {
		resource_pending_load(r, view);
		resource_dead_load(r, view);
	}
	snapshot_free(view);
	snprintf(r->last_error, sizeof r->last_error, "%s", run->info.error);
	int64_t again = schedule_retry_ms(++r->failures, s->options.retry_ms);
	again = mono + (again > run->again_ms ? again : run->again_ms);
	if (run->ops->kind == resource_regular_kind(r))
		r->due_mono_ms = again;
	else
		r->backfill_mono_ms = again;
}

/* Who waits for a walk waits for the changes run that makes coverage of it as well; and who wished for everything while a part was under way, for the
 * whole. */
static void follow_up(struct resource *r, struct run *run)
{
	bool full = r->full_wished && run->ops->kind == resource_past_kind(r);

	if (!run->preferred || run->info.outcome != RUN_OK || r->sync->stopping ||
	    (!full && r->pending_count == 0))
		return;
	struct run *next = run_make(r, full ? resource_past_kind(r) : RUN_CHANGES);
	if (!next)
		return;
	next->preferred = true;
	run->info.follow = next->info.id;
}

static void sync_run_ended(struct run *run)
{
	struct sync *s = run->sync;
	struct resource *r = run->resource;

	if (s->turn == run)
		s->turn = NULL;
	s->quiet = false;
	r->runs[run->ops->kind] = NULL;
	plan_next(r, run);
	follow_up(r, run);
	run_log(run);
	audit(s, run);
	watches_tell(s, run, true);
	run->next_ended = s->ended;
	s->ended = run;
	timer_start(s->reaper, 0, 0);
	if (!s->stopping)
		timer_start(s->timer, 0, 0);
}

/* ---- the end of it all ---- */

void sync_stop(struct sync *s, void (*stopped)(void *ctx), void *ctx)
{
	s->stopping = true;
	s->stopped = stopped;
	s->stopped_ctx = ctx;
	timer_stop(s->timer);
	fetch_drop(s->identity);
	s->identity = NULL;
	for (size_t i = 0; i < s->options.resource_count; i++)
		for (int k = 0; k < RUN_KINDS; k++)
			if (s->resources[i].runs[k])
				run_cancel(s->resources[i].runs[k]);
	timer_start(s->reaper, 0, 0);
}

void sync_free(struct sync *s)
{
	if (!s)
		return;
	on_reap(s);
	for (size_t i = 0; s->resources && i < s->options.resource_count; i++)
		for (int k = 0; k < RUN_KINDS; k++)
			run_free(s->resources[i].runs[k]);
	if (s->line.timer)
		line_close(&s->line);
	timer_free(s->timer);
	timer_free(s->reaper);
	free(s->resources);
	free(s);
}
