/*
 * match: the rows of a resource that a search finds, as far as an index knows, as bits of a snapshot's segments.
 *
 * A row is sure, possible or out. Possible are rows of phrases (an index knows no positions), rows with more words than are
 * listed, and rows of segments from before the texts were indexed: only their records say. Words are looked for in all fields
 * that are indexed by words (STORE_WORDS, STORE_TEXT).
 */
#ifndef FIC_STORE_MATCH_H
#define FIC_STORE_MATCH_H

#include <model/search.h>
#include <store/store.h>

struct match;

/* Begins; nothing is read yet. The search and the snapshot must outlive it. ERR_NOMEM. */
int match_new(struct snapshot *v, const char *resource, const struct search *s, struct match **out);
void match_free(struct match *m);

/* Goes on with what is a matter of some ten microseconds, and adds to *cost as many units (of about two). 1: there is more,
 * 0: it is complete, or an error, which stays. A scan needs no complete match: it gets each segment ready when it comes to it. */
int match_step(struct match *m, unsigned *cost);

/* ---- complete ones ---- */

uint64_t match_rows(const struct match *m);     /* sure or possible ones */
uint64_t match_segments(const struct match *m); /* that have any */

/* How many records (no tombstones) with a creation time in the span are found; TIME_MIN to TIME_MAX: those without a time, too. 1; 0: only records say;
 * or an error. */
int match_count(struct match *m, int64_t start_ms, int64_t end_ms, uint64_t *count_out);

/* A row that is sure or possible, tombstones left out. */
struct match_hit {
	uint64_t parent; /* as match_parent names it; 0: none */
	int64_t created_ms;
	uint64_t id_hash;
	uint32_t segment, ordinal;
	bool sure;
};

/* What children call the record with this id. */
static inline uint64_t match_parent(uint64_t id_hash)
{
	return id_hash ? id_hash : 1;
}

/* The hit's record, inflated into `memory` (reset first). 1 or an error. */
int match_record(struct match *m, const struct match_hit *hit, struct buf *memory, struct record *out);

/* ---- complete or not ---- */

/* Those that are children of a record, as far as the match is ready, appended as an array of struct match_hit, the newest first. 0 or an error. */
int match_children(struct match *m, uint64_t parent, struct buf *hits);

/* Makes the record that children call so sure, or possible if it is not sure already. It was created at `latest_ms` or before. 1: *created_out is when;
 * 0: there is no such live record; or an error. `created_out` may be NULL, which is quicker. */
int match_add(struct match *m, uint64_t parent, bool sure, int64_t latest_ms, int64_t *created_out);

/* Whether a possible row (a scan of this match gave it) is that by its own words, not only by what was added. */
bool match_alone(const struct match *m, uint32_t segment, uint32_t ordinal);

#endif
