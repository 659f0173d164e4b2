/*
 * terms_write: the terms of all sources in one order, each with the rows of the new segment that
 * have it.
 *
 * Lists go to the file as they come; the pages of the tree wait in memory until the last list is
 * written. A list of another segment is taken over through a map of its ordinals, without its
 * records.
 */
#include "terms.h"
#include "bits.h"
#include "extract.h"

#include <assert.h>
#include <stdlib.h>

#define NOT_TAKEN UINT32_MAX

/* The terms of one source in their order. */
struct stream {
	const struct extract *extract; /* NULL: a segment's */
	uint32_t *order;               /* of the extract's terms */
	uint32_t *starts, *rows;       /* of its terms: their rows in the new segment */
	uint32_t at;
	uint32_t *map; /* from the segment's ordinals */
	struct term_cursor cursor;
	bool open;      /* `term` is to come */
	uint64_t first; /* bytes of it */
	struct bytes term;
};

struct tree {
	struct buf pages;  /* SEGMENT_PAGE_ROOM bytes each */
	struct buf firsts; /* the first term of each page of this level: u8 length, bytes */
	uint32_t count;    /* of pages */
	unsigned level;
	/* The page under way. */
	uint8_t page[SEGMENT_PAGE_ROOM];
	uint32_t used, entries;
	uint8_t term[SEGMENT_TERM_MAX];
	size_t len;
};

/* ---- the tree ---- */

static void tree_flush(struct tree *t)
{
	if (t->entries == 0)
		return;
	memset(t->page + t->used, 0, sizeof t->page - t->used);
	put_le16(t->page, (uint16_t)t->level);
	put_le16(t->page + 2, (uint16_t)t->entries);
	put_le16(t->page + 4, (uint16_t)t->used);
	buf_put(&t->pages, t->page, sizeof t->page);
	t->count++;
	t->entries = 0;
}

/* An entry: its term in front of `tail`. */
static void tree_add(struct tree *t, struct bytes term, struct bytes tail)
{
	size_t shared = 0;

	if (t->entries && t->used + 2 + term.len + tail.len > sizeof t->page)
		tree_flush(t);
	if (t->entries == 0) {
		t->used = SEGMENT_TERMS_HEAD;
		t->len = 0;
		buf_put_byte(&t->firsts, (uint8_t)term.len);
		buf_put_bytes(&t->firsts, term);
	}
	while (shared < t->len && shared < term.len && t->term[shared] == term.data[shared])
		shared++;
	uint8_t *at = t->page + t->used;
	*at++ = (uint8_t)shared;
	*at++ = (uint8_t)(term.len - shared);
	memcpy(at, term.data + shared, term.len - shared);
	at += term.len - shared;
	memcpy(at, tail.data, tail.len);
	t->used = (uint32_t)(at + tail.len - t->page);
	t->entries++;
	memcpy(t->term, term.data, term.len);
	t->len = term.len;
}

/* Levels above the leaves until one page holds all. */
static void tree_end(struct tree *t)
{
	uint32_t first = 0;

	tree_flush(t);
	while (t->count - first > 1 && !t->pages.error && !t->firsts.error) {
		struct buf below = t->firsts;
		uint32_t end = t->count;
		size_t at = 0;
		t->firsts = (struct buf){0};
		t->level++;
		assert(t->level < SEGMENT_LEVELS_MAX);
		for (uint32_t page = first; page < end; page++) {
			uint8_t number[LEB_MAX];
			size_t len = below.data[at];
			/* What lies before the first term is looked for there, too. */
			struct bytes term = bytes_of(below.data + at + 1, page == first ? 0 : len);
			tree_add(t, term, bytes_of(number, leb_put(number, page)));
			at += 1 + len;
		}
		tree_flush(t);
		first = end;
		buf_release(&below);
	}
}

/* ---- lists ---- */

static void put_block(struct pager *p, const uint32_t *values, uint32_t n)
{
	uint8_t head[1 + LEB_MAX];
	uint32_t widest = 0;

	for (uint32_t i = 1; i < n; i++)
		widest |= values[i] - values[i - 1] - 1;
	unsigned width = bits_width(widest);
	head[0] = (uint8_t)width;
	pager_put(p, head, 1 + leb_put(head + 1, values[0]));
	for (uint32_t i = 1; width && i < n; i++)
		pager_pack(p, values[i] - values[i - 1] - 1, width);
	pager_pack_end(p);
}

