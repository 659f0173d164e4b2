/*
 * deflate: small records as raw deflate streams of their own (RFC 1951), with a preset dictionary.
 *
 * A record of a few kilobytes compresses badly alone; with a dictionary of its kin it becomes 5
 * times smaller and still inflates by itself in microseconds. A packer keeps one primed deflate
 * state and copies it for each record.
 */
#ifndef FIC_CODEC_DEFLATE_H
#define FIC_CODEC_DEFLATE_H

#include <base/bytes.h>
#include <base/err.h>

#define DEFLATE_DICTIONARY_MAX 16384   /* bytes that deflate uses of a dictionary: the last so many */
#define DICTIONARY_MAX         (64u << 10) /* bytes of a dictionary of phrases */

struct packer;
struct unpacker;

/*
 * `dictionary` (may be empty) is borrowed only during the call. level 1..9; up to 6 with fixed
 * Huffman codes, which inflate 1.5 times as fast, from 7 on with dynamic ones, which are up to 10
 * % smaller. NULL: no memory (a packer takes 400 KB, an unpacker 60).
 */
struct packer *packer_new(struct bytes dictionary, int level);
void packer_free(struct packer *p);
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
/* Appends exactly `raw_len` bytes to `out`; ERR_CORRUPT when the stream is bad or of another
 * length (then nothing is appended), ERR_NOMEM, ERR_LIMIT. Never writes or allocates more than
 * raw_len. */
int unpacker_unpack(struct unpacker *u, struct bytes packed, size_t raw_len, struct buf *out);

/*
 * Builds a dictionary of at most DICTIONARY_MAX bytes from sample records: the phrases that they
 * share, and their codes. `n` may be 0. Deterministic. Looks at up to 1,024 samples and 320 KB of
 * them, which it copies, in steps of some milliseconds. A dictionary of few samples is small; of
 * what shares nothing it is empty.
 */
struct dictionary_trainer;
struct dictionary_trainer *dictionary_trainer_new(const struct bytes *samples, size_t n); /* NULL: no memory */
void dictionary_trainer_free(struct dictionary_trainer *t);
/* 1: there is more; 0: done, the dictionary is appended to `out`; ERR_NOMEM, ERR_LIMIT. */
int dictionary_trainer_step(struct dictionary_trainer *t, struct buf *out);
/* All steps. */
int dictionary_train(const struct bytes *samples, size_t n, struct buf *out);

#endif
