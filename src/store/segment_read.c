/*
 * segment_read: looks things up in one segment, and believes nothing that it did not check.
 *
 * Pages come verified from the cache, frames are verified here, every offset and ordinal is
 * compared with what the header page allows before it is used, and the header page with what the
 * manifest says. What is found wrong marks the segment as damaged; the next commit removes it.
 */
#include "bloom.h"
#include "segment_file.h"

#include <base/sorted.h>
#include <codec/crc.h>
#include <model/record.h>

#include <stdlib.h>

/* A sector that cannot be read once may be a cable; this often it is lost. Other troubles (no
 * descriptor, no permission) are never damage. */
#define LOST_MAX 3
/* Deflate cannot make less than a byte out of this many (1,032, and some room). */
#define DEFLATE_RATIO_MAX 1100u
/* Read in one step: some tenths of a millisecond. */
#define PROBE_PAGES 32u
/* At where a time may be, before halves are taken. */
#define GUESSES_MAX 4u
/* Children that are passed one by one: most have no more. */
#define CHILDREN_NEAR 32u

static struct segment *new_segment(const char *resource, const struct segment_meta *meta)
{
	struct segment *g = calloc(1, sizeof *g);

	if (!g)
		return NULL;
	g->refs = 1;
	g->meta = *meta;
	strcpy(g->resource, resource);
	return g;
}

struct segment *segment_new(const char *resource, const struct segment_meta *meta, char *path)
{
	struct segment *g = path ? new_segment(resource, meta) : NULL;

	if (g)
		page_file_init(&g->file, meta->number, meta->bytes, path);
	else
		free(path);
	return g;
}

struct segment *segment_new_memory(const char *resource, const struct segment_meta *meta,
				   uint8_t *image)
{
	struct segment *g = new_segment(resource, meta);

	if (g)
		page_file_init_memory(&g->file, meta->number, meta->bytes, image);
	else
		free(image);
	return g;
}

void segment_free(struct segment *g, struct pages *p)
{
	if (!g)
		return;
	page_file_release(p, &g->file);
	free(g->resident);
	free(g->families);
	free(g->id_pages);
	free(g->vocabulary);
	for (int i = 0; i < SEGMENT_OWN_FIELDS; i++)
		free(g->own[i]);
	free(g->fences);
	free(g);
}

int segment_note(struct segment *g, int rc)
{
	if (rc == ERR_CORRUPT || (rc == ERR_IO && g->file.lost >= LOST_MAX))
		g->damaged = true;
	return rc;
}

/* ---- the header page ---- */

static uint32_t sections_of(uint32_t version)
{
	return version == 1  ? SEGMENT_SECTIONS_V1
	       : version < 4 ? SEGMENT_SECTIONS_V2
			     : SEGMENT_SECTIONS;
}

static bool header_agrees(const struct segment *g, const uint8_t *page)
{
	const struct segment_meta *m = &g->meta;
	char name[SEGMENT_NAME_SIZE + 1] = {0};

	memcpy(name, page + HEADER_RESOURCE, SEGMENT_NAME_SIZE);
	uint32_t version = le32(page + HEADER_VERSION), sections = sections_of(version);
	return memcmp(page, SEGMENT_MAGIC, 8) == 0 && version >= 1 && version <= SEGMENT_VERSION &&
	       le32(page + HEADER_SECTIONS) == sections &&
	       le32(page + SEGMENT_PAGE_ROOM) == m->header_sum &&
	       le64(page + HEADER_BYTES) == m->bytes && le64(page + HEADER_DATA_END) == m->data_end &&
	       le32(page + HEADER_RECORDS) == m->records &&
	       le64(page + HEADER_DICTIONARY) == m->dictionary && strcmp(name, g->resource) == 0;
}

static const uint32_t sizes[SEGMENT_SECTIONS] = {SEGMENT_ROW_SIZE,    SEGMENT_ID_SIZE,
						 SEGMENT_BLOCK_SIZE,  SEGMENT_UPDATED_SIZE,
						 SEGMENT_PARENT_SIZE, SEGMENT_TRUNCATED_SIZE,
						 SEGMENT_CHANGE_SIZE, 1,
						 SEGMENT_FIELD_SIZE,  1,
						 SEGMENT_PAGE_ROOM,   SEGMENT_BLOCK_SIZE};

