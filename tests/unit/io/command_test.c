/* command: programs that end well, badly, late and not at all. */
#include "support/rig.h"

#include <io/command.h>

#include <base/files.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "skip.h"
#include "valgrind.h"

struct end {
	unsigned count;
	struct command_result result;
};

static void on_done(void *ctx, const struct command_result *result)
{
	struct end *e = ctx;

	e->count++;
	e->result = *result;
}

/* A script in a folder of its own. */
struct script {
	char folder[64], path[96], out[96];
};

static void script_make(struct script *s, const char *text)
{
	snprintf(s->folder, sizeof s->folder, "%s", "/tmp/command-XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	snprintf(s->path, sizeof s->path, "%s/run", s->folder);
	snprintf(s->out, sizeof s->out, "%s/out", s->folder);
	int fd = open(s->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
	assert_true(fd >= 0);
	assert_int_equal(dprintf(fd, "#!/bin/sh\nout=%s\n%s\n", s->out, text) > 0, 1);
	close(fd);
}

static void script_end(const struct script *s)
{
	unlink(s->path);
	unlink(s->out);
	rmdir(s->folder);
}

static void run(struct loop *l, const struct command_request *r, struct end *e)
{
	struct why why = {""};

	if (!command_start(l, r, &why))
		fail_msg("%s", why.text);
	assert_int_equal(e->count, 0);
	rig_until_count(l, &e->count, 1);
}

static void expect_out(const struct script *s, const char *text)
{
	struct buf got = {0};

	assert_int_equal(file_read(s->out, 100000, &got, NULL), 0);
	assert_string_equal(buf_text(&got), text);
	buf_release(&got);
}

static void input_and_environment(void **state)
{
	const char *environment[] = {"A=one", "PATH=/usr/bin:/bin", NULL};
	struct script s;
	struct end e = {0};

	script_make(&s, "cat >$out; echo $A $HOME_OF_TEST >>$out");
	setenv("HOME_OF_TEST", "kept", 1);
	struct command_request r = {.path = s.path,
				    .environment = environment,
				    .input = bytes_str("hello\n"),
				    .done = on_done,
				    .ctx = &e};
	run(*state, &r, &e);
	assert_int_equal(e.result.status, 0);
	assert_string_equal(e.result.why.text, "");
	expect_out(&s, "hello\none kept\n");
	script_end(&s);
}

/* As much as may be given, to who reads none of it and to who reads all. */
static void much_input(void **state)
{
	static uint8_t input[COMMAND_INPUT_MAX + 1];
	struct script s;
	struct end e = {0}, f = {0};
	struct why why = {""};

	memset(input, 'x', sizeof input);
	script_make(&s, "[ -z \"$EAT\" ] || wc -c >$out");
	struct command_request r = {.path = s.path,
				    .input = bytes_of(input, COMMAND_INPUT_MAX),
				    .done = on_done,
				    .ctx = &e};
	run(*state, &r, &e);
	assert_int_equal(e.result.status, 0);
	const char *eat[] = {"EAT=1", NULL};
	r.environment = eat;
	r.ctx = &f;
	run(*state, &r, &f);
	expect_out(&s, "32768\n");
	r.input.len++;
	assert_null(command_start(*state, &r, &why));
	assert_non_null(strstr(why.text, "32768"));
	script_end(&s);
}

static void bad_ends(void **state)
{
	struct script s;
	struct end e = {0}, f = {0};

	script_make(&s, "[ -z \"$DIE\" ] || kill -9 $$; exit 7");
	struct command_request r = {.path = s.path, .done = on_done, .ctx = &e};
	run(*state, &r, &e);
	assert_int_equal(e.result.status, 7);
	assert_non_null(strstr(e.result.why.text, "exit status was 7"));
	const char *die[] = {"DIE=1", NULL};
	r.environment = die;
	r.ctx = &f;
	run(*state, &r, &f);
	assert_int_equal(f.result.status, -1);
	assert_non_null(strstr(f.result.why.text, "signal 9"));
	script_end(&s);
}

static void no_start(void **state)
{
	struct script s;
	struct why why = {""};

	if (under_valgrind())
		skip_because("valgrind hides that a program cannot be started");
	script_make(&s, "exit 0");
	struct command_request r = {.path = s.path, .done = on_done};
	chmod(s.path, 0600);
	assert_null(command_start(*state, &r, &why));
	assert_non_null(strstr(why.text, "cannot run"));
	r.path = "/nowhere/at/all";
	assert_null(command_start(*state, &r, &why));
	assert_non_null(strstr(why.text, "/nowhere/at/all"));
	script_end(&s);
}

/* A process that was killed dies when it gets the processor for it; then it is a zombie, until whoever adopted it looks. */
static bool is_gone(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		return errno == ESRCH || under_valgrind();
	struct pollfd ends = {.fd = fd, .events = POLLIN};
	int n = poll(&ends, 1, 20000);
	close(fd);
	return n == 1;
}

/* The whole group goes: what the program has started, too. */
static void late(void **state)
{
	struct script s;
	struct end e = {0};
	struct buf got = {0};

	script_make(&s, "trap '' TERM; sleep 300 & echo $! >$out; wait");
	struct command_request r = {.path = s.path, .timeout_ms = 3000, .done = on_done, .ctx = &e};
	run(*state, &r, &e);
	assert_int_equal(e.result.status, -1);
	assert_non_null(strstr(e.result.why.text, "longer than 3 s"));
	assert_int_equal(file_read(s.out, 100, &got, NULL), 0);
	int child = atoi(buf_text(&got));
	assert_true(child > 1);
	assert_true(is_gone(child));
	buf_release(&got);
	script_end(&s);
}

static void cancelled(void **state)
{
	struct script s;
	struct end e = {0};
	struct why why = {""};

	script_make(&s, "sleep 300");
	struct command_request r = {.path = s.path, .done = on_done, .ctx = &e};
	struct command *c = command_start(*state, &r, &why);
	assert_non_null(c);
	command_cancel(c);
	command_cancel(NULL);
	rig_turns(*state, 50);
	assert_int_equal(e.count, 0);
	script_end(&s);
}

static void no_descriptor_is_inherited(void **state)
{
	struct script s;
	struct end e = {0};

	script_make(&s, "ls /proc/self/fd | tr '\\n' ' ' >$out");
	int leak = dup(STDERR_FILENO); /* without FD_CLOEXEC */
	struct command_request r = {.path = s.path, .done = on_done, .ctx = &e};
	run(*state, &r, &e);
	close(leak);
	expect_out(&s, "0 1 2 3 "); /* 3: ls itself, that reads the folder */
	script_end(&s);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(input_and_environment),
		CASE(much_input),
		CASE(bad_ends),
		CASE(no_start),
		CASE(late),
		CASE(cancelled),
		CASE(no_descriptor_is_inherited),
	};
	return cmocka_run_group_tests_name("command", tests, NULL, NULL);
}
