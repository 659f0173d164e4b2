/*
 * service: what a service manager is told and gives: sd_notify(3)'s messages, its watchdog, and descriptors that it opened (sd_listen_fds(3)).
 * Without a service manager nothing of it happens. Private to this layer.
 */
#ifndef FIC_FICD_SERVICE_INTERNAL_H
#define FIC_FICD_SERVICE_INTERNAL_H

#include <io/loop.h>

struct service;

/* Reads $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID. From here on the watchdog is fed, by the loop alone: a loop that stands still is a dead one. NULL: no memory. */
struct service *service_new(struct loop *l);
void service_free(struct service *s); /* NULL is fine */

void service_ready(struct service *s);
void service_reloading(struct service *s); /* until service_ready */
void service_stopping(struct service *s);
bool service_listens(const struct service *s); /* somebody reads the status */
/* One line for people, at most one every ten seconds: a newer one replaces one that waits. */
void service_status(struct service *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The listening descriptor of that name (FileDescriptorName=), or, when it is the only one that has none, the first. -1: none was passed. It is closed on exec, and not given
 * out twice. */
int service_descriptor(const char *name);

#endif
