/* access_log: see the header. Names that clients made up are not written: only methods, sources and resources that there are. */
#include "access_log.h"

#include "method.h"

#include <base/log.h>
#include <codec/msgpack.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRITE_MS 1000
#define KEPT_MAX \
	((size_t)256 * 1024) /* what does not fit, because nothing can be written, is counted */
#define KEPT_FLUSH ((size_t)64 * 1024)

struct access_log {
	struct loop *loop;
	struct timer *timer;
	char *path; /* NULL: off */
	int64_t max_bytes, bytes;
	int fd; /* -1: could not be opened yet */
	struct buf kept;
	uint64_t lost;
	bool waiting; /* for the timer */
	bool failed;  /* it has been said */
};

/* ---- the file ---- */

static void file_close(struct access_log *a)
{
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
}

static void say_failure(struct access_log *a, const char *what)
{
	if (!a->failed)
		log_error("ficd", "the access log %s cannot be %s: %s; it is tried again", a->path,
			  what, strerror(errno));
	a->failed = true;
}

static bool file_open(struct access_log *a)
{
	struct stat st;

	if (a->fd >= 0)
		return true;
	/* A pipe or a device could hold the loop, and somebody else's link could lead anywhere. */
	a->fd = open(a->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
		     0640);
	if (a->fd >= 0 && (fstat(a->fd, &st) || !S_ISREG(st.st_mode))) {
		file_close(a);
		errno = EINVAL;
	}
	if (a->fd < 0) {
		say_failure(a, "opened");
		return false;
	}
	a->bytes = st.st_size;
	return true;
}

/* It has its size: it becomes the older one. */
static void file_rotate(struct access_log *a)
{
	char older[4200];

	snprintf(older, sizeof older, "%s.1", a->path);
	file_close(a);
	if (rename(a->path, older))
		say_failure(a, "renamed");
}

static void put_lost(struct access_log *a)
{
	if (!a->lost)
		return;
	buf_printf(&a->kept, "# %llu lines could not be kept\n", (unsigned long long)a->lost);
	a->lost = 0;
}

static void log_write(struct access_log *a)
{
	if (!a->path || a->kept.len == 0)
		return;
	if (a->fd >= 0 && a->bytes > 0 && a->bytes + (int64_t)a->kept.len > a->max_bytes)
		file_rotate(a);
	if (!file_open(a))
		return;
	put_lost(a);
	ssize_t n = write(a->fd, a->kept.data, a->kept.len);
	if (n < 0) {
		say_failure(a, "written");
		return;
	}
	a->failed = false;
	a->bytes += n;
	buf_consume(&a->kept, (size_t)n);
}

static void wait_for(struct access_log *a)
{
	if (!a->waiting)
		timer_start(a->timer, WRITE_MS, 0);
	a->waiting = true;
}

static void on_timer(void *ctx)
{
	struct access_log *a = ctx;

	a->waiting = false;
	log_write(a);
	if (a->kept.len)
		wait_for(a);
}

struct access_log *access_log_new(struct loop *loop)
{
	struct access_log *a = calloc(1, sizeof *a);

	if (!a)
		return NULL;
	a->loop = loop;
	a->fd = -1;
	a->timer = timer_new(loop, on_timer, a);
	if (!a->timer) {
		free(a);
		return NULL;
	}
	return a;
}

void access_log_configure(struct access_log *a, const char *path, int64_t max_bytes)
{
	log_write(a);
	file_close(a);
	free(a->path);
	a->path = path ? strdup(path) : NULL;
	a->max_bytes = max_bytes;
	a->failed = false;
	if (path && !a->path)
		log_error("ficd", "out of memory: there is no access log");
	if (a->path)
		file_open(a);
	else
		buf_release(&a->kept);
}

void access_log_free(struct access_log *a)
{
	if (!a)
		return;
	log_write(a);
	file_close(a);
	timer_free(a->timer);
	buf_release(&a->kept);
	free(a->path);
	free(a);
}

/* ---- lines ---- */

