/* The search in the table of the API's paths. */
#include "routes.h"

#include "api.h"

#include <stdio.h>
#include <string.h>

/* Fixed paths come before {} in the table where both would fit. */
static bool path_fits(const char *pattern, const char *path, char id[64])
{
	const char *brace = strchr(pattern, '{');
	size_t before, n;

	if (!brace)
		return !strcmp(pattern, path);
	before = (size_t)(brace - pattern);
	if (strncmp(pattern, path, before) != 0)
		return false;
	if (!strcmp(brace, "{text}"))
		return true;
	n = strcspn(path + before, "/");
	if (n == 0 || n >= 64 || strcmp(path + before + n, brace + 2) != 0)
		return false;
	memcpy(id, path + before, n);
	id[n] = '\0';
	return true;
}

const struct route *route_find(const char *method, const char *path, char id[64])
{
	id[0] = '\0';
	for (unsigned i = 0; i < api->route_count; i++)
		if (!strcmp(api->routes[i].method, method) && path_fits(api->routes[i].path, path, id))
			return &api->routes[i];
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
