/*
 * ask: what full text costs on a store of conversations.
 */
#ifndef FIC_TESTS_BENCH_ASK_H
#define FIC_TESTS_BENCH_ASK_H

#include <store/store.h>

/* Asks some questions several times, and says how long the fastest of each took, and how many there are. */
void ask_all(struct store *s);

#endif
