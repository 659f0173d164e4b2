/* web_access: who asks over HTTP, and what he may. */
#include "web.h"

#include <base/log.h>

#include <ctype.h>
#include <openssl/crypto.h>
#include <strings.h>

/* Takes the same time wherever they differ. */
static bool same_secret(struct bytes a, struct bytes b)
{
	return b.len && a.len == b.len && CRYPTO_memcmp(a.data, b.data, b.len) == 0;
}

static const char *bearer(struct web_request *r)
{
	const char *value = web_header(r, "Authorization");

	return value && strncasecmp(value, "Bearer ", 7) == 0 ? value + 7 : NULL;
}

bool web_shows_token(struct web_request *r)
{
	return bearer(r) != NULL;
}

bool web_may_write(const struct web *w, struct web_request *r)
{
	const char *shown = bearer(r);

	return shown && w->token.len && same_secret(bytes_str(shown), buf_bytes(&w->token));
}

bool web_may_read(const struct web *w, struct web_request *r)
{
	return w->local || w->daemon->config->allow_read.any || web_may_write(w, r);
}

/* A name that somebody else's server gave to this address is not ours. */
bool web_host_is_ours(const struct web *w, struct web_request *r)
{
	static const char *const names[] = {"localhost", "127.0.0.1", "::1"};
	const char *value = web_header(r, "Host");
	size_t len = value ? strlen(value) : 0;

	if (w->local)
		return true;
	while (len && isdigit((unsigned char)value[len - 1]))
		len--;
	len = len && value[len - 1] == ':' && (len < 2 || value[len - 2] != ':') ? len - 1
	      : value                                                            ? strlen(value)
										 : 0;
	if (len > 2 && *value == '[' && value[len - 1] == ']') {
		value++;
		len -= 2;
	}
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strlen(names[i]) == len && strncasecmp(value, names[i], len) == 0)
			return true;
	return len && strlen(w->host) == len && strncasecmp(value, w->host, len) == 0;
}

/* Browsers say which site's page asks. */
bool web_is_foreign(struct web_request *r)
{
	const char *site = web_header(r, "Sec-Fetch-Site");

	return site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
}

/* It stands in a window of its own then, where the other site sees nothing of it. */
bool web_is_followed(struct web_request *r)
{
	const char *mode = web_header(r, "Sec-Fetch-Mode"), *dest = web_header(r, "Sec-Fetch-Dest");

	return mode && dest && strcmp(mode, "navigate") == 0 && strcmp(dest, "document") == 0;
}

/* ---- the token ---- */

void web_read_token(struct web *w)
{
	const struct config_token *t = &w->daemon->config->http_token;
	struct why why = {""};

	config_token_forget(&w->token);
	if (!t->name)
		return;
	if (config_token_read(t, &w->token, &why))
		log_error("http", "nobody may write over HTTP: %s", why.text);
	else if (why.text[0])
		log_warn("http", "%s", why.text);
}
