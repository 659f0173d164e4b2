/* config's smaller parts: access rules, schedules, tokens, default paths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "skip.h"

#include "config_access.h"
#include "config_schedule.h"

#include <ficd/config.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/fic-config-XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

/* ---- access ---- */

/* Somebody who is neither root nor the test. */
#define STRANGER 60123u

static void access_by_number(void **state)
{
	struct arena memory = {0};
	struct access a;
	struct buf out = {0};
	struct why why;

	(void)state;
	assert_int_equal(access_parse(&a, "uid:60001 , gid:60002,", &memory, &why), 0);
	assert_true(access_allowed(&a, 60001, STRANGER));
	assert_true(access_allowed(&a, STRANGER, 60002));
	assert_false(access_allowed(&a, STRANGER, 60001));
	assert_false(access_allowed(&a, 60002, STRANGER));
	assert_true(access_allowed(&a, 0, STRANGER));
	assert_true(access_allowed(&a, geteuid(), STRANGER));
	access_print(&a, &out);
	assert_string_equal(buf_text(&out), "uid:60001, gid:60002");
	assert_int_equal(access_parse(&a, "any", &memory, &why), 0);
	assert_true(access_allowed(&a, STRANGER, STRANGER));
	assert_int_equal(access_parse(&a, "none", &memory, &why), 0);
	assert_false(access_allowed(&a, STRANGER, STRANGER));
	assert_true(access_allowed(&a, geteuid(), STRANGER));
	buf_release(&out);
	arena_release(&memory);
}

/* Users and groups that every Debian has. */
static void access_by_name_and_membership(void **state)
{
	struct arena memory = {0};
	struct access a;
	struct why why;

	(void)state;
	if (access_parse(&a, "user:daemon, group:daemon", &memory, &why))
		skip_because("there is no user or group daemon");
	assert_true(access_allowed(&a, 1, STRANGER));
	assert_int_equal(access_parse(&a, "group:daemon", &memory, &why), 0);
	/* The peer runs under another group, but the database has it in this one. */
	assert_true(access_allowed(&a, 1, STRANGER));
	assert_true(access_allowed(&a, STRANGER, 1));
	assert_false(access_allowed(&a, STRANGER, STRANGER));
	arena_release(&memory);
}

static void bad_access(void **state)
{
	static const struct {
		const char *text;
		int rc;
		const char *words;
	} cases[] = {
		{"", ERR_INVALID, "expected any, none or a list, found nothing"},
		{" , ,", ERR_INVALID, "expected any, none or a list, found nothing"},
		{"any, uid:1", ERR_INVALID, "any and none stand alone"},
		{"uid:1, none", ERR_INVALID, "any and none stand alone"},
		{"alice", ERR_INVALID,
		 "expected any, none or a list of user:NAME, group:NAME, uid:N, gid:N, not \"alice\""},
		{"user:", ERR_INVALID,
		 "expected any, none or a list of user:NAME, group:NAME, uid:N, gid:N, not \"user:\""},
		{"uid:x", ERR_INVALID, "expected a number behind \"uid:\""},
		{"uid:4294967295", ERR_INVALID, "expected a number behind \"uid:\""},
		{"gid:-1", ERR_INVALID, "expected a number behind \"gid:\""},
		{"uid:99999999999999999999", ERR_INVALID, "expected a number behind \"uid:\""},
		{"grp:x", ERR_INVALID, "expected user:, group:, uid: or gid:, not \"grp:x\""},
		{"user:no-such-user", ERR_NOTFOUND, "there is no user \"no-such-user\""},
		{"group:no-such-group", ERR_NOTFOUND, "there is no group \"no-such-group\""},
	};
	struct arena memory = {0};
	struct access a;
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(access_parse(&a, cases[i].text, &memory, &why), cases[i].rc);
		assert_string_equal(why.text, cases[i].words);
	}
	arena_release(&memory);
}

/* ---- schedules ---- */

