/*
 * extract: one pass over a record's fields. Terms are interned: a row is a list of numbers, so that
 * what is kept of a page of records is little more than the words that they share.
 */
#include "extract.h"

#include <codec/msgpack.h>
#include <codec/words.h>

#include <stdlib.h>
#include <sys/random.h>

#define KEPT_MAX    UINT32_C(0x40000000) /* places are 32 bits */
#define WAITING_MAX 16u                  /* terms that are looked up together */
#define NEAR_SLOTS  2048u  /* a table of so many stays in the nearest cache by itself */
#define TEXTS_KEPT  16384u /* of the memory of a record's text, for the next one */

void extract_release(struct extract *x)
{
	buf_release(&x->text);
	buf_release(&x->values);
	buf_release(&x->scratch);
	buf_release(&x->doc);
	buf_release(&x->texts);
	free(x->members);
	free(x->parts);
	free(x->waiting);
	free(x->terms);
	free(x->table);
	free(x->ids);
	free(x->rows);
	*x = (struct extract){.schema = x->schema};
}

size_t extract_bytes(const struct extract *x)
{
	return x->text.len + x->values.len + (size_t)x->terms_count * sizeof *x->terms +
	       ((size_t)x->ids_count + x->table_size) * sizeof *x->ids +
	       (size_t)x->count * sizeof *x->rows;
}

struct bytes extract_term(const struct extract *x, uint32_t term)
{
	return bytes_of(x->text.data + x->terms[term].at, x->terms[term].len);
}

static uint32_t row_end(const struct extract *x, uint32_t row)
{
	return row + 1 < x->count ? x->rows[row + 1].ids_at : x->ids_count;
}

const uint32_t *extract_terms(const struct extract *x, uint32_t row, uint32_t *count_out)
{
	*count_out = row_end(x, row) - x->rows[row].ids_at;
	return *count_out ? x->ids + x->rows[row].ids_at : NULL;
}

static bool has_column(const struct extract *x, unsigned field)
{
	return field < SEGMENT_OWN_FIELDS ||
	       kind_has_column(x->schema->fields[field - SEGMENT_OWN_FIELDS].kind);
}

struct bytes extract_value(const struct extract *x, uint32_t row, unsigned field)
{
	static const uint8_t nil = 0xc0;
	uint32_t at = x->rows[row].values_at;

	if (!has_column(x, field))
		return bytes_of(&nil, 1);
	for (unsigned i = 0; i < field; i++)
		if (has_column(x, i))
			at += 1u + x->values.data[at];
	return bytes_of(x->values.data + at + 1, x->values.data[at]);
}

/* ---- terms ---- */

/* Up to seven bytes as a little-endian word. */
static inline uint64_t few_bytes(const uint8_t *p, size_t n)
{
	if (n >= 4)
		return le32(p) | (uint64_t)le32(p + n - 4) << 8 * (n - 4);
	return n ? p[0] | (uint64_t)p[n / 2] << 8 * (n / 2) | (uint64_t)p[n - 1] << 8 * (n - 1) : 0;
}

/* A text of a field that is to become a term of the row; zeros fill its last word. */
struct waiting {
	uint32_t hash;
	uint8_t field, len;
	uint8_t text[(SEGMENT_TERM_MAX - 1) / 8 * 8 + 8];
};

/* Of this process: the words are other people's, and who could tell their hashes beforehand could choose some that all go to one place of the table. */
static struct {
	uint64_t start, factor; /* factor: odd; 0: not drawn yet */
} hashing;

static void draw_hashing(void)
{
	/* Where no random bytes can be had, there is at least the place in memory. */
	if (getrandom(&hashing, sizeof hashing, 0) != (ssize_t)sizeof hashing) {
		hashing.start = (uint64_t)(uintptr_t)&hashing;
		hashing.factor = UINT64_C(0x9e3779b97f4a7c15);
	}
	hashing.factor |= 1;
}

/* Of up to SEGMENT_TERM_MAX - 1 bytes. The hash goes nowhere but into this table. */
static inline void waiting_fill(struct waiting *w, uint8_t field, struct bytes text)
{
	const uint64_t factor = hashing.factor;
	uint64_t h = hashing.start ^ ((uint64_t)text.len << 8 | field), word;
	size_t at = 0;

	for (; at + 8 <= text.len; at += 8) {
		word = le64(text.data + at);
		put_le64(w->text + at, word);
		h = (h ^ word) * factor;
		h ^= h >> 32;
	}
	word = few_bytes(text.data + at, text.len - at);
	put_le64(w->text + at, word);
	h = (h ^ word) * factor;
	w->hash = (uint32_t)(h ^ h >> 32);
	w->field = field;
	w->len = (uint8_t)text.len;
}

