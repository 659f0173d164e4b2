/*
 * push_job: one edit to the provider.
 *
 *   read the record ──> judge ──> mark it as sent, durably ──> send ──> pushed, or what is left is a new job
 *
 * Whatever goes wrong after the mark leaves it: the record is read before anything is sent again.
 */
#include "push.h"

#include <stdio.h>

static struct sync *of(const struct push_job *job)
{
	return job->push->sync;
}

static const struct edit *edit_of(const struct push_job *job)
{
	const struct edit *e = outbox_find(of(job)->options.outbox, job->id);

	/* Somebody may have given it up meanwhile. */
	return e && (e->state == EDIT_PENDING || e->state == EDIT_SENDING) ? e : NULL;
}

static void job_end(struct push_job *job)
{
	struct push *p = job->push;

	buf_release(&job->record);
	buf_release(&job->set);
	buf_release(&job->doc);
	buf_release(&job->after);
	*job = (struct push_job){.push = p};
	if (!p->stopped)
		timer_start(p->timer, 0, 0);
}

void push_job_drop(struct push_job *job)
{
	if (!job->id)
		return;
	fetch_drop(job->fetch);
	outbox_forget(of(job)->options.outbox, job);
	buf_release(&job->record);
	buf_release(&job->set);
	buf_release(&job->doc);
	buf_release(&job->after);
	*job = (struct push_job){.push = job->push};
}

/* Nothing of it has arrived. */
static void unmark(struct edit *e)
{
	e->sent_ms = e->sent_updated_ms = TIME_NONE;
	e->sent_hash = 0;
	e->state = EDIT_PENDING;
}

/* ---- the answer ---- */

/* One more sending that came to nothing, for certain (`refused`) or maybe. */
static void again(struct push_job *job, struct edit *e, bool refused, const char *words)
{
	int64_t delay = of(job)->options.retry_ms << e->attempts;

	if (refused)
		unmark(e);
	if (++e->attempts >= PUSH_ATTEMPTS_MAX) {
		push_to(job->push, e, EDIT_FAILED, "tried %u times: %s", e->attempts, words);
		return;
	}
	push_later(job->push, e, delay, words);
}

static void taken(struct push_job *job, struct edit *e)
{
	unmark(e);
	e->next_ms = TIME_NONE;
	push_to(job->push, e, EDIT_PUSHED, "%s", "");
}

/* A part of it. Who puts that back before the rest is made has changed it since: what was made is what the rest is based on. */
static void taken_in_part(struct push_job *job, struct edit *e, bool made)
{
	unmark(e);
	e->next_ms = TIME_NONE;
	if (made && job->after.len)
		e->base = buf_bytes(&job->after);
	/* What is made later is looked for later, and not for ever. */
	else if (++e->attempts >= PUSH_ATTEMPTS_MAX)
		push_to(job->push, e, EDIT_FAILED,
			"taken by the provider %u times, and nothing of it shows", e->attempts);
	else
		e->next_ms = sync_provider_now(of(job)) + (PUSH_SHOW_MS << e->attempts);
	if (e->state == EDIT_PENDING)
		push_to(job->push, e, EDIT_PENDING, "%s", "");
}

static void refused(struct push_job *job, struct edit *e, const struct page *page,
		    const struct fetch_cost *cost)
{
	switch (page->fault) {
	case FAULT_LATER:
	case FAULT_AUTH:
		unmark(e);
		push_later(job->push, e, push_later_ms(job->push), page->why.text);
		return;
	case FAULT_NEVER:
	case FAULT_DENIED:
	case FAULT_GONE:
	case FAULT_CURSOR:
		/* Somebody else was faster, it says: the record is looked at again. */
		if (cost->status == 409) {
			again(job, e, true, page->why.text);
			return;
		}
		if (cost->status < 300)
			break;
		unmark(e);
		push_to(job->push, e, EDIT_FAILED, "the provider refuses it: %.160s", page->why.text);
		return;
	default: break;
	}
	again(job, e, false, page->why.text);
}

static void on_sent(void *ctx, struct page *page, const struct fetch_cost *cost)
{
	struct push_job *job = ctx;
	const struct edit *now = edit_of(job);

	job->fetch = NULL;
	if (now) {
		struct edit e = *now;
		if (!page)
			again(job, &e, false, "the request was given up");
		else if (page->fault == FAULT_NONE && job->whole)
			taken(job, &e);
		else if (page->fault == FAULT_NONE)
			taken_in_part(job, &e, cost->status != 202);
		else
			refused(job, &e, page, cost);
	}
	page_free(page);
	job_end(job);
}

/* ---- sending ---- */

static void on_marked(void *ctx, int rc, const struct why *why)
{
	struct push_job *job = ctx;
	const struct edit *e = edit_of(job);
	struct ask ask = {.kind = ASK_CHANGE,
			  .type = job->type,
			  .id = buf_bytes(&job->record),
			  .change = &job->change};

	job->marking = false;
	if (rc == 0 && e)
		job->fetch = fetch_start(&of(job)->line, &ask, bytes_of(NULL, 0), NULL, on_sent, job);
	if (job->fetch) {
		fetch_once(job->fetch);
		return;
	}
	if (e) {
		struct edit back = *e;
		if (!job->again)
			unmark(&back);
		push_later(job->push, &back, push_later_ms(job->push),
			   rc ? why->text : "out of memory");
	}
	job_end(job);
}

