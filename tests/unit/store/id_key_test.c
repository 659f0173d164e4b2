/*
 * Keys of ids: the same for the same id, growing as ids of the providers do.
 */
#include "id_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static uint64_t key(const char *id)
{
	return id_key(bytes_str(id));
}

static void assert_growing(const char *const *ids)
{
	for (; ids[1]; ids++)
		if (key(ids[0]) >= key(ids[1]))
			fail_msg("%s is not before %s", ids[0], ids[1]);
}

static void ids_of_providers_grow(void **state)
{
	static const char *const numbers[] = {
		"0", "7", "10", "99", "215470000000037", "215470000000038", "9999999999999999",
		NULL};
	static const char *const threads[] = {"cnv_a",        "cnv_z",
					      "cnv_10",       "cnv_1q15qmt9",
					      "cnv_1q15qmta", "cnv_1q15qmtz",
					      "cnv_1q15qmu0", NULL};
	static const char *const objects[] = {"6762f19b1bb69f9f2abcdef0",
					      "6762f19c0000000000000000", "6762f1a00000000000000000",
					      "7000000000000000000000ff", NULL};

	(void)state;
	assert_growing(numbers);
	assert_growing(threads);
	assert_growing(objects);
}

static void digits_come_before_others(void **state)
{
	(void)state;
	assert_true(key("9999999999999999") < key("1000000000000000a"));
	assert_true(key("msg_12") < key("1a"));
}

static void any_bytes_have_one(void **state)
{
	char longest[255];

	(void)state;
	memset(longest, 'z', sizeof longest);
	assert_true(id_key(bytes_of(longest, sizeof longest)) == id_key(bytes_of(longest, 200)));
	assert_true(id_key(bytes_of(longest, 255)) > id_key(bytes_of(longest, 126)));
	memset(longest, '9', sizeof longest);
	assert_true(id_key(bytes_of(longest, 255)) > key("9999999999999999"));
	assert_true(id_key(bytes_of(longest, 255)) < key("1000000000a"));
	memset(longest, '_', sizeof longest);
	assert_true(id_key(bytes_of(longest, 255)) == id_key(bytes_of(longest, 254)));
	assert_true(key("ABC") == key("abc"));
	assert_true(key("cnv_") != key("cnv"));
	assert_true(id_key(bytes_of("", 0)) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_of_providers_grow),
		cmocka_unit_test(digits_come_before_others),
		cmocka_unit_test(any_bytes_have_one),
	};

	return cmocka_run_group_tests_name("id_key", tests, NULL, NULL);
}
