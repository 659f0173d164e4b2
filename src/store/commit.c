/*
 * commit: a transaction becomes the state.
 *
 *   open -> prepare: the next state is built beside the current one; new segments, dictionaries
 *                    and MANIFEST.tmp are written, a slice with each store_work
 *        -> files:   all of them and their folders are synced, at once and in any order
 *        -> name:    MANIFEST.tmp is renamed to MANIFEST, the folder synced
 *        -> publish: the next state is the state; files that nobody names go; done
 *   any error -> undo: what was written goes, the state is what it was; done
 *
 * A small commit leaves its rows in memory and appends them to the journal instead of writing files:
 *
 *   open -> prepare -> files (the journal is synced) -> publish
 *
 * The rename is the commit point. When it is done but the folder's sync fails, nobody knows which
 * manifest a crash would leave: memory keeps the old state, both manifests' files stay, and the
 * next commit settles it. Nothing is published before the folder is synced, and coverage goes the
 * same way as the records it speaks of, so it never runs ahead of them.
 */
#include "hooks.h"
#include "journal.h"
#include "lead.h"
#include "repair.h"

#include <base/log.h>

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct commit {
	struct prepared p;
	unsigned pending; /* syncs under way, and one while they are being started */
	void (*after)(struct commit *c);
	int rc;
	void (*done)(void *ctx, int rc, const struct why *why);
	void *ctx;
};

static void commit_start(struct commit *c);

/* ---- the end ---- */

static void commit_end(struct commit *c)
{
	int rc = c->rc;
	struct why why = c->p.why;
	void (*done)(void *ctx, int rc, const struct why *why) = c->done;
	void *ctx = c->ctx;

	struct store *s = c->p.s;

	prepared_release(&c->p);
	txn_free(c->p.t);
	s->committing = s->committing == c ? NULL : s->committing;
	s->merging = s->merging == c ? NULL : s->merging;
	free(c);
	done(ctx, rc, &why);
	if (s->waiting && !s->committing) {
		struct commit *next = s->waiting;
		s->waiting = NULL;
		commit_start(next);
	} else {
		store_wake(s);
	}
}

/* `named`: the manifest on disk may name the new files, so they must outlive it. */
static void remove_files(struct commit *c, bool named)
{
	prepared_close(&c->p);
	for (size_t i = 0; i < c->p.count; i++) {
		struct sync *f = &c->p.syncs[i];
		if (!f->made)
			continue;
		if (named)
			store_discard_later(c->p.s, f->path);
		else
			store_discard(c->p.s, f->path);
		f->path = NULL;
	}
}

/* Nothing of it happened. */
static void undo(struct commit *c, int rc, bool named)
{
	c->rc = rc;
	c->p.s->failed += rc != ERR_CANCELED;
	remove_files(c, named);
	c->p.s->dirty |= named;
	commit_end(c);
}

static bool state_names(const struct state *t, const struct state_resource *r, const struct segment *g)
{
	const struct state_resource *now = state_find(t, r->name);

	if (now == r)
		return true;
	for (size_t i = 0; now && i < now->count; i++)
		if (now->segments[i].segment == g)
			return true;
	return false;
}

/* Segments that the next state no longer names go with their last reader. */
static void doom(struct store *s, const struct state *next)
{
	const struct state *old = s->state;

	for (size_t i = 0; i < old->resources_count; i++) {
		const struct state_resource *r = old->resources[i];
		for (size_t j = 0; j < r->count; j++) {
			struct segment *g = r->segments[j].segment;
			if (state_names(next, r, g))
				continue;
			s->lingering += !g->doomed;
			g->doomed = true;
			g->doomed_at = s->manifests + 1;
		}
	}
}

/* After a commit: the names of these folders are durable. */
static void folder_note(struct store *s, const char *resource, const char *folder)
{
	for (size_t i = 0; i < STORE_RESOURCES_MAX; i++)
		if (!s->durable[i].resource[0] || strcmp(s->durable[i].resource, resource) == 0) {
			strcpy(s->durable[i].resource, resource);
			strcpy(s->durable[i].folder, folder);
			return;
		}
}

static void note_folders(struct commit *c)
{
	for (const struct txn_part *part = c->p.t->parts; part; part = part->next) {
		const struct state_resource *r = state_find(c->p.s->state, part->name);
		if (r && r->count && part->count > part->dropped)
			folder_note(c->p.s, r->name, r->segments[r->count - 1].segment->meta.folder);
	}
}

