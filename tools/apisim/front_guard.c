/* What is allowed how often: the company's calls a minute with an extra
 * allowance on top, and guards that know one resource only. */
#include "clock.h"
#include "foreign.h"
#include "front_api.h"
#include "ledger.h"
#include "settings.h"
#include "stats.h"

#include <string.h>

#define GUARDS          512
#define BURST_REFILL_MS 600000

static struct {
	uint32_t used;
	int64_t refill_ms; /* 0: it was not exhausted */
	uint64_t ever;
} burst;

static struct {
	uint64_t key;
	int64_t window;
	uint32_t used;
	int64_t refused_ms; /* when the client was told to wait; 0: it was not */
} guards[GUARDS];

static uint32_t burst_limit(void)
{
	return settings.rate / 2;
}

static void burst_roll(void)
{
	if (!burst.refill_ms || clock_flow_ms() < burst.refill_ms)
		return;
	burst.used = 0;
	burst.refill_ms = 0;
}

bool front_rate_take(void)
{
	if (ledger_rate_take())
		return true;
	burst_roll();
	if (burst.used >= burst_limit())
		return false;
	burst.used++;
	burst.ever++;
	if (burst.used == burst_limit())
		burst.refill_ms = clock_flow_ms() + BURST_REFILL_MS;
	return true;
}

void front_burst_words(uint32_t *limit, uint32_t *remaining)
{
	burst_roll();
	*limit = burst_limit();
	*remaining = *limit - burst.used;
}

bool front_guard_take(const char *key, uint32_t most, uint32_t window_ms, uint32_t *wait_ms)
{
	uint64_t name = hash_bytes(key, strlen(key), 6);
	int64_t flow = clock_flow_ms(), window = flow / window_ms;
	unsigned slot = (unsigned)(name % GUARDS);

	if (guards[slot].key != name || guards[slot].window != window) {
		guards[slot].key = name;
		guards[slot].window = window;
		guards[slot].used = 0;
		guards[slot].refused_ms = 0;
	}
	*wait_ms = (uint32_t)((window + 1) * window_ms - flow);
	if (guards[slot].used >= most) {
		if (!guards[slot].refused_ms)
			guards[slot].refused_ms = clock_mono_ms();
		else if (clock_mono_ms() > guards[slot].refused_ms + settings.grace_ms)
			stats_breach(BREACH_RETRY_AFTER, "%s: %u ms before it is let through again",
				     key, *wait_ms);
		return false;
	}
	guards[slot].used++;
	return true;
}

void front_limits_print(struct buf *b)
{
	j_int(b, "burst_used", (int64_t)burst.ever);
	foreign_print(b, "foreign");
}
