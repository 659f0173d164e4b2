/* terms_read: from a term to its rows. Every page, length and ordinal is checked before it is used;
 * a walk through the tree only goes to pages before the one where it is. */
#include "terms.h"
#include "bits.h"
#include "fences.h"

#include <base/sorted.h>

#include <stdlib.h>

/* Entries of one page, one after the other. Borrows from the page. */
struct entries {
	const uint8_t *at, *end;
	uint32_t left;
	unsigned level;
	uint8_t term[SEGMENT_TERM_MAX];
	size_t len;
};

static bool entries_begin(struct entries *e, const uint8_t *page)
{
	uint32_t used = le16(page + 4);

	e->level = le16(page);
	e->left = le16(page + 2);
	e->len = 0;
	e->at = page + SEGMENT_TERMS_HEAD;
	e->end = page + used;
	return used >= SEGMENT_TERMS_HEAD && used <= SEGMENT_PAGE_ROOM &&
	       e->level < SEGMENT_LEVELS_MAX;
}

/* Reads the next entry's term; its number or list comes behind it. False: damaged. */
static bool entries_term(struct entries *e)
{
	if (e->end - e->at < 2)
		return false;
	size_t shared = e->at[0], own = e->at[1];
	e->at += 2;
	if (shared > e->len || shared + own > SEGMENT_TERM_MAX || own > (size_t)(e->end - e->at))
		return false;
	memcpy(e->term + shared, e->at, own);
	e->len = shared + own;
	e->at += own;
	e->left--;
	return true;
}

/* ---- lists ---- */

static bool inline_list(struct posting *l, struct entries *e)
{
	uint64_t next = 0, step;

	for (uint32_t i = 0; i < l->count; i++) {
		if (!leb_get(&e->at, e->end, &step) || step > UINT32_MAX)
			return false;
		next += step;
		if (next >= l->segment->meta.records)
			return false;
		l->values[i] = (uint32_t)next++;
	}
	l->block = 0;
	return true;
}

/* Of the leaf's entry whose term was read. */
static bool read_list(struct posting *l, struct entries *e)
{
	uint64_t count;

	l->block = UINT32_MAX;
	l->skips = 0;
	if (!leb_get(&e->at, e->end, &count) || count == 0 || count > l->segment->meta.records)
		return false;
	l->count = (uint32_t)count;
	if (l->count <= SEGMENT_INLINE_MAX)
		return inline_list(l, e);
	if (!leb_get(&e->at, e->end, &l->offset))
		return false;
	if (l->count > SEGMENT_POST_BLOCK)
		l->skips = (l->count + SEGMENT_POST_BLOCK - 1) / SEGMENT_POST_BLOCK;
	l->offset += (uint64_t)l->skips * 8;
	return l->offset <= l->segment->sections[SECTION_POSTINGS].elements;
}

static void list_init(struct posting *l, struct segment *g, struct pages *p)
{
	l->segment = g;
	l->pages = p;
	l->count = 0;
	l->skips = 0;
	l->offset = 0;
	l->block = UINT32_MAX;
	l->hint = 0;
}

static int skip_at(struct posting *l, uint32_t block, uint32_t *first, uint32_t *offset)
{
	uint8_t word[8];
	int rc = segment_stream(l->segment, l->pages, SECTION_POSTINGS,
				l->offset - (uint64_t)(l->skips - block) * 8, word, sizeof word,
				&l->hint);

	if (rc)
		return rc;
	*first = le32(word);
	*offset = le32(word + 4);
	return 0;
}

