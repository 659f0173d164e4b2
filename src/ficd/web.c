/* web: see the header. */
#include "service.h"
#include "web.h"

#include <base/log.h>

#include <stdlib.h>

static void serve_health(struct web *w, struct web_request *r)
{
	(void)w;
	web_reply_text(r, 200, "ok\n");
}

static void serve_ready(struct web *w, struct web_request *r)
{
	if (w->daemon->stopping)
		web_reply_text(r, 503, "stopping\n");
	else
		web_reply_text(r, 200, "ready\n");
}

static const struct web_route routes[] = {
	{"GET", "/", web_page, .open = true, .linked = true},
	{"GET", "/page.css", web_page, .open = true},
	{"GET", "/page.js", web_page, .open = true},
	{"GET", "/page.svg", web_page, .open = true},
	{"GET", "/healthz", serve_health, .open = true},
	{"GET", "/readyz", serve_ready, .open = true},
	{"GET", "/status", web_status, .open = false},
	{"GET", "/metrics", web_metrics, .open = false},
	{"POST", "/rpc", web_rpc, .open = false},
	{"POST", "/webhooks/", web_hook, .open = true, .any_host = true},
	{"HEAD", "/webhooks/", web_hook_probe, .open = true, .any_host = true},
};

#define ROUTES (sizeof routes / sizeof *routes)

/* ---- requests ---- */

static bool path_fits(const struct web_route *route, const char *path)
{
	size_t len = strlen(route->path);

	if (len > 1 && route->path[len - 1] == '/')
		return strncmp(path, route->path, len) == 0 && path[len];
	return strcmp(path, route->path) == 0;
}

static bool method_fits(const struct web_route *route, const char *method)
{
	return strcmp(route->method, method) == 0 ||
	       (strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

static bool is_let_in(const struct web *w, struct web_request *r, const struct web_route *route)
{
	if (!route->any_host && !web_host_is_ours(w, r))
		web_reply_text(r, 421, "this server goes by localhost or its address\n");
	else if (web_is_foreign(r) && !(route->linked && web_is_followed(r)))
		web_reply_text(r, 403, "pages of other sites are not served\n");
	else if (web_too_long(r))
		web_reply_text(r, 413, "a request has at most 1 MiB\n");
	else if (web_shows_token(r) && !web_may_write(w, r) && !route->any_host)
		web_reply_unauthorized(r);
	else if (!route->open && !web_may_read(w, r))
		web_reply_unauthorized(r);
	else
		return true;
	return false;
}

/* What may be asked of a path that has no route for this method. */
static void reply_methods(struct web *w, struct web_request *r, const struct web_route *route)
{
	if (is_let_in(w, r, route))
		web_reply_allow(r, strcmp(route->method, "GET") == 0 ? "GET, HEAD" : route->method);
}

static void on_request(void *ctx, struct web_request *r)
{
	const struct web_route *path = NULL;
	struct web *w = ctx;

	for (size_t i = 0; i < ROUTES; i++) {
		if (!path_fits(&routes[i], web_path(r)))
			continue;
		if (!path)
			path = &routes[i];
		if (!method_fits(&routes[i], web_method(r)))
			continue;
		if (is_let_in(w, r, &routes[i]))
			routes[i].serve(w, r);
		return;
	}
	if (path)
		reply_methods(w, r, path);
	else
		web_reply_text(r, 404, "there is nothing here\n");
}

static void on_gone(void *ctx, struct web_request *r)
{
	(void)ctx;
	web_ask_gone(r);
}

/* ---- life ---- */

static int listen_at(struct web *w, struct listener *l, struct why *why)
{
	const char *address = w->daemon->config->http;
	unsigned port;
	int fd = service_descriptor("http");

	w->local = *address == '/';
	if (fd >= 0)
		return listener_adopt(l, fd, why);
	if (w->local)
		return listener_open(l, address, 0660, why);
	int rc = listener_address(address, w->host, &port, why);
	return rc ? rc : listener_open_tcp(l, address, why);
}

int web_open(struct daemon *d, struct why *why)
{
	struct listener listener;

	if (!d->config->http)
		return 0;
	struct web *w = calloc(1, sizeof *w);
	if (!w)
		return why_set(why, ERR_NOMEM, "out of memory");
	w->daemon = d;
	d->web = w;
	web_read_token(w);
	int rc = listen_at(w, &listener, why);
	if (rc)
		return rc;
	struct web_events events = {.on_request = on_request, .on_gone = on_gone, .ctx = w};
	w->server = web_server_open(d->loop, &listener, &events, why);
	if (!w->server)
		return ERR_IO;
	if (w->local)
		log_info("http", "listening on %s", d->config->http);
	else
		log_info("http", "listening on http://%s:%u/",
			 strchr(w->host, ':') ? "[::1]" : w->host, web_server_port(w->server));
	return 0;
}

void web_close(struct daemon *d)
{
	struct web *w = d->web;

	if (!w)
		return;
	web_server_close(w->server);
	config_token_forget(&w->token);
	free(w);
	d->web = NULL;
}

void web_configure(struct daemon *d)
{
	if (d->web)
		web_read_token(d->web);
}
