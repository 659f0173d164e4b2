/* The simulated time. */
#ifndef APISIM_CLOCK_H
#define APISIM_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* start 0: the machine's own time. */
void clock_init(int64_t start, bool frozen);
/* Simulated Unix seconds: what Date headers, records and searches live by. */
int64_t clock_now(void);
int64_t clock_now_ms(void);
/* Simulated milliseconds that run on even when the clock is frozen: what
 * rate windows and idle limits live by, so that a frozen world still lets a
 * waiting client through. */
int64_t clock_flow_ms(void);
/* Real monotonic milliseconds: timers. */
int64_t clock_mono_ms(void);
void clock_advance(int64_t seconds);
void clock_set(int64_t unix_seconds);
bool clock_is_frozen(void);

#endif
