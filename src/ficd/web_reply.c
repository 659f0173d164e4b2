/* web_reply: the shape of answers over HTTP. */
#include "web.h"

static void reply(struct web_request *r, unsigned status, const char *type, const char *policy,
		  struct bytes body)
{
	const struct web_header headers[] = {
		{"Content-Type", type ? type : "text/plain; charset=utf-8"},
		{"Cache-Control", "no-store"},
		{"X-Content-Type-Options", "nosniff"},
		{"Referrer-Policy", "no-referrer"},
		{"Content-Security-Policy", policy},
		{NULL, NULL},
	};

	web_answer(r, status, headers, body);
}

void web_reply_page(struct web_request *r, const char *type, const char *policy, struct bytes body)
{
	reply(r, 200, type, policy, body);
}

void web_reply(struct web_request *r, unsigned status, const char *type, struct bytes body)
{
	reply(r, status, type, "default-src 'none'; frame-ancestors 'none'", body);
}

void web_reply_text(struct web_request *r, unsigned status, const char *text)
{
	web_reply(r, status, NULL, bytes_str(text));
}

void web_reply_allow(struct web_request *r, const char *methods)
{
	const struct web_header headers[] = {
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Allow", methods},
		{NULL, NULL},
	};

	web_answer(r, 405, headers, bytes_str("this method is not for this path\n"));
}

void web_reply_unauthorized(struct web_request *r)
{
	const struct web_header headers[] = {
		{"Content-Type", "text/plain; charset=utf-8"},
		{"WWW-Authenticate", "Bearer"},
		{NULL, NULL},
	};

	web_answer(r, 401, headers,
		   bytes_str("show the token of http_token: Authorization: Bearer TOKEN\n"));
}
