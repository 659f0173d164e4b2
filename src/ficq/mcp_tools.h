/*
 * mcp_tools: the one table of tools. The list that clients get, its schemas and the check of arguments come from it.
 */
#ifndef FIC_FICQ_MCP_TOOLS_H
#define FIC_FICQ_MCP_TOOLS_H

#include "mcp_call.h"

enum mcp_type { MCP_TEXT, MCP_NUMBER, MCP_TRUTH, MCP_TEXTS, MCP_OBJECT };

struct mcp_param {
	const char *name;
	const char *to; /* the daemon's parameter; NULL: the plan looks at it */
	enum mcp_type type;
	bool required;
	int64_t least, most;      /* MCP_NUMBER */
	const char *const *words; /* MCP_TEXT: those that there are; NULL: any */
	const char *help;
};

/* A member of what a tool gives, beside freshness. */
struct mcp_member {
	const char *name;
	const char *type; /* of JSON Schema */
	bool nullable;
	const char *help;
};

struct mcp_tool {
	const char *name, *title, *help;
	const struct mcp_param *params;   /* ended by a name of NULL */
	const struct mcp_member *members; /* likewise */
	bool writes;
	bool edits;           /* changes records: offered only where that was asked for */
	const char *method;   /* of the first question */
	const char *resource; /* when none is named; NULL: it has to be, or there is none */
	const struct mcp_plan *plan;
};

extern const struct mcp_tool mcp_tools[];
extern const unsigned mcp_tools_count;

/* NULL: there is none, or (without `edits`) it is not offered. */
const struct mcp_tool *mcp_tool_find(struct bytes name, bool edits);
/* The array of those that are offered, as tools/list wants it. */
void mcp_tools_put(struct buf *out, bool edits);
/* 0, or ERR_INVALID: `why` says which argument is wrong, and how it would be right. */
int mcp_tool_check(const struct mcp_tool *t, struct bytes args, struct why *why);

/* mcp_plan.c */
extern const struct mcp_plan mcp_plan_freshness, mcp_plan_search, mcp_plan_thread, mcp_plan_query,
	mcp_plan_count, mcp_plan_coverage, mcp_plan_status, mcp_plan_sync, mcp_plan_edit;
/* The sentence about freshness: "partial: 2 gaps, as of 2026-11-20T14:02:00Z (12 min old)". */
void mcp_worth(struct buf *out, struct bytes freshness);
/* A key, and its value or nil where there is none. */
void mcp_put_or_nil(struct buf *out, const char *key, struct bytes value);
/* The record without the provider's own object. */
void mcp_put_record(struct buf *out, struct bytes record);
/* Of a result of the method thread what fits: freshness, conversation, messages from the `at`th on, next_cursor. */
void mcp_put_thread(struct buf *out, struct bytes result, int64_t at);
/* Whether the result says that it is not there; then words about it. */
bool mcp_put_absence(struct buf *words, struct bytes result);

/* mcp_resources.c */
extern const struct mcp_plan mcp_plan_resources, mcp_plan_resource;
void mcp_templates_put(struct buf *out);
/* Its parts, unescaped, or ERR_INVALID. */
struct mcp_uri {
	char source[64], resource[64], id[520]; /* id "": the resource itself */
};
int mcp_uri_read(struct bytes text, struct mcp_uri *out, struct why *why);

#endif
