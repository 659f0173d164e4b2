/*
 * intercom: what the parts of the Intercom provider share. Facts: Intercom's REST API description, version 2.16.
 */
#ifndef FIC_SOURCE_INTERCOM_INTERNAL_H
#define FIC_SOURCE_INTERCOM_INTERNAL_H

#include "page.h"
#include <source/write.h>
#include "url.h"

#include <source/pass.h>

/* How one resource is listed. */
struct intercom_route {
	const char *name;  /* of the resource */
	const char *until; /* the first version of the API that has another route; NULL: none */
	const char *list;  /* path of ASK_LIST, with its fixed parameters; NULL: none */
	const char *list_method; /* NULL: GET */
	const char *list_type; /* "type" of the list's envelope: another one is a page of something else */
	const char *key;       /* member that holds the items */
	const char *item_type; /* "type" of an item */
	const char *search;    /* path of ASK_CHANGED, NULL: none */
	const char *one;       /* path of ASK_ONE before the id, NULL: none */
	const char *scroll;    /* path that reads on where page numbers end, NULL: none */
	const char *parts;     /* member with the children, "parts" and "parts.parts" alike */
	const char *opening; /* member that is the first child, not one of the parts; NULL: none */
	unsigned page_max;   /* items of a page that are asked for; 0: not asked */
	bool page_numbers;   /* cursor is a page number, not a starting_after */
	bool day_search; /* times are matched by calendar day in the workspace's zone: = must be asked beside > */
	bool untyped; /* items need not say their "type" */
	bool nameless; /* items that are built in have no id: their full name is one, for it never changes */
	bool cut_lists; /* items show only the beginning of lists inside them (intercom_nested.c) */
};

/* Classes of calls: indexes into provider_intercom.routes. */
enum { INTERCOM_ROUTE_OTHER, INTERCOM_ROUTE_SEARCH, INTERCOM_ROUTE_SCROLL };

extern const struct resource_type intercom_types[];
/* NULL: this version of the API has no route to it. */
const struct intercom_route *intercom_route(const struct account *a, const struct resource_type *type);

/* The largest page of the feed of deletions. */
#define INTERCOM_DELETED_PAGE_MAX 60
/* Companies by page number end here; the rest shows by scroll only. */
#define INTERCOM_NUMBERED_MAX 10000
/* A retrieved conversation or ticket shows no more parts than this. */
#define INTERCOM_PARTS_MAX 500
/* After a scroll that was not read to its end nobody can begin another one for a minute. */
#define INTERCOM_SCROLL_IDLE_MS (61 * 1000)

int intercom_call(const struct account *a, const struct ask *ask, struct bytes cursor,
		  struct call *out, struct why *why);
void intercom_read(const struct account *a, const struct ask *ask, int status, const char *link,
		   int64_t seen_ms, struct page *page);

/* intercom_seek.c */
bool intercom_seeks(const struct account *a, const struct resource_type *type,
		    const struct seek_term *term, bool *less);
/* The terms as filters of a search's body, each with a comma before it. */
void intercom_put_seek(struct buf *body, const struct ask *ask);

/* intercom_write.c */
extern const struct editable intercom_editable[];
int intercom_change(const struct account *a, const struct ask *ask, struct bytes wanted,
		    struct call *out, struct buf *covers, struct why *why);

/* What reading shares. */
struct intercom_reading {
	const struct account *account;
	const struct ask *ask;
	const struct intercom_route *route;
	int64_t seen_ms;
	struct page *page;
};

/* intercom_doc.c */
/* The "type" member of an object. */
bool intercom_type_is(struct bytes doc, const char *type);
/* A member that is seconds, as an integer, a double or text, or milliseconds; TIME_NONE for anything else. */
int64_t intercom_seconds(struct bytes doc, const char *key);
/* The envelope of an object; false: it has no id. */
bool intercom_record(const struct intercom_reading *g, struct bytes doc, struct record *out);

/* intercom_next.c: the cursor to the page after this one, of a list's answer. */
void intercom_read_next(const struct intercom_reading *g, struct bytes body);
/* A scroll goes on with the same parameter, so what tells its pages apart is put before it: "scroll:ID:PARAMETER". */
bool intercom_cursor_scrolls(struct bytes cursor, struct bytes *parameter_out);
/* A refusal that says how to go on: page numbers are at their end, the scroll is not. */
bool intercom_next_scrolls(const struct intercom_reading *g, int status);

/* intercom_thread.c: a conversation or ticket and its parts become records, appended to the page's. */
size_t intercom_thread_count(const struct intercom_route *route,
			     struct bytes doc); /* records that it makes at most */
void intercom_thread(const struct intercom_reading *g, struct bytes doc);

/* intercom_nested.c */
bool intercom_cut(struct bytes doc);                                 /* a list inside it is cut */
void intercom_cut_lists(const struct account *a, struct page *page); /* notes which are, in its record */
const char *intercom_nested_path(
	const char *list); /* what follows the id in the path of ASK_NESTED; NULL: no such list */
void intercom_read_nested(const struct intercom_reading *g, struct bytes body);
int intercom_nest(const struct account *a, struct page *whole, const char *list,
		  const struct page *part, bool first);

/* Sets the page's fault from an answer that is not a success, or an error.list with a success status. */
void intercom_read_fault(const struct ask *ask, int status, const char *link, struct page *page);

/* intercom_pass.c */
extern const struct pass_pattern intercom_passes[];

#endif
