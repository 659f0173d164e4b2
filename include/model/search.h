/*
 * search: the language of full text, and what it finds.
 *
 *   refund "order number" invoic* -spam (paypal OR stripe)
 *
 *   words        all of them must be there, in any order and in any of a record's texts
 *   "a phrase"   these words one behind the other, in one text
 *   prefix*      a word that begins so; behind a phrase: its last word
 *   -without     this must not be there; before a word, a phrase or ( )
 *   a OR b       one of them; binds tighter than the space between words. AND may stand for that space
 *   ( )          groups
 *
 * Words are told apart and folded as the index does it (codec/words.h), so neither case nor accents' encodings count. What is
 * written together and is several words there (a mail address, v1.2, 東京都) is a phrase. Something must be asked
 * for: what only leaves out words is refused.
 *
 * search_look and search_holds are the definition of what a question finds; indexes only save the looking.
 */
#ifndef FIC_MODEL_SEARCH_H
#define FIC_MODEL_SEARCH_H

#include <base/arena.h>
#include <base/err.h>
#include <codec/words.h>

#define SEARCH_TEXT_MAX  1024
#define SEARCH_WORDS_MAX 64
#define SEARCH_NODES_MAX 128
#define SEARCH_DEPTH_MAX 16

enum search_op {
	SEARCH_ALL,    /* of the children */
	SEARCH_ANY,    /* of the children */
	SEARCH_NOT,    /* the one child; only below SEARCH_ALL, beside something else */
	SEARCH_PHRASE, /* `count` words from `first` on; most often one */
};

struct search_node {
	enum search_op op;
	unsigned first, count;
	const struct search_node *child, *next;
};

struct search_word {
	struct bytes term; /* as words_each spells it */
	bool prefix;
};

/* A question in the caller's arena. Sets of words are bits by their number. */
struct search {
	struct bytes text; /* as it was asked */
	const struct search_node *root;
	struct search_word words[SEARCH_WORDS_MAX];
	unsigned count;
	uint64_t starts, ends;  /* the first and last words of phrases */
	uint64_t wanted;        /* words that do not stand below a `-` */
	uint8_t heads[32];      /* bits: the first bytes of the words */
	bool hunts;             /* text without the words can be passed over … */
	struct words_hunt hunt; /* … by this */
};

/* 0, ERR_SYNTAX, ERR_INVALID (there is nothing to look for), ERR_LIMIT, ERR_NOMEM; `why` begins with the column (in characters, from 1), "column 9: ...". */
int search_parse(struct bytes text, struct arena *a, const struct search **out, struct why *why);

/* Looks at one of a record's texts: adds to *found the last words of the phrases that are in it. *found is 0 before the record's first text. */
void search_look(const struct search *s, struct bytes text, uint64_t *found);
/* Whether a record with these phrases is found. */
bool search_holds(const struct search *s, uint64_t found);

/* Adds to counts how often each of the search's words is in the text, whatever stands around it, and to *length how many words the text has. Names of several words
 * together (codec/words.h) are not counted in the length. */
void search_count(const struct search *s, struct bytes text, uint32_t counts[SEARCH_WORDS_MAX],
		  uint32_t *length);

/* Appends the part of a text that tells most: about `room` bytes around what was found, in one line, with U+2026 where it was cut and
 * U+27E6 U+27E7 around what was found (the text's own become [ and ]). False: nothing of it is in the text, and nothing was
 * appended. */
bool search_snippet(const struct search *s, struct bytes text, size_t room, struct buf *out);

#endif
