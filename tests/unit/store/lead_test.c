/* lead: what the store says of how much older than their parents records may be, whatever comes in which order. */
#include <store/store.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct store_schema schemas[] = {{"conversations", NULL, 0, NULL},
					      {"messages", NULL, 0, "conversations"},
					      {NULL, NULL, 0, NULL}};
/* Of a release that did not know of parents. */
static const struct store_schema older[] = {
	{"conversations", NULL, 0, NULL}, {"messages", NULL, 0, NULL}, {NULL, NULL, 0, NULL}};

static char dir[64];
static struct store *store;
static struct txn *txn;
static int64_t seen_ms = 1000000;

static void wake(void *ctx)
{
	(void)ctx;
}

static void open_store(const struct store_schema *s, size_t journal_bytes)
{
	const struct store_options options = {
		.dir = dir, .schemas = s, .journal_bytes = journal_bytes, .hooks = {.wake = wake}};

	assert_int_equal(store_open(&options, &store, NULL), 0);
}

static void put(const char *resource, const char *id, const char *parent, int64_t created_ms)
{
	const struct record r = {.id = bytes_str(id),
				 .parent = parent ? bytes_str(parent) : bytes_of(NULL, 0),
				 .created_ms = created_ms,
				 .updated_ms = ++seen_ms,
				 .seen_ms = seen_ms};

	if (!txn)
		assert_int_equal(store_begin(store, &txn, NULL), 0);
	assert_int_equal(txn_put(txn, resource, &r, NULL, NULL), 0);
}

static void committed(void *ctx, int rc, const struct why *why)
{
	(void)why;
	assert_int_equal(rc, 0);
	*(bool *)ctx = true;
}

static void commit(void)
{
	bool done = false;

	txn_commit(txn, committed, &done);
	txn = NULL;
	while (!done)
		store_work(store);
}

static void work(void)
{
	while (store_work(store))
		;
}

/* -1: unknown. */
static int64_t lead(void)
{
	struct snapshot *v = snapshot_new(store);
	int64_t ms = -1;

	if (!snapshot_lead(v, "messages", &ms))
		ms = -1;
	snapshot_free(v);
	return ms;
}

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/fic-lead-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[100];

	(void)state;
	store_close(store);
	snprintf(command, sizeof command, "rm -rf -- '%s'", dir);
	return system(command);
}

static void a_bound_of_what_came_and_lasts(void **state)
{
	(void)state;
	open_store(schemas, 1 << 16);
	assert_int_equal(lead(), 0);
	put("conversations", "c1", NULL, 5000);
	put("messages", "m1", "c1", 5000);
	put("messages", "m2", "c1", 9000);
	commit();
	assert_int_equal(lead(), 0);
	put("messages", "m3", "c1", 4900); /* the parent is held */
	commit();
	assert_int_equal(lead(), 100);
	put("messages", "m4", "c2", 700); /* it comes later in the transaction */
	put("conversations", "c2", NULL, 1000);
	commit();
	assert_int_equal(lead(), 300);
	store_close(store);
	open_store(schemas, 1 << 16);
	assert_int_equal(lead(), 300);
}

static void an_orphan_makes_it_unknown_until_its_parent_comes(void **state)
{
	(void)state;
	put("messages", "m5", "c3", 2000);
	commit();
	assert_int_equal(lead(), -1);
	work();
	assert_int_equal(lead(), -1);
	put("messages", "m6", "c1", 6000); /* does not say that it is known */
	commit();
	assert_int_equal(lead(), -1);
	store_close(store);
	open_store(schemas, 1 << 16);
	put("conversations", "c3", NULL, 2500);
	commit();
	assert_int_equal(lead(), -1);
	work();
	assert_int_equal(lead(), 500);
	put("messages", "m7", "c1", 6000);
	commit();
	store_close(store);
	open_store(schemas, 1 << 16); /* now there is a mark again */
	assert_int_equal(lead(), 500);
}

static void a_parent_that_becomes_younger(void **state)
{
	(void)state;
	put("conversations", "c1", NULL, 5700);
	commit();
	assert_int_equal(lead(), -1);
	work();
	assert_int_equal(lead(), 800); /* m3 */
}

static void what_was_written_before_is_looked_at(void **state)
{
	(void)state;
	store_close(store);
	open_store(older, 0);
	put("conversations", "c9", NULL, 90000);
	put("messages", "m9", "c9", 80000);
	commit();
	work();
	store_close(store);
	/* There is no mark (the parent has taken it away), so all is looked at. */
	open_store(schemas, 0);
	assert_int_equal(lead(), -1);
	work();
	assert_int_equal(lead(), 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bound_of_what_came_and_lasts),
		cmocka_unit_test(an_orphan_makes_it_unknown_until_its_parent_comes),
		cmocka_unit_test(a_parent_that_becomes_younger),
		cmocka_unit_test(what_was_written_before_is_looked_at),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
