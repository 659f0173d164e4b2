/*
 * pager: the user's pager as a child that reads what we print. Its command is the user's own and runs by the shell, as everywhere.
 */
#include "pager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* -F: leave when it fits, -I: search in any case, -R: let colours through, -X: do not clear the screen. */
#define PAGER_DEFAULT "less -FIRX"

static bool installed(const char *program)
{
	const char *path = getenv("PATH");
	char file[4096];

	while (path && *path) {
		size_t n = strcspn(path, ":");
		int len = snprintf(file, sizeof file, "%.*s/%s", (int)(n < 4000 ? n : 4000), path,
				   program);
		if (len > 0 && (size_t)len < sizeof file && access(file, X_OK) == 0)
			return true;
		path += n + (path[n] == ':');
	}
	return false;
}

const char *pager_command(void)
{
	const char *command = getenv("FICQ_PAGER");

	if (!command)
		command = getenv("PAGER");
	if (!command)
		return installed("less") ? PAGER_DEFAULT : NULL;
	return *command && strcmp(command, "cat") != 0 ? command : NULL;
}

int pager_start(const char *command, int *fd_out, pid_t *pid_out)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	pid_t pid = fork();
	if (pid < 0) {
		close(ends[0]);
		close(ends[1]);
		return -1;
	}
	if (pid == 0) {
		dup2(ends[0], STDIN_FILENO);
		signal(SIGPIPE, SIG_DFL);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(ends[0]);
	/* Who leaves the pager early has read enough: that is no error of ours. Ctrl-C is for the pager alone. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	*fd_out = ends[1];
	*pid_out = pid;
	return 0;
}

int pager_wait(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	signal(SIGINT, SIG_DFL);
	return status;
}
