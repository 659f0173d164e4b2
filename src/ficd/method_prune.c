/*
 * method_prune: what is older than `retain` allows is dropped now instead of at its next turn, and the journals are written out, so that the stores merge what
 * they can. With dry_run it is counted, in slices, by the same rule (store.h, txn_retain_threads), and nothing is changed.
 *
 *   (of each source) counting what would go ─> dropping, unless it is a dry run ─> … ─> answered
 */
#include "method.h"
#include "pairs.h"
#include "params.h"

#include <codec/msgpack.h>

#include <stdlib.h>

#define STEP_ROWS 32 /* about half a millisecond: each may look for its children */

struct prune {
	struct request *request;
	struct source *sources;
	size_t count, at;
	bool dry_run;
	const struct resource_type *type; /* that is counted */
	struct snapshot *view;
	struct scan *scan;
	struct task *task;
	int64_t kept_from_ms;
	uint64_t threads, children, bytes;
	uint64_t threads_before, children_before, disk_before;
	struct buf rows;
	uint32_t rows_count;
};

static void counting_release(struct prune *p)
{
	scan_close(p->scan);
	snapshot_free(p->view);
	p->scan = NULL;
	p->view = NULL;
}

static void prune_release(struct request *r)
{
	struct prune *p = r->state;

	for (size_t i = 0; i < p->count; i++)
		sync_retain_forget(p->sources[i].sync, p);
	counting_release(p);
	task_free(p->task);
	buf_release(&p->rows);
	free(p);
}

/* ---- the answer ---- */

static void put_row(struct prune *p, const char *resource, uint64_t records)
{
	struct buf *out = &p->rows;

	p->rows_count++;
	mp_put_map(out, 4);
	put_text(out, "source", p->sources[p->at].config->name);
	put_text(out, "resource", resource);
	put_time(out, "kept_from", p->kept_from_ms);
	put_integer(out, "records", (int64_t)records);
}

static uint64_t disk_bytes(const struct prune *p)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < p->count; i++) {
		struct store_stats one;
		store_stats(p->sources[i].store, &one);
		sum += one.disk_bytes;
	}
	return sum;
}

static void answer(struct prune *p)
{
	struct buf *out = &p->request->result;

	mp_put_map(out, 4);
	put_bool(out, "dry_run", p->dry_run);
	put_integer(out, "bytes_before", (int64_t)p->disk_before);
	put_integer(out, "bytes", (int64_t)disk_bytes(p));
	mp_put_cstr(out, "dropped");
	mp_put_array(out, p->rows_count);
	buf_put_bytes(out, buf_bytes(&p->rows));
	if (p->rows.error)
		out->error = p->rows.error;
	request_answer(p->request);
}

static void fail(struct prune *p, int rc, const char *words)
{
	request_error(p->request,
		      rc == ERR_BUSY      ? RPC_BUSY
		      : rc == ERR_CORRUPT ? RPC_UNAVAILABLE
					  : RPC_INTERNAL,
		      err_name(rc), rc == ERR_CORRUPT ? "run 'ficq verify'" : NULL, "%s", words);
}

/* ---- one source ---- */

/* The windowed resource that has something to drop; NULL: none. A provider has at most one with children. */
static const struct resource_type *windowed(const struct source *s)
{
	for (const struct resource_type *t = s->provider->types; t->name; t++)
		if ((t->traits & TRAIT_WINDOWED) && !(t->traits & TRAIT_CHILD) &&
		    source_type(s, bytes_str(t->name)) &&
		    sync_retain_start(s->sync, t->name) > TIME_MIN)
			return t;
	return NULL;
}

static void counts(const struct prune *p, uint64_t *threads, uint64_t *children)
{
	struct snapshot *view = snapshot_new(p->sources[p->at].store);

	*threads = view ? snapshot_count(view, p->type->name) : 0;
	*children = view && p->type->child ? snapshot_count(view, p->type->child) : 0;
	snapshot_free(view);
}

/* The children of a thread; -1 when one is from the moment on, an error, or their number. */
static int64_t children_of(const struct prune *p, struct bytes id)
{
	struct scan_spec spec = {.resource = p->type->child,
				 .start_ms = TIME_MIN,
				 .end_ms = TIME_MAX,
				 .descending = true,
				 .parent = id};
	struct scan *scan;
	struct scan_row row;
	int64_t n = 0;
	int rc = p->type->child ? scan_open(p->view, &spec, &scan, NULL) : ERR_NOTFOUND;

	if (rc)
		return rc == ERR_NOTFOUND ? 0 : rc - 1;
	while ((rc = scan_next(scan, &row)) == 1) {
		if (row.created_ms >= p->kept_from_ms)
			break;
		n++;
	}
	scan_close(scan);
	return rc == 1 ? -1 : rc ? rc - 1 : n;
}

