/*
 * vocabulary: filters over the words of segments, kept in memory as far as there is room. Who looks for a word passes over the segments that do not have it, without a
 * look at their files: most of them, when a word is rare.
 */
#ifndef FIC_STORE_VOCABULARY_H
#define FIC_STORE_VOCABULARY_H

#include "resident.h"

/* False: certainly no row has the term of this key (of its bytes_hash; the term as terms_find takes it, of a field whose texts are words). */
static inline bool vocabulary_may_have(const struct segment *g, const struct bloom_key *key)
{
	return bloom_may_hold(g->vocabulary, key);
}

/* It is going to be asked for the term: what it looks at then is on its way. */
static inline void vocabulary_expect(const struct segment *g, const struct bloom_key *key)
{
	if (g->vocabulary)
		__builtin_prefetch(bloom_block(g->vocabulary, key));
}

/* Loads some thousand words of a large segment, the newest first, or drops those of one for which there is no room any more: filters over ids and parents go before. True:
 * call again. Nothing happens in a rush. */
bool vocabulary_step(struct store *s);
/* Leaves the one that is being loaded. */
void vocabulary_stop(struct store *s);

/* Bytes of all. */
size_t vocabulary_bytes(const struct store *s);

#endif
