/* fake: a daemon that answers canned lines, and ficq run as users run it, with an environment that says nothing else. */
#include "fake.h"

#include <codec/json.h>
#include <codec/msgpack.h>
#include <wire/rpc.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HELLO                                                                              \
	"{\"name\":\"ficd\",\"version\":\"0.1.0\",\"protocol\":{\"major\":1,\"minor\":0}," \
	"\"sources\":[\"acme\"],\"features\":[\"query\",\"sync\"]}"

static void fail(const char *what)
{
	perror(what);
	abort();
}

/* --- the child --- */

struct session {
	const struct fake_step *script;
	unsigned *used; /* of each step; shared by all connections */
	int fd;
	int log;
	enum wire_encoding encoding;
};

static void send_bytes(int fd, struct bytes b)
{
	while (b.len > 0) {
		ssize_t n = send(fd, b.data, b.len, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		b.data += n;
		b.len -= (size_t)n;
	}
}

static void to_msgpack(const char *json, struct buf *out)
{
	struct why why;

	if (json_to_msgpack(bytes_str(json), JSON_STRICT, out, &why) < 0) {
		fprintf(stderr, "fake: %s: %s\n", why.text, json);
		abort();
	}
}

static void answer(struct session *s, const struct rpc_request *q, const struct fake_step *step)
{
	struct buf value = {0}, message = {0}, out = {0};

	to_msgpack(step->text, &value);
	if (step->kind == FAKE_RESULT) {
		rpc_put_result(&message, q->id, buf_bytes(&value));
	} else if (step->kind == FAKE_NOTIFY || step->kind == FAKE_RECORDS) {
		rpc_put_notification(&message, step->kind == FAKE_NOTIFY ? "progress" : "records",
				     buf_bytes(&value));
	} else {
		mp_put_map(&message, 3);
		mp_put_cstr(&message, "jsonrpc");
		mp_put_cstr(&message, "2.0");
		mp_put_cstr(&message, "id");
		buf_put_bytes(&message, q->id);
		mp_put_cstr(&message, "error");
		buf_put_bytes(&message, buf_bytes(&value));
	}
	wire_give(s->encoding, buf_bytes(&message), &out);
	send_bytes(s->fd, buf_bytes(&out));
	buf_release(&value);
	buf_release(&message);
	buf_release(&out);
}

static const struct fake_step *next_step(struct session *s, struct bytes method)
{
	size_t last = SIZE_MAX;

	for (size_t i = 0; s->script[i].kind != FAKE_END; i++) {
		if (!bytes_is(method, s->script[i].method))
			continue;
		last = i;
		if (!s->used[i])
			break;
	}
	if (last == SIZE_MAX)
		return NULL;
	s->used[last] = 1;
	return &s->script[last];
}

/* False: the connection ends. */
static bool serve(struct session *s, const struct rpc_request *q)
{
	static const struct fake_step hello = {"hello", FAKE_RESULT, HELLO, 0};
	static const struct fake_step unknown = {
		"", FAKE_ERROR, "{\"code\":-32601,\"message\":\"there is no such method\"}", 0};

	for (;;) {
		const struct fake_step *step = next_step(s, q->method);
		if (!step)
			step = bytes_is(q->method, "hello") ? &hello : &unknown;
		if (step->kind == FAKE_PAUSE) {
			struct timespec t = {step->ms / 1000, step->ms % 1000 * 1000000L};
			nanosleep(&t, NULL);
			continue;
		}
		if (step->kind == FAKE_RAW || step->kind == FAKE_CUT)
			send_bytes(s->fd, bytes_str(step->text));
		else if (step->kind != FAKE_SILENT)
			answer(s, q, step);
		if (step->kind != FAKE_NOTIFY && step->kind != FAKE_RECORDS)
			return step->kind != FAKE_CUT;
	}
}

static void log_request(struct session *s, struct bytes message)
{
	struct buf line = {0};

	json_write(message, &line);
	buf_put_byte(&line, '\n');
	if (write(s->log, line.data, line.len) < 0)
		fail("fake: log");
	buf_release(&line);
}

static void talk(struct session *s)
{
	struct buf in = {0}, message = {0};
	struct rpc_request q;
	struct why why;
	bool open = true;
	size_t used;
	ssize_t n;

	while (open) {
		int r = wire_take(NULL, buf_bytes(&in), &s->encoding, &message, &used, &why);
		buf_consume(&in, used);
		if (r == 1 && rpc_request_parse(buf_bytes(&message), &q, &why) == 0) {
			log_request(s, buf_bytes(&message));
			open = serve(s, &q);
			continue;
		}
		if (r < 0)
			break;
		buf_reserve(&in, 65536);
		n = recv(s->fd, in.data + in.len, 65536, 0);
		if (n <= 0)
			break;
		in.len += (size_t)n;
	}
	buf_release(&in);
	buf_release(&message);
	close(s->fd);
}

static void child(int listener, int log, const struct fake_step *script)
{
	unsigned used[64] = {0};

	for (;;) {
		struct session s = {.script = script, .used = used, .log = log};
		s.fd = accept(listener, NULL, NULL);
		if (s.fd < 0)
			_exit(1);
		talk(&s);
	}
}

/* --- the parent --- */

void fake_start(struct fake *f, const struct fake_step *script)
{
	const char *tmp = getenv("TMPDIR");
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	/* A socket's path must be short, and the run's own folder may not be. */
	snprintf(f->folder, sizeof f->folder, "%s/ficq.XXXXXX",
		 tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	if (!mkdtemp(f->folder))
		fail("mkdtemp");
	snprintf(f->socket, sizeof f->socket, "%s/s", f->folder);
	snprintf(f->log, sizeof f->log, "%s/log", f->folder);
	int log = open(f->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	memcpy(address.sun_path, f->socket, strlen(f->socket) + 1);
	if (log < 0 || listener < 0 ||
	    bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 8) < 0)
		fail("fake");
	fflush(stdout);
	f->pid = fork();
	if (f->pid < 0)
		fail("fork");
	if (f->pid == 0)
		child(listener, log, script);
	close(listener);
	close(log);
}

void fake_stop(struct fake *f)
{
	kill(f->pid, SIGKILL);
	waitpid(f->pid, NULL, 0);
	unlink(f->socket);
	unlink(f->log);
	rmdir(f->folder);
}

static char *read_all(int fd, size_t *len_out)
{
	struct buf all = {0};
	char piece[4096];
	ssize_t n;

	while ((n = read(fd, piece, sizeof piece)) > 0)
		buf_put(&all, piece, (size_t)n);
	char *text = malloc(all.len + 1);
	if (!text)
		fail("malloc");
	if (all.len)
		memcpy(text, all.data, all.len);
	text[all.len] = 0;
	if (len_out)
		*len_out = all.len;
	buf_release(&all);
	return text;
}

char *fake_log(const struct fake *f)
{
	int fd = open(f->log, O_RDONLY | O_CLOEXEC);
	char *text = read_all(fd, NULL);

	close(fd);
	return text;
}

/* --- ficq --- */

const char *ficq_path(void)
{
	static char path[4096];
	const char *build = getenv("BUILD"), *named = getenv("FICQ");

	if (named)
		snprintf(path, sizeof path, "%s", named);
	else
		snprintf(path, sizeof path, "%s/ficq", build ? build : "build");
	return access(path, X_OK) == 0 ? path : NULL;
}

static int temporary(void)
{
	char path[] = "/tmp/ficq-out.XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);

	if (fd < 0)
		fail("mkostemp");
	unlink(path);
	return fd;
}

static void exec_ficq(const char *const *args, int in, int out, int err)
{
	static const char *const kept[] = {"ASAN_OPTIONS", "UBSAN_OPTIONS", "PATH",
					   "LD_LIBRARY_PATH", "GCOV_PREFIX"};
	char *environment[16], storage[8][1024];
	char *argv[80];
	size_t n = 0, count = 0;

	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
		const char *value = getenv(kept[i]);
		if (!value)
			continue;
		snprintf(storage[n], sizeof storage[n], "%s=%s", kept[i], value);
		environment[n] = storage[n];
		n++;
	}
	environment[n++] = strdup("LC_ALL=C.UTF-8");
	environment[n++] = strdup("COLUMNS=80");
	environment[n++] = strdup("TZ=UTC");
	environment[n] = NULL;
	argv[count++] = strdup("ficq");
	while (*args && count < 79)
		argv[count++] = strdup(*args++);
	argv[count] = NULL;
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(126);
	execve(ficq_path(), argv, environment);
	_exit(127);
}

void ficq_run_args(struct run *r, const char *socket, const char *const *args, const char *stdin_text)
{
	const char *all[80] = {NULL};
	int in = temporary(), out = temporary(), err = temporary(), status;
	size_t n = 0;

	if (stdin_text && write(in, stdin_text, strlen(stdin_text)) < 0)
		fail("write");
	lseek(in, 0, SEEK_SET);
	if (socket) {
		all[n++] = "-S";
		all[n++] = socket;
	}
	while (*args && n < 79)
		all[n++] = *args++;
	fflush(stdout);
	pid_t pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid == 0)
		exec_ficq(all, in, out, err);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	r->exit = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	lseek(out, 0, SEEK_SET);
	lseek(err, 0, SEEK_SET);
	r->out = read_all(out, &r->out_len);
	r->err = read_all(err, NULL);
	close(in);
	close(out);
	close(err);
}

void ficq_run(struct run *r, const char *socket, const char *words)
{
	const char *args[40] = {NULL};
	char *copy = strdup(words), *save = NULL;
	size_t n = 0;

	for (char *word = strtok_r(copy, " ", &save); word && n < 39;
	     word = strtok_r(NULL, " ", &save))
		args[n++] = word;
	ficq_run_args(r, socket, args, NULL);
	free(copy);
}

void run_release(struct run *r)
{
	free(r->out);
	free(r->err);
}
