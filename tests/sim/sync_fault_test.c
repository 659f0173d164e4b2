/*
 * Every kind of mishap at every call of a first sync and of what follows it: no claim is ever broken, and in the end everything is held. Every kind of
 * mishap for good, too: no storm.
 */
#include "support/lab.h"

#include <stdio.h>
#include <stdlib.h>

static void small(struct lab *lab, uint64_t seed)
{
	lab_init(lab, seed);
	lab->options.count[KIND_CONVERSATION] = 9;
	lab->options.count[KIND_CONTACT] = 6;
	lab->options.count[KIND_COMPANY] = 6;
	lab->options.count[KIND_TAG] = 2;
	lab->options.history_ms = 20 * DAY_MS;
	lab->options.page_max = 4;
	lab->options.change_every_ms = 20000;
}

static void at_call(enum mishap mishap, uint64_t call, unsigned calls)
{
	struct lab lab;

	small(&lab, call);
	lab_open(&lab);
	lab.world->mishap = mishap;
	lab.world->mishap_at = call;
	lab.world->mishap_calls = calls;
	lab_run(&lab, 150 * MINUTE_MS);
	lab_check(&lab);
	if (lab.broken || !lab_whole(&lab, 6 * MINUTE_MS))
		fail_msg("mishap %d at call %llu (%u of them): %u claims broken, or not everything is held",
			 (int)mishap, (unsigned long long)call, calls, lab.broken);
	lab_close(&lab);
}

static const enum mishap every[] = {
	MISHAP_500,          MISHAP_502_HTML, MISHAP_429,   MISHAP_429_RESET, MISHAP_STALLED,
	MISHAP_CUT,          MISHAP_CONNECT,  MISHAP_EMPTY, MISHAP_HTML,      MISHAP_ERROR_200,
	MISHAP_NOT_MODIFIED, MISHAP_401,      MISHAP_403,   MISHAP_404_HTML,
};

/* SIM_CALL="13 2 8": only mishap 13 at call 2 and 8 of them. */
static void each_call(void **state)
{
	unsigned step = getenv("SIM_SEEDS") ? 1 : 5, mishap, only, calls;

	(void)state;
	if (getenv("SIM_CALL") && sscanf(getenv("SIM_CALL"), "%u %u %u", &mishap, &only, &calls) == 3) {
		at_call((enum mishap)mishap, only, calls);
		return;
	}
	for (size_t m = 0; m < sizeof every / sizeof *every; m++)
		for (uint64_t call = 1 + m % step; call <= 45; call += step) {
			at_call(every[m], call, 1);
			at_call(every[m], call, 8);
		}
}

static void for_good(void **state)
{
	(void)state;
	for (size_t m = 0; m < sizeof every / sizeof *every; m++)
		for (uint64_t call = 1; call <= 22; call += 7) {
			struct lab lab;
			small(&lab, m);
			lab_open(&lab);
			lab.world->mishap = every[m];
			lab.world->mishap_at = call;
			lab.world->mishap_calls = 1000000000;
			lab_run(&lab, DAY_MS);
			/* Five things to read, each tried six times every quarter of an hour; who is told to wait three seconds asks once in fifteen. */
			if (lab.broken || lab.world->calls > 6000)
				fail_msg("mishap %d from call %llu on: %llu calls in a day, %u claims broken",
					 (int)every[m], (unsigned long long)call,
					 (unsigned long long)lab.world->calls, lab.broken);
			lab_close(&lab);
		}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_call),
		cmocka_unit_test(for_good),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
