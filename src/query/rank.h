/*
 * rank: the order of relevance, BM25 (k1 = 1.2, b = 0.75), of records that a search has found. Private to this layer.
 *
 * What is ranked are documents: a record, or all that is found of a conversation (its own texts when the search holds for them, and each message for which
 * it holds) together. Words below a `-` count for nothing, a prefix is one word, so are the words of a phrase each. How rare a word is, is said by all live
 * records of the resource and its children; how long a document is by average, by those that are ranked: the RANK_MAX newest that are found.
 */
#ifndef FIC_QUERY_RANK_H
#define FIC_QUERY_RANK_H

#include "top.h"

#include <model/search.h>
#include <store/store.h>

#define RANK_MAX 1000u
/* Of a conversation so many messages count, the newest that are found. */
#define RANK_CHILDREN_MAX 40u

/* What is in a document. Starts zeroed. */
struct rank_counts {
	uint32_t words[SEARCH_WORDS_MAX]; /* how often each word of the search is in it */
	uint32_t length;                  /* words in all */
};

struct rank;

/* The snapshot and the search must outlive it. `child` NULL: there are no children. ERR_NOMEM. */
int rank_new(struct snapshot *v, const char *resource, const char *child, const struct search *s,
	     struct rank **out);
void rank_free(struct rank *r);

/* Learns how rare the words are, in steps, before all else; adds to *cost. 1: there is more, 0: it knows, or an error. */
int rank_step(struct rank *r, unsigned *cost);

bool rank_full(const struct rank *r);
/* A document, while it is not full. 0 or ERR_NOMEM. */
int rank_add(struct rank *r, int64_t created_ms, uint64_t id_hash, struct bytes id,
	     const struct rank_counts *counts);

/* All of them into the heap (descending), or those behind a key: by relevance, then the newest, then by id. 0 or ERR_NOMEM. */
int rank_order(const struct rank *r, const struct sort_key *after, struct top *top);

#endif
