/*
 * segment_write: rows and their frames to a file, from its first byte to its last. The same rows
 * give the same bytes.
 *
 * Each section is a line in `stages`, written in order and once, in slices that keep the loop free.
 * Only the header page comes last: it says where the sections came to lie.
 */
#include "segment_write.h"
#include "columns.h"
#include "terms.h"

#include <codec/crc.h>
#include <model/record.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

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
	put_le32(frame, crc_add(0, frame + 4, out->len - start - 4));
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

static void meta_begin(struct segment_meta *m, uint32_t count, uint64_t data_end)
{
	m->records = count;
	m->data_end = data_end;
	m->tombstones = m->truncated = m->untimed = 0;
	for (int i = 0; i < SEGMENT_RANGES; i++)
		m->ranges[i] = (struct range){TIME_NONE, TIME_NONE};
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

static void header_ids(const struct segment_writer *w, uint8_t *page)
{
	uint32_t pages = w->sections[SECTION_IDS].pages;

	put_le64(page + HEADER_ID_KEYS, w->id_key_min);
	put_le64(page + HEADER_ID_KEYS + 8, w->id_key_max);
	for (uint32_t i = 0; pages <= SEGMENT_ID_PAGES_MAX && i < pages; i++)
		put_le32(page + HEADER_ID_PAGES + (size_t)4 * i, w->id_pages[i]);
}

static void header_page(const struct segment_writer *w, uint8_t *page)
{
	const struct segment_meta *m = w->meta;
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
	window_of(m, w->plan->window_ms, &start, &end);
	put_le64(page + HEADER_WINDOW, (uint64_t)start);
	put_le64(page + HEADER_WINDOW + 8, (uint64_t)end);
	for (int i = 0; i < SEGMENT_RANGES; i++) {
		put_le64(page + HEADER_RANGES + 16 * i, (uint64_t)m->ranges[i].min);
		put_le64(page + HEADER_RANGES + 16 * i + 8, (uint64_t)m->ranges[i].max);
	}
	memcpy(page + HEADER_RESOURCE, w->plan->resource, strlen(w->plan->resource));
	for (int i = 0; i < SEGMENT_SECTIONS; i++) {
		uint8_t *p = page + HEADER_TABLE + (int)SEGMENT_TABLE_SIZE * i;
		put_le64(p, (uint64_t)w->sections[i].first_page * SEGMENT_PAGE);
		put_le32(p + 8, w->sections[i].pages);
		put_le32(p + 12, w->sections[i].elements);
		put_le32(p + 16, w->sections[i].size);
	}
	header_ids(w, page);
	put_le32(page + SEGMENT_PAGE_ROOM, page_sum(page, 0));
}

/* ---- sections ---- */

void segment_row_encode(const struct row *r, uint8_t *p)
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

/* Signed times in the order of unsigned words. */
static uint64_t ordered(int64_t time_ms)
{
	return (uint64_t)time_ms ^ (uint64_t)1 << 63;
}

/* The sections that are sorted otherwise than the rows. */
struct index {
	bool (*key)(const struct row *row, struct sort_key *out); /* false: the row is not in it */
	void (*put)(uint8_t *at, const struct sort_key *key);
};

static bool id_order(const struct row *row, struct sort_key *out)
{
	*out = (struct sort_key){.major = row->id_hash};
	return true;
}

static void put_id(uint8_t *at, const struct sort_key *key)
{
	put_le64(at, key->major);
	put_le32(at + 8, key->ordinal);
}

static bool updated_key(const struct row *row, struct sort_key *out)
{
	*out = (struct sort_key){.major = ordered(row->updated_ms), .middle = row->id_hash};
	return true;
}

static void put_updated(uint8_t *at, const struct sort_key *key)
{
	put_le64(at, ordered((int64_t)key->major));
	put_le32(at + 8, key->ordinal);
}

static bool parent_key(const struct row *row, struct sort_key *out)
{
	*out = (struct sort_key){row->parent_hash, ordered(row->created_ms), row->id_hash, 0};
	return row->parent_hash != 0;
}

static void put_parent(uint8_t *at, const struct sort_key *key)
{
	put_le64(at, key->major);
	put_le64(at + 8, ordered((int64_t)key->middle));
	put_le64(at + 16, key->minor);
	put_le32(at + 24, key->ordinal);
}

static bool revision_key(const struct row *row, struct sort_key *out)
{
	*out = (struct sort_key){.major = row->revision};
	return true;
}

static void put_change(uint8_t *at, const struct sort_key *key)
{
	put_le32(at, key->ordinal);
}

static const struct index by_id = {id_order, put_id};
static const struct index by_update = {updated_key, put_updated};
static const struct index by_parent = {parent_key, put_parent};
static const struct index by_revision = {revision_key, put_change};

/* ---- stages: each answers 1 when it wants to go on, 0 when it is over, or an error ---- */

/* Of rows, keys or bytes in one step: about a tenth of a millisecond. */
#define STEP_ROWS  1024u
#define STEP_BYTES (32u << 10)

/* The end of the next slice of rows. */
static uint32_t slice_end(const struct segment_writer *w, uint32_t count)
{
	return count - w->at < STEP_ROWS ? count : w->at + STEP_ROWS;
}

static uint32_t frame_bytes(const struct segment_writer *w, uint32_t i)
{
	return w->rows ? w->rows[i].row.frame_bytes : w->moved[i].frame_bytes;
}

static int begin_file(struct segment_writer *w)
{
	uint64_t end = SEGMENT_PAGE;

	for (uint32_t i = 0; i < w->count; i++)
		end += frame_bytes(w, i);
	meta_begin(w->meta, w->count, end);
	w->offset = SEGMENT_PAGE;
	w->pager.out = w->out;
	w->pager.page = (uint32_t)((end + SEGMENT_PAGE - 1) / SEGMENT_PAGE);
	out_zeros(w->out, SEGMENT_PAGE);
	return 0;
}

static void note_id_key(struct segment_writer *w, const uint8_t *frame)
{
	uint64_t key = id_key(bytes_of(frame + SEGMENT_FRAME_HEAD, frame[SEGMENT_FRAME_HEAD - 1]));

	w->id_key_min = key < w->id_key_min ? key : w->id_key_min;
	w->id_key_max = key > w->id_key_max ? key : w->id_key_max;
}

static int write_frames(struct segment_writer *w)
{
	for (size_t left = STEP_BYTES; left && w->at < w->count;) {
		uint32_t bytes = frame_bytes(w, w->at);
		size_t n = bytes - w->into;
		if (w->moved && w->into == 0) {
			int rc = w->fetch(w->ctx, &w->moved[w->at], &w->fetched);
			if (rc)
				return rc;
		}
		const uint8_t *frame = w->rows ? w->rows[w->at].frame : w->fetched.data;
		if (w->into == 0)
			note_id_key(w, frame);
		n = n < left ? n : left;
		out_put(w->out, frame + w->into, n);
		left -= n;
		w->into += (uint32_t)n;
		if (w->into == bytes) {
			w->into = 0;
			w->at++;
		}
	}
	if (w->at < w->count)
		return 1;
	out_zeros(w->out, (size_t)w->pager.page * SEGMENT_PAGE - (size_t)w->meta->data_end);
	return 0;
}

static int write_rows(struct segment_writer *w)
{
	for (uint32_t end = slice_end(w, w->count); w->at < end; w->at++) {
		struct row row;
		int rc = 0;
		if (w->rows)
			row = w->rows[w->at].row;
		else
			rc = w->fetch_row(w->ctx, &w->moved[w->at], &row);
		if (rc)
			return rc;
		row.offset = (uint32_t)w->offset;
		w->offset += row.frame_bytes;
		meta_count(w->meta, &row);
		segment_row_encode(&row, pager_next(&w->pager));
	}
	return w->at < w->count;
}

/* What orders it. */
static struct row order_of(const struct segment_writer *w, uint32_t i)
{
	if (w->rows)
		return w->rows[i].row;
	const struct moved_row *r = &w->moved[i];
	return (struct row){.created_ms = r->created_ms,
			    .updated_ms = r->updated_ms,
			    .revision = r->revision,
			    .id_hash = r->id_hash,
			    .parent_hash = r->parent_hash};
}

static bool key_of(const struct segment_writer *w, uint32_t i, struct sort_key *out)
{
	struct row row = order_of(w, i);

	return w->index->key(&row, out);
}

static void index_key(const void *ctx, uint32_t ordinal, struct sort_key *out)
{
	key_of(ctx, ordinal, out);
}

/* Gathers the rows that are in it, sorts them, writes their keys. */
static int write_index(struct segment_writer *w, const struct index *index)
{
	struct sort *s = &w->sort;
	struct sort_key key;

	if (w->phase == 0) {
		if (w->at == 0) {
			w->index = index;
			sort_reset(s, index_key, w);
		}
		for (uint32_t end = slice_end(w, w->count); w->at < end; w->at++)
			if (key_of(w, w->at, &key))
				s->order[s->count++] = w->at;
		w->phase = w->at == w->count;
		return 1;
	}
	if (w->phase == 1) {
		w->phase += !sort_step(s);
		w->at = 0;
		return 1;
	}
	for (uint32_t end = slice_end(w, s->count); w->at < end; w->at++) {
		key_of(w, s->order[w->at], &key);
		key.ordinal = s->order[w->at];
		index->put(pager_next(&w->pager), &key);
	}
	return w->at < s->count;
}

static uint64_t id_of(const struct segment_writer *w, uint32_t i)
{
	return w->rows ? w->rows[i].row.id_hash : w->moved[i].id_hash;
}

/* Where each page ends, from the order that was written. */
static void note_id_pages(struct segment_writer *w)
{
	uint32_t per_page = SEGMENT_PAGE_ROOM / SEGMENT_ID_SIZE;

	for (uint32_t i = 0; i < SEGMENT_ID_PAGES_MAX && i * per_page < w->count; i++) {
		uint32_t end = (i + 1) * per_page < w->count ? (i + 1) * per_page : w->count;
		w->id_pages[i] = (uint32_t)(id_of(w, w->sort.order[end - 1]) >> 32);
	}
}

static int write_ids(struct segment_writer *w)
{
	int rc = write_index(w, &by_id);

	if (rc == 0)
		note_id_pages(w);
	return rc;
}

static int write_updated(struct segment_writer *w)
{
	return write_index(w, &by_update);
}

static int write_parents(struct segment_writer *w)
{
	return write_index(w, &by_parent);
}

static int write_changes(struct segment_writer *w)
{
	return write_index(w, &by_revision);
}

/* What comes next takes memory, too: of the rows only what it needs stays. */
static int end_rows(struct segment_writer *w)
{
	sort_release(&w->sort); /* nothing else is sorted */
	w->places = malloc(w->count * sizeof *w->places);
	if (!w->places)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < w->count; i++)
		w->places[i] = w->rows ? w->rows[i].place : w->moved[i].place;
	w->rows = NULL;
	w->moved = NULL;
	if (w->forget)
		w->forget(w->ctx);
	return 0;
}

