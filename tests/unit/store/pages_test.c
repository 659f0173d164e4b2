/* pages: what lies side by side in a file is read at once, and right wherever the next read goes. */
#include "pages.h"

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
	pages = pages_new(1 << 20);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_ways),
		cmocka_unit_test(test_one_read_for_many),
	};

	return cmocka_run_group_tests(tests, make_file, drop_file);
}
