/*
 * prepare: what a commit is about to make durable.
 */
#ifndef FIC_STORE_PREPARE_H
#define FIC_STORE_PREPARE_H

#include "inside.h"

/* A file or folder that must be durable before the manifest names it. */
struct sync {
	char *path;
	int fd;
	bool made; /* by this commit: goes when it fails */
};

struct prepared {
	struct store *s;
	struct txn *t;
	struct state *next;
	struct sync *syncs; /* the manifest is the last */
	size_t count, cap;
	char *manifest, *manifest_tmp;
	struct segment **bad; /* damaged ones that the next state does not name; the current one keeps them */
	size_t bad_count;
	struct why why;
};

/* From s and t to all the rest. 1: there is something to make durable, 0: nothing changes, or an
 * error; then, too, `p` is to be released, and the files that were made are to be removed first. */
int prepare(struct prepared *p);
void prepared_release(struct prepared *p);
void prepared_close(struct prepared *p); /* the descriptors only */

#endif
