/*
 * tally: how often each value of a keyword field stands in a span: segment after segment, term after term, the length of a part of a list less
 * the rows in it that died. What has none of them has no value.
 *
 * Tombstones have no terms: they are taken off those without a value. How many a segment has is known; where the span cuts one in two, its rows
 * in the span are asked, some in each call.
 */
#include "columns.h"
#include "lists.h"
#include "view.h"

#include <stdlib.h>

#define ROWS_EACH 1024u

struct tally {
	struct snapshot *view;
	const struct schema *schema;
	const struct state_resource *resource;
	unsigned field;
	int64_t start_ms, end_ms;
	size_t at;   /* of the current segment */
	bool within; /* it was begun */
	uint32_t first, end;
	uint32_t row; /* up to which rows were asked whether they are tombstones; `end`: all */
	uint64_t valueless; /* rows in the span that have no term, as far as is known */
	struct term_cursor cursor;
	int error;
};

/* ---- opening ---- */

static bool outside(const struct tally *t, const struct state_segment *e)
{
	const struct range *r = &e->segment->meta.ranges[RANGE_CREATED];

	if (segment_live(e) == 0)
		return true;
	if (t->start_ms == TIME_MIN && t->end_ms == TIME_MAX)
		return false;
	return r->min == TIME_NONE || r->max < t->start_ms ||
	       (r->min >= t->end_ms && t->end_ms != TIME_MAX);
}

int tally_open(struct snapshot *v, const char *resource, unsigned field, int64_t start_ms,
	       int64_t end_ms, struct tally **tally_out)
{
	const struct schema *schema = schema_find(&v->store->schemas, resource);

	if (!schema || field >= schema->count || schema->fields[field].kind != STORE_KEYWORD)
		return 0;
	struct tally *t = calloc(1, sizeof *t);
	if (!t)
		return ERR_NOMEM;
	t->view = v;
	t->schema = schema;
	t->resource = start_ms < end_ms ? state_find(v->state, resource) : NULL;
	t->field = field;
	t->start_ms = start_ms;
	t->end_ms = end_ms;
	*tally_out = t;
	return 1;
}

void tally_close(struct tally *t)
{
	free(t);
}

/* ---- one segment ---- */

static uint32_t dead_in(const struct dead *d, uint32_t first, uint32_t end)
{
	uint32_t n = 0;

	if (!d)
		return 0;
	if (first == 0 && end == d->records)
		return d->count;
	for (uint32_t i = first; i < end; i++) {
		if (i % 8 == 0 && end - i >= 8) {
			n += (uint32_t)__builtin_popcount(d->bits[i / 8]);
			i += 7;
			continue;
		}
		n += dead_has(d, i);
	}
	return n;
}

static int begin_segment(struct tally *t, struct state_segment *e)
{
	struct segment *g = e->segment;
	struct pages *p = t->view->store->pages;
	int rc = segment_fields(g, p, t->schema);

	if (rc)
		return rc;
	uint8_t prefix = g->fields[t->field];
	if (g->more_terms || prefix == FIELD_ABSENT)
		return ERR_NOTFOUND;
	t->first = 0;
	t->end = g->meta.records;
	/* What the zone map says needs no search; rows without a time lie first. */
	if ((t->start_ms != TIME_MIN || t->end_ms != TIME_MAX) &&
	    (g->meta.untimed || g->meta.ranges[RANGE_CREATED].min < t->start_ms))
		rc = segment_seek_created(g, p, t->start_ms, 0, &t->first);
	if (!rc && t->end_ms != TIME_MAX && g->meta.ranges[RANGE_CREATED].max >= t->end_ms)
		rc = segment_seek_created(g, p, t->end_ms, 0, &t->end);
	if (rc)
		return rc;
	bool whole = t->first == 0 && t->end == g->meta.records;
	t->valueless = t->end - t->first - dead_in(e->dead, t->first, t->end);
	t->row = t->end;
	if (whole)
		t->valueless -= e->tombstones;
	else if (e->tombstones)
		t->row = t->first;
	t->within = true;
	term_cursor_init(&t->cursor, g, p);
	return term_cursor_seek(&t->cursor, bytes_of(&prefix, 1));
}

/* Takes the tombstones among the next rows off. */
static int ask_rows(struct tally *t, const struct state_segment *e)
{
	uint32_t stop = t->end - t->row > ROWS_EACH ? t->row + ROWS_EACH : t->end, hint = 0;
	struct row row;

	for (; t->row < stop; t->row++) {
		if (dead_has(e->dead, t->row))
			continue;
		int rc = segment_row(e->segment, t->view->store->pages, t->row, &hint, &row);
		if (rc)
			return rc;
		if (row.flags & RECORD_DELETED)
			t->valueless--;
	}
	return 0;
}

/* 1: a term of the field, counted; 0: there are no more. */
static int next_term(struct tally *t, const struct state_segment *e, struct bytes *text_out,
		     uint64_t *count_out)
{
	uint8_t number = e->segment->fields[t->field];
	int rc;

	do
		rc = term_cursor_next(&t->cursor);
	while (rc == 1 && t->cursor.term[0] < number);
	if (rc <= 0 || t->cursor.term[0] > number)
		return rc < 0 ? rc : 0;
	/* So long a text may stand for several. */
	if (t->cursor.len == SEGMENT_TERM_MAX)
		return ERR_NOTFOUND;
	*count_out = 0;
	rc = lists_live(&t->cursor.list, e->dead, t->first, t->end, count_out);
	if (rc)
		return rc;
	if (*count_out > t->valueless)
		return segment_note(e->segment, ERR_CORRUPT);
	t->valueless -= *count_out;
	*text_out = bytes_of(t->cursor.term + 1, t->cursor.len - 1);
	return 1;
}

static int next_part(struct tally *t, struct bytes *text_out, uint64_t *count_out)
{
	*text_out = bytes_of(NULL, 0);
	*count_out = 0;
	while (t->resource && t->at < t->resource->count) {
		struct state_segment *e = &t->resource->segments[t->at];
		int rc = 0;
		if (!t->within && outside(t, e)) {
			t->at++;
			continue;
		}
		if (!t->within)
			rc = begin_segment(t, e);
		if (!rc && t->row < t->end) {
			rc = ask_rows(t, e);
			return rc ? rc : 1;
		}
		if (!rc)
			rc = next_term(t, e, text_out, count_out);
		if (rc)
			return rc;
		*count_out = t->valueless;
		t->within = false;
		t->at++;
		return 1;
	}
	return 0;
}

int tally_next(struct tally *t, struct bytes *text_out, uint64_t *count_out)
{
	if (t->error)
		return t->error;
	int rc = next_part(t, text_out, count_out);
	if (rc < 0 && rc != ERR_NOTFOUND)
		store_trouble(t->view->store, rc);
	t->error = rc < 0 ? rc : 0;
	return rc;
}
