/*
 * listener: makes listening sockets: UNIX ones, and on loopback addresses.
 */
#ifndef FIC_IO_LISTENER_H
#define FIC_IO_LISTENER_H

#include <base/err.h>

#include <stdbool.h>
#include <sys/types.h>

/* Which file a socket is bound to, so that only our own is removed. */
struct listener {
	int fd;
	char path[108];
	dev_t device;
	ino_t inode;
};

/* A non-blocking listening socket at `path` with exactly `mode`. 0, ERR_BUSY, ERR_NOTFOUND,
 * ERR_DENIED, ERR_INVALID, ERR_IO. */
int listener_open(struct listener *l, const char *path, unsigned mode, struct why *why);

/* "127.0.0.1:8889", "[::1]:8889"; port 0: any that is free. */
#define LISTENER_HOST_MAX 40
/* 0, or ERR_INVALID: not a loopback address with a port. `host_out` without brackets. */
int listener_address(const char *address, char host_out[LISTENER_HOST_MAX], unsigned *port_out,
		     struct why *why);
/* Likewise non-blocking and listening. 0, ERR_BUSY (the port is taken), ERR_DENIED, ERR_INVALID, ERR_IO. */
int listener_open_tcp(struct listener *l, const char *address, struct why *why);

/* Around a listening descriptor that was passed in; takes it. Without a path, so that nothing is
 * removed. */
int listener_adopt(struct listener *l, int fd, struct why *why);

/* Closes, and removes the file if it is still the one that was made. */
void listener_close(struct listener *l);

#endif
