/*
 * skip: a test that cannot run says why. Include after cmocka.h.
 */
#ifndef FIC_TEST_SKIP_H
#define FIC_TEST_SKIP_H

#define skip_because(reason)                            \
	do {                                            \
		print_message("skipped: %s\n", reason); \
		skip();                                 \
	} while (0)

#endif
