/*
 * config_schedule: "daily 03:00" and its kin.
 */
#ifndef FIC_FICD_CONFIG_SCHEDULE_H
#define FIC_FICD_CONFIG_SCHEDULE_H

#include <ficd/config.h>

/* off | hourly | daily HH:MM | weekly DAY HH:MM | cron "m h d m w" (with or without the quotes). 0, or ERR_SYNTAX and `why` with what was expected, or
 * (beginning with "cron:") what is wrong. */
int schedule_parse(const char *text, struct schedule *out, struct why *why);
void schedule_print(const struct schedule *s, struct buf *out);

#endif
