/*
 * prepare: what a commit is about to make durable, made in slices.
 */
#ifndef FIC_STORE_PREPARE_H
#define FIC_STORE_PREPARE_H

#include "fold.h"
#include "merge.h"
#include "segment_write.h"

/* A file or folder that must be durable before the manifest names it. */
struct sync {
	char *path;
	int fd;
	bool made; /* by this commit: goes when it fails */
};

enum prepare_stage {
	PREPARE_REBASE,
	PREPARE_NEXT,
	PREPARE_PACK,
	PREPARE_BUILD,
	PREPARE_KILLS,
	PREPARE_RETAIN,
	PREPARE_FOLD,
	PREPARE_GATHER,
	PREPARE_SORT,
	PREPARE_ORDER,
	PREPARE_SEGMENT,
	PREPARE_WRITE,
	PREPARE_CHOOSE,
	PREPARE_MERGE,
	PREPARE_REPLACE,
	PREPARE_END,
};

struct prepared {
	struct store *s;
	struct txn *t;
	struct state *next;
	struct sync *syncs; /* the manifest is the last */
	size_t count, cap;
	char *manifest, *manifest_tmp;
	struct segment **bad; /* damaged ones that the next state does not name; the current one keeps them */
	size_t bad_count;
	struct why why;

	enum prepare_stage stage;
	bool changed;
	bool journaled; /* new rows stay in memory, and no manifest is written */
	bool replayed;  /* the journal has it already */
	bool internal;  /* upkeep: changes nothing that readers see, but for a quarantine */
	bool quarantine;
	char compact[SEGMENT_NAME_SIZE]; /* the resource whose files are merged; "": none. States come and go meanwhile */
	struct choice choice; /* of them */
	struct merge merge;
	bool merging;
	struct state_resource *from;  /* as it was when the merge began. A reference */
	struct state_resource *moved; /* the new segments, until they take their place */
	uint64_t commits; /* of the store, when the sources were last found to be there */
	bool writing;     /* a segment */
	uint32_t manifest_sum;
	struct txn_part *part;    /* at hand, or the last one */
	struct state_resource *r; /* what becomes of it, until it is in `next` */
	struct fold fold;
	size_t at;      /* how far the stage is */
	size_t segment; /* in which it is */
	uint64_t *gone; /* hashes of parents that were retained no longer */
	size_t gone_count, gone_cap;
	/* What is written: the order of what came, and in order. */
	struct sort sort;
	struct segment_row *rows;
	uint32_t rows_count, start; /* of the next segment */
	struct segment_plan plan;
	/* The segment that is being written. */
	struct segment_writer writer;
	struct segment_meta meta;
	struct out out;
	char *path;
};

/* ---- merging (prepare_merge.c): stages, which answer 0 or an error ---- */

int prepare_choose(struct prepared *p);
int prepare_merge(struct prepared *p);
/* 1: there is more of it. */
int prepare_replace(struct prepared *p);
/* Whether the merge still fits what is committed. */
bool prepare_holds(struct prepared *p);
void prepare_merge_release(struct prepared *p);

/* From s and t to all the rest, in steps of some tenths of a millisecond. After an error, too, `p` is
 * to be released, and the files that were made are to be removed first. */
/* Whether the part is of the commit. */
bool prepare_changes(const struct prepared *p, const struct txn_part *part);
/* 1: there is more to do; 0: done, `changed` says whether there is anything to make durable; or an
 * error. */
int prepare_step(struct prepared *p);
void prepared_release(struct prepared *p);
void prepared_close(struct prepared *p); /* the descriptors only */

/* ---- files (prepare_files.c); paths are taken ---- */

int prepare_nomem(struct prepared *p);
/* A folder whose names must be durable. */
int prepare_folder(struct prepared *p, char *path);
/* A file that stays open. */
int prepare_sync(struct prepared *p, int fd);
/* Ends the writing of a file. */
int prepare_written(struct prepared *p, struct out *o, char *path, int rc);
int prepare_file(struct prepared *p, char *path, const struct buf *data);
/* Begins the file of the next segment, of rows in their order; NULL: of those that the merge has gathered. */
int prepare_segment(struct prepared *p, const char *resource, const struct segment_row *rows,
		    uint32_t count);
/* ERR_NOSPACE: there is no room for so many bytes more. */
int prepare_room(struct prepared *p, uint64_t bytes);

#endif
