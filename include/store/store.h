/*
 * store: the records of one source on disk, their coverage, and one commit point.
 *
 *   <dir>/MANIFEST                      live segments, dead rows, coverage, marks, dictionaries,
 *                                       revision; written whole, fsynced, renamed
 *   <dir>/MANIFEST.prev                 the one before it, where it is kept
 *   <dir>/journal/N.log                 small commits since the manifest (store/journal.h)
 *   <dir>/<resource>/<window>/N.seg     immutable segments (store/segment.h); <window> is the UTC
 *                                       date of the first window inside, or `all`
 *   <dir>/<resource>/N.dict             dictionaries for compression
 *   <dir>/runs/N.log                    the audit trail (store/trail.h)
 *
 * Laws kept here: coverage is never claimed ahead of what is durable (both change in the same
 * commit); a poorer copy never replaces a fuller one; newest wins at commit, not at read, so that
 * every live record exists exactly once; a crash at any step leaves the old state or the new one.
 * Nothing here reads a clock, draws a random number or waits for a disk: times are arguments,
 * fsync is asynchronous through the caller's hook.
 *
 * Readers take a snapshot and keep what it shows whatever commits meanwhile. One transaction is
 * open at a time.
 */
#ifndef FIC_STORE_STORE_H
#define FIC_STORE_STORE_H

#include <model/coverage.h>
#include <model/field.h>
#include <model/record.h>

struct store;
struct txn;
struct snapshot;
struct scan;
struct match;

#define STORE_RESOURCES_MAX 32

/* How durable steps are done. Every member may be replaced (tests inject faults and crashes); a
 * zeroed struct means the operating system's calls, with fsync done at once.
 *
 * fsync must call `done(arg, 0 or an errno)` exactly once, at once or later from the loop, and
 * return 0; or return an enum err and not call it. A commit asks for the fsyncs of all its files
 * before the first of them is done, and for the folder's when all are done; a descriptor stays
 * open until its `done`. */
struct store_hooks {
	int (*fsync)(void *ctx, int fd, void (*done)(void *arg, int error), void *arg);
	/* As file_pwrite. */
	int (*write)(void *ctx, int fd, const void *data, size_t len, uint64_t offset);
	int (*rename)(void *ctx, const char *from, const char *to); /* as rename(2) */
	int (*unlink)(void *ctx, const char *path);                 /* as unlink(2) */
	/* What may still be written below the folder. 0 or an error (then nobody knows, and nothing is
	 * refused). */
	int (*free_bytes)(void *ctx, const char *dir, uint64_t *bytes_out);
	/* There is something for store_work. Comes from inside txn_commit and store_open; must not call back. NULL:
	 * whatever there is to do is done at once, in the call that asks for it. */
	void (*wake)(void *ctx);
	/* There is another state: a snapshot may show more than before. Comes from inside a commit's end; must not call back. May be
	 * NULL. */
	void (*changed)(void *ctx);
	/* Whether somebody asks whom this work is not to delay: then a piece of it is small, and all of it
	 * takes a little longer. NULL: nobody does. */
	bool (*asked)(void *ctx);
	void *ctx;
};

/* How a field of the documents is indexed. */
enum store_kind {
	STORE_KEYWORD, /* the whole value is a term; a column */
	STORE_LIST,    /* each item is a term; a column */
	STORE_WORDS,   /* each word of the text is a term (codec/words.h); no column */
	STORE_TEXT,    /* the same, and a column */
	STORE_INTEGER, /* a column */
	STORE_TIME,    /* a column */
};

struct store_field {
	const struct field *field; /* of a table, not an envelope's and not a raw path */
	enum store_kind kind;
};

/* The indexed fields of a resource, 62 at most. Each segment remembers the fields that it was written
 * with: when a field comes, goes or changes its meaning, older segments answer what they can, and
 * are made anew by the store's upkeep. */