static int section_load(const struct segment *g, const uint8_t *p, uint32_t size, uint32_t elements,
			bool exactly, struct section *s)
{
	uint64_t offset = le64(p), end = offset + (uint64_t)le32(p + 8) * SEGMENT_PAGE;

	*s = (struct section){.pages = le32(p + 8),
			      .elements = le32(p + 12),
			      .size = le32(p + 16),
			      .per_page = SEGMENT_PAGE_ROOM / size};
	if (offset % SEGMENT_PAGE || offset < g->meta.data_end || end > g->meta.bytes ||
	    end < offset || s->size != size)
		return ERR_CORRUPT;
	if (s->elements > elements || (exactly && s->elements != elements))
		return ERR_CORRUPT;
	if (s->pages != ((uint64_t)s->elements + s->per_page - 1) / s->per_page)
		return ERR_CORRUPT;
	s->first_page = (uint32_t)(offset / SEGMENT_PAGE);
	return 0;
}

static int sections_load(struct segment *g, const uint8_t *table, int count)
{
	uint32_t n = g->meta.records;
	const struct {
		uint32_t elements;
		bool exactly;
	} limits[SEGMENT_SECTIONS] = {
		{n, true},           {n, true},           {n, false},
		{n, true},           {n, false},          {n, false},
		{n, true},           {UINT32_MAX, false}, {SEGMENT_FIELDS_MAX, false},
		{UINT32_MAX, false}, {UINT32_MAX, false}, {n, false}};

	for (int i = 0; i < count; i++)
		if (section_load(g, table + (int)SEGMENT_TABLE_SIZE * i, sizes[i],
				 limits[i].elements, limits[i].exactly, &g->sections[i]))
			return ERR_CORRUPT;
	return g->sections[SECTION_FILTER].elements ? 0 : ERR_CORRUPT;
}

/* Where each page of the ids ends. Without memory for it they are found all the same. */
static int id_pages_load(struct segment *g, const uint8_t *p)
{
	uint32_t pages = g->sections[SECTION_IDS].pages;

	for (uint32_t i = 1; i < pages; i++)
		if (le32(p + (size_t)4 * (i - 1)) > le32(p + (size_t)4 * i))
			return ERR_CORRUPT;
	g->id_pages = malloc(pages * sizeof *g->id_pages);
	for (uint32_t i = 0; g->id_pages && i < pages; i++)
		g->id_pages[i] = le32(p + (size_t)4 * i);
	return 0;
}

/* What version 5 says about the ids. */
static int ids_load(struct segment *g, const uint8_t *page)
{
	uint64_t min = le64(page + HEADER_ID_KEYS), max = le64(page + HEADER_ID_KEYS + 8);
	uint32_t pages = g->sections[SECTION_IDS].pages;

	if (le32(page + HEADER_VERSION) < 5)
		return 0;
	if (min > max)
		return ERR_CORRUPT;
	int rc = pages > 1 && pages <= SEGMENT_ID_PAGES_MAX
			 ? id_pages_load(g, page + HEADER_ID_PAGES)
			 : 0;
	if (!rc)
		g->ids = id_keys_of(min, max);
	return rc;
}

int segment_load(struct segment *g, struct pages *p)
{
	const uint8_t *page;
	uint32_t hint = 0;

	if (g->loaded)
		return 0;
	int rc = pages_get(p, &g->file, 0, &hint, &page);
	if (!rc && (!header_agrees(g, page) ||
		    sections_load(g, page + HEADER_TABLE, (int)le32(page + HEADER_SECTIONS))))
		rc = ERR_CORRUPT;
	if (!rc)
		rc = ids_load(g, page);
	g->loaded = rc == 0;
	return segment_note(g, rc);
}

/* ---- elements ---- */