static bool dictionary_named(const struct state_resource *r, uint64_t number)
{
	for (size_t i = 0; r && i < r->dictionaries_count; i++)
		if (r->dictionaries[i].number == number)
			return true;
	return false;
}

/* Dictionaries that are no longer named go as segments do; who still reads with one has it in memory. */
static void end_dictionary(struct store *s, const char *resource, uint64_t number)
{
	char *path = dictionary_path(s->dir, resource, number);

	if (s->snapshots == 0)
		dictionary_forget(s->dictionaries, number);
	else if (dictionary_pin(s->dictionaries, resource, number)) {
		free(path); /* the next start removes it */
		return;
	}
	if (s->keep_previous)
		store_retire(s, path);
	else
		store_discard_slowly(s, path);
}

static void end_dictionaries(struct store *s, const struct state *old)
{
	for (size_t i = 0; i < old->resources_count; i++) {
		const struct state_resource *r = old->resources[i];
		const struct state_resource *now = state_find(s->state, r->name);
		for (size_t j = 0; j < r->dictionaries_count; j++)
			if (!dictionary_named(now, r->dictionaries[j].number))
				end_dictionary(s, r->name, r->dictionaries[j].number);
	}
}

/* The new manifest is durable: what only older ones named goes. */
static void manifest_over(struct commit *c)
{
	struct store *s = c->p.s;

	for (size_t i = 0; i < c->p.bad_count; i++)
		repair_set_aside(s, c->p.bad[i]);
	note_folders(c);
	s->dirty = s->renew = false;
	s->manifest_sum = c->p.manifest_sum;
	s->manifest_revision = s->state->revision;
	s->compact_wanted = true;
	s->upkeep_failed = false;
	s->compact_rests -= s->compact_rests > 0;
	s->manifests++;
	store_discard_retired(s);
	journal_rotate(s);
	store_discard_leftovers(s);
}

static bool same_rows(const struct state_resource *a, const struct state_resource *b)
{
	bool same = a && a->count == b->count;

	for (size_t i = 0; same && i < a->count; i++)
		same = a->segments[i].segment == b->segments[i].segment &&
		       a->segments[i].dead == b->segments[i].dead;
	return same;
}

/* A resource that shares all segments and all that is dead has the same rows, however its coverage has changed. */
static void give_versions(struct store *s, const struct state *old, struct state *now)
{
	for (size_t i = 0; i < now->resources_count; i++) {
		struct state_resource *r = now->resources[i];
		const struct state_resource *before = state_find(old, r->name);
		if (r != before && !same_rows(before, r))
			r->version = ++s->versions;
	}
}

static void publish(struct commit *c)
{
	struct store *s = c->p.s;
	struct state *old = s->state;

	prepared_close(&c->p);
	doom(s, c->p.next);
	give_versions(s, old, c->p.next);
	s->state = c->p.next;
	memo_forget(&s->memo);
	forgotten_load(&s->forgotten, s->state);
	c->p.next = NULL;
	s->commits++;
	s->filters_wanted = s->vocabularies_wanted = true;
	if (!c->p.journaled) {
		manifest_over(c);
		end_dictionaries(s, old);
	}
	state_unref(old, store_segment_end, s);
	if (s->hooks.changed)
		s->hooks.changed(s->hooks.ctx);
	commit_end(c);
}
/* ---- the durable steps ---- */

static void sync_pass(struct commit *c)
{
	if (--c->pending == 0)
		c->after(c);
}

static void synced(void *arg, int error)
{
	struct commit *c = arg;

	if (error && !c->rc)
		c->rc = why_set(&c->p.why, hooks_error(error), "cannot make a commit durable: %s",
				strerror(error));
	sync_pass(c);
}

static void sync_start(struct commit *c, int fd)
{
	c->pending++;
	int rc = c->p.s->hooks.fsync(c->p.s->hooks.ctx, fd, synced, c);
	if (!rc)
		return;
	c->pending--;
	if (!c->rc)
		c->rc = why_set(&c->p.why, rc, "cannot make a commit durable: %s", err_name(rc));
}

static void folder_synced(struct commit *c)
{
	if (c->rc)
		undo(c, c->rc, true);
	else
		publish(c);
}

/* The current manifest becomes the previous one, and the new one the current. Between the two renames
 * there is only a previous one: a store that is opened then takes it. What is on the disk after an
 * error that nobody knows is no previous one. */
