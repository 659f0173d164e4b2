/*
 * aggregate: rows into groups, groups into an answer.
 *
 *   TEXT (the search gets ready) --> ROWS
 *   TALLY (terms alone answer it) --the index cannot say after all--> ROWS of the first part: all begins again
 *   TALLY, ROWS --the end of a part--> the next part's
 *               --the end of the last--> WRITE (one group after the other) --> DONE
 *
 * A row is in a group for each combination of its values: one for each part, several for a part that is a list. A key is the values of all parts, one behind the
 * other, as MessagePack; a bucket is its start in milliseconds.
 */
#include <query/aggregate.h>

#include "aggregate_plan.h"
#include "filter.h"
#include "groups.h"

#include <codec/msgpack.h>

#include <stdlib.h>

#define PERCENTILE_UNIT 16u /* numbers that are put in order for one unit of a step */

enum phase { PHASE_TEXT, PHASE_TALLY, PHASE_ROWS, PHASE_WRITE, PHASE_DONE };

/* The values of one part in one row. */
struct values {
	struct buf bytes;
	struct bytes *items;
	size_t count, cap;
};

/* Records of one snapshot. */
struct part_source {
	struct snapshot *view;
	struct aggregate_spec spec;
};

struct aggregate {
	struct aggregate_spec spec; /* of the part that is read */
	struct part_source parts[AGGREGATE_PARTS_MAX];
	size_t part_count, part; /* that is read */
	bool untallied;          /* rows are read, whatever terms could say */
	uint64_t read, damaged;  /* of the parts before */
	struct plan plan;
	struct filter filter;
	struct tally *tally;
	struct groups groups;
	enum phase phase;
	int error;
	struct why error_words;
	struct values values[AGGREGATE_GROUPS_BY_MAX];
	struct bucket_span last[AGGREGATE_GROUPS_BY_MAX];
	struct number numbers[AGGREGATE_METRICS_MAX];
	bool present[AGGREGATE_METRICS_MAX];
	struct buf key;
	uint32_t *heap; /* of the groups that are not written yet */
	uint32_t heap_count;
	uint32_t written;
	struct aggregate_result result;
};

static void values_release(struct values *v)
{
	buf_release(&v->bytes);
	free(v->items);
}

/* ---- opening ---- */

static bool terms_may_answer(const struct aggregate *a)
{
	const struct plan *p = &a->plan;

	return !a->untallied && p->part_count == 1 && p->field_count == 0 && !p->parts[0].bucketed &&
	       !a->spec.where && !a->filter.overlay && a->spec.axis == AXIS_CREATED;
}

static int start_rows(struct aggregate *a, struct why *why)
{
	a->phase = PHASE_ROWS;
	return filter_start(&a->filter, a->spec.axis, a->spec.start_ms, a->spec.end_ms, false, NULL,
			    why);
}

static int start(struct aggregate *a, struct why *why)
{
	int rc = 0, number = -1;

	if (a->spec.text.search) {
		const struct text_want all = {.rows = 0};
		rc = filter_search(&a->filter, a->spec.fields, &a->spec.text, &all);
		return rc ? filter_explain(rc, why) : 0;
	}
	if (terms_may_answer(a))
		number = snapshot_field(a->filter.snapshot, a->spec.resource,
					a->plan.parts[0].field, NULL);
	if (number >= 0)
		rc = tally_open(a->filter.snapshot, a->spec.resource, (unsigned)number,
				a->spec.start_ms, a->spec.end_ms, &a->tally);
	if (rc < 0)
		return filter_explain(rc, why);
	a->phase = PHASE_TALLY;
	return rc ? 0 : start_rows(a, why);
}

/* Reads a part's records from their beginning. */
static int start_part(struct aggregate *a, size_t i, struct why *why)
{
	a->part = i;
	a->spec = a->parts[i].spec;
	filter_release(&a->filter);
	a->filter = (struct filter){0};
	a->phase = PHASE_TEXT;
	int rc = plan_make(&a->spec, &a->plan, why);
	filter_init(&a->filter, a->parts[i].view, a->spec.resource, a->spec.where);
	if (!rc && filter_overlay(&a->filter, a->spec.overlay))
		rc = why_set(why, ERR_NOMEM, "out of memory");
	return rc ? rc : start(a, why);
}

int aggregate_open(struct snapshot *v, const struct aggregate_spec *spec, struct aggregate **out,
		   struct why *why)
{
	struct aggregate *a = calloc(1, sizeof *a);

