/* config: what is taken, what is refused and in which words, defaults, printing, tokens, paths, access. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "config_table.h"
#include "config_value.h"

#include <ficd/config.h>

#include <base/files.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOURCE "[source acme]\nprovider = intercom\ntoken = file:/etc/t\n"

/* ---- helpers ---- */

static char complaints[20000];

/* Parses; the words of all complaints are left in `complaints`. */
static struct config *parse_bytes(struct bytes text, int *rc_out)
{
	struct config_errors errors;
	struct config *config = NULL;
	struct buf out = {0};

	config_errors_init(&errors);
	*rc_out = config_parse("f", text, &config, &errors);
	config_errors_write(&errors, &out);
	snprintf(complaints, sizeof complaints, "%s", buf_text(&out));
	buf_release(&out);
	config_errors_release(&errors);
	return config;
}

static struct config *good(const char *text)
{
	int rc;
	struct config *c = parse_bytes(bytes_str(text), &rc);

	if (rc)
		print_message("%s", complaints);
	assert_int_equal(rc, 0);
	assert_non_null(c);
	return c;
}

static void bad(const char *text, const char *words)
{
	int rc;
	struct config *c = parse_bytes(bytes_str(text), &rc);

	assert_null(c);
	assert_int_equal(rc, ERR_INVALID);
	if (strcmp(complaints, words) != 0)
		print_message("for:\n%s\n", text);
	assert_string_equal(complaints, words);
}

/* One bad option of a source. */
static void bad_source(const char *line, const char *words)
{
	char text[600], all[700];

	snprintf(text, sizeof text, SOURCE "%s\n", line);
	snprintf(all, sizeof all, "f:4: error: %s\n", words);
	bad(text, all);
}

static void bad_resource(const char *line, const char *words)
{
	char text[600], all[700];

	snprintf(text, sizeof text, SOURCE "[resource acme/contacts]\n%s\n", line);
	snprintf(all, sizeof all, "f:5: error: %s\n", words);
	bad(text, all);
}

static void bad_ficd(const char *line, const char *words)
{
	char text[600], all[700];

	snprintf(text, sizeof text, SOURCE "[ficd]\n%s\n", line);
	snprintf(all, sizeof all, "f:5: error: %s\n", words);
	bad(text, all);
}

/* ---- what is taken ---- */

static void the_least_gives_all_defaults(void **state)
{
	(void)state;
	struct config *c = good(SOURCE);
	const struct config_source *s = config_source(c, bytes_str("acme"));

	assert_string_equal(c->state_dir, geteuid() == 0 ? "/var/lib/ficd" : c->state_dir);
	assert_true(c->allow_read.any);
	assert_false(c->allow_write.any);
	assert_int_equal(c->memory_bytes, 16 << 20);
	assert_int_equal(c->log_level, LOG_LEVEL_INFO);
	assert_int_equal(c->send_timeout_ms, 300000);
	assert_int_equal(c->shutdown_timeout_ms, 10000);
	assert_int_equal(c->source_count, 1);
	assert_ptr_equal(s, &c->sources[0]);
	assert_string_equal(s->provider, "intercom");
	assert_string_equal(s->region, "us");
	assert_null(s->base_url);
	assert_false(s->token.credential);
	assert_string_equal(s->token.name, "/etc/t");
	assert_string_equal(s->version, "2.16");
	assert_int_equal(s->history_ms, INT64_C(400) * 86400000);
	assert_int_equal(s->max_staleness_ms, 3600000);
	assert_int_equal(s->tolerance_ms, 300000);
	assert_int_equal(s->on_stale, CONFIG_ON_STALE_SERVE);
	assert_int_equal(s->budget, 80);
	assert_int_equal(s->concurrency, 4);
	assert_int_equal(s->resource_count, 20);
	assert_null(config_source(c, bytes_str("other")));
	config_free(c);
}

static void resources_have_their_defaults(void **state)
{
	(void)state;
	struct config *c = good(SOURCE);
	const struct config_source *s = &c->sources[0];
	const struct config_resource *r = config_resource(s, "contacts");

	assert_int_equal(r->every_ms, 120000);
	assert_int_equal(r->full.kind, SCHEDULE_DAILY);
	assert_int_equal(r->full.minute, 180);
	assert_int_equal(r->tolerance_ms, 300000);
	assert_true(r->enabled);
	r = config_resource(s, "companies");
	assert_int_equal(r->every_ms, 1800000);
	assert_int_equal(r->tolerance_ms, 45 * 60000);
	assert_int_equal(config_resource(s, "conversations")->full.kind, SCHEDULE_OFF);
	assert_int_equal(config_resource(s, "messages")->every_ms, 120000);
	assert_string_equal(config_resource(s, "messages")->follows, "conversations");
	assert_int_equal(config_resource(s, "tags")->every_ms, 240000);
	r = config_resource(s, "unheard_of");
	assert_non_null(r);
	assert_false(r->enabled);
	assert_int_equal(r->tolerance_ms, 300000);
	assert_int_equal(r->every_ms, 300000);
	config_free(c);
}

