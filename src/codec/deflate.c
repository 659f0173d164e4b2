/*
 * deflate: small records as raw deflate streams of their own, by zlib.
 *
 * A packer has one deflate state for its life, and its memory from the start: before each record it is begun anew and primed with
 * the dictionary (17 us), without an allocation. Whatever the bytes say, an unpacker never writes or allocates more than it was told
 * the record has.
 */
#include "phrases.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

/*
 * A window of 32 KB keeps all of the dictionary in reach to the end of a record of 16 KB. Less
 * memory (level 5) makes the picture smaller but the hash chains longer: no gain. Measured per
 * conversation of 3.5 KB (tests/bench/codec_bench.c), level 1: 26 to 28 us at every memory level
 * from 5 to 8.
 */
#define WINDOW_BITS  15
#define MEMORY_LEVEL 7

/*
 * Fixed codes (Z_FIXED) make a stream inflate 1.5 times as fast (5.4 us against 8.7) and 6 to 10
 * % larger: right for what is read often. Above this level somebody wants it small.
 */
#define FIXED_LEVEL_MAX 6

/* No byte of a stream gives more than 1,032: a match of 258 bytes takes two bits at least. */
#define DEFLATE_RATIO_MAX 1032

/* Of phrases, the levels that take the next best symbol. */
#define FAST_LEVEL_MAX 6
/* A record that becomes no smaller than by this is not like the samples. */
#define ODD_RATIO 2

#define BLOCKS_MAX 8
#define CHUNK      4096

/* What zlib has asked for: never given back before the end, and nothing once `closed`. */
struct memory {
	struct {
		void *data;
		size_t size;
	} blocks[BLOCKS_MAX];
	unsigned n;
	bool closed;
};

static void *memory_take(void *opaque, unsigned items, unsigned size)
{
	struct memory *m = opaque;
	size_t total = (size_t)items * size;

	if (m->closed || m->n == BLOCKS_MAX)
		return NULL;
	void *data = calloc(1, total);
	if (!data)
		return NULL;
	m->blocks[m->n].data = data;
	m->blocks[m->n++].size = total;
	return data;
}

static void memory_keep(void *opaque, void *data)
{
	(void)opaque;
	(void)data;
}

static void memory_free(struct memory *m)
{
	for (unsigned i = 0; i < m->n; i++)
		free(m->blocks[i].data);
	m->n = 0;
}

static size_t memory_size(const struct memory *m)
{
	size_t size = 0;

	for (unsigned i = 0; i < m->n; i++)
		size += m->blocks[i].size;
	return size;
}

/* The part of a dictionary that counts. */
static struct bytes dictionary_tail(struct bytes dictionary)
{
	if (dictionary.len > DEFLATE_DICTIONARY_MAX) {
		dictionary.data += dictionary.len - DEFLATE_DICTIONARY_MAX;
		dictionary.len = DEFLATE_DICTIONARY_MAX;
	}
	return dictionary;
}

struct packer {
	struct phrase_packer *phrases; /* NULL: deflate only */
	int level;
	bool ready; /* `z` */
	bool begun; /* of a record, the first piece went in */
	z_stream z;
	struct memory memory;
	struct bytes dictionary; /* of deflate: in the phrases, or in `own` */
	uint8_t *own;
	uint8_t chunk[CHUNK];
};

/* With phrases, deflate is for large records and odd ones only, and takes its memory with the first of them. */
static int deflate_ready(struct packer *p)
{
	int strategy = p->level <= FIXED_LEVEL_MAX ? Z_FIXED : Z_DEFAULT_STRATEGY;

	if (p->ready)
		return 0;
	memory_free(&p->memory);
	p->memory.closed = false;
	p->z = (z_stream){.zalloc = memory_take, .zfree = memory_keep, .opaque = &p->memory};
	if (deflateInit2(&p->z, p->level, Z_DEFLATED, -WINDOW_BITS, MEMORY_LEVEL, strategy) != Z_OK)
		return ERR_NOMEM;
	p->memory.closed = p->ready = true;
	return 0;
}

