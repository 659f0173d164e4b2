/* columns_read: one value of one row. Believes nothing that it did not check. */
#include "columns.h"
#include "bits.h"
#include "schema.h"
#include "terms.h"

#include <codec/msgpack.h>

#include <stdlib.h>

/* ---- fields ---- */

static bool column_possible(const struct segment *g, const struct column *c)
{
	uint64_t room = g->sections[SECTION_COLUMNS].elements;
	uint32_t blocks = (c->heap_values + SEGMENT_HEAP_BLOCK - 1) / SEGMENT_HEAP_BLOCK;

	if (c->form > FORM_HEAP || c->width > BITS_WIDTH_MAX || c->offset_width > 32)
		return false;
	if ((c->form == FORM_NUMBERS || c->form == FORM_DICTIONARY) &&
	    c->packed_at + bits_bytes(g->meta.records, c->width) > room)
		return false;
	if (c->form == FORM_HEAP && c->heap_values != g->meta.records)
		return false;
	if (c->form != FORM_HEAP && c->form != FORM_DICTIONARY)
		return true;
	return c->heap_values > 0 && c->heap_values <= g->meta.records &&
	       (uint64_t)c->heap_at + c->heap_bytes <= room &&
	       c->offsets_at + bits_bytes(blocks, c->offset_width) <= room;
}

int segment_column(struct segment *g, struct pages *p, unsigned field, struct column *out)
{
	uint32_t hint = 0;
	const uint8_t *e;
	int rc = segment_element(g, p, SECTION_FIELDS, field, &hint, &e);

	if (rc)
		return rc;
	struct column c = {.definition = le64(e + 32),
			   .kind = e[40],
			   .form = e[41],
			   .width = e[42],
			   .offset_width = e[43],
			   .heap_values = le32(e + 44),
			   .packed_at = le32(e + 48),
			   .heap_at = le32(e + 52),
			   .heap_bytes = le32(e + 56),
			   .offsets_at = le32(e + 60),
			   .min = (int64_t)le64(e + 64),
			   .max = (int64_t)le64(e + 72),
			   .scale = le64(e + 80),
			   .present = le32(e + 88)};
	memcpy(c.name, e, SEGMENT_NAME_SIZE);
	if (c.name[SEGMENT_NAME_SIZE - 1] || !column_possible(g, &c))
		return segment_note(g, ERR_CORRUPT);
	*out = c;
	return 0;
}

int segment_own_column(struct segment *g, struct pages *p, enum segment_own which, struct column *out)
{
	int rc = segment_load(g, p);

	if (rc || g->sections[SECTION_FIELDS].elements < SEGMENT_OWN_FIELDS)
		return rc ? rc : ERR_NOTFOUND;
	if (!g->own[which]) {
		rc = segment_column(g, p, which, out);
		/* Without memory it is read again. */
		g->own[which] = rc ? NULL : malloc(sizeof *out);
		if (g->own[which])
			*g->own[which] = *out;
		return rc;
	}
	*out = *g->own[which];
	return 0;
}

/* Whether the list of rows with unlisted terms is there. */
static int find_more_terms(struct segment *g, struct pages *p)
{
	static const uint8_t more = 0;
	struct posting list;
	int rc = terms_find(g, p, bytes_of(&more, 1), &list);

	g->more_terms = rc == 1;
	return rc < 0 ? rc : 0;
}

int segment_fields(struct segment *g, struct pages *p, const struct schema *schema)
{
	size_t wanted = schema ? schema->count : 0;
	struct column c;

	if (g->fields_loaded)
		return 0;
	int rc = segment_load(g, p);
	if (!rc)
		rc = find_more_terms(g, p);
	if (rc)
		return rc;
	uint32_t fields = g->sections[SECTION_FIELDS].elements;
	memset(g->fields, FIELD_ABSENT, sizeof g->fields);
	g->same_schema = fields == wanted + SEGMENT_OWN_FIELDS;
	for (uint32_t i = SEGMENT_OWN_FIELDS; i < fields; i++) {
		size_t at = 0;
		rc = segment_column(g, p, i, &c);
		if (rc)
			return rc;
		while (at < wanted && (schema->fields[at].definition != c.definition ||
				       strcmp(schema->fields[at].field->name, c.name) != 0))
			at++;
		g->same_schema &= at == i - SEGMENT_OWN_FIELDS;
		if (at < wanted)
			g->fields[at] = (uint8_t)i;
	}
	g->fields_loaded = true;
	return 0;
}

