/* One call to the API while it is being answered. */
#ifndef APISIM_CALL_H
#define APISIM_CALL_H

#include "buf.h"
#include "faults.h"
#include "ledger.h"
#include "render.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct route;

/* Where arguments and headers are looked up; http.c lends its connection. */
struct lookup {
	void *from;
	const char *(*argument)(void *from, const char *name);
	const char *(*header)(void *from, const char *name);
	void (*each_argument)(void *from,
			      void (*fn)(void *ctx, const char *name, const char *value), void *ctx);
};

struct header {
	const char *name; /* static */
	char value[400];
};

#define CALL_HEADERS_MAX 16

struct call {
	const char *method, *path, *uri;
	const struct lookup *in;
	const char *body_text;
	size_t body_len;

	const struct route *route;
	char ids[2][64]; /* the path's {} */
	const char *id;  /* the first */
	int version;
	json_t *body;              /* parsed, or NULL */
	const struct fault *fault; /* or NULL */
	bool spoiled;              /* the client cannot understand the answer */
	bool write;                /* it was accepted as a write */
	bool later;                /* writes are only checked now, and made afterwards */
	uint32_t changes;          /* how much it changed */

	int status;
	struct buf out; /* the body */
	const char *content_type;
	char link[200];  /* Link or Location header, or "" */
	bool snapshot;   /* a list that is worth an If-None-Match */
	bool authorized; /* rate headers are due */
	uint32_t retry_after_s;
	const char *tier;        /* the refusal is about these calls alone, or NULL */
	struct rate_words words; /* if authorized */
	char request_id[24];
	struct header headers[CALL_HEADERS_MAX];
	unsigned header_count;
};

/* Answers it; everything of the API happens in here. */
void call_answer(struct call *c);
void call_release(struct call *c);

/* For the handlers. */
const char *call_argument(const struct call *c, const char *name);
/* code NULL: the usual one of the status. */
void call_error(struct call *c, int status, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The client's header, or NULL. */
const char *call_header_in(const struct call *c, const char *name);
/* A header of the answer. */
void call_header(struct call *c, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Counts parameters and members of the body that the route does not know. */
void call_check_names(struct call *c);
/* Whether a list of words between blanks has the word. */
bool call_listed(const char *list, const char *name);
/* A whole number from 1 up to max; false: the error is written. */
bool call_number(struct call *c, const char *name, uint32_t otherwise, uint32_t max, uint32_t *out);
bool call_flag(const struct call *c, const char *name);
bool call_not_found(struct call *c, const char *code, const char *message);

#endif
