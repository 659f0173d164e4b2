/*
 * match: segment by segment, each when it is asked for. First each word's lists are found; a segment where the search cannot hold is left at that. Else
 * the lists become bits, and the search is computed on 64 rows at a time, in two values: what may be and what must be. Who reads the last rows first, and not
 * all of them, gets a segment ready from its end on, a stretch four times as long as all before it each time: where lists are long most of them is never read.
 */
#include "columns.h"
#include "lists.h"
#include "lookup.h"
#include "match_bits.h"
#include "view.h"
#include "vocabulary.h"

#include <base/ones.h>

#include <stdlib.h>

#define READ_MAX   4096u /* ordinals of lists that a step reads */
#define TERMS_MAX  128u  /* terms behind a prefix that a step looks at */
#define ORDINALS   512u  /* of them one unit of cost */
#define FIND_COST  1u
#define PAGE_COST  2u
#define ROW_COST   1u
#define WORDS_UNIT 128u  /* words of bits */
#define TAIL_ROWS  1024u /* of the first stretch */
#define TAIL_TIMES 4u    /* the next is longer by */
#define TAIL_LISTS 1024u /* ordinals of all lists together: fewer are read at once */

enum stage { STAGE_BEGIN, STAGE_FIND, STAGE_READ, STAGE_JOIN };

/* Segments of one schema spell a word alike. */
struct word_key {
	bool known;
	uint8_t field; /* as the segment before has it */
	struct bloom_key key;
};

struct match {
	struct snapshot *view;
	const struct search *search;
	const struct schema *schema;
	const struct state_resource *resource; /* NULL: never written */
	struct match_bits *bits;               /* of each segment */
	uint64_t may, must;                    /* rows */
	uint32_t hint;
	bool negates;                      /* the search finds rows by what they have not */
	uint8_t asked[SEGMENT_FIELDS_MAX]; /* the schema's fields that have words */
	unsigned asked_count;
	int error;
	size_t first; /* all segments before it are ready */
	size_t added; /* where the last row was that was added */
	/* The segment under way. */
	enum stage stage;
	size_t at;
	size_t room;                     /* words of 64 rows */
	uint64_t *has[SEARCH_WORDS_MAX]; /* rows that have the word, in any field */
	uint64_t *unknown;
	bool some_unknown;
	bool found;                     /* where all words' lists are is known */
	bool present[SEARCH_WORDS_MAX]; /* the segment may have the word … */
	uint64_t in[SEARCH_WORDS_MAX]; /* … in these of the fields that are asked, a bit for each */
	struct posting_place *places; /* of each word in each field that is asked … */
	struct word_key *keys;        /* … what it asks of vocabularies */
	unsigned word, field;         /* of those that are asked */
	bool tails;                   /* only the last rows that are not ready are wanted … */
	uint32_t low, high;           /* … the rows under way, whole words of bits */
	bool reading;                 /* `list` or `cursor` stand inside the word's field */
	struct posting list;
	uint32_t next, stop; /* in the list */
	struct term_cursor cursor;
};

/* ---- bits ---- */

static void set_bit(uint64_t *bits, uint32_t i)
{
	bits[i / 64] |= UINT64_C(1) << i % 64;
}

uint32_t match_bits_from(const struct match_bits *b, uint32_t at, uint32_t end)
{
	while (b->may && at < end) {
		uint64_t word = b->may[at / 64] >> at % 64;
		if (word) {
			at += (uint32_t)__builtin_ctzll(word);
			return at < end ? at : end;
		}
		at = (at / 64 + 1) * 64;
	}
	return end;
}

uint32_t match_bits_take(const struct match_bits *b, uint32_t *at, uint32_t end, uint32_t *out,
			 uint32_t max)
{
	uint32_t n = 0, word = *at / 64;
	uint64_t bits = b->may && *at < end ? b->may[word] & ~UINT64_C(0) << *at % 64 : 0;

	while (b->may && word * 64 < end && n < max) {
		for (; bits && n < max; bits &= bits - 1)
			out[n++] = word * 64 + (uint32_t)__builtin_ctzll(bits);
		if (!bits && ++word * 64 < end)
			bits = b->may[word];
	}
	while (n && out[n - 1] >= end)
		n--;
	*at = n == max ? out[n - 1] + 1 : end;
	return n;
}

