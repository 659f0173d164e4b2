/*
 * text: the part of a question that is full text.
 *
 * A record is found when the search holds for its words; one that has children (a conversation) also when it holds for one of
 * them by itself. There are three ways to get at these:
 *
 *   - The newest are wanted, and it is known by how much children may be older than their parents: children are walked from the newest on and mark
 *     their parents, stretch by stretch, as far as rows are asked for. The cost is that of the answer.
 *   - All children that are found mark their parents, and then a scan passes the marked ones.
 *   - Nearly everything is found: a scan passes all, and each asks for its children.
 */
#ifndef FIC_QUERY_TEXT_INTERNAL_H
#define FIC_QUERY_TEXT_INTERNAL_H

#include "rank.h"

#include <query/text.h>
#include <store/match.h>

struct text;

/* What is asked for of what is found. */
struct text_want {
	uint32_t rows;    /* so many; 0: all */
	bool newest;      /* by creation, the newest first … */
	int64_t start_ms; /* … and created then or later */
	bool ranked;      /* what they hold is counted (text_rank) before they are shown */
};

struct text_spec {
	const char *resource;
	const struct field *fields; /* its common fields; may be NULL */
	struct query_text text;     /* with a search */
	struct text_want want;
};

/* Copies the spec; the snapshot and what the spec borrows must outlive it. ERR_NOMEM. */
int text_open(struct snapshot *v, const struct text_spec *spec, struct text **out);
void text_free(struct text *t);

/* Gets ready, in steps; adds to *cost. 1: there is more, 0: ready, or an error. */
int text_step(struct text *t, unsigned *cost);

/* For the scan. */
struct match *text_match(const struct text *t);
bool text_passes_all(const struct text *t);

/* Whether it is ready for a stretch of time only: before each scan, text_walk must say so. */
bool text_walks(const struct text *t);
/* Goes on to the next stretch, as text_step. 0: all records created at *reach_ms or later can be scanned; TIME_MIN: all records. */
int text_walk(struct text *t, int64_t *reach_ms, unsigned *cost);

/* How many there are, as match_count. */
int text_count(struct text *t, int64_t start_ms, int64_t end_ms, uint64_t *count_out);

/* Whether the scan's row is found: 1, 0, ERR_NOTFOUND: when the record itself is (text_finds), or an error. */
int text_row(struct text *t, const struct scan_row *row, unsigned *cost);
/* 1, 0 or an error. */
int text_finds(struct text *t, const struct record *r);

/* What is in the document that a found record is, with all of its children that are found (rank.h). 0 or an error. */
int text_rank(struct text *t, uint64_t id_hash, const struct record *r, struct rank_counts *counts,
	      unsigned *cost);

/* The snippet of a record that is found, by the hash of its id, into an emptied `out`: of the newest child that is found, or else of the record. 1; 0: there is none;
 * ERR_NOTFOUND: `r` is NULL, and the record has to be read; or an error. */
int text_snippet(struct text *t, uint64_t id_hash, const struct record *r, struct buf *out,
		 unsigned *cost);

/* Records that could not be read or understood. */
uint64_t text_damaged(const struct text *t);
uint64_t text_read(const struct text *t);

#endif