static void schedules_are_read(void **state)
{
	static const struct {
		const char *text;
		struct schedule expected;
		const char *printed;
	} cases[] = {
		{"off", {.kind = SCHEDULE_OFF}, "off"},
		{"hourly", {.kind = SCHEDULE_HOURLY}, "hourly"},
		{"daily  03:05 ", {.kind = SCHEDULE_DAILY, .minute = 185}, "daily 03:05"},
		{"weekly Sat 23:59",
		 {.kind = SCHEDULE_WEEKLY, .weekday = 6, .minute = 1439},
		 "weekly Sat 23:59"},
		{"weekly sunday 00:00", {.kind = SCHEDULE_WEEKLY}, "weekly Sun 00:00"},
		{"cron \"0 3 * * 1-5\"", {.kind = SCHEDULE_CRON}, "cron \"0 3 * * 1-5\""},
		{"cron  0 3 * * Mon ", {.kind = SCHEDULE_CRON}, "cron \"0 3 * * Mon\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct schedule s;
		struct why why;
		struct buf out = {0};
		assert_int_equal(schedule_parse(cases[i].text, &s, &why), 0);
		assert_int_equal(s.kind, cases[i].expected.kind);
		assert_int_equal(s.weekday, cases[i].expected.weekday);
		assert_int_equal(s.minute, cases[i].expected.minute);
		schedule_print(&s, &out);
		assert_string_equal(buf_text(&out), cases[i].printed);
		buf_release(&out);
	}
}

static void schedules_are_checked(void **state)
{
	static const char *const wrong[] = {"",
					    "daily",
					    "daily 3:00",
					    "daily 03:60",
					    "daily 03:00 x",
					    "weekly",
					    "weekly Sun",
					    "weekly Sunda 03:00",
					    "weekly S 03:00",
					    "Daily 03:00",
					    "hourly 5",
					    "off off",
					    "daily 03:000",
					    "daily -3:00",
					    "weekly 03:00 Sun",
					    "cron",
					    "cron \"0 0 * * *",
					    "cron 0 0 * *"};
	struct schedule s;
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(schedule_parse(wrong[i], &s, &why), ERR_SYNTAX);
}

/* ---- tokens ---- */

static void put_file(const char *name, const char *contents, size_t len, mode_t mode, char path[300])
{
	snprintf(path, 300, "%s/%s", folder, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, contents, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/* Reads the token of a file with these contents. */
static int token_of(const char *contents, size_t len, mode_t mode, struct buf *secret, struct why *why)
{
	char path[300];

	put_file("token", contents, len, mode, path);
	struct config_source source = {.token = {false, path}};
	int rc = config_token_read(&source.token, secret, why);
	unlink(path);
	return rc;
}

static void tokens_from_files(void **state)
{
	static char large[CONFIG_TOKEN_MAX + 10];
	struct buf secret = {0};
	struct why why;

	(void)state;
	assert_int_equal(token_of("abc=\n", 5, 0600, &secret, &why), 0);
	assert_string_equal(buf_text(&secret), "abc=");
	assert_string_equal(why.text, "");
	assert_int_equal(token_of("abc\r\n", 5, 0640, &secret, &why), 0);
	assert_string_equal(buf_text(&secret), "abc");
	assert_string_equal(why.text, "");
	assert_int_equal(token_of("abc", 3, 0604, &secret, &why), 0);
	assert_string_equal(buf_text(&secret), "abc");
	assert_non_null(strstr(why.text, "other users can read the token file /tmp/"));
	assert_int_equal(token_of("abc\n\n", 5, 0600, &secret, &why), ERR_INVALID);
	assert_int_equal(secret.len, 0);
	assert_int_equal(token_of("a bc", 4, 0600, &secret, &why), ERR_INVALID);
	assert_non_null(strstr(why.text, "byte 2 is a space"));
	assert_null(secret.data); /* wiped, and given back */
	assert_int_equal(token_of("", 0, 0600, &secret, &why), ERR_INVALID);
	assert_non_null(strstr(why.text, "is empty"));
	assert_int_equal(token_of("\n", 1, 0600, &secret, &why), ERR_INVALID);
	memset(large, 'x', sizeof large);
	large[CONFIG_TOKEN_MAX] = '\n';
	assert_int_equal(token_of(large, CONFIG_TOKEN_MAX + 1, 0600, &secret, &why), 0);
	assert_int_equal(secret.len, CONFIG_TOKEN_MAX);
	large[CONFIG_TOKEN_MAX] = 'x';
	assert_int_equal(token_of(large, CONFIG_TOKEN_MAX + 1, 0600, &secret, &why), ERR_INVALID);
	assert_int_equal(token_of(large, sizeof large, 0600, &secret, &why), ERR_INVALID);
	buf_release(&secret);
}

static void tokens_that_are_not_there(void **state)
{
	struct buf secret = {0};
	struct why why;
	struct config_source source = {.token = {false, "/nonexistent/token"}};

	(void)state;
	assert_int_equal(config_token_read(&source.token, &secret, &why), ERR_NOTFOUND);
	assert_string_equal(why.text, "token file /nonexistent/token: No such file or directory");
	source.token.name = folder;
	assert_int_equal(config_token_read(&source.token, &secret, &why), ERR_INVALID);
	assert_non_null(strstr(why.text, "is not a regular file"));
	buf_release(&secret);
}

static void tokens_from_credentials(void **state)
{
	struct config_source source = {.token = {true, "acme"}};
	struct buf secret = {0};
	struct why why;
	char path[300];

	(void)state;
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_int_equal(config_token_read(&source.token, &secret, &why), ERR_NOTFOUND);
	assert_non_null(strstr(why.text, "token = file:PATH"));
	setenv("CREDENTIALS_DIRECTORY", folder, 1);
	assert_int_equal(config_token_read(&source.token, &secret, &why), ERR_NOTFOUND);
	assert_non_null(strstr(why.text, "/etc/ficd/credentials/acme"));
	put_file("ficd_acme", "two\n", 4, 0444, path);
	assert_int_equal(config_token_read(&source.token, &secret, &why), 0);
	assert_string_equal(buf_text(&secret), "two");
	assert_string_equal(why.text, "");
	unlink(path);
	put_file("acme", "one\n", 4, 0400, path);
	assert_int_equal(config_token_read(&source.token, &secret, &why), 0);
	assert_string_equal(buf_text(&secret), "one");
	unlink(path);
	unsetenv("CREDENTIALS_DIRECTORY");
	buf_release(&secret);
}

/* ---- default paths ---- */

static void paths_under_systemd(void **state)
{
	struct config_paths paths;
	struct why why;

	(void)state;
	setenv("CONFIGURATION_DIRECTORY", "/c:/other", 1);
	setenv("STATE_DIRECTORY", "/s", 1);
	setenv("RUNTIME_DIRECTORY", "/r", 1);
	assert_int_equal(config_default_paths(&paths, &why), 0);
	assert_string_equal(paths.config, "/c/ficd.conf");
	assert_string_equal(paths.state_dir, "/s");
	assert_string_equal(paths.socket, "/r/ficd.sock");
	unsetenv("CONFIGURATION_DIRECTORY");
	unsetenv("STATE_DIRECTORY");
	unsetenv("RUNTIME_DIRECTORY");
}

static void paths_of_users(void **state)
{
	char home[200] = "";
	struct config_paths paths;
	struct why why;
	bool root = geteuid() == 0;

	(void)state;
	snprintf(home, sizeof home, "%s", getenv("HOME") ? getenv("HOME") : "");
	/* setresuid could not be undone with the saved id given up: only the effective id changes. */
	if (root)
		assert_int_equal(seteuid(STRANGER), 0);
	setenv("HOME", "/home/x", 1);
	unsetenv("XDG_CONFIG_HOME");
	setenv("XDG_STATE_HOME", "relative", 1);
	setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
	assert_int_equal(config_default_paths(&paths, &why), 0);
	assert_string_equal(paths.config, "/home/x/.config/ficd/ficd.conf");
	assert_string_equal(paths.state_dir, "/home/x/.local/state/ficd");
	assert_string_equal(paths.socket, "/run/user/7/ficd/ficd.sock");
	setenv("XDG_STATE_HOME", "/xs", 1);
	unsetenv("XDG_RUNTIME_DIR");
	assert_int_equal(config_default_paths(&paths, &why), ERR_INVALID);
	assert_string_equal(paths.state_dir, "/xs/ficd");
	assert_string_equal(paths.socket, "");
	assert_string_equal(why.text, "XDG_RUNTIME_DIR is not set");
	unsetenv("XDG_STATE_HOME");
	if (root)
		assert_int_equal(seteuid(0), 0);
	setenv("HOME", home, 1);
	if (root) {
		assert_int_equal(config_default_paths(&paths, &why), 0);
		assert_string_equal(paths.config, "/etc/ficd/ficd.conf");
		assert_string_equal(paths.state_dir, "/var/lib/ficd");
		assert_string_equal(paths.socket, "/run/ficd/ficd.sock");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(access_by_number),
		cmocka_unit_test(access_by_name_and_membership),
		cmocka_unit_test(bad_access),
		cmocka_unit_test(schedules_are_read),
		cmocka_unit_test(schedules_are_checked),
		cmocka_unit_test(tokens_from_files),
		cmocka_unit_test(tokens_that_are_not_there),
		cmocka_unit_test(tokens_from_credentials),
		cmocka_unit_test(paths_under_systemd),
		cmocka_unit_test(paths_of_users),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
