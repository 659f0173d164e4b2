/*
 * access_log: who asked what: a line a request, never what was in it. Private to this layer.
 *
 *   time uid=N gid=N pid=N via=socket method=NAME source=NAME resource=NAME rows=N ms=N code=N
 *
 * Lines are kept until a timer writes them, so that no request waits for a disk; a file that has grown to its size becomes FILE.1, in place of an older one.
 */
#ifndef FIC_FICD_ACCESS_LOG_INTERNAL_H
#define FIC_FICD_ACCESS_LOG_INTERNAL_H

#include <base/bytes.h>
#include <io/loop.h>

#include <sys/types.h>

struct access_log;
struct request;

/* Who asked; uid and gid -1, pid 0: not known, as over HTTP. */
struct access_peer {
	const char *via; /* "socket", "http" */
	uid_t uid;
	gid_t gid;
	pid_t pid;
};

#define ACCESS_GONE (-1) /* for a code: nobody waited for the answer any more */

struct access_log *access_log_new(struct loop *loop); /* off. NULL: no memory */
/* Writes what is kept, then begins at `path`, which is opened anew also when it is the same one; NULL: off. What cannot be opened is said in the log, and tried
 * again with every write. */
void access_log_configure(struct access_log *a, const char *path, int64_t max_bytes);
/* Notes the end of a request: 0 or the code of its error. Its result is still there. */
void access_log_note(struct access_log *a, const struct request *r, const struct access_peer *peer,
		     int code);
void access_log_free(struct access_log *a); /* writes what is kept; NULL is fine */

#endif
