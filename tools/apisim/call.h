/* One call to the API while it is being answered. */
#ifndef APISIM_CALL_H
#define APISIM_CALL_H

#include "buf.h"
#include "faults.h"
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
	void (*each_argument)(void *from, void (*fn)(void *ctx, const char *name), void *ctx);
};

struct call {
	const char *method, *path, *uri;
	const struct lookup *in;
	const char *body_text;
	size_t body_len;

	const struct route *route;
	char id[64]; /* the path's {} */
	int version;
	json_t *body;              /* parsed, or NULL */
	const struct fault *fault; /* or NULL */
	bool spoiled;              /* the client cannot understand the answer */

	int status;
	struct buf out; /* the body */
	const char *content_type;
	char link[96];   /* Link header, or "" */
	bool snapshot;   /* a list that is worth an If-None-Match */
	bool authorized; /* rate headers are due */
	uint32_t retry_after_s;
	const char *tier; /* the refusal is about these calls alone, or NULL */
	char request_id[24];
};

/* Answers it; everything of the API happens in here. */
void call_answer(struct call *c);
void call_release(struct call *c);

/* For the handlers. */
const char *call_argument(const struct call *c, const char *name);
void call_error(struct call *c, int status, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* A whole number from 1 up to max; false: the error is written. */
bool call_number(struct call *c, const char *name, uint32_t otherwise, uint32_t max, uint32_t *out);
bool call_flag(const struct call *c, const char *name);
bool call_not_found(struct call *c, const char *code, const char *message);

#endif
