/* exposition: see the header. Bytes alone: numbers are written without the locale. */
#include "exposition.h"

#include <base/clock.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <strings.h>

#define LABELS_MAX 6

void exposition_family(struct exposition *e, const char *family, enum metric_type type,
		       const char *help)
{
	static const char *const types[] = {"gauge", "counter", "histogram"};
	const char *suffix = type == METRIC_COUNTER && !e->openmetrics ? "_total" : "";

	e->family = family;
	e->type = type;
	buf_printf(e->out, "# HELP %s%s %s\n", family, suffix, help);
	buf_printf(e->out, "# TYPE %s%s %s\n", family, suffix, types[type]);
}

static void put_escaped(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n') {
			buf_put_str(out, "\\n");
			continue;
		}
		if (*text == '\\' || *text == '"')
			buf_put_byte(out, '\\');
		buf_put_byte(out, (uint8_t)*text);
	}
}

static void begin_sample(struct exposition *e, const char *suffix, const struct label *labels)
{
	buf_put_str(e->out, e->family);
	buf_put_str(e->out, suffix);
	for (size_t i = 0; labels && labels[i].name; i++) {
		buf_printf(e->out, "%s%s=\"", i ? "," : "{", labels[i].name);
		put_escaped(e->out, labels[i].value ? labels[i].value : "");
		buf_put_byte(e->out, '"');
	}
	buf_put_str(e->out, labels && labels[0].name ? "} " : " ");
}

static const char *suffix_of(const struct exposition *e)
{
	return e->type == METRIC_COUNTER ? "_total" : "";
}

void exposition_count(struct exposition *e, const struct label *labels, uint64_t value)
{
	begin_sample(e, suffix_of(e), labels);
	buf_printf(e->out, "%" PRIu64 "\n", value);
}

void exposition_value(struct exposition *e, const struct label *labels, double value)
{
	begin_sample(e, suffix_of(e), labels);
	if (isnan(value))
		buf_put_str(e->out, "NaN\n");
	else
		buf_printf(e->out, "%.15g\n", value);
}

static void put_ms(struct buf *out, int64_t ms)
{
	buf_printf(out, "%s%" PRId64 ".%03d\n", ms < 0 ? "-" : "",
		   ms < 0 ? -(ms / 1000) : ms / 1000, (int)(ms < 0 ? -(ms % 1000) : ms % 1000));
}

void exposition_ms(struct exposition *e, const struct label *labels, int64_t ms)
{
	begin_sample(e, suffix_of(e), labels);
	put_ms(e->out, ms == TIME_NONE ? 0 : ms);
}

static void put_bucket(struct exposition *e, const struct label *labels, const char *bound,
		       uint64_t count)
{
	struct label all[LABELS_MAX + 2] = {{NULL, NULL}};
	size_t n = 0;

	for (; labels && labels[n].name && n < LABELS_MAX; n++)
		all[n] = labels[n];
	all[n] = (struct label){"le", bound};
	begin_sample(e, "_bucket", all);
	buf_printf(e->out, "%" PRIu64 "\n", count);
}

/* As OpenMetrics wants them: 0.05, 1.0, 2.5. */
static const char *bound_text(int64_t ms, char *out, size_t size)
{
	int n = snprintf(out, size, "%" PRId64 ".%03d", ms / 1000, (int)(ms % 1000));

	while (n > 2 && out[n - 1] == '0' && out[n - 2] != '.')
		out[--n] = 0;
	return out;
}

void exposition_histogram(struct exposition *e, const struct label *labels, const int64_t *bounds_ms,
			  const uint64_t *counts, size_t bounds, uint64_t sum_us)
{
	uint64_t sum = 0;
	char text[32];

	for (size_t i = 0; i < bounds; i++) {
		sum += counts[i];
		put_bucket(e, labels, bound_text(bounds_ms[i], text, sizeof text), sum);
	}
	sum += counts[bounds];
	put_bucket(e, labels, "+Inf", sum);
	begin_sample(e, "_sum", labels);
	buf_printf(e->out, "%" PRIu64 ".%06" PRIu64 "\n", sum_us / 1000000, sum_us % 1000000);
	begin_sample(e, "_count", labels);
	buf_printf(e->out, "%" PRIu64 "\n", sum);
}

void exposition_end(struct exposition *e)
{
	if (e->openmetrics)
		buf_put_str(e->out, "# EOF\n");
}

const char *exposition_content_type(bool openmetrics)
{
	return openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
			   : "text/plain; version=0.0.4; charset=utf-8";
}

bool exposition_asked(const char *accept)
{
	return accept && strcasestr(accept, "application/openmetrics-text");
}
