/* spill: see the header. The file is unlinked before anything is written. */
#include "spill.h"

#include <base/files.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int spill_open(struct spill *p, const struct store_hooks *hooks, const char *dir, struct why *why)
{
	char *path;

	*p = (struct spill){0};
	if (asprintf(&path, "%s/spill.tmp", dir) < 0)
		return why_set(why, ERR_NOMEM, "out of memory in a commit");
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0) {
		int rc = why_errno(why, "cannot make the file %s", path);
		free(path);
		return rc;
	}
	unlink(path);
	free(path);
	*p = (struct spill){.hooks = hooks, .fd = fd};
	return 0;
}

void spill_release(struct spill *p)
{
	if (p->hooks)
		close(p->fd);
	buf_release(&p->staged);
	*p = (struct spill){0};
}

void spill_reset(struct spill *p)
{
	buf_reset(&p->staged);
	p->written = 0;
}

int spill_put(struct spill *p, struct bytes data)
{
	buf_put_bytes(&p->staged, data);
	if (p->staged.error)
		return p->staged.error;
	if (p->staged.len < SPILL_STAGE_BYTES)
		return 0;
	int rc = p->hooks->write(p->hooks->ctx, p->fd, p->staged.data, p->staged.len, p->written);
	if (rc)
		return rc;
	p->written += p->staged.len;
	buf_reset(&p->staged);
	return 0;
}

int spill_read(const struct spill *p, uint64_t at, size_t len, struct buf *out)
{
	if (at >= p->written) {
		buf_put(out, p->staged.data + (at - p->written), len);
		return out->error;
	}
	int rc = buf_reserve(out, len);
	if (rc)
		return rc;
	out->len += len;
	return file_pread(p->fd, out->data + out->len - len, len, at);
}
