/*
 * aggregate: the records of a question in groups, and numbers about each group, in steps.
 *
 * Groups are by values of common fields (each different item of a list counts; no value, or an empty one, is nil) and by hours, days, weeks (from Monday)
 * and months of a time in a zone; only buckets that hold a record are there. Where one keyword field alone is counted over a span of creation, terms answer it and no
 * row is looked at; else values come from columns, and from records where no column has them.
 */
#ifndef FIC_QUERY_AGGREGATE_H
#define FIC_QUERY_AGGREGATE_H

#include <base/zone.h>
#include <model/where.h>
#include <query/overlay.h>
#include <query/text.h>
#include <store/store.h>

#define AGGREGATE_GROUPS_BY_MAX  3
#define AGGREGATE_METRICS_MAX    16
#define AGGREGATE_GROUPS_MAX     10000u
#define AGGREGATE_MEMORY_DEFAULT (1u << 20)
#define AGGREGATE_PARTS_MAX      16

/* Texts, tables, the condition, the zone and the buffer are borrowed until aggregate_free. */
struct aggregate_spec {
	const char *resource;
	const struct field *fields; /* common fields of this resource at this provider; may be NULL */
	enum axis axis;
	int64_t start_ms, end_ms;  /* as in query_spec */
	const struct where *where; /* NULL: all */
	struct query_text text;
	const struct overlay *overlay; /* NULL: none */
	/* What makes a group: names of fields, and hour, day, week, month of `created`, or of another time ("day:updated"). None: all is one group. */
	const struct bytes *group_by;
	size_t group_by_count;
	/* Beside the number of records, which each group has: "count:FIELD" (records that have it), min, max, of numbers also sum, avg, p50, p90, p99 ("avg:reopens"). */
	const struct bytes *metrics;
	size_t metric_count;
	const struct zone *zone; /* of buckets; NULL: UTC */
	uint32_t limit;          /* groups, in their order; 0: all */
	size_t memory_max;       /* for groups and their numbers; 0: AGGREGATE_MEMORY_DEFAULT */
	/* Groups are appended when all is read, one map each: what it is grouped by, each under the name it was asked by (a bucket as the moment it begins), "count", and the
	 * metrics under theirs, nil where there is no value. With a bucket in the question they are in ascending order of what they are grouped by, else the largest
	 * come first. */
	struct buf *groups;
};

struct aggregate_result {
	uint32_t groups;         /* appended */
	uint64_t groups_found;   /* of all */
	uint64_t records;        /* that matched; one with several items of a list is one */
	uint64_t scanned;        /* rows looked at */
	uint64_t read;           /* of these, records inflated */
	uint64_t damaged;        /* records that could not be read, or not be understood */
	double percentile_error; /* the largest of all groups, relative (summary.h): 0 when all are exact, as they are up to 4,096 values in a group */
};

struct aggregate;

/* The snapshot must outlive it. ERR_NOTFOUND, ERR_INVALID, ERR_LIMIT: what to group by, or a metric; ERR_NOMEM, ERR_IO, ERR_CORRUPT. */
int aggregate_open(struct snapshot *v, const struct aggregate_spec *spec, struct aggregate **out,
		   struct why *why);
/* The same question of the records of another snapshot, too, in the same groups; before the first step. `spec` differs in resource, fields, where and text at most. ERR_INVALID also: a
 * field is a number in one and none in the other. */
int aggregate_add(struct aggregate *a, struct snapshot *v, const struct aggregate_spec *spec,
		  struct why *why);
/* As query_step. ERR_LIMIT also: there are more groups than fit. */
int aggregate_step(struct aggregate *a, unsigned budget, struct why *why);
/* Complete when aggregate_step has said 0. Borrowed until aggregate_free. */
const struct aggregate_result *aggregate_result(const struct aggregate *a);
void aggregate_free(struct aggregate *a);

#endif
