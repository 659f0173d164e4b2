/*
 * method_verify: everything on disk is read and checked, in slices between all other work; what is damaged is set aside and planned to be read again.
 *
 *   checking (a slice with each turn, source by source) ─> settling (the stores' commits that set damage aside) ─> answered
 *
 * One at a time: it reads the whole disk. It ends with its connection; what it has found by then is set aside all the same.
 */
#include "method.h"
#include "pairs.h"
#include "params.h"

#include <base/log.h>
#include <codec/msgpack.h>

#include <stdlib.h>

#define STEP_BYTES    (24 * 1024) /* about half a millisecond */
#define PROGRESS_MS   100
#define SETTLE_MS     20
#define SETTLE_MAX_MS 10000 /* a sync that waits for its provider holds the store's transaction */
#define DAMAGED_MAX   1000  /* told one by one */

struct checked {
	uint64_t files, bytes, bad;
	int64_t took_us;
	bool settles; /* something of it is set aside or written anew */
	bool refetch; /* … and its records are read again */
};

struct verify {
	struct request *request;
	struct source *sources;
	size_t count, at;
	struct checked *checked; /* of each source */
	struct store_check *check;
	struct task *task;
	struct timer *timer;
	struct buf damaged;
	uint32_t damaged_count;
	int64_t began_us, told_ms, settle_until_ms;
};

static void verify_release(struct request *r)
{
	struct verify *v = r->state;

	r->daemon->verifying = false;
	store_check_free(v->check);
	task_free(v->task);
	timer_free(v->timer);
	buf_release(&v->damaged);
	free(v->checked);
	free(v);
}

static const char *action_word(enum store_action action)
{
	static const char *const words[] = {[STORE_QUARANTINES] = "quarantined",
					    [STORE_REWRITES] = "rewritten",
					    [STORE_LEAVES] = "none",
					    [STORE_ENDS] = "removed",
					    [STORE_FORGETS] = "none"};

	return words[action];
}

static void on_found(void *ctx, const struct store_damage *d)
{
	struct verify *v = ctx;
	const struct source *s = &v->sources[v->at];
	struct checked *c = &v->checked[v->at];
	struct buf *out = &v->damaged;

	log_error("ficd", "damage found source=%s file=%s: %s", s->config->name, d->file, d->words);
	c->settles |= d->action == STORE_QUARANTINES || d->action == STORE_REWRITES;
	c->refetch |= d->action == STORE_QUARANTINES && d->records > 0 && s->token.len > 0;
	if (v->damaged_count == DAMAGED_MAX)
		return;
	v->damaged_count++;
	mp_put_map(out, 8);
	put_text(out, "source", s->config->name);
	put_text(out, "file", d->file);
	put_text(out, "resource", d->resource);
	put_time(out, "start", d->span.start_ms);
	put_time(out, "end", d->span.start_ms == TIME_NONE ? TIME_NONE : d->span.end_ms);
	put_integer(out, "records", (int64_t)d->records);
	put_text(out, "what", d->words);
	put_text(out, "action", action_word(d->action));
}

static void tell_progress(struct verify *v, double ratio)
{
	struct daemon *d = v->request->daemon;
	int64_t now = loop_mono_ms(d->loop), us = clock_mono_us() - v->began_us;
	struct buf params = {0};
	uint64_t files, bytes;

	if (now - v->told_ms < PROGRESS_MS)
		return;
	v->told_ms = now;
	store_check_read(v->check, &files, &bytes);
	mp_put_map(&params, 8);
	put_text(&params, "source", v->sources[v->at].config->name);
	put_text(&params, "resource", "store");
	put_integer(&params, "run", (int64_t)v->at + 1);
	put_text(&params, "phase", "verify");
	put_integer(&params, "done", (int64_t)bytes);
	mp_put_cstr(&params, "total");
	mp_put_nil(&params);
	put_real(&params, "ratio", ratio);
	put_real(&params, "rate", us > 0 ? (double)bytes * 1e6 / (double)us : 0);
	request_notify(v->request, "progress", buf_bytes(&params));
	buf_release(&params);
}

/* ---- the answer ---- */

static void put_sources(struct verify *v, struct buf *out)
{
	mp_put_cstr(out, "sources");
	mp_put_array(out, (uint32_t)v->count);
	for (size_t i = 0; i < v->count; i++) {
		const struct checked *c = &v->checked[i];
		mp_put_map(out, 7);
		put_text(out, "source", v->sources[i].config->name);
		put_integer(out, "files", (int64_t)c->files);
		put_integer(out, "bytes", (int64_t)c->bytes);
		put_integer(out, "damaged", (int64_t)c->bad);
		put_integer(out, "duration_ms", c->took_us / 1000);
		put_bool(out, "settled", !c->settles || !store_damaged(v->sources[i].store));
		put_bool(out, "refetch", c->refetch);
	}
}

