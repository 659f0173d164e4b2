/* gap: what of the wanted history is neither held nor about to be. */
#include "run.h"
#include "sync_state.h"

#define DAY_MS INT64_C(86400000)

/* The start of the wanted history, on a whole day so that it does not move with every second. */
int64_t resource_history_start(const struct resource *r)
{
	int64_t start = sync_provider_now(r->sync) - r->options.history_ms;

	start -= (start % DAY_MS + DAY_MS) % DAY_MS;
	/* What was dropped is not read again. */
	int64_t kept = resource_retain_start(r);
	return start > kept ? start : kept;
}

/* What is known or will be with the next changes run. */
static int known_of(const struct resource *r, const struct coverage *c, struct intervals *out)
{
	int rc = intervals_copy(&c->held, out);

	for (unsigned i = 0; i < r->pending_count && rc == 0; i++)
		rc = intervals_add(out, r->pending[i]);
	return rc;
}

static bool newest_gap(const struct resource *r, const struct coverage *c, int64_t start,
		       int64_t end, struct interval *gap_out)
{
	struct intervals known = {0}, gaps = {0};
	bool found = known_of(r, c, &known) == 0 &&
		     intervals_gaps(&known, start, end, &gaps) == 0 && gaps.count > 0;

	if (found)
		*gap_out = gaps.items[gaps.count - 1];
	intervals_release(&known);
	intervals_release(&gaps);
	return found;
}

bool resource_gap(const struct resource *r, const struct snapshot *view, struct interval *gap_out)
{
	struct interval all = {.end_ms = TIME_MAX};

	all.start_ms = r->options.type->traits & TRAIT_WINDOWED ? resource_history_start(r)
								: TIME_MIN;
	return resource_gap_in(r, view, all, gap_out);
}

bool resource_gap_in(const struct resource *r, const struct snapshot *view, struct interval span,
		     struct interval *gap_out)
{
	const struct coverage *c = snapshot_coverage(view, r->options.type->name);
	/* From the chain on, changes runs bring what is created. */
	int64_t end = c->chain_end_ms != TIME_NONE ? c->chain_end_ms : sync_provider_now(r->sync);
	int64_t start = span.start_ms;
	struct interval child;

	if (span.end_ms < end)
		end = span.end_ms;
	if (!(r->options.type->traits & TRAIT_CHANGED))
		return false;
	bool found = newest_gap(r, c, start, end, gap_out);
	if (!r->child || !newest_gap(r, snapshot_coverage(view, r->child->name), start, end, &child))
		return found;
	if (!found || child.end_ms > gap_out->end_ms)
		*gap_out = child;
	return true;
}
