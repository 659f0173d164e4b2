/* registry: the providers there are. */
#include <source/provider.h>

static const struct provider *const providers[] = {&provider_intercom, &provider_front};

const struct provider *provider_find(struct bytes name)
{
	for (size_t i = 0; i < sizeof providers / sizeof *providers; i++)
		if (bytes_is(name, providers[i]->name))
			return providers[i];
	return NULL;
}