static bool decode(struct posting *l, struct bytes from, uint32_t n)
{
	const uint8_t *at = from.data, *end = from.data + from.len;
	uint64_t value = 0;

	if (from.len == 0)
		return false;
	unsigned width = *at++;
	if (width > 32 || !leb_get(&at, end, &value))
		return false;
	struct bytes packed = bytes_of(at, (size_t)(end - at));
	if (bits_bytes(n - 1, width) > packed.len || value >= l->segment->meta.records)
		return false;
	uint64_t bit = 0, mask = (UINT64_C(1) << width) - 1;
	uint32_t i = 1;
	l->values[0] = (uint32_t)value;
	/* The same without a look at where the span ends, as long as that is far. */
	for (; i < n && bit / 8 + sizeof bit <= packed.len; i++, bit += width) {
		value += (le64(packed.data + bit / 8) >> bit % 8 & mask) + 1;
		l->values[i] = (uint32_t)value;
	}
	for (; i < n; i++, bit += width) {
		value += bits_at(packed, bit, width) + 1;
		l->values[i] = (uint32_t)value;
	}
	return value < l->segment->meta.records;
}

static int load_block(struct posting *l, uint32_t block)
{
	uint32_t first, skip = 0, n = l->count - block * SEGMENT_POST_BLOCK;
	uint8_t room[1 + LEB_MAX + SEGMENT_POST_BLOCK * 4];
	uint64_t end = l->segment->sections[SECTION_POSTINGS].elements;
	int rc = 0;

	if (block == l->block)
		return 0;
	l->block = UINT32_MAX;
	n = n < SEGMENT_POST_BLOCK ? n : SEGMENT_POST_BLOCK;
	if (l->skips)
		rc = skip_at(l, block, &first, &skip);
	if (rc)
		return rc;
	uint64_t at = l->offset + skip;
	if (at >= end)
		return segment_note(l->segment, ERR_CORRUPT);
	size_t len = end - at < sizeof room ? (size_t)(end - at) : sizeof room;
	rc = segment_stream(l->segment, l->pages, SECTION_POSTINGS, at, room, len, &l->hint);
	if (rc)
		return rc;
	if (!decode(l, bytes_of(room, len), n))
		return segment_note(l->segment, ERR_CORRUPT);
	l->block = block;
	return 0;
}

int posting_at(struct posting *l, uint32_t i, uint32_t *ordinal_out)
{
	int rc = i < l->count ? load_block(l, i / SEGMENT_POST_BLOCK)
			      : segment_note(l->segment, ERR_CORRUPT);

	if (rc)
		return rc;
	*ordinal_out = l->values[i % SEGMENT_POST_BLOCK];
	return 0;
}

int posting_from(struct posting *l, uint32_t i, const uint32_t **ordinals_out, uint32_t *count_out)
{
	uint32_t ordinal, left = l->count - i, into = i % SEGMENT_POST_BLOCK;
	int rc = posting_at(l, i, &ordinal);

	if (rc)
		return rc;
	*ordinals_out = l->values + into;
	*count_out = left < SEGMENT_POST_BLOCK - into ? left : SEGMENT_POST_BLOCK - into;
	return 0;
}

/* The last block whose first ordinal is smaller; 0 when there is none. */
static int rank_block(struct posting *l, uint32_t ordinal, uint32_t *block_out)
{
	uint32_t low = 0, high = l->skips, first, skip;

	while (high - low > 1) {
		uint32_t mid = low + (high - low) / 2;
		int rc = skip_at(l, mid, &first, &skip);
		if (rc)
			return rc;
		if (first < ordinal)
			low = mid;
		else
			high = mid;
	}
	*block_out = low;
	return 0;
}

int posting_rank(struct posting *l, uint32_t ordinal, uint32_t *rank_out)
{
	uint32_t block = 0, n;
	int rc = 0;

	if (l->count == 0 || ordinal == 0) {
		*rank_out = 0;
		return 0;
	}
	/* Where it was last is where it is asked next. */
	if (l->block != UINT32_MAX && l->values[0] < ordinal &&
	    l->count - l->block * SEGMENT_POST_BLOCK > SEGMENT_POST_BLOCK &&
	    ordinal <= l->values[SEGMENT_POST_BLOCK - 1])
		block = l->block;
	else if (l->skips)
		rc = rank_block(l, ordinal, &block);
	if (!rc)
		rc = load_block(l, block);
	if (rc)
		return rc;
	n = l->count - block * SEGMENT_POST_BLOCK;
	if (n > SEGMENT_POST_BLOCK)
		n = SEGMENT_POST_BLOCK;
	*rank_out = block * SEGMENT_POST_BLOCK + (uint32_t)sorted_rank32(l->values, n, ordinal);
	return 0;
}

