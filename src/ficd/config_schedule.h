/*
 * config_schedule: "daily 03:00" and its kin.
 */
#ifndef FIC_FICD_CONFIG_SCHEDULE_H
#define FIC_FICD_CONFIG_SCHEDULE_H

#include <ficd/config.h>

/* off | hourly | daily HH:MM | weekly DAY HH:MM. 0 or ERR_SYNTAX. */
int schedule_parse(const char *text, struct schedule *out);
void schedule_print(const struct schedule *s, struct buf *out);
/* What was expected, for a text that schedule_parse refused. */
const char *schedule_expects(const char *text);

#endif
