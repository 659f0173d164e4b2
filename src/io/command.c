/*
 * command: see the header. The only place that starts other programs.
 *
 * The end of a process is a descriptor that becomes readable (pidfd_open, Linux 5.3); before that kernel it is
 * looked for four times a second while a program runs.
 */
#include <base/files.h>
#include <io/command.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define POLL_MS 250

extern char **environ;

struct command {
	struct loop *loop;
	pid_t pid;
	int fd; /* of the process; -1: this kernel has none */
	struct watch *watch;
	struct timer *poll;
	struct timer *deadline;
	bool late;
	int64_t timeout_ms;
	void (*done)(void *ctx, const struct command_result *result);
	void *ctx;
};

static void command_free(struct command *c)
{
	watch_free(c->watch);
	timer_free(c->poll);
	timer_free(c->deadline);
	if (c->fd >= 0)
		close(c->fd);
	free(c);
}

static void explain(const struct command *c, int status, struct command_result *out)
{
	out->status = WIFEXITED(status) && !c->late ? WEXITSTATUS(status) : -1;
	if (c->late)
		why_set(&out->why, 0, "it took longer than %lld s and was killed",
			(long long)c->timeout_ms / 1000);
	else if (WIFSIGNALED(status))
		why_set(&out->why, 0, "it was ended by signal %d", WTERMSIG(status));
	else if (out->status)
		why_set(&out->why, 0, "its exit status was %d", out->status);
}

static void look(struct command *c)
{
	struct command_result result = {.status = -1};
	int status = 0;
	pid_t pid = waitpid(c->pid, &status, WNOHANG);

	if (pid == 0 || (pid < 0 && errno == EINTR))
		return;
	if (pid < 0)
		why_set(&result.why, 0, "its end was not seen");
	else
		explain(c, status, &result);
	void (*done)(void *, const struct command_result *) = c->done;
	void *ctx = c->ctx;
	command_free(c);
	done(ctx, &result);
}

static void on_ready(void *ctx, bool readable, bool writable)
{
	(void)readable;
	(void)writable;
	look(ctx);
}

static void on_poll(void *ctx)
{
	look(ctx);
}

static void on_deadline(void *ctx)
{
	struct command *c = ctx;

	c->late = true;
	kill(-c->pid, SIGKILL);
}

/* A pipe with all of the input in it: it has room for more than that (pipe(7)). */
static int fill_pipe(struct bytes input, int *read_out, struct why *why)
{
	int fds[2];

	if (input.len > COMMAND_INPUT_MAX)
		return why_set(why, ERR_LIMIT, "more than %d bytes of input", COMMAND_INPUT_MAX);
	if (pipe2(fds, O_CLOEXEC))
		return why_errno(why, "cannot make a pipe");
	int rc = fd_nonblock(fds[1]);
	if (rc == 0 && input.len && write(fds[1], input.data, input.len) != (ssize_t)input.len)
		rc = ERR_IO;
	close(fds[1]);
	if (rc) {
		close(fds[0]);
		return why_set(why, rc, "the input does not fit into a pipe");
	}
	*read_out = fds[0];
	return 0;
}

static int set_descriptors(posix_spawn_file_actions_t *actions, int input)
{
	int error = posix_spawn_file_actions_adddup2(actions, input, STDIN_FILENO);

	if (error == 0)
		error = posix_spawn_file_actions_adddup2(actions, STDERR_FILENO, STDOUT_FILENO);
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
	if (error == 0)
		error = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
#endif
	return error;
}

static int set_manners(posix_spawnattr_t *attributes)
{
	sigset_t all, none;

	sigfillset(&all);
	sigemptyset(&none);
	int error = posix_spawnattr_setsigdefault(attributes, &all);
	if (error == 0)
		error = posix_spawnattr_setsigmask(attributes, &none);
	if (error == 0)
		error = posix_spawnattr_setpgroup(attributes, 0);
	return error ? error
		     : posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF |
								    POSIX_SPAWN_SETSIGMASK |
								    POSIX_SPAWN_SETPGROUP);
}

/* Ours first: of two of a name the first one counts. */
static char **join_environment(const char *const *own)
{
	size_t n = 0, at = 0;

	while (environ[n])
		n++;
	char **all = calloc(n + COMMAND_ENVIRONMENT_MAX + 1, sizeof *all);
	for (; all && own && own[at] && at < COMMAND_ENVIRONMENT_MAX; at++)
		memcpy(&all[at], &own[at], sizeof *all); /* posix_spawn writes nothing there */
	if (all)
		memcpy(all + at, environ, n * sizeof *all);
	return all;
}

static int spawn(pid_t *pid, const struct command_request *r, int input, struct why *why)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	char *argv[] = {NULL, NULL};
	char **environment = join_environment(r->environment);

	memcpy(&argv[0], &r->path, sizeof argv[0]);
	if (!environment || posix_spawn_file_actions_init(&actions)) {
		free(environment);
		return why_set(why, ERR_NOMEM, "no memory to run %s", r->path);
	}
	if (posix_spawnattr_init(&attributes)) {
		posix_spawn_file_actions_destroy(&actions);
		free(environment);
		return why_set(why, ERR_NOMEM, "no memory to run %s", r->path);
	}
	int error = set_descriptors(&actions, input);
	if (error == 0)
		error = set_manners(&attributes);
	if (error == 0)
		error = posix_spawn(pid, r->path, &actions, &attributes, argv, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	free(environment);
	errno = error;
	return error ? why_errno(why, "cannot run %s", r->path) : 0;
}

static int wait_for(struct command *c)
{
#ifdef SYS_pidfd_open
	c->fd = (int)syscall(SYS_pidfd_open, c->pid, 0);
#endif
	if (c->fd >= 0) {
		c->watch = watch_new(c->loop, c->fd, on_ready, c);
		if (!c->watch)
			return ERR_NOMEM;
		watch_set(c->watch, true, false);
		return 0;
	}
	c->poll = timer_new(c->loop, on_poll, c);
	if (!c->poll)
		return ERR_NOMEM;
	timer_start(c->poll, POLL_MS, POLL_MS);
	return 0;
}

struct command *command_start(struct loop *l, const struct command_request *r, struct why *why)
{
	struct command *c = calloc(1, sizeof *c);
	int input = -1;

	if (c)
		c->deadline = timer_new(l, on_deadline, c);
	if (!c || !c->deadline) {
		free(c);
		why_set(why, ERR_NOMEM, "no memory to run %s", r->path);
		return NULL;
	}
	c->loop = l;
	c->fd = -1;
	c->done = r->done;
	c->ctx = r->ctx;
	c->timeout_ms = r->timeout_ms > 0 ? r->timeout_ms : 60000;
	int rc = fill_pipe(r->input, &input, why);
	if (rc == 0)
		rc = spawn(&c->pid, r, input, why);
	if (input >= 0)
		close(input);
	if (rc) {
		command_free(c);
		return NULL;
	}
	timer_start(c->deadline, c->timeout_ms, 0);
	if (wait_for(c)) {
		why_set(why, ERR_NOMEM, "no memory to wait for %s", r->path);
		command_cancel(c);
		return NULL;
	}
	return c;
}

void command_cancel(struct command *c)
{
	if (!c)
		return;
	/* A killed process does not keep us waiting. */
	kill(-c->pid, SIGKILL);
	while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		;
	command_free(c);
}
