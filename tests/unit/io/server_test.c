/* server: clients are plain sockets of the test, non-blocking, on the same thread. */
#include "support/rig.h"

#include <io/server.h>

#include <base/clock.h>
#include <base/files.h>

#include <errno.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

/* An owner that answers lines: "echo X" at once, "big N" with N bytes, "wait" when the test says,
 * "pause" … */
struct owner {
	struct loop *loop;
	struct server *server;
	char folder[64];
	char path[100];
	unsigned opened, closed, requests, overflows, timeouts, drains, ends, stalls;
	int sent_error;
	struct conn *last;
	struct conn *waiting;
	char rest[64];
	bool pause_at_end; /* once */
};

static void *on_open(void *ctx, struct conn *c)
{
	struct owner *o = ctx;

	o->opened++;
	o->last = c;
	return o;
}

static int send_text(struct conn *c, const char *text)
{
	struct buf b = {0};

	buf_put_str(&b, text);
	int rc = conn_send(c, &b);
	buf_release(&b);
	return rc;
}

static void send_bytes(struct owner *o, struct conn *c, size_t count)
{
	static char bytes[1 << 20];

	memset(bytes, 'x', sizeof bytes);
	while (count && !o->sent_error) {
		size_t n = count < sizeof bytes ? count : sizeof bytes;
		struct buf whole = {0};
		buf_put(&whole, bytes, n);
		o->sent_error = conn_send(c, &whole);
		buf_release(&whole);
		count -= n;
	}
}

static void do_request(struct owner *o, struct conn *c, char *line)
{
	o->requests++;
	if (strncmp(line, "echo ", 5) == 0) {
		strcat(line, "\n");
		send_text(c, line + 5);
	} else if (strncmp(line, "big ", 4) == 0) {
		send_bytes(o, c, strtoul(line + 4, NULL, 10));
	} else if (strcmp(line, "wait") == 0) {
		conn_hold(c, true);
		o->waiting = c;
	} else if (strcmp(line, "pause") == 0) {
		conn_pause(c, true);
	} else if (strcmp(line, "bye") == 0) {
		send_text(c, "bye\n");
		conn_close(c);
		assert_int_equal(send_text(c, "more"), ERR_CANCELED);
	} else if (strcmp(line, "abort") == 0) {
		conn_abort(c);
	} else if (strcmp(line, "stop") == 0) {
		server_close(o->server);
		o->server = NULL;
	} else if (strcmp(line, "spin") == 0) {
		int64_t end_us = clock_mono_us() + 200;
		while (clock_mono_us() < end_us)
			;
	} else {
		fail_msg("unknown request '%s'", line);
	}
}

static size_t on_data(void *ctx, struct conn *c, struct bytes data)
{
	const uint8_t *end = memchr(data.data, '\n', data.len);
	char line[256];

	assert_ptr_equal(conn_user(c), ctx);
	if (!end)
		return 0;
	size_t len = (size_t)(end - data.data);
	assert_true(len + 2 < sizeof line);
	memcpy(line, data.data, len);
	line[len] = 0;
	do_request(ctx, c, line);
	return len + 1;
}

static void on_end(void *ctx, struct conn *c, struct bytes rest)
{
	struct owner *o = ctx;

	o->ends++;
	if (o->pause_at_end)
		conn_pause(c, true);
	o->pause_at_end = false;
	snprintf(o->rest, sizeof o->rest, "%.*s", (int)rest.len,
		 rest.len ? (const char *)rest.data : "");
}

static void on_overflow(void *ctx, struct conn *c, bool timeout)
{
	struct owner *o = ctx;

	o->overflows++;
	o->timeouts += timeout;
	send_text(c, timeout ? "too slow\n" : "too long\n");
}

static void on_drain(void *ctx, struct conn *c)
{
	struct owner *o = ctx;

	(void)c;
	o->drains++;
}

static void on_stall(void *ctx, struct conn *c)
{
	struct owner *o = ctx;

	assert_true(conn_pending(c) > 0);
	o->stalls++;
}

static void on_close(void *ctx, struct conn *c)
{
	struct owner *o = ctx;

	o->closed++;
	if (o->waiting == c) {
		o->waiting = NULL;
		conn_hold(c, false);
	}
}

static struct bytes on_refused(void *ctx)
{
	(void)ctx;
	return bytes_str("full\n");
}

static struct server_events events_of(struct owner *o)
{
	return (struct server_events){on_open,  on_data,    on_end, on_overflow, on_drain, on_stall,
				      on_close, on_refused, o};
}