	if (!a)
		return why_set(why, ERR_NOMEM, "out of memory");
	a->spec = *spec;
	a->parts[a->part_count++] = (struct part_source){v, *spec};
	int rc = plan_make(&a->spec, &a->plan, why);
	a->groups.summaries = a->plan.field_count;
	a->groups.groups_max = AGGREGATE_GROUPS_MAX;
	a->groups.allowance.max = spec->memory_max ? spec->memory_max : AGGREGATE_MEMORY_DEFAULT;
	filter_init(&a->filter, v, spec->resource, spec->where);
	if (!rc && filter_overlay(&a->filter, spec->overlay))
		rc = why_set(why, ERR_NOMEM, "out of memory");
	if (!rc)
		rc = start(a, why);
	if (rc) {
		aggregate_free(a);
		return rc;
	}
	*out = a;
	return 0;
}

static bool is_number(const struct field *f)
{
	return f->type == FIELD_INTEGER || f->type == FIELD_REAL || f->type == FIELD_TIME;
}

int aggregate_add(struct aggregate *a, struct snapshot *v, const struct aggregate_spec *spec,
		  struct why *why)
{
	struct plan plan;
	int rc = plan_make(spec, &plan, why);

	for (size_t i = 0; rc == 0 && i < plan.field_count; i++) {
		const struct field *f = plan.fields[i], *other = a->plan.fields[i];
		if (f->type != other->type && (is_number(f) || is_number(other)))
			rc = why_set(why, ERR_INVALID,
				     "'%s' is of another kind in each source: name one source",
				     f->name);
	}
	if (rc == 0 && a->part_count == AGGREGATE_PARTS_MAX)
		rc = why_set(why, ERR_LIMIT, "there are too many sources for one question");
	if (rc == 0)
		a->parts[a->part_count++] = (struct part_source){v, *spec};
	return rc;
}

void aggregate_free(struct aggregate *a)
{
	if (!a)
		return;
	tally_close(a->tally);
	filter_release(&a->filter);
	groups_release(&a->groups);
	for (size_t i = 0; i < AGGREGATE_GROUPS_BY_MAX; i++)
		values_release(&a->values[i]);
	buf_release(&a->key);
	free(a->heap);
	free(a);
}

const struct aggregate_result *aggregate_result(const struct aggregate *a)
{
	return &a->result;
}

static int explain(int rc, struct why *why)
{
	if (rc != ERR_LIMIT)
		return filter_explain(rc, why);
	return why_set(why, rc, "there are more groups than fit into one answer");
}

/* ---- groups of one row ---- */

static bool is_empty(struct bytes value)
{
	struct mp_value v;

	return !mp_get(value, &v) || v.type == MP_NIL || (v.type == MP_STR && v.str.len == 0);
}

static int push_item(struct values *v, struct bytes value)
{
	if (v->count == v->cap) {
		size_t cap = v->cap ? v->cap * 2 : 8;
		struct bytes *grown = realloc(v->items, cap * sizeof *grown);
		if (!grown)
			return ERR_NOMEM;
		v->items = grown;
		v->cap = cap;
	}
	v->items[v->count++] = value;
	return 0;
}

static int add_item(struct values *v, struct bytes value)
{
	if (is_empty(value))
		return 0;
	for (size_t i = 0; i < v->count; i++)
		if (bytes_equal(v->items[i], value))
			return 0;
	return push_item(v, value);
}

/* Each different item of what `bytes` holds; nil when there is none. */
static int take_items(struct values *v)
{
	static const uint8_t nil = 0xc0;
	struct mp_reader r = mp_reader_of(buf_bytes(&v->bytes));
	struct mp_value head;
	struct bytes item;
	int rc = 0;

	v->count = 0;
	if (v->bytes.error)
		return v->bytes.error;
	if (mp_next(&r, &head) != 1)
		return ERR_CORRUPT;
	if (head.type != MP_ARRAY)
		rc = add_item(v, buf_bytes(&v->bytes));
	for (uint32_t i = 0; head.type == MP_ARRAY && !rc && i < head.count; i++)
		rc = mp_take(&r, &item) == 1 ? add_item(v, item) : ERR_CORRUPT;
	return rc || v->count ? rc : push_item(v, bytes_of(&nil, 1));
}

/* A time of the envelope, or a field's value as an index keeps it: 1, 0: damaged, and counted; or an error. */
static int value_of(struct aggregate *a, struct filter_row *row, const struct field *field,
		    struct bytes *out, unsigned *cost)
{
	if (field->path)
		return filter_value(&a->filter, row, field, out, cost);
	int64_t ms = strcmp(field->name, "updated") == 0 ? row->row.updated_ms : row->row.created_ms;
	buf_reset(&a->filter.scratch);
	if (ms == TIME_NONE)
		mp_put_nil(&a->filter.scratch);
	else
		mp_put_int(&a->filter.scratch, ms);
	*out = buf_bytes(&a->filter.scratch);
	return a->filter.scratch.error ? a->filter.scratch.error : 1;
}