/* The bytes that put_block makes. */
static uint32_t block_bytes(const uint32_t *values, uint32_t n)
{
	uint8_t first[LEB_MAX];
	uint32_t widest = 0;

	for (uint32_t i = 1; i < n; i++)
		widest |= values[i] - values[i - 1] - 1;
	return (uint32_t)(1 + leb_put(first, values[0]) + bits_bytes(n - 1, bits_width(widest)));
}

static uint32_t block_size(uint32_t count, uint32_t at)
{
	return count - at < SEGMENT_POST_BLOCK ? count - at : SEGMENT_POST_BLOCK;
}

static void put_list(struct pager *p, const uint32_t *values, uint32_t count)
{
	uint32_t offset = 0;

	for (uint32_t i = 0; count > SEGMENT_POST_BLOCK && i < count; i += SEGMENT_POST_BLOCK) {
		uint8_t skip[8];
		put_le32(skip, values[i]);
		put_le32(skip + 4, offset);
		pager_put(p, skip, sizeof skip);
		offset += block_bytes(values + i, block_size(count, i));
	}
	for (uint32_t i = 0; i < count; i += SEGMENT_POST_BLOCK)
		put_block(p, values + i, block_size(count, i));
}

static void put_term(struct pager *p, struct tree *t, struct bytes term, const uint32_t *values,
		     uint32_t count)
{
	uint8_t tail[(2 + SEGMENT_INLINE_MAX) * LEB_MAX];
	size_t n = leb_put(tail, count);

	if (count <= SEGMENT_INLINE_MAX) {
		for (uint32_t i = 0; i < count; i++)
			n += leb_put(tail + n, i ? values[i] - values[i - 1] - 1 : values[i]);
	} else {
		n += leb_put(tail + n, p->section->elements);
		put_list(p, values, count);
	}
	tree_add(t, term, bytes_of(tail, n));
}

/* ---- sources ---- */

/* A term by its first bytes, and by all where these are the same. */
struct sorting {
	uint64_t first;
	uint32_t term;
};

static int by_term(const void *a, const void *b, void *ctx)
{
	const struct sorting *x = a, *y = b;
	const struct extract *terms = ctx;

	return bytes_compare(extract_term(terms, x->term), extract_term(terms, y->term));
}

/* By one byte of the first ones, lowest first, into `to`: keeps the order of those that have the
 * same. False: all have, and nothing moved. */
static bool spread(const struct sorting *from, struct sorting *to, uint32_t n, unsigned shift)
{
	uint32_t places[256] = {0}, at = 0;

	for (uint32_t i = 0; i < n; i++)
		places[from[i].first >> shift & 255]++;
	if (places[from[0].first >> shift & 255] == n)
		return false;
	for (unsigned b = 0; b < 256; b++) {
		uint32_t count = places[b];
		places[b] = at;
		at += count;
	}
	for (uint32_t i = 0; i < n; i++)
		to[places[from[i].first >> shift & 255]++] = from[i];
	return true;
}

static void sort_ties(struct sorting *s, uint32_t n, const struct extract *x)
{
	for (uint32_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && s[end].first == s[i].first;)
			end++;
		if (end - i > 1)
			qsort_r(s + i, end - i, sizeof *s, by_term, (void *)(uintptr_t)x);
	}
}

static int sort_terms(const struct extract *x, uint32_t *order)
{
	uint32_t n = x->terms_count;
	struct sorting *room = malloc(((size_t)n * 2 + 1) * sizeof *room), *s = room, *to = room + n;

	if (!room)
		return ERR_NOMEM;
	for (uint32_t t = 0; t < n; t++)
		s[t] = (struct sorting){term_key(extract_term(x, t)), t};
	for (unsigned shift = 0; n && shift < 64; shift += 8)
		if (spread(s, to, n, shift)) {
			struct sorting *spare = s;
			s = to;
			to = spare;
		}
	sort_ties(s, n, x);
	for (uint32_t t = 0; t < n; t++)
		order[t] = s[t].term;
	free(room);
	return 0;
}