void posting_place(const struct posting *l, struct posting_place *out)
{
	*out = (struct posting_place){.count = l->count, .skips = l->skips, .offset = l->offset};
	if (l->count <= SEGMENT_INLINE_MAX)
		memcpy(out->values, l->values, l->count * sizeof *l->values);
}

void posting_resume(struct posting *l, struct segment *g, struct pages *p,
		    const struct posting_place *place)
{
	list_init(l, g, p);
	l->count = place->count;
	l->skips = place->skips;
	l->offset = place->offset;
	if (l->count > SEGMENT_INLINE_MAX)
		return;
	memcpy(l->values, place->values, sizeof place->values);
	l->block = 0;
}

/* ---- the tree ---- */

static int page_entries(struct segment *g, struct pages *p, uint32_t page, uint32_t *hint,
			struct entries *e)
{
	const uint8_t *bytes;
	int rc = segment_element(g, p, SECTION_TERMS, page, hint, &bytes);

	if (rc)
		return rc;
	return entries_begin(e, bytes) ? 0 : segment_note(g, ERR_CORRUPT);
}

/* The page below that may hold the term. */
static int descend(struct entries *e, struct bytes term, uint32_t *page)
{
	uint64_t below = UINT64_MAX, number;

	while (e->left) {
		if (!entries_term(e) || !leb_get(&e->at, e->end, &number))
			return ERR_CORRUPT;
		if (bytes_compare(bytes_of(e->term, e->len), term) > 0)
			break;
		below = number;
	}
	if (below >= *page)
		return ERR_CORRUPT;
	*page = (uint32_t)below;
	return 0;
}

#define LEB_GOES_ON UINT64_C(0x8080808080808080)

/* Most numbers have two bytes, but for the place of a list, which has three. Then the list's length follows from its count: the processor goes on with it
 * while it finds out whether that is right. 0: it is not. */
static inline unsigned usual_list(uint64_t word, unsigned count)
{
	static const struct {
		uint64_t looked_at, ends;
	} usual[] = {
		{0, 1},
		{UINT64_C(0x0000000000808080), UINT64_C(0x0000000000800080)},
		{UINT64_C(0x0000008080808080), UINT64_C(0x0000008000800080)},
		{UINT64_C(0x0080808080808080), UINT64_C(0x0080008000800080)},
	};

	if (count <= 3)
		return (~word & usual[count].looked_at) == usual[count].ends ? 2 * count + 1 : 0;
	return count > SEGMENT_INLINE_MAX && (~word & 0x80808080) == 0x80000080 ? 4 : 0;
}

/* Behind the list at `at`: its numbers are told apart by the bits that say that one goes on. NULL: damaged. */
static const uint8_t *skip_list(const uint8_t *at, const uint8_t *end)
{
	uint64_t count, word;

	if (end - at >= 8) {
		word = le64(at);
		unsigned bytes = usual_list(word, at[0]);
		if (bytes)
			return at + bytes;
		uint64_t ends = ~word & LEB_GOES_ON;
		count = word & 0xff;
		for (count = count <= SEGMENT_INLINE_MAX ? count : 1; count; count--)
			ends &= ends - 1;
		if (ends)
			return at + (__builtin_ctzll(ends) >> 3) + 1;
	}
	if (!leb_get(&at, end, &count))
		return NULL;
	uint64_t words = count <= SEGMENT_INLINE_MAX ? count : 1;
	while (words && leb_get(&at, end, &word))
		words--;
	return words ? NULL : at;
}

