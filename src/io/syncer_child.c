/*
 * syncer_child: receives a descriptor, calls fsync, answers; and nothing else, ever.
 *
 * It may be forked late, from a process with threads: so it allocates nothing, logs nothing and
 * uses system calls only. It closes whatever it has inherited (sockets, the lock on the state
 * folder), and ends with its parent. What stops the daemon (^C goes to the whole group, systemd
 * signals the whole unit) must not stop it: the daemon's last writes still need it. It ends when
 * its socket does.
 */
#include "syncer_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

union control {
	struct cmsghdr header; /* for its alignment */
	char bytes[CMSG_SPACE(sizeof(int))];
};

int sync_send_request(int socket, const struct sync_request *request, int fd)
{
	struct sync_request copy = *request;
	struct iovec part = {&copy, sizeof copy};
	union control control;
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof control.bytes};

	memset(&control, 0, sizeof control);
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(header), &fd, sizeof fd);
	return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -1 : 0;
}

/* The length of the message; *fd_out is -1 when no descriptor came with it. */
static ssize_t receive(int socket, struct sync_request *out, int *fd_out)
{
	struct iovec part = {out, sizeof *out};
	union control control;
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof control.bytes};
	ssize_t n;

	do
		n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	struct cmsghdr *header = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	*fd_out = -1;
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
		memcpy(fd_out, CMSG_DATA(header), sizeof *fd_out);
	return n;
}

static void reset_signals(void)
{
	static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE};
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* All but the socket, which becomes descriptor 0. */
static void close_others(int socket)
{
	struct rlimit limit = {.rlim_cur = 1024};

	if (socket != 0 && dup2(socket, 0) < 0)
		_exit(1);
#ifdef SYS_close_range
	if (syscall(SYS_close_range, 1u, ~0u, 0u) == 0)
		return;
#endif
	getrlimit(RLIMIT_NOFILE, &limit);
	for (int fd = 1; fd < (limit.rlim_cur < 65536 ? (int)limit.rlim_cur : 65536); fd++)
		close(fd);
}

static void sleep_ms(int64_t ms)
{
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	while (ms > 0 && nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

static int sync_one(int fd, int64_t delay_ms)
{
	int error = 0;

	if (fd < 0)
		return EBADF; /* it got lost on the way: no descriptors left here */
	sleep_ms(delay_ms);
	while (fsync(fd) < 0) {
		error = errno;
		if (error != EINTR)
			break;
		error = 0;
	}
	close(fd);
	return error;
}

_Noreturn void sync_child_run(int socket, pid_t parent)
{
	reset_signals();
	prctl(PR_SET_NAME, "ficd-sync");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0); /* it died before we could ask to be told */
	close_others(socket);
	for (;;) {
		struct sync_request request = {0};
		int fd;

		if (receive(0, &request, &fd) != (ssize_t)sizeof request)
			_exit(0);
		struct sync_answer answer = {.number = request.number,
					     .error = sync_one(fd, request.delay_ms)};
		if (send(0, &answer, sizeof answer, MSG_NOSIGNAL) != (ssize_t)sizeof answer)
			_exit(0);
	}
}
