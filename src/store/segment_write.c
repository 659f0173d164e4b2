/*
 * segment_write: rows and their frames to a file, from its first byte to its last. The same rows
 * give the same bytes.
 *
 * The file is written in order and once, but for its header page: that says where the sections came
 * to lie, and is written last.
 */
#include "columns.h"
#include "terms.h"

#include <model/record.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

/* ---- frames ---- */

size_t frame_begin(struct buf *out, struct bytes id)
{
	uint8_t head[SEGMENT_FRAME_HEAD] = {0};
	size_t start = out->len;

	assert(id.len >= 1 && id.len <= RECORD_ID_MAX);
	head[4] = (uint8_t)id.len;
	buf_put(out, head, sizeof head);
	buf_put_bytes(out, id);
	return start;
}

void frame_end(struct buf *out, size_t start)
{
	if (out->error)
		return;
	uint8_t *frame = out->data + start;
	put_le32(frame, (uint32_t)crc32(0, frame + 4, (uInt)(out->len - start - 4)));
}

/* ---- what the header says ---- */

static int64_t window_start(int64_t time_ms, int64_t window_ms)
{
	int64_t into = time_ms % window_ms;

	if (into < 0)
		into += window_ms;
	return time_ms < TIME_MIN + into ? TIME_MIN : time_ms - into;
}

void segment_folder(int64_t created_ms, int64_t window_ms, char out[SEGMENT_FOLDER_SIZE])
{
	char text[TIME_TEXT_MAX];

	if (created_ms == TIME_NONE)
		memcpy(out, "all", 4);
	else
		snprintf(out, SEGMENT_FOLDER_SIZE, "%.10s",
			 time_text(window_start(created_ms, window_ms), false, text));
}

static void range_add(struct range *r, int64_t v)
{
	if (v == TIME_NONE)
		return;
	if (r->min == TIME_NONE || v < r->min)
		r->min = v;
	if (r->max == TIME_NONE || v > r->max)
		r->max = v;
}

static void meta_count(struct segment_meta *m, const struct row *row)
{
	m->tombstones += (row->flags & RECORD_DELETED) != 0;
	m->truncated += (row->flags & RECORD_TRUNCATED) != 0;
	m->untimed += row->created_ms == TIME_NONE;
	range_add(&m->ranges[RANGE_CREATED], row->created_ms);
	range_add(&m->ranges[RANGE_UPDATED], row->updated_ms);
	range_add(&m->ranges[RANGE_REVISION], (int64_t)row->revision);
	range_add(&m->ranges[RANGE_SEEN], row->seen_ms);
}

/* Orders nothing: gives the frames their places and counts what the header counts. */
static void survey(struct segment_row *rows, uint32_t count, struct segment_meta *m)
{
	uint64_t at = SEGMENT_PAGE;

	m->records = count;
	m->tombstones = m->truncated = m->untimed = 0;
	for (int i = 0; i < SEGMENT_RANGES; i++)
		m->ranges[i] = (struct range){TIME_NONE, TIME_NONE};
	for (uint32_t i = 0; i < count; i++) {
		rows[i].row.offset = (uint32_t)at;
		at += rows[i].row.frame_bytes;
		meta_count(m, &rows[i].row);
	}
	m->data_end = at;
}

static void window_of(const struct segment_meta *m, int64_t window_ms, int64_t *start, int64_t *end)
{
	int64_t first = m->ranges[RANGE_CREATED].min, last = m->ranges[RANGE_CREATED].max;

	*start = *end = TIME_NONE;
	if (first == TIME_NONE)
		return;
	*start = window_start(first, window_ms);
	*end = window_start(last, window_ms);
	*end = *end > TIME_MAX - window_ms ? TIME_MAX : *end + window_ms;
}

static void header_page(const struct segment_meta *m, const char *resource, int64_t window_ms,
			const struct section *sections, uint8_t *page)
{
	int64_t start, end;

	memset(page, 0, SEGMENT_PAGE);
	memcpy(page, SEGMENT_MAGIC, 8);
	put_le32(page + HEADER_VERSION, SEGMENT_VERSION);
	put_le32(page + HEADER_SECTIONS, SEGMENT_SECTIONS);
	put_le64(page + HEADER_BYTES, m->bytes);
	put_le64(page + HEADER_DATA_END, m->data_end);
	put_le32(page + HEADER_RECORDS, m->records);
	put_le32(page + HEADER_TOMBSTONES, m->tombstones);
	put_le32(page + HEADER_TRUNCATED, m->truncated);
	put_le32(page + HEADER_UNTIMED, m->untimed);
	put_le64(page + HEADER_DICTIONARY, m->dictionary);
	window_of(m, window_ms, &start, &end);
	put_le64(page + HEADER_WINDOW, (uint64_t)start);
	put_le64(page + HEADER_WINDOW + 8, (uint64_t)end);
	for (int i = 0; i < SEGMENT_RANGES; i++) {
		put_le64(page + HEADER_RANGES + 16 * i, (uint64_t)m->ranges[i].min);
		put_le64(page + HEADER_RANGES + 16 * i + 8, (uint64_t)m->ranges[i].max);
	}
	memcpy(page + HEADER_RESOURCE, resource, strlen(resource));
	for (int i = 0; i < SEGMENT_SECTIONS; i++) {
		uint8_t *p = page + HEADER_TABLE + (int)SEGMENT_TABLE_SIZE * i;
		put_le64(p, (uint64_t)sections[i].first_page * SEGMENT_PAGE);
		put_le32(p + 8, sections[i].pages);
		put_le32(p + 12, sections[i].elements);
		put_le32(p + 16, sections[i].size);
	}
	put_le32(page + SEGMENT_PAGE_ROOM, page_sum(page, 0));
}

