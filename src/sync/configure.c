/* configure: other options for a sync that runs. */
#include "sync_state.h"

static void configure_resource(struct resource *r, const struct sync_resource_options *now,
			       int64_t mono, int64_t wall)
{
	const struct resource_type *type = r->options.type;
	int64_t soonest = mono + now->every_ms;

	r->options = *now;
	r->options.type = type;
	if (r->due_mono_ms > soonest)
		r->due_mono_ms = soonest;
	/* A longer history has gaps to be looked for. */
	r->backfill_mono_ms = 0;
	due_replan(r, wall);
}

void sync_configure(struct sync *s, const struct sync_options *options)
{
	int64_t mono = loop_mono_ms(s->options.loop), wall = loop_wall_ms(s->options.loop);

	s->options.budget = options->budget;
	s->line.budget.share = options->budget;
	for (size_t i = 0; i < s->options.resource_count; i++)
		for (size_t k = 0; k < options->resource_count; k++)
			if (options->resources[k].type == s->resources[i].options.type)
				configure_resource(&s->resources[i], &options->resources[k], mono,
						   wall);
	s->retain = true; /* it may be less that is kept now */
	s->quiet = false;
	if (s->started)
		timer_start(s->timer, 0, 0);
}
