/*
 * dictionary: from sample records, the phrases that they share, and the codes of these.
 *
 * Phrases grow by generations. Each cuts the samples into the longest phrases that there are (at
 * first into bytes), counts how often each stands there, and each two neighbours together; those
 * that cover most make the next generation. A phrase can double with each. The codes are those of
 * the symbols that packing the samples gives.
 *
 * The work is done in slices, and the result does not depend on how it is cut:
 *
 *   (BEGIN -> COUNT, some samples at a time -> CHOOSE, some phrases at a time) each generation ->
 *     BEGIN -> COUNT -> DRAFT -> WEIGH, some samples at a time -> WRITE
 *
 * Deterministic: no clock, no randomness, ties by place. Time and memory are bounded by BYTES_MAX,
 * whatever is given.
 */
#include "code_lengths.h"
#include "phrases.h"

#include <stdlib.h>

#define GENERATIONS  9
#define SAMPLES_MAX  1024
#define BYTES_MAX    (320u << 10)
#define PAIR_BITS    16
#define PAIRS_MAX    ((1u << PAIR_BITS) / 4 * 3)
#define SHARED_LEAST 3 /* times that a phrase stands in the samples */
/* A dictionary must not become larger than what it saves: one phrase for this many bytes of samples,
 * a byte of text for each four. */
#define BYTES_PER_PHRASE 48
#define BYTES_PER_TEXT   4
#define TEXT_MAX         (56u << 10)
#define HEAD             "FICPHR1\n"
/* What a step may cost that does a part of something: one for a byte that is counted, which takes about 8 ns. */
#define STEP_COST   (16u << 10)
#define CHOOSE_COST 16u /* of a candidate that is looked at */

/* There are many of both: a place in the samples and a length are one word, in this order. */
#define SPAN_LEN_BITS 8
#define SPAN(at, len) ((uint32_t)(at) << SPAN_LEN_BITS | (uint32_t)(len))

_Static_assert(BYTES_MAX <= 1u << (32 - SPAN_LEN_BITS) && PHRASE_LEN_MAX < 1u << SPAN_LEN_BITS,
	       "a span fits into a word");
_Static_assert(BYTES_MAX <= 1u << 20, "a lookup holds the places of phrases");
_Static_assert((uint64_t)BYTES_MAX *PHRASE_LEN_MAX <= UINT32_MAX, "what is covered, too");

/* Two neighbours, the first time that they stand together. */
struct pair {
	uint32_t key; /* their symbols, plus one */
	uint32_t count;
	uint32_t span;
};

struct candidate {
	uint32_t covered; /* bytes, but for one of each time it stands there */
	uint32_t span;
};

static uint32_t span_at(uint32_t span)
{
	return span >> SPAN_LEN_BITS;
}

static uint8_t span_len(uint32_t span)
{
	return (uint8_t)(span & ((1u << SPAN_LEN_BITS) - 1));
}

enum phase {
	PHASE_BEGIN,
	PHASE_COUNT,
	PHASE_GATHER,
	PHASE_CHOOSE,
	PHASE_ORDER,
	PHASE_CODE,
	PHASE_DRAFT,
	PHASE_WEIGH,
	PHASE_WRITE
};

struct dictionary_trainer {
	enum phase phase;
	uint32_t cost;   /* of the step under way */
	uint32_t at;     /* the next sample */
	struct buf text; /* the samples */
	uint32_t ends[SAMPLES_MAX];
	uint32_t samples;
	unsigned generation;
	struct phrase phrases[PHRASES_MAX];
	uint32_t count;
	uint32_t counts[PHRASE_SYMBOLS]; /* of the symbols of this generation */
	struct pair pairs[PAIRS_MAX];
	uint16_t pair_at[1u << PAIR_BITS]; /* by hash, plus one: what is cleared for each generation is small */
	uint32_t pairs_count;
	struct candidate candidates[PAIRS_MAX + PHRASES_MAX];
	uint32_t candidates_count; /* a heap, while some are chosen: the best is the first */
	size_t room;               /* bytes of text that may still be chosen */
	uint16_t seen[1u << 13];   /* phrases by hash, plus one */
	struct lookup lookup;
	/* What packing the samples with a draft of the dictionary gives. */
	struct buf draft;
	struct phrase_packer *packer;
	uint32_t drafted[PHRASE_SYMBOLS], distances[PHRASE_DISTANCES];
};

/* ---- samples ---- */

static size_t sample_bytes(struct bytes sample)
{
	return sample.len < PHRASE_RAW_MAX ? sample.len : PHRASE_RAW_MAX;
}