static uint64_t parent_of(const struct segment_writer *w, uint32_t i)
{
	return w->rows ? w->rows[i].row.parent_hash : w->moved[i].parent_hash;
}

/* An empty filter for so many, 10 bits each at least, in blocks of 512. */
static int make_filter(struct segment_writer *w, uint32_t count)
{
	w->blocks = (uint32_t)(((uint64_t)count * 10 + 511) / 512);
	w->filter = calloc(w->blocks, sizeof *w->filter);
	return w->filter ? 0 : ERR_NOMEM;
}

static void add_to_filter(struct segment_writer *w, uint64_t h)
{
	static const uint32_t salts[SEGMENT_FILTER_WORDS] = SEGMENT_FILTER_SALTS;
	uint64_t *block = w->filter[((h >> 32) * w->blocks) >> 32];

	for (int i = 0; i < SEGMENT_FILTER_WORDS; i++)
		block[i] |= (uint64_t)1 << ((uint32_t)h * salts[i] >> 26);
}

static void end_filter(struct segment_writer *w)
{
	for (uint32_t b = 0; b < w->blocks; b++) {
		uint8_t *at = pager_next(&w->pager);
		for (int i = 0; i < SEGMENT_FILTER_WORDS; i++)
			put_le64(at + 8 * i, w->filter[b][i]);
	}
	free(w->filter);
	w->filter = NULL;
}

