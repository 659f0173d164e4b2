/* plain: sixteen bytes at a time, each with the one behind it. */
#include <codec/plain.h>

#include "scan.h"

#if SCAN_SSE2

static __m128i same(__m128i x, int c)
{
	return _mm_cmpeq_epi8(x, _mm_set1_epi8((char)c));
}

/* '<', '&', C2 and white space; from '\t' to '\r' all are some. */
static __m128i special(__m128i x)
{
	__m128i from_tab = _mm_sub_epi8(x, _mm_set1_epi8('\t'));
	__m128i odd = _mm_cmpeq_epi8(_mm_min_epu8(from_tab, _mm_set1_epi8('\r' - '\t')), from_tab);

	odd = _mm_or_si128(odd, _mm_or_si128(same(x, '<'), same(x, '&')));
	return _mm_or_si128(odd, _mm_or_si128(same(x, 0xc2), same(x, ' ')));
}

size_t plain_html(struct bytes text)
{
	size_t at = 0;

	for (; text.len - at > SCAN_BLOCK; at += SCAN_BLOCK) {
		const uint8_t *p = text.data + at;
		__m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i y = _mm_loadu_si128((const __m128i *)(const void *)(p + 1));
		__m128i single = _mm_andnot_si128(special(y), same(x, ' '));
		int ends = _mm_movemask_epi8(_mm_andnot_si128(single, special(x)));
		if (ends)
			return at + (unsigned)__builtin_ctz((unsigned)ends);
	}
	return at;
}

#else

size_t plain_html(struct bytes text)
{
	(void)text;
	return 0;
}

#endif
