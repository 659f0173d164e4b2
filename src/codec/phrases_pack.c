/*
 * phrases_pack: a record as symbols, and the symbols as bits.
 *
 * The codes are known before the record is, so that the price of every symbol is exact. The fast
 * way takes at each place the phrase or the copy that saves most; the best way finds the cheapest
 * row of symbols, block by block.
 */
#include "phrases.h"

#include <stdlib.h>

#define HASH_BITS  12
#define BLOCK      4096u
#define NOWHERE    UINT16_MAX
#define CHAIN_MAX  2   /* copies looked at for one place, the best way */
#define SHORT_COPY 32u /* of copies up to here every length is tried */
/* What is so long is taken, the best way, too: the places within are passed over, or a record that
 * repeats itself would take the square of its length. */
#define LONG_ENOUGH 64u
/* What a byte costs elsewhere, in half bits: what a phrase or copy saves is judged by this. */
#define BYTE_PRICE 5
/* Longer phrases are taken without looking for a copy. */
#define LONG_PHRASE 4u

/* The cheapest way to each place in the block. */
struct search {
	uint32_t prices[BLOCK + 1];
	struct phrase_op ops[BLOCK + 1]; /* the last one of the way */
	uint8_t lengths[SHORT_COPY + 1]; /* price of a short copy's length */
	uint16_t length_symbols[SHORT_COPY + 1];
	uint16_t chain[PHRASE_RAW_MAX + 1];
};

struct phrase_packer {
	struct phrases phrases;
	struct search *search; /* NULL: the fast way */
	uint16_t heads[1u << HASH_BITS];
	struct phrase_op ops[BLOCK];
	uint32_t count;
	struct buf room; /* for the stream */
	struct lookup lookup;
};

/* ---- prices ---- */

static PHRASES_INLINE uint32_t length_price(const struct phrases *p, uint32_t len)
{
	unsigned extra, slot = phrase_length_slot(len - PHRASE_COPY_MIN, &extra);

	return p->bits[PHRASE_BYTES + slot] + extra;
}

static PHRASES_INLINE uint32_t distance_price(const struct phrases *p, uint32_t distance)
{
	unsigned far = phrase_distance_slot(distance);

	return p->distance_bits[far] + far;
}

static PHRASES_INLINE struct phrase_op copy_op(uint32_t len, uint32_t distance)
{
	unsigned extra, slot = phrase_length_slot(len - PHRASE_COPY_MIN, &extra);

	return (struct phrase_op){(uint16_t)(PHRASE_BYTES + slot), (uint16_t)len, (uint16_t)distance};
}

/* Of every short copy, once: they are what is tried most. */
static void price_lengths(const struct phrases *p, struct search *s)
{
	for (uint32_t len = PHRASE_COPY_MIN; len <= SHORT_COPY; len++) {
		s->lengths[len] = (uint8_t)length_price(p, len);
		s->length_symbols[len] = copy_op(len, 1).symbol;
	}
}

/* ---- life ---- */

struct phrase_packer *phrase_packer_new(struct phrases *p, bool best)
{
	struct phrase_packer *k = malloc(sizeof *k);

	if (!k) {
		phrases_release(p);
		return NULL;
	}
	k->phrases = *p;
	k->search = best ? malloc(sizeof *k->search) : NULL;
	k->room = (struct buf){0};
	if (best && !k->search) {
		phrase_packer_free(k);
		return NULL;
	}
	lookup_build(&k->lookup, p->items, p->count, p->text);
	/* The look-up has its own list of them. */
	free(p->items);
	k->phrases.items = p->items = NULL;
	if (best)
		price_lengths(&k->phrases, k->search);
	return k;
}

void phrase_packer_free(struct phrase_packer *k)
{
	if (!k)
		return;
	phrases_release(&k->phrases);
	buf_release(&k->room);
	free(k->search);
	free(k);
}

struct bytes phrase_packer_text(const struct phrase_packer *k)
{
	return bytes_of(k->phrases.text, k->phrases.text_len);
}

size_t phrase_packer_bytes(const struct phrase_packer *k)
{
	return sizeof *k + k->phrases.text_len + k->room.cap + (k->search ? sizeof *k->search : 0);
}

/* ---- copies ---- */

static PHRASES_INLINE uint32_t hash_at(const uint8_t *p)
{
	return (le32(p) * 2654435761u) >> (32 - HASH_BITS);
}

static PHRASES_INLINE uint32_t same_bytes(const uint8_t *a, const uint8_t *b, const uint8_t *end)
{
	const uint8_t *start = b;

	while (end - b >= 8) {
		uint64_t differ = le64(a) ^ le64(b);
		if (differ)
			return (uint32_t)(b - start) + (uint32_t)__builtin_ctzll(differ) / 8;
		a += 8;
		b += 8;
	}
	while (b < end && *a == *b) {
		a++;
		b++;
	}
	return (uint32_t)(b - start);
}

/* ---- the fast way ---- */

