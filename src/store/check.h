/*
 * check: what the two halves of a check share: the small files of a store (check_files.c) and its segments (check.c).
 */
#ifndef FIC_STORE_CHECK_H
#define FIC_STORE_CHECK_H

#include "columns.h"
#include "terms.h"
#include "view.h"

#include <dirent.h>

enum check_phase {
	PHASE_DICTIONARIES,
	PHASE_PAGES,
	PHASE_ROWS,
	PHASE_INDEXES,
	PHASE_COLUMNS,
	PHASE_TERMS
};

enum check_stage {
	STAGE_MANIFEST,
	STAGE_PREVIOUS,
	STAGE_JOURNALS,
	STAGE_TRAIL,
	STAGE_SEGMENTS, /* and dictionaries */
};

enum file_kind { FILE_FRAMED, FILE_JOURNAL, FILE_TRAIL };

/* A file of checksummed frames that is read piece by piece. */
struct file_check {
	int fd; /* -1: none is open */
	enum file_kind kind;
	const char *magic;
	uint64_t at, end;
	uint64_t left; /* of the frame's body */
	uint32_t sum, want;
	const char *wrong; /* what is, in words; NULL: nothing so far */
	bool torn;         /* it is the end, and nothing follows it */
};

struct store_check {
	struct snapshot *view;
	enum check_stage stage;
	struct file_check file;
	char *path;       /* of that file */
	uint64_t journal; /* the next one to look at */
	DIR *trail;
	uint64_t trail_newest;    /* the name of its last file */
	store_check_found *found; /* NULL: nobody is told */
	void *found_ctx;
	size_t resource, segment;
	enum check_phase phase;
	uint32_t at; /* page, row or element */
	uint32_t hints[4];
	struct row before;
	struct child child_before;
	int64_t updated_before;
	uint64_t hash_before;
	uint64_t revision_before;
	struct column_hint columns[SEGMENT_FIELDS_MAX];
	struct term_cursor terms;
	struct buf value;
	uint64_t bad, done, total;
	uint64_t files, bytes; /* read */
	bool no_memory;
};

/* Counts the damage and tells whoever wants to know. */
void check_found(struct store_check *c, const struct store_damage *d);
/* A piece of the manifests, journals and trail: true with something done, false when all were read. */
bool check_files_step(struct store_check *c, size_t *cost);
/* A whole dictionary: what is wrong with it, NULL: nothing. */
const char *check_dictionary_file(struct store_check *c, const char *path);
void check_files_release(struct store_check *c);

#endif
