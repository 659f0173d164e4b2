/*
 * http_mail: checks a mail and sets up libcurl's easy handle for it.
 *
 * Nothing leaves without encryption unless it was said to be fine. What could begin another command of the protocol is refused.
 */
#include "http_setup.h"

#include <string.h>

#define SET(option, value)                                           \
	do {                                                         \
		if (curl_easy_setopt(easy, CURLOPT_##option, value)) \
			return ERR_NOMEM;                            \
	} while (0)

static bool is_address(const char *text)
{
	return text && *text && http_setup_clean(text) && !strpbrk(text, "<> ");
}

int http_mail_check(const struct http_request *r, struct http_target *out, struct why *why)
{
	static const char *const schemes[2] = {"smtp", "smtps"};
	const struct http_mail *m = r->mail;
	bool addressed = is_address(m->from) && m->to[0];

	for (size_t i = 0; addressed && m->to[i]; i++)
		addressed = is_address(m->to[i]);
	if (!addressed)
		return why_set(why, ERR_INVALID, "the mail has no sender or no recipient");
	if (m->user && !m->password)
		return why_set(why, ERR_INVALID, "the mail's user has no password");
	if (!r->url || !http_setup_clean(r->url))
		return why_set(why, ERR_INVALID, "the URL has control characters in it");
	return http_setup_url(r->url, schemes, out, why);
}

static size_t on_read(char *out, size_t size, size_t count, void *ctx)
{
	struct http_upload *u = ctx;
	size_t left = u->body.len - u->at, n = size * count < left ? size * count : left;

	if (n)
		memcpy(out, u->body.data + u->at, n);
	u->at += n;
	return n;
}

static int add_recipients(struct curl_slist **list, const char *const *to)
{
	for (; *to; to++) {
		struct curl_slist *longer = curl_slist_append(*list, *to);
		if (!longer)
			return ERR_NOMEM;
		*list = longer;
	}
	return 0;
}

int http_mail_easy(CURL *easy, const struct http_request *r, const struct http_target *to,
		   const struct http_manners *m, int64_t connect_ms,
		   struct curl_slist **recipients_out, struct http_upload *upload)
{
	buf_put_bytes(&upload->body, r->body);
	if (upload->body.error || add_recipients(recipients_out, r->mail->to) ||
	    http_setup_common(easy, to, m, connect_ms, "smtp,smtps"))
		return ERR_NOMEM;
	SET(URL, r->url);
	SET(USE_SSL, (long)(r->mail->open ? CURLUSESSL_NONE : CURLUSESSL_ALL));
	SET(MAIL_FROM, r->mail->from);
	SET(MAIL_RCPT, *recipients_out);
	SET(UPLOAD, 1L);
	SET(FORBID_REUSE, 1L); /* mails are rare, and each is to show whether the password is right */
	SET(READFUNCTION, on_read);
	SET(READDATA, upload);
	if (r->mail->user) {
		SET(USERNAME, r->mail->user);
		SET(PASSWORD, r->mail->password);
	}
	return 0;
}
