/*
 * json_number: numbers to the shortest integer or to a double.
 *
 * An integer of up to 18 digits that ends inside the piece is read in one pass. Any other number
 * is first measured to its end (collected in `number` when the piece ends before), so that its
 * limit and its errors do not depend on the cuts, and then read.
 */
#include "json_state.h"

#include "decimal.h"

#include <math.h>

static ALWAYS_INLINE bool is_digit(uint8_t b)
{
	return (uint8_t)(b - '0') <= 9;
}

static ALWAYS_INLINE bool is_number_byte(uint8_t b)
{
	return is_digit(b) || b == '.' || (b | 0x20) == 'e' || b == '-' || b == '+';
}

/* A number taken apart. */
struct parts {
	uint64_t digits;  /* of whole and fraction together */
	int64_t exponent; /* of ten, for those digits */
	bool negative;
	bool integer; /* neither fraction nor exponent */
	bool cut;     /* more digits than 64 bits hold: `digits` is not all of it */
};

static enum json_state put_head(struct json *j, struct cursor *c, const uint8_t *head, size_t size)
{
	if (!json_room(j, c, size))
		return FAILED;
	memcpy(c->w, head, size);
	c->w += size;
	return AFTER_VALUE;
}

static void add_digit(struct parts *n, uint8_t b)
{
	uint64_t digit = (uint64_t)(b - '0');

	if (n->cut || n->digits > (UINT64_MAX - digit) / 10)
		n->cut = true;
	else
		n->digits = n->digits * 10 + digit;
}

/* At least one digit; NULL otherwise. */
static const uint8_t *take_digits(const uint8_t *p, const uint8_t *end, struct parts *n)
{
	if (p == end || !is_digit(*p))
		return NULL;
	for (; p < end && is_digit(*p); p++)
		add_digit(n, *p);
	return p;
}

/* Behind the e. Exponents are kept in a range where no double lies outside. */
static const uint8_t *take_exponent(const uint8_t *p, const uint8_t *end, struct parts *n)
{
	bool negative = p < end && *p == '-';
	int64_t exponent = 0;

	if (p < end && (*p == '-' || *p == '+'))
		p++;
	if (p == end || !is_digit(*p))
		return NULL;
	for (; p < end && is_digit(*p); p++)
		exponent = exponent < 100000 ? exponent * 10 + (*p - '0') : exponent;
	n->exponent += negative ? -exponent : exponent;
	return p;
}

/* RFC 8259, part 6. NULL: not a number. */
static const uint8_t *take_apart(const uint8_t *p, const uint8_t *end, struct parts *n)
{
	n->negative = p < end && *p == '-';
	if (n->negative)
		p++;
	const uint8_t *first = p;
	p = take_digits(p, end, n);
	if (!p || (*first == '0' && p - first > 1))
		return NULL;
	n->integer = true;
	if (p < end && *p == '.') {
		const uint8_t *dot = p++;
		n->integer = false;
		p = take_digits(p, end, n);
		if (!p)
			return NULL;
		n->exponent = dot + 1 - p;
	}
	if (p < end && (*p | 0x20) == 'e') {
		n->integer = false;
		p = take_exponent(p + 1, end, n);
	}
	return p;
}

static enum json_state out_of_range(struct json *j, uint64_t offset)
{
	return json_fail(j, ERR_LIMIT, offset, "a number out of range");
}

static enum json_state put_real(struct json *j, struct cursor *c, const struct parts *n,
				struct bytes text, uint64_t offset)
{
	uint8_t head[MP_HEAD_MAX];
	double real;

	if (!n->cut && decimal_exact(n->digits, n->exponent, &real)) {
		real = n->negative ? -real : real;
	} else {
		/* `text` may be this very buffer. */
		if (text.data != j->number.data) {
			buf_reset(&j->number);
			buf_put_bytes(&j->number, text);
		}
		const char *terminated = buf_text(&j->number);
		if (j->number.error || !decimal_parse(terminated, &real))
			return json_fail(j, ERR_NOMEM, offset, "no memory for a number");
		if (isinf(real))
			return out_of_range(j, offset);
	}
	return put_head(j, c, head, encode_float(head, real));
}