/* ---- sections ---- */

static void put_row(uint8_t *p, const struct row *r)
{
	put_le32(p, r->offset);
	put_le32(p + 4, r->frame_bytes);
	put_le32(p + 8, r->raw_bytes);
	put_le32(p + 12, r->flags);
	put_le64(p + 16, (uint64_t)r->created_ms);
	put_le64(p + 24, (uint64_t)r->updated_ms);
	put_le64(p + 32, (uint64_t)r->seen_ms);
	put_le64(p + 40, r->revision);
	put_le64(p + 48, r->id_hash);
	put_le64(p + 56, r->parent_hash);
	put_le64(p + 64, r->doc_hash);
}

/* What the other sections are sorted by. */
struct key {
	uint64_t major, middle, minor;
	uint32_t ordinal;
};

static int by_key(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	if (x->major != y->major)
		return x->major < y->major ? -1 : 1;
	if (x->middle != y->middle)
		return x->middle < y->middle ? -1 : 1;
	if (x->minor != y->minor)
		return x->minor < y->minor ? -1 : 1;
	return x->ordinal < y->ordinal ? -1 : 1;
}

/* Signed times in the order of unsigned words. */
static uint64_t ordered(int64_t time_ms)
{
	return (uint64_t)time_ms ^ (uint64_t)1 << 63;
}

static void write_ids(struct pager *p, const struct segment_row *rows, uint32_t count, struct key *keys)
{
	for (uint32_t i = 0; i < count; i++)
		keys[i] = (struct key){rows[i].row.id_hash, 0, 0, i};
	qsort(keys, count, sizeof *keys, by_key);
	for (uint32_t i = 0; i < count; i++) {
		uint8_t *at = pager_next(p);
		put_le64(at, keys[i].major);
		put_le32(at + 8, keys[i].ordinal);
	}
}

static int write_filter(struct pager *p, const struct segment_row *rows, uint32_t count,
			uint32_t blocks)
{
	static const uint32_t salts[SEGMENT_FILTER_WORDS] = SEGMENT_FILTER_SALTS;
	uint64_t(*filter)[SEGMENT_FILTER_WORDS] = calloc(blocks ? blocks : 1, sizeof *filter);

	if (!filter)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t h = rows[i].row.id_hash;
		uint64_t *block = filter[((h >> 32) * blocks) >> 32];
		for (int w = 0; w < SEGMENT_FILTER_WORDS; w++)
			block[w] |= (uint64_t)1 << ((uint32_t)h * salts[w] >> 26);
	}
	for (uint32_t b = 0; b < blocks; b++) {
		uint8_t *at = pager_next(p);
		for (int w = 0; w < SEGMENT_FILTER_WORDS; w++)
			put_le64(at + 8 * w, filter[b][w]);
	}
	free(filter);
	return 0;
}

static void write_updated(struct pager *p, const struct segment_row *rows, uint32_t count,
			  struct key *keys)
{
	for (uint32_t i = 0; i < count; i++)
		keys[i] = (struct key){ordered(rows[i].row.updated_ms), rows[i].row.id_hash, 0, i};
	qsort(keys, count, sizeof *keys, by_key);
	for (uint32_t i = 0; i < count; i++) {
		uint8_t *at = pager_next(p);
		put_le64(at, ordered((int64_t)keys[i].major));
		put_le32(at + 8, keys[i].ordinal);
	}
}

static void write_parents(struct pager *p, const struct segment_row *rows, uint32_t count,
			  struct key *keys)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < count; i++)
		if (rows[i].row.parent_hash)
			keys[n++] = (struct key){rows[i].row.parent_hash,
						 ordered(rows[i].row.created_ms),
						 rows[i].row.id_hash, i};
	qsort(keys, n, sizeof *keys, by_key);
	for (uint32_t i = 0; i < n; i++) {
		uint8_t *at = pager_next(p);
		put_le64(at, keys[i].major);
		put_le64(at + 8, ordered((int64_t)keys[i].middle));
		put_le64(at + 16, keys[i].minor);
		put_le32(at + 24, keys[i].ordinal);
	}
}

static void write_changes(struct pager *p, const struct segment_row *rows, uint32_t count,
			  struct key *keys)
{
	for (uint32_t i = 0; i < count; i++)
		keys[i] = (struct key){rows[i].row.revision, 0, 0, i};
	qsort(keys, count, sizeof *keys, by_key);
	for (uint32_t i = 0; i < count; i++)
		put_le32(pager_next(p), keys[i].ordinal);
}