/* The latest place that may begin with the same four bytes; notes this one. */
static PHRASES_INLINE uint32_t earlier(struct phrase_packer *k, const uint8_t *raw, const uint8_t *p)
{
	uint16_t *head = &k->heads[hash_at(p)];
	uint32_t at = *head;

	*head = (uint16_t)(p - raw);
	return at;
}

static PHRASES_INLINE uint32_t fast_op(struct phrase_packer *k, struct bytes raw, const uint8_t *p,
				       struct phrase_op *op)
{
	const struct phrases *codes = &k->phrases;
	const uint8_t *end = raw.data + raw.len;
	const struct lookup_entry *e = lookup_longest(&k->lookup, p, (size_t)(end - p));
	uint32_t len = e ? e->len : 1;

	*op = (struct phrase_op){e ? e->symbol : *p, 0, 0};
	if (len > LONG_PHRASE || end - p < 4)
		return len;
	uint32_t at = earlier(k, raw.data, p);
	if (at == NOWHERE)
		return len;
	uint32_t copied = same_bytes(raw.data + at, p, end), distance = (uint32_t)(p - raw.data) - at;
	if (copied < PHRASE_COPY_MIN || copied <= len)
		return len;
	int saved = BYTE_PRICE * (int)len - 2 * codes->bits[op->symbol],
	    saves = BYTE_PRICE * (int)copied -
		    2 * (int)(length_price(codes, copied) + distance_price(codes, distance));
	if (saves <= saved)
		return len;
	*op = copy_op(copied, distance);
	return copied;
}

/* Symbols of about a block: where they end. */
static PHRASES_INLINE size_t take_symbols(struct phrase_packer *k, struct bytes raw, size_t at)
{
	uint32_t n = 0;

	while (at < raw.len && n < BLOCK)
		at += fast_op(k, raw, raw.data + at, &k->ops[n++]);
	k->count = n;
	return at;
}

static size_t fast_block(struct phrase_packer *k, struct bytes raw, size_t at)
{
	return take_symbols(k, raw, at);
}

PHRASES_BITS static size_t fast_block_bits(struct phrase_packer *k, struct bytes raw, size_t at)
{
	return take_symbols(k, raw, at);
}

/* ---- the best way ---- */

static inline void reach(struct search *s, size_t to, uint32_t price, struct phrase_op op)
{
	if (price < s->prices[to]) {
		s->prices[to] = price;
		s->ops[to] = op;
	}
}

/* Every phrase that stands there; the length of the longest. */
static uint32_t reach_phrases(struct phrase_packer *k, const uint8_t *p, size_t i, size_t left)
{
	struct lookup_key key = lookup_key(p, left);
	uint32_t buckets[LOOKUP_LEVELS], longest = 0, price = k->search->prices[i];
	unsigned levels = lookup_levels(&k->lookup, key, buckets);

	for (; levels; levels &= levels - 1) {
		const struct lookup_entry *e;
		uint32_t at = lookup_first(&k->lookup, buckets[__builtin_ctz(levels)]);
		for (bool more = true; more; more = at != 0) {
			e = &k->lookup.entries[at];
			at = e->next;
			if (!lookup_matches(&k->lookup, e, key, p, left))
				continue;
			reach(k->search, i + e->len, price + k->phrases.bits[e->symbol],
			      (struct phrase_op){e->symbol, e->len, 0});
			longest = e->len > longest ? e->len : longest;
			if (longest >= LONG_ENOUGH)
				return longest;
		}
	}
	return longest;
}

/* A copy of `len` bytes, and of every shorter length above `from` as long as that is short. */
static void reach_copy(struct phrase_packer *k, size_t i, uint32_t from, uint32_t len,
		       uint32_t distance)
{
	struct search *s = k->search;
	uint32_t price = s->prices[i] + distance_price(&k->phrases, distance),
		 last = len <= SHORT_COPY ? len : SHORT_COPY;

	for (uint32_t l = from + 1; l <= last; l++)
		reach(s, i + l, price + s->lengths[l],
		      (struct phrase_op){s->length_symbols[l], (uint16_t)l, (uint16_t)distance});
	if (len > SHORT_COPY)
		reach(s, i + len, price + length_price(&k->phrases, len), copy_op(len, distance));
}

/* Likewise for copies. */
static uint32_t reach_copies(struct phrase_packer *k, struct bytes raw, size_t place, size_t i,
			     size_t left)
{
	const uint8_t *p = raw.data + place;
	uint16_t *head = &k->heads[hash_at(p)];
	uint32_t longest = PHRASE_COPY_MIN - 1, at = *head;

	for (int n = 0; n < CHAIN_MAX && at != NOWHERE && longest < LONG_ENOUGH;
	     n++, at = k->search->chain[at]) {
		uint32_t len = same_bytes(raw.data + at, p, p + left);
		if (len <= longest)
			continue;
		reach_copy(k, i, longest, len, (uint32_t)place - at);
		longest = len;
	}
	k->search->chain[place] = *head;
	*head = (uint16_t)place;
	return longest;
}

