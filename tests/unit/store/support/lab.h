/*
 * lab: a folder for a store, hooks that fail, die or wait where a test says so, and a store's whole
 * content as text.
 */
#ifndef FIC_TESTS_STORE_LAB_H
#define FIC_TESTS_STORE_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <store/store.h>

enum lab_fault {
	FAULT_NONE,
	FAULT_DIE, /* step k and all later ones do nothing and fail: the process is gone */
	FAULT_TORN, /* the same, but half of a write at step k, or a rename or unlink whole, still happens */
	FAULT_LOSE, /* as FAULT_DIE, and what was not synced is lost by lab_lose: the power is gone */
	FAULT_FAIL,  /* step k alone fails */
	FAULT_SHORT, /* step k alone writes half and fails */
};

struct lab_wait {
	void (*done)(void *arg, int error);
	void *arg;
};

struct lab {
	char dir[128];
	enum lab_fault fault;
	unsigned at;    /* the step that fails, from 1 */
	unsigned steps; /* taken so far */
	bool died;
	int error;  /* errno of what fails; EIO when 0 */
	bool later; /* fsyncs wait for lab_sync_all */
	struct lab_wait waiting[256];
	unsigned waiting_count;
	char unsynced[64][256]; /* paths */
	unsigned syncs, writes, renames, unlinks;
	size_t cache_bytes, filter_bytes, txn_bytes_max, journal_bytes;
	uint32_t segment_rows;
	uint64_t written;                   /* bytes */
	const struct store_schema *schemas; /* lab_init: lab_schemas */
	uint64_t floor_bytes, free_bytes; /* what the disk claims to have free, when there is a floor */
	bool keep_previous;
	bool sliced; /* stores work only when store_work is called */
	bool awake;  /* a store asked for it */
	bool asked;  /* somebody asks, as stores see it */
};

/* Fields of what lab_doc makes, of every kind. */
extern const struct store_schema lab_schemas[];

void lab_init(struct lab *l); /* an empty folder in memory */
/* Spoils every file that was written and not synced since lab_calm. */
void lab_lose(struct lab *l);
void lab_release(struct lab *l);
void lab_calm(struct lab *l); /* no faults from here on; counts from 0 */
struct store_hooks lab_hooks(struct lab *l);
int lab_try_open(struct lab *l, struct store **out);
struct store *lab_open(struct lab *l); /* asserts */
/* Lets all fsyncs that wait come to their end (with an errno), and those that follow from them. */
void lab_sync_all(struct lab *l, int error);

/* Until it has nothing more to do. */
void lab_work(struct store *s);
struct txn *lab_begin(struct store *s);
/* Commits with synchronous hooks, working until it is done; the result. */
int lab_commit(struct txn *t);

/* A record with a document of about `size` bytes that `seed` decides. */
struct lab_record {
	struct record r;
	char id[64];
	struct buf doc;
};

/* Whatever the scan answers of its row without the record is what the record says. True: it answered
 * without trouble. */
bool lab_columns(struct scan *s, const char *resource, const struct record *r);

void lab_doc(struct buf *out, unsigned seed, unsigned size);
enum put_outcome lab_put(struct txn *t, const char *resource, const char *id, int64_t created,
			 int64_t updated, int64_t seen, unsigned flags, const char *parent,
			 unsigned seed);

/* Everything that a reader can see of these resources, one line each thing. Asserts that nothing is
 * damaged when `strict`. */
void lab_dump(struct store *s, struct buf *out, bool strict);
/* How many files with this end lie below the folder. */
unsigned lab_files(const char *dir, const char *suffix);
void lab_read(const char *dir, const char *path, struct buf *out);
void lab_write(const char *dir, const char *path, struct bytes data);
/* The first file below the folder whose name ends so; its path. */
bool lab_find(const char *dir, const char *suffix, char out[512]);
void lab_remove(const char *dir);
void lab_copy(const char *from, const char *to);

uint64_t lab_random(uint64_t *state);

#endif
