/*
 * command: a program that is run beside the loop: fed from memory, given a time, waited for.
 *
 * It is started without a shell, in a process group of its own, with the default action of all
 * signals, and with standard output where standard error goes. It inherits no other descriptor
 * (where the C library can see to that; all of ours are closed on exec anyway).
 */
#ifndef FIC_IO_COMMAND_H
#define FIC_IO_COMMAND_H

#include <base/bytes.h>
#include <base/err.h>
#include <io/loop.h>

#define COMMAND_INPUT_MAX       32768
#define COMMAND_ENVIRONMENT_MAX 8 /* of our own */

struct command;

struct command_result {
	int status;     /* exit status; -1: it did not end by itself, or could not be waited for */
	struct why why; /* unless status is 0 */
};

struct command_request {
	const char *path;               /* absolute */
	const char *const *environment; /* "NAME=value" besides the daemon's own, ended by NULL; NULL: none */
	struct bytes input;             /* on its standard input; what it does not read is lost */
	int64_t timeout_ms;             /* then its whole group is killed; 0: a minute */
	/* Exactly once, from the loop, never from inside command_start. The command is gone then. */
	void (*done)(void *ctx, const struct command_result *result);
	void *ctx;
};

/* NULL and `why` when it cannot be started (done is not called). Everything is copied. */
struct command *command_start(struct loop *l, const struct command_request *request, struct why *why);
/* Kills its group; done does not come. NULL is fine. */
void command_cancel(struct command *c);

#endif
