/*
 * outbox: edits in memory, and the file that makes them last.
 *
 *   IDLE --something is queued--> APPENDING (write, fsync) ------------------------------------> IDLE
 *     |                                                                                           ^
 *     +--the file is mostly history, damaged, missing, or a write failed--> WRITING (all edits into a new file, fsync)
 *                                                        --> RENAMED (fsync of the folder, the old file goes) -+
 *
 * Whatever fails leaves the file that counts as it was up to `file_bytes`; what may stand behind that is never appended to: the next write makes a new file.
 */
#include "hooks.h"
#include "outbox_file.h"
#include "outbox_list.h"

#include <base/files.h>
#include <base/log.h>
#include <codec/msgpack.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_BYTES_MAX ((size_t)128 << 20)
#define HISTORY_MIN    (256u << 10) /* a smaller file is not written anew */

enum phase { PHASE_IDLE, PHASE_APPENDING, PHASE_WRITING, PHASE_RENAMED };

struct waiter {
	struct waiter *next;
	uint64_t id;
	bool added;
	int rc;
	outbox_done *done;
	void *ctx;
};

struct outbox {
	char *dir;
	struct store_hooks hooks;
	bool read_only;
	struct outbox_list list;
	uint64_t last_id;
	unsigned overlaid;           /* edits that lie over answers: every question asks */
	uint64_t number, file_bytes; /* of the file that counts; 0: there is none */
	int fd;                      /* of it; -1 */
	bool renew;                  /* it must not be appended to */
	uint64_t least;              /* of the files that lie there, as far as we know */
	uint64_t bad; /* of the one that is damaged: it is not removed but renamed; 0: none */
	bool unwritten;
	unsigned damaged;
	uint64_t erased; /* how often something was; … before the new file that is being written, and before the last one that was */
	uint64_t erased_flying, erased_written;
	enum phase phase;
	struct buf queue; /* encodings that wait to be written */
	uint32_t queued;
	struct waiter *waiting, **waiting_end; /* for what is queued */
	struct waiter *flying;                 /* for what is being written */
	struct waiter *telling;                /* for what was */
	bool tells;
	int new_fd, dir_fd; /* PHASE_WRITING, PHASE_RENAMED */
	struct buf frame;
};

static void write_begin(struct outbox *o);

static char *path_of(const struct outbox *o, uint64_t number, const char *suffix)
{
	char *path;

	return asprintf(&path, "%s/%" PRIu64 ".log%s", o->dir, number, suffix) < 0 ? NULL : path;
}

static bool overlays(const struct outbox_entry *e)
{
	return !e->fresh && edit_overlays(&e->edit);
}

/* After whatever changes the list. */
static void count_overlaid(struct outbox *o)
{
	o->overlaid = 0;
	for (size_t i = 0; i < o->list.count; i++)
		o->overlaid += overlays(o->list.items[i]);
}

/* ---- the end of a write ---- */

/* Whoever is told may bring about another write, and its end: that one's are told behind these. */
static void tell(struct outbox *o, struct waiter *first)
{
	struct waiter **last = &o->telling;

	while (*last)
		last = &(*last)->next;
	*last = first;
	if (o->tells)
		return;
	o->tells = true;
	while (o->telling) {
		struct waiter w = *o->telling;
		struct why why = {""};
		free(o->telling);
		o->telling = w.next;
		if (w.rc)
			why_set(&why, w.rc, "the outbox in %s cannot be written (%s)", o->dir,
				err_name(w.rc));
		if (w.done)
			w.done(w.ctx, w.rc, &why);
	}
	o->tells = false;
}

static void settle(struct outbox *o, struct waiter *first, int rc)
{
	for (struct waiter *w = first; w; w = w->next) {
		struct outbox_entry *e = w->added ? outbox_list_find(&o->list, w->id) : NULL;
		w->rc = rc;
		if (e && rc == 0)
			e->fresh = false;
		else if (e)
			outbox_list_remove(&o->list, w->id);
	}
	count_overlaid(o);
}

static void write_end(struct outbox *o, int rc)
{
	struct waiter *first = o->flying;

	o->flying = NULL;
	o->phase = PHASE_IDLE;
	o->unwritten = rc != 0;
	o->renew |= rc != 0;
	settle(o, first, rc);
	tell(o, first);
	if (o->phase == PHASE_IDLE && (o->queued || (rc == 0 && o->erased != o->erased_written)))
		write_begin(o);
}

static void write_fail(struct outbox *o, int rc)
{
	log_error("store", "edits could not be made durable: %s cannot be written (%s)", o->dir,
		  err_name(rc));
	if (o->new_fd >= 0)
		close(o->new_fd);
	o->new_fd = -1;
	write_end(o, rc);
}

