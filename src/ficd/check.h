/* check: the offline check of the store. Private to this layer. */
#ifndef FIC_FICD_CHECK_INTERNAL_H
#define FIC_FICD_CHECK_INTERNAL_H

#include <ficd/config.h>

/* Checks the stores of all sources and prints a line for each. 0 sound, 1 damage, else a code of sysexits(3). Takes the configuration. */
int check_store(struct config *config);

#endif
