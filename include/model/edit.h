/*
 * edit: a change that somebody wants made at the provider, from its acceptance to its end.
 *
 *   pending ──read, durable──> sending ──answer──> pushed
 *      ^                          │  └──refused──> failed ──retry──┐
 *      │                          └──no answer: read again, then ──┤
 *      ├──<── mine ── conflict <── changed upstream in between     │
 *      └───────────────────────────────────────────────────────────┘
 *                       conflict, failed ──theirs──> dropped
 */
#ifndef FIC_MODEL_EDIT_H
#define FIC_MODEL_EDIT_H

#include <model/record.h>

enum edit_state {
	EDIT_PENDING, /* waits for its turn */
	EDIT_SENDING, /* it may have reached the provider: the record is read again before anything is sent */
	EDIT_PUSHED,   /* the provider has it */
	EDIT_CONFLICT, /* the same field was changed upstream: somebody must decide */
	EDIT_FAILED,   /* the provider refuses it, or was tried in vain: somebody must look */
	EDIT_DROPPED,  /* given up by somebody */
	EDIT_STATES
};

const char *edit_state_name(enum edit_state state); /* "pending", "sending" … */

#define EDIT_FIELDS_MAX 16
#define EDIT_BYTES_MAX  (64 * 1024) /* of one edit's encoding */

/* Spans are one MessagePack map each, {field: value}, with values as the provider's table of editable fields spells them (source/write.h). */
struct edit {
	uint64_t id;
	enum edit_state state;
	char resource[32];
	struct bytes record;     /* its id */
	struct bytes set;        /* what is wanted */
	struct bytes base;       /* what the fields were when it was asked for */
	struct bytes theirs;     /* EDIT_CONFLICT: what they are upstream; else {NULL, 0} */
	int64_t base_updated_ms; /* of the record then; TIME_NONE */
	int64_t created_ms;      /* when it was asked for, by the provider's clock */
	int64_t changed_ms;      /* when it came into its state */
	int64_t next_ms;         /* it is not tried before; TIME_NONE: at once */
	int64_t sent_ms; /* when it was sent last and may have arrived, by the provider's clock; TIME_NONE: it has not */
	int64_t sent_updated_ms; /* the record's last update as it was read just before; TIME_NONE */
	uint64_t sent_hash;      /* of the record's document then (bytes_hash); 0 */
	unsigned attempts;       /* sendings that came to nothing */
	bool shown; /* EDIT_PUSHED: what is held shows it, or something newer: it lies over no answer any more */
	char who[64];    /* asked for it: "alice (uid 1000)" */
	char error[200]; /* what went wrong last; "" */
};

/* Whether answers show it although what is held does not. */
static inline bool edit_overlays(const struct edit *e)
{
	return e->state == EDIT_PENDING || e->state == EDIT_SENDING ||
	       (e->state == EDIT_PUSHED && !e->shown);
}

/* Whether there is still something to be done about it, by us or by somebody. */
static inline bool edit_open(const struct edit *e)
{
	return edit_overlays(e) || e->state == EDIT_CONFLICT || e->state == EDIT_FAILED;
}

/* Appends the encoding: a MessagePack array [1, id, state, resource, record, set, base, theirs or nil, base_updated, created, changed, next, sent,
 * sent_updated, sent_hash, attempts, shown, who, error]; times are integers of milliseconds, TIME_NONE is nil; sent_hash is unsigned. The buffer's sticky error is the only failure. */
void edit_encode(const struct edit *e, struct buf *out);

/* Borrows from `encoded`. ERR_CORRUPT: it is not such an array, or what stands in it cannot be. */
int edit_decode(struct bytes encoded, struct edit *out);

/* Whether both change the same field. */
bool edit_shares_field(const struct edit *a, const struct edit *b);

/* Appends a step of an edit as the audit trail keeps it: the contract's form of a run {id, source, resource, kind, outcome, started, ended …} of the kind "edit", whose outcome is the step,
 * with {record, who, fields}; values are not in it. */
void edit_note(const struct edit *e, const char *source, const char *step, const char *who,
	       int64_t now_ms, struct buf *out);

#endif
