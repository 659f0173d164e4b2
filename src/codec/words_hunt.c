/*
 * words_hunt: two bytes of each term are compared with sixteen places at once; where they are the same, all of the term is.
 *
 * In ASCII a term is its text in lower case, and one bit makes it so; what else that bit makes alike is found to be no term later. A character that is not
 * ASCII may become anything.
 */
#include <codec/words.h>

#include "scan.h"

#define LOWER 0x20u

bool words_hunt_add(struct words_hunt *h, struct bytes term)
{
	if (h->count == WORDS_HUNT_MAX)
		return false;
	/* Where such a term stands, the text is not ASCII. */
	if (term.len == 0 || term.data[0] >= 0x80)
		return true;
	h->heads[h->count][0] = term.data[0] | LOWER;
	h->heads[h->count][1] = term.data[term.len > 1] | LOWER;
	h->terms[h->count++] = term;
	return true;
}

static bool is_letter(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | LOWER) >= 'a' && (c | LOWER) <= 'z');
}

/* Whether one of the terms begins here, where there is ASCII before it. */
static bool begins(const struct words_hunt *h, struct bytes text, size_t at)
{
	if (at && is_letter(text.data[at - 1]))
		return false;
	for (unsigned i = 0; i < h->count; i++) {
		struct bytes term = h->terms[i];
		size_t same = 0;
		if (term.len > text.len - at)
			continue;
		while (same < term.len && (text.data[at + same] | LOWER) == (term.data[same] | LOWER))
			same++;
		if (same == term.len)
			return true;
	}
	return false;
}

static bool is_head(const struct words_hunt *h, uint8_t c)
{
	bool is = c >= 0x80;

	for (unsigned i = 0; i < h->count; i++)
		is |= h->heads[i][0] == (c | LOWER);
	return is;
}

#if SCAN_SSE2

/* Bits of the sixteen places that may begin one; a byte behind them is read. */
static unsigned heads_at(const struct words_hunt *h, const uint8_t *p)
{
	const __m128i lower = _mm_set1_epi8(LOWER);
	__m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i y = _mm_or_si128(_mm_loadu_si128((const __m128i *)(const void *)(p + 1)), lower);
	__m128i hit = x; /* its highest bits */

	x = _mm_or_si128(x, lower);
	for (unsigned i = 0; i < h->count; i++) {
		__m128i first = _mm_cmpeq_epi8(x, _mm_set1_epi8((char)h->heads[i][0]));
		__m128i second = _mm_cmpeq_epi8(y, _mm_set1_epi8((char)h->heads[i][1]));
		if (h->terms[i].len > 1)
			first = _mm_and_si128(first, second);
		hit = _mm_or_si128(hit, first);
	}
	return (unsigned)_mm_movemask_epi8(hit);
}

static size_t next_head(const struct words_hunt *h, struct bytes text, size_t at)
{
	for (; text.len - at > SCAN_BLOCK; at += SCAN_BLOCK) {
		unsigned hits = heads_at(h, text.data + at);
		if (hits)
			return at + (unsigned)__builtin_ctz(hits);
	}
	while (at < text.len && !is_head(h, text.data[at]))
		at++;
	return at;
}

#else

static size_t next_head(const struct words_hunt *h, struct bytes text, size_t at)
{
	while (at < text.len && !is_head(h, text.data[at]))
		at++;
	return at;
}

#endif

size_t words_hunt_next(const struct words_hunt *h, struct bytes text, size_t at, size_t *from_out)
{
	size_t place = next_head(h, text, at);

	while (place < text.len && text.data[place] < 0x80 && !begins(h, text, place))
		place = next_head(h, text, place + 1);
	size_t from = place;
	while (from < text.len && from > at && text.data[from - 1] > ' ')
		from--;
	*from_out = from;
	return place;
}
