/*
 * query: a scan, a condition, rows.
 *
 *   ROWS --limit or bytes--> PEEK (is there one more?) ----------------------------> DONE
 *     |                        total wanted: REST (count on) --cursor--> HEAD (count what came before it) --> DONE
 *     +--end of the scan--> DONE, or HEAD when a total is wanted behind a cursor
 *
 * A record is inflated only when its contents are needed: for a row or a condition that neither the index row nor columns answer. Parts of
 * the condition that say FIELD = VALUE of an indexed field narrow the scan down; where the index is not certain, they are asked again.
 * Invariant: `last` is the position of the last row in the answer; everything before it was shown or did not match.
 */
#include <query/query.h>

#include "fingerprint.h"
#include "text.h"

#include <stdlib.h>

#define READ_UNIT 8192
#define PEEKS_MAX 8
#define OPEN_COST 16 /* of a segment, as many rows */
#define SIEVE_MAX 8

enum phase { PHASE_TEXT, PHASE_ROWS, PHASE_PEEK, PHASE_REST, PHASE_HEAD, PHASE_DONE };

struct query {
	struct snapshot *snapshot;
	struct query_spec spec;
	struct projection *projection;
	uint64_t question;
	enum phase phase;
	int error;
	struct why error_words;
	const struct where *sieve[SIEVE_MAX]; /* parts of the condition that must hold and that an index row can answer */
	size_t sieve_count;
	bool shallow;                            /* there are no other parts */
	struct store_term terms[SCAN_TERMS_MAX]; /* parts that an index answers */
	size_t terms_count;
	bool only_terms;           /* beside the sieve there are no other parts */
	bool where_indexed;        /* columns have all that the condition asks for */
	bool rows_indexed;         /* and all that a row shows */
	bool counting;             /* lists are asked for the total, before all */
	size_t counted_at;         /* so far */
	bool counted;              /* the total is known from the start */
	bool resumed;              /* `from` is set */
	struct scan_position from; /* where the cursor stood */
	struct scan_position last;
	size_t rows_start; /* in the rows' buffer */
	uint64_t matches;
	struct text *text; /* NULL: none was asked for */
	struct scan *scan;
	struct buf memory, scratch, snippet;
	struct query_result result;
};

/* ---- conditions that an index row answers ---- */

