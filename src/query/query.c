/*
 * query: a scan, a condition, rows.
 *
 *   TEXT (the search gets ready) --> ROWS, REST, SORT, or DONE when it knows the total and no rows are wanted
 *
 *   ROWS --limit or bytes--> PEEK (is there one more?) ----------------------------> DONE
 *     |                        total wanted: REST (count on) --cursor--> HEAD (count what came before it) --> DONE
 *     +--end of the scan--> DONE, or HEAD when a total is wanted behind a cursor
 *
 *   TEXT --by relevance--> RANK (how rare the words are) --> SORT (what the newest rows hold is counted)
 *   SORT (all rows, the first of them kept) --end of the scan--> SHOW (one after the other, by id) ----------------> DONE
 *     ^                                                            | (a flow of more rows than are kept)
 *     +------------------------------------------------------------+
 *
 * Invariant: `last` is the position of the last row in the answer; everything before it was shown or did not match.
 */
#include <query/query.h>

#include "filter.h"
#include "fingerprint.h"
#include "top.h"

#include <codec/msgpack.h>

#include <stdlib.h>

#define READ_UNIT 8192
#define PEEKS_MAX 8
#define PASS_ROWS 1000 /* kept at once of a flow in an order of values */

enum phase {
	PHASE_TEXT,
	PHASE_RANK,
	PHASE_ROWS,
	PHASE_PEEK,
	PHASE_REST,
	PHASE_HEAD,
	PHASE_SORT,
	PHASE_SHOW,
	PHASE_DONE
};

struct query {
	struct query_spec spec;
	struct projection *projection;
	uint64_t question;
	enum phase phase;
	int error;
	struct why error_words;
	struct filter filter;
	bool rows_indexed;         /* columns have all that a row shows */
	bool snippets;             /* rows show where the search was found */
	bool counting;             /* lists are asked for the total, before all */
	size_t counted_at;         /* so far */
	bool counted;              /* the total is known from the start */
	bool resumed;              /* `from` is set */
	struct scan_position from; /* where the cursor stood */
	struct scan_position last;
	struct sort_key from_key, last_key; /* the same in an order of values */
	struct top *top;
	size_t top_count, top_at, pass; /* kept, shown, to be shown of this look at all rows */
	bool bounded;                   /* some rows of an order were not looked at */
	bool enough;                    /* no more rows are wanted */
	struct rank *rank;              /* NULL: not by relevance */
	size_t rows_start;              /* in the rows' buffer */
	uint64_t matches;
	struct buf snippet;
	struct query_result result;
};

/* ---- opening ---- */

static int start_scan(struct query *q, const struct scan_position *after, struct why *why)
{
	return filter_start(&q->filter, q->spec.axis, q->result.start_ms, q->result.end_ms,
			    !q->spec.ascending, after, why);
}

static bool is_indexed(void *ctx, const struct field *f)
{
	return filter_indexed(ctx, f);
}

static int take_cursor(struct query *q, struct why *why)
{
	struct cursor c;
	int rc = cursor_parse(q->spec.cursor, &c, why);

	if (rc)
		return rc;
	if (c.question != q->question || c.axis != q->spec.axis || c.sorted != (q->spec.sort != NULL))
		return why_set(
			why, ERR_INVALID,
			"this cursor belongs to another question: source, resource, axis, sort, where and text must be as they were");
	q->result.start_ms = c.start_ms;
	q->result.end_ms = c.end_ms;
	q->from = q->last = c.position;
	q->from_key = q->last_key = c.key;
	q->resumed = true;
	return 0;
}

static bool spans_all(const struct query *q)
{
	return q->result.start_ms == TIME_MIN && q->result.end_ms == TIME_MAX;
}

static bool counted_already(const struct query *q)
{
	return !q->spec.where && !q->spec.text.search && spans_all(q);
}

/* A question of one term on the axis of ordinals: lists know how long they are. */
static bool is_of_one_term(const struct query *q)
{
	const struct filter *f = &q->filter;

	return f->terms_count == 1 && !f->sieve_count && f->only_terms && !f->overlay &&
	       q->spec.axis == AXIS_CREATED;
}

