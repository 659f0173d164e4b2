/*
 * threads: a store of conversations as the daemon would hold them.
 *
 * Each conversation goes through the provider's reader, so that it becomes what a first sync makes of it: a record and its messages, two on average and long, with
 * the daemon's own indexes. They come in the order of time. What fails ends the program.
 */
#ifndef FIC_TESTS_BENCH_THREADS_H
#define FIC_TESTS_BENCH_THREADS_H

#include <source/provider.h>
#include <store/store.h>

#define THREADS_A_DAY 2000u
#define THREADS_T0_S  1600000000u /* when the first day begins */

void threads_begin(void); /* first */
void threads_end(void);
const struct field *threads_fields(void); /* of conversations */

/* store_work is not called by anybody else. */
struct store *threads_open(const char *dir);
/* Makes so many, with ids from 1000000 on, and lets the store merge what it wants. Returns the bytes of their JSON. */
double threads_fill(struct store *s, unsigned count);

#endif
