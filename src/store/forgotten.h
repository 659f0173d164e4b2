/*
 * forgotten: what of a record stays when it is forgotten: a seal, which tells it when it comes again and cannot be read back.
 *
 * A seal is the first 16 bytes of HMAC-SHA-256 over the resource's name, a zero byte and the id, with 32 random bytes of this store as the key. Key and
 * seals are marks of the manifest: "forget.key", and "forgotten.0000" and so on, full ones first. The key keeps seals of two stores from being compared, and
 * tables of seals from being made beforehand; who has the whole folder can still try an id that he guesses, since the store itself must be able to.
 */
#ifndef FIC_STORE_FORGOTTEN_H
#define FIC_STORE_FORGOTTEN_H

#include "state.h"

#define SEAL_BYTES      16u
#define FORGET_KEY_MARK "forget.key"

struct schema;

/* Those of one state, in memory. Starts zeroed. */
struct forgotten {
	uint8_t key[STORE_FORGET_KEY];
	bool keyed;
	uint8_t (*seals)[SEAL_BYTES]; /* ascending */
	size_t count;
	const struct mark *last; /* the newest mark that they are from: another one, and there are others */
	uint32_t last_len;
	bool unknown; /* there was no memory for them: then nothing is taken */
};

void forgotten_release(struct forgotten *f);
/* Takes over those of the state, which must live for as long as they are used. */
void forgotten_load(struct forgotten *f, const struct state *t);
/* Whether the record, or (with a schema that names its parents) its parent, was forgotten. 1, 0, or ERR_NOMEM: nobody knows. */
int forgotten_has(const struct forgotten *f, const struct schema *schema, const char *resource,
		  struct bytes id, struct bytes parent);

/* Appends a record's seal to those of the transaction, with this key when the store has none. 0, ERR_LIMIT: no more fit, ERR_NOMEM. */
int forgotten_add(struct txn *t, const char *resource, struct bytes id, struct bytes key);
/* At the begin of a commit: the transaction's seals become marks of it. 0, ERR_NOMEM. */
int forgotten_settle(struct txn *t);

#endif
