/* config: what a loaded configuration answers, and its end. */
#include "config_access.h"

#include <stdlib.h>
#include <string.h>

void config_free(struct config *c)
{
	if (!c)
		return;
	arena_release(&c->memory);
	free(c);
}

bool config_alert_about(const struct config_alert *a, const char *source)
{
	const char *rest = a->sources;
	struct bytes name;

	while (rest && list_next(&rest, &name))
		if (bytes_is(name, source))
			return true;
	return !a->sources;
}

const struct config_source *config_source(const struct config *c, struct bytes name)
{
	for (size_t i = 0; i < c->source_count; i++)
		if (bytes_is(name, c->sources[i].name))
			return &c->sources[i];
	return NULL;
}

const struct config_resource *config_resource(const struct config_source *s, const char *name)
{
	for (size_t i = 0; i < s->resource_count; i++)
		if (strcmp(s->resources[i].name, name) == 0)
			return &s->resources[i];
	return &s->other;
}