/* The same of a question of one word. */
static int count_word(struct query *q, struct why *why)
{
	const struct search *s = q->spec.text.search;

	if (q->spec.where || q->spec.text.child || s->count != 1 || s->words[0].prefix ||
	    (q->spec.axis != AXIS_CREATED && !spans_all(q)))
		return 0;
	int rc = snapshot_word_count(q->filter.snapshot, q->spec.resource, s->words[0].term,
				     q->result.start_ms, q->result.end_ms, &q->result.total);
	if (rc < 0)
		return filter_explain(rc, why);
	q->counted = q->result.total_known = rc == 1;
	return 0;
}

/* What a total depends on beside the records; 0: on more than can be said (a condition may speak of what is now). */
static uint64_t total_key(const struct query *q)
{
	const struct query_spec *s = &q->spec;
	const uint64_t parts[] = {q->question, (uint64_t)q->result.start_ms,
				  (uint64_t)q->result.end_ms};

	return s->where || !s->text.search ? 0 : bytes_hash(bytes_of(parts, sizeof parts));
}

static void finish(struct query *q)
{
	q->phase = PHASE_DONE;
	if (q->counted)
		return;
	q->result.total = q->matches;
	/* An order of values looks at all rows, whichever page it is, if nothing bounds them. */
	bool all = q->rank ? !rank_full(q->rank) : q->spec.sort && !q->bounded;
	q->result.total_known = q->spec.want_total || all || (!q->resumed && !q->result.more);
}

/* Rows that one look at all of them gives. */
static uint32_t pass_rows(const struct query *q)
{
	uint32_t left = q->spec.limit - q->result.rows;

	return q->spec.flow && left > PASS_ROWS ? PASS_ROWS : left;
}

static int begin_pass(struct query *q, struct why *why)
{
	/* One more tells whether there is one more. */
	top_free(q->top);
	q->pass = pass_rows(q);
	q->top = top_new(q->pass + 1, q->spec.ascending);
	if (!q->top)
		return why_set(why, ERR_NOMEM, "out of memory");
	q->phase = PHASE_SORT;
	q->matches = 0;
	q->top_at = 0;
	return start_scan(q, NULL, why);
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
	if (q->spec.limit && q->spec.sort)
		return begin_pass(q, why);
	return q->phase == PHASE_DONE ? 0 : start_scan(q, q->resumed ? &q->from : NULL, why);
}

static int count_on(struct query *q, unsigned *cost, struct why *why)
{
	const struct filter *f = &q->filter;
	int rc = snapshot_term_count_step(f->snapshot, f->resource, &f->terms[0], q->result.start_ms,
					  q->result.end_ms, &q->counted_at, &q->result.total);

	*cost += FILTER_OPEN_COST;
	if (rc == SCAN_MORE)
		return 0;
	if (rc < 0)
		return filter_explain(rc, why);
	q->counting = false;
	q->counted = q->result.total_known = rc == 1;
	return begin(q, why);
}

static bool by_relevance(const struct query *q)
{
	return q->spec.sort == &query_relevance && q->spec.limit;
}

/* The search is ready: its bits may know the total. */
static int leave_text(struct query *q, struct why *why)
{
	if (q->spec.want_total && !q->counted && !q->spec.where &&
	    (q->spec.axis == AXIS_CREATED || spans_all(q))) {
		int rc = text_count(q->filter.text, q->result.start_ms, q->result.end_ms,
				    &q->result.total);
		if (rc < 0)
			return filter_explain(rc, why);
		q->counted = q->result.total_known = rc == 1;
	}
	if (!by_relevance(q))
		return begin(q, why);
	q->phase = PHASE_RANK;
	return 0;
}

static int begin_text(struct query *q, struct why *why)
{
	const struct query_spec *s = &q->spec;
	int rc = s->want_total && !q->counted ? count_word(q, why) : 0;

	if (rc)
		return rc;
	if (s->limit == 0 && (q->counted || !s->want_total)) {
		q->phase = PHASE_DONE;
		return 0;
	}
	/* A total and an order look at all rows. */
	bool ranked = by_relevance(q), all = (s->want_total && !q->counted) || (s->sort && !ranked);
	const struct text_want want = {
		.rows = all      ? 0
			: ranked ? RANK_MAX
				 : s->limit,
		.newest = s->axis == AXIS_CREATED && !s->ascending,
		.start_ms = q->result.start_ms,
		.ranked = ranked,
	};
	rc = filter_search(&q->filter, s->fields, &s->text, &want);
	if (!rc && ranked)
		rc = rank_new(q->filter.snapshot, s->resource, s->text.child, s->text.search,
			      &q->rank);
	return rc ? filter_explain(rc, why) : 0;
}