/* ---- values ---- */

/* The i-th of packed numbers. */
static int packed_at(struct segment *g, struct pages *p, uint32_t offset, uint32_t i,
		     unsigned width, uint32_t *hint, uint64_t *out)
{
	uint64_t bit = (uint64_t)i * width, first = bit / 8, end = (bit + width + 7) / 8;
	uint8_t room[8] = {0};
	int rc = 0;

	if (width)
		rc = segment_stream(g, p, SECTION_COLUMNS, offset + first, room,
				    (size_t)(end - first), hint);
	*out = bits_at(bytes_of(room, sizeof room), bit % 8, width);
	return rc;
}

/* How many numbers lie whole on the page from this bit on, so that eight bytes can be read of each: its checksum may be among them. */
static uint32_t rows_on_page(uint32_t bit, unsigned width)
{
	uint32_t end = SEGMENT_PAGE_ROOM * 8 - width, last = (SEGMENT_PAGE - 8) * 8 + 7;

	last = end < last ? end : last;
	return bit > last ? 0 : (last - bit) / width + 1;
}

int column_run(struct segment *g, struct pages *p, const struct column *c, uint32_t row,
	       uint32_t *hint, struct packed_run *out)
{
	uint64_t bit = (uint64_t)row * c->width, at = c->packed_at + bit / 8, packed;
	uint32_t left = g->meta.records - row, into = (uint32_t)(at % SEGMENT_PAGE_ROOM);

	if (row >= g->meta.records)
		return segment_note(g, ERR_CORRUPT);
	*out = (struct packed_run){.first = row,
				   .rows = left,
				   .width = c->width,
				   .at = out->room,
				   .mask = ((uint64_t)1 << c->width) - 1};
	if (c->width == 0)
		return 0;
	uint32_t rows = rows_on_page(into * 8 + bit % 8, c->width);
	if (rows) {
		out->rows = rows < left ? rows : left;
		out->bit = bit % 8;
		return segment_element(g, p, SECTION_COLUMNS, (uint32_t)at, hint, &out->at);
	}
	out->rows = 1;
	int rc = packed_at(g, p, c->packed_at, row, c->width, hint, &packed);
	if (!rc)
		put_le64(out->room, packed);
	return rc;
}

int column_packed(struct segment *g, struct pages *p, const struct column *c,
		  const uint32_t *ordinals, uint32_t n, uint32_t *hint, uint64_t *out)
{
	struct packed_run run = {.rows = 0};

	for (uint32_t i = 0; i < n; i++) {
		if (ordinals[i] - run.first >= run.rows) {
			int rc = column_run(g, p, c, ordinals[i], hint, &run);
			if (rc)
				return rc;
		}
		out[i] = packed_run_at(&run, ordinals[i]);
	}
	return 0;
}

void column_ahead(struct segment *g, struct pages *p, const struct column *c, uint32_t row)
{
	const struct section *s = &g->sections[SECTION_COLUMNS];
	uint64_t at = c->packed_at + (uint64_t)row * c->width / 8;
	uint64_t end = c->packed_at + bits_bytes(g->meta.records, c->width);

	if (at < end)
		pages_ahead(p, &g->file, s->first_page + (uint32_t)(at / SEGMENT_PAGE_ROOM),
			    (uint32_t)((end - 1) / SEGMENT_PAGE_ROOM - at / SEGMENT_PAGE_ROOM) + 1);
}

/* Where a value lies in its block: behind the lengths and the values before it. */
static bool value_place(struct bytes head, uint32_t values, uint32_t which, size_t *at_out,
			size_t *len_out)
{
	const uint8_t *at = head.data, *end = head.data + head.len;
	size_t before = 0;
	uint64_t len;

	for (uint32_t i = 0; i < values; i++) {
		if (!leb_get(&at, end, &len) || len > SEGMENT_VALUE_MAX)
			return false;
		if (i < which)
			before += (size_t)len;
		if (i == which)
			*len_out = (size_t)len;
	}
	*at_out = (size_t)(at - head.data) + before;
	return true;
}

