/*
 * http_setup: checks a request and sets up libcurl's easy handle for it.
 *
 * Here stands what every request of fic does on the wire and what it never does: no redirects, no
 * other protocols, no unverified certificates, no name and password in a URL, no second header
 * smuggled into a first.
 */
#include "http_setup.h"

#include <dirent.h>
#include <stdlib.h>
#include <strings.h>

#if LIBCURL_VERSION_NUM < 0x075000
#error "libcurl 7.80 or newer is needed"
#endif

/* "5ed36f99.0": how OpenSSL finds a certificate in a folder. */
static bool is_hashed_name(const char *name)
{
	return strspn(name, "0123456789abcdef") == 8 && name[8] == '.' && name[9] >= '0' &&
	       name[9] <= '9';
}

static bool has_hashed_names(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *entry;
	bool found = false;

	while (d && !found && (entry = readdir(d)))
		found = is_hashed_name(entry->d_name);
	if (d)
		closedir(d);
	return found;
}

/* The folder that this libcurl was built to look into, if it is one to look things up in. Other TLS
 * libraries than OpenSSL would read all of it. */
static char *system_folder(void)
{
	const char *tls = curl_version_info(CURLVERSION_NOW)->ssl_version;
	char *folder = NULL, *copy = NULL;

#if LIBCURL_VERSION_NUM >= 0x075400
	CURL *easy = tls && strncmp(tls, "OpenSSL/", 8) == 0 ? curl_easy_init() : NULL;
	if (easy && curl_easy_getinfo(easy, CURLINFO_CAPATH, &folder) == CURLE_OK && folder &&
	    has_hashed_names(folder))
		copy = strdup(folder);
	curl_easy_cleanup(easy);
#else
	(void)tls;
	(void)folder;
#endif
	return copy;
}

int http_manners_init(struct http_manners *m, const struct http_options *o)
{
	*m = (struct http_manners){.user_agent = strdup(o->user_agent ? o->user_agent : "fic")};
	if (o->ca_file)
		m->ca_file = strdup(o->ca_file);
	else
		m->ca_folder = system_folder();
	return m->user_agent && (m->ca_file || !o->ca_file) ? 0 : ERR_NOMEM;
}

void http_manners_release(struct http_manners *m)
{
	free(m->user_agent);
	free(m->ca_file);
	free(m->ca_folder);
	free(m->origin);
}

