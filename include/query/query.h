/*
 * query: one question about the records of one resource, answered in steps.
 *
 * A query reads a snapshot: commits that come while it runs do not change its answer. A step does a bounded piece of work, so that the loop that
 * runs it serves others in between. Tombstones are never rows. A block of the store that turns out to be damaged costs its rows, not the answer: `damaged` says
 * how many are missing, and the answer is then not complete.
 */
#ifndef FIC_QUERY_QUERY_H
#define FIC_QUERY_QUERY_H

#include <model/where.h>
#include <query/cursor.h>
#include <query/overlay.h>
#include <query/row.h>
#include <query/text.h>
#include <store/store.h>

#define QUERY_BYTES_DEFAULT (4u << 20)

/* Texts, tables, the condition and the buffer are borrowed until query_free. */
struct query_spec {
	const char *source; /* its name, for the rows */
	const char *resource;
	const struct field *fields; /* common fields of this resource at this provider; may be NULL */
	enum axis axis;
	int64_t start_ms,
		end_ms; /* half-open, on the axis; TIME_MIN..TIME_MAX: everything, records without a time too */
	bool ascending; /* oldest or smallest first; else newest or largest first. Equals: any fixed order */
	const struct field *sort; /* NULL: by the axis; else by this field, or by relevance (query_sort) */
	const struct where *where; /* NULL: all */
	/* With a search, rows get a member `snippet` (search_snippet), of the newest child that is found or else of the record: without names, or where it is among them. */
	struct query_text text;
	const struct overlay *overlay; /* NULL: none */
	const struct bytes *names;     /* what rows show (row.h); NULL: the summary */
	size_t name_count;
	bool whole;     /* without names: doc as well */
	uint32_t limit; /* rows; 0: none, only a total */
	size_t bytes_max; /* of rows; a first row that is larger is given alone. 0: QUERY_BYTES_DEFAULT */
	/* The rows are taken out of the buffer while the question runs: when it holds bytes_max, a step ends and the next ones do nothing until it was emptied. No page ends
	 * by its size then, and memory does not depend on the number of rows. */
	bool flow;
	bool want_total;
	struct bytes cursor; /* next_cursor of an answer to the same question; its span counts then, not the one above. {NULL, 0}: the first page */
	struct buf *rows; /* rows are appended, one map each; the array around them is the caller's */
};

struct query_result {
	uint32_t rows;
	uint64_t total; /* of all pages, when it is known: asked for, or seen */
	bool total_known;
	uint64_t scanned;         /* rows looked at */
	uint64_t read;            /* of these, records inflated */
	uint64_t damaged;         /* records that could not be read, or not be understood */
	int64_t start_ms, end_ms; /* the span that was asked */
	bool more; /* next_cursor leads to more rows. Where a condition matches rarely it may turn out that there are none */
	char next_cursor[CURSOR_TEXT_MAX]; /* "" when there is none */
};

struct query;

/* The order "relevance" of a search: the best first (BM25), of equal ones the newest. The 1,000 newest that are found are put in this order, and each page does that
 * again; what comes behind them is reached by the order of time. */
extern const struct field query_relevance;

/* What "relevance", "FIELD" (the smallest first) or "-FIELD" means for a question about an axis: a common field that is no list, or created or updated; without a value last.
 * Of texts the first SORT_KEY_MAX bytes count. All rows of the span are passed for each page, but for segments that cannot have one of it (of an integer or a time), and columns are read. Borrowed from `fields`. ERR_NOTFOUND, ERR_INVALID. */
int query_sort(struct bytes text, const struct field *fields, enum axis axis, bool *ascending_out,
	       const struct field **sort_out, struct why *why);

/* The snapshot must outlive the query. ERR_INVALID: the cursor is none, or of another question; ERR_NOTFOUND, ERR_INVALID, ERR_LIMIT: a name; ERR_NOMEM, ERR_IO. */
int query_open(struct snapshot *v, const struct query_spec *spec, struct query **out, struct why *why);

/* Goes on for about `budget` units: an index row costs one, reading a record one more for each 8 KiB of it. 1: there is more to do, 0: done (again and again), negative: an error, which stays: ERR_IO,
 * ERR_NOMEM, ERR_LIMIT (the rows' buffer is full). */
int query_step(struct query *q, unsigned budget, struct why *why);

/* The cursor behind the last row that was written, at any time; "" before the first. Returns out. */
const char *query_cursor(const struct query *q, char out[CURSOR_TEXT_MAX]);

/* No more rows are wanted: it goes on to its total, where one is. */
void query_enough(struct query *q);
/* Which of the last rows that two questions of one order have written comes first: below 0, a's; 0: they are equal in that order. */
int query_compare(const struct query *a, const struct query *b);

/* Complete when query_step has said 0. Borrowed until query_free. */
const struct query_result *query_result(const struct query *q);
void query_free(struct query *q);

#endif
