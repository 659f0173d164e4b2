/*
 * inside: the store and its transaction as the store's own modules see them.
 */
#ifndef FIC_STORE_INSIDE_H
#define FIC_STORE_INSIDE_H

#include "dictionary.h"
#include "exclude.h"
#include "extract.h"
#include "forgotten.h"
#include "memo.h"
#include "state.h"

#define TXN_RECORDS_MAX 100000u
/* Records that come before a resource has a dictionary wait raw, until there are enough to train
 * one. */
#define GATHER_RECORDS   64u          /* enough for one … */
#define GATHER_MORE      256u         /* … but more make a better one */
#define GATHER_BYTES_MAX (320u << 10) /* what training looks at */
#define GATHER_FEW       16u          /* enough when the bytes are used up */
#define TRAIN_STEPS      6u /* with one put, unless somebody asks: what comes meanwhile waits raw */
#define PACK_LEVEL_COLD  9  /* what is compacted lies for long */
/* Of one resource: then what the fewest records need is given up before there is another. Each takes 100 KB of memory while it is read with. */
#define RESOURCE_DICTIONARIES_MAX 4u
/* Packed in one go; takes about 1 ms. What a put cannot pack waits for the next ones. */
#define PACK_SLICE (64u << 10)
/* The same while somebody asks; takes about 80 us. */
#define PACK_PIECE (8u << 10)
/* Records wait for so many bytes of them: the packer's tables are in the cache from the second on. */
#define PACK_TOGETHER (24u << 10)

/* The journal of the current manifest. */
struct journal {
	int fd;                 /* that is appended to; -1: none yet */
	uint64_t before;        /* the oldest file of the previous manifest; `first`: none */
	uint64_t first, number; /* of the files: the oldest that may be there, the newest */
	uint64_t bytes;         /* of the newest */
	uint64_t total;         /* of all */
};

/* What is known of a resource whose mark of its lead is missing (lead.h). */
struct store_lead {
	bool known;
	bool again; /* a transaction has made it unknown: all is looked at again when that is over */
	int64_t lead; /* of what was looked at, and of all transactions since */
};

/* The look at what is there. */
struct lead_survey {
	struct state *state; /* a reference; NULL: there is none under way */
	const struct schema *schema;
	size_t segment;
	uint32_t at;
	uint64_t parent; /* of the last child */
};

/* When a resource's dictionary was tried last. */
struct store_trial {
	char resource[SEGMENT_NAME_SIZE]; /* empty: none yet */
	uint64_t revision;
	unsigned vain; /* trials in a row that came to nothing */
	bool tried;    /* since the store was opened */
};