static bool packer_init(struct packer *p, struct bytes dictionary)
{
	struct phrases phrases;
	int rc = phrases_parse(dictionary, &phrases);

	if (rc == ERR_INVALID) {
		dictionary = dictionary_tail(dictionary);
		p->own = malloc(dictionary.len + 1);
		if (!p->own)
			return false;
		if (dictionary.len)
			memcpy(p->own, dictionary.data, dictionary.len);
		p->dictionary = bytes_of(p->own, dictionary.len);
		return deflate_ready(p) == 0;
	}
	if (!rc)
		p->phrases = phrase_packer_new(&phrases, p->level > FAST_LEVEL_MAX);
	if (p->phrases)
		p->dictionary = dictionary_tail(phrase_packer_text(p->phrases));
	return p->phrases != NULL;
}

struct packer *packer_new(struct bytes dictionary, int level)
{
	struct packer *p = calloc(1, sizeof(*p));

	assert(level >= 1 && level <= 9);
	if (p)
		p->level = level;
	if (p && !packer_init(p, dictionary)) {
		packer_free(p);
		p = NULL;
	}
	return p;
}

void packer_free(struct packer *p)
{
	if (!p)
		return;
	phrase_packer_free(p->phrases);
	memory_free(&p->memory);
	free(p->own);
	free(p);
}

size_t packer_bytes(const struct packer *p)
{
	return sizeof *p + memory_size(&p->memory) + (p->own ? p->dictionary.len : 0) +
	       (p->phrases ? phrase_packer_bytes(p->phrases) : 0);
}

/* Compresses what there is of z.next_in; all of the stream when `flush` is Z_FINISH. */
static int pack_piece(struct packer *p, int flush, struct buf *out)
{
	int rc;

	do {
		p->z.next_out = p->chunk;
		p->z.avail_out = sizeof(p->chunk);
		rc = deflate(&p->z, flush);
		assert(rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR);
		buf_put(out, p->chunk, sizeof(p->chunk) - p->z.avail_out);
	} while (!out->error && p->z.avail_out == 0);
	return out->error;
}

void packer_begin(struct packer *p)
{
	p->begun = false;
}

/* Before a record's first byte. */
static int deflate_begin(struct packer *p, struct buf *out)
{
	const struct bytes d = p->dictionary;
	int rc = deflate_ready(p);

	if (rc)
		return rc;
	rc = deflateReset(&p->z);
	if (rc == Z_OK && d.len)
		rc = deflateSetDictionary(&p->z, d.data, (uInt)d.len);
	assert(rc == Z_OK);
	if (p->phrases)
		buf_put_byte(out, METHOD_DEFLATE);
	return out->error;
}

static int deflate_feed(struct packer *p, struct bytes raw, bool last, struct buf *out)
{
	int rc = out->error;

	if (!rc && !p->begun)
		rc = deflate_begin(p, out);
	p->begun = true;
	p->z.next_in = (Bytef *)(uintptr_t)raw.data; /* zlib's pointer is not const unless asked */
	/* zlib counts in unsigned int. */
	for (; rc == 0 && raw.len > UINT_MAX; raw.len -= UINT_MAX) {
		p->z.avail_in = UINT_MAX;
		rc = pack_piece(p, Z_NO_FLUSH, out);
	}
	p->z.avail_in = (uInt)raw.len;
	return rc ? rc : pack_piece(p, last ? Z_FINISH : Z_NO_FLUSH, out);
}

/* What the phrases do not fit gets codes of its own from deflate, when these are shorter. */
static int phrases_feed(struct packer *p, struct bytes raw, struct buf *out)
{
	size_t start = out->len;

	buf_put_byte(out, METHOD_PHRASES);
	int rc = out->error ? out->error : phrase_pack(p->phrases, raw, out);
	if (rc || out->len - start <= raw.len / ODD_RATIO)
		return rc;
	struct buf other = {.max = 0};
	rc = deflate_feed(p, raw, true, &other);
	if (!rc && other.len < out->len - start) {
		out->len = start;
		buf_put_bytes(out, buf_bytes(&other));
		rc = out->error;
	}
	buf_release(&other);
	return rc;
}

int packer_feed(struct packer *p, struct bytes raw, bool last, struct buf *out)
{
	if (p->phrases && !p->begun && last && raw.len <= PHRASE_RAW_MAX)
		return phrases_feed(p, raw, out);
	return deflate_feed(p, raw, last, out);
}

int packer_pack(struct packer *p, struct bytes raw, struct buf *out)
{
	size_t start = out->len;

	packer_begin(p);
	int rc = packer_feed(p, raw, true, out);
	if (rc)
		out->len = start;
	return rc;
}

