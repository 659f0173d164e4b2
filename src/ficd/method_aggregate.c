/* method_aggregate: records in groups, with numbers about each. */
#include "method.h"
#include "pairs.h"
#include "params.h"
#include "reading.h"

#include <codec/msgpack.h>

static void answer(struct reading *g)
{
	const struct aggregate_result *a = aggregate_result(g->aggregate);
	struct buf *out = &g->request->result;

	if (!reading_sound_enough(g, a->damaged))
		return;
	mp_put_map(out, 6);
	if (reading_freshness(g, a->damaged)) {
		reading_no_memory(g);
		return;
	}
	mp_put_cstr(out, "groups");
	mp_put_array(out, a->groups);
	buf_put_bytes(out, buf_bytes(&g->rows));
	put_integer(out, "groups_found", (int64_t)a->groups_found);
	put_integer(out, "total", (int64_t)a->records);
	put_real(out, "percentile_error", a->percentile_error);
	mp_put_cstr(out, "stats");
	mp_put_map(out, 2);
	put_integer(out, "scanned", (int64_t)a->scanned);
	put_integer(out, "duration_us", clock_mono_us() - g->request->began_us);
	request_answer(g->request);
}

static bool slice(void *ctx)
{
	struct reading *g = ctx;
	struct why why = {""};
	int64_t end_us = clock_mono_us() + READING_SLICE_US;
	int rc;

	do
		rc = aggregate_step(g->aggregate, READING_STEP_UNITS, &why);
	while (rc > 0 && clock_mono_us() < end_us);
	if (!reading_has_room(g))
		return false;
	if (rc > 0)
		return true;
	if (rc == ERR_LIMIT)
		request_error(g->request, RPC_BAD_EXPRESSION, err_name(rc),
			      "ask about a shorter span, with a condition, or by less", "%s",
			      why.text);
	else if (rc < 0)
		reading_fail(g, rc, &why);
	else
		answer(g);
	return false;
}

static bool read_zone(struct reading *g)
{
	struct why why = {""};
	struct bytes name;

	if (!param_text(g->request, "timezone", &name) || zone_load(name, &g->zone, &why) == 0)
		return true;
	request_error(g->request, RPC_INVALID_PARAMS, "timezone", "as in Europe/Paris, or UTC",
		      "%s", why.text);
	return false;
}

static bool read_limit(struct reading *g, uint32_t *limit_out)
{
	int64_t limit = 0;

	param_integer(g->request, "limit", &limit);
	if (limit < 0 || limit > AGGREGATE_GROUPS_MAX) {
		request_error(g->request, RPC_INVALID_PARAMS, "limit", NULL,
			      "'limit' is 0 (all groups) to %u", AGGREGATE_GROUPS_MAX);
		return false;
	}
	*limit_out = (uint32_t)limit;
	return true;
}

void method_aggregate(struct request *r)
{
	struct reading *g = reading_new(r, NULL);
	struct bytes *by = NULL, *metrics = NULL;
	struct why why = {""};

	if (!g || param_span(r, &g->question) || param_duration(r, "max_age", &g->question.max_age_ms))
		return;
	struct aggregate_spec spec = {
		.resource = g->type->name,
		.fields = g->type->fields,
		.axis = g->question.axis,
		.start_ms = g->question.start_ms,
		.end_ms = g->question.end_ms,
		.groups = &g->rows,
	};
	g->asks.never = true;
	/* One more than there may be, so that what is too much is said and not left out. */
	if (!param_names(r, &g->arena, "group_by", AGGREGATE_GROUPS_BY_MAX + 1, &by,
			 &spec.group_by_count) ||
	    !param_names(r, &g->arena, "metrics", AGGREGATE_METRICS_MAX + 1, &metrics,
			 &spec.metric_count) ||
	    !param_where(r, g->source, g->type->fields, &g->arena, &spec.where) ||
	    !reading_text(g, &spec.text) || !read_zone(g) || !read_limit(g, &spec.limit) ||
	    !reading_meets(g) || !reading_overlay(g, &spec.overlay))
		return;
	spec.group_by = by;
	spec.metrics = metrics;
	spec.zone = g->zone;
	int rc = aggregate_open(g->view, &spec, &g->aggregate, &why);
	if (rc)
		reading_fail(g, rc, &why);
	else
		reading_go(g, slice);
}