/* Who names fields and not this one is spared reading what was found. */
static bool wants_snippets(const struct query_spec *s)
{
	bool named = !s->names;

	for (size_t i = 0; !named && i < s->name_count; i++)
		named = bytes_is(s->names[i], "snippet");
	return s->text.search && named;
}

static int prepare(struct query *q, struct why *why)
{
	const struct query_spec *s = &q->spec;
	const struct projection_spec shown = {
		.kind = s->names   ? PROJECTION_NAMED
			: s->whole ? PROJECTION_ALL
				   : PROJECTION_SUMMARY,
		.source = s->source,
		.resource = s->resource,
		.fields = s->fields,
		.names = s->names,
		.name_count = s->name_count,
	};
	int rc = projection_new(&shown, &q->projection, why);

	if (rc == 0 && s->sort == &query_relevance && !s->text.search)
		rc = why_set(why, ERR_INVALID, "relevance is an order of what a text finds: give one");
	if (rc == 0 && fingerprint(s, &q->question))
		rc = why_set(why, ERR_NOMEM, "out of memory");
	if (rc == 0 && s->cursor.len)
		rc = take_cursor(q, why);
	if (rc)
		return rc;
	q->snippets = wants_snippets(s);
	q->rows_indexed = projection_indexed(q->projection, is_indexed, &q->filter);
	q->counted = s->want_total && counted_already(q);
	if (q->counted)
		q->result.total = snapshot_count(q->filter.snapshot, s->resource);
	else if (s->want_total)
		q->counted = snapshot_recall(q->filter.snapshot, total_key(q), &q->result.total);
	q->result.total_known = q->counted;
	if (s->text.search)
		return begin_text(q, why);
	q->counting = s->want_total && !q->counted && s->where && is_of_one_term(q);
	return q->counting ? 0 : begin(q, why);
}

/* Of everything, the last updated first: that is the other axis, which has an index. (The other way round, what has no such time would come first.) */
static void take_axis(struct query_spec *s)
{
	if (!s->sort || s->sort->path || strcmp(s->sort->name, "updated") != 0 || s->ascending ||
	    s->start_ms != TIME_MIN || s->end_ms != TIME_MAX)
		return;
	s->axis = AXIS_UPDATED;
	s->sort = NULL;
}

int query_open(struct snapshot *v, const struct query_spec *spec, struct query **out, struct why *why)
{
	struct query *q = calloc(1, sizeof *q);

	if (!q)
		return why_set(why, ERR_NOMEM, "out of memory");
	q->spec = *spec;
	take_axis(&q->spec);
	filter_init(&q->filter, v, spec->resource, spec->where);
	if (filter_overlay(&q->filter, spec->overlay)) {
		query_free(q);
		return why_set(why, ERR_NOMEM, "out of memory");
	}
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
	filter_release(&q->filter);
	projection_free(q->projection);
	buf_release(&q->snippet);
	top_free(q->top);
	rank_free(q->rank);
	free(q);
}

const struct query_result *query_result(const struct query *q)
{
	return &q->result;
}

/* ---- one row ---- */

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
	int rc = scan_names(q->filter.scan, &r.id, &r.parent);
	if (rc <= 0)
		return rc ? rc : ERR_NOTFOUND;
	return row_write_stored(q->projection, &r, filter_column, &q->filter, rows);
}

/* 0: written, 1: damaged and counted, or an error. */
static int write_row(struct query *q, struct filter_row *row, unsigned *cost)
{
	int rc = row->whole ? ERR_NOTFOUND : write_indexed(q, &row->record, q->spec.rows);

	if (rc == ERR_NOTFOUND) {
		rc = filter_read(&q->filter, row, cost);
		if (rc <= 0)
			return rc ? rc : 1;
		rc = row_write(q->projection, &row->record, q->spec.rows);
	}
	if (rc != ERR_CORRUPT)
		return rc;
	q->filter.damaged++;
	return 1;
}

