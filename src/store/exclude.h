/*
 * exclude: members of documents that are never stored. They are taken out of what is put; files that may have them still are those with numbers below
 * that of the resource's purge (purge.h), and all of them until the mark "exclude:<resource>" says what the configuration says: then what is copied from them is
 * stripped on the way.
 */
#ifndef FIC_STORE_EXCLUDE_H
#define FIC_STORE_EXCLUDE_H

#include "state.h"

#include <model/strip.h>

#define EXCLUDE_MARK     "exclude:"
#define EXCLUDE_KEY_SIZE (SEGMENT_NAME_SIZE + sizeof EXCLUDE_MARK)

struct exclude {
	char resource[SEGMENT_NAME_SIZE];
	struct buf text; /* the paths, a line each, ascending: the mark's value */
	struct bytes paths[STRIP_PATHS_MAX]; /* in the text */
	size_t count;
};

struct excludes {
	struct exclude *items;
	size_t count;
	bool known; /* what is to be excluded was said */
};

void excludes_release(struct excludes *x);

const struct exclude *exclude_find(const struct store *s,
				   const char *resource); /* NULL: nothing of it is */
struct bytes exclude_key(const char *resource, char out[EXCLUDE_KEY_SIZE]); /* its mark's */
/* What is excluded durably; {NULL, 0}: nothing. */
struct bytes exclude_marked(const struct state *t, const char *resource);

/* Appends the document without what is excluded: 1; 0: it has nothing of that; or an error. */
int exclude_doc(const struct store *s, const char *resource, struct bytes doc, struct buf *out);
/* Whether rows of a segment with this number may have what is excluded. */
bool exclude_unclean(const struct store *s, const char *resource, uint64_t number);
/* The record of such a row, encoded, as it is to be, and its row with it. 0 or an error; ERR_CORRUPT: no record. */
int exclude_record(const struct store *s, const char *resource, struct buf *raw, struct row *row);

/* ---- exclude_set.c ---- */

/* What was said last is in force, unless something is being written by what was said before. */
void exclude_apply(struct store *s);
/* The next resource whose mark does not say what is configured. False: there is none. */
bool exclude_differs(const struct store *s, char resource_out[SEGMENT_NAME_SIZE]);
/* Sets its mark, and its purge where something was not excluded before. 0, ERR_LIMIT, ERR_NOMEM. */
int exclude_note(struct txn *t, const char *resource, const void *unused);

#endif