struct store {
	char *dir;
	struct store_hooks hooks;
	size_t txn_bytes_max;
	size_t filter_bytes;
	bool filters_wanted; /* some segment may have no filter in memory, or a larger one than it may */
	bool vocabularies_wanted;           /* the same of filters over words */
	struct vocabulary_work *vocabulary; /* being loaded; NULL: none */
	int64_t window_ms;
	uint32_t merged_rows; /* of a full segment that a compaction writes */
	struct pages *pages;
	struct dictionaries *dictionaries;
	struct recent *recent;
	struct frames *frames;
	struct schemas schemas;
	struct state *state;
	uint64_t next_file; /* never goes back, or a file that the manifest on disk names could be overwritten */
	struct txn *txn;
	uint64_t floor_bytes;
	size_t journal_max; /* 0: no journal */
	struct journal journal;
	uint64_t manifest_revision; /* of the manifest on the disk … */
	uint32_t manifest_sum;      /* … and its checksum; 0: there is none */
	bool keep_previous;
	uint64_t previous_revision; /* of MANIFEST.prev, at open … */
	uint32_t previous_sum;      /* … and its checksum; 0: there is none */
	uint64_t manifests;         /* written since the store was opened */
	char **retired;             /* files that only the previous manifest names */
	size_t retired_count;
	struct commit *committing; /* that is under way: one at a time */
	struct commit *commit;     /* the same while it is prepared, a slice with each store_work */
	struct commit *waiting;    /* the transaction's, behind one of the store's own */
	struct commit *merging;    /* one of the store's own that does not commit yet: its files are
				    * written while transactions come and go */
	bool flush_wanted, compact_wanted, upkeep_failed;
	bool rush;                 /* store_rush */
	unsigned compact_failures; /* in a row … */
	unsigned compact_rests;    /* … after which so many manifests come before the next try */
	struct renewal *renewal;   /* the dictionary that is on trial; NULL: none */
	struct store_trial trials[STORE_RESOURCES_MAX];
	struct store_lead leads[STORE_RESOURCES_MAX]; /* in the order of the schemas */
	struct lead_survey survey;
	struct memo memo;
	struct forgotten forgotten; /* of the current state */
	struct excludes excludes,
		excludes_next; /* the next ones are taken when nothing is being written by the old ones */
	bool scrub_wanted; /* old copies that were noted are to go */
	bool renewal_void; /* so does the trial of a dictionary */
	bool merge_void; /* the merge under way copies what was forgotten meanwhile: it comes to nothing */
	size_t lingering; /* segments that no state names any more, with files that somebody still reads */
	uint64_t versions; /* of resources that were given so far */
	bool dirty;        /* the manifest on disk may say something else than `state` */
	bool renew;        /* a file that the next manifest replaces is damaged on the disk */
	bool read_only;
	bool set_aside; /* there may be files that were */
	unsigned snapshots;
	uint64_t commits, failed, quarantined, retained;
	struct buf frame; /* of the lookup under way */
	char **leftovers; /* files to remove after the next commit */
	size_t leftovers_count;
	char **doomed; /* files to remove, one with each step */
	size_t doomed_count;
	/* Of each resource the folder whose name is known to be durable. */
	struct {
		char resource[SEGMENT_NAME_SIZE];
		char folder[SEGMENT_FOLDER_SIZE];
	} durable[STORE_RESOURCES_MAX];
};

/* ---- a transaction ---- */

struct txn_row {
	struct row row;
	uint32_t extract; /* its row there */
	size_t at; /* of the frame in `packed`, or, until it is packed, of the record in `raw` */
	size_t id_at;
	uint8_t id_len, parent_len; /* the parent lies behind the id */
	bool dropped;               /* replaced by a later row of this transaction */
	bool orphan;                /* its parent was not held when it was put */
};

/* A committed row that this transaction replaces. */
struct kill {
	const struct segment *segment;
	uint32_t ordinal;
	unsigned flags;
	uint32_t row; /* of the transaction, with the same id */
};

enum retain_how {
	RETAIN_ROWS,    /* each row by its own time */
	RETAIN_PARENTS, /* with their children */
	RETAIN_CHILDREN /* those whose parents went in the same commit */
};

/* What tells two documents of a record apart (struct row). */
static inline uint64_t row_doc_hash(const struct record *r)
{
	static const uint8_t nil = 0xc0;
	uint64_t h = bytes_hash(r->doc.len ? r->doc : bytes_of(&nil, 1));

	if (r->merged_into.len)
		h ^= bytes_hash(r->merged_into) * 0x9e3779b97f4a7c15u;
	return h;
}

/* What a transaction does to one resource. */
struct txn_part {
	struct txn_part *next;
	char name[SEGMENT_NAME_SIZE];
	struct state_resource *base; /* when it began; NULL: never written before. A reference */
	struct txn_row *rows;
	size_t count, cap, dropped;
	uint32_t *table; /* by id hash, open addressing: row + 1, 0 empty */
	size_t table_size;
	struct kill *kills;
	size_t kills_count, kills_cap;
	struct buf ids, packed;
	struct buf raw;     /* records that are not packed yet, in the order of the rows */
	size_t packed_rows; /* the rows behind these wait raw */
	size_t packed_raw;  /* bytes of `raw` that are done */
	size_t fed;         /* of a large record that is being packed: bytes that went in */
	size_t fed_at;      /* and where its frame begins */
	bool gathering;     /* for a dictionary */
	bool packing;       /* what waits is being packed, until none does */
	struct dictionary_trainer *trainer; /* of the one under way */
	struct extract extract;
	uint64_t dictionary;
	bool dictionary_new;
	bool dictionary_none; /* from now on there is none */
	bool forgets;         /* some of its records are forgotten */
	bool settles;         /* what is empty or not needed any more goes, whatever else changes */
	struct buf dictionary_bytes; /* of a new one */
	struct packer *packer;
	uint64_t packer_dictionary; /* which it packs with */
	struct coverage coverage;   /* as it will be */
	struct intervals damaged;
	int64_t lead;      /* of its own records with parents (lead.h) */
	int64_t retain_ms; /* what was created before goes; TIME_MIN: nothing */
	enum retain_how retain_how;
	char retain_other[SEGMENT_NAME_SIZE]; /* of parents their children's name, "": none */
};

