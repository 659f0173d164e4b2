/* The table of the API's paths. */
#ifndef APISIM_ROUTES_H
#define APISIM_ROUTES_H

#include "call.h"

struct route {
	const char *method;
	const char *path; /* {} stands for one id (two at the most), {text} for all the rest */
	void (*handle)(struct call *c);
	int since;              /* first version that has it */
	const char *parameters; /* allowed ones, each between blanks */
	const char *members;    /* allowed members of the body, or NULL: no body */
	bool snapshot;
};

/* The route, and the ids from the path; NULL: there is none. */
const struct route *route_find(const char *method, const char *path, char ids[2][64]);
unsigned route_number(const struct route *r);
const char *route_name(unsigned number);
unsigned route_count(void);

#endif
