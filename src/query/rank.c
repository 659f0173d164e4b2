/* rank: each word of the search is matched by itself, which counts the records that have it. */
#include "rank.h"

#include <store/match.h>

#include <math.h>
#include <stdlib.h>

#define K1 1.2
#define B  0.75

struct document {
	int64_t created_ms;
	uint64_t id_hash;
	size_t id_at;
	size_t id_len;
	uint32_t length;
};

struct rank {
	struct snapshot *view;
	const char *resources[2]; /* with the children's, if any */
	size_t resource_count;
	const struct search *search;
	/* The word under way, as a search of its own. */
	unsigned word;
	size_t resource;
	struct search one;
	struct search_node root;
	struct match *match;
	uint64_t records, having[SEARCH_WORDS_MAX];
	struct document *documents;
	uint32_t count;
	uint64_t length; /* of all */
	struct buf ids;
	struct buf words; /* of each document, for each word of the search: u32 */
};

int rank_new(struct snapshot *v, const char *resource, const char *child, const struct search *s,
	     struct rank **out)
{
	struct rank *r = calloc(1, sizeof *r);

	if (!r)
		return ERR_NOMEM;
	*r = (struct rank){.view = v,
			   .resources = {resource, child},
			   .resource_count = child ? 2 : 1,
			   .search = s};
	for (size_t i = 0; i < r->resource_count; i++)
		r->records += snapshot_count(v, r->resources[i]);
	r->documents = malloc(RANK_MAX * sizeof *r->documents);
	if (!r->documents) {
		free(r);
		return ERR_NOMEM;
	}
	*out = r;
	return 0;
}

void rank_free(struct rank *r)
{
	if (!r)
		return;
	match_free(r->match);
	free(r->documents);
	buf_release(&r->ids);
	buf_release(&r->words);
	free(r);
}

/* ---- how rare words are ---- */

static int begin_word(struct rank *r)
{
	r->root = (struct search_node){.op = SEARCH_PHRASE, .count = 1};
	r->one = (struct search){.root = &r->root, .count = 1};
	r->one.words[0] = r->search->words[r->word];
	return match_new(r->view, r->resources[r->resource], &r->one, &r->match);
}

static void end_word(struct rank *r)
{
	r->having[r->word] += match_rows(r->match);
	match_free(r->match);
	r->match = NULL;
	if (++r->resource < r->resource_count)
		return;
	r->resource = 0;
	r->word++;
}

int rank_step(struct rank *r, unsigned *cost)
{
	while (r->word < r->search->count && !(r->search->wanted >> r->word & 1))
		r->word++;
	if (r->word == r->search->count)
		return 0;
	int rc = r->match ? 0 : begin_word(r);
	if (!rc)
		rc = match_step(r->match, cost);
	if (rc == 0)
		end_word(r);
	return rc < 0 ? rc : 1;
}

/* ---- documents ---- */

bool rank_full(const struct rank *r)
{
	return r->count == RANK_MAX;
}

int rank_add(struct rank *r, int64_t created_ms, uint64_t id_hash, struct bytes id,
	     const struct rank_counts *counts)
{
	struct document *d = &r->documents[r->count];

	*d = (struct document){created_ms, id_hash, r->ids.len, id.len, counts->length};
	buf_put_bytes(&r->ids, id);
	buf_put(&r->words, counts->words, r->search->count * sizeof counts->words[0]);
	if (r->ids.error || r->words.error)
		return ERR_NOMEM;
	r->length += counts->length;
	r->count++;
	return 0;
}

static double score(const struct rank *r, uint32_t document)
{
	double average = (double)r->length / r->count, sum = 0;
	double length = average > 0 ? r->documents[document].length / average : 0;

	for (unsigned i = 0; i < r->search->count; i++) {
		uint32_t n;
		size_t at = ((size_t)document * r->search->count + i) * sizeof n;
		memcpy(&n, r->words.data + at, sizeof n);
		if (!n || !(r->search->wanted >> i & 1))
			continue;
		double having = (double)r->having[i], others = (double)r->records - having;
		double rare = log(1 + (others > 0 ? others + 0.5 : 0.5) / (having + 0.5));
		sum += rare * n * (K1 + 1) / (n + K1 * (1 - B + B * length));
	}
	return sum;
}

/* Numbers as bytes that order as they do, one behind the other. */
static void put_key(struct sort_key *key, double relevance, int64_t created_ms, uint64_t id_hash)
{
	uint64_t bits, words[2];

	memcpy(&bits, &relevance, sizeof bits); /* never below 0 */
	words[0] = bits;
	words[1] = (uint64_t)created_ms ^ UINT64_C(1) << 63;
	key->known = true;
	key->id_hash = id_hash;
	key->len = sizeof words;
	for (size_t i = 0; i < sizeof words; i++)
		key->bytes[i] = (uint8_t)(words[i / 8] >> (56 - 8 * (i % 8)));
}

int rank_order(const struct rank *r, const struct sort_key *after, struct top *top)
{
	struct sort_key key;
	int rc = 0;

	for (uint32_t i = 0; !rc && i < r->count; i++) {
		const struct document *d = &r->documents[i];
		put_key(&key, score(r, i), d->created_ms, d->id_hash);
		if ((!after || sort_key_compare(&key, after, false) > 0) && top_wants(top, &key))
			rc = top_add(top, &key, bytes_of(r->ids.data + d->id_at, d->id_len));
	}
	return rc;
}