/* ---- appending ---- */

static void on_appended(void *ctx, int error)
{
	struct outbox *o = ctx;

	if (error) {
		write_fail(o, hooks_error(error));
		return;
	}
	o->file_bytes += o->frame.len;
	write_end(o, 0);
}

static void frame_of_queue(struct outbox *o)
{
	size_t start;

	buf_reset(&o->frame);
	start = outbox_frame_begin(&o->frame);
	mp_put_array(&o->frame, o->queued);
	buf_put_bytes(&o->frame, buf_bytes(&o->queue));
	outbox_frame_end(&o->frame, start);
	buf_reset(&o->queue);
	o->queued = 0;
}

static void append(struct outbox *o)
{
	int rc;

	frame_of_queue(o);
	o->phase = PHASE_APPENDING;
	rc = o->frame.error ? o->frame.error
			    : o->hooks.write(o->hooks.ctx, o->fd, o->frame.data, o->frame.len,
					     o->file_bytes);
	if (rc == 0)
		rc = o->hooks.fsync(o->hooks.ctx, o->fd, on_appended, o);
	if (rc)
		write_fail(o, rc);
}

/* ---- a new file ---- */

static void frame_of_all(struct outbox *o)
{
	size_t start;

	buf_reset(&o->frame);
	buf_put(&o->frame, OUTBOX_MAGIC, OUTBOX_FILE_HEAD);
	if (o->list.count == 0)
		return;
	start = outbox_frame_begin(&o->frame);
	mp_put_array(&o->frame, (uint32_t)o->list.count);
	for (size_t i = 0; i < o->list.count; i++)
		edit_encode(&o->list.items[i]->edit, &o->frame);
	outbox_frame_end(&o->frame, start);
}

/* Those before it are not needed any more, but what was damaged is kept for people to look at. */
static void older_end(struct outbox *o)
{
	bool erases = o->erased != o->erased_written;

	for (; o->least && o->least < o->number; o->least++) {
		char *path = path_of(o, o->least, ""), *aside = path_of(o, o->least, ".bad");
		if (path && aside && o->least == o->bad && !erases)
			o->hooks.rename(o->hooks.ctx, path, aside);
		else if (path)
			o->hooks.unlink(o->hooks.ctx, path);
		free(path);
		free(aside);
	}
}

/* What was set aside may hold anything. */
static void aside_end(struct outbox *o)
{
	DIR *dir = opendir(o->dir);
	struct dirent *entry;
	char *path;

	// cppcheck-suppress readdirCalled ; one thread, one stream
	while (dir && (entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);
		if (len <= 4 || strcmp(entry->d_name + len - 4, ".bad") != 0 ||
		    asprintf(&path, "%s/%s", o->dir, entry->d_name) < 0)
			continue;
		log_warn("store", "%s is removed: something was forgotten that it may hold", path);
		o->hooks.unlink(o->hooks.ctx, path);
		free(path);
	}
	if (dir)
		closedir(dir);
	o->damaged = 0;
	o->bad = 0;
}

static void on_dir_synced(void *ctx, int error)
{
	struct outbox *o = ctx;

	close(o->dir_fd);
	o->dir_fd = -1;
	if (error) {
		write_fail(o, hooks_error(error));
		return;
	}
	older_end(o);
	if (o->erased != o->erased_written)
		aside_end(o);
	o->erased_written = o->erased_flying;
	write_end(o, 0);
}

/* It counts from here on: another one comes after it, if its name should not last. */
static void adopt(struct outbox *o)
{
	if (o->fd >= 0)
		close(o->fd);
	o->fd = o->new_fd;
	o->new_fd = -1;
	o->number++;
	if (!o->least)
		o->least = o->number;
	o->file_bytes = o->frame.len;
	o->renew = false;
	o->phase = PHASE_RENAMED;
}

