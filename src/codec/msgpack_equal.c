/*
 * msgpack_equal: are two values the same JSON value?
 *
 * A map's pairs are listed, sorted by a hash of their keys and compared in that order, so that a
 * large map in another order costs n log n. The lists of all maps that are open at once lie on
 * one growing stack. Without memory for it the answer is "no", which costs whoever asks "did it
 * change?" one needless write.
 */
#include <codec/msgpack.h>

#include <math.h>
#include <stdlib.h>

struct pair {
	uint64_t hash;
	struct bytes key;
	struct bytes value;
};

static bool equal(struct bytes a, struct bytes b, struct buf *stack);

/* 2^53 + 1 and 2^53 differ, though not as doubles: the integer decides. */
static bool int_is_real(int64_t i, double d)
{
	return d >= -0x1p63 && d < 0x1p63 && trunc(d) == d && (int64_t)d == i;
}

static bool uint_is_real(uint64_t u, double d)
{
	return d >= 0 && d < 0x1p64 && trunc(d) == d && (uint64_t)d == u;
}

static bool number_equal(const struct mp_value *a, const struct mp_value *b)
{
	if (a->type == MP_FLOAT && b->type == MP_FLOAT)
		return a->real == b->real || (isnan(a->real) && isnan(b->real));
	if (a->type == MP_FLOAT)
		return number_equal(b, a);
	if (b->type == MP_FLOAT)
		return a->type == MP_INT ? int_is_real(a->integer, b->real)
					 : uint_is_real(a->uinteger, b->real);
	return a->type == b->type && a->uinteger == b->uinteger;
}

static bool is_number(enum mp_type type)
{
	return type == MP_INT || type == MP_UINT || type == MP_FLOAT;
}

static bool flat_equal(const struct mp_value *a, const struct mp_value *b)
{
	if (is_number(a->type) && is_number(b->type))
		return number_equal(a, b);
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case MP_BOOL: return a->boolean == b->boolean;
	case MP_EXT: return a->ext_type == b->ext_type && bytes_equal(a->str, b->str);
	case MP_STR:
	case MP_BIN: return bytes_equal(a->str, b->str);
	default: return true; /* nil */
	}
}

/* Equal keys hash alike, whatever their encoding; containers as keys, which JSON has not, all
 * hash alike. */
static uint64_t key_hash(struct bytes key)
{
	struct mp_value v;
	double d;

	if (!mp_get(key, &v))
		return 0;
	switch (v.type) {
	case MP_STR:
	case MP_BIN:
	case MP_EXT: return bytes_hash(v.str);
	case MP_INT:
	case MP_UINT:
	case MP_FLOAT:
		d = v.type == MP_INT    ? (double)v.integer
		    : v.type == MP_UINT ? (double)v.uinteger
					: v.real;
		d = isnan(d) ? 0 : d + 0.0; /* -0.0 becomes 0.0 */
		return bytes_hash(bytes_of(&d, sizeof(d)));
	default: return 0;
	}
}

/* By hash; of the same hash the later pair first, since it is the one that counts. */
static int pair_order(const void *left, const void *right)
{
	const struct pair *a = left, *b = right;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return a->key.data > b->key.data ? -1 : a->key.data < b->key.data;
}

static struct pair *pairs_at(const struct buf *stack, size_t offset)
{
	return (struct pair *)(void *)(stack->data + offset);
}

/* Sorts n pairs and drops those whose key stands again later in the map. Returns how many are
 * left. */
static size_t unique(size_t offset, size_t n, struct buf *stack)
{
	size_t kept = 0, run = 0; /* run: where the pairs with the present hash begin */

	if (n > 1)
		qsort(pairs_at(stack, offset), n, sizeof(struct pair), pair_order);
	for (size_t i = 0; i < n; i++) {
		/* A comparison of keys may push, and move the stack. */
		struct pair p = pairs_at(stack, offset)[i];
		if (kept == 0 || pairs_at(stack, offset)[kept - 1].hash != p.hash)
			run = kept;
		size_t j = run;
		while (j < kept && !equal(pairs_at(stack, offset)[j].key, p.key, stack))
			j++;
		if (j == kept)
			pairs_at(stack, offset)[kept++] = p;
	}
	return kept;
}

/* Pushes a map's pairs; false when it is no map in order, or without memory. */
static bool push_pairs(struct mp_reader *r, uint32_t count, struct buf *stack)
{
	uint64_t size = (uint64_t)count * sizeof(struct pair);

	if (size > SIZE_MAX / 2 || buf_reserve(stack, (size_t)size))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		struct pair p = {.hash = 0};
		if (mp_take(r, &p.key) != 1 || mp_take(r, &p.value) != 1)
			return false;
		p.hash = key_hash(p.key);
		buf_put(stack, &p, sizeof(p));
	}
	return true;
}

/* Both lists are sorted and hold each key once. Within one hash, which is nearly always one
 * key, every order is tried. */
static bool lists_equal(size_t a, size_t b, size_t n, struct buf *stack)
{
	size_t run = 0;

	for (size_t i = 0; i < n; i++) {
		struct pair p = pairs_at(stack, a)[i];
		while (run < n && pairs_at(stack, b)[run].hash < p.hash)
			run++;
		size_t j = run;
		struct pair q = {.hash = 0};
		for (; j < n; j++) {
			q = pairs_at(stack, b)[j];
			if (q.hash != p.hash)
				return false;
			if (equal(p.key, q.key, stack))
				break;
		}
		if (j == n || !equal(p.value, q.value, stack))
			return false;
	}
	return true;
}

static bool maps_equal(struct mp_reader *ra, uint32_t count_a, struct mp_reader *rb,
		       uint32_t count_b, struct buf *stack)
{
	size_t base = stack->len;
	bool same = false;

	if (push_pairs(ra, count_a, stack)) {
		size_t n = unique(base, count_a, stack);
		size_t second = stack->len;
		if (push_pairs(rb, count_b, stack) && unique(second, count_b, stack) == n)
			same = lists_equal(base, second, n, stack);
	}
	stack->len = base;
	return same;
}

static bool arrays_equal(struct mp_reader *ra, struct mp_reader *rb, uint32_t count, struct buf *stack)
{
	for (uint32_t i = 0; i < count; i++) {
		struct bytes a, b;
		if (mp_take(ra, &a) != 1 || mp_take(rb, &b) != 1 || !equal(a, b, stack))
			return false;
	}
	return true;
}

/* Recursion is bounded: mp_take refuses what is nested deeper than MP_DEPTH_MAX. */
static bool equal(struct bytes a, struct bytes b, struct buf *stack)
{
	struct mp_reader ra = mp_reader_of(a), rb = mp_reader_of(b);
	struct mp_value va, vb;

	if (bytes_equal(a, b))
		return true;
	if (mp_next(&ra, &va) != 1 || mp_next(&rb, &vb) != 1)
		return false;
	if (va.type == MP_MAP && vb.type == MP_MAP)
		return maps_equal(&ra, va.count, &rb, vb.count, stack);
	if (va.type == MP_ARRAY && vb.type == MP_ARRAY)
		return va.count == vb.count && arrays_equal(&ra, &rb, va.count, stack);
	return flat_equal(&va, &vb);
}

bool mp_equal(struct bytes a, struct bytes b)
{
	struct buf stack = {.max = 0};
	bool same = equal(a, b, &stack);

	buf_release(&stack);
	return same;
}
