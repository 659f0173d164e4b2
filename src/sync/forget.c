/*
 * forget: a record and what is under it is erased.
 *
 *   WAITING (for the turn) -> LOOKING and COUNTING (what there is; with the turn, so that nothing comes meanwhile) -> ERASING (one transaction: gone for every reader, and never taken
 *     again) -> REWRITING (the audit trail, and what the store has on the disk) -> told -> CLOSING (the mark that says so goes, with the turn) -> over
 *   a dry run: LOOKING -> COUNTING -> told
 *
 * From the transaction's commit on nothing is taken back: a process that ends before the end leaves a mark in the store, with which the next one goes on. The places that are gone
 * through: records and dead letters (the store), edits (the outbox), the audit trail (forget_trail). Whoever keeps texts of records elsewhere adds a place here.
 */
#include "forgetting.h"
#include "sync_state.h"

#include <base/log.h>

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

/* The resources whose runs may have told of what is forgotten, until the trail has been gone through. */
#define TRAIL_MARK    "forget.trail"
#define STEP_FORGETS  32
#define LOOK_MS       20
#define LOOK_AGAIN_MS 5000 /* after an error */

enum forget_phase {
	FORGET_WAITING,
	FORGET_LOOKING,
	FORGET_COUNTING,
	FORGET_ERASING,
	FORGET_REWRITING,
	FORGET_CLOSING,
	FORGET_PHASES
};

struct forget {
	struct sync *s;
	enum forget_phase phase;
	bool dry_run;
	void (*done)(void *ctx, int rc, const struct sync_forgetting *what, const struct why *why);
	void *ctx;
	struct fates fates;
	size_t at; /* of the fates, while they are erased */
	struct txn *txn;
	uint8_t key[STORE_FORGET_KEY];
	struct task *task;
	struct timer *timer;
	struct sync_forgetting what;
	char resources[SYNC_FORGET_RESOURCES * 33]; /* each with a comma behind it */
	size_t trail_at;
	bool trail_over, edits_over;
	struct snapshot *view; /* while the trail is gone through */
};

/* ---- its end ---- */

static void forget_tell(struct forget *f, int rc, const struct why *why)
{
	void (*done)(void *, int, const struct sync_forgetting *, const struct why *) = f->done;

	void *ctx = f->ctx;

	f->done = NULL;
	f->ctx = NULL;
	if (done)
		done(ctx, rc, &f->what, why);
}

static void look_over(struct forget *f)
{
	struct snapshot *view = f->fates.view;

	fates_release(&f->fates);
	snapshot_free(view);
}

void forget_free(struct sync *s)
{
	struct forget *f = s->forget;

	if (!f)
		return;
	s->forget = NULL;
	look_over(f);
	task_free(f->task);
	timer_free(f->timer);
	free(f);
}

/* Nothing was changed. */
static void give_up(struct forget *f, int rc, const char *words)
{
	struct sync *s = f->s;
	struct why why = {""};

	why_set(&why, rc, "%s", words);
	txn_abort(f->txn);
	f->txn = NULL;
	if (!f->dry_run)
		s->repairing = false;
	forget_tell(f, rc, &why);
	forget_free(s);
	timer_start(s->stopping ? s->reaper : s->timer, 0, 0);
}

void forget_stop(struct sync *s, const struct why *why)
{
	struct forget *f = s->forget;

	if (!f)
		return;
	forget_tell(f, ERR_BUSY, why);
	if (f->phase == FORGET_WAITING || f->dry_run)
		forget_free(s);
}

/* ---- the audit trail: what failed may have been told with words of the record, or its id ---- */

static int edit_run(void *ctx, struct bytes value, struct buf *out)
{
	const struct forget *f = ctx;
	struct bytes resource, record;
	struct run_entry run;
	char name[40];

	/* An edit's entry names its record. */
	if (run_record(value, &resource, &record)) {
		snprintf(name, sizeof name, "%.*s", (int)(resource.len < 32 ? resource.len : 32),
			 (const char *)resource.data);
		return f->view && snapshot_forgotten(f->view, name, record)
			       ? run_reword(value, "of a record that was forgotten", out)
			       : 0;
	}
	if (run_decode(value, &run))
		return 0;
	snprintf(name, sizeof name, "%.*s,", (int)(run.resource.len < 32 ? run.resource.len : 32),
		 (const char *)run.resource.data);
	return strstr(f->resources, name) ? run_reword(value, "of a record that was forgotten", out)
					  : 0;
}

