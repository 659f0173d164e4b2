/*
 * push: which edit goes next. A record's edits go in their order: one that is under way, waits or is not shown yet holds back those behind it that
 * could not be told apart from it; one in conflict or failed holds back those behind it that change the same field.
 */
#include "push.h"

#include <stdio.h>
#include <stdlib.h>

static void on_timer(void *ctx)
{
	struct push *p = ctx;

	push_look(p->sync);
}

struct push *push_new(struct sync *s)
{
	struct push *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->sync = s;
	for (int i = 0; i < PUSH_JOBS_MAX; i++)
		p->jobs[i].push = p;
	p->timer = timer_new(s->options.loop, on_timer, p);
	if (!p->timer) {
		free(p);
		return NULL;
	}
	return p;
}

void push_stop(struct sync *s)
{
	struct push *p = s->push;

	if (!p)
		return;
	p->stopped = true;
	timer_stop(p->timer);
	for (int i = 0; i < PUSH_JOBS_MAX; i++)
		push_job_drop(&p->jobs[i]);
}

void push_free(struct push *p)
{
	if (!p)
		return;
	push_stop(p->sync);
	timer_free(p->timer);
	buf_release(&p->scratch);
	free(p);
}

/* ---- what holds back ---- */

static bool same_record(const struct edit *a, const struct edit *b)
{
	return bytes_equal(a->record, b->record) && strcmp(a->resource, b->resource) == 0;
}

static bool holds_back(const struct edit *before, const struct edit *e)
{
	if (!edit_open(before) || !same_record(before, e))
		return false;
	if (before->state == EDIT_PENDING || before->state == EDIT_SENDING)
		return true;
	return edit_shares_field(before, e);
}

static bool is_held_back(const struct outbox *o, const struct edit *e)
{
	for (const struct edit *before = outbox_next(o, 0); before && before->id < e->id;
	     before = outbox_next(o, before->id))
		if (holds_back(before, e))
			return true;
	return false;
}

/* ---- looking ---- */

static struct push_job *free_job(struct push *p)
{
	for (int i = 0; i < PUSH_JOBS_MAX; i++)
		if (!p->jobs[i].id)
			return &p->jobs[i];
	return NULL;
}

/* It, or another one of its record: what is read for one must not be old by what the other writes. */
static bool is_under_way(const struct push *p, const struct edit *e)
{
	for (int i = 0; i < PUSH_JOBS_MAX; i++) {
		const struct push_job *job = &p->jobs[i];
		if (job->id && bytes_equal(buf_bytes(&job->record), e->record) &&
		    strcmp(job->type->name, e->resource) == 0)
			return true;
	}
	return false;
}

static bool may_ask(const struct sync *s)
{
	return s->started && s->identified && !s->identifying && !s->stopping &&
	       loop_mono_ms(s->options.loop) >= s->paused_until_ms;
}

/* When it wants to be looked at, by the provider's clock; TIME_MAX: not by itself. */
static int64_t look_at(struct push *p, const struct edit *e, int64_t now)
{
	struct push_job *job = free_job(p);

	if (e->state == EDIT_PUSHED && !e->shown) {
		uint64_t id = e->id;
		push_show(p, e);
		e = outbox_find(p->sync->options.outbox, id);
		return e && !e->shown && e->next_ms != TIME_NONE ? e->next_ms : TIME_MAX;
	}
	if ((e->state != EDIT_PENDING && e->state != EDIT_SENDING) || is_under_way(p, e))
		return TIME_MAX;
	if (e->next_ms != TIME_NONE && e->next_ms > now)
		return e->next_ms;
	/* A place becomes free with a look. */
	if (!job || is_held_back(p->sync->options.outbox, e))
		return TIME_MAX;
	return push_job_start(job, e) ? TIME_MAX : now + push_later_ms(p);
}

void push_look(struct sync *s)
{
	struct push *p = s->push;
	int64_t next = TIME_MAX, now;

	if (!p || p->looking || p->stopped || !may_ask(s) ||
	    outbox_overlaid(s->options.outbox, NULL) == 0)
		return;
	p->looking = true;
	now = sync_provider_now(s);
	for (const struct edit *e = outbox_next(s->options.outbox, 0); e;) {
		uint64_t id = e->id;
		int64_t at = look_at(p, e, now);
		next = at < next ? at : next;
		e = outbox_next(s->options.outbox, id);
	}
	p->looking = false;
	if (next != TIME_MAX)
		timer_start(p->timer, next > now ? next - now : 1, 0);
}

void sync_edits(struct sync *s)
{
	if (s->push && !s->push->stopped)
		timer_start(s->push->timer, 0, 0);
}

/* ---- what people decide ---- */

int sync_edit_check(struct sync *s, const struct resource_type *type, struct bytes id,
		    struct bytes doc, struct bytes set, struct why *why)
{
	/* Who the token acts as is not known before the provider was asked: then it is found out when the edit is pushed. */
	struct change change = {.set = set, .doc = doc, .actor = s->identified ? s->actor : "?"};
	struct ask ask = {.kind = ASK_CHANGE, .type = type, .id = id, .change = &change};
	struct call call;
	int rc = write_call(s->line.account, &ask, &call, NULL, why);

	if (rc != 1)
		return rc == 0 ? 1 : rc;
	call_release(&call);
	return 0;
}

static int check_decision(const struct edit *e, bool mine, struct why *why)
{
	if (e->state == EDIT_SENDING)
		return why_set(why, ERR_BUSY,
			       "edit %llu may have reached the provider: try again when that is known",
			       (unsigned long long)e->id);
	if (e->state == EDIT_CONFLICT || e->state == EDIT_FAILED ||
	    (e->state == EDIT_PENDING && !mine))
		return 0;
	return why_set(why, ERR_INVALID, "edit %llu is %s: there is nothing to be decided",
		       (unsigned long long)e->id, edit_state_name(e->state));
}

int sync_edit_resolve(struct sync *s, uint64_t id, bool mine, outbox_done *done, void *ctx,
		      struct why *why)
{
	const struct edit *now = s->push ? outbox_find(s->options.outbox, id) : NULL;
	struct edit e;
	int rc;

	if (!now)
		return why_set(why, ERR_NOTFOUND, "there is no edit %llu", (unsigned long long)id);
	rc = check_decision(now, mine, why);
	if (rc)
		return rc;
	e = *now;
	if (mine && e.state == EDIT_CONFLICT && e.theirs.len)
		e.base = e.theirs;
	if (mine && e.state == EDIT_FAILED && e.sent_ms != TIME_NONE)
		e.state = EDIT_SENDING;
	else
		e.state = mine ? EDIT_PENDING : EDIT_DROPPED;
	e.theirs = (struct bytes){0};
	e.attempts = 0;
	e.next_ms = TIME_NONE;
	e.error[0] = 0;
	e.changed_ms = sync_provider_now(s);
	rc = outbox_change(s->options.outbox, &e, done, ctx, why);
	sync_edits(s);
	return rc;
}