static void owner_folder(struct owner *o, void **state)
{
	*o = (struct owner){.loop = *state};
	snprintf(o->folder, sizeof o->folder, "/tmp/fic-io-XXXXXX");
	assert_non_null(mkdtemp(o->folder));
	snprintf(o->path, sizeof o->path, "%s/sock", o->folder);
}

static void owner_open(struct owner *o, void **state, struct server_options options)
{
	struct server_events events;
	struct why why = {""};

	owner_folder(o, state);
	events = events_of(o);
	options.path = o->path;
	options.mode = 0660;
	o->server = server_open(*state, &options, &events, &why);
	assert_string_equal(why.text, "");
	assert_non_null(o->server);
}

static void owner_close(struct owner *o)
{
	server_close(o->server);
	assert_int_equal(o->opened, o->closed);
	assert_int_equal(access(o->path, F_OK), -1);
	assert_int_equal(rmdir(o->folder), 0);
}

/* The answer that a "wait" waits for. */
static void answer(struct owner *o, const char *text)
{
	struct conn *c = o->waiting;

	assert_non_null(c);
	o->waiting = NULL;
	assert_int_equal(send_text(c, text), 0);
	conn_hold(c, false);
}

/* --- a client ----------------------------------------------------------------------- */

struct client {
	int fd;
	struct buf got;
	size_t want;
	bool ended;
	int error;
};

static void client_open(struct client *c, const struct owner *o)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	*c = (struct client){.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
	strcpy(at.sun_path, o->path);
	assert_int_equal(connect(c->fd, (struct sockaddr *)&at, sizeof at), 0);
}

static void client_close(struct client *c)
{
	close(c->fd);
	buf_release(&c->got);
}

