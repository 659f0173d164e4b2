/*
 * scan: rows of a resource in the order of a time axis: a heap over one run for each segment that
 * touches the span.
 *
 * A run is a stretch of one section: rows by creation, rows by last update, children by creation,
 * or (children by last update) a list that was collected at the opening. Runs are half-open
 * stretches of places; a run's current row is decoded, so that a step compares numbers and reads at
 * most one page.
 */
#include "lookup.h"
#include "view.h"

#include <stdlib.h>

/* A parent with more children than this is not sorted in memory. */
#define CHILDREN_MAX 1000000u

struct child_key {
	int64_t updated_ms;
	uint64_t id_hash;
	uint32_t ordinal;
};

struct run {
	const struct state_segment *entry;
	uint32_t at,
		end; /* places still to go: [at, end) ascending, from end - 1 down to at descending */
	uint32_t hint, row_hint;
	uint32_t ordinal; /* of the current row */
	struct row row;
	struct scan_position key;
	struct child_key *list; /* of children by last update */
};

struct scan {
	struct snapshot *view;
	enum axis axis;
	bool descending, tombstones, children;
	uint64_t parent_hash;
	int64_t start_ms, end_ms;
	bool untimed; /* rows without a time, too */
	struct scan_position after;
	bool has_after;
	struct run *runs;
	size_t runs_count;
	struct run **heap;
	size_t heap_count;
	struct run *last; /* whose row was given last; it steps on with the next call */
	int error;
	struct buf frame;
};

/* ---- the heap ---- */

static int compare_position(const struct scan_position *a, const struct scan_position *b)
{
	if (a->time_ms != b->time_ms)
		return a->time_ms < b->time_ms ? -1 : 1;
	return a->id_hash < b->id_hash ? -1 : a->id_hash > b->id_hash;
}

static bool comes_first(const struct scan *s, const struct run *a, const struct run *b)
{
	int c = compare_position(&a->key, &b->key);

	return s->descending ? c > 0 : c < 0;
}

static void sift_down(struct scan *s, size_t at)
{
	struct run *moved = s->heap[at];

	for (;;) {
		size_t child = at * 2 + 1;
		if (child >= s->heap_count)
			break;
		if (child + 1 < s->heap_count && comes_first(s, s->heap[child + 1], s->heap[child]))
			child++;
		if (!comes_first(s, s->heap[child], moved))
			break;
		s->heap[at] = s->heap[child];
		at = child;
	}
	s->heap[at] = moved;
}

/* ---- runs ---- */

/* The ordinal at a place, and whether the row was read already. */
static int run_place(struct scan *s, struct run *r, uint32_t place, uint32_t *ordinal_out)
{
	struct segment *g = r->entry->segment;
	struct pages *p = s->view->store->pages;
	struct child c;
	int64_t updated;
	int rc;

	if (r->list) {
		*ordinal_out = r->list[place].ordinal;
		return 0;
	}
	if (s->children) {
		rc = segment_child(g, p, place, &r->hint, &c);
		*ordinal_out = rc ? 0 : c.ordinal;
		return rc;
	}
	if (s->axis == AXIS_UPDATED)
		return segment_updated(g, p, place, &r->hint, &updated, ordinal_out);
	*ordinal_out = place;
	return 0;
}

/* Goes to the next row that is wanted: 1, 0 at the end, or an error. */
static int run_next(struct scan *s, struct run *r)
{
	while (r->at < r->end) {
		uint32_t place = s->descending ? --r->end : r->at++;
		int rc = run_place(s, r, place, &r->ordinal);
		if (rc)
			return rc;
		if (dead_has(r->entry->dead, r->ordinal))
			continue;
		rc = segment_row(r->entry->segment, s->view->store->pages, r->ordinal, &r->row_hint,
				 &r->row);
		if (rc)
			return rc;
		if (!s->tombstones && r->row.flags & RECORD_DELETED)
			continue;
		r->key.time_ms = s->axis == AXIS_UPDATED ? r->row.updated_ms : r->row.created_ms;
		r->key.id_hash = r->row.id_hash;
		return 1;
	}
	return 0;
}

/* ---- where a run begins and ends ---- */

static int seek(struct scan *s, struct run *r, int64_t time_ms, uint64_t id_hash, uint32_t *at)
{
	struct segment *g = r->entry->segment;
	struct pages *p = s->view->store->pages;

	if (s->children)
		return segment_seek_child(g, p, s->parent_hash, time_ms, id_hash, at);
	if (s->axis == AXIS_UPDATED)
		return segment_seek_updated(g, p, time_ms, id_hash, at);
	return segment_seek_created(g, p, time_ms, id_hash, at);
}