static void every_option_can_be_set(void **state)
{
	(void)state;
	struct config *c = good(
		"[ficd]\nstate_dir = /srv/fic\nsocket=/run/x.sock\nallow_read = user:root, gid:5,uid:77\n"
		"allow_write = none\nmemory = 64MiB\nlog_level = debug\nsend_timeout = 0\nshutdown_timeout = 1m30s\n"
		"[source a-1_b]\nprovider: intercom\nregion = eu\nbase_url = https://proxy.example:8443/api/\n"
		"token = credential:acme.token\nversion = 2.14\nhistory = 2y\nmax_staleness = 0\n"
		"tolerance = 10m\non_stale = live\nbudget = 100%\nconcurrency = 8\n"
		"resources = contacts, conversations ,\ntimezone = Europe/Berlin\n"
		"sync_window = Mon-Fri 22:00-06:00, Sat\nsync_window_strict = yes\n"
		"[resource a-1_b/conversations]\nevery = 1m\nfull = weekly Sun 03:15\ntolerance = 2h\n"
		"window = 1d\npriority = 9\nverify = 1w\nverify_depth = counts\n"
		"[resource a-1_b/contacts]\nfull = cron \"30 4 * * mon\"\n");
	const struct config_source *s = &c->sources[0];
	const struct config_resource *r = config_resource(s, "conversations");

	assert_string_equal(c->state_dir, "/srv/fic");
	assert_string_equal(c->socket, "/run/x.sock");
	assert_int_equal(c->allow_read.count, 3);
	assert_false(c->allow_read.any);
	assert_int_equal(c->allow_write.count, 0);
	assert_int_equal(s->on_stale, CONFIG_ON_STALE_LIVE);
	assert_int_equal(c->memory_bytes, 64 << 20);
	assert_int_equal(c->log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(c->send_timeout_ms, 0);
	assert_int_equal(c->shutdown_timeout_ms, 90000);
	assert_string_equal(s->name, "a-1_b");
	assert_string_equal(s->region, "eu");
	assert_string_equal(s->base_url, "https://proxy.example:8443/api");
	assert_true(s->token.credential);
	assert_string_equal(s->token.name, "acme.token");
	assert_string_equal(s->version, "2.14");
	assert_int_equal(s->budget, 100);
	assert_int_equal(s->concurrency, 8);
	assert_string_equal(s->timezone, "Europe/Berlin");
	assert_true(s->sync_window.limited);
	assert_int_equal(s->sync_window_strict, CONFIG_YES);
	assert_int_equal(config_resource(s, "contacts")->full.kind, SCHEDULE_CRON);
	assert_false(config_resource(s, "tags")->enabled);
	assert_true(config_resource(s, "contacts")->enabled);
	assert_true(r->enabled);
	assert_int_equal(r->every_ms, 60000);
	assert_int_equal(r->full.kind, SCHEDULE_WEEKLY);
	assert_int_equal(r->full.weekday, 0);
	assert_int_equal(r->full.minute, 195);
	assert_int_equal(r->tolerance_ms, 7200000);
	assert_int_equal(r->priority, 9);
	assert_int_equal(r->verify_ms, INT64_C(7) * 86400000);
	assert_int_equal(r->verify_depth, CONFIG_VERIFY_COUNTS);
	config_free(c);
}

static void messages_follow_their_conversations(void **state)
{
	(void)state;
	struct config *c = good(
		SOURCE
		"resources = conversations\n[resource acme/conversations]\nevery = 3m\ntolerance = 20m\n");
	const struct config_resource *m = config_resource(&c->sources[0], "messages");

	assert_true(m->enabled);
	assert_int_equal(m->every_ms, 180000);
	assert_int_equal(m->tolerance_ms, 1200000);
	config_free(c);
	c = good(SOURCE "[resource acme/messages]\ntolerance = 30m\n");
	assert_int_equal(config_resource(&c->sources[0], "messages")->tolerance_ms, 1800000);
	config_free(c);
	bad_source("resources = messages",
		   "resources: messages are read with the conversations: add these to the list");
	bad(SOURCE "[resource acme/messages]\nevery = 1m\n",
	    "f:5: error: every: these are read with the conversations, set it there\n");
}

static void a_source_tolerance_lifts_the_smaller_ones(void **state)
{
	(void)state;
	struct config *c = good(SOURCE "tolerance = 30m\n");

	assert_int_equal(config_resource(&c->sources[0], "tags")->tolerance_ms, 30 * 60000);
	assert_int_equal(config_resource(&c->sources[0], "companies")->tolerance_ms, 45 * 60000);
	config_free(c);
	c = good(SOURCE "tolerance = 2h\n");
	assert_int_equal(config_resource(&c->sources[0], "companies")->tolerance_ms, 120 * 60000);
	config_free(c);
}

static void forms_of_files(void **state)
{
	(void)state;
	config_free(
		good("\xef\xbb\xbf[source acme]\r\nprovider = intercom\r\ntoken = file:/etc/t\r\n"));
	config_free(good(
		"# top\n  [source acme] ; behind\n\tprovider = intercom ; who\n    token = file:/etc/t\n\n;x\n"));
	config_free(good(
		"[resource acme/tags]\nevery = 1m\n[source acme]\nprovider=intercom\ntoken=file:/a b/t"));
	config_free(good("[ficd]\nhttp = off\n" SOURCE "exclude =\nretain = 0\nwebhook_secret =\n"));
	config_free(good("[ficd]\n[source  acme ]\nprovider = intercom\ntoken = file:/t\n"));
}

/* What is not kept is not wanted: the shorter of the two counts. */
static void kept_and_wanted(void **state)
{
	(void)state;
	struct config *c = good(SOURCE "retain = 90d\n");
	const struct config_source *s = &c->sources[0];

	assert_int_equal(config_resource(s, "conversations")->retain_ms, INT64_C(90) * 86400000);
	assert_int_equal(config_resource(s, "conversations")->history_ms, INT64_C(90) * 86400000);
	assert_int_equal(config_resource(s, "messages")->retain_ms, INT64_C(90) * 86400000);
	assert_int_equal(config_resource(s, "messages")->history_ms, INT64_C(90) * 86400000);
	assert_int_equal(config_resource(s, "contacts")->retain_ms, 0);
	assert_int_equal(c->disk_reserve_bytes, 16 << 20);
	config_free(c);
	c = good("[ficd]\ndisk_reserve = 1G\n" SOURCE
		 "history = 30d\nretain = 90d\n[resource acme/conversations]\nretain = 0\n");
	s = &c->sources[0];
	assert_int_equal(config_resource(s, "messages")->retain_ms, 0);
	assert_int_equal(config_resource(s, "messages")->history_ms, INT64_C(30) * 86400000);
	assert_int_equal(c->disk_reserve_bytes, 1 << 30);
	config_free(c);
	config_free(good(SOURCE "history = 100d\nretain = 90d\n"));
	assert_string_equal(
		complaints,
		"f:1: warning: conversations and tickets are kept for 90d only (retain): no more than that of the "
		"history of 100d is fetched\n");
}

static void several_sources_keep_apart(void **state)
{
	(void)state;
	struct config *c = good(
		SOURCE "[source two]\nprovider = intercom\ntoken = credential:two\nregion = au\n"
		       "[resource two/tags]\nevery = 1m\n[resource acme/tags]\nevery = 2m\n");

	assert_int_equal(c->source_count, 2);
	assert_int_equal(config_resource(&c->sources[0], "tags")->every_ms, 120000);
	assert_int_equal(config_resource(&c->sources[1], "tags")->every_ms, 60000);
	config_free(c);
}

static void a_late_run_is_a_warning(void **state)
{
	(void)state;
	struct config *c = good(SOURCE "[resource acme/tags]\nevery = 1h\n");

	assert_string_equal(
		complaints,
		"f:4: warning: tags are read every 1h but count as fresh for 5m: between two runs answers "
		"will say partial or stale; set tolerance as well\n");
	config_free(c);
}

/* ---- what is refused ---- */

static void all_mistakes_come_at_once_in_order(void **state)
{
	(void)state;
	bad("x = 1\n[ficd]\nmemory = lots\nlog_level = inof\n[source acme]\nprovidr = intercom\n[sorce b]\ny = 1\n"
	    "[resource b/tags]\nz = 1\n",
	    "f:1: error: x stands before the first [SECTION]\n"
	    "f:3: error: memory: expected a size such as 16M or 512K, not \"lots\"\n"
	    "f:4: error: log_level: expected error, warn, info or debug, not \"inof\"; did you mean info?\n"
	    "f:5: error: [source acme] must set provider (whose API is mirrored)\n"
	    "f:5: error: [source acme] must set token (where the access token is: credential:NAME (systemd) or file:PATH, never "
	    "the token itself)\n"
	    "f:6: error: providr: there is no such option in a [source] section; did you mean provider?\n"
	    "f:7: error: [sorce b]: there is no such section; did you mean source?\n");
}

static void sections_are_checked(void **state)
{
	(void)state;
	bad("", "f: error: there is no [source NAME] section: nothing to mirror\n");
	bad(SOURCE "[fcd]\nmemory = 1\n",
	    "f:4: error: [fcd]: there is no such section; did you mean ficd?\n");
	bad(SOURCE "[ficd]\n[ficd]\n", "f:5: error: [ficd] stands at line 4 already\n");
	bad(SOURCE "[ficd x]\n", "f:4: error: [ficd] has no name behind it\n");
	bad(SOURCE SOURCE, "f:4: error: [source acme] stands at line 1 already\n");
	bad(SOURCE "[resource acme/tags]\n[resource acme/tags]\n",
	    "f:5: error: [resource acme/tags] stands at line 4 already\n");
	bad(SOURCE "[resource acne/tags]\n",
	    "f:4: error: [resource acne/tags]: there is no such source; did you mean acme?\n");
	bad(SOURCE "[resource acme/tag]\n",
	    "f:4: error: [resource acme/tag]: there is no such resource; did you mean tags?\n");
	bad(SOURCE "[resource acme]\n", "f:4: error: expected [resource SOURCE/NAME]\n");
	bad(SOURCE "resources = tags\n[resource acme/teams]\nevery = 1m\n",
	    "f:5: error: [resource acme/teams]: the source's list of resources leaves it out\n");
	bad("[source]\nprovider = x\n",
	    "f:1: error: a source's name has 1 to 32 of a-z, 0-9, _ and -, a letter or digit first\n");
	bad("[source ../x]\n",
	    "f:1: error: a source's name has 1 to 32 of a-z, 0-9, _ and -, a letter or digit first\n");
	bad("[source Acme]\n",
	    "f:1: error: a source's name has 1 to 32 of a-z, 0-9, _ and -, a letter or digit first\n");
	bad("[source a]\n[resource a/tags]\n",
	    "f:1: error: [source a] must set provider (whose API is mirrored)\n"
	    "f:1: error: [source a] must set token (where the access token is: credential:NAME (systemd) or file:PATH, never the "
	    "token itself)\n");
}

#define ALERT SOURCE "[alert ops]\nwhen = no_success > 2h\n"

static void alerts_are_checked(void **state)
{
	(void)state;
	bad(SOURCE "[alert ops]\ncommand = /bin/true\n",
	    "f:4: error: [alert ops] must set when (what is to be told: a list such as no_success > 2h, sync_failure_rate > 5%, "
	    "quota > 80%, duration > 2x, dead_letters > 0)\n");
	bad(SOURCE "[alert ops]\nwhen = quota > 80\ncommand = /bin/true\n",
	    "f:5: error: when: quota: expected a limit such as in quota > 80%\n");
	bad(ALERT, "f:4: error: [alert ops] tells nobody: set slack, email or command\n");
	bad(ALERT "email = a@example.org\n",
	    "f:4: error: [alert ops]: email needs smtp, the mail server that takes it\n");
	bad(ALERT "email = a@example.org\nsmtp = localhost\nsmtp_user = me\n",
	    "f:4: error: [alert ops]: smtp_user and smtp_password belong together\n");
	bad(ALERT "email = a@example.org, b\n",
	    "f:6: error: email: expected an address such as ops@example.org, not \"a@example.org, b\"\n");
	bad(ALERT "email = <a@example.org>\n",
	    "f:6: error: email: expected an address such as ops@example.org, not \"<a@example.org>\"\n");
	bad(ALERT "smtp = http://mail\n",
	    "f:6: error: smtp: expected HOST:PORT, smtp:// or smtps://\n");
	bad(ALERT "smtp = smtp://me:secret@mail\n",
	    "f:6: error: smtp: expected HOST:PORT; users and passwords stand in smtp_user and smtp_password\n");
	bad(ALERT "smtp = mail:0\n",
	    "f:6: error: smtp: expected HOST:PORT, such as mail.example.org:587, not \"mail:0\"\n");
	bad(ALERT "command = page\n",
	    "f:6: error: command: expected an absolute path, not \"page\"\n");
	bad(ALERT "command = /bin/true\nsources = acme, acne\n",
	    "f:4: error: [alert ops]: sources: there is no source acne; did you mean acme?\n");
	bad(ALERT "command = /bin/true\n[alert ops]\n",
	    "f:7: error: [alert ops] stands at line 4 already\n");
	bad(SOURCE "[alert a b]\n",
	    "f:4: error: an alert's name has 1 to 32 of a-z, 0-9, _ and -, a letter or digit first\n");
}

/* Another list as a whole, whatever was there. */
static void a_reload_takes_the_alerts(void **state)
{
	struct why why = {""};

	(void)state;
	struct config *c = good(
		ALERT "command = /bin/true\n[alert gone]\nwhen = quota > 9%\ncommand = /bin/false\n");
	struct config *now = good(ALERT "email = a@b\nsmtp = mail:587\nrepeat = 0\nsources = acme\n");
	assert_int_equal(config_apply(c, now, &why), 0);
	config_free(now);
	assert_int_equal(c->alert_count, 1);
	assert_string_equal(c->alerts[0].name, "ops");
	assert_null(c->alerts[0].command);
	assert_string_equal(c->alerts[0].email, "a@b");
	assert_string_equal(c->alerts[0].smtp, "smtp://mail:587");
	assert_int_equal(c->alerts[0].repeat_ms, 0);
	assert_true(config_alert_about(&c->alerts[0], "acme"));
	assert_false(config_alert_about(&c->alerts[0], "acm"));
	config_free(c);
}

static void lines_are_checked(void **state)
{
	char text[1000], words[200];
	int rc;

	(void)state;
	bad(SOURCE "history\n", "f:4: error: expected [SECTION] or KEY = VALUE\n");
	bad(SOURCE "= 5\n", "f:4: error: expected [SECTION] or KEY = VALUE\n");
	bad(SOURCE "[ficd\nmemory = lots\n", "f:4: error: a section's name ends with ]\n");
	bad(SOURCE "[ficd] memory = 5M\n",
	    "f:4: error: behind a section's ] only a comment may stand\n");
	bad(SOURCE "budget = 1\x01%\n", "f:4: error: a control character (0x01) in the line\n");
	snprintf(text, sizeof text, SOURCE "base_url = https://%0300d\nbudget = 101%%\n", 1);
	snprintf(words, sizeof words,
		 "f:4: error: the line is longer than 199 bytes\nf:5: error: budget: must be from 1 to 100%%\n");
	bad(text, words);
	assert_null(parse_bytes(bytes_of("[source a\0b]\n", 13), &rc));
	assert_string_equal(complaints,
			    "f: error: there is no [source NAME] section: nothing to mirror\n"
			    "f:1: error: a control character (0x00) in the line\n");
}

static void options_are_checked(void **state)
{
	(void)state;
	bad_source("hisotry = 5d",
		   "hisotry: there is no such option in a [source] section; did you mean history?");
	bad_source("memory = 5M", "memory belongs into a [ficd] section, not into [source]");
	bad_source("zzz = 5M", "zzz: there is no such option in a [source] section");
	bad_source("token = file:/x", "token is set at line 3 already");
	bad_source("region = uk", "region: expected us, eu or au, not \"uk\"; did you mean us?");
	bad_source("version = 2.13",
		   "version: expected 2.14, 2.15 or 2.16, not \"2.13\"; did you mean 2.14?");
	bad_source("history = 400",
		   "history: expected a duration with its unit, such as 90s, 5m or 2h30m, not \"400\"");
	bad_source("history = \"5d\"",
		   "history: expected a duration such as 90s, 5m, 2h30m or 400d, not \"\"5d\"\"; values stand "
		   "without quotes");
	bad_source("history = 5d # five",
		   "history: expected a duration such as 90s, 5m, 2h30m or 400d, not \"5d # five\"; a "
		   "comment behind a value begins with ;");
	bad_source("history =",
		   "history: expected a duration such as 90s, 5m, 2h30m or 400d, found nothing");
	bad_source("history = 1h", "history: must be from 1d to 18250d");
	bad_source("budget = 80", "budget: expected a percentage such as 80%, not \"80\"");
	bad_source("budget = 0%", "budget: must be from 1 to 100%");
	bad_source("route_budget = search 0%",
		   "route_budget: expected up to 8 kinds of calls with a percentage each, such as search 40%, found 'search 0%'");
	bad_source("route_budget = search 40%, scroll",
		   "route_budget: expected up to 8 kinds of calls with a percentage each, such as search 40%, found 'scroll'");
	bad_source("route_budget = search 40%, search 50%", "route_budget: search stands twice");
	bad_source("concurrency = 9", "concurrency: must be from 1 to 8");
	bad_source("concurrency = -1", "concurrency: expected a whole number, not \"-1\"");
	bad_source("resources = tags, convrsations",
		   "resources: unknown resource \"convrsations\"; did you mean conversations?");
	bad_source("resources =", "resources: expected all or a list of resources, found nothing");
	bad_source("on_stale = never", "on_stale: expected serve, wait, error or live, not \"never\"");
	bad_source("exclude = body",
		   "exclude: expected up to 64 members such as contacts.doc.phone, but 'body' begins with no resource");
	bad_source("exclude = tags.doc.x, messages.body",
		   "exclude: expected up to 64 members such as contacts.doc.phone, but 'messages.body' names no member of its objects: RESOURCE.doc.PATH");
	bad_source("exclude = messages.doc.",
		   "exclude: expected up to 64 members such as contacts.doc.phone, but 'messages.doc.' names no member of its objects: RESOURCE.doc.PATH");
	bad_source("exclude = contacts.doc.a..b",
		   "exclude: expected up to 64 members such as contacts.doc.phone, but 'contacts.doc.a..b' has an empty step");
	bad_source("retain = 5h", "retain: must be 0 or from 1d to 18250d");
	bad_source("retain = 99999d", "retain: must be 0 or from 1d to 18250d");
	bad(SOURCE "[resource acme/tickets]\nretain = 3h\n",
	    "f:5: error: retain: must be 0 or from 1d to 18250d\n");
	bad(SOURCE "[resource acme/tags]\nverify = 3d\n",
	    "f:4: error: verify: tags are not verified; did you mean [resource acme/conversations]?\n");
	bad(SOURCE "[resource acme/contacts]\nverify_depth = counts\n",
	    "f:4: error: verify_depth: contacts are not verified; did you mean [resource acme/conversations]?\n");
	bad(SOURCE "retain = 40d\n[resource acme/contacts]\nretain = 3d\n",
	    "f:5: error: retain: contacts are kept whole; did you mean [resource acme/conversations]?\n");
	bad(SOURCE "[resource acme/messages]\nretain = 3d\n",
	    "f:5: error: retain: these are read with the conversations, set it there\n");
	bad_ficd("disk_reserve = 1K", "disk_reserve: must be from 1M to 1048576M");
	bad_ficd("access_log = access.log",
		 "access_log: expected an absolute path, not \"access.log\"");
	bad_ficd("access_log_size = 10K", "access_log_size: must be from 1M to 1024M");
	bad_source("webhook_secret = geheim",
		   "webhook_secret: expected file:PATH or credential:NAME; the token itself does not belong into this file: "
		   "put it into a file of its own with mode 0600");
	bad_ficd("http = 0.0.0.0:8889",
		 "http: 0.0.0.0 is no loopback address: others would be let in; put a server that asks who they are in front");
	bad_ficd("memory = 1M", "memory: must be from 4M to 4096M");
	bad_ficd("memory = 99999999999999G",
		 "memory: expected a size such as 16M or 512K, not \"99999999999999G\"");
	bad_ficd("state_dir = data", "state_dir: expected an absolute path, not \"data\"");
	bad_ficd("socket = /123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/"
		 "123456789/1234567",
		 "socket: the path is longer than 107 bytes");
	bad_resource("full = daily",
		     "full: expected a time of the day, as in daily 03:00, not \"daily\"");
	bad_resource("full = daily 24:00",
		     "full: expected a time of the day, as in daily 03:00, not \"daily 24:00\"");
	bad_resource("full = weekly 03:00",
		     "full: expected a day and a time, as in weekly Sun 03:00, not \"weekly 03:00\"");
	bad_resource(
		"full = sometimes",
		"full: expected off, hourly, daily HH:MM, weekly DAY HH:MM or cron \"m h d m w\", not \"sometimes\"");
	bad_resource("full = cron \"1 25 * * *\"",
		     "full: cron: out of range in the hour (field 2 of five, position 3): write 0 to 23 as in 2, *, a-b, or "
		     "a list with commas; /n takes every nth");
	bad_source("sync_window = Mo",
		   "sync_window: \"Mo\" (position 1) is no span: write hourly MM-MM, daily HH:MM-HH:MM or Mon-Fri "
		   "HH:MM-HH:MM, a list of them, or any");
	bad_source("sync_window_strict = maybe",
		   "sync_window_strict: expected no or yes, not \"maybe\"");
	bad_resource("every = 1s", "every: must be from 10s to 30d");
	bad_resource("window = 2d", "window: not in this release (only 1d is possible)");
	bad_resource("priority = 10", "priority: must be from 1 to 9");
	bad("[source a]\nprovider = zendesk\ntoken = file:/x\n",
	    "f:2: error: provider: expected intercom or front, not \"zendesk\"\n");
	bad("[source a]\nprovider = front\ntoken = file:/x\nresources = tickets, tags\n",
	    "f:1: error: resources: front has no tickets\n");
	bad("[source a]\nprovider = front\ntoken = file:/x\n[resource a/segments]\nevery = 5m\n",
	    "f:4: error: [resource a/segments]: front has no segments\n");
	bad("[source a]\nprovider = intercom\ntoken = file:/x\n[resource a/inboxes]\nevery = 5m\n",
	    "f:4: error: [resource a/inboxes]: intercom has no inboxes\n");
}

static void addresses_are_checked(void **state)
{
	static const char *const fine[] = {"http://localhost:8080", "http://127.0.0.1:1/x/",
					   "http://[::1]:99",       "https://a.b",
					   "HTTPS://a.b:443/c/d",   "https://[2001:db8::1]/x"};
	static const char *const not [] = {"https://",        "https://a:",    "https://a:0",
					   "https://a:99999", "https://a:8x/", "https://[::1",
					   "https://:80"};
	char line[200];

	(void)state;
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
		snprintf(line, sizeof line, SOURCE "base_url = %s\n", fine[i]);
		config_free(good(line));
	}
	for (size_t i = 0; i < sizeof not / sizeof *not ; i++) {
		snprintf(line, sizeof line, "base_url = %s", not [i]);
		bad_source(line,
			   "base_url: the host or port is not valid; expected https://HOST[:PORT][/PATH]");
	}
	bad_source("base_url = http://example.org",
		   "base_url: http:// would send the token in the clear; only https:// is possible, "
		   "or http:// to localhost, 127.0.0.1 or [::1]");
	bad_source("base_url = http://localhost.example.org",
		   "base_url: http:// would send the token in the clear; only https:// is possible, or http:// to localhost, "
		   "127.0.0.1 or [::1]");
	bad_source("base_url = https://u:p@h",
		   "base_url: a user name or password does not belong into the address");
	bad_source("base_url = ftp://h", "base_url: expected an address that begins with https://");
	bad_source("base_url = https://h/?x=1",
		   "base_url: the address has a ?, #, quote or space in it; expected https://HOST[:PORT][/PATH]");
}