static void client_say(struct client *c, const char *text)
{
	assert_int_equal(send(c->fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static bool client_read(void *ctx)
{
	static char piece[65536];
	struct client *c = ctx;
	ssize_t n;

	while ((n = recv(c->fd, piece, sizeof piece, 0)) > 0)
		buf_put(&c->got, piece, (size_t)n);
	if (n == 0 || (n < 0 && errno != EAGAIN)) {
		c->ended = true;
		c->error = n ? errno : 0;
	}
	return c->ended || c->got.len >= c->want;
}

static void client_hear(struct client *c, struct loop *l, const char *text)
{
	c->want = strlen(text);
	rig_until(l, client_read, c);
	if (!bytes_is(buf_bytes(&c->got), text))
		fail_msg("heard '%s', not '%s'", buf_text(&c->got), text);
	buf_reset(&c->got);
}

static void client_hear_end(struct client *c, struct loop *l)
{
	c->want = SIZE_MAX;
	rig_until(l, client_read, c);
	assert_true(c->ended);
	assert_int_equal(c->error, 0);
}

/* --- tests -------------------------------------------------------------------------- */

static void requests_are_answered_in_order(void **state)
{
	struct owner o;
	struct client c;

	owner_open(&o, state, (struct server_options){0});
	client_open(&c, &o);
	client_say(&c, "echo a\necho b\nec");
	client_hear(&c, o.loop, "a\nb\n");
	client_say(&c, "ho c\n");
	client_hear(&c, o.loop, "c\n");
	assert_int_equal(server_count(o.server), 1);
	client_say(&c, "bye\n");
	client_hear(&c, o.loop, "bye\n");
	client_hear_end(&c, o.loop);
	rig_until_count(o.loop, &o.closed, 1);
	assert_int_equal(server_count(o.server), 0);
	client_close(&c);
	owner_close(&o);
}

static void many_clients_pipeline(void **state)
{
	static struct client many[50];
	static char want[20 * 8 + 1];
	struct owner o;
	struct loop_stats stats;

	owner_open(&o, state, (struct server_options){0});
	want[0] = 0;
	for (int i = 0; i < 20; i++)
		strcat(want, "abcdefg\n");
	for (int i = 0; i < 50; i++)
		client_open(&many[i], &o);
	for (int i = 0; i < 50; i++)
		for (int k = 0; k < 20; k++)
			client_say(&many[i], "echo abcdefg\n");
	for (int i = 0; i < 50; i++)
		client_hear(&many[i], o.loop, want);
	for (int i = 0; i < 50; i++)
		client_close(&many[i]);
	rig_until_count(o.loop, &o.closed, 50);
	assert_int_equal(o.requests, 1000);
	loop_stats(o.loop, &stats);
	print_message("50 clients, 1000 requests: held at most %d us\n", (int)stats.held_max_us);
	owner_close(&o);
}

/* Requests that come at once: more answers than wait together, in their order, none lost when the server or the connection ends behind them. */
static void answers_are_gathered(void **state)
{
	static const char *const ends[] = {"bye\n", "stop\n", "abort\n"};
	char line[200];

	for (size_t end = 0; end < sizeof ends / sizeof *ends; end++) {
		struct buf work = {0}, want = {0};
		struct owner o;
		struct client c;
		owner_open(&o, state, (struct server_options){0});
		client_open(&c, &o);
		for (int i = 0; i < 400; i++) {
			snprintf(line, sizeof line, "%0*d\n", 100 + i % 90, i);
			buf_printf(&work, "echo %s", line);
			buf_put_str(&want, line);
		}
		buf_put_str(&work, ends[end]);
		buf_put_str(&want, end == 0 ? "bye\n" : "");
		client_say(&c, buf_text(&work));
		client_hear(&c, o.loop, buf_text(&want));
		client_hear_end(&c, o.loop);
		rig_until_count(o.loop, &o.closed, 1);
		client_close(&c);
		owner_close(&o);
		buf_release(&work);
		buf_release(&want);
	}
}

static void a_busy_client_does_not_starve_the_others(void **state)
{
	struct owner o;
	struct client busy, quiet;
	struct buf work = {0};
	struct loop_stats stats;

	owner_open(&o, state, (struct server_options){0});
	client_open(&busy, &o);
	client_open(&quiet, &o);
	for (int i = 0; i < 500; i++)
		buf_put_str(&work, "spin\n"); /* 100 ms of work */
	buf_put_str(&work, "echo done\n");
	client_say(&busy, buf_text(&work));
	client_say(&quiet, "echo hello\n");
	client_hear(&quiet, o.loop, "hello\n");
	assert_true(o.requests < 250);
	client_hear(&busy, o.loop, "done\n");
	buf_release(&work);
	loop_stats(o.loop, &stats);
	print_message("a busy client: held at most %d us\n", (int)stats.held_max_us);
	client_close(&busy);
	client_close(&quiet);
	owner_close(&o);
}

static void a_slow_reader_waits_for_itself_only(void **state)
{
	struct owner o;
	struct client slow, other;

	owner_open(&o, state, (struct server_options){.out_low = 65536});
	client_open(&slow, &o);
	client_open(&other, &o);
	client_say(&slow, "big 4000000\necho after\n");
	client_say(&other, "echo hello\n");
	client_hear(&other, o.loop, "hello\n");
	assert_int_equal(o.requests, 2); /* the slow one's second request is not even looked at */
	assert_true(conn_pending(o.last) == 0 || o.opened == 2);
	slow.want = 4000006;
	rig_until(o.loop, client_read, &slow);
	assert_int_equal(slow.got.len, 4000006);
	assert_memory_equal(slow.got.data + 4000000, "after\n", 6);
	assert_int_equal(o.drains, 1);
	assert_int_equal(o.requests, 3);
	client_close(&slow);
	client_close(&other);
	owner_close(&o);
}

static void too_much_unread_output_is_cut(void **state)
{
	struct owner o;
	struct client c;

	owner_open(&o, state, (struct server_options){.out_max = 2 << 20});
	client_open(&c, &o);
	client_say(&c, "big 8000000\n");
	rig_until_count(o.loop, &o.closed, 1);
	assert_int_equal(o.sent_error, ERR_LIMIT);
	client_close(&c);
	owner_close(&o);
}

static void output_that_nobody_takes_is_cut(void **state)
{
	struct owner o;
	struct client c;

	owner_open(&o, state, (struct server_options){.stall_ms = 50});
	client_open(&c, &o);
	client_say(&c, "big 4000000\n");
	rig_until_count(o.loop, &o.closed, 1);
	assert_int_equal(o.sent_error, 0);
	assert_int_equal(o.stalls, 1);
	client_close(&c);
	owner_close(&o);
}

/* The kernel has room again only when most of what it holds was read: long after a slow reader has begun. */
static void who_reads_slowly_is_not_cut(void **state)
{
	static char piece[45000];
	struct owner o;
	struct client slow, waiting;
	size_t got = 0;

	owner_open(&o, state, (struct server_options){.stall_ms = 300});
	client_open(&slow, &o);
	client_open(&waiting, &o);
	client_say(&waiting, "wait\n");
	client_say(&slow, "big 600000\n");
	rig_until_count(o.loop, &o.requests, 2);
	while (got < 600000) {
		ssize_t n = recv(slow.fd, piece, sizeof piece, 0);
		assert_true(n > 0);
		got += (size_t)n;
		rig_turns(o.loop, 100);
	}
	assert_int_equal(o.stalls, 0);
	/* Nothing to read is not the same as not to read. */
	answer(&o, "at last\n");
	client_hear(&waiting, o.loop, "at last\n");
	assert_int_equal(o.closed, 0);
	client_close(&slow);
	client_close(&waiting);
	owner_close(&o);
}

static void an_endless_request_is_refused(void **state)
{
	struct owner o;
	struct client c;

	owner_open(&o, state, (struct server_options){.in_max = 1000});
	client_open(&c, &o);
	for (int i = 0; i < 101; i++)
		client_say(&c, "0123456789");
	client_hear(&c, o.loop, "too long\n");
	client_hear_end(&c, o.loop);
	rig_until_count(o.loop, &o.closed, 1);
	assert_int_equal(o.overflows, 1);
	assert_int_equal(o.timeouts, 0);
	client_close(&c);
	owner_close(&o);
}

static void an_unfinished_request_times_out(void **state)
{
	struct owner o;
	struct client c;

	owner_open(&o, state, (struct server_options){.partial_ms = 50});
	client_open(&c, &o);
	client_say(&c, "echo a\nec");
	client_hear(&c, o.loop, "a\n");
	client_hear(&c, o.loop, "too slow\n");
	client_hear_end(&c, o.loop);
	rig_until_count(o.loop, &o.closed, 1);
	assert_int_equal(o.timeouts, 1);
	client_close(&c);
	owner_close(&o);
}

static void an_idle_connection_is_closed_but_not_a_waiting_one(void **state)
{
	struct owner o;
	struct client idle, waiting;

	owner_open(&o, state, (struct server_options){.idle_ms = 60});
	client_open(&idle, &o);
	client_open(&waiting, &o);
	client_say(&waiting, "wait\n");
	client_say(&idle, "echo a\n");
	client_hear(&idle, o.loop, "a\n");
	client_hear_end(&idle, o.loop);
	rig_turns(o.loop, 100);
	assert_int_equal(o.closed, 1);
	answer(&o, "at last\n");
	client_hear(&waiting, o.loop, "at last\n");
	client_hear_end(&waiting, o.loop);
	rig_until_count(o.loop, &o.closed, 2);
	client_close(&idle);
	client_close(&waiting);
	owner_close(&o);
}

static void a_half_closed_peer_gets_its_answers(void **state)
{
	struct owner o;
	struct client c;

	owner_open(&o, state, (struct server_options){0});
	client_open(&c, &o);
	client_say(&c, "big 600000\nwait\nunfinished");
	shutdown(c.fd, SHUT_WR);
	c.want = 600000;
	rig_until(o.loop, client_read, &c);
	rig_until_count(o.loop, &o.ends, 1);
	assert_string_equal(o.rest, "unfinished");
	assert_int_equal(o.closed, 0);
	buf_reset(&c.got);
	answer(&o, "late\n");
	client_hear(&c, o.loop, "late\n");
	client_hear_end(&c, o.loop);
	rig_until_count(o.loop, &o.closed, 1);
	client_close(&c);
	owner_close(&o);
}

/* A last request without its line end, for which the owner has no room yet. */
static void an_end_that_comes_too_early_is_told_again(void **state)
{
	struct owner o;
	struct client c;

	owner_open(&o, state, (struct server_options){.partial_ms = 50});
	o.pause_at_end = true;
	client_open(&c, &o);
	client_say(&c, "echo a\nunfinished");
	shutdown(c.fd, SHUT_WR);
	client_hear(&c, o.loop, "a\n");
	rig_until_count(o.loop, &o.ends, 1);
	rig_turns(o.loop, 100);
	assert_int_equal(o.timeouts, 0);
	assert_int_equal(o.closed, 0);
	o.rest[0] = 0;
	conn_pause(o.last, false);
	rig_until_count(o.loop, &o.ends, 2);
	assert_string_equal(o.rest, "unfinished");
	client_hear_end(&c, o.loop);
	rig_until_count(o.loop, &o.closed, 1);
	assert_int_equal(o.ends, 2);
	client_close(&c);
	owner_close(&o);
}

/* As ended by ^C: nobody waits for the answer any more. */
static void a_peer_that_is_gone_is_noticed(void **state)
{
	struct owner o;
	struct client at_once, later;

	owner_open(&o, state, (struct server_options){0});
	client_open(&at_once, &o);
	client_say(&at_once, "wait\n");
	client_close(&at_once);
	rig_until_count(o.loop, &o.closed, 1);
	assert_int_equal(o.requests, 1);
	client_open(&later, &o);
	client_say(&later, "wait\n");
	shutdown(later.fd, SHUT_WR);
	rig_until_count(o.loop, &o.ends, 2);
	assert_int_equal(o.closed, 1);
	client_close(&later);
	rig_until_count(o.loop, &o.closed, 2);
	owner_close(&o);
}

static void a_paused_connection_is_not_read(void **state)
{
	struct owner o;
	struct client c;

	owner_open(&o, state, (struct server_options){0});
	client_open(&c, &o);
	client_say(&c, "echo a\npause\necho b\n");
	client_hear(&c, o.loop, "a\n");
	client_say(&c, "echo c\n");
	rig_turns(o.loop, 20);
	assert_int_equal(o.requests, 2);
	conn_pause(o.last, false);
	client_hear(&c, o.loop, "b\nc\n");
	client_close(&c);
	owner_close(&o);
}

static void one_too_many_is_told(void **state)
{
	struct owner o;
	struct client a, b;

	owner_open(&o, state, (struct server_options){.conns_max = 1});
	client_open(&a, &o);
	client_open(&b, &o);
	client_say(&b, "echo b\n");
	client_hear(&b, o.loop, "full\n");
	client_hear_end(&b, o.loop);
	client_say(&a, "echo a\n");
	client_hear(&a, o.loop, "a\n");
	assert_int_equal(o.opened, 1);
	client_close(&a);
	client_close(&b);
	owner_close(&o);
}

static void the_owner_may_abort_and_close_from_anywhere(void **state)
{
	struct owner o;
	struct client a, b, c;

	owner_open(&o, state, (struct server_options){0});
	client_open(&a, &o);
	client_open(&b, &o);
	client_open(&c, &o);
	client_say(&a, "abort\necho never\n");
	rig_until_count(o.loop, &o.closed, 1);
	client_say(&b, "echo b\nstop\necho never\n");
	client_hear(&b, o.loop, "b\n");
	client_hear_end(&b, o.loop);
	assert_int_equal(o.closed, 3);
	assert_int_equal(o.requests, 3);
	rig_turns(o.loop, 5);
	client_close(&a);
	client_close(&b);
	client_close(&c);
	owner_close(&o);
}

static void the_peer_is_known(void **state)
{
	struct owner o;
	struct client c;
	uid_t uid;
	gid_t gid;
	pid_t pid;

	owner_open(&o, state, (struct server_options){0});
	client_open(&c, &o);
	rig_until_count(o.loop, &o.opened, 1);
	conn_peer(o.last, &uid, &gid, &pid);
	assert_int_equal(uid, getuid());
	assert_int_equal(gid, getgid());
	assert_int_equal(pid, getpid());
	client_close(&c);
	owner_close(&o);
}

static void without_descriptors_it_waits_and_goes_on(void **state)
{
	struct rlimit before, tight;
	struct owner o;
	struct client early, late;

	owner_open(&o, state, (struct server_options){0});
	client_open(&early, &o);
	client_open(&late, &o);
	getrlimit(RLIMIT_NOFILE, &before);
	tight = before;
	tight.rlim_cur = (rlim_t)late.fd + 1;
	setrlimit(RLIMIT_NOFILE, &tight);
	rig_turns(o.loop, 50); /* one look, no more (valgrind loses the connection that is looked at) */
	assert_int_equal(o.opened, 0);
	setrlimit(RLIMIT_NOFILE, &before);
	client_say(&late, "echo a\n");
	client_hear(&late, o.loop, "a\n");
	client_close(&early);
	client_close(&late);
	owner_close(&o);
}

/* --- the file ----------------------------------------------------------------------- */

static unsigned mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	return st.st_mode & 0777;
}

static void the_file_has_its_mode_whatever_the_umask(void **state)
{
	mode_t before = umask(0077);
	struct owner o;

	owner_open(&o, state, (struct server_options){0});
	assert_int_equal(mode_of(o.path), 0660);
	assert_int_equal(umask(before), 0077);
	owner_close(&o);
}

static struct server *open_at(struct owner *o, const char *path, struct why *why)
{
	struct server_options options = {.path = path, .mode = 0600};
	struct server_events events = events_of(o);

	why->text[0] = 0;
	return server_open(o->loop, &options, &events, why);
}

static void a_live_socket_is_left_alone_and_a_dead_one_replaced(void **state)
{
	struct owner o, second = {.loop = *state};
	struct client c;
	struct why why;

	owner_open(&o, state, (struct server_options){0});
	assert_null(open_at(&second, o.path, &why));
	assert_non_null(strstr(why.text, "another process is listening on "));
	client_open(&c, &o);
	client_say(&c, "echo alive\n");
	client_hear(&c, o.loop, "alive\n");
	client_close(&c);
	pid_t pid = fork();
	if (pid == 0) {
		struct sockaddr_un at = {.sun_family = AF_UNIX};
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		snprintf(at.sun_path, sizeof at.sun_path, "%s/dead", o.folder);
		_exit(bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 1));
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	snprintf(second.path, sizeof second.path, "%s/dead", o.folder);
	second.server = open_at(&second, second.path, &why);
	assert_string_equal(why.text, "");
	assert_int_equal(mode_of(second.path), 0600);
	server_close(second.server);
	assert_int_equal(access(second.path, F_OK), -1);
	owner_close(&o);
}

static void bad_paths_are_explained(void **state)
{
	char path[300];
	struct owner o;
	struct why why;

	owner_folder(&o, state);
	memset(path, 'a', sizeof path);
	path[sizeof path - 1] = 0;
	assert_null(open_at(&o, path, &why));
	assert_non_null(strstr(why.text, "is 299 bytes long, the system allows 107"));
	assert_null(open_at(&o, "", &why));
	snprintf(path, sizeof path, "%s/not/there", o.folder);
	assert_null(open_at(&o, path, &why));
	assert_non_null(strstr(why.text, "create the folder"));
	assert_non_null(strstr(why.text, "/not first"));
	snprintf(path, sizeof path, "%s/file", o.folder);
	fclose(fopen(path, "w"));
	assert_null(open_at(&o, path, &why));
	assert_non_null(strstr(why.text, "exists and is not a socket"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(o.folder), 0);
}

static void a_passed_descriptor_is_used_and_its_file_kept(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct server_options options = {0};
	struct server_events events;
	struct owner o;
	struct client c;
	struct why why = {""};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	owner_folder(&o, state);
	events = events_of(&o);
	strcpy(at.sun_path, o.path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_null(server_adopt(o.loop, dup(fd), &options, &events, &why));
	assert_non_null(strstr(why.text, "is not a listening socket"));
	assert_int_equal(listen(fd, 4), 0);
	o.server = server_adopt(o.loop, fd, &options, &events, &why);
	assert_non_null(o.server);
	client_open(&c, &o);
	client_say(&c, "echo a\n");
	client_hear(&c, o.loop, "a\n");
	server_stop_accepting(o.server);
	client_say(&c, "echo b\n");
	client_hear(&c, o.loop, "b\n");
	client_close(&c);
	server_close(o.server);
	assert_int_equal(unlink(o.path), 0);
	assert_int_equal(rmdir(o.folder), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(requests_are_answered_in_order),
		CASE(many_clients_pipeline),
		CASE(answers_are_gathered),
		CASE(a_busy_client_does_not_starve_the_others),
		CASE(a_slow_reader_waits_for_itself_only),
		CASE(too_much_unread_output_is_cut),
		CASE(output_that_nobody_takes_is_cut),
		CASE(who_reads_slowly_is_not_cut),
		CASE(an_endless_request_is_refused),
		CASE(an_unfinished_request_times_out),
		CASE(an_idle_connection_is_closed_but_not_a_waiting_one),
		CASE(a_half_closed_peer_gets_its_answers),
		CASE(an_end_that_comes_too_early_is_told_again),
		CASE(a_peer_that_is_gone_is_noticed),
		CASE(a_paused_connection_is_not_read),
		CASE(one_too_many_is_told),
		CASE(the_owner_may_abort_and_close_from_anywhere),
		CASE(the_peer_is_known),
		CASE(without_descriptors_it_waits_and_goes_on),
		CASE(the_file_has_its_mode_whatever_the_umask),
		CASE(a_live_socket_is_left_alone_and_a_dead_one_replaced),
		CASE(bad_paths_are_explained),
		CASE(a_passed_descriptor_is_used_and_its_file_kept),
	};

	return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
