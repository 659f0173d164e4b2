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

#define PROGRESS_MS     100
#define RETRY_MIN_MS    10
#define LOOK_MS         60000 /* a sleep of the machine stops timers: it is seen within a minute */
#define SAVE_AGAIN_MS   10000
#define VERIFY_AGAIN_MS (60 * 60 * 1000) /* after a failure */

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
	if (s->stopping && !s->turn && !s->identifying && !s->repairing && !s->saving && s->stopped) {
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
	*r = (struct resource){
		.sync = s,
		.options = *options,
		.child = child_of(s->options.account.provider, options->type),
		.last_sync_ms = TIME_NONE,
		.kept_from_ms = TIME_MIN,
		.full_wall_ms = TIME_NONE,
		.full_done_ms = TIME_NONE,
		.counts = {.attempt_ms = TIME_NONE},
	};
}

/* What earlier runs of the daemon left: pending claims, the time of the last success. */
static void resources_load(struct sync *s)
{
	struct snapshot *view = snapshot_new(s->options.store);
	struct why why = {""};

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
		resource_refusal_load(r, view);
		due_load(r, view, loop_wall_ms(s->options.loop));
	}
	if (letters_load(&s->letters, view, &why))
		log_warn("sync", "the dead letters cannot be read: %s source=%s", why.text,
			 s->options.name);
	snapshot_free(view);
}

static void sync_progress(struct run *run);
static void sync_turn_over(struct run *run);
static void sync_run_ended(struct run *run);

