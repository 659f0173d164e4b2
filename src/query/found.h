/*
 * found: parents that a search has found by a child of theirs, each with the child that came first. Private to this layer.
 */
#ifndef FIC_QUERY_FOUND_H
#define FIC_QUERY_FOUND_H

#include <base/err.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FOUND_MAX 8192u /* a quarter of a megabyte, as a table */

struct found_child {
	uint64_t parent;           /* what children call it, never 0 */
	int64_t created_ms;        /* the parent was */
	uint32_t segment, ordinal; /* where the child lies */
	bool sure;                 /* the search holds for it; else its words have to be read */
	bool more;                 /* another child of the parent was found, too */
};

/* Starts zeroed. */
struct found {
	struct found_child *slots;
	uint32_t size, count;
};

void found_release(struct found *f);
const struct found_child *found_find(const struct found *f, uint64_t parent); /* NULL: it is not there */
/* Notes of a parent that is there that it has more. */
void found_more(struct found *f, uint64_t parent);
/* One that is not there yet. ERR_LIMIT: there are FOUND_MAX, ERR_NOMEM. */
int found_add(struct found *f, const struct found_child *child);
/* How many of the parents were created at the time or later. */
uint32_t found_since(const struct found *f, int64_t from_ms);
/* Forgets parents that were created at the time or later. 0 or ERR_NOMEM, and then none. */
int found_forget(struct found *f, int64_t from_ms);

#endif
