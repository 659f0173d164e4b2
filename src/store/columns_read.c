/* columns_read: one value of one row. Believes nothing that it did not check. */
#include "columns.h"
#include "bits.h"
#include "schema.h"
#include "terms.h"

#include <codec/msgpack.h>

#include <stdlib.h>

#define KEPT_MAX   64u /* power of two */
#define KEPT_BYTES 27u

/* One of the column's own values. */
struct column_kept {
	uint32_t number; /* plus 1; 0: none */
	uint8_t len;
	uint8_t data[KEPT_BYTES];
};

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

/* Loads a word that holds the bytes, if one lies on their page: on from them, or, where they lie before the last ones, up to their end. */
static int load_word(struct segment *g, struct pages *p, uint64_t first, uint64_t end,
		     struct packed_hint *h)
{
	uint64_t from = h->known && first < h->at && end >= sizeof h->word ? end - sizeof h->word
									   : first;
	struct bytes span;

	if (from / SEGMENT_PAGE_ROOM != first / SEGMENT_PAGE_ROOM)
		from = first;
	int rc = segment_look(g, p, SECTION_COLUMNS, from, &h->page, &span);
	h->known = !rc && span.len >= sizeof h->word;
	if (h->known) {
		h->at = from;
		h->word = le64(span.data);
	}
	return rc;
}

