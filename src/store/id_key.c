/* id_key: any function of the id is right; this one grows as the ids of Intercom and Front do. */
#include "id_key.h"

#define DIGITS_MAX     16u
#define CHARACTERS_MAX 10u
#define BASE           37u
#define LENGTH_MAX     127u
#define LENGTH_SHIFT   56
#define NOT_DIGITS     ((uint64_t)1 << 63)

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static unsigned digit_of(uint8_t c)
{
	uint8_t small = c | 0x20;

	return is_digit(c)                    ? (unsigned)(c - '0')
	       : small >= 'a' && small <= 'z' ? (unsigned)(small - 'a') + 10
					      : BASE - 1;
}

static struct bytes behind_underscore(struct bytes id)
{
	for (size_t i = id.len; i > 0; i--)
		if (id.data[i - 1] == '_' && i < id.len)
			return bytes_of(id.data + i, id.len - i);
	return id;
}

uint64_t id_key(struct bytes id)
{
	struct bytes b = behind_underscore(id);
	uint64_t length = b.len < LENGTH_MAX ? b.len : LENGTH_MAX, decimal = 0, other = 0;
	bool digits = true;

	for (size_t i = 0; i < b.len; i++) {
		digits &= is_digit(b.data[i]);
		if (i < DIGITS_MAX)
			decimal = decimal * 10 + digit_of(b.data[i]);
		if (i < CHARACTERS_MAX)
			other = other * BASE + digit_of(b.data[i]);
	}
	/* A short one of digits may be one of many with letters. */
	if (b.len > CHARACTERS_MAX)
		return (length << LENGTH_SHIFT) + (digits ? decimal : NOT_DIGITS + other);
	return (length << LENGTH_SHIFT) + other;
}