static bool term_is(const struct extract *x, const struct extract_term *t, const struct waiting *w)
{
	const uint8_t *held = x->text.data + t->at;
	size_t at = 0;

	if (t->len != w->len + 1 || *held++ != w->field)
		return false;
	for (; at + 8 <= w->len; at += 8)
		if (le64(held + at) != le64(w->text + at))
			return false;
	return few_bytes(held + at, w->len - at) == le64(w->text + at);
}

/* Where the term stands, or would. */
static uint32_t *slot_of(struct extract *x, const struct waiting *w)
{
	uint32_t mask = x->table_size - 1, hash = w->hash, at = hash & mask;

	for (;; at = (at + 1) & mask) {
		uint32_t slot = x->table[at];
		if (!slot ||
		    (((slot ^ hash) & ~mask) == 0 && term_is(x, &x->terms[(slot & mask) - 1], w)))
			return &x->table[at];
	}
}

/* All terms differ. */
static void table_fill(struct extract *x, uint32_t *table, uint32_t size)
{
	uint32_t mask = size - 1;

	for (uint32_t i = 0; i < x->terms_count; i++) {
		uint32_t hash = x->terms[i].hash, at = hash & mask;
		while (table[at])
			at = (at + 1) & mask;
		table[at] = (hash & ~mask) | (i + 1);
	}
}

static int grow_table(struct extract *x)
{
	uint32_t size = x->table_size ? x->table_size * 2 : 1024;
	uint32_t *table = calloc(size, sizeof *table);

	if (!table)
		return ERR_NOMEM;
	table_fill(x, table, size);
	free(x->table);
	x->table = table;
	x->table_size = size;
	return 0;
}

/* Doubles an array; NULL: no memory. */
static void *grow(void *array, uint32_t *cap, size_t size)
{
	uint32_t wanted = *cap ? *cap * 2 : 256;
	void *grown = realloc(array, wanted * size);

	if (grown)
		*cap = wanted;
	return grown;
}

static int intern(struct extract *x, const struct waiting *w, uint32_t *out)
{
	if ((x->terms_count + 1) * 2 > x->table_size && grow_table(x))
		return ERR_NOMEM;
	uint32_t *slot = slot_of(x, w), mask = x->table_size - 1;
	if (*slot) {
		*out = (*slot & mask) - 1;
		return 0;
	}
	if (x->terms_count == x->terms_cap) {
		void *grown = grow(x->terms, &x->terms_cap, sizeof *x->terms);
		if (!grown)
			return ERR_NOMEM;
		x->terms = grown;
	}
	struct extract_term t = {(uint32_t)x->text.len, 0, w->hash, (uint8_t)(w->len + 1)};
	if (buf_reserve(&x->text, w->len + 1u)) {
		x->text.error = 0;
		return ERR_NOMEM;
	}
	buf_put_byte(&x->text, w->field);
	buf_put(&x->text, w->text, w->len);
	x->terms[x->terms_count] = t;
	*out = x->terms_count++;
	*slot = (w->hash & ~mask) | x->terms_count;
	return 0;
}

static int add_term(struct extract *x, const struct waiting *w)
{
	uint32_t id;
	int rc = intern(x, w, &id);

	if (rc || x->terms[id].row == x->count)
		return rc;
	if (x->ids_count == x->ids_cap) {
		uint32_t *grown = grow(x->ids, &x->ids_cap, sizeof *grown);
		if (!grown)
			return ERR_NOMEM;
		x->ids = grown;
	}
	x->terms[id].row = x->count;
	x->ids[x->ids_count++] = id;
	return 0;
}

/* 1: the row has enough terms, and is marked. */
static int add_limited(struct extract *x, const struct waiting *w)
{
	struct waiting mark;

	if (x->ids_count - x->rows[x->count - 1].ids_at < EXTRACT_TERMS_MAX)
		return add_term(x, w);
	waiting_fill(&mark, 0, bytes_of(mark.text, 0));
	int rc = add_term(x, &mark);
	return rc ? rc : 1;
}