struct store_schema {
	const char *resource;
	const struct store_field *fields;
	size_t count;
	/* The resource that its records' parents are of; NULL: they have none. For these the store remembers by how much a record may be older than its
	 * parent (snapshot_lead). */
	const char *parent;
};

struct store_options {
	const char *dir; /* made when missing, 0700 */
	struct store_hooks hooks;
	size_t cache_bytes; /* of index pages; 0: 4 MiB */
	size_t frame_bytes; /* of packed records that lists found; 0: 1 MiB */
	size_t filter_bytes; /* of filters over ids, parents and words, which say what is not held; 0: 4 MiB */
	unsigned files_max;    /* segment files that stay open; 0: 256 */
	size_t txn_bytes_max;  /* compressed bytes and index of one open transaction; 0: 8 MiB */
	int64_t window_ms;     /* 0: one day */
	uint32_t segment_rows; /* of a segment that compaction takes for full; 0: 20,480 */
	/* Small commits go to a journal, and their records stay in memory until there are so many bytes of
	 * them (with their indexes); then the next commit writes segments. 0: there is no journal, each
	 * commit writes segments. */
	size_t journal_bytes;
	/* A commit that brings records and would leave less free on the disk is refused with ERR_NOSPACE
	 * before anything is written; what makes room is not. 0: no floor. */
	uint64_t floor_bytes;
	/* The manifest before the newest stays as MANIFEST.prev, with all that it names, until the next
	 * one is written: what a damaged manifest falls back to. */
	bool keep_previous;
	/* To look at only (store_check): nothing on the disk is made, changed or removed, no commit goes well, and what is damaged or missing is not set
	 * aside but found by whoever reads it. */
	bool read_only;
	/* The last one has no resource; NULL: none. Borrowed until store_close. */
	const struct store_schema *schemas;
};

/* Reads the manifest and its journals (not the segments), removes files that it does not name, checks that each
 * named segment is there and has the right size. A segment that is missing or damaged is
 * quarantined: renamed to N.seg.bad, its rows gone, its span withdrawn from coverage, counted and
 * logged; the store opens. A manifest that cannot be trusted is set aside as MANIFEST.bad; then the
 * one before it counts, with its journals, where it was kept, and else the store opens empty
 * (everything is re-fetchable); both with a log line.
 *
 * What is repaired holds in memory at once and on disk with the next commit (an empty one does);
 * until then every open comes to the same result.
 *
 * ERR_IO, ERR_NOSPACE, ERR_DENIED, ERR_NOMEM: not opened. ERR_INVALID: a newer version of fic wrote
 * the manifest, or a schema that cannot be one; not opened, nothing touched. ERR_LIMIT: too many fields. */
int store_open(const struct store_options *options, struct store **store_out, struct why *why);
/* No snapshot may be held and no fsync be under way. An open transaction is aborted; a commit that
 * is still being prepared is given up, and its `done` does not come. */
void store_close(struct store *s);

/* The next slice of what there is to do: some tenths of a millisecond, so that an owner's loop stays
 * free. That is what a commit has to prepare, filters that are not in memory yet, and the store's own
 * upkeep: segments that readers found
 * damaged are quarantined, the journal is flushed, segments that are small, partly dead, of the same
 * time or of an old schema are merged, what is old is packed more densely, and a dictionary that does
 * not pay any more is replaced, until there is nothing to gain. What fails for want of room or the like
 * is tried again after some more commits. Nothing
 * of it changes what readers see, but for a quarantine, or raises the revision. True: there is more,
 * call again; else the hook `wake` says when. May end a commit (and so call its `done`). Without the
 * hook, commits do not need it, but upkeep does. */
bool store_work(struct store *s);
/* Much is coming, or is over: while it lasts nothing is packed anew only to be denser, which takes as
 * long as all else that is done for a record, and full segments of the same time are left side by side. Off
 * at first. */
void store_rush(struct store *s, bool on);
/* Asks for what is in the journal to be written to segments, by store_work. */
void store_flush(struct store *s);

