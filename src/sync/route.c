/* route: a window that slides, in parts. Never sends, never waits. */
#include "route.h"

#include "budget.h"

void route_init(struct route_budget *r, const struct provider *p, unsigned route, double share,
		double own)
{
	const struct route_class *class = &p->routes[route];

	*r = (struct route_budget){
		.class = class,
		.share = own > 0 && own < share ? own : share,
		.limited = class->percent || class->calls_max || own > 0,
		.window_ms = class->window_ms ? class->window_ms : p->rate_window_ms,
		.account_window_ms = p->rate_window_ms,
	};
}

/* Calls in a window that are ours; negative: any number. */
static int64_t most(const struct route_budget *r, int64_t account_limit)
{
	double limit = r->class->calls_max;

	if (!r->limited || (!r->class->calls_max && account_limit < 0))
		return -1;
	if (!r->class->calls_max)
		limit = (double)account_limit * (double)r->window_ms / (double)r->account_window_ms *
			(r->class->percent ? r->class->percent : 100) / 100;
	/* A hair more, or 0.3 of ten would be two. */
	int64_t ours = (int64_t)(limit * r->share + 1e-6);
	return ours > 0 ? ours : 1;
}

/* Rounded up: all parts but the newest are a window at least. */
static int64_t part_ms(const struct route_budget *r)
{
	return (r->window_ms + ROUTE_PARTS - 2) / (ROUTE_PARTS - 1);
}

static void forget_old(struct route_budget *r, int64_t part)
{
	if (part - r->part > ROUTE_PARTS)
		r->part = part - ROUTE_PARTS;
	while (r->part < part) {
		uint32_t *old = &r->answered[++r->part % ROUTE_PARTS];
		r->answered_all -= *old;
		*old = 0;
	}
}

/* Until the oldest part that counts counts no more. */
static int64_t oldest_wait(const struct route_budget *r, int64_t mono_ms)
{
	int64_t part = r->part - ROUTE_PARTS + 1;

	while (!r->answered[part % ROUTE_PARTS])
		part++;
	return (part + ROUTE_PARTS) * part_ms(r) - mono_ms;
}

int64_t route_wait(struct route_budget *r, int64_t account_limit, int64_t mono_ms)
{
	int64_t ours = most(r, account_limit);

	if (mono_ms < r->blocked_until_ms)
		return r->blocked_until_ms - mono_ms;
	if (ours < 0)
		return 0;
	forget_old(r, mono_ms / part_ms(r));
	if ((int64_t)r->inflight + r->answered_all < ours)
		return 0;
	return r->answered_all ? oldest_wait(r, mono_ms) : BUDGET_WAIT_ANSWER;
}

/* Answered in the parts that count still. */
static uint64_t counted(const struct route_budget *r, int64_t mono_ms)
{
	int64_t now = mono_ms / part_ms(r);
	uint64_t n = 0;

	for (int64_t part = now - ROUTE_PARTS + 1; part <= r->part; part++)
		if (part > r->part - ROUTE_PARTS)
			n += r->answered[part % ROUTE_PARTS];
	return n;
}

bool route_look(const struct route_budget *r, int64_t account_limit, int64_t mono_ms,
		struct sync_route *out)
{
	int64_t ours = r->class ? most(r, account_limit) : -1;
	bool waits = r->class && mono_ms < r->blocked_until_ms;

	if (ours < 0 && !waits)
		return false;
	*out = (struct sync_route){.name = r->class->name,
				   .limit = ours,
				   .window_ms = r->window_ms,
				   .used = ours < 0 ? 0 : r->inflight + counted(r, mono_ms),
				   .wait_ms = waits ? r->blocked_until_ms - mono_ms : 0};
	return true;
}

void route_sent(struct route_budget *r)
{
	r->inflight++;
}

void route_answered(struct route_budget *r, int64_t mono_ms)
{
	if (r->inflight)
		r->inflight--;
	if (!r->limited)
		return;
	forget_old(r, mono_ms / part_ms(r));
	r->answered[r->part % ROUTE_PARTS]++;
	r->answered_all++;
}

void route_block(struct route_budget *r, int64_t until_mono_ms)
{
	if (until_mono_ms > r->blocked_until_ms)
		r->blocked_until_ms = until_mono_ms;
}
