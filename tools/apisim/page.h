/* Walking a population in an order, a page at a time. */
#ifndef APISIM_PAGE_H
#define APISIM_PAGE_H

#include "cursor.h"
#include "search.h"

#define PAGE_MAX 150

struct walk {
	const struct resource *res;
	const struct query *query; /* NULL: everything */
	uint64_t query_hash;       /* names the query, for the count */
	const struct field *sort;
	bool descending;
	uint32_t per_page;
	const struct cursor *after; /* NULL: from the start */
	uint32_t lag_s;             /* what changed later is not found yet */
};

struct page {
	uint32_t idx[PAGE_MAX];
	uint32_t count;
	uint32_t total;
	bool more;
	struct cursor last; /* of the last record on it */
};

/* false: cannot be sorted by that field. */
bool page_walk(const struct walk *w, struct page *out);

#endif