static void on_file_synced(void *ctx, int error)
{
	struct outbox *o = ctx;
	char *from = path_of(o, o->number + 1, ".tmp"), *to = path_of(o, o->number + 1, "");
	int rc = error ? hooks_error(error) : from && to ? 0 : ERR_NOMEM;

	if (rc == 0 && o->hooks.rename(o->hooks.ctx, from, to) != 0)
		rc = hooks_error(errno);
	free(from);
	free(to);
	if (rc) {
		write_fail(o, rc);
		return;
	}
	adopt(o);
	o->dir_fd = open(o->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = o->dir_fd < 0 ? hooks_error(errno)
			   : o->hooks.fsync(o->hooks.ctx, o->dir_fd, on_dir_synced, o);
	if (rc) {
		if (o->dir_fd >= 0)
			close(o->dir_fd);
		o->dir_fd = -1;
		write_fail(o, rc);
	}
}

static void renew(struct outbox *o)
{
	char *path = path_of(o, o->number + 1, ".tmp");
	int rc = path ? 0 : ERR_NOMEM;

	o->phase = PHASE_WRITING;
	o->erased_flying = o->erased;
	outbox_list_trim(&o->list);
	frame_of_all(o);
	if (rc == 0)
		rc = o->frame.error;
	if (rc == 0) {
		o->new_fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (o->new_fd < 0)
			rc = hooks_error(errno);
	}
	free(path);
	if (rc == 0)
		rc = o->hooks.write(o->hooks.ctx, o->new_fd, o->frame.data, o->frame.len, 0);
	if (rc == 0)
		rc = o->hooks.fsync(o->hooks.ctx, o->new_fd, on_file_synced, o);
	if (rc)
		write_fail(o, rc);
}

/* ---- what is written next ---- */

static bool is_mostly_history(const struct outbox *o)
{
	return o->file_bytes > HISTORY_MIN && o->file_bytes / 4 > o->list.bytes;
}

static void write_begin(struct outbox *o)
{
	o->flying = o->waiting;
	o->waiting = NULL;
	o->waiting_end = &o->waiting;
	if (o->fd < 0 || o->renew || o->erased != o->erased_written || is_mostly_history(o)) {
		/* It has everything, so what is queued is in it. */
		buf_reset(&o->queue);
		o->queued = 0;
		renew(o);
		return;
	}
	append(o);
}

/* There is room for it. */
static void queue_put(struct outbox *o, struct bytes encoded, struct waiter *w)
{
	buf_put_bytes(&o->queue, encoded);
	*o->waiting_end = w;
	o->waiting_end = &w->next;
	o->queued++;
}

static bool counts(const struct edit *e)
{
	return e->state != EDIT_PUSHED && e->state != EDIT_DROPPED;
}

static int check_room(const struct outbox *o, const struct edit *e, size_t bytes, struct why *why)
{
	size_t open = 0, open_bytes = 0;

	if (bytes > EDIT_BYTES_MAX)
		return why_set(why, ERR_LIMIT, "an edit has at most %d KiB", EDIT_BYTES_MAX / 1024);
	for (size_t i = 0; i < o->list.count; i++)
		if (counts(&o->list.items[i]->edit) && o->list.items[i]->edit.id != e->id) {
			open++;
			open_bytes += o->list.items[i]->bytes;
		}
	if (counts(e) && (open >= OUTBOX_OPEN_MAX || open_bytes + bytes > OUTBOX_BYTES_MAX))
		return why_set(
			why, ERR_LIMIT,
			"%zu edits wait for the provider already: try again when some of them are pushed, or resolve those in conflict",
			open);
	return 0;
}

static int put(struct outbox *o, const struct edit *e, bool added, outbox_done *done, void *ctx,
	       struct why *why)
{
	const struct outbox_entry *old = outbox_list_find(&o->list, e->id);
	struct waiter *w = malloc(sizeof *w);
	struct buf encoded = {0};
	int rc;

	/* It may borrow from what it replaces: nothing of it is looked at behind outbox_list_put. */
	edit_encode(e, &encoded);
	rc = !w || encoded.error ? ERR_NOMEM : added ? check_room(o, e, encoded.len, why) : 0;
	if (rc == 0)
		*w = (struct waiter){.id = e->id, .added = added, .done = done, .ctx = ctx};
	if (rc == 0 && buf_reserve(&o->queue, encoded.len)) {
		o->queue.error = 0;
		rc = ERR_NOMEM;
	}
	if (rc == 0)
		rc = outbox_list_put(&o->list, e, added || (old && old->fresh));
	if (rc == 0)
		queue_put(o, buf_bytes(&encoded), w);
	else
		free(w);
	count_overlaid(o);
	buf_release(&encoded);
	if (rc == ERR_NOMEM)
		return why_set(why, rc, "out of memory for an edit");
	if (rc == 0 && o->phase == PHASE_IDLE)
		write_begin(o);
	return rc;
}

void outbox_erase(struct outbox *o, const char *resource, struct bytes record)
{
	struct buf id = {0};
	char name[64];
	bool any = false;

	/* They may point into what goes. */
	snprintf(name, sizeof name, "%s", resource);
	buf_put_bytes(&id, record);
	for (size_t i = o->list.count; i-- > 0;) {
		const struct edit *e = &o->list.items[i]->edit;
		if (strcmp(e->resource, name) != 0 || !bytes_equal(e->record, buf_bytes(&id)))
			continue;
		outbox_list_remove(&o->list, e->id);
		any = true;
	}
	buf_release(&id);
	count_overlaid(o);
	o->erased += any;
	outbox_erasing(o);
}

bool outbox_erasing(struct outbox *o)
{
	if (o->erased != o->erased_written && o->phase == PHASE_IDLE)
		write_begin(o);
	return o->erased != o->erased_written;
}

int outbox_add(struct outbox *o, const struct edit *e, uint64_t *id_out, outbox_done *done,
	       void *ctx, struct why *why)
{
	struct edit copy = *e;

	copy.id = o->last_id + 1;
	if (o->read_only)
		return why_set(why, ERR_DENIED, "the outbox is only looked at");
	/* Before `done`, which may come from inside. */
	if (id_out)
		*id_out = copy.id;
	o->last_id++;
	int rc = put(o, &copy, true, done, ctx, why);
	if (rc)
		o->last_id--;
	return rc;
}

int outbox_change(struct outbox *o, const struct edit *e, outbox_done *done, void *ctx, struct why *why)
{
	const struct outbox_entry *old = outbox_list_find(&o->list, e->id);
	struct edit copy = *e;

	if (!old || o->read_only)
		return why_set(why, ERR_NOTFOUND, "there is no edit %llu", (unsigned long long)e->id);
	memcpy(copy.resource, old->edit.resource, sizeof copy.resource);
	copy.record = old->edit.record;
	return put(o, &copy, false, done, ctx, why);
}

static void forget(struct waiter *first, const void *ctx)
{
	for (struct waiter *w = first; w; w = w->next)
		if (w->ctx == ctx)
			w->done = NULL;
}

void outbox_forget(struct outbox *o, void *ctx)
{
	forget(o->waiting, ctx);
	forget(o->flying, ctx);
	forget(o->telling, ctx);
}

/* ---- looking ---- */

const struct edit *outbox_find(const struct outbox *o, uint64_t id)
{
	const struct outbox_entry *e = outbox_list_find(&o->list, id);

	return e && !e->fresh ? &e->edit : NULL;
}

const struct edit *outbox_next(const struct outbox *o, uint64_t after)
{
	if (after == UINT64_MAX)
		return NULL;
	for (size_t i = outbox_list_place(&o->list, after + 1); i < o->list.count; i++)
		if (!o->list.items[i]->fresh)
			return &o->list.items[i]->edit;
	return NULL;
}

const struct edit *outbox_overlay(const struct outbox *o, const char *resource, struct bytes record,
				  uint64_t after)
{
	uint64_t hash = bytes_hash(record);

	for (size_t i = outbox_list_place(&o->list, after + 1); i < o->list.count; i++) {
		const struct outbox_entry *e = o->list.items[i];
		if (e->record_hash == hash && overlays(e) &&
		    strcmp(e->edit.resource, resource) == 0 && bytes_equal(e->edit.record, record))
			return &e->edit;
	}
	return NULL;
}

unsigned outbox_overlaid(const struct outbox *o, const char *resource)
{
	unsigned n = 0;

	if (!resource || o->overlaid == 0)
		return o->overlaid;
	for (size_t i = 0; i < o->list.count; i++)
		n += overlays(o->list.items[i]) &&
		     strcmp(o->list.items[i]->edit.resource, resource) == 0;
	return n;
}

void outbox_stats(const struct outbox *o, struct outbox_stats *out)
{
	*out = (struct outbox_stats){
		.bytes = o->list.bytes,
		.file_bytes = o->file_bytes,
		.damaged = o->damaged,
		.unwritten = o->unwritten,
		.overlaid = outbox_overlaid(o, NULL),
	};
	for (size_t i = 0; i < o->list.count; i++) {
		const struct outbox_entry *e = o->list.items[i];
		if (e->fresh)
			continue;
		out->count[e->edit.state]++;
		out->open += counts(&e->edit);
	}
}

bool outbox_busy(const struct outbox *o)
{
	return o->phase != PHASE_IDLE;
}

/* ---- opening ---- */

struct loading {
	struct outbox *outbox;
	int rc;
};

static void load(void *ctx, const struct edit *e)
{
	struct loading *l = ctx;

	if (!l->rc)
		l->rc = outbox_list_put(&l->outbox->list, e, false);
	if (e->id > l->outbox->last_id)
		l->outbox->last_id = e->id;
}

/* The numbers of the outboxes in the folder, the largest and the smallest; what was not finished goes. */
static int look_around(struct outbox *o, struct why *why)
{
	DIR *dir = opendir(o->dir);

	if (!dir)
		return errno == ENOENT && o->read_only
			       ? 0
			       : why_errno(why, "cannot read the folder %s", o->dir);
	// cppcheck-suppress readdirCalled ; one thread, one stream
	for (struct dirent *e; (e = readdir(dir));) {
		char *end;
		errno = 0;
		unsigned long long number = strtoull(e->d_name, &end, 10);
		if (e->d_name[0] < '1' || e->d_name[0] > '9' || errno || number >= UINT64_MAX / 2)
			continue;
		if (strcmp(end, ".log.tmp") == 0 && !o->read_only)
			unlinkat(dirfd(dir), e->d_name, 0);
		o->damaged += strcmp(end, ".log.bad") == 0;
		if (strcmp(end, ".log") != 0)
			continue;
		if (number > o->number)
			o->number = number;
		if (o->least == 0 || number < o->least)
			o->least = number;
	}
	closedir(dir);
	return 0;
}

static int take_file(struct outbox *o, const char *path, struct bytes file, struct why *why)
{
	struct loading l = {.outbox = o};
	struct why words = {""};
	size_t end;
	unsigned bad;
	int rc = outbox_read(file, load, &l, &end, &bad);

	if (rc == ERR_INVALID)
		return why_set(why, rc, "%s was written by a newer version of fic", path);
	if (l.rc)
		return why_set(why, l.rc, "out of memory to read %s", path);
	o->file_bytes = end;
	if (rc) {
		o->damaged++;
		o->renew = true;
		o->bad = o->number;
		why_set(&words, 0,
			"%s is damaged: %u of its frames or edits cannot be read; the others are kept, and the file is set aside as %s.bad",
			path, bad, path);
		why_set(why, 0, "%s", words.text);
		log_error("store", "%s", words.text);
	} else if (end < file.len) {
		log_warn("store",
			 "%s ended in the middle of a write that was not acknowledged; %zu bytes are cut",
			 path, file.len - end);
		if (!o->read_only && truncate(path, (off_t)end))
			o->renew = true;
	}
	return 0;
}

static int open_file(struct outbox *o, struct why *why)
{
	struct buf file = {0};
	char *path = path_of(o, o->number, "");
	int rc = path ? file_read(path, FILE_BYTES_MAX, &file, why)
		      : why_set(why, ERR_NOMEM, "out of memory to open %s", o->dir);

	if (rc == 0)
		rc = take_file(o, path, buf_bytes(&file), why);
	if (rc == 0 && !o->read_only) {
		o->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (o->fd < 0)
			rc = why_errno(why, "cannot open %s", path);
	}
	buf_release(&file);
	free(path);
	return rc;
}

int outbox_open(const struct outbox_options *options, struct outbox **out, struct why *why)
{
	struct outbox *o = calloc(1, sizeof *o);
	int rc;

	if (!o || !(o->dir = strdup(options->dir))) {
		free(o);
		return why_set(why, ERR_NOMEM, "out of memory to open %s", options->dir);
	}
	o->hooks = options->hooks;
	o->read_only = options->read_only;
	o->fd = o->new_fd = o->dir_fd = -1;
	o->waiting_end = &o->waiting;
	hooks_fill(&o->hooks);
	rc = o->read_only ? 0 : dir_make(o->dir, 0700, why);
	if (rc == 0)
		rc = look_around(o, why);
	if (rc == 0 && o->number)
		rc = open_file(o, why);
	if (rc) {
		outbox_close(o);
		return rc;
	}
	/* A crash came when they were to be removed. */
	if (!o->read_only && !o->bad)
		older_end(o);
	count_overlaid(o);
	*out = o;
	if (o->renew && !o->read_only)
		write_begin(o);
	return 0;
}

static void waiters_free(struct waiter *w)
{
	for (struct waiter *next; w; w = next) {
		next = w->next;
		free(w);
	}
}

void outbox_close(struct outbox *o)
{
	if (!o)
		return;
	waiters_free(o->waiting);
	waiters_free(o->flying);
	waiters_free(o->telling);
	if (o->fd >= 0)
		close(o->fd);
	if (o->new_fd >= 0)
		close(o->new_fd);
	if (o->dir_fd >= 0)
		close(o->dir_fd);
	outbox_list_release(&o->list);
	buf_release(&o->queue);
	buf_release(&o->frame);
	free(o->dir);
	free(o);
}
