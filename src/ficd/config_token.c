/* config_token: reads a secret from where the configuration says it is. The secret is in the caller's buffer and nowhere else: not in a
 * message, not in memory that was given back. */
#include <ficd/config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Longest token, CRLF, and one more to see that it is too long. */
#define ROOM (CONFIG_TOKEN_MAX + 3)

/* $CREDENTIALS_DIRECTORY/NAME, or with the prefix that LoadCredential=ficd:FOLDER puts before the names of the folder's files. */
static int open_credential(const char *name, char path[CONFIG_PATH_MAX], struct why *why)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	snprintf(path, CONFIG_PATH_MAX, "credential %.200s", name);
	if (!dir || !*dir)
		return why_set(why, ERR_NOTFOUND,
			       "credential:%.80s needs a start by systemd with LoadCredential= (CREDENTIALS_DIRECTORY is not set); "
			       "elsewhere write token = file:PATH",
			       name);
	static const char *const prefixes[] = {"", "ficd_"};
	for (int i = 0; i < 2; i++) {
		if (snprintf(path, CONFIG_PATH_MAX, "%s/%s%s", dir, prefixes[i], name) >=
		    CONFIG_PATH_MAX)
			return why_set(why, ERR_INVALID, "the path of credential:%.80s is too long",
				       name);
		int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (fd >= 0 || errno != ENOENT)
			return fd >= 0 ? fd : why_errno(why, "%.200s", path);
	}
	return why_set(why, ERR_NOTFOUND,
		       "credential:%.80s: there is no such credential; with the unit that comes with ficd it is the file "
		       "/etc/ficd/credentials/%.80s, loaded when the unit starts",
		       name, name);
}

static int open_file(const char *name, char path[CONFIG_PATH_MAX], struct why *why)
{
	snprintf(path, CONFIG_PATH_MAX, "%s", name);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return why_errno(why, "token file %.200s", path);
	return fd;
}

static int read_all(int fd, const char *path, struct buf *secret, struct why *why)
{
	/* In one piece: a growing buffer would leave copies behind. */
	if (buf_reserve(secret, ROOM))
		return why_set(why, ERR_NOMEM, "out of memory");
	while (secret->len < ROOM) {
		ssize_t n = read(fd, secret->data + secret->len, ROOM - secret->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return why_errno(why, "token file %.200s", path);
		if (n == 0)
			break;
		secret->len += (size_t)n;
	}
	return 0;
}

static int check(struct buf *secret, const char *path, struct why *why)
{
	if (secret->len && secret->data[secret->len - 1] == '\n')
		secret->len--;
	if (secret->len && secret->data[secret->len - 1] == '\r')
		secret->len--;
	if (secret->len == 0)
		return why_set(why, ERR_INVALID,
			       "%.200s is empty: it must hold the access token in one line", path);
	if (secret->len > CONFIG_TOKEN_MAX)
		return why_set(why, ERR_INVALID, "%.200s is longer than %d bytes: that is no token",
			       path, CONFIG_TOKEN_MAX);
	for (size_t i = 0; i < secret->len; i++)
		if (secret->data[i] <= 0x20 || secret->data[i] >= 0x7f)
			return why_set(why, ERR_INVALID,
				       "%.200s must hold the access token alone, in one line: byte %zu is a space, a control "
				       "character or not ASCII",
				       path, i + 1);
	return 0;
}

static int read_open(int fd, bool credential, const char *path, struct buf *secret, struct why *why)
{
	struct stat st;

	if (fstat(fd, &st))
		return why_errno(why, "token file %.200s", path);
	if (!S_ISREG(st.st_mode))
		return why_set(why, ERR_INVALID, "%.200s is not a regular file", path);
	int rc = read_all(fd, path, secret, why);
	if (rc == 0)
		rc = check(secret, path, why);
	/* A credential's folder is closed to others whatever the file says. */
	if (rc == 0 && !credential && (st.st_mode & (S_IROTH | S_IWOTH)))
		why_set(why, 0, "other users can %s the token file %.200s: chmod 600 it",
			st.st_mode & S_IROTH ? "read" : "write", path);
	return rc;
}

int config_token_read(const struct config_token *t, struct buf *secret, struct why *why)
{
	char path[CONFIG_PATH_MAX];

	buf_reset(secret);
	why->text[0] = 0;
	int fd = t->credential ? open_credential(t->name, path, why) : open_file(t->name, path, why);
	if (fd < 0)
		return fd;
	int rc = read_open(fd, t->credential, path, secret, why);
	close(fd);
	if (rc)
		config_token_forget(secret);
	return rc;
}

void config_token_forget(struct buf *secret)
{
	if (secret->data)
		explicit_bzero(secret->data, secret->cap);
	buf_release(secret);
}