/* Asks for old copies that transactions noted (txn_scrub) to go from the disk, by store_work. */
void store_scrub(struct store *s);
/* Files that are written anew, and their bytes. */
struct store_purge {
	uint64_t files, bytes;
};

/* Whether something that was forgotten or replaced may still be on the disk, and in which files, or in memory that the store keeps: index pages and packed records of
 * files that go are overwritten there. (Not so what was given back to the allocator, nor what callers have.) What readers hold open stays until they are done. */
bool store_purging(const struct store *s, struct store_purge *left_out);
/* What forgetting a record of the resource makes the store write anew: adds it. */
void store_purge_cost(const struct store *s, const char *resource, struct store_purge *cost);

/* A member of a resource's documents, by its path (model/strip.h). */
struct store_exclusion {
	const char *resource; /* NULL: the end of a list */
	const char *path;
};

/* From now on these are taken out of what is put, before anything is made of it, and no others; store_work takes them out of what is held, all copies of it, until
 * store_purging says that it is over; a store that is opened again and told the same goes on with that. The list is copied. 0; ERR_INVALID: a resource's name or a path that
 * cannot be one; ERR_LIMIT: more than 64 paths or 4 KiB of one resource; ERR_NOMEM; then nothing has changed. */
int store_exclude(struct store *s, const struct store_exclusion *list);

struct store_stats {
	uint64_t revision;
	uint64_t commits;
	uint64_t failed; /* commits that came to nothing since the store was opened */
	uint64_t segments;
	uint64_t disk_bytes;
	uint64_t quarantined; /* segments since the store was opened */
	uint64_t retained;    /* threads that txn_retain_threads ended since then, or tried to */
	uint64_t cache_bytes;
	uint64_t cache_hits, cache_misses;
	uint64_t reads; /* of segment files: the misses, and those of records */
	uint64_t filter_bytes; /* and of first terms of index pages, which come beside store_options' limit */
	uint64_t memory_bytes;  /* of records that are in the journal */
	uint64_t journal_bytes; /* on the disk */
	bool rush;              /* store_rush is on */
};

void store_stats(const struct store *s, struct store_stats *out);

/* ---- writing ---- */

enum put_outcome {
	PUT_CREATED, /* no live copy was held */
	PUT_UPDATED, /* another state was held */
	PUT_SAME,    /* nothing changes but, maybe, when it was seen; also a tombstone where no live
	              * record was held (it is kept, too) */
	PUT_POORER,  /* a fuller or newer copy is held, or it was forgotten; this one is dropped */
	PUT_DELETED, /* a live record became a tombstone */
};

/* ERR_BUSY while another transaction is open or committing. */
int store_begin(struct store *s, struct txn **txn_out, struct why *why);

/* Encodes and compresses the record now, so that the cost is spread over the puts. The record is
 * copied. Later puts of the same id in one transaction win by the same rules as against what is
 * stored:
 *   - a tombstone (RECORD_DELETED) replaces any live record; it keeps the created time and parent
 *     of what it replaces when its own are unknown;
 *   - a live copy replaces a tombstone (PUT_CREATED) when it was updated later, or, a full one, seen
 *     later: then the deletion was none; a poor one of the same or an unknown update when seen later;
 *     a full one with another parent whenever it was seen: it has only left the first one;
 *   - a RECORD_POOR copy never replaces a full copy unless its updated_ms is newer, and then the
 *     record stays marked as wanting a full read (RECORD_POOR);
 *   - an older copy (updated_ms smaller, or equal or unknown with an older seen_ms and another
 *     document) never replaces a newer one;
 *   - the same document and envelope (all but seen_ms): PUT_SAME; written again only when the held
 *     copy is not settled and this one is (record_settled), under its old revision.
 * Each record that is written gets a revision of its own, in the order of the puts.
 *
 * ERR_INVALID: an id empty or too long, a document that is not one MessagePack value, or the
 * resource's name unusable ([a-z_]{1,31}). ERR_LIMIT: the transaction is full (bytes, or 100,000
 * records), or the record larger than 32 MiB. ERR_IO, ERR_NOMEM. After an error the transaction is
 * as it was before the call. outcome_out may be NULL. */