static int manifest_name(struct commit *c)
{
	struct store *s = c->p.s;
	bool keeps = s->keep_previous && s->manifest_sum && !s->dirty;
	char *previous = NULL;
	int rc = 0;

	if (keeps && asprintf(&previous, "%s.prev", c->p.manifest) < 0)
		return prepare_nomem(&c->p);
	if (keeps && s->hooks.rename(s->hooks.ctx, c->p.manifest, previous) != 0)
		rc = why_errno(&c->p.why, "cannot rename %s", c->p.manifest);
	if (!rc && s->hooks.rename(s->hooks.ctx, c->p.manifest_tmp, c->p.manifest) != 0) {
		rc = why_errno(&c->p.why, "cannot rename %s", c->p.manifest_tmp);
		if (keeps)
			s->hooks.rename(s->hooks.ctx, previous, c->p.manifest);
		s->dirty |= keeps;
	}
	free(previous);
	return rc;
}

static void files_synced(struct commit *c)
{
	struct store *s = c->p.s;

	if (c->rc) {
		undo(c, c->rc, c->p.journaled);
		return;
	}
	if (c->p.journaled) {
		publish(c);
		return;
	}
	int fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		undo(c, why_errno(&c->p.why, "cannot open the folder %s", s->dir), false);
		return;
	}
	int rc = manifest_name(c);
	if (rc) {
		close(fd);
		undo(c, rc, false);
		return;
	}
	/* The manifest's own file is what the rename took: nobody removes it any more. */
	struct sync *tmp = &c->p.syncs[c->p.count - 1];
	assert(strcmp(tmp->path, c->p.manifest_tmp) == 0);
	tmp->made = false;
	close(tmp->fd);
	tmp->fd = fd;
	c->after = folder_synced;
	c->pending = 1;
	sync_start(c, fd);
	sync_pass(c);
}

static void sync_files(struct commit *c)
{
	c->after = files_synced;
	c->pending = 1;
	for (size_t i = 0; i < c->p.count && !c->rc; i++)
		sync_start(c, c->p.syncs[i].fd);
	sync_pass(c);
}

/* ---- preparing ---- */

bool commit_step(struct commit *c)
{
	int rc = prepare_step(&c->p);

	if (rc == 1)
		return true;
	if (rc == 0 && c->p.changed && c->p.journaled)
		rc = journal_append(&c->p);
	c->p.s->commit = NULL; /* from here on it goes by itself */
	if (rc < 0)
		undo(c, rc, false);
	else if (!c->p.changed)
		commit_end(c);
	else
		sync_files(c);
	return false;
}

bool commit_merge_step(struct store *s)
{
	struct commit *c = s->merging;
	int rc;

	if (!c)
		return false;
	if (!prepare_holds(&c->p)) {
		rc = why_set(&c->p.why, ERR_CANCELED, "the segments of %s changed", c->p.compact);
		undo(c, rc, false);
		return true;
	}
	if (c->p.stage == PREPARE_REBASE) {
		if (s->committing)
			return false;
		s->merging = NULL;
		s->committing = s->commit = c;
		return true;
	}
	rc = prepare_step(&c->p);
	if (rc < 0)
		undo(c, rc, false);
	return true;
}

static void forget(struct commit *c)
{
	if (!c)
		return;
	remove_files(c, false);
	prepared_release(&c->p);
	txn_free(c->p.t);
	free(c);
}

void commit_forget(struct store *s)
{
	if (s->commit)
		s->committing = NULL;
	forget(s->commit);
	forget(s->waiting);
	forget(s->merging);
	s->commit = s->waiting = s->merging = NULL;
}

static void commit_start(struct commit *c)
{
	struct store *s = c->p.s;

	s->committing = s->commit = c;
	if (s->hooks.wake)
		s->hooks.wake(s->hooks.ctx);
	else
		while (commit_step(c))
			;
}

void txn_commit(struct txn *t, void (*done)(void *ctx, int rc, const struct why *why), void *ctx)
{
	struct commit *c = calloc(1, sizeof *c);
	struct store *s = t->store;
	struct why why = {""};

	assert(!t->committing);
	int rc = c ? lead_settle(t) : ERR_NOMEM;
	if (!rc)
		rc = forgotten_settle(t);
	if (rc) {
		why_set(&why, rc, "cannot begin a commit: %s", err_name(rc));
		free(c);
		txn_free(t);
		done(ctx, rc, &why);
		return;
	}
	*c = (struct commit){.p = {.s = s, .t = t}, .done = done, .ctx = ctx};
	t->committing = true;
	while (!s->hooks.wake && s->commit)
		commit_step(s->commit);
	if (s->committing)
		s->waiting = c;
	else
		commit_start(c);
}

