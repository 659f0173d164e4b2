/*
 * manifest: a state as the bytes of its file, and back. The format is in <store/segment.h>.
 */
#ifndef FIC_STORE_MANIFEST_H
#define FIC_STORE_MANIFEST_H

#include "state.h"

#define MANIFEST_BYTES_MAX (64u << 20)

/* The whole file. The buffer's sticky error is the only failure. */
void manifest_encode(const struct state *t, struct buf *out);

/* ERR_CORRUPT: it cannot be trusted (why says where); ERR_INVALID: a newer fic wrote it; ERR_NOMEM.
 * Segments get paths under `dir`; no file is looked at. */
int manifest_parse(struct bytes file, const char *dir, struct state **out, struct why *why);

/* <dir>/<resource>/<folder>/<number>.seg, from malloc; NULL: no memory. */
char *segment_path(const char *dir, const char *resource, const struct segment_meta *meta);

/* The last reference of a segment that owns no open file. */
void manifest_segment_end(void *ctx, struct segment *g);

#endif