uint32_t match_bits_before(const struct match_bits *b, uint32_t at, uint32_t end)
{
	while (b->may && at < end) {
		uint32_t last = end - 1;
		uint64_t word = b->may[last / 64] << (63 - last % 64);
		if (word) {
			end -= (uint32_t)__builtin_clzll(word);
			return end > at ? end : at;
		}
		end = last / 64 * 64;
	}
	return at;
}

const struct match_bits *match_bits_of(const struct match *m, size_t segment)
{
	return &m->bits[segment];
}

static uint32_t count_bits(const uint64_t *bits, uint32_t from, uint32_t end)
{
	uint32_t n = 0;

	for (uint32_t i = from / 64; bits && from < end && i <= (end - 1) / 64; i++) {
		uint64_t word = bits[i];
		if (i == from / 64)
			word &= ~UINT64_C(0) << from % 64;
		if (i == (end - 1) / 64)
			word &= ~UINT64_C(0) >> (63 - (end - 1) % 64);
		n += word ? ones_of(word) : 0; /* most have none */
	}
	return n;
}

const struct state_resource *match_resource(const struct match *m)
{
	return m->resource;
}

struct store *match_store(const struct match *m)
{
	return m->view->store;
}

bool match_alone(const struct match *m, uint32_t segment, uint32_t ordinal)
{
	return match_bits_has(m->bits[segment].alone, ordinal);
}

/* ---- making one ---- */

static bool has_not(const struct search_node *n)
{
	for (const struct search_node *c = n->child; c; c = c->next)
		if (has_not(c))
			return true;
	return n->op == SEARCH_NOT;
}

int match_new(struct snapshot *v, const char *resource, const struct search *s, struct match **out)
{
	struct match *m = calloc(1, sizeof *m);

	if (!m)
		return ERR_NOMEM;
	m->view = v;
	m->search = s;
	m->negates = has_not(s->root);
	m->schema = schema_find(&v->store->schemas, resource);
	m->resource = state_find(v->state, resource);
	for (unsigned i = 0; m->schema && i < m->schema->count; i++)
		if (kind_has_words(m->schema->fields[i].kind))
			m->asked[m->asked_count++] = (uint8_t)i;
	m->bits = calloc((m->resource ? m->resource->count : 0) + 1, sizeof *m->bits);
	m->places = calloc((size_t)s->count * m->asked_count + 1, sizeof *m->places);
	m->keys = calloc((size_t)s->count * m->asked_count + 1, sizeof *m->keys);
	if (!m->bits || !m->places || !m->keys) {
		match_free(m);
		return ERR_NOMEM;
	}
	/* Where nothing has words, none are found. */
	for (size_t i = 0; !m->asked_count && m->resource && i < m->resource->count; i++)
		m->bits[i].ready = true;
	*out = m;
	return 0;
}

static void drop_rooms(struct match *m)
{
	for (unsigned i = 0; i < SEARCH_WORDS_MAX; i++) {
		free(m->has[i]);
		m->has[i] = NULL;
	}
	free(m->unknown);
	m->unknown = NULL;
	m->room = 0;
}

void match_free(struct match *m)
{
	if (!m)
		return;
	for (size_t i = 0; m->bits && m->resource && i < m->resource->count; i++) {
		free(m->bits[i].may);
		free(m->bits[i].must);
		free(m->bits[i].alone);
	}
	drop_rooms(m);
	free(m->places);
	free(m->keys);
	free(m->bits);
	free(m);
}

static struct segment *segment_at(const struct match *m)
{
	return m->resource->segments[m->at].segment;
}

static size_t words_for(const struct segment *g)
{
	return ((size_t)g->meta.records + 63) / 64;
}

static void end_segment(struct match *m)
{
	m->bits[m->at].ready = true;
	m->stage = STAGE_BEGIN;
}

/* The rows under way are ready. */
static void end_rows(struct match *m)
{
	struct match_bits *b = &m->bits[m->at];

	if (m->low == 0) {
		end_segment(m);
		return;
	}
	b->from = m->low;
	b->begun = true;
	m->stage = STAGE_BEGIN;
}

