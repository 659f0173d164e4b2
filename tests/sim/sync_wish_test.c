/* What a wish brings is no older than the wish: whoever comes while a run is under way is served by one that asks after he came, and all who come then share it. */
#include "support/lab.h"

#include <codec/msgpack.h>

#include <stdio.h>
#include <stdlib.h>

static struct lab lab;

static int setup(void **state)
{
	(void)state;
	lab_init(&lab, 1);
	lab.options.change_every_ms = 0;
	lab.options.rate_limit = 0;
	lab.options.history_ms = 25 * DAY_MS;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(lab.broken, 0);
	lab_close(&lab);
	return 0;
}

static bool idle(struct lab *l)
{
	return sync_idle(l->sync);
}

static void settle(void)
{
	lab_open(&lab);
	assert_true(lab_run_until(&lab, 30 * MINUTE_MS, idle));
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
}

static const struct resource_type *type(const char *name)
{
	return provider_type(&provider_intercom, bytes_str(name));
}

static uint64_t wish(const char *resource, enum sync_mode mode)
{
	uint64_t id = 0;
	struct why why = {""};

	assert_int_equal(sync_wish(lab.sync, type(resource), mode, &id, 1, &why), 1);
	return id;
}

static uint64_t wish_id(const char *resource, const char *id)
{
	struct bytes text = bytes_str(id);
	uint64_t run;
	struct why why = {""};

	assert_int_equal(sync_wish_ids(lab.sync, type(resource), &text, 1, &run, &why), 0);
	return run;
}

/* The run that serves a wish, and what follows it. */
struct told {
	unsigned ended;
	uint64_t last;
	enum run_outcome outcome;
};

static void on_ended(void *ctx, const struct run_info *run)
{
	struct told *told = ctx;
	const struct run_watch w = {.ended = on_ended, .ctx = told};

	told->ended++;
	told->outcome = run->outcome;
	told->last = run->id;
	if (run->follow)
		assert_int_equal(sync_watch(lab.sync, run->follow, &w), 0);
}

static void watch(uint64_t id, struct told *told)
{
	const struct run_watch w = {.ended = on_ended, .ctx = told};

	*told = (struct told){0};
	assert_int_equal(sync_watch(lab.sync, id, &w), 0);
}

static struct told *awaited;

static bool is_told(struct lab *l)
{
	(void)l;
	return awaited->ended > 0;
}

static void wait_for(struct told *told)
{
	awaited = told;
	assert_true(lab_run_until(&lab, 30 * MINUTE_MS, is_told));
	assert_int_equal(told->outcome, RUN_OK);
}

static uint64_t calls_at;

static bool has_called(struct lab *l)
{
	return l->world->calls > calls_at;
}

/* Until the next call has come to the provider, which answers with the world as it is then. */
static void until_called(void)
{
	calls_at = lab.world->calls;
	assert_true(lab_run_until(&lab, MINUTE_MS, has_called));
}

static struct thing *first_of(enum kind kind, unsigned skip)
{
	for (unsigned i = 0; i < lab.world->count; i++)
		if (lab.world->things[i]->kind == kind && skip-- == 0)
			return lab.world->things[i];
	fail_msg("there is no such thing");
	return NULL;
}

/* What is held is the world's latest: names count the changes. */
static bool is_held(const char *resource, const struct thing *t, const char *id)
{
	struct snapshot *view = snapshot_new(lab.store);
	struct buf memory = {0};
	struct record r;
	struct bytes name;
	char expected[24];

	assert_int_equal(snapshot_get(view, resource, bytes_str(id), &memory, &r), 1);
	assert_true(mp_find_str(r.doc, t->kind == KIND_CONVERSATION ? "title" : "name", &name));
	snprintf(expected, sizeof expected, "v%u", t->changes);
	bool held = bytes_is(name, expected);
	buf_release(&memory);
	snapshot_free(view);
	return held;
}

static void change(struct thing *t)
{
	world_change(lab.world, t, world_now(lab.world), true);
}

static const char *id_text(const struct thing *t)
{
	static char text[32];

	snprintf(text, sizeof text,
		 t->kind == KIND_CONVERSATION || t->kind == KIND_TAG ? "%u" : "%024x", t->id);
	return text;
}

/* ---- changes ---- */

static void changes_are_asked_after_the_wish(void **state)
{
	static struct told first, second, third;

	(void)state;
	settle();
	struct thing *a = first_of(KIND_CONVERSATION, 0), *b = first_of(KIND_CONVERSATION, 1);
	int64_t since = loop_wall_ms(lab.loop);
	change(a);
	uint64_t one = wish("conversations", SYNC_CHANGES);
	watch(one, &first);
	until_called();
	/* The search has been answered, or soon is, without this. */
	lab_run(&lab, 2);
	change(b);
	uint64_t two = wish("conversations", SYNC_CHANGES);
	assert_int_not_equal(one, two);
	watch(two, &second);
	/* Everybody who comes before that one begins shares it. */
	assert_int_equal(wish("conversations", SYNC_CHANGES), two);
	watch(two, &third);
	wait_for(&first);
	assert_true(is_held("conversations", a, id_text(a)));
	assert_int_equal(second.ended, 0);
	wait_for(&second);
	assert_true(is_held("conversations", b, id_text(b)));
	assert_int_equal(third.ended, 1);
	lab_run(&lab, MINUTE_MS);
	assert_int_equal(lab_runs(&lab, "conversations", "changes", NULL, since), 2);
}

