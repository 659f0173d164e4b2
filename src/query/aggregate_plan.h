/*
 * aggregate_plan: what a question groups by and asks of each group, from its words. Private to this layer.
 */
#ifndef FIC_QUERY_AGGREGATE_PLAN_H
#define FIC_QUERY_AGGREGATE_PLAN_H

#include <query/aggregate.h>

#include "bucket.h"

enum metric_kind {
	METRIC_COUNT,
	METRIC_MIN,
	METRIC_MAX,
	METRIC_SUM,
	METRIC_AVERAGE,
	METRIC_P50,
	METRIC_P90,
	METRIC_P99
};

struct part {
	struct bytes name; /* as asked */
	const struct field *field;
	bool bucketed;
	enum bucket bucket;
};

struct metric {
	struct bytes name; /* as asked */
	enum metric_kind kind;
	size_t number; /* of its field in `fields` */
};

struct plan {
	struct part parts[AGGREGATE_GROUPS_BY_MAX];
	size_t part_count;
	struct metric metrics[AGGREGATE_METRICS_MAX];
	size_t metric_count;
	/* Each field that a metric is about, once. */
	const struct field *fields[AGGREGATE_METRICS_MAX];
	bool keep[AGGREGATE_METRICS_MAX]; /* percentiles of it are asked for */
	size_t field_count;
	bool by_time; /* a part is a bucket */
};

/* Borrows from the question. 0, ERR_NOTFOUND, ERR_INVALID, ERR_LIMIT. */
int plan_make(const struct aggregate_spec *spec, struct plan *out, struct why *why);

#endif
