/*
 * files_test: whole reads, reads and writes at offsets, folders, and the words of their errors.
 */
#include <base/files.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/fic-files-test-XXXXXX";

static int setup(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[200];

	(void)state;
	snprintf(command, sizeof command, "rm -rf -- '%s'", folder);
	return system(command);
}

static const char *path(const char *name)
{
	static char whole[300];

	snprintf(whole, sizeof whole, "%s/%s", folder, name);
	return whole;
}

static int make_file(const char *name, size_t size)
{
	int fd = open(path(name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	for (size_t i = 0; i < size; i++) {
		uint8_t byte = (uint8_t)i;
		assert_int_equal(write(fd, &byte, 1), 1);
	}
	return fd;
}

static void test_read(void **state)
{
	struct buf b = {0};
	struct why why;

	(void)state;
	close(make_file("ten", 10));
	buf_put_str(&b, "before");
	assert_int_equal(file_read(path("ten"), 10, &b, &why), 0);
	assert_int_equal(b.len, 16);
	assert_int_equal(b.data[15], 9);
	assert_int_equal(file_read(path("ten"), 9, &b, &why), ERR_LIMIT);
	assert_non_null(strstr(why.text, "larger than 9 bytes"));
	assert_int_equal(file_read(path("none"), 9, &b, &why), ERR_NOTFOUND);
	assert_non_null(strstr(why.text, "none: No such file"));
	assert_int_equal(file_read(folder, 9, &b, &why), ERR_IO);
	buf_release(&b);
	close(make_file("empty", 0));
	assert_int_equal(file_read(path("empty"), 0, &b, NULL), 0);
	assert_int_equal(b.len, 0);
	buf_release(&b);
	close(make_file("large", 20000));
	assert_int_equal(file_read(path("large"), 20000, &b, NULL), 0);
	assert_int_equal(b.len, 20000);
	buf_release(&b);
	struct buf small = {.max = 100};
	assert_int_equal(file_read(path("large"), 20000, &small, &why), ERR_LIMIT);
	buf_release(&small);
}

static void test_at_offsets(void **state)
{
	int fd = make_file("offsets", 100);
	uint8_t data[20];

	(void)state;
	assert_int_equal(file_pread(fd, data, 20, 80), 0);
	assert_int_equal(data[19], 99);
	assert_int_equal(file_pread(fd, data, 20, 81), ERR_CORRUPT);
	assert_int_equal(file_pread(fd, data, 0, 500), 0);
	assert_int_equal(file_pwrite(fd, "abc", 3, 99), 0);
	assert_int_equal(file_pread(fd, data, 3, 99), 0);
	assert_memory_equal(data, "abc", 3);
	close(fd);
	assert_int_equal(file_pread(fd, data, 1, 0), ERR_IO);
	assert_int_equal(file_pwrite(fd, data, 1, 0), ERR_IO);
	fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		assert_int_equal(file_pwrite(fd, "x", 1, 0), ERR_NOSPACE);
		close(fd);
	}
}

static void test_dir_make(void **state)
{
	struct why why;
	struct stat st;

	(void)state;
	assert_int_equal(dir_make(path("a/b//c"), 0700, &why), 0);
	assert_int_equal(stat(path("a/b/c"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(dir_make(path("a/b/c"), 0700, &why), 0);
	assert_int_equal(dir_make(path("a/b/c/"), 0700, &why), 0);
	assert_int_equal(dir_make("/", 0700, &why), 0);
	close(make_file("file", 1));
	assert_int_equal(dir_make(path("file"), 0700, &why), ERR_INVALID);
	assert_non_null(strstr(why.text, "not a folder"));
	assert_int_not_equal(dir_make(path("file/below"), 0700, &why), 0);
	assert_int_equal(dir_make("", 0700, &why), ERR_INVALID);
	char *longer = malloc(5000);
	memset(longer, 'x', 4999);
	longer[4999] = 0;
	assert_int_equal(dir_make(longer, 0700, &why), ERR_INVALID);
	free(longer);
}

static void test_nonblock(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fd_nonblock(fds[0]), 0);
	assert_true(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(fd_nonblock(fds[0]), ERR_IO);
}

static void test_errors_in_words(void **state)
{
	static const struct {
		int error, code;
	} codes[] = {{ENOMEM, ERR_NOMEM},    {EACCES, ERR_DENIED},  {EROFS, ERR_DENIED},
		     {ENOENT, ERR_NOTFOUND}, {ENOSPC, ERR_NOSPACE}, {EDQUOT, ERR_NOSPACE},
		     {EIO, ERR_IO}};
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		errno = codes[i].error;
		assert_int_equal(why_errno(&why, "%s", "it"), codes[i].code);
		assert_int_equal(errno, codes[i].error);
		assert_int_equal(strncmp(why.text, "it: ", 4), 0);
		assert_int_equal(why_errno(NULL, "it"), codes[i].code);
	}
	assert_int_equal(why_set(&why, ERR_BUSY, "%0999d", 5), ERR_BUSY);
	assert_int_equal(strlen(why.text), sizeof why.text - 1);
	assert_int_equal(why_set(NULL, 7, "x"), 7);
	for (int code = ERR_NOSPACE; code <= 0; code++)
		assert_string_not_equal(err_name(code), "unknown");
	assert_string_equal(err_name(ERR_CORRUPT), "corrupt");
	assert_string_equal(err_name(ERR_NOSPACE), "no_space");
	assert_string_equal(err_name(ERR_NOSPACE - 1), "unknown");
	assert_string_equal(err_name(1), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_at_offsets),
		cmocka_unit_test(test_dir_make),
		cmocka_unit_test(test_nonblock),
		cmocka_unit_test(test_errors_in_words),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