/* Which rows come next: all that are left, or the last of them. */
static void choose_rows(struct match *m)
{
	const struct match_bits *b = &m->bits[m->at];
	uint32_t records = segment_at(m)->meta.records;
	uint64_t listed = 0;
	bool prefixes = false;

	for (unsigned w = 0; w < m->search->count; w++) {
		prefixes |= m->search->words[w].prefix;
		for (unsigned i = 0; i < m->asked_count; i++)
			listed += m->places[w * m->asked_count + i].count;
	}
	m->low = 0;
	m->high = b->begun ? b->from : records;
	uint32_t rows = b->begun ? (records - b->from) * TAIL_TIMES : TAIL_ROWS;
	if (m->tails && !prefixes && listed > TAIL_LISTS && rows < m->high)
		m->low = (m->high - rows) / 64 * 64;
}

/* Empty bits for the segment; they are as large as the largest one so far. */
static int make_rooms(struct match *m)
{
	size_t words = words_for(segment_at(m)), first = m->low / 64, end = (m->high + 63) / 64;

	if (words > m->room) {
		drop_rooms(m);
		m->unknown = malloc(words * sizeof *m->unknown);
		for (unsigned i = 0; i < m->search->count; i++)
			m->has[i] = malloc(words * sizeof *m->has[i]);
		m->room = words;
	}
	bool complete = m->unknown;
	for (unsigned i = 0; i < m->search->count; i++)
		complete &= m->has[i] != NULL;
	if (!complete) {
		drop_rooms(m);
		return ERR_NOMEM;
	}
	memset(m->unknown + first, 0, (end - first) * sizeof *m->unknown);
	for (unsigned i = 0; i < m->search->count; i++)
		memset(m->has[i] + first, 0, (end - first) * sizeof *m->has[i]);
	return 0;
}

static bool knows_fields(const struct match *m)
{
	for (unsigned i = 0; i < m->asked_count; i++)
		if (segment_at(m)->fields[m->asked[i]] == FIELD_ABSENT)
			return false;
	return true;
}

static int make_bits(struct match_bits *b, size_t words)
{
	if (!b->may)
		b->may = calloc(words, sizeof *b->may);
	if (!b->must)
		b->must = calloc(words, sizeof *b->must);
	return b->may && b->must ? 0 : ERR_NOMEM;
}

/* Puts bits to others. How many were not there. */
static uint32_t add_bits(uint64_t *to, const uint64_t *bits, size_t first, size_t end)
{
	uint32_t n = 0;

	for (size_t i = first; i < end; i++) {
		uint64_t added = bits[i] & ~to[i];
		to[i] |= added;
		n += added ? ones_of(added) : 0;
	}
	return n;
}

/* Puts what was computed for the segment to what was added. */
static int keep_bits(struct match *m, const uint64_t *may, const uint64_t *must)
{
	struct match_bits *b = &m->bits[m->at];
	size_t words = words_for(segment_at(m)), first = m->low / 64, end = (m->high + 63) / 64;
	uint64_t any = 0, unsure = 0;

	for (size_t i = first; i < end; i++) {
		any |= may[i];
		unsure |= may[i] ^ must[i];
	}
	if (!any)
		return 0;
	if (make_bits(b, words) ||
	    (unsure && !b->alone && !(b->alone = calloc(words, sizeof *b->alone))))
		return ERR_NOMEM;
	if (b->alone)
		memcpy(b->alone + first, may + first, (end - first) * sizeof *may);
	/* What was added is among them. */
	uint32_t may_count = add_bits(b->may, may, first, end);
	uint32_t must_count = add_bits(b->must, must, first, end);
	b->may_count += may_count;
	b->must_count += must_count;
	m->may += may_count;
	m->must += must_count;
	return 0;
}