static int write_filter(struct segment_writer *w)
{
	int rc = w->filter ? 0 : make_filter(w, w->count);

	if (rc)
		return rc;
	for (uint32_t end = slice_end(w, w->count); w->at < end; w->at++)
		add_to_filter(w, id_of(w, w->at));
	if (w->at < w->count)
		return 1;
	end_filter(w);
	return 0;
}

/* How many different parents there are, or nearly so many: a bit for each hash, eight times as many as rows. ERR_NOMEM. */
static int count_parents(const struct segment_writer *w, uint32_t *count_out)
{
	uint8_t *seen = calloc(w->count, 1);
	uint32_t count = 0;

	if (!seen)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < w->count; i++) {
		uint64_t h = parent_of(w, i);
		uint64_t at = ((h >> 32) * ((uint64_t)w->count * 8)) >> 32;
		if (!h || seen[at / 8] >> at % 8 & 1)
			continue;
		seen[at / 8] |= (uint8_t)(1u << at % 8);
		count++;
	}
	free(seen);
	*count_out = count;
	return 0;
}

static int write_parent_filter(struct segment_writer *w)
{
	uint32_t parents = 0;

	if (!w->filter) {
		int rc = count_parents(w, &parents);
		if (rc || parents == 0)
			return rc;
		rc = make_filter(w, parents);
		if (rc)
			return rc;
	}
	for (uint32_t end = slice_end(w, w->count); w->at < end; w->at++)
		if (parent_of(w, w->at))
			add_to_filter(w, parent_of(w, w->at));
	if (w->at < w->count)
		return 1;
	end_filter(w);
	return 0;
}

