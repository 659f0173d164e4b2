/* hooks: see the header. fsync here waits for the disk: a daemon gives one of its own. */
#include "hooks.h"

#include <base/files.h>

#include <errno.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int os_fsync(void *ctx, int fd, void (*done)(void *arg, int error), void *arg)
{
	(void)ctx;
	done(arg, fsync(fd) == 0 ? 0 : errno);
	return 0;
}

static int os_write(void *ctx, int fd, const void *data, size_t len, uint64_t offset)
{
	(void)ctx;
	return file_pwrite(fd, data, len, offset);
}

static int os_rename(void *ctx, const char *from, const char *to)
{
	(void)ctx;
	return rename(from, to);
}

static int os_unlink(void *ctx, const char *path)
{
	(void)ctx;
	return unlink(path);
}

static int os_free_bytes(void *ctx, const char *dir, uint64_t *bytes_out)
{
	struct statvfs v;

	(void)ctx;
	if (statvfs(dir, &v) != 0)
		return ERR_IO;
	*bytes_out = (uint64_t)v.f_bavail * v.f_frsize;
	return 0;
}

void hooks_fill(struct store_hooks *h)
{
	h->fsync = h->fsync ? h->fsync : os_fsync;
	h->write = h->write ? h->write : os_write;
	h->rename = h->rename ? h->rename : os_rename;
	h->unlink = h->unlink ? h->unlink : os_unlink;
	h->free_bytes = h->free_bytes ? h->free_bytes : os_free_bytes;
}

static int no_fsync(void *ctx, int fd, void (*done)(void *arg, int error), void *arg)
{
	(void)ctx;
	(void)fd;
	(void)done;
	(void)arg;
	return ERR_DENIED;
}

static int no_write(void *ctx, int fd, const void *data, size_t len, uint64_t offset)
{
	(void)ctx;
	(void)fd;
	(void)data;
	(void)len;
	(void)offset;
	return ERR_DENIED;
}

static int no_rename(void *ctx, const char *from, const char *to)
{
	(void)ctx;
	(void)from;
	(void)to;
	errno = EROFS;
	return -1;
}

static int no_unlink(void *ctx, const char *path)
{
	(void)ctx;
	(void)path;
	errno = EROFS;
	return -1;
}

void hooks_forbid(struct store_hooks *h)
{
	h->fsync = no_fsync;
	h->write = no_write;
	h->rename = no_rename;
	h->unlink = no_unlink;
}

int hooks_error(int error)
{
	switch (error) {
	case 0: return 0;
	case ENOSPC:
	case EDQUOT: return ERR_NOSPACE;
	case EACCES:
	case EPERM:
	case EROFS: return ERR_DENIED;
	case ENOMEM: return ERR_NOMEM;
	case ECANCELED: return ERR_CANCELED;
	default: return ERR_IO;
	}
}
