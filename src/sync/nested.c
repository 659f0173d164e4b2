/*
 * nested: lists inside a record that show their beginning only are read page by page after the record itself, and put into it. The record is
 * taken when it is whole; when a list cannot be read, neither is the record. Only the record's own answer says that it is gone.
 */
#include "run.h"
#include "sync_state.h"

#include <stdlib.h>

#define PARTS_MAX 200 /* pages of one list; the largest has a thousand items */

static struct page *failed(struct single *single, struct page *part, enum fault fault,
			   const char *words)
{
	page_free(single->whole);
	single->whole = NULL;
	if (part && fault) {
		part->fault = fault;
		why_set(&part->why, 0, "%s", words);
	}
	return part;
}

static bool read_part(struct single *single, struct bytes cursor,
		      void (*done)(void *ctx, struct page *page, const struct fetch_cost *cost))
{
	struct run *run = single->run;
	struct ask ask = {
		.kind = ASK_NESTED,
		.type = run->resource->options.type,
		.id = bytes_of(single->id, single->len),
		.nested = single->whole->nested[single->list],
	};

	single->fetch = fetch_start(&run->sync->line, &ask, cursor, NULL, done, single);
	return single->fetch != NULL;
}

bool single_lists(struct single *single, struct page *whole,
		  void (*done)(void *ctx, struct page *page, const struct fetch_cost *cost))
{
	single->whole = whole;
	single->list = single->part = 0;
	hashset_release(&single->cursors);
	if (read_part(single, bytes_of(NULL, 0), done))
		return true;
	single->whole = NULL;
	return false;
}

/* A list inside it is said not to exist: the record itself is asked, unless it has just answered. */
static bool ask_itself(struct single *single, struct page *part,
		       void (*done)(void *ctx, struct page *page, const struct fetch_cost *cost))
{
	struct run *run = single->run;
	struct ask ask = {.kind = ASK_ONE,
			  .type = run->resource->options.type,
			  .id = bytes_of(single->id, single->len)};

	if (single->own) {
		failed(single, part, FAULT_NONSENSE,
		       "a list inside the record is said not to exist, though the record does");
		return false;
	}
	single->fetch = fetch_start(&run->sync->line, &ask, bytes_of(NULL, 0), NULL, done, single);
	if (!single->fetch) {
		failed(single, part, FAULT_NONE, "");
		return false;
	}
	single->own = true;
	failed(single, NULL, FAULT_NONE, "");
	page_free(part);
	return true;
}

bool single_nested(struct single *single, struct page **page,
		   void (*done)(void *ctx, struct page *page, const struct fetch_cost *cost))
{
	const struct account *a = single->run->sync->line.account;
	struct page *part = *page;
	bool asked;

	if (!single->whole) {
		if (!part || part->fault || part->nested_count == 0)
			return false;
		asked = single_lists(single, part, done);
		if (asked)
			return true;
		page_free(part);
		*page = NULL;
		return false;
	}
	if (part && part->fault == FAULT_GONE)
		return ask_itself(single, part, done);
	if (!part || part->fault) {
		*page = failed(single, part, FAULT_NONE, "");
		return false;
	}
	if (a->provider->nest(a, single->whole, single->whole->nested[single->list], part,
			      single->part == 0) ||
	    ++single->part > PARTS_MAX) {
		*page = failed(single, part, FAULT_NONSENSE,
			       "a list inside the record does not end, or does not fit into it");
		return false;
	}
	if (part->next.len && hashset_add(&single->cursors, bytes_hash(part->next)) == 0) {
		*page = failed(single, part, FAULT_NONSENSE,
			       "a list inside the record goes in circles: it repeats a page cursor");
		return false;
	}
	if (part->next.len == 0) {
		hashset_release(&single->cursors);
		single->part = 0;
		single->list++;
	}
	asked = single->list < single->whole->nested_count && read_part(single, part->next, done);
	page_free(part);
	if (asked)
		return true;
	*page = single->list < single->whole->nested_count ? failed(single, NULL, FAULT_NONE, "")
							   : single->whole;
	single->whole = NULL;
	return false;
}
