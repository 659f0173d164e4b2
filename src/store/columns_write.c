/*
 * columns_write: a column's values are looked at for what they have in common, and then written; they come from memory or from the columns of
 * other segments, never from records. A column is taken for numbers until it shows something else: then it is looked at from its beginning again.
 * What was read to be looked at is kept for writing, where that is small.
 */
#include "columns.h"
#include "bits.h"
#include "extract.h"

#include <codec/msgpack.h>

#include <stdlib.h>

/* More different values than this, and a dictionary does not pay. */
#define DISTINCT_MAX   4096u
#define DISTINCT_TABLE 16384u

/* What of a column is under way. */
enum stage { STAGE_LOOK, STAGE_PACK, STAGE_HEAP, STAGE_OFFSETS };

/* Values in one slice. */
#define SLICE 2048u

/* In the place of a number: there is none. A column that has this very number is none of numbers. */
#define KEPT_NIL INT64_MIN

/* Of a source's column: what of its own values became in this one's dictionary, plus one (0: not met yet). */
struct origin {
	struct column_hint hint;
	uint16_t *places; /* NULL: none yet */
};

struct columns_writer {
	struct pager *pager;
	const struct segment_plan *plan;
	const struct segment_place *rows;
	uint32_t count;
	unsigned field;
	struct origin *origins; /* of each source */
	struct buf value;
	struct buf lengths, values; /* of a block of the heap */
	/* What the first look finds. */
	bool numbers; /* nothing else, and nil */
	int64_t *kept; /* of each row: of numbers itself, of other columns its place in the dictionary */
	uint64_t bytes;
	bool few; /* different values */
	struct buf distinct;
	uint32_t distinct_at[DISTINCT_MAX + 1];
	uint32_t distinct_count;
	uint16_t table[DISTINCT_TABLE]; /* place + 1 */
	struct column column;
	bool begun;
	enum stage stage;
	uint32_t at;      /* the next row, value or block */
	uint32_t *starts; /* of the heap's blocks */
	unsigned fields;
	struct section *sections;
	struct column columns[SEGMENT_FIELDS_MAX]; /* that are done */
};

static uint32_t slice_end(const struct columns_writer *m, uint32_t count)
{
	return count - m->at < SLICE ? count : m->at + SLICE;
}

static int value_of(struct columns_writer *m, uint32_t i, struct bytes *out)
{
	const struct segment_place *r = &m->rows[i];
	const struct segment_source *s = &m->plan->sources[r->index];

	if (s->extract) {
		*out = extract_value(s->extract, r->index_row, m->field);
		return 0;
	}
	int rc = column_value(s->segment, m->plan->pages, m->field, r->index_row,
			      &m->origins[r->index].hint, &m->value);
	*out = buf_bytes(&m->value);
	return rc;
}

/* ---- the first look ---- */

static struct bytes distinct_value(const struct columns_writer *m, uint32_t i)
{
	return bytes_of(m->distinct.data + m->distinct_at[i],
			m->distinct_at[i + 1] - m->distinct_at[i]);
}

