/*
 * syncer_child: the fsync helper process, and the words that it and the loop's side exchange.
 */
#ifndef FIC_IO_SYNCER_CHILD_H
#define FIC_IO_SYNCER_CHILD_H

#include <stdint.h>
#include <sys/types.h>

/* With one descriptor in the message's control part. */
struct sync_request {
	uint64_t number;
	int64_t delay_ms;
};

struct sync_answer {
	uint64_t number;
	int error; /* errno, or 0 */
};

/* One message with one descriptor, without waiting. 0, or -1 and errno. */
int sync_send_request(int socket, const struct sync_request *request, int fd);

/* The helper: answers requests from `socket` in order until the other side is gone. Runs after fork
 * in a process that may have had threads: only calls that are safe there, no memory, no log. */
_Noreturn void sync_child_run(int socket, pid_t parent);

#endif
