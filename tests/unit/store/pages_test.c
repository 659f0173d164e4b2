/* pages: what lies side by side in a file is read at once, and right wherever the next read goes; which pages stay. */
#include "pages.h"

#include <store/segment.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define FILE_BYTES 100003u

static uint8_t content[FILE_BYTES];
static char path[] = "/tmp/fic-pages-XXXXXX";
static struct pages *pages;
static struct page_file file;

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	for (uint32_t i = 0; i < FILE_BYTES; i++)
		content[i] = (uint8_t)(i * 2654435761u >> 13);
	pages = pages_new(1 << 20, 256);
	page_file_init(&file, 7, FILE_BYTES, strdup(path));
	bool done = fd >= 0 && pages && write(fd, content, FILE_BYTES) == (ssize_t)FILE_BYTES;
	return done && close(fd) == 0 ? 0 : -1;
}

static int drop_file(void **state)
{
	(void)state;
	page_file_release(pages, &file);
	pages_free(pages);
	return unlink(path);
}

static void expect(uint32_t at, uint32_t len)
{
	uint8_t out[FILE_BYTES];

	assert_int_equal(page_file_read_on(pages, &file, out, len, at), 0);
	assert_memory_equal(out, content + at, len);
}

static void test_all_ways(void **state)
{
	uint8_t out[16];

	(void)state;
	for (uint32_t at = 0; at + 300 <= FILE_BYTES; at += 300)
		expect(at, 300);
	for (uint32_t at = FILE_BYTES; at >= 257; at -= 257)
		expect(at - 257, 257);
	for (uint32_t i = 0, at = 1; i < 2000; i++, at = (at * 48271u) % FILE_BYTES)
		expect(at, (FILE_BYTES - at) % 40000);
	expect(FILE_BYTES - 20, 20);
	expect(FILE_BYTES - 1, 1);
	expect(0, FILE_BYTES);
	assert_int_equal(page_file_read_on(pages, &file, out, 2, FILE_BYTES - 1), ERR_CORRUPT);
	assert_int_equal(page_file_read_on(pages, &file, out, 1, UINT64_MAX), ERR_CORRUPT);
}

/* The neighbours come with the second read: the file may change behind their back, or be gone. */
static void test_one_read_for_many(void **state)
{
	static const uint8_t other[300];
	uint8_t out[300];
	int fd = open(path, O_WRONLY);

	(void)state;
	expect(50000, 300);
	expect(50300, 300);
	assert_int_equal(pwrite(fd, other, 300, 50600), 300);
	expect(50600, 300);
	/* Who does not read on sees the file. */
	assert_int_equal(page_file_read(pages, &file, out, 300, 50600), 0);
	assert_memory_equal(out, other, 300);
	assert_int_equal(pwrite(fd, content + 50600, 300, 50600), 300);
	close(fd);
}

/* What was announced comes with one read, and no more of the file than that. */
static void test_what_is_ahead(void **state)
{
	struct pages_stats before, after;

	(void)state;
	pages_stats(pages, &before);
	page_file_ahead(pages, &file, 1000, 70000);
	page_file_ahead(pages, &file, 900, 70100);
	for (uint32_t at = 70000; at < 71000; at += 100)
		expect(at, 100);
	pages_stats(pages, &after);
	assert_int_equal(after.reads - before.reads, 1);
	/* Not what has no room, or is not there. */
	page_file_ahead(pages, &file, 70000, 10);
	page_file_ahead(pages, &file, 10, FILE_BYTES - 5);
	page_file_ahead(pages, &file, 10, UINT64_MAX);
	expect(FILE_BYTES - 5, 5);
	expect(10, 50);
	page_file_ahead(pages, &file, 0, FILE_BYTES);
	expect(70500, 300);
}

/* ---- which pages stay ---- */

#define PAGES 120u
#define SMALL 16u /* pages of the smallest cache */

static struct pages *few;
static struct page_file whole;

