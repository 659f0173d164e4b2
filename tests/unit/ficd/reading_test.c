/* reading: a question that takes long goes on in slices, and is told apart from what is done between them. */
#include "kept.h"
#include "reading.h"

#include <base/clock.h>
#include <io/loop.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SLICES 5

struct bench {
	struct daemon daemon;
	struct request request;
	struct reading reading;
	struct task *other;
	unsigned slices, others;
	int64_t own_us, others_us; /* processor time */
};

static int64_t burn(int64_t us)
{
	int64_t began_us = clock_thread_us(), now_us;

	do
		now_us = clock_thread_us();
	while (now_us - began_us < us);
	return now_us - began_us;
}

static struct bench *bench_of(struct reading *g)
{
	return (struct bench *)((char *)g - offsetof(struct bench, reading));
}

static bool slice(void *ctx)
{
	struct bench *b = bench_of(ctx);

	b->own_us += burn(500);
	if (++b->slices < SLICES)
		return true;
	kept_pause(&b->reading);
	return false;
}

static bool work(void *ctx)
{
	struct bench *b = ctx;

	b->others_us += burn(20000);
	b->others++;
	return b->slices < SLICES;
}

/* As long as others take beside it, the answer has cost what was done for it and nothing else. */
static void others_cost_nothing(void **state)
{
	struct bench *b = calloc(1, sizeof *b);
	struct why why = {""};

	(void)state;
	b->daemon.loop = loop_new(&why);
	assert_non_null(b->daemon.loop);
	b->request.daemon = &b->daemon;
	b->reading.request = &b->request;
	b->reading.keeps = true;
	b->other = task_new(b->daemon.loop, work, b);
	task_start(b->other);
	kept_resume(&b->reading);
	reading_go(&b->reading, slice);
	assert_int_equal(b->slices, 1);
	loop_run(b->daemon.loop);
	assert_int_equal(b->slices, SLICES);
	assert_true(b->others >= SLICES - 1);
	assert_true(b->reading.cost_us >= b->own_us - 1);
	assert_true(b->reading.cost_us < b->own_us + b->others_us / 8);
	task_free(b->reading.task);
	task_free(b->other);
	loop_free(b->daemon.loop);
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(others_cost_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
