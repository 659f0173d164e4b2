/* bury: the children that are gone, in a store of many files: no step looks at more than one of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILES 60
#define NOW   INT64_C(1700000000000)

static struct {
	char dir[64];
	struct store *store;
} lab;

static void wake(void *ctx)
{
	(void)ctx; /* no upkeep: files are not merged */
}

static int setup(void **state)
{
	const char *tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	struct why why = {""};

	(void)state;
	snprintf(lab.dir, sizeof lab.dir, "%s/fic-bury-XXXXXX", tmp);
	assert_non_null(mkdtemp(lab.dir));
	struct store_options options = {.dir = lab.dir, .hooks = {.wake = wake}};
	assert_int_equal(store_open(&options, &lab.store, &why), 0);
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	store_close(lab.store);
	snprintf(command, sizeof command, "rm -r %s", lab.dir);
	return system(command);
}

static void on_commit(void *ctx, int rc, const struct why *why)
{
	(void)why;
	assert_int_equal(rc, 0);
	*(bool *)ctx = true;
}

static void commit(struct txn *txn)
{
	bool done = false;

	txn_commit(txn, on_commit, &done);
	while (!done)
		store_work(lab.store);
}

static void put(struct txn *txn, const char *parent, int n)
{
	static const uint8_t doc[] = {0x81, 0xa1, 'b', 0xa1, 'x'};
	struct why why = {""};
	char id[32];

	snprintf(id, sizeof id, "%s-%d", parent, n);
	struct record r = {.id = bytes_str(id),
			   .parent = bytes_str(parent),
			   .created_ms = NOW + n,
			   .updated_ms = NOW + n,
			   .seen_ms = NOW + 100000,
			   .doc = bytes_of(doc, sizeof doc)};
	assert_int_equal(txn_put(txn, "messages", &r, NULL, &why), 0);
}

/* One message of the thread in every file. */
static void fill(void)
{
	struct why why = {""};
	struct txn *txn;

	for (int i = 0; i < FILES; i++) {
		assert_int_equal(store_begin(lab.store, &txn, &why), 0);
		put(txn, "thread", i);
		put(txn, "another", i);
		commit(txn);
	}
}

static bool is_held(struct snapshot *view, const char *parent, int n)
{
	struct record held;
	char id[32];

	snprintf(id, sizeof id, "%s-%d", parent, n);
	assert_int_equal(snapshot_peek(view, "messages", bytes_str(id), &held), 1);
	return !(held.flags & RECORD_DELETED);
}

/* The steps that it took. */
static unsigned bury(struct hashset *keep)
{
	struct resource resource = {.child = provider_type(&provider_intercom, bytes_str("messages"))};
	struct run run = {.resource = &resource, .view = snapshot_new(lab.store)};
	struct why why = {""};
	unsigned steps = 1;
	int rc;

	assert_int_equal(store_begin(lab.store, &run.txn, &why), 0);
	assert_int_equal(run_bury_children(&run, bytes_str("thread"), keep, NOW + 200000, NULL, &why),
			 0);
	while ((rc = run_bury_step(&run, &why)) == 1) {
		steps++;
		assert_non_null(run.burial);
	}
	assert_int_equal(rc, 0);
	assert_null(run.burial);
	snapshot_free(run.view);
	commit(run.txn);
	buf_release(&run.memory);
	return steps;
}

static void a_file_with_each_step(void **state)
{
	struct hashset keep = {0};

	(void)state;
	fill();
	assert_true(hashset_add(&keep, bytes_hash(bytes_str("thread-7"))) == 1);
	/* A scan step opens one file, and there is one row to bury in each. */
	unsigned steps = bury(&keep);
	assert_true(steps >= FILES && steps <= 3 * FILES);
	struct snapshot *view = snapshot_new(lab.store);
	for (int i = 0; i < FILES; i++) {
		assert_int_equal(is_held(view, "thread", i), i == 7);
		assert_true(is_held(view, "another", i));
	}
	snapshot_free(view);
	/* The last one. */
	bury(NULL);
	view = snapshot_new(lab.store);
	assert_false(is_held(view, "thread", 7));
	snapshot_free(view);
}

/* What is given up in the middle leaves nothing behind. */
static void given_up(void **state)
{
	struct resource resource = {.child = provider_type(&provider_intercom, bytes_str("messages"))};
	struct run run = {.resource = &resource};
	struct hashset keep = {0};
	struct why why = {""};

	(void)state;
	fill();
	run.view = snapshot_new(lab.store);
	assert_int_equal(store_begin(lab.store, &run.txn, &why), 0);
	assert_true(hashset_add(&keep, 7) == 1);
	assert_int_equal(run_bury_children(&run, bytes_str("thread"), &keep, NOW, NULL, &why), 0);
	assert_int_equal(run_bury_step(&run, &why), 1);
	run_bury_drop(&run);
	assert_null(run.burial);
	run_bury_drop(&run);
	txn_abort(run.txn);
	snapshot_free(run.view);
	buf_release(&run.memory);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {CASE(a_file_with_each_step), CASE(given_up)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
