/* config_resources: the resources of a source: their defaults, which of them follow another, what must fit together. */
#include "config_loader.h"

#include <base/suggest.h>
#include <source/provider.h>

#define DAY_MS INT64_C(86400000)

static bool provider_has(const struct config_source *s, const char *name)
{
	const struct provider *p = s->provider ? provider_find(bytes_str(s->provider)) : NULL;

	return !p || provider_type(p, bytes_str(name));
}

static void set_text(struct loader *l, const char *name, struct config_resource *r, const char *text)
{
	loader_set(l, option_find(SECTION_RESOURCE, name), r, text);
}

void loader_resource_defaults(struct loader *l, struct config_source *s)
{
	loader_defaults(l, SECTION_RESOURCE, &s->other);
	s->other.name = "";
	set_text(l, "every", &s->other, "5m");
	s->other.tolerance_ms = s->tolerance_ms;
	s->other.priority = 5;
	s->resource_count = config_resource_count;
	for (size_t i = 0; i < config_resource_count; i++) {
		const struct resource_default *d = &config_resources[i];
		struct config_resource *r = &s->resources[i];
		*r = s->other;
		r->name = d->name;
		r->follows = d->follows;
		r->enabled = ((s->wanted >> i) & 1) && provider_has(s, d->name);
		set_text(l, "every", r, d->every);
		set_text(l, "full", r, d->full);
		set_text(l, "tolerance", r, d->tolerance);
		/* What the source asks for may be larger than what the resource needs. */
		if (r->tolerance_ms < s->tolerance_ms)
			r->tolerance_ms = s->tolerance_ms;
		r->priority = d->priority;
		r->retain_ms = d->windowed ? s->retain_ms : 0;
	}
}

static void follow(struct config_source *s, struct config_resource *r)
{
	const struct config_resource *parent = config_resource(s, r->follows);

	r->every_ms = parent->every_ms;
	r->full = parent->full;
	r->verify_ms = parent->verify_ms;
	r->verify_depth = parent->verify_depth;
	r->priority = parent->priority;
	r->retain_ms = parent->retain_ms;
	if (!(r->given & option_bit(option_find(SECTION_RESOURCE, "tolerance"))))
		r->tolerance_ms = parent->tolerance_ms;
}

static void check_resource(struct loader *l, const struct config_source *s,
			   const struct config_resource *r)
{
	char every[DURATION_TEXT_MAX], tolerance[DURATION_TEXT_MAX];

	if (!provider_has(s, r->name)) {
		if (r->line)
			config_error(l->errors, r->line, "[resource %s/%s]: %s has no %s", s->name,
				     r->name, s->provider, r->name);
		return;
	}
	if (r->line && !r->enabled)
		config_error(l->errors, r->line,
			     "[resource %s/%s]: the source's list of resources leaves it out",
			     s->name, r->name);
	if (r->enabled && r->line && r->every_ms > r->tolerance_ms)
		config_warning(l->errors, r->line,
			       "%s are read every %s but count as fresh for %s: between two runs answers will say partial or stale; set "
			       "tolerance as well",
			       r->name, duration_text(r->every_ms, every),
			       duration_text(r->tolerance_ms, tolerance));
}

/* What is not kept is not wanted either, or it would be read again and again. */
static void cut_history(const struct config_source *s, struct config_resource *r)
{
	r->history_ms = r->retain_ms && r->retain_ms < s->history_ms ? r->retain_ms : s->history_ms;
}

/* What a section says of retain: `who` it is about, in words. */
static void check_retain(struct loader *l, const struct config_source *s, unsigned line,
			 int64_t retain_ms, const char *who)
{
	bool both = s->given & option_bit(option_find(SECTION_SOURCE, "history"));
	char retain[DURATION_TEXT_MAX], history[DURATION_TEXT_MAX];

	duration_text(retain_ms, retain);
	if (retain_ms && retain_ms < s->history_ms && both)
		config_warning(
			l->errors, line,
			"%s are kept for %s only (retain): no more than that of the history of %s is fetched",
			who, retain, duration_text(s->history_ms, history));
}

static void check_resource_retain(struct loader *l, const struct config_source *s,
				  const struct config_resource *r, bool windowed)
{
	if (r->follows || !(r->given & option_bit(option_find(SECTION_RESOURCE, "retain"))))
		return;
	if (windowed)
		check_retain(l, s, r->line, r->retain_ms, r->name);
	else if (r->retain_ms)
		config_error(l->errors, r->line,
			     "retain: %s are kept whole; did you mean [resource %s/conversations]?",
			     r->name, s->name);
}

/* No other resource has what a verify run needs: an order by creation. */
static void check_resource_verify(struct loader *l, const struct config_source *s,
				  const struct config_resource *r, bool verified)
{
	for (size_t i = 0; i < config_option_count; i++) {
		const struct option *o = &config_options[i];
		if (o->verifies && !verified && !r->follows && r->given & option_bit(o))
			config_error(l->errors, r->line,
				     "%s: %s are not verified; did you mean [resource %s/conversations]?",
				     o->name, r->name, s->name);
	}
}

/* What is asked for by name must be there. */
static void check_wanted(struct loader *l, const struct config_source *s)
{
	unsigned all = (1u << config_resource_count) - 1;

	if (s->wanted == all)
		return;
	for (size_t i = 0; i < config_resource_count; i++)
		if ((s->wanted >> i & 1) && !config_resources[i].follows &&
		    !provider_has(s, config_resources[i].name))
			config_error(l->errors, s->line, "resources: %s has no %s", s->provider,
				     config_resources[i].name);
}

/* Options that only one provider has. */
static void check_provider(struct loader *l, const struct config_source *s)
{
	static const char *const only_intercom[] = {"region", "version"};

	for (size_t i = 0; i < sizeof only_intercom / sizeof *only_intercom; i++)
		if (s->provider && strcmp(s->provider, "intercom") != 0 &&
		    s->given & option_bit(option_find(SECTION_SOURCE, only_intercom[i])))
			config_warning(l->errors, s->line, "%s: %s has none, it is not used",
				       only_intercom[i], s->provider);
}

/* Kinds of calls that the source's provider does not know. */
static void check_routes(struct loader *l, const struct config_source *s)
{
	const struct provider *p = provider_find(bytes_str(s->provider ? s->provider : ""));

	for (size_t i = 0; p && i < s->route_budget.count; i++) {
		const char *name = s->route_budget.items[i].name, *known[ROUTE_CLASSES_MAX + 1];
		size_t n = 0;
		if (provider_route(p, bytes_str(name)) > 0)
			continue;
		for (size_t k = 1; p->routes[k].name; k++)
			known[n++] = p->routes[k].name;
		known[n] = NULL;
		const char *near = suggest(bytes_str(name), known);
		config_error(l->errors, s->line,
			     "route_budget: %s has no kind of calls named %s%s%s%s", p->name, name,
			     near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
	}
}

void loader_resource_checks(struct loader *l, struct config_source *s)
{
	for (size_t i = 0; i < s->resource_count; i++)
		if (s->resources[i].follows)
			follow(s, &s->resources[i]);
	check_retain(l, s, s->line, s->retain_ms, "conversations and tickets");
	check_wanted(l, s);
	check_provider(l, s);
	check_routes(l, s);
	for (size_t i = 0; i < s->resource_count; i++) {
		check_resource(l, s, &s->resources[i]);
		check_resource_retain(l, s, &s->resources[i], config_resources[i].windowed);
		check_resource_verify(l, s, &s->resources[i], config_resources[i].verified);
		cut_history(s, &s->resources[i]);
	}
}
