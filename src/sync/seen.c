/* seen: 4,096 sorted arrays, by the first bits of the hash, that grow by an eighth: no growth copies more than a few KiB. */
#include "seen.h"

#include <base/err.h>

#include <stdlib.h>
#include <string.h>

#define PARTS 4096u
#define WIDTH 6u /* bytes of a hash that are kept, after the 12 bits that choose the array */
#define MARK  1u /* in the last of them; the rest of it is of the hash */

struct seen_part {
	uint8_t *keys;
	uint32_t count, cap;
};

void seen_release(struct seen *s)
{
	for (unsigned i = 0; s->parts && i < PARTS; i++)
		free(s->parts[i].keys);
	free(s->parts);
	*s = (struct seen){0};
}

static void key_of(uint64_t hash, uint8_t key[WIDTH])
{
	for (unsigned i = 0; i < WIDTH; i++)
		key[i] = (uint8_t)(hash >> (44 - 8 * i));
	key[WIDTH - 1] &= (uint8_t)~MARK;
}

/* Marks do not count. */
static int order(const uint8_t *held, const uint8_t key[WIDTH])
{
	int first = memcmp(held, key, WIDTH - 1);

	return first ? first : (int)(held[WIDTH - 1] & ~MARK) - (int)key[WIDTH - 1];
}

/* Where the key is, or belongs. */
static uint32_t find(const struct seen_part *p, const uint8_t key[WIDTH], bool *found_out)
{
	uint32_t low = 0, high = p->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (order(p->keys + (size_t)middle * WIDTH, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*found_out = low < p->count && order(p->keys + (size_t)low * WIDTH, key) == 0;
	return low;
}

bool seen_has(const struct seen *s, uint64_t hash)
{
	uint8_t key[WIDTH];
	bool found = false;

	key_of(hash, key);
	if (s->parts)
		find(&s->parts[hash >> 52], key, &found);
	return found;
}

static int grow(struct seen_part *p)
{
	uint32_t cap = p->cap + p->cap / 8 + 4;
	uint8_t *keys = realloc(p->keys, (size_t)cap * WIDTH);

	if (!keys)
		return ERR_NOMEM;
	p->keys = keys;
	p->cap = cap;
	return 0;
}

int seen_add(struct seen *s, uint64_t hash, size_t max)
{
	uint8_t key[WIDTH];
	bool found;

	if (!s->parts)
		s->parts = calloc(PARTS, sizeof *s->parts);
	if (!s->parts)
		return ERR_NOMEM;
	struct seen_part *p = &s->parts[hash >> 52];
	key_of(hash, key);
	uint32_t at = find(p, key, &found);
	if (found)
		return 0;
	if (s->count >= max)
		return ERR_LIMIT;
	if (p->count == p->cap && grow(p))
		return ERR_NOMEM;
	uint8_t *place = p->keys + (size_t)at * WIDTH;
	memmove(place + WIDTH, place, (size_t)(p->count - at) * WIDTH);
	memcpy(place, key, WIDTH);
	p->count++;
	s->count++;
	return 1;
}

bool seen_mark(struct seen *s, uint64_t hash)
{
	uint8_t key[WIDTH];
	bool found = false;
	uint32_t at = 0;

	key_of(hash, key);
	if (s->parts)
		at = find(&s->parts[hash >> 52], key, &found);
	if (!found)
		return false;
	uint8_t *last = s->parts[hash >> 52].keys + (size_t)at * WIDTH + WIDTH - 1;
	if (*last & MARK)
		return false;
	*last |= MARK;
	s->marked++;
	return true;
}

void seen_mark_all(struct seen *s, bool marked)
{
	for (unsigned i = 0; s->parts && i < PARTS; i++)
		for (uint32_t k = 0; k < s->parts[i].count; k++) {
			uint8_t *last = s->parts[i].keys + (size_t)k * WIDTH + WIDTH - 1;
			*last = (uint8_t)((*last & ~MARK) | (marked ? MARK : 0));
		}
	s->marked = marked ? s->count : 0;
}

static void keep_marked(struct seen_part *p)
{
	uint32_t kept = 0;

	for (uint32_t k = 0; k < p->count; k++)
		if (p->keys[(size_t)k * WIDTH + WIDTH - 1] & MARK)
			memmove(p->keys + (size_t)kept++ * WIDTH, p->keys + (size_t)k * WIDTH, WIDTH);
	p->count = kept;
}

void seen_keep_marked(struct seen *s)
{
	for (unsigned i = 0; s->parts && i < PARTS; i++)
		keep_marked(&s->parts[i]);
	s->count = s->marked;
}
