/* mail: against a mail server of its own (tests/system/support/mail_server.py), with and without encryption. */
#include "support/rig.h"

#include <io/http.h>

#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#define CERTIFICATE "tests/unit/io/support/mail.crt"
#define TLS         "--certificate " CERTIFICATE " --key tests/unit/io/support/mail.key"

extern char **environ;

struct server {
	pid_t pid;
	FILE *out;
	char url[64];
	char mail[4096]; /* the last one, as JSON */
};

static void server_start(struct server *s, const char *options)
{
	char shell[] = "/bin/sh", option[] = "-c", line[512];
	char *argv[] = {shell, option, line, NULL};
	posix_spawn_file_actions_t actions;
	int fds[2];

	snprintf(line, sizeof line, "exec python3 tests/system/support/mail_server.py %s", options);
	assert_int_equal(pipe(fds), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
	posix_spawn_file_actions_addclose(&actions, fds[0]);
	assert_int_equal(posix_spawn(&s->pid, shell, &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	s->out = fdopen(fds[0], "r");
	assert_non_null(fgets(s->mail, sizeof s->mail, s->out));
	snprintf(s->url, sizeof s->url, "smtp://localhost:%d", atoi(s->mail));
}

static void server_stop(struct server *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	fclose(s->out);
}

struct end {
	unsigned count;
	struct http_result result;
};

static void on_done(void *ctx, const struct http_result *result)
{
	struct end *e = ctx;

	e->count++;
	e->result = *result;
}

static const char *const ops[] = {"ops@example.org", "boss@example.org", NULL};

/* Sends one mail; the answer is in `e`. */
static void send_mail(struct loop *l, const char *ca_file, const char *url,
		      const struct http_mail *mail, struct end *e)
{
	struct http_options options = {.ca_file = ca_file};
	struct why why = {""};
	struct http *http = http_new(l, &options, &why);
	struct http_request r = {.mail = mail,
				 .url = url,
				 .body = bytes_str("Subject: x\r\n\r\n.one\r\ntwo\r\n"),
				 .done = on_done,
				 .ctx = e};

	assert_non_null(http);
	*e = (struct end){.count = 0};
	if (!http_start(http, &r, &why))
		fail_msg("%s", why.text);
	rig_until_count(l, &e->count, 1);
	http_free(http);
}

static void expect_mail(struct server *s, const char *part)
{
	assert_non_null(fgets(s->mail, sizeof s->mail, s->out));
	if (!strstr(s->mail, part))
		fail_msg("no %s in %s", part, s->mail);
}

static void to_this_host(void **state)
{
	struct http_mail mail = {.from = "ficd@here", .to = ops, .open = true};
	struct server s;
	struct end e;

	server_start(&s, "");
	send_mail(*state, NULL, s.url, &mail, &e);
	assert_int_equal(e.result.outcome, HTTP_OK);
	assert_int_equal(e.result.status, 250);
	expect_mail(&s, "\"to\": [\"TO:<ops@example.org>\", \"TO:<boss@example.org>\"]");
	assert_non_null(strstr(s.mail, "[\"Subject: x\", \"\", \".one\", \"two\"]"));
	assert_non_null(strstr(s.mail, "FROM:<ficd@here>"));
	server_stop(&s);
}

static void with_password_over_tls(void **state)
{
	struct http_mail mail = {.from = "ficd@here", .to = ops, .user = "me", .password = "secret"};
	struct server s;
	struct end e;

	server_start(&s, TLS " --user me --password secret");
	send_mail(*state, CERTIFICATE, s.url, &mail, &e);
	assert_string_equal(e.result.why.text, "");
	assert_int_equal(e.result.outcome, HTTP_OK);
	expect_mail(&s, "\"secure\": true, \"known\": true");
	mail.password = "wrong";
	send_mail(*state, CERTIFICATE, s.url, &mail, &e);
	assert_int_equal(e.result.outcome, HTTP_FAILED);
	assert_non_null(strstr(e.result.why.text, "denied"));
	server_stop(&s);
}

/* A certificate that nobody vouches for, and a server that knows no TLS: not a word of the mail leaves. */
static void never_in_the_clear(void **state)
{
	struct http_mail mail = {.from = "ficd@here", .to = ops};
	struct server s;
	struct end e;

	server_start(&s, TLS);
	send_mail(*state, NULL, s.url, &mail, &e);
	assert_int_equal(e.result.outcome, HTTP_TLS);
	server_stop(&s);
	server_start(&s, "");
	send_mail(*state, NULL, s.url, &mail, &e);
	assert_int_not_equal(e.result.outcome, HTTP_OK);
	assert_true(e.result.why.text[0] != 0);
	server_stop(&s);
}

static void refused(void **state)
{
	struct http_mail mail = {.from = "ficd@here", .to = ops, .open = true};
	struct server s;
	struct end e;

	server_start(&s, "--refuse boss@example.org");
	send_mail(*state, NULL, s.url, &mail, &e);
	assert_int_equal(e.result.outcome, HTTP_FAILED);
	assert_non_null(strstr(e.result.why.text, "550"));
	server_stop(&s);
}

static void bad_mails_do_not_begin(void **state)
{
	static const char *const nobody[] = {NULL};
	static const char *const two[] = {"a@b>\r\nRCPT TO:<c@d", NULL};
	struct http_options options = {.ca_file = NULL};
	struct http *http = http_new(*state, &options, NULL);
	struct http_mail mails[] = {
		{.from = "a@b", .to = nobody},
		{.from = NULL, .to = ops},
		{.from = "a@b\r\n", .to = ops},
		{.from = "a@b", .to = two},
		{.from = "a@b", .to = ops, .user = "me"},
	};
	struct http_request r = {.url = "smtp://localhost:1", .done = on_done};
	struct why why;

	for (size_t i = 0; i < sizeof mails / sizeof *mails; i++) {
		r.mail = &mails[i];
		assert_null(http_start(http, &r, &why));
	}
	mails[0].to = ops;
	r.mail = &mails[0];
	r.url = "http://localhost:1";
	assert_null(http_start(http, &r, &why));
	assert_non_null(strstr(why.text, "smtp://"));
	http_free(http);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(to_this_host), CASE(with_password_over_tls), CASE(never_in_the_clear),
		CASE(refused),      CASE(bad_mails_do_not_begin),
	};
	return cmocka_run_group_tests_name("mail", tests, NULL, NULL);
}
