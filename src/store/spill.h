/*
 * spill: bytes that do not stay in memory until they are needed once more: a file without a name,
 * which goes with its descriptor.
 */
#ifndef FIC_STORE_SPILL_H
#define FIC_STORE_SPILL_H

#include <base/bytes.h>
#include <base/err.h>
#include <store/store.h>

#define SPILL_STAGE_BYTES (64u << 10)

struct spill {
	const struct store_hooks *hooks;
	int fd;
	uint64_t written;
	struct buf staged; /* what comes behind that */
};

/* Nothing to release after an error. */
int spill_open(struct spill *p, const struct store_hooks *hooks, const char *dir, struct why *why);
void spill_release(struct spill *p); /* a zeroed one, too */
/* Forgets what it holds. */
void spill_reset(struct spill *p);
/* Where the next bytes come to lie. */
static inline uint64_t spill_end(const struct spill *p)
{
	return p->written + p->staged.len;
}
/* Appends; ERR_NOMEM, ERR_NOSPACE, ERR_IO. */
int spill_put(struct spill *p, struct bytes data);
/* Appends what lies there to `out`; it must have been put. ERR_NOMEM, ERR_IO. */
int spill_read(const struct spill *p, uint64_t at, size_t len, struct buf *out);

#endif
