/*
 * daemon: what one running ficd is made of. Private to this layer.
 *
 *   main ── config ── daemon ─┬─ loop, http, syncer
 *                             ├─ sources: store + trail + sync, one each
 *                             └─ server ── sessions ── requests ── methods
 */
#ifndef FIC_FICD_DAEMON_INTERNAL_H
#define FIC_FICD_DAEMON_INTERNAL_H

#include "spare.h"

#include <ficd/config.h>
#include <io/http.h>
#include <io/loop.h>
#include <io/server.h>
#include <io/syncer.h>
#include <model/freshness.h>
#include <store/outbox.h>
#include <store/store.h>
#include <store/trail.h>
#include <sync/sync.h>

struct access_log;
struct alerts;
struct answers;
struct daemon;
struct editing;
struct following;
struct heap;
struct hooks;
struct indexed;
struct json;
struct method;
struct lookup;
struct request;
struct service;
struct session;
struct web;

/* The last time that questions had a resource read. */
struct refresh {
	bool begun;
	int64_t begun_mono_ms;
	uint64_t runs[2]; /* 0: none */
};

/* One configured account. */
struct source {
	struct daemon *daemon;
	const struct config_source *config;
	const struct provider *provider;
	char base_url[512];
	struct buf token;
	char token_error[320];     /* why there is none; "" */
	struct timer *token_timer; /* looks whether a token was mended */
	struct indexed *indexed;
	struct store *store;
	struct task *store_task;   /* gives the store its slices */
	struct timer *flush_timer; /* and its journal an end */
	struct trail *trail;
	struct outbox *outbox;
	struct editing *editings; /* who waits for edits (method_edit.c) */
	struct zone *zone;        /* of its schedules; NULL: UTC */
	struct sync *sync;
	struct refresh refreshes[CONFIG_RESOURCES_MAX]; /* by the provider's table of types */
	struct hooks *hooks;                            /* what comes of webhooks */
	struct following *followers;                    /* who is told of its commits */
	struct lookup *lookups; /* what the provider is being asked for questions */
	unsigned live_failures; /* of them, in a row */
	int64_t live_mono_ms;   /* nothing is asked so before */
};

#define METHODS_MAX 32

/* What answers were worth: a freshness_state, or there was an error instead. */
enum { WORTH_NOTHING = FRESHNESS_STALE + 1, WORTHS };

struct daemon {
	struct config *config;
	const char *config_path; /* where it was read */
	struct loop *loop;
	struct http *http;
	struct syncer *syncer;
	struct server *server;
	struct web *web;          /* NULL: not served */
	struct session *sessions; /* all connections */
	struct buf sending;       /* scratch: what goes to a connection now */
	struct spare spare;       /* memory for the next request */
	struct json *parser;      /* of requests; NULL: each has its own */
	struct answers *kept;     /* what questions were answered with; NULL: nothing is kept */
	struct heap *heap;        /* gives memory back */
	struct access_log *access_log;
	struct service *service;                                            /* manager, is told */
	struct alerts *alerts;                                              /* people, are told */
	void (*dispatch)(struct request *r, bool may_read, bool may_write); /* what a request means */
	const struct method *methods;        /* the table behind it */
	void (*committed)(struct source *s); /* who is told of a commit */
	void (*edited)(void *ctx,
		       const struct edit *e); /* and of an edit's new state; `ctx` is its source */
	void (*run_ended)(struct source *s, const struct run_info *run); /* … and of a run's end */
	struct source sources[CONFIG_SOURCES_MAX];
	size_t source_count;
	int lock_fd;
	int64_t started_ms;
	uint64_t answers[METHODS_MAX][WORTHS]; /* by the table of methods, of those that are judged */
	uint64_t reload_failures;
	uint64_t connections_cut; /* because their clients took nothing of their answers */
	bool once, stopping;
	bool verifying;           /* somebody waits for it */
	unsigned stopped;         /* sources that have stopped */
	struct timer *stop_timer; /* the far end of patience */
	struct timer *once_timer;
};

/* Builds everything and listens; nothing runs before daemon_run. 0, or an exit code of sysexits(3) with `why`. Takes the configuration. */
int daemon_open(struct daemon *d, struct config *config, const char *path, bool once, struct why *why);
int daemon_run(struct daemon *d); /* until it is told to stop; the exit code */
void daemon_close(struct daemon *d);
void daemon_stop(struct daemon *d);

/* reload.c: reads the configuration again. Nothing changes when anything in it is wrong (ERR_INVALID: `words` has it, a line each) or when its sources are others. Else
 * it is in force, but for what `words` names (empty: all of it), which waits for a restart. */
int daemon_reload(struct daemon *d, struct buf *words);

/* source.c */
int source_open(struct source *s, struct daemon *d, const struct config_source *config,
		struct why *why);
void source_close(struct source *s);
void source_start(struct source *s);
/* What the configuration says now, where it needs no restart. */
void source_configure(struct source *s);
/* Reads the token again, and uses it when it is another one. */
void source_token(struct source *s);
struct source *source_find(struct daemon *d, struct bytes name);
/* NULL: the provider has none of that name, or it is not configured. */
const struct resource_type *source_type(const struct source *s, struct bytes name);
/* Judges a span of a resource of this source. `q`'s times and axis are given, the rest is filled in from the configuration (max_age_ms < 0 in `q` means: as configured). */
int source_judge(const struct source *s, struct snapshot *view, const struct resource_type *type,
		 struct freshness_question *q, struct freshness *out);
/* Provider's clock now. */
int64_t source_now(const struct source *s);
/* From when on it is wanted; TIME_MIN: as a whole. */
int64_t source_history_start(const struct source *s, const struct resource_type *type);
/* The span that shall be held: from the wanted history (or ever) to now; a missing tail within the tolerance is not asked for. */
struct interval source_wanted(const struct source *s, const struct resource_type *type,
			      const struct coverage *c);
/* Share of that span which is held. Of what is held as a whole or not at all (no history start) it is 1 or 0: a share of all time would say nothing. */
double source_ratio(const struct source *s, const struct resource_type *type,
		    const struct coverage *c);

#endif
