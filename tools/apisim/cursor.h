/* Cursors: base64 of [sort value, id, page], as the API's own. */
#ifndef APISIM_CURSOR_H
#define APISIM_CURSOR_H

#include "buf.h"
#include "search.h"

struct cursor {
	uint32_t key; /* seconds, or an index when sorted by id */
	uint32_t idx;
	uint32_t page; /* the page it leads to */
};

/* by_id: the sort value is the id itself instead of milliseconds. */
void cursor_encode(struct buf *out, const struct resource *res, bool by_id, const struct cursor *c);
/* false: no cursor of this kind of listing. */
bool cursor_decode(const char *text, const struct resource *res, bool by_id, struct cursor *out);
void base64_encode(struct buf *out, const void *data, size_t n);

#endif