/* Rows that are gone, and bits behind the last row. */
static void drop_dead(const struct match *m, uint64_t *bits)
{
	const struct state_segment *e = &m->resource->segments[m->at];

	if (m->high % 64)
		bits[m->high / 64] &= ~UINT64_C(0) >> (64 - m->high % 64);
	for (uint32_t i = m->low / 8; e->dead && i < m->high / 8; i++)
		bits[i / 8] &= ~((uint64_t)e->dead->bits[i] << i % 8 * 8);
	for (uint32_t i = m->high / 8 * 8; e->dead && i < m->high; i++)
		if (dead_has(e->dead, i))
			bits[i / 64] &= ~(UINT64_C(1) << i % 64);
}

/* A segment from before the fields: all rows are possible. */
static int keep_all(struct match *m)
{
	uint32_t records = segment_at(m)->meta.records;

	m->low = 0;
	m->high = records;
	int rc = make_rooms(m);
	if (rc)
		return rc;
	for (uint32_t i = 0; i < records; i++)
		set_bit(m->unknown, i);
	drop_dead(m, m->unknown);
	memset(m->has[0], 0, words_for(segment_at(m)) * sizeof *m->has[0]);
	return keep_bits(m, m->unknown, m->has[0]);
}

/* The next one is beside this one, whichever way it goes. */
static void expect_next(const struct match *m)
{
	size_t words = m->search->count * (size_t)m->asked_count;

	for (size_t i = m->at ? m->at - 1 : 0; i <= m->at + 1 && i < m->resource->count; i++)
		for (size_t k = 0; !m->bits[i].ready && i != m->at && k < words; k++)
			if (m->keys[k].known)
				vocabulary_expect(m->resource->segments[i].segment, &m->keys[k].key);
}

/* ---- finding ---- */

/* A word in a field as the segment spells it. */
static struct bytes spell(const struct match *m, unsigned field, uint8_t room[SEGMENT_TERM_MAX])
{
	struct bytes term = m->search->words[m->word].term;

	room[0] = segment_at(m)->fields[m->asked[field]];
	memcpy(room + 1, term.data, term.len);
	return bytes_of(room, term.len + 1);
}

static bool can_hold(const struct match *m, const struct search_node *n)
{
	const struct search_node *c = n->child;

	switch (n->op) {
	case SEARCH_PHRASE:
		for (unsigned i = 0; i < n->count; i++)
			if (!m->present[n->first + i])
				return false;
		return true;
	case SEARCH_NOT: return true;
	case SEARCH_ALL:
		while (c && can_hold(m, c))
			c = c->next;
		return !c;
	default:
		while (c && !can_hold(m, c))
			c = c->next;
		return c;
	}
}

static const struct bloom_key *key_of(struct match *m, unsigned field, struct bytes term)
{
	struct word_key *k = &m->keys[m->word * m->asked_count + field];

	if (!k->known || k->field != term.data[0])
		*k = (struct word_key){true, term.data[0], bloom_key(bytes_hash(term))};
	return &k->key;
}

static struct posting_place *place_of(struct match *m, unsigned field)
{
	return &m->places[m->word * m->asked_count + field];
}

/* All words are asked for in memory before any is looked for in the file. */
static void ask_vocabulary(struct match *m)
{
	uint8_t room[SEGMENT_TERM_MAX];

	for (m->word = 0; m->word < m->search->count; m->word++) {
		m->in[m->word] = 0;
		m->present[m->word] = m->search->words[m->word].prefix;
		if (m->present[m->word])
			continue;
		for (unsigned i = 0; i < m->asked_count; i++) {
			const struct bloom_key *key = key_of(m, i, spell(m, i, room));
			m->in[m->word] |= (uint64_t)vocabulary_may_have(segment_at(m), key) << i;
		}
		m->present[m->word] = m->in[m->word] != 0;
	}
	m->word = 0;
}

static void begin_finding(struct match *m)
{
	ask_vocabulary(m);
	m->stage = STAGE_FIND;
	if (!m->some_unknown && !can_hold(m, m->search->root))
		end_segment(m);
}

static int begin_rows(struct match *m)
{
	m->word = m->field = 0;
	m->reading = false;
	m->stage = STAGE_READ;
	choose_rows(m);
	return make_rooms(m);
}

