/* What clients may read through: paths of the table, and nothing that could lead anywhere else. */
#include "support/asking.h"

#include <base/files.h>
#include <source/pass.h>

#include <string.h>

static void expect(const struct provider *p, const char *path, const char *url)
{
	struct buf out = {0};
	struct why why = {""};
	unsigned route;

	assert_int_equal(pass_path(p, bytes_str(path), NULL, 0, &out, &route, &why), 0);
	assert_string_equal(buf_text(&out), url);
	buf_release(&out);
}

static void refused(const struct provider *p, const char *path)
{
	struct buf out = {0};
	struct why why = {""};
	unsigned route;

	if (pass_path(p, bytes_str(path), NULL, 0, &out, &route, &why) != ERR_INVALID)
		fail_msg("'%s' is let through as '%s'", path, buf_text(&out));
	assert_non_null(strstr(why.text, "is read through"));
	buf_release(&out);
}

static void paths(void **state)
{
	(void)state;
	expect(&provider_intercom, "/me", "/me");
	expect(&provider_intercom, "me", "/me");
	expect(&provider_intercom, "/conversations/123", "/conversations/123");
	expect(&provider_intercom, "/contacts/5f3a/tags", "/contacts/5f3a/tags");
	expect(&provider_intercom, "/contacts/find_by_external_id/a b@c?d#e",
	       "/contacts/find_by_external_id/a%20b%40c%3Fd%23e");
	expect(&provider_front, "/conversations/cnv_1/messages", "/conversations/cnv_1/messages");
	expect(&provider_front, "/conversations/search/is:open tag:\"a&b\"",
	       "/conversations/search/is%3Aopen%20tag%3A%22a%26b%22");
	expect(&provider_front, "/contacts/alt:email:a+b@c.example",
	       "/contacts/alt%3Aemail%3Aa%2Bb%40c.example");
}

static void hostile_paths(void **state)
{
	static const char *const paths[] = {
		"",
		"/",
		"//",
		"//evil.example/me",
		"https://evil.example/me",
		"@evil.example/me",
		":80@evil.example/me",
		".evil.example/me",
		"/me/",
		"/me/..",
		"/../me",
		"/./me",
		"/conversations/..",
		"/conversations/.",
		"/conversations/../me",
		"/conversations/1/../../me",
		"/conversations/%2e%2e/me",
		"/conversations/1%2F..%2Fme",
		"/conversations/1%00",
		"/conversations/1\\..\\me",
		"/conversations/1?a=b",
		"/conversations/1#a",
		"/conversations/1;a",
		"/conversations/1 HTTP/1.1\r\nHost: evil.example",
		"/conversations/\n1",
		"/conversations/é",
		"/conversations/*",
		"/conversations//",
		"/Me",
		"/me ",
		" /me",
		"/unknown",
		"*",
		"!/me",
	};
	char text[PASS_PATH_MAX + 100] = "/conversations/";

	(void)state;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		refused(&provider_intercom, paths[i]);
		refused(&provider_front, paths[i]);
	}
	memset(text + 15, 'a', sizeof text - 16);
	refused(&provider_intercom, text);
	/* Open segments are escaped, but not whatever it is. */
	refused(&provider_front, "/contacts/..");
	refused(&provider_front, "/contacts/.a");
	refused(&provider_front, "/contacts/a%2Fb");
	refused(&provider_front, "/contacts/a\\b");
	refused(&provider_front, "/contacts/a\x01");
	refused(&provider_front, "/contacts/");
	refused(&provider_front, "/conversations/search/a/b");
}

/* What is there upstream and is not to be reached: the one scroll of a workspace, searches by POST, files. */
static void left_out(void **state)
{
	(void)state;
	refused(&provider_intercom, "/companies/scroll");
	refused(&provider_intercom, "/admins/activity_logs");
	refused(&provider_intercom, "/articles/search");
	refused(&provider_intercom, "/download/content/data/1");
	refused(&provider_front, "/download/fil_1");
	expect(&provider_intercom, "/companies/5f3a", "/companies/5f3a");
}

static void parameters(void **state)
{
	static const struct pass_parameter list[] = {
		{{(const uint8_t *)"q[statuses][]", 13}, {(const uint8_t *)"a&b=c", 5}},
		{{(const uint8_t *)"limit", 5}, {(const uint8_t *)"5\r\nX: y", 7}},
		{{(const uint8_t *)"x", 1}, {NULL, 0}},
	};
	struct buf out = {0};
	struct why why = {""};
	unsigned route;
	char large[PASS_PATH_MAX];

	(void)state;
	assert_int_equal(pass_path(&provider_front, bytes_str("/conversations"), list, 3, &out,
				   &route, &why),
			 0);
	assert_string_equal(buf_text(&out),
			    "/conversations?q%5Bstatuses%5D%5B%5D=a%26b%3Dc&limit=5%0D%0AX%3A%20y&x=");
	buf_reset(&out);
	memset(large, 'a', sizeof large);
	const struct pass_parameter one = {bytes_str("a"), bytes_of(large, sizeof large)};
	assert_int_equal(pass_path(&provider_front, bytes_str("/me"), &one, 1, &out, &route, &why),
			 ERR_INVALID);
	buf_release(&out);
}