/* How many of them fit, spread evenly. */
static size_t samples_wanted(const struct bytes *samples, size_t n)
{
	uint64_t total = 0, wanted = n < SAMPLES_MAX ? n : SAMPLES_MAX;

	for (size_t i = 0; i < n; i++)
		total += sample_bytes(samples[i]);
	if (total * wanted / (n + 1) > BYTES_MAX)
		wanted = BYTES_MAX * (uint64_t)n / total;
	return (size_t)wanted;
}

static void take_samples(struct dictionary_trainer *t, const struct bytes *samples, size_t n)
{
	size_t wanted = samples_wanted(samples, n);

	for (size_t i = 0; i < wanted; i++) {
		struct bytes sample = samples[i * n / wanted];
		size_t room = BYTES_MAX - t->text.len, len = sample_bytes(sample);
		buf_put(&t->text, sample.data, len < room ? len : room);
		t->ends[t->samples++] = (uint32_t)t->text.len;
	}
}

struct dictionary_trainer *dictionary_trainer_new(const struct bytes *samples, size_t n)
{
	struct dictionary_trainer *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	take_samples(t, samples, n);
	if (t->text.error) {
		dictionary_trainer_free(t);
		return NULL;
	}
	return t;
}

void dictionary_trainer_free(struct dictionary_trainer *t)
{
	if (!t)
		return;
	buf_release(&t->text);
	buf_release(&t->draft);
	phrase_packer_free(t->packer);
	free(t);
}

/* The next sample; false: there is none, or the step has cost enough. */
static bool next_sample(struct dictionary_trainer *t, uint32_t *at, uint32_t *end)
{
	if (t->at == t->samples || t->cost >= STEP_COST)
		return false;
	*at = t->at ? t->ends[t->at - 1] : 0;
	*end = t->ends[t->at++];
	t->cost += *end - *at;
	return true;
}

/* ---- a generation ---- */

static void count_pair(struct dictionary_trainer *t, uint32_t key, uint32_t at, size_t len)
{
	uint32_t i = (key * 2654435761u) >> (32 - PAIR_BITS);

	while (t->pair_at[i] && t->pairs[t->pair_at[i] - 1].key != key)
		i = (i + 1) & ((1u << PAIR_BITS) - 1);
	if (!t->pair_at[i]) {
		if (t->pairs_count == PAIRS_MAX)
			return;
		t->pairs[t->pairs_count] = (struct pair){key, 0, SPAN(at, len)};
		t->pair_at[i] = (uint16_t)++t->pairs_count;
	}
	t->pairs[t->pair_at[i] - 1].count++;
}

static PHRASES_INLINE void count_symbols(struct dictionary_trainer *t, uint32_t at, uint32_t end)
{
	uint32_t before = 0, before_len = 0; /* none */

	while (at < end) {
		const struct lookup_entry *e = lookup_longest(&t->lookup, t->text.data + at, end - at);
		uint32_t symbol = e ? e->symbol : t->text.data[at], len = e ? e->len : 1;
		t->counts[symbol]++;
		if (before_len && before_len + len <= PHRASE_LEN_MAX)
			count_pair(t, (before << 12 | symbol) + 1, at - before_len, before_len + len);
		before = symbol;
		before_len = len;
		at += len;
	}
}

static void count_sample(struct dictionary_trainer *t, uint32_t at, uint32_t end)
{
	count_symbols(t, at, end);
}

PHRASES_BITS static void count_sample_bits(struct dictionary_trainer *t, uint32_t at, uint32_t end)
{
	count_symbols(t, at, end);
}

static void add_candidate(struct dictionary_trainer *t, uint32_t span, uint32_t count)
{
	if (count >= SHARED_LEAST)
		t->candidates[t->candidates_count++] =
			(struct candidate){count * (span_len(span) - 1u), span};
}

/* Which covers more; there are no two alike. */
static bool is_before(const struct candidate *x, const struct candidate *y)
{
	if (x->covered != y->covered)
		return x->covered > y->covered;
	return x->span < y->span;
}

/* What lies at `i` goes down to where it belongs. */
static void sift(struct dictionary_trainer *t, uint32_t i)
{
	struct candidate *heap = t->candidates, moved = heap[i];

	for (uint32_t below; (below = i * 2 + 1) < t->candidates_count; i = below) {
		if (below + 1 < t->candidates_count && is_before(&heap[below + 1], &heap[below]))
			below++;
		if (is_before(&moved, &heap[below]))
			break;
		heap[i] = heap[below];
	}
	heap[i] = moved;
}

