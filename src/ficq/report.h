/*
 * report: what standard error gets to hear, and the exit codes that go with it.
 */
#ifndef FIC_FICQ_REPORT_H
#define FIC_FICQ_REPORT_H

#include <base/bytes.h>

/* sysexits(3) and a small range of our own. */
enum exit_code {
	EXIT_OK = 0,
	EXIT_NO = 1,        /* ran, but the answer is no */
	EXIT_FRESHNESS = 3, /* worth less than demanded */
	EXIT_CONFLICTS = 4,
	EXIT_USAGE = 64,
	EXIT_DATA = 65,
	EXIT_NO_INPUT = 66,
	EXIT_UNAVAILABLE = 69,
	EXIT_SOFTWARE = 70,
	EXIT_IO = 74,
	EXIT_RETRY = 75,
	EXIT_PROTOCOL = 76,
	EXIT_DENIED = 77,
	EXIT_INTERRUPTED = 130,
	EXIT_PIPE = 141,
};

struct report {
	bool json;  /* errors as one JSON line */
	bool quiet; /* no warnings and remarks */
	bool verbose;
	bool color;
	bool ascii; /* the terminal is not UTF-8 */
};

/* What went wrong, with the daemon's reason and a hint where there are some; any text may come from outside. */
struct failure {
	int exit;
	const char *code; /* a fixed word: "unavailable" */
	struct bytes message;
	struct bytes reason;
	struct bytes hint;
};

/* Prints it; returns its exit code. */
int report_failure(const struct report *r, const struct failure *f);
int report_error(const struct report *r, int exit, const char *code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

void report_warning(const struct report *r, struct bytes text);
/* A remark that may go unread: only when asked for with `wanted`, and not when quiet or in JSON. */
void report_note(const struct report *r, bool wanted, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