int txn_put(struct txn *t, const char *resource, const struct record *record,
	    enum put_outcome *outcome_out, struct why *why);

#define STORE_FORGET_KEY 32 /* random bytes */

/* The record is forgotten: with the commit it is gone without a tombstone, and from then on what is put under its id, or, where the schema names parents, as its child, is
 * dropped (PUT_POORER). What the disk still has of it, and every dictionary of its resource, goes by store_work until store_purging says that it is over; whoever
 * stops the process finds that going on. Of the id stays what tells it when it comes again, made with `key` (STORE_FORGET_KEY bytes, the same in one transaction), or with the key of the first time; {NULL, 0}: nothing stays, and
 * nothing is refused.
 * Coverage stays as it is. `held_out`: a record, or its tombstone, was held. ERR_INVALID: no id can be so, or this transaction has put it; ERR_LIMIT: 100,000 records of one
 * resource at once, about 130,000 in all. */
int txn_forget(struct txn *t, const char *resource, struct bytes id, struct bytes key,
	       bool *held_out, struct why *why);
/* Something that this transaction replaces must not stay on the disk as an old copy: it goes with the next store_scrub after the commit. 0, ERR_LIMIT, ERR_NOMEM. */
int txn_scrub(struct txn *t, const char *resource);

/* Coverage changes, visible with the same commit as the puts. They act in order on the
 * transaction's own copy, so that their errors (ERR_LIMIT, ERR_NOMEM, ERR_INVALID of a chain with a
 * hole) come at once and change nothing. A hold also ends the record of damage in its span. */
int txn_hold(struct txn *t, const char *resource, struct interval span);
int txn_withdraw(struct txn *t, const char *resource, int64_t start_ms, int64_t end_ms);
int txn_chain_start(struct txn *t, const char *resource, int64_t at_ms);
int txn_chain_extend(struct txn *t, const char *resource, int64_t from_ms, int64_t to_ms);

/* Ends what lies before the window of `before_ms` (in UTC; whole windows only): coverage is withdrawn
 * at once, and the commit removes the records that were created before it, tombstones too; records
 * without a creation time stay, and so do those of this transaction. Counts as a change. */
int txn_retain(struct txn *t, const char *resource, int64_t before_ms);

/* The same for threads: a record of `parent` ends when it was created and last updated before that window, and so was every child of it; all its
 * children (records of `child`; NULL: there are none) end in the same commit, and no others. Records that stay keep all their children, and what
 * coverage keeps stays true. At most STORE_RETAIN_MAX of them in one commit, though coverage goes at once: store_stats.retained tells whether another is
 * needed. ERR_INVALID when the transaction has used one of the two before. Counts as a change. */
int txn_retain_threads(struct txn *t, const char *parent, const char *child, int64_t before_ms);

#define STORE_RETAIN_MAX 16384

/* A small named value (watermark, ETag, time zone …): a key of 1 to 255 bytes, a value of at most
 * 4 KiB; {NULL, 0} removes it. A store holds at most 1,024. */
int txn_mark(struct txn *t, const char *key, struct bytes value);

size_t txn_bytes(const struct txn *t); /* compressed bytes, terms and column values waiting */
size_t txn_records(const struct txn *t);

/* Makes everything durable, then visible. A small transaction is appended to the journal, which is
 * fsynced. Else: segments written (by store_work, in slices) and fsynced,
 * manifest written, fsynced, renamed, folder fsynced. `done(ctx, 0 or an error, why)` comes exactly
 * once, maybe from inside this call when there is no hook `wake` or it fails at once; the transaction is gone then, and another may be begun from
 * there. On an error the store is as it was before (when the very last step failed, the one after
 * the rename, a crash before the next commit may still bring the new state).
 *
 * A transaction that changes nothing touches no disk and takes no revision; every other one raises
 * it by at least one. Damage that readers met since the last commit is quarantined here. */
