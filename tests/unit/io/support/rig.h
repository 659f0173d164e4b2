/*
 * rig: what every test of the io layer needs: an end in any case, a loop, and a way to wait for a
 * condition.
 */
#ifndef FIC_TEST_IO_RIG_H
#define FIC_TEST_IO_RIG_H

#include <io/loop.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

/* cmocka setup and teardown: *state is the loop. The alarm ends a test that hangs. */
int rig_setup(void **state);
int rig_teardown(void **state);

/* Runs the loop until `ready(ctx)`, which is asked after every turn. Fails the test after 20
 * seconds. */
void rig_until(struct loop *l, bool (*ready)(void *ctx), void *ctx);
void rig_until_flag(struct loop *l, const bool *flag);
void rig_until_count(struct loop *l, const unsigned *count, unsigned at_least);

/* Turns for so long; for tests that nothing happens. */
void rig_turns(struct loop *l, int64_t ms);

#endif
