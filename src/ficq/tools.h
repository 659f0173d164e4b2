/*
 * tools: the commands around the questions: live, rpc, completion, help, version.
 */
#ifndef FIC_FICQ_TOOLS_H
#define FIC_FICQ_TOOLS_H

#include "app.h"

int tools_live(struct app *a);
int tools_rpc(struct app *a);
int tools_completion(struct app *a);
int tools_help(struct app *a);
int tools_version(struct app *a);

#endif