/* A file with each call. 1: there is more, 0: done, or an error. */
static int forget_trail(struct forget *f, struct why *why)
{
	struct trail *t = f->s->options.trail;

	f->view = snapshot_new(f->s->options.store);
	int rc = t ? trail_edit_step(t, &f->trail_at, edit_run, f, why) : 0;
	snapshot_free(f->view);
	f->view = NULL;
	return rc;
}

/* ---- edits: the outbox has what people wrote ---- */

/* True: some of it may still be on the disk. Once is enough to look for them: of what is forgotten no edit is taken any more. */
static bool forget_edits(struct forget *f)
{
	struct outbox *o = f->s->options.outbox;
	struct snapshot *view = o && !f->edits_over ? snapshot_new(f->s->options.store) : NULL;

	for (const struct edit *e = view ? outbox_next(o, 0) : NULL; e;) {
		uint64_t id = e->id;
		if (snapshot_forgotten(view, e->resource, e->record))
			outbox_erase(o, e->resource, e->record);
		e = outbox_next(o, id);
	}
	f->edits_over |= view != NULL;
	snapshot_free(view);
	return o && (!f->edits_over || outbox_erasing(o));
}

/* ---- rewriting ---- */

static void on_rewritten(void *ctx)
{
	struct forget *f = ctx;
	struct why why = {""};
	bool edits = forget_edits(f);
	int rc = f->trail_over ? 0 : forget_trail(f, &why);

	if (rc < 0) {
		log_warn("sync",
			 "the audit trail cannot be written anew, which is tried again: %s source=%s",
			 why.text, f->s->options.name);
		f->trail_at = 0;
		timer_start(f->timer, LOOK_AGAIN_MS, 0);
		return;
	}
	f->trail_over |= rc == 0;
	if (store_purging(f->s->options.store, &f->what.left) || !f->trail_over || edits) {
		timer_start(f->timer, LOOK_MS, 0);
		return;
	}
	log_info("sync", "forgotten, and gone from the disk source=%s", f->s->options.name);
	f->phase = FORGET_CLOSING;
	f->what.phase = NULL;
	forget_tell(f, 0, &why);
	timer_start(f->s->timer, 0, 0);
}

static void rewrite(struct forget *f)
{
	f->phase = FORGET_REWRITING;
	f->what.phase = "rewriting";
	timer_start(f->timer, 0, 0);
}

static void on_closed(void *ctx, int rc, const struct why *why)
{
	struct sync *s = ctx;

	s->repairing = false;
	if (rc)
		log_warn("sync", "%s source=%s", why->text, s->options.name);
	forget_free(s); /* a mark that stays costs the next start a look at the trail */
	timer_start(s->stopping ? s->reaper : s->timer, 0, 0);
}

static void close_up(struct forget *f)
{
	struct sync *s = f->s;
	struct why why = {""};
	struct txn *txn;

	if (store_begin(s->options.store, &txn, &why)) {
		forget_free(s);
		return;
	}
	s->repairing = true;
	int rc = txn_mark(txn, TRAIL_MARK, bytes_of(NULL, 0));
	if (rc == 0) {
		txn_commit(txn, on_closed, s);
		return;
	}
	txn_abort(txn);
	on_closed(s, rc, &why);
}

/* ---- erasing ---- */

static void on_erased(void *ctx, int rc, const struct why *why)
{
	struct forget *f = ctx;
	struct sync *s = f->s;

	if (rc) {
		give_up(f, rc, why->text);
		return;
	}
	s->repairing = false;
	store_purging(s->options.store, &f->what.files);
	f->what.left = f->what.files;
	log_info("sync", "forgetting records=%zu source=%s", f->fates.count, s->options.name);
	look_over(f);
	rewrite(f);
	timer_start(s->stopping ? s->reaper : s->timer, 0, 0);
}

