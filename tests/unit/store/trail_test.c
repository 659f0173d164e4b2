/* The trail: order, limits, resuming, and what damage costs. */
#include "support/find.h"
#include "support/lab.h"

#include <store/trail.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct lab lab;

static int setup(void **state)
{
	(void)state;
	lab_init(&lab);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	lab_release(&lab);
	return 0;
}

static struct trail *open_trail(size_t bytes, unsigned files)
{
	struct trail *t = NULL;

	assert_int_equal(trail_open(lab.dir, bytes, files, &t, NULL), 0);
	return t;
}

static void append(struct trail *t, unsigned i)
{
	char text[32];
	int n = snprintf(text, sizeof text, "entry %u", i);

	assert_int_equal(trail_append(t, bytes_of(text, (size_t)n), NULL), 0);
}

struct seen {
	uint64_t last;
	unsigned count, most;
};

static bool each(void *ctx, uint64_t sequence, struct bytes value)
{
	struct seen *s = ctx;
	char text[32];
	int n = snprintf(text, sizeof text, "entry %llu", (unsigned long long)sequence);

	assert_true(bytes_equal(value, bytes_of(text, (size_t)n)));
	assert_true(sequence < s->last);
	s->last = sequence;
	return ++s->count < s->most;
}

static struct seen scan(struct trail *t, uint64_t before, unsigned most)
{
	struct seen s = {before, 0, most};

	assert_int_equal(trail_scan(t, before, each, &s), 0);
	return s;
}

static void in_order(void **state)
{
	struct trail *t = open_trail(200, 1000);

	(void)state;
	assert_int_equal(scan(t, UINT64_MAX, 10).count, 0);
	for (unsigned i = 0; i < 100; i++)
		append(t, i);
	assert_int_equal(scan(t, UINT64_MAX, 1000).count, 100);
	assert_int_equal(scan(t, 50, 1000).count, 50);
	assert_int_equal(scan(t, 50, 7).last, 43);
	assert_int_equal(scan(t, 0, 7).count, 0);
	trail_close(t);
	t = open_trail(200, 1000);
	append(t, 100);
	assert_int_equal(scan(t, UINT64_MAX, 1).last, 100);
	assert_int_equal(scan(t, UINT64_MAX, 1000).count, 101);
	trail_close(t);
}

static void bounded(void **state)
{
	struct trail *t = open_trail(100, 3);
	static uint8_t big[(1 << 20) + 1];

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		append(t, i);
	assert_int_equal(lab_files(lab.dir, ".log"), 3);
	struct seen s = scan(t, UINT64_MAX, 10000);
	assert_true(s.count >= 8 && s.count <= 18 && s.last == 1000 - s.count);
	assert_int_equal(trail_append(t, bytes_of(big, 0), NULL), ERR_LIMIT);
	assert_int_equal(trail_append(t, bytes_of(big, sizeof big), NULL), ERR_LIMIT);
	append(t, 1000);
	trail_close(t);
}

/* Each byte flipped, each length cut: every entry that is shown is right, and what comes later is
 * not lost. */
static void damage(void **state)
{
	struct buf file = {0};
	struct trail *t = open_trail(1000, 3);

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		append(t, i);
	trail_close(t);
	lab_read(lab.dir, "0.log", &file);
	for (size_t at = 0; at < file.len * 2; at++) {
		bool cut = at >= file.len;
		struct bytes content = {file.data, cut ? at - file.len : file.len};
		if (!cut)
			file.data[at] ^= (uint8_t)(1 << at % 8);
		lab_remove(lab.dir);
		assert_int_equal(access(lab.dir, F_OK), -1);
		trail_close(open_trail(1000, 3));
		lab_write(lab.dir, "0.log", content);
		if (!cut)
			file.data[at] ^= (uint8_t)(1 << at % 8);
		t = open_trail(1000, 3);
		struct seen s = scan(t, UINT64_MAX, 100);
		assert_true(s.count <= 10);
		assert_int_equal(trail_append(t, bytes_str("x"), NULL), 0);
		trail_close(t);
		t = open_trail(1000, 3);
		trail_close(t);
	}
	buf_release(&file);
}

static bool count_all(void *ctx, uint64_t sequence, struct bytes value)
{
	unsigned *n = ctx;

	(void)sequence;
	*n += value.len > 0;
	return true;
}

static void torn_tail(void **state)
{
	struct buf file = {0};
	struct trail *t = open_trail(1000, 3);

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		append(t, i);
	trail_close(t);
	lab_read(lab.dir, "0.log", &file);
	lab_write(lab.dir, "0.log", bytes_of(file.data, file.len - 3));
	t = open_trail(1000, 3);
	append(t, 4);
	append(t, 5);
	assert_int_equal(scan(t, UINT64_MAX, 100).count, 6);
	trail_close(t);
	lab_write(lab.dir, "0.log", bytes_str("nonsense"));
	t = open_trail(1000, 3);
	assert_int_equal(scan(t, UINT64_MAX, 100).count, 0);
	assert_int_equal(trail_append(t, bytes_str("x"), NULL), 0);
	trail_close(t);
	assert_int_equal(lab_files(lab.dir, ".log"), 2);
	buf_release(&file);
}

static int edit(void *ctx, struct bytes value, struct buf *out)
{
	unsigned *edited = ctx;
	unsigned n = (unsigned)atoi((const char *)value.data);

	if (n % 7)
		return 0;
	buf_printf(out, "%u and no more", n);
	++*edited;
	return 1;
}

/* Entries are replaced in all files, the newest too, and nothing else changes. */
static void edited(void **state)
{
	struct trail *t = open_trail(200, 1000);
	unsigned done = 0, files;
	struct why why;
	size_t at = 0;
	int rc;

	(void)state;
	assert_int_equal(trail_edit_step(t, &at, edit, &done, &why), 0);
	for (unsigned i = 0; i < 100; i++) {
		char text[32];
		snprintf(text, sizeof text, "%u SECRET", i);
		assert_int_equal(trail_append(t, bytes_of(text, strlen(text) + 1), NULL), 0);
	}
	files = lab_files(lab.dir, ".log");
	assert_true(files > 5 && find_bytes(lab.dir, bytes_str("21 SECRET"), NULL) == 1);
	while ((rc = trail_edit_step(t, &at, edit, &done, &why)) == 1)
		;
	assert_int_equal(rc, 0);
	assert_int_equal(done, 15);
	assert_int_equal(find_bytes(lab.dir, bytes_str("21 SECRET"), NULL), 0);
	assert_int_equal(find_bytes(lab.dir, bytes_str("98 SECRET"), NULL), 0);
	assert_int_equal(find_bytes(lab.dir, bytes_str("21 and no more"), NULL), 1);
	assert_int_equal(find_bytes(lab.dir, bytes_str("99 SECRET"), NULL), 1);
	assert_int_equal(lab_files(lab.dir, ".log"), files);
	assert_int_equal(lab_files(lab.dir, ".tmp"), 0);
	assert_int_equal(trail_append(t, bytes_str("100"), NULL), 0);
	trail_close(t);
	t = open_trail(200, 1000);
	assert_int_equal(trail_append(t, bytes_str("101"), NULL), 0);
	unsigned all = 0;
	assert_int_equal(trail_scan(t, UINT64_MAX, count_all, &all), 0);
	assert_int_equal(all, 102);
	trail_close(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(damage, setup, teardown),
		cmocka_unit_test_setup_teardown(torn_tail, setup, teardown),
		cmocka_unit_test_setup_teardown(edited, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
