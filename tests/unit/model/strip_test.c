/* A document without some of its members: whatever is named, in lists too, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <codec/json.h>
#include <codec/msgpack.h>
#include <model/strip.h>

#include <string.h>

static void from_json(const char *json, struct buf *out)
{
	char text[1024];
	size_t n = strlen(json);

	for (size_t i = 0; i <= n; i++)
		text[i] = json[i] == '\'' ? '"' : json[i];
	assert_int_equal(json_to_msgpack(bytes_of(text, n), JSON_STRICT, out, NULL), 0);
}

static void gives(const char *before, const char *paths, const char *after)
{
	struct buf doc = {0}, want = {0}, out = {0};
	struct bytes list[8];
	size_t n = 0;

	for (const char *at = paths; *at; at += strcspn(at, " "), at += *at == ' ')
		list[n++] = bytes_of(at, strcspn(at, " "));
	from_json(before, &doc);
	from_json(after ? after : before, &want);
	int rc = doc_strip(buf_bytes(&doc), list, n, &out);
	assert_int_equal(rc, after != NULL);
	if (after) {
		assert_int_equal(mp_check(buf_bytes(&out)), 0);
		assert_true(mp_equal(buf_bytes(&out), buf_bytes(&want)));
	} else {
		assert_int_equal(out.len, 0);
	}
	buf_release(&doc);
	buf_release(&want);
	buf_release(&out);
}

static void members(void **state)
{
	(void)state;
	gives("{'a':1,'b':2}", "a", "{'b':2}");
	gives("{'a':{'x':1,'y':[2]},'b':2}", "a.x", "{'a':{'y':[2]},'b':2}");
	gives("{'a':{'x':1},'b':2}", "a", "{'b':2}");
	gives("{'a':{'x':1}}", "a.x b c.d", "{'a':{}}");
	gives("{'a':{'x.y':1,'x':{'y':2,'z':3}}}", "a.x.y", "{'a':{'x':{'z':3}}}");
	gives("{'a':{'x':1,'y':2},'c':{'x':3}}", "a.x a.y c", "{'a':{}}");
}

static void lists(void **state)
{
	(void)state;
	gives("{'a':[{'x':1,'y':2},{'y':3},4]}", "a.x", "{'a':[{'y':2},{'y':3},4]}");
	gives("{'a':[{'x':1,'y':2},{'y':3},4]}", "a.*.x", "{'a':[{'y':2},{'y':3},4]}");
	gives("{'a':{'b':[[{'x':1}],{'x':2}]}}", "a.b.x", "{'a':{'b':[[{}],{}]}}");
	gives("{'a':[1,2,{'x':1}]}", "a.*", "{'a':[]}");
	gives("[{'x':1,'y':1},{'x':2}]", "x", "[{'y':1},{}]");
}

static void nothing(void **state)
{
	(void)state;
	gives("{'a':1,'b':[{'c':2}]}", "x a.x b.c.d b.x ab", NULL);
	gives("{'a':1}", "", NULL);
	gives("'a'", "a", NULL);
	gives("{}", "a", NULL);
	gives("{'a':[]}", "a.*", NULL);
}

static void damaged(void **state)
{
	static const uint8_t cut[] = {0x82, 0xa1, 'a', 0x91};
	struct bytes path = bytes_str("a.b");
	struct buf out = {0};

	(void)state;
	for (size_t n = 1; n <= sizeof cut; n++)
		assert_int_equal(doc_strip(bytes_of(cut, n), &path, 1, &out), ERR_CORRUPT);
	buf_reset(&out);
	struct buf deep = {0};
	for (int i = 0; i < MP_DEPTH_MAX + 10; i++)
		mp_put_array(&deep, 1);
	mp_put_nil(&deep);
	assert_true(doc_strip(buf_bytes(&deep), &path, 1, &out) < 0);
	assert_int_equal(out.len, 0);
	buf_release(&deep);
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members),
		cmocka_unit_test(lists),
		cmocka_unit_test(nothing),
		cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