static void put_bucket(const struct aggregate *a, size_t i, struct bytes value,
		       struct bucket_span *last, struct buf *out)
{
	struct mp_value v;
	int64_t start;

	if (mp_get(value, &v) && v.type == MP_INT &&
	    bucket_start(a->plan.parts[i].bucket, a->spec.zone, v.integer, last, &start))
		mp_put_int(out, start);
	else
		mp_put_nil(out);
}

static int take_part(struct aggregate *a, size_t i, struct filter_row *row, unsigned *cost)
{
	struct values *v = &a->values[i];
	struct bytes value;
	int rc = value_of(a, row, a->plan.parts[i].field, &value, cost);

	if (rc <= 0)
		return rc;
	buf_reset(&v->bytes);
	if (a->plan.parts[i].bucketed)
		put_bucket(a, i, value, &a->last[i], &v->bytes);
	else
		buf_put_bytes(&v->bytes, value);
	rc = take_items(v);
	return rc ? rc : 1;
}

static bool number_of(const struct field *f, struct bytes value, struct number *out)
{
	struct mp_value v;

	if (!mp_get(value, &v) || v.type == MP_NIL)
		return false;
	*out = (struct number){.integer = 0};
	if (v.type == MP_INT)
		out->integer = v.integer;
	if (f->type == FIELD_REAL) {
		out->is_real = true;
		out->real = v.type == MP_INT    ? (double)v.integer
			    : v.type == MP_UINT ? (double)v.uinteger
						: v.real;
		return v.type == MP_INT || v.type == MP_UINT || v.type == MP_FLOAT;
	}
	/* Of others only whether they are there is asked. */
	return v.type == MP_INT || (f->type != FIELD_INTEGER && f->type != FIELD_TIME);
}

/* 1, 0: damaged, and counted; or an error. */
static int take_values(struct aggregate *a, struct filter_row *row, unsigned *cost)
{
	struct bytes value;
	int rc = 1;

	for (size_t i = 0; rc == 1 && i < a->plan.part_count; i++)
		rc = take_part(a, i, row, cost);
	for (size_t i = 0; rc == 1 && i < a->plan.field_count; i++) {
		rc = value_of(a, row, a->plan.fields[i], &value, cost);
		if (rc == 1)
			a->present[i] = !is_empty(value) &&
					number_of(a->plan.fields[i], value, &a->numbers[i]);
	}
	return rc;
}

static int add_to_group(struct aggregate *a)
{
	struct group *g;
	int rc = a->key.error ? a->key.error : groups_find(&a->groups, buf_bytes(&a->key), &g);

	if (rc)
		return rc;
	g->count++;
	for (size_t i = 0; !rc && i < a->plan.field_count; i++)
		if (a->present[i])
			rc = summary_add(&g->summaries[i], a->numbers[i], a->plan.keep[i],
					 &a->groups.allowance);
	return rc;
}

/* All combinations of the parts' values, counted up like digits. */
static int add_to_groups(struct aggregate *a, unsigned *cost)
{
	size_t at[AGGREGATE_GROUPS_BY_MAX] = {0}, i, n = a->plan.part_count;

	do {
		buf_reset(&a->key);
		for (i = 0; i < n; i++)
			buf_put_bytes(&a->key, a->values[i].items[at[i]]);
		int rc = add_to_group(a);
		if (rc)
			return rc;
		*cost += 1;
		for (i = n; i > 0 && ++at[i - 1] == a->values[i - 1].count; i--)
			at[i - 1] = 0;
	} while (i > 0);
	return 0;
}

/* ---- the phases ---- */

static int by_parts(const struct groups *g, const struct group *x, const struct group *y)
{
	struct mp_reader p = mp_reader_of(group_key(g, x)), q = mp_reader_of(group_key(g, y));
	struct mp_value a, b;

	while (mp_next(&p, &a) == 1 && mp_next(&q, &b) == 1) {
		int c = 0;
		if (a.type == MP_NIL || b.type == MP_NIL)
			c = (a.type == MP_NIL) - (b.type == MP_NIL);
		else if (a.type == MP_STR && b.type == MP_STR)
			c = bytes_compare(a.str, b.str);
		else if (a.type == MP_INT && b.type == MP_INT)
			c = a.integer < b.integer ? -1 : a.integer > b.integer;
		else if (a.type == MP_BOOL && b.type == MP_BOOL)
			c = a.boolean - b.boolean;
		else if (a.type == MP_FLOAT && b.type == MP_FLOAT)
			c = a.real < b.real ? -1 : a.real > b.real;
		else
			c = a.type < b.type ? -1 : a.type > b.type;
		if (c)
			return c;
	}
	return 0;
}

