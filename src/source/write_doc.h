/*
 * write_doc: documents with other values in them. Private to this layer.
 */
#ifndef FIC_SOURCE_WRITE_DOC_H
#define FIC_SOURCE_WRITE_DOC_H

#include <source/write.h>

/* Appends the document with `value` (one MessagePack value) at a path of map members, which are made where they are missing; a value of {NULL, 0} takes the last member
 * out. `whole` is the last member's name when it has dots: it is one step; {NULL, 0}: the path says all. 0, ERR_CORRUPT, ERR_NOMEM. */
int doc_put(struct bytes doc, const char *path, struct bytes whole, struct bytes value,
	    struct buf *out);

/* Each pair of a {field: value} map: 0 at its end, or what `each` says that is not 0; ERR_CORRUPT. */
int fields_each(struct bytes map, int (*each)(void *ctx, struct bytes name, struct bytes value),
		void *ctx);

/* The text of an id: of a text or a number; {NULL, 0}: nil, 0 or nothing that can be one. `room` is for the digits. */
struct bytes id_text(struct bytes value, char room[24]);

/* Appends the ids of a list of objects, or of ids, as a sorted list of texts, each once. 0, ERR_CORRUPT, ERR_NOMEM, ERR_LIMIT. */
int ids_put(struct bytes list, struct buf *out);
/* Whether a sorted list has it. */
bool ids_have(struct bytes list, struct bytes id);

#endif
