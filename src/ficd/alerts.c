/* alerts: see the header. Looks things up and has others say them; what conditions mean is in model/alert. */
#include "alerts.h"

#include <base/log.h>

#include <stdio.h>
#include <stdlib.h>

#define LOOK_MS  INT64_C(60000)
#define SOON_MS  1000            /* after a run: what ends together is looked at together */
#define GRACE_MS INT64_C(600000) /* after a start the first runs have their time */
#define QUOTA_MS INT64_C(120000) /* a window that is used up for a moment is what it is there for */

/* What runs have told of one source. */
struct history {
	struct alert_outcomes outcomes;
	struct {
		struct alert_pace paces[RUN_KINDS];
		enum run_kind last;        /* the kind of the run that ended last */
	} resources[CONFIG_RESOURCES_MAX]; /* by the provider's table of types */
};

struct alerts {
	struct daemon *daemon;
	struct timer *timer;       /* the next look */
	struct history *histories; /* of the sources; NULL: nobody asks */
	struct deliver *delivers[CONFIG_ALERTS_MAX];
	size_t count;
	struct raised_list raised;
	int64_t started_mono_ms;
};

/* ---- what runs tell ---- */

static int type_index(const struct source *s, struct bytes resource)
{
	for (int i = 0; s->provider->types[i].name && i < CONFIG_RESOURCES_MAX; i++)
		if (bytes_is(resource, s->provider->types[i].name))
			return i;
	return -1;
}

static void learn(struct history *h, int type, enum run_kind kind, bool failed, int64_t ended_ms,
		  int64_t duration_ms)
{
	alert_outcome(&h->outcomes, ended_ms, failed);
	if (failed || type < 0 || kind == RUN_ONE || kind == RUN_SEARCH)
		return;
	alert_paced(&h->resources[type].paces[kind], duration_ms);
	h->resources[type].last = kind;
}

void alerts_run_ended(struct alerts *a, const struct source *s, const struct run_info *run)
{
	if (!a || !a->histories || run->outcome == RUN_CANCELED)
		return;
	learn(&a->histories[s - a->daemon->sources], type_index(s, bytes_str(run->resource)),
	      run->kind, run->outcome == RUN_FAILED, run->ended_ms, run->ended_ms - run->started_ms);
	timer_start(a->timer, SOON_MS, 0);
}

/* The trail of one source, newest first as it is read, is learnt oldest first. */
struct past {
	const struct source *source;
	int64_t from_ms;
	size_t count;
	struct past_run {
		int64_t ended_ms, duration_ms;
		signed char type;
		unsigned char kind;
		bool failed;
	} runs[2048];
};

static bool each_run(void *ctx, uint64_t sequence, struct bytes value)
{
	struct past *p = ctx;
	struct run_entry e;

	(void)sequence;
	if (run_decode(value, &e))
		return true;
	if (e.ended_ms < p->from_ms || p->count == sizeof p->runs / sizeof *p->runs)
		return false;
	struct past_run *r = &p->runs[p->count];
	*r = (struct past_run){.ended_ms = e.ended_ms,
			       .duration_ms = (int64_t)e.duration_ms,
			       .type = (signed char)type_index(p->source, e.resource),
			       .kind = RUN_KINDS,
			       .failed = bytes_is(e.outcome, run_outcome_name(RUN_FAILED))};
	for (int kind = 0; kind < RUN_KINDS; kind++)
		if (bytes_is(e.kind, run_kind_name((enum run_kind)kind)))
			r->kind = (unsigned char)kind;
	p->count += r->kind < RUN_KINDS &&
		    (r->failed || bytes_is(e.outcome, run_outcome_name(RUN_OK)));
	return true;
}

static void learn_past(struct history *h, const struct source *s, int64_t now_ms)
{
	struct past *p = malloc(sizeof *p);

	if (!p)
		return;
	p->source = s;
	p->from_ms = now_ms - ALERT_HOURS * INT64_C(3600000);
	p->count = 0;
	trail_scan(s->trail, UINT64_MAX, each_run, p);
	while (p->count--)
		learn(h, p->runs[p->count].type, (enum run_kind)p->runs[p->count].kind,
		      p->runs[p->count].failed, p->runs[p->count].ended_ms,
		      p->runs[p->count].duration_ms);
	free(p);
}

