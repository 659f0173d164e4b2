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

#endif
