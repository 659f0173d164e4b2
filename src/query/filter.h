/*
 * filter: the rows of a span that satisfy a condition and a search, and their values, from the cheapest place that knows: index rows, terms, columns,
 * and only then the record. What query and aggregate have in common. Private to this layer.
 */
#ifndef FIC_QUERY_FILTER_H
#define FIC_QUERY_FILTER_H

#include "named.h"
#include "text.h"

#include <model/where.h>
#include <query/overlay.h>
#include <store/store.h>

#define FILTER_SIEVE_MAX 8
#define FILTER_NUMBERS   32 /* power of two */
#define FILTER_OPEN_COST 16 /* of a segment, as many rows */

/* Starts zeroed. What the caller may read: scan, text, read, damaged, only_terms, sieve_count, terms. */
struct filter {
	struct snapshot *snapshot;
	const char *resource;
	const struct where *where;
	const struct where *sieve[FILTER_SIEVE_MAX]; /* parts of the condition that must hold and that an index row can answer */
	size_t sieve_count;
	bool shallow;                            /* there are no other parts */
	struct store_term terms[SCAN_TERMS_MAX]; /* parts that an index answers */
	size_t terms_count;
	bool only_terms;    /* beside the sieve there are no other parts */
	bool where_indexed; /* columns have all that the condition asks for */
	struct text *text;  /* NULL: no search */
	struct scan *scan;  /* NULL: the search gets ready for one */
	/* The span, and what of it is left. */
	enum axis axis;
	int64_t start_ms, end_ms;
	bool descending, has_after;
	struct scan_position after;
	int64_t reach_ms; /* the scan's end: TIME_MIN, the span's; else the search goes on from there */
	struct buf memory, scratch;
	const struct overlay *overlay; /* NULL: none */
	struct named named; /* what the condition names; without a search it is looked up */
	/* Without a search: those of the overlay that are in the span, in the scan's order, and which of them comes next; and the row of the scan behind it. */
	size_t *apart, apart_count, apart_at;
	struct scan_row ahead;
	bool has_ahead, scan_over;
	/* What columns of the fields are numbered, as far as it was asked for. */
	struct {
		const struct field *field;
		int number;
	} numbers[FILTER_NUMBERS];
	uint64_t read;    /* records inflated */
	uint64_t damaged; /* records that could not be read, or not be understood */
};

/* The row that the scan gave last. `record` is its envelope, or, when `whole`, all of it (until the next row). */
struct filter_row {
	struct scan_row row;
	struct record record;
	bool whole;
};

/* Everything is borrowed until filter_release. `where` NULL: all. */
void filter_init(struct filter *f, struct snapshot *v, const char *resource,
		 const struct where *where);
void filter_release(struct filter *f);
/* Before filter_search and filter_start: these records are seen otherwise. Borrowed until filter_release; NULL, or an empty one: none. ERR_NOMEM. */
int filter_overlay(struct filter *f, const struct overlay *overlay);
/* The record of the overlay with this id; NULL: it is not in it. */
const struct record *filter_overlaid(const struct filter *f, struct bytes id);

/* Adds a search: before filter_start, filter_text_step must have said that it is ready. ERR_NOMEM. */
int filter_search(struct filter *f, const struct field *fields, const struct query_text *text,
		  const struct text_want *want);
/* As text_step; without a search: ready. */
int filter_text_step(struct filter *f, unsigned *cost);
/* No more rows are asked for: gives the search's memory back, and counts what it read. */
void filter_end(struct filter *f);

/* Begins to pass over a span, from the start or behind a position (`after` may be NULL). */
int filter_start(struct filter *f, enum axis axis, int64_t start_ms, int64_t end_ms,
		 bool descending, const struct scan_position *after, struct why *why);
/* The next row, wanted or not: 1, 0 at the end, SCAN_MORE, or an error: as scan_step. */
int filter_next(struct filter *f, struct filter_row *out);
/* Whether it is wanted: 1, 0 (also when it is damaged, and counted), or an error. *cost grows by what was read, in units of query_step. */
int filter_wants(struct filter *f, struct filter_row *row, unsigned *cost);
/* Makes it whole: 1, 0: damaged, and counted; or an error. */
int filter_read(struct filter *f, struct filter_row *row, unsigned *cost);

/* Whether columns have the field. */
bool filter_indexed(const struct filter *f, const struct field *field);
/* The row's value of a common field as an index keeps it (field_stored), from its column: 1, or ERR_NOTFOUND: only the record knows. `ctx` is the filter. */
int filter_column(void *ctx, const struct field *field, struct bytes *out);
/* The same from wherever it is: 1, 0: the record is damaged, and counted; or an error. Borrowed until the next call. */
int filter_value(struct filter *f, struct filter_row *row, const struct field *field,
		 struct bytes *out, unsigned *cost);

/* The words for an error of a store, a scan or a buffer; returns rc. */
int filter_explain(int rc, struct why *why);

#endif