static bool is_shallow_field(const struct field *f)
{
	static const char *const names[] = {"created", "updated", "revision", "deleted", "truncated"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (f->path == NULL && strcmp(f->name, names[i]) == 0)
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
static void collect_sieve(struct query *q, const struct where *w)
{
	if (is_shallow(w)) {
		if (q->sieve_count < SIEVE_MAX)
			q->sieve[q->sieve_count++] = w;
		else
			q->shallow = q->only_terms = false;
	} else if (w->op == WHERE_AND) {
		q->shallow = false;
		for (const struct where *child = w->child; child; child = child->next)
			collect_sieve(q, child);
	} else {
		q->shallow = false;
	}
}

/* ---- conditions that an index of the store answers ---- */

static bool is_indexed(void *ctx, const struct field *f)
{
	const struct query *q = ctx;
	enum store_kind kind;

	return snapshot_field(q->snapshot, q->spec.resource, f, &kind) >= 0 && kind != STORE_WORDS;
}

static bool is_where_indexed(struct query *q, const struct where *w)
{
	/* Of the envelope a row has the times and marks; ids and the parent stand in the record. */
	if (w->field && !(w->field->path ? is_indexed(q, w->field) : is_shallow_field(w->field)))
		return false;
	for (const struct where *child = w->child; child; child = child->next)
		if (!is_where_indexed(q, child))
			return false;
	return true;
}

/* FIELD = VALUE where both are texts: what an index has as a term. */
static bool take_term(struct query *q, const struct where *w)
{
	enum store_kind kind;

	if (w->op != WHERE_EQUAL || q->terms_count == SCAN_TERMS_MAX)
		return false;
	if (w->field->type != FIELD_TEXT && w->field->type != FIELD_LIST &&
	    w->field->type != FIELD_BOOL)
		return false;
	int field = snapshot_field(q->snapshot, q->spec.resource, w->field, &kind);
	if (field < 0 || (kind != STORE_KEYWORD && kind != STORE_LIST))
		return false;
	q->terms[q->terms_count++] = (struct store_term){(unsigned)field, w->values->text};
	return true;
}

static void collect_terms(struct query *q, const struct where *w)
{
	if (w->op == WHERE_AND)
		for (const struct where *child = w->child; child; child = child->next)
			collect_terms(q, child);
	else if (!take_term(q, w) && !is_shallow(w))
		q->only_terms = false;
}

/* 1, or ERR_NOTFOUND: only the record knows. */
static int stored_value(void *ctx, const struct field *f, struct bytes *out)
{
	struct query *q = ctx;
	int field = snapshot_field(q->snapshot, q->spec.resource, f, NULL);
	int rc = field < 0 ? 0 : scan_column(q->scan, (unsigned)field, out);

	return rc ? rc : ERR_NOTFOUND;
}

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

/* ---- opening ---- */

static int start_scan(struct query *q, const struct scan_position *after, struct why *why)
{
	const struct scan_spec spec = {
		.resource = q->spec.resource,
		.axis = q->spec.axis,
		.start_ms = q->result.start_ms,
		.end_ms = q->result.end_ms,
		.descending = !q->spec.ascending,
		.after = after,
		.terms = q->terms,
		.terms_count = q->terms_count,
		.match = q->text ? text_match(q->text) : NULL,
		.match_all = q->text && text_passes_all(q->text),
	};

	scan_close(q->scan);
	q->scan = NULL;
	return scan_open(q->snapshot, &spec, &q->scan, why);
}

static int take_cursor(struct query *q, struct why *why)
{
	struct cursor c;
	int rc = cursor_parse(q->spec.cursor, &c, why);

	if (rc)
		return rc;
	if (c.question != q->question || c.axis != q->spec.axis)
		return why_set(
			why, ERR_INVALID,
			"this cursor belongs to another question: source, resource, axis, sort, where and text must be as they were");
	q->result.start_ms = c.start_ms;
	q->result.end_ms = c.end_ms;
	q->from = q->last = c.position;
	q->resumed = true;
	return 0;
}

static bool counted_already(const struct query *q)
{
	return !q->spec.where && !q->spec.text && q->result.start_ms == TIME_MIN &&
	       q->result.end_ms == TIME_MAX;
}

static int explain(int rc, struct why *why)
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

static bool spans_all(const struct query *q)
{
	return q->result.start_ms == TIME_MIN && q->result.end_ms == TIME_MAX;
}

/* A question of one term on the axis of ordinals: lists know how long they are. */
static bool is_of_one_term(const struct query *q)
{
	return q->terms_count == 1 && !q->sieve_count && q->only_terms && q->spec.axis == AXIS_CREATED;
}

/* The same of a question of one word. */
static int count_word(struct query *q, struct why *why)
{
	const struct search *s = q->spec.text;

	if (!s || q->spec.where || q->spec.child || s->count != 1 || s->words[0].prefix ||
	    (q->spec.axis != AXIS_CREATED && !spans_all(q)))
		return 0;
	int rc = snapshot_word_count(q->snapshot, q->spec.resource, s->words[0].term,
				     q->result.start_ms, q->result.end_ms, &q->result.total);
	if (rc < 0)
		return explain(rc, why);
	q->counted = q->result.total_known = rc == 1;
	return 0;
}

static void finish(struct query *q)
{
	q->phase = PHASE_DONE;
	if (q->counted)
		return;
	q->result.total = q->matches;
	q->result.total_known = q->spec.want_total || (!q->resumed && !q->result.more);
}

static int begin(struct query *q, struct why *why)
{
	if (q->spec.limit == 0) {
		/* Nothing to show: all is counted in one go, whatever the cursor. */
		q->resumed = false;
		q->phase = q->spec.want_total && !q->counted ? PHASE_REST : PHASE_DONE;
	} else {
		q->phase = PHASE_ROWS;
	}
	return q->phase == PHASE_DONE ? 0 : start_scan(q, q->resumed ? &q->from : NULL, why);
}

static int count_on(struct query *q, unsigned *cost, struct why *why)
{
	int rc = snapshot_term_count_step(q->snapshot, q->spec.resource, &q->terms[0],
					  q->result.start_ms, q->result.end_ms, &q->counted_at,
					  &q->result.total);

	*cost += OPEN_COST;
	if (rc == SCAN_MORE)
		return 0;
	if (rc < 0)
		return explain(rc, why);
	q->counting = false;
	q->counted = q->result.total_known = rc == 1;
	return begin(q, why);
}

/* The text is ready: its bits may know the total. */
static int leave_text(struct query *q, struct why *why)
{
	if (q->spec.want_total && !q->counted && !q->spec.where &&
	    (q->spec.axis == AXIS_CREATED || spans_all(q))) {
		int rc = text_count(q->text, q->result.start_ms, q->result.end_ms, &q->result.total);
		if (rc < 0)
			return explain(rc, why);
		q->counted = q->result.total_known = rc == 1;
	}
	return begin(q, why);
}

static int begin_text(struct query *q, struct why *why)
{
	int rc = q->spec.want_total ? count_word(q, why) : 0;

	if (rc)
		return rc;
	if (q->spec.limit == 0 && (q->counted || !q->spec.want_total)) {
		q->phase = PHASE_DONE;
		return 0;
	}
	return text_open(q->snapshot, &q->spec, &q->text) ? why_set(why, ERR_NOMEM, "out of memory")
							  : 0;
}

static int prepare(struct query *q, struct why *why)
{
	const struct query_spec *s = &q->spec;
	enum projection_kind kind = s->names   ? PROJECTION_NAMED
				    : s->whole ? PROJECTION_ALL
					       : PROJECTION_SUMMARY;
	int rc = projection_new(kind, s->fields, s->names, s->name_count, &q->projection, why);

	if (rc == 0 && fingerprint(s, &q->question))
		rc = why_set(why, ERR_NOMEM, "out of memory");
	if (rc == 0 && s->cursor.len)
		rc = take_cursor(q, why);
	if (rc)
		return rc;
	q->shallow = q->only_terms = true;
	if (s->where)
		collect_sieve(q, s->where);
	if (s->where)
		collect_terms(q, s->where);
	q->where_indexed = s->where && is_where_indexed(q, s->where);
	q->rows_indexed = projection_indexed(q->projection, is_indexed, q);
	q->counted = s->want_total && counted_already(q);
	if (q->counted) {
		q->result.total = snapshot_count(q->snapshot, s->resource);
		q->result.total_known = true;
	}
	if (s->text)
		return begin_text(q, why);
	q->counting = s->want_total && !q->counted && s->where && is_of_one_term(q);
	return q->counting ? 0 : begin(q, why);
}

int query_open(struct snapshot *v, const struct query_spec *spec, struct query **out, struct why *why)
{
	struct query *q = calloc(1, sizeof *q);

	if (!q)
		return why_set(why, ERR_NOMEM, "out of memory");
	q->snapshot = v;
	q->spec = *spec;
	if (!q->spec.bytes_max)
		q->spec.bytes_max = QUERY_BYTES_DEFAULT;
	q->rows_start = spec->rows ? spec->rows->len : 0;
	q->result.start_ms = spec->start_ms;
	q->result.end_ms = spec->end_ms;
	int rc = prepare(q, why);
	if (rc) {
		query_free(q);
		return rc;
	}
	*out = q;
	return 0;
}

void query_free(struct query *q)
{
	if (!q)
		return;
	scan_close(q->scan);
	text_free(q->text);
	projection_free(q->projection);
	buf_release(&q->memory);
	buf_release(&q->snippet);
	buf_release(&q->scratch);
	free(q);
}

const struct query_result *query_result(const struct query *q)
{
	return &q->result;
}

/* ---- one row ---- */

/* 1: read, 0: damaged. */
static int read_record(struct query *q, const struct scan_row *row, struct record *r, unsigned *cost)
{
	q->result.read++;
	*cost += 1 + row->raw_bytes / READ_UNIT;
	int rc = scan_record(q->scan, &q->memory, r);
	if (rc == ERR_CORRUPT) {
		q->result.damaged++;
		return 0;
	}
	return rc < 0 ? rc : 1;
}

/* Whether the condition holds, without reading the record: 1, 0, an error, or ERR_NOTFOUND: only the record says. */
static int match_indexed(struct query *q, const struct scan_row *row, const struct record *r)
{
	if (q->shallow || (row->certain && q->only_terms))
		return 1;
	return q->where_indexed ? where_match_stored(q->spec.where, r, stored_value, q, &q->scratch)
				: ERR_NOTFOUND;
}

/* Makes `r` a whole record unless it is one. 1, 0: damaged, or an error. */
static int have_record(struct query *q, const struct scan_row *row, struct record *r, bool *read,
		       unsigned *cost)
{
	if (*read)
		return 1;
	int rc = read_record(q, row, r, cost);
	*read = rc > 0;
	return rc;
}

static int meets_where(struct query *q, const struct scan_row *row, struct record *r, bool *read,
		       unsigned *cost)
{
	int rc = 1;

	for (size_t i = 0; i < q->sieve_count && rc > 0; i++)
		rc = where_match(q->sieve[i], r, &q->scratch);
	if (rc > 0)
		rc = match_indexed(q, row, r);
	if (rc != ERR_NOTFOUND)
		return rc;
	rc = have_record(q, row, r, read, cost);
	return rc > 0 ? where_match(q->spec.where, r, &q->scratch) : rc;
}

static int meets_text(struct query *q, const struct scan_row *row, struct record *r, bool *read,
		      unsigned *cost)
{
	int rc = text_row(q->text, row, cost);

	if (rc != ERR_NOTFOUND)
		return rc;
	rc = have_record(q, row, r, read, cost);
	return rc > 0 ? text_finds(q->text, r) : rc;
}

/* 1: it is wanted, 0: it is not. *read: `r` is a whole record. */
static int examine(struct query *q, const struct scan_row *row, struct record *r, bool *read,
		   unsigned *cost)
{
	*r = envelope_of(row);
	*read = false;
	if (q->text && row->verdict == MATCH_OUT && !text_passes_all(q->text))
		return 0;
	int rc = meets_where(q, row, r, read, cost);
	if (rc > 0 && q->text)
		rc = meets_text(q, row, r, read, cost);
	if (rc == ERR_CORRUPT) {
		q->result.damaged++;
		return 0;
	}
	return rc;
}

static void leave_rows(struct query *q, bool more)
{
	if (more)
		q->result.more = true;
	if (q->spec.want_total && !q->counted)
		q->phase = PHASE_REST;
	else if (more)
		finish(q);
	else
		q->phase = PHASE_PEEK;
}

/* A row of columns; ERR_NOTFOUND: only the record has it. */
static int write_indexed(struct query *q, const struct record *envelope, struct buf *rows)
{
	struct record r = *envelope;

	if (!q->rows_indexed || r.flags & RECORD_MERGED)
		return ERR_NOTFOUND;
	int rc = scan_names(q->scan, &r.id, &r.parent);
	if (rc <= 0)
		return rc ? rc : ERR_NOTFOUND;
	return row_write_stored(q->projection, q->spec.source, q->spec.resource, &r, stored_value,
				q, rows);
}

/* 0: written, 1: damaged and counted, or an error. */
static int write_row(struct query *q, const struct scan_row *row, struct record *r, bool *read,
		     unsigned *cost)
{
	int rc = *read ? ERR_NOTFOUND : write_indexed(q, r, q->spec.rows);

	if (rc == ERR_NOTFOUND) {
		rc = have_record(q, row, r, read, cost);
		if (rc <= 0)
			return rc ? rc : 1;
		rc = row_write(q->projection, q->spec.source, q->spec.resource, r, q->spec.rows);
	}
	if (rc != ERR_CORRUPT)
		return rc;
	q->result.damaged++;
	return 1;
}

/* 0, 1: damaged and counted, or an error. */
static int add_snippet(struct query *q, const struct scan_row *row, struct record *r, bool *read,
		       size_t mark, unsigned *cost)
{
	int rc = q->text ? text_snippet(q->text, row, *read ? r : NULL, &q->snippet, cost) : 0;

	if (rc == ERR_NOTFOUND) {
		rc = have_record(q, row, r, read, cost);
		if (rc <= 0)
			return rc ? rc : 1;
		rc = text_snippet(q->text, row, r, &q->snippet, cost);
	}
	if (rc == ERR_CORRUPT) {
		q->result.damaged++;
		return 1;
	}
	if (rc > 0)
		row_add(q->spec.rows, mark, "snippet", buf_bytes(&q->snippet));
	return rc < 0 ? rc : q->spec.rows->error;
}

/* A record that is wanted: into the answer, or behind its end. */
static int show(struct query *q, const struct scan_row *row, struct record *r, bool read,
		unsigned *cost)
{
	struct buf *rows = q->spec.rows;
	size_t mark = rows->len;
	int rc = write_row(q, row, r, &read, cost);

	if (!rc)
		rc = add_snippet(q, row, r, &read, mark, cost);
	if (rc) {
		rows->len = mark;
		return rc < 0 ? rc : 0;
	}
	q->matches++;
	if (q->result.rows && rows->len - q->rows_start > q->spec.bytes_max) {
		rows->len = mark;
		leave_rows(q, true);
		return 0;
	}
	q->result.rows++;
	q->last = row->position;
	if (q->result.rows == q->spec.limit || rows->len - q->rows_start >= q->spec.bytes_max)
		leave_rows(q, false);
	return 0;
}

/* ---- the steps ---- */

static int compare(const struct scan_position *a, const struct scan_position *b)
{
	if (a->time_ms != b->time_ms)
		return a->time_ms < b->time_ms ? -1 : 1;
	return (a->id_hash > b->id_hash) - (a->id_hash < b->id_hash);
}

/* The head of the question ends with the row at which the cursor stood. */
static bool behind_cursor(const struct query *q, const struct scan_row *row)
{
	int order = compare(&row->position, &q->from);

	return q->spec.ascending ? order > 0 : order < 0;
}

static int end_of_scan(struct query *q, struct why *why)
{
	if (q->phase != PHASE_HEAD && q->resumed && q->spec.want_total && !q->counted) {
		q->phase = PHASE_HEAD;
		return start_scan(q, NULL, why);
	}
	finish(q);
	return 0;
}

static int take_row(struct query *q, const struct scan_row *row, unsigned *cost)
{
	struct record r;
	bool read;

	q->result.scanned++;
	if (q->phase == PHASE_HEAD && behind_cursor(q, row)) {
		finish(q);
		return 0;
	}
	int rc = examine(q, row, &r, &read, cost);
	if (rc <= 0)
		return rc;
	if (q->phase == PHASE_ROWS)
		return show(q, row, &r, read, cost);
	if (q->phase != PHASE_HEAD && q->spec.limit)
		q->result.more = true;
	q->matches++;
	if (q->phase == PHASE_PEEK)
		finish(q);
	return 0;
}

static int advance(struct query *q, unsigned *cost, struct why *why)
{
	struct scan_row row;
	int rc;

	if (q->phase == PHASE_TEXT) {
		rc = text_step(q->text, cost);
		if (rc < 0)
			return explain(rc, why);
		return rc ? 0 : leave_text(q, why);
	}
	rc = scan_step(q->scan, &row);

	*cost += rc == SCAN_MORE ? OPEN_COST : 1;
	if (rc == SCAN_MORE)
		return 0;
	if (rc == 0)
		return end_of_scan(q, why);
	if (rc > 0)
		rc = take_row(q, &row, cost);
	return rc < 0 ? explain(rc, why) : 0;
}

static void put_cursor(struct query *q)
{
	const struct cursor c = {
		.axis = q->spec.axis,
		.start_ms = q->result.start_ms,
		.end_ms = q->result.end_ms,
		.position = q->last,
		.question = q->question,
	};

	if (q->result.more)
		cursor_text(&c, q->result.next_cursor);
}

/* One index row answers it, and some segments that may have none: always worth it. */
static bool peek_is_cheap(const struct query *q)
{
	return q->phase == PHASE_PEEK && !q->spec.where && !q->text;
}

int query_step(struct query *q, unsigned budget, struct why *why)
{
	unsigned cost = 0, peeks = 0;

	while (!q->error && q->phase != PHASE_DONE &&
	       (cost < budget || (peek_is_cheap(q) && peeks++ < PEEKS_MAX)))
		q->error = q->counting ? count_on(q, &cost, &q->error_words)
				       : advance(q, &cost, &q->error_words);
	if (q->error) {
		why_set(why, q->error, "%s", q->error_words.text);
		return q->error;
	}
	/* Whether there is one more is worth the rest of this step, not another one. */
	if (q->phase == PHASE_PEEK) {
		q->result.more = true;
		finish(q);
	}
	if (q->phase != PHASE_DONE)
		return 1;
	if (q->text) {
		q->result.damaged += text_damaged(q->text);
		q->result.read += text_read(q->text);
		text_free(q->text);
		q->text = NULL;
	}
	put_cursor(q);
	return 0;
}
