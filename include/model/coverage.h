/*
 * coverage: what the cache knows it knows of one resource.
 *
 * Two independent facts:
 *   held   spans on the creation axis. [a, b) as of T says: every record created in [a, b) that existed at T is held, in its state
 *          at T or later.
 *   chain  [c0, c1) on the provider's clock: every change to any record of this resource in that time has been taken.
 * A span whose as_of lies in the chain (c0 <= as_of <= c1) is as fresh as c1: what changed since was taken. A resource without
 * creation times has one span from TIME_MIN to the moment of its last complete reading.
 *
 * Because it says the same, such an as_of is kept as c1: when the chain grows, the as_of of what lies in it grows along. So a
 * cache that runs well holds one span, however often it syncs, and a chain that breaks leaves behind what it proved.
 *
 * On the update axis a span is known when no record that could have been updated in it is missing or shown too old:
 *   - A hole in the middle of `held` hides everything after its start (a record created in the hole may have been updated
 *     at any later time). What lies below the lowest held span hides nothing above, because backfill reads by last update, newest
 *     first, and every change since is in the chain.
 *   - A span read as of T cannot tell of updates after T, so it ends knowledge of the update axis at T, its own and that of all
 *     spans above it; except in the chain, which has all updates.
 */
#ifndef FIC_MODEL_COVERAGE_H
#define FIC_MODEL_COVERAGE_H

#include <model/interval.h>

enum axis { AXIS_CREATED, AXIS_UPDATED };

struct coverage {
	struct intervals held;
	int64_t chain_start_ms; /* TIME_NONE, both: no chain yet */
	int64_t chain_end_ms;
};

void coverage_init(struct coverage *c);
void coverage_release(struct coverage *c);
/* Replaces the content of `to` (an initialised coverage). ERR_NOMEM: `to` is unchanged. */
int coverage_copy(const struct coverage *from, struct coverage *to);

/* A span was read completely, as of T (as_of_ms, never TIME_NONE). What lies after T, or after the chain's end when T lies in the
 * chain, is not claimed: nobody has read the future. ERR_NOMEM, ERR_LIMIT: unchanged. */
int coverage_hold(struct coverage *c, struct interval span);
/* A span can no longer be trusted (damage, eviction, a page that could not be understood). ERR_NOMEM, ERR_LIMIT: unchanged, and
 * the caller must not go on as if it had been withdrawn. */
int coverage_withdraw(struct coverage *c, int64_t start_ms, int64_t end_ms);
/* The chain begins (or begins anew, when it was broken) at t. */
void coverage_chain_start(struct coverage *c, int64_t t_ms);
/* Every change in [from, to) was taken; from <= chain end, else ERR_INVALID and nothing changes (the chain would have a hole, or
 * there is none). What was created in that time is held as well. to < chain end changes nothing. ERR_NOMEM, ERR_LIMIT: unchanged. */
int coverage_chain_extend(struct coverage *c, int64_t from_ms, int64_t to_ms);

/* The state that a span shows: its as_of, or the chain's end when the as_of lies in the chain. */
int64_t coverage_as_of(const struct coverage *c, struct interval span);
/* The end of knowledge: the largest end of a held span, TIME_NONE when nothing is held. */
int64_t coverage_end(const struct coverage *c);
/* The spans known on an axis, with their effective as_of, into an empty `out`. */
int coverage_known(const struct coverage *c, enum axis axis, struct intervals *out);
/* Share of [start, end) that is held, 0..1 (1 for an empty span). */
double coverage_ratio(const struct coverage *c, int64_t start_ms, int64_t end_ms);

/* MessagePack: [held, chain_start|nil, chain_end|nil]. Decode: ERR_CORRUPT when it breaks an invariant, ERR_NOMEM. It overwrites `out`
 * on success (old content is not released) and leaves it alone otherwise. */
void coverage_encode(const struct coverage *c, struct buf *out);
int coverage_decode(struct bytes whole, struct coverage *out);

#endif
