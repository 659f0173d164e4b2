/*
 * deflate: small records as streams of their own, with a preset dictionary.
 *
 * A record of a few kilobytes compresses badly alone. A trained dictionary has the phrases that
 * records of its kind share and a code for each, so that a record becomes 6 times smaller and still
 * unpacks by itself in microseconds. Without one, and for what is not like the samples, a stream is
 * a raw deflate stream (RFC 1951). All words are little-endian.
 *
 * Dictionary: bytes that deflate uses as its preset dictionary (stores of formats 1 and 2 have these),
 * or phrases:
 *      0    8  "FICPHR1\n"
 *      8    4  n: number of phrases, up to 3,812
 *     12    4  bytes of their text, up to 65,535
 *     16       bits of each code, four bits a number, the first in the lower half of a byte: of the
 *              284 + n symbols (1 to 14 bits), then of the 16 distances (1 to 8); zeros up to a byte
 *              n bytes: the length of each phrase, 2 to 255, the longest first
 *              their text, one behind the other
 * The codes are canonical (by length, then by number) and complete.
 *
 * A stream of a dictionary of phrases begins with a byte: 0, a raw deflate stream follows, whose
 * preset dictionary is the text (its last 16,384 bytes); 1, symbols follow. The first bit of a code, and the
 * lowest of a number, lies in the lowest free bit of a byte; ones fill the last byte.
 *     symbol   0 ..  255  a byte
 *            256 ..  271  a copy of what came before, of 4 to 19 bytes
 *            272 ..  283  a copy, of 20 bytes on: symbol s is followed by e = s - 268 bits, and the
 *                         length is 4 + 2^e + their number
 *            284 ..       a phrase
 * Behind the length of a copy: the code of a distance d, and d bits; so far back is 2^d + their
 * number. A copy may overlap itself.
 */
#ifndef FIC_CODEC_DEFLATE_H
#define FIC_CODEC_DEFLATE_H

#include <base/bytes.h>
#include <base/err.h>

#define DEFLATE_DICTIONARY_MAX 16384 /* bytes that deflate uses of a dictionary: the last so many */
#define DICTIONARY_MAX         (64u << 10) /* bytes of a dictionary of phrases */

struct packer;
struct unpacker;

/*
 * `dictionary` (may be empty) is borrowed only during the call. level 1..9. With phrases: up to 6 the
 * fast way, from 7 on the smallest stream, which is 7 % smaller and takes 15 times as long. Deflate:
 * up to 6 with fixed Huffman codes, which inflate 1.5 times as fast, from 7 on with dynamic ones,
 * which are up to 10 % smaller. NULL: no memory (with phrases a packer takes 200 KB, from level
 * 7 on 370, an unpacker 100).
 */
struct packer *packer_new(struct bytes dictionary, int level);
void packer_free(struct packer *p);
/* Bytes of memory that it holds; more when it has packed what phrases do not fit. */
size_t packer_bytes(const struct packer *p);
/* Appends the compressed stream to `out`; the same bytes for the same record, whatever was
 * packed before. 0 or ERR_NOMEM/ERR_LIMIT (then nothing is appended). No allocation but the
 * buffer's. */
int packer_pack(struct packer *p, struct bytes raw, struct buf *out);
/* The same for a large record, in pieces of the caller's choice: the bytes depend on the record and
 * on where it was cut. After an error the stream is lost: what it appended is the caller's to take
 * back. */
void packer_begin(struct packer *p);
int packer_feed(struct packer *p, struct bytes raw, bool last, struct buf *out);

struct unpacker *unpacker_new(struct bytes dictionary); /* copies it */
void unpacker_free(struct unpacker *u);
/* It will be needed in a microsecond or two: its tables may come nearer meanwhile. */
void unpacker_warm(const struct unpacker *u);
/* Appends exactly `raw_len` bytes to `out`; ERR_CORRUPT when the stream is bad or of another
 * length (then nothing is appended), ERR_NOMEM, ERR_LIMIT. Never writes or allocates more than
 * raw_len. */
int unpacker_unpack(struct unpacker *u, struct bytes packed, size_t raw_len, struct buf *out);

/*
 * Builds a dictionary of at most DICTIONARY_MAX bytes from sample records: the phrases that they
 * share, and their codes. `n` may be 0. Deterministic. Looks at up to 1,024 samples and 320 KB of
 * them, which it copies, in steps of one to two tenths of a millisecond; five of them, which sort all phrases, take three.
 * A dictionary of few samples is small; of what shares nothing it is empty.
 */
struct dictionary_trainer;
struct dictionary_trainer *dictionary_trainer_new(const struct bytes *samples,
						  size_t n); /* NULL: no memory */
void dictionary_trainer_free(struct dictionary_trainer *t);
/* 1: there is more; 0: done, the dictionary is appended to `out`; ERR_NOMEM, ERR_LIMIT. */
int dictionary_trainer_step(struct dictionary_trainer *t, struct buf *out);
/* How many phrases a dictionary has; 0: it is one for deflate (or there is no memory to look). */
uint32_t dictionary_phrases(struct bytes dictionary);
/* All steps. */
int dictionary_train(const struct bytes *samples, size_t n, struct buf *out);

#endif
