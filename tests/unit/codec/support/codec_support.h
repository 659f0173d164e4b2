/* codec_support: what the codec tests share: files, a seeded generator of numbers and values,
 * texts fed in pieces. */
#ifndef CODEC_SUPPORT_H
#define CODEC_SUPPORT_H

#include <codec/json.h>
#include <codec/msgpack.h>

/* cmocka.h wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define B(literal) bytes_of((literal), sizeof(literal) - 1)

/* The same numbers in every run. */
uint64_t rnd64(uint64_t *seed);
uint32_t rnd(uint64_t *seed, uint32_t n); /* 0 .. n - 1 */

/* A random value as JSON text, nested up to `depth`. */
void random_json(uint64_t *seed, unsigned depth, struct buf *out);

/* What became of a text. */
struct outcome {
	int rc;
	struct why why;
	struct json_stats stats;
	struct buf out;
};

/* Feeds the text, cut before every offset for which `cut` says so, each piece in a heap block
 * of its exact size. */
typedef bool cut_fn(void *context, size_t at);
bool cut_everywhere(void *context, size_t at);
bool cut_at(void *context, size_t at);     /* context: a size_t */
bool cut_random(void *context, size_t at); /* context: a seed */
void transcode(struct bytes text, enum json_mode mode, const struct json_limits *limits,
	       size_t out_max, cut_fn *cut, void *context, struct outcome *o);
void outcome_release(struct outcome *o);
/* Whole, one byte at a time, cut at every place (short texts) and at random places: always the
 * same. */
void assert_cuts_agree(struct bytes text, enum json_mode mode, const struct json_limits *limits,
		       size_t out_max);

/* Of "tests run from the project's root": the file's bytes; false when it is not there. */
bool read_whole(const char *path, struct buf *out);
/* Calls back for every file under a folder whose name ends so, in order of names; how many, -1
 * when the folder is not there. */
int for_each_file(const char *folder, const char *suffix,
		  void (*call)(const char *path, const char *name));

#endif