/* The trail's entries are of the threads, not of their children. */
static void note_resources(struct forget *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->what.resources; i++)
		n += (size_t)snprintf(f->resources + n, sizeof f->resources - n, "%.32s,",
				      f->what.erased[i].resource);
}

static int erase_one(struct forget *f, const struct fate *one, struct why *why)
{
	struct bytes id = fate_id(&f->fates, one);
	bool held;
	int rc = txn_forget(f->txn, one->type->name, id, bytes_of(f->key, sizeof f->key), &held, why);

	if (rc == 0 && !one->type->parent)
		rc = letters_forget(&f->s->letters, one->type->name, id, f->txn, why);
	return rc;
}

/* 1: there is more, 0: the commit is under way, or an error. */
static int erase_some(struct forget *f, struct why *why)
{
	int rc = 0;

	for (int n = 0; rc == 0 && n < STEP_FORGETS && f->at < f->fates.count; n++, f->at++)
		rc = erase_one(f, &f->fates.items[f->at], why);
	if (rc || f->at < f->fates.count)
		return rc ? rc : 1;
	rc = txn_mark(f->txn, TRAIL_MARK, bytes_str(f->resources));
	if (rc)
		return why_set(why, rc, "out of memory");
	struct txn *txn = f->txn;
	f->txn = NULL;
	txn_commit(txn, on_erased, f);
	return 0;
}

/* ---- looking ---- */

/* The count of a type, in their order. */
static uint64_t *count_of(struct forget *f, const struct resource_type *type)
{
	struct sync_forgetting *w = &f->what;
	size_t i = 0;

	while (i < w->resources && w->erased[i].resource != type->name)
		i++;
	if (i == SYNC_FORGET_RESOURCES)
		return NULL;
	if (i == w->resources) {
		w->erased[i].resource = type->name;
		w->erased[i].records = 0;
		w->resources++;
	}
	return &w->erased[i].records;
}

/* 1: there are more, 0: all are counted, or an error. */
static int count_some(struct forget *f)
{
	struct record held;

	for (int n = 0; n < STEP_FORGETS && f->at < f->fates.count; n++, f->at++) {
		const struct fate *one = &f->fates.items[f->at];
		uint64_t *records = count_of(f, one->type);
		int rc = snapshot_peek(f->fates.view, one->type->name, fate_id(&f->fates, one), &held);
		if (rc < 0 && rc != ERR_CORRUPT)
			return rc;
		if (records)
			*records += rc == 1;
	}
	if (f->at < f->fates.count)
		return 1;
	f->at = 0;
	for (size_t i = 0; f->dry_run && i < f->what.resources; i++)
		if (f->what.erased[i].records)
			store_purge_cost(f->s->options.store, f->what.erased[i].resource,
					 &f->what.files);
	return 0;
}

/* All is known. 1: it is erased now, 0: that was all, or an error. */
static int looked(struct forget *f, struct why *why)
{
	struct snapshot *view = f->fates.view;

	if (f->dry_run) {
		forget_tell(f, 0, why);
		forget_free(f->s);
		return 0;
	}
	note_resources(f);
	f->fates.view = NULL;
	snapshot_free(view); /* it would keep the files */
	int rc = store_begin(f->s->options.store, &f->txn, why);
	f->phase = FORGET_ERASING;
	f->what.phase = "erasing";
	return rc ? rc : 1;
}

static bool on_step(void *ctx)
{
	struct forget *f = ctx;
	struct why why = {"what is stored cannot be read"};
	int rc = f->s->stopping ? ERR_BUSY : 0;

	if (!rc && f->phase == FORGET_LOOKING) {
		rc = fates_step(&f->fates);
		if (rc == 0)
			f->phase = FORGET_COUNTING;
		rc = rc == 0 ? 1 : rc;
	} else if (!rc && f->phase == FORGET_COUNTING) {
		rc = count_some(f);
		if (rc == 0)
			rc = looked(f, &why);
	} else if (!rc) {
		rc = erase_some(f, &why);
	}
	if (rc < 0)
		give_up(f, rc, why.text);
	return rc == 1;
}