/* Whether the phrase is one already; else it is from now on. */
static bool known(struct dictionary_trainer *t, uint32_t span)
{
	uint32_t mask = sizeof t->seen / sizeof *t->seen - 1;
	struct bytes text = bytes_of(t->text.data + span_at(span), span_len(span));
	uint32_t i = (uint32_t)bytes_hash(text) & mask;

	for (; t->seen[i]; i = (i + 1) & mask) {
		const struct phrase *p = &t->phrases[t->seen[i] - 1];
		if (bytes_equal(text, bytes_of(t->text.data + p->at, p->len)))
			return true;
	}
	t->phrases[t->count++] = (struct phrase){span_at(span), span_len(span)};
	t->seen[i] = (uint16_t)t->count;
	return false;
}

static int longest_first(const void *a, const void *b)
{
	const struct phrase *x = a, *y = b;

	if (x->len != y->len)
		return x->len > y->len ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static int begin(struct dictionary_trainer *t, struct buf *out)
{
	(void)out;
	lookup_build(&t->lookup, t->phrases, t->count, t->text.data);
	memset(t->counts, 0, sizeof t->counts);
	memset(t->pair_at, 0, sizeof t->pair_at);
	t->pairs_count = 0;
	t->at = 0;
	t->phase = PHASE_COUNT;
	return 1;
}

/* The last generation brings nothing new, and only then what is left must fit: of neighbours that
 * overlap, one was used. */
static int gather(struct dictionary_trainer *t, struct buf *out)
{
	size_t room = t->text.len / BYTES_PER_TEXT;
	bool last = t->generation == GENERATIONS;

	(void)out;
	t->candidates_count = 0;
	for (uint32_t i = 0; i < t->count; i++)
		add_candidate(t, SPAN(t->phrases[i].at, t->phrases[i].len),
			      t->counts[PHRASE_FIRST + i]);
	for (uint32_t i = 0; !last && i < t->pairs_count; i++)
		add_candidate(t, t->pairs[i].span, t->pairs[i].count);
	for (uint32_t i = t->candidates_count / 2; i-- > 0;)
		sift(t, i);
	room = room < TEXT_MAX ? room : TEXT_MAX;
	t->room = last ? room : SIZE_MAX;
	memset(t->seen, 0, sizeof t->seen);
	t->count = 0;
	t->phase = PHASE_CHOOSE;
	return 1;
}

/* Symbols and pairs. */
static int count_some(struct dictionary_trainer *t, struct buf *out)
{
	uint32_t at, end;

	(void)out;
	while (next_sample(t, &at, &end))
		if (phrases_have_bits())
			count_sample_bits(t, at, end);
		else
			count_sample(t, at, end);
	if (t->at == t->samples)
		t->phase = t->generation++ < GENERATIONS ? PHASE_GATHER : PHASE_CODE;
	return 1;
}

static int choose_some(struct dictionary_trainer *t, struct buf *out)
{
	uint32_t most = (uint32_t)(t->text.len / BYTES_PER_PHRASE);

	(void)out;
	most = most < PHRASES_MAX ? most : PHRASES_MAX;
	for (; t->candidates_count && t->count < most; t->cost += CHOOSE_COST) {
		struct candidate best = t->candidates[0];
		if (t->cost >= STEP_COST)
			return 1;
		t->candidates[0] = t->candidates[--t->candidates_count];
		if (t->candidates_count)
			sift(t, 0);
		if (span_len(best.span) <= t->room && !known(t, best.span))
			t->room -= span_len(best.span);
	}
	t->phase = PHASE_ORDER;
	return 1;
}

static int order(struct dictionary_trainer *t, struct buf *out)
{
	(void)out;
	qsort(t->phrases, t->count, sizeof *t->phrases, longest_first);
	t->phase = PHASE_BEGIN;
	return 1;
}

/* ---- the dictionary ---- */

static void put_nibbles(struct buf *out, const uint8_t *bits, uint32_t n)
{
	for (uint32_t i = 0; i < n; i += 2)
		buf_put_byte(out, (uint8_t)(bits[i] | (i + 1 < n ? bits[i + 1] << 4 : 0)));
}

static int write_dictionary(const struct dictionary_trainer *t, const uint32_t *counts,
			    const uint32_t *distances, struct buf *out)
{
	uint8_t bits[PHRASE_SYMBOLS + PHRASE_DISTANCES], head[8];
	uint32_t symbols = PHRASE_FIRST + t->count, text = 0;
	int rc = code_lengths(counts, symbols, PHRASE_CODE_MAX, bits);

	if (!rc)
		rc = code_lengths(distances, PHRASE_DISTANCES, PHRASE_FAR_MAX, bits + symbols);
	if (rc)
		return rc;
	for (uint32_t i = 0; i < t->count; i++)
		text += t->phrases[i].len;
	put_le32(head, t->count);
	put_le32(head + 4, text);
	buf_put_str(out, HEAD);
	buf_put(out, head, sizeof head);
	put_nibbles(out, bits, symbols + PHRASE_DISTANCES);
	for (uint32_t i = 0; i < t->count; i++)
		buf_put_byte(out, t->phrases[i].len);
	for (uint32_t i = 0; i < t->count; i++)
		buf_put(out, t->text.data + t->phrases[i].at, t->phrases[i].len);
	return out->error;
}

static int code(struct dictionary_trainer *t, struct buf *out)
{
	(void)out;
	t->phase = PHASE_DRAFT;
	int rc = write_dictionary(t, t->counts, t->distances, &t->draft);
	return rc ? rc : 1;
}

static int draft(struct dictionary_trainer *t, struct buf *out)
{
	struct phrases phrases;

	(void)out;
	int rc = phrases_parse(buf_bytes(&t->draft), &phrases);
	buf_release(&t->draft);
	if (rc)
		return rc;
	t->packer = phrase_packer_new(&phrases, false);
	t->at = 0;
	t->phase = PHASE_WEIGH;
	return t->packer ? 1 : ERR_NOMEM;
}

/* What packing the samples with this dictionary would write. */
static int weigh_some(struct dictionary_trainer *t, struct buf *out)
{
	uint32_t at, end;

	(void)out;
	while (next_sample(t, &at, &end))
		phrase_count(t->packer, bytes_of(t->text.data + at, end - at), t->drafted,
			     t->distances);
	if (t->at == t->samples)
		t->phase = PHASE_WRITE;
	return 1;
}

/* Drops the phrases that were not used, and moves the counts of the others down. */
static void drop_unused(struct dictionary_trainer *t, uint32_t *counts)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < t->count; i++) {
		uint32_t n = counts[PHRASE_FIRST + i];
		if (n < 2)
			continue;
		t->phrases[kept] = t->phrases[i];
		counts[PHRASE_FIRST + kept++] = n;
	}
	t->count = kept;
}

