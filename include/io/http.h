/*
 * http: requests to providers over libcurl's multi-socket interface, on the loop.
 *
 * Connections are kept and reused; compression and (over TLS) HTTP/2 are used where the server has
 * them; redirects are never followed (a token must not travel). TLS certificates are verified. Time
 * limits are on connecting and on standing still, not on the whole, and one far limit on the whole
 * as a last resort. Proxies are taken from the environment as curl(1) does (https_proxy, no_proxy
 * …), except for this host itself.
 */
#ifndef FIC_IO_HTTP_H
#define FIC_IO_HTTP_H

#include <base/clock.h>
#include <io/loop.h>

struct http;
struct http_call;
struct http_result;

struct http_options {
	unsigned connections_max; /* at once, to all hosts; 0: 8. Further calls wait their turn */
	unsigned host_connections_max; /* 0: 8 */
	const char *user_agent;        /* copied; NULL: "fic" */
	const char *ca_file;           /* certificates to trust, copied; NULL: the system's */
};

struct http *http_new(struct loop *l, const struct http_options *options, struct why *why);
/* Cancels what runs: every call that is left ends, with HTTP_CANCELED unless it had ended already,
 * before this returns. Not from inside on_data. */
void http_free(struct http *h);
unsigned http_running(const struct http *h); /* calls that have not ended */

#define HTTP_HEADERS_MAX 16
/* Of all header lines of one answer; more ends the call with HTTP_FAILED. */
#define HTTP_HEADER_BYTES_MAX 65536

/* What makes a request a mail. */
struct http_mail {
	const char *from;
	const char *const *to; /* ended by NULL, at least one */
	const char *user;      /* NULL: no authentication */
	const char *password;
	bool open; /* smtp:// without STARTTLS, the password too: for a server on this host alone; else no byte of it goes out in the clear */
};

struct http_request {
	/* Of a mail `url` is smtp:// or smtps://, `body` the whole message, each line ended by CR LF; method, headers and on_data mean nothing, and `status` of its
	 * result is the server's last reply. NULL: it is none. */
	const struct http_mail *mail;
	const char *method;                    /* "GET", "POST" … */
	const char *url;                       /* http:// or https://, without user and password */
	const char *headers[HTTP_HEADERS_MAX]; /* "Name: value", up to the first NULL; never logged */
	struct bytes body;                     /* sent when method is not GET or HEAD; copied */
	bool never_twice; /* on a connection of its own: what dies on one that was used before would be sent once more, unasked */
	size_t body_max;  /* of the answer, after decompression; 0: 32 MiB */
	int64_t connect_ms; /* name, connection and TLS; 0: 10,000 */
	int64_t stall_ms;   /* no byte either way for so long (up to a quarter more); 0: 30,000 */
	int64_t total_ms;   /* with the time spent waiting for a connection; 0: 600,000 */

	/* A piece of the answer's body, decompressed, at most 16 KiB, whatever its status. It may
	 * be parsed here: when all pieces of a turn took loop_slice_us, the rest waits for the next. Called
	 * from inside libcurl: beyond that note only. Calls may be started and cancelled here (that
	 * is noted too), the http may not be freed. Non-zero: stop reading; the call ends with
	 * HTTP_ABORTED. NULL: the body is counted and dropped. */
	int (*on_data)(void *ctx, const void *data, size_t len);
	/* Exactly once, from the loop or from http_free, never from inside http_start, http_cancel
	 * or libcurl. The call is gone when this returns; `result` is borrowed until then. */
	void (*done)(void *ctx, const struct http_result *result);
	void *ctx;
};

enum http_outcome {
	HTTP_OK,      /* an answer was read to its end (any status) */
	HTTP_RESOLVE, /* host not found */
	HTTP_CONNECT, /* refused, unreachable, or no answer in connect_ms */
	HTTP_TLS,     /* certificate or handshake */
	HTTP_STALLED, /* no progress, or the last-resort limit */
	HTTP_CUT, /* the connection ended before the answer did, or what came cannot be decompressed */
	HTTP_TOO_BIG,  /* body_max passed */
	HTTP_ABORTED,  /* on_data stopped it */
	HTTP_CANCELED, /* http_cancel, http_free */
	HTTP_FAILED,   /* anything else; see why */
};

/* Header values are as sent, trimmed; one that does not fit here or has control characters is left
 * out, never cut. */
struct http_result {
	enum http_outcome outcome;
	int status;      /* 0 without an answer */
	struct why why;  /* unless HTTP_OK: names the host, never the query or a header */
	int64_t date_ms; /* the Date header; TIME_NONE without one */
	int64_t sent_ms; /* wall clock when the request went out (or was made, when it never did) */
	int64_t ended_ms;      /* wall clock when the answer ended */
	int64_t duration_us;   /* between these two, on the monotonic clock */
	uint64_t bytes;        /* received on the wire, body, before decompression */
	char content_type[64]; /* lower case, without parameters */
	char retry_after[40];  /* "" without */
	int64_t rate_limit;    /* X-RateLimit-Limit, -Remaining, -Reset, whole parts; -1 without */
	int64_t rate_remaining;
	int64_t rate_reset;
	char rate_tier[16]; /* X-Front-Tier: a refusal is about this class of routes alone; "" without */
	char etag[96];
	char link[256];      /* the Link header */
	char location[256];  /* the Location header; never followed */
	char request_id[64]; /* X-Request-Id */
};

/* Is this name or address (of a URL, `len` bytes) this very host? */
bool http_is_this_host(const char *host, size_t len);

/* NULL and `why` when it cannot even begin (bad URL, method or header, no memory, http is being
 * freed); then done is not called. The request and its strings are copied. */
struct http_call *http_start(struct http *h, const struct http_request *request, struct why *why);
/* done follows, with HTTP_CANCELED, from the loop. No effect from within done; on_data is not
 * called again. */
void http_cancel(struct http_call *call);

const char *http_outcome_name(enum http_outcome outcome); /* "ok", "resolve", "connect" … */

#endif
