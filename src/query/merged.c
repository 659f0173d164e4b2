/*
 * merged: each part writes one row ahead; the first of them goes into the answer.
 *
 *   ROWS (parts without a row are stepped; when all have one or are done, the first one is taken)
 *     |-- all are done ------------------------------------------------> DONE
 *     +-- limit or bytes --> total wanted: COUNT (parts go on to theirs) --> DONE
 *                        \-> is there one more? one step each tells, or it is said that there may be --> DONE
 *
 * A part's buffer holds one row at most: its question flows, and stands while the row is there. So the position behind that row is known, and the one before it.
 */
#include <query/merged.h>

#include <stdlib.h>

#define NOT_BEGUN '-' /* in a cursor: of this part no row was shown */
#define MOVES     4   /* of a step, so that a part's budget leaves something for the others */

enum phase { PHASE_ROWS, PHASE_COUNT, PHASE_DONE };

struct part {
	struct query *query;
	struct buf row;
	bool ready;                  /* `row` is the next one */
	bool done;                   /* there is no other */
	char taken[CURSOR_TEXT_MAX]; /* behind the last one that was taken; "": none was */
};

struct merged {
	struct merged_spec spec;
	enum phase phase;
	int error;
	struct why error_words;
	size_t rows_start;
	struct query_result result;
	char cursor[MERGED_CURSOR_MAX];
	size_t count;
	struct part parts[MERGED_PARTS_MAX];
};

/* ---- opening ---- */

static int not_ours(struct why *why)
{
	return why_set(
		why, ERR_INVALID,
		"this cursor belongs to another question: sources, resource, axis, sort, where and text must be as they were");
}

/* What the cursor says of each part. */
static int split_cursor(struct bytes text, size_t count, struct bytes out[MERGED_PARTS_MAX],
			struct why *why)
{
	for (size_t i = 0; i < count; i++) {
		const uint8_t *dot = text.len ? memchr(text.data, '.', text.len) : NULL;
		size_t len = dot ? (size_t)(dot - text.data) : text.len;
		if ((dot == NULL) != (i + 1 == count) || len == 0)
			return not_ours(why);
		out[i] = bytes_of(text.data, len);
		text = dot ? bytes_of(dot + 1, text.len - len - 1) : bytes_of(NULL, 0);
	}
	return 0;
}

static bool has_begun(struct bytes cursor)
{
	return cursor.len > 0 && !(cursor.len == 1 && cursor.data[0] == NOT_BEGUN);
}

static int open_part(struct merged *m, size_t i, struct bytes cursor, struct why *why)
{
	struct part *p = &m->parts[i];
	struct query_spec spec = m->spec.parts[i].spec;

	spec.limit = m->spec.limit;
	spec.want_total = m->spec.want_total;
	spec.flow = true;
	spec.bytes_max = 1; /* a row fills it */
	spec.rows = &p->row;
	spec.cursor = has_begun(cursor) ? cursor : bytes_of(NULL, 0);
	/* The span of the first page counts for a part, too, of which it had no row. */
	if (m->spec.cursor.len && !has_begun(cursor)) {
		spec.start_ms = m->result.start_ms;
		spec.end_ms = m->result.end_ms;
	}
	int rc = query_open(m->spec.parts[i].view, &spec, &p->query, why);
	if (rc == 0 && spec.cursor.len) {
		if (cursor.len >= sizeof p->taken)
			return not_ours(why);
		memcpy(p->taken, cursor.data, cursor.len);
	}
	return rc;
}

static int open_parts(struct merged *m, struct why *why)
{
	struct bytes cursors[MERGED_PARTS_MAX] = {{NULL, 0}};
	bool any = m->spec.cursor.len == 0;
	int rc = any ? 0 : split_cursor(m->spec.cursor, m->count, cursors, why);

	for (size_t i = 0; rc == 0 && i < m->count; i++) {
		if (!has_begun(cursors[i]))
			continue;
		rc = open_part(m, i, cursors[i], why);
		if (rc)
			return rc;
		m->result.start_ms = query_result(m->parts[i].query)->start_ms;
		m->result.end_ms = query_result(m->parts[i].query)->end_ms;
		any = true;
	}
	if (rc == 0 && !any)
		rc = not_ours(why);
	for (size_t i = 0; rc == 0 && i < m->count; i++)
		if (!has_begun(cursors[i]))
			rc = open_part(m, i, cursors[i], why);
	return rc;
}

int merged_open(const struct merged_spec *spec, struct merged **out, struct why *why)
{
	struct merged *m = calloc(1, sizeof *m);
	struct merged_part *parts = calloc(spec->count, sizeof *parts);

	if (!m || !parts) {
		free(m);
		free(parts);
		return why_set(why, ERR_NOMEM, "out of memory");
	}
	memcpy(parts, spec->parts, spec->count * sizeof *parts);
	m->spec = *spec;
	m->spec.parts = parts;
	m->count = spec->count;
	m->rows_start = spec->rows->len;
	m->result.start_ms = parts[0].spec.start_ms;
	m->result.end_ms = parts[0].spec.end_ms;
	int rc = open_parts(m, why);
	free(parts);
	m->spec.parts = NULL;
	if (rc) {
		merged_free(m);
		return rc;
	}
	*out = m;
	return 0;
}

void merged_free(struct merged *m)
{
	for (size_t i = 0; m && i < m->count; i++) {
		query_free(m->parts[i].query);
		buf_release(&m->parts[i].row);
	}
	free(m);
}

