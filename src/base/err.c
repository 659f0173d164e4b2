/* err: writes reasons. Never fails, never allocates. */
#include <base/err.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int why_set(struct why *why, int code, const char *format, ...)
{
	va_list args;

	if (!why)
		return code;
	va_start(args, format);
	vsnprintf(why->text, sizeof why->text, format, args);
	va_end(args);
	return code;
}

static int code_of_errno(int error)
{
	switch (error) {
	case ENOMEM: return ERR_NOMEM;
	case EACCES:
	case EPERM:
	case EROFS: return ERR_DENIED;
	case ENOENT:
	case ENOTDIR: return ERR_NOTFOUND;
	case ENOSPC:
	case EDQUOT: return ERR_NOSPACE;
	default: return ERR_IO;
	}
}

int why_errno(struct why *why, const char *format, ...)
{
	int error = errno;
	va_list args;

	if (why) {
		va_start(args, format);
		int n = vsnprintf(why->text, sizeof why->text, format, args);
		va_end(args);
		if (n >= 0 && (size_t)n < sizeof why->text)
			snprintf(why->text + n, sizeof why->text - (size_t)n, ": %s", strerror(error));
	}
	errno = error;
	return code_of_errno(error);
}

const char *err_name(int code)
{
	static const char *const names[] = {
		"none",      "no_memory", "limit",  "io",     "corrupt",  "syntax",   "invalid",
		"not_found", "busy",      "denied", "remote", "canceled", "no_space",
	};
	if (code > 0 || code < ERR_NOSPACE)
		return "unknown";
	return names[-code];
}