static bool comes_before(const struct aggregate *a, uint32_t i, uint32_t k)
{
	const struct group *x = groups_at(&a->groups, i), *y = groups_at(&a->groups, k);

	if (!a->plan.by_time && x->count != y->count)
		return x->count > y->count;
	return by_parts(&a->groups, x, y) < 0;
}

static void sift(const struct aggregate *a, uint32_t *heap, uint32_t at, uint32_t n)
{
	uint32_t moved = heap[at];

	for (uint32_t child; (child = at * 2 + 1) < n; at = child) {
		if (child + 1 < n && comes_before(a, heap[child + 1], heap[child]))
			child++;
		if (!comes_before(a, heap[child], moved))
			break;
		heap[at] = heap[child];
	}
	heap[at] = moved;
}

/* A heap with the first group on top: to put all in order at once would take too long for a step. */
static int make_heap(struct aggregate *a)
{
	uint32_t n = a->groups.count;

	a->heap = malloc((n + 1u) * sizeof *a->heap);
	if (!a->heap)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < n; i++)
		a->heap[i] = i;
	for (uint32_t i = n / 2; i-- > 0;)
		sift(a, a->heap, i, n);
	a->heap_count = n;
	return 0;
}

static struct group *next_group(struct aggregate *a)
{
	uint32_t first = a->heap[0];

	a->heap[0] = a->heap[--a->heap_count];
	if (a->heap_count)
		sift(a, a->heap, 0, a->heap_count);
	return groups_at(&a->groups, first);
}

static int start_writing(struct aggregate *a, struct why *why)
{
	struct group *all;

	/* Nothing at all is one group of nothing when nobody asked for groups. */
	if (a->plan.part_count == 0 && groups_find(&a->groups, bytes_of(NULL, 0), &all))
		return why_set(why, ERR_NOMEM, "out of memory");
	a->phase = PHASE_WRITE;
	filter_end(&a->filter);
	a->result.groups_found = a->groups.count;
	a->result.groups = a->spec.limit && a->spec.limit < a->groups.count ? a->spec.limit
									    : a->groups.count;
	return make_heap(a) ? why_set(why, ERR_NOMEM, "out of memory") : 0;
}

static int end_part(struct aggregate *a, struct why *why)
{
	if (a->part + 1 == a->part_count)
		return start_writing(a, why);
	filter_end(&a->filter);
	a->read += a->filter.read;
	a->damaged += a->filter.damaged;
	tally_close(a->tally);
	a->tally = NULL;
	return start_part(a, a->part + 1, why);
}

static int put_tallied(struct aggregate *a, struct bytes text, uint64_t count)
{
	struct group *g;

	a->result.records += count;
	if (count == 0)
		return 0;
	buf_reset(&a->key);
	if (!text.data)
		mp_put_nil(&a->key);
	else if (a->plan.parts[0].field->type == FIELD_BOOL)
		mp_put_bool(&a->key, bytes_is(text, "true"));
	else
		mp_put_str(&a->key, text);
	int rc = a->key.error ? a->key.error : groups_find(&a->groups, buf_bytes(&a->key), &g);
	if (!rc)
		g->count += count;
	return rc;
}

static int forget_tally(struct aggregate *a, struct why *why)
{
	tally_close(a->tally);
	a->tally = NULL;
	a->result.records = 0;
	a->result.scanned = a->read = a->damaged = 0;
	a->untallied = true;
	groups_clear(&a->groups);
	return start_part(a, 0, why);
}

static int step_text(struct aggregate *a, unsigned *cost, struct why *why)
{
	int rc = filter_text_step(&a->filter, cost);

	if (rc < 0)
		return filter_explain(rc, why);
	return rc ? 0 : start_rows(a, why);
}

static int step_tally(struct aggregate *a, unsigned *cost, struct why *why)
{
	struct bytes text = {NULL, 0};
	uint64_t count;
	int rc = tally_next(a->tally, &text, &count);

	/* Behind those without a value comes another segment. */
	*cost += text.data ? 2 : FILTER_OPEN_COST;
	if (rc == ERR_NOTFOUND)
		return forget_tally(a, why);
	if (rc == 1)
		rc = put_tallied(a, text, count);
	else if (rc == 0)
		return end_part(a, why);
	return rc < 0 ? explain(rc, why) : 0;
}