static int finish(struct dictionary_trainer *t, struct buf *out)
{
	drop_unused(t, t->drafted);
	/* Other records have more that is new. */
	for (uint32_t i = 0; i < PHRASE_BYTES; i++)
		t->drafted[i] *= 2;
	return t->count ? write_dictionary(t, t->drafted, t->distances, out) : 0;
}

int dictionary_trainer_step(struct dictionary_trainer *t, struct buf *out)
{
	/* What is done whole has a step of its own. */
	static const struct {
		int (*go_on)(struct dictionary_trainer *t, struct buf *out);
		bool whole;
	} phases[] = {
		[PHASE_BEGIN] = {begin, true},   [PHASE_COUNT] = {count_some, false},
		[PHASE_GATHER] = {gather, true}, [PHASE_CHOOSE] = {choose_some, false},
		[PHASE_ORDER] = {order, true},   [PHASE_CODE] = {code, true},
		[PHASE_DRAFT] = {draft, true},   [PHASE_WEIGH] = {weigh_some, false},
		[PHASE_WRITE] = {finish, true},
	};
	size_t before = out->len;
	int rc = 1;

	if (t->samples < 2 || t->text.len == 0) /* nothing is shared */
		return 0;
	bool whole = false;
	for (t->cost = 0; rc == 1 && !whole && t->cost < STEP_COST;) {
		whole = phases[t->phase].whole;
		rc = phases[t->phase].go_on(t, out);
		whole |= phases[t->phase].whole;
	}
	if (rc < 0)
		out->len = before;
	return rc;
}

uint32_t dictionary_phrases(struct bytes dictionary)
{
	struct phrases phrases;
	int rc = phrases_parse(dictionary, &phrases);

	if (rc == 0)
		phrases_release(&phrases);
	return rc == 0 ? phrases.count : 0;
}

int dictionary_train(const struct bytes *samples, size_t n, struct buf *out)
{
	struct dictionary_trainer *t = dictionary_trainer_new(samples, n);
	int rc = t ? 1 : ERR_NOMEM;

	while (rc == 1)
		rc = dictionary_trainer_step(t, out);
	dictionary_trainer_free(t);
	return rc;
}