int segment_element(struct segment *g, struct pages *p, enum segment_section which, uint32_t at,
		    uint32_t *hint, const uint8_t **out)
{
	const struct section *s = &g->sections[which];
	const uint8_t *page;
	int rc = g->loaded ? 0 : segment_load(g, p);

	if (rc)
		return rc;
	if (at >= s->elements)
		return segment_note(g, ERR_CORRUPT);
	rc = pages_get(p, &g->file, s->first_page + at / s->per_page, hint, &page);
	if (rc)
		return segment_note(g, rc);
	*out = page + (at % s->per_page) * s->size;
	return 0;
}

int segment_stream(struct segment *g, struct pages *p, enum segment_section which, uint64_t offset,
		   void *data, size_t len, uint32_t *hint)
{
	const struct section *s = &g->sections[which];
	uint8_t *to = data;
	const uint8_t *page;
	int rc = segment_load(g, p);

	if (!rc && (offset > s->elements || len > s->elements - offset))
		rc = ERR_CORRUPT;
	while (!rc && len) {
		uint32_t at = (uint32_t)(offset / SEGMENT_PAGE_ROOM),
			 into = (uint32_t)(offset % SEGMENT_PAGE_ROOM);
		size_t n = SEGMENT_PAGE_ROOM - into;
		n = n < len ? n : len;
		rc = pages_get(p, &g->file, s->first_page + at, hint, &page);
		if (rc)
			break;
		memcpy(to, page + into, n);
		to += n;
		offset += n;
		len -= n;
	}
	return segment_note(g, rc);
}

int segment_look(struct segment *g, struct pages *p, enum segment_section which, uint64_t offset,
		 uint32_t *hint, struct bytes *out)
{
	const struct section *s = &g->sections[which];
	uint32_t at = (uint32_t)(offset / SEGMENT_PAGE_ROOM),
		 into = (uint32_t)(offset % SEGMENT_PAGE_ROOM), n = SEGMENT_PAGE_ROOM - into;
	const uint8_t *page;
	int rc = g->loaded ? 0 : segment_load(g, p);

	if (!rc && offset >= s->elements)
		rc = ERR_CORRUPT;
	if (!rc)
		rc = pages_get(p, &g->file, s->first_page + at, hint, &page);
	if (rc)
		return segment_note(g, rc);
	*out = bytes_of(page + into, n < s->elements - offset ? n : s->elements - offset);
	return 0;
}

/* The i-th page of terms and columns; 0: there are not so many. */
static uint32_t index_page(const struct segment *g, uint32_t i)
{
	for (int which = SECTION_COLUMNS; which < SEGMENT_SECTIONS; which++) {
		if (i < g->sections[which].pages)
			return g->sections[which].first_page + i;
		i -= g->sections[which].pages;
	}
	return 0;
}

int segment_probe(struct segment *g, struct pages *p, uint32_t *at)
{
	const uint8_t *page;
	uint32_t hint = 0;
	int rc = segment_load(g, p);

	for (uint32_t n = 0; !rc && n < PROBE_PAGES; n++) {
		uint32_t number = index_page(g, *at);
		if (!number)
			return 0;
		rc = pages_get(p, &g->file, number, &hint, &page);
		*at += !rc;
	}
	return rc ? segment_note(g, rc) : 1;
}

/* An ordinal that points outside is damage. */
static int ordinal_at(struct segment *g, const uint8_t *p, uint32_t *out)
{
	uint32_t ordinal = le32(p);

	if (ordinal >= g->meta.records)
		return segment_note(g, ERR_CORRUPT);
	*out = ordinal;
	return 0;
}

int segment_row(struct segment *g, struct pages *p, uint32_t ordinal, uint32_t *hint, struct row *out)
{
	const uint8_t *e;
	int rc = segment_element(g, p, SECTION_ROWS, ordinal, hint, &e);

	if (!rc)
		segment_row_decode(e, out);
	return rc;
}

void segment_row_decode(const uint8_t *e, struct row *out)
{
	*out = (struct row){.offset = le32(e),
			    .frame_bytes = le32(e + 4),
			    .raw_bytes = le32(e + 8),
			    .flags = le32(e + 12),
			    .created_ms = (int64_t)le64(e + 16),
			    .updated_ms = (int64_t)le64(e + 24),
			    .seen_ms = (int64_t)le64(e + 32),
			    .revision = le64(e + 40),
			    .id_hash = le64(e + 48),
			    .parent_hash = le64(e + 56),
			    .doc_hash = le64(e + 64)};
}