/* 0: added to the row that begins at `mark`, or there is none; 1: damaged and counted, or an error. */
static int put_snippet(struct query *q, int rc, size_t mark)
{
	if (rc == ERR_CORRUPT) {
		q->filter.damaged++;
		return 1;
	}
	if (rc > 0)
		row_add(q->spec.rows, mark, "snippet", buf_bytes(&q->snippet));
	return rc < 0 ? rc : q->spec.rows->error;
}

static int add_snippet(struct query *q, struct filter_row *row, size_t mark, unsigned *cost)
{
	uint64_t id_hash = row->row.position.id_hash;

	if (!q->snippets)
		return 0;
	int rc = text_snippet(q->filter.text, id_hash, row->whole ? &row->record : NULL,
			      &q->snippet, cost);
	if (rc == ERR_NOTFOUND) {
		rc = filter_read(&q->filter, row, cost);
		if (rc <= 0)
			return rc ? rc : 1;
		rc = text_snippet(q->filter.text, id_hash, &row->record, &q->snippet, cost);
	}
	return put_snippet(q, rc, mark);
}

/* A record that is wanted: into the answer, or behind its end. */
static int show(struct query *q, struct filter_row *row, unsigned *cost)
{
	struct buf *rows = q->spec.rows;
	size_t mark = rows->len;
	int rc = write_row(q, row, cost);

	if (!rc)
		rc = add_snippet(q, row, mark, cost);
	if (rc) {
		rows->len = mark;
		return rc < 0 ? rc : 0;
	}
	q->matches++;
	if (!q->spec.flow && q->result.rows && rows->len - q->rows_start > q->spec.bytes_max) {
		rows->len = mark;
		leave_rows(q, true);
		return 0;
	}
	q->result.rows++;
	q->last = row->row.position;
	if (q->result.rows == q->spec.limit ||
	    (!q->spec.flow && rows->len - q->rows_start >= q->spec.bytes_max))
		leave_rows(q, false);
	return 0;
}

/* ---- an order of values ---- */

/* The row's key: 1, 0: damaged, and counted; or an error. */
static int key_of(struct query *q, struct filter_row *row, struct sort_key *key, unsigned *cost)
{
	const struct field *f = q->spec.sort;
	struct bytes value;
	int rc = 1;

	if (f->path) {
		rc = filter_value(&q->filter, row, f, &value, cost);
	} else {
		int64_t ms = strcmp(f->name, "updated") == 0 ? row->row.updated_ms
							     : row->row.created_ms;
		struct buf *b = &q->filter.scratch;
		buf_reset(b);
		if (ms == TIME_NONE)
			mp_put_nil(b);
		else
			mp_put_int(b, ms);
		value = buf_bytes(b);
		rc = b->error ? b->error : 1;
	}
	if (rc == 1)
		sort_key_make(key, f, value, row->row.position.id_hash);
	return rc;
}

/* Counts what is in a row that is ranked; the others are only counted. */
static int rank_row(struct query *q, struct filter_row *row, unsigned *cost)
{
	struct rank_counts counts = {.length = 0};

	q->matches++;
	if (rank_full(q->rank))
		return 0;
	int rc = filter_read(&q->filter, row, cost);
	if (rc <= 0)
		return rc;
	rc = text_rank(q->filter.text, row->row.position.id_hash, &row->record, &counts, cost);
	if (rc == ERR_CORRUPT) {
		q->filter.damaged++;
		return 0;
	}
	return rc ? rc
		  : rank_add(q->rank, row->row.created_ms, row->row.position.id_hash,
			     row->record.id, &counts);
}

/* Nobody asks for what comes behind the last one that is ranked. */
static bool ranked_enough(const struct query *q)
{
	return q->phase == PHASE_SORT && q->rank && rank_full(q->rank) &&
	       (q->counted || !q->spec.want_total);
}

