/*
 * http_words: what libcurl's result codes mean for fic, and in which words.
 */
#ifndef FIC_IO_HTTP_WORDS_H
#define FIC_IO_HTTP_WORDS_H

#include <io/http.h>

#include <curl/curl.h>

/* How a transfer ended: the code, the handle (asked for counters only), libcurl's own message, whom
 * it was for. */
struct http_ending {
	CURLcode code;
	CURL *easy;
	const char *message;
	const char *host;
	long port;
	int64_t connect_ms;
	bool mail;
};

/* The outcome, and `why` when it is not HTTP_OK. Never names the query, a header, or a body's
 * bytes. */
enum http_outcome http_words_explain(const struct http_ending *e, struct why *why);

#endif
