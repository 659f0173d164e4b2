/*
 * overlay: records as they are with the edits that the provider does not show yet. Private to this layer.
 */
#ifndef FIC_FICD_OVERLAY_INTERNAL_H
#define FIC_FICD_OVERLAY_INTERNAL_H

#include "daemon.h"

#include <base/arena.h>
#include <query/overlay.h>

/* Whether there is any edit to be laid over answers of the source. */
static inline bool overlay_any(const struct source *s)
{
	return outbox_overlaid(s->outbox, NULL) != 0;
}

/* Lays its edits over a live record: its document then stands in `memory` (reset first), and it is marked RECORD_PENDING. 1, 0: there are none, and nothing
 * changes; ERR_CORRUPT, ERR_NOMEM. */
int overlay_record(const struct source *s, struct snapshot *view, const struct resource_type *type,
		   struct record *record, struct buf *memory);

/* All records of a resource that have edits, with them, for a question (query/overlay.h); in the arena. 0, ERR_NOMEM, or an error of reading. */
int overlay_all(const struct source *s, struct snapshot *view, const struct resource_type *type,
		struct arena *arena, struct overlay *out);

#endif
