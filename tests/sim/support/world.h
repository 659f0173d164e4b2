/*
 * world: a small workspace that lives on while it is read, with its whole history, so that what a mirror claims can be held against what was.
 */
#ifndef FIC_TEST_WORLD_H
#define FIC_TEST_WORLD_H

#include "sim.h"

/* Tickets do not come by themselves. */
enum kind { KIND_CONVERSATION, KIND_CONTACT, KIND_COMPANY, KIND_TAG, KIND_TICKET, KINDS };

struct part {
	unsigned id;
	int64_t created_ms;
};

/* A thing's version is the number of its changes; change_ms[0] is its creation. */
struct thing {
	enum kind kind;
	unsigned id;
	int64_t *change_ms;
	unsigned changes, cap;
	int64_t deleted_ms; /* TIME_MAX: lives */
	bool unfed;         /* its deletion is not told */
	unsigned dropped; /* searches never learn of what came after so many changes; 0: they learn of all */
	int lie;          /* what the count of its parts is off by */
	struct part *parts;
	unsigned part_count, part_cap;
	/* what the mirror was seen to hold; saves reading the same revision again */
	uint64_t seen_revision;
	unsigned seen_version;
};

struct world_options {
	uint64_t seed;
	int64_t start_ms, history_ms;
	unsigned count[KINDS];   /* at the start */
	int64_t change_every_ms; /* on average, of all things; 0: nothing ever happens */
	unsigned burst; /* of a hundred changes, how many come within the same second as the one before, to the same thing */
	unsigned deletions; /* of a hundred changes, besides the usual four */
	unsigned page_max, parts_max;
	int64_t index_lag_ms; /* searches show the world as it was */
	bool ties_descending; /* ids of one second */
	bool sort_ignored;    /* searches come by creation, whatever was asked */
	int64_t rate_limit;   /* calls in ten seconds; 0: no headers */
	int64_t search_limit; /* searches in ten seconds; 0: as many as calls */
	unsigned others;      /* calls of others in each window */
	int64_t clock_ms;     /* the provider's clock against the loop's wall clock */
	bool feed_denied;     /* no deletions feed */
	bool feed_missing;    /* and the API does not know it */
	int total_lie;        /* what searches' totals are off by */
	bool feed_ascending;  /* it begins with the oldest */
};

enum mishap {
	MISHAP_NONE,
	MISHAP_500,
	MISHAP_502_HTML,
	MISHAP_429,
	MISHAP_429_RESET,
	MISHAP_STALLED,
	MISHAP_CUT,
	MISHAP_CONNECT,
	MISHAP_EMPTY,
	MISHAP_HTML,
	MISHAP_ERROR_200,
	MISHAP_NOT_MODIFIED,
	MISHAPS,
	MISHAP_401,
	MISHAP_403,
	MISHAP_404_HTML,
	MISHAP_404,
	MISHAP_429_NOW,
	MISHAP_429_DATE, /* Retry-After is a date, 40 s from then */
	MISHAP_CLOCK,    /* a good answer of a machine whose clock is a day ahead */
};

struct world {
	struct world_options options;
	struct loop *loop;
	uint64_t random;
	struct thing **things;
	unsigned count, cap, next_id;
	int64_t next_change_ms;
	int64_t window; /* of ten seconds */
	int64_t window_calls, window_calls_max;
	int64_t search_window, search_calls; /* of them */
	uint64_t calls, searches, refused;
	const char *workspace; /* its id */
	int64_t named_wait_ms; /* MISHAP_429_DATE: the moment that the last one named, on the provider's clock */
	unsigned mishap_percent; /* of calls, any mishap */
	uint64_t mishap_at;      /* the call that goes wrong, from 1 */
	unsigned mishap_calls;   /* and how many after it */
	enum mishap mishap;      /* how */
	const char *mishap_path; /* only for paths with this in them; NULL: any */
	uint64_t path_calls;     /* of them */
	char last_path[128];
	bool feed_catches_up;  /* the feed of deletions shows what it had not told */
	unsigned hidden_below; /* searches leave out conversations with smaller ids */
	/* What is written (desk.h): more members of a document, and what serves a write (false: it is none). NULL: nothing is. */
	void (*put_more)(void *desk, const struct thing *t, unsigned version, struct buf *out);
	bool (*write)(void *desk, const struct http_request *request, const char *path,
		      struct sim_answer *out);
	void *desk;
};

struct world *world_new(struct loop *l, const struct world_options *options);
void world_free(struct world *w);
int64_t world_now(const struct world *w); /* the provider's clock */
/* Lives on until now. */
void world_advance(struct world *w);
struct thing *world_find(const struct world *w, unsigned id); /* NULL: there never was */
struct thing *world_add(struct world *w, enum kind kind, int64_t created_ms);
void world_change(struct world *w, struct thing *t, int64_t at_ms, bool part);
void world_delete(struct thing *t, int64_t at_ms);
unsigned thing_version(const struct thing *t, int64_t at_ms); /* 0: it did not exist */
sim_serve world_serve;
/* Answers with the thing as it is now, or with an error. */
void world_show(const struct world *w, const struct thing *t, struct sim_answer *out);
void world_error(struct sim_answer *out, int status, const char *code);

#endif