int segment_id(struct segment *g, struct pages *p, uint32_t at, uint32_t *hint, uint64_t *hash_out,
	       uint32_t *ordinal_out)
{
	const uint8_t *e;
	int rc = segment_element(g, p, SECTION_IDS, at, hint, &e);

	if (rc)
		return rc;
	*hash_out = le64(e);
	return ordinal_at(g, e + 8, ordinal_out);
}

int segment_updated(struct segment *g, struct pages *p, uint32_t at, uint32_t *hint,
		    int64_t *updated_out, uint32_t *ordinal_out)
{
	const uint8_t *e;
	int rc = segment_element(g, p, SECTION_UPDATED, at, hint, &e);

	if (rc)
		return rc;
	*updated_out = (int64_t)le64(e);
	return ordinal_at(g, e + 8, ordinal_out);
}

int segment_child(struct segment *g, struct pages *p, uint32_t at, uint32_t *hint, struct child *out)
{
	const uint8_t *e;
	int rc = segment_element(g, p, SECTION_PARENTS, at, hint, &e);

	if (rc)
		return rc;
	*out = (struct child){
		.parent_hash = le64(e), .created_ms = (int64_t)le64(e + 8), .id_hash = le64(e + 16)};
	return ordinal_at(g, e + 24, &out->ordinal);
}

int segment_truncated(struct segment *g, struct pages *p, uint32_t at, uint32_t *hint,
		      uint32_t *ordinal_out)
{
	const uint8_t *e;
	int rc = segment_element(g, p, SECTION_TRUNCATED, at, hint, &e);

	return rc ? rc : ordinal_at(g, e, ordinal_out);
}

int segment_change(struct segment *g, struct pages *p, uint32_t at, uint32_t *hint,
		   uint32_t *ordinal_out)
{
	const uint8_t *e;
	int rc = segment_element(g, p, SECTION_CHANGES, at, hint, &e);

	return rc ? rc : ordinal_at(g, e, ordinal_out);
}

/* ---- by id ---- */

/* The block of the filter that knows of the hash. */
static uint32_t filter_block(const struct section *s, uint64_t hash)
{
	return (uint32_t)(((hash >> 32) * s->elements) >> 32);
}

static bool block_says(const uint8_t *block, uint64_t hash)
{
	static const uint32_t salts[SEGMENT_FILTER_WORDS] = SEGMENT_FILTER_SALTS;

	for (int w = 0; w < SEGMENT_FILTER_WORDS; w++)
		if (!(le64(block + 8 * w) >> ((uint32_t)hash * salts[w] >> 26) & 1))
			return false;
	return true;
}

static int filter_says(struct segment *g, struct pages *p, enum segment_section which, uint64_t hash)
{
	uint32_t hint = 0;
	const uint8_t *block;
	int rc = segment_element(g, p, which, filter_block(&g->sections[which], hash), &hint, &block);

	return rc ? rc : block_says(block, hash);
}

int segment_may_hold(struct segment *g, struct pages *p, uint64_t id_hash)
{
	int rc = segment_load(g, p);

	return rc ? rc : filter_says(g, p, SECTION_FILTER, id_hash);
}

int segment_may_have_children(struct segment *g, struct pages *p, uint64_t parent_hash)
{
	int rc = segment_load(g, p);

	if (rc || g->sections[SECTION_PARENTS].elements == 0)
		return rc;
	if (bloom_denies(g->families, parent_hash))
		return 0;
	/* Older ones have no filter; and one in memory that is whole has said all. */
	if (g->sections[SECTION_PARENT_FILTER].elements == 0 || bloom_whole(g->families))
		return 1;
	return filter_says(g, p, SECTION_PARENT_FILTER, parent_hash);
}

