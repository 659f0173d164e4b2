/*
 * run_search: what the provider's own search finds for a question, its newest records. They are read and put like those of any listing; what else there is remains as
 * unknown as before: claims nothing.
 */
#include "run.h"

static int begin(struct run *run, struct why *why)
{
	const struct sync_search *search = run->search;

	(void)why;
	run->ask = (struct ask){
		.kind = ASK_SEARCH,
		.type = search->type,
		.start_ms = search->start_ms,
		.end_ms = search->end_ms,
		.created = search->created,
		.descending = true,
		.seek = &search->seek,
	};
	run->info.span_start_ms = search->start_ms;
	run->info.span_end_ms = search->end_ms;
	return 0;
}

/* One page is all that is asked for. */
static int proves(struct run *run, bool last, struct why *why)
{
	struct sync_search *search = run->search;

	(void)why;
	for (size_t i = 0; i < run->page->count && search->count < SEEK_RECORDS_MAX; i++)
		if (run->page->records[i].type == search->type)
			search->ids[search->count++] = bytes_hash(run->page->records[i].record.id);
	search->more = !last;
	run->last_page = true;
	return 0;
}

static int next_phase(struct run *run, struct why *why)
{
	(void)run;
	(void)why;
	return 0;
}

static int finish(struct run *run, struct why *why)
{
	(void)run;
	(void)why;
	return 0;
}

const struct run_ops run_search = {
	.kind = RUN_SEARCH,
	.begin = begin,
	.proves = proves,
	.next_phase = next_phase,
	.finish = finish,
};
