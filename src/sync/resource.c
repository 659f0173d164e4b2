/* resource: which one is meant by a name. */
#include "sync_state.h"

struct resource *resource_find(const struct sync *s, const char *name)
{
	for (size_t i = 0; i < s->options.resource_count; i++) {
		struct resource *r = &s->resources[i];
		if (strcmp(r->options.type->name, name) == 0 ||
		    (r->child && strcmp(r->child->name, name) == 0))
			return r;
	}
	return NULL;
}
