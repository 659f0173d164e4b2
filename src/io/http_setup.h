/*
 * http_setup: makes an easy handle of a request: what is checked, how fic behaves on the wire.
 */
#ifndef FIC_IO_HTTP_SETUP_H
#define FIC_IO_HTTP_SETUP_H

#include <io/http.h>

#include <curl/curl.h>

/* Whom a request is for. */
struct http_target {
	char host[256];
	long port;
	bool secure; /* https */
};

/* What is sent of a mail, in pieces. */
struct http_upload {
	struct buf body;
	size_t at;
};

/* What is the same for every request of one http. Strings are owned. */
struct http_manners {
	char *user_agent;
	char *ca_file;   /* NULL: libcurl's own, unless there is a folder */
	char *ca_folder; /* certificates by their hash; NULL: none */
	char *origin; /* "https://host:port" of the last request, as it was written; NULL: none yet */
	struct http_target target; /* what that means */
};

/* 0 or ERR_NOMEM; release takes what a failure left behind. Looks at the system's certificate
 * folder. */
int http_manners_init(struct http_manners *m, const struct http_options *o);
void http_manners_release(struct http_manners *m);

/* Refuses what must not go out. 0 or ERR_INVALID. */
int http_setup_check(struct http_manners *m, const struct http_request *r, struct http_target *out,
		     struct why *why);

/* Sets all but the callbacks. The header list is the caller's to free, after the handle, whatever
 * the answer. 0 or ERR_NOMEM. */
int http_setup_easy(CURL *easy, const struct http_request *r, const struct http_target *to,
		    const struct http_manners *m, int64_t connect_ms,
		    struct curl_slist **headers_out);

/* http_mail.c: the same of a mail. The recipients take the place of the headers; `upload` gets a copy of the body and must live as long as the handle. */
int http_mail_check(const struct http_request *r, struct http_target *out, struct why *why);
int http_mail_easy(CURL *easy, const struct http_request *r, const struct http_target *to,
		   const struct http_manners *m, int64_t connect_ms,
		   struct curl_slist **recipients_out, struct http_upload *upload);

/* Parts that both are made of. */
bool http_setup_clean(const char *text); /* no control characters in it */
int http_setup_url(const char *url, const char *const schemes[2], struct http_target *out,
		   struct why *why); /* schemes: open and secure; host and port, for words */
int http_setup_common(CURL *easy, const struct http_target *to, const struct http_manners *m,
		      int64_t connect_ms, const char *protocols);

#endif
