/*
 * record: one object of a provider, with its envelope.
 *
 * The document is the provider's own object, verbatim as MessagePack. The envelope is what fic knows about it. Ids are
 * text whatever the provider sends (a number's decimal digits).
 */
#ifndef FIC_MODEL_RECORD_H
#define FIC_MODEL_RECORD_H

#include <base/bytes.h>
#include <base/clock.h>
#include <base/err.h>

enum record_flag {
	RECORD_DELETED = 1 << 0,   /* a tombstone: the document is the last one known, or nil */
	RECORD_MERGED = 1 << 1,    /* gone into another record: merged_into */
	RECORD_TRUNCATED = 1 << 2, /* the provider showed a part only (a thread over its limit) */
	RECORD_POOR = 1 << 3, /* a listing's copy: the full object has more (never replaces a full copy of the same state) */
	RECORD_PENDING = 1 << 4, /* of a record in an answer: local edits lie over it. Never stored */
};

#define RECORD_ID_MAX 255

struct record {
	struct bytes id;          /* 1..RECORD_ID_MAX bytes */
	struct bytes parent;      /* of a message its conversation; {NULL, 0}: none */
	struct bytes merged_into; /* {NULL, 0}: not merged */
	int64_t created_ms;       /* TIME_NONE: the provider has none */
	int64_t updated_ms;       /* TIME_NONE: the provider has none */
	int64_t seen_ms;          /* the provider's clock when this copy was read */
	uint64_t revision;        /* given by the store at commit; not part of the encoding */
	unsigned flags;           /* of enum record_flag */
	struct bytes doc;         /* one MessagePack value */
};

/* Appends the encoding: a MessagePack array [1, id, parent, merged_into, created, updated, seen, flags, doc]. The
 * buffer's sticky error is the only failure. */
void record_encode(const struct record *r, struct buf *out);

/* Borrows from `encoded`; revision is set to 0. ERR_CORRUPT when it is not such an array, or an id is missing or too long. */
int record_decode(struct bytes encoded, struct record *out);

/* The same of what record_encode wrote and whose checksum was right, without going through the document, which may be long: what lies behind the envelope is taken
 * for it. */
int record_open(struct bytes summed, struct record *out);

/* Its provider says that it took away what stood in it. */
bool record_redacted(const struct record *r);

/* A copy is settled when it was read at least two of the provider's seconds after the record's last change. An unsettled one may
 * miss a later change within the same second, and must be read again when it shows up again. */
bool record_settled(const struct record *r);

#endif
