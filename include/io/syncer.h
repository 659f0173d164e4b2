/*
 * syncer: fsync off the loop, without threads.
 *
 * A helper process, forked at the start before anything is open, gets descriptors over a socket
 * (SCM_RIGHTS), calls fsync and answers with errno. It holds no data and takes no decision; should
 * it die, a new one is started and what was under way is asked again.
 */
#ifndef FIC_IO_SYNCER_H
#define FIC_IO_SYNCER_H

#include <io/loop.h>

struct syncer;

/* Calls under way at once; each holds one descriptor of ours. */
#define SYNCER_PENDING_MAX 128

/* Forks the helper. Call before sockets, locks and threads exist. NULL: why. */
struct syncer *syncer_new(struct loop *l, struct why *why);
/* Ends the helper and waits for it (for the fsync that it is in, if any). Calls that are under way
 * end with ECANCELED first, from inside this. NULL is fine. */
void syncer_free(struct syncer *s);

/* fsync(fd); the descriptor is duplicated and may be closed at once. `done(ctx, 0 or errno)` comes
 * exactly once, from the loop, or from syncer_free. 0; or ERR_BUSY (SYNCER_PENDING_MAX are under
 * way), ERR_CANCELED (within syncer_free) or ERR_IO (fd cannot be duplicated), and then done is not
 * called. Calls end in the order in which they were made. */
int syncer_fsync(struct syncer *s, int fd, void (*done)(void *ctx, int error), void *ctx);
unsigned syncer_pending(const struct syncer *s);

/* For tests: each fsync that is asked for from here on takes so much longer. */
void syncer_delay(struct syncer *s, int64_t delay_ms);
/* For status and tests: the helper's process id; 0 while there is none. */
int syncer_pid(const struct syncer *s);

#endif