static void a_pasted_token_is_never_repeated(void **state)
{
	static const struct {
		const char *before, *after;
	} places[] = {
		{"", "\n" SOURCE},
		{SOURCE, ""},
		{SOURCE, " ="},
		{"[source b]\nprovider = intercom\ntoken = ", ""},
		{SOURCE "history = ", ""},
		{SOURCE "[", "]"},
		{SOURCE "[source ", "]"},
		{SOURCE "[resource ", "]"},
		{SOURCE "[resource acme/", "]"},
		{SOURCE "base_url = https://x?", ""},
		{SOURCE "region = ", ""},
		{SOURCE "resources = ", ""},
		{SOURCE "[resource acme/contacts]\nfull = ", ""},
		{SOURCE "[ficd]\nallow_read = ", ""},
		{SOURCE "[ficd]\nstate_dir = ", ""},
	};
	static const char secret[] = "dG9rOjVmY2U0NmE5XzQ3YjFfNGE2Yl84ZDJlXzBmMGYwZjBmMGYwZg==";
	char text[400];
	int rc;

	(void)state;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		snprintf(text, sizeof text, "%s%s%s\n", places[i].before, secret, places[i].after);
		assert_null(parse_bytes(bytes_str(text), &rc));
		assert_null(strstr(complaints, "dG9r"));
		assert_int_equal(rc, ERR_INVALID);
	}
	bad_source("xy = 1\ntoken = abc",
		   "xy: there is no such option in a [source] section\nf:5: error: token is set at line 3 "
		   "already");
	bad("[source b]\nprovider = intercom\ntoken = abc\n",
	    "f:3: error: token: expected file:PATH or credential:NAME; the token itself does not belong into this file: put it into "
	    "a file of its own with mode 0600\n");
	bad("[source b]\nprovider = intercom\ntoken = credential:../x\n",
	    "f:3: error: token: expected credential:NAME with a file's name without a folder\n");
	bad("[source b]\nprovider = intercom\ntoken = file:x\n",
	    "f:3: error: token: expected file: and an absolute path\n");
}

