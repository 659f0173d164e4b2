/*
 * method_forget: a record and all that is under it is erased (sync.h, sync_forget). The answer comes when nothing of it is left on the disk, or, with dry_run, when it is known what
 * that would be. Who asks may go: what was begun goes on.
 */
#include "answers.h"
#include "method.h"
#include "pairs.h"
#include "params.h"

#include <base/log.h>
#include <codec/msgpack.h>

#include <stdlib.h>

#define PROGRESS_MS 200

/* It lives until what was begun is over, which may be long after its asker has gone. */
struct forgetting {
	struct daemon *daemon;
	struct request *request; /* NULL: nobody waits for it any more */
	struct source *source;
	const struct resource_type *type;
	bool dry_run, over;
	struct timer *timer;
	int64_t began_us;
};

static void forget_release(struct request *r)
{
	struct forgetting *g = r->state;
	const struct sync_forgetting *w = g->over ? NULL : sync_forget_state(g->source->sync);

	timer_free(g->timer);
	g->timer = NULL;
	g->request = NULL;
	/* What only looks, or waits for its turn, ends with its asker. */
	if (w && !g->dry_run && strcmp(w->phase, "waiting") != 0)
		return;
	if (w)
		sync_forget_leave(g->source->sync, g);
	free(g);
}

/* ---- progress ---- */

static void on_progress(void *ctx)
{
	struct forgetting *g = ctx;
	const struct sync_forgetting *w = sync_forget_state(g->source->sync);
	struct buf params = {0};

	if (!w)
		return;
	uint64_t done = w->files.bytes > w->left.bytes ? w->files.bytes - w->left.bytes : 0;
	int64_t us = clock_mono_us() - g->began_us;
	mp_put_map(&params, 8);
	put_text(&params, "source", g->source->config->name);
	put_text(&params, "resource", g->type->name);
	put_integer(&params, "run", 1);
	put_text(&params, "phase", w->phase);
	put_integer(&params, "done", (int64_t)done);
	put_integer(&params, "total", (int64_t)w->files.bytes);
	put_real(&params, "ratio", w->files.bytes ? (double)done / (double)w->files.bytes : 0);
	put_real(&params, "rate", us > 0 ? (double)done * 1e6 / (double)us : 0);
	request_notify(g->request, "progress", buf_bytes(&params));
	buf_release(&params);
}

/* ---- the answer ---- */

static void put_erased(const struct forgetting *g, const struct sync_forgetting *w, struct buf *out)
{
	mp_put_cstr(out, "erased");
	mp_put_array(out, (uint32_t)w->resources);
	for (size_t i = 0; i < w->resources; i++) {
		mp_put_map(out, 3);
		put_text(out, "source", g->source->config->name);
		put_text(out, "resource", w->erased[i].resource);
		put_integer(out, "records", (int64_t)w->erased[i].records);
	}
}

static void answer(struct forgetting *g, int rc, const struct sync_forgetting *w, const struct why *why)
{
	struct request *r = g->request;
	struct bytes id;

	if (rc) {
		request_error(r,
			      rc == ERR_BUSY      ? RPC_BUSY
			      : rc == ERR_NOSPACE ? RPC_UNAVAILABLE
						  : RPC_INTERNAL,
			      err_name(rc), NULL, "%s", why->text);
		return;
	}
	param_text(r, "id", &id);
	mp_put_map(&r->result, 8);
	put_text(&r->result, "source", g->source->config->name);
	put_text(&r->result, "resource", g->type->name);
	mp_put_cstr(&r->result, "id");
	mp_put_str(&r->result, id);
	put_bool(&r->result, "dry_run", g->dry_run);
	put_erased(g, w, &r->result);
	put_integer(&r->result, "files", (int64_t)w->files.files);
	put_integer(&r->result, "bytes", (int64_t)w->files.bytes);
	put_integer(&r->result, "duration_ms", (clock_mono_us() - g->began_us) / 1000);
	request_answer(r);
}

static void on_done(void *ctx, int rc, const struct sync_forgetting *w, const struct why *why)
{
	struct forgetting *g = ctx;

	g->over = true;
	if (!rc && !g->dry_run)
		answers_clear(g->daemon->kept);
	if (g->request)
		answer(g, rc, w, why);
	else
		free(g);
}

/* ---- the call ---- */

void method_forget(struct request *r)
{
	struct source *s = param_source(r);
	const struct resource_type *type = s ? param_resource(r, s) : NULL;
	struct why why = {""};
	struct bytes id;

	if (!type)
		return;
	struct forgetting *g = calloc(1, sizeof *g);
	if (!g) {
		request_error(r, RPC_INTERNAL, "no_memory", NULL, "out of memory");
		return;
	}
	*g = (struct forgetting){.daemon = r->daemon,
				 .request = r,
				 .source = s,
				 .type = type,
				 .dry_run = param_bool(r, "dry_run"),
				 .timer = timer_new(r->daemon->loop, on_progress, g),
				 .began_us = clock_mono_us()};
	r->state = g;
	r->release = forget_release;
	param_text(r, "id", &id);
	int rc = g->timer ? sync_forget(s->sync, type, id, g->dry_run, on_done, g, &why) : ERR_NOMEM;
	g->over = rc != 0;
	if (rc)
		request_error(r,
			      rc == ERR_INVALID ? RPC_INVALID_PARAMS
			      : rc == ERR_BUSY  ? RPC_BUSY
						: RPC_INTERNAL,
			      err_name(rc), NULL, "%s", rc == ERR_NOMEM ? "out of memory" : why.text);
	else
		timer_start(g->timer, PROGRESS_MS, PROGRESS_MS);
}