/* The rows of each term: counted, then filled in the order of the new segment. */
static int stream_extract(struct stream *s, uint32_t source, const struct segment_place *rows,
			  uint32_t count)
{
	const struct extract *x = s->extract;
	uint32_t n = 0, total = 0;

	s->starts = calloc((size_t)x->terms_count + 2, sizeof *s->starts);
	s->order = malloc(((size_t)x->terms_count + 1) * sizeof *s->order);
	if (!s->starts || !s->order)
		return ERR_NOMEM;
	/* Counts stand two places on, so that after the sums starts[t + 1] is where t begins, and, when
	 * all are in, where it ends. */
	for (uint32_t i = 0; i < count; i++) {
		if (rows[i].index != source)
			continue;
		const uint32_t *ids = extract_terms(x, rows[i].index_row, &n);
		total += n;
		for (uint32_t k = 0; k < n; k++)
			s->starts[ids[k] + 2]++;
	}
	for (uint32_t t = 2; t < x->terms_count + 2; t++)
		s->starts[t] += s->starts[t - 1];
	s->rows = malloc(((size_t)total + 1) * sizeof *s->rows);
	if (!s->rows)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < count; i++) {
		if (rows[i].index != source)
			continue;
		const uint32_t *ids = extract_terms(x, rows[i].index_row, &n);
		for (uint32_t k = 0; k < n; k++)
			s->rows[s->starts[ids[k] + 1]++] = i;
	}
	return sort_terms(x, s->order);
}

static int stream_segment(struct stream *s, struct segment *g, struct pages *p, uint32_t source,
			  const struct segment_place *rows, uint32_t count)
{
	s->map = malloc(((size_t)g->meta.records + 1) * sizeof *s->map);
	if (!s->map)
		return ERR_NOMEM;
	memset(s->map, 0xff, (size_t)g->meta.records * sizeof *s->map);
	for (uint32_t i = 0; i < count; i++)
		if (rows[i].index == source)
			s->map[rows[i].index_row] = i;
	term_cursor_init(&s->cursor, g, p);
	return 0;
}

static int stream_next(struct stream *s)
{
	int rc = 1;

	if (s->extract) {
		s->open = s->at < s->extract->terms_count;
		if (s->open)
			s->term = extract_term(s->extract, s->order[s->at++]);
	} else {
		rc = term_cursor_next(&s->cursor);
		s->open = rc == 1;
		s->term = bytes_of(s->cursor.term, s->cursor.len);
	}
	s->first = s->open ? term_key(s->term) : 0;
	return rc < 0 ? rc : 0;
}

/* Appends the rows of the stream's term. */
static int stream_rows(struct stream *s, uint32_t *values, uint32_t *count, uint32_t room)
{
	uint32_t ordinal, first = *count;

	if (s->extract) {
		uint32_t t = s->order[s->at - 1], start = s->starts[t], end = s->starts[t + 1];
		memcpy(values + *count, s->rows + start, (end - start) * sizeof *values);
		*count += end - start;
		return 0;
	}
	for (uint32_t i = 0; i < s->cursor.list.count; i++) {
		int rc = posting_at(&s->cursor.list, i, &ordinal);
		if (rc)
			return rc;
		uint32_t row = s->map[ordinal];
		if (row == NOT_TAKEN)
			continue;
		/* Rows keep their order from segment to segment. */
		if (*count == room || (*count > first && row <= values[*count - 1]))
			return segment_note(s->cursor.segment, ERR_CORRUPT);
		values[(*count)++] = row;
	}
	return 0;
}

static void stream_release(struct stream *s)
{
	free(s->order);
	free(s->starts);
	free(s->rows);
	free(s->map);
}

/* ---- all terms ---- */

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Most differ in their first bytes. */
static bool is_before(const struct stream *a, const struct stream *b)
{
	return a->first != b->first ? a->first < b->first : bytes_compare(a->term, b->term) < 0;
}

static const struct stream *smallest(const struct stream *streams, uint32_t n)
{
	const struct stream *least = NULL;

	for (uint32_t i = 0; i < n; i++)
		if (streams[i].open && (!least || is_before(&streams[i], least)))
			least = &streams[i];
	return least;
}

/* Rows in one slice. */
#define SLICE 1024u

struct terms_writer {
	struct pager *pager;
	const struct segment_plan *plan;
	const struct segment_place *rows;
	uint32_t count;
	struct section *sections;
	struct tree tree;
	struct stream *streams;
	uint32_t begun; /* streams */
	uint32_t *values;
	uint64_t *marks; /* a bit a row, all clear between terms */
};

