/*
 * text: the part of a question that is full text.
 *
 * A record is found when the search holds for its words; one that has children (a conversation) also when it holds for one of
 * them by itself. Either the children that are found mark their parents, and a scan passes the marked ones; or, where
 * nearly everything is found, a scan passes all, and each asks for its children.
 */
#ifndef FIC_QUERY_TEXT_H
#define FIC_QUERY_TEXT_H

#include <query/query.h>
#include <store/match.h>

struct text;

/* Borrows all of it until text_free. ERR_NOMEM. */
int text_open(struct snapshot *v, const struct query_spec *spec, struct text **out);
void text_free(struct text *t);

/* Gets ready, in steps; adds to *cost. 1: there is more, 0: ready, or an error. */
int text_step(struct text *t, unsigned *cost);

/* For the scan. */
const struct match *text_match(const struct text *t);
bool text_passes_all(const struct text *t);
/* How many there are, as match_count. */
int text_count(struct text *t, int64_t start_ms, int64_t end_ms, uint64_t *count_out);

/* Whether the scan's row is found: 1, 0, ERR_NOTFOUND: when the record itself is (text_finds), or an error. */
int text_row(struct text *t, const struct scan_row *row, unsigned *cost);
/* 1, 0 or an error. */
int text_finds(struct text *t, const struct record *r);

/* The snippet of a row that is found into an emptied `out`: of the newest child that is found, or else of the record. 1; 0: there is none; ERR_NOTFOUND: `r` is NULL,
 * and the record has to be read; or an error. */
int text_snippet(struct text *t, uint64_t id_hash, const struct record *r, struct buf *out,
		 unsigned *cost);

/* Records that could not be read or understood. */
uint64_t text_damaged(const struct text *t);
uint64_t text_read(const struct text *t);

#endif