/* What is behind the last row that is kept need not be looked at, unless all are counted. */
static void bound_scan(struct query *q)
{
	const struct field *f = q->spec.sort;
	const struct sort_key *last = top_last(q->top);
	int number = f->path && f->type != FIELD_REAL
			     ? snapshot_field(q->filter.snapshot, q->spec.resource, f, NULL)
			     : -1;
	int64_t value;

	if (!last || number < 0 || !q->filter.scan || (q->filter.overlay && q->filter.text) ||
	    (q->spec.want_total && !q->counted) || !sort_key_integer(last, &value))
		return;
	scan_bound(q->filter.scan, (unsigned)number, q->spec.ascending, value);
	q->bounded = true;
}

static int keep_row(struct query *q, struct filter_row *row, unsigned *cost)
{
	struct sort_key key;
	struct bytes parent;
	int rc = key_of(q, row, &key, cost);

	if (rc <= 0)
		return rc;
	q->matches++;
	if ((q->resumed && sort_key_compare(&key, &q->from_key, q->spec.ascending) <= 0) ||
	    !top_wants(q->top, &key))
		return 0;
	if (!row->whole) {
		rc = scan_names(q->filter.scan, &row->record.id, &parent);
		if (rc == 0)
			rc = filter_read(&q->filter, row, cost);
	}
	if (rc != 1)
		return rc;
	rc = top_add(q->top, &key, row->record.id);
	bound_scan(q);
	return rc;
}

/* A row out of the order: 0, 1: damaged and counted, or an error. */
static int write_sorted(struct query *q, size_t i, unsigned *cost)
{
	struct record r;
	size_t mark = q->spec.rows->len;
	int rc = snapshot_get(q->filter.snapshot, q->spec.resource, top_id(q->top, i),
			      &q->filter.memory, &r);

	*cost += 1;
	const struct record *overlaid = filter_overlaid(&q->filter, top_id(q->top, i));
	if (rc == 1 && overlaid)
		r = *overlaid;
	if (rc == 1) {
		q->filter.read++;
		*cost += 1 + (unsigned)(r.doc.len / READ_UNIT);
		rc = row_write(q->projection, &r, q->spec.rows);
	} else if (rc == 0) {
		rc = ERR_CORRUPT; /* an index named it */
	}
	if (rc == 0 && q->snippets)
		rc = text_snippet(q->filter.text, top_key(q->top, i)->id_hash, &r, &q->snippet, cost);
	return put_snippet(q, rc, mark);
}

/* All that were kept are shown. */
static int end_of_pass(struct query *q, struct why *why)
{
	q->result.more = q->top_at < q->top_count;
	if (q->result.more && q->spec.flow && !q->rank && !q->enough &&
	    q->result.rows < q->spec.limit) {
		q->result.more = false;
		q->resumed = true;
		q->from_key = q->last_key;
		return begin_pass(q, why);
	}
	finish(q);
	return 0;
}

static int show_sorted(struct query *q, unsigned *cost, struct why *why)
{
	struct buf *rows = q->spec.rows;
	size_t mark = rows->len, i = q->top_at;

	if (i == q->top_count || i == q->pass || q->enough)
		return end_of_pass(q, why);
	int rc = write_sorted(q, i, cost);
	if (rc)
		rows->len = mark;
	if (rc < 0)
		return rc;
	if (!q->spec.flow && q->result.rows && rows->len - q->rows_start > q->spec.bytes_max) {
		rows->len = mark;
		q->result.more = true;
		finish(q);
		return 0;
	}
	q->result.rows += rc == 0;
	q->last_key = *top_key(q->top, i);
	q->top_at++;
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
	if (q->phase == PHASE_SORT) {
		if (q->rank && rank_order(q->rank, q->resumed ? &q->from_key : NULL, q->top))
			return filter_explain(ERR_NOMEM, why);
		q->top_count = top_order(q->top);
		q->phase = PHASE_SHOW;
		return 0;
	}
	if (q->phase != PHASE_HEAD && q->resumed && q->spec.want_total && !q->counted) {
		q->phase = PHASE_HEAD;
		return start_scan(q, NULL, why);
	}
	finish(q);
	return 0;
}

static int take_row(struct query *q, struct filter_row *row, unsigned *cost)
{
	q->result.scanned++;
	if (q->phase == PHASE_HEAD && behind_cursor(q, &row->row)) {
		finish(q);
		return 0;
	}
	int rc = filter_wants(&q->filter, row, cost);
	if (rc <= 0)
		return rc;
	if (q->phase == PHASE_ROWS)
		return show(q, row, cost);
	if (q->phase == PHASE_SORT)
		return q->rank ? rank_row(q, row, cost) : keep_row(q, row, cost);
	if (q->phase != PHASE_HEAD && q->spec.limit)
		q->result.more = true;
	q->matches++;
	if (q->phase == PHASE_PEEK)
		finish(q);
	return 0;
}