/* The i-th of packed numbers. */
static int packed_at(struct segment *g, struct pages *p, uint32_t offset, uint32_t i,
		     unsigned width, struct packed_hint *h, uint64_t *out)
{
	uint64_t bit = (uint64_t)i * width, first = offset + bit / 8,
		 end = offset + (bit + width + 7) / 8;
	uint8_t room[8] = {0};
	int rc = 0;

	*out = 0;
	if (!width)
		return 0;
	if (!h->known || first < h->at || end > h->at + sizeof h->word)
		rc = load_word(g, p, first, end, h);
	if (!rc && h->known) {
		*out = h->word >> ((first - h->at) * 8 + bit % 8) & (((uint64_t)1 << width) - 1);
		return 0;
	}
	if (!rc)
		rc = segment_stream(g, p, SECTION_COLUMNS, first, room, (size_t)(end - first),
				    &h->page);
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
	/* It goes on on the next page. */
	struct packed_hint over = {.page = *hint};
	out->rows = 1;
	int rc = packed_at(g, p, c->packed_at, row, c->width, &over, &packed);
	*hint = over.page;
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

/* Where the values of a block begin, behind their lengths; false: it has other bytes than lengths. */
static bool block_places(struct bytes head, uint32_t values, uint16_t places[SEGMENT_HEAP_BLOCK + 1])
{
	const uint8_t *at = head.data, *end = head.data + head.len;
	uint32_t sum = 0;
	uint64_t len;

	places[0] = 0;
	for (uint32_t i = 0; i < values; i++) {
		if (!leb_get(&at, end, &len) || len > SEGMENT_VALUE_MAX)
			return false;
		sum += (uint32_t)len;
		places[i + 1] = (uint16_t)sum;
	}
	for (uint32_t i = 0; i <= values; i++)
		places[i] = (uint16_t)(places[i] + (at - head.data));
	return true;
}

/* Makes the block the one whose places are known. */
static int load_block(struct segment *g, struct pages *p, struct column_hint *h, uint32_t block)
{
	const struct column *c = &h->column;
	uint32_t values = c->heap_values - block * SEGMENT_HEAP_BLOCK;
	uint8_t room[2 * SEGMENT_HEAP_BLOCK];
	struct bytes head;
	uint64_t start = 0;

	h->block = 0;
	int rc = packed_at(g, p, c->offsets_at, block, c->offset_width, &h->offsets, &start);
	if (!rc && start >= c->heap_bytes)
		rc = segment_note(g, ERR_CORRUPT);
	if (rc)
		return rc;
	uint64_t left = c->heap_bytes - start;
	size_t n = left < sizeof room ? (size_t)left : sizeof room;
	rc = segment_look(g, p, SECTION_COLUMNS, c->heap_at + start, &h->heap, &head);
	if (!rc && head.len < n) {
		rc = segment_stream(g, p, SECTION_COLUMNS, c->heap_at + start, room, n, &h->heap);
		head.data = room;
	}
	if (rc)
		return rc;
	head.len = n;
	values = values < SEGMENT_HEAP_BLOCK ? values : SEGMENT_HEAP_BLOCK;
	if (!block_places(head, values, h->block_at))
		return segment_note(g, ERR_CORRUPT);
	h->block_start = (uint32_t)start;
	h->block = block + 1;
	return 0;
}

/* Where it lies on its page, or in `room`. */
static int heap_value(struct segment *g, struct pages *p, struct column_hint *h, uint32_t i,
		      uint8_t room[SEGMENT_VALUE_MAX], struct bytes *out)
{
	const struct column *c = &h->column;
	uint32_t block = i / SEGMENT_HEAP_BLOCK, which = i % SEGMENT_HEAP_BLOCK;
	int rc = h->block == block + 1 ? 0 : load_block(g, p, h, block);

	if (rc)
		return rc;
	uint64_t start = (uint64_t)h->block_start + h->block_at[which];
	size_t len = (size_t)h->block_at[which + 1] - h->block_at[which];
	if (len == 0 || start + len > c->heap_bytes)
		return segment_note(g, ERR_CORRUPT);
	rc = segment_look(g, p, SECTION_COLUMNS, c->heap_at + start, &h->heap, out);
	if (!rc && out->len < len) {
		rc = segment_stream(g, p, SECTION_COLUMNS, c->heap_at + start, room, len, &h->heap);
		out->data = room;
	}
	out->len = len;
	return rc;
}

/* Most are short texts. */
static bool one_value(struct bytes b)
{
	struct mp_reader r = mp_reader_of(b);

	if ((b.data[0] & 0xe0) == 0xa0)
		return b.len == 1 + (b.data[0] & 0x1fu);
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

/* A value of a heap; a right one stays right. */
static int own_value(struct segment *g, struct pages *p, struct column_hint *h, uint64_t number,
		     uint8_t room[SEGMENT_VALUE_MAX], struct bytes *out)
{
	if (number >= h->column.heap_values)
		return segment_note(g, ERR_CORRUPT);
	int rc = heap_value(g, p, h, (uint32_t)number, room, out);
	return rc || one_value(*out) ? rc : segment_note(g, ERR_CORRUPT);
}

static void put_number(const struct column *c, uint64_t packed, struct buf *out)
{
	if (packed)
		mp_put_int(out, column_number_of(c, packed));
	else
		mp_put_nil(out);
}

/* What the column says of a row: a packed number, or the row itself. */
static int number_of(struct segment *g, struct pages *p, unsigned field, uint32_t ordinal,
		     struct column_hint *h, uint64_t *out)
{
	const struct column *c = &h->column;
	int rc = load_hint(g, p, field, h);

	if (rc)
		return rc;
	if (ordinal >= g->meta.records || c->form == FORM_NONE)
		return segment_note(g, ERR_CORRUPT);
	*out = ordinal;
	return c->form == FORM_HEAP
		       ? 0
		       : packed_at(g, p, c->packed_at, ordinal, c->width, &h->packed, out);
}

int column_value(struct segment *g, struct pages *p, unsigned field, uint32_t ordinal,
		 struct column_hint *h, struct buf *out)
{
	uint8_t room[SEGMENT_VALUE_MAX];
	struct bytes value;
	uint64_t number;

	buf_reset(out);
	int rc = number_of(g, p, field, ordinal, h, &number);
	if (rc)
		return rc;
	if (h->column.form == FORM_NUMBERS) {
		put_number(&h->column, number, out);
		return out->error;
	}
	rc = own_value(g, p, h, number, room, &value);
	if (!rc)
		buf_put_bytes(out, value);
	return rc ? rc : out->error;
}

/* Where the value of the number is kept, or would be; NULL: nowhere. */
static struct column_kept *kept_of(struct column_reader *r, uint64_t number)
{
	uint32_t count = 1;

	if (r->kept)
		return &r->kept[number & r->kept_mask];
	while (count < KEPT_MAX && count < r->hint.column.heap_values)
		count *= 2;
	r->kept = calloc(count, sizeof *r->kept);
	r->kept_mask = count - 1;
	return r->kept ? &r->kept[number & r->kept_mask] : NULL;
}

static void keep_value(struct column_kept *k, uint32_t number, struct bytes value)
{
	if (!k || value.len > KEPT_BYTES)
		return;
	k->number = number + 1;
	k->len = (uint8_t)value.len;
	memcpy(k->data, value.data, value.len);
}

/* Keeps the values of the block whose places are known, as far as they lie on one page. */
static int keep_block(struct segment *g, struct pages *p, struct column_reader *r)
{
	struct column_hint *h = &r->hint;
	uint32_t first = (h->block - 1) * SEGMENT_HEAP_BLOCK, values = h->column.heap_values - first;
	uint64_t start = (uint64_t)h->block_start + h->block_at[0];
	struct bytes span;

	if (start >= h->column.heap_bytes)
		return 0;
	int rc = segment_look(g, p, SECTION_COLUMNS, h->column.heap_at + start, &h->heap, &span);
	values = values < SEGMENT_HEAP_BLOCK ? values : SEGMENT_HEAP_BLOCK;
	for (uint32_t i = 0; !rc && i < values; i++) {
		size_t at = (size_t)h->block_at[i] - h->block_at[0],
		       end = (size_t)h->block_at[i + 1] - h->block_at[0];
		if (end > span.len || start + end > h->column.heap_bytes)
			break;
		struct bytes value = bytes_of(span.data + at, end - at);
		if (value.len && one_value(value))
			keep_value(kept_of(r, first + i), first + i, value);
	}
	return rc;
}

/* A column of a few values is known soon: the first look at a block keeps all of it. */
static int learn_block(struct segment *g, struct pages *p, struct column_reader *r, uint64_t number)
{
	uint32_t block = (uint32_t)(number / SEGMENT_HEAP_BLOCK);

	if (number >= r->hint.column.heap_values || r->hint.column.heap_values > KEPT_MAX ||
	    r->learned >> block & 1)
		return 0;
	r->learned |= 1u << block;
	int rc = r->hint.block == block + 1 ? 0 : load_block(g, p, &r->hint, block);
	return rc ? rc : keep_block(g, p, r);
}

int column_look(struct segment *g, struct pages *p, unsigned field, uint32_t ordinal,
		struct column_reader *r, struct bytes *out)
{
	struct column_hint *h = &r->hint;
	struct buf room = {.data = r->room, .cap = sizeof r->room};
	uint64_t number;
	int rc = number_of(g, p, field, ordinal, h, &number);

	if (rc)
		return rc;
	if (h->column.form == FORM_NUMBERS) {
		put_number(&h->column, number, &room);
		*out = buf_bytes(&room);
		return 0;
	}
	if (h->column.form == FORM_HEAP)
		return own_value(g, p, h, number, r->room, out);
	struct column_kept *k = kept_of(r, number);
	if (k && k->number != number + 1)
		rc = learn_block(g, p, r, number);
	if (!rc && k && k->number == number + 1) {
		*out = bytes_of(k->data, k->len);
		return 0;
	}
	if (!rc)
		rc = own_value(g, p, h, number, r->room, out);
	if (!rc)
		keep_value(k, (uint32_t)number, *out);
	return rc;
}

void column_reader_release(struct column_reader *r)
{
	free(r->kept);
	r->kept = NULL;
}
