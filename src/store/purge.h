/*
 * purge: what is dead goes from the disk: files that have such rows are written anew, and where records were forgotten every dictionary that may have phrases
 * of them, and whatever it packed.
 *
 *   WORKING (a dictionary in the place of the old one -> files of before are merged, one choice after the other) ->
 *     SETTLED (a manifest that names none of them) -> over (another one, so that the previous one names none, either; their files go)
 *
 * How far it is stands in a mark of the manifest, "purge:<resource>", from the commit on that makes it necessary: whoever stops the daemon finds it where it was.
 */
#ifndef FIC_STORE_PURGE_H
#define FIC_STORE_PURGE_H

#include "inside.h"

#define PURGE_MARK "purge:"
#define SCRUB_MARK \
	"scrub:" /* a resource with old copies that are to go with the next store_purge */

/* What a resource's purge is about; zeroes: there is none. */
struct purge {
	uint64_t rows;       /* files with smaller numbers have no dead rows afterwards */
	uint64_t dictionary; /* no dictionary has a smaller number; 0: they stay */
	uint64_t strip;      /* files with smaller numbers may have what is excluded (exclude.h) */
	bool settled;
};

struct purge purge_of(const struct state *t, const char *resource);
/* Whether the purge has something to do with a segment that lives. */
bool purge_needs(const struct purge *p, const struct state_segment *e);

/* The resources that have a mark with this prefix, from *at (at first 0) on. False: there are no more. */
bool purge_next(const struct state *t, const char *prefix, size_t *at, char out[SEGMENT_NAME_SIZE]);

/* Sets the mark; NULL: it is over. 0, ERR_LIMIT, ERR_NOMEM. */
int purge_mark(struct txn *t, const char *resource, const struct purge *p);
/* A commit is being prepared: what it forgets is purged. 0, ERR_LIMIT, ERR_NOMEM. */
int purge_note(struct txn *t);
/* Everything that is held of the resource is written anew. 0, ERR_LIMIT, ERR_NOMEM. */
int purge_all(struct txn *t, const char *resource);
/* Old copies that were noted until now are purged. 0, ERR_LIMIT, ERR_NOMEM. */
int purge_scrub(struct txn *t, const char *resource);

/* purge_work.c: the next thing to do that is not a merge of files; false: nothing is, for now. No commit may be under way. */
bool purge_begin(struct store *s);

#endif
