/* deliver: see the header. Never waits: an attempt is under way, or a timer. */
#include "deliver.h"

#include <base/log.h>

#include <stdio.h>
#include <stdlib.h>

#define QUEUE_MAX  8 /* notices of one way; of more the oldest is given up */
#define GIVE_UP_MS (24 * INT64_C(3600000))

static const int64_t pauses_ms[] = {5000, 30000, 120000, 600000, 3600000};

struct lane {
	struct deliver *deliver;
	enum way way;
	struct notice *queue[QUEUE_MAX]; /* the first one is being sent */
	unsigned count;
	unsigned failures;       /* of the first one, in a row */
	int64_t first_mono_ms;   /* when it was tried first */
	struct attempt *attempt; /* NULL: none is under way */
	struct timer *timer;     /* the pause */
	uint64_t sent, failed, dropped;
	int64_t sent_ms;
	char error[160];
};

struct deliver {
	struct daemon *daemon;
	const struct config_alert *alert;
	char name[CONFIG_NAME_MAX + 1];
	struct lane lanes[WAYS];
};

static void lane_go(struct lane *l);

static void take_first(struct lane *l)
{
	notice_leave(l->queue[0]);
	memmove(l->queue, l->queue + 1, --l->count * sizeof *l->queue);
	l->failures = 0;
}

static void give_up(struct lane *l, const char *reason)
{
	log_error("alert", "%s: a notice by %s was given up (%s): %s", l->deliver->name,
		  way_name(l->way), reason, buf_text(&l->queue[0]->subject));
	l->dropped++;
	take_first(l);
}

static void failed(struct lane *l, const char *error)
{
	size_t last = sizeof pauses_ms / sizeof *pauses_ms - 1;
	struct daemon *d = l->deliver->daemon;

	snprintf(l->error, sizeof l->error, "%s", error);
	l->failed++;
	log_warn("alert", "%s: cannot send by %s: %s", l->deliver->name, way_name(l->way), error);
	if (loop_mono_ms(d->loop) - l->first_mono_ms >= GIVE_UP_MS) {
		give_up(l, "tried for a day");
		lane_go(l);
		return;
	}
	timer_start(l->timer, pauses_ms[l->failures < last ? l->failures : last], 0);
	l->failures++;
}

static void on_attempt(void *ctx, const char *error)
{
	struct lane *l = ctx;

	l->attempt = NULL;
	if (error) {
		failed(l, error);
		return;
	}
	l->sent++;
	l->sent_ms = loop_wall_ms(l->deliver->daemon->loop);
	l->error[0] = 0;
	take_first(l);
	lane_go(l);
}

/* The next one, when nothing is under way. */
static void lane_go(struct lane *l)
{
	struct deliver *v = l->deliver;
	struct why why = {""};

	if (l->count == 0 || l->attempt || timer_active(l->timer))
		return;
	if (l->failures == 0)
		l->first_mono_ms = loop_mono_ms(v->daemon->loop);
	l->attempt = attempt_start(v->daemon, v->alert, l->way, l->queue[0], on_attempt, l, &why);
	if (!l->attempt)
		failed(l, why.text);
}

static void on_pause(void *ctx)
{
	lane_go(ctx);
}

/* The first one stays while it is being sent. */
static void make_room(struct lane *l)
{
	if (l->count < QUEUE_MAX)
		return;
	if (!l->attempt) {
		give_up(l, "too many wait");
		return;
	}
	struct notice *second = l->queue[1];
	log_error("alert", "%s: a notice by %s was given up (too many wait): %s", l->deliver->name,
		  way_name(l->way), buf_text(&second->subject));
	l->dropped++;
	notice_leave(second);
	memmove(l->queue + 1, l->queue + 2, (--l->count - 1) * sizeof *l->queue);
}

void deliver_send(struct deliver *v, struct notice *n)
{
	for (int i = 0; i < WAYS; i++) {
		struct lane *l = &v->lanes[i];
		if (!way_set(v->alert, l->way))
			continue;
		make_room(l);
		n->users++;
		l->queue[l->count++] = n;
		lane_go(l);
	}
}

static void lane_empty(struct lane *l)
{
	attempt_cancel(l->attempt);
	l->attempt = NULL;
	if (l->timer)
		timer_stop(l->timer);
	while (l->count)
		take_first(l);
}

void deliver_configure(struct deliver *v, const struct config_alert *a)
{
	v->alert = a;
	for (int i = 0; i < WAYS; i++) {
		if (!way_set(a, v->lanes[i].way))
			lane_empty(&v->lanes[i]);
		else if (timer_active(v->lanes[i].timer))
			timer_start(v->lanes[i].timer, 0, 0); /* what was wrong may be mended */
	}
}

const struct config_alert *deliver_alert(const struct deliver *v)
{
	return v->alert;
}

const char *deliver_name(const struct deliver *v)
{
	return v->name;
}

struct deliver *deliver_new(struct daemon *d, const struct config_alert *a)
{
	struct deliver *v = calloc(1, sizeof *v);
	bool whole = v;

	for (int i = 0; v && i < WAYS; i++) {
		struct lane *l = &v->lanes[i];
		*l = (struct lane){.deliver = v, .way = (enum way)i, .sent_ms = TIME_NONE};
		l->timer = timer_new(d->loop, on_pause, l);
		whole = whole && l->timer;
	}
	if (!whole) {
		deliver_free(v);
		return NULL;
	}
	v->daemon = d;
	v->alert = a;
	snprintf(v->name, sizeof v->name, "%s", a->name);
	return v;
}

void deliver_free(struct deliver *v)
{
	if (!v)
		return;
	for (int i = 0; i < WAYS; i++) {
		lane_empty(&v->lanes[i]);
		timer_free(v->lanes[i].timer);
	}
	free(v);
}

void deliver_state(const struct deliver *v, enum way way, struct deliver_state *out)
{
	const struct lane *l = &v->lanes[way];

	*out = (struct deliver_state){.sent = l->sent,
				      .failed = l->failed,
				      .dropped = l->dropped,
				      .waiting = l->count,
				      .sent_ms = l->sent_ms,
				      .error = l->error};
}
