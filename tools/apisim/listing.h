/* Listings by cursor: what list and search of conversations and contacts
 * have in common. */
#ifndef APISIM_LISTING_H
#define APISIM_LISTING_H

#include "call.h"
#include "search.h"

/* Reads per_page and starting_after from the query string. */
void listing_answer(struct call *c, const struct resource *res);
/* Reads query, pagination and sort from the body. */
void listing_search(struct call *c, const struct resource *res);
/* Names a listing by path and parameters, for the ledger. */
uint64_t listing_name(const struct call *c, const char *what, uint32_t per_page);

/* Pages by number: the member "pages" with next as a URL, or null. */
void listing_numbered_pages(struct call *c, const char *query, uint32_t page, uint32_t per_page,
			    uint32_t total);

#endif
