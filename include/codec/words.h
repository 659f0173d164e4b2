/*
 * words: a text as the terms that an index holds and a question looks for.
 *
 * One function makes both, so that what is looked for is spelt as what was stored: in Unicode's
 * NFKC form with full case folding.
 */
#ifndef FIC_CODEC_WORDS_H
#define FIC_CODEC_WORDS_H

#include <base/bytes.h>
#include <base/err.h>

/* Of a term, in bytes; longer words are cut (at a character) on both sides of the comparison. */
#define WORDS_TERM_MAX 64

/*
 * Calls `each` for the terms of a UTF-8 text in their order (again for a word that comes again),
 * until it answers something else than 0, which is then the result; else 0.
 *
 *   - a run of letters, marks and digits is a term
 *   - runs joined by single . @ - _ + are each a term, and, when an @ or a digit is among them, one
 *     term together as well: a mail address, an order's number, a version
 *   - of Han, Hiragana and Katakana each two neighbours are a term (one that stands alone, too)
 *
 * Everything else separates; bytes that are not UTF-8 do, too. The term is borrowed during the
 * call. Linear in the text, no memory is taken.
 */
int words_each(struct bytes text, int (*each)(void *ctx, struct bytes term), void *ctx);

/* The same, with what each term was made of: a part of `text`. */
int words_spans(struct bytes text, int (*each)(void *ctx, struct bytes term, struct bytes source),
		void *ctx);

/*
 * A hunt passes over text in which none of a few terms can be, many bytes at a time, for who looks for these and no others.
 */
#define WORDS_HUNT_MAX 8

struct words_hunt {
	struct bytes terms[WORDS_HUNT_MAX]; /* borrowed */
	uint8_t heads[WORDS_HUNT_MAX][2];   /* their first two bytes; of one byte: twice the same */
	unsigned count;
};

/* Another term, which is none of several words together. False: there are too many. */
bool words_hunt_add(struct words_hunt *h, struct bytes term);

/* The first place from `at` on where one of the terms, or a term that is not ASCII, may begin; the text's length: nowhere. `at` is 0 or the end of a term's source. *from_out: the
 * end of the last white space before it, but not before `at`: words_spans may go on there as if it had read all before. Linear. */
size_t words_hunt_next(const struct words_hunt *h, struct bytes text, size_t at, size_t *from_out);

#endif
