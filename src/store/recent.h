/*
 * recent: where the records lie that were asked for by id: what is asked for again costs one read, of
 * the record itself, however many segments there are. A place is a hint; who uses it compares the id.
 */
#ifndef FIC_STORE_RECENT_H
#define FIC_STORE_RECENT_H

#include "segment_file.h"

struct recent;

/* A fixed 200 KB. NULL: no memory. */
struct recent *recent_new(void);
void recent_free(struct recent *t);

struct place {
	uint64_t segment; /* its number: never given twice; 0: no place */
	uint32_t entry;   /* where the segment was among those of its resource, the last time */
	uint32_t ordinal;
	struct row row;
};

/* The place of a record with this hash; NULL: none. Borrowed until the next call. */
struct place *recent_find(struct recent *t, uint64_t id_hash);
/* Keeps a place by its row's hash, instead of another one: of the few that share its part of the table, the
 * one that was not looked for for longest. */
void recent_keep(struct recent *t, const struct place *place);

#endif
