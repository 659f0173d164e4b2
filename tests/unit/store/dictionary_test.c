/*
 * Packers of a dictionary are kept for the next transaction: a bounded number, none of a dictionary that
 * is damaged or gone, and whatever one has packed before, the next record becomes the same bytes. Of
 * unpackers a bounded number is in memory, and always those whose file is about to go.
 */
#include "support/lab.h"

#include "dictionary.h"

#include <base/files.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static struct lab lab;
static struct dictionaries *held;

static void put_file(uint64_t number)
{
	struct bytes samples[20];
	struct buf all = {0}, trained = {0}, file = {0};
	size_t ends[20];
	char text[80];

	for (unsigned i = 0; i < 20; i++) {
		for (unsigned k = 0; k < 20; k++) {
			snprintf(text, sizeof text, "of %u the phrase %u and again %u; ",
				 (unsigned)number, (i + k) % 7, k);
			buf_put_str(&all, text);
		}
		ends[i] = all.len;
	}
	for (unsigned i = 0; i < 20; i++) {
		size_t start = i ? ends[i - 1] : 0;
		samples[i] = bytes_of(all.data + start, ends[i] - start);
	}
	assert_int_equal(dictionary_train(samples, 20, &trained), 0);
	assert_true(trained.len > 0);
	dictionary_encode(buf_bytes(&trained), &file);
	char *path = dictionary_path(lab.dir, "contacts", number);
	lab_write("", path, buf_bytes(&file));
	free(path);
	buf_release(&all);
	buf_release(&trained);
	buf_release(&file);
}

static int setup(void **state)
{
	char path[200];

	(void)state;
	lab_init(&lab);
	snprintf(path, sizeof path, "%.100s/contacts", lab.dir);
	assert_int_equal(dir_make(path, 0700, NULL), 0);
	for (uint64_t number = 1; number <= 3; number++)
		put_file(number);
	held = dictionaries_new(lab.dir);
	assert_non_null(held);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dictionaries_free(held);
	lab_release(&lab);
	return 0;
}

static struct packer *take(uint64_t number)
{
	struct packer *p;

	assert_int_equal(dictionary_packer(held, "contacts", number, &p), 0);
	return p;
}

static void kept(void **state)
{
	struct packer *p[4];

	(void)state;
	for (uint64_t number = 1; number <= 3; number++)
		p[number] = take(number);
	struct packer *second = take(2);
	assert_ptr_not_equal(second, p[2]);
	for (uint64_t number = 1; number <= 3; number++)
		dictionary_give_packer(held, number, p[number]);
	dictionary_give_packer(held, 2, second); /* one is there */
	/* Room for two: the one that was read the longest time ago went. */
	assert_ptr_equal(take(2), p[2]);
	assert_ptr_equal(take(3), p[3]);
	dictionary_give_packer(held, 2, p[2]);
	dictionary_give_packer(held, 3, p[3]);
	dictionary_distrust(held, 2);
	assert_int_equal(dictionary_packer(held, "contacts", 2, &p[2]), ERR_CORRUPT);
	dictionary_forget(held, 3);
	p[3] = take(3);
	dictionary_forget(held, 3);
	dictionary_give_packer(held, 3, p[3]); /* of one that is gone */
	dictionary_give_packer(held, 1, NULL);
}

static void same_bytes(void **state)
{
	struct bytes raw = bytes_str("of 1 the phrase 3 and again 4; of 1 the phrase 4 and again 5; ");
	struct buf first = {0}, again = {0};

	(void)state;
	struct packer *p = take(1);
	assert_int_equal(packer_pack(p, raw, &first), 0);
	/* A transaction that ends within a record. */
	packer_begin(p);
	assert_int_equal(packer_feed(p, raw, false, &again), 0);
	buf_reset(&again);
	dictionary_give_packer(held, 1, p);
	p = take(1);
	assert_int_equal(packer_pack(p, raw, &again), 0);
	assert_true(bytes_equal(buf_bytes(&first), buf_bytes(&again)));
	dictionary_give_packer(held, 1, p);
	buf_release(&first);
	buf_release(&again);
}

static int look(uint64_t number)
{
	struct unpacker *u;

	return dictionary_unpacker(held, "contacts", number, &u);
}

static void remove_file(uint64_t number)
{
	char *path = dictionary_path(lab.dir, "contacts", number);

	assert_int_equal(remove(path), 0);
	free(path);
}

static void few_in_memory(void **state)
{
	(void)state;
	for (uint64_t number = 4; number <= 20; number++)
		put_file(number);
	assert_int_equal(dictionary_pin(held, "contacts", 1), 0);
	assert_int_equal(look(2), 0);
	dictionary_distrust(held, 2);
	for (uint64_t number = 3; number <= 20; number++)
		assert_int_equal(look(number), 0);
	assert_int_equal(look(7), 0);
	for (uint64_t number = 1; number <= 20; number++)
		remove_file(number);
	/* Those that cannot be read again stay, and what was asked for last; the oldest went. */
	assert_int_equal(look(1), 0);
	assert_int_equal(look(2), 0);
	for (uint64_t number = 7; number <= 20; number++)
		assert_int_equal(look(number), 0);
	for (uint64_t number = 3; number <= 6; number++)
		assert_int_equal(look(number), ERR_CORRUPT);
	dictionary_forget(held, 1);
	assert_int_equal(look(1), ERR_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(kept, setup, teardown),
		cmocka_unit_test_setup_teardown(same_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(few_in_memory, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