/* ---- its begin ---- */

static void look(struct forget *f)
{
	f->phase = FORGET_LOOKING;
	f->what.phase = "looking";
	f->fates.view = snapshot_new(f->s->options.store);
	if (f->fates.view)
		task_start(f->task);
	else
		give_up(f, ERR_NOMEM, "out of memory");
}

bool forget_due(const struct sync *s)
{
	return s->forget && ((s->forget->phase == FORGET_WAITING && !s->forget->dry_run) ||
			     s->forget->phase == FORGET_CLOSING);
}

void forget_begin(struct sync *s)
{
	if (s->forget->phase == FORGET_CLOSING) {
		close_up(s->forget);
		return;
	}
	s->repairing = true;
	look(s->forget);
}

static struct forget *forget_new(struct sync *s)
{
	struct forget *f = calloc(1, sizeof *f);

	if (!f)
		return NULL;
	f->s = s;
	f->fates.provider = s->options.account.provider;
	f->task = task_new(s->options.loop, on_step, f);
	f->timer = timer_new(s->options.loop, on_rewritten, f);
	s->forget = f;
	if (f->task && f->timer)
		return f;
	forget_free(s);
	return NULL;
}

void forget_resume(struct sync *s)
{
	struct snapshot *view = snapshot_new(s->options.store);
	struct bytes named = view ? snapshot_mark(view, TRAIL_MARK) : bytes_of(NULL, 0);
	struct forget *f = named.len ? forget_new(s) : NULL;

	if (f) {
		snprintf(f->resources, sizeof f->resources, "%.*s", (int)named.len,
			 (const char *)named.data);
		log_info("sync", "what is to be forgotten goes on being erased source=%s",
			 s->options.name);
		rewrite(f);
	}
	snapshot_free(view);
}

static int check(struct sync *s, const struct resource_type *type, struct bytes id, struct why *why)
{
	if (s->stopping)
		return why_set(why, ERR_BUSY, "the daemon is shutting down");
	if (type->parent)
		return why_set(why, ERR_INVALID,
			       "%s are forgotten with what they belong to: forget the record of %s",
			       type->name, type->parent);
	if (id.len == 0 || id.len > RECORD_ID_MAX)
		return why_set(why, ERR_INVALID, "no record has such an id");
	/* One that has only its mark to take away leaves that to this one. */
	if (s->forget && s->forget->phase == FORGET_CLOSING && !s->repairing)
		forget_free(s);
	if (s->forget)
		return why_set(why, ERR_BUSY, "another record is being forgotten: try again later");
	return 0;
}

int sync_forget(struct sync *s, const struct resource_type *type, struct bytes id, bool dry_run,
		void (*done)(void *ctx, int rc, const struct sync_forgetting *what,
			     const struct why *why),
		void *ctx, struct why *why)
{
	int rc = check(s, type, id, why);
	struct forget *f = rc ? NULL : forget_new(s);

	if (rc)
		return rc;
	if (!f)
		return why_set(why, ERR_NOMEM, "out of memory");
	f->done = done;
	f->ctx = ctx;
	f->dry_run = dry_run;
	f->what.phase = "waiting";
	rc = fates_add(&f->fates, type, id);
	if (!rc && getrandom(f->key, sizeof f->key, 0) != (ssize_t)sizeof f->key)
		rc = ERR_IO;
	if (rc) {
		forget_free(s);
		return why_set(why, rc, "cannot begin to forget: %s", err_name(rc));
	}
	if (dry_run)
		look(f);
	else
		timer_start(s->timer, 0, 0);
	return 0;
}

const struct sync_forgetting *sync_forget_state(const struct sync *s)
{
	return s->forget ? &s->forget->what : NULL;
}

void sync_forget_leave(struct sync *s, void *ctx)
{
	if (!s->forget || s->forget->ctx != ctx)
		return;
	s->forget->done = NULL;
	if (s->forget->dry_run || s->forget->phase == FORGET_WAITING)
		forget_free(s);
}