/* ---- what conditions are about ---- */

/* One condition about one thing, judged. */
struct finding {
	enum alert_verdict verdict;
	char text[400];
};

static void judge_failures(const struct alert_condition *c, const struct history *h, int64_t now_ms,
			   struct finding *f)
{
	uint32_t ended, failed;

	alert_outcomes_of(&h->outcomes, now_ms, &ended, &failed);
	if (ended < ALERT_RUNS_MIN)
		return;
	f->verdict = alert_judge(c, 100.0 * failed / ended);
	snprintf(f->text, sizeof f->text, "%u of %u runs of the last 24 hours failed (%.1f %%)",
		 failed, ended, 100.0 * failed / ended);
}

static void judge_quota(const struct alert_condition *c, const struct source *s, struct finding *f)
{
	struct sync_state state;

	sync_state(s->sync, &state);
	if (state.rate_limit <= 0 || state.rate_remaining < 0)
		return;
	double used = state.calls_last_minute == 0
			      ? 0 /* what is known is old */
			      : 100.0 * (double)(state.rate_limit - state.rate_remaining) /
					(double)state.rate_limit;
	f->verdict = alert_judge(c, used);
	snprintf(f->text, sizeof f->text,
		 "%.0f %% of the provider's limit is used (%lld calls in %lld s; ficd made %llu in the last minute)",
		 used, (long long)state.rate_limit, (long long)state.rate_window_ms / 1000,
		 (unsigned long long)state.calls_last_minute);
}

static void judge_letters(const struct alert_condition *c, const struct source *s, struct finding *f)
{
	unsigned count = sync_dead_count(s->sync);

	f->verdict = alert_judge(c, count);
	snprintf(f->text, sizeof f->text, "%u record%s cannot be read: 'ficq dead' lists %s", count,
		 count == 1 ? "" : "s", count == 1 ? "it" : "them");
}

static void judge_success(const struct alert_condition *c, const struct alerts *a,
			  const struct source *s, const struct resource_type *type, int64_t now_ms,
			  struct finding *f)
{
	struct sync_resource_state state;
	int64_t up_ms = loop_mono_ms(a->daemon->loop) - a->started_mono_ms;
	char text[DURATION_TEXT_MAX];

	if (!sync_resource_state(s->sync, type->name, &state))
		return;
	/* A limit shorter than two turns would be about nothing. */
	double limit = c->limit, turns = 2.0 * (double)state.options->every_ms;
	struct alert_condition due = *c;
	due.limit = limit < turns ? turns : limit;
	int64_t since = state.last_sync_ms == TIME_NONE ? up_ms : now_ms - state.last_sync_ms;
	f->verdict = alert_judge(&due, (double)since);
	if (f->verdict == ALERT_HOLDS && up_ms < GRACE_MS && (double)up_ms < limit)
		f->verdict = ALERT_UNKNOWN;
	const char *error = s->token_error[0] ? s->token_error : state.last_error;
	snprintf(f->text, sizeof f->text, "no run has succeeded for %s%s%s",
		 duration_text(since / 60000 * 60000, text), error ? ": " : "", error ? error : "");
}

static void judge_duration(const struct alert_condition *c, const struct history *h, int type,
			   struct finding *f)
{
	enum run_kind kind = h->resources[type].last;
	const struct alert_pace *p = &h->resources[type].paces[kind];
	double times = alert_pace_times(p);

	if (times < 0)
		return;
	f->verdict = alert_judge(c, times);
	snprintf(f->text, sizeof f->text, "the last %s run took %.1f s, %.1f times the usual %.1f s",
		 run_kind_name(kind), (double)p->last_ms / 1000, times, p->mean_ms / 1000);
}

static bool of_resource(enum alert_subject subject)
{
	return subject == ALERT_NO_SUCCESS || subject == ALERT_RUN_DURATION;
}

/* ---- one look ---- */

struct round {
	struct alerts *alerts;
	const struct config_alert *alert;
	int64_t now_ms;
	struct notice_item items[NOTICE_ITEMS_MAX];
	size_t count, more;
	bool changed;
};

