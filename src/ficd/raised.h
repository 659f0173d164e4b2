/*
 * raised: what was said of which condition, kept over a restart in <state_dir>/ALERTS. Private to this layer.
 *
 * The file is a MessagePack array of maps {alert, condition, source, resource, since, held, told}, only of what is raised; it is replaced as a whole and not
 * fsynced: when it is lost, what holds is said again.
 */
#ifndef FIC_FICD_RAISED_INTERNAL_H
#define FIC_FICD_RAISED_INTERNAL_H

#include <ficd/config.h>

#define RAISED_MAX 1024

/* One condition about one thing. */
struct raised {
	char alert[CONFIG_NAME_MAX + 1];
	char condition[ALERT_TEXT_MAX];
	char source[CONFIG_NAME_MAX + 1];
	char resource[32]; /* "": of the source */
	struct alert_state state;
	char text[400]; /* as of the last look */
	bool looked;    /* in this round */
};

struct raised_list {
	struct raised *items;
	size_t count, cap;
};

/* The one of this key, made when there is none. Borrowed until the next call. NULL: no memory, or too many. */
struct raised *raised_find(struct raised_list *l, const char *alert, const char *condition,
			   const char *source, const char *resource, bool make);
/* Drops those of which nothing was said and that do not hold, and those that no round looked at. True: one was raised of these. */
bool raised_sweep(struct raised_list *l);
void raised_release(struct raised_list *l);

/* ERR_NOTFOUND: there is no file; ERR_CORRUPT: it is not one of ours (the list is empty then). */
int raised_load(struct raised_list *l, const char *state_dir, struct why *why);
int raised_save(const struct raised_list *l, const char *state_dir, struct why *why);

#endif
