/*
 * trail: an append-only list of small MessagePack values with checksums, bounded in size: the audit
 * trail of runs.
 *
 *   <dir>/N.log   magic "FICTRL1\n", then frames: u32 length, u32 CRC-32 of the length and the value,
 *                 the value. A torn tail is cut at open.
 *
 * When a file passes its size, the next one begins and the oldest goes. Appends are not fsynced:
 * the trail tells what happened, it proves nothing.
 */
#ifndef FIC_STORE_TRAIL_H
#define FIC_STORE_TRAIL_H

#include <base/bytes.h>
#include <base/err.h>

struct trail;

/* Keeps at most `files` files of about `file_bytes` each. */
int trail_open(const char *dir, size_t file_bytes, unsigned files, struct trail **trail_out,
	       struct why *why);
void trail_close(struct trail *t);
int trail_append(struct trail *t, struct bytes value, struct why *why);

/* Writes the files anew whose entries `edit` changes, one with each call, from *at (at first 0) on. `edit` appends what an entry is to be instead and answers 1, or 0: it
 * stays. What is damaged goes. 1: there is more, 0: done, or an error, after which the files are as they were or whole. */
int trail_edit_step(struct trail *t, size_t *at,
		    int (*edit)(void *ctx, struct bytes value, struct buf *out), void *ctx,
		    struct why *why);

/* Newest first: calls `each` with the value and its sequence number (grows by one an entry, across
 * files), starting below `before` (UINT64_MAX: at the newest), until it answers false. Damaged
 * entries are left out. 0 or an error. */
int trail_scan(struct trail *t, uint64_t before,
	       bool (*each)(void *ctx, uint64_t sequence, struct bytes value), void *ctx);

#endif