static int begin_segment(struct match *m)
{
	if (m->found)
		return begin_rows(m);
	if (segment_live(&m->resource->segments[m->at]) == 0) {
		end_segment(m);
		return 0;
	}
	int rc = segment_fields(segment_at(m), m->view->store->pages, m->schema);
	if (rc)
		return rc;
	if (!knows_fields(m)) {
		rc = keep_all(m);
		end_segment(m);
		return rc;
	}
	m->some_unknown = segment_at(m)->more_terms;
	expect_next(m);
	begin_finding(m);
	return 0;
}

/* Where the word's lists are. Words that were not looked for yet count as present if they may be: one that is not may end it. */
static int find_word(struct match *m, unsigned *cost)
{
	uint8_t room[SEGMENT_TERM_MAX];
	bool prefix = m->search->words[m->word].prefix;
	int rc = 0;

	m->present[m->word] = prefix;
	for (unsigned i = 0; !prefix && i < m->asked_count; i++) {
		place_of(m, i)->count = 0;
		if (!(m->in[m->word] >> i & 1))
			continue;
		rc = terms_find(segment_at(m), m->view->store->pages, spell(m, i, room), &m->list);
		if (rc < 0)
			return rc;
		posting_place(&m->list, place_of(m, i));
		m->present[m->word] |= rc == 1;
		*cost += FIND_COST;
	}
	if (!m->present[m->word] && !m->some_unknown && !can_hold(m, m->search->root)) {
		end_segment(m);
		return 0;
	}
	if (++m->word < m->search->count)
		return 0;
	m->found = true;
	return begin_rows(m);
}

/* ---- reading ---- */

/* Up to READ_MAX ordinals of what is wanted of the list. 1: there are more. */
static int read_list(struct match *m, uint64_t *bits, unsigned *cost)
{
	uint32_t end = m->stop - m->next > READ_MAX ? m->next + READ_MAX : m->stop;
	const uint32_t *ordinals;
	uint32_t n;

	*cost += (end - m->next) / ORDINALS;
	while (m->next < end) {
		int rc = posting_from(&m->list, m->next, &ordinals, &n);
		if (rc)
			return rc;
		n = n < end - m->next ? n : end - m->next;
		for (uint32_t i = 0; i < n; i++)
			set_bit(bits, ordinals[i]);
		m->next += n;
	}
	return m->next < m->stop;
}

/* Of the list, what it has of the rows under way. */
static int want_list(struct match *m)
{
	int rc = 0;

	m->next = 0;
	m->stop = m->list.count;
	if (m->high < segment_at(m)->meta.records)
		rc = posting_rank(&m->list, m->high, &m->stop);
	if (!rc && m->low)
		rc = posting_rank(&m->list, m->low, &m->next);
	return rc;
}

static int begin_list(struct match *m)
{
	posting_resume(&m->list, segment_at(m), m->view->store->pages, place_of(m, m->field));
	return want_list(m);
}

/* Some of the terms that begin so. 1: there are more. */
static int read_range(struct match *m, uint64_t *bits, unsigned *cost)
{
	uint8_t room[SEGMENT_TERM_MAX];
	struct bytes from = spell(m, m->field, room);
	uint32_t read = 0;

	*cost += PAGE_COST;
	for (unsigned i = 0; i < TERMS_MAX && read < READ_MAX; i++) {
		if (m->next < m->stop) {
			uint32_t before = m->next;
			int rc = read_list(m, bits, cost);
			read += m->next - before;
			if (rc)
				return rc;
		}
		int rc = term_cursor_next(&m->cursor);
		if (rc <= 0)
			return rc;
		size_t same = m->cursor.len < from.len ? m->cursor.len : from.len;
		int order = memcmp(m->cursor.term, from.data, same);
		if (order > 0)
			return 0;
		m->list = m->cursor.list;
		m->next = m->stop = 0;
		rc = order == 0 && same == from.len ? want_list(m) : 0;
		if (rc)
			return rc;
	}
	return 1;
}

static int begin_range(struct match *m)
{
	uint8_t room[SEGMENT_TERM_MAX];

	term_cursor_init(&m->cursor, segment_at(m), m->view->store->pages);
	m->next = m->stop = 0;
	return term_cursor_seek(&m->cursor, spell(m, m->field, room));
}

