/*
 * arena: memory for one page, one request, one question; freed as a whole.
 */
#ifndef FIC_BASE_ARENA_H
#define FIC_BASE_ARENA_H

#include <base/bytes.h>

struct arena_chunk;

/* A zeroed struct is an empty arena without a limit. */
struct arena {
	struct arena_chunk *head;
	size_t used; /* bytes handed out */
	size_t max;  /* 0: no limit */
};

void arena_init(struct arena *a, size_t max);
void arena_release(struct arena *a); /* frees everything */
void arena_reset(struct arena *a);   /* empties, keeps one chunk */
void *arena_alloc(struct arena *a,
		  size_t size); /* zeroed, aligned for any type; NULL: no memory or limit */
char *arena_str(struct arena *a, struct bytes text);       /* a terminated copy; NULL as above */
struct bytes arena_bytes(struct arena *a, struct bytes b); /* a copy; data NULL as above (len kept 0) */

#endif
