/*
 * pager: the user's pager as a child that reads what we print.
 */
#ifndef FIC_FICQ_PAGER_H
#define FIC_FICQ_PAGER_H

#include <stdbool.h>
#include <sys/types.h>

/* $FICQ_PAGER, $PAGER, or less where it is installed; NULL when long output should not be paged ("cat", "", none there). */
const char *pager_command(void);

/* Starts it; *fd_out is its standard input. 0, or -1: print without one. */
int pager_start(const char *command, int *fd_out, pid_t *pid_out);
int pager_wait(pid_t pid); /* how it ended, as waitpid(2) says */

#endif