/* Its block of the filter of parents, on its way from memory; NULL: that needs a read, or there is none. */
static const uint8_t *parent_block(const struct segment *g, struct pages *p, uint64_t parent_hash)
{
	const struct section *s = &g->sections[SECTION_PARENT_FILTER];

	if (!g->loaded || !s->elements)
		return NULL;
	uint32_t at = filter_block(s, parent_hash);
	const uint8_t *page = pages_peek(p, &g->file, s->first_page + at / s->per_page);
	if (!page)
		return NULL;
	page += (size_t)(at % s->per_page) * s->size;
	__builtin_prefetch(page);
	return page;
}

uint32_t segments_childless(struct segment *const *segments, unsigned count, struct pages *p,
			    uint64_t parent_hash)
{
	const uint8_t *blocks[SEGMENTS_ASKED];
	struct bloom_key key = bloom_key(parent_hash);
	uint32_t childless = 0;

	/* Nothing is read meanwhile: the pages stay. */
	for (unsigned i = 0; i < count; i++) {
		const struct bloom *f = segments[i]->families;
		bool denied = !bloom_may_hold(f, &key);
		childless |= (uint32_t)denied << i;
		blocks[i] = denied || bloom_whole(f) ? NULL
						     : parent_block(segments[i], p, parent_hash);
	}
	for (unsigned i = 0; i < count; i++)
		if (blocks[i] && !block_says(blocks[i], parent_hash))
			childless |= (uint32_t)1 << i;
	return childless;
}

/* Where the element lies, by the ends of the pages: in all but one of millions of cases one page. */
static void by_id_pages(const struct segment *g, uint32_t word, uint32_t *low, uint32_t *high)
{
	const struct section *s = &g->sections[SECTION_IDS];
	uint32_t first = (uint32_t)sorted_rank32(g->id_pages, s->pages, word), end = first;

	while (end < s->pages && g->id_pages[end] == word)
		end++;
	*low = first * s->per_page < *high ? first * s->per_page : *high;
	*high = end < s->pages ? (end + 1) * s->per_page : *high;
	*high = *high < s->elements ? *high : s->elements;
}

/* The hashes are uniform: where the ends of the pages are not known, the element's place can be guessed to a page or two; what
 * the guess shows narrows the pages down, whatever they say. */
int segment_find(struct segment *g, struct pages *p, uint64_t id_hash, uint32_t *at_out)
{
	uint32_t hint = 0;
	int rc = segment_load(g, p);

	if (rc)
		return rc;
	const struct section *s = &g->sections[SECTION_IDS];
	uint32_t low = 0, high = s->elements; /* the answer lies in [low, high] */
	uint32_t guess = (uint32_t)(((id_hash >> 32) * s->elements) >> 32) / s->per_page;
	if (g->id_pages) {
		by_id_pages(g, (uint32_t)(id_hash >> 32), &low, &high);
		guess = low / s->per_page;
	}
	while (low < high) {
		const uint8_t *first, *last;
		uint32_t start = guess * s->per_page, end = start + s->per_page;
		end = end < s->elements ? end : s->elements;
		rc = segment_element(g, p, SECTION_IDS, start, &hint, &first);
		if (rc)
			return rc;
		last = first + (end - 1 - start) * s->size;
		if (start > low && le64(first) >= id_hash) {
			high = start;
			guess--;
			continue;
		}
		if (le64(last) < id_hash) {
			low = end;
			guess++;
			continue;
		}
		low = start > low ? start : low;
		high = end < high ? end : high;
		while (low < high) {
			uint32_t mid = low + (high - low) / 2;
			if (le64(first + (mid - start) * s->size) < id_hash)
				low = mid + 1;
			else
				high = mid;
		}
	}
	*at_out = low;
	return 0;
}

/* ---- by time ---- */

/* Compares element `at` with what is sought: negative when it lies before, 0 or positive otherwise,
 * or an error in *rc. */
struct seek {
	struct segment *g;
	struct pages *p;
	uint32_t hint, row_hint;
	uint64_t parent_hash;
	int64_t time_ms;
	uint64_t id_hash;
	bool (*before)(struct seek *k, uint32_t at, int *rc);
};

