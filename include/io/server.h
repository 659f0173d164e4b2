/*
 * server: a listening UNIX socket and its connections, with limits and back-pressure.
 *
 * The server moves bytes; what they mean is the owner's business. A slow reader slows only itself:
 * its output waits in its own buffer up to a limit, its input is not read while output is pending
 * over the low mark. Connections take turns: each is given a little (64 KiB, half a millisecond of
 * on_data) before the next.
 */
#ifndef FIC_IO_SERVER_H
#define FIC_IO_SERVER_H

#include <io/loop.h>

#include <sys/types.h>

struct server;
struct conn;

struct server_options {
	/* Made anew: a dead socket file is replaced, a live one refused; removed at server_close. */
	const char *path;
	unsigned mode;      /* of the file, as 0660 */
	unsigned conns_max; /* 0: 64; one more is accepted, gets on_refused's text and is closed */
	size_t in_max;      /* bytes of one unfinished request; 0: 1 MiB + 4 KiB */
	size_t out_max;     /* unsent bytes of one connection before it is cut; 0: 8 MiB */
	size_t out_low;     /* on_drain is called when unsent bytes fall to this; 0: 64 KiB */
	int64_t idle_ms; /* a connection without a request under way (conn_hold) or output; 0: no limit */
	int64_t partial_ms; /* an unfinished request, from its first byte; 0: 30,000 */
	/* A peer that has taken nothing of its output for so long is cut off; 0: no limit. What the
	 * kernel holds for it counts, in pieces of up to 40 KiB: who reads more than that within the time,
	 * however slowly, stays. */
	int64_t stall_ms;
};

/* Any of these may call anything below, server_close too. */
struct server_events {
	/* Returns the owner's object for this connection (conn_user), which may be NULL. */
	void *(*on_open)(void *ctx, struct conn *c);
	/* What has arrived and was not consumed yet (borrowed until it returns); answers how many
	 * bytes it took (0: need more). Called again soon while it takes some and more is there.
	 * Not called while the connection is paused, closed, or has more than out_low unsent. */
	size_t (*on_data)(void *ctx, struct conn *c, struct bytes data);
	/* The peer has sent its last byte (it may still read); `rest` is what on_data did not take,
	 * perhaps a request without its line end. Who pauses the connection instead of taking it is
	 * called again with the same when it is resumed. May be NULL. The connection closes when
	 * nothing is held and all is sent. */
	void (*on_end)(void *ctx, struct conn *c, struct bytes rest);
	/* An unfinished request passed in_max, or partial_ms (timeout): the last chance to send an
	 * error line; the connection is closed when that is sent, or after five seconds. May be
	 * NULL. */
	void (*on_overflow)(void *ctx, struct conn *c, bool timeout);
	/* Unsent bytes were over out_low and have fallen to it. May be NULL. */
	void (*on_drain)(void *ctx, struct conn *c);
	/* It is cut off: nothing of its output was taken for stall_ms. on_close follows. May be NULL. */
	void (*on_stall)(void *ctx, struct conn *c);
	/* Last call for this connection, whoever ended it; `c` is gone when it returns. Never from
	 * inside conn_send, conn_close or conn_abort. */
	void (*on_close)(void *ctx, struct conn *c);
	/* Text for a connection over conns_max; borrowed until the next call. May be NULL. */
	struct bytes (*on_refused)(void *ctx);
	void *ctx;
};

/* Options and events are copied. The folder must exist. NULL and `why`: another process listens
 * there; no folder; not permitted; path too long; something that is not a socket lies there. */
struct server *server_open(struct loop *l, const struct server_options *options,
			   const struct server_events *events, struct why *why);
/* The same on a listening descriptor that was passed in (socket activation); takes the descriptor
 * (also when it fails), never unlinks the path. */
struct server *server_adopt(struct loop *l, int fd, const struct server_options *options,
			    const struct server_events *events, struct why *why);
void server_stop_accepting(struct server *s); /* for a clean end: the socket goes, connections go on */
void server_close(struct server *s); /* closes all at once, calling on_close for each; NULL is fine */
unsigned server_count(const struct server *s);

void *conn_user(const struct conn *c);
/* SO_PEERCRED as of connect(2); (uid_t)-1, (gid_t)-1 and 0 when the kernel does not say. */
void conn_peer(const struct conn *c, uid_t *uid_out, gid_t *gid_out, pid_t *pid_out);
/* Sends at once when nothing is pending. What has to wait is copied, or the buffer is taken, and is
 * an empty one then. ERR_LIMIT: out_max passed, the connection is cut and on_close follows.
 * ERR_CANCELED: the connection has ended, or is closing; ERR_NOMEM: it is cut, too. */
int conn_send(struct conn *c, struct buf *data);
size_t conn_pending(const struct conn *c);
void conn_pause(struct conn *c, bool paused); /* no on_data until resumed */
/* A request is under way (true), is answered (false); these count. While any is, idle_ms does not
 * run, and a peer that has only shut down its sending side still gets its answers. A peer that is
 * gone altogether is noticed, and closed, within a second. */
void conn_hold(struct conn *c, bool under_way);
void conn_close(struct conn *c); /* when what is pending has been sent; on_close follows from the loop */
void conn_abort(struct conn *c); /* at once; on_close follows from the loop */

#endif