static bool is_truncated(const struct segment_writer *w, uint32_t i)
{
	return w->rows ? w->rows[i].row.flags & RECORD_TRUNCATED : w->moved[i].truncated;
}

static int write_truncated(struct segment_writer *w)
{
	for (uint32_t end = slice_end(w, w->count); w->at < end; w->at++)
		if (is_truncated(w, w->at))
			put_le32(pager_next(&w->pager), w->at);
	return w->at < w->count;
}

static int write_columns(struct segment_writer *w)
{
	if (!w->columns)
		w->columns = columns_writer_new(&w->pager, w->plan, w->places, w->count, w->sections);
	int rc = w->columns ? columns_writer_step(w->columns) : ERR_NOMEM;
	if (rc == 0) {
		columns_writer_free(w->columns);
		w->columns = NULL;
	}
	return rc;
}

static int write_terms(struct segment_writer *w)
{
	if (!w->terms)
		w->terms = terms_writer_new(&w->pager, w->plan, w->places, w->count, w->sections);
	return w->terms ? terms_writer_step(w->terms) : ERR_NOMEM;
}

static int write_header(struct segment_writer *w)
{
	uint8_t page[SEGMENT_PAGE];

	w->meta->bytes = (uint64_t)w->pager.page * SEGMENT_PAGE;
	header_page(w, page);
	w->meta->header_sum = le32(page + SEGMENT_PAGE_ROOM);
	return out_first(w->out, page, sizeof page);
}

static const struct {
	int (*step)(struct segment_writer *w);
	enum segment_section section;
	uint32_t size; /* of its elements; 0: none, or the stage begins and ends its sections itself */
} stages[] = {
	{begin_file, 0, 0},
	{write_frames, 0, 0},
	{write_rows, SECTION_ROWS, SEGMENT_ROW_SIZE},
	{write_ids, SECTION_IDS, SEGMENT_ID_SIZE},
	{write_filter, SECTION_FILTER, SEGMENT_BLOCK_SIZE},
	{write_updated, SECTION_UPDATED, SEGMENT_UPDATED_SIZE},
	{write_parents, SECTION_PARENTS, SEGMENT_PARENT_SIZE},
	{write_parent_filter, SECTION_PARENT_FILTER, SEGMENT_BLOCK_SIZE},
	{write_truncated, SECTION_TRUNCATED, SEGMENT_TRUNCATED_SIZE},
	{write_changes, SECTION_CHANGES, SEGMENT_CHANGE_SIZE},
	{end_rows, 0, 0},
	{write_columns, 0, 0},
	{write_terms, 0, 0},
	{write_header, 0, 0},
};

#define STAGES (sizeof stages / sizeof stages[0])

int segment_writer_init(struct segment_writer *w, struct out *out, const struct segment_plan *plan,
			const struct segment_row *rows, const struct moved_row *moved,
			uint32_t count, struct segment_meta *meta)
{
	assert(count > 0 && !rows == !!moved);
	*w = (struct segment_writer){
		.out = out, .plan = plan, .rows = rows, .moved = moved, .count = count, .meta = meta};
	w->id_key_min = UINT64_MAX;
	return sort_init(&w->sort, count);
}

void segment_writer_release(struct segment_writer *w)
{
	sort_release(&w->sort);
	buf_release(&w->fetched);
	columns_writer_free(w->columns);
	terms_writer_free(w->terms);
	free(w->filter);
	free(w->places);
	w->columns = NULL;
	w->terms = NULL;
	w->filter = NULL;
	w->places = NULL;
}

int segment_writer_step(struct segment_writer *w)
{
	unsigned stage = w->stage;

	if (!w->begun && stages[stage].size)
		pager_begin(&w->pager, &w->sections[stages[stage].section], stages[stage].size);
	w->begun = true;
	int rc = stages[stage].step(w);
	if (!rc && stages[stage].size)
		pager_end(&w->pager);
	if (!rc && w->out->error)
		rc = w->out->error;
	if (rc)
		return rc;
	w->at = w->phase = 0;
	w->begun = false;
	return ++w->stage < STAGES;
}

/* ---- the order of the rows ---- */

/* Two ids with one hash: any order that does not depend on the sort. */
void segment_row_key(const struct row *row, struct sort_key *out)
{
	*out = (struct sort_key){ordered(row->created_ms), row->id_hash, row->revision, 0};
}

int64_t segment_rows_start(const struct segment_row *rows, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (rows[i].row.created_ms != TIME_NONE)
			return rows[i].row.created_ms;
	return TIME_NONE;
}