static int step_row(struct aggregate *a, unsigned *cost, struct why *why)
{
	struct filter_row row;
	int rc = filter_next(&a->filter, &row);

	*cost += rc == SCAN_MORE ? FILTER_OPEN_COST : 1;
	if (rc == 0)
		return end_part(a, why);
	if (rc == 1) {
		a->result.scanned++;
		rc = filter_wants(&a->filter, &row, cost);
		if (rc == 1)
			rc = take_values(a, &row, cost);
		if (rc == 1) {
			a->result.records++;
			rc = add_to_groups(a, cost);
		}
	}
	return rc < 0 ? explain(rc, why) : 0;
}

/* ---- the answer ---- */

static void put_number(struct buf *out, const struct field *f, struct number n)
{
	char text[TIME_TEXT_MAX];

	if (f->type == FIELD_TIME)
		mp_put_cstr(out, time_text(n.integer, true, text));
	else if (n.is_real)
		mp_put_float(out, n.real);
	else
		mp_put_int(out, n.integer);
}

static void put_metric(struct buf *out, const struct field *f, const struct metric *m,
		       struct summary *s)
{
	struct number n = {.integer = 0};
	double average;
	bool known = s->count > 0;

	switch (m->kind) {
	case METRIC_COUNT: mp_put_int(out, (int64_t)s->count); return;
	case METRIC_AVERAGE:
		if (summary_average(s, &average))
			mp_put_float(out, average);
		else
			mp_put_nil(out);
		return;
	case METRIC_MIN: n = s->min; break;
	case METRIC_MAX: n = s->max; break;
	case METRIC_SUM: known = summary_sum(s, &n); break;
	case METRIC_P50: known = summary_percentile(s, 50, &n); break;
	case METRIC_P90: known = summary_percentile(s, 90, &n); break;
	case METRIC_P99: known = summary_percentile(s, 99, &n); break;
	}
	if (known)
		put_number(out, f, n);
	else
		mp_put_nil(out);
}

static void put_part(struct buf *out, const struct part *p, struct bytes value)
{
	struct mp_value v;

	mp_put_str(out, p->name);
	if (p->bucketed && mp_get(value, &v) && v.type == MP_INT)
		put_number(out, p->field, (struct number){.integer = v.integer});
	else
		buf_put_bytes(out, value);
}

static int step_write(struct aggregate *a, unsigned *cost, struct why *why)
{
	const struct plan *p = &a->plan;
	struct buf *out = a->spec.groups;

	if (a->written == a->result.groups) {
		a->phase = PHASE_DONE;
		return 0;
	}
	struct group *g = next_group(a);
	struct mp_reader key = mp_reader_of(group_key(&a->groups, g));
	struct bytes value;
	a->written++;
	mp_put_map(out, (uint32_t)(p->part_count + 1 + p->metric_count));
	for (size_t i = 0; i < p->part_count && mp_take(&key, &value) == 1; i++)
		put_part(out, &p->parts[i], value);
	mp_put_cstr(out, "count");
	mp_put_int(out, (int64_t)g->count);
	for (size_t i = 0; i < p->metric_count; i++) {
		struct summary *s = &g->summaries[p->metrics[i].number];
		double error = summary_error(s);
		mp_put_str(out, p->metrics[i].name);
		put_metric(out, p->fields[p->metrics[i].number], &p->metrics[i], s);
		*cost += s->items_count / PERCENTILE_UNIT;
		if (error > a->result.percentile_error)
			a->result.percentile_error = error;
	}
	*cost += 1;
	return out->error ? filter_explain(out->error, why) : 0;
}

static int advance(struct aggregate *a, unsigned *cost, struct why *why)
{
	switch (a->phase) {
	case PHASE_TEXT: return step_text(a, cost, why);
	case PHASE_TALLY: return step_tally(a, cost, why);
	case PHASE_ROWS: return step_row(a, cost, why);
	default: return step_write(a, cost, why);
	}
}

int aggregate_step(struct aggregate *a, unsigned budget, struct why *why)
{
	unsigned cost = 0;

	while (!a->error && a->phase != PHASE_DONE && cost < budget)
		a->error = advance(a, &cost, &a->error_words);
	a->result.read = a->read + a->filter.read;
	a->result.damaged = a->damaged + a->filter.damaged;
	if (a->error)
		return why_set(why, a->error, "%s", a->error_words.text);
	return a->phase != PHASE_DONE;
}