/* What the terms that wait will need is asked of the memory for all of them, before the first one waits for
 * it: a look-up goes through three places far from each other, and most of its time would be waiting. */
static void fetch_waiting(const struct extract *x)
{
	uint32_t mask = x->table_size - 1, slots[WAITING_MAX];

	for (uint32_t i = 0; i < x->waiting_count; i++) {
		slots[i] = x->table[x->waiting[i].hash & mask] & mask;
		if (slots[i])
			__builtin_prefetch(&x->terms[slots[i] - 1]);
	}
	for (uint32_t i = 0; i < x->waiting_count; i++)
		if (slots[i])
			__builtin_prefetch(x->text.data + x->terms[slots[i] - 1].at);
}

/* As add_limited of all that wait. */
static int add_waiting(struct extract *x)
{
	int rc = 0;

	if (x->table_size > NEAR_SLOTS)
		fetch_waiting(x);
	for (uint32_t i = 0; rc == 0 && i < x->waiting_count; i++)
		rc = add_limited(x, &x->waiting[i]);
	x->waiting_count = 0;
	return rc;
}

struct naming {
	struct extract *x;
	uint8_t field;
};

static int add_text(void *ctx, struct bytes text)
{
	const struct naming *n = ctx;
	struct extract *x = n->x;
	struct waiting *w = &x->waiting[x->waiting_count++];

	text.len = text.len < SEGMENT_TERM_MAX - 1 ? text.len : SEGMENT_TERM_MAX - 1;
	waiting_fill(w, n->field, text);
	if (x->table_size > NEAR_SLOTS)
		__builtin_prefetch(&x->table[w->hash & (x->table_size - 1)]);
	return x->waiting_count == WAITING_MAX ? add_waiting(x) : 0;
}

/* Of one value that is no list. */
static int add_value_terms(struct naming *n, enum store_kind kind, const struct mp_value *v)
{
	if (v->type == MP_BOOL)
		return add_text(n, bytes_str(v->boolean ? "true" : "false"));
	if (v->type != MP_STR || v->str.len == 0)
		return 0;
	return kind_has_words(kind) ? words_each(v->str, add_text, n) : add_text(n, v->str);
}

static int add_terms(struct extract *x, unsigned field, enum store_kind kind, struct bytes value)
{
	struct naming n = {x, (uint8_t)field};
	struct mp_reader r = mp_reader_of(value);
	struct mp_value v;
	int rc = 0;

	if (mp_next(&r, &v) != 1)
		return ERR_CORRUPT;
	uint32_t items = v.type == MP_ARRAY ? v.count : 0;
	if (v.type != MP_ARRAY)
		rc = add_value_terms(&n, kind, &v);
	for (uint32_t i = 0; rc == 0 && i < items; i++) {
		if (mp_next(&r, &v) != 1)
			return ERR_CORRUPT;
		rc = add_value_terms(&n, kind, &v);
	}
	return rc < 0 ? rc : 0;
}

/* ---- values ---- */

static void put_value(struct extract *x, struct bytes value)
{
	static const uint8_t longer = 0xc1;

	if (value.len > SEGMENT_VALUE_MAX)
		value = bytes_of(&longer, 1);
	buf_put_byte(&x->values, (uint8_t)value.len);
	buf_put_bytes(&x->values, value);
}

/* Digits that are a number's, and nothing else than that number's. */
static bool is_number(struct bytes text, int64_t *out)
{
	int64_t v = 0;

	if (text.len == 0 || text.len > 18 || (text.data[0] == '0' && text.len > 1))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		v = v * 10 + (text.data[i] - '0');
	}
	*out = v;
	return true;
}

static int put_name(struct extract *x, struct bytes name)
{
	int64_t number;

	buf_reset(&x->scratch);
	if (name.len == 0)
		mp_put_nil(&x->scratch);
	else if (is_number(name, &number))
		mp_put_int(&x->scratch, number);
	else
		mp_put_str(&x->scratch, name);
	if (!x->scratch.error)
		put_value(x, buf_bytes(&x->scratch));
	return x->scratch.error;
}

/* ---- the part of a document that matters ---- */

#define MEMBERS_MAX 64
#define PARTS_MAX   256

/* A member of a member, key and value. */
struct part {
	struct bytes key, whole;
	uint64_t fields;
};