static enum json_state put_integer(struct json *j, struct cursor *c, const struct parts *n)
{
	uint8_t head[MP_HEAD_MAX];

	if (!n->negative)
		return put_head(j, c, head, encode_uint(head, n->digits));
	/* -2^63 too: the negation is of the unsigned number. */
	return put_head(j, c, head, encode_int(head, (int64_t)(0 - n->digits)));
}

/* The whole number. -0 has no integer: it is a double, so that its sign is kept. */
static enum json_state put_number(struct json *j, struct cursor *c, struct bytes text, uint64_t offset)
{
	struct parts n = {0};
	const uint8_t *end = text.data + text.len;

	if (take_apart(text.data, end, &n) != end)
		return json_fail(j, ERR_SYNTAX, offset, "a number that is none");
	if (!n.integer || (n.negative && n.digits == 0 && !n.cut))
		return put_real(j, c, &n, text, offset);
	if (!n.cut && (!n.negative || n.digits <= UINT64_C(1) << 63))
		return put_integer(j, c, &n);
	if (j->mode == JSON_STRICT)
		return out_of_range(j, offset);
	j->stats.widened++;
	return put_real(j, c, &n, text, offset);
}

static enum json_state too_long(struct json *j, uint64_t start)
{
	return json_fail(j, ERR_LIMIT, start + j->limits.number_max,
			 "a number of more than %zu characters", j->limits.number_max);
}

static const uint8_t *measure(const uint8_t *p, const uint8_t *end)
{
	while (p < end && is_number_byte(*p))
		p++;
	return p;
}

static enum json_state begin_long(struct json *j, struct cursor *c)
{
	const uint8_t *start = c->at;
	uint64_t offset = json_offset(j, start);

	c->at = measure(start, c->end);
	struct bytes text = bytes_of(start, (size_t)(c->at - start));
	if (text.len > j->limits.number_max)
		return too_long(j, offset);
	if (c->at < c->end)
		return put_number(j, c, text, offset);
	j->number_start = offset;
	buf_reset(&j->number);
	buf_put_bytes(&j->number, text);
	return j->number.error ? json_fail(j, ERR_NOMEM, offset, "no memory for a number")
			       : IN_NUMBER;
}

enum json_state json_number_begin(struct json *j, struct cursor *c)
{
	const uint8_t *p = c->at;
	bool negative = *p == '-';
	uint64_t digits = 0;

	p += negative;
	const uint8_t *first = p;
	while (p < c->end && is_digit(*p))
		digits = digits * 10 + (uint64_t)(*p++ - '0');
	size_t n = (size_t)(p - first);
	bool plain = p < c->end && n >= 1 && n <= 18 && !is_number_byte(*p) &&
		     (n == 1 || *first != '0') && !(negative && digits == 0) &&
		     (size_t)(p - c->at) <= j->limits.number_max;
	if (!plain || c->w_end - c->w < MP_HEAD_MAX)
		return begin_long(j, c);
	c->at = p;
	c->w += negative ? encode_int(c->w, -(int64_t)digits) : encode_uint(c->w, digits);
	return AFTER_VALUE;
}

enum json_state json_number_end(struct json *j, struct cursor *c)
{
	return put_number(j, c, buf_bytes(&j->number), j->number_start);
}

enum json_state json_number_run(struct json *j, struct cursor *c)
{
	const uint8_t *start = c->at;

	c->at = measure(start, c->end);
	size_t n = (size_t)(c->at - start);
	if (n > j->limits.number_max - j->number.len)
		return too_long(j, j->number_start);
	buf_put(&j->number, start, n);
	if (j->number.error)
		return json_fail(j, ERR_NOMEM, j->number_start, "no memory for a number");
	return c->at < c->end ? json_number_end(j, c) : IN_NUMBER;
}
