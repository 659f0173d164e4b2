/*
 * choice: which files of a resource a compaction takes.
 *
 * What it says is worth doing always brings the store nearer to rest: it takes rows that are dead,
 * of an old schema or packed for fresh ones, and a compaction leaves none; or it lowers the number
 * of files; or, that being the same, the sum of the times that they span. None of these makes
 * another one worse, so that a store that nobody changes stops writing.
 */
#ifndef FIC_STORE_CHOICE_H
#define FIC_STORE_CHOICE_H

#include "inside.h"

/* A merged segment is full with so many rows (sorting more takes more than 4 MB) or bytes. */
#define MERGED_ROWS  20480u
#define MERGED_BYTES (32u << 20)
/* So many small ones, of less than half of that, are merged. */
#define MERGED_SMALL 8u

struct choice {
	struct segment **segments; /* borrowed from the resource */
	uint32_t count;            /* 0: nothing is worth it */
	bool cold;                 /* its rows will hardly change: they are packed densely */
	uint64_t rows, bytes;      /* that live */
};

/* Only files whose fields are loaded are looked at. ERR_NOMEM: nothing to release. */
int choice_make(struct store *s, const struct state_resource *r, struct choice *out);
void choice_release(struct choice *c);

/* Of the dictionaries that nothing new is packed with the one that the fewest records need, which goes first when there are too many; those records.
 * 0 and UINT64_MAX: there is none. */
uint64_t choice_spare_dictionary(const struct state_resource *r, uint64_t *rows_out);

#endif
