/*
 * url: pieces of addresses, to write and to read. Where an address from upstream leads to is never followed. Private to this layer.
 */
#ifndef FIC_SOURCE_URL_INTERNAL_H
#define FIC_SOURCE_URL_INTERNAL_H

#include <base/arena.h>
#include <base/bytes.h>

/* Letters, digits, '-' and '_' only: such an id needs no escaping and cannot leave its place in a path. */
bool url_id_usable(struct bytes id);
void url_put_escaped(struct buf *out, struct bytes text);
/* A parameter's value without its escapes; {NULL, 0} or empty: it has none of that name, or there is no memory. */
struct bytes url_parameter(struct arena *arena, struct bytes url, const char *name);

#endif
