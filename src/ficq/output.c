/*
 * output: standard output, or the pager when it is a terminal and there is more than fits. Holds back one screen at most;
 * never loses a write error.
 */
#include "output.h"

#include "pager.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define GATHER_BYTES ((size_t)32 << 10)

void output_init(struct output *o, const struct term *t, bool may_page)
{
	*o = (struct output){
		.may_page = may_page && t->in_tty && t->out_tty && pager_command(),
		.height = t->height,
		.fd = STDOUT_FILENO,
	};
}

static bool overflows(const struct output *o)
{
	size_t lines = 0;

	for (size_t i = 0; i < o->buf.len; i++)
		lines += o->buf.data[i] == '\n';
	return lines >= o->height;
}

static void write_out(struct output *o)
{
	size_t at = 0;

	while (!o->error && at < o->buf.len) {
		ssize_t n = write(o->fd, o->buf.data + at, o->buf.len - at);
		if (n < 0 && errno != EINTR)
			o->error = errno;
		if (n > 0)
			at += (size_t)n;
	}
	buf_reset(&o->buf);
}

int output_filter(struct output *o, const char *command)
{
	o->may_page = false;
	o->filter = true;
	return pager_start(command, &o->fd, &o->pager);
}

bool output_flush(struct output *o, bool last)
{
	if (o->buf.error && !o->error)
		o->error = ENOMEM;
	if (o->may_page && overflows(o)) {
		o->may_page = false;
		if (pager_start(pager_command(), &o->fd, &o->pager) < 0)
			o->fd = STDOUT_FILENO;
	}
	if (last || (!o->may_page && ((o->pager && !o->filter) || o->buf.len >= GATHER_BYTES)))
		write_out(o);
	return o->error == 0;
}

/* Nobody reads what a filter writes any more; a shell that waited for it says so with a number. */
static bool ended_by_reader(int status)
{
	return WIFSIGNALED(status) ? WTERMSIG(status) == SIGPIPE
				   : WEXITSTATUS(status) == 128 + SIGPIPE;
}

int output_end(struct output *o)
{
	output_flush(o, true);
	if (o->pager) {
		close(o->fd);
		int status = pager_wait(o->pager);
		o->pager = 0;
		if (!o->filter && o->error == EPIPE)
			o->error = 0;
		else if (o->filter && status != 0)
			o->error = ended_by_reader(status) ? EPIPE : EIO;
	}
	buf_release(&o->buf);
	return o->error;
}
