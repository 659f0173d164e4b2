/* aggregate_plan: names to fields, with words about each that cannot be. */
#include "aggregate_plan.h"

#include <base/suggest.h>

#define SHOWN(b) (int)((b).len < 60 ? (b).len : 60), (const char *)(b).data

static const struct {
	const char *name;
	enum metric_kind kind;
} kinds[] = {
	{"count", METRIC_COUNT}, {"min", METRIC_MIN},     {"max", METRIC_MAX},
	{"sum", METRIC_SUM},     {"avg", METRIC_AVERAGE}, {"p50", METRIC_P50},
	{"median", METRIC_P50},  {"p90", METRIC_P90},     {"p99", METRIC_P99},
};

#define NAMES_MAX 128

/* A common field, or one of the envelope's times. */
static int find_field(const struct aggregate_spec *spec, struct bytes name,
		      const struct field **out, struct why *why)
{
	const char *names[NAMES_MAX + 1];
	size_t n = 0;

	*out = field_find(spec->fields, name);
	if (!*out && (bytes_is(name, "created") || bytes_is(name, "updated")))
		*out = field_find(envelope_fields, name);
	if (*out)
		return 0;
	if (field_find(envelope_fields, name) || memchr(name.data, '.', name.len))
		return why_set(
			why, ERR_INVALID,
			"'%.*s' is not indexed: groups and metrics are of the fields that 'ficq fields' lists",
			SHOWN(name));
	for (const struct field *f = spec->fields; f && f->name && n < NAMES_MAX; f++)
		names[n++] = f->name;
	names[n] = NULL;
	const char *near = suggest(name, names);
	return why_set(why, ERR_NOTFOUND, "unknown field '%.*s' (%s%s%s", SHOWN(name),
		       near ? "did you mean " : "'ficq fields ", near ? near : spec->resource,
		       near ? "?)" : "' lists them)");
}

/* "name" or "name:rest". */
static void split(struct bytes text, struct bytes *name, struct bytes *rest)
{
	const uint8_t *colon = text.len ? memchr(text.data, ':', text.len) : NULL;
	size_t len = colon ? (size_t)(colon - text.data) : text.len;

	*name = bytes_of(text.data, len);
	*rest = colon ? bytes_of(colon + 1, text.len - len - 1) : bytes_of(NULL, 0);
}

static int read_part(const struct aggregate_spec *spec, struct bytes text, struct part *out,
		     struct why *why)
{
	struct bytes name, rest;

	*out = (struct part){.name = text};
	split(text, &name, &rest);
	out->bucketed = bucket_parse(name, &out->bucket);
	if (!out->bucketed)
		rest = text;
	else if (!rest.data)
		rest = bytes_str("created");
	int rc = find_field(spec, rest, &out->field, why);
	if (rc)
		return rc;
	if (out->bucketed && out->field->type != FIELD_TIME)
		return why_set(why, ERR_INVALID, "'%.*s': %s is not a time", SHOWN(text),
			       out->field->name);
	if (!out->bucketed && out->field->type == FIELD_TIME)
		return why_set(why, ERR_INVALID,
			       "times are grouped by hour, day, week or month: day:%s",
			       out->field->name);
	if (out->field->type == FIELD_HTML)
		return why_set(why, ERR_INVALID, "'%s' is a long text: nothing to group by",
			       out->field->name);
	return 0;
}

static int check_metric(const struct metric *m, const struct field *f, struct why *why)
{
	bool number = f->type == FIELD_INTEGER || f->type == FIELD_REAL;

	if (m->kind == METRIC_COUNT || number ||
	    (f->type == FIELD_TIME && (m->kind == METRIC_MIN || m->kind == METRIC_MAX)))
		return 0;
	return why_set(
		why, ERR_INVALID,
		f->type == FIELD_TIME
			? "'%.*s': of a time there are count, min and max"
			: "'%.*s': only numbers and times have that; 'ficq fields' tells which are",
		SHOWN(m->name));
}

static const char *some_number(const struct field *f)
{
	while (f && f->name && f->type != FIELD_INTEGER && f->type != FIELD_REAL)
		f++;
	return f && f->name ? f->name : "FIELD";
}

static int read_metric(const struct aggregate_spec *spec, struct bytes text, struct plan *p,
		       struct why *why)
{
	struct metric *m = &p->metrics[p->metric_count];
	struct bytes name, rest;
	const struct field *field;
	size_t at = 0;

	split(text, &name, &rest);
	if (bytes_is(text, "count"))
		return 0;
	while (at < sizeof kinds / sizeof *kinds && !bytes_is(name, kinds[at].name))
		at++;
	if (at == sizeof kinds / sizeof *kinds || !rest.len)
		return why_set(
			why, ERR_INVALID,
			"'%.*s' is no metric: count, or count, min, max, sum, avg, median, p90, p99 of a field, as in avg:%s",
			SHOWN(text), some_number(spec->fields));
	int rc = find_field(spec, rest, &field, why);
	*m = (struct metric){.name = text, .kind = kinds[at].kind};
	if (!rc)
		rc = check_metric(m, field, why);
	if (rc)
		return rc;
	while (m->number < p->field_count && p->fields[m->number] != field)
		m->number++;
	if (m->number == p->field_count)
		p->fields[p->field_count++] = field;
	p->keep[m->number] |= m->kind >= METRIC_P50;
	p->metric_count++;
	return 0;
}

int plan_make(const struct aggregate_spec *spec, struct plan *out, struct why *why)
{
	int rc = 0;

	*out = (struct plan){.part_count = spec->group_by_count};
	if (spec->group_by_count > AGGREGATE_GROUPS_BY_MAX)
		return why_set(why, ERR_LIMIT, "more than %d things to group by",
			       AGGREGATE_GROUPS_BY_MAX);
	if (spec->metric_count > AGGREGATE_METRICS_MAX)
		return why_set(why, ERR_LIMIT, "more than %d metrics", AGGREGATE_METRICS_MAX);
	for (size_t i = 0; !rc && i < spec->group_by_count; i++) {
		rc = read_part(spec, spec->group_by[i], &out->parts[i], why);
		out->by_time |= out->parts[i].bucketed;
		for (size_t k = 0; !rc && k < i; k++)
			if (bytes_equal(out->parts[k].name, out->parts[i].name))
				rc = why_set(why, ERR_INVALID, "'%.*s' stands twice in group_by",
					     SHOWN(out->parts[i].name));
	}
	for (size_t i = 0; !rc && i < spec->metric_count; i++)
		rc = read_metric(spec, spec->metrics[i], out, why);
	return rc;
}
