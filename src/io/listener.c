/*
 * listener: binds UNIX sockets: with the right mode from the first moment on, in place of a dead
 * one, never of a live one.
 *
 * Two daemons that start at the same moment are told apart by the lock on the state folder, not
 * here. Never removes a file that is not a socket, or that somebody else has put in our place.
 */
#include <io/listener.h>

#include <base/files.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int address_of(const char *path, struct sockaddr_un *out, struct why *why)
{
	size_t len = strlen(path);

	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (len == 0)
		return why_set(why, ERR_INVALID, "the socket has no path");
	if (len >= sizeof out->sun_path)
		return why_set(why, ERR_INVALID,
			       "the socket's path is %zu bytes long, the system allows %zu: %.120s…",
			       len, sizeof out->sun_path - 1, path);
	memcpy(out->sun_path, path, len + 1);
	return 0;
}

/* Created without any permission and opened up at the end: no umask and no moment in between lets
 * anybody else in. */
static int bind_closed(int fd, const struct sockaddr_un *at)
{
	mode_t before = umask(0777);
	int error = bind(fd, (const struct sockaddr *)at, sizeof *at) ? errno : 0;

	umask(before);
	return error;
}

/* 0: nobody listens there, the file may be replaced. */
static int probe(const struct sockaddr_un *at, struct why *why)
{
	const char *path = at->sun_path;
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : why_errno(why, "cannot look at %s", path);
	if (!S_ISSOCK(st.st_mode))
		return why_set(why, ERR_INVALID,
			       "%s exists and is not a socket; remove it or set another path", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return why_errno(why, "cannot make a socket");
	int error = connect(fd, (const struct sockaddr *)at, sizeof *at) ? errno : 0;
	close(fd);
	if (error == ECONNREFUSED || error == ENOENT)
		return 0;
	if (error == 0 || error == EAGAIN || error == EINPROGRESS)
		return why_set(why, ERR_BUSY, "another process is listening on %s", path);
	errno = error;
	return why_errno(why, "cannot tell whether anybody listens on %s", path);
}

static int not_bound(const struct sockaddr_un *at, int error, struct why *why)
{
	const char *path = at->sun_path, *slash = strrchr(path, '/');
	int folder_len = slash ? (int)(slash - path) : 1;

	if (error == ENOENT)
		return why_set(why, ERR_NOTFOUND,
			       "cannot make the socket %s: create the folder %.*s first", path,
			       folder_len, slash ? path : ".");
	errno = error;
	return why_errno(why, "cannot make the socket %s", path);
}

static int bind_in_place(int fd, const struct sockaddr_un *at, struct why *why)
{
	int error = bind_closed(fd, at), code;

	if (error == EADDRINUSE) {
		if ((code = probe(at, why)))
			return code;
		if (unlink(at->sun_path) && errno != ENOENT)
			return why_errno(why, "cannot remove the dead socket %s", at->sun_path);
		error = bind_closed(fd, at);
	}
	if (error == EADDRINUSE)
		return why_set(why, ERR_BUSY, "another process is listening on %s", at->sun_path);
	return error ? not_bound(at, error, why) : 0;
}

static int open_up(struct listener *l, unsigned mode, struct why *why)
{
	struct stat st;

	if (lstat(l->path, &st))
		return why_errno(why, "cannot look at %s", l->path);
	l->device = st.st_dev;
	l->inode = st.st_ino;
	/* Listens first: whoever may connect is answered. */
	if (listen(l->fd, 128))
		return why_errno(why, "cannot listen on %s", l->path);
	if (chmod(l->path, (mode_t)mode))
		return why_errno(why, "cannot set the mode of %s", l->path);
	return 0;
}

int listener_open(struct listener *l, const char *path, unsigned mode, struct why *why)
{
	struct sockaddr_un at;
	int error = address_of(path, &at, why);

	*l = (struct listener){.fd = -1};
	if (error)
		return error;
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return why_errno(why, "cannot make a socket");
	if (!(error = bind_in_place(l->fd, &at, why))) {
		memcpy(l->path, at.sun_path, sizeof l->path);
		error = open_up(l, mode, why);
	}
	if (error)
		listener_close(l);
	return error;
}

/* ---- loopback ---- */

static bool is_loopback(const char *host)
{
	struct in_addr four;
	struct in6_addr six;

	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

int listener_address(const char *address, char host_out[LISTENER_HOST_MAX], unsigned *port_out,
		     struct why *why)
{
	const char *colon = strrchr(address, ':'), *host = address;
	size_t len = colon ? (size_t)(colon - address) : 0;
	char *end;

	if (len > 2 && *host == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	}
	unsigned long port = colon && colon[1] >= '0' && colon[1] <= '9'
				     ? strtoul(colon + 1, &end, 10)
				     : 65536;
	if (len == 0 || len >= LISTENER_HOST_MAX || port > 65535 || *end)
		return why_set(why, ERR_INVALID, "expected 127.0.0.1:PORT or [::1]:PORT");
	memcpy(host_out, host, len);
	host_out[len] = 0;
	*port_out = (unsigned)port;
	if (!is_loopback(host_out))
		return why_set(
			why, ERR_INVALID,
			"%.40s is no loopback address: others would be let in; put a server that asks who they are in front",
			host_out);
	return 0;
}

static int bind_tcp(int fd, const char *host, unsigned port)
{
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};

	if (inet_pton(AF_INET, host, &four.sin_addr) == 1)
		return bind(fd, (const struct sockaddr *)&four, sizeof four);
	inet_pton(AF_INET6, host, &six.sin6_addr);
	return bind(fd, (const struct sockaddr *)&six, sizeof six);
}

int listener_open_tcp(struct listener *l, const char *address, struct why *why)
{
	char host[LISTENER_HOST_MAX];
	unsigned port;
	int yes = 1, rc = listener_address(address, host, &port, why);

	*l = (struct listener){.fd = -1};
	if (rc)
		return rc;
	l->fd = socket(strchr(host, ':') ? AF_INET6 : AF_INET,
		       SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return why_errno(why, "cannot make a socket");
	setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (bind_tcp(l->fd, host, port) || listen(l->fd, 128)) {
		rc = errno == EADDRINUSE
			     ? why_set(why, ERR_BUSY, "another process is listening on %s", address)
			     : why_errno(why, "cannot listen on %s", address);
		listener_close(l);
	}
	return rc;
}

int listener_adopt(struct listener *l, int fd, struct why *why)
{
	int listening = 0;
	socklen_t len = sizeof listening;

	*l = (struct listener){.fd = fd};
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) || !listening) {
		listener_close(l);
		return why_set(why, ERR_INVALID, "descriptor %d is not a listening socket", fd);
	}
	if (fd_nonblock(fd)) {
		listener_close(l);
		return why_set(why, ERR_IO, "cannot use the listening socket that was passed in");
	}
	return 0;
}

void listener_close(struct listener *l)
{
	struct stat st;

	if (l->path[0] && lstat(l->path, &st) == 0 && st.st_dev == l->device && st.st_ino == l->inode)
		unlink(l->path);
	if (l->fd >= 0)
		close(l->fd);
	*l = (struct listener){.fd = -1};
}
