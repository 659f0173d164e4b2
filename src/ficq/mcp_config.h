/*
 * mcp_config: what is to be written into the configuration of common clients, so that they start ficq as a server.
 */
#ifndef FIC_FICQ_MCP_CONFIG_H
#define FIC_FICQ_MCP_CONFIG_H

#include "app.h"

/* ficq mcp --print-config [CLIENT], for one of mcp_client_words (commands.h). An exit code. */
int mcp_config(struct app *a);

#endif