/* Bytes of it in memory. */
static inline size_t part_bytes(const struct txn_part *part)
{
	return part->packed.len + part->raw.len - part->packed_raw;
}

struct txn {
	struct store *store;
	struct txn_part *parts;
	uint64_t revision;   /* the next to give */
	struct mark **marks; /* changes; an empty value without bytes removes */
	size_t marks_count, marks_cap;
	struct buf seals; /* of what is forgotten (forgotten.h) */
	bool committing;
};

/* Finds or begins the part; ERR_INVALID: the name; ERR_LIMIT: too many resources. */
int txn_part(struct txn *t, const char *resource, struct txn_part **out, struct why *why);
/* Packs a slice of what waits raw, after training a dictionary, step by step, when there is none and
 * enough has come. 1: there is more. */
int part_pack(struct txn *t, struct txn_part *part);
/* Whether that begins with training. */
bool part_trains(const struct txn_part *part);
/* The packer, for what is packed anew. */
int part_packer(struct txn *t, struct txn_part *part);
/* The id's slot in the part's table: its row, or the empty one where it belongs. */
uint32_t *txn_slot(const struct txn_part *part, struct bytes id, uint64_t hash);
struct bytes txn_row_id(const struct txn_part *part, const struct txn_row *r);
struct bytes txn_row_parent(const struct txn_part *part, const struct txn_row *r);
/* The transaction's own row with the id; NULL: there is none. The part may be NULL. */
const struct row *txn_row_of(const struct txn_part *part, struct bytes id);
void txn_free(struct txn *t);
/* As txn_mark, of a transaction that may be committing already. */
int txn_mark_add(struct txn *t, const char *key, struct bytes value);

/* Begins a transaction of the store's own; NULL: no memory. */
struct txn *txn_new(struct store *s);
/* The commit that is being prepared goes on; true: there is more to do. */
bool commit_step(struct commit *c);
/* The merge under way goes on, until its files are written; then it becomes the commit, as soon as
 * none is under way. False: there is none, or it waits for that. */
bool commit_merge_step(struct store *s);
/* Commits that are still being prepared, given up without a word. */
void commit_forget(struct store *s);
/* Flushes what is in memory, and first merges files of a resource (NULL: of none), beside the
 * transactions' commits. `quarantine`: damaged segments go, too; only while no transaction is open.
 * ERR_NOMEM. */
int commit_upkeep(struct store *s, const char *compact, bool quarantine);
/* Flushes, and makes the bytes the dictionary that a resource packs with from now on; no bytes: it packs without. ERR_NOMEM. */
int commit_dictionary(struct store *s, const char *resource, struct bytes dictionary);
/* Flushes, and drops what of a resource is empty or not needed any more; `note` sets marks. An error of `note`, or ERR_NOMEM. */
int commit_settle(struct store *s, const char *resource,
		  int (*note)(struct txn *t, const char *resource, const void *arg), const void *arg);
/* Asks for store_work. */
void store_wake(struct store *s);
/* Returns rc; trouble may be damage, and then there is work. */
int store_trouble(struct store *s, int rc);

/* ---- the store's own helpers ---- */

/* As segment_end: removes the file when it is doomed. ctx is the store. */
void store_segment_end(void *ctx, struct segment *g);
/* Removes a file now or, when that fails, after the next commit. Takes the path. */
void store_discard(struct store *s, char *path);
void store_discard_later(struct store *s, char *path);
/* Removes a file whose name never comes again, in a store that works in slices with one of its next
 * steps. Takes the path. */
void store_discard_slowly(struct store *s, char *path);
bool store_discard_step(struct store *s); /* false: there is none */
void store_discard_leftovers(struct store *s);
/* Removes a file when the next manifest is there. Takes the path. */
void store_retire(struct store *s, char *path);
void store_discard_retired(struct store *s);

#endif
