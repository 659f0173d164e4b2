/*
 * mcp: ficq as a server of the Model Context Protocol on standard input and output, for agents.
 *
 *   mcp.c            the loop: lines in, lines out, answers of the daemon
 *   mcp_message.c    what a line asks for, in both eras of the protocol
 *   mcp_tools.c      the table of tools: names, arguments, schemas
 *   mcp_plan.c       what each tool asks the daemon, and what it makes of the answers
 *   mcp_resources.c  records as resources, fic://source/resource/id
 *   mcp_call.c       a call under way: its connection, questions and answers
 *   mcp_output.c     the shape of what is said
 *
 * Nothing is kept from one request to the next but, for clients of the older era, that they said initialize. Every call has a connection of
 * its own to the daemon, made when it begins: a daemon that is down or starts anew costs one call.
 */
#ifndef FIC_FICQ_MCP_H
#define FIC_FICQ_MCP_H

#include "app.h"

#define MCP_VERSION      "2026-07-28" /* stateless: each request names it */
#define MCP_LINE_MAX     ((size_t)4 << 20)
#define MCP_CALLS_MAX    8
#define MCP_CALL_MS      60000
#define MCP_RECORDS_MAX  100
#define MCP_ANSWER_BYTES ((size_t)64 << 10) /* of the JSON of what a tool found */
#define MCP_PROGRESS_MS  500                /* from one notification to the next */
#define MCP_FINISH_MS    5000 /* what is under way when the input ends may take so long */
#define MCP_NAME_MAX     128
#define MCP_SERVER_NAME  "ficq"

enum mcp_error {
	MCP_PARSE = -32700,
	MCP_INVALID_REQUEST = -32600,
	MCP_NO_METHOD = -32601,
	MCP_INVALID_PARAMS = -32602,
	MCP_INTERNAL = -32603,
	MCP_NO_RESOURCE = -32002, /* of the older era; the newer says MCP_INVALID_PARAMS */
	MCP_NO_VERSION = -32022,
};

struct mcp_call;

struct mcp {
	struct app *app;
	int out_fd; /* where answers go: nothing else can be written there by accident */
	struct buf in;
	struct mcp_call *calls;
	unsigned calls_count;
	bool edits;        /* edit_record is offered */
	bool open;         /* a client of the older era has said initialize */
	int64_t finish_ms; /* the input has ended: the loop, too, then; 0: not yet */
	bool failed;       /* nobody reads the answers */
};

/* The command: serves until the input ends. An exit code. */
int mcp_command(struct app *a);

#endif
