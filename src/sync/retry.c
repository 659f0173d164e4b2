/* retry: what a failure means, and when to try again. Pure. */
#include "sync_state.h"

enum fault_scope fault_scope(enum fault fault, bool single, bool answered)
{
	/* Who is not reached cannot be blamed for a record. */
	if (!answered && fault != FAULT_NEVER)
		return SCOPE_SOURCE;
	switch (fault) {
	case FAULT_AUTH:
	case FAULT_LATER: return SCOPE_SOURCE;
	case FAULT_DENIED: return SCOPE_RESOURCE;
	case FAULT_NEVER: return single ? SCOPE_RECORD : SCOPE_RESOURCE;
	case FAULT_CURSOR: return SCOPE_PAGE;
	default: return single ? SCOPE_RECORD : SCOPE_PAGE;
	}
}

enum fault_class fault_class(enum fault fault)
{
	switch (fault) {
	case FAULT_LATER: return CLASS_LATER;
	case FAULT_AUTH:
	case FAULT_DENIED:
	case FAULT_NEVER: return CLASS_NEVER;
	default: return CLASS_NOW;
	}
}

#define RETRY_MAX_MS INT64_C(900000)

int64_t schedule_retry_ms(unsigned failures, int64_t retry_ms)
{
	int64_t delay = retry_ms * 30;

	for (unsigned i = 1; i < failures && i < 32 && delay < RETRY_MAX_MS; i++)
		delay *= 2;
	return delay < RETRY_MAX_MS ? delay : RETRY_MAX_MS;
}
