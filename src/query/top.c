/* top: a heap of the rows that are first so far, the last of them on top; put in order by taking it apart. */
#include "top.h"

#include <codec/msgpack.h>

#include <stdlib.h>

struct entry {
	size_t id_len;
	struct sort_key key; /* its bytes beyond `len` are not set */
	uint8_t id[];
};

struct top {
	bool ascending;
	size_t max, count;
	struct entry *heap[];
};

/* ---- keys ---- */

static void put_big_endian(struct sort_key *k, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		k->bytes[i] = (uint8_t)(v >> (56 - 8 * i));
	k->len = 8;
}

static void put_integer(struct sort_key *k, int64_t v)
{
	put_big_endian(k, (uint64_t)v ^ UINT64_C(1) << 63);
}

static void put_real(struct sort_key *k, double v)
{
	uint64_t bits;

	v += 0.0; /* -0 is 0 */
	memcpy(&bits, &v, sizeof bits);
	put_big_endian(k, bits >> 63 ? ~bits : bits | UINT64_C(1) << 63);
}

static void put_text(struct sort_key *k, struct bytes text)
{
	k->len = text.len < SORT_KEY_MAX ? text.len : SORT_KEY_MAX;
	if (k->len)
		memcpy(k->bytes, text.data, k->len);
}

void sort_key_make(struct sort_key *k, const struct field *f, struct bytes stored, uint64_t id_hash)
{
	struct mp_value v;

	k->id_hash = id_hash;
	k->len = 0;
	k->known = mp_get(stored, &v) && v.type != MP_NIL;
	if (!k->known)
		return;
	if (v.type == MP_STR)
		put_text(k, v.str);
	else if (v.type == MP_BOOL)
		put_integer(k, v.boolean);
	else if (v.type == MP_INT && f->type != FIELD_REAL)
		put_integer(k, v.integer);
	else if (v.type == MP_INT)
		put_real(k, (double)v.integer);
	else if (v.type == MP_FLOAT)
		put_real(k, v.real);
	else
		k->known = false;
}

bool sort_key_integer(const struct sort_key *k, int64_t *out)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | k->bytes[i];
	*out = (int64_t)(v ^ UINT64_C(1) << 63);
	return k->known && k->len == 8;
}

int sort_key_compare(const struct sort_key *a, const struct sort_key *b, bool ascending)
{
	if (a->known != b->known)
		return a->known ? -1 : 1;
	int c = bytes_compare(bytes_of(a->bytes, a->len), bytes_of(b->bytes, b->len));
	if (c == 0)
		c = (a->id_hash > b->id_hash) - (a->id_hash < b->id_hash);
	return ascending ? c : -c;
}

/* ---- the heap ---- */

struct top *top_new(size_t max, bool ascending)
{
	struct top *t = calloc(1, sizeof *t + max * sizeof t->heap[0]);

	if (!t)
		return NULL;
	t->max = max;
	t->ascending = ascending;
	return t;
}

void top_free(struct top *t)
{
	for (size_t i = 0; t && i < t->count; i++)
		free(t->heap[i]);
	free(t);
}

static bool comes_before(const struct top *t, const struct entry *a, const struct entry *b)
{
	return sort_key_compare(&a->key, &b->key, t->ascending) < 0;
}

static void sift_down(struct top *t, size_t at, size_t n)
{
	struct entry *moved = t->heap[at];

	for (size_t child; (child = at * 2 + 1) < n; at = child) {
		if (child + 1 < n && comes_before(t, t->heap[child], t->heap[child + 1]))
			child++;
		if (!comes_before(t, moved, t->heap[child]))
			break;
		t->heap[at] = t->heap[child];
	}
	t->heap[at] = moved;
}

static void sift_up(struct top *t, size_t at)
{
	struct entry *moved = t->heap[at];

	for (; at > 0 && comes_before(t, t->heap[(at - 1) / 2], moved); at = (at - 1) / 2)
		t->heap[at] = t->heap[(at - 1) / 2];
	t->heap[at] = moved;
}

bool top_wants(const struct top *t, const struct sort_key *k)
{
	return t->count < t->max ||
	       (t->max && sort_key_compare(k, &t->heap[0]->key, t->ascending) < 0);
}

const struct sort_key *top_last(const struct top *t)
{
	return t->max && t->count == t->max ? &t->heap[0]->key : NULL;
}

int top_add(struct top *t, const struct sort_key *k, struct bytes id)
{
	struct entry *e = malloc(sizeof *e + id.len);

	if (!e)
		return ERR_NOMEM;
	e->key = *k;
	e->id_len = id.len;
	if (id.len)
		memcpy(e->id, id.data, id.len);
	if (t->count < t->max) {
		t->heap[t->count] = e;
		sift_up(t, t->count++);
	} else {
		free(t->heap[0]);
		t->heap[0] = e;
		sift_down(t, 0, t->count);
	}
	return 0;
}

size_t top_order(struct top *t)
{
	for (size_t end = t->count; end > 1;) {
		struct entry *last = t->heap[--end];
		t->heap[end] = t->heap[0];
		t->heap[0] = last;
		sift_down(t, 0, end);
	}
	return t->count;
}

const struct sort_key *top_key(const struct top *t, size_t i)
{
	return &t->heap[i]->key;
}

struct bytes top_id(const struct top *t, size_t i)
{
	return bytes_of(t->heap[i]->id, t->heap[i]->id_len);
}
