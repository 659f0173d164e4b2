/*
 * fold: simple case folding, byte for byte, so that nothing is allocated and lengths stay, and the search of Knuth, Morris and Pratt
 * over it, because a text from outside must not make a filter quadratic. Full folding (ß, İ, ligatures) is left to the text index.
 */
#include "fold.h"

/* Latin Extended-A (U+0100..U+017F, lead bytes C4 and C5) alternates upper and lower case, but not everywhere in step. */
static uint8_t fold_extended(uint8_t lead, uint8_t c)
{
	unsigned code = (lead & 0x1fu) << 6 | (c & 0x3fu);
	bool odd_is_upper = (code >= 0x139 && code <= 0x148) || code >= 0x179;

	/* U+0130 folds to a letter of another length, U+0138, U+0149 and U+017F have no capitals, U+0178's is in another block, and U+013F's
	 * partner has another first byte. */
	if (code == 0x130 || code == 0x138 || code == 0x149 || code == 0x178 || code == 0x17f ||
	    code == 0x13f)
		return c;
	return (code & 1) == odd_is_upper ? (uint8_t)(c + 1) : c;
}

static uint8_t fold_second(uint8_t lead, uint8_t c)
{
	switch (lead) {
	case 0xc3: /* À..Þ, but not × */
		return c >= 0x80 && c <= 0x9e && c != 0x97 ? (uint8_t)(c + 0x20) : c;
	case 0xc4:
	case 0xc5: return c >= 0x80 && c < 0xc0 ? fold_extended(lead, c) : c;
	case 0xce: /* Α..Ο, Π..Ω */
		if (c >= 0x91 && c <= 0x9f)
			return (uint8_t)(c + 0x20);
		return c >= 0xa0 && c <= 0xa9 && c != 0xa2 ? (uint8_t)(c - 0x20) : c;
	case 0xd0: /* Ѐ..Џ, А..П, Р..Я */
		if (c >= 0x80 && c <= 0x8f)
			return (uint8_t)(c + 0x10);
		if (c >= 0x90 && c <= 0x9f)
			return (uint8_t)(c + 0x20);
		return c >= 0xa0 && c <= 0xaf ? (uint8_t)(c - 0x20) : c;
	default: return c;
	}
}

/* The first byte of a letter whose small form lies under the next first byte. */
static uint8_t fold_lead(uint8_t lead, uint8_t next)
{
	if (lead == 0xce && next >= 0xa0 && next <= 0xa9 && next != 0xa2)
		return 0xcf;
	if (lead == 0xd0 && ((next >= 0x80 && next <= 0x8f) || (next >= 0xa0 && next <= 0xaf)))
		return 0xd1;
	return lead;
}

static uint8_t fold_at(struct bytes s, size_t i)
{
	uint8_t c = s.data[i];

	if (c < 0x80)
		return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 0x20) : c;
	if (c >= 0xc0)
		return i + 1 < s.len ? fold_lead(c, s.data[i + 1]) : c;
	return i ? fold_second(s.data[i - 1], c) : c;
}

bool fold_equal(struct bytes a, struct bytes b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (fold_at(a, i) != fold_at(b, i))
			return false;
	return true;
}

/* failure[i]: how long the longest start of the needle is that also ends at i. */
uint16_t *fold_prepare(struct bytes needle, struct arena *a)
{
	uint16_t *failure = arena_alloc(a, (needle.len + 1) * sizeof *failure);
	uint16_t n = 0;

	for (size_t i = 1; failure && i < needle.len; i++) {
		while (n && fold_at(needle, i) != fold_at(needle, n))
			n = failure[n - 1];
		if (fold_at(needle, i) == fold_at(needle, n))
			n++;
		failure[i] = n;
	}
	return failure;
}

bool fold_find(struct bytes text, struct bytes needle, const uint16_t *failure)
{
	size_t n = 0;

	if (needle.len == 0)
		return true;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = fold_at(text, i);
		while (n && c != fold_at(needle, n))
			n = failure[n - 1];
		if (c == fold_at(needle, n) && ++n == needle.len)
			return true;
	}
	return false;
}
