/* sort: see the header. Blocks are sorted by themselves first, then neighbours are merged, until
 * one run is left. A step is one block, or merges of about as many keys as SLICE. */
#include "sort.h"

#include <stdlib.h>

#define BLOCK 1024u
#define SLICE 8192u

int sort_init(struct sort *s, uint32_t cap)
{
	*s = (struct sort){.order = malloc((cap + 1) * sizeof *s->order),
			   .spare = malloc((cap + 1) * sizeof *s->spare),
			   .block = malloc(BLOCK * sizeof *s->block)};
	if (s->order && s->spare && s->block)
		return 0;
	sort_release(s);
	return ERR_NOMEM;
}

void sort_release(struct sort *s)
{
	free(s->order);
	free(s->spare);
	free(s->block);
	*s = (struct sort){0};
}

void sort_reset(struct sort *s, sort_key_of *key, const void *ctx)
{
	s->key = key;
	s->ctx = ctx;
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

static struct sort_key key_of(const struct sort *s, uint32_t ordinal)
{
	struct sort_key key;

	s->key(s->ctx, ordinal, &key);
	key.ordinal = ordinal;
	return key;
}

static void sort_block(struct sort *s, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		s->block[i] = key_of(s, s->order[s->at + i]);
	qsort(s->block, n, sizeof *s->block, compare);
	for (uint32_t i = 0; i < n; i++)
		s->order[s->at + i] = s->block[i].ordinal;
}

/* Two neighbours of s->width from `at` on into `spare`; how many that were. */
static uint32_t merge(struct sort *s, uint32_t at)
{
	uint32_t left = at, middle = least(at + s->width, s->count);
	uint32_t right = middle, end = least(middle + s->width, s->count), out = at;
	struct sort_key from_left = {0}, from_right = {0};

	if (right < end) {
		from_left = key_of(s, s->order[left]);
		from_right = key_of(s, s->order[right]);
	}
	while (left < middle && right < end)
		if (sort_compare(&from_left, &from_right) <= 0) {
			s->spare[out++] = s->order[left++];
			if (left < middle)
				from_left = key_of(s, s->order[left]);
		} else {
			s->spare[out++] = s->order[right++];
			if (right < end)
				from_right = key_of(s, s->order[right]);
		}
	while (left < middle)
		s->spare[out++] = s->order[left++];
	while (right < end)
		s->spare[out++] = s->order[right++];
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
		sort_block(s, n);
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
	uint32_t *sorted = s->spare;
	s->spare = s->order;
	s->order = sorted;
	return widen(s, s->width * 2);
}
