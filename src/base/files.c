/* files: whole reads and writes at offsets, with retries of what signals and short writes cut. */
#include <base/files.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* In one go, where the system says how much there is. */
static void expect(int fd, size_t max, struct buf *out)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && (uint64_t)st.st_size <= max)
		buf_reserve(out, (size_t)st.st_size + 1);
}

static int read_all(int fd, const char *path, size_t max, struct buf *out, struct why *why)
{
	size_t start = out->len;

	for (;;) {
		if (out->error || (out->len == out->cap && buf_reserve(out, 4096)))
			return why_set(why, out->error, "no room for what is in %s", path);
		ssize_t n = read(fd, out->data + out->len, out->cap - out->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return why_errno(why, "cannot read %s", path);
		if (n == 0)
			return 0;
		out->len += (size_t)n;
		if (out->len - start > max)
			return why_set(why, ERR_LIMIT, "%s is larger than %zu bytes", path, max);
	}
}

int file_read(const char *path, size_t max, struct buf *out, struct why *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return why_errno(why, "cannot open %s", path);
	expect(fd, max, out);
	int rc = read_all(fd, path, max, out, why);
	close(fd);
	return rc;
}

int file_pread(int fd, void *data, size_t len, uint64_t offset)
{
	uint8_t *p = data;

	while (len) {
		ssize_t n = pread(fd, p, len, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ERR_IO;
		if (n == 0)
			return ERR_CORRUPT;
		p += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

int file_pwrite(int fd, const void *data, size_t len, uint64_t offset)
{
	const uint8_t *p = data;

	while (len) {
		ssize_t n = pwrite(fd, p, len, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == ENOSPC || errno == EDQUOT ? ERR_NOSPACE : ERR_IO;
		p += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int dir_make(const char *path, unsigned mode, struct why *why)
{
	char part[4096];
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof part)
		return why_set(why, ERR_INVALID, "'%.80s' cannot be a folder's path", path);
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != 0)
			continue;
		memcpy(part, path, i);
		part[i] = 0;
		if (mkdir(part, (mode_t)mode) < 0 && errno != EEXIST)
			return why_errno(why, "cannot make the folder %s", part);
	}
	return is_dir(path) ? 0 : why_set(why, ERR_INVALID, "%s is there, but is not a folder", path);
}

int fd_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return ERR_IO;
	return 0;
}
