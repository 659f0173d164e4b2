/*
 * valgrind: whether the test runs under it: it takes posix_spawn its way to tell that nothing was started, and times say nothing.
 */
#ifndef FIC_TEST_VALGRIND_H
#define FIC_TEST_VALGRIND_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static inline bool under_valgrind(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload && strstr(preload, "vgpreload");
}

#endif
