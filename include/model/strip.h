/*
 * strip: a document without some of its members.
 */
#ifndef FIC_MODEL_STRIP_H
#define FIC_MODEL_STRIP_H

#include <base/bytes.h>
#include <base/err.h>

#define STRIP_PATHS_MAX 64

/* Appends the document without what the paths name. A path is names with dots between them ("author.email"; a name may have dots itself); of a list each item is meant, with
 * a step `*` for it or without ("contacts.*.email", "contacts.email"). 1: something is gone; 0: none of it is there, and nothing was appended; ERR_CORRUPT: not a document; ERR_LIMIT: nested
 * too deeply; ERR_NOMEM. At most STRIP_PATHS_MAX paths. */
int doc_strip(struct bytes doc, const struct bytes *paths, size_t count, struct buf *out);

#endif