static int read_unknown(struct match *m)
{
	static const uint8_t more = 0;
	unsigned cost = 0;
	int rc = terms_find(segment_at(m), m->view->store->pages, bytes_of(&more, 1), &m->list);

	if (rc <= 0)
		return rc;
	rc = want_list(m);
	if (rc == 0)
		do
			rc = read_list(m, m->unknown, &cost);
		while (rc > 0);
	return rc;
}

static void next_field(struct match *m)
{
	m->reading = false;
	if (++m->field < m->asked_count)
		return;
	m->field = 0;
	if (++m->word == m->search->count)
		m->stage = STAGE_JOIN;
}

/* A part of a word's field. */
static int read_some(struct match *m, unsigned *cost)
{
	bool prefix = m->search->words[m->word].prefix;
	int rc = 0;

	*cost += prefix || place_of(m, m->field)->count > ORDINALS ? FIND_COST : 0;
	if (!m->reading && prefix)
		rc = begin_range(m);
	else if (!m->reading)
		rc = begin_list(m);
	m->reading = true;
	if (!rc)
		rc = prefix ? read_range(m, m->has[m->word], cost)
			    : read_list(m, m->has[m->word], cost);
	if (rc == 0)
		next_field(m);
	return rc < 0 ? rc : 0;
}

/* ---- joining ---- */

#define SPAN 16u /* words of bits that are computed together */

struct span {
	uint64_t may[SPAN], must[SPAN];
};

static void phrase_at(const struct match *m, const struct search_node *n, size_t at, size_t words,
		      struct span *out)
{
	for (size_t i = 0; i < words; i++) {
		uint64_t all = ~UINT64_C(0);
		for (unsigned k = 0; k < n->count; k++)
			all &= m->has[n->first + k][at + i];
		out->may[i] = all | m->unknown[at + i];
		out->must[i] = n->count == 1 ? all : 0;
	}
}

/* For 64 rows of each word. The search's depth is limited where it is parsed. */
static void hold_at(const struct match *m, const struct search_node *n, size_t at, size_t words,
		    struct span *out)
{
	bool any = n->op == SEARCH_ANY;
	struct span p;

	if (n->op == SEARCH_PHRASE) {
		phrase_at(m, n, at, words, out);
		return;
	}
	memset(out, any ? 0 : 0xff, sizeof *out);
	for (const struct search_node *c = n->child; c; c = c->next) {
		hold_at(m, c, at, words, &p);
		for (size_t i = 0; i < words; i++) {
			out->may[i] = any ? out->may[i] | p.may[i] : out->may[i] & p.may[i];
			out->must[i] = any ? out->must[i] | p.must[i] : out->must[i] & p.must[i];
		}
	}
	for (size_t i = 0; n->op == SEARCH_NOT && i < words; i++) {
		uint64_t may = out->may[i];
		out->may[i] = ~out->must[i];
		out->must[i] = ~may;
	}
}

static int join_segment(struct match *m, unsigned *cost)
{
	size_t first = m->low / 64, end = (m->high + 63) / 64;
	struct span span;
	int rc = m->some_unknown ? read_unknown(m) : 0;

	for (size_t i = first; !rc && i < end; i += SPAN) {
		size_t n = end - i < SPAN ? end - i : SPAN;
		hold_at(m, m->search->root, i, n, &span);
		memcpy(m->unknown + i, span.may, n * sizeof *span.may);
		memcpy(m->has[0] + i, span.must, n * sizeof *span.must);
	}
	*cost += (unsigned)(end - first) / WORDS_UNIT;
	if (!rc) {
		drop_dead(m, m->unknown);
		drop_dead(m, m->has[0]);
		rc = keep_bits(m, m->unknown, m->has[0]);
		m->bits[m->at].listed = !m->some_unknown && !m->negates;
	}
	end_rows(m);
	return rc;
}

