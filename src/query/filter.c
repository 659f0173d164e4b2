/*
 * filter: a scan, a condition and a search. A record is inflated only when its contents are needed: for a value or a condition that neither the index row nor
 * columns answer. Parts of the condition that say FIELD = VALUE of an indexed field narrow the scan down; where the index is not certain, they are
 * asked again.
 */
#include "filter.h"

#include <base/sorted.h>

#include <stdlib.h>

#define READ_UNIT 8192

/* ---- conditions that an index row answers ---- */

static bool is_shallow_field(const struct field *field)
{
	static const char *const names[] = {"created", "updated", "revision", "deleted", "truncated"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (field->path == NULL && strcmp(field->name, names[i]) == 0)
			return true;
	return false;
}

static bool is_shallow(const struct where *w)
{
	if (w->field && !is_shallow_field(w->field))
		return false;
	for (const struct where *child = w->child; child; child = child->next)
		if (!is_shallow(child))
			return false;
	return true;
}

/* What holds only together with the rest is no help: `or` and `not` are taken whole or not at all. */
static void collect_sieve(struct filter *f, const struct where *w)
{
	if (is_shallow(w)) {
		if (f->sieve_count < FILTER_SIEVE_MAX)
			f->sieve[f->sieve_count++] = w;
		else
			f->shallow = f->only_terms = false;
	} else if (w->op == WHERE_AND) {
		f->shallow = false;
		for (const struct where *child = w->child; child; child = child->next)
			collect_sieve(f, child);
	} else {
		f->shallow = false;
	}
}

/* ---- conditions that an index of the store answers ---- */

bool filter_indexed(const struct filter *f, const struct field *field)
{
	enum store_kind kind;
	struct bytes value;

	if (field_constant(field, &value))
		return true;
	return snapshot_field(f->snapshot, f->resource, field, &kind) >= 0 && kind != STORE_WORDS;
}

static bool is_where_indexed(const struct filter *f, const struct where *w)
{
	/* Of the envelope a row has the times and marks; ids and the parent stand in the record. */
	if (w->field && !(w->field->path ? filter_indexed(f, w->field) : is_shallow_field(w->field)))
		return false;
	for (const struct where *child = w->child; child; child = child->next)
		if (!is_where_indexed(f, child))
			return false;
	return true;
}

/* FIELD = VALUE where both are texts: what an index has as a term. */
static bool take_term(struct filter *f, const struct where *w)
{
	enum store_kind kind;

	if (w->op != WHERE_EQUAL || f->terms_count == SCAN_TERMS_MAX)
		return false;
	if (w->field->type != FIELD_TEXT && w->field->type != FIELD_LIST &&
	    w->field->type != FIELD_BOOL)
		return false;
	int field = snapshot_field(f->snapshot, f->resource, w->field, &kind);
	if (field < 0 || (kind != STORE_KEYWORD && kind != STORE_LIST))
		return false;
	f->terms[f->terms_count++] = (struct store_term){(unsigned)field, w->values->text};
	return true;
}

static void collect_terms(struct filter *f, const struct where *w)
{
	if (w->op == WHERE_AND)
		for (const struct where *child = w->child; child; child = child->next)
			collect_terms(f, child);
	else if (!take_term(f, w) && !is_shallow(w))
		f->only_terms = false;
}

/* ---- opening ---- */

void filter_init(struct filter *f, struct snapshot *v, const char *resource, const struct where *where)
{
	f->snapshot = v;
	f->resource = resource;
	f->where = where;
	f->shallow = f->only_terms = true;
	if (!where)
		return;
	collect_sieve(f, where);
	collect_terms(f, where);
	f->where_indexed = is_where_indexed(f, where);
	named_init(&f->named, where);
}

void filter_release(struct filter *f)
{
	scan_close(f->scan);
	text_free(f->text);
	buf_release(&f->memory);
	buf_release(&f->scratch);
	named_release(&f->named);
	free(f->apart);
}

int filter_overlay(struct filter *f, const struct overlay *overlay)
{
	if (!overlay || overlay->count == 0)
		return 0;
	f->overlay = overlay;
	f->apart = calloc(overlay->count, sizeof *f->apart);
	return f->apart ? 0 : ERR_NOMEM;
}

int filter_search(struct filter *f, const struct field *fields, const struct query_text *text,
		  const struct text_want *want)
{
	const struct text_spec spec = {f->resource, fields, *text, *want};

	/* What an edit makes of a record stands under no term: all that the search finds are looked at. */
	if (f->overlay) {
		f->terms_count = 0;
		f->only_terms = false;
	}

	return text_open(f->snapshot, &spec, &f->text);
}

int filter_text_step(struct filter *f, unsigned *cost)
{
	return f->text ? text_step(f->text, cost) : 0;
}

void filter_end(struct filter *f)
{
	if (!f->text)
		return;
	f->read += text_read(f->text);
	f->damaged += text_damaged(f->text);
	/* The scan borrows its match. */
	scan_close(f->scan);
	f->scan = NULL;
	text_free(f->text);
	f->text = NULL;
}

/* Of what is left of the span as much as the search is ready for. */
static int open_scan(struct filter *f, struct why *why)
{
	bool part = f->reach_ms > f->start_ms;
	const struct scan_spec spec = {
		.resource = f->resource,
		.axis = f->axis,
		.start_ms = part ? f->reach_ms : f->start_ms,
		.end_ms = f->end_ms,
		.descending = f->descending,
		.parent = f->text ? bytes_of(NULL, 0) : f->named.parent,
		.after = f->has_after ? &f->after : NULL,
		.terms = f->terms,
		.terms_count = f->terms_count,
		.match = f->text ? text_match(f->text) : NULL,
		.match_all = f->text && text_passes_all(f->text),
	};

	return scan_open(f->snapshot, &spec, &f->scan, why);
}

/* ---- the overlay ---- */

static size_t overlay_find(const struct overlay *o, uint64_t hash)
{
	size_t low = sorted_rank64(o->hashes, o->count, hash);

	return low < o->count && o->hashes[low] == hash ? low : SIZE_MAX;
}

const struct record *filter_overlaid(const struct filter *f, struct bytes id)
{
	size_t at = f->overlay ? overlay_find(f->overlay, bytes_hash(id)) : SIZE_MAX;

	return at == SIZE_MAX ? NULL : &f->overlay->records[at];
}

static struct scan_position place_of(const struct filter *f, size_t i)
{
	const struct record *r = &f->overlay->records[i];

	return (struct scan_position){f->axis == AXIS_CREATED ? r->created_ms : r->updated_ms,
				      f->overlay->hashes[i]};
}

/* In the order of the scan: negative, 0, positive. A time that is not known is before all others. */
static int in_order(const struct filter *f, const struct scan_position *a,
		    const struct scan_position *b)
{
	int order = a->time_ms != b->time_ms ? (a->time_ms < b->time_ms ? -1 : 1)
					     : (a->id_hash > b->id_hash) - (a->id_hash < b->id_hash);

	return f->descending ? -order : order;
}

static bool in_span(const struct filter *f, const struct scan_position *p)
{
	if (p->time_ms == TIME_NONE)
		return f->start_ms == TIME_MIN && f->end_ms == TIME_MAX;
	return p->time_ms >= f->start_ms && (p->time_ms < f->end_ms || f->end_ms == TIME_MAX);
}

/* Few enough to be put in order by insertion, as long as there are few; each is in the span and behind the position where the scan begins. */
static void set_apart(struct filter *f)
{
	f->apart_count = f->apart_at = 0;
	for (size_t i = 0; i < f->overlay->count; i++) {
		struct scan_position p = place_of(f, i);
		size_t at = f->apart_count;
		if (!in_span(f, &p) || (f->has_after && in_order(f, &p, &f->after) <= 0))
			continue;
		for (; at > 0; at--) {
			struct scan_position before = place_of(f, f->apart[at - 1]);
			if (in_order(f, &before, &p) <= 0)
				break;
			f->apart[at] = f->apart[at - 1];
		}
		f->apart[at] = i;
		f->apart_count++;
	}
}

/* No scan is needed: all that may be wanted are at hand. */
static int start_named(struct filter *f, struct why *why)
{
	int rc = named_read(&f->named, f->snapshot, f->resource, f->overlay, &f->damaged);

	if (rc)
		return filter_explain(rc, why);
	f->overlay = &f->named.overlay;
	free(f->apart);
	f->apart = calloc(f->overlay->count + 1, sizeof *f->apart);
	if (!f->apart)
		return filter_explain(ERR_NOMEM, why);
	set_apart(f);
	f->scan_over = true;
	return 0;
}

int filter_start(struct filter *f, enum axis axis, int64_t start_ms, int64_t end_ms,
		 bool descending, const struct scan_position *after, struct why *why)
{
	scan_close(f->scan);
	f->scan = NULL;
	f->axis = axis;
	f->start_ms = start_ms;
	f->end_ms = end_ms;
	f->descending = descending;
	f->has_after = after != NULL;
	if (after)
		f->after = *after;
	f->reach_ms = TIME_MIN;
	f->has_ahead = f->scan_over = false;
	if (f->named.ids && !f->text)
		return start_named(f, why);
	if (f->overlay && !f->text)
		set_apart(f);
	return f->text && text_walks(f->text) ? 0 : open_scan(f, why);
}

/* The next stretch, down from where the last one ended. */
static int open_stretch(struct filter *f)
{
	unsigned cost = 0;
	int rc = text_walk(f->text, &f->reach_ms, &cost);

	if (rc == 0)
		rc = open_scan(f, NULL);
	return rc < 0 ? rc : SCAN_MORE;
}

/* 0 when there is nothing behind it, or SCAN_MORE. */
static int end_stretch(struct filter *f)
{
	const struct scan_position from = {f->reach_ms, 0};

	if (f->reach_ms <= f->start_ms)
		return 0;
	if (!f->has_after || f->after.time_ms >= from.time_ms)
		f->after = from;
	f->has_after = true;
	scan_close(f->scan);
	f->scan = NULL;
	return SCAN_MORE;
}

/* ---- one row ---- */

static struct record envelope_of(const struct scan_row *row)
{
	static const uint8_t nil = 0xc0;

	return (struct record){
		.created_ms = row->created_ms,
		.updated_ms = row->updated_ms,
		.seen_ms = row->seen_ms,
		.revision = row->revision,
		.flags = row->flags,
		.doc = {&nil, 1},
	};
}

/* With its edits; `place` is in the scan's order. */
static void give_overlaid(const struct filter *f, size_t i, struct filter_row *out)
{
	const struct record *r = &f->overlay->records[i];

	out->row = (struct scan_row){
		.position = place_of(f, i),
		.created_ms = r->created_ms,
		.updated_ms = r->updated_ms,
		.seen_ms = r->seen_ms,
		.revision = r->revision,
		.flags = r->flags,
		.raw_bytes = (uint32_t)r->doc.len,
		.verdict = MATCH_SURE,
	};
	out->record = *r;
	out->whole = true;
}

/* The scan's next row that is not in the overlay. */
static int look_ahead(struct filter *f)
{
	int rc = 1;

	while (!f->has_ahead && !f->scan_over && rc == 1) {
		rc = scan_step(f->scan, &f->ahead);
		f->scan_over = rc == 0;
		f->has_ahead = rc == 1 &&
			       overlay_find(f->overlay, f->ahead.position.id_hash) == SIZE_MAX;
	}
	return rc == 0 ? 1 : rc;
}

/* The scan's rows and those that are judged apart, as one. */
static int next_of_both(struct filter *f, struct filter_row *out)
{
	int rc = look_ahead(f);

	if (rc != 1)
		return rc;
	if (f->apart_at < f->apart_count) {
		size_t i = f->apart[f->apart_at];
		struct scan_position p = place_of(f, i);
		if (!f->has_ahead || in_order(f, &p, &f->ahead.position) < 0) {
			f->apart_at++;
			give_overlaid(f, i, out);
			return 1;
		}
	}
	if (!f->has_ahead)
		return 0;
	f->has_ahead = false;
	out->row = f->ahead;
	out->record = envelope_of(&out->row);
	out->whole = false;
	return 1;
}

/* What a search finds is seen with its edits at its own place. */
static void see_overlaid(const struct filter *f, struct filter_row *row)
{
	size_t i = overlay_find(f->overlay, row->row.position.id_hash);

	if (i == SIZE_MAX)
		return;
	row->record = f->overlay->records[i];
	row->row.certain = false;
	row->whole = true;
}

int filter_next(struct filter *f, struct filter_row *out)
{
	if (f->overlay && !f->text)
		return next_of_both(f, out);
	int rc = f->scan ? scan_step(f->scan, &out->row) : open_stretch(f);

	if (rc == 0)
		rc = end_stretch(f);
	out->whole = false;
	if (rc == 1)
		out->record = envelope_of(&out->row);
	if (rc == 1 && f->overlay)
		see_overlaid(f, out);
	return rc;
}

int filter_read(struct filter *f, struct filter_row *row, unsigned *cost)
{
	if (row->whole)
		return 1;
	f->read++;
	*cost += 1 + row->row.raw_bytes / READ_UNIT;
	int rc = scan_record(f->scan, &f->memory, &row->record);
	if (rc == ERR_CORRUPT) {
		f->damaged++;
		return 0;
	}
	row->whole = rc >= 0;
	return rc < 0 ? rc : 1;
}

/* Every row asks for the same few, and the answer takes many comparisons of names. */
static int number_of(struct filter *f, const struct field *field)
{
	size_t at = ((uintptr_t)field / sizeof *field) % FILTER_NUMBERS;

	if (f->numbers[at].field != field) {
		f->numbers[at].number = snapshot_field(f->snapshot, f->resource, field, NULL);
		f->numbers[at].field = field;
	}
	return f->numbers[at].number;
}

int filter_column(void *ctx, const struct field *field, struct bytes *out)
{
	struct filter *f = ctx;
	int number = number_of(f, field);
	int rc = number < 0 ? field_constant(field, out)
			    : scan_column(f->scan, (unsigned)number, out);

	return rc ? rc : ERR_NOTFOUND;
}

/* Whether the condition holds, without reading the record: 1, 0, an error, or ERR_NOTFOUND: only the record says. */
static int match_indexed(struct filter *f, const struct filter_row *row)
{
	if (f->shallow || (row->row.certain && f->only_terms))
		return 1;
	if (row->whole)
		return ERR_NOTFOUND;
	return f->where_indexed
		       ? where_match_stored(f->where, &row->record, filter_column, f, &f->scratch)
		       : ERR_NOTFOUND;
}

static int meets_where(struct filter *f, struct filter_row *row, unsigned *cost)
{
	int rc = 1;

	for (size_t i = 0; i < f->sieve_count && rc > 0; i++)
		rc = where_match(f->sieve[i], &row->record, &f->scratch);
	if (rc > 0)
		rc = match_indexed(f, row);
	if (rc != ERR_NOTFOUND)
		return rc;
	rc = filter_read(f, row, cost);
	return rc > 0 ? where_match(f->where, &row->record, &f->scratch) : rc;
}

static int meets_text(struct filter *f, struct filter_row *row, unsigned *cost)
{
	int rc = text_row(f->text, &row->row, cost);

	if (rc != ERR_NOTFOUND)
		return rc;
	/* With an edit it may have other words. */
	if (!row->whole && !match_alone(text_match(f->text), row->row.segment, row->row.ordinal))
		return 0;
	rc = filter_read(f, row, cost);
	return rc > 0 ? text_finds(f->text, &row->record) : rc;
}

int filter_wants(struct filter *f, struct filter_row *row, unsigned *cost)
{
	if (f->text && row->row.verdict == MATCH_OUT && !text_passes_all(f->text))
		return 0;
	int rc = meets_where(f, row, cost);
	if (rc > 0 && f->text)
		rc = meets_text(f, row, cost);
	if (rc == ERR_CORRUPT) {
		f->damaged++;
		return 0;
	}
	return rc;
}

int filter_value(struct filter *f, struct filter_row *row, const struct field *field,
		 struct bytes *out, unsigned *cost)
{
	int rc = row->whole ? ERR_NOTFOUND : filter_column(f, field, out);

	if (rc != ERR_NOTFOUND)
		return rc;
	rc = filter_read(f, row, cost);
	if (rc <= 0)
		return rc;
	buf_reset(&f->scratch);
	rc = field_stored(field, row->record.doc, &f->scratch);
	if (rc == ERR_CORRUPT) {
		f->damaged++;
		return 0;
	}
	*out = buf_bytes(&f->scratch);
	return rc < 0 ? rc : 1;
}

int filter_explain(int rc, struct why *why)
{
	switch (rc) {
	case ERR_NOMEM: return why_set(why, rc, "out of memory");
	case ERR_LIMIT:
		return why_set(why, rc, "the answer is too large: ask for fewer rows or fewer fields");
	case ERR_CORRUPT:
		return why_set(why, rc, "an index of the store is damaged; it will be fetched again");
	default: return why_set(why, rc, "the store cannot be read (%s)", err_name(rc));
	}
}
