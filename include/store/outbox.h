/*
 * outbox: the edits of one source that wait for the provider, and those that it took lately. They alone cannot be fetched again: an edit is durable
 * before it is acknowledged, and nothing here is ever dropped because something else is damaged.
 *
 *   <dir>/N.log      the outbox; while a new one takes its place there may be two, and the larger number counts
 *   <dir>/N.log.bad  one that was damaged, set aside as it was; what could be read of it went into the next one
 *   <dir>/N.log.tmp  one that was not finished; removed at the next open
 *
 * N.log, version 1, little-endian:
 *
 *      0    8  magic "FICOBX1\n"
 *   then frames, each one durable write of one or more edits:
 *      0    4  marker 0xED17F1C5
 *      4    4  length of the payload, 1 to 64 MiB
 *      8    4  CRC-32 of marker, length and payload
 *     12    n  payload: a MessagePack array of edits as model/edit.h encodes them
 *
 * A later state of an edit replaces an earlier one by its id. A frame that the file ends in the middle of is a write that never was acknowledged, and is
 * cut. Anything else that is not as it was written is damage: the file is set aside and reported, frames behind it are searched for by
 * their marker, and all edits that can be read are kept.
 *
 * States change in memory at once and are durable when their `done` comes. Writes are grouped: those that come while one is being synced go together with
 * the next. When most of the file is history, it is written anew and renamed into place.
 */
#ifndef FIC_STORE_OUTBOX_H
#define FIC_STORE_OUTBOX_H

#include <model/edit.h>
#include <store/store.h>

#define OUTBOX_OPEN_MAX  1000 /* edits that are not pushed or dropped */
#define OUTBOX_KEPT_MAX  1000 /* those that are, kept to be looked at: the oldest go */
#define OUTBOX_BYTES_MAX ((size_t)8 * 1024 * 1024) /* of all of them, encoded */

struct outbox;

struct outbox_options {
	const char *dir;          /* made when missing, 0700; copied */
	struct store_hooks hooks; /* fsync, write, rename and unlink; others are not used */
	bool read_only;           /* to look at only: nothing on the disk is changed */
};

struct outbox_stats {
	unsigned count[EDIT_STATES];
	unsigned open;     /* that count against OUTBOX_OPEN_MAX */
	unsigned overlaid; /* edit_overlays */
	size_t bytes;      /* of all edits, encoded */
	uint64_t file_bytes;
	unsigned damaged; /* files that were set aside when it was opened, or lie there from before */
	bool unwritten;   /* the last write failed; it is tried again with the next change */
};

/* ERR_IO, ERR_DENIED, ERR_NOMEM; ERR_INVALID: a newer version of fic wrote it, and nothing was touched; ERR_LIMIT: more bytes than an outbox has.
 * `why` also has words, with 0, when something was damaged. */
int outbox_open(const struct outbox_options *options, struct outbox **out, struct why *why);
/* No fsync may be under way (outbox_busy). Callbacks that have not come do not come. NULL is fine. */
void outbox_close(struct outbox *o);
bool outbox_busy(const struct outbox *o);

/* `done` comes exactly once, maybe from inside the call: 0: durable; else the outbox is as it was before the call, as far as this edit goes. */
typedef void outbox_done(void *ctx, int rc, const struct why *why);

/* Takes an edit in with a number of its own (its `id` is not looked at), larger than all before; copies it. It is in the outbox when `done` says so, not before.
 * ERR_LIMIT: there are too many, or it is too large: `done` does not come. ERR_NOMEM, likewise. */
int outbox_add(struct outbox *o, const struct edit *e, uint64_t *id_out, outbox_done *done,
	       void *ctx, struct why *why);
/* Another state of an edit: all of it is replaced but record, resource, id. Seen at once; when it cannot be written, it stays so in memory and is written with the
 * next change. `done` may be NULL. ERR_NOTFOUND, ERR_LIMIT, ERR_NOMEM: nothing changes, and `done` does not come. */
int outbox_change(struct outbox *o, const struct edit *e, outbox_done *done, void *ctx,
		  struct why *why);

/* Every edit of the record goes, whatever became of it: from memory at once, from the disk with a new file that is begun now; files that were set aside as damaged, which
 * nobody can look through, go with it. Who waits for one of the edits is told that it is durable, and finds none. */
void outbox_erase(struct outbox *o, const char *resource, struct bytes record);
/* Something that was erased may still be on the disk. Asked again when writing has failed, it is tried again. */
bool outbox_erasing(struct outbox *o);

/* Callbacks with this ctx do not come any more; what they are about happens all the same. */
void outbox_forget(struct outbox *o, void *ctx);

/* Borrowed until the next call that changes the outbox, or the next turn of the loop. NULL: there is none; one that is not durable yet is none. */
const struct edit *outbox_find(const struct outbox *o, uint64_t id);
/* In the order in which they were asked for: the first one with an id greater than `after`. */
const struct edit *outbox_next(const struct outbox *o, uint64_t after);
/* The same among those of one record that lie over answers (edit_overlays): the oldest first. */
const struct edit *outbox_overlay(const struct outbox *o, const char *resource, struct bytes record,
				  uint64_t after);
/* How many edits lie over answers about a resource; NULL: about any, which costs nothing. */
unsigned outbox_overlaid(const struct outbox *o, const char *resource);
void outbox_stats(const struct outbox *o, struct outbox_stats *out);

/* What a file says, for who only looks: calls `each` for every edit's state in the order of the file, and tells how much of it is damaged. 0 or ERR_CORRUPT (then
 * *bad_out frames or stretches could not be read), ERR_INVALID: a newer version's. */
int outbox_read(struct bytes file, void (*each)(void *ctx, const struct edit *e), void *ctx,
		size_t *end_out, unsigned *bad_out);

#endif
