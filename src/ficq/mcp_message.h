/*
 * mcp_message: what a line of the client asks for.
 *
 * Two eras of the protocol are spoken at once. The newer one (2026-07-28) names its version in each request, the older ones begin with initialize.
 */
#ifndef FIC_FICQ_MCP_MESSAGE_H
#define FIC_FICQ_MCP_MESSAGE_H

#include "mcp_call.h"

/* A line without its end. */
void mcp_line(struct mcp *m, struct bytes line);
/* A line that is longer than MCP_LINE_MAX. */
void mcp_line_too_long(struct mcp *m);

#endif