static void say(struct round *r, const struct raised *what, enum alert_step step, int64_t since_ms)
{
	if (step != ALERT_SAY_OVER)
		log_warn("alert", "%s: %s%s%s: %s (%s)", r->alert->name, what->source,
			 *what->resource ? "/" : "", what->resource, what->text, what->condition);
	else
		log_info("alert", "%s: over: %s%s%s (%s)", r->alert->name, what->source,
			 *what->resource ? "/" : "", what->resource, what->condition);
	r->changed = true;
	if (r->count == NOTICE_ITEMS_MAX) {
		r->more++;
		return;
	}
	struct notice_item *item = &r->items[r->count++];
	const struct source *s = source_find(r->alerts->daemon, bytes_str(what->source));
	const struct resource_type *type = s && *what->resource
						   ? source_type(s, bytes_str(what->resource))
						   : NULL;
	*item = (struct notice_item){.step = step,
				     .source = s ? s->config->name : "",
				     .resource = type ? type->name : "",
				     .since_ms = since_ms};
	snprintf(item->condition, sizeof item->condition, "%s", what->condition);
	snprintf(item->text, sizeof item->text, "%s", what->text);
}

static void take(struct round *r, const struct alert_condition *c, const struct source *s,
		 const char *resource, const struct finding *f)
{
	char condition[ALERT_TEXT_MAX];

	alert_print(c, condition);
	struct raised *what = raised_find(&r->alerts->raised, r->alert->name, condition,
					  s->config->name, resource, f->verdict == ALERT_HOLDS);
	if (!what)
		return;
	what->looked = true;
	if (f->verdict != ALERT_UNKNOWN)
		snprintf(what->text, sizeof what->text, "%s", f->text);
	int64_t since_ms = what->state.since_ms;
	enum alert_step step = alert_step(&what->state, f->verdict, r->now_ms,
					  c->subject == ALERT_QUOTA ? QUOTA_MS : 0,
					  r->alert->repeat_ms);
	if (step == ALERT_SAY_NOTHING)
		return;
	say(r, what, step, step == ALERT_SAY_RAISED ? what->state.since_ms : since_ms);
}

static void look_at_resources(struct round *r, const struct alert_condition *c,
			      const struct source *s, const struct history *h)
{
	for (int i = 0; s->provider->types[i].name && i < CONFIG_RESOURCES_MAX; i++) {
		const struct resource_type *type = &s->provider->types[i];
		struct finding f = {.verdict = ALERT_UNKNOWN};
		if (type->parent || !source_type(s, bytes_str(type->name)))
			continue;
		if (c->subject == ALERT_NO_SUCCESS)
			judge_success(c, r->alerts, s, type, r->now_ms, &f);
		else
			judge_duration(c, h, i, &f);
		take(r, c, s, type->name, &f);
	}
}

static void look_at(struct round *r, const struct alert_condition *c, const struct source *s,
		    const struct history *h)
{
	struct finding f = {.verdict = ALERT_UNKNOWN};

	if (of_resource(c->subject)) {
		look_at_resources(r, c, s, h);
		return;
	}
	if (c->subject == ALERT_FAILURE_RATE)
		judge_failures(c, h, r->now_ms, &f);
	else if (c->subject == ALERT_QUOTA)
		judge_quota(c, s, &f);
	else
		judge_letters(c, s, &f);
	take(r, c, s, "", &f);
}

static void tell(struct round *r, struct deliver *v)
{
	if (r->count == 0)
		return;
	struct notice *n = notice_new(r->alert->name, r->items, r->count, r->more, r->now_ms);
	if (!n) {
		log_error("alert", "%s: out of memory", r->alert->name);
		return;
	}
	deliver_send(v, n);
	notice_leave(n);
}

static void look_for(struct round *r, struct deliver *v)
{
	const struct daemon *d = r->alerts->daemon;

	r->alert = deliver_alert(v);
	r->count = r->more = 0;
	for (size_t s = 0; s < d->source_count; s++) {
		const struct source *source = &d->sources[s];
		if (!config_alert_about(r->alert, source->config->name))
			continue;
		for (size_t c = 0; c < r->alert->when.count; c++)
			look_at(r, &r->alert->when.items[c], source, &r->alerts->histories[s]);
	}
	tell(r, v);
}

