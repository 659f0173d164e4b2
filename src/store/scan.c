/*
 * scan: rows of a resource in the order of a time axis: a heap over one run for each segment that
 * touches the span. A run is opened when it comes to the top: until then it stands in the heap with
 * the earliest position that the manifest lets its rows have, and costs no read.
 *
 * A run is a stretch of one section: rows by creation, rows by last update, children by creation,
 * or (children by last update) a list that was collected at the opening. Runs are half-open
 * stretches of places; a run's current row is decoded, so that a step compares numbers and reads at
 * most one page.
 *
 * Terms narrow a run down. In the order of creation, which is that of ordinals, its places are those
 * of the shortest list, and the others are asked; in another order all rows are passed and all lists
 * are asked, which costs little where rows that lie together were changed together.
 */
#include "columns.h"
#include "frames.h"
#include "lists.h"
#include "lookup.h"
#include "match_bits.h"
#include "view.h"

#include <codec/msgpack.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A parent with more children than this is not sorted in memory. */
#define CHILDREN_MAX 1000000u
/* Reads at the opening of children. */
#define EARLY_MISSES_MAX 8u
/* Rows without the terms that one step leaves behind. */
#define PASSED_MAX 1024u

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
	struct child_key *list; /* of children by last update, or of changes where they are not indexed */
	struct posting *terms;          /* NULL: no terms, or unknown; the shortest first */
	uint32_t segment;               /* its place among the resource's */
	bool opened;                    /* `key` is that of a row */
	bool placed;                    /* its places are known */
	bool together;                  /* its children were read at once */
	bool by_list;                   /* places are those of the first list */
	bool decided;                   /* the segment knows the terms */
	bool certain;                   /* so the current row has them */
	const struct match_bits *match; /* NULL: all rows are sure */
	enum match_verdict verdict;     /* on the current row */
	struct column_reader **columns; /* by field number; NULL: not asked for */
};