static const struct sync_tell tell = {
	.fault = breaker_fault,
	.answered = breaker_well,
	.stored = breaker_stored,
	.pump = sync_pump,
	.progress = sync_progress,
	.turn_over = sync_turn_over,
	.ended = sync_run_ended,
	.others_wait = plan_others_wait,
	.hurried = plan_hurried,
	.window_over = plan_window_over,
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
	s->token = strdup(options->token ? options->token : "");
	s->line = (struct line){
		.loop = options->loop,
		.http = options->http,
		.account = &s->options.account,
		.token = s->token,
		.concurrency = s->options.concurrency,
		.retry_ms = s->options.retry_ms,
		.stall_ms = options->stall_ms,
		.route_shares = s->options.route_shares,
	};
	budget_init(&s->line.budget, options->budget, options->account.provider->rate_window_ms);
	s->line.budget.reserve = options->account.provider->reserve_percent / 100.0;
	if (options->account.provider->rate_assumed)
		budget_assume(&s->line.budget, options->account.provider->rate_assumed);
	s->timer = timer_new(options->loop, on_timer, s);
	s->reaper = timer_new(options->loop, on_reap, s);
	s->push = options->outbox ? push_new(s) : NULL;
	if (!s->resources || !s->token || line_open(&s->line) || !s->timer || !s->reaper ||
	    (options->outbox && !s->push)) {
		sync_free(s);
		return NULL;
	}
	for (size_t i = 0; i < options->resource_count; i++)
		resource_init(s, &s->resources[i], &options->resources[i]);
	s->options.resources = NULL;
	s->options.token = NULL;
	s->breaker_since_ms = loop_wall_ms(options->loop);
	s->clock_base_ms = loop_wall_ms(options->loop) - loop_mono_ms(options->loop);
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

/* ---- the token ---- */

static void token_free(char *token)
{
	if (token)
		explicit_bzero(token, strlen(token));
	free(token);
}

int sync_token(struct sync *s, const char *token)
{
	char *copy = strdup(token);

	if (!copy)
		return ERR_NOMEM;
	token_free(s->next_token);
	s->next_token = copy;
	fetch_drop(s->identity);
	s->identity = NULL;
	s->quiet = false;
	timer_start(s->timer, 0, 0);
	return 0;
}

/* Between two turns: no page may be begun with one token and ended with another, which may be another workspace's. */
static void take_token(struct sync *s)
{
	token_free(s->token);
	s->token = s->next_token;
	s->next_token = NULL;
	s->line.token = s->token;
	s->identified = false;
	s->paused_until_ms = 0;
	s->failures = 0;
	log_info("sync", "another token is tried source=%s", s->options.name);
}

/* ---- turns ---- */

static void arm_timer(struct sync *s, int64_t mono, int64_t wall)
{
	int64_t next = LOOK_MS;

	for (size_t i = 0; i < s->options.resource_count; i++) {
		const struct resource *r = &s->resources[i];
		int64_t in = r->due_mono_ms - mono;
		if (in > 0 && in < next)
			next = in;
		in = r->backfill_mono_ms - mono;
		if (in > 0 && in < next)
			next = in;
		in = r->verify_mono_ms - mono;
		if (in > 0 && in < next)
			next = in;
		if (r->full_wall_ms != TIME_NONE && r->full_wall_ms - wall < next)
			next = r->full_wall_ms - wall;
	}
	if (retain_wanted(s) && s->retain_mono_ms - mono < next)
		next = s->retain_mono_ms - mono;
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

static void on_letters_saved(void *ctx, int rc, const struct why *why)
{
	struct sync *s = ctx;

	s->saving = false;
	if (rc) {
		log_warn("sync", "dead letters could not be kept: %s source=%s", why->text,
			 s->options.name);
		/* A disk that is full is not asked again and again. */
		s->save_mono_ms = loop_mono_ms(s->options.loop) + SAVE_AGAIN_MS;
		letters_aborted(&s->letters);
	} else {
		letters_committed(&s->letters);
	}
	timer_start(s->stopping ? s->reaper : s->timer, 0, 0);
}

static void save_letters(struct sync *s)
{
	struct txn *txn;
	struct why why = {""};

	if (store_begin(s->options.store, &txn, &why))
		return;
	s->saving = true;
	if (letters_save(&s->letters, txn) == 0) {
		txn_commit(txn, on_letters_saved, s);
		return;
	}
	txn_abort(txn);
	on_letters_saved(s, ERR_NOMEM, &why);
}

void sync_repair(struct sync *s)
{
	s->repair = true;
	timer_start(s->timer, 0, 0);
}

static void sync_pump(struct sync *s)
{
	int64_t mono = loop_mono_ms(s->options.loop), wall = loop_wall_ms(s->options.loop);

	if (s->stopping || s->turn || s->identifying || s->repairing || s->saving)
		return;
	if (s->next_token)
		take_token(s);
	if (s->repair) {
		repair(s);
		return;
	}
	if (s->retain) {
		retain_begin(s);
		return;
	}
	if (sync_must_save(s)) {
		save_letters(s);
		return;
	}
	if (!s->started)
		return;
	due_clock(s, mono, wall);
	if (mono < s->paused_until_ms) {
		store_rush(s->options.store, false);
		timer_start(s->timer, s->paused_until_ms - mono, 0);
		return;
	}
	breaker_probe(s);
	if (!s->identified) {
		sync_identify(s);
		return;
	}
	/* The provider's clock is known now. */
	push_look(s);
	if (retain_due(s, mono)) {
		retain_begin(s);
		if (s->repairing)
			return;
	}
	plan_all(s, mono, wall);
	struct run *run = plan_first(s);
	s->quiet = run == NULL;
	/* To read again what is held takes its time. */
	store_rush(s->options.store, run && run->ops->kind != RUN_VERIFY);
	if (!run) {
		arm_timer(s, mono, wall);
		return;
	}
	s->turn = run;
	s->line.budget.urgent = plan_urgent(run);
	s->asked = plan_live(run);
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
		} else if (w->watch.progress && mono - w->told_ms >= PROGRESS_MS) {
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
	if (s->options.ended)
		s->options.ended(s->options.ctx, &run->info);
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

/* What is in memory besides the store is as the last commit left it. */
static void resource_reload(struct resource *r, const struct run *run)
{
	struct snapshot *view = snapshot_new(r->sync->options.store);

	if (!view)
		return;
	if (run->info.outcome == RUN_FAILED)
		resource_pending_load(r, view);
	resource_refusal_load(r, view);
	snapshot_free(view);
}

/* Runs that bring nothing new: what is due is not moved by them. */
static void plan_next_verify(struct resource *r, const struct run *run)
{
	struct sync *s = r->sync;

	r->verify_mono_ms = loop_mono_ms(s->options.loop);
	if (run->info.outcome != RUN_FAILED)
		return;
	r->verify_mono_ms += VERIFY_AGAIN_MS;
	snprintf(r->last_error, sizeof r->last_error, "%s", run->info.error);
}

static void plan_next(struct resource *r, const struct run *run)
{
	struct sync *s = r->sync;
	int64_t mono = loop_mono_ms(s->options.loop);

	resource_reload(r, run);
	if (run->full && run->info.outcome != RUN_CANCELED)
		due_full_ended(r, run->info.outcome == RUN_OK, loop_wall_ms(s->options.loop));
	if (run->ops->kind == RUN_VERIFY)
		plan_next_verify(r, run);
	if (run->ops->kind == RUN_VERIFY || run->ops->kind == RUN_ONE || run->ops->kind == RUN_SEARCH)
		return;
	if (run->info.outcome == RUN_OK) {
		r->failures = 0;
		r->last_error[0] = 0;
		r->last_sync_ms = run->info.ended_ms;
		/* A walk's claims become coverage with the next changes run: at once, then as often as configured. */
		r->due_mono_ms = r->pending_count ? mono : mono + due_after_ms(r);
		if (run->ops->kind == RUN_BACKFILL && !r->pending_count)
			r->due_mono_ms = mono;
		/* A client wished for it while this run was under way. */
		if (run->ops->kind == RUN_CHANGES && resource_dead_due(r))
			r->due_mono_ms = mono;
		return;
	}
	if (run->info.outcome != RUN_FAILED)
		return;
	snprintf(r->last_error, sizeof r->last_error, "%s", run->info.error);
	int64_t again = schedule_retry_ms(++r->failures, s->options.retry_ms);
	again = mono + (again > run->again_ms ? again : run->again_ms);
	if (run->ops->kind == resource_regular_kind(r))
		r->due_mono_ms = again;
	else
		r->backfill_mono_ms = again;
}

/* Who waits for a walk waits for the changes run that makes coverage of it as well: one that has not begun, since it knows what was pending then. */
static void follow_up(struct resource *r, struct run *run)
{
	if (!run->preferred || run->info.outcome != RUN_OK || r->sync->stopping ||
	    run->ops->kind == RUN_ONE || run->ops->kind == RUN_SEARCH || r->pending_count == 0)
		return;
	struct run *next = run_make_fresh(r, RUN_CHANGES);
	if (!next)
		return;
	next->preferred = true;
	run->info.follow = next->info.id;
}

/* It was refused before it began: who wished it was told so, and no later run does it in his name. */
static void forget_wish(struct resource *r, const struct run *run)
{
	if (run->begun || run->info.outcome != RUN_FAILED)
		return;
	r->insisted = false;
	if (run->ops->kind == RUN_VERIFY)
		r->verify_wished = (struct interval){0};
}

static void count(struct sync_resource_counts *c, const struct run_info *i)
{
	c->runs[i->outcome]++;
	c->created += i->created;
	c->updated += i->updated;
	c->deleted += i->deleted;
	c->unchanged += i->unchanged;
	c->failed += i->failed;
	if (i->kind == RUN_VERIFY || i->kind == RUN_ONE)
		return;
	c->attempt_ms = i->started_ms;
	c->took_ms = i->ended_ms > i->started_ms ? i->ended_ms - i->started_ms : 0;
}

static void take_out(struct resource *r, const struct run *run)
{
	enum run_kind kind = run->ops->kind;

	if (r->runs[kind] == run)
		r->runs[kind] = r->next[kind];
	r->next[kind] = NULL;
}

static void sync_run_ended(struct run *run)
{
	struct sync *s = run->sync;
	struct resource *r = run->resource;

	if (s->turn == run)
		s->turn = NULL;
	s->quiet = false;
	take_out(r, run);
	count(&r->counts, &run->info);
	forget_wish(r, run);
	plan_next(r, run);
	follow_up(r, run);
	run_log(run);
	audit(s, run);
	watches_tell(s, run, true);
	push_look(s);
	run->next_ended = s->ended;
	s->ended = run;
	timer_start(s->reaper, 0, 0);
	if (!s->stopping)
		timer_start(s->timer, 0, 0);
}

/* ---- the end of it all ---- */

/* What waits for another to end first, so that it does not take its place. */
static void cancel(struct resource *r, int kind)
{
	if (r->next[kind])
		run_cancel(r->next[kind]);
	if (r->runs[kind])
		run_cancel(r->runs[kind]);
}

void sync_stop(struct sync *s, void (*stopped)(void *ctx), void *ctx)
{
	s->stopping = true;
	s->stopped = stopped;
	s->stopped_ctx = ctx;
	if (!s->repairing)
		retain_told(s, ERR_BUSY, &(struct why){"the daemon is shutting down"});
	timer_stop(s->timer);
	push_stop(s);
	fetch_drop(s->identity);
	s->identity = NULL;
	for (size_t i = 0; i < s->options.resource_count; i++)
		for (int k = 0; k < RUN_KINDS; k++)
			cancel(&s->resources[i], k);
	timer_start(s->reaper, 0, 0);
}

void sync_free(struct sync *s)
{
	if (!s)
		return;
	on_reap(s);
	for (size_t i = 0; s->resources && i < s->options.resource_count; i++)
		for (int k = 0; k < RUN_KINDS; k++) {
			run_free(s->resources[i].runs[k]);
			run_free(s->resources[i].next[k]);
		}
	push_free(s->push);
	if (s->line.timer)
		line_close(&s->line);
	timer_free(s->timer);
	timer_free(s->reaper);
	letters_release(&s->letters);
	token_free(s->token);
	token_free(s->next_token);
	free(s->resources);
	free(s);
}
