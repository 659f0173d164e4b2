/*
 * phrases: a dictionary of phrases with a code for each, and what packer, unpacker and trainer share
 * of it. The format is <codec/deflate.h>.
 */
#ifndef FIC_CODEC_PHRASES_H
#define FIC_CODEC_PHRASES_H

#include <base/ones.h>
#include <codec/deflate.h>

/* The symbols: bytes, lengths of copies from earlier in the record, phrases. */
#define PHRASE_BYTES     256u
#define PHRASE_LENGTHS   28u
#define PHRASE_FIRST     (PHRASE_BYTES + PHRASE_LENGTHS)
#define PHRASE_SYMBOLS   4096u
#define PHRASES_MAX      (PHRASE_SYMBOLS - PHRASE_FIRST)
#define PHRASE_LEN_MIN   2u
#define PHRASE_LEN_MAX   255u
#define PHRASE_DISTANCES 16u
#define PHRASE_CODE_MAX  14u /* bits of a symbol */
#define PHRASE_FAR_MAX   8u  /* bits of a distance */
#define PHRASE_COPY_MIN  4u
#define PHRASE_RAW_MAX   65535u /* of a record: distances have 16 bits */
#define PHRASE_TEXT_MAX  65535u
#define PHRASE_PAD       32u /* readable bytes behind the text */

/* ---- what the processor can ---- */

#define PHRASES_INLINE inline __attribute__((always_inline))

/* Counting ones and shifting by any number are what most of packing is made of, and instructions of their own on most processors: what is
 * marked is compiled for those, and called when phrases_have_bits says so. */
#if defined(__x86_64__)
#define PHRASES_BITS __attribute__((target("popcnt,bmi,bmi2")))
static inline bool phrases_have_bits(void)
{
	return __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("bmi") &&
	       __builtin_cpu_supports("bmi2");
}
#else
#define PHRASES_BITS
static inline bool phrases_have_bits(void)
{
	return false;
}
#endif

/* How a stream is made: its first byte. */
enum phrase_method { METHOD_DEFLATE, METHOD_PHRASES, METHODS };

struct phrase {
	uint32_t at; /* in the text */
	uint8_t len;
};

struct phrases {
	uint32_t count;
	struct phrase *items;
	uint8_t *text;
	size_t text_len;
	uint8_t bits[PHRASE_SYMBOLS];   /* of each symbol's code */
	uint16_t codes[PHRASE_SYMBOLS]; /* first bit lowest */
	uint8_t distance_bits[PHRASE_DISTANCES];
	uint16_t distance_codes[PHRASE_DISTANCES];
};

/* ERR_INVALID: it is no such dictionary (but may be one for deflate). */
int phrases_parse(struct bytes dictionary, struct phrases *out);
void phrases_release(struct phrases *p);

/* The slot of a length or distance above its least, and how many bits follow the slot's code. */
static PHRASES_INLINE unsigned phrase_length_slot(uint32_t above, unsigned *extra)
{
	if (above < 16) {
		*extra = 0;
		return above;
	}
	*extra = 31u - (unsigned)__builtin_clz(above);
	return 12 + *extra;
}

static PHRASES_INLINE unsigned phrase_distance_slot(uint32_t distance)
{
	return 31u - (unsigned)__builtin_clz(distance);
}

/* ---- finding phrases ---- */

/* Four of them lie in a line of the cache. */
struct lookup_entry {
	uint64_t prefix; /* its first eight bytes */
	uint32_t at : 20, symbol : 12;
	uint8_t len;
	uint8_t spare; /* bits of a word that do not belong to the prefix */
	uint16_t next; /* of the same bucket; 0: none */
};

#define LOOKUP_BITS    14
#define LOOKUP_LEVELS  4u
#define LOOKUP_BUCKETS (LOOKUP_LEVELS << LOOKUP_BITS)

/* By the first sixteen, eight, four or two bytes; of one hash the longest first. Most buckets are empty: that is asked of a bit each, which stay in the fastest cache.
 * The first entry of a bucket stands where there are as many before it as filled buckets; the others behind all of these. */
struct lookup {
	const uint8_t *text;
	uint32_t filled[LOOKUP_BUCKETS / 32];
	uint16_t before[LOOKUP_BUCKETS / 32]; /* filled buckets before those of the word */
	struct lookup_entry entries[PHRASES_MAX];
};

/* Of items that have the longest first, and lie in the first MiB of the text. Borrows the text. */
void lookup_build(struct lookup *l, const struct phrase *items, uint32_t count, const uint8_t *text);

/* The bytes at a place, zeros for what lies behind the end. */
struct lookup_key {
	uint64_t first, second;
};

static PHRASES_INLINE struct lookup_key lookup_key(const uint8_t *p, size_t left)
{
	uint8_t room[16] = {0};

	if (left >= 16)
		return (struct lookup_key){le64(p), le64(p + 8)};
	memcpy(room, p, left);
	return (struct lookup_key){le64(room), le64(room + 8)};
}

static PHRASES_INLINE unsigned lookup_level(size_t len)
{
	return len >= 16 ? 0 : len >= 8 ? 1 : len >= 4 ? 2 : 3;
}

