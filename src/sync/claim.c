/* claim: what a run has proven, said of its resource and of its child alike, in the open transaction. When it is proven is the run's business. */
#include "run.h"
#include "sync_state.h"

int run_hold(struct run *run, struct interval span)
{
	const struct resource_type *child = run->resource->child;

	/* What began before older records were dropped must not claim them. */
	if (span.start_ms < run->resource->kept_from_ms)
		span.start_ms = run->resource->kept_from_ms;
	if (span.start_ms >= span.end_ms)
		return 0;
	int rc = txn_hold(run->txn, run->info.resource, span);

	return rc || !child ? rc : txn_hold(run->txn, child->name, span);
}

int run_withdraw_all(struct run *run)
{
	const struct resource_type *child = run->resource->child;
	int rc = txn_withdraw(run->txn, run->info.resource, TIME_MIN, TIME_MAX);

	return rc || !child ? rc : txn_withdraw(run->txn, child->name, TIME_MIN, TIME_MAX);
}

int run_chain_start(struct run *run, int64_t at_ms)
{
	const struct resource_type *child = run->resource->child;

	/* The first changes run has time: what it would bring is being read now. */
	run->resource->due_mono_ms = loop_mono_ms(run->sync->options.loop) +
				     run->resource->options.every_ms;
	int rc = txn_chain_start(run->txn, run->info.resource, at_ms);

	if (rc == 0 && resource_verifies(run->resource))
		rc = run_verify_rest(run, at_ms);
	return rc || !child ? rc : txn_chain_start(run->txn, child->name, at_ms);
}

int run_chain_extend(struct run *run, int64_t from_ms, int64_t to_ms)
{
	const struct resource_type *child = run->resource->child;
	int rc = txn_chain_extend(run->txn, run->info.resource, from_ms, to_ms);

	return rc || !child ? rc : txn_chain_extend(run->txn, child->name, from_ms, to_ms);
}
