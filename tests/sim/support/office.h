/*
 * office: a mirror of a company at Front: a store, a sync, and what must be in the cache.
 */
#ifndef FIC_TEST_OFFICE_H
#define FIC_TEST_OFFICE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "company.h"

#include <sync/sync.h>

#define START     INT64_C(1700000000000)
#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

struct office {
	struct loop *loop;
	struct http *http;
	struct store *store;
	struct trail *trail;
	struct sync *sync;
	struct company *company;
	char dir[64];
	int64_t every_ms, history_ms, verify_ms;
	unsigned rate, contacts; /* 0: as usual */
	bool only_threads, stopped, ended;
	enum run_outcome outcome;
	struct run_info info;
};

void office_open(struct office *o, unsigned threads,
		 int64_t apart_ms);    /* what o has no value for is as usual */
void office_restart(struct office *o); /* as after a kill: what was not committed is not there */
void office_close(struct office *o);   /* nothing that the provider forbids was done */
void office_live(struct office *o, int64_t ms);
/* A wish, to the end of its run; o->outcome and o->info tell of it. */
void office_wish(struct office *o, const char *resource, enum sync_mode mode);
/* One conversation, asked for by somebody; how long that took. */
int64_t office_read(struct office *o, unsigned thread);
/* What the provider's search finds; how long that took. */
int64_t office_search(struct office *o);
bool office_covered(const struct office *o, const char *resource, int64_t start, int64_t end);
bool office_history_is_held(void *office); /* but for its oldest day */
void office_whole(struct office *o);       /* until it is */
/* What is said to be held is what there is; how much that is. */
unsigned office_true(struct office *o);
/* All that there is is held, and nothing else. */
void office_equal(struct office *o);

#endif
