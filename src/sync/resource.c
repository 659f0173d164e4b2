/* resource: which one is meant by a name. */
#include "sync_state.h"

struct resource *resource_find(const struct sync *s, const char *name)
{
	/* Nearly always it is the very name of the table of types. */
	for (size_t i = 0; i < s->options.resource_count; i++)
		if (s->resources[i].options.type->name == name)
			return &s->resources[i];
	for (size_t i = 0; i < s->options.resource_count; i++) {
		struct resource *r = &s->resources[i];
		if (strcmp(r->options.type->name, name) == 0 ||
		    (r->child && strcmp(r->child->name, name) == 0))
			return r;
	}
	return NULL;
}
