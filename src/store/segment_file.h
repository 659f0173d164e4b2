/*
 * segment_file: one segment, written once and read many times. The format is <store/segment.h>.
 */
#ifndef FIC_STORE_SEGMENT_FILE_H
#define FIC_STORE_SEGMENT_FILE_H

#include "out.h"
#include "pages.h"
#include "sort.h"

#include <base/clock.h>
#include <store/segment.h>

#define SEGMENT_FOLDER_SIZE 16u

/* A row as SECTION_ROWS has it. */
struct row {
	uint32_t offset, frame_bytes, raw_bytes, flags;
	int64_t created_ms, updated_ms, seen_ms;
	uint64_t revision, id_hash, parent_hash, doc_hash;
};

/* 0 is kept for "no parent". */
static inline uint64_t row_parent_hash(struct bytes parent)
{
	uint64_t h = parent.len ? bytes_hash(parent) : 0;

	return parent.len && !h ? 1 : h;
}

enum segment_range { RANGE_CREATED, RANGE_UPDATED, RANGE_REVISION, RANGE_SEEN, SEGMENT_RANGES };

struct range {
	int64_t min, max;
};

/* What the manifest says about a segment. */
struct segment_meta {
	uint64_t number, dictionary;
	uint64_t bytes, data_end;
	uint32_t records, tombstones, truncated, untimed;
	uint32_t header_sum;
	struct range ranges[SEGMENT_RANGES];
	char folder[SEGMENT_FOLDER_SIZE];
};

struct section {
	uint32_t first_page, pages, elements, size, per_page;
};

/* A segment that some state names. Shared by the states by count. */
struct segment {
	unsigned refs;
	bool doomed; /* no longer named by the newest state: the file goes with the last reference */
	uint64_t doomed_at; /* since which manifest of this process */
	bool damaged; /* something in it was not what was written: it goes at the next commit */
	bool damaged_before; /* and that was known when the open transaction began */
	bool loaded;
	struct page_file file;
	struct segment_meta meta;
	struct section sections[SEGMENT_SECTIONS];
	char resource[SEGMENT_NAME_SIZE];
};

/* ---- writing ---- */

struct segment_row {
	struct row row; /* offset is filled in */
	const uint8_t *frame;
	struct segment *from; /* with frame NULL: it is fetched when it is written … */
	uint32_t source;      /* … from there */
};

/* Appends a frame around an already packed record: begin reserves the head and writes the id, end
 * writes the checksum. */
size_t frame_begin(struct buf *out, struct bytes id);
void frame_end(struct buf *out, size_t start);

/* Fills pages with elements of one size. */
struct segment_pager {
	struct out *out;
	uint32_t page; /* its number */
	uint32_t used, size;
	uint8_t bytes[SEGMENT_PAGE];
};

/* Writes a whole file from rows that are sorted by segment_row_key, in slices of some tenths of a
 * millisecond. */
struct segment_writer {
	struct out *out;
	const char *resource;
	int64_t window_ms;
	struct segment_row *rows;
	uint32_t count;
	struct segment_meta *meta;
	struct section sections[SEGMENT_SECTIONS];
	struct segment_pager pager;
	struct sort sort;
	uint64_t (*filter)[SEGMENT_FILTER_WORDS];
	/* Appends the frame of a row that has none, to an empty buffer. */
	int (*fetch)(void *ctx, const struct segment_row *r, struct buf *out);
	void *ctx;
	struct buf fetched;
	unsigned stage, phase; /* which section, and what of it */
	uint32_t at, into;     /* the next row, and the next byte of its frame */
};

/* Borrows all of it until the release. `meta` is filled but for number, folder and
 * dictionary, which are taken from there. ERR_NOMEM: nothing to release. */
int segment_writer_init(struct segment_writer *w, struct out *out, const char *resource,
			int64_t window_ms, struct segment_row *rows, uint32_t count,
			struct segment_meta *meta);