static int seek(struct seek *k, uint32_t low, uint32_t high, uint32_t *at_out)
{
	int rc = 0;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		bool before = k->before(k, mid, &rc);
		if (rc)
			return rc;
		if (before)
			low = mid + 1;
		else
			high = mid;
	}
	*at_out = low;
	return 0;
}

static bool key_before(const struct seek *k, int64_t time_ms, uint64_t id_hash)
{
	return time_ms != k->time_ms ? time_ms < k->time_ms : id_hash < k->id_hash;
}

static bool row_before(struct seek *k, uint32_t at, int *rc)
{
	struct row row;

	*rc = segment_row(k->g, k->p, at, &k->hint, &row);
	return !*rc && key_before(k, row.created_ms, row.id_hash);
}

static bool updated_before(struct seek *k, uint32_t at, int *rc)
{
	struct row row;
	int64_t updated;
	uint32_t ordinal;

	*rc = segment_updated(k->g, k->p, at, &k->hint, &updated, &ordinal);
	if (*rc)
		return false;
	if (updated != k->time_ms || k->id_hash == 0)
		return updated < k->time_ms;
	*rc = segment_row(k->g, k->p, ordinal, &k->row_hint, &row);
	return !*rc && row.id_hash < k->id_hash;
}

static bool child_before(struct seek *k, uint32_t at, int *rc)
{
	struct child c;

	*rc = segment_child(k->g, k->p, at, &k->hint, &c);
	if (*rc)
		return false;
	return c.parent_hash != k->parent_hash ? c.parent_hash < k->parent_hash
					       : key_before(k, c.created_ms, c.id_hash);
}

static bool change_before(struct seek *k, uint32_t at, int *rc)
{
	struct row row = {0};
	uint32_t ordinal = 0;

	*rc = segment_change(k->g, k->p, at, &k->hint, &ordinal);
	if (!*rc)
		*rc = segment_row(k->g, k->p, ordinal, &k->row_hint, &row);
	return !*rc && row.revision < k->id_hash;
}

static int seek_in(struct segment *g, struct pages *p, enum segment_section which, struct seek *k,
		   uint32_t *at_out)
{
	int rc = segment_load(g, p);

	return rc ? rc : seek(k, 0, g->sections[which].elements, at_out);
}

/* Where no row needs to be looked at. */
static int seek_to(struct segment *g, struct pages *p, uint32_t at, uint32_t *at_out)
{
	int rc = segment_load(g, p);

	if (!rc)
		*at_out = at;
	return rc;
}

/* The row of [low, high) that is as far between them as the part is of the whole. */
static uint32_t between(uint32_t low, uint32_t high, double part, double whole)
{
	double share = whole > 0 ? part / whole : 0.5;

	share = share > 0 ? share < 1 ? share : 1 : 0;
	return low + (uint32_t)(share * (high - 1 - low));
}

/* Rows mostly lie about evenly in time: a few guesses find the page, each from what the last one showed. Where they do not, halves do. */
static int guess_created(struct seek *k, const struct range *span, uint32_t *low, uint32_t *high)
{
	const struct section *s = &k->g->sections[SECTION_ROWS];
	double from = (double)span->min, to = (double)span->max;
	struct row row;

	for (unsigned n = 0; n<GUESSES_MAX && * high - *low> s->per_page; n++) {
		uint32_t at = between(*low, *high, (double)k->time_ms - from, to - from);
		uint32_t start = at - at % s->per_page, end = start + s->per_page;
		int rc = segment_row(k->g, k->p, start, &k->hint, &row);
		if (rc)
			return rc;
		if (start > *low && !key_before(k, row.created_ms, row.id_hash)) {
			*high = start;
			to = (double)row.created_ms;
			continue;
		}
		*low = start > *low ? start : *low;
		if (end >= *high)
			return 0;
		rc = segment_row(k->g, k->p, end - 1, &k->hint, &row);
		if (rc)
			return rc;
		if (!key_before(k, row.created_ms, row.id_hash)) {
			*high = end;
			return 0;
		}
		*low = end;
		from = (double)row.created_ms;
	}
	return 0;
}

