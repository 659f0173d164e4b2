/* wish: what clients ask for becomes runs; equal wishes share one. Also what the status shows. */
#include "sync_state.h"

#include <stdio.h>

struct resource *resource_find(const struct sync *s, const char *name)
{
	for (size_t i = 0; i < s->options.resource_count; i++) {
		struct resource *r = &s->resources[i];
		if (strcmp(r->options.type->name, name) == 0 ||
		    (r->child && strcmp(r->child->name, name) == 0))
			return r;
	}
	return NULL;
}

enum run_kind wish_kind(const struct resource *r, enum sync_mode mode, const struct snapshot *view)
{
	bool chained = snapshot_coverage(view, r->options.type->name)->chain_end_ms != TIME_NONE;
	struct interval gap;

	if (!(r->options.type->traits & TRAIT_CHANGED))
		return RUN_SNAPSHOT;
	if (mode == SYNC_BACKFILL && chained && !resource_gap(r, view, &gap))
		return RUN_KINDS;
	return mode == SYNC_CHANGES && chained ? RUN_CHANGES : resource_past_kind(r);
}

static struct run *wish_run(struct resource *r, enum sync_mode mode, const struct snapshot *view)
{
	enum run_kind kind = wish_kind(r, mode, view);

	if (kind == RUN_KINDS)
		return NULL;
	if (r->options.type->traits & TRAIT_CHANGED) {
		r->full_wished |= mode == SYNC_FULL;
		r->backfill_mono_ms = 0;
	}
	return run_make(r, kind);
}

int sync_wish(struct sync *s, const struct resource_type *resource, enum sync_mode mode,
	      uint64_t *ids_out, size_t cap, struct why *why)
{
	struct resource *only = resource ? resource_find(s, resource->name) : NULL;
	struct snapshot *view;
	int n = 0;

	if (s->stopping)
		return why_set(why, ERR_BUSY, "the daemon is shutting down");
	if (resource && !only)
		return why_set(why, ERR_INVALID, "%s is not configured for source %s",
			       resource->name, s->options.name);
	view = snapshot_new(s->options.store);
	if (!view)
		return why_set(why, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < s->options.resource_count && (size_t)n < cap; i++) {
		struct resource *r = &s->resources[i];
		struct run *run = only && r != only ? NULL : wish_run(r, mode, view);
		if (!run)
			continue;
		run->preferred = true;
		ids_out[n++] = run->info.id;
	}
	snapshot_free(view);
	s->paused_until_ms = 0;
	s->quiet = false;
	timer_start(s->timer, 0, 0);
	return n;
}

static struct run *run_of(const struct sync *s, uint64_t id)
{
	for (size_t i = 0; i < s->options.resource_count; i++)
		for (int k = 0; k < RUN_KINDS; k++) {
			struct run *run = s->resources[i].runs[k];
			if (run && run->info.id == id)
				return run;
		}
	return NULL;
}

int sync_watch(struct sync *s, uint64_t run, const struct run_watch *watch)
{
	if (!run_of(s, run))
		return ERR_NOTFOUND;
	for (int i = 0; i < WATCHES_MAX; i++)
		if (s->watches[i].run == 0) {
			s->watches[i] = (struct watch_entry){.run = run, .watch = *watch};
			return 0;
		}
	return ERR_LIMIT;
}

void sync_unwatch(struct sync *s, void *ctx)
{
	for (int i = 0; i < WATCHES_MAX; i++)
		if (s->watches[i].run && s->watches[i].watch.ctx == ctx)
			s->watches[i] = (struct watch_entry){0};
}

static const char *trouble_of(const struct sync *s)
{
	switch (s->fault) {
	case FAULT_AUTH:
	case FAULT_DENIED: return "auth";
	case FAULT_LATER: return "rate-limited";
	case FAULT_NONE: return s->error[0] ? "no-space" : NULL;
	default: return "source-error";
	}
}

void sync_state(const struct sync *s, struct sync_state *out)
{
	*out = (struct sync_state){
		.state = s->error[0]      ? "error"
			 : !s->identified ? "starting"
			 : s->turn        ? "syncing"
					  : "ok",
		.error = s->error[0] ? s->error : NULL,
		.trouble = trouble_of(s),
		.clock_offset_ms = s->line.clock_offset_ms,
		.rate_limit = s->line.budget.limit,
		.rate_remaining = s->line.budget.remaining,
		.calls_last_minute = budget_last_minute(&s->line.budget,
							loop_mono_ms(s->options.loop)),
		.calls = s->line.calls,
		.retries = s->line.retries,
		.bytes = s->line.bytes,
	};
	memcpy(out->workspace_id, s->workspace_id, sizeof out->workspace_id);
	memcpy(out->workspace_name, s->workspace_name, sizeof out->workspace_name);
	memcpy(out->region, s->region, sizeof out->region);
	memcpy(out->timezone, s->timezone, sizeof out->timezone);
}

bool sync_resource_state(const struct sync *s, const char *resource, struct sync_resource_state *out)
{
	const struct resource *r = resource_find(s, resource);
	int64_t mono = loop_mono_ms(s->options.loop);

	if (!r)
		return false;
	*out = (struct sync_resource_state){
		.options = &r->options,
		.last_sync_ms = r->last_sync_ms,
		.next_run_ms = loop_wall_ms(s->options.loop) +
			       (r->due_mono_ms > mono ? r->due_mono_ms - mono : 0),
		.last_error = r->last_error[0] ? r->last_error : NULL,
	};
	for (int k = 0; k < RUN_KINDS; k++) {
		const struct run *run = r->runs[k];
		if (!run)
			continue;
		if (plan_held_back(run))
			continue;
		out->waiting = true;
		if (run->begun && (!out->syncing || run == s->turn)) {
			out->syncing = true;
			out->run = run->info;
		}
	}
	return true;
}

bool sync_idle(const struct sync *s)
{
	int64_t mono = loop_mono_ms(s->options.loop);

	if (s->turn || s->identifying || s->identity)
		return false;
	return mono < s->paused_until_ms || (s->identified && s->quiet);
}