/* A member of the outermost map. Of most that are maps themselves a field needs a part only. */
struct member {
	struct bytes key, head, whole; /* head: the key as it is encoded; whole: and the value */
	uint64_t fields;               /* that need all of it */
	uint64_t deep;                 /* that need some of its parts */
	uint32_t parts_at, parts_count;
};

static uint64_t bit_of(unsigned field)
{
	return UINT64_C(1) << field;
}

static bool is_nil(struct bytes value)
{
	return value.len == 1 && value.data[0] == 0xc0;
}

/* Adds a part that some path leads to. False: it stands there already, or there is no room. */
static bool add_part(struct extract *x, struct member *m, struct bytes key, struct bytes whole,
		     uint64_t fields)
{
	for (uint32_t i = m->parts_at; i < x->parts_count; i++)
		if (bytes_equal(x->parts[i].key, key))
			return false;
	if (x->parts_count == PARTS_MAX)
		return false;
	x->parts[x->parts_count++] = (struct part){key, whole, fields};
	return true;
}

/* The parts that the rests of paths lead to. False: the value is no map, or cannot be taken apart. */
static bool split(struct extract *x, struct member *m, struct bytes value,
		  const struct schema_path *rests, size_t count, uint64_t *present)
{
	struct mp_reader r = mp_reader_of(value);
	struct mp_value head, key;
	struct bytes item, left;

	if (mp_next(&r, &head) != 1 || head.type != MP_MAP)
		return false;
	for (uint32_t i = 0; i < head.count; i++) {
		const uint8_t *start = r.at;
		uint64_t fields = 0;
		if (mp_next(&r, &key) != 1 || key.type != MP_STR || mp_take(&r, &item) != 1)
			return false;
		for (size_t k = 0; k < count; k++)
			if (rests[k].path.len && schema_step(rests[k].path, key.str, &left))
				fields |= bit_of(rests[k].field);
		if (!fields)
			continue;
		if (!add_part(x, m, key.str, bytes_of(start, (size_t)(r.at - start)), fields))
			return false;
		*present |= is_nil(item) ? 0 : fields;
	}
	m->parts_count = x->parts_count - m->parts_at;
	return true;
}

/* What fields need of a member. */
static void look_into(struct extract *x, struct member *m, struct bytes value,
		      const struct schema_path *rests, size_t count)
{
	uint64_t present = 0;

	m->parts_at = x->parts_count;
	for (size_t i = 0; i < count; i++)
		if (rests[i].path.len)
			m->deep |= bit_of(rests[i].field);
		else
			m->fields |= bit_of(rests[i].field);
	if (m->deep && !split(x, m, value, rests, count, &present)) {
		x->parts_count = m->parts_at;
		m->fields |= m->deep;
		present = 0;
	}
	m->deep &= ~m->fields;
	x->present |= (present & m->deep) | (is_nil(value) ? 0 : m->fields);
}

/* The members that fields' paths begin with, and how many; -1: the document cannot be taken apart,
 * or a key stands twice (the first one counts). */
static int collect_members(struct extract *x, struct bytes doc)
{
	struct schema_path rests[SCHEMA_PATHS_MAX + 1];
	struct mp_reader r = mp_reader_of(doc);
	struct mp_value head, key;
	struct bytes value;
	int n = 0;

	x->parts_count = 0;
	x->present = 0;
	if (mp_next(&r, &head) != 1 || head.type != MP_MAP)
		return -1;
	for (uint32_t i = 0; i < head.count; i++) {
		const uint8_t *start = r.at;
		if (mp_next(&r, &key) != 1 || key.type != MP_STR)
			return -1;
		struct bytes encoded = bytes_of(start, (size_t)(r.at - start));
		if (mp_take(&r, &value) != 1)
			return -1;
		size_t count = schema_steps(x->schema, key.str, rests);
		if (!count)
			continue;
		for (int k = 0; k < n; k++)
			if (bytes_equal(x->members[k].key, key.str))
				return -1;
		if (n == MEMBERS_MAX)
			return -1;
		struct member *m = &x->members[n++];
		*m = (struct member){.key = key.str,
				     .head = encoded,
				     .whole = bytes_of(start, (size_t)(r.at - start))};
		look_into(x, m, value, rests, count);
	}
	return n;
}

