/*
 * json_double: doubles as the shortest decimal text that reads back as the same double.
 *
 * Nearly all doubles in real data are short decimals: those are found by exact arithmetic. The
 * rest is tried digit by digit with printf and strtod; of printf's text only the digits are used,
 * so that a locale's decimal point does no harm.
 */
#include <codec/json.h>

#include "decimal.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* v = 0.d1d2d3... * 10^point, without trailing zeros. */
struct digits {
	char text[20];
	int count;
	int point;
};

static void set_digits(struct digits *d, uint64_t integer, int exponent)
{
	char text[sizeof d->text], *p = text + sizeof text;

	do
		*--p = (char)('0' + integer % 10);
	while (integer /= 10);
	d->count = (int)(text + sizeof text - p);
	memcpy(d->text, p, (size_t)d->count);
	d->point = d->count + exponent;
	while (d->count > 1 && d->text[d->count - 1] == '0')
		d->count--;
}

/* integer / 10^k for the smallest k: the quotient of two exact doubles is correctly rounded,
 * so that it is what a reader will make of the text. Up to 15 digits no other decimal of that
 * length comes near. */
static bool short_decimal(double v, struct digits *d)
{
	double scale = 1;

	for (int k = 0; k <= 22; k++, scale *= 10) {
		double scaled = v * scale, back;
		if (!(scaled < 1e15))
			return false;
		uint64_t integer = (uint64_t)(scaled + 0.5);
		if (integer && decimal_exact(integer, -k, &back) && back == v) {
			set_digits(d, integer, -k);
			return true;
		}
	}
	return false;
}

/* The digits of "%.*e", whatever stands for its point. */
static void print_digits(double v, int count, struct digits *d)
{
	char text[48];
	int n = 0;

	snprintf(text, sizeof(text), "%.*e", count - 1, v);
	char *p = text;
	for (; *p && *p != 'e'; p++)
		if (*p >= '0' && *p <= '9' && n < count)
			d->text[n++] = *p;
	d->count = n;
	d->point = (*p ? atoi(p + 1) : 0) + 1;
}

static bool reads_back(const struct digits *d, double v)
{
	char text[48];
	double back;

	snprintf(text, sizeof(text), "%.*se%d", d->count, d->text, d->point - d->count);
	return decimal_parse(text, &back) && back == v;
}

/* The next larger decimal of that many digits. */
static void next_up(struct digits *d)
{
	int i = d->count - 1;

	while (i >= 0 && d->text[i] == '9')
		d->text[i--] = '0';
	if (i >= 0) {
		d->text[i]++;
		return;
	}
	d->text[0] = '1';
	d->point++;
}

/* Above a power of two doubles lie twice as far apart as below it: there the nearest decimal
 * may read back as the neighbour below, and the one above it as the same. */
static void long_decimal(double v, struct digits *d)
{
	/* A normal double that has a text of 15 digits or fewer has it in its first 15. */
	int first = v < DBL_MIN ? 1 : 15;

	for (int count = first; count <= 17; count++) {
		print_digits(v, count, d);
		if (reads_back(d, v))
			break;
		next_up(d);
		if (reads_back(d, v))
			break;
		if (count == 17)
			print_digits(v, count,
				     d); /* without memory for a locale: always right, if not shortest */
	}
	while (d->count > 1 && d->text[d->count - 1] == '0')
		d->count--;
}

static size_t put_zeros(char *out, int n)
{
	for (int i = 0; i < n; i++)
		out[i] = '0';
	return n > 0 ? (size_t)n : 0;
}

static size_t put_plain(const struct digits *d, char *out)
{
	size_t n = 0;
	int whole = d->point < d->count ? d->point : d->count;

	if (d->point <= 0) {
		out[n++] = '0';
		out[n++] = '.';
		n += put_zeros(out + n, -d->point);
		whole = 0;
	}
	for (int i = 0; i < d->count; i++) {
		if (i == whole && i > 0)
			out[n++] = '.';
		out[n++] = d->text[i];
	}
	return n + put_zeros(out + n, d->point - d->count);
}

static size_t put_scientific(const struct digits *d, char *out)
{
	size_t n = 0;

	out[n++] = d->text[0];
	if (d->count > 1)
		out[n++] = '.';
	for (int i = 1; i < d->count; i++)
		out[n++] = d->text[i];
	return n + (size_t)snprintf(out + n, 8, "e%d", d->point - 1);
}

size_t json_write_double(double v, char out[32])
{
	struct digits d = {.count = 0};
	size_t n = 0;

	if (signbit(v)) {
		out[n++] = '-';
		v = -v;
	}
	if (v == 0) {
		out[n++] = '0';
		return n;
	}
	if (!short_decimal(v, &d))
		long_decimal(v, &d);
	/* A reader makes an integer of a whole number, which must be this one exactly: over
	 * 2^53 the shortest digits are not it. */
	bool plain = v <= 0x1p53 && d.point >= -5;
	return n + (plain ? put_plain(&d, out + n) : put_scientific(&d, out + n));
}