/* The place behind the children of the parent. */
static int seek_children_end(struct scan *s, struct run *r, uint32_t *at)
{
	struct segment *g = r->entry->segment;

	if (s->parent_hash == UINT64_MAX) {
		*at = g->sections[SECTION_PARENTS].elements;
		return 0;
	}
	return segment_seek_child(g, s->view->store->pages, s->parent_hash + 1, TIME_NONE, 0, at);
}

static uint32_t run_elements(const struct scan *s, const struct run *r)
{
	const struct section *sections = r->entry->segment->sections;

	return sections[s->children               ? SECTION_PARENTS
			: s->axis == AXIS_UPDATED ? SECTION_UPDATED
						  : SECTION_ROWS]
		.elements;
}

/* Places of the span; TIME_MAX as an end takes what lies at it, too. */
static int run_bounds(struct scan *s, struct run *r)
{
	int rc = seek(s, r, s->untimed ? TIME_NONE : s->start_ms, 0, &r->at);

	if (rc)
		return rc;
	if (s->end_ms != TIME_MAX)
		return seek(s, r, s->end_ms, 0, &r->end);
	if (s->children)
		return seek_children_end(s, r, &r->end);
	r->end = run_elements(s, r);
	return 0;
}

/* Leaves out what lies up to the position. */
static int run_resume(struct scan *s, struct run *r)
{
	uint32_t at;
	int rc;

	if (!s->has_after)
		return 0;
	if (s->descending) {
		rc = seek(s, r, s->after.time_ms, s->after.id_hash, &at);
		r->end = rc || at >= r->end ? r->end : at;
	} else {
		/* The first place behind (time, hash): hashes are whole numbers. */
		bool carry = s->after.id_hash == UINT64_MAX;
		if (carry && s->after.time_ms == TIME_MAX) {
			r->at = r->end;
			return 0;
		}
		rc = seek(s, r, s->after.time_ms + carry, carry ? 0 : s->after.id_hash + 1, &at);
		r->at = rc || at <= r->at ? r->at : at;
	}
	if (r->at > r->end)
		r->at = r->end;
	return rc;
}

static int by_update(const void *a, const void *b)
{
	const struct child_key *x = a, *y = b;
	struct scan_position p = {x->updated_ms, x->id_hash}, q = {y->updated_ms, y->id_hash};
	int c = compare_position(&p, &q);

	return c ? c : x->ordinal < y->ordinal ? -1 : x->ordinal > y->ordinal;
}

static bool key_wanted(const struct scan *s, const struct child_key *k)
{
	struct scan_position p = {k->updated_ms, k->id_hash};

	if (k->updated_ms == TIME_NONE ? !s->untimed
				       : k->updated_ms < s->start_ms || (k->updated_ms >= s->end_ms &&
									 s->end_ms != TIME_MAX))
		return false;
	if (!s->has_after)
		return true;
	int c = compare_position(&p, &s->after);
	return s->descending ? c < 0 : c > 0;
}

/* Children lie by creation: those by last update are collected and sorted here. */
static int run_collect(struct scan *s, struct run *r)
{
	struct segment *g = r->entry->segment;
	struct pages *p = s->view->store->pages;
	uint32_t first = 0, end = 0, n = 0;
	struct child c;
	struct row row;
	int rc = segment_seek_child(g, p, s->parent_hash, TIME_NONE, 0, &first);

	if (!rc)
		rc = seek_children_end(s, r, &end);
	if (rc || end <= first)
		return rc;
	if (end - first > CHILDREN_MAX)
		return ERR_LIMIT;
	r->list = malloc((end - first) * sizeof *r->list);
	if (!r->list)
		return ERR_NOMEM;
	for (uint32_t i = first; i < end; i++) {
		rc = segment_child(g, p, i, &r->hint, &c);
		if (!rc)
			rc = segment_row(g, p, c.ordinal, &r->row_hint, &row);
		if (rc)
			return rc;
		struct child_key k = {row.updated_ms, row.id_hash, c.ordinal};
		if (key_wanted(s, &k))
			r->list[n++] = k;
	}
	qsort(r->list, n, sizeof *r->list, by_update);
	r->at = 0;
	r->end = n;
	return 0;
}

static int run_open(struct scan *s, struct run *r)
{
	int rc = segment_load(r->entry->segment, s->view->store->pages);

	if (rc)
		return rc;
	if (s->children && r->entry->segment->sections[SECTION_PARENTS].elements == 0)
		return 0;
	if (s->children && s->axis == AXIS_UPDATED)
		return run_collect(s, r);
	rc = run_bounds(s, r);
	return rc ? rc : run_resume(s, r);
}