/* Sorted runs into one: few by comparing, many by marking them in a bitmap. */
static void sort_values(struct terms_writer *w, uint32_t n)
{
	uint32_t words = w->count / 64 + 1, at = 0;

	if (n < words / 16) {
		qsort(w->values, n, sizeof *w->values, by_number);
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		w->marks[w->values[i] / 64] |= UINT64_C(1) << (w->values[i] % 64);
	for (uint32_t i = 0; i < words; i++)
		for (; w->marks[i]; w->marks[i] &= w->marks[i] - 1)
			w->values[at++] = i * 64 + (uint32_t)__builtin_ctzll(w->marks[i]);
}

/* The least term of all streams. 1, 0 when there is none. `values` has room for every row: each has one
 * source only. */
static int merge_one(struct terms_writer *w, uint32_t *cost)
{
	const struct stream *least = smallest(w->streams, w->plan->sources_count);
	uint8_t term[SEGMENT_TERM_MAX];
	uint32_t count = 0, parts = 0;
	int rc = 0;

	if (!least)
		return 0;
	size_t len = least->term.len;
	uint64_t first = least->first;
	memcpy(term, least->term.data, len);
	for (uint32_t i = 0; !rc && i < w->plan->sources_count; i++) {
		struct stream *s = &w->streams[i];
		if (!s->open || s->first != first || !bytes_equal(s->term, bytes_of(term, len)))
			continue;
		parts++;
		rc = stream_rows(s, w->values, &count, w->count);
		if (!rc)
			rc = stream_next(s);
	}
	if (rc)
		return rc;
	*cost += 16 + count;
	if (count == 0)
		return 1;
	if (parts > 1)
		sort_values(w, count);
	put_term(w->pager, &w->tree, bytes_of(term, len), w->values, count);
	return 1;
}

static int write_tree(struct pager *p, struct tree *t)
{
	tree_end(t);
	int rc = t->pages.error ? t->pages.error : t->firsts.error;
	for (uint32_t i = 0; !rc && i < t->count; i++)
		memcpy(pager_next(p), t->pages.data + (size_t)i * SEGMENT_PAGE_ROOM,
		       SEGMENT_PAGE_ROOM);
	return rc;
}

/* The next stream, up to its first term. */
static int begin_stream(struct terms_writer *w)
{
	const struct segment_source *source = &w->plan->sources[w->begun];
	struct stream *s = &w->streams[w->begun];
	int rc;

	s->extract = source->extract;
	if (s->extract)
		rc = stream_extract(s, w->begun, w->rows, w->count);
	else
		rc = stream_segment(s, source->segment, w->plan->pages, w->begun, w->rows, w->count);
	w->begun++;
	return rc ? rc : stream_next(s);
}

struct terms_writer *terms_writer_new(struct pager *p, const struct segment_plan *plan,
				      const struct segment_place *rows, uint32_t count,
				      struct section *sections)
{
	struct terms_writer *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	*w = (struct terms_writer){
		.pager = p, .plan = plan, .rows = rows, .count = count, .sections = sections};
	w->streams = calloc(plan->sources_count + 1u, sizeof *w->streams);
	w->values = malloc(((size_t)count + 1) * sizeof *w->values);
	w->marks = calloc((size_t)count / 64 + 1, sizeof *w->marks);
	if (w->streams && w->values && w->marks)
		return w;
	terms_writer_free(w);
	return NULL;
}

int terms_writer_step(struct terms_writer *w)
{
	uint32_t cost = 0;
	int rc = 1;

	if (w->begun == 0)
		pager_begin(w->pager, &w->sections[SECTION_POSTINGS], 1);
	if (w->begun < w->plan->sources_count) {
		rc = begin_stream(w);
		return rc ? rc : 1;
	}
	while (rc == 1 && cost < SLICE)
		rc = merge_one(w, &cost);
	if (rc)
		return rc;
	pager_end(w->pager);
	pager_begin(w->pager, &w->sections[SECTION_TERMS], SEGMENT_PAGE_ROOM);
	rc = write_tree(w->pager, &w->tree);
	pager_end(w->pager);
	return rc;
}

void terms_writer_free(struct terms_writer *w)
{
	if (!w)
		return;
	for (uint32_t i = 0; w->streams && i < w->begun; i++)
		stream_release(&w->streams[i]);
	buf_release(&w->tree.pages);
	buf_release(&w->tree.firsts);
	free(w->streams);
	free(w->values);
	free(w->marks);
	free(w);
}
