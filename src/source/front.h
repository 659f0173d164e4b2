/*
 * front: what the parts of the Front provider share. Facts: the description of Front's Core API and its recorded answers.
 *
 * Links inside answers may name another host of the same company. Only ids and page tokens are taken out of them; every request goes to the account's own
 * address.
 */
#ifndef FIC_SOURCE_FRONT_INTERNAL_H
#define FIC_SOURCE_FRONT_INTERNAL_H

#include "page.h"
#include <source/write.h>
#include "url.h"

#include <codec/msgpack.h>
#include <source/pass.h>

/* How one resource is asked for. */
struct front_route {
	const char *name;  /* of the resource */
	const char *path;  /* of the list, and of one record before its id */
	const char *sort;  /* order of ASK_LIST; NULL: none can be asked for */
	unsigned page_max; /* 0: the list comes all at once */
	const char *newest; /* order of a walk by last change, the newest first; NULL: there is none */
	const char *since; /* filter and order of what changed since, the oldest first; NULL: there is none */
	bool threads; /* a record is whole only with the lists inside it (front_nested.c) */
};

/* Classes of calls: indexes into provider_front.routes. */
enum { FRONT_ROUTE_OTHER, FRONT_ROUTE_SEARCH };

extern const struct resource_type front_types[];
const struct front_route *front_route(const struct resource_type *type); /* NULL: none */

/* A page of the feed of events. */
#define FRONT_EVENTS_PAGE_MAX 15

int front_call(const struct account *a, const struct ask *ask, struct bytes cursor,
	       struct call *out, struct why *why);
void front_read(const struct account *a, const struct ask *ask, int status, const char *link,
		int64_t seen_ms, struct page *page);
/* A redirection says that a record was merged into another, and into which. */
void front_moved(const struct ask *ask, const char *location, struct page *page);

/* front_write.c */
extern const struct editable front_editable[];
int front_change(const struct account *a, const struct ask *ask, struct bytes wanted,
		 struct call *out, struct buf *covers, struct why *why);

/* What reading shares. */
struct front_reading {
	const struct ask *ask;
	const struct front_route *route;
	int64_t seen_ms;
	struct page *page;
};

/* front_doc.c */
/* A member that is seconds with up to three decimals, as a number or text; TIME_NONE for anything else. */
int64_t front_time(struct bytes doc, const char *key);
/* The envelope of an object; false: it has no id. */
bool front_record(const struct front_reading *g, struct bytes doc, struct record *out);
/* The items of a list's answer. False: it is none, and a fault is set. */
bool front_results(struct page *page, struct bytes body, struct mp_reader *out, uint32_t *count_out);
/* The cursor to the page after this one: the page token of its link. */
void front_read_next(struct page *page, struct bytes body);
/* The id at the end of an address; {NULL, 0}: there is none that can be one. */
struct bytes front_url_id(struct page *page, const char *url);

/* front_events.c: each event becomes a hint: the conversation that it is about, as it was shown, or its id alone. */
void front_read_events(const struct front_reading *g, struct bytes body);

/* front_nested.c: messages, comments and inboxes of a conversation. */
void front_cut_lists(const struct account *a, struct page *page);
const char *front_nested_path(const char *list); /* NULL: no such list */
void front_read_nested(const struct front_reading *g, struct bytes body);
int front_nest(const struct account *a, struct page *whole, const char *list,
	       const struct page *part, bool first);

/* front_seek.c */
bool front_seeks(const struct account *a, const struct resource_type *type,
		 const struct seek_term *term, bool *less);
int front_sought(const struct account *a, const struct resource_type *type, bool spanned,
		 struct seek *seek, struct why *why);
/* 0, or ERR_INVALID: it is no search. */
int front_put_search(const struct account *a, const struct front_route *route,
		     const struct ask *ask, struct call *out);

/* front_people.c: recipients who are no contacts, as contacts of our own behind the thread's records. There is room for so many more. */
size_t front_recipients(const struct page *part);
int front_add_people(const struct account *a, struct page *whole, const struct page *part);
bool front_derived(const struct resource_type *type, struct bytes id);
size_t front_derived_by(const struct resource_type *type, const struct record *derived,
			const char **field_out, struct bytes texts[DERIVED_TEXTS_MAX]);
int front_stands_for(const struct resource_type *type, struct bytes doc, unsigned i, struct buf *id);

/* front_fault.c */
void front_read_fault(const struct ask *ask, int status, struct page *page);

/* front_pass.c */
extern const struct pass_pattern front_passes[];

#endif
