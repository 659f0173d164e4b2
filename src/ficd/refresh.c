/* refresh: see the header. The runs of the last refresh are remembered by number, so that whoever comes later joins them. */
#include "refresh.h"

#include <stdlib.h>

#define BEHIND_MS 2000 /* at most: what a run brings is claimed as of so long before it begins */

struct waiting {
	struct request *request;
	struct timer *timer;
	unsigned open; /* runs that have not ended */
	struct waiting_source {
		struct waiting *waiting;
		struct source *source;
	} sources[CONFIG_SOURCES_MAX];
	size_t count;
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
	struct sync_health health = sync_health(s->sync);

	return s->token.len == 0 || s->token_error[0] || health.trouble ||
	       health.breaker != BREAKER_CLOSED;
}

static bool is_recent(const struct source *s, const struct refresh *f, int64_t pause_ms)
{
	return f->begun && loop_mono_ms(s->daemon->loop) - f->begun_mono_ms < pause_ms;
}

/* Begins one unless the last is younger than `pause_ms`: then that one counts. */
static struct refresh *refresh_begin(struct source *s, const struct resource_type *type,
				     bool changes, bool history, int64_t pause_ms)
{
	struct refresh *f = refresh_of(s, type);
	struct why why;

	if (is_recent(s, f, pause_ms))
		return f;
	*f = (struct refresh){.begun = true, .begun_mono_ms = loop_mono_ms(s->daemon->loop)};
	if (changes)
		sync_wish(s->sync, type, SYNC_CHANGES, &f->runs[0], 1, &why);
	if (history)
		sync_wish(s->sync, type, SYNC_BACKFILL, &f->runs[1], 1, &why);
	return f;
}

bool refresh_behind(struct source *s, const struct resource_type *type, const struct freshness *f)
{
	struct sync_resource_state state;

	if (!lacks_changes(f) || f->last_sync_ms == TIME_NONE || in_trouble(s) ||
	    s->config->sync_window_strict == CONFIG_YES ||
	    is_recent(s, refresh_of(s, type), REFRESH_BEHIND_MS) ||
	    !sync_resource_state(s->sync, type->name, &state) || state.waiting)
		return false;
	refresh_begin(s, type, true, false, REFRESH_BEHIND_MS);
	return true;
}

/* ---- waiting ---- */

static void waiting_free(struct waiting *w)
{
	for (size_t i = 0; w && i < w->count; i++)
		sync_unwatch(w->sources[i].source->sync, &w->sources[i]);
	if (w)
		timer_free(w->timer);
	free(w);
}

static void waiting_release(struct request *r)
{
	waiting_free(r->state);
}

static void waited(void *ctx)
{
	struct waiting *w = ctx;

	w->request->waited = true;
	request_restart(w->request);
}

static void on_ended(void *ctx, const struct run_info *run);

static void watch_run(struct waiting_source *s, uint64_t id)
{
	const struct run_watch watch = {.ended = on_ended, .ctx = s};

	if (id && sync_watch(s->source->sync, id, &watch) == 0)
		s->waiting->open++;
}

static void on_ended(void *ctx, const struct run_info *run)
{
	struct waiting_source *s = ctx;
	struct waiting *w = s->waiting;

	watch_run(s, run->follow);
	/* The answer is given from the loop: the run is still being put away. */
	if (--w->open == 0)
		timer_start(w->timer, 0, 0);
}

static struct waiting *waiting_new(struct request *r)
{
	struct waiting *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	w->request = r;
	w->timer = timer_new(r->daemon->loop, waited, w);
	if (w->timer)
		return w;
	free(w);
	return NULL;
}

static void watch_refresh(struct waiting_source *s, const struct refresh *f)
{
	watch_run(s, f->runs[0]);
	watch_run(s, f->runs[1]);
}

/* The last refresh, if what it brings is new enough. What has ended has brought what was just judged: who accepts only less than the pause is not put off with it. */
static void join(struct waiting *w, const struct refresh_want *want, bool changes, bool history)
{
	bool strict = want->max_age_ms >= 0 && want->max_age_ms < REFRESH_PAUSE_MS;
	struct waiting_source *s = &w->sources[w->count++];
	unsigned before = w->open;

	*s = (struct waiting_source){w, want->source};
	watch_refresh(s, refresh_begin(s->source, want->type, changes, history,
				       strict ? want->max_age_ms - BEHIND_MS : REFRESH_PAUSE_MS));
	if (strict && w->open == before)
		watch_refresh(s, refresh_begin(s->source, want->type, changes, history, 0));
}

bool refresh_wait(struct request *r, const struct refresh_want *wants, size_t count, int64_t timeout_ms)
{
	struct waiting *w;

	if (r->waited || timeout_ms == 0 || count == 0 || !(w = waiting_new(r)))
		return false;
	for (size_t i = 0; i < count; i++) {
		bool changes = lacks_changes(wants[i].lacks), history = lacks_history(wants[i].lacks);
		if ((changes || history) && !in_trouble(wants[i].source))
			join(w, &wants[i], changes, history);
	}
	if (w->open == 0) {
		waiting_free(w);
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
