/*
 * summary: sums and percentiles of a stream of numbers in bounded memory.
 *
 * A class is the upper bits of a double, made so that they order as the numbers do: sign, exponent and, at first, 6 bits of the fraction.
 */
#include "summary.h"

#include <base/err.h>

#include <stdlib.h>

#define ITEMS_FIRST   8u
#define CLASSES_MAX   2048u
#define SHIFT_FIRST   46u /* leaves 1 + 11 + 6 bits */
#define SHIFT_MAX     52u
#define FRACTION_BITS 52u
#define SIGN          (UINT64_C(1) << 63)

union summary_item {
	int64_t integer;
	double real;
	struct {
		uint32_t key, count;
	} class;
};

bool allowance_take(struct allowance *a, size_t bytes)
{
	if (bytes > a->max - a->used)
		return false;
	a->used += bytes;
	return true;
}

double number_real(struct number n)
{
	return n.is_real ? n.real : (double)n.integer;
}

static bool smaller(struct number a, struct number b)
{
	return a.is_real ? a.real < b.real : a.integer < b.integer;
}

/* ---- classes ---- */

static uint64_t ordered_bits(double v)
{
	uint64_t bits;

	v += 0.0; /* -0 is 0 */
	memcpy(&bits, &v, sizeof bits);
	return bits & SIGN ? ~bits : bits | SIGN;
}

static double from_ordered(uint64_t ordered)
{
	uint64_t bits = ordered & SIGN ? ordered & ~SIGN : ~ordered;
	double v;

	memcpy(&v, &bits, sizeof v);
	return v;
}

static uint32_t class_of(double v, unsigned shift)
{
	return (uint32_t)(ordered_bits(v) >> shift);
}

static double class_middle(uint32_t key, unsigned shift)
{
	uint64_t first = (uint64_t)key << shift;

	return from_ordered(first | UINT64_C(1) << (shift - 1));
}

static struct number item_number(const struct summary *s, uint32_t i)
{
	struct number n = {.is_real = s->min.is_real};

	if (n.is_real)
		n.real = s->items[i].real;
	else
		n.integer = s->items[i].integer;
	return n;
}

/* Neighbours of the same class become one. */
static void join_classes(struct summary *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->items_count; i++) {
		if (n && s->items[n - 1].class.key == s->items[i].class.key)
			s->items[n - 1].class.count += s->items[i].class.count;
		else
			s->items[n++] = s->items[i];
	}
	s->items_count = n;
}

static void halve_classes(struct summary *s)
{
	s->shift++;
	for (uint32_t i = 0; i < s->items_count; i++)
		s->items[i].class.key >>= 1;
	join_classes(s);
}

static int by_integer(const void *a, const void *b)
{
	int64_t x = ((const union summary_item *)a)->integer,
		y = ((const union summary_item *)b)->integer;

	return x < y ? -1 : x > y;
}

static int by_real(const void *a, const void *b)
{
	double x = ((const union summary_item *)a)->real, y = ((const union summary_item *)b)->real;

	return x < y ? -1 : x > y;
}

static void sort_items(struct summary *s)
{
	qsort(s->items, s->items_count, sizeof *s->items, s->min.is_real ? by_real : by_integer);
}

static void make_classes(struct summary *s)
{
	sort_items(s);
	s->shift = SHIFT_FIRST;
	for (uint32_t i = 0; i < s->items_count; i++) {
		uint32_t key = class_of(number_real(item_number(s, i)), s->shift);
		s->items[i].class.key = key;
		s->items[i].class.count = 1;
	}
	join_classes(s);
	while (s->items_count > CLASSES_MAX)
		halve_classes(s);
}

/* ---- adding ---- */

/* Room for one more; numbers become classes, and classes wider ones, where there is none. */
static int make_room(struct summary *s, struct allowance *a)
{
	for (;;) {
		uint32_t most = s->shift ? CLASSES_MAX : SUMMARY_EXACT_MAX;
		uint32_t wanted = s->items_cap ? s->items_cap * 2 : ITEMS_FIRST;
		if (s->items_count < s->items_cap && s->items_count < most)
			return 0;
		if (s->items_count < most &&
		    allowance_take(a, (wanted - s->items_cap) * sizeof *s->items)) {
			void *grown = realloc(s->items, wanted * sizeof *s->items);
			if (!grown)
				return ERR_NOMEM;
			s->items = grown;
			s->items_cap = wanted;
			return 0;
		}
		if (!s->items_count || s->shift == SHIFT_MAX)
			return ERR_LIMIT;
		if (s->shift)
			halve_classes(s);
		else
			make_classes(s);
	}
}

