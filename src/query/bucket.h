/*
 * bucket: hours, days, weeks and months of local clocks. Private to this layer.
 *
 * Buckets part the line of time: each moment is in one, whatever clocks do. A day on which clocks change has 23 or 25 hours; of an hour that is shown twice each pass is
 * a bucket. Weeks begin on Mondays (ISO 8601).
 */
#ifndef FIC_QUERY_BUCKET_H
#define FIC_QUERY_BUCKET_H

#include <base/zone.h>

enum bucket { BUCKET_HOUR, BUCKET_DAY, BUCKET_WEEK, BUCKET_MONTH };

/* "hour", "day", "week", "month"; false: none of them. */
bool bucket_parse(struct bytes name, enum bucket *out);

/* The bucket that was found last, for whoever asks in order of time; starts zeroed. */
struct bucket_span {
	int64_t start_ms, end_ms;
};

/* The start of the moment's bucket. False: no time that a calendar has. The zone (NULL: UTC) and the bucket are the same for all calls with one `last`. */
bool bucket_start(enum bucket bucket, const struct zone *zone, int64_t ms, struct bucket_span *last,
		  int64_t *start_out);

#endif