static void classes(void **state)
{
	struct buf out = {0};
	struct why why = {""};
	unsigned route, other;

	(void)state;
	assert_int_equal(pass_path(&provider_front, bytes_str("/conversations/search/a"), NULL, 0,
				   &out, &route, &why),
			 0);
	assert_int_equal(route, provider_route(&provider_front, bytes_str("search")));
	assert_int_equal(pass_path(&provider_front, bytes_str("/me"), NULL, 0, &out, &other, &why), 0);
	assert_int_equal(other, provider_route(&provider_front, bytes_str("other")));
	buf_release(&out);
	assert_string_equal(pass_near(&provider_intercom, bytes_str("/conversation/*")),
			    "/conversations/*");
	assert_null(pass_near(&provider_intercom, bytes_str("xyzzy")));
}

/* Every pattern lets through what it names, and the table's order hides none. */
static void tables(void **state)
{
	const struct provider *const providers[] = {&provider_intercom, &provider_front};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (const struct pass_pattern *t = providers[i]->passes; t->path; t++) {
			char path[120];
			strncpy(path, t->path, sizeof path - 1);
			path[sizeof path - 1] = 0;
			for (char *c = path; *c; c++)
				if (*c == '*' || *c == '?')
					*c = 'x';
			if (t->path[0] == '!')
				refused(providers[i], path + 1);
			else
				expect(providers[i], path, path);
		}
	}
}

/* The address is the account's, whatever the path; a client's error is told apart from a fault. */
static void requests_and_answers(void **state)
{
	struct ask ask = {.kind = ASK_PASS, .path = bytes_str("/me?a=b"), .route = 1};
	struct call call;
	struct why why = {""};

	(void)state;
	assert_int_equal(provider_call(&asking_account, &ask, bytes_of(NULL, 0), &call, &why), 0);
	assert_string_equal((const char *)call.url.data, "https://api.test/me?a=b");
	assert_string_equal(call.method, "GET");
	assert_int_equal(call.route, 1);
	assert_int_equal(call.body.len, 0);
	call_release(&call);
	static const struct {
		int status;
		const char *body;
		enum fault fault;
	} answers[] = {
		{200, "{\"a\":1}", FAULT_NONE},
		{202, "[]", FAULT_NONE},
		{200, "<html>", FAULT_NONSENSE},
		{200, "{\"type\":\"error.list\",\"errors\":[{\"code\":\"not_found\"}]}",
		 FAULT_NONSENSE},
		{404, "{\"type\":\"error.list\",\"errors\":[{\"code\":\"not_found\"}]}", FAULT_GONE},
		{404, "nothing", FAULT_NONSENSE},
		{400, "{\"type\":\"error.list\",\"errors\":[{\"code\":\"parameter_invalid\"}]}",
		 FAULT_NEVER},
		{403, "{\"type\":\"error.list\",\"errors\":[{\"code\":\"x\"}]}", FAULT_DENIED},
		{301, "", FAULT_NEVER},
		{200, "{\"a\":\"012345678901234567890123456789012345678901234567890123456789\"}",
		 FAULT_NONSENSE},
	};
	ask.body_max = 60;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		struct reader *r = reader_new(&asking_account, &ask,
					      i + 1 == sizeof answers / sizeof *answers ? 60 : 0);
		reader_feed(r, answers[i].body, strlen(answers[i].body));
		struct page *page = reader_finish(r, answers[i].status, NULL, 0);
		if (page->fault != answers[i].fault)
			fail_msg("%d %s: %s", answers[i].status, answers[i].body,
				 fault_name(page->fault));
		page_free(page);
		reader_free(r);
	}
}

/* Who is told that a path is none looks there for those that there are. */
static void manual(void **state)
{
	const struct pass_pattern *const tables[] = {provider_intercom.passes, provider_front.passes};
	struct buf page = {0}, line = {0};
	struct why why;

	(void)state;
	if (file_read("conf/man/ficd-protocol.7", 1 << 20, &page, &why) < 0)
		fail_msg("%s", why.text);
	buf_put_byte(&page, 0);
	const char *lists[] = {strstr((char *)page.data, "\n.Ss Intercom\n"),
			       strstr((char *)page.data, "\n.Ss Front\n")};
	for (size_t i = 0; i < 2; i++) {
		assert_non_null(lists[i]);
		for (const struct pass_pattern *p = tables[i]; p->path; p++) {
			buf_reset(&line);
			buf_printf(&line, "\n%s\n", p->path);
			const char *at = strstr(lists[i], buf_text(&line));
			bool listed = at && (i == 1 || at < lists[1]);
			if (listed != (p->path[0] == '/'))
				fail_msg("%s", p->path);
		}
	}
	buf_release(&line);
	buf_release(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths),
		cmocka_unit_test(hostile_paths),
		cmocka_unit_test(left_out),
		cmocka_unit_test(parameters),
		cmocka_unit_test(classes),
		cmocka_unit_test(tables),
		cmocka_unit_test(requests_and_answers),
		cmocka_unit_test(manual),
	};

	return cmocka_run_group_tests_name("pass", tests, NULL, NULL);
}
