/*
 * journal: small commits, made durable by one append and one fsync. The format is
 * <store/journal.h>.
 */
#ifndef FIC_STORE_JOURNAL_INTERNAL_H
#define FIC_STORE_JOURNAL_INTERNAL_H

#include "prepare.h"

/* Appends the transaction and puts what must be synced on the list. After an error the file is not
 * to be appended to any more. */
int journal_append(struct prepared *p);
char *journal_path(const struct store *s, uint64_t number); /* from malloc */
/* A new manifest was published: the journals before it go. */
void journal_rotate(struct store *s);
void journal_close(struct store *s);

/* The body of the frame at `at`; false where the file ends or cannot be believed any more. */
bool journal_frame_next(struct bytes file, size_t at, struct bytes *body);

/* At open: what the journals of the manifest say happened after it. Files of other manifests go. A
 * journal that is cut is no error. ERR_IO, ERR_NOMEM, ERR_DENIED, ERR_LIMIT. */
int journal_replay(struct store *s, struct why *why);

#endif