static void a_flood_of_mistakes_is_cut(void **state)
{
	struct buf text = {0};
	int rc;

	(void)state;
	for (int i = 0; i < 500; i++)
		buf_put_str(&text, "[nothing]\n");
	assert_null(parse_bytes(buf_bytes(&text), &rc));
	assert_non_null(strstr(complaints, "f: error: 300 more errors\n"));
	buf_reset(&text);
	for (int i = 0; i < 20; i++)
		buf_printf(&text, "[source s%d]\nprovider = intercom\ntoken = file:/x\n", i);
	assert_null(parse_bytes(buf_bytes(&text), &rc));
	assert_string_equal(complaints, "f:49: error: more than 16 sources\n");
	buf_release(&text);
}

static void files_that_cannot_be_read(void **state)
{
	struct config_errors errors;
	struct config *c = NULL;
	struct buf out = {0};

	(void)state;
	config_errors_init(&errors);
	assert_int_equal(config_load("/nonexistent/ficd.conf", &c, &errors), ERR_NOTFOUND);
	assert_null(c);
	assert_int_equal(errors.fatal, 1);
	config_errors_write(&errors, &out);
	assert_non_null(strstr(buf_text(&out), "/nonexistent/ficd.conf: error: "));
	config_errors_release(&errors);
	config_errors_init(&errors);
	assert_true(config_load("/", &c, &errors) < 0);
	config_errors_release(&errors);
	buf_release(&out);
}

