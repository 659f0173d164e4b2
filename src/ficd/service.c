/* service: see the header. Facts: sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3). */
#include "service.h"

#include <base/clock.h>
#include <base/log.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define STATUS_EVERY_MS 10000
#define FIRST_FD        3
#define FDS_MAX         16

struct service {
	int fd; /* -1: nobody listens */
	struct sockaddr_un address;
	socklen_t address_len;
	struct timer *watchdog, *status_timer;
	char status[256]; /* that waits; "": none */
	bool resting;     /* a status was told a short while ago */
};

/* ---- messages ---- */

static void tell(struct service *s, const char *text)
{
	if (s->fd < 0)
		return;
	if (sendto(s->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
		   (const struct sockaddr *)&s->address, s->address_len) < 0 &&
	    errno != EAGAIN)
		log_warn("ficd", "the service manager cannot be told: %s", strerror(errno));
}

static void tell_status(struct service *s)
{
	char text[sizeof s->status + 16];

	snprintf(text, sizeof text, "STATUS=%s", s->status);
	s->status[0] = 0;
	s->resting = true;
	tell(s, text);
	timer_start(s->status_timer, STATUS_EVERY_MS, 0);
}

static void on_status_timer(void *ctx)
{
	struct service *s = ctx;

	s->resting = false;
	if (s->status[0])
		tell_status(s);
}

bool service_listens(const struct service *s)
{
	return s->fd >= 0;
}

void service_status(struct service *s, const char *format, ...)
{
	va_list args;

	if (s->fd < 0)
		return;
	va_start(args, format);
	vsnprintf(s->status, sizeof s->status, format, args);
	va_end(args);
	for (char *c = s->status; *c; c++)
		if (*c == '\n')
			*c = ' ';
	if (!s->resting)
		tell_status(s);
}

void service_ready(struct service *s)
{
	tell(s, "READY=1");
}

void service_reloading(struct service *s)
{
	char text[80];

	snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_mono_us());
	tell(s, text);
}

void service_stopping(struct service *s)
{
	tell(s, "STOPPING=1");
}

/* ---- the watchdog ---- */

static void on_watchdog(void *ctx)
{
	tell(ctx, "WATCHDOG=1");
}

/* How often it wants to hear of us; 0: never. */
static int64_t watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	int64_t us = usec ? strtoll(usec, NULL, 10) : 0;

	if (us <= 0 || (pid && strtoll(pid, NULL, 10) != getpid()))
		return 0;
	return us / 2000 > 0 ? us / 2000 : 1;
}

/* ---- life ---- */

static void open_notify(struct service *s)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;

	if (len < 2 || len >= sizeof s->address.sun_path || (*path != '/' && *path != '@'))
		return;
	s->address.sun_family = AF_UNIX;
	memcpy(s->address.sun_path, path, len);
	if (*path == '@') /* an abstract one */
		s->address.sun_path[0] = 0;
	s->address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

struct service *service_new(struct loop *l)
{
	struct service *s = calloc(1, sizeof *s);
	int64_t every_ms = watchdog_ms();

	if (!s)
		return NULL;
	s->fd = -1;
	s->watchdog = timer_new(l, on_watchdog, s);
	s->status_timer = timer_new(l, on_status_timer, s);
	if (!s->watchdog || !s->status_timer) {
		service_free(s);
		return NULL;
	}
	open_notify(s);
	if (every_ms && s->fd >= 0)
		timer_start(s->watchdog, every_ms, every_ms);
	return s;
}

void service_free(struct service *s)
{
	if (!s)
		return;
	timer_free(s->watchdog);
	timer_free(s->status_timer);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

/* ---- descriptors ---- */

static bool taken[FDS_MAX];

static int passed(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	long n = fds ? strtol(fds, NULL, 10) : 0;

	if (!pid || strtoll(pid, NULL, 10) != getpid() || n <= 0)
		return 0;
	return n < FDS_MAX ? (int)n : FDS_MAX;
}

/* The i-th of names that are parted by colons. */
static struct bytes name_at(const char *names, int i)
{
	size_t len = strcspn(names, ":");

	for (; i > 0 && names[len]; i--) {
		names += len + 1;
		len = strcspn(names, ":");
	}
	return i ? bytes_of(NULL, 0) : bytes_of(names, len);
}

static int take(int i)
{
	taken[i] = true;
	return fcntl(FIRST_FD + i, F_SETFD, FD_CLOEXEC) < 0 ? -1 : FIRST_FD + i;
}

int service_descriptor(const char *name)
{
	const char *names = getenv("LISTEN_FDNAMES");
	int count = passed();

	for (int i = 0; names && i < count; i++)
		if (!taken[i] && bytes_is(name_at(names, i), name))
			return take(i);
	/* A single one that nobody named is the socket that questions come from. */
	if (count == 1 && !taken[0] && strcmp(name, "control") == 0 &&
	    (!names || !*names || strcmp(names, "unknown") == 0 || strstr(names, ".socket")))
		return take(0);
	return -1;
}
