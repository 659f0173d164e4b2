/* meter: arithmetic. Never asks and never waits. */
#include "meter.h"

const int64_t sync_bucket_ms[SYNC_BUCKETS] = {50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000};

void meter_init(struct meter *m)
{
	*m = (struct meter){.held_mono_ms = TIME_NONE};
}

void meter_answered(struct meter *m, int status, int64_t duration_us)
{
	size_t class = status >= 100 && status < 600 ? (size_t)status / 100 : 0, bucket = 0;

	while (bucket < SYNC_BUCKETS && duration_us > sync_bucket_ms[bucket] * 1000)
		bucket++;
	m->calls.codes[class]++;
	m->calls.durations[bucket]++;
	m->calls.duration_us += duration_us > 0 ? (uint64_t)duration_us : 0;
}

void meter_hold(struct meter *m, int64_t mono_ms)
{
	if (m->held_mono_ms == TIME_NONE)
		m->held_mono_ms = mono_ms;
}

void meter_go(struct meter *m, int64_t mono_ms)
{
	if (m->held_mono_ms != TIME_NONE)
		m->calls.waited_ms += mono_ms - m->held_mono_ms;
	m->held_mono_ms = TIME_NONE;
}

void meter_read(const struct meter *m, int64_t mono_ms, struct sync_calls *out)
{
	struct meter now = *m;

	meter_go(&now, mono_ms);
	*out = now.calls;
}
