/*
 * run_one: single records that somebody asks for, with their children. Each has its own outcome, in the run's counts; one that cannot be read does not
 * keep the others. Claims nothing.
 */
#include "run.h"
#include "sync_state.h"

#include <stdio.h>
#include <stdlib.h>

#define ASKED_MAX 1000 /* by everybody together */
#define BATCH     100  /* committed together */

static bool list_has(const struct wanted *w, struct bytes id)
{
	for (; w; w = w->next)
		if (bytes_equal(bytes_of(w->id, w->len), id))
			return true;
	return false;
}

int run_one_ask(struct run *run, struct bytes id)
{
	/* One that is under way may have been answered before somebody wished for it again. */
	if (list_has(run->asked, id) || list_has(run->wanted, id))
		return 0;
	/* Also of those that were read meanwhile: who has asked first is told in the end, however many come after him. */
	if (run->info.total >= ASKED_MAX)
		return ERR_LIMIT;
	struct wanted *w = malloc(sizeof *w + id.len);
	if (!w)
		return ERR_NOMEM;
	w->next = NULL;
	w->len = id.len;
	memcpy(w->id, id.data, id.len);
	if (!run->asked)
		run->asked_end = &run->asked;
	*run->asked_end = w;
	run->asked_end = &w->next;
	run->info.total = run->info.total < 0 ? 1 : run->info.total + 1;
	return 0;
}

/* The next batch. What is asked for while it is being read waits for the one after it: between them the turn is given back. */
static int next_phase(struct run *run, struct why *why)
{
	(void)why;
	run->working = run->last_page = run->asked;
	return run->working;
}

static int begin(struct run *run, struct why *why)
{
	run->info.phase = "records";
	return !next_phase(run, why);
}

static int proves(struct run *run, bool last, struct why *why)
{
	(void)run;
	(void)last;
	(void)why;
	return 0;
}

static int work(struct run *run, struct why *why)
{
	for (int i = 0; i < BATCH && run->asked; i++) {
		struct wanted *w = run->asked;
		int rc = run_want(run, bytes_of(w->id, w->len));
		if (rc)
			return why_set(why, rc, "out of memory");
		run->asked = w->next;
		free(w);
	}
	return 0;
}

static int finish(struct run *run, struct why *why)
{
	(void)run;
	(void)why;
	return 0;
}

bool run_one_failed(struct run *run, struct bytes id, const struct page *page)
{
	if (page->fault == FAULT_AUTH || page->fault == FAULT_LATER)
		return false;
	run->info.failed++;
	run->ordered = false;
	snprintf(run->info.error, sizeof run->info.error, "%s %.*s cannot be read: %.160s",
		 run->info.resource, (int)(id.len > 60 ? 60 : id.len), (const char *)id.data,
		 page->why.text);
	/* Who asked for it is told that it did not come. */
	run->refused |= run->ops->kind == RUN_ONE;
	return true;
}

const struct run_ops run_one = {
	.kind = RUN_ONE,
	.begin = begin,
	.proves = proves,
	.next_phase = next_phase,
	.work = work,
	.finish = finish,
};
