/* notice, raised: what people are told in its three forms, and what is remembered of it. */
#include "notice.h"
#include "raised.h"

#include <codec/json.h>
#include <codec/msgpack.h>

#include <base/files.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW INT64_C(1800000000000)

static struct notice_item item(enum alert_step step, const char *text)
{
	struct notice_item i = {
		.step = step, .source = "acme", .resource = "tags", .since_ms = NOW - 60000};

	snprintf(i.condition, sizeof i.condition, "no_success > 2h");
	snprintf(i.text, sizeof i.text, "%s", text);
	return i;
}

static void expect_part(struct buf *b, const char *part)
{
	if (!strstr(buf_text(b), part))
		fail_msg("no '%s' in: %s", part, buf_text(b));
}

static void the_gravest_leads(void **state)
{
	struct notice_item items[] = {item(ALERT_SAY_OVER, "first"), item(ALERT_SAY_AGAIN, "second"),
				      item(ALERT_SAY_RAISED, "third")};
	const char *events[] = {"over", "again", "raised"};
	const char *leads[] = {": over: acme/tags no_success > 2h", ": still: acme/tags",
			       ": acme/tags no_success > 2h and 2 more"};

	(void)state;
	for (size_t count = 1; count <= 3; count++) {
		struct notice *n = notice_new("ops", items, count, count == 3 ? 9 : 0, NOW);
		assert_string_equal(n->event, events[count - 1]);
		expect_part(&n->subject, leads[count - 1]);
		expect_part(&n->text, "over: acme/tags: first (no_success > 2h, since ");
		if (count == 3)
			expect_part(&n->text, "and 9 more: 'ficq alerts' lists them\n");
		notice_leave(n);
	}
}

/* What a provider said may not begin a line, a header or an end. */
static void texts_are_harmless(void **state)
{
	struct notice_item i = item(
		ALERT_SAY_RAISED, "bad\r\nBcc: all@example.org\r\n.\r\n\033[31m\"quoted\" \xc3\xa4");
	struct notice *n = notice_new("ops", &i, 1, 0, NOW);
	struct buf mail = {0}, packed = {0};
	struct why why = {""};
	struct bytes text;

	(void)state;
	notice_mail(n, "ficd@here", "ops@example.org", NOW, &mail);
	assert_null(strstr(buf_text(&mail), "\nBcc"));
	assert_null(strchr(buf_text(&mail), '\033'));
	expect_part(&mail, "Date: Fri, 15 Jan 2027 08:00:00 +0000\r\n");
	expect_part(&mail, "bad  Bcc: all@example.org");
	for (size_t at = 0; at < mail.len; at++)
		if (mail.data[at] == '\n')
			assert_true(at > 0 && mail.data[at - 1] == '\r');
	assert_int_equal(json_to_msgpack(buf_bytes(&n->json), JSON_STRICT, &packed, &why), 0);
	assert_true(mp_find_str(buf_bytes(&packed), "event", &text) && bytes_is(text, "raised"));
	assert_null(strchr(buf_text(&n->json), '\n'));
	buf_release(&mail);
	buf_release(&packed);
	notice_leave(n);
}

static void long_lines_are_cut_between_characters(void **state)
{
	struct notice_item items[NOTICE_ITEMS_MAX];
	struct buf mail = {0};
	char text[400];
	size_t line = 0;

	(void)state;
	for (size_t i = 0; i + 2 < sizeof text; i += 2)
		memcpy(text + i, "\xc3\xa4", 2);
	text[sizeof text - 2] = 0;
	for (size_t i = 0; i < NOTICE_ITEMS_MAX; i++)
		items[i] = item(ALERT_SAY_RAISED, text);
	struct notice *n = notice_new("ops", items, NOTICE_ITEMS_MAX, 0, NOW);
	buf_reset(&n->text); /* one line of 4,000 bytes */
	for (int i = 0; i < 2000; i++)
		buf_put(&n->text, "\xc3\xa4", 2);
	notice_mail(n, "a@b", "c@d", NOW, &mail);
	for (size_t at = 0; at < mail.len; at++) {
		line = mail.data[at] == '\n' ? 0 : line + 1;
		assert_true(line <= 998);
		if (mail.data[at] == '\r')
			assert_true((mail.data[at + 2] & 0xc0) != 0x80);
	}
	buf_release(&mail);
	notice_leave(n);
}

/* ---- raised ---- */

static void what_is_raised_is_remembered(void **state)
{
	char folder[] = "/tmp/raised-XXXXXX", path[64];
	struct raised_list l = {.items = NULL}, again = {.items = NULL};
	struct why why;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(raised_load(&l, folder, &why), ERR_NOTFOUND);
	for (int i = 0; i < 20; i++) {
		char resource[16];
		snprintf(resource, sizeof resource, "r%d", i);
		struct raised *r = raised_find(&l, "ops", "quota > 80%", "acme", resource, true);
		r->state = (struct alert_state){
			.raised = i % 2, .since_ms = NOW + i, .held_ms = NOW + 2, .told_ms = NOW + 3};
		r->looked = i != 1; /* nobody asks for r1 any more */
	}
	assert_true(raised_sweep(&l));
	assert_int_equal(l.count, 9); /* what does not hold is forgotten */
	assert_int_equal(raised_save(&l, folder, &why), 0);
	assert_int_equal(raised_load(&again, folder, &why), 0);
	assert_int_equal(again.count, 9);
	struct raised *r = raised_find(&again, "ops", "quota > 80%", "acme", "r3", false);
	assert_true(r && r->state.raised && r->state.since_ms == NOW + 3 &&
		    r->state.told_ms == NOW + 3);
	assert_null(raised_find(&again, "ops", "quota > 80%", "acme", "r1", false));
	raised_release(&again);

	/* Cut anywhere it is no file of ours, and nothing is taken from it. */
	struct buf whole = {0};
	snprintf(path, sizeof path, "%s/ALERTS", folder);
	assert_int_equal(file_read(path, 100000, &whole, &why), 0);
	for (size_t cut = 0; cut < whole.len; cut += 7) {
		int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
		assert_int_equal(file_pwrite(fd, whole.data, cut, 0), 0);
		close(fd);
		assert_int_equal(raised_load(&again, folder, &why), ERR_CORRUPT);
		assert_int_equal(again.count, 0);
	}
	unlink(path);
	rmdir(folder);
	buf_release(&whole);
	raised_release(&l);
}

static void there_is_a_limit(void **state)
{
	struct raised_list l = {.items = NULL};
	char resource[16];

	(void)state;
	for (int i = 0; i < RAISED_MAX; i++) {
		snprintf(resource, sizeof resource, "%d", i);
		assert_non_null(raised_find(&l, "a", "b", "c", resource, true));
	}
	assert_null(raised_find(&l, "a", "b", "c", "one more", true));
	assert_non_null(raised_find(&l, "a", "b", "c", "7", true));
	raised_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_gravest_leads),
		cmocka_unit_test(texts_are_harmless),
		cmocka_unit_test(long_lines_are_cut_between_characters),
		cmocka_unit_test(what_is_raised_is_remembered),
		cmocka_unit_test(there_is_a_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
