/*
 * completion: scripts for shells, made from the tables of commands and options.
 */
#ifndef FIC_FICQ_COMPLETION_H
#define FIC_FICQ_COMPLETION_H

#include <base/bytes.h>

/* False: no such shell. The scripts ask "ficq completion resources" and "ficq completion sources" for names. */
bool completion_script(struct buf *out, const char *shell);

#endif