/* ---- printing ---- */

static void unknown_kinds_of_calls(void **state)
{
	(void)state;
	bad(SOURCE "route_budget = serch 40%, other 5%\n",
	    "f:1: error: route_budget: intercom has no kind of calls named serch (did you mean search?)\n"
	    "f:1: error: route_budget: intercom has no kind of calls named other\n");
}

static void what_is_printed_is_taken_again(void **state)
{
	struct buf once = {0}, again = {0};

	(void)state;
	struct config *first = good(
		"[ficd]\nstate_dir = /s\nsocket = /r\nmemory = 4608K\nallow_read = uid:7, gid:8\n" SOURCE
		"route_budget = scroll  5%,search 40%\nresources = conversations, tags\n[resource acme/tags]\nfull = weekly monday 04:05\n"
		"[alert ops]\nwhen = no_success>=90m\nslack = file:/s\nemail = a@b, c@d\nsmtp = mail:25\nrepeat = 0\n");
	config_print(first, &once);
	struct config *second = good(buf_text(&once));
	assert_string_equal(complaints, "");
	config_print(second, &again);
	assert_null(strstr(buf_text(&again), "; default"));
	assert_non_null(strstr(buf_text(&once), "memory = 4608K\n"));
	assert_non_null(strstr(buf_text(&once), "log_level = info ; default\n"));
	assert_non_null(strstr(buf_text(&once), "allow_read = uid:7, gid:8\n"));
	assert_non_null(strstr(buf_text(&once), "resources = conversations, tags\n"));
	assert_non_null(strstr(buf_text(&once), "full = weekly Mon 04:05\n"));
	assert_non_null(strstr(buf_text(&once), "route_budget = scroll 5%, search 40%\n"));
	assert_non_null(strstr(
		buf_text(&once),
		"[resource acme/messages]\n; read with the conversations\ntolerance = 5m ; default\n"));
	assert_null(strstr(buf_text(&once), "acme/teams"));
	assert_non_null(strstr(buf_text(&once),
			       "[alert ops]\nwhen = no_success >= 1h30m\nsources =  ; default\n"
			       "repeat = 0\nslack = file:/s\nemail = a@b, c@d\n"));
	buf_reset(&once);
	config_restart_needed(first, second, &once);
	assert_int_equal(once.len, 0);
	config_free(first);
	config_free(second);
	buf_release(&once);
	buf_release(&again);
}

