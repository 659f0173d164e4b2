/* sort: see the header. Blocks are sorted by themselves first, then neighbours are merged, until
 * one run is left. A step is one block, or merges of about as many keys as SLICE. */
#include "sort.h"

#include <stdlib.h>

#define BLOCK 1024u
#define SLICE 8192u
#define RUN   8u /* keys of a block that are sorted by moving them */

int sort_init(struct sort *s, uint32_t cap)
{
	*s = (struct sort){.order = malloc((cap + 1) * sizeof *s->order),
			   .spare = malloc((cap + 1) * sizeof *s->spare),
			   .block = malloc(2 * BLOCK * sizeof *s->block)};
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

static bool is_before(const struct sort_key *x, const struct sort_key *y)
{
	return x->major != y->major ? x->major < y->major : sort_compare(x, y) < 0;
}

/* The few of a run into their order, each moved back to where it belongs. */
static void sort_run(struct sort_key *keys, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		struct sort_key moved = keys[i];
		uint32_t at = i;
		for (; at && is_before(&moved, &keys[at - 1]); at--)
			keys[at] = keys[at - 1];
		keys[at] = moved;
	}
}

/* Two neighbouring runs into one. */
static void merge_runs(const struct sort_key *left, uint32_t left_count, uint32_t right_count,
		       struct sort_key *out)
{
	const struct sort_key *middle = left + left_count, *right = middle,
			      *end = middle + right_count;

	while (left < middle && right < end)
		*out++ = is_before(right, left) ? *right++ : *left++;
	memcpy(out, left, (size_t)(middle - left) * sizeof *out);
	out += middle - left;
	memcpy(out, right, (size_t)(end - right) * sizeof *out);
}

/* Where the sorted keys are: one of the two. What comes in order, as much does, costs a look. */
static const struct sort_key *sort_keys(struct sort_key *keys, struct sort_key *spare, uint32_t n)
{
	uint32_t sorted = 1;

	while (sorted < n && is_before(&keys[sorted - 1], &keys[sorted]))
		sorted++;
	if (sorted >= n)
		return keys;
	for (uint32_t at = 0; at < n; at += RUN)
		sort_run(keys + at, least(RUN, n - at));
	for (uint32_t width = RUN; width < n; width *= 2) {
		for (uint32_t at = 0; at < n; at += 2 * width) {
			uint32_t left = least(width, n - at);
			merge_runs(keys + at, left, least(width, n - at - left), spare + at);
		}
		struct sort_key *merged = spare;
		spare = keys;
		keys = merged;
	}
	return keys;
}

static void sort_block(struct sort *s, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		s->block[i] = key_of(s, s->order[s->at + i]);
	const struct sort_key *sorted = sort_keys(s->block, s->block + BLOCK, n);
	for (uint32_t i = 0; i < n; i++)
		s->order[s->at + i] = sorted[i].ordinal;
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
