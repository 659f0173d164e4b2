/*
 * files: the few file operations that every layer needs, with errors in words.
 */
#ifndef FIC_BASE_FILES_H
#define FIC_BASE_FILES_H

#include <base/bytes.h>
#include <base/err.h>

/* Reads a whole file of at most `max` bytes into `out` (appended). ERR_NOTFOUND, ERR_DENIED,
 * ERR_LIMIT, ERR_IO. */
int file_read(const char *path, size_t max, struct buf *out, struct why *why);

/* Exactly `len` bytes at `offset`; a short file is ERR_CORRUPT. Retries EINTR. */
int file_pread(int fd, void *data, size_t len, uint64_t offset);

/* All of it at `offset`, retrying short writes and EINTR. 0, ERR_NOSPACE or ERR_IO (errno kept). */
int file_pwrite(int fd, const void *data, size_t len, uint64_t offset);

/* mkdir -p with `mode` for what is made. 0 or an error. */
int dir_make(const char *path, unsigned mode, struct why *why);

/* Sets FD_CLOEXEC and O_NONBLOCK; 0 or ERR_IO. */
int fd_nonblock(int fd);

#endif