/* True: there is one to work at; else it was answered. */
static bool next_source(struct prune *p)
{
	for (; p->at < p->count; p->at++) {
		const struct source *s = &p->sources[p->at];
		p->type = windowed(s);
		if (!p->type)
			continue;
		p->kept_from_ms = sync_retain_start(s->sync, p->type->name);
		p->threads = p->children = 0;
		return true;
	}
	if (!p->dry_run)
		for (size_t i = 0; i < p->count; i++) {
			store_flush(p->sources[i].store);
			store_scrub(p->sources[i].store);
		}
	answer(p);
	return false;
}

static bool source_over(struct prune *p)
{
	put_row(p, p->type->name, p->threads);
	if (p->type->child)
		put_row(p, p->type->child, p->children);
	p->at++;
	return next_source(p);
}

static void on_retained(void *ctx, int rc, const struct why *why)
{
	struct prune *p = ctx;
	uint64_t threads, children;

	if (rc) {
		fail(p, rc, why->text);
		return;
	}
	counts(p, &threads, &children);
	p->threads = p->threads_before > threads ? p->threads_before - threads : 0;
	p->children = p->children_before > children ? p->children_before - children : 0;
	if (source_over(p))
		task_start(p->task);
}

static void drop(struct prune *p)
{
	counts(p, &p->threads_before, &p->children_before);
	if (sync_retain(p->sources[p->at].sync, on_retained, p))
		fail(p, ERR_BUSY, "it is being pruned already, or the daemon is shutting down");
}

/* 1: there is more, 0: everything was counted, or an error. */
static int count_slice(struct prune *p)
{
	struct scan_spec spec = {.resource = p->type->name,
				 .axis = AXIS_CREATED,
				 .start_ms = TIME_MIN,
				 .end_ms = p->kept_from_ms};
	struct bytes id, parent;
	struct scan_row row;
	int rc = 1;

	if (!p->view) {
		p->view = snapshot_new(p->sources[p->at].store);
		if (!p->view || scan_open(p->view, &spec, &p->scan, NULL))
			return ERR_NOMEM;
	}
	for (int i = 0; i < STEP_ROWS && (rc = scan_next(p->scan, &row)) == 1; i++) {
		if (row.updated_ms != TIME_NONE && row.updated_ms >= p->kept_from_ms)
			continue;
		rc = scan_names(p->scan, &id, &parent);
		int64_t n = rc == 1 ? children_of(p, id) : 0;
		if (rc < 0 || n < -1)
			return rc < 0 ? rc : (int)(n + 1);
		p->threads += n >= 0;
		p->children += n > 0 ? (uint64_t)n : 0;
	}
	return rc;
}

static bool on_step(void *ctx)
{
	struct prune *p = ctx;
	int rc = p->dry_run ? count_slice(p) : 0;

	if (rc == 1)
		return true;
	counting_release(p);
	if (rc < 0) {
		if (rc == ERR_CORRUPT)
			sync_repair(p->sources[p->at].sync);
		fail(p, rc,
		     rc == ERR_CORRUPT ? "stored records are damaged and are being read again"
				       : "cannot read what is stored");
	} else if (p->dry_run) {
		return source_over(p);
	} else {
		drop(p);
	}
	return false;
}

void method_prune(struct request *r)
{
	struct source *sources;
	size_t count;

	if (!param_sources(r, &sources, &count))
		return;
	struct prune *p = calloc(1, sizeof *p);
	if (!p) {
		request_error(r, RPC_INTERNAL, "no_memory", NULL, "out of memory");
		return;
	}
	*p = (struct prune){.request = r,
			    .sources = sources,
			    .count = count,
			    .dry_run = param_bool(r, "dry_run"),
			    .task = task_new(r->daemon->loop, on_step, p)};
	r->state = p;
	r->release = prune_release;
	p->disk_before = disk_bytes(p);
	if (!p->task)
		request_error(r, RPC_INTERNAL, "no_memory", NULL, "out of memory");
	else if (next_source(p))
		task_start(p->task);
}