struct scan {
	struct snapshot *view;
	enum axis axis;
	bool descending, tombstones, children, changes;
	const struct schema *schema;
	struct store_term terms[SCAN_TERMS_MAX]; /* their texts: in term_texts */
	size_t terms_count;
	struct buf term_texts;
	struct match *match;
	bool match_all;
	bool tails; /* segments are read from their ends, so the match may be ready from there */
	uint64_t parent_hash;
	int64_t start_ms, end_ms;
	bool untimed; /* rows without a time, too */
	struct scan_position after;
	bool has_after;
	bool bounded, most; /* rows beyond `bound` in the field may be left out */
	unsigned bound_field;
	int64_t bound;
	struct run *runs;
	size_t runs_count;
	struct run **heap;
	size_t heap_count;
	struct run *last; /* whose row was given last; it steps on with the next call */
	int error;
	uint64_t warm; /* the dictionary that was used last; 0: none */
	struct buf id, parent;
	char id_digits[24], parent_digits[24];
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
	if (r->by_list)
		return posting_at(&r->terms[0], place, ordinal_out);
	if (s->changes)
		return segment_change(g, p, place, &r->hint, ordinal_out);
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

/* 1: the current row has all terms, as far as is known. */
static int run_wants(const struct scan *s, struct run *r)
{
	int rc = 1;

	for (size_t i = r->by_list; r->terms && rc == 1 && i < s->terms_count; i++)
		rc = lists_have(&r->terms[i], r->ordinal);
	return rc;
}

/* The column's reader; NULL: no memory. */
static struct column_reader *reader_of(struct run *r, unsigned number)
{
	if (!r->columns)
		r->columns = calloc(SEGMENT_FIELDS_MAX, sizeof *r->columns);
	if (r->columns && !r->columns[number])
		r->columns[number] = calloc(1, sizeof **r->columns);
	return r->columns ? r->columns[number] : NULL;
}

static void readers_free(struct run *r)
{
	for (unsigned i = 0; r->columns && i < SEGMENT_FIELDS_MAX; i++) {
		if (r->columns[i])
			column_reader_release(r->columns[i]);
		free(r->columns[i]);
	}
	free(r->columns);
	r->columns = NULL;
}

static bool is_beyond(const struct scan *s, int64_t value)
{
	return s->most ? value > s->bound : value < s->bound;
}

/* The number of the bound's field in the run's segment; FIELD_ABSENT: it has none there. */
static int bound_number(struct scan *s, struct run *r, unsigned *number_out)
{
	struct segment *g = r->entry->segment;
	int rc = segment_fields(g, s->view->store->pages, s->schema);

	*number_out = g->fields[s->bound_field];
	return rc;
}

/* 1: the current row may be left out. */
static int row_is_beyond(struct scan *s, struct run *r)
{
	unsigned number;
	int64_t value = 0;
	int rc = bound_number(s, r, &number);

	if (rc || number == FIELD_ABSENT)
		return rc;
	struct column_reader *reader = reader_of(r, number);
	rc = reader ? column_number(r->entry->segment, s->view->store->pages, number, r->ordinal,
				    &reader->hint, &value)
		    : ERR_NOMEM;
	if (rc < 0)
		return rc == ERR_NOTFOUND ? 0 : rc;
	return rc == 0 || is_beyond(s, value);
}

/* 1: all rows of the segment may be. */
static int run_is_beyond(struct scan *s, struct run *r)
{
	unsigned number;
	struct column c;
	int rc = bound_number(s, r, &number);

	if (rc || number == FIELD_ABSENT)
		return rc;
	rc = segment_column(r->entry->segment, s->view->store->pages, number, &c);
	if (rc || c.form != FORM_NUMBERS)
		return rc;
	return c.present == 0 || is_beyond(s, s->most ? c.min : c.max);
}

/* Leaves out what the match rules out, where places are ordinals. */
static void run_skip(const struct scan *s, struct run *r)
{
	if (!r->match || s->match_all || r->by_list || r->list || s->children || s->changes ||
	    s->axis == AXIS_UPDATED)
		return;
	uint32_t from = match_bits_ready(r->match), at = r->at > from ? r->at : from;
	if (!s->descending)
		r->at = match_bits_from(r->match, r->at, r->end);
	else if (at < r->end)
		r->end = match_bits_before(r->match, at, r->end);
}

/* Whether the match has to get ready for the rows that are left. */
static bool run_waits(const struct scan *s, const struct run *r)
{
	return s->tails && r->at < r->end && r->end <= match_bits_ready(r->match);
}

/* Its rows lie here and there in the file. */
static bool run_is_scattered(const struct run *r)
{
	return r->by_list || r->match;
}

/* The run's current row. */
static int run_row(struct scan *s, struct run *r)
{
	const struct store *store = s->view->store;
	struct segment *g = r->entry->segment;
	struct bytes frame;

	if (run_is_scattered(r) &&
	    frames_find(store->frames, g->meta.number, r->ordinal, &r->row, &frame))
		return 0;
	return segment_row(g, store->pages, r->ordinal, &r->row_hint, &r->row);
}

/* Goes to the next row that is wanted: 1, 0 at the end, SCAN_MORE: the match is not ready there yet, or an error. After many that are not wanted
 * one comes that is not certain, so that no step takes long. */
static int run_next(struct scan *s, struct run *r)
{
	unsigned passed = 0;

	for (;;) {
		run_skip(s, r);
		if (r->at >= r->end)
			return 0;
		if (run_waits(s, r))
			return SCAN_MORE;
		uint32_t place = s->descending ? --r->end : r->at++;
		int rc = run_place(s, r, place, &r->ordinal);
		if (rc)
			return rc;
		if (dead_has(r->entry->dead, r->ordinal))
			continue;
		int beyond = s->bounded ? row_is_beyond(s, r) : 0;
		if (beyond < 0)
			return beyond;
		if (beyond && ++passed < PASSED_MAX)
			continue;
		rc = run_wants(s, r);
		if (rc < 0)
			return rc;
		r->certain = r->decided && rc;
		r->verdict = r->match ? match_bits_say(r->match, r->ordinal) : MATCH_SURE;
		if ((rc == 0 || (r->verdict == MATCH_OUT && !s->match_all)) && ++passed < PASSED_MAX)
			continue;
		rc = run_row(s, r);
		if (rc)
			return rc;
		if (!s->tombstones && r->row.flags & RECORD_DELETED)
			continue;
		r->key.time_ms = s->changes                ? (int64_t)r->row.revision
				 : s->axis == AXIS_UPDATED ? r->row.updated_ms
							   : r->row.created_ms;
		r->key.id_hash = r->row.id_hash;
		return 1;
	}
}

/* ---- where a run begins and ends ---- */

static int seek(struct scan *s, struct run *r, int64_t time_ms, uint64_t id_hash, uint32_t *at)
{
	struct segment *g = r->entry->segment;
	struct pages *p = s->view->store->pages;

	if (s->changes)
		return segment_seek_change(g, p, time_ms < 0 ? 0 : (uint64_t)time_ms, at);
	if (s->children)
		return segment_seek_child(g, p, s->parent_hash, time_ms, id_hash, at);
	if (s->axis == AXIS_UPDATED)
		return segment_seek_updated(g, p, time_ms, id_hash, at);
	int rc = segment_seek_created(g, p, time_ms, id_hash, at);
	return rc || !r->by_list ? rc : posting_rank(&r->terms[0], *at, at);
}

static uint32_t run_elements(const struct scan *s, const struct run *r)
{
	const struct section *sections = r->entry->segment->sections;

	if (r->by_list)
		return r->terms[0].count;
	return sections[s->changes                ? SECTION_CHANGES
			: s->children             ? SECTION_PARENTS
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
		return segment_children_end(r->entry->segment, s->view->store->pages,
					    s->parent_hash, r->at, &r->end);
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
	if (s->changes && s->descending) {
		rc = seek(s, r, s->after.time_ms, 0, &at);
		r->end = rc || at >= r->end ? r->end : at;
	} else if (s->changes) {
		rc = seek(s, r, s->after.time_ms == TIME_MAX ? TIME_MAX : s->after.time_ms + 1, 0,
			  &at);
		r->at = rc || at <= r->at ? r->at : at;
	} else if (s->descending) {
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
		rc = segment_children_end(g, p, s->parent_hash, first, &end);
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

/* Changes of a segment from before they were indexed. */
static int run_collect_changes(struct scan *s, struct run *r)
{
	struct segment *g = r->entry->segment;
	uint32_t n = 0;
	struct row row;

	r->list = malloc(((size_t)g->meta.records + 1) * sizeof *r->list);
	if (!r->list)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < g->meta.records; i++) {
		int rc = segment_row(g, s->view->store->pages, i, &r->row_hint, &row);
		if (rc)
			return rc;
		struct child_key k = {(int64_t)row.revision, row.id_hash, i};
		if (k.updated_ms >= 0 && key_wanted(s, &k))
			r->list[n++] = k;
	}
	qsort(r->list, n, sizeof *r->list, by_update);
	r->at = 0;
	r->end = n;
	return 0;
}

/* ---- terms ---- */

static int by_count(const void *a, const void *b)
{
	uint32_t x = ((const struct posting *)a)->count, y = ((const struct posting *)b)->count;

	return x < y ? -1 : x > y;
}

static int run_terms(struct scan *s, struct run *r)
{
	r->decided = true;
	if (s->terms_count == 0)
		return 0;
	r->terms = malloc(s->terms_count * sizeof *r->terms);
	if (!r->terms)
		return ERR_NOMEM;
	int rc = lists_find(r->entry->segment, s->view->store->pages, s->schema, s->terms,
			    s->terms_count, r->terms);
	if (rc <= 0) {
		free(r->terms);
		r->terms = NULL;
		r->decided = false;
		return rc;
	}
	qsort(r->terms, s->terms_count, sizeof *r->terms, by_count);
	r->by_list = !s->changes && !s->children && s->axis == AXIS_CREATED;
	return 0;
}

/* Records of the run are about to be read. */
static void run_warm(struct scan *s, const struct run *r)
{
	uint64_t dictionary = r->entry->segment->meta.dictionary;

	if (s->warm != dictionary)
		dictionary_warm(s->view->store->dictionaries, dictionary);
	s->warm = dictionary;
}

/* SCAN_MORE: the match is not ready there yet. */
static int run_open(struct scan *s, struct run *r)
{
	unsigned cost = 0;
	int rc = !s->match  ? 0
		 : s->tails ? match_tail_step(s->match, r->segment, &cost)
			    : match_segment_step(s->match, r->segment, &cost);

	if (rc)
		return rc < 0 ? rc : SCAN_MORE;
	if (r->placed)
		return 0;
	r->placed = true;
	if (r->match && match_bits_none(r->match) && !s->match_all)
		return 0;
	rc = s->bounded ? run_is_beyond(s, r) : 0;
	if (rc)
		return rc < 0 ? rc : 0;
	rc = segment_load(r->entry->segment, s->view->store->pages);
	if (!rc)
		rc = run_terms(s, r);
	if (rc)
		return rc;
	if (s->changes && r->entry->segment->sections[SECTION_CHANGES].elements == 0)
		return run_collect_changes(s, r);
	if (s->children) {
		rc = segment_may_have_children(r->entry->segment, s->view->store->pages,
					       s->parent_hash);
		if (rc != 1)
			return rc;
		run_warm(s, r);
	}
	if (s->children && s->axis == AXIS_UPDATED)
		return run_collect(s, r);
	rc = run_bounds(s, r);
	return rc ? rc : run_resume(s, r);
}

/* ---- opening ---- */

/* Whether rows without a time are wanted, and may lie in the segment. */
static bool may_be_untimed(const struct scan *s, const struct segment *g)
{
	return s->untimed && !s->changes && (s->axis == AXIS_UPDATED || g->meta.untimed);
}

static const struct range *range_of(const struct scan *s, const struct segment *g)
{
	return &g->meta.ranges[s->changes                ? RANGE_REVISION
			       : s->axis == AXIS_UPDATED ? RANGE_UPDATED
							 : RANGE_CREATED];
}

/* All rows lie on the wrong side of the position. */
static bool is_behind(const struct scan *s, const struct segment *g)
{
	const struct range *r = range_of(s, g);

	if (!s->has_after || r->min == TIME_NONE)
		return false;
	return s->descending ? r->min > s->after.time_ms && !may_be_untimed(s, g)
			     : r->max < s->after.time_ms;
}

static bool touches(const struct scan *s, const struct segment *g)
{
	const struct range *r = range_of(s, g);

	if (is_behind(s, g))
		return false;
	if (s->untimed)
		return true;
	if (r->min == TIME_NONE)
		return false;
	return r->max >= s->start_ms && (r->min < s->end_ms || s->end_ms == TIME_MAX);
}

/* No row of the segment comes before this one. */
static struct scan_position bound(const struct scan *s, const struct segment *g)
{
	const struct range *r = range_of(s, g);

	if (s->descending)
		return (struct scan_position){r->min == TIME_NONE ? TIME_NONE : r->max, UINT64_MAX};
	return (struct scan_position){may_be_untimed(s, g) ? TIME_NONE : r->min, 0};
}

/* Whether the filter of a segment that was opened before rules children of the parent out. It is asked here, before there is a run, as long as that takes few reads: most
 * segments have none. */
static bool is_childless(const struct scan *s, struct segment *g, uint64_t misses_max)
{
	struct pages *p = s->view->store->pages;
	struct pages_stats stats;

	if (!g->loaded || !g->sections[SECTION_PARENT_FILTER].elements)
		return false;
	pages_stats(p, &stats);
	return stats.misses < misses_max && segment_may_have_children(g, p, s->parent_hash) == 0;
}

/* The same of some segments from one on, where it takes no read. */
static uint32_t are_childless(const struct scan *s, const struct state_resource *resource, size_t from)
{
	struct segment *asked[SEGMENTS_ASKED];
	unsigned n = 0;

	for (; n < SEGMENTS_ASKED && from + n < resource->count; n++)
		asked[n] = resource->segments[from + n].segment;
	return segments_childless(asked, n, s->view->store->pages, s->parent_hash);
}

static int list_runs(struct scan *s, const struct state_resource *resource)
{
	struct pages_stats stats;
	uint32_t childless = 0;

	s->runs = malloc((resource->count + 1) * sizeof *s->runs);
	s->heap = malloc((resource->count + 1) * sizeof(struct run *));
	if (!s->runs || !s->heap)
		return ERR_NOMEM;
	pages_stats(s->view->store->pages, &stats);
	for (size_t i = 0; i < resource->count; i++) {
		struct segment *g = resource->segments[i].segment;
		const struct match_bits *match = s->match ? match_bits_of(s->match, i) : NULL;
		if (s->children && i % SEGMENTS_ASKED == 0)
			childless = are_childless(s, resource, i);
		if (childless >> i % SEGMENTS_ASKED & 1)
			continue;
		if (!touches(s, g) || (match && match_bits_none(match) && !s->match_all) ||
		    (s->children && is_childless(s, g, stats.misses + EARLY_MISSES_MAX)))
			continue;
		struct run *r = &s->runs[s->runs_count++];
		*r = (struct run){.entry = &resource->segments[i],
				  .segment = (uint32_t)i,
				  .match = match,
				  .key = bound(s, g)};
		s->heap[s->heap_count++] = r;
	}
	for (size_t i = s->heap_count / 2; i-- > 0;)
		sift_down(s, i);
	return 0;
}

static int copy_terms(struct scan *s, const struct scan_spec *spec)
{
	const uint8_t *text;

	if (spec->terms_count > SCAN_TERMS_MAX)
		return ERR_LIMIT;
	for (size_t i = 0; i < spec->terms_count; i++)
		buf_put_bytes(&s->term_texts, spec->terms[i].text);
	if (s->term_texts.error)
		return s->term_texts.error;
	text = s->term_texts.data;
	for (; s->terms_count < spec->terms_count; s->terms_count++) {
		const struct store_term *t = &spec->terms[s->terms_count];
		s->terms[s->terms_count] = (struct store_term){t->field, bytes_of(text, t->text.len)};
		text += t->text.len;
	}
	return 0;
}

int scan_open(struct snapshot *v, const struct scan_spec *spec, struct scan **scan_out, struct why *why)
{
	const struct state_resource *r = state_find(v->state, spec->resource);
	struct scan *s = calloc(1, sizeof *s);
	int rc;

	if (!s)
		return why_set(why, ERR_NOMEM, "out of memory to read %s", spec->resource);
	s->view = v;
	s->axis = spec->axis;
	s->descending = spec->descending;
	s->tombstones = spec->tombstones;
	s->start_ms = spec->start_ms;
	s->end_ms = spec->end_ms;
	s->untimed = spec->start_ms == TIME_MIN && spec->end_ms == TIME_MAX;
	s->changes = spec->changes;
	s->children = spec->parent.len > 0 && !spec->changes;
	s->schema = schema_find(&v->store->schemas, spec->resource);
	s->match = spec->match;
	s->match_all = spec->match_all;
	s->tails = s->match && s->descending && s->axis == AXIS_CREATED && !s->children &&
		   !s->changes && !s->match_all && spec->terms_count == 0;
	s->parent_hash = row_parent_hash(spec->parent);
	s->has_after = spec->after != NULL;
	if (spec->after)
		s->after = *spec->after;
	rc = copy_terms(s, spec);
	if (!rc && r && spec->start_ms < spec->end_ms)
		rc = list_runs(s, r);
	if (rc) {
		scan_close(s);
		return why_set(why, rc, "cannot read %s: %s", spec->resource, err_name(rc));
	}
	*scan_out = s;
	return 0;
}

static void run_release(struct run *r)
{
	free(r->list);
	free(r->terms);
	r->list = NULL;
	r->terms = NULL;
	readers_free(r);
}

void scan_close(struct scan *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->runs_count; i++)
		run_release(&s->runs[i]);
	buf_release(&s->term_texts);
	free(s->runs);
	free(s->heap);
	buf_release(&s->id);
	buf_release(&s->parent);
	free(s);
}

/* ---- stepping ---- */

/* The run at the top has its next row, or it is over. */
static int top_next(struct scan *s)
{
	struct run *r = s->heap[0];
	int rc = run_next(s, r);

	if (rc < 0)
		return rc;
	/* It comes to the top again with what it had last, or less: no row of it comes before. */
	if (rc == SCAN_MORE)
		r->opened = false;
	if (rc == 0) {
		run_release(r);
		s->heap[0] = s->heap[--s->heap_count];
	}
	if (s->heap_count)
		sift_down(s, 0);
	return 0;
}

static int top_open(struct scan *s)
{
	struct run *r = s->heap[0];
	int rc = run_open(s, r);

	r->opened = rc != SCAN_MORE;
	return rc ? rc : top_next(s);
}

int scan_step(struct scan *s, struct scan_row *row_out)
{
	/* The run whose row was given stays until now, for scan_record. */
	if (!s->error && s->last)
		s->error = store_trouble(s->view->store, top_next(s));
	s->last = NULL;
	if (s->error)
		return s->error;
	if (s->heap_count == 0)
		return 0;
	if (!s->heap[0]->opened) {
		int rc = top_open(s);
		if (rc == SCAN_MORE)
			return rc;
		s->error = store_trouble(s->view->store, rc);
		if (s->error)
			return s->error;
		if (s->heap_count == 0)
			return 0;
		if (!s->heap[0]->opened)
			return SCAN_MORE;
	}
	struct run *r = s->last = s->heap[0];
	*row_out = (struct scan_row){.position = r->key,
				     .created_ms = r->row.created_ms,
				     .updated_ms = r->row.updated_ms,
				     .seen_ms = r->row.seen_ms,
				     .revision = r->row.revision,
				     .flags = r->row.flags,
				     .raw_bytes = r->row.raw_bytes,
				     .certain = r->certain,
				     .verdict = r->verdict,
				     .parent_hash = r->row.parent_hash,
				     .segment = r->segment,
				     .ordinal = r->ordinal};
	return 1;
}

int scan_next(struct scan *s, struct scan_row *row_out)
{
	int rc;

	do
		rc = scan_step(s, row_out);
	while (rc == SCAN_MORE);
	return rc;
}

void scan_bound(struct scan *s, unsigned field, bool most, int64_t value)
{
	s->bounded = s->schema && field < s->schema->count &&
		     (s->schema->fields[field].kind == STORE_INTEGER ||
		      s->schema->fields[field].kind == STORE_TIME);
	s->bound_field = field;
	s->most = most;
	s->bound = value;
}

/* Children of one parent were written together, as a rule: those that are left of a run are read at once. What is wrong with them is met again by who asks for them. */
static void read_children(struct scan *s, struct run *r)
{
	struct segment *g = r->entry->segment;
	struct pages *p = s->view->store->pages;
	uint32_t hint = r->hint, row_hint = r->row_hint;
	struct child last;
	struct row row;

	if (r->list || r->together || r->at == r->end)
		return;
	r->together = true;
	if (segment_child(g, p, s->descending ? r->at : r->end - 1, &hint, &last) ||
	    segment_row(g, p, last.ordinal, &row_hint, &row))
		return;
	const struct row *first = row.offset < r->row.offset ? &row : &r->row,
			 *end = first == &row ? &r->row : &row;
	page_file_ahead(p, &g->file, (size_t)end->offset + end->frame_bytes - first->offset,
			first->offset);
}

/* The frame of the run's current row; borrowed until the store reads another one. */
static int run_frame(struct scan *s, struct run *r, struct bytes *out)
{
	struct store *store = s->view->store;
	struct segment *g = r->entry->segment;
	/* What goes is not kept: somebody may be waiting for nothing of it to be left. */
	bool scattered = run_is_scattered(r) && !segment_in_memory(g) && !g->doomed;
	struct row row;

	if (scattered && frames_find(store->frames, g->meta.number, r->ordinal, &row, out))
		return 0;
	run_warm(s, r);
	if (s->children)
		read_children(s, r);
	int rc = segment_frame_on(g, store->pages, &r->row, &store->frame);
	if (rc)
		return rc;
	*out = buf_bytes(&store->frame);
	if (scattered)
		frames_keep(store->frames, g->meta.number, r->ordinal, &r->row, *out);
	return 0;
}

int scan_record(struct scan *s, struct buf *memory, struct record *out)
{
	struct store *store = s->view->store;
	struct run *r = s->last;
	struct bytes frame;

	buf_reset(memory);
	if (!r)
		return s->error ? s->error : ERR_INVALID;
	int rc = run_frame(s, r, &frame);
	return rc ? store_trouble(store, rc)
		  : lookup_record(store, r->entry->segment, &r->row, frame, memory, out);
}

/* ---- without the record ---- */

/* The value of the field with this number in the segment. */
static int read_column(struct scan *s, unsigned number, struct bytes *out)
{
	struct run *r = s->last;
	struct column_reader *reader = reader_of(r, number);

	if (!reader)
		return ERR_NOMEM;
	int rc = column_look(r->entry->segment, s->view->store->pages, number, r->ordinal, reader,
			     out);
	if (rc)
		return store_trouble(s->view->store, rc);
	return out->len != 1 || out->data[0] != 0xc1;
}

int scan_column(struct scan *s, unsigned field, struct bytes *value_out)
{
	struct run *r = s->last;

	if (!r || !s->schema || field >= s->schema->count)
		return s->error ? s->error : ERR_INVALID;
	struct segment *g = r->entry->segment;
	int rc = g->fields_loaded
			 ? 0
			 : store_trouble(s->view->store,
					 segment_fields(g, s->view->store->pages, s->schema));
	if (rc || g->fields[field] == FIELD_ABSENT || r->row.flags & RECORD_DELETED ||
	    !kind_has_column(s->schema->fields[field].kind))
		return rc;
	return read_column(s, g->fields[field], value_out);
}

static int note_last(struct scan *s)
{
	return store_trouble(s->view->store, segment_note(s->last->entry->segment, ERR_CORRUPT));
}

/* Names are never negative. */
static struct bytes digits_of(uint64_t v, char digits[24])
{
	size_t at = 24;

	do
		digits[--at] = (char)('0' + v % 10);
	while (v /= 10);
	return bytes_of(&digits[at], 24 - at);
}

/* The number of the row, where its name is one and the column keeps numbers; otherwise as column_number. */
static int read_number(struct scan *s, unsigned number, int64_t *out)
{
	struct run *r = s->last;
	struct column_reader *reader = reader_of(r, number);

	return reader ? column_number(r->entry->segment, s->view->store->pages, number, r->ordinal,
				      &reader->hint, out)
		      : ERR_NOMEM;
}

/* A name stays while columns are read: a number is written to `digits`, a text to `room`. */
static int read_name(struct scan *s, unsigned number, char digits[24], struct buf *room,
		     struct bytes *out)
{
	struct bytes value;
	struct mp_value v;
	int64_t name;
	int rc = read_number(s, number, &name);

	if (rc == 1) {
		*out = digits_of((uint64_t)name, digits);
		return 1;
	}
	rc = rc < 0 && rc != ERR_NOTFOUND ? store_trouble(s->view->store, rc)
					  : read_column(s, number, &value);
	if (rc != 1)
		return rc;
	if (!mp_get(value, &v))
		return note_last(s);
	if (v.type == MP_INT) {
		*out = digits_of(v.uinteger, digits);
		return 1;
	}
	buf_reset(room);
	buf_put_bytes(room, v.type == MP_STR ? v.str : bytes_of(NULL, 0));
	*out = room->len ? buf_bytes(room) : bytes_of(NULL, 0);
	return room->error ? room->error : 1;
}

int scan_names(struct scan *s, struct bytes *id_out, struct bytes *parent_out)
{
	struct run *r = s->last;
	struct bytes id, parent = {NULL, 0};

	if (!r)
		return s->error ? s->error : ERR_INVALID;
	if (r->entry->segment->sections[SECTION_FIELDS].elements < SEGMENT_OWN_FIELDS)
		return 0;
	int rc = read_name(s, OWN_ID, s->id_digits, &s->id, &id);
	if (rc == 1 && bytes_hash(id) != r->row.id_hash)
		rc = note_last(s);
	/* Who has no parent needs no name of one. */
	if (rc == 1 && r->row.parent_hash)
		rc = read_name(s, OWN_PARENT, s->parent_digits, &s->parent, &parent);
	if (rc != 1)
		return rc;
	if (row_parent_hash(parent) != r->row.parent_hash)
		return note_last(s);
	*id_out = id;
	*parent_out = parent;
	return 1;
}
