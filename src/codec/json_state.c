/*
 * json_state: the transcoder's error and its way to the output buffer.
 *
 * The first error is kept with its words. The cursor writes into the buffer's memory behind its
 * back: its length is only right after a sync, and its memory may move at every growth.
 */
#include "json_state.h"

#include <inttypes.h>
#include <stdio.h>

enum json_state json_fail(struct json *j, int code, uint64_t offset, const char *format, ...)
{
	char what[200];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	j->error = why_set(&j->why, code, "JSON, byte %" PRIu64 ": %s", offset, what);
	return FAILED;
}

void json_cursor_sync(struct json *j, const struct cursor *c)
{
	if (c->w)
		j->out->len = (size_t)(c->w - j->out->data);
}

void json_cursor_load(struct json *j, struct cursor *c)
{
	struct buf *out = j->out;
	size_t cap = out->max && out->cap > out->max ? out->max : out->cap;

	c->w = out->data ? out->data + out->len : NULL;
	c->w_end = out->data ? out->data + (cap > out->len ? cap : out->len) : NULL;
}

bool json_grow(struct json *j, struct cursor *c, size_t n)
{
	json_cursor_sync(j, c);
	int rc = buf_reserve(j->out, n);
	json_cursor_load(j, c);
	if (rc == 0)
		return true;
	/* No place: how far a run of plain text is copied ahead of the limit depends on the
	 * pieces. */
	j->error = why_set(&j->why, rc, "JSON: %s",
			   rc == ERR_LIMIT ? "the result is too large" : "no memory for the result");
	return false;
}
