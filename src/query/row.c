/* row: records into maps. The only place that knows the order and the names of a row's members. Never changes a value on the way: doc and raw paths are copied byte
 * for byte. */
#include <query/row.h>

#include <codec/msgpack.h>

#include <stdlib.h>

enum envelope_time { TIME_OTHER, TIME_CREATED, TIME_UPDATED };

struct column {
	struct bytes name;         /* as asked */
	struct bytes key;          /* the same as MessagePack */
	const struct field *field; /* NULL: the whole document */
	bool plain;
	enum envelope_time time;
};

#define COMMON_PLAIN_MAX 64

#define HEAD_EXTRA 64 /* bytes of a row's beginning beside the names of its source and resource */

struct projection {
	enum projection_kind kind;
	const struct field *fields;
	struct bytes head; /* what all rows begin with, behind their number of members */
	struct time_date created, updated; /* of the last row */
	uint64_t common_plain;             /* a bit for each of the first common fields */
	struct arena arena;
	size_t count;
	struct column columns[]; /* as many as there are names; the head lies behind them */
};

/* Members that every row has, or those that apply: not columns, even when they are asked for. */
static bool is_fixed(struct bytes name)
{
	static const char *const names[] = {"source",      "resource",  "id",      "deleted",
					    "merged_into", "truncated", "pending", "snippet"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (bytes_is(name, names[i]))
			return true;
	return false;
}

static bool has_column(const struct projection *p, struct bytes name)
{
	for (size_t i = 0; i < p->count; i++)
		if (bytes_equal(p->columns[i].name, name))
			return true;
	return false;
}

/* Nearly every row shows them. */
static enum envelope_time time_of(const struct field *f)
{
	if (!f || f->path)
		return TIME_OTHER;
	return strcmp(f->name, "created") == 0   ? TIME_CREATED
	       : strcmp(f->name, "updated") == 0 ? TIME_UPDATED
						 : TIME_OTHER;
}

#define KEY_HEAD_MAX 9 /* bytes before a text */

/* The name as it is asked, and as it is written. */
static int name_column(struct projection *p, struct bytes name, struct column *c)
{
	size_t room = name.len + KEY_HEAD_MAX;
	struct buf key = {.data = arena_alloc(&p->arena, room), .cap = room};

	if (!key.data)
		return ERR_NOMEM;
	mp_put_str(&key, name);
	c->key = buf_bytes(&key);
	c->name = bytes_of(c->key.data + key.len - name.len, name.len);
	return 0;
}

static int add_column(struct projection *p, struct bytes name, struct why *why)
{
	struct column column = {.field = NULL};

	if (is_fixed(name) || has_column(p, name))
		return 0;
	if (p->count == PROJECTION_NAMES_MAX)
		return why_set(why, ERR_LIMIT, "more than %d fields", PROJECTION_NAMES_MAX);
	int rc = bytes_is(name, "doc")
			 ? 0
			 : field_resolve(name, p->fields, &p->arena, &column.field, why);
	if (rc)
		return rc;
	column.plain = column.field && field_is_plain(column.field);
	column.time = time_of(column.field);
	if (name_column(p, name, &column))
		return why_set(why, ERR_NOMEM, "out of memory");
	p->columns[p->count++] = column;
	return 0;
}

/* With room for the columns; NULL: no memory. */
static struct projection *new_projection(const struct projection_spec *spec)
{
	size_t names = spec->kind == PROJECTION_NAMED ? spec->name_count : 0;
	size_t room = bytes_str(spec->source).len + bytes_str(spec->resource).len + HEAD_EXTRA;
	struct projection *p;

	names = names < PROJECTION_NAMES_MAX ? names : PROJECTION_NAMES_MAX;
	p = calloc(1, sizeof *p + names * sizeof p->columns[0] + room);
	if (!p)
		return NULL;
	struct buf head = {.data = (uint8_t *)&p->columns[names], .cap = room};
	mp_put_name(&head, "source");
	mp_put_cstr(&head, spec->source);
	mp_put_name(&head, "resource");
	mp_put_cstr(&head, spec->resource);
	mp_put_name(&head, "id");
	p->head = buf_bytes(&head);
	p->kind = spec->kind;
	p->fields = spec->fields;
	return p;
}

int projection_new(const struct projection_spec *spec, struct projection **out, struct why *why)
{
	struct projection *p = new_projection(spec);
	bool named = spec->kind == PROJECTION_NAMED;
	const struct field *fields = named ? NULL : spec->fields;
	int rc = 0;

	if (!p)
		return why_set(why, ERR_NOMEM, "out of memory");
	for (size_t i = 0; named && rc == 0 && i < spec->name_count; i++)
		rc = add_column(p, spec->names[i], why);
	for (size_t i = 0; fields && i < COMMON_PLAIN_MAX && fields[i].name; i++)
		p->common_plain |= (uint64_t)field_is_plain(&fields[i]) << i;
	if (rc) {
		projection_free(p);
		return rc;
	}
	*out = p;
	return 0;
}

void projection_free(struct projection *p)
{
	if (!p)
		return;
	arena_release(&p->arena);
	free(p);
}

static void put_time(struct buf *out, struct time_date *last, int64_t ms)
{
	char text[TIME_TEXT_MAX];

	if (ms == TIME_NONE) {
		mp_put_nil(out);
		return;
	}
	time_write(last, ms, text);
	mp_put_str(out, bytes_of(text, TIME_MILLIS_LEN));
}

static uint32_t put_text(struct buf *out, const char *name, struct bytes text)
{
	if (text.len == 0)
		return 0;
	mp_put_cstr(out, name);
	mp_put_str(out, text);
	return 1;
}

static uint32_t put_mark(struct buf *out, const char *name, bool set)
{
	if (!set)
		return 0;
	mp_put_cstr(out, name);
	mp_put_bool(out, true);
	return 1;
}

static uint32_t put_marks(const struct record *r, struct buf *out)
{
	uint32_t n = put_mark(out, "deleted", r->flags & RECORD_DELETED);

	n += put_text(out, "merged_into", r->merged_into);
	n += put_mark(out, "truncated", r->flags & RECORD_TRUNCATED);
	return n + put_mark(out, "pending", r->flags & RECORD_PENDING);
}

static void put_doc(const struct record *r, struct buf *out)
{
	if (r->doc.len)
		buf_put_bytes(out, r->doc);
	else
		mp_put_nil(out);
}

/* Where the values of a row come from. */
struct row_values {
	const struct record *r;
	struct mp_outline *outline; /* of its document; NULL: none */
	int (*stored)(void *ctx, const struct field *f, struct bytes *out); /* NULL: the record */
	void *ctx;
};

/* As record_value_in. */
static int put_value(const struct row_values *from, const struct field *f, bool plain, struct buf *out)
{
	struct bytes value;

	if (!from->stored || !f->path)
		return record_value_in(from->r, from->outline, f, plain, out);
	int rc = from->stored(from->ctx, f, &value);
	return rc < 0 ? rc : field_shown(f, value, out);
}

/* Every common field that has a value. Pairs written, or an error. */
static int put_common(const struct projection *p, const struct row_values *from, struct buf *out)
{
	int n = 0;

	for (const struct field *f = p->fields; f && f->name; f++) {
		size_t mark = out->len;
		mp_put_cstr(out, f->name);
		size_t at = (size_t)(f - p->fields);
		bool plain = at < COMMON_PLAIN_MAX && p->common_plain >> at & 1;
		int rc = put_value(from, f, plain, out);
		if (rc < 0)
			return rc;
		if (rc == 0 && !out->error)
			out->len = mark;
		n += rc;
	}
	return n;
}

static int put_envelope(struct projection *p, const struct row_values *from, struct buf *out)
{
	const struct record *r = from->r;
	uint32_t n = 3;

	mp_put_name(out, "created");
	put_time(out, &p->created, r->created_ms);
	mp_put_name(out, "updated");
	put_time(out, &p->updated, r->updated_ms);
	mp_put_name(out, "revision");
	mp_put_uint(out, r->revision);
	n += put_text(out, "parent", r->parent);
	n += put_marks(r, out);
	int common = put_common(p, from, out);
	if (common < 0)
		return common;
	if (p->kind == PROJECTION_ALL) {
		mp_put_cstr(out, "doc");
		put_doc(r, out);
		n++;
	}
	return (int)n + common;
}

static int put_column(struct projection *p, const struct column *c, const struct row_values *from,
		      struct buf *out)
{
	buf_put_bytes(out, c->key);
	if (c->time == TIME_CREATED)
		put_time(out, &p->created, from->r->created_ms);
	else if (c->time == TIME_UPDATED)
		put_time(out, &p->updated, from->r->updated_ms);
	else if (c->field)
		return put_value(from, c->field, c->plain, out);
	else
		put_doc(from->r, out);
	return 0;
}

static int put_columns(struct projection *p, const struct row_values *from, struct buf *out)
{
	uint32_t n = put_marks(from->r, out);

	for (size_t i = 0; i < p->count; i++) {
		int rc = put_column(p, &p->columns[i], from, out);
		if (rc < 0)
			return rc;
	}
	return (int)(n + p->count);
}

static int put_row(struct projection *p, const struct row_values *from, struct buf *out)
{
	size_t start = out->len, mark = mp_begin_map(out);

	buf_put_bytes(out, p->head);
	mp_put_str(out, from->r->id);
	int n = p->kind == PROJECTION_NAMED ? put_columns(p, from, out) : put_envelope(p, from, out);
	if (n >= 0 && out->error)
		n = out->error;
	if (n < 0) {
		out->len = start;
		return n;
	}
	mp_end_map(out, mark, (uint32_t)n + 3);
	return 0;
}

/* Fields of the document enough for an outline to pay. */
static bool asks_much(const struct projection *p)
{
	size_t paths = 0;

	for (size_t i = 0; i < p->count; i++)
		paths += p->columns[i].field && p->columns[i].field->path;
	return p->kind != PROJECTION_NAMED || paths > 1;
}

int row_write(struct projection *p, const struct record *r, struct buf *out)
{
	struct row_values from = {.r = r};
	struct mp_outline outline;

	if (r->doc.len && asks_much(p)) {
		mp_outline(r->doc, &outline);
		from.outline = &outline;
	}
	return put_row(p, &from, out);
}

bool projection_indexed(const struct projection *p,
			bool (*indexed)(void *ctx, const struct field *f), void *ctx)
{
	if (p->kind == PROJECTION_ALL)
		return false;
	for (const struct field *f = p->kind == PROJECTION_SUMMARY ? p->fields : NULL; f && f->name;
	     f++)
		if (!indexed(ctx, f))
			return false;
	for (size_t i = 0; i < p->count; i++) {
		const struct field *f = p->columns[i].field;
		if (!f || (f->path && !indexed(ctx, f)))
			return false;
	}
	return true;
}

int row_write_stored(struct projection *p, const struct record *r,
		     int (*stored)(void *ctx, const struct field *f, struct bytes *out), void *ctx,
		     struct buf *out)
{
	return put_row(p, &(struct row_values){r, NULL, stored, ctx}, out);
}

void row_add(struct buf *row, size_t start, const char *name, struct bytes text)
{
	struct mp_reader r = mp_reader_of(bytes_of(row->data + start, row->len - start));
	struct mp_value head;

	if (row->error || mp_next(&r, &head) != 1 || head.type != MP_MAP)
		return;
	mp_put_cstr(row, name);
	mp_put_str(row, text);
	mp_end_map(row, start, head.count + 1);
}