static void what_a_reload_cannot_change_is_named(void **state)
{
	struct buf words = {0};

	(void)state;
	struct config *old = good(SOURCE "[source gone]\nprovider = intercom\ntoken = file:/x\n");
	struct config *now = good("[ficd]\nmemory = 64M\nlog_level = warn\n" SOURCE
				  "region = eu\nbudget = 50%\n[source new]\n"
				  "provider = intercom\ntoken = file:/x\n");
	config_restart_needed(old, now, &words);
	assert_string_equal(buf_text(&words), "[ficd] memory, [source acme] region");
	config_free(old);
	config_free(now);
	buf_release(&words);
}

/* ---- the table and what is made from it ---- */

static void read_document(const char *path, struct buf *out)
{
	struct why why;

	if (file_read(path, 1 << 20, out, &why))
		fail_msg("%s (tests run from the root of the tree)", why.text);
}

static void every_default_is_valid(void **state)
{
	static char room[sizeof(struct config)];
	struct arena memory = {0};
	struct why why;

	(void)state;
	assert_true(config_option_count <= 64);
	assert_true(config_resource_count <= CONFIG_RESOURCES_MAX);
	for (size_t i = 0; i < config_option_count; i++) {
		const struct option *o = &config_options[i];
		int rc = o->fallback ? option_parse(o, room, o->fallback, &memory, &why) : 0;
		if (rc && rc != ERR_NOTFOUND)
			fail_msg("%s = %s: %s", o->name, o->fallback, why.text);
		assert_non_null(o->help);
		assert_true(o->required || o->fallback || o->inherits);
		assert_ptr_equal(option_find(o->section, o->name), o);
	}
	arena_release(&memory);
}

