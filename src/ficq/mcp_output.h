/*
 * mcp_output: what the server says: lines, results, errors.
 */
#ifndef FIC_FICQ_MCP_OUTPUT_H
#define FIC_FICQ_MCP_OUTPUT_H

#include "mcp.h"

#include <signal.h>

/* Set by a signal: nothing more is written. */
extern volatile sig_atomic_t mcp_told_to_end;

/* Writes a message, MessagePack of an object, as a line. */
void mcp_send(struct mcp *m, struct buf *message);

/* `id` {NULL, 0}: nobody knows. `data` {NULL, 0}: none. */
void mcp_send_error(struct mcp *m, struct bytes id, int code, const char *message, struct bytes data);

/* A result under way: its members are put one by one, and sent together. */
struct mcp_result {
	struct buf message;
	size_t mark;
	uint32_t count;
};

void mcp_result_begin(struct mcp_result *r, bool modern, struct bytes id);
/* How long a client may keep it, and whether for other users too: the newer era wants to know. */
void mcp_result_keep(struct mcp_result *r, bool modern, int64_t ttl_ms, bool public);
struct buf *mcp_result_put(struct mcp_result *r, const char *key); /* its value comes next */
void mcp_result_send(struct mcp *m, struct mcp_result *r);

/* Who speaks: name, title, version. */
void mcp_put_server(struct buf *out);
/* A block of content. */
void mcp_put_text(struct buf *out, struct bytes text);
/* What a tool could not do, for the model, which may do better the next time. */
void mcp_send_tool_error(struct mcp *m, bool modern, struct bytes id, struct bytes words);

#endif
