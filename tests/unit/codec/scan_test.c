/* The block scanners and the UTF-8 checks against plain loops. scan_portable_test compiles
 * this again without SSE2. */
#include "scan.h"

#include "support/codec_support.h"

static unsigned plain_text(const uint8_t *p, bool high)
{
	unsigned n = 0;

	while (n < SCAN_BLOCK && p[n] >= 0x20 && p[n] != '"' && p[n] != '\\' && !(high && p[n] > 0x7f))
		n++;
	return n;
}

static void test_blocks(void **state)
{
	uint8_t from[SCAN_BLOCK], to[SCAN_BLOCK];
	uint64_t seed = 8;

	(void)state;
	/* Every byte at every place, alone and before another odd one. */
	for (unsigned at = 0; at < SCAN_BLOCK; at++) {
		for (unsigned byte = 0; byte < 256; byte++) {
			memset(from, 'x', sizeof(from));
			from[at] = (uint8_t)byte;
			if (byte % 3 == 0)
				from[rnd(&seed, SCAN_BLOCK)] = (uint8_t)rnd(&seed, 256);
			assert_int_equal(scan_copy_text(from, to), plain_text(from, true));
			assert_memory_equal(from, to, sizeof(from));
			assert_int_equal(scan_copy_clean(from, to), plain_text(from, false));
			assert_memory_equal(from, to, sizeof(from));
			bool ascii = true;
			for (unsigned i = 0; i < SCAN_BLOCK; i++)
				ascii = ascii && from[i] < 0x80;
			assert_int_equal(scan_ascii(from), ascii);
		}
	}
}

/* By the definition: decode, and look at the number. */
static unsigned slow_sequence(const uint8_t *p, size_t left)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned n = p[0] >= 0xf0 && p[0] < 0xf8   ? 4
		     : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
		     : p[0] >= 0xc0 && p[0] < 0xe0 ? 2
						   : 0;

	if (n == 0 || n > left)
		return 0;
	uint32_t point = p[0] & (0xffu >> (n + 1));
	for (unsigned i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (p[i] & 0x3fu);
	}
	return point < least[n] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) ? 0 : n;
}

static void test_sequences(void **state)
{
	static const uint8_t edges[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f,
					0xa0, 0xbf, 0xc0, 0xc2, 0xff};
	uint8_t text[4];

	(void)state;
	for (unsigned lead = 0x80; lead < 256; lead++) {
		for (unsigned i = 0; i < 256u * 11 * 11; i++) {
			text[0] = (uint8_t)lead;
			text[1] = (uint8_t)(i % 256);
			text[2] = edges[i / 256 % 11];
			text[3] = edges[i / 256 / 11];
			for (size_t len = 1; len <= 4; len++) {
				unsigned n = slow_sequence(text, len);
				if (utf8_sequence(text, text + len) != n)
					fail_msg("%02x %02x %02x %02x", text[0], text[1], text[2],
						 text[3]);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_sequences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
