/* bloom: see the header; the form is that of SECTION_FILTER. */
#include "bloom.h"

struct bloom_key bloom_key(uint64_t hash)
{
	static const uint32_t salts[SEGMENT_FILTER_WORDS] = SEGMENT_FILTER_SALTS;
	struct bloom_key k = {.place = hash >> 32};

	for (uint32_t w = 0; w < SEGMENT_FILTER_WORDS; w++)
		k.bits[w] = UINT64_C(1) << ((uint32_t)hash * salts[w] >> 26);
	return k;
}

size_t bloom_size(const struct bloom *f)
{
	return f ? sizeof *f + (size_t)f->blocks * f->words * sizeof *f->bits : 0;
}
