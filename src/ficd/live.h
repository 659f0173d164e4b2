/*
 * live: asks the provider itself what a question is about, before it is answered. Private to this layer.
 *
 *   question -> lookup (equal ones are one) -> a run of one record, or of the provider's search -> what it brought is stored -> the question is asked again, of the store
 *
 * The store's answer is the answer: a provider's search only brings into it what is new. So nothing is claimed that was not proven, and what cannot be asked, or
 * not in time, is answered as it is, with the reason. A lookup that nobody waits for any more goes on: what it brings is of use to the next one.
 */
#ifndef FIC_FICD_LIVE_INTERNAL_H
#define FIC_FICD_LIVE_INTERNAL_H

#include "reading.h"

#define LIVE_LOOKUPS_MAX  16    /* of a source, under way or waiting for their turn */
#define LIVE_PAUSE_MS     1000  /* after a failure; doubles with each one after it … */
#define LIVE_PAUSE_MAX_MS 60000 /* … up to this */

/* What came of it; of a request and a source, from the first asking on. */
struct live {
	bool begun;         /* it was to be asked */
	const char *reason; /* why it was not asked, or in vain; NULL: it was asked, and all is stored */
	char message[320];
	int64_t asked_ms; /* wall clock; TIME_NONE: not */
	bool single, limited;
	uint64_t ids[SEEK_RECORDS_MAX]; /* hashes, in order */
	size_t count;
	uint64_t rows,
		confirmed; /* of the answer: all, and those of which the provider showed the state */
};

/* Parks the request until the provider has answered, or for `timeout_ms`; it is asked again then, with `waited` set. False: nothing is asked, and live_of says why. */
bool live_wait(struct reading *g, int64_t timeout_ms);

/* What came of asking this source; NULL: it was not to be asked. */
struct live *live_of(const struct request *r, const struct source *s);

/* Looks which of these rows the provider has just shown. */
void live_look(struct request *r, struct bytes rows);
/* Where what one source answers comes from (NULL: it was not to be asked): "cache", "live", "mixed". `over`: all its rows have been looked at. */
const char *live_source(const struct live *live, bool over);
/* The pair "live" of a freshness, when there is one: live_pairs says how many. */
unsigned live_pairs(const struct live *live);
void live_put(const struct live *live, struct buf *out);
/* Every provider of the question was asked for this one record just now, and none has it. */
bool live_knows_absent(const struct reading *g);

/* A source's lookups are forgotten; its sync is freed already. */
void live_close(struct source *s);

/* live_seek.c: the question as what a provider's search is asked for. True: something of it has no words in a search at all. */
bool live_seek(const struct live_question *q, struct arena *a, struct seek *out);

#endif
