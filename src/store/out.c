/* out: stages what is written, so that a file of many small pieces costs few calls. Never syncs:
 * that is the commit's. */
#include "out.h"

#include <fcntl.h>
#include <stdlib.h>

int out_open(struct out *o, const struct store_hooks *hooks, const char *path, struct why *why)
{
	*o = (struct out){.hooks = hooks, .fd = -1, .stage = malloc(OUT_STAGE_BYTES)};
	if (!o->stage)
		return why_set(why, ERR_NOMEM, "out of memory to write %s", path);
	o->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (o->fd >= 0)
		return 0;
	free(o->stage);
	o->stage = NULL;
	return why_errno(why, "cannot make %s", path);
}

void out_memory(struct out *o)
{
	*o = (struct out){.fd = -1, .memory = true};
}

static void write_out(struct out *o, const void *data, size_t len)
{
	if (!o->error && len)
		o->error = o->hooks->write(o->hooks->ctx, o->fd, data, len, o->offset - len);
}

void out_put(struct out *o, const void *data, size_t len)
{
	if (o->error || len == 0)
		return;
	if (o->memory) {
		buf_put(&o->image, data, len);
		o->error = o->image.error;
		o->offset += len;
		return;
	}
	if (len >= OUT_STAGE_BYTES) {
		if (out_flush(o))
			return;
		o->offset += len;
		write_out(o, data, len);
		return;
	}
	if (len > OUT_STAGE_BYTES - o->staged && out_flush(o))
		return;
	memcpy(o->stage + o->staged, data, len);
	o->staged += len;
	o->offset += len;
}

void out_zeros(struct out *o, size_t len)
{
	static const uint8_t zeros[4096];

	while (len) {
		size_t n = len < sizeof zeros ? len : sizeof zeros;
		out_put(o, zeros, n);
		len -= n;
	}
}

int out_flush(struct out *o)
{
	if (!o->memory)
		write_out(o, o->stage, o->staged);
	o->staged = 0;
	return o->error;
}

int out_first(struct out *o, const void *data, size_t len)
{
	if (out_flush(o))
		return o->error;
	if (o->memory)
		memcpy(o->image.data, data, len);
	else
		o->error = o->hooks->write(o->hooks->ctx, o->fd, data, len, 0);
	return o->error;
}

int out_release(struct out *o)
{
	int fd = o->fd;

	free(o->stage);
	o->stage = NULL;
	o->fd = -1;
	return fd;
}
