/*
 * phrases_unpack: one look at a table for each symbol, and another for what it stands for.
 *
 * Where the next symbol begins depends on the first look alone, so that is what everything waits for: its table is as small as can be, and stays in the
 * nearest cache. What the tables say of a phrase was checked when the dictionary was read, what the stream says of
 * a copy is checked here; the bits behind the stream's end are counted, and an error when one of
 * them was used.
 */
#include "phrases.h"

#include <stdlib.h>

/* In the first table: bits of the code, then the symbol. */
#define SYMBOL_SHIFT 4
/* In the second, of bytes and phrases: a length, then a place in the text. A byte is a phrase, too: which of both comes next cannot be foretold, so nothing is to
 * depend on it. */
#define PLACE_SHIFT 8

#define SYMBOLS_MAX (PHRASE_FIRST + PHRASES_MAX)

#define CACHE_LINE 64

#define COPY_ROOM (PHRASE_CODE_MAX + 15 + PHRASE_FAR_MAX + 15) /* bits that a copy takes at most */

_Static_assert(COPY_ROOM <= 56, "a refill is enough for a copy");
_Static_assert(PHRASE_TEXT_MAX + PHRASE_PAD + PHRASE_BYTES < 1u << (32 - PLACE_SHIFT),
	       "places fit into a word");
_Static_assert(PHRASE_CODE_MAX < 1u << SYMBOL_SHIFT && SYMBOLS_MAX <= 1u << (16 - SYMBOL_SHIFT),
	       "codes fit into half a word");

struct phrase_unpacker {
	uint8_t *text;   /* of the phrases, all bytes behind it, and room to read on */
	size_t text_len; /* of the phrases */
	uint16_t table[1u << PHRASE_CODE_MAX];
	uint32_t items[SYMBOLS_MAX];
	uint8_t distances[1u << PHRASE_FAR_MAX]; /* slot << 4 | bits */
};

/* Each word that ends in the symbol's code. */
static void fill(struct phrase_unpacker *u, const struct phrases *p, uint32_t symbol)
{
	uint8_t bits = p->bits[symbol];

	for (uint32_t i = p->codes[symbol]; i < 1u << PHRASE_CODE_MAX; i += 1u << bits)
		u->table[i] = (uint16_t)(bits | symbol << SYMBOL_SHIFT);
}

static void fill_symbols(struct phrase_unpacker *u, const struct phrases *p)
{
	for (uint32_t i = 0; i < PHRASE_BYTES; i++) {
		u->items[i] = 1 | ((uint32_t)p->text_len + i) << PLACE_SHIFT;
		fill(u, p, i);
	}
	for (uint32_t i = 0; i < PHRASE_LENGTHS; i++)
		fill(u, p, PHRASE_BYTES + i);
	for (uint32_t i = 0; i < p->count && i < PHRASES_MAX; i++) {
		u->items[PHRASE_FIRST + i] = p->items[i].len | p->items[i].at << PLACE_SHIFT;
		fill(u, p, PHRASE_FIRST + i);
	}
}

/* Behind the phrases' text, all bytes. */
static bool add_bytes(struct phrases *p)
{
	uint8_t *text = realloc(p->text, p->text_len + PHRASE_BYTES + PHRASE_PAD);

	if (!text)
		return false;
	p->text = text;
	for (uint32_t i = 0; i < PHRASE_BYTES; i++)
		text[p->text_len + i] = (uint8_t)i;
	memset(text + p->text_len + PHRASE_BYTES, 0, PHRASE_PAD);
	return true;
}

struct phrase_unpacker *phrase_unpacker_new(struct phrases *p)
{
	struct phrase_unpacker *u = malloc(sizeof *u);

	if (!u || !add_bytes(p)) {
		free(u);
		phrases_release(p);
		return NULL;
	}
	fill_symbols(u, p);
	for (uint32_t s = 0; s < PHRASE_DISTANCES; s++)
		for (uint32_t i = p->distance_codes[s]; i < 1u << PHRASE_FAR_MAX;
		     i += 1u << p->distance_bits[s])
			u->distances[i] = (uint8_t)(s << 4 | p->distance_bits[s]);
	/* The tables say all about codes and phrases; what is left is the text. */
	u->text = p->text;
	u->text_len = p->text_len;
	p->text = NULL;
	phrases_release(p);
	return u;
}

void phrase_unpacker_free(struct phrase_unpacker *u)
{
	if (!u)
		return;
	free(u->text);
	free(u);
}

static void fetch(const void *from, size_t len)
{
	const char *at = from;

	for (size_t i = 0; i < len; i += CACHE_LINE)
		__builtin_prefetch(at + i);
}

void phrase_unpacker_warm(const struct phrase_unpacker *u)
{
	fetch(u->table, sizeof u->table);
	fetch(u->items, sizeof u->items);
}

struct bytes phrase_unpacker_text(const struct phrase_unpacker *u)
{
	return bytes_of(u->text, u->text_len);
}

