/*
 * segment_file: one segment, written once and read many times. The format is <store/segment.h>.
 */
#ifndef FIC_STORE_SEGMENT_FILE_H
#define FIC_STORE_SEGMENT_FILE_H

#include "id_key.h"
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
	bool cold; /* packed densely (PACK_LEVEL_COLD), all of it */
	struct range ranges[SEGMENT_RANGES];
	char folder[SEGMENT_FOLDER_SIZE];
};

struct section {
	uint32_t first_page, pages, elements, size, per_page;
};

#define FIELD_ABSENT UINT8_MAX

/* A segment that some state names. Shared by the states by count. */
struct segment {
	struct id_keys ids; /* from its smallest to its largest: what a lookup asks first. All, until it is loaded. */
	struct bloom *resident; /* over its ids (bloom.h, resident.h); NULL: not loaded … */
	unsigned refs;
	bool doomed; /* no longer named by the newest state: the file goes with the last reference */
	uint64_t doomed_at; /* since which manifest of this process */
	bool damaged; /* something in it was not what was written: it goes at the next commit */
	bool damaged_before; /* and that was known when the open transaction began */
	bool merging; /* a merge that is under way moves its rows: no commit takes it along */
	bool loaded;
	bool fields_loaded;
	bool more_terms;                    /* some row has more terms than are listed */
	bool same_schema;                   /* as the store's now, field by field */
	uint8_t fields[SEGMENT_FIELDS_MAX]; /* of a field of the store's schema: its number here, or FIELD_ABSENT */
	struct page_file file;
	struct segment_meta meta;
	struct section sections[SEGMENT_SECTIONS];
	uint32_t *id_pages; /* the high words of the last hashes of SECTION_IDS' pages; NULL: not known */
	bool resident_failed;     /* it cannot be loaded */
	struct bloom *families;   /* over the parents of its records; NULL: not loaded … */
	bool families_failed;     /* … it cannot be, or there is none */
	struct bloom *vocabulary; /* over its words (vocabulary.h); NULL: not loaded … */
	bool vocabulary_failed;   /* … for it cannot be read */
	size_t vocabulary_least;  /* what it takes, when that is known */
	struct fences *fences;    /* of its terms (fences.h); NULL: not loaded, or there are none */
	bool fences_failed;
	struct column *own[SEGMENT_OWN_FIELDS]; /* of its own fields (columns.h); NULL: nobody asked yet */
	char resource[SEGMENT_NAME_SIZE];
};

/* ---- writing ---- */

/* Where a row's terms and column values are: which of the plan's sources, and the row there. */
struct segment_place {
	uint32_t index, index_row;
};

struct segment_row {
	struct row row; /* but for its offset */
	const uint8_t *frame;
	struct segment_place place;
};

/* A row that a merge moves: what orders it, and where all else is. There are as many in memory as one segment has. */
struct moved_row {
	int64_t created_ms, updated_ms;
	uint64_t revision, id_hash, parent_hash;
	uint32_t frame_bytes, frame_at;
	uint32_t ordinal; /* in its source … */
	uint16_t source;  /* … of the merge's */
	bool packed;      /* anew: the frame lies in the merge's own file, not in the source */
	bool truncated;
	struct segment_place place;
};

struct extract;
struct schema;

/* One of the two. A segment must have the plan's schema (same_schema). */
struct segment_source {
	const struct extract *extract;
	struct segment *segment;
};

/* What all segments of one commit have in common. */
struct segment_plan {
	const char *resource;
	int64_t window_ms;
	const struct schema *schema; /* NULL: no fields */
	const struct segment_source *sources;
	uint32_t sources_count;
	struct pages *pages;
};

/* Appends a frame around an already packed record: begin reserves the head and writes the id, end
 * writes the checksum. */
size_t frame_begin(struct buf *out, struct bytes id);
void frame_end(struct buf *out, size_t start);

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
/* The same of children of the parent of this hash. */
int segment_may_have_children(struct segment *g, struct pages *p, uint64_t parent_hash);
/* Of which of these, up to SEGMENTS_ASKED, a filter says without a read that the parent has no children there: a bit for each. */
#define SEGMENTS_ASKED 32u
uint32_t segments_childless(struct segment *const *segments, unsigned count, struct pages *p,
			    uint64_t parent_hash);
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

/* The i-th row by revision (version 2). */
int segment_change(struct segment *g, struct pages *p, uint32_t at, uint32_t *hint,
		   uint32_t *ordinal_out);
int segment_seek_change(struct segment *g, struct pages *p, uint64_t revision, uint32_t *at_out);
/* An element of a section, borrowed until the next call; and bytes of a stream. What lies outside
 * is damage. */
int segment_element(struct segment *g, struct pages *p, enum segment_section which, uint32_t at,
		    uint32_t *hint, const uint8_t **out);
int segment_stream(struct segment *g, struct pages *p, enum segment_section which, uint64_t offset,
		   void *data, size_t len, uint32_t *hint);

/* What lies from a place of a stream on, up to the end of its page: not empty, borrowed until the next call that may load
 * a page. */
int segment_look(struct segment *g, struct pages *p, enum segment_section which, uint64_t offset,
		 uint32_t *hint, struct bytes *out);

/* Whether all pages of terms and columns can be read: some of them with each call. `at` begins as 0.
 * 1: there are more; 0: they all can. */
int segment_probe(struct segment *g, struct pages *p, uint32_t *at);

/* The first row at or behind (time, id hash) on the axis; all three answer the number of elements
 * when there is none. */
int segment_seek_created(struct segment *g, struct pages *p, int64_t time_ms, uint64_t id_hash,
			 uint32_t *at_out);
int segment_seek_updated(struct segment *g, struct pages *p, int64_t time_ms, uint64_t id_hash,
			 uint32_t *at_out);
int segment_seek_child(struct segment *g, struct pages *p, uint64_t parent_hash, int64_t time_ms,
		       uint64_t id_hash, uint32_t *at_out);

/* Where the parent's children end, from one of them on, or from where they would be. */
int segment_children_end(struct segment *g, struct pages *p, uint64_t parent_hash, uint32_t from,
			 uint32_t *at_out);

/* The row's whole frame with a right checksum, into an emptied `out`. */
int segment_frame(struct segment *g, struct pages *p, const struct row *row, struct buf *out);
/* The same for the next one of a scan: as page_file_read_on. */
int segment_frame_on(struct segment *g, struct pages *p, const struct row *row, struct buf *out);
/* Parts of a frame that was verified. */
struct bytes frame_id(struct bytes frame);
struct bytes frame_packed(struct bytes frame);
/* Says that the segment is damaged when rc is ERR_CORRUPT, or when it could not be read again and
 * again. Returns rc. */
int segment_note(struct segment *g, int rc);

#endif
