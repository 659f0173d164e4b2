/*
 * memo: numbers that were worked out from the current state, until there is another one.
 */
#ifndef FIC_STORE_MEMO_H
#define FIC_STORE_MEMO_H

#include <stdbool.h>
#include <stdint.h>

#define MEMO_SIZE 256u

/* By a hash of what they are of; each place has one. Starts zeroed. */
struct memo {
	uint64_t questions[MEMO_SIZE], numbers[MEMO_SIZE];
};

void memo_forget(struct memo *m);

#endif
