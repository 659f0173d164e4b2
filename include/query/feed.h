/*
 * feed: the records of some resources that changed after a revision, in the order of revisions, page by page.
 *
 * The store keeps one state of each record, the latest, with the revision of its commit. So a feed gives what a record has become, not what it was on the
 * way there: whoever is behind gets each record once, in its latest state, however often it changed. Tombstones are rows, marked as deleted; what
 * retention has dropped is gone without one. A feed reads a snapshot: what is committed meanwhile comes from the next one, which begins at `next`.
 */
#ifndef FIC_QUERY_FEED_H
#define FIC_QUERY_FEED_H

#include <model/where.h>
#include <query/row.h>
#include <store/store.h>

struct feed_resource {
	const char *name;
	const struct field *fields; /* may be NULL */
};

/* Texts, tables, the condition and the buffer are borrowed until feed_free. */
struct feed_spec {
	const char *source; /* its name, for the rows */
	const struct feed_resource *resources;
	size_t count;              /* at most STORE_RESOURCES_MAX */
	uint64_t since;            /* only later revisions */
	const struct where *where; /* NULL: all. Tombstones are shown whatever it says */
	const struct bytes *names; /* what rows show (row.h); NULL: the summary */
	size_t name_count;
	bool whole;       /* without names: doc as well */
	uint32_t limit;   /* rows of a page */
	size_t bytes_max; /* of a page; a first row that is larger is given alone */
	struct buf *rows; /* rows are appended, one map each */
};

struct feed_result {
	uint32_t rows; /* of this page */
	bool more;     /* the page is full: there may be more in this snapshot */
	uint64_t next; /* the revision to continue from: everything up to it was given or passed */
};

struct feed;

/* The snapshot must outlive the feed. ERR_NOTFOUND, ERR_INVALID, ERR_LIMIT: a name; ERR_CORRUPT: a segment is damaged; ERR_NOMEM, ERR_IO. */
int feed_open(struct snapshot *v, const struct feed_spec *spec, struct feed **out, struct why *why);

/* Goes on for about `budget` units, as query_step. 1: there is more to do; 0: the page is ready; negative: an error, which stays (the rows so far, and `next`, are
 * good): ERR_CORRUPT, ERR_IO, ERR_NOMEM, ERR_LIMIT. */
int feed_step(struct feed *f, unsigned budget, struct why *why);

/* Borrowed until feed_free. */
const struct feed_result *feed_result(const struct feed *f);

/* Begins the next page of the same snapshot; the caller has emptied the buffer or keeps what is in it. */
void feed_turn(struct feed *f);
void feed_free(struct feed *f);

#endif
