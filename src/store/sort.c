/* sort: see the header. Blocks are sorted by themselves first, then neighbours are merged, until
 * one run is left. A step is one block, or merges of about as many keys as SLICE. */
#include "sort.h"

#include <stdlib.h>

#define BLOCK 1024u
#define SLICE 8192u

int sort_init(struct sort *s, uint32_t cap)
{
	*s = (struct sort){.keys = malloc((cap + 1) * sizeof *s->keys),
			   .spare = malloc((cap + 1) * sizeof *s->spare)};
	if (s->keys && s->spare)
		return 0;
	sort_release(s);
	return ERR_NOMEM;
}

void sort_release(struct sort *s)
{
	free(s->keys);
	free(s->spare);
	*s = (struct sort){0};
}

void sort_reset(struct sort *s)
{
	s->count = s->width = s->at = 0;
}

int sort_compare(const struct sort_key *x, const struct sort_key *y)
{
	if (x->major != y->major)
		return x->major < y->major ? -1 : 1;
	if (x->middle != y->middle)
		return x->middle < y->middle ? -1 : 1;
	if (x->minor != y->minor)
		return x->minor < y->minor ? -1 : 1;
	return x->ordinal < y->ordinal ? -1 : x->ordinal > y->ordinal;
}

static int compare(const void *a, const void *b)
{
	return sort_compare(a, b);
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Two neighbours of s->width from `at` on into `spare`; how many keys that were. */
static uint32_t merge(struct sort *s, uint32_t at)
{
	uint32_t left = at, middle = least(at + s->width, s->count);
	uint32_t right = middle, end = least(middle + s->width, s->count);

	for (uint32_t out = at; out < end; out++) {
		bool from_left = left < middle &&
				 (right == end || sort_compare(&s->keys[left], &s->keys[right]) <= 0);
		s->spare[out] = s->keys[from_left ? left++ : right++];
	}
	return end - at;
}

/* From here on in runs of `width`. */
static bool widen(struct sort *s, uint32_t width)
{
	s->width = width;
	s->at = 0;
	return width < s->count;
}

bool sort_step(struct sort *s)
{
	if (s->width == 0) {
		uint32_t n = least(BLOCK, s->count - s->at);
		qsort(s->keys + s->at, n, sizeof *s->keys, compare);
		s->at += n;
		return s->at < s->count || widen(s, BLOCK);
	}
	if (s->width >= s->count)
		return false;
	for (uint32_t done = 0; done < SLICE && s->at < s->count;) {
		uint32_t n = merge(s, s->at);
		s->at += n;
		done += n;
	}
	if (s->at < s->count)
		return true;
	struct sort_key *sorted = s->spare;
	s->spare = s->keys;
	s->keys = sorted;
	return widen(s, s->width * 2);
}