void txn_commit(struct txn *t, void (*done)(void *ctx, int rc, const struct why *why), void *ctx);
void txn_abort(struct txn *t);

/* ---- reading ---- */

/* A reference to what is committed now; cheap. NULL: no memory. */
struct snapshot *snapshot_new(struct store *s);
/* The same as it will be when all damage that is known was set aside: what is damaged is not in it, nor claimed. NULL: no memory. */
struct snapshot *snapshot_sound(struct store *s);
void snapshot_free(struct snapshot *v);

uint64_t snapshot_revision(const struct snapshot *v);
/* Never NULL: a resource that was never written has an empty coverage. Borrowed from the
 * snapshot. */
const struct coverage *snapshot_coverage(const struct snapshot *v, const char *resource);
/* Another number for each set of rows that the resource has had since the store was opened, a larger one for a later set; what changes the coverage
 * alone does not change it. */
uint64_t snapshot_version(const struct snapshot *v, const char *resource);
/* Live records, tombstones not counted. */
uint64_t snapshot_count(const struct snapshot *v, const char *resource);
/* The span of creation times of the live records (no tombstones); false when none has a time. */
bool snapshot_extent(const struct snapshot *v, const char *resource, int64_t *first_ms_out,
		     int64_t *last_ms_out);
/* Live rows marked RECORD_TRUNCATED with a creation time in the span. */
uint64_t snapshot_truncated(const struct snapshot *v, const char *resource, int64_t start_ms,
			    int64_t end_ms);
/* Damaged spans of a resource (quarantined and not yet read again) that touch the span. */
unsigned snapshot_quarantined(const struct snapshot *v, const char *resource, int64_t start_ms,
			      int64_t end_ms);
/* A mark's value, borrowed from the snapshot; {NULL, 0} when there is none. */
struct bytes snapshot_mark(const struct snapshot *v, const char *key);

/* Whether the record was forgotten (txn_forget), and whether any was. */
bool snapshot_forgotten(const struct snapshot *v, const char *resource, struct bytes id);
bool snapshot_forgets(const struct snapshot *v);

/* By how many milliseconds at most a record of the resource was created before its parent was, 0 and more: what is younger than a time belongs
 * to nobody who is younger than that and so much. False: nobody knows; some have no parent that is held, or were written before the store kept this. */
bool snapshot_lead(const struct snapshot *v, const char *resource, int64_t *lead_ms_out);

/* A number that somebody worked out from a snapshot's records, by a hash of all that it depends on beside them. It is kept, among a few hundred, for as
 * long as nothing is committed. False: nobody did, or it is forgotten. */
bool snapshot_recall(const struct snapshot *v, uint64_t question, uint64_t *number_out);
void snapshot_remember(struct snapshot *v, uint64_t question, uint64_t number);

/* One record by id. 1: found (a tombstone too: look at its flags), 0: not held, ERR_CORRUPT (the
 * block is bad: it will be quarantined at the next commit), ERR_IO, ERR_NOMEM. The record's spans
 * point into `memory`, which is reset first. */
int snapshot_get(struct snapshot *v, const char *resource, struct bytes id, struct buf *memory,
		 struct record *out);
/* The envelope without the document and without inflating it: created, updated, seen, revision and
 * flags are set, `id` is the caller's span, the other spans are empty. 1, 0 or an error. */
int snapshot_peek(struct snapshot *v, const char *resource, struct bytes id, struct record *out);

/* ---- what is indexed ---- */

/* The number of a field of the resource's schema, by name and meaning; -1: not indexed. kind_out may be NULL. */
int snapshot_field(const struct snapshot *v, const char *resource, const struct field *f,
		   enum store_kind *kind_out);

/* A term of an indexed field: a keyword as it is, or one word as words_each spells it. */
struct store_term {
	unsigned field; /* snapshot_field */
	struct bytes text;
};

#define SCAN_MORE 2 /* call again */