/* The source that it was about: named, or the only one. NULL: none, or several. */
static const struct source *source_of(const struct request *r)
{
	const struct daemon *d = r->daemon;
	struct bytes name;

	if (!mp_find_str(r->rpc.params, "source", &name))
		return d->source_count == 1 ? &d->sources[0] : NULL;
	for (size_t i = 0; i < d->source_count; i++)
		if (bytes_is(name, d->sources[i].config->name))
			return &d->sources[i];
	return NULL;
}

static const char *resource_of(const struct request *r)
{
	const struct daemon *d = r->daemon;
	struct bytes name;

	if (!mp_find_str(r->rpc.params, "resource", &name))
		return "-";
	for (size_t i = 0; i < d->source_count; i++) {
		const struct resource_type *t = provider_type(d->sources[i].provider, name);
		if (t)
			return t->name;
	}
	return "-";
}

/* The rows that are not in the result itself. */
static int64_t spliced_rows(const struct request *r)
{
	for (unsigned i = 0; i < r->splices_count; i++)
		if (r->splices[i].piece.array)
			return r->splices[i].piece.values;
	return 1;
}

/* How many it answered: the items of the answer's first list, or the one record. -1: it is no such answer. */
static int64_t rows_of(const struct request *r)
{
	if (r->splices_count)
		return spliced_rows(r);
	struct mp_reader reader = mp_reader_of(buf_bytes(&r->result));
	struct mp_value head, name, value;
	struct bytes key, whole;

	if (r->result.len == 0 || mp_next(&reader, &head) != 1 || head.type != MP_MAP)
		return -1;
	for (uint32_t i = 0; i < head.count; i++) {
		if (mp_take(&reader, &key) != 1 || mp_take(&reader, &whole) != 1 ||
		    !mp_get(key, &name))
			return -1;
		struct mp_reader inner = mp_reader_of(whole);
		if (mp_next(&inner, &value) == 1 && value.type == MP_ARRAY)
			return value.count;
		if (name.type == MP_STR && bytes_is(name.str, "record"))
			return 1;
	}
	return -1;
}

static void put_number(struct buf *out, const char *name, bool known, long long value)
{
	if (known)
		buf_printf(out, " %s=%lld", name, value);
	else
		buf_printf(out, " %s=-", name);
}

static void put_line(struct buf *out, const struct access_log *a, const struct request *r,
		     const struct access_peer *peer, int code)
{
	const struct source *source = r->method ? source_of(r) : NULL;
	int64_t rows = code ? -1 : rows_of(r);
	char when[TIME_TEXT_MAX];

	buf_put_str(out, time_text(loop_wall_ms(a->loop), true, when));
	put_number(out, "uid", peer->uid != (uid_t)-1, peer->uid);
	put_number(out, "gid", peer->gid != (gid_t)-1, peer->gid);
	put_number(out, "pid", peer->pid != 0, peer->pid);
	buf_printf(out, " via=%s method=%s source=%s resource=%s", peer->via,
		   r->method ? r->method->name : "-", source ? source->config->name : "-",
		   r->method ? resource_of(r) : "-");
	put_number(out, "rows", rows >= 0, rows);
	buf_printf(out, " ms=%lld", (long long)((clock_mono_us() - r->began_us) / 1000));
	put_number(out, "code", code != ACCESS_GONE, code);
	buf_put_byte(out, '\n');
}

void access_log_note(struct access_log *a, const struct request *r, const struct access_peer *peer,
		     int code)
{
	if (!a->path)
		return;
	if (a->kept.len > KEPT_MAX) {
		a->lost++;
		return;
	}
	size_t before = a->kept.len;
	put_line(&a->kept, a, r, peer, code);
	if (a->kept.error) {
		buf_release(&a->kept);
		a->lost++;
		return;
	}
	if (before < KEPT_FLUSH && a->kept.len >= KEPT_FLUSH) {
		a->waiting = true;
		timer_start(a->timer, 0, 0);
	}
	wait_for(a);
}
