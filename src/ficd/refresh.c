/* refresh: see the header. The runs of the last refresh are remembered by number, so that whoever comes later joins them. */
#include "refresh.h"

#include <stdlib.h>

#define BEHIND_MS 2000 /* at most: what a run brings is claimed as of so long before it begins */

struct waiting {
	struct request *request;
	struct source *source;
	struct timer *timer;
	unsigned open; /* runs that have not ended */
};

static struct refresh *refresh_of(struct source *s, const struct resource_type *type)
{
	const char *name = type->parent ? type->parent : type->name;
	size_t i = 0;

	while (i < CONFIG_RESOURCES_MAX - 1 && s->provider->types[i].name &&
	       strcmp(s->provider->types[i].name, name) != 0)
		i++;
	return &s->refreshes[i];
}

/* The end of the span is missing or old: a changes run mends that. */
static bool lacks_changes(const struct freshness *f)
{
	static const char *const reasons[] = {"expired", "older", "never-synced"};
	bool lacks = f->tail_ms != TIME_NONE;

	for (size_t i = 0; f->reason && i < sizeof reasons / sizeof *reasons; i++)
		lacks |= strcmp(f->reason, reasons[i]) == 0;
	return lacks;
}

/* Something within the wanted history is missing. */
static bool lacks_history(const struct freshness *f)
{
	for (size_t i = 0; i < f->gaps.count; i++)
		if (f->gaps.items[i].end_ms > f->history_ms && f->gaps.items[i].start_ms != f->tail_ms)
			return true;
	return false;
}

static bool in_trouble(const struct source *s)
{
	struct sync_state state;

	sync_state(s->sync, &state);
	return s->token.len == 0 || s->token_error[0] || state.trouble ||
	       state.breaker != BREAKER_CLOSED;
}

/* Begins one unless the last is younger than `pause_ms`: then that one counts. */
static struct refresh *refresh_begin(struct source *s, const struct resource_type *type,
				     bool changes, bool history, int64_t pause_ms)
{
	struct refresh *f = refresh_of(s, type);
	int64_t now = loop_mono_ms(s->daemon->loop);
	struct why why;

	if (f->begun && now - f->begun_mono_ms < pause_ms)
		return f;
	*f = (struct refresh){.begun = true, .begun_mono_ms = now};
	if (changes)
		sync_wish(s->sync, type, SYNC_CHANGES, &f->runs[0], 1, &why);
	if (history)
		sync_wish(s->sync, type, SYNC_BACKFILL, &f->runs[1], 1, &why);
	return f;
}

void refresh_behind(struct source *s, const struct resource_type *type, const struct freshness *f)
{
	struct sync_resource_state state;

	if (!lacks_changes(f) || f->last_sync_ms == TIME_NONE || in_trouble(s) ||
	    s->config->sync_window_strict == CONFIG_YES)
		return;
	if (sync_resource_state(s->sync, type->name, &state) && !state.waiting)
		refresh_begin(s, type, true, false, REFRESH_BEHIND_MS);
}

/* ---- waiting ---- */

static void waiting_release(struct request *r)
{
	struct waiting *w = r->state;

	sync_unwatch(w->source->sync, w);
	timer_free(w->timer);
	free(w);
}

static void waited(void *ctx)
{
	struct waiting *w = ctx;

	w->request->waited = true;
	request_restart(w->request);
}

static void on_ended(void *ctx, const struct run_info *run);

static void watch_run(struct waiting *w, uint64_t id)
{
	const struct run_watch watch = {.ended = on_ended, .ctx = w};

	if (id && sync_watch(w->source->sync, id, &watch) == 0)
		w->open++;
}

static void on_ended(void *ctx, const struct run_info *run)
{
	struct waiting *w = ctx;

	watch_run(w, run->follow);
	/* The answer is given from the loop: the run is still being put away. */
	if (--w->open == 0)
		timer_start(w->timer, 0, 0);
}

static struct waiting *waiting_new(struct request *r, struct source *s)
{
	struct waiting *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	w->request = r;
	w->source = s;
	w->timer = timer_new(s->daemon->loop, waited, w);
	if (w->timer)
		return w;
	free(w);
	return NULL;
}

static void watch_refresh(struct waiting *w, const struct refresh *f)
{
	watch_run(w, f->runs[0]);
	watch_run(w, f->runs[1]);
}

/* The last refresh, if what it brings is new enough. What has ended has brought what was just judged: who accepts only less than the pause is not put off with it. */
static void join(struct waiting *w, const struct resource_type *type, bool changes, bool history,
		 int64_t max_age_ms)
{
	bool strict = max_age_ms >= 0 && max_age_ms < REFRESH_PAUSE_MS;

	watch_refresh(w, refresh_begin(w->source, type, changes, history,
				       strict ? max_age_ms - BEHIND_MS : REFRESH_PAUSE_MS));
	if (strict && w->open == 0)
		watch_refresh(w, refresh_begin(w->source, type, changes, history, 0));
}

bool refresh_wait(struct request *r, struct source *s, const struct resource_type *type,
		  const struct freshness *f, int64_t max_age_ms, int64_t timeout_ms)
{
	bool changes = lacks_changes(f), history = lacks_history(f);
	struct waiting *w;

	if (r->waited || timeout_ms == 0 || (!changes && !history) || in_trouble(s))
		return false;
	w = waiting_new(r, s);
	if (!w)
		return false;
	join(w, type, changes, history, max_age_ms);
	if (w->open == 0) {
		timer_free(w->timer);
		free(w);
		return false;
	}
	/* Whatever the request has by now is not needed any more: it begins again. */
	if (r->release)
		r->release(r);
	r->state = w;
	r->release = waiting_release;
	timer_start(w->timer, timeout_ms, 0);
	return true;
}
