/*
 * breaker: whether a source that fails is asked at all.
 *
 *   closed ──a failure that may concern it all──> half-open ──answered──> closed
 *                                                  │     ^
 *                                             failed     the pause is over, or a client's wish
 *                                                  v     │
 *                                                  open ─┘   longer each time, up to a quarter of an hour
 *
 * The question that decides is who the token belongs to: the cheapest there is, and the only one whose refusal concerns every resource. Never runs anything
 * itself.
 */
#include "sync_state.h"

#include <base/log.h>

#include <stdio.h>

#define PAUSE_AUTH_MS (15 * 60 * 1000)
#define HURRY_RETRIES 5 /* a wish shortens a pause to so many first delays */
#define HURRY_AUTH    1 /* of a refused token: somebody may have mended it */

static const char refused_words[] =
	"the access token is refused: put a valid one into the token file, which is looked at every few seconds (a credential of systemd: restart ficd), or, if it was mended at the provider, run 'ficq sync'";

const char *breaker_name(enum breaker breaker)
{
	static const char *const names[] = {"closed", "open", "half-open"};

	return names[breaker];
}

static void turn_to(struct sync *s, enum breaker breaker)
{
	if (s->breaker != breaker)
		s->breaker_since_ms = loop_wall_ms(s->options.loop);
	s->breaker = breaker;
}

/* Who waits for a run that cannot begin is told why, and may ask again. */
static void refuse_waiting(struct sync *s)
{
	for (size_t i = 0; i < s->options.resource_count; i++)
		for (int k = 0; k < RUN_KINDS; k++) {
			struct run *run = s->resources[i].runs[k];
			if (run && run->preferred && !run->begun)
				run_fail(run, "%s", s->error);
		}
}

static void open_for(struct sync *s, int64_t pause_ms)
{
	int64_t mono = loop_mono_ms(s->options.loop);

	s->probed_mono_ms = mono;
	s->paused_until_ms = mono + pause_ms;
	turn_to(s, BREAKER_OPEN);
	refuse_waiting(s);
}

/* It may concern one resource or everything. */
static bool is_doubtful(enum fault fault)
{
	return fault == FAULT_AUTH || fault == FAULT_NOW || fault == FAULT_NONSENSE;
}

void breaker_fault(struct sync *s, enum fault fault, const char *words)
{
	bool doubted = is_doubtful(fault) && s->identified;

	s->fault = fault;
	snprintf(s->error, sizeof s->error, "%s",
		 fault == FAULT_AUTH && !strstr(words, "workspace") ? refused_words : words);
	log_error("sync", "%s source=%s class=%s", s->error, s->options.name, fault_name(fault));
	timer_start(s->timer, 0, 0);
	if (s->options.troubled)
		s->options.troubled(s->options.ctx);
	if (doubted) {
		s->identified = false;
		return;
	}
	if (fault == FAULT_NONE || !s->identified)
		open_for(s, fault == FAULT_AUTH
				    ? PAUSE_AUTH_MS
				    : schedule_retry_ms(++s->failures, s->options.retry_ms));
}

void breaker_well(struct sync *s)
{
	if (s->fault == FAULT_NONE)
		return;
	/* Only who was asked who he is may say that all is well again. */
	if (!s->identified)
		return;
	log_info("sync", "the provider answers again source=%s", s->options.name);
	s->fault = FAULT_NONE;
	s->error[0] = 0;
	s->failures = 0;
	s->paused_until_ms = 0;
	turn_to(s, BREAKER_CLOSED);
}

void breaker_stored(struct sync *s)
{
	if (s->fault != FAULT_NONE || !s->error[0])
		return;
	log_info("sync", "there is space again source=%s", s->options.name);
	s->error[0] = 0;
	s->failures = 0;
	turn_to(s, BREAKER_CLOSED);
}

void breaker_probe(struct sync *s)
{
	if (s->breaker == BREAKER_OPEN || (!s->identified && s->fault != FAULT_NONE))
		turn_to(s, BREAKER_HALF_OPEN);
}

void breaker_hurry(struct sync *s)
{
	int64_t retries = s->fault == FAULT_AUTH ? HURRY_AUTH : HURRY_RETRIES;
	int64_t until = s->probed_mono_ms + retries * s->options.retry_ms;

	if (until < s->paused_until_ms)
		s->paused_until_ms = until;
}
