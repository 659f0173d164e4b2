/* Events that were dealt with, written and read; anything else has none. */
#include <model/fed.h>

#include <base/clock.h>
#include <codec/msgpack.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void written_and_read(void **state)
{
	static const struct fed items[] = {{1, 1700000000123}, {UINT64_MAX, TIME_NONE}, {0, -5}};
	struct buf doc = {0};

	(void)state;
	for (size_t n = 0; n <= 3; n++) {
		buf_reset(&doc);
		fed_encode(items, n, &doc);
		assert_int_equal(doc.error, 0);
		assert_int_equal(mp_check(buf_bytes(&doc)), 0);
		assert_int_equal(fed_count(buf_bytes(&doc)), n);
		for (size_t i = 0; i < n; i++) {
			struct fed one = fed_at(buf_bytes(&doc), i);
			assert_true(one.hash == items[i].hash && one.at_ms == items[i].at_ms);
		}
	}
	buf_release(&doc);
}

static void other_documents(void **state)
{
	(void)state;
	assert_int_equal(fed_count(bytes_of(NULL, 0)), 0);
	assert_int_equal(fed_count(bytes_of("\xc0", 1)), 0);
	assert_int_equal(fed_count(bytes_of("\xa3"
					    "abc",
					    4)),
			 0);
	assert_int_equal(fed_count(bytes_of("\xc4\x03xyz", 5)), 0);
	assert_int_equal(fed_count(bytes_of("\xc4\x20xyz", 5)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_and_read),
		cmocka_unit_test(other_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
