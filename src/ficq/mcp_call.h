/*
 * mcp_call: one request of the client that needs the daemon, from its questions to its answer.
 *
 * A plan sends questions; when all of them are answered it is asked to make something of that, for which it may ask more. What goes wrong on the
 * way ends the call with a text that tells a model what to do.
 */
#ifndef FIC_FICQ_MCP_CALL_H
#define FIC_FICQ_MCP_CALL_H

#include "mcp.h"

#define MCP_QUESTIONS_MAX 3

struct mcp_tool;

/* What a call gives: an object, and for people and models a sentence that stands before it. */
struct mcp_answer {
	struct buf found; /* MessagePack */
	struct buf words;
	int64_t ttl_ms; /* of a resource: how long it may be kept */
};

struct mcp_plan {
	/* 0, or an error with `why`. */
	int (*ask)(struct mcp_call *c, struct why *why);
	/* 0: `out` is the answer, 1: more was asked, or an error with `why`. */
	int (*answer)(struct mcp_call *c, struct mcp_answer *out, struct why *why);
	/* What is done when the time is up: as ask. NULL: the call fails. */
	int (*late)(struct mcp_call *c, struct why *why);
	bool (*may_fail)(unsigned question); /* its error is no error of the call; NULL: all are */
	bool lists; /* of resources: what is found is their list, not the text of one */
};

struct mcp_question {
	int64_t id; /* 0: not asked */
	bool open;
	struct buf result; /* empty: not answered, or with an error */
};

struct mcp_call {
	struct mcp_call *next;
	struct mcp *mcp;
	const struct mcp_plan *plan;
	const struct mcp_tool *tool; /* NULL: a resource */
	bool modern;
	struct buf id;             /* of the request, MessagePack */
	struct buf args;           /* a map; of a resource: uri */
	struct buf progress_token; /* empty: none is wanted */
	int64_t progress, progress_ms;
	int64_t until_ms;
	bool late;
	int64_t rows; /* as many are asked for: a plan's own */
	struct client client;
	struct mcp_question hello, questions[MCP_QUESTIONS_MAX];
};

/* Begins it: connects and asks. The call is answered now or later; `id` and `args` are MessagePack and copied. */
void mcp_call_begin(struct mcp *m, const struct mcp_plan *plan, const struct mcp_tool *tool,
		    bool modern, struct bytes id, struct bytes args, struct bytes progress_token);
/* What has arrived for it; it is gone when it is answered. */
void mcp_call_hear(struct mcp *m, struct mcp_call *c);
/* Ends those whose time is up, and gives the time of the next one that may be; TIME_MAX: none. */
int64_t mcp_call_expire(struct mcp *m, int64_t now_ms);
/* The client wants it no more: nothing is said. */
void mcp_call_cancel(struct mcp *m, struct bytes id);
void mcp_call_drop_all(struct mcp *m);
bool mcp_call_has(const struct mcp *m, struct bytes id);

/* For plans. */
int mcp_ask(struct mcp_call *c, unsigned question, const char *method, struct params *p,
	    struct why *why);                                         /* releases `p` */
struct bytes mcp_result(const struct mcp_call *c, unsigned question); /* {NULL, 0}: there is none */
struct bytes mcp_arg(const struct mcp_call *c, const char *name);     /* likewise */
struct bytes mcp_arg_text(const struct mcp_call *c, const char *name);
int64_t mcp_arg_int(const struct mcp_call *c, const char *name, int64_t otherwise);

#endif
