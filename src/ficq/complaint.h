/*
 * complaint: the daemon's errors in the words of the command line. Its own words are for programs: they name parameters, where a person types options.
 */
#ifndef FIC_FICQ_COMPLAINT_H
#define FIC_FICQ_COMPLAINT_H

#include "commands.h"

#include <wire/rpc.h>

struct complaint {
	struct buf message, hint; /* owned */
	struct bytes unknown; /* in `message`: the field that there is none of; empty: it is about something else */
	const char *resource; /* that the command is about; NULL: none */
};

/* Nothing is borrowed from `answer`, but from `o`. */
void complaint_init(struct complaint *c, enum command command, const struct options *o,
		    const struct rpc_response *answer);
/* The unknown field may be one of what hangs under the resource: then the hint says so. `resources` is a result of that method. */
void complaint_look(struct complaint *c, enum command command, struct bytes resources);
void complaint_release(struct complaint *c);

#endif
