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
#define GIVEN_MAX    ((size_t)256 << 10) /* more than a pipe takes: somebody reads */

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

static void write_all(struct output *o, struct bytes text)
{
	while (!o->error && text.len) {
		ssize_t n = write(o->fd, text.data, text.len);
		if (n < 0 && errno != EINTR)
			o->error = errno;
		if (n > 0)
			text = bytes_of(text.data + n, text.len - (size_t)n);
	}
}

static void give(struct output *o)
{
	if (o->given.len + o->buf.len > GIVEN_MAX || o->given.error) {
		o->held = false;
		buf_release(&o->given);
	} else {
		buf_put_bytes(&o->given, buf_bytes(&o->buf));
	}
}

/* A shell says with 126 and 127 that it could not run the pager: then nobody has read anything, and it is printed without one. Who leaves a pager early has
 * read enough. */
static void end_pager(struct output *o)
{
	close(o->fd);
	int status = pager_wait(o->pager);
	bool ran = !WIFEXITED(status) || (WEXITSTATUS(status) != 126 && WEXITSTATUS(status) != 127);

	o->pager = 0;
	o->fd = STDOUT_FILENO;
	o->left = o->error == EPIPE && (ran || !o->held);
	if (!ran && o->held) {
		o->error = o->error == EPIPE ? 0 : o->error;
		write_all(o, buf_bytes(&o->given));
	}
	o->held = false;
	buf_release(&o->given);
}

static void write_out(struct output *o)
{
	if (o->held)
		give(o);
	write_all(o, buf_bytes(&o->buf));
	buf_reset(&o->buf);
	if (o->held && o->error == EPIPE)
		end_pager(o);
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
		o->held = pager_start(pager_command(), &o->fd, &o->pager) == 0;
		if (!o->held)
			o->fd = STDOUT_FILENO;
	}
	if (last ||
	    (!o->may_page && !o->hold && ((o->pager && !o->filter) || o->buf.len >= GATHER_BYTES)))
		write_out(o);
	return o->error == 0;
}

/* Nobody reads what a filter writes any more; a shell that waited for it says so with a number. */
static bool ended_by_reader(int status)
{
	return WIFSIGNALED(status) ? WTERMSIG(status) == SIGPIPE
				   : WEXITSTATUS(status) == 128 + SIGPIPE;
}

static void end_filter(struct output *o)
{
	close(o->fd);
	int status = pager_wait(o->pager);

	o->pager = 0;
	if (status != 0)
		o->error = ended_by_reader(status) ? EPIPE : EIO;
}

int output_end(struct output *o)
{
	output_flush(o, true);
	if (o->pager && o->filter)
		end_filter(o);
	else if (o->pager)
		end_pager(o);
	if (o->left)
		o->error = 0;
	buf_release(&o->buf);
	return o->error;
}
