/*
 * retain: what is older than it shall be kept ends: once a day, at the start, and when somebody asks. A commit of its own while no run has the turn; runs go on
 * after it. What walks have proven but not made coverage of yet is cut at the same moment, and no run claims anything before it again.
 */
#include "sync_state.h"

#include <base/log.h>

#define DAY_MS INT64_C(86400000)

int64_t resource_retain_start(const struct resource *r)
{
	if (r->options.retain_ms <= 0 || !(r->options.type->traits & TRAIT_WINDOWED))
		return TIME_MIN;
	int64_t start = sync_provider_now(r->sync) - r->options.retain_ms;
	return start - (start % DAY_MS + DAY_MS) % DAY_MS;
}

bool retain_wanted(const struct sync *s)
{
	for (size_t i = 0; i < s->options.resource_count; i++)
		if (resource_retain_start(&s->resources[i]) > TIME_MIN)
			return true;
	return false;
}

bool retain_due(const struct sync *s, int64_t mono)
{
	return s->retain || (s->identified && mono >= s->retain_mono_ms && retain_wanted(s));
}

static void cut_pending(struct resource *r, int64_t start_ms)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->pending_count; i++) {
		struct interval span = r->pending[i];
		if (span.start_ms < start_ms)
			span.start_ms = start_ms;
		if (span.start_ms < span.end_ms)
			r->pending[n++] = span;
	}
	r->pending_count = n;
}

static int retain_resource(struct resource *r, struct txn *txn)
{
	int64_t start = resource_retain_start(r);

	if (start == TIME_MIN)
		return 0;
	if (start > r->kept_from_ms)
		r->kept_from_ms = start;
	cut_pending(r, start);
	int rc = txn_retain_threads(txn, r->options.type->name, r->child ? r->child->name : NULL,
				    start);
	return rc ? rc : resource_pending_save(r, txn);
}

static uint64_t retained(const struct sync *s)
{
	struct store_stats stats;

	store_stats(s->options.store, &stats);
	return stats.retained;
}

static void on_committed(void *ctx, int rc, const struct why *why)
{
	struct sync *s = ctx;

	s->repairing = false;
	s->retain_mono_ms = loop_mono_ms(s->options.loop) + (rc ? DAY_MS / 24 : DAY_MS);
	if (rc)
		log_warn("sync", "what is older than retain could not be dropped: %s source=%s",
			 why->text, s->options.name);
	else if (retained(s) - s->retained_before >= STORE_RETAIN_MAX)
		s->retain = true; /* there is more */
	if (!s->retain || s->stopping)
		retain_told(s, rc, why);
	timer_start(s->stopping ? s->reaper : s->timer, 0, 0);
}

void retain_told(struct sync *s, int rc, const struct why *why)
{
	void (*done)(void *ctx, int rc, const struct why *why) = s->retain_done;

	s->retain = false;
	s->retain_done = NULL;
	if (done)
		done(s->retain_ctx, rc, why);
}

void retain_begin(struct sync *s)
{
	struct why why = {""};
	struct txn *txn;
	int rc = store_begin(s->options.store, &txn, &why);

	s->retain = false;
	if (rc) {
		s->retain_mono_ms = loop_mono_ms(s->options.loop) + DAY_MS / 24;
		retain_told(s, rc, &why);
		return;
	}
	for (size_t i = 0; i < s->options.resource_count && !rc; i++)
		rc = retain_resource(&s->resources[i], txn);
	if (rc) {
		txn_abort(txn);
		s->retain_mono_ms = loop_mono_ms(s->options.loop) + DAY_MS / 24;
		why_set(&why, rc, "out of memory");
		retain_told(s, rc, &why);
		return;
	}
	s->retained_before = retained(s);
	s->repairing = true;
	txn_commit(txn, on_committed, s);
}

int sync_retain(struct sync *s, void (*done)(void *ctx, int rc, const struct why *why), void *ctx)
{
	if (s->stopping || s->retain_done)
		return ERR_BUSY;
	s->retain_done = done;
	s->retain_ctx = ctx;
	s->retain = true;
	timer_start(s->timer, 0, 0);
	return 0;
}

void sync_retain_forget(struct sync *s, void *ctx)
{
	if (s->retain_ctx == ctx)
		s->retain_done = NULL;
}

int64_t sync_retain_start(const struct sync *s, const char *resource)
{
	for (size_t i = 0; i < s->options.resource_count; i++) {
		const struct resource *r = &s->resources[i];
		if (strcmp(r->options.type->name, resource) == 0 ||
		    (r->child && strcmp(r->child->name, resource) == 0))
			return resource_retain_start(r);
	}
	return TIME_MIN;
}