/* 1: there is more; 0: the file is written (not synced); or an error. */
int segment_writer_step(struct segment_writer *w);
void segment_writer_release(struct segment_writer *w);
/* A row as SECTION_ROWS has it, SEGMENT_ROW_SIZE bytes. */
void segment_row_encode(const struct row *r, uint8_t *p);
void segment_row_decode(const uint8_t *e, struct row *out);
/* What rows are sorted by; the caller sets the ordinal. */
void segment_row_key(const struct row *row, struct sort_key *out);
/* The smallest known creation time of sorted rows, TIME_NONE when none is known. */
int64_t segment_rows_start(const struct segment_row *rows, uint32_t count);
/* The folder's name for rows whose smallest known creation time is this. */
void segment_folder(int64_t created_ms, int64_t window_ms, char out[SEGMENT_FOLDER_SIZE]);

/* ---- reading: 0 (or 1) or ERR_CORRUPT (noted in `damaged`), ERR_IO, ERR_NOMEM ---- */

/* Takes `path`. NULL: no memory (the path is freed). */
struct segment *segment_new(const char *resource, const struct segment_meta *meta, char *path);
/* A segment that lies in memory (the journal has its rows). Takes `image`, as segment_new does. */
struct segment *segment_new_memory(const char *resource, const struct segment_meta *meta,
				   uint8_t *image);
static inline bool segment_in_memory(const struct segment *g)
{
	return g->file.image != NULL;
}
void segment_free(struct segment *g, struct pages *p);

/* Reads and checks the header page; what was loaded stays. Called by all others. */
int segment_load(struct segment *g, struct pages *p);
int segment_row(struct segment *g, struct pages *p, uint32_t ordinal, uint32_t *hint, struct row *out);
/* 0: certainly not there, 1: perhaps. */
int segment_may_hold(struct segment *g, struct pages *p, uint64_t id_hash);
/* The first element of SECTION_IDS that is not less. */
int segment_find(struct segment *g, struct pages *p, uint64_t id_hash, uint32_t *at_out);
int segment_id(struct segment *g, struct pages *p, uint32_t at, uint32_t *hint, uint64_t *hash_out,
	       uint32_t *ordinal_out);

/* The i-th row by last update, and the i-th child; the ordinal. */
int segment_updated(struct segment *g, struct pages *p, uint32_t at, uint32_t *hint,
		    int64_t *updated_out, uint32_t *ordinal_out);
struct child {
	uint64_t parent_hash;
	int64_t created_ms;
	uint64_t id_hash;
	uint32_t ordinal;
};
int segment_child(struct segment *g, struct pages *p, uint32_t at, uint32_t *hint, struct child *out);
int segment_truncated(struct segment *g, struct pages *p, uint32_t at, uint32_t *hint,
		      uint32_t *ordinal_out);

/* The first row at or behind (time, id hash) on the axis; all three answer the number of elements
 * when there is none. */
int segment_seek_created(struct segment *g, struct pages *p, int64_t time_ms, uint64_t id_hash,
			 uint32_t *at_out);
int segment_seek_updated(struct segment *g, struct pages *p, int64_t time_ms, uint64_t id_hash,
			 uint32_t *at_out);
int segment_seek_child(struct segment *g, struct pages *p, uint64_t parent_hash, int64_t time_ms,
		       uint64_t id_hash, uint32_t *at_out);

/* The row's whole frame with a right checksum, into an emptied `out`. */
int segment_frame(struct segment *g, struct pages *p, const struct row *row, struct buf *out);
/* Parts of a frame that was verified. */
struct bytes frame_id(struct bytes frame);
struct bytes frame_packed(struct bytes frame);
/* Says that the segment is damaged when rc is ERR_CORRUPT, or when it could not be read again and
 * again. Returns rc. */
int segment_note(struct segment *g, int rc);

#endif