int segment_seek_created(struct segment *g, struct pages *p, int64_t time_ms, uint64_t id_hash,
			 uint32_t *at_out)
{
	struct seek k = {.g = g, .p = p, .time_ms = time_ms, .id_hash = id_hash, .before = row_before};
	const struct range *created = &g->meta.ranges[RANGE_CREATED];

	/* Rows without a time come first. */
	if (time_ms == TIME_NONE && id_hash == 0)
		return seek_to(g, p, 0, at_out);
	if (g->meta.untimed == 0 && time_ms <= created->min && id_hash == 0)
		return seek_to(g, p, 0, at_out);
	if (time_ms > created->max && created->max != TIME_NONE)
		return seek_to(g, p, g->meta.records, at_out);
	uint32_t low = 0, high = g->meta.records;
	int rc = segment_load(g, p);
	if (!rc && time_ms != TIME_NONE && g->meta.untimed < high) {
		low = g->meta.untimed;
		rc = guess_created(&k, created, &low, &high);
	}
	return rc ? rc : seek(&k, low, high, at_out);
}

int segment_seek_updated(struct segment *g, struct pages *p, int64_t time_ms, uint64_t id_hash,
			 uint32_t *at_out)
{
	struct seek k = {
		.g = g, .p = p, .time_ms = time_ms, .id_hash = id_hash, .before = updated_before};

	return seek_in(g, p, SECTION_UPDATED, &k, at_out);
}

/* The next page to look at: more and more pages away from the ones that were ruled out, and in the middle once the place was passed. */
static uint32_t next_page(const struct section *s, uint32_t low, uint32_t high, bool up, uint32_t away)
{
	uint32_t room = high - 1 - low;

	if (!away)
		return (low + room / 2) / s->per_page;
	away = (away - 1) * s->per_page < room ? (away - 1) * s->per_page : room;
	return (up ? low + away : high - 1 - away) / s->per_page;
}

/* The same as seek, where all of it lies on one page. */
static int seek_on_page(struct seek *k, uint32_t low, uint32_t high, uint32_t *at_out)
{
	uint32_t first = low;
	const uint8_t *page = NULL;
	int rc = low < high ? segment_element(k->g, k->p, SECTION_PARENTS, low, &k->hint, &page) : 0;

	while (!rc && low < high) {
		uint32_t mid = low + (high - low) / 2;
		const uint8_t *e = page + (size_t)(mid - first) * SEGMENT_PARENT_SIZE;
		uint64_t parent_hash = le64(e);
		if (parent_hash != k->parent_hash ? parent_hash < k->parent_hash
						  : key_before(k, (int64_t)le64(e + 8), le64(e + 16)))
			low = mid + 1;
		else
			high = mid;
	}
	if (!rc)
		*at_out = low;
	return rc;
}

/* Hashes are uniform: the place is not far from where it would be if they were evenly so, on that page or on the next one. What is left lies on one. */
static int narrow(struct seek *k, const struct section *s, uint64_t hash, uint32_t *low, uint32_t *high)
{
	uint32_t page = (uint32_t)(((hash >> 32) * s->elements) >> 32) / s->per_page, away = 0;
	bool up = false;
	int rc = 0;

	*low = 0;
	*high = s->elements;
	while (*low < *high) {
		uint32_t start = page * s->per_page, end = start + s->per_page;
		bool was_up = up;
		end = end < s->elements ? end : s->elements;
		if (start > *low && !k->before(k, start, &rc)) {
			*high = start;
			up = false;
		} else if (!rc && end <= *high && k->before(k, end - 1, &rc)) {
			*low = end;
			up = true;
		} else {
			*low = start > *low ? start : *low;
			*high = end < *high ? end : *high;
			return rc;
		}
		if (rc)
			return rc;
		bool passed = away > 0 && up != was_up;
		away = passed || away > s->pages ? 0 : away * 2 + !away;
		page = *low < *high ? next_page(s, *low, *high, up, away) : 0;
	}
	return 0;
}

