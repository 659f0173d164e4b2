/*
 * fake: a daemon that answers canned lines, as a forked child on a UNIX socket; and ficq itself, run as users run it.
 */
#ifndef FIC_TEST_FICQ_FAKE_H
#define FIC_TEST_FICQ_FAKE_H

#include <base/bytes.h>

#include <sys/types.h>

enum fake_kind {
	FAKE_END,    /* of a script */
	FAKE_RESULT, /* `text` is the result's JSON */
	FAKE_ERROR,  /* `text` is the error's JSON */
	FAKE_NOTIFY, /* `text` is the JSON of a progress notification's params; the next step follows at once */
	FAKE_RECORDS, /* the same of a streamed answer's records */
	FAKE_RAW,     /* `text` is sent as it is */
	FAKE_CUT,     /* likewise, then the connection ends */
	FAKE_PAUSE,   /* `ms` pass; the next step follows */
	FAKE_SILENT,  /* no answer, ever */
};

/* What happens when `method` is asked, in the order of the script; each step is used once, but the last of a method again and again. */
struct fake_step {
	const char *method;
	enum fake_kind kind;
	const char *text;
	int ms;
};

struct fake {
	pid_t pid;
	char folder[64];
	char socket[96];
	char log[96]; /* every request as a line of JSON */
};

/* `hello` is answered properly unless the script says otherwise. */
void fake_start(struct fake *f, const struct fake_step *script);
void fake_stop(struct fake *f);
char *fake_log(const struct fake *f); /* the caller frees */

struct run {
	int exit; /* 128 + signal when one ended it */
	char *out;
	size_t out_len;
	char *err;
};

/* NULL when the program is not built. */
const char *ficq_path(void);
/* Arguments are words divided by spaces (none with spaces in it), or given one by one and ended by NULL. `socket` may be NULL. */
void ficq_run(struct run *r, const char *socket, const char *words);
void ficq_run_args(struct run *r, const char *socket, const char *const *args, const char *stdin_text);
void run_release(struct run *r);

#endif