/* From here on it may have arrived. */
static bool mark(struct push_job *job, struct edit *e, const struct record *r)
{
	struct why why = {""};

	job->again = e->sent_ms != TIME_NONE;
	e->sent_ms = sync_provider_now(of(job));
	e->sent_updated_ms = r->updated_ms;
	e->sent_hash = bytes_hash(r->doc);
	if (e->state != EDIT_SENDING)
		e->changed_ms = e->sent_ms;
	e->state = EDIT_SENDING;
	job->marking = true;
	return outbox_change(of(job)->options.outbox, e, on_marked, job, &why) == 0;
}

/* ---- judging ---- */

/* It was sent and no answer came, and then the record was changed, by whomever: what is as it was may have been ours, and undone. A change within the second in which it was sent may not
 * show in the time of the last update, but it does in the record. */
static bool is_doubtful(const struct edit *e, const struct record *r)
{
	if (e->sent_ms == TIME_NONE)
		return false;
	if (r->updated_ms != e->sent_updated_ms)
		return true;
	bool late = r->updated_ms != TIME_NONE && r->updated_ms / 1000 < e->sent_ms / 1000;
	return !late && bytes_hash(r->doc) != e->sent_hash;
}

static void conflict(struct push_job *job, struct edit *e, struct bytes theirs, const char *words)
{
	e->theirs = theirs;
	unmark(e);
	e->next_ms = TIME_NONE;
	push_to(job->push, e, EDIT_CONFLICT, "%s", words);
	/* So that answers show what it is in conflict with. */
	push_read(job->push, outbox_find(of(job)->options.outbox, job->id));
}

/* True: the job goes on. */
static bool prepare(struct push_job *job, struct edit *e, const struct record *r)
{
	struct buf after = {0};
	struct call call;
	struct why why = {""};
	struct ask ask = {.kind = ASK_CHANGE, .type = job->type, .change = &job->change};

	buf_put_bytes(&job->set, e->set);
	buf_put_bytes(&job->doc, r->doc);
	job->change = (struct change){
		.set = buf_bytes(&job->set), .doc = buf_bytes(&job->doc), .actor = of(job)->actor};
	ask.id = buf_bytes(&job->record);
	int rc = job->set.error || job->doc.error
			 ? ERR_NOMEM
			 : write_call(of(job)->line.account, &ask, &call, &after, &why);
	if (rc == 1) {
		call_release(&call);
		rc = write_values(of(job)->line.account, job->type, e->set, buf_bytes(&after),
				  &job->after);
		job->whole = rc == 0 &&
			     write_judge(e->set, e->base, buf_bytes(&job->after)) == WRITE_DONE;
	}
	buf_release(&after);
	if (rc == 0 && mark(job, e, r))
		return true;
	if (rc == ERR_INVALID)
		push_to(job->push, e, EDIT_FAILED, "%.190s", why.text);
	else
		push_later(job->push, e, push_later_ms(job->push),
			   why.text[0] ? why.text : "out of memory");
	return false;
}

/* True: the job goes on. */
static bool judge(struct push_job *job, struct edit *e, const struct record *r, struct buf *theirs)
{
	if (write_values(of(job)->line.account, job->type, e->set, r->doc, theirs)) {
		push_later(job->push, e, push_later_ms(job->push), "the record cannot be understood");
		return false;
	}
	switch (write_judge(e->set, e->base, buf_bytes(theirs))) {
	case WRITE_DONE: taken(job, e); return false;
	case WRITE_CONFLICT:
		conflict(job, e, buf_bytes(theirs), "the same field was changed upstream");
		return false;
	case WRITE_NEEDED: break;
	}
	if (is_doubtful(e, r)) {
		conflict(job, e, buf_bytes(theirs),
			 "it was sent and not answered, and the record was changed since: it may have been undone on purpose");
		return false;
	}
	return prepare(job, e, r);
}

static void unreadable(struct push_job *job, struct edit *e, const struct page *page)
{
	if (page && page->fault == FAULT_GONE)
		push_to(job->push, e, EDIT_FAILED, "%s %.*s%s",
			page->merged_into.len ? "the record was merged upstream into"
					      : "the record is gone upstream",
			(int)(page->merged_into.len < 60 ? page->merged_into.len : 60),
			page->merged_into.len ? (const char *)page->merged_into.data : "",
			page->merged_into.len ? ": edit that one" : "");
	else
		push_later(job->push, e, push_later_ms(job->push),
			   page ? page->why.text : "the request was given up");
}

static void on_read(void *ctx, struct page *page, const struct fetch_cost *cost)
{
	struct push_job *job = ctx;
	const struct edit *now = edit_of(job);
	struct buf theirs = {0};
	bool goes_on = false;

	(void)cost;
	job->fetch = NULL;
	if (now) {
		struct edit e = *now;
		if (page && page->fault == FAULT_NONE && page->count)
			goes_on = judge(job, &e, &page->records[0].record, &theirs);
		else
			unreadable(job, &e, page);
	}
	buf_release(&theirs);
	page_free(page);
	if (!goes_on)
		job_end(job);
}

bool push_job_start(struct push_job *job, const struct edit *e)
{
	struct push *p = job->push;
	struct ask ask = {.kind = ASK_ONE};

	*job = (struct push_job){.push = p, .id = e->id};
	job->type = provider_type(p->sync->options.account.provider, bytes_str(e->resource));
	buf_put_bytes(&job->record, e->record);
	ask.type = job->type;
	ask.id = buf_bytes(&job->record);
	if (job->type && !job->record.error)
		job->fetch = fetch_start(&p->sync->line, &ask, bytes_of(NULL, 0), NULL, on_read, job);
	if (job->fetch)
		return true;
	push_job_drop(job);
	return false;
}