int segment_seek_child(struct segment *g, struct pages *p, uint64_t parent_hash, int64_t time_ms,
		       uint64_t id_hash, uint32_t *at_out)
{
	struct seek k = {.g = g,
			 .p = p,
			 .parent_hash = parent_hash,
			 .time_ms = time_ms,
			 .id_hash = id_hash,
			 .before = child_before};
	const struct section *s = &g->sections[SECTION_PARENTS];
	uint32_t low = 0, high = 0;
	int rc = segment_load(g, p);

	if (!rc)
		rc = narrow(&k, s, parent_hash, &low, &high);
	return rc ? rc : seek_on_page(&k, low, high, at_out);
}

int segment_children_end(struct segment *g, struct pages *p, uint64_t parent_hash, uint32_t from,
			 uint32_t *at_out)
{
	struct child c = {.parent_hash = parent_hash};
	uint32_t at = from, hint = 0;
	int rc = segment_load(g, p);

	for (; !rc && at < g->sections[SECTION_PARENTS].elements; at++) {
		if (at - from == CHILDREN_NEAR)
			return parent_hash == UINT64_MAX
				       ? seek_to(g, p, g->sections[SECTION_PARENTS].elements, at_out)
				       : segment_seek_child(g, p, parent_hash + 1, TIME_NONE, 0,
							    at_out);
		rc = segment_child(g, p, at, &hint, &c);
		if (rc || c.parent_hash != parent_hash)
			break;
	}
	if (!rc)
		*at_out = at;
	return rc;
}

/* The seek's hash is the revision. */
int segment_seek_change(struct segment *g, struct pages *p, uint64_t revision, uint32_t *at_out)
{
	struct seek k = {.g = g, .p = p, .id_hash = revision, .before = change_before};

	return seek_in(g, p, SECTION_CHANGES, &k, at_out);
}

/* ---- frames ---- */

static bool frame_possible(const struct segment *g, const struct row *row)
{
	return row->offset >= SEGMENT_PAGE && row->frame_bytes > SEGMENT_FRAME_HEAD &&
	       row->raw_bytes <= SEGMENT_RECORD_MAX &&
	       row->raw_bytes / DEFLATE_RATIO_MAX <= row->frame_bytes &&
	       row->offset <= g->meta.data_end && row->frame_bytes <= g->meta.data_end - row->offset;
}

typedef int read_call(struct pages *p, struct page_file *f, void *data, size_t len, uint64_t offset);

static int frame_with(struct segment *g, struct pages *p, const struct row *row, read_call *call,
		      struct buf *out)
{
	buf_reset(out);
	int rc = segment_load(g, p);
	if (rc)
		return rc;
	if (!frame_possible(g, row))
		return segment_note(g, ERR_CORRUPT);
	if (buf_reserve(out, row->frame_bytes))
		return out->error;
	rc = call(p, &g->file, out->data, row->frame_bytes, row->offset);
	if (rc)
		return segment_note(g, rc);
	if (le32(out->data) != crc_add(0, out->data + 4, row->frame_bytes - 4))
		return segment_note(g, ERR_CORRUPT);
	out->len = row->frame_bytes;
	struct bytes id = frame_id(buf_bytes(out));
	/* A right frame of another record would be a wrong answer. */
	if (id.len == 0 || bytes_hash(id) != row->id_hash)
		return segment_note(g, ERR_CORRUPT);
	return 0;
}

int segment_frame(struct segment *g, struct pages *p, const struct row *row, struct buf *out)
{
	return frame_with(g, p, row, page_file_read, out);
}

int segment_frame_on(struct segment *g, struct pages *p, const struct row *row, struct buf *out)
{
	return frame_with(g, p, row, page_file_read_on, out);
}

struct bytes frame_id(struct bytes frame)
{
	size_t len = frame.data[4];

	return SEGMENT_FRAME_HEAD + len > frame.len ? (struct bytes){NULL, 0}
						    : bytes_of(frame.data + SEGMENT_FRAME_HEAD, len);
}

struct bytes frame_packed(struct bytes frame)
{
	size_t head = SEGMENT_FRAME_HEAD + frame.data[4];

	return head > frame.len ? (struct bytes){NULL, 0}
				: bytes_of(frame.data + head, frame.len - head);
}
