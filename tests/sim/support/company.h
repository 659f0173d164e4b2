/*
 * company: a small company at Front that lives on while it is read: a list in the order of last activity, events, threads in parts, merges, and few calls a minute.
 */
#ifndef FIC_TEST_COMPANY_H
#define FIC_TEST_COMPANY_H

#include "sim.h"

#define COMPANY_PEOPLE 5 /* who write: no message says that they are contacts */

struct company_part {
	unsigned id, version;
	int64_t created_ms;
	bool gone;
};

struct company_thread {
	unsigned id, version, parts, parts_cap, notes, inbox;
	int64_t created_ms, updated_ms, place_ms; /* its place in the list */
	int64_t gone_ms;                          /* deleted for good, or merged; TIME_MAX: lives */
	unsigned into;                            /* merged into; 0: not */
	const char *status;
	bool reminder;
	struct company_part *messages;
	struct company_part comments[8];
};

struct company_event {
	unsigned id, thread, merged;
	int64_t at_ms, shown_ms;
	const char *type;
};

struct company {
	struct loop *loop;
	struct company_thread *threads;
	unsigned count, cap;
	struct company_event *events;
	unsigned event_count, event_cap;
	unsigned last_id;
	int64_t *contact_updated_ms;
	unsigned *contact_version;
	unsigned contacts, contact_page; /* how many, and how many a page */
	unsigned known; /* so many of them have a handle: p0@x.test, p1@x.test … */
	int rate;       /* calls a minute */
	int64_t window;
	unsigned window_calls, refused;
	unsigned calls, list_calls, event_calls, thread_calls, search_calls, contact_calls, breaches;
	unsigned window_searches;
	unsigned denied, denials; /* the thread that is said not to exist, and how often yet */
	unsigned broken;          /* the thread whose messages cannot be read; 0: none */
	bool endless;             /* lists never end */
	bool forgets; /* from the next page on, pages can be asked for only by what was given since */
	unsigned forgotten; /* how often it did */
	bool previews;      /* events show ids alone */
	bool tidy;          /* no page is short that need not be */
	bool shuffled;      /* conversations come in no order of time */
	uint64_t random;
};

struct company *company_new(struct loop *loop, unsigned threads, int64_t every_ms, uint64_t seed);
void company_contacts(struct company *c, unsigned count); /* instead of those there are */
void company_free(struct company *c);
void company_serve(void *ctx, const struct http_request *request, struct sim_answer *out);

struct company_thread *company_open(struct company *c); /* a new one, with its first message and event */
struct company_thread *company_thread(struct company *c, unsigned id);
/* Something happens to it, with an event; `bumps`: it goes up in the list. */
void company_touch(struct company *c, struct company_thread *t, const char *type, bool bumps);
void company_message(struct company *c, struct company_thread *t);
void company_comment(struct company *c, struct company_thread *t);
void company_merge(struct company *c, struct company_thread *from, struct company_thread *into);

#endif
