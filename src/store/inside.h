/*
 * inside: the store and its transaction as the store's own modules see them.
 */
#ifndef FIC_STORE_INSIDE_H
#define FIC_STORE_INSIDE_H

#include "dictionary.h"
#include "extract.h"
#include "state.h"

#define TXN_RECORDS_MAX 100000u
/* Records that come before a resource has a dictionary wait raw, until there are enough to train
 * one. */
#define GATHER_RECORDS   64u
#define GATHER_BYTES_MAX (256u << 10) /* training and packing so much takes about 6 ms */
#define GATHER_FEW       16u          /* enough when the bytes are used up */
#define PACK_LEVEL       3            /* fresh records change soon; compaction packs better */

struct store {
	char *dir;
	struct store_hooks hooks;
	size_t txn_bytes_max;
	int64_t window_ms;
	struct pages *pages;
	struct dictionaries *dictionaries;
	struct schemas schemas;
	struct state *state;
	uint64_t next_file; /* never goes back, or a file that the manifest on disk names could be overwritten */
	struct txn *txn;
	bool dirty; /* the manifest on disk may say something else than `state` */
	unsigned snapshots;
	uint64_t commits, quarantined;
	struct buf frame; /* of the lookup under way */
	char **leftovers; /* files to remove after the next commit */
	size_t leftovers_count;
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
	size_t at;        /* of the frame in `packed`; while gathering, of the record in `raw` */
	size_t id_at;
	uint8_t id_len, parent_len; /* the parent lies behind the id */
	bool dropped;               /* replaced by a later row of this transaction */
};

/* A committed row that this transaction replaces. */
struct kill {
	const struct segment *segment;
	uint32_t ordinal;
	unsigned flags;
};

/* What a transaction does to one resource. */
struct txn_part {
	struct txn_part *next;
	char name[SEGMENT_NAME_SIZE];
	const struct state_resource *base; /* NULL: never written before. The store's state keeps it */
	struct txn_row *rows;
	size_t count, cap, dropped;
	uint32_t *table; /* by id hash, open addressing: row + 1, 0 empty */
	size_t table_size;
	struct kill *kills;
	size_t kills_count, kills_cap;
	struct buf ids, packed, raw;
	struct extract extract;
	bool gathering;
	uint64_t dictionary;
	bool dictionary_new;
	struct buf dictionary_bytes; /* of a new one */
	struct packer *packer;
	struct coverage coverage; /* as it will be */
	struct intervals damaged;
};

struct txn {
	struct store *store;
	struct txn_part *parts;
	uint64_t revision;   /* the next to give */
	struct mark **marks; /* changes; an empty value without bytes removes */
	size_t marks_count, marks_cap;
	bool committing;
};

/* Finds or begins the part; ERR_INVALID: the name; ERR_LIMIT: too many resources. */
int txn_part(struct txn *t, const char *resource, struct txn_part **out, struct why *why);
/* Packs what waits raw, training a dictionary when `train`. */
int part_pack(struct txn *t, struct txn_part *part, bool train);
void txn_free(struct txn *t);

/* ---- the store's own helpers ---- */

/* As segment_end: removes the file when it is doomed. ctx is the store. */
void store_segment_end(void *ctx, struct segment *g);
/* Removes a file now or, when that fails, after the next commit. Takes the path. */
void store_discard(struct store *s, char *path);
void store_discard_later(struct store *s, char *path);
void store_discard_leftovers(struct store *s);

#endif
