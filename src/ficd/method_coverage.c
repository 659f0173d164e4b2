/* method_coverage: what is held, and what an answer would be worth. Reads no record. */
#include "method.h"
#include "pairs.h"
#include "params.h"
#include "reading.h"
#include "several.h"

#include <codec/msgpack.h>

/* ---- freshness ---- */

static void put_bounds(struct buf *out, const struct coverage *c, int64_t records)
{
	put_time(out, "coverage_start", c->held.count ? c->held.items[0].start_ms : TIME_NONE);
	put_time(out, "coverage_end", coverage_end(c));
	put_integer(out, "records", records);
}

static void freshness_one(struct request *r, const struct source *s, struct freshness_question *q)
{
	const struct resource_type *type = param_resource(r, s);
	struct snapshot *view;
	struct freshness f;

	if (!type)
		return;
	view = snapshot_new(s->store);
	if (!view || source_judge(s, view, type, q, &f)) {
		snapshot_free(view);
		request_error(r, RPC_INTERNAL, "no_memory", NULL, "out of memory");
		return;
	}
	mp_put_map(&r->result, 4);
	mp_put_cstr(&r->result, "freshness");
	freshness_write(&f, "cache", 0, &r->result);
	r->worth = f.state;
	put_bounds(&r->result, snapshot_coverage(view, type->name),
		   (int64_t)snapshot_count(view, type->name));
	freshness_release(&f);
	snapshot_free(view);
	request_answer(r);
}

/* All sources that have the resource: the worst of their verdicts. */
static void freshness_all(struct request *r, const struct freshness_question *q)
{
	struct reading *first = reading_new(r, NULL);
	int64_t start = TIME_MAX, end = TIME_NONE, records = 0;

	if (!first)
		return;
	first->question = *q;
	reading_share(first);
	for (const struct reading *g = first; g; g = g->next) {
		const struct coverage *c = snapshot_coverage(g->view, g->type->name);
		records += (int64_t)snapshot_count(g->view, g->type->name);
		if (c->held.count && c->held.items[0].start_ms < start)
			start = c->held.items[0].start_ms;
		if (coverage_end(c) > end)
			end = coverage_end(c);
	}
	mp_put_map(&r->result, 4);
	if (reading_freshness(first, 0)) {
		reading_no_memory(first);
		return;
	}
	put_time(&r->result, "coverage_start", start);
	put_time(&r->result, "coverage_end", end);
	put_integer(&r->result, "records", records);
	request_answer(r);
}

void method_freshness(struct request *r)
{
	struct freshness_question q;

	if (param_span(r, &q) || param_duration(r, "max_age", &q.max_age_ms))
		return;
	if (param_all_sources(r)) {
		freshness_all(r, &q);
		return;
	}
	struct source *s = param_source(r);
	if (s)
		freshness_one(r, s, &q);
}

/* ---- coverage ---- */

static void put_span(struct buf *out, int64_t start, int64_t end)
{
	mp_put_array(out, 2);
	put_time_value(out, start);
	put_time_value(out, end);
}

static int put_gaps(struct buf *out, const struct coverage *c, int64_t start, int64_t end)
{
	struct intervals gaps = {0};
	int rc = intervals_gaps(&c->held, start, end, &gaps);

	mp_put_cstr(out, "gaps");
	mp_put_array(out, (uint32_t)gaps.count);
	for (size_t i = 0; i < gaps.count; i++)
		put_span(out, gaps.items[i].start_ms, gaps.items[i].end_ms);
	intervals_release(&gaps);
	return rc;
}

static void put_held(struct buf *out, const struct coverage *c)
{
	mp_put_cstr(out, "intervals");
	mp_put_array(out, (uint32_t)c->held.count);
	for (size_t i = 0; i < c->held.count; i++) {
		mp_put_map(out, 3);
		put_time(out, "start", c->held.items[i].start_ms);
		put_time(out, "end", c->held.items[i].end_ms);
		put_time(out, "as_of", coverage_as_of(c, c->held.items[i]));
	}
}

static int put_coverage(struct buf *out, const struct source *s, const struct snapshot *view,
			const struct resource_type *type)
{
	const struct coverage *c = snapshot_coverage(view, type->name);
	struct interval wanted = source_wanted(s, type, c);
	int64_t start = wanted.start_ms, end = wanted.end_ms;

	mp_put_map(out, 9);
	put_text(out, "source", s->config->name);
	put_text(out, "resource", type->name);
	mp_put_cstr(out, "wanted");
	put_span(out, start, end);
	put_held(out, c);
	int rc = put_gaps(out, c, start, end);
	mp_put_cstr(out, "chain");
	if (c->chain_end_ms == TIME_NONE)
		mp_put_nil(out);
	else
		put_span(out, c->chain_start_ms, c->chain_end_ms);
	put_time(out, "kept_from", sync_retain_start(s->sync, type->name));
	put_real(out, "ratio", source_ratio(s, type, c));
	put_integer(out, "records", (int64_t)snapshot_count(view, type->name));
	return rc;
}

/* Every resource that was asked for of one source; their number, or an error that was sent. */
static int put_source(struct request *r, const struct source *s)
{
	const struct resource_type *only = NULL;
	struct snapshot *view;
	struct bytes name;
	int n = 0, rc = 0;

	if (param_text(r, "resource", &name)) {
		only = source_type(s, name);
		if (!only && param_all_sources(r))
			return 0;
		only = param_resource(r, s);
		if (!only)
			return ERR_INVALID;
	}
	view = snapshot_new(s->store);
	for (const struct resource_type *t = s->provider->types; view && t->name && rc == 0; t++) {
		if ((only && t != only) || !source_type(s, bytes_str(t->name)))
			continue;
		rc = put_coverage(&r->result, s, view, t);
		n++;
	}
	snapshot_free(view);
	if (!view || rc) {
		request_error(r, RPC_INTERNAL, "no_memory", NULL, "out of memory");
		return ERR_NOMEM;
	}
	return n;
}

void method_coverage(struct request *r)
{
	struct daemon *d = r->daemon;
	struct bytes name;
	struct source *only = NULL;
	uint32_t n = 0;

	if (param_text(r, "source", &name)) {
		only = param_source(r);
		if (!only)
			return;
	}
	mp_put_map(&r->result, 1);
	mp_put_cstr(&r->result, "resources");
	size_t mark = mp_begin_array(&r->result);
	for (size_t i = 0; i < d->source_count; i++) {
		if (only && only != &d->sources[i])
			continue;
		int added = put_source(r, &d->sources[i]);
		if (added < 0)
			return;
		n += (uint32_t)added;
	}
	if (n == 0 && param_text(r, "resource", &name)) {
		several_refuse(r, name);
		return;
	}
	mp_end_array(&r->result, mark, n);
	request_answer(r);
}
