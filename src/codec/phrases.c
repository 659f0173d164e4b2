/* phrases: reads a dictionary of phrases, and believes nothing of it: the codes are complete, and
 * every phrase lies in the text, the longest first. */
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
	       assign_codes(p->distance_bits, PHRASE_DISTANCES, PHRASE_FAR_MAX, p->distance_codes);
}

static bool read_items(struct phrases *p, const uint8_t *lengths)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < p->count; i++) {
		p->items[i] = (struct phrase){at, lengths[i]};
		if (lengths[i] < PHRASE_LEN_MIN || (i && lengths[i] > lengths[i - 1]))
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

/* Where a phrase belongs: the level, then the hash. */
static uint32_t bucket_of(const struct phrase *item, const uint8_t *text)
{
	struct lookup_key key = lookup_key(text + item->at, item->len < 16 ? item->len : 16);
	uint32_t buckets[LOOKUP_LEVELS];

	/* Of a level only the bytes that all its phrases have. */
	lookup_buckets(key, buckets);
	return buckets[lookup_level(item->len)];
}

static struct lookup_entry entry_of(const struct phrase *item, uint32_t i, const uint8_t *text)
{
	return (struct lookup_entry){
		.prefix = lookup_key(text + item->at, item->len < 8 ? item->len : 8).first,
		.at = item->at & ((1u << 20) - 1),
		.symbol = (PHRASE_FIRST + i) & (PHRASE_SYMBOLS - 1),
		.len = item->len,
		.spare = (uint8_t)(item->len >= 8 ? 0 : 64 - 8 * item->len)};
}

/* The first of its bucket so far: what was there goes behind all that are first. */
static void put_first(struct lookup *l, uint32_t bucket, struct lookup_entry e, uint32_t *behind)
{
	struct lookup_entry *first = &l->entries[lookup_first(l, bucket)];

	if (first->len) {
		l->entries[*behind] = *first;
		e.next = (uint16_t)(*behind)++;
	}
	*first = e;
}

/* The longest ones are put last, and so come first. */
void lookup_build(struct lookup *l, const struct phrase *items, uint32_t count, const uint8_t *text)
{
	uint32_t behind = 0;

	l->text = text;
	memset(l->filled, 0, sizeof l->filled);
	memset(l->entries, 0, count * sizeof *l->entries);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t b = bucket_of(&items[i], text);
		l->filled[b / 32] |= UINT32_C(1) << b % 32;
	}
	for (uint32_t i = 0; i < LOOKUP_BUCKETS / 32; i++) {
		l->before[i] = (uint16_t)behind;
		behind += ones_of(l->filled[i]);
	}
	for (uint32_t i = count; i-- > 0;)
		put_first(l, bucket_of(&items[i], text), entry_of(&items[i], i, text), &behind);
}