static int make_pages(void **state)
{
	static uint8_t page[SEGMENT_PAGE];
	char name[] = "/tmp/fic-whole-XXXXXX";
	int fd = mkstemp(name);
	bool done = fd >= 0;

	(void)state;
	for (uint32_t i = 0; i < PAGES; i++) {
		memset(page, (int)i, SEGMENT_PAGE_ROOM);
		put_le32(page + SEGMENT_PAGE_ROOM, page_sum(page, i));
		done = done && write(fd, page, sizeof page) == (ssize_t)sizeof page;
	}
	few = pages_new(1, 256);
	page_file_init(&whole, 8, (uint64_t)PAGES * SEGMENT_PAGE, strdup(name));
	return done && few && close(fd) == 0 ? 0 : -1;
}

static int drop_pages(void **state)
{
	(void)state;
	int rc = unlink(whole.path);
	page_file_release(few, &whole);
	pages_free(few);
	return rc;
}

/* Whether it had to be read. */
static bool look(uint32_t page, uint32_t *hint)
{
	struct pages_stats before, after;
	const uint8_t *data;

	pages_stats(few, &before);
	assert_int_equal(pages_get(few, &whole, page, hint, &data), 0);
	assert_int_equal(data[0], page);
	pages_stats(few, &after);
	assert_int_equal(after.misses - before.misses, after.reads - before.reads);
	return after.misses > before.misses;
}

static void test_what_is_needed_again_stays(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		uint32_t hint = UINT32_MAX;
		assert_int_equal(look(7, &hint), i == 0);
	}
	/* Of many others, each once: more than twice as many as there is room for. */
	for (uint32_t i = 20; i < 20 + 2 * SMALL + SMALL / 2; i++) {
		uint32_t hint = UINT32_MAX;
		assert_true(look(i, &hint));
	}
	uint32_t hint = UINT32_MAX;
	assert_false(look(7, &hint));
}

/* A scan looks at each page many times in a row. */
static void test_a_scan_leaves_no_mark(void **state)
{
	uint32_t hint = UINT32_MAX, other = UINT32_MAX;

	(void)state;
	for (uint32_t i = 0; i < 50; i++)
		assert_int_equal(look(9, &hint), i == 0);
	for (uint32_t i = 20; i < 20 + SMALL; i++) {
		uint32_t mine = UINT32_MAX;
		look(i, &mine);
	}
	assert_true(look(9, &other));
}

static void test_what_is_forgotten_is_read_again(void **state)
{
	uint32_t hints[SMALL / 2];

	(void)state;
	for (uint32_t i = 0; i < SMALL / 2; i++) {
		hints[i] = UINT32_MAX;
		assert_true(look(i, &hints[i]));
	}
	pages_forget(few, whole.number + 1); /* another one */
	for (uint32_t i = 0; i < SMALL / 2; i++)
		assert_false(look(i, &hints[i]));
	pages_forget(few, whole.number);
	for (uint32_t i = 0; i < SMALL / 2; i++)
		assert_true(look(i, &hints[i]));
	for (uint32_t i = 0; i < SMALL / 2; i++)
		assert_false(look(i, &hints[i]));
}

static void test_a_page_of_another_place_is_refused(void **state)
{
	const uint8_t *data;
	uint32_t hint = 0;
	uint8_t page[SEGMENT_PAGE];
	int fd = open(whole.path, O_RDWR);

	(void)state;
	assert_int_equal(pread(fd, page, sizeof page, 100 * SEGMENT_PAGE), sizeof page);
	assert_int_equal(pwrite(fd, page, sizeof page, 101 * SEGMENT_PAGE), sizeof page);
	assert_int_equal(pages_get(few, &whole, 101, &hint, &data), ERR_CORRUPT);
	for (size_t at = 0; at < sizeof page; at += 61) {
		page[at] ^= 4;
		assert_int_not_equal(page_sum(page, 100), le32(page + SEGMENT_PAGE_ROOM));
		page[at] ^= 4;
	}
	assert_int_equal(page_sum(page, 100), le32(page + SEGMENT_PAGE_ROOM));
	close(fd);
}

/* ---- reading ahead ---- */

/* How often the file was read. */
static uint64_t ahead(uint32_t page, uint32_t count)
{
	struct pages_stats before, after;

	pages_stats(few, &before);
	pages_ahead(few, &whole, page, count);
	pages_stats(few, &after);
	return after.reads - before.reads;
}

static bool look_once(uint32_t page)
{
	uint32_t hint = UINT32_MAX;

	return look(page, &hint);
}

