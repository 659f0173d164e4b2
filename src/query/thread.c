/* thread: the children of a record, oldest first. The opening message may share its time with others, or carry a later one: it is moved to the front when it turns up.
 * Never shows a part of a row. */
#include <query/thread.h>

#include <codec/msgpack.h>

#include <stdlib.h>

#define READ_UNIT     8192
#define OPEN_COST     16 /* of a segment, as many rows */
#define BYTES_DEFAULT (8u << 20)

struct thread {
	struct thread_spec spec;
	struct projection *projection;
	const struct field *kind; /* NULL: no such field, or the opening message was seen */
	struct scan *scan;
	size_t rows_start;
	bool done;
	int error;
	struct why error_words;
	struct buf scratch;
	struct thread_result result;
};

int thread_open(struct snapshot *v, const struct thread_spec *spec, struct thread **out,
		struct why *why)
{
	const struct scan_spec scan = {
		.resource = spec->resource,
		.axis = AXIS_CREATED,
		.start_ms = TIME_MIN,
		.end_ms = TIME_MAX,
		.parent = spec->parent,
	};
	const struct projection_spec shown = {
		.kind = spec->names ? PROJECTION_NAMED : PROJECTION_ALL,
		.source = spec->source,
		.resource = spec->resource,
		.fields = spec->fields,
		.names = spec->names,
		.name_count = spec->name_count,
	};
	struct thread *t = calloc(1, sizeof *t);

	if (!t)
		return why_set(why, ERR_NOMEM, "out of memory");
	t->spec = *spec;
	if (!t->spec.bytes_max)
		t->spec.bytes_max = BYTES_DEFAULT;
	t->rows_start = spec->rows->len;
	t->kind = field_find(spec->fields, bytes_str("kind"));
	int rc = projection_new(&shown, &t->projection, why);
	if (rc == 0)
		rc = scan_open(v, &scan, &t->scan, why);
	if (rc) {
		thread_free(t);
		return rc;
	}
	*out = t;
	return 0;
}

void thread_free(struct thread *t)
{
	if (!t)
		return;
	scan_close(t->scan);
	projection_free(t->projection);
	buf_release(&t->scratch);
	free(t);
}

const struct thread_result *thread_result(const struct thread *t)
{
	return &t->result;
}

static bool is_opening(struct thread *t, const struct record *r)
{
	struct mp_value value;

	buf_reset(&t->scratch);
	return t->kind && record_value(r, t->kind, &t->scratch) == 1 &&
	       mp_get(buf_bytes(&t->scratch), &value) && value.type == MP_STR &&
	       bytes_is(value.str, "source");
}

/* Puts the last row, which begins at `mark`, before all others. */
static int move_to_front(struct thread *t, size_t mark)
{
	struct buf *rows = t->spec.rows;
	size_t len = rows->len - mark;

	buf_reset(&t->scratch);
	buf_put(&t->scratch, rows->data + mark, len);
	if (t->scratch.error)
		return t->scratch.error;
	memmove(rows->data + t->rows_start + len, rows->data + t->rows_start, mark - t->rows_start);
	memcpy(rows->data + t->rows_start, t->scratch.data, len);
	return 0;
}

static int show(struct thread *t, const struct record *r)
{
	struct buf *rows = t->spec.rows;
	size_t mark = rows->len;
	bool opening = is_opening(t, r);
	int rc = row_write(t->projection, r, rows);

	if (rc)
		return rc;
	if (t->result.rows && rows->len - t->rows_start > t->spec.bytes_max) {
		rows->len = mark;
		t->result.truncated = true;
		t->done = true;
		return 0;
	}
	t->result.rows++;
	if (!opening)
		return 0;
	t->kind = NULL;
	return move_to_front(t, mark);
}

static int advance(struct thread *t, unsigned *cost)
{
	struct scan_row row;
	struct record r;
	int rc = scan_step(t->scan, &row);

	*cost += rc == SCAN_MORE ? OPEN_COST : 1;
	if (rc == SCAN_MORE)
		return 0;
	if (rc == 0)
		t->done = true;
	if (rc <= 0)
		return rc;
	*cost += 1 + row.raw_bytes / READ_UNIT;
	rc = scan_record(t->scan, t->spec.memory, &r);
	if (rc > 0)
		rc = show(t, &r);
	if (rc == ERR_CORRUPT) {
		t->result.damaged++;
		return 0;
	}
	return rc < 0 ? rc : 0;
}

int thread_step(struct thread *t, unsigned budget, struct why *why)
{
	unsigned cost = 0;

	while (!t->error && !t->done && cost < budget) {
		t->error = advance(t, &cost);
		if (t->error)
			why_set(&t->error_words, t->error, "the thread cannot be read (%s)",
				err_name(t->error));
	}
	if (t->error)
		return why_set(why, t->error, "%s", t->error_words.text);
	return t->done ? 0 : 1;
}