/* A list that is read whole each time. */
static void lists_are_asked_after_the_wish(void **state)
{
	static struct told first, second;

	(void)state;
	settle();
	struct thing *tag = first_of(KIND_TAG, 0);
	watch(wish("tags", SYNC_CHANGES), &first);
	until_called();
	lab_run(&lab, 2);
	change(tag);
	watch(wish("tags", SYNC_CHANGES), &second);
	wait_for(&first);
	wait_for(&second);
	assert_true(is_held("tags", tag, id_text(tag)));
}

/* A wish that waits for its turn behind another is not asked twice. */
static void who_has_not_begun_is_joined(void **state)
{
	(void)state;
	settle();
	uint64_t one = wish("conversations", SYNC_CHANGES);
	assert_int_equal(wish("conversations", SYNC_CHANGES), one);
	int64_t since = loop_wall_ms(lab.loop);
	lab_run(&lab, MINUTE_MS);
	assert_int_equal(lab_runs(&lab, "conversations", "changes", NULL, since), 1);
}

/* A first reading is joined by whoever comes while it is under way: changes are read after it anyway. */
static void a_first_reading_is_joined(void **state)
{
	(void)state;
	lab.options.count[KIND_CONVERSATION] = 80;
	lab_open(&lab);
	uint64_t one = wish("conversations", SYNC_CHANGES);
	lab_run(&lab, 300);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(wish("conversations", SYNC_CHANGES), one);
		lab_run(&lab, 50);
	}
	assert_true(lab_run_until(&lab, 30 * MINUTE_MS, idle));
	assert_int_equal(lab_runs(&lab, "conversations", "backfill", NULL, 0), 1);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
}

/* ---- single records ---- */

static void a_record_is_asked_for_after_the_wish(void **state)
{
	static struct told first, second;
	char id[32];

	(void)state;
	settle();
	struct thing *t = first_of(KIND_CONVERSATION, 0);
	snprintf(id, sizeof id, "%s", id_text(t));
	watch(wish_id("conversations", id), &first);
	until_called();
	/* The answer is on its way. */
	lab_run(&lab, 1);
	change(t);
	watch(wish_id("conversations", id), &second);
	wait_for(&second);
	assert_true(is_held("conversations", t, id));
}

/* ---- everything again ---- */

static void everything_is_asked_after_the_wish(void **state)
{
	static struct told first, second;

	(void)state;
	settle();
	int64_t since = loop_wall_ms(lab.loop);
	uint64_t one = wish("contacts", SYNC_FULL);
	watch(one, &first);
	until_called();
	lab_run(&lab, 2);
	uint64_t two = wish("contacts", SYNC_FULL);
	assert_int_not_equal(one, two);
	assert_int_equal(wish("contacts", SYNC_FULL), two);
	watch(two, &second);
	wait_for(&second);
	/* And what follows it. */
	lab_run(&lab, MINUTE_MS);
	assert_true(second.ended >= 2);
	assert_int_equal(lab_runs(&lab, "contacts", "snapshot", "ok", since), 2);
}

/* ---- the end ---- */

/* Whoever waits for a run that waits for another is told when the daemon stops. */
static void who_waits_is_told_of_the_stop(void **state)
{
	static struct told first, second;

	(void)state;
	settle();
	watch(wish("conversations", SYNC_CHANGES), &first);
	until_called();
	watch(wish("conversations", SYNC_CHANGES), &second);
	lab_stop(&lab);
	assert_int_equal(first.ended, 1);
	assert_int_equal(second.ended, 1);
	assert_int_equal(second.outcome, RUN_CANCELED);
	lab_start(&lab);
	lab_run(&lab, 10 * MINUTE_MS);
	assert_true(lab_whole(&lab, 6 * MINUTE_MS));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(changes_are_asked_after_the_wish, setup, teardown),
		cmocka_unit_test_setup_teardown(lists_are_asked_after_the_wish, setup, teardown),
		cmocka_unit_test_setup_teardown(who_has_not_begun_is_joined, setup, teardown),
		cmocka_unit_test_setup_teardown(a_first_reading_is_joined, setup, teardown),
		cmocka_unit_test_setup_teardown(a_record_is_asked_for_after_the_wish, setup, teardown),
		cmocka_unit_test_setup_teardown(everything_is_asked_after_the_wish, setup, teardown),
		cmocka_unit_test_setup_teardown(who_waits_is_told_of_the_stop, setup, teardown),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