/* The symbols on the cheapest way, found from its end. */
static void trace(struct phrase_packer *k, size_t n)
{
	struct search *s = k->search;
	uint32_t first = BLOCK;

	while (n) {
		struct phrase_op op = s->ops[n];
		k->ops[--first] = op;
		n -= op.len ? op.len : 1;
	}
	k->count = BLOCK - first;
	memmove(k->ops, k->ops + first, k->count * sizeof *k->ops);
}

static size_t best_block(struct phrase_packer *k, struct bytes raw, size_t at)
{
	size_t n = raw.len - at < BLOCK ? raw.len - at : BLOCK;
	struct search *s = k->search;

	memset(s->prices, 0xff, (n + 1) * sizeof *s->prices);
	s->prices[0] = 0;
	for (size_t i = 0, step; i < n; i += step) {
		const uint8_t *p = raw.data + at + i;
		reach(s, i + 1, s->prices[i] + k->phrases.bits[*p], (struct phrase_op){*p, 0, 0});
		step = reach_phrases(k, p, i, n - i);
		if (step < LONG_ENOUGH && raw.len - at - i >= 4)
			step = reach_copies(k, raw, at + i, i, n - i);
		step = step < LONG_ENOUGH ? 1 : step;
	}
	trace(k, n);
	return at + n;
}

static size_t next_block(struct phrase_packer *k, struct bytes raw, size_t at)
{
	if (at == 0)
		memset(k->heads, 0xff, sizeof k->heads);
	if (k->search)
		return best_block(k, raw, at);
	return phrases_have_bits() ? fast_block_bits(k, raw, at) : fast_block(k, raw, at);
}

/* ---- bits ---- */

struct output {
	uint8_t *at;
	uint64_t bits;
	unsigned have;
};

static PHRASES_INLINE void put_bits(struct output *o, uint32_t v, unsigned n)
{
	o->bits |= (uint64_t)v << o->have;
	o->have += n;
}

/* Less than eight bits are left. */
static PHRASES_INLINE void put_whole_bytes(struct output *o)
{
	put_le64(o->at, o->bits);
	o->at += o->have / 8;
	o->bits >>= o->have & 56;
	o->have &= 7;
}

/* At most 7 + 52 bits. */
static PHRASES_INLINE void put_op(const struct phrases *p, struct output *o,
				  const struct phrase_op *op)
{
	put_bits(o, p->codes[op->symbol], p->bits[op->symbol]);
	if (op->distance) {
		uint32_t above = op->len - PHRASE_COPY_MIN;
		unsigned extra, far = phrase_distance_slot(op->distance);
		phrase_length_slot(above, &extra);
		put_bits(o, above & ((1u << extra) - 1), extra);
		put_bits(o, p->distance_codes[far], p->distance_bits[far]);
		put_bits(o, op->distance & ((1u << far) - 1), far);
	}
	put_whole_bytes(o);
}

static PHRASES_INLINE void put_ops(const struct phrase_packer *k, struct output *o)
{
	struct output out = *o;

	for (uint32_t i = 0; i < k->count; i++)
		put_op(&k->phrases, &out, &k->ops[i]);
	*o = out;
}

static void write_ops(const struct phrase_packer *k, struct output *o)
{
	put_ops(k, o);
}

PHRASES_BITS static void write_ops_bits(const struct phrase_packer *k, struct output *o)
{
	put_ops(k, o);
}

/* Ones: no code of less than nine bits is all ones (the last code is the longest, and there are
 * more than 256), so that they are no symbol. */
static void put_padding(struct output *o)
{
	if (o->have)
		*o->at++ = (uint8_t)(o->bits | 0xffu << o->have);
}

int phrase_pack(struct phrase_packer *k, struct bytes raw, struct buf *out)
{
	/* No symbol takes more than PHRASE_CODE_MAX bits a byte. */
	buf_reset(&k->room);
	int rc = buf_reserve(&k->room, raw.len * 2 + 16);
	size_t at = 0;

	if (rc)
		return rc;
	struct output o = {k->room.data, 0, 0};
	while (at < raw.len) {
		at = next_block(k, raw, at);
		if (phrases_have_bits())
			write_ops_bits(k, &o);
		else
			write_ops(k, &o);
	}
	put_padding(&o);
	buf_put(out, k->room.data, (size_t)(o.at - k->room.data));
	return out->error;
}

void phrase_count(struct phrase_packer *k, struct bytes raw, uint32_t symbols[PHRASE_SYMBOLS],
		  uint32_t distances[PHRASE_DISTANCES])
{
	for (size_t at = 0; at < raw.len;) {
		at = next_block(k, raw, at);
		for (uint32_t i = 0; i < k->count; i++) {
			symbols[k->ops[i].symbol]++;
			if (k->ops[i].distance)
				distances[phrase_distance_slot(k->ops[i].distance)]++;
		}
	}
}