/* As match_segment_step, and 0 also when more rows are ready than before, if only the last are wanted. */
static int get_ready(struct match *m, size_t segment, bool tails, unsigned *cost)
{
	uint32_t before = match_bits_ready(&m->bits[segment]);
	int rc = m->error;

	*cost += 1;
	if (rc || m->bits[segment].ready)
		return rc;
	m->found &= m->at == segment;
	if (m->at != segment || m->tails != tails)
		m->stage = STAGE_BEGIN;
	m->at = segment;
	m->tails = tails;
	switch (m->stage) {
	case STAGE_BEGIN: rc = begin_segment(m); break;
	case STAGE_FIND: rc = find_word(m, cost); break;
	case STAGE_READ: rc = read_some(m, cost); break;
	default: rc = join_segment(m, cost); break;
	}
	if (rc) {
		m->error = store_trouble(m->view->store, rc);
		return m->error;
	}
	return !m->bits[segment].ready && (!tails || match_bits_ready(&m->bits[segment]) == before);
}

int match_segment_step(struct match *m, size_t segment, unsigned *cost)
{
	return get_ready(m, segment, false, cost);
}

int match_tail_step(struct match *m, size_t segment, unsigned *cost)
{
	return get_ready(m, segment, true, cost);
}

int match_step(struct match *m, unsigned *cost)
{
	while (m->resource && m->first < m->resource->count && m->bits[m->first].ready)
		m->first++;
	if (!m->resource || m->first == m->resource->count) {
		drop_rooms(m);
		return m->error;
	}
	int rc = match_segment_step(m, m->first, cost);
	return rc < 0 ? rc : 1;
}

/* ---- what is known ---- */

uint64_t match_rows(const struct match *m)
{
	return m->may;
}

uint64_t match_segments(const struct match *m)
{
	uint64_t n = 0;

	for (size_t i = 0; m->resource && i < m->resource->count; i++)
		n += !match_bits_none(&m->bits[i]);
	return n;
}

static int count_in(struct match *m, size_t at, int64_t start_ms, int64_t end_ms, uint64_t *count)
{
	struct segment *g = m->resource->segments[at].segment;
	struct pages *p = m->view->store->pages;
	uint32_t first = 0, end = g->meta.records;
	int rc = 0;

	if (start_ms != TIME_MIN || end_ms != TIME_MAX)
		rc = segment_seek_created(g, p, start_ms, 0, &first);
	if (!rc && end_ms != TIME_MAX)
		rc = segment_seek_created(g, p, end_ms, 0, &end);
	*count += count_bits(m->bits[at].must, first, end);
	return rc;
}

int match_count(struct match *m, int64_t start_ms, int64_t end_ms, uint64_t *count_out)
{
	uint64_t count = 0;
	int rc = 0;

	if (m->may != m->must)
		return 0;
	for (size_t i = 0; !rc && m->resource && i < m->resource->count; i++)
		if (m->bits[i].must_count)
			rc = count_in(m, i, start_ms, end_ms, &count);
	*count_out = count;
	return rc ? store_trouble(m->view->store, rc) : 1;
}

/* ---- hits ---- */

static int hit_of(struct match *m, size_t segment, uint32_t ordinal, struct match_hit *out,
		  unsigned *flags)
{
	struct row row;
	int rc = segment_row(m->resource->segments[segment].segment, m->view->store->pages, ordinal,
			     &m->hint, &row);

	if (rc)
		return rc;
	*flags = row.flags;
	*out = (struct match_hit){
		.parent = row.parent_hash,
		.created_ms = row.created_ms,
		.id_hash = row.id_hash,
		.segment = (uint32_t)segment,
		.ordinal = ordinal,
		.sure = match_bits_has(m->bits[segment].must, ordinal),
	};
	return 0;
}

static int children_in(struct match *m, size_t segment, uint64_t parent, struct buf *hits)
{
	struct segment *g = m->resource->segments[segment].segment;
	struct pages *p = m->view->store->pages;
	uint32_t at = 0, hint = 0;
	struct match_hit hit;
	struct child child;
	unsigned flags;
	int rc = segment_may_have_children(g, p, parent);

	if (rc != 1)
		return rc;
	rc = segment_seek_child(g, p, parent, TIME_NONE, 0, &at);
	for (; !rc && at < g->sections[SECTION_PARENTS].elements; at++) {
		rc = segment_child(g, p, at, &hint, &child);
		if (rc || child.parent_hash != parent)
			break;
		if (!match_bits_has(m->bits[segment].may, child.ordinal))
			continue;
		rc = hit_of(m, segment, child.ordinal, &hit, &flags);
		if (!rc && !(flags & RECORD_DELETED))
			buf_put(hits, &hit, sizeof hit);
	}
	return rc;
}

