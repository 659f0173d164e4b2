/*
 * attributes: custom attributes by the workspace's own list of them. Private to this layer.
 */
#ifndef FIC_FICD_ATTRIBUTES_H
#define FIC_FICD_ATTRIBUTES_H

#include "daemon.h"

#include <base/arena.h>

/* An attribute of records of `of_records` ("contacts"), as the resource `list` has it: whether there is one of this name, and `given` as a value of its type, appended; what does not fit
 * goes as it is, for the provider to say. Where nothing is listed everything goes. 0; ERR_NOTFOUND with a suggestion; ERR_INVALID: not of its type; ERR_NOMEM, or an error of reading. */
int attribute_settle(const struct source *s, const char *list, const char *of_records,
		     struct bytes name, struct bytes given, struct arena *arena, struct buf *out,
		     struct why *why);

#endif