const struct query_result *merged_result(const struct merged *m)
{
	return &m->result;
}

const char *merged_cursor(struct merged *m)
{
	size_t len = 0;
	bool any = false;

	for (size_t i = 0; i < m->count; i++) {
		const char *text = m->parts[i].taken;
		size_t n = strlen(text);
		any |= n > 0;
		if (i)
			m->cursor[len++] = '.';
		if (n)
			memcpy(m->cursor + len, text, n);
		else
			m->cursor[len] = NOT_BEGUN;
		len += n ? n : 1;
	}
	m->cursor[any ? len : 0] = 0;
	return m->cursor;
}

/* ---- the parts ---- */

static int step_part(struct part *p, unsigned budget, struct why *why)
{
	int rc = query_step(p->query, budget, why);

	if (rc < 0)
		return rc;
	p->done = rc == 0;
	p->ready = p->row.len > 0;
	return 0;
}

/* One that has neither a row nor said that there is none. */
static struct part *part_behind(struct merged *m)
{
	for (size_t i = 0; i < m->count; i++)
		if (!m->parts[i].ready && !m->parts[i].done)
			return &m->parts[i];
	return NULL;
}

static struct part *part_first(struct merged *m)
{
	struct part *first = NULL;

	for (size_t i = 0; i < m->count; i++) {
		struct part *p = &m->parts[i];
		if (p->ready && (!first || query_compare(p->query, first->query) < 0))
			first = p;
	}
	return first;
}

static void add_up(struct merged *m)
{
	struct query_result *sum = &m->result;

	sum->scanned = sum->read = sum->damaged = sum->total = 0;
	sum->total_known = true;
	for (size_t i = 0; i < m->count; i++) {
		const struct query_result *q = query_result(m->parts[i].query);
		sum->scanned += q->scanned;
		sum->read += q->read;
		sum->damaged += q->damaged;
		sum->total += q->total;
		sum->total_known &= q->total_known;
	}
}

static void finish(struct merged *m)
{
	m->phase = PHASE_DONE;
	for (size_t i = 0; i < m->count; i++)
		m->result.more |= m->parts[i].ready || query_result(m->parts[i].query)->more;
	/* With no row there is no place to go on from. */
	if (m->result.rows == 0 && m->spec.cursor.len == 0)
		m->result.more = false;
	add_up(m);
}

/* ---- the end of the rows ---- */

/* Whether there is one more is worth one step of each part. */
static int look_ahead(struct merged *m, unsigned budget, struct why *why)
{
	for (size_t i = 0; i < m->count && !m->result.more; i++) {
		struct part *p = &m->parts[i];
		int rc = p->ready || p->done ? 0 : step_part(p, budget, why);
		if (rc)
			return rc;
		m->result.more = p->ready || !p->done;
	}
	finish(m);
	return 0;
}

static int leave_rows(struct merged *m, unsigned budget, struct why *why)
{
	if (!m->spec.want_total)
		return look_ahead(m, budget, why);
	m->phase = PHASE_COUNT;
	for (size_t i = 0; i < m->count; i++) {
		struct part *p = &m->parts[i];
		m->result.more |= p->ready;
		buf_reset(&p->row);
		query_enough(p->query);
	}
	return 0;
}

static int count_on(struct merged *m, unsigned budget, struct why *why)
{
	for (size_t i = 0; i < m->count; i++) {
		struct part *p = &m->parts[i];
		bool ready = p->ready;
		if (p->done)
			continue;
		int rc = step_part(p, budget, why);
		/* A row that was written ahead stays the next one. */
		m->result.more |= p->ready;
		p->ready |= ready;
		buf_reset(&p->row);
		return rc;
	}
	finish(m);
	return 0;
}

/* ---- the rows ---- */

static int take_row(struct merged *m, struct part *p, unsigned budget, struct why *why)
{
	struct buf *out = m->spec.rows;
	size_t max = m->rows_start + m->spec.bytes_max;
	bool flow = m->spec.flow;

	if (!flow && m->result.rows && out->len + p->row.len > max)
		return leave_rows(m, budget, why);
	buf_put_bytes(out, buf_bytes(&p->row));
	if (out->error)
		return why_set(why, out->error, "the answer is too large: ask for fewer rows");
	buf_reset(&p->row);
	query_cursor(p->query, p->taken);
	p->ready = false;
	m->result.rows++;
	if (m->result.rows == m->spec.limit || (!flow && out->len >= max))
		return leave_rows(m, budget, why);
	return 0;
}

static int advance(struct merged *m, unsigned budget, struct why *why)
{
	struct part *p;

	if (m->phase == PHASE_COUNT)
		return count_on(m, budget, why);
	p = part_behind(m);
	if (p)
		return step_part(p, budget, why);
	p = part_first(m);
	if (p)
		return take_row(m, p, budget, why);
	finish(m);
	return 0;
}

static bool is_full(const struct merged *m)
{
	return m->spec.flow && m->spec.rows->len - m->rows_start >= m->spec.bytes_max;
}

int merged_step(struct merged *m, unsigned budget, struct why *why)
{
	for (unsigned i = 0; i < MOVES && !m->error && m->phase != PHASE_DONE && !is_full(m); i++)
		m->error = advance(m, budget / MOVES + 1, &m->error_words);
	add_up(m);
	if (m->error)
		return why_set(why, m->error, "%s", m->error_words.text);
	return m->phase != PHASE_DONE;
}