static void write_truncated(struct pager *p, const struct segment_row *rows, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (rows[i].row.flags & RECORD_TRUNCATED)
			put_le32(pager_next(p), i);
}

/* The sections of version 1, and the changes. */
static int write_rows(struct pager *p, const struct segment_row *rows, uint32_t count,
		      struct section *sections)
{
	struct key *keys = malloc((count ? count : 1) * sizeof *keys);

	if (!keys)
		return ERR_NOMEM;
	pager_begin(p, &sections[SECTION_ROWS], SEGMENT_ROW_SIZE);
	for (uint32_t i = 0; i < count; i++)
		put_row(pager_next(p), &rows[i].row);
	pager_end(p);
	pager_begin(p, &sections[SECTION_IDS], SEGMENT_ID_SIZE);
	write_ids(p, rows, count, keys);
	pager_end(p);
	pager_begin(p, &sections[SECTION_FILTER], SEGMENT_BLOCK_SIZE);
	/* 10 bits a record at least, in blocks of 512. */
	int rc = write_filter(p, rows, count, (uint32_t)(((uint64_t)count * 10 + 511) / 512));
	pager_end(p);
	pager_begin(p, &sections[SECTION_UPDATED], SEGMENT_UPDATED_SIZE);
	write_updated(p, rows, count, keys);
	pager_end(p);
	pager_begin(p, &sections[SECTION_PARENTS], SEGMENT_PARENT_SIZE);
	write_parents(p, rows, count, keys);
	pager_end(p);
	pager_begin(p, &sections[SECTION_TRUNCATED], SEGMENT_TRUNCATED_SIZE);
	write_truncated(p, rows, count);
	pager_end(p);
	pager_begin(p, &sections[SECTION_CHANGES], SEGMENT_CHANGE_SIZE);
	write_changes(p, rows, count, keys);
	pager_end(p);
	free(keys);
	return rc;
}

static int write_columns(struct pager *p, const struct segment_plan *plan,
			 const struct segment_row *rows, uint32_t count, struct section *sections)
{
	struct columns_writer *w = columns_writer_new(p, plan, rows, count, sections);
	int rc = w ? 1 : ERR_NOMEM;

	while (rc == 1)
		rc = columns_writer_step(w);
	columns_writer_free(w);
	return rc;
}

static int write_terms(struct pager *p, const struct segment_plan *plan,
		       const struct segment_row *rows, uint32_t count, struct section *sections)
{
	struct terms_writer *w = terms_writer_new(p, plan, rows, count, sections);
	int rc = w ? 1 : ERR_NOMEM;

	while (rc == 1)
		rc = terms_writer_step(w);
	terms_writer_free(w);
	return rc;
}

static int by_created(const void *a, const void *b)
{
	const struct row *x = &((const struct segment_row *)a)->row,
			 *y = &((const struct segment_row *)b)->row;

	if (x->created_ms != y->created_ms)
		return x->created_ms < y->created_ms ? -1 : 1;
	if (x->id_hash != y->id_hash)
		return x->id_hash < y->id_hash ? -1 : 1;
	/* Two ids with one hash: any order that does not depend on the sort. */
	return x->revision < y->revision ? -1 : x->revision > y->revision;
}

void segment_sort(struct segment_row *rows, uint32_t count)
{
	qsort(rows, count, sizeof *rows, by_created);
}

int64_t segment_rows_start(const struct segment_row *rows, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (rows[i].row.created_ms != TIME_NONE)
			return rows[i].row.created_ms;
	return TIME_NONE;
}

int segment_write(struct out *out, const struct segment_plan *plan, struct segment_row *rows,
		  uint32_t count, struct segment_meta *meta)
{
	struct section sections[SEGMENT_SECTIONS] = {{0}};
	struct pager p = {.out = out};
	uint8_t page[SEGMENT_PAGE];

	assert(count > 0);
	survey(rows, count, meta);
	p.page = (uint32_t)((meta->data_end + SEGMENT_PAGE - 1) / SEGMENT_PAGE);
	out_zeros(out, sizeof page); /* the header page comes last */
	for (uint32_t i = 0; i < count; i++)
		out_put(out, rows[i].frame, rows[i].row.frame_bytes);
	out_zeros(out, (size_t)p.page * SEGMENT_PAGE - (size_t)meta->data_end);
	int rc = write_rows(&p, rows, count, sections);
	if (!rc)
		rc = write_columns(&p, plan, rows, count, sections);
	if (!rc)
		rc = write_terms(&p, plan, rows, count, sections);
	if (rc || out->error)
		return rc ? rc : out->error;
	meta->bytes = (uint64_t)p.page * SEGMENT_PAGE;
	header_page(meta, plan->resource, plan->window_ms, sections, page);
	meta->header_sum = le32(page + SEGMENT_PAGE_ROOM);
	return out_first(out, page, sizeof page);
}