/* ---- the store's own commits ---- */

/* A merge that fails again and again rests for 64 manifests. */
#define COMPACT_RESTS_MAX 6u

static void upkeep_done(void *ctx, int rc, const struct why *why)
{
	struct store *s = ctx;

	if (rc == 0)
		return;
	/* Not again before something else went well; what is damaged is quarantined first. */
	s->upkeep_failed = true;
	log_warn("store", "upkeep failed dir=%s: %s", s->dir, why->text);
}

/* Damage that it met is quarantined first, and then it is tried again, as when its sources went. Of other trouble the first
 * in a row is told. What cannot be merged must still be flushed, so that a merge that failed rests for
 * more and more manifests. */
static void compact_done(void *ctx, int rc, const struct why *why)
{
	struct store *s = ctx;

	if (rc == 0 && s->compact_failures)
		log_info("store", "segments are merged again dir=%s", s->dir);
	if (rc == 0)
		s->compact_failures = 0;
	if (rc == 0 || rc == ERR_CANCELED || state_damaged(s->state))
		return;
	if (s->compact_failures == 0)
		log_warn("store", "segments cannot be merged, which is tried again later dir=%s: %s",
			 s->dir, why->text);
	if (s->compact_failures < COMPACT_RESTS_MAX)
		s->compact_failures++;
	s->compact_rests = 1u << s->compact_failures;
}

static int internal_new(struct store *s, struct commit **c_out, struct txn **t_out)
{
	*c_out = calloc(1, sizeof **c_out);
	*t_out = *c_out ? txn_new(s) : NULL;
	if (*t_out)
		return 0;
	free(*c_out);
	return ERR_NOMEM;
}

static void internal_start(struct store *s, struct commit *c)
{
	c->p.t->committing = true;
	if (c->p.compact[0]) {
		c->p.stage = PREPARE_CHOOSE;
		s->merging = c;
		s->merge_void = false;
	} else {
		s->committing = s->commit = c;
	}
}

int commit_dictionary(struct store *s, const char *resource, struct bytes dictionary)
{
	struct txn_part *part;
	struct commit *c;
	struct txn *t;

	assert(!s->committing);
	if (internal_new(s, &c, &t))
		return ERR_NOMEM;
	int rc = txn_part(t, resource, &part, NULL);
	if (!rc) {
		buf_put_bytes(&part->dictionary_bytes, dictionary);
		rc = part->dictionary_bytes.error;
	}
	if (rc) {
		txn_free(t);
		free(c);
		return ERR_NOMEM;
	}
	part->dictionary_new = dictionary.len > 0;
	part->dictionary_none = !part->dictionary_new;
	part->dictionary = part->dictionary_new ? s->next_file++ : 0;
	*c = (struct commit){.p = {.s = s, .t = t, .internal = true, .changed = true},
			     .done = upkeep_done,
			     .ctx = s};
	internal_start(s, c);
	return 0;
}

int commit_upkeep(struct store *s, const char *compact, bool quarantine)
{
	struct commit *c;
	struct txn *t;

	assert(!s->committing && (!quarantine || !s->txn) && !(compact && s->merging));
	if (internal_new(s, &c, &t))
		return ERR_NOMEM;
	*c = (struct commit){
		.p = {.s = s, .t = t, .internal = true, .changed = true, .quarantine = quarantine},
		.done = compact ? compact_done : upkeep_done,
		.ctx = s};
	snprintf(c->p.compact, sizeof c->p.compact, "%s", compact ? compact : "");
	internal_start(s, c);
	return 0;
}

int commit_settle(struct store *s, const char *resource,
		  int (*note)(struct txn *t, const char *resource, const void *arg), const void *arg)
{
	struct txn_part *part = NULL;
	struct commit *c;
	struct txn *t;

	assert(!s->committing);
	if (internal_new(s, &c, &t))
		return ERR_NOMEM;
	int rc = note(t, resource, arg);
	if (!rc && state_find(s->state, resource))
		rc = txn_part(t, resource, &part, NULL);
	if (rc) {
		txn_free(t);
		free(c);
		return rc;
	}
	if (part)
		part->settles = true;
	*c = (struct commit){.p = {.s = s, .t = t, .internal = true, .changed = true},
			     .done = upkeep_done,
			     .ctx = s};
	internal_start(s, c);
	return 0;
}