/* How many live records (no tombstones) with a creation time in the span have the term; TIME_MIN to
 * TIME_MAX: those without a time, too. 1; 0: the index cannot say (a segment from before the field,
 * a field without terms, a text longer than an index keeps); or an error. */
int snapshot_term_count(struct snapshot *v, const char *resource, const struct store_term *term,
			int64_t start_ms, int64_t end_ms, uint64_t *count_out);
/* The same, a segment with each call, from *at (at first 0) on into *count (at first 0): SCAN_MORE until it is
 * done. */
int snapshot_term_count_step(struct snapshot *v, const char *resource, const struct store_term *term,
			     int64_t start_ms, int64_t end_ms, size_t *at, uint64_t *count);

/* The same for a word (as words_each spells it) in any of the fields that are indexed by words. 0, too, when records have it in several of
 * these fields: then only match_count (store/match.h) knows. */
int snapshot_word_count(struct snapshot *v, const char *resource, struct bytes word,
			int64_t start_ms, int64_t end_ms, uint64_t *count_out);

/* How many live records (no tombstones) with a creation time in the span have each value of a keyword field, from terms and bitmaps: no row is read, but for those
 * that tell tombstones at the ends of a span. The span as in snapshot_term_count. */
struct tally;
/* Reads nothing. 1; 0: the index cannot say (then none is made); or ERR_NOMEM. The snapshot must outlive it. */
int tally_open(struct snapshot *v, const char *resource, unsigned field, int64_t start_ms,
	       int64_t end_ms, struct tally **tally_out);
/* The next part, of one segment: so many more records (maybe none) have this text; {NULL, 0}: they have no value, or an empty one. A text comes again with each segment that has it. 1, 0 at the
 * end, or an error: ERR_NOTFOUND: the index cannot say after all, and what was counted is to be thrown away. The text is borrowed until the next call. */
int tally_next(struct tally *t, struct bytes *text_out, uint64_t *count_out);
void tally_close(struct tally *t);

/* Where a scan stands: resume with the position of the last row that was used. Rows are ordered by
 * (time on the axis, hash of the id); unknown times come first. */
struct scan_position {
	int64_t time_ms;
	uint64_t id_hash;
};

struct scan_spec {
	const char *resource;
	enum axis axis;
	/* Half-open; TIME_MIN..TIME_MAX (both) takes rows without a time as well. */
	int64_t start_ms, end_ms;
	bool descending;
	bool tombstones; /* deleted ones too */
	/* Only the children of this record (by a 64-bit hash of its id), {NULL, 0}: all. Must
	 * outlive the scan's opening only. */
	struct bytes parent;
	const struct scan_position *after; /* NULL: from the start */
	/* In the order of revisions, and of nothing else: axis and parent do not count, start_ms and
	 * end_ms are revisions, as is the time of positions. */
	bool changes;
	/* Only rows that have all of these terms, as far as an index knows: a row that it knows nothing
	 * of comes, too, and is not `certain`; so does one now and then where few rows have them, so that
	 * no step takes long. Copied. */
	const struct store_term *terms;
	size_t terms_count; /* at most SCAN_TERMS_MAX */
	/* Only rows that this match of the resource does not rule out, but for one now and then, so that no step takes long;
	 * NULL: all. Must outlive the scan, which gets the match ready where it needs it. */
	struct match *match;
	bool match_all; /* all rows come, with what the match says of them */
};

#define SCAN_TERMS_MAX 8

/* What a match says of a row. */
enum match_verdict { MATCH_OUT, MATCH_POSSIBLE, MATCH_SURE };

/* A row as the indexes know it. */
struct scan_row {
	struct scan_position position;
	int64_t created_ms, updated_ms, seen_ms;
	uint64_t revision;
	unsigned flags;
	uint32_t raw_bytes;
	bool certain;               /* it has the scan's terms */
	enum match_verdict verdict; /* of the scan's match; without one: sure */
	uint64_t parent_hash;       /* what children call their parent (store/match.h); 0: none */
	uint32_t segment, ordinal;  /* its place in the snapshot (struct match_hit) */
};