static int newest_first(const void *a, const void *b)
{
	const struct match_hit *x = a, *y = b;

	if (x->created_ms != y->created_ms)
		return x->created_ms > y->created_ms ? -1 : 1;
	return (x->id_hash < y->id_hash) - (x->id_hash > y->id_hash);
}

int match_children(struct match *m, uint64_t parent, struct buf *hits)
{
	int rc = 0;

	for (size_t i = 0; !rc && m->resource && i < m->resource->count; i++)
		if (m->bits[i].may_count)
			rc = children_in(m, i, parent, hits);
	if (!rc)
		rc = hits->error;
	if (rc)
		return store_trouble(m->view->store, rc);
	if (hits->len)
		qsort(hits->data, hits->len / sizeof(struct match_hit), sizeof(struct match_hit),
		      newest_first);
	return 0;
}

int match_record(struct match *m, const struct match_hit *hit, struct buf *memory, struct record *out)
{
	struct store *store = m->view->store;
	struct segment *g = m->resource->segments[hit->segment].segment;
	struct buf frame = {0};
	struct row row;
	int rc = segment_row(g, store->pages, hit->ordinal, &m->hint, &row);

	if (!rc)
		rc = segment_frame(g, store->pages, &row, &frame);
	rc = rc ? store_trouble(store, rc)
		: lookup_record(store, g, &row, buf_bytes(&frame), memory, out);
	buf_release(&frame);
	return rc;
}

/* ---- adding ---- */

int match_mark(struct match *m, size_t segment, uint32_t ordinal, bool sure)
{
	struct match_bits *b = &m->bits[segment];

	if (make_bits(b, words_for(m->resource->segments[segment].segment)))
		return ERR_NOMEM;
	if (!match_bits_has(b->may, ordinal)) {
		set_bit(b->may, ordinal);
		b->may_count++;
		m->may++;
	}
	if (sure && !match_bits_has(b->must, ordinal)) {
		set_bit(b->must, ordinal);
		b->must_count++;
		m->must++;
	}
	return 0;
}

/* 1: it is there; a tombstone is nothing. */
static int add_in(struct match *m, size_t segment, uint64_t id_hash, bool sure, int64_t *created_out)
{
	const struct state_segment *e = &m->resource->segments[segment];
	bool whole = created_out || e->tombstones;
	struct found found;
	int rc = whole ? lookup_hash_in(m->view->store, e, id_hash, &found)
		       : lookup_place_in(m->view->store, e, id_hash, &found.ordinal);

	if (rc != 1 || (whole && found.row.flags & RECORD_DELETED))
		return rc;
	m->added = segment;
	if (created_out)
		*created_out = found.row.created_ms;
	rc = match_mark(m, segment, found.ordinal, sure);
	return rc ? rc : 1;
}

static bool may_be_in(const struct match *m, size_t segment, int64_t before_ms)
{
	const struct segment_meta *meta = &m->resource->segments[segment].segment->meta;

	return meta->untimed || meta->ranges[RANGE_CREATED].min <= before_ms;
}

int match_add(struct match *m, uint64_t parent, bool sure, int64_t latest_ms, int64_t *created_out)
{
	size_t count = m->resource ? m->resource->count : 0;

	/* Children call the record whose hash is 0 by 1, too. */
	for (uint64_t hash = parent;; hash = 0) {
		int rc = m->added < count ? add_in(m, m->added, hash, sure, created_out) : 0;
		for (size_t i = count, last = m->added; !rc && i-- > 0;)
			if (i != last && may_be_in(m, i, latest_ms))
				rc = add_in(m, i, hash, sure, created_out);
		if (rc)
			return rc < 0 ? store_trouble(m->view->store, rc) : 1;
		if (hash != 1)
			return 0;
	}
}
