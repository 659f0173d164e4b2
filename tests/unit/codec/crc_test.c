/* crc: the same as zlib's, for every length and alignment, whole and in pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <codec/crc.h>

#include <string.h>
#include <zlib.h>

#define ROOM 5000

static uint8_t bytes[ROOM];

static int setup(void **state)
{
	uint32_t x = 2463534242u;

	(void)state;
	for (int i = 0; i < ROOM; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		bytes[i] = (uint8_t)x;
	}
	return 0;
}

static void known(void **state)
{
	(void)state;
	assert_int_equal(crc_add(0, "123456789", 9), 0xcbf43926u);
	assert_int_equal(crc_add(7, NULL, 0), 7);
	uint8_t zeros[4096] = {0};
	assert_int_equal(crc_add(0, zeros, sizeof zeros), crc32(0, zeros, sizeof zeros));
	memset(zeros, 0xff, sizeof zeros);
	assert_int_equal(crc_add(0, zeros, sizeof zeros), crc32(0, zeros, sizeof zeros));
}

static void lengths(void **state)
{
	(void)state;
	for (size_t len = 0; len < 700; len++)
		for (size_t from = 0; from < 17; from++)
			assert_int_equal(crc_add((uint32_t)len, bytes + from, len),
					 crc32((uLong)len, bytes + from, (uInt)len));
	assert_int_equal(crc_add(0, bytes, ROOM), crc32(0, bytes, ROOM));
}

static void pieces(void **state)
{
	uint32_t whole = crc_add(0, bytes, ROOM);

	(void)state;
	for (size_t cut = 0; cut <= ROOM; cut += 7)
		assert_int_equal(crc_add(crc_add(0, bytes, cut), bytes + cut, ROOM - cut), whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known),
		cmocka_unit_test(lengths),
		cmocka_unit_test(pieces),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