/* The value's place in the dictionary, where it is put when it is new; DISTINCT_MAX: full. */
static uint32_t distinct_place(struct columns_writer *m, struct bytes value)
{
	uint32_t at = (uint32_t)bytes_hash(value) % DISTINCT_TABLE;

	for (; m->table[at]; at = (at + 1) % DISTINCT_TABLE)
		if (bytes_equal(distinct_value(m, m->table[at] - 1u), value))
			return m->table[at] - 1u;
	if (m->distinct_count == DISTINCT_MAX)
		return DISTINCT_MAX;
	buf_put_bytes(&m->distinct, value);
	m->distinct_at[m->distinct_count + 1] = (uint32_t)m->distinct.len;
	m->table[at] = (uint16_t)(m->distinct_count + 1);
	return m->distinct_count++;
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

static void look_at_number(struct column *c, int64_t v)
{
	if (c->present == 1)
		c->min = c->max = v;
	/* The scale is of the differences to the first, whichever comes to be the smallest. */
	uint64_t step = v < c->min ? (uint64_t)c->min - (uint64_t)v : (uint64_t)v - (uint64_t)c->min;
	if (step && (c->scale == 0 || step % c->scale))
		c->scale = common_divisor(step, c->scale);
	c->min = v < c->min ? v : c->min;
	c->max = v > c->max ? v : c->max;
}

/* It holds something else than numbers, or these lie too far apart. */
static void no_numbers(struct columns_writer *m)
{
	m->column.present = 0;
	m->column.min = m->column.max = 0;
	m->column.scale = 1;
	memset(m->table, 0, sizeof m->table);
	buf_reset(&m->distinct);
	m->distinct_count = 0;
	m->bytes = 0;
	m->numbers = false;
	m->few = true;
	m->at = 0;
}

/* Where the place of a row's value is noted; NULL: nowhere. */
static int note_of(struct columns_writer *m, uint32_t i, uint16_t **out)
{
	const struct segment_place *r = &m->rows[i];
	const struct segment_source *s = &m->plan->sources[r->index];
	struct origin *o = &m->origins[r->index];
	uint32_t which;

	*out = NULL;
	if (s->extract)
		return 0;
	int rc = column_place(s->segment, m->plan->pages, m->field, r->index_row, &o->hint, &which);
	if (rc != 1)
		return rc;
	if (!o->places)
		o->places = calloc(o->hint.column.heap_values, sizeof *o->places);
	if (!o->places)
		return ERR_NOMEM;
	*out = &o->places[which];
	return 0;
}

/* False: it is none. */
static bool keep_number(struct columns_writer *m, const struct mp_value *v)
{
	if (v->type != MP_NIL && (v->type != MP_INT || v->integer == KEPT_NIL))
		return false;
	m->column.present += v->type == MP_INT;
	if (v->type == MP_INT)
		look_at_number(&m->column, v->integer);
	m->kept[m->at] = v->type == MP_INT ? v->integer : KEPT_NIL;
	return true;
}

static int look_for_number(struct columns_writer *m)
{
	struct mp_value v = {.type = MP_NIL};
	struct bytes value;
	int rc = value_of(m, m->at, &value);

	if (rc)
		return rc;
	if (value.len == 1 && value.data[0] == 0xc1)
		v.type = MP_EXT; /* nothing that is a value */
	else if (!mp_get(value, &v))
		return ERR_CORRUPT;
	if (keep_number(m, &v))
		m->at++;
	else
		no_numbers(m);
	return 0;
}

static void keep_place(struct columns_writer *m, uint32_t place, struct bytes value)
{
	m->bytes += value.len;
	m->column.present += value.data[0] != 0xc0;
	m->kept[m->at++] = place;
}

static int look_for_place(struct columns_writer *m)
{
	uint16_t *note = NULL;
	struct bytes value;
	uint32_t place = DISTINCT_MAX;
	int rc = m->few ? note_of(m, m->at, &note) : 0;

	if (rc)
		return rc;
	if (note && *note) {
		keep_place(m, *note - 1u, distinct_value(m, *note - 1u));
		return 0;
	}
	rc = value_of(m, m->at, &value);
	if (rc || value.len == 0)
		return rc ? rc : ERR_CORRUPT;
	if (m->few)
		place = distinct_place(m, value);
	m->few = place < DISTINCT_MAX;
	if (note && m->few)
		*note = (uint16_t)(place + 1);
	keep_place(m, place, value);
	return m->distinct.error;
}

static int look(struct columns_writer *m)
{
	int rc = 0;

	for (uint32_t n = 0; !rc && n < SLICE && m->at < m->count; n++)
		rc = m->numbers ? look_for_number(m) : look_for_place(m);
	return rc ? rc : m->at < m->count;
}

/* False: it has to be looked at again. */
static bool choose(struct columns_writer *m)
{
	struct column *c = &m->column;
	uint64_t range = (uint64_t)c->max - (uint64_t)c->min;

	c->scale = c->scale ? c->scale : 1;
	unsigned width = c->present ? bits_width(range / c->scale + 1) : 0;
	if (m->numbers && (width > BITS_WIDTH_MAX || range >= INT64_MAX)) {
		no_numbers(m);
		return false;
	}
	if (m->numbers) {
		c->form = FORM_NUMBERS;
		c->width = (uint8_t)width;
		return true;
	}
	width = bits_width(m->distinct_count - 1u);
	uint64_t dictionary = m->distinct.len + m->distinct_count + bits_bytes(m->count, width);
	c->form = m->few && dictionary < m->bytes + m->count ? FORM_DICTIONARY : FORM_HEAP;
	c->width = c->form == FORM_DICTIONARY ? (uint8_t)width : 0;
	return true;
}

/* ---- the second ---- */

static uint32_t here(const struct columns_writer *m)
{
	return m->pager->section->elements;
}

static int write_packed(struct columns_writer *m)
{
	struct column *c = &m->column;

	if (m->at == 0)
		c->packed_at = here(m);
	for (uint32_t end = slice_end(m, m->count); c->width && m->at < end; m->at++) {
		uint64_t number = (uint64_t)m->kept[m->at];
		if (c->form == FORM_NUMBERS)
			number = m->kept[m->at] == KEPT_NIL
					 ? 0
					 : (number - (uint64_t)c->min) / c->scale + 1;
		pager_pack(m->pager, number, c->width);
	}
	if (c->width && m->at < m->count)
		return 1;
	pager_pack_end(m->pager);
	return 0;
}

/* The i-th value of the heap. */
static int heap_value(struct columns_writer *m, uint32_t i, struct bytes *out)
{
	if (m->column.form == FORM_HEAP)
		return value_of(m, i, out);
	*out = distinct_value(m, i);
	return 0;
}

static int write_block(struct columns_writer *m, uint32_t first, uint32_t end)
{
	struct bytes value;

	buf_reset(&m->lengths);
	buf_reset(&m->values);
	for (uint32_t i = first; i < end; i++) {
		int rc = heap_value(m, i, &value);
		if (rc)
			return rc;
		leb_append(&m->lengths, value.len);
		buf_put_bytes(&m->values, value);
	}
	if (m->lengths.error || m->values.error)
		return ERR_NOMEM;
	pager_put(m->pager, m->lengths.data, m->lengths.len);
	pager_put(m->pager, m->values.data, m->values.len);
	return 0;
}

static uint32_t heap_blocks(const struct columns_writer *m)
{
	return (m->column.heap_values + SEGMENT_HEAP_BLOCK - 1) / SEGMENT_HEAP_BLOCK;
}

static int write_heap(struct columns_writer *m)
{
	struct column *c = &m->column;
	int rc = 0;

	if (m->at == 0) {
		c->heap_values = c->form == FORM_HEAP ? m->count : m->distinct_count;
		c->heap_at = here(m);
		free(m->starts);
		m->starts = malloc(heap_blocks(m) * sizeof *m->starts);
		if (!m->starts)
			return ERR_NOMEM;
	}
	uint32_t blocks = heap_blocks(m), end = m->at + SLICE / SEGMENT_HEAP_BLOCK;
	end = end < blocks ? end : blocks;
	for (; !rc && m->at < end; m->at++) {
		uint32_t first = m->at * SEGMENT_HEAP_BLOCK, last = first + SEGMENT_HEAP_BLOCK;
		m->starts[m->at] = here(m) - c->heap_at;
		rc = write_block(m, first, last < c->heap_values ? last : c->heap_values);
	}
	return rc ? rc : m->at < blocks;
}

static int write_offsets(struct columns_writer *m)
{
	struct column *c = &m->column;
	uint32_t blocks = heap_blocks(m);

	c->heap_bytes = here(m) - c->heap_at;
	c->offset_width = (uint8_t)bits_width(m->starts[blocks - 1]);
	c->offsets_at = here(m);
	for (uint32_t b = 0; c->offset_width && b < blocks; b++)
		pager_pack(m->pager, m->starts[b], c->offset_width);
	pager_pack_end(m->pager);
	return 0;
}

/* 1: there is more of the column, 0: it is done. */
static int column_step(struct columns_writer *m)
{
	static int (*const stages[])(struct columns_writer * m) = {look, write_packed, write_heap,
								   write_offsets};
	int rc = stages[m->stage](m);

	if (rc)
		return rc;
	m->at = 0;
	switch (m->stage) {
	case STAGE_LOOK:
		if (!choose(m))
			return 1;
		m->stage = m->column.form == FORM_HEAP ? STAGE_HEAP : STAGE_PACK;
		return 1;
	case STAGE_PACK: m->stage = STAGE_HEAP; return m->column.form == FORM_DICTIONARY;
	case STAGE_HEAP: m->stage = STAGE_OFFSETS; return 1;
	case STAGE_OFFSETS: break;
	}
	return 0;
}

/* ---- all of them ---- */

static void name_column(struct column *c, const struct schema *schema, unsigned field)
{
	static const char *const own[SEGMENT_OWN_FIELDS] = {"id", "parent"};

	*c = (struct column){.kind = UINT8_MAX, .form = FORM_NONE, .scale = 1};
	if (field < SEGMENT_OWN_FIELDS) {
		strcpy(c->name, own[field]);
		return;
	}
	const struct schema_field *f = &schema->fields[field - SEGMENT_OWN_FIELDS];
	strcpy(c->name, f->field->name);
	c->definition = f->definition;
	c->kind = (uint8_t)f->kind;
}

static void put_column(uint8_t *e, const struct column *c)
{
	memset(e, 0, SEGMENT_FIELD_SIZE);
	memcpy(e, c->name, strlen(c->name));
	put_le64(e + 32, c->definition);
	e[40] = c->kind;
	e[41] = c->form;
	e[42] = c->width;
	e[43] = c->offset_width;
	put_le32(e + 44, c->heap_values);
	put_le32(e + 48, c->packed_at);
	put_le32(e + 52, c->heap_at);
	put_le32(e + 56, c->heap_bytes);
	put_le32(e + 60, c->offsets_at);
	put_le64(e + 64, (uint64_t)c->min);
	put_le64(e + 72, (uint64_t)c->max);
	put_le64(e + 80, c->scale);
	put_le32(e + 88, c->present);
}

static void forget_origins(struct columns_writer *m)
{
	for (uint32_t i = 0; i < m->plan->sources_count; i++) {
		free(m->origins[i].places);
		m->origins[i] = (struct origin){0};
	}
}

static bool has_column(const struct columns_writer *m)
{
	return m->field < SEGMENT_OWN_FIELDS ||
	       kind_has_column(m->plan->schema->fields[m->field - SEGMENT_OWN_FIELDS].kind);
}

static void begin_column(struct columns_writer *m)
{
	name_column(&m->column, m->plan->schema, m->field);
	if (has_column(m))
		m->column.scale = 0; /* not known yet */
	forget_origins(m);
	m->numbers = true;
	m->stage = STAGE_LOOK;
	m->at = 0;
	m->begun = true;
}

struct columns_writer *columns_writer_new(struct pager *p, const struct segment_plan *plan,
					  const struct segment_place *rows, uint32_t count,
					  struct section *sections)
{
	struct columns_writer *m = calloc(1, sizeof *m);

	if (!m)
		return NULL;
	m->plan = plan;
	m->origins = calloc(plan->sources_count + 1u, sizeof *m->origins);
	m->kept = malloc(count * sizeof *m->kept);
	if (!m->origins || !m->kept) {
		columns_writer_free(m);
		return NULL;
	}
	m->pager = p;
	m->rows = rows;
	m->count = count;
	m->sections = sections;
	m->fields = SEGMENT_OWN_FIELDS + (plan->schema ? (unsigned)plan->schema->count : 0);
	return m;
}

int columns_writer_step(struct columns_writer *m)
{
	if (m->field == 0 && !m->begun)
		pager_begin(m->pager, &m->sections[SECTION_COLUMNS], 1);
	if (m->field < m->fields) {
		if (!m->begun)
			begin_column(m);
		int rc = has_column(m) ? column_step(m) : 0;
		if (rc)
			return rc;
		m->columns[m->field++] = m->column;
		m->begun = false;
		return 1;
	}
	pager_end(m->pager);
	pager_begin(m->pager, &m->sections[SECTION_FIELDS], SEGMENT_FIELD_SIZE);
	for (unsigned i = 0; i < m->fields; i++)
		put_column(pager_next(m->pager), &m->columns[i]);
	pager_end(m->pager);
	return 0;
}

void columns_writer_free(struct columns_writer *m)
{
	if (!m)
		return;
	buf_release(&m->distinct);
	buf_release(&m->value);
	buf_release(&m->lengths);
	buf_release(&m->values);
	free(m->starts);
	if (m->origins)
		forget_origins(m);
	free(m->origins);
	free(m->kept);
	free(m);
}
