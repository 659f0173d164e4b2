/*
 * config_access: lists with commas, and lists of users and groups.
 */
#ifndef FIC_FICD_CONFIG_ACCESS_H
#define FIC_FICD_CONFIG_ACCESS_H

#include <ficd/config.h>

/* The next item of a list with commas, trimmed; empty items are left out. False at the end. */
bool list_next(const char **text, struct bytes *item_out);

/* any | none | a list of user:NAME, group:NAME, uid:N, gid:N; names are resolved now. 0, ERR_NOTFOUND (no such user or group), ERR_INVALID, ERR_NOMEM. */
int access_parse(struct access *out, const char *text, struct arena *memory, struct why *why);
void access_print(const struct access *a, struct buf *out);

#endif
