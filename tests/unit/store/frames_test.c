/* frames: what was kept is found as it was, or not at all; the oldest goes first; nothing large comes in. */
#include "frames.c"

#include <stdarg.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>

#define BYTES 100000u

/* A frame of its own for each row: length and bytes follow from segment and ordinal. */
static struct bytes frame_of(uint64_t segment, uint32_t ordinal, uint8_t room[2000])
{
	size_t len = 20 + (segment * 7 + ordinal * 13) % 600;

	for (size_t i = 0; i < len; i++)
		room[i] = (uint8_t)(segment * 31 + ordinal * 17 + i);
	return bytes_of(room, len);
}

static void keep(struct frames *f, uint64_t segment, uint32_t ordinal)
{
	struct row row = {.offset = ordinal, .id_hash = segment};
	uint8_t room[2000];

	frames_keep(f, segment, ordinal, &row, frame_of(segment, ordinal, room));
}

static bool has(const struct frames *f, uint64_t segment, uint32_t ordinal)
{
	struct bytes frame;
	struct row row;
	uint8_t room[2000];

	if (!frames_find(f, segment, ordinal, &row, &frame))
		return false;
	assert_true(row.offset == ordinal && row.id_hash == segment);
	assert_true(bytes_equal(frame, frame_of(segment, ordinal, room)));
	return true;
}

static void the_newest_are_here(void **state)
{
	struct frames *f = frames_new(BYTES);
	unsigned found = 0;

	(void)state;
	assert_non_null(f);
	assert_false(has(f, 0, 0));
	for (uint32_t i = 0; i < 20000; i++) {
		uint64_t segment = 1 + i % 3;
		assert_false(has(f, segment, i));
		keep(f, segment, i);
		assert_true(has(f, segment, i));
		/* Of the last hundred nearly all, of those from long ago none. */
		for (uint32_t back = 0; i % 97 == 0 && back < 100 && back <= i; back++)
			found += has(f, 1 + (i - back) % 3, i - back);
		assert_false(i >= 1000 && has(f, 1 + (i - 1000) % 3, i - 1000));
		assert_false(has(f, segment + 1, i));
	}
	assert_true(found > 19900 / 97 * 90);
	assert_true(has(f, 1 + 19999 % 3, 19999));
	frames_clear(f);
	for (uint32_t i = 19000; i < 20000; i++)
		assert_false(has(f, 1 + i % 3, i));
	frames_free(f);
}

static void nothing_is_left(void **state)
{
	struct frames *f = frames_new(BYTES);

	(void)state;
	for (uint32_t kept = 3; kept < 2000; kept += 1500) {
		for (uint32_t i = 0; i < kept; i++)
			keep(f, 5, i);
		assert_int_equal(kept > 1000, f->end > f->size); /* once around */
		frames_clear(f);
		for (uint64_t i = 0; i < f->size && i < f->end; i++)
			assert_int_equal(f->ring[i], 0);
		for (uint32_t i = 0; i <= f->mask; i++)
			assert_int_equal(f->places[i], 0);
	}
	frames_free(f);
}

static void large_frames_stay_outside(void **state)
{
	struct frames *f = frames_new(1);
	struct row row = {.offset = 1};
	uint8_t large[2000] = {0};
	struct bytes frame;

	(void)state;
	assert_non_null(f);
	keep(f, 7, 1);
	for (uint32_t i = 0; i < 1000; i++)
		frames_keep(f, 8, i, &row, bytes_of(large, sizeof large));
	assert_true(has(f, 7, 1));
	assert_false(frames_find(f, 8, 0, &row, &frame));
	frames_free(f);
	frames_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_are_here),
		cmocka_unit_test(large_frames_stay_outside),
		cmocka_unit_test(nothing_is_left),
	};

	return cmocka_run_group_tests_name("frames", tests, NULL, NULL);
}