static void put_parts(struct extract *x, const struct member *m, unsigned field)
{
	const struct part *parts = x->parts + m->parts_at;
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->parts_count; i++)
		n += (uint32_t)(parts[i].fields >> field & 1);
	buf_put_bytes(&x->doc, m->head);
	mp_put_map(&x->doc, n);
	for (uint32_t i = 0; i < m->parts_count; i++)
		if (parts[i].fields >> field & 1)
			buf_put_bytes(&x->doc, parts[i].whole);
}

/* A walk along a path looks at all of a document, and there are many paths: each gets only the
 * members, and of these the parts, that it may lead through. */
static struct bytes small_doc(struct extract *x, unsigned field, struct bytes doc)
{
	uint32_t n = 0;

	if (x->members_count < 0)
		return doc;
	for (int i = 0; i < x->members_count; i++)
		n += (uint32_t)((x->members[i].fields | x->members[i].deep) >> field & 1);
	buf_reset(&x->doc);
	mp_put_map(&x->doc, n);
	for (int i = 0; i < x->members_count; i++)
		if (x->members[i].fields >> field & 1)
			buf_put_bytes(&x->doc, x->members[i].whole);
		else if (x->members[i].deep >> field & 1)
			put_parts(x, &x->members[i], field);
	return x->doc.error ? doc : buf_bytes(&x->doc);
}

/* What all paths of a field lead to is not there, or nil. */
static bool is_absent(const struct extract *x, unsigned field)
{
	return x->members_count >= 0 && !(x->present >> field & 1) &&
	       !x->schema->fields[field].constant;
}

static int add_field(struct extract *x, unsigned i, const struct record *r)
{
	const struct schema_field *f = &x->schema->fields[i];
	int rc = 0;

	buf_reset(&x->scratch);
	if (r->flags & RECORD_DELETED || !r->doc.len || is_absent(x, i))
		mp_put_nil(&x->scratch);
	else
		rc = field_stored_with(f->field, small_doc(x, i, r->doc), &x->texts, &x->scratch);
	if (rc < 0 || x->scratch.error)
		return rc < 0 ? rc : x->scratch.error;
	if (kind_has_column(f->kind))
		put_value(x, buf_bytes(&x->scratch));
	if (rc == 0 || !kind_has_terms(f->kind))
		return 0;
	return add_terms(x, i + SEGMENT_OWN_FIELDS, f->kind, buf_bytes(&x->scratch));
}

void extract_drop_last(struct extract *x)
{
	x->count--;
	x->waiting_count = 0;
	x->ids_count = x->rows[x->count].ids_at;
	x->values.len = x->rows[x->count].values_at;
	x->values.error = 0;
	/* The next row has the same number. */
	for (uint32_t i = 0; i < x->terms_count; i++)
		if (x->terms[i].row > x->count)
			x->terms[i].row = 0;
}

int extract_add(struct extract *x, const struct record *r)
{
	int rc = 0;

	if (x->text.len > KEPT_MAX || x->values.len > KEPT_MAX || x->ids_count > KEPT_MAX)
		return ERR_LIMIT;
	if (x->count == x->cap) {
		void *grown = grow(x->rows, &x->cap, sizeof *x->rows);
		if (!grown)
			return ERR_NOMEM;
		x->rows = grown;
	}
	if (!hashing.factor)
		draw_hashing();
	x->rows[x->count++] = (struct extract_row){x->ids_count, (uint32_t)x->values.len};
	rc = put_name(x, r->id);
	if (!rc)
		rc = put_name(x, r->parent);
	if (x->schema && !x->members)
		x->members = malloc(MEMBERS_MAX * sizeof *x->members);
	if (x->schema && !x->parts)
		x->parts = malloc(PARTS_MAX * sizeof *x->parts);
	if (x->schema && !x->waiting)
		x->waiting = malloc(WAITING_MAX * sizeof *x->waiting);
	if (x->schema && !x->waiting)
		rc = ERR_NOMEM;
	x->members_count = x->members && x->parts && r->doc.len ? collect_members(x, r->doc) : -1;
	for (unsigned i = 0; !rc && x->schema && i < x->schema->count; i++)
		rc = add_field(x, i, r);
	if (!rc && x->waiting_count)
		rc = add_waiting(x);
	rc = rc < 0 ? rc : 0;
	if (!rc)
		rc = x->values.error;
	if (rc)
		extract_drop_last(x);
	buf_reset(&x->texts);
	buf_give_back(&x->texts, TEXTS_KEPT);
	return rc;
}