/* The first class that is not smaller. */
static uint32_t find_class(const struct summary *s, uint32_t key)
{
	uint32_t low = 0, high = s->items_count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (s->items[mid].class.key < key)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int add_to_classes(struct summary *s, double v, struct allowance *a)
{
	uint32_t key = class_of(v, s->shift), at = find_class(s, key);

	if (at < s->items_count && s->items[at].class.key == key) {
		s->items[at].class.count++;
		return 0;
	}
	int rc = make_room(s, a);
	if (rc)
		return rc;
	/* Room may have made classes wider. */
	key = class_of(v, s->shift);
	at = find_class(s, key);
	if (at < s->items_count && s->items[at].class.key == key) {
		s->items[at].class.count++;
		return 0;
	}
	memmove(&s->items[at + 1], &s->items[at], (s->items_count - at) * sizeof *s->items);
	s->items[at].class.key = key;
	s->items[at].class.count = 1;
	s->items_count++;
	return 0;
}

static int keep_number(struct summary *s, struct number n, struct allowance *a)
{
	if (!s->shift) {
		int rc = make_room(s, a);
		if (rc)
			return rc;
	}
	if (s->shift)
		return add_to_classes(s, number_real(n), a);
	if (n.is_real)
		s->items[s->items_count++].real = n.real;
	else
		s->items[s->items_count++].integer = n.integer;
	return 0;
}

static double size_of(double v)
{
	return v < 0 ? -v : v;
}

/* Neumaier's: what an addition loses is kept apart. */
static void add_real(struct summary *s, double v)
{
	double sum = s->real_sum + v;

	s->carry += size_of(s->real_sum) >= size_of(v) ? s->real_sum - sum + v
						       : v - sum + s->real_sum;
	s->real_sum = sum;
}

int summary_add(struct summary *s, struct number n, bool keep, struct allowance *a)
{
	if (s->count == 0 || smaller(n, s->min))
		s->min = n;
	if (s->count == 0 || smaller(s->max, n))
		s->max = n;
	s->count++;
	add_real(s, number_real(n));
	if (n.is_real || (!s->sum_left && __builtin_add_overflow(s->sum, n.integer, &s->sum)))
		s->sum_left = true;
	return keep ? keep_number(s, n, a) : 0;
}

/* ---- asking ---- */

bool summary_sum(const struct summary *s, struct number *out)
{
	if (s->count == 0)
		return false;
	if (s->sum_left)
		*out = (struct number){.is_real = true, .real = s->real_sum + s->carry};
	else
		*out = (struct number){.integer = s->sum};
	return true;
}

bool summary_average(const struct summary *s, double *out)
{
	struct number sum;

	if (!summary_sum(s, &sum))
		return false;
	*out = number_real(sum) / (double)s->count;
	return true;
}

/* The number in the class, no farther out than the outermost ones. */
static struct number from_class(const struct summary *s, uint32_t key)
{
	struct number n = {.is_real = s->min.is_real};
	double v = class_middle(key, s->shift);

	if (v <= number_real(s->min))
		return s->min;
	if (v >= number_real(s->max))
		return s->max;
	if (n.is_real)
		n.real = v;
	else
		n.integer = (int64_t)(v < 0 ? v - 0.5 : v + 0.5);
	return n;
}

bool summary_percentile(struct summary *s, unsigned percent, struct number *out)
{
	if (s->count == 0 || s->items_count == 0)
		return false;
	uint64_t rank = (s->count / 100) * percent + (s->count % 100 * percent + 99) / 100;
	rank = rank ? rank : 1;
	if (!s->shift) {
		sort_items(s);
		*out = item_number(s, (uint32_t)rank - 1);
		return true;
	}
	for (uint32_t i = 0; i < s->items_count; i++) {
		if (rank <= s->items[i].class.count) {
			*out = from_class(s, s->items[i].class.key);
			return true;
		}
		rank -= s->items[i].class.count;
	}
	return false;
}

double summary_error(const struct summary *s)
{
	return s->shift ? 0.5 / (double)(UINT64_C(1) << (FRACTION_BITS - s->shift)) : 0;
}

void summary_release(struct summary *s)
{
	free(s->items);
	s->items = NULL;
}
