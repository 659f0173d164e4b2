/* A listener that is not the API: links may lead to it on purpose, and no
 * token must ever arrive there. */
#ifndef APISIM_FOREIGN_H
#define APISIM_FOREIGN_H

#include "buf.h"

#include <stdbool.h>
#include <stdint.h>

/* Listens on a free port of 127.0.0.1. false: could not. */
bool foreign_start(void);
uint32_t foreign_port(void);
/* What can be read when there is something to do, or -1. */
int foreign_fd(void);
void foreign_run(void);
void foreign_stop(void);
/* {"calls":N,"with_token":N,"port":P} */
void foreign_print(struct buf *b, const char *key);

#endif