static void the_manual_has_every_option(void **state)
{
	static const char *const heads[] = {".Sh [ficd]", ".Sh [source NAME]",
					    ".Sh [resource SOURCE/NAME]", ".Sh [alert NAME]",
					    ".Sh FILES"};
	struct buf page = {0};
	char item[80];

	(void)state;
	read_document("conf/man/ficd.conf.5", &page);
	const char *text = buf_text(&page);
	for (size_t i = 0; i < config_option_count; i++) {
		const struct option *o = &config_options[i];
		const char *from = strstr(text, heads[o->section]),
			   *to = strstr(text, heads[o->section + 1]);
		snprintf(item, sizeof item, "\n.It Cm %s\n", o->name);
		const char *at = from ? strstr(from, item) : NULL;
		if (!at || at > to)
			fail_msg("conf/man/ficd.conf.5 has no %s below %s", o->name,
				 heads[o->section]);
		const char *end = strstr(at + 1, "\n.It ");
		if (!end || end > to)
			end = to;
		snprintf(item, sizeof item, "Default:\n.Ql %s ", o->fallback);
		const char *said = o->fallback && *o->fallback ? strstr(at, item) : at;
		/* Without a comma behind it: "Default:\n.Ql 5m .", with one "Default:\n.Ql any ,". */
		if (!said || said > end)
			fail_msg("conf/man/ficd.conf.5 does not say that %s is %s", o->name,
				 o->fallback);
	}
	buf_release(&page);
}

