/* retry: when to try again after failures. Pure. */
#include "sync_state.h"

#define RETRY_MAX_MS INT64_C(900000)

int64_t schedule_retry_ms(unsigned failures, int64_t retry_ms)
{
	int64_t delay = retry_ms * 30;

	for (unsigned i = 1; i < failures && i < 32 && delay < RETRY_MAX_MS; i++)
		delay *= 2;
	return delay < RETRY_MAX_MS ? delay : RETRY_MAX_MS;
}
