/* pass: matches a client's path with the provider's table, segment by segment, and writes it anew. */
#include <source/pass.h>

#include "url.h"

#include <base/suggest.h>

#include <string.h>

#define SEGMENT_MAX 300

/* Until the next slash; `rest` is what comes after it, {NULL, 0} at the end. */
static struct bytes segment(struct bytes path, struct bytes *rest)
{
	const uint8_t *slash = path.len ? memchr(path.data, '/', path.len) : NULL;
	size_t n = slash ? (size_t)(slash - path.data) : path.len;

	*rest = slash ? bytes_of(slash + 1, path.len - n - 1) : bytes_of(NULL, 0);
	return bytes_of(path.data, n);
}

/* What may be escaped without meaning something else to a server that reads escapes twice, or takes dots for a way up. */
static bool is_text(struct bytes s)
{
	if (s.len == 0 || s.len > SEGMENT_MAX || s.data[0] == '.')
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] < 0x20 || s.data[i] == 0x7f || s.data[i] == '%' || s.data[i] == '\\')
			return false;
	return true;
}

static bool segment_fits(struct bytes pattern, struct bytes s)
{
	if (bytes_is(pattern, "*"))
		return url_id_usable(s);
	if (bytes_is(pattern, "?"))
		return is_text(s);
	return bytes_equal(pattern, s);
}

/* Both without the slash at the beginning. */
static bool path_fits(struct bytes pattern, struct bytes path)
{
	do {
		struct bytes a = segment(pattern, &pattern), b = segment(path, &path);
		if (!segment_fits(a, b) || !pattern.data != !path.data)
			return false;
	} while (pattern.data);
	return true;
}

/* The first in the table decides. */
static const struct pass_pattern *find(const struct provider *p, struct bytes path)
{
	for (const struct pass_pattern *t = p->passes; t->path; t++) {
		bool denied = t->path[0] == '!';
		if (path_fits(bytes_str(t->path + denied + 1), path))
			return denied ? NULL : t;
	}
	return NULL;
}

static void put_segments(struct buf *out, struct bytes path)
{
	while (path.data) {
		buf_put_byte(out, '/');
		url_put_escaped(out, segment(path, &path));
	}
}

static struct bytes without_slash(struct bytes path)
{
	return path.len && path.data[0] == '/' ? bytes_of(path.data + 1, path.len - 1) : path;
}

int pass_path(const struct provider *p, struct bytes path, const struct pass_parameter *parameters,
	      size_t count, struct buf *out, unsigned *route_out, struct why *why)
{
	size_t before = out->len;

	path = without_slash(path);
	const struct pass_pattern *t = path.len && path.len < PASS_PATH_MAX ? find(p, path) : NULL;
	if (!t)
		return why_set(why, ERR_INVALID, "'/%.*s' is no path of %s that is read through",
			       (int)(path.len < 100 ? path.len : 100),
			       path.len ? (const char *)path.data : "", p->name);
	put_segments(out, path);
	for (size_t i = 0; i < count; i++) {
		buf_put_byte(out, i ? '&' : '?');
		url_put_escaped(out, parameters[i].name);
		buf_put_byte(out, '=');
		url_put_escaped(out, parameters[i].value);
	}
	*route_out = t->route;
	if (out->error)
		return why_set(why, ERR_NOMEM, "out of memory");
	if (out->len - before > PASS_PATH_MAX)
		return why_set(why, ERR_INVALID,
			       "the path and its parameters are longer than %d bytes", PASS_PATH_MAX);
	return 0;
}

const char *pass_near(const struct provider *p, struct bytes path)
{
	const char *names[96];
	size_t n = 0;

	for (const struct pass_pattern *t = p->passes; t->path && n < 95; t++)
		if (t->path[0] == '/')
			names[n++] = t->path;
	names[n] = NULL;
	return suggest(path, names);
}