/* Opens a cursor over a snapshot (kept until scan_close; the snapshot must outlive it). Reads nothing:
 * fails with ERR_NOMEM, or ERR_LIMIT when there are too many terms. */
int scan_open(struct snapshot *v, const struct scan_spec *spec, struct scan **scan_out,
	      struct why *why);
/* 1 a row, 0 the end, negative an error (which sticks); ERR_CORRUPT: a segment is damaged, the next commit
 * sets it aside. SCAN_MORE: there may be rows, call again: a call opens one segment at most, which takes some
 * reads. Else its cost is a heap step over the segments that touch the span; no record is read. */
int scan_step(struct scan *s, struct scan_row *row_out);
/* The same until there is a row, or an end: opens as many segments as that takes. */
int scan_next(struct scan *s, struct scan_row *row_out);
/* From now on rows whose number in this field (of a kind with a column of numbers) is smaller than this, or, `most`, larger, or who have none, may be left out: whole
 * segments where it can be. */
void scan_bound(struct scan *s, unsigned field, bool most, int64_t value);
/* The record of the row that scan_next gave last, inflated into `memory` (reset first). 1 or an
 * error. */
int scan_record(struct scan *s, struct buf *memory, struct record *out);
/* A field's value in that row, without inflating the record: as field_stored gives it (model/field.h), nil when there is none. 1; 0: only
 * the record knows; or an error. Borrowed until the next call with this scan. */
int scan_column(struct scan *s, unsigned field, struct bytes *value_out);
/* The row's id and its parent's ({NULL, 0}: none), likewise; borrowed until the next call of this one. */
int scan_names(struct scan *s, struct bytes *id_out, struct bytes *parent_out);
void scan_close(struct scan *s);

/* What becomes of something damaged with the next commit that finds no transaction open. */
enum store_action {
	STORE_QUARANTINES, /* set aside; the span is no longer covered */
	STORE_REWRITES,    /* written anew from memory; nothing is lost while the store is open */
	STORE_LEAVES,      /* nothing */
	STORE_ENDS, /* the next store_open (or trail_open) removes it: an end that was never finished, or that nobody can tell from one. No record that coverage claims then is lost */
	STORE_FORGETS, /* an entry of the audit trail is lost, and nothing else: it goes with its file when the trail is full */
};

/* One thing that is not what was written. */
struct store_damage {
	const char *file;     /* its path below the store's folder */
	const char *resource; /* NULL: of none */
	const char *words;    /* what is wrong with it */
	struct interval span; /* what coverage loses; start_ms is TIME_NONE: nothing */
	uint64_t records;     /* that are lost */
	enum store_action action;
};

/* The damage and its texts are borrowed during the call. */
typedef void store_check_found(void *ctx, const struct store_damage *damage);

/* Checks everything on disk: the manifests, their journals, the audit trail in the folder `runs`, the dictionaries, every checksum of every segment, and
 * whether its indexes agree with its rows; offline or online, in slices: store_check_step reads about `budget`
 * bytes from the disk. 1 more to do, 0 done, ERR_NOMEM: not everything was checked, and nothing more will be. *bad_out counts what is damaged so far; it is
 * set aside by the next commit. Holds a snapshot: free it before the store is closed. NULL: no memory. */
struct store_check;
struct store_check *store_check_new(struct store *s);
int store_check_step(struct store_check *c, size_t budget, uint64_t *bad_out, double *progress_out);
void store_check_free(struct store_check *c);
/* Calls `found` for each damage from now on, from within store_check_step. */
void store_check_tell(struct store_check *c, store_check_found *found, void *ctx);
/* Files that were read to their end so far, and bytes of them. */
void store_check_read(const struct store_check *c, uint64_t *files_out, uint64_t *bytes_out);
/* There is damage that is known and not set aside yet. */
bool store_damaged(const struct store *s);

#endif
