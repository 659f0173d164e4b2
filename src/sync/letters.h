/*
 * letters: the dead letters of one source: in memory, and durable as records of a resource of the store that no client sees.
 *
 * A run's changes are in its transaction: they hold when it commits, and are taken back when it does not. What clients change is kept by a commit of
 * its own (letters_save).
 */
#ifndef FIC_SYNC_LETTERS_H
#define FIC_SYNC_LETTERS_H

#include <model/dead.h>
#include <store/store.h>

#define LETTERS_RESOURCE    "dead_letters"
#define LETTERS_MAX         1024 /* of one source that are not dropped */
#define LETTERS_DROPPED_MAX 1024

struct letter {
	struct dead_letter info;
	uint64_t hash, number;
	bool over;    /* it was read, or is gone: forgotten with the run's commit */
	bool unsaved; /* not as it is on the disk */
	bool written; /* it is in the open transaction */
};

struct letters {
	struct letter **items; /* by number */
	size_t count, cap;
	size_t dropped;
	uint64_t last_number;
	int64_t version; /* greater than that of everything that was written: the store keeps the newer of two copies */
};

void letters_release(struct letters *l);
/* 0 or an error; letters that cannot be read are left out, and their records stay marked as they are. */
int letters_load(struct letters *l, struct snapshot *view, struct why *why);
/* NULL: there is none. One that is over counts as none. */
struct letter *letters_find(const struct letters *l, const char *resource, struct bytes id);
/* ERR_LIMIT, ERR_NOMEM; `letter` is copied. */
int letters_add(struct letters *l, const struct dead_letter *letter, struct letter **out);
void letters_drop(struct letters *l, struct letter *letter);
void letters_undrop(struct letters *l, struct letter *letter);

/* Into the transaction as it is now; as a tombstone when it is over. */
int letters_write(struct letters *l, struct letter *letter, struct txn *txn);
/* It goes without a word, and what the store has of it, whether or not there is one, with the transaction. */
int letters_forget(struct letters *l, const char *resource, struct bytes id, struct txn *txn,
		   struct why *why);
bool letters_unsaved(const struct letters *l);
int letters_save(struct letters *l, struct txn *txn); /* all that are unsaved */
/* The transaction that they were written to is committed, or is not. */
void letters_committed(struct letters *l);
void letters_aborted(struct letters *l);

#endif