/* The example with every ; at a line's start taken away. */
static void uncomment(struct buf *text)
{
	size_t kept = 0;

	for (size_t i = 0; i < text->len; i++)
		if (text->data[i] != ';' || (i && text->data[i - 1] != '\n'))
			text->data[kept++] = text->data[i];
	text->len = kept;
}

static void the_example_shows_every_option_and_its_default(void **state)
{
	struct buf text = {0}, print = {0};
	char line[200];
	int rc;

	(void)state;
	read_document("conf/ficd.conf", &text);
	/* As installed it mirrors nothing, and says so. */
	assert_null(parse_bytes(buf_bytes(&text), &rc));
	assert_string_equal(complaints,
			    "f: error: there is no [source NAME] section: nothing to mirror\n");
	for (size_t i = 0; i < config_option_count; i++) {
		const struct option *o = &config_options[i];
		snprintf(line, sizeof line, "\n;%s =%s%s%s", o->name,
			 o->fallback && *o->fallback ? " " : "", o->fallback ? o->fallback : "",
			 o->fallback ? "\n" : "");
		if (!strstr(buf_text(&text), line))
			fail_msg("conf/ficd.conf does not show %s", line + 1);
	}
	uncomment(&text);
	struct config *c = parse_bytes(buf_bytes(&text), &rc);
	/* The group ficd need not exist where the tests run. */
	if (rc) {
		assert_int_equal(rc, ERR_INVALID);
		assert_string_equal(complaints,
				    "f:16: error: allow_write: there is no group \"ficd\"\n");
	}
	config_free(c);
	buf_release(&text);
	buf_release(&print);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_gives_all_defaults),
		cmocka_unit_test(resources_have_their_defaults),
		cmocka_unit_test(every_option_can_be_set),
		cmocka_unit_test(messages_follow_their_conversations),
		cmocka_unit_test(a_source_tolerance_lifts_the_smaller_ones),
		cmocka_unit_test(forms_of_files),
		cmocka_unit_test(kept_and_wanted),
		cmocka_unit_test(several_sources_keep_apart),
		cmocka_unit_test(a_late_run_is_a_warning),
		cmocka_unit_test(all_mistakes_come_at_once_in_order),
		cmocka_unit_test(sections_are_checked),
		cmocka_unit_test(alerts_are_checked),
		cmocka_unit_test(a_reload_takes_the_alerts),
		cmocka_unit_test(lines_are_checked),
		cmocka_unit_test(options_are_checked),
		cmocka_unit_test(addresses_are_checked),
		cmocka_unit_test(a_pasted_token_is_never_repeated),
		cmocka_unit_test(a_flood_of_mistakes_is_cut),
		cmocka_unit_test(files_that_cannot_be_read),
		cmocka_unit_test(unknown_kinds_of_calls),
		cmocka_unit_test(what_is_printed_is_taken_again),
		cmocka_unit_test(what_a_reload_cannot_change_is_named),
		cmocka_unit_test(every_default_is_valid),
		cmocka_unit_test(the_manual_has_every_option),
		cmocka_unit_test(the_example_shows_every_option_and_its_default),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
