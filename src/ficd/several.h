/*
 * several: a question that names no source, where there are several. Private to this layer.
 *
 * It is asked of each source that has its resource: its reading (reading.h) is the first of a list, one for each of them, in the order of the configuration. What one provider has
 * among its common fields and another has not, is known there and has no value; `source` is a field of all, in conditions and groups.
 */
#ifndef FIC_FICD_SEVERAL_INTERNAL_H
#define FIC_FICD_SEVERAL_INTERNAL_H

#include "reading.h"

/* The fields that each reading of the list is asked by. 0 or ERR_NOMEM. */
int several_fields(struct reading *first);
/* The fields of a question of one source, with `source` where that is spoken of. 0 or ERR_NOMEM. */
int several_source(struct reading *g);
/* The same of one source: `source`, its own, and those that only some of the others have (each may be NULL). NULL: no memory. */
const struct field *several_table(struct arena *a, const struct source *s, const struct field *own,
				  const struct field *const *others, size_t count);
/* Says that no source has this resource. */
void several_refuse(struct request *r, struct bytes resource);

/* What an answer is worth, by source and together. */
struct verdicts {
	const struct freshness *all; /* of the only one, or joined */
	struct freshness joined;
	size_t count;
	struct freshness each[CONFIG_SOURCES_MAX]; /* in the order of the list */
};

/* 0 or ERR_NOMEM, and then there is nothing to release. Where a question names no source, the sentence of all says whose it is. */
int verdicts_judge(struct reading *first, struct verdicts *out);
void verdicts_release(struct verdicts *v);

/* The value of `freshness` in an answer to a question that names no source: that of all, and `sources`. `over` as in live_source. */
void verdicts_write(const struct verdicts *v, const struct reading *first, bool over, struct buf *out);

#endif
