/* live: see the header. Waits for runs, never makes one but by a wish; what it says of an answer is what a run has proven. */
#include "live.h"

#include "pairs.h"

#include <codec/msgpack.h>

#include <stdio.h>
#include <stdlib.h>

struct waiter {
	struct waiter *next;
	struct request *request;
	struct live *live; /* of the request */
	struct lookup *lookup;
	struct timer *timer; /* its end: of patience, or of the lookup */
	bool over;           /* the lookup has ended */
};

struct lookup {
	struct lookup *next; /* of the source, oldest first */
	struct source *source;
	struct buf key;
	struct arena arena;
	struct sync_search search;
	struct bytes id; /* of the one record; {NULL, 0}: a search */
	bool begun, limited;
	int64_t asked_ms;
	struct waiter *waiters;
};

/* ---- the lookup ---- */

static void lookup_free(struct lookup *l)
{
	struct lookup **at = &l->source->lookups;

	while (*at && *at != l)
		at = &(*at)->next;
	if (*at)
		*at = l->next;
	arena_release(&l->arena);
	buf_release(&l->key);
	free(l);
}

void live_close(struct source *s)
{
	while (s->lookups)
		lookup_free(s->lookups);
}

static void put_value(struct buf *key, struct bytes value)
{
	buf_printf(key, "%zu:", value.len);
	buf_put_bytes(key, value);
}

/* Equal questions have equal keys. */
static void make_key(struct lookup *l)
{
	const struct sync_search *s = &l->search;

	buf_printf(&l->key, "%s %zu ", s->type->name, l->id.len);
	buf_put_bytes(&l->key, l->id);
	if (l->id.len)
		return;
	/* A search knows whole seconds. */
	buf_printf(&l->key, " %d %lld %lld", s->created, (long long)(s->start_ms / 1000),
		   (long long)(s->end_ms / 1000));
	for (size_t i = 0; i < s->seek.count; i++) {
		const struct seek_term *t = &s->seek.terms[i];
		buf_printf(&l->key, " %s/%d", t->field ? t->field->name : "", (int)t->op);
		for (size_t k = 0; k < t->count; k++)
			put_value(&l->key, t->values[k]);
	}
}

static struct lookup *equal_of(const struct lookup *l)
{
	struct lookup *other = l->source->lookups;

	while (other && !bytes_equal(buf_bytes(&other->key), buf_bytes(&l->key)))
		other = other->next;
	return other;
}

static unsigned lookups_of(const struct source *s)
{
	unsigned n = 0;

	for (const struct lookup *l = s->lookups; l; l = l->next)
		n++;
	return n;
}

/* ---- the end ---- */

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* It was said to be gone, of what is held: the letter asks once more before anything is deleted. */
static bool has_letter(const struct lookup *l)
{
	struct dead_entry e = {0};

	while (sync_dead_next(l->source->sync, e.number, &e))
		if (strcmp(e.letter->resource, l->search.type->name) == 0 &&
		    bytes_is(l->id, e.letter->id))
			return true;
	return false;
}

static void fail(struct live *live, const char *reason, const char *message)
{
	live->reason = reason;
	snprintf(live->message, sizeof live->message, "%s", message);
}

static void tell(const struct lookup *l, struct live *live)
{
	live->asked_ms = l->asked_ms;
	live->limited = l->limited || l->search.more;
	live->count = l->search.count;
	memcpy(live->ids, l->search.ids, sizeof live->ids);
	qsort(live->ids, live->count, sizeof live->ids[0], by_number);
	if (l->search.more)
		snprintf(live->message, sizeof live->message,
			 "the provider has more that fit: its newest %zu were asked for",
			 l->search.count);
	else if (l->limited)
		snprintf(live->message, sizeof live->message,
			 "the provider's search does not look everywhere: %s",
			 l->source->provider->seeks_less);
	if (l->id.len && has_letter(l))
		fail(live, "gone",
		     "the provider says that it is gone: it is asked once more before it is deleted here");
}

static void pause_after(struct source *s, bool failed)
{
	int64_t pause = LIVE_PAUSE_MS;

	if (!failed) {
		s->live_failures = 0;
		return;
	}
	for (unsigned i = 0; i < s->live_failures && pause < LIVE_PAUSE_MAX_MS; i++)
		pause *= 2;
	s->live_failures++;
	s->live_mono_ms = loop_mono_ms(s->daemon->loop) +
			  (pause < LIVE_PAUSE_MAX_MS ? pause : LIVE_PAUSE_MAX_MS);
}

static void lookup_begin_next(struct source *s);

/* `error` NULL: all is stored. The questions are answered from the loop: the run is still being put away. */
static void lookup_end(struct lookup *l, const char *error)
{
	struct source *s = l->source;

	for (struct waiter *w = l->waiters; w; w = w->next) {
		if (error)
			fail(w->live, "failed", error);
		else
			tell(l, w->live);
		w->over = true;
		w->lookup = NULL;
		timer_start(w->timer, 0, 0);
	}
	lookup_free(l);
	lookup_begin_next(s);
}

