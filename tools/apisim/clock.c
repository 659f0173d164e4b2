/* The simulated time: real time plus an offset, or standing still. Nothing
 * else in the simulator may ask the machine what time it is. */
#include "clock.h"

#include <time.h>

static int64_t start_ms;   /* simulated time at the start */
static int64_t mono_start; /* the machine's monotonic time at the start */
static int64_t shift_ms;   /* what the controls added since */
static bool standing;

static int64_t read_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void clock_init(int64_t start, bool frozen)
{
	start_ms = start ? start * 1000 : read_ms(CLOCK_REALTIME);
	mono_start = clock_mono_ms();
	shift_ms = 0;
	standing = frozen;
}

int64_t clock_mono_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

int64_t clock_flow_ms(void)
{
	return start_ms + shift_ms + clock_mono_ms() - mono_start;
}

int64_t clock_now_ms(void)
{
	return standing ? start_ms + shift_ms : clock_flow_ms();
}

int64_t clock_now(void)
{
	return clock_now_ms() / 1000;
}

void clock_advance(int64_t seconds)
{
	shift_ms += seconds * 1000;
}

void clock_set(int64_t unix_seconds)
{
	clock_advance(unix_seconds - clock_now());
}

bool clock_is_frozen(void)
{
	return standing;
}