static void keep(struct alerts *a)
{
	struct why why = {""};

	if (raised_save(&a->raised, a->daemon->config->state_dir, &why))
		log_warn("alert", "what was told will be told again after a restart: %s", why.text);
}

static void on_look(void *ctx)
{
	struct alerts *a = ctx;
	struct round *r = calloc(1, sizeof *r);

	timer_start(a->timer, LOOK_MS, 0);
	if (!r)
		return;
	r->alerts = a;
	r->now_ms = loop_wall_ms(a->daemon->loop);
	for (size_t i = 0; i < a->count; i++)
		look_for(r, a->delivers[i]);
	if (raised_sweep(&a->raised) || r->changed)
		keep(a);
	free(r);
}

/* ---- life ---- */

/* The histories are there while somebody asks. */
static int open_histories(struct alerts *a)
{
	const struct daemon *d = a->daemon;

	if (a->histories || d->config->alert_count == 0)
		return 0;
	a->histories = calloc(d->source_count, sizeof *a->histories);
	if (!a->histories)
		return ERR_NOMEM;
	for (size_t i = 0; i < d->source_count; i++)
		learn_past(&a->histories[i], &d->sources[i], clock_wall_ms());
	return 0;
}

/* The one of this name, taken out of the list; NULL: there is none. */
static struct deliver *take_out(struct alerts *a, const char *name)
{
	for (size_t i = 0; i < a->count; i++) {
		struct deliver *v = a->delivers[i];
		if (v && strcmp(deliver_name(v), name) == 0) {
			a->delivers[i] = NULL;
			return v;
		}
	}
	return NULL;
}

/* What stays goes on, what is new begins, what is gone ends. */
static int take_over(struct alerts *a)
{
	const struct config *c = a->daemon->config;
	struct deliver *now[CONFIG_ALERTS_MAX] = {NULL};
	size_t count = 0;
	bool whole = true;

	for (size_t i = 0; i < c->alert_count; i++) {
		struct deliver *v = take_out(a, c->alerts[i].name);
		if (v)
			deliver_configure(v, &c->alerts[i]);
		else
			v = deliver_new(a->daemon, &c->alerts[i]);
		whole = whole && v;
		if (v)
			now[count++] = v;
	}
	for (size_t i = 0; i < a->count; i++)
		deliver_free(a->delivers[i]);
	memcpy(a->delivers, now, sizeof now);
	a->count = count;
	return whole ? open_histories(a) : ERR_NOMEM;
}

void alerts_configure(struct alerts *a)
{
	if (take_over(a))
		log_error("alert", "out of memory: not all alerts are in force");
	if (a->count && a->histories)
		timer_start(a->timer, SOON_MS, 0);
	else
		timer_stop(a->timer);
}

struct alerts *alerts_new(struct daemon *d)
{
	struct alerts *a = calloc(1, sizeof *a);
	struct why why = {""};

	if (!a)
		return NULL;
	a->daemon = d;
	a->started_mono_ms = clock_mono_ms();
	a->timer = timer_new(d->loop, on_look, a);
	if (!a->timer || take_over(a)) {
		alerts_free(a);
		return NULL;
	}
	int rc = a->count ? raised_load(&a->raised, d->config->state_dir, &why) : 0;
	if (rc && rc != ERR_NOTFOUND)
		log_warn("alert", "what holds is told again: %s", why.text);
	if (a->count)
		timer_start(a->timer, LOOK_MS, 0);
	return a;
}

void alerts_free(struct alerts *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->count; i++)
		deliver_free(a->delivers[i]);
	timer_free(a->timer);
	raised_release(&a->raised);
	free(a->histories);
	free(a);
}

const struct raised_list *alerts_raised(const struct alerts *a)
{
	return &a->raised;
}

size_t alerts_raised_count(const struct alerts *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->raised.count; i++)
		n += a->raised.items[i].state.raised;
	return n;
}

const struct deliver *alerts_deliver(const struct alerts *a, size_t index)
{
	return index < a->count ? a->delivers[index] : NULL;
}