/* ---- opening ---- */

static bool touches(const struct scan *s, const struct state_segment *e)
{
	const struct range *r =
		&e->segment->meta.ranges[s->axis == AXIS_UPDATED ? RANGE_UPDATED : RANGE_CREATED];

	if (s->untimed)
		return true;
	if (r->min == TIME_NONE)
		return false;
	return r->max >= s->start_ms && (r->min < s->end_ms || s->end_ms == TIME_MAX);
}

static int open_runs(struct scan *s, const struct state_resource *resource)
{
	s->runs = calloc(resource->count + 1, sizeof *s->runs);
	s->heap = malloc((resource->count + 1) * sizeof(struct run *));
	if (!s->runs || !s->heap)
		return ERR_NOMEM;
	for (size_t i = 0; i < resource->count; i++) {
		struct run *r = &s->runs[s->runs_count];
		if (!touches(s, &resource->segments[i]))
			continue;
		s->runs_count++;
		r->entry = &resource->segments[i];
		int rc = run_open(s, r);
		if (!rc)
			rc = run_next(s, r);
		if (rc < 0)
			return rc;
		if (rc)
			s->heap[s->heap_count++] = r;
	}
	for (size_t i = s->heap_count / 2; i-- > 0;)
		sift_down(s, i);
	return 0;
}

int scan_open(struct snapshot *v, const struct scan_spec *spec, struct scan **scan_out, struct why *why)
{
	const struct state_resource *r = state_find(v->state, spec->resource);
	struct scan *s = calloc(1, sizeof *s);
	int rc = 0;

	if (!s)
		return why_set(why, ERR_NOMEM, "out of memory to read %s", spec->resource);
	s->view = v;
	s->axis = spec->axis;
	s->descending = spec->descending;
	s->tombstones = spec->tombstones;
	s->start_ms = spec->start_ms;
	s->end_ms = spec->end_ms;
	s->untimed = spec->start_ms == TIME_MIN && spec->end_ms == TIME_MAX;
	s->children = spec->parent.len > 0;
	s->parent_hash = row_parent_hash(spec->parent);
	s->has_after = spec->after != NULL;
	if (spec->after)
		s->after = *spec->after;
	if (r && spec->start_ms < spec->end_ms)
		rc = open_runs(s, r);
	if (rc) {
		store_trouble(v->store, rc);
		scan_close(s);
		return why_set(why, rc, "cannot read %s: %s", spec->resource,
			       rc == ERR_CORRUPT
				       ? "a segment is damaged; it will be read again from the provider"
				       : err_name(rc));
	}
	*scan_out = s;
	return 0;
}

void scan_close(struct scan *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->runs_count; i++)
		free(s->runs[i].list);
	free(s->runs);
	free(s->heap);
	buf_release(&s->frame);
	free(s);
}

/* ---- stepping ---- */

/* The run whose row was given steps on; its row stayed until now, for scan_record. */
static int step_last(struct scan *s)
{
	int rc = run_next(s, s->last);

	if (rc < 0)
		return rc;
	if (rc == 0)
		s->heap[0] = s->heap[--s->heap_count];
	if (s->heap_count)
		sift_down(s, 0);
	return 0;
}

int scan_next(struct scan *s, struct scan_row *row_out)
{
	if (!s->error && s->last)
		s->error = store_trouble(s->view->store, step_last(s));
	s->last = NULL;
	if (s->error)
		return s->error;
	if (s->heap_count == 0)
		return 0;
	struct run *r = s->last = s->heap[0];
	*row_out = (struct scan_row){.position = r->key,
				     .created_ms = r->row.created_ms,
				     .updated_ms = r->row.updated_ms,
				     .seen_ms = r->row.seen_ms,
				     .revision = r->row.revision,
				     .flags = r->row.flags,
				     .raw_bytes = r->row.raw_bytes};
	return 1;
}

int scan_record(struct scan *s, struct buf *memory, struct record *out)
{
	struct store *store = s->view->store;
	struct run *r = s->last;

	buf_reset(memory);
	if (!r)
		return s->error ? s->error : ERR_INVALID;
	int rc = segment_frame(r->entry->segment, store->pages, &r->row, &s->frame);
	return rc ? store_trouble(store, rc)
		  : lookup_record(store, r->entry->segment, &r->row, buf_bytes(&s->frame), memory,
				  out);
}
