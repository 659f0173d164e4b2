/*
 * exposition: families of metrics as text, in the words of Prometheus (text format 0.0.4) or OpenMetrics (1.0). Facts: the formats' own pages. Knows no metric. Private to
 * this layer.
 *
 * A family is begun once, with its help and type, and all its samples follow.
 */
#ifndef FIC_FICD_EXPOSITION_INTERNAL_H
#define FIC_FICD_EXPOSITION_INTERNAL_H

#include <base/bytes.h>

enum metric_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_HISTOGRAM };

struct exposition {
	struct buf *out;
	bool openmetrics;
	const char *family; /* borrowed; of the samples that follow */
	enum metric_type type;
};

/* A label of a sample; a list is ended by a name of NULL. */
struct label {
	const char *name, *value; /* value NULL: "" */
};

/* `family` without "_total", which samples of counters have in the end. */
void exposition_family(struct exposition *e, const char *family, enum metric_type type,
		       const char *help);
void exposition_count(struct exposition *e, const struct label *labels, uint64_t value);
void exposition_value(struct exposition *e, const struct label *labels, double value);
/* Milliseconds as seconds, of a moment or a duration; the null moment (TIME_NONE) is 0. */
void exposition_ms(struct exposition *e, const struct label *labels, int64_t ms);
/* `counts` of each bucket alone, one more than there are bounds. */
void exposition_histogram(struct exposition *e, const struct label *labels, const int64_t *bounds_ms,
			  const uint64_t *counts, size_t bounds, uint64_t sum_us);
void exposition_end(struct exposition *e);
/* Of what exposition_end has ended. */
const char *exposition_content_type(bool openmetrics);
/* Whether a reader that says so (the Accept header; NULL: nothing) wants OpenMetrics. */
bool exposition_asked(const char *accept);

#endif