static PHRASES_INLINE uint32_t lookup_hash(uint64_t word)
{
	return (uint32_t)((word * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - LOOKUP_BITS));
}

/* The bucket of each level for a key. */
static PHRASES_INLINE void lookup_buckets(struct lookup_key key, uint32_t buckets[LOOKUP_LEVELS])
{
	uint64_t mixed = (key.second << 29 | key.second >> 35) * UINT64_C(0xd6e8feb86659fd93);

	buckets[0] = lookup_hash(key.first ^ mixed);
	buckets[1] = 1u << LOOKUP_BITS | lookup_hash(key.first);
	buckets[2] = 2u << LOOKUP_BITS | lookup_hash(key.first << 32);
	buckets[3] = 3u << LOOKUP_BITS | lookup_hash(key.first << 48);
}

static PHRASES_INLINE unsigned lookup_filled(const struct lookup *l, uint32_t bucket)
{
	return l->filled[bucket / 32] >> bucket % 32 & 1;
}

/* Where the first entry of a bucket that is filled stands. */
static PHRASES_INLINE uint32_t lookup_first(const struct lookup *l, uint32_t bucket)
{
	uint32_t below = (UINT32_C(1) << bucket % 32) - 1;

	return l->before[bucket / 32] + ones_of(l->filled[bucket / 32] & below);
}

/* The same, and a bit for each level that has something there. */
static PHRASES_INLINE unsigned lookup_levels(const struct lookup *l, struct lookup_key key,
					     uint32_t buckets[LOOKUP_LEVELS])
{
	lookup_buckets(key, buckets);
	return lookup_filled(l, buckets[0]) | lookup_filled(l, buckets[1]) << 1 |
	       lookup_filled(l, buckets[2]) << 2 | lookup_filled(l, buckets[3]) << 3;
}

/* Of two that have the first eight bytes in common, and more than these: the last words overlap. */
static PHRASES_INLINE bool lookup_same(const uint8_t *a, const uint8_t *b, size_t len)
{
	for (size_t i = 8; i + 8 < len; i += 8)
		if (le64(a + i) != le64(b + i))
			return false;
	return le64(a + len - 8) == le64(b + len - 8);
}

static PHRASES_INLINE bool lookup_matches(const struct lookup *l, const struct lookup_entry *e,
					  struct lookup_key key, const uint8_t *p, size_t left)
{
	return (key.first ^ e->prefix) << e->spare == 0 && e->len <= left &&
	       (e->len <= 8 || lookup_same(p, l->text + e->at, e->len));
}

/* The longest phrase that stands at `p`; NULL: none. */
static PHRASES_INLINE const struct lookup_entry *lookup_longest(const struct lookup *l,
								const uint8_t *p, size_t left)
{
	struct lookup_key key = lookup_key(p, left);
	uint32_t buckets[LOOKUP_LEVELS];

	for (unsigned levels = lookup_levels(l, key, buckets); levels; levels &= levels - 1) {
		uint32_t i = lookup_first(l, buckets[__builtin_ctz(levels)]);
		do {
			const struct lookup_entry *e = &l->entries[i];
			if (lookup_matches(l, e, key, p, left))
				return e;
			i = e->next;
		} while (i);
	}
	return NULL;
}

/* ---- packing ---- */

/* One symbol of a record; of a copy also from where. */
struct phrase_op {
	uint16_t symbol;
	uint16_t len, distance; /* of a copy */
};

struct phrase_packer;
/* Takes what `p` owns, also when it fails. `best`: searches for the shortest stream, not the next best
 * symbol. NULL: no memory. */
struct phrase_packer *phrase_packer_new(struct phrases *p, bool best);
void phrase_packer_free(struct phrase_packer *k);
struct bytes phrase_packer_text(const struct phrase_packer *k); /* of its phrases */
size_t phrase_packer_bytes(const struct phrase_packer *k);
/* Appends the symbols of up to PHRASE_RAW_MAX bytes. ERR_NOMEM, ERR_LIMIT. */
int phrase_pack(struct phrase_packer *k, struct bytes raw, struct buf *out);
/* Counts the symbols that phrase_pack would write. */
void phrase_count(struct phrase_packer *k, struct bytes raw, uint32_t symbols[PHRASE_SYMBOLS],
		  uint32_t distances[PHRASE_DISTANCES]);

/* ---- unpacking ---- */

struct phrase_unpacker;
/* Takes what `p` owns, also when it fails. NULL: no memory. */
struct phrase_unpacker *phrase_unpacker_new(struct phrases *p);
void phrase_unpacker_free(struct phrase_unpacker *u);
/* Has the tables on their way to the nearest cache, and does not wait for them: where each look has to wait for its line they take longer than a record. */
void phrase_unpacker_warm(const struct phrase_unpacker *u);
struct bytes phrase_unpacker_text(const struct phrase_unpacker *u); /* of its phrases */
/* Writes exactly `len` bytes, or answers ERR_CORRUPT. */
int phrase_unpack(const struct phrase_unpacker *u, struct bytes packed, uint8_t *raw, size_t len);

#endif