/* The search gets ready, and learns how rare its words are. */
static int get_ready(struct query *q, unsigned *cost, struct why *why)
{
	bool ranks = q->phase == PHASE_RANK;
	int rc = ranks ? rank_step(q->rank, cost) : filter_text_step(&q->filter, cost);

	if (rc)
		return rc < 0 ? filter_explain(rc, why) : 0;
	return ranks ? begin(q, why) : leave_text(q, why);
}

static int advance(struct query *q, unsigned *cost, struct why *why)
{
	struct filter_row row;
	int rc;

	if (q->phase == PHASE_TEXT || q->phase == PHASE_RANK)
		return get_ready(q, cost, why);
	if (q->phase == PHASE_SHOW) {
		rc = show_sorted(q, cost, why);
		return rc < 0 ? filter_explain(rc, why) : 0;
	}
	if (ranked_enough(q))
		return end_of_scan(q, why);
	rc = filter_next(&q->filter, &row);
	*cost += rc == SCAN_MORE ? FILTER_OPEN_COST : 1;
	if (rc == SCAN_MORE)
		return 0;
	if (rc == 0)
		return end_of_scan(q, why);
	if (rc > 0)
		rc = take_row(q, &row, cost);
	return rc < 0 ? filter_explain(rc, why) : 0;
}

const char *query_cursor(const struct query *q, char out[CURSOR_TEXT_MAX])
{
	const struct cursor c = {
		.axis = q->spec.axis,
		.start_ms = q->result.start_ms,
		.end_ms = q->result.end_ms,
		.position = q->last,
		.question = q->question,
		.sorted = q->spec.sort != NULL,
		.key = q->last_key,
	};

	out[0] = 0;
	return q->result.rows || q->resumed ? cursor_text(&c, out) : out;
}

void query_enough(struct query *q)
{
	q->enough = true;
	if (q->phase == PHASE_ROWS)
		leave_rows(q, false);
}

int query_compare(const struct query *a, const struct query *b)
{
	if (a->spec.sort)
		return sort_key_compare(&a->last_key, &b->last_key, a->spec.ascending);
	int c = compare(&a->last, &b->last);
	return a->spec.ascending ? c : -c;
}

/* Whoever takes the rows out has not done so yet. */
static bool is_full(const struct query *q)
{
	return q->spec.flow && q->spec.rows->len - q->rows_start >= q->spec.bytes_max;
}

/* One index row answers it, and some segments that may have none: always worth it. */
static bool peek_is_cheap(const struct query *q)
{
	return q->phase == PHASE_PEEK && !q->spec.where && !q->spec.text.search;
}

int query_step(struct query *q, unsigned budget, struct why *why)
{
	unsigned cost = 0, peeks = 0;

	while (!q->error && q->phase != PHASE_DONE && !is_full(q) &&
	       (cost < budget || (peek_is_cheap(q) && peeks++ < PEEKS_MAX)))
		q->error = q->counting ? count_on(q, &cost, &q->error_words)
				       : advance(q, &cost, &q->error_words);
	q->result.read = q->filter.read;
	q->result.damaged = q->filter.damaged;
	if (q->error) {
		why_set(why, q->error, "%s", q->error_words.text);
		return q->error;
	}
	if (q->phase != PHASE_DONE && is_full(q))
		return 1;
	/* Whether there is one more is worth the rest of this step, not another one. */
	if (q->phase == PHASE_PEEK) {
		q->result.more = true;
		finish(q);
	}
	if (q->phase != PHASE_DONE)
		return 1;
	filter_end(&q->filter);
	q->result.read = q->filter.read;
	q->result.damaged = q->filter.damaged;
	if (q->spec.want_total && q->result.total_known && !q->result.damaged && total_key(q))
		snapshot_remember(q->filter.snapshot, total_key(q), q->result.total);
	if (q->result.more)
		query_cursor(q, q->result.next_cursor);
	return 0;
}