static void answer(struct verify *v)
{
	struct request *r = v->request;
	struct buf *out = &r->result;
	uint64_t files = 0, bytes = 0, bad = 0;

	for (size_t i = 0; i < v->count; i++) {
		files += v->checked[i].files;
		bytes += v->checked[i].bytes;
		bad += v->checked[i].bad;
	}
	mp_put_map(out, 6);
	put_integer(out, "files", (int64_t)files);
	put_integer(out, "bytes", (int64_t)bytes);
	put_integer(out, "damage", (int64_t)bad);
	put_integer(out, "duration_ms", (clock_mono_us() - v->began_us) / 1000);
	put_sources(v, out);
	mp_put_cstr(out, "damaged");
	mp_put_array(out, v->damaged_count);
	buf_put_bytes(out, buf_bytes(&v->damaged));
	if (v->damaged.error)
		out->error = v->damaged.error;
	log_info("ficd", "verified files=%llu bytes=%llu damaged=%llu", (unsigned long long)files,
		 (unsigned long long)bytes, (unsigned long long)bad);
	request_answer(r);
}

/* The stores set aside what was found as soon as no transaction is in the way. */
static void on_settle(void *ctx)
{
	struct verify *v = ctx;
	bool wait = false;

	for (size_t i = 0; i < v->count; i++)
		wait |= v->checked[i].settles && store_damaged(v->sources[i].store);
	if (wait && loop_mono_ms(v->request->daemon->loop) < v->settle_until_ms)
		timer_start(v->timer, SETTLE_MS, 0);
	else
		answer(v);
}

static void settle(struct verify *v)
{
	v->settle_until_ms = loop_mono_ms(v->request->daemon->loop) + SETTLE_MAX_MS;
	for (size_t i = 0; i < v->count; i++)
		if (v->checked[i].settles)
			sync_repair(v->sources[i].sync);
	timer_start(v->timer, 0, 0);
}

/* ---- checking ---- */

/* False: the error was sent. */
static bool begin_source(struct verify *v)
{
	v->check = store_check_new(v->sources[v->at].store);
	if (!v->check) {
		request_error(v->request, RPC_INTERNAL, "no_memory", NULL, "out of memory");
		return false;
	}
	store_check_tell(v->check, on_found, v);
	v->checked[v->at].took_us = -clock_mono_us();
	return true;
}

static void end_source(struct verify *v, uint64_t bad)
{
	struct checked *c = &v->checked[v->at];

	store_check_read(v->check, &c->files, &c->bytes);
	c->bad = bad;
	c->took_us += clock_mono_us();
	store_check_free(v->check);
	v->check = NULL;
	v->at++;
}

static bool on_step(void *ctx)
{
	struct verify *v = ctx;
	uint64_t bad;
	double ratio;

	if (v->request->daemon->stopping) {
		request_error(v->request, RPC_UNAVAILABLE, "stopping",
			      "ask again when it runs again", "the daemon is shutting down");
		return false;
	}
	if (!v->check && !begin_source(v))
		return false;
	int rc = store_check_step(v->check, STEP_BYTES, &bad, &ratio);
	if (rc == 1) {
		tell_progress(v, ratio);
		return true;
	}
	if (rc < 0) {
		request_error(v->request, RPC_INTERNAL, "no_memory", NULL,
			      "out of memory: not everything was checked");
		return false;
	}
	end_source(v, bad);
	if (v->at < v->count)
		return true;
	settle(v);
	return false;
}

void method_verify(struct request *r)
{
	struct daemon *d = r->daemon;
	struct source *sources;
	size_t count;

	if (!param_sources(r, &sources, &count))
		return;
	if (d->verifying) {
		request_error(r, RPC_BUSY, "verifying", "ask again when it has ended",
			      "everything is being verified already");
		return;
	}
	struct verify *v = calloc(1, sizeof *v);
	if (!v) {
		request_error(r, RPC_INTERNAL, "no_memory", NULL, "out of memory");
		return;
	}
	*v = (struct verify){.request = r,
			     .sources = sources,
			     .count = count,
			     .checked = calloc(count, sizeof *v->checked),
			     .task = task_new(d->loop, on_step, v),
			     .timer = timer_new(d->loop, on_settle, v),
			     .began_us = clock_mono_us(),
			     .told_ms = loop_mono_ms(d->loop) - PROGRESS_MS};
	d->verifying = true;
	r->state = v;
	r->release = verify_release;
	if (!v->checked || !v->task || !v->timer)
		request_error(r, RPC_INTERNAL, "no_memory", NULL, "out of memory");
	else
		task_start(v->task);
}
