/*
 * err: what a call answers when it fails, and why in words.
 *
 * A call returns 0 (or a count) or a negative enum err. The reason is written once, where it is
 * known, into the caller's struct why, as a sentence that a user can act on.
 */
#ifndef FIC_BASE_ERR_H
#define FIC_BASE_ERR_H

enum err {
	ERR_NONE = 0,
	ERR_NOMEM = -1,    /* allocation failed */
	ERR_LIMIT = -2,    /* a limit of ours was reached (size, depth, number, time) */
	ERR_IO = -3,       /* the operating system refused a file or socket operation */
	ERR_CORRUPT = -4,  /* bytes on disk are not what was written */
	ERR_SYNTAX = -5,   /* text from outside cannot be parsed */
	ERR_INVALID = -6,  /* parsed, but means nothing that we accept */
	ERR_NOTFOUND = -7, /* no such thing */
	ERR_BUSY = -8,     /* someone else holds it, or try again later */
	ERR_DENIED = -9,   /* not permitted */
	ERR_REMOTE = -10,  /* the provider's answer is an error or makes no sense */
	ERR_CANCELED = -11,
	ERR_NOSPACE = -12, /* the disk is full, or nearly */
};

/* A sentence for people; always terminated, cut when too long. */
struct why {
	char text[320];
};

/* As = {""}, which writes all of its bytes: for where a request passes. */
static inline void why_clear(struct why *why)
{
	why->text[0] = 0;
}

/* Writes the reason (printf form) and returns `code`, so that `return why_set(why, ERR_IO, ...)`
 * reads well. `why` may be NULL. */
int why_set(struct why *why, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same with ": strerror(errno)" behind it; a full disk becomes ERR_NOSPACE, EACCES and EPERM
 * ERR_DENIED, ENOENT ERR_NOTFOUND, ENOMEM ERR_NOMEM, everything else ERR_IO. */
int why_errno(struct why *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A short fixed word for a code ("corrupt"), for logs and JSON; never NULL. */
const char *err_name(int code);

#endif
