/* method_aggregate: records in groups, with numbers about each. */
#include "kept.h"
#include "method.h"
#include "pairs.h"
#include "params.h"
#include "reading.h"

#include <codec/msgpack.h>

static void put_aggregate(struct reading *g, const struct answer *a, uint64_t damaged)
{
	struct buf *out = &g->request->result;

	mp_put_map(out, 6);
	if (reading_freshness(g, damaged)) {
		reading_no_memory(g);
		return;
	}
	mp_put_name(out, "groups");
	kept_splice(g, a);
	put_integer(out, "groups_found", (int64_t)a->groups_found);
	put_integer(out, "total", (int64_t)a->total);
	put_real(out, "percentile_error", a->percentile_error);
	mp_put_name(out, "stats");
	mp_put_map(out, 2);
	put_integer(out, "scanned", (int64_t)a->scanned);
	put_integer(out, "duration_us", clock_mono_us() - g->request->began_us);
	request_answer(g->request);
}

static void answer(struct reading *g)
{
	const struct aggregate_result *found = aggregate_result(g->aggregate);
	const struct answer a = {
		.rows = buf_bytes(&g->rows),
		.row_count = found->groups,
		.groups_found = found->groups_found,
		.total = found->records,
		.scanned = found->scanned,
		.percentile_error = found->percentile_error,
	};

	if (!reading_sound_enough(g, found->damaged))
		return;
	if (!found->damaged)
		kept_note(g, &a);
	put_aggregate(g, &a, found->damaged);
}

static bool slice(void *ctx)
{
	struct reading *g = ctx;
	struct why why = {""};
	int64_t end_us = reading_slice_end(g);
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

/* What one source is asked. False: the error was sent. */
static bool read_question(struct reading *g, struct reading *first, struct aggregate_spec *spec)
{
	struct request *r = g->request;
	struct bytes *by = NULL, *metrics = NULL;

	*spec = (struct aggregate_spec){
		.resource = g->type->name,
		.fields = g->asked_fields,
		.axis = g->question.axis,
		.start_ms = g->question.start_ms,
		.end_ms = g->question.end_ms,
		.groups = &first->rows,
		.zone = first->zone,
	};
	/* One more than there may be, so that what is too much is said and not left out. */
	if (!param_names(r, &g->arena, "group_by", AGGREGATE_GROUPS_BY_MAX + 1, &by,
			 &spec->group_by_count) ||
	    !param_names(r, &g->arena, "metrics", AGGREGATE_METRICS_MAX + 1, &metrics,
			 &spec->metric_count) ||
	    !param_where(r, g->source, g->asked_fields, first->zone, &g->arena, &spec->where) ||
	    !reading_text(g, &spec->text) || !read_limit(g, &spec->limit))
		return false;
	spec->group_by = by;
	spec->metrics = metrics;
	g->asks.where = spec->where;
	return true;
}

/* Each source's records go into the same groups: so their numbers are those of one question. */
static int open_all(struct reading *first, const struct aggregate_spec *specs, struct why *why)
{
	int rc = aggregate_open(first->view, &specs[0], &first->aggregate, why);
	size_t i = 1;

	for (struct reading *g = first->next; g && rc == 0; g = g->next)
		rc = aggregate_add(first->aggregate, g->view, &specs[i++], why);
	return rc;
}

void method_aggregate(struct request *r)
{
	struct reading *g = reading_new(r, NULL);
	struct aggregate_spec specs[CONFIG_SOURCES_MAX];
	struct why why;
	size_t n = 0;

	why_clear(&why);
	if (!g || param_span(r, &g->question) ||
	    param_duration(r, "max_age", &g->question.max_age_ms) || !param_zone(r, &g->zone))
		return;
	g->asks.never = true;
	reading_share(g);
	for (struct reading *part = g; part; part = part->next)
		if (!read_question(part, g, &specs[n++]))
			return;
	if (!reading_meets(g))
		return;
	const struct answer *known = kept_find(g);
	if (known) {
		put_aggregate(g, known, 0);
		return;
	}
	n = 0;
	for (struct reading *part = g; part; part = part->next)
		if (!reading_overlay(part, &specs[n++].overlay))
			return;
	int rc = open_all(g, specs, &why);
	if (rc)
		reading_fail(g, rc, &why);
	else
		reading_go(g, slice);
}
