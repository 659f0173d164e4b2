/*
 * interval: sets of half-open spans of time, each with the moment whose state it shows.
 *
 * A set is sorted, disjoint, never holds an empty span, and two spans that touch with the same as_of are one. Bounds may be
 * TIME_MIN and TIME_MAX, never TIME_NONE. A zeroed struct is the empty set; the set owns its items.
 */
#ifndef FIC_MODEL_INTERVAL_H
#define FIC_MODEL_INTERVAL_H

#include <base/bytes.h>
#include <base/clock.h>
#include <base/err.h>

struct interval {
	int64_t start_ms;
	int64_t end_ms;
	int64_t as_of_ms;
};

/* More spans than this are refused with ERR_LIMIT (coverage that is torn into so many pieces is a fault elsewhere). */
#define INTERVALS_MAX 10000

struct intervals {
	struct interval *items;
	size_t count;
	size_t cap;
};

void intervals_release(struct intervals *s);
/* Replaces the content of `to` (a set, empty or not). ERR_NOMEM: `to` is unchanged. */
int intervals_copy(const struct intervals *from, struct intervals *to);
/* Where spans overlap, the newer as_of wins. An empty span (start >= end) changes nothing. ERR_NOMEM, ERR_LIMIT: the set is
 * unchanged. A start of TIME_NONE is a caller's bug (asserted). */
int intervals_add(struct intervals *s, struct interval span);
/* Takes [start, end) out. ERR_NOMEM, ERR_LIMIT: the set is unchanged. */
int intervals_remove(struct intervals *s, int64_t start_ms, int64_t end_ms);
bool intervals_contain(const struct intervals *s, int64_t start_ms,
		       int64_t end_ms); /* the whole span; an empty one: true */
/* The parts of [start, end) that are in the set / are not; appended to an empty `out`. as_of of a gap is TIME_NONE. After an error
 * `out` holds a part and is still to be released. */
int intervals_clip(const struct intervals *s, int64_t start_ms, int64_t end_ms, struct intervals *out);
int intervals_gaps(const struct intervals *s, int64_t start_ms, int64_t end_ms, struct intervals *out);
/* The invariants above; for tests and for what was read from disk. */
bool intervals_valid(const struct intervals *s);

/* MessagePack: an array of [start, end, as_of]. Decode checks the invariants: ERR_CORRUPT, ERR_NOMEM. It overwrites `out` on success
 * (old content is not released) and leaves it alone otherwise. */
void intervals_encode(const struct intervals *s, struct buf *out);
int intervals_decode(struct bytes whole, struct intervals *out);

#endif