/* All are of much worth. */
static void fill_cache(uint32_t first)
{
	for (uint32_t n = 0; n < 5; n++)
		for (uint32_t i = first; i < first + SMALL; i++)
			look_once(i);
}

static void test_pages_are_read_ahead(void **state)
{
	(void)state;
	/* Not into a cache that has no room yet. */
	assert_int_equal(ahead(20, 5), 0);
	fill_cache(50);
	assert_int_equal(ahead(20, 1), 0);
	assert_int_equal(ahead(20, 5), 1);
	for (uint32_t i = 20; i < 25; i++)
		assert_false(look_once(i));
	assert_int_equal(ahead(20, 5), 0);
	/* Over those that are there; what is too much is left. */
	look_once(32);
	assert_int_equal(ahead(30, 100), 1);
	for (uint32_t i = 30; i < 30 + PAGES_AHEAD; i++)
		assert_false(look_once(i));
	assert_true(look_once(30 + PAGES_AHEAD));
	/* At the end of the file. */
	assert_int_equal(ahead(PAGES - 2, 2), 1);
	assert_false(look_once(PAGES - 1));
}

/* The hand comes round more than once to find so many places, and does not take those that it has taken already. */
static void test_few_are_worth_less(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 5; n++)
		for (uint32_t i = 50; i < 50 + SMALL - 3; i++)
			look_once(i);
	for (uint32_t i = 70; i < 73; i++)
		look_once(i);
	assert_int_equal(ahead(20, PAGES_AHEAD), 1);
	for (uint32_t i = 20; i < 20 + PAGES_AHEAD; i++)
		assert_false(look_once(i));
}

static void test_what_was_read_ahead_leaves_no_mark(void **state)
{
	(void)state;
	fill_cache(50);
	ahead(20, PAGES_AHEAD);
	look_once(20);
	for (uint32_t i = 70; i < 70 + SMALL; i++)
		look_once(i);
	assert_true(look_once(20));
}

static void test_what_is_wrong_is_left_to_who_asks(void **state)
{
	uint8_t page[SEGMENT_PAGE];
	const uint8_t *data;
	uint32_t hint = UINT32_MAX;
	int fd = open(whole.path, O_RDWR);

	(void)state;
	fill_cache(50);
	assert_int_equal(pread(fd, page, sizeof page, 100 * SEGMENT_PAGE), sizeof page);
	assert_int_equal(pwrite(fd, page, sizeof page, 101 * SEGMENT_PAGE), sizeof page);
	assert_int_equal(ahead(100, 4), 1);
	assert_int_equal(pages_get(few, &whole, 101, &hint, &data), ERR_CORRUPT);
	assert_false(look_once(100));
	assert_false(look_once(102));
	assert_false(look_once(103));
	/* What ends before its time. */
	assert_int_equal(ftruncate(fd, 111 * SEGMENT_PAGE + 1000), 0);
	assert_int_equal(ahead(108, 8), 1);
	assert_false(look_once(110));
	assert_int_equal(pages_get(few, &whole, 111, &hint, &data), ERR_CORRUPT);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_ways),
		cmocka_unit_test(test_one_read_for_many),
		cmocka_unit_test(test_what_is_ahead),
		cmocka_unit_test_setup_teardown(test_what_is_needed_again_stays, make_pages,
						drop_pages),
		cmocka_unit_test_setup_teardown(test_a_scan_leaves_no_mark, make_pages, drop_pages),
		cmocka_unit_test_setup_teardown(test_what_is_forgotten_is_read_again, make_pages,
						drop_pages),
		cmocka_unit_test_setup_teardown(test_a_page_of_another_place_is_refused, make_pages,
						drop_pages),
		cmocka_unit_test_setup_teardown(test_pages_are_read_ahead, make_pages, drop_pages),
		cmocka_unit_test_setup_teardown(test_few_are_worth_less, make_pages, drop_pages),
		cmocka_unit_test_setup_teardown(test_what_was_read_ahead_leaves_no_mark, make_pages,
						drop_pages),
		cmocka_unit_test_setup_teardown(test_what_is_wrong_is_left_to_who_asks, make_pages,
						drop_pages),
	};

	return cmocka_run_group_tests(tests, make_file, drop_file);
}
