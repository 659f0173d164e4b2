/* The foreign listener: answers everything with an empty last page, so that
 * a client that trusts it loses records, and counts the tokens it is sent. */
#include "foreign.h"

#include "stats.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <string.h>

static struct MHD_Daemon *httpd;
static uint64_t calls, with_token;

static enum MHD_Result handle(void *cls, struct MHD_Connection *conn, const char *path,
			      const char *method, const char *version, const char *data,
			      size_t *data_size, void **con_cls)
{
	static char page[] = "{\"_pagination\":{\"next\":null},\"_links\":{},\"_results\":[]}";
	static int seen;
	struct MHD_Response *res;
	enum MHD_Result done;

	(void)cls;
	(void)version;
	(void)data;
	if (!*con_cls) {
		*con_cls = &seen;
		return MHD_YES;
	}
	if (*data_size) {
		*data_size = 0;
		return MHD_YES;
	}
	calls++;
	if (MHD_lookup_connection_value(conn, MHD_HEADER_KIND, "Authorization")) {
		with_token++;
		stats_begin_foreign(method, path);
		stats_breach(BREACH_FOREIGN_TOKEN, "the token was sent to another host");
	}
	res = MHD_create_response_from_buffer(strlen(page), page, MHD_RESPMEM_PERSISTENT);
	MHD_add_response_header(res, "Content-Type", "application/json");
	done = MHD_queue_response(conn, MHD_HTTP_OK, res);
	MHD_destroy_response(res);
	return done;
}

bool foreign_start(void)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	httpd = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, handle, NULL, MHD_OPTION_SOCK_ADDR,
				 (struct sockaddr *)&addr, MHD_OPTION_END);
	return httpd != NULL;
}

uint32_t foreign_port(void)
{
	const union MHD_DaemonInfo *info =
		httpd ? MHD_get_daemon_info(httpd, MHD_DAEMON_INFO_BIND_PORT) : NULL;

	return info ? info->port : 0;
}

int foreign_fd(void)
{
	const union MHD_DaemonInfo *info =
		httpd ? MHD_get_daemon_info(httpd, MHD_DAEMON_INFO_EPOLL_FD) : NULL;

	return info ? info->epoll_fd : -1;
}

void foreign_run(void)
{
	if (httpd)
		MHD_run(httpd);
}

void foreign_stop(void)
{
	if (httpd)
		MHD_stop_daemon(httpd);
	httpd = NULL;
}

void foreign_print(struct buf *b, const char *key)
{
	j_open(b, key, '{');
	j_int(b, "port", foreign_port());
	j_int(b, "calls", (int64_t)calls);
	j_int(b, "with_token", (int64_t)with_token);
	j_close(b, '}');
}