static void on_ended(void *ctx, const struct run_info *run)
{
	struct lookup *l = ctx;
	bool stopped = run->outcome == RUN_CANCELED;

	if (!stopped)
		pause_after(l->source, run->outcome != RUN_OK);
	lookup_end(l, run->outcome == RUN_OK ? NULL : run->error[0] ? run->error : "it failed");
}

/* ---- the beginning ---- */

/* 0, ERR_BUSY: it waits for its turn; or an error. */
static int lookup_begin(struct lookup *l, struct why *why)
{
	struct sync *sync = l->source->sync;
	const struct run_watch watch = {.ended = on_ended, .ctx = l};
	uint64_t run;
	int rc = l->id.len ? sync_wish_ids(sync, l->search.type, &l->id, 1, &run, why)
			   : sync_search(sync, &l->search, &watch, why);

	if (rc == 0 && l->id.len)
		rc = sync_watch(sync, run, &watch);
	if (rc)
		return rc;
	l->begun = true;
	l->asked_ms = loop_wall_ms(l->source->daemon->loop);
	return 0;
}

static void lookup_begin_next(struct source *s)
{
	struct why why = {""};

	for (struct lookup *l = s->lookups, *next; l; l = next) {
		next = l->next;
		if (!l->begun && lookup_begin(l, &why) == 0)
			return;
	}
}

/* Out of patience, or canceled: what has begun goes on, what has not is forgotten. */
static void waiter_leave(struct waiter *w)
{
	struct lookup *l = w->lookup;
	struct waiter **at;

	if (!l)
		return;
	for (at = &l->waiters; *at != w; at = &(*at)->next)
		continue;
	*at = w->next;
	w->lookup = NULL;
	if (!l->waiters && !l->begun)
		lookup_free(l);
}

static void waiter_release(struct request *r)
{
	struct waiter *w = r->state;

	waiter_leave(w);
	timer_free(w->timer);
	free(w);
}

static void on_timer(void *ctx)
{
	struct waiter *w = ctx;
	struct request *r = w->request;
	struct sync_state state;

	if (!w->over) {
		sync_state(w->lookup->source->sync, &state);
		if (state.wait_ms > 0 || (state.trouble && strcmp(state.trouble, "rate-limited") == 0))
			fail(w->live, "rate-limited", "the budget of calls is used up for now");
		else
			fail(w->live, "timeout", "the provider has not answered in time");
	}
	r->waited = true;
	request_restart(r);
}

/* ---- the question ---- */

/* Why nothing is asked now, whatever the question; NULL: nothing is wrong. */
static const char *trouble_of(const struct source *s, int64_t timeout_ms, struct live *live)
{
	struct sync_state state;

	sync_state(s->sync, &state);
	if (s->token.len == 0 || s->token_error[0])
		fail(live, "auth", "there is no usable token");
	else if (state.trouble || state.breaker != BREAKER_CLOSED)
		fail(live, state.trouble ? state.trouble : "source-error",
		     state.error ? state.error : "the provider is not well");
	else if (loop_mono_ms(s->daemon->loop) < s->live_mono_ms)
		fail(live, "backoff", "the last live questions failed: it is left alone for a moment");
	else if (state.wait_ms > timeout_ms)
		fail(live, "rate-limited", "the budget of calls is used up for now");
	return live->reason;
}

/* 0, or an error: `why` says what cannot be asked. */
static int lookup_fill(struct lookup *l, const struct reading *g, const struct live_question *q,
		       struct why *why)
{
	const struct source *s = g->source;
	const struct account account = {s->provider, s->base_url, s->config->version};
	struct sync_search *search = &l->search;
	bool left_out;

	search->type = g->type;
	search->created = g->question.axis == AXIS_CREATED;
	search->start_ms = g->question.start_ms;
	search->end_ms = g->question.end_ms;
	if (q->never)
		return why_set(why, ERR_INVALID, "no provider can be asked for this");
	if (q->id.len) {
		l->id = arena_bytes(&l->arena, q->id);
		return g->type->traits & TRAIT_ONE
			       ? 0
			       : why_set(why, ERR_INVALID, "the provider does not give single %s",
					 g->type->name);
	}
	bool spanned = search->start_ms != TIME_MIN || search->end_ms != TIME_MAX;
	left_out = live_seek(q, &l->arena, &search->seek);
	int rc = provider_seek(&account, g->type, spanned, &search->seek, why);
	if (rc == 0 && left_out && !spanned && search->seek.count == 0)
		rc = why_set(why, ERR_INVALID, "the provider's search has no words for this question");
	l->limited = search->seek.less;
	return rc;
}

static struct lookup *lookup_new(const struct reading *g, const struct live_question *q,
				 struct live *live)
{
	struct lookup *l = calloc(1, sizeof *l);
	struct why why = {"out of memory"};

	if (!l) {
		fail(live, "failed", why.text);
		return NULL;
	}
	l->source = g->source;
	int rc = lookup_fill(l, g, q, &why);
	make_key(l);
	if (rc == 0 && (l->key.error || (q->id.len && !l->id.data)))
		rc = ERR_NOMEM;
	if (rc == 0)
		return l;
	fail(live, rc == ERR_INVALID ? "cannot" : "failed", why.text);
	lookup_free(l);
	return NULL;
}