static int heap_value(struct segment *g, struct pages *p, struct column_hint *h, uint32_t i,
		      struct buf *out)
{
	const struct column *c = &h->column;
	uint32_t first = i / SEGMENT_HEAP_BLOCK * SEGMENT_HEAP_BLOCK;
	uint32_t values = c->heap_values - first;
	uint8_t head[2 * SEGMENT_HEAP_BLOCK];
	uint64_t start = 0;
	size_t at = 0, len = 0;

	values = values < SEGMENT_HEAP_BLOCK ? values : SEGMENT_HEAP_BLOCK;
	int rc = packed_at(g, p, c->offsets_at, i / SEGMENT_HEAP_BLOCK, c->offset_width,
			   &h->offsets, &start);
	if (rc)
		return rc;
	if (start >= c->heap_bytes)
		return segment_note(g, ERR_CORRUPT);
	uint64_t room = c->heap_bytes - start;
	size_t n = room < sizeof head ? (size_t)room : sizeof head;
	rc = segment_stream(g, p, SECTION_COLUMNS, c->heap_at + start, head, n, &h->heap);
	if (rc)
		return rc;
	if (!value_place(bytes_of(head, n), values, i - first, &at, &len) || len == 0 ||
	    at + len > room)
		return segment_note(g, ERR_CORRUPT);
	if (buf_reserve(out, len))
		return out->error;
	rc = segment_stream(g, p, SECTION_COLUMNS, c->heap_at + start + at, out->data, len, &h->heap);
	if (!rc)
		out->len = len;
	return rc;
}

static bool one_value(struct bytes b)
{
	struct mp_reader r = mp_reader_of(b);

	return (b.len == 1 && b.data[0] == 0xc1) || (mp_skip(&r) == 1 && r.at == r.end);
}

static int load_hint(struct segment *g, struct pages *p, unsigned field, struct column_hint *h)
{
	int rc = h->loaded ? 0 : segment_column(g, p, field, &h->column);

	h->loaded |= rc == 0;
	return rc;
}

int column_number(struct segment *g, struct pages *p, unsigned field, uint32_t ordinal,
		  struct column_hint *h, int64_t *out)
{
	uint64_t packed;
	int rc = load_hint(g, p, field, h);

	if (rc)
		return rc;
	if (h->column.form != FORM_NUMBERS)
		return ERR_NOTFOUND;
	if (ordinal >= g->meta.records)
		return segment_note(g, ERR_CORRUPT);
	rc = packed_at(g, p, h->column.packed_at, ordinal, h->column.width, &h->packed, &packed);
	if (!rc && packed)
		*out = column_number_of(&h->column, packed);
	return rc ? rc : packed != 0;
}

int column_place(struct segment *g, struct pages *p, unsigned field, uint32_t ordinal,
		 struct column_hint *h, uint32_t *out)
{
	uint64_t number;
	int rc = load_hint(g, p, field, h);

	if (rc || h->column.form != FORM_DICTIONARY)
		return rc;
	if (ordinal >= g->meta.records)
		return segment_note(g, ERR_CORRUPT);
	rc = packed_at(g, p, h->column.packed_at, ordinal, h->column.width, &h->packed, &number);
	if (!rc && number >= h->column.heap_values)
		rc = segment_note(g, ERR_CORRUPT);
	*out = (uint32_t)number;
	return rc ? rc : 1;
}

int column_value(struct segment *g, struct pages *p, unsigned field, uint32_t ordinal,
		 struct column_hint *h, struct buf *out)
{
	uint64_t number = ordinal;
	int rc = load_hint(g, p, field, h);

	buf_reset(out);
	if (rc)
		return rc;
	const struct column *c = &h->column;
	if (ordinal >= g->meta.records || c->form == FORM_NONE)
		return segment_note(g, ERR_CORRUPT);
	if (c->form != FORM_HEAP)
		rc = packed_at(g, p, c->packed_at, ordinal, c->width, &h->packed, &number);
	if (rc)
		return rc;
	if (c->form == FORM_NUMBERS) {
		if (number == 0)
			mp_put_nil(out);
		else
			mp_put_int(out, column_number_of(c, number));
		return out->error;
	}
	if (number >= c->heap_values)
		return segment_note(g, ERR_CORRUPT);
	rc = heap_value(g, p, h, (uint32_t)number, out);
	if (!rc && !one_value(buf_bytes(out)))
		rc = segment_note(g, ERR_CORRUPT);
	return rc;
}