/* 1 found, 0 not there. Terms are not put together: as long as an entry shares more with the one
 * before it than that one does with what is sought, it is smaller, too; when it shares less, it is
 * larger. */
static int find_in_leaf(struct entries *e, struct bytes term, struct posting *l)
{
	const uint8_t *at = e->at, *end = e->end;
	size_t same = 0; /* bytes that the entry before has in common with what is sought */

	for (uint32_t left = e->left; left; left--) {
		if (end - at < 2)
			return ERR_CORRUPT;
		size_t shared = at[0], own = at[1];
		const uint8_t *text = at + 2;
		if (own > (size_t)(end - text))
			return ERR_CORRUPT;
		at = text + own;
		if (shared < same)
			return 0;
		if (shared == same) {
			size_t i = 0;
			while (i < own && same < term.len && text[i] == term.data[same]) {
				i++;
				same++;
			}
			if (i == own && same == term.len) {
				e->at = at;
				return read_list(l, e) ? 1 : ERR_CORRUPT;
			}
			if (i < own && (same == term.len || text[i] > term.data[same]))
				return 0;
		}
		at = skip_list(at, end);
		if (!at)
			return ERR_CORRUPT;
	}
	return 0;
}

/* The leaf where the term is, if anywhere; there is one page at least. */
static int find_leaf(struct segment *g, struct pages *p, struct bytes term, uint32_t *page_out,
		     struct entries *e)
{
	uint32_t hint = 0, page = g->sections[SECTION_TERMS].elements - 1;
	unsigned above = SEGMENT_LEVELS_MAX;

	for (;;) {
		int rc = page_entries(g, p, page, &hint, e);
		if (rc)
			return rc;
		if (e->level >= above)
			return segment_note(g, ERR_CORRUPT);
		above = e->level;
		if (above == 0)
			break;
		rc = descend(e, term, &page);
		if (rc)
			return segment_note(g, rc);
	}
	*page_out = page;
	return 0;
}

/* ---- fences ---- */

/* The leaves' first terms from the pages right above them, which follow the leaves: `page` is the first of them. 0, ERR_NOTFOUND: they do not stand as the
 * writer puts them, or an error. */
static int fill_fences(struct segment *g, struct pages *p, uint32_t page, struct fences *f)
{
	uint32_t hint = 0, leaf = 0;
	struct entries e;
	uint64_t number;

	for (; leaf < f->leaves; page++) {
		int rc = page_entries(g, p, page, &hint, &e);
		if (rc)
			return rc;
		for (; e.level == 1 && e.left && leaf < f->leaves; leaf++) {
			if (!entries_term(&e) || !leb_get(&e.at, e.end, &number) || number != leaf)
				return ERR_NOTFOUND;
			f->keys[leaf] = term_key(bytes_of(e.term, e.len));
			if (leaf && f->keys[leaf] < f->keys[leaf - 1])
				return ERR_NOTFOUND;
		}
		if (e.level != 1 || e.left)
			return ERR_NOTFOUND;
	}
	return 0;
}

/* Leaves come first: how many there are, counted from the root down. 0: the tree is one leaf. */
static int count_leaves(struct segment *g, struct pages *p, uint32_t *leaves_out)
{
	uint32_t hint = 0, at = g->sections[SECTION_TERMS].elements;
	struct entries e;

	while (at) {
		int rc = page_entries(g, p, at - 1, &hint, &e);
		if (rc)
			return rc;
		if (e.level == 0)
			break;
		at--;
	}
	*leaves_out = at == g->sections[SECTION_TERMS].elements ? 0 : at;
	return 0;
}