/* Its equal that is under way, or itself, begun or in its place. NULL: live says why not. */
static struct lookup *lookup_join(struct lookup *l, struct live *live)
{
	struct source *s = l->source;
	struct lookup *other = equal_of(l), **at = &s->lookups;
	struct why why = {"too many live questions wait for their turn"};

	if (other) {
		lookup_free(l);
		return other;
	}
	int rc = lookups_of(s) < LIVE_LOOKUPS_MAX ? lookup_begin(l, &why) : ERR_LIMIT;
	if (rc && rc != ERR_BUSY) {
		fail(live, rc == ERR_INVALID ? "cannot" : "busy", why.text);
		lookup_free(l);
		return NULL;
	}
	while (*at)
		at = &(*at)->next;
	*at = l;
	return l;
}

static bool park(struct request *r, struct lookup *l, struct waiter *w, int64_t timeout_ms)
{
	w->request = r;
	w->lookup = l;
	w->next = l->waiters;
	l->waiters = w;
	/* Whatever the request has by now is not needed any more: it begins again. */
	if (r->release)
		r->release(r);
	r->state = w;
	r->release = waiter_release;
	timer_start(w->timer, timeout_ms, 0);
	return true;
}

struct live *live_of(const struct request *r, const struct source *s)
{
	struct live *live = r->live ? &r->live[s - r->daemon->sources] : NULL;

	return live && live->begun ? live : NULL;
}

static struct live *live_begin(const struct reading *g)
{
	struct request *r = g->request;

	if (!r->live)
		r->live = calloc(r->daemon->source_count, sizeof *r->live);
	if (!r->live)
		return NULL;
	struct live *live = &r->live[g->source - r->daemon->sources];
	live->begun = true;
	live->asked_ms = TIME_NONE;
	live->single = g->asks.id.len > 0;
	return live;
}

bool live_wait(struct reading *g, int64_t timeout_ms)
{
	const struct live_question *q = &g->asks;
	struct request *r = g->request;
	struct live *live;
	struct waiter *w;
	struct lookup *l;

	if ((r->waited && !r->live) || live_of(r, g->source))
		return false;
	live = live_begin(g);
	l = live ? lookup_new(g, q, live) : NULL;
	if (!l)
		return false;
	w = trouble_of(g->source, timeout_ms, live) ? NULL : calloc(1, sizeof *w);
	if (w && !(w->timer = timer_new(r->daemon->loop, on_timer, w))) {
		free(w);
		w = NULL;
	}
	if (!w) {
		lookup_free(l);
		return false;
	}
	w->live = live;
	l = lookup_join(l, live);
	if (l)
		return park(r, l, w, timeout_ms);
	timer_free(w->timer);
	free(w);
	return false;
}

/* ---- the answer ---- */

/* What came of asking the source that the row is of; NULL: it was not to be asked. */
static struct live *live_of_row(struct request *r, struct bytes row)
{
	const struct daemon *d = r->daemon;
	struct bytes name;

	for (size_t i = 0; mp_find_str(row, "source", &name) && i < d->source_count; i++)
		if (bytes_is(name, d->sources[i].config->name))
			return live_of(r, &d->sources[i]);
	return NULL;
}

void live_look(struct request *r, struct bytes rows)
{
	struct mp_reader reader = mp_reader_of(rows);
	struct bytes row, id;

	while (r->live && mp_take(&reader, &row) == 1) {
		struct live *live = live_of_row(r, row);
		uint64_t hash = mp_find_str(row, "id", &id) ? bytes_hash(id) : 0;
		if (!live || live->single)
			continue;
		live->rows++;
		live->confirmed += bsearch(&hash, live->ids, live->count, sizeof hash, by_number) !=
				   NULL;
	}
}

const char *live_source(const struct live *live, bool over)
{
	if (!live || live->reason)
		return "cache";
	if (live->single)
		return "live";
	return over && live->confirmed == live->rows && (live->rows || !live->limited) ? "live"
										       : "mixed";
}

unsigned live_pairs(const struct live *live)
{
	return live != NULL;
}

void live_put(const struct live *live, struct buf *out)
{
	char when[TIME_TEXT_MAX];

	if (!live)
		return;
	mp_put_cstr(out, "live");
	mp_put_map(out, live->single ? 3 : 5);
	put_text(out, "asked",
		 live->asked_ms == TIME_NONE ? NULL : time_text(live->asked_ms, false, when));
	if (!live->single) {
		put_integer(out, "found", (int64_t)live->count);
		put_bool(out, "limited", live->limited);
	}
	put_text(out, "reason", live->reason);
	put_text(out, "message", live->message[0] ? live->message : NULL);
}

bool live_knows_absent(const struct reading *g)
{
	for (; g; g = g->next) {
		const struct live *live = live_of(g->request, g->source);
		if (!live || !live->single || live->reason)
			return false;
	}
	return true;
}
