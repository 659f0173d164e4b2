/* intercom: Intercom as a provider. */
#include "intercom.h"

#include <codec/msgpack.h>

#include <string.h>

static const char *base_url(const char *region)
{
	static const struct {
		const char *region, *url;
	} hosts[] = {
		{"us", "https://api.intercom.io"},
		{"eu", "https://api.eu.intercom.io"},
		{"au", "https://api.au.intercom.io"},
	};

	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
		if (strcmp(region, hosts[i].region) == 0)
			return hosts[i].url;
	return NULL;
}

/* The feed of deletions is there from 2.16 on. */
static unsigned traits(const struct account *a, const struct resource_type *type)
{
	return strcmp(a->version, "2.16") < 0 ? type->traits & ~(unsigned)TRAIT_DELETED
					      : type->traits;
}

static unsigned page_max(const struct account *a, enum ask_kind kind, const struct resource_type *type)
{
	const struct intercom_route *route = intercom_route(a, type);

	if (kind == ASK_DELETED)
		return INTERCOM_DELETED_PAGE_MAX;
	if (kind == ASK_SEARCH)
		return SEEK_RECORDS_MAX;
	return route ? route->page_max : 0;
}

/* Archived contacts are in no list and no search; their own path shows them. */
static bool unlisted(const struct resource_type *type, struct bytes doc)
{
	bool archived;

	return strcmp(type->name, "contacts") == 0 && mp_find_bool(doc, "archived", &archived) &&
	       archived;
}

/* No lower limit of single routes is known; these are the ones that are spoken of. */
static const struct route_class routes[] = {
	[INTERCOM_ROUTE_OTHER] = {.name = "other"},
	[INTERCOM_ROUTE_SEARCH] = {.name = "search"},
	[INTERCOM_ROUTE_SCROLL] = {.name = "scroll"},
	{.name = NULL},
};

const struct provider provider_intercom = {
	.name = "intercom",
	.rate_window_ms = 10000,
	.routes = routes,
	.types = intercom_types,
	.base_url = base_url,
	.traits = traits,
	.call = intercom_call,
	.seeks = intercom_seeks,
	.seeks_less = "not into replies, and word by word",
	.page_max = page_max,
	.read = intercom_read,
	.unlisted = unlisted,
	.cut = intercom_cut_lists,
	.nest = intercom_nest,
	.passes = intercom_passes,
	.editable = intercom_editable,
	.change = intercom_change,
};