struct input {
	const uint8_t *at, *end;
	uint64_t bits;
	unsigned have;
	unsigned beyond; /* bytes of `bits` that lie behind the end */
};

/* 56 bits at least. */
static inline void refill(struct input *in)
{
	if (in->end - in->at >= 8) {
		in->bits |= le64(in->at) << in->have;
		in->at += (63 - in->have) >> 3;
		in->have |= 56;
		return;
	}
	for (; in->have < 56; in->have += 8) {
		if (in->at < in->end)
			in->bits |= (uint64_t)*in->at++ << in->have;
		else
			in->beyond++;
	}
}

static inline uint32_t take(struct input *in, unsigned n)
{
	uint32_t v = (uint32_t)(in->bits & (((uint64_t)1 << n) - 1));

	in->bits >>= n;
	in->have -= n;
	return v;
}

static inline uint32_t copy_length(struct input *in, uint32_t slot)
{
	if (slot < 16)
		return slot + PHRASE_COPY_MIN;
	return (1u << (slot - 12) | take(in, slot - 12)) + PHRASE_COPY_MIN;
}

static inline uint32_t copy_distance(const struct phrase_unpacker *u, struct input *in)
{
	uint32_t word = u->distances[in->bits & ((1u << PHRASE_FAR_MAX) - 1)];

	take(in, word & 15);
	return 1u << (word >> 4) | take(in, word >> 4);
}

/* Bytes that overlap repeat. */
static inline void copy_earlier(uint8_t *to, const uint8_t *end, uint32_t distance, uint32_t len)
{
	if (distance >= 16 && (size_t)(end - to) >= len + 16u) {
		for (uint32_t i = 0; i < len; i += 16)
			memcpy(to + i, to + i - distance, 16);
		return;
	}
	if (distance >= len) {
		memcpy(to, to - distance, len);
		return;
	}
	for (uint32_t i = 0; i < len; i++)
		to[i] = to[(ptrdiff_t)i - (ptrdiff_t)distance];
}

/* A phrase has up to 255 bytes, most have less than PHRASE_PAD: those cost no branch that cannot be foretold. The text may be read so many behind its end, and the record
 * written up to `end`. */
static inline void copy_phrase(uint8_t *to, const uint8_t *end, const uint8_t *from, uint32_t len)
{
	if ((size_t)(end - to) < len + (size_t)PHRASE_PAD) {
		memcpy(to, from, len);
		return;
	}
	memcpy(to, from, PHRASE_PAD);
	for (uint32_t i = PHRASE_PAD; i < len; i += PHRASE_PAD)
		memcpy(to + i, from + i, PHRASE_PAD);
}

/* Whether all of the stream was used, but for less than a byte of ones. */
static bool used_up(const struct input *in)
{
	if (in->have < 8 * in->beyond)
		return false;
	unsigned left = in->have - 8 * in->beyond;
	uint64_t ones = ((uint64_t)1 << left) - 1;
	return (in->end - in->at) * 8 + left < 8 && (in->bits & ones) == ones;
}

/* Symbols of the text, as many as one refill is enough for; a copy ends them, its entry of the table then not 0. */
static inline uint8_t *put_phrases(const struct phrase_unpacker *u, struct input *in, uint8_t *to,
				   const uint8_t *end, uint32_t *copy_out)
{
	while (in->have >= PHRASE_CODE_MAX && to < end) {
		uint32_t entry = u->table[in->bits & ((1u << PHRASE_CODE_MAX) - 1)];
		uint32_t symbol = entry >> SYMBOL_SHIFT;
		if (symbol - PHRASE_BYTES < PHRASE_LENGTHS) {
			*copy_out = entry;
			return to;
		}
		take(in, entry & 15);
		uint32_t item = u->items[symbol], len = item & 255;
		if (len > (size_t)(end - to))
			return NULL;
		copy_phrase(to, end, u->text + (item >> PLACE_SHIFT), len);
		to += len;
	}
	return to;
}

int phrase_unpack(const struct phrase_unpacker *u, struct bytes packed, uint8_t *raw, size_t len)
{
	struct input in = {packed.data, packed.data + packed.len, 0, 0, 0};
	const uint8_t *end = raw + len;
	uint8_t *to = raw;

	while (to < end) {
		uint32_t copy = 0;
		refill(&in);
		to = put_phrases(u, &in, to, end, &copy);
		if (!to)
			return ERR_CORRUPT;
		if (copy) {
			refill(&in);
			take(&in, copy & 15);
			uint32_t n = copy_length(&in, (copy >> SYMBOL_SHIFT) - PHRASE_BYTES);
			uint32_t distance = copy_distance(u, &in);
			if (n > (size_t)(end - to) || distance > (size_t)(to - raw))
				return ERR_CORRUPT;
			copy_earlier(to, end, distance, n);
			to += n;
		}
		if (in.beyond > 8)
			return ERR_CORRUPT;
	}
	return used_up(&in) ? 0 : ERR_CORRUPT;
}
