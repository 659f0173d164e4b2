/* Changes made to the world at run time. */
#ifndef APISIM_MUTATE_H
#define APISIM_MUTATE_H

#include "buf.h"

#include <jansson.h>

/* Does what the request says and prints what was done; NULL, or what is
 * wrong with the request. */
const char *mutate(const json_t *request, struct buf *out);

#endif