/* A line end in a header or a method would be a second header or request. */
bool http_setup_clean(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static int read_part(CURLU *u, CURLUPart part, char *out, size_t size)
{
	char *text = NULL;
	int error = ERR_INVALID;

	if (curl_url_get(u, part, &text, CURLU_DEFAULT_PORT) == CURLUE_OK && strlen(text) < size) {
		strcpy(out, text);
		error = 0;
	}
	curl_free(text);
	return error;
}

/* Host and port are for the words. The URL itself is in no message: its query may hold anything. */
int http_setup_url(const char *url, const char *const schemes[2], struct http_target *out,
		   struct why *why)
{
	char scheme[16] = "", port[8] = "";
	CURLU *u = curl_url();
	CURLUcode code = u ? curl_url_set(u, CURLUPART_URL, url, CURLU_DISALLOW_USER)
			   : CURLUE_OUT_OF_MEMORY;
	int error = 0;

	if (code == CURLUE_OK)
		read_part(u, CURLUPART_SCHEME, scheme, sizeof scheme);
	out->secure = strcmp(scheme, schemes[1]) == 0;
	if (code != CURLUE_OK)
		error = why_set(why, ERR_INVALID, "the URL cannot be used: %s",
				curl_url_strerror(code));
	else if (!out->secure && strcmp(scheme, schemes[0]) != 0)
		error = why_set(why, ERR_INVALID, "the URL begins neither with %s:// nor with %s://",
				schemes[0], schemes[1]);
	else if (read_part(u, CURLUPART_HOST, out->host, sizeof out->host) ||
		 !http_setup_clean(out->host) || read_part(u, CURLUPART_PORT, port, sizeof port))
		error = why_set(why, ERR_INVALID, "the URL's host or port cannot be used");
	curl_url_cleanup(u);
	out->port = strtol(port, NULL, 10);
	return error;
}

/* Bytes up to the path: what they mean does not depend on what follows. */
static size_t origin_len(const char *url)
{
	const char *authority = strstr(url, "://");

	return authority ? (size_t)(authority - url) + 3 + strcspn(authority + 3, "/?#") : 0;
}

/* Nearly all requests are for the host of the one before, and taking a URL apart costs more than a look. What libcurl refuses of the rest of a URL
 * is a blank. */
static int check_url(struct http_manners *m, const char *const schemes[2], const char *url,
		     struct http_target *out, struct why *why)
{
	size_t len = origin_len(url);

	if (m->origin && len && strlen(m->origin) == len && memcmp(m->origin, url, len) == 0 &&
	    !strchr(url, ' ')) {
		*out = m->target;
		return 0;
	}
	int error = http_setup_url(url, schemes, out, why);
	if (error)
		return error;
	free(m->origin);
	m->origin = strndup(url, len);
	m->target = *out;
	return 0;
}

int http_setup_check(struct http_manners *m, const struct http_request *r, struct http_target *out,
		     struct why *why)
{
	static const char *const schemes[2] = {"http", "https"};

	if (!r->method || !*r->method ||
	    strspn(r->method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(r->method))
		return why_set(why, ERR_INVALID, "the request has no method in capital letters");
	for (int i = 0; i < HTTP_HEADERS_MAX && r->headers[i]; i++)
		if (!http_setup_clean(r->headers[i]) || !strchr(r->headers[i], ':'))
			return why_set(why, ERR_INVALID,
				       "header %d of the request is not 'Name: value' in one line",
				       i + 1);
	if (!r->url || !http_setup_clean(r->url))
		return why_set(why, ERR_INVALID, "the URL has control characters in it");
	return check_url(m, schemes, r->url, out, why);
}

static int add_header(struct curl_slist **headers, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*headers, line);

	if (!longer)
		return ERR_NOMEM;
	*headers = longer;
	return 0;
}

/* curl's own Expect would cost a second before a body, its form type would be a lie. */
static int add_headers(struct curl_slist **headers, const struct http_request *r)
{
	bool typed = false;

	for (int i = 0; i < HTTP_HEADERS_MAX && r->headers[i]; i++) {
		typed = typed || strncasecmp(r->headers[i], "content-type:", 13) == 0;
		if (add_header(headers, r->headers[i]))
			return ERR_NOMEM;
	}
	if (!typed && add_header(headers, "Content-Type:"))
		return ERR_NOMEM;
	return add_header(headers, "Expect:");
}

#define SET(option, value)                                           \
	do {                                                         \
		if (curl_easy_setopt(easy, CURLOPT_##option, value)) \
			return ERR_NOMEM;                            \
	} while (0)

static int set_method(CURL *easy, const struct http_request *r)
{
	static const char *const with_body[] = {"POST", "PUT", "PATCH", NULL};
	bool body = r->body.len > 0;

	if (strcmp(r->method, "HEAD") == 0) {
		SET(NOBODY, 1L);
		return 0;
	}
	SET(HTTPGET, 1L);
	if (strcmp(r->method, "GET") == 0)
		return 0;
	for (size_t i = 0; with_body[i]; i++)
		body = body || strcmp(r->method, with_body[i]) == 0;
	if (body) {
		SET(POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
		SET(COPYPOSTFIELDS, r->body.len ? (const void *)r->body.data : "");
	}
	SET(CUSTOMREQUEST, r->method);
	return 0;
}

bool http_is_this_host(const char *host, size_t len)
{
	static const char *const names[] = {"localhost", "[::1]"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strlen(names[i]) == len && strncasecmp(names[i], host, len) == 0)
			return true;
	/* An address: a name may begin like one. */
	return len > 4 && strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") >= len;
}

static int set_limits(CURL *easy, const struct http_target *to, int64_t connect_ms,
		      const char *protocols)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	SET(PROTOCOLS_STR, protocols);
#else
	SET(PROTOCOLS, (long)(*protocols == 's' ? CURLPROTO_SMTP | CURLPROTO_SMTPS
						: CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	SET(FOLLOWLOCATION, 0L);
	SET(CONNECTTIMEOUT_MS, (long)connect_ms);
	SET(NOSIGNAL, 1L);
	SET(SUPPRESS_CONNECT_HEADERS, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
	SET(QUICK_EXIT, 1L); /* a cancelled call leaves its name lookup behind instead of waiting for it */
#endif
	if (http_is_this_host(to->host, strlen(to->host)))
		SET(PROXY, ""); /* whatever the environment says */
	return 0;
}

/* A bundle is parsed for every connection (17 ms here, ten times that on a small board, while the
 * loop waits), unless there is no folder beside it: then libcurl keeps it. From a folder only what
 * is needed is read. */
static int set_trust(CURL *easy, const struct http_manners *m)
{
	SET(SSL_VERIFYPEER, 1L);
	SET(SSL_VERIFYHOST, 2L);
	if (m->ca_file || m->ca_folder)
		SET(CAINFO, m->ca_file);
	SET(CAPATH, m->ca_folder);
	return 0;
}

int http_setup_common(CURL *easy, const struct http_target *to, const struct http_manners *m,
		      int64_t connect_ms, const char *protocols)
{
	return set_limits(easy, to, connect_ms, protocols) || set_trust(easy, m) ? ERR_NOMEM : 0;
}

int http_setup_easy(CURL *easy, const struct http_request *r, const struct http_target *to,
		    const struct http_manners *m, int64_t connect_ms, struct curl_slist **headers_out)
{
	if (add_headers(headers_out, r) || set_method(easy, r) ||
	    http_setup_common(easy, to, m, connect_ms, "http,https"))
		return ERR_NOMEM;
	SET(URL, r->url);
	SET(HTTPHEADER, *headers_out);
	SET(USERAGENT, m->user_agent);
	SET(ACCEPT_ENCODING, ""); /* all that this libcurl can decompress */
	SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	SET(PIPEWAIT, to->secure ? 1L : 0L); /* rather a stream of a connection than another handshake */
	SET(TCP_KEEPALIVE, 1L);
	SET(FRESH_CONNECT, r->never_twice ? 1L : 0L);
	/* A hundred of these are read in one go, and each is decompressed whole: with eight answers
	 * at once, 16 KiB held the loop for 6 to 14 ms, this for 3 to 7. */
	SET(BUFFERSIZE, 4096L);
	return 0;
}
