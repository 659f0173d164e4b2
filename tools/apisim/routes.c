/* The search in the table of the API's paths. */
#include "routes.h"

#include "api.h"

#include <stdio.h>
#include <string.h>

/* The segment that stands for {}. false: it is no id. */
static bool take_id(const char **path, char id[64])
{
	size_t n = strcspn(*path, "/");

	if (n == 0 || n >= 64)
		return false;
	memcpy(id, *path, n);
	id[n] = '\0';
	*path += n;
	return true;
}

/* Fixed paths come before {} in the table where both would fit. */
static bool path_fits(const char *pattern, const char *path, char ids[2][64])
{
	unsigned taken = 0;

	while (*pattern) {
		if (!strcmp(pattern, "{text}"))
			return true;
		if (!strncmp(pattern, "{}", 2)) {
			if (taken == 2 || !take_id(&path, ids[taken++]))
				return false;
			pattern += 2;
		} else if (*pattern++ != *path++) {
			return false;
		}
	}
	return !*path;
}

const struct route *route_find(const char *method, const char *path, char ids[2][64])
{
	for (unsigned i = 0; i < api->route_count; i++) {
		ids[0][0] = ids[1][0] = '\0';
		if (!strcmp(api->routes[i].method, method) &&
		    path_fits(api->routes[i].path, path, ids))
			return &api->routes[i];
	}
	ids[0][0] = ids[1][0] = '\0';
	return NULL;
}

unsigned route_number(const struct route *r)
{
	return (unsigned)(r - api->routes);
}

const char *route_name(unsigned number)
{
	static char name[80];

	snprintf(name, sizeof(name), "%s %s", api->routes[number].method, api->routes[number].path);
	return name;
}

unsigned route_count(void)
{
	return api->route_count;
}
