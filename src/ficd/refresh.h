/*
 * refresh: what questions do about data that is not fresh. Private to this layer.
 *
 * A refresh is one or two runs of a resource: its changes, and the gaps of the wanted history. However many ask, they share the one that is under way and began within the age that they accept, and there is none sooner than REFRESH_PAUSE_MS after the last
 * one began unless somebody accepts less, REFRESH_BEHIND_MS when nobody waits for it. Where the source is in trouble there is none: its own
 * retries are planned already.
 */
#ifndef FIC_FICD_REFRESH_INTERNAL_H
#define FIC_FICD_REFRESH_INTERNAL_H

#include "session.h"

#define REFRESH_PAUSE_MS  10000
#define REFRESH_BEHIND_MS 60000

/* Reads what changed, behind an answer that is given now, where that helps. Never begins a first reading, reads no gaps, and keeps to a strict sync window. False: nothing was
 * begun. */
bool refresh_behind(struct source *s, const struct resource_type *type, const struct freshness *f);

/* What a question lacks at one source. */
struct refresh_want {
	struct source *source;
	const struct resource_type *type;
	const struct freshness *lacks;
	int64_t max_age_ms; /* how old the answer may be; negative: it does not matter */
};

/* Joins or begins a refresh of each; when all have ended, or after `timeout_ms`, the request is asked again with `waited` set. False: there is nothing to wait for. */
bool refresh_wait(struct request *r, const struct refresh_want *wants, size_t count,
		  int64_t timeout_ms);

#endif