struct unpacker {
	struct phrase_unpacker *phrases; /* NULL: deflate only */
	z_stream z;
	bool begun; /* `z` */
	struct memory memory;
	struct bytes dictionary; /* of deflate: in the phrases, or in `own` */
	uint8_t *own;
};

static bool unpacker_init(struct unpacker *u, struct bytes dictionary)
{
	struct phrases phrases;
	int rc = phrases_parse(dictionary, &phrases);

	if (rc && rc != ERR_INVALID)
		return false;
	if (!rc) {
		u->phrases = phrase_unpacker_new(&phrases);
		if (u->phrases)
			u->dictionary = dictionary_tail(phrase_unpacker_text(u->phrases));
		return u->phrases;
	}
	dictionary = dictionary_tail(dictionary);
	u->own = malloc(dictionary.len + 1);
	if (!u->own)
		return false;
	if (dictionary.len)
		memcpy(u->own, dictionary.data, dictionary.len);
	u->dictionary = bytes_of(u->own, dictionary.len);
	return true;
}

struct unpacker *unpacker_new(struct bytes dictionary)
{
	struct unpacker *u = calloc(1, sizeof(*u));

	if (u && !unpacker_init(u, dictionary)) {
		unpacker_free(u);
		u = NULL;
	}
	return u;
}

void unpacker_free(struct unpacker *u)
{
	if (!u)
		return;
	phrase_unpacker_free(u->phrases);
	memory_free(&u->memory);
	free(u->own);
	free(u);
}

/* With phrases, few records are deflate's: it takes its memory with the first one. */
static bool inflate_begin(struct unpacker *u)
{
	if (!u->begun) {
		memory_free(&u->memory);
		u->z = (z_stream){.zalloc = memory_take, .zfree = memory_keep, .opaque = &u->memory};
		u->begun = inflateInit2(&u->z, -WINDOW_BITS) == Z_OK;
	}
	return u->begun;
}

/* The window is taken at the first call and kept: at most one block is added in an unpacker's
 * life. */
static int unpack_deflate(struct unpacker *u, struct bytes packed, uint8_t *raw, size_t raw_len)
{
	z_stream *z = &u->z;

	if (!inflate_begin(u))
		return ERR_NOMEM;
	if (inflateReset(z) != Z_OK)
		return ERR_CORRUPT;
	if (u->dictionary.len &&
	    inflateSetDictionary(z, u->dictionary.data, (uInt)u->dictionary.len) != Z_OK)
		return ERR_NOMEM;
	z->next_in = (Bytef *)(uintptr_t)packed.data;
	z->avail_in = (uInt)packed.len;
	z->next_out = raw;
	z->avail_out = (uInt)raw_len;
	int rc = inflate(z, Z_FINISH);
	if (rc == Z_MEM_ERROR)
		return ERR_NOMEM;
	return rc == Z_STREAM_END && z->avail_in == 0 && z->avail_out == 0 ? 0 : ERR_CORRUPT;
}

static int unpack(struct unpacker *u, struct bytes packed, uint8_t *raw, size_t raw_len)
{
	if (!u->phrases)
		return unpack_deflate(u, packed, raw, raw_len);
	struct bytes rest = bytes_of(packed.data + 1, packed.len - 1);
	switch (packed.data[0]) {
	case METHOD_DEFLATE: return unpack_deflate(u, rest, raw, raw_len);
	case METHOD_PHRASES: return phrase_unpack(u->phrases, rest, raw, raw_len);
	default: return ERR_CORRUPT;
	}
}

void unpacker_warm(const struct unpacker *u)
{
	if (u->phrases)
		phrase_unpacker_warm(u->phrases);
}

int unpacker_unpack(struct unpacker *u, struct bytes packed, size_t raw_len, struct buf *out)
{
	if (packed.len > UINT_MAX || raw_len > UINT_MAX)
		return ERR_LIMIT;
	/* A damaged length must not become an allocation. */
	if (packed.len == 0 || raw_len / DEFLATE_RATIO_MAX > packed.len)
		return ERR_CORRUPT;
	int rc = buf_reserve(out, raw_len);
	if (rc)
		return rc;
	uint8_t none; /* zlib wants an address, even for nothing */
	uint8_t *raw = raw_len ? out->data + out->len : &none;
	rc = unpack(u, packed, raw, raw_len);
	if (rc == 0)
		out->len += raw_len;
	return rc;
}
