/* mcp: see the header. One poll(2) for the input and for the daemon's answers. */
#include "mcp.h"

#include "mcp_config.h"
#include "mcp_message.h"
#include "mcp_output.h"

#include <base/clock.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#define READ_BYTES ((size_t)64 << 10)

static void on_end(int number)
{
	(void)number;
	mcp_told_to_end = 1;
}

/* ---- input ---- */

static void take_lines(struct mcp *m)
{
	size_t at = 0;

	while (at < m->in.len) {
		const uint8_t *start = m->in.data + at;
		const uint8_t *end = memchr(start, '\n', m->in.len - at);
		if (!end)
			break;
		size_t len = (size_t)(end - start);
		at += len + 1;
		if (len && start[len - 1] == '\r')
			len--;
		if (len > MCP_LINE_MAX)
			mcp_line_too_long(m);
		else if (len)
			mcp_line(m, bytes_of(start, len));
	}
	buf_consume(&m->in, at);
}

/* What is left of the time, when nothing more comes in. */
static void input_over(struct mcp *m)
{
	if (m->in.len > 0)
		mcp_line(m, buf_bytes(&m->in));
	buf_reset(&m->in);
	m->finish_ms = clock_mono_ms() + MCP_FINISH_MS;
}

/* Of a line that is too long its end alone is waited for. */
static void drop_long(struct mcp *m)
{
	if (m->in.len <= MCP_LINE_MAX + 1)
		return;
	m->in.len = MCP_LINE_MAX + 1;
}

static void read_input(struct mcp *m)
{
	if (buf_reserve(&m->in, READ_BYTES)) {
		m->failed = true;
		return;
	}
	ssize_t n = read(STDIN_FILENO, m->in.data + m->in.len, READ_BYTES);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		input_over(m);
		return;
	}
	m->in.len += (size_t)n;
	take_lines(m);
	drop_long(m);
}

/* ---- the loop ---- */

static int poll_ms(struct mcp *m)
{
	int64_t now_ms = clock_mono_ms(), next_ms = mcp_call_expire(m, now_ms);

	if (m->finish_ms && m->finish_ms < next_ms)
		next_ms = m->finish_ms;
	if (next_ms == TIME_MAX)
		return -1;
	return next_ms <= now_ms ? 0 : (int)(next_ms - now_ms < 60000 ? next_ms - now_ms : 60000);
}

static void hear(struct mcp *m, const struct pollfd *fds, struct mcp_call *const *calls, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (fds[i].revents)
			mcp_call_hear(m, calls[i]);
}

static bool is_over(const struct mcp *m)
{
	return mcp_told_to_end || m->failed ||
	       (m->finish_ms && (!m->calls || clock_mono_ms() >= m->finish_ms));
}

static void serve(struct mcp *m)
{
	struct pollfd fds[MCP_CALLS_MAX + 1];
	struct mcp_call *calls[MCP_CALLS_MAX];

	while (!is_over(m)) {
		int wait_ms = poll_ms(m);
		unsigned n = 0;
		for (struct mcp_call *c = m->calls; c; c = c->next) {
			calls[n] = c;
			fds[n++] = (struct pollfd){.fd = c->client.fd, .events = POLLIN};
		}
		fds[n] = (struct pollfd){.fd = m->finish_ms ? -1 : STDIN_FILENO, .events = POLLIN};
		if (poll(fds, n + 1, wait_ms) < 0) {
			if (errno == EINTR)
				continue;
			m->failed = true;
			break;
		}
		/* What the client says may end a call: the answers come first. */
		hear(m, fds, calls, n);
		if (fds[n].revents)
			read_input(m);
	}
}

/* Standard output is taken away from everybody else: a stray word there would break the protocol. */
static int take_output(void)
{
	int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);

	if (fd >= 0 && dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int mcp_command(struct app *a)
{
	struct mcp m = {.app = a, .edits = app_given(a, OPT_EDITS)};
	struct sigaction end = {.sa_handler = on_end};

	if (app_given(a, OPT_PRINT_CONFIG))
		return mcp_config(a);
	if (app_arg(a, 0))
		return report_error(&a->report, EXIT_USAGE, "usage",
				    "mcp takes an argument with --print-config only");
	m.out_fd = take_output();
	if (m.out_fd < 0)
		return report_error(&a->report, EXIT_IO, "io", "standard output: %s", strerror(errno));
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGINT, &end, NULL);
	signal(SIGPIPE, SIG_IGN);
	serve(&m);
	mcp_call_drop_all(&m);
	buf_release(&m.in);
	close(m.out_fd);
	return EXIT_OK;
}
