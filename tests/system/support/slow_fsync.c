/*
 * slow_fsync: preloaded into a daemon, makes a slow disk: each fsync takes SLOW_FSYNC_MS longer,
 * whoever calls it, and leaves the caller's process id in the file SLOW_FSYNC_LOG.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void slow(void)
{
	long ms = atol(getenv("SLOW_FSYNC_MS"));
	struct timespec left = {ms / 1000, ms % 1000 * 1000000};
	int fd = open(getenv("SLOW_FSYNC_LOG"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	char line[24];

	if (fd < 0 || write(fd, line, (size_t)snprintf(line, sizeof line, "%d\n", (int)getpid())) < 0)
		abort();
	close(fd);
	while (nanosleep(&left, &left) < 0)
		;
}

int fsync(int fd)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");

	slow();
	return real(fd);
}

int fdatasync(int fd)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");

	slow();
	return real(fd);
}
