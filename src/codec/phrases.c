/* phrases: reads a dictionary of phrases, and believes nothing of it: the codes are complete, and
 * every phrase lies in the text. */
#include "phrases.h"

#include <stdlib.h>

#define MAGIC     "FICPHR1\n"
#define MAGIC_LEN 8u
#define HEAD      16u

static uint8_t nibble(const uint8_t *p, uint32_t i)
{
	return i % 2 ? p[i / 2] >> 4 : p[i / 2] & 15;
}

/* Canonical codes, each with its first bit lowest. False: the lengths do not fill the code space
 * exactly. */
static bool assign_codes(const uint8_t *bits, uint32_t n, unsigned most, uint16_t *codes)
{
	uint32_t next[PHRASE_CODE_MAX + 1] = {0}, counts[PHRASE_CODE_MAX + 1] = {0}, code = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (bits[i] == 0 || bits[i] > most)
			return false;
		counts[bits[i]]++;
	}
	for (unsigned len = 1; len <= most; len++) {
		code = (code + counts[len - 1]) << 1;
		next[len] = code;
	}
	if (code + counts[most] != 1u << most)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t v = next[bits[i]]++, reversed = 0;
		for (unsigned b = 0; b < bits[i]; b++)
			reversed |= (v >> b & 1) << (bits[i] - 1u - b);
		codes[i] = (uint16_t)reversed;
	}
	return true;
}

static bool read_codes(struct phrases *p, const uint8_t *from)
{
	uint32_t symbols = PHRASE_FIRST + p->count;

	for (uint32_t i = 0; i < symbols; i++)
		p->bits[i] = nibble(from, i);
	for (uint32_t i = 0; i < PHRASE_DISTANCES; i++)
		p->distance_bits[i] = nibble(from, symbols + i);
	return assign_codes(p->bits, symbols, PHRASE_CODE_MAX, p->codes) &&
	       assign_codes(p->distance_bits, PHRASE_DISTANCES, PHRASE_FAR_MAX,
			    p->distance_codes);
}

static bool read_items(struct phrases *p, const uint8_t *lengths)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < p->count; i++) {
		p->items[i] = (struct phrase){at, lengths[i]};
		if (lengths[i] < PHRASE_LEN_MIN)
			return false;
		at += lengths[i];
	}
	return at == p->text_len;
}

int phrases_parse(struct bytes dictionary, struct phrases *out)
{
	*out = (struct phrases){0};
	if (dictionary.len < HEAD || memcmp(dictionary.data, MAGIC, MAGIC_LEN) != 0)
		return ERR_INVALID;
	out->count = le32(dictionary.data + 8);
	out->text_len = le32(dictionary.data + 12);
	if (out->count > PHRASES_MAX || out->text_len > PHRASE_TEXT_MAX)
		return ERR_INVALID;
	size_t codes = (PHRASE_FIRST + out->count + PHRASE_DISTANCES + 1) / 2;
	if (dictionary.len != HEAD + codes + out->count + out->text_len)
		return ERR_INVALID;
	out->items = malloc((out->count + 1) * sizeof *out->items);
	out->text = calloc(1, out->text_len + PHRASE_PAD);
	if (!out->items || !out->text) {
		phrases_release(out);
		return ERR_NOMEM;
	}
	const uint8_t *at = dictionary.data + HEAD;
	memcpy(out->text, at + codes + out->count, out->text_len);
	if (read_codes(out, at) && read_items(out, at + codes))
		return 0;
	phrases_release(out);
	return ERR_INVALID;
}

void phrases_release(struct phrases *p)
{
	free(p->items);
	free(p->text);
	p->items = NULL;
	p->text = NULL;
}

/* ---- finding phrases ---- */

/* An entry and where it belongs: the level's first bits, then the hash. */
struct placed {
	struct lookup_entry entry;
	uint32_t bucket;
};

static int by_bucket(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	if (x->bucket != y->bucket)
		return x->bucket < y->bucket ? -1 : 1;
	if (x->entry.len != y->entry.len)
		return x->entry.len > y->entry.len ? -1 : 1;
	return x->entry.symbol < y->entry.symbol ? -1 : 1;
}

static struct placed place(const struct phrase *item, uint32_t i, const uint8_t *text)
{
	unsigned level = lookup_level(item->len);
	struct lookup_key key = lookup_key(text + item->at, item->len < 16 ? item->len : 16);
	uint64_t mask = item->len >= 8 ? UINT64_MAX : ((uint64_t)1 << (8 * item->len)) - 1;

	/* Of a level only the bytes that all its phrases have. */
	if (level == 1)
		key.second = 0;
	return (struct placed){{.prefix = key.first,
				.mask = mask,
				.at = item->at,
				.symbol = (uint16_t)(PHRASE_FIRST + i),
				.len = item->len},
			       level << LOOKUP_BITS | lookup_hash(key, level)};
}

int lookup_build(struct lookup *l, const struct phrase *items, uint32_t count, const uint8_t *text)
{
	struct placed *all = malloc((count + 1) * sizeof *all);
	uint32_t i = 0;

	if (!all)
		return ERR_NOMEM;
	for (uint32_t k = 0; k < count; k++)
		all[k] = place(&items[k], k, text);
	qsort(all, count, sizeof *all, by_bucket);
	l->text = text;
	for (uint32_t k = 0; k < count; k++)
		l->entries[k] = all[k].entry;
	for (uint32_t level = 0; level < LOOKUP_LEVELS; level++)
		for (uint32_t b = 0; b <= 1u << LOOKUP_BITS; b++) {
			/* The last one ends the level. */
			while (i < count && all[i].bucket < (level << LOOKUP_BITS) + b)
				i++;
			l->starts[level][b] = (uint16_t)i;
		}
	free(all);
	return 0;
}
