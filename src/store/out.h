/*
 * out: a new file, written from its start to its end through the hooks.
 */
#ifndef FIC_STORE_OUT_H
#define FIC_STORE_OUT_H

#include <base/bytes.h>
#include <base/err.h>
#include <store/store.h>

#define OUT_STAGE_BYTES (128u << 10)

/* Errors stick: a writer checks once at the end, with out_flush. */
struct out {
	const struct store_hooks *hooks;
	int fd;
	uint64_t offset; /* of what is written, the staged bytes included */
	size_t staged;
	int error;
	uint8_t *stage;
	bool memory;      /* there is no file */
	struct buf image; /* what it would hold */
};

/* Makes the file (it is emptied when it exists). Nothing to release after an error. */
int out_open(struct out *o, const struct store_hooks *hooks, const char *path, struct why *why);
/* A file that is kept in memory, in `image`, which is the caller's to take or release. */
void out_memory(struct out *o);
void out_put(struct out *o, const void *data, size_t len);
void out_zeros(struct out *o, size_t len);
int out_flush(struct out *o);
/* Flushes, then writes what belongs at the start of the file over what was put there. */
int out_first(struct out *o, const void *data, size_t len);
/* Frees the stage and gives the descriptor away; -1 when it was not open. */
int out_release(struct out *o);

#endif
