/* front: Front as a provider. */
#include "front.h"

/* One address serves every company. */
static const char *base_url(const char *region)
{
	(void)region;
	return "https://api2.frontapp.com";
}

static unsigned traits(const struct account *a, const struct resource_type *type)
{
	(void)a;
	return type->traits;
}

static unsigned page_max(const struct account *a, enum ask_kind kind, const struct resource_type *type)
{
	const struct front_route *route = front_route(type);

	(void)a;
	if (kind == ASK_EVENTS)
		return FRONT_EVENTS_PAGE_MAX;
	return route ? route->page_max : 0;
}

/* What front_nested.c reads of a conversation, a page each. */
static unsigned reads(const struct account *a, const struct resource_type *type)
{
	(void)a;
	return front_route(type) && front_route(type)->threads ? 3 : 0;
}

static const struct route_class classes[] = {
	[FRONT_ROUTE_OTHER] = {.name = "other"},
	[FRONT_ROUTE_SEARCH] = {.name = "search", .percent = 40},
	{.name = NULL},
};

const struct provider provider_front = {
	.name = "front",
	.rate_window_ms = 60000,
	.rate_assumed = 50,    /* of the smallest plan */
	.reserve_percent = 10, /* of fifty a minute: one conversation, at once */
	.routes = classes,
	.types = front_types,
	.base_url = base_url,
	.traits = traits,
	.call = front_call,
	.page_max = page_max,
	.reads = reads,
	.read = front_read,
	.seeks = front_seeks,
	.sought = front_sought,
	.seeks_less = "not into comments, nor into the trash unless asked for it, and word by word",
	.moved = front_moved,
	.derived = front_derived,
	.derived_by = front_derived_by,
	.stands_for = front_stands_for,
	.cut = front_cut_lists,
	.nest = front_nest,
	.passes = front_passes,
	.editable = front_editable,
	.change = front_change,
};