/* Without them the tree says it all. */
static int load_fences(struct segment *g, struct pages *p)
{
	uint32_t leaves;

	if (g->fences || g->fences_failed || segment_in_memory(g))
		return 0;
	int rc = count_leaves(g, p, &leaves);
	if (rc)
		return rc;
	struct fences *f = leaves ? malloc(sizeof *f + leaves * sizeof *f->keys) : NULL;
	if (f) {
		f->leaves = leaves;
		rc = fill_fences(g, p, leaves, f);
	}
	if (f && !rc)
		g->fences = f;
	else
		free(f);
	/* What is missing only for now, memory or a descriptor, is tried again. */
	g->fences_failed = !leaves || rc == ERR_NOTFOUND || rc == ERR_CORRUPT;
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* As find_leaf, which is asked where the fences do not tell: of the first terms never. */
static int find_page(struct segment *g, struct pages *p, struct bytes term, uint32_t *page_out,
		     struct entries *e)
{
	uint32_t hint = 0;
	int rc = term_key(term) ? load_fences(g, p) : 0;

	if (rc || !g->fences || !fences_find(g->fences, term, page_out))
		return rc ? rc : find_leaf(g, p, term, page_out, e);
	rc = page_entries(g, p, *page_out, &hint, e);
	return rc || e->level == 0 ? rc : segment_note(g, ERR_CORRUPT);
}

int terms_find(struct segment *g, struct pages *p, struct bytes term, struct posting *out)
{
	struct entries e;
	uint32_t page;
	int rc = segment_load(g, p);

	list_init(out, g, p);
	if (rc || g->sections[SECTION_TERMS].elements == 0)
		return rc;
	rc = find_page(g, p, term, &page, &e);
	if (rc)
		return rc;
	rc = find_in_leaf(&e, term, out);
	if (rc != 1)
		list_init(out, g, p);
	return segment_note(g, rc);
}

/* ---- all of them ---- */

void term_cursor_init(struct term_cursor *c, struct segment *g, struct pages *p)
{
	c->segment = g;
	c->pages = p;
	c->page = c->left = c->at = c->hint = 0;
	c->len = 0;
	list_init(&c->list, g, p);
}

int term_cursor_seek(struct term_cursor *c, struct bytes term)
{
	struct entries e;
	int rc = segment_load(c->segment, c->pages);

	if (rc || c->segment->sections[SECTION_TERMS].elements == 0)
		return rc;
	c->left = 0;
	return find_leaf(c->segment, c->pages, term, &c->page, &e);
}

/* Pages are looked up for each entry: what was borrowed may be gone. */
int term_cursor_next(struct term_cursor *c)
{
	struct entries e;
	const uint8_t *page;
	int rc = segment_load(c->segment, c->pages);

	if (rc)
		return rc;
	if (c->left == 0 && c->page >= c->segment->sections[SECTION_TERMS].elements)
		return 0;
	uint32_t number = c->left ? c->page - 1 : c->page;
	rc = segment_element(c->segment, c->pages, SECTION_TERMS, number, &c->hint, &page);
	if (rc)
		return rc;
	if (!entries_begin(&e, page) || (!c->left && e.level == 0 && e.left == 0))
		return segment_note(c->segment, ERR_CORRUPT);
	if (e.level)
		return 0;
	if (c->left == 0) {
		c->page++;
		c->at = 0;
		c->len = 0;
	} else {
		e.left = c->left;
		e.at = page + c->at;
		e.len = c->len;
		memcpy(e.term, c->term, c->len);
	}
	list_init(&c->list, c->segment, c->pages);
	if (e.at > e.end || !entries_term(&e) || !read_list(&c->list, &e))
		return segment_note(c->segment, ERR_CORRUPT);
	if (c->len && c->at && bytes_compare(bytes_of(c->term, c->len), bytes_of(e.term, e.len)) >= 0)
		return segment_note(c->segment, ERR_CORRUPT);
	memcpy(c->term, e.term, e.len);
	c->len = e.len;
	c->left = e.left;
	c->at = (uint32_t)(e.at - page);
	return 1;
}
