/*
 * conn: one connection of a server, between the two files that share it.
 */
#ifndef FIC_IO_CONN_H
#define FIC_IO_CONN_H

#include <io/listener.h>
#include <io/server.h>

#include "turn.h"

#define CONN_READ_BYTES 65536

struct server {
	struct loop *loop;
	struct server_options limits; /* with the defaults filled in; path is not kept */
	struct server_events events;
	struct listener listener;
	struct watch *watch;
	struct timer *retry; /* after a failed accept */
	bool accept_failed;
	bool closed;
	unsigned count;
	struct link conns; /* all of them */
	struct link ready; /* those with something to do; the note is set while there are any */
	struct turn_note note;
	struct turn_grave grave;
	uint8_t scratch[CONN_READ_BYTES]; /* what is read passes through here; most of it is taken at once */
};

/* Takes a connected descriptor (closed when this fails), calls on_open, and has the connection
 * looked at this turn. */
void conn_open(struct server *s, int fd);

/* Does a little of what there is to do; `c` may be gone afterwards. */
void conn_slice(struct conn *c);

/* Ends the first connection of the server at once; on_close is called. */
void conn_end_first(struct server *s);

/* The connection of a link of server.ready. */
struct conn *conn_of_ready(struct link *link);

#endif
