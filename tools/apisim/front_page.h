/* Listings of Front, a page at a time. */
#ifndef APISIM_FRONT_PAGE_H
#define APISIM_FRONT_PAGE_H

#include "call.h"
#include "front.h"

/* What is listed: indexes rising by (key, index). */
struct front_page {
	struct call *call;
	const uint32_t *idx;
	uint32_t count;
	int64_t (*key)(uint32_t idx);
	/* Whether a record is in this listing; NULL: each is. */
	bool (*wanted)(const struct front_page *p, uint32_t idx);
	/* Whether the token may see it; one that it may not see takes its
	 * place on the page all the same. NULL: each. */
	bool (*shown)(uint32_t idx);
	void (*print)(struct buf *b, uint32_t idx);
	const void *filter;  /* for wanted() */
	uint32_t max, usual; /* of a page */
	const char *sorts;   /* what sort_by may be, each between blanks; NULL: nothing */
	bool total;          /* with _total */

	uint32_t limit;
	bool ascending;
};

/* Reads limit, sort_order and page_token, and answers. */
void front_page_answer(struct front_page *p);
/* A listing that is never cut. */
void front_whole_open(struct call *c);
void front_whole_close(struct call *c);

/* Indexes 0..n-1 as a listing; good until the next call. */
const uint32_t *front_all(uint32_t n);
/* The same in the order of a key. */
const uint32_t *front_sorted(uint32_t n, int64_t (*key)(uint32_t idx));
/* Gathers a chain (newest first) as a listing; good until the next call. */
const uint32_t *front_chain(uint32_t newest, uint32_t (*older)(uint32_t idx),
			    int64_t (*key)(uint32_t idx), uint32_t *count_out);

#endif
