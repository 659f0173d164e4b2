/*
 * daemon: builds the parts, wires them, and takes them down in order. Never does any of their work.
 *
 *   open: lock ─ syncer ─ loop ─ http ─ sources ─ socket      stop: no new clients ─ runs end ─ sessions ─ stores ─ lock
 */
#include "access_log.h"
#include "alerts.h"
#include "daemon.h"
#include "heap.h"
#include "method.h"
#include "service.h"
#include "web.h"

#include <base/files.h>
#include <base/log.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static int exit_code_of(int rc)
{
	switch (rc) {
	case ERR_DENIED: return EX_NOPERM;
	case ERR_BUSY: return EX_TEMPFAIL;
	case ERR_INVALID: return EX_CONFIG;
	case ERR_NOMEM: return EX_OSERR;
	default: return EX_IOERR;
	}
}

/* It holds people's mail. One that was there before is left as it is: somebody may have meant it. */
static void look_at_state(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && st.st_mode & 077)
		log_warn("ficd", "others can enter %s (mode %04o): chmod 700 %s", path,
			 (unsigned)st.st_mode & 07777, path);
}

/* The lock holds the number of who has it, for the words of who comes second. */
static int take_lock(struct daemon *d, struct why *why)
{
	char path[CONFIG_PATH_MAX + 16], owner[24] = "";
	int rc = dir_make(d->config->state_dir, 0700, why);

	if (rc)
		return rc;
	look_at_state(d->config->state_dir);
	snprintf(path, sizeof path, "%s/LOCK", d->config->state_dir);
	d->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (d->lock_fd < 0)
		return why_errno(why, "cannot open %s", path);
	if (flock(d->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return why_errno(why, "cannot lock %s", path);
		if (read(d->lock_fd, owner, sizeof owner - 1) < 0)
			owner[0] = 0;
		return why_set(why, ERR_BUSY, "another ficd (process %d) uses %s already",
			       atoi(owner), d->config->state_dir);
	}
	int n = snprintf(owner, sizeof owner, "%d\n", (int)getpid());
	if (ftruncate(d->lock_fd, 0) < 0 || pwrite(d->lock_fd, owner, (size_t)n, 0) < 0)
		return why_errno(why, "cannot write %s", path);
	return 0;
}

static void on_signal(void *ctx, int signo)
{
	struct daemon *d = ctx;

	if (d->stopping) {
		log_warn("ficd", "told to stop twice: stopping at once");
		loop_stop(d->loop);
		return;
	}
	log_info("ficd", "signal %d: stopping", signo);
	daemon_stop(d);
}

/* It says itself how it went. */
static void on_hangup(void *ctx, int signo)
{
	struct buf words = {0};

	(void)signo;
	daemon_reload(ctx, &words);
	buf_release(&words);
}

static int open_loop(struct daemon *d, struct why *why)
{
	struct http_options http = {.user_agent = "ficd/" FIC_VERSION};

	d->loop = loop_new(why);
	if (!d->loop)
		return ERR_IO;
	d->heap = heap_new(d->loop);
	if (!d->heap)
		return why_set(why, ERR_NOMEM, "out of memory");
	d->access_log = access_log_new(d->loop);
	if (!d->access_log)
		return why_set(why, ERR_NOMEM, "out of memory");
	access_log_configure(d->access_log, d->config->access_log, d->config->access_log_bytes);
	d->service = service_new(d->loop);
	if (!d->service)
		return why_set(why, ERR_NOMEM, "out of memory");
	d->syncer = syncer_new(d->loop, why);
	if (!d->syncer)
		return ERR_IO;
	for (size_t i = 0; i < d->config->source_count; i++)
		http.connections_max += d->config->sources[i].concurrency;
	d->http = http_new(d->loop, &http, why);
	return d->http ? 0 : ERR_IO;
}

static int open_signals(struct daemon *d)
{
	signal(SIGPIPE, SIG_IGN);
	if (loop_signal(d->loop, SIGTERM, on_signal, d) ||
	    loop_signal(d->loop, SIGINT, on_signal, d) || loop_signal(d->loop, SIGHUP, on_hangup, d))
		return ERR_IO;
	return 0;
}

static int open_sources(struct daemon *d, struct why *why)
{
	for (size_t i = 0; i < d->config->source_count; i++) {
		int rc = source_open(&d->sources[d->source_count++], d, &d->config->sources[i], why);
		if (rc)
			return rc;
	}
	return 0;
}

/* The folder of the socket is made for a first start by hand; packages and service managers bring their own. */
static int open_socket(struct daemon *d, struct why *why)
{
	char dir[CONFIG_PATH_MAX];

	snprintf(dir, sizeof dir, "%s", d->config->socket);
	char *slash = strrchr(dir, '/');
	if (slash && slash != dir) {
		*slash = 0;
		int rc = dir_make(dir, 0750, why);
		if (rc)
			return rc;
	}
	return sessions_listen(d, why);
}

/* "acme ok, globex error: ..." */
static void tell_status(struct daemon *d)
{
	struct buf text = {0};

	for (size_t i = 0; i < d->source_count; i++) {
		const struct source *s = &d->sources[i];
		struct sync_state state;
		if (!s->sync)
			continue;
		sync_state(s->sync, &state);
		buf_printf(&text, "%s%s %s%s%s", i ? ", " : "", s->config->name, state.state,
			   state.error ? ": " : "", state.error ? state.error : "");
	}
	service_status(d->service, "%s", buf_text(&text));
	buf_release(&text);
}

static void on_committed(struct source *s)
{
	changes_committed(s);
	if (service_listens(s->daemon->service))
		tell_status(s->daemon);
}

static void on_run_ended(struct source *s, const struct run_info *run)
{
	alerts_run_ended(s->daemon->alerts, s, run);
}

int daemon_open(struct daemon *d, struct config *config, const char *path, bool once, struct why *why)
{
	int rc;

	*d = (struct daemon){.config = config,
			     .config_path = path,
			     .lock_fd = -1,
			     .once = once,
			     .started_ms = clock_wall_ms(),
			     .dispatch = method_dispatch,
			     .methods = methods,
			     .committed = on_committed,
			     .edited = edit_changed,
			     .run_ended = on_run_ended};
	rc = take_lock(d, why);
	if (rc == 0)
		rc = open_loop(d, why);
	if (rc == 0)
		rc = open_signals(d);
	if (rc == 0)
		rc = open_sources(d, why);
	if (rc == 0 && !(d->alerts = alerts_new(d)))
		rc = why_set(why, ERR_NOMEM, "out of memory");
	if (rc == 0)
		rc = open_socket(d, why);
	if (rc == 0)
		rc = web_open(d, why);
	return rc ? exit_code_of(rc) : 0;
}

static void on_patience(void *ctx)
{
	struct daemon *d = ctx;

	log_warn("ficd", "not everything ended in time: stopping at once");
	loop_stop(d->loop);
}

static void on_stopped(void *ctx)
{
	struct daemon *d = ctx;

	if (++d->stopped == d->source_count)
		loop_stop(d->loop);
}

void daemon_stop(struct daemon *d)
{
	if (d->stopping)
		return;
	d->stopping = true;
	service_stopping(d->service);
	server_stop_accepting(d->server);
	d->stop_timer = timer_new(d->loop, on_patience, d);
	if (d->stop_timer)
		timer_start(d->stop_timer, d->config->shutdown_timeout_ms, 0);
	for (size_t i = 0; i < d->source_count; i++)
		sync_stop(d->sources[i].sync, on_stopped, d);
}

/* --once: stop when nothing is due any more, or every source is in trouble. */
static void on_once(void *ctx)
{
	struct daemon *d = ctx;

	for (size_t i = 0; i < d->source_count; i++)
		if (d->sources[i].token.len && !sync_idle(d->sources[i].sync))
			return;
	daemon_stop(d);
}

int daemon_run(struct daemon *d)
{
	for (size_t i = 0; i < d->source_count; i++)
		source_start(&d->sources[i]);
	if (d->once) {
		d->once_timer = timer_new(d->loop, on_once, d);
		if (!d->once_timer)
			return EX_OSERR;
		timer_start(d->once_timer, 100, 100);
	}
	heap_started();
	log_info("ficd", "version %s ready, socket %s", FIC_VERSION, d->config->socket);
	service_ready(d->service);
	loop_run(d->loop);
	int code = 0;
	for (size_t i = 0; d->once && i < d->source_count; i++) {
		struct sync_state state;
		sync_state(d->sources[i].sync, &state);
		if (state.error || d->sources[i].token_error[0])
			code = EX_TEMPFAIL;
	}
	return code;
}

void daemon_close(struct daemon *d)
{
	web_close(d);
	sessions_close(d);
	/* First of all: what a store still waits for ends here, with an error. */
	struct syncer *syncer = d->syncer;
	d->syncer = NULL;
	syncer_free(syncer);
	for (size_t i = 0; i < d->source_count; i++) {
		edits_close(&d->sources[i]);
		source_close(&d->sources[i]);
	}
	access_log_free(d->access_log);
	alerts_free(d->alerts);
	heap_free(d->heap);
	service_free(d->service);
	timer_free(d->stop_timer);
	timer_free(d->once_timer);
	http_free(d->http);
	loop_free(d->loop);
	config_free(d->config);
	if (d->lock_fd >= 0)
		close(d->lock_fd);
}
