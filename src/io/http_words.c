/*
 * http_words: turns a CURLcode into an outcome and a sentence that a user can act on.
 *
 * libcurl's own messages are used where they say more (TLS); they name hosts and reasons, never
 * queries or headers.
 */
#include "http_words.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* libcurl's message without what the sentence says already, without control characters from
 * outside. */
static const char *message_of(const struct http_ending *e, char *out, size_t size)
{
	static const char *const prefixes[] = {"SSL certificate problem: ", "SSL: "};
	const char *text = e->message[0] ? e->message : curl_easy_strerror(e->code);

	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (strncmp(text, prefixes[i], strlen(prefixes[i])) == 0)
			text += strlen(prefixes[i]);
	snprintf(out, size, "%s", text);
	for (char *p = out; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	return out;
}

static enum http_outcome not_connected(const struct http_ending *e, struct why *why)
{
	long error = 0, proxy_status = 0;
	char message[CURL_ERROR_SIZE];

	curl_easy_getinfo(e->easy, CURLINFO_OS_ERRNO, &error);
	curl_easy_getinfo(e->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
	if (proxy_status && proxy_status / 100 != 2)
		why_set(why, 0, "the proxy did not connect to %s port %ld: status %ld", e->host,
			e->port, proxy_status);
	else if (e->code == CURLE_OPERATION_TIMEDOUT)
		why_set(why, 0,
			"cannot connect to %s port %ld: no answer within %" PRId64 ".%" PRId64 " s",
			e->host, e->port, e->connect_ms / 1000, e->connect_ms % 1000 / 100);
	else
		why_set(why, 0, "cannot connect to %s port %ld: %s", e->host, e->port,
			error ? strerror((int)error) : message_of(e, message, sizeof message));
	return HTTP_CONNECT;
}

static enum http_outcome cut_off(const struct http_ending *e, struct why *why)
{
	curl_off_t got = 0, length = -1;
	long status = 0;

	curl_easy_getinfo(e->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(e->easy, CURLINFO_SIZE_DOWNLOAD_T, &got);
	curl_easy_getinfo(e->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	if (status == 0)
		why_set(why, 0, "%s: the connection ended before an answer came", e->host);
	else if (length >= 0)
		why_set(why, 0, "%s: the connection ended after %" PRId64 " of %" PRId64 " bytes",
			e->host, (int64_t)got, (int64_t)length);
	else
		why_set(why, 0,
			"%s: the connection ended after %" PRId64 " bytes, before the answer did",
			e->host, (int64_t)got);
	return HTTP_CUT;
}

static enum http_outcome not_secure(const struct http_ending *e, struct why *why)
{
	char message[CURL_ERROR_SIZE];
	bool certificate = e->code == CURLE_PEER_FAILED_VERIFICATION ||
			   e->code == CURLE_SSL_ISSUER_ERROR;

	why_set(why, 0, "%s: %s problem: %s", e->host, certificate ? "certificate" : "TLS",
		message_of(e, message, sizeof message));
	return HTTP_TLS;
}

static enum http_outcome other(const struct http_ending *e, struct why *why)
{
	char message[CURL_ERROR_SIZE];

	why_set(why, 0, "%s: %s", e->host, message_of(e, message, sizeof message));
	return HTTP_FAILED;
}

static enum http_outcome not_found(const struct http_ending *e, struct why *why)
{
	if (e->code == CURLE_COULDNT_RESOLVE_PROXY)
		why_set(why, 0, "cannot find the proxy that the environment names, on the way to %s",
			e->host);
	else
		why_set(why, 0, "cannot find the host %s", e->host);
	return HTTP_RESOLVE;
}

/* A send or receive that failed before there was a connection of our own was the proxy's tunnel. */
static enum http_outcome broken(const struct http_ending *e, struct why *why)
{
	long proxy_status = 0;

	curl_easy_getinfo(e->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
	return proxy_status && proxy_status / 100 != 2 ? not_connected(e, why) : cut_off(e, why);
}

enum http_outcome http_words_explain(const struct http_ending *e, struct why *why)
{
	/* What a mail server says no to is an error of sending, or of receiving: its words are the reason. */
	if (e->mail && e->message[0] && (e->code == CURLE_SEND_ERROR || e->code == CURLE_RECV_ERROR))
		return other(e, why);
	switch (e->code) {
	case CURLE_OK: return HTTP_OK;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY: return not_found(e, why);
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_INTERFACE_FAILED:
	case CURLE_PROXY: return not_connected(e, why);
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS: return not_secure(e, why);
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM: return broken(e, why);
	case CURLE_BAD_CONTENT_ENCODING:
		why_set(why, 0, "%s: the answer cannot be decompressed: it is damaged", e->host);
		return HTTP_CUT;
	default: return other(e, why);
	}
}
