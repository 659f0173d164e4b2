/*
 * intercom: what the parts of the Intercom provider share. Facts: Intercom's REST API description, version 2.16.
 */
#ifndef FIC_SOURCE_INTERCOM_INTERNAL_H
#define FIC_SOURCE_INTERCOM_INTERNAL_H

#include <source/provider.h>

/* How one resource is listed. */
struct intercom_route {
	const char *name; /* of the resource */
	const char *list; /* path of ASK_LIST, with its page size */
	const char *list_method;
	const char *list_type; /* "type" of the list's envelope: another one is a page of something else */
	const char *key;       /* member that holds the items */
	const char *item_type; /* "type" of an item */
	const char *search;    /* path of ASK_CHANGED, NULL: none */
	const char *one;       /* path of ASK_ONE before the id, NULL: none */
	bool page_numbers;     /* cursor is a page number, not a starting_after */
	bool day_search; /* times are matched by calendar day in the workspace's zone: = must be asked beside > */
};

extern const struct resource_type intercom_types[];
const struct intercom_route *intercom_route(const struct resource_type *type);

/* The largest page each listing allows (the general rule is 150, companies and deletions 60). */
#define INTERCOM_PAGE_MAX           150
#define INTERCOM_COMPANIES_PAGE_MAX 60
#define INTERCOM_DELETED_PAGE_MAX   60

/* More items than this in one answer are not believed (admins, teams and tags come all at once; a thread shows 500 parts). */
#define INTERCOM_ITEMS_MAX 100000
/* A retrieved conversation shows no more parts than this. */
#define INTERCOM_PARTS_MAX 500

int intercom_call(const struct account *a, const struct ask *ask, struct bytes cursor,
		  struct call *out, struct why *why);
void intercom_read(const struct account *a, const struct ask *ask, int status, const char *link,
		   int64_t seen_ms, struct page *page);

/* The "type" member of an object. */
bool intercom_type_is(struct bytes doc, const char *type);

/* Sets the page's fault from an answer that is not a success, or an error.list with a success status. */
void intercom_read_fault(const struct ask *ask, int status, const char *link, struct page *page);

#endif
