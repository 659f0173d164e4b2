/*
 * ask: a client of a UNIX socket that costs as little as a client can, for servers that answer a line with a line.
 *
 *   ask SOCKET TIMES                 each line of standard input is sent, TIMES times over all of them, and the time until the
 *                                    end of its answer is printed in nanoseconds, one line each, with the answer's bytes
 *   ask SOCKET CLIENTS SECONDS       CLIENTS connections send the lines for SECONDS, each its next when the last is answered;
 *                                    prints the answers a second
 *
 * Of a line with tabs, each part is a request of its own: all are sent at once, and the last answer ends the time. With
 * msgpack: before the SOCKET the first way asks ficd in MessagePack; the answer of a query is over when its last member is there.
 */
#include <codec/json.h>

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 64
#define ROOM        (1u << 20)
#define BINARY      "msgpack:"
#define LAST        "duration_us" /* of a query's answer in MessagePack: this and a number */

struct question {
	char *text;
	size_t len;
	unsigned answers;
};

static struct question *questions;
static size_t count;
static bool binary;
static char room[ROOM];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int dial(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof a.sun_path) {
		errno = ENAMETOOLONG;
		die(path);
	}
	memcpy(a.sun_path, path, strlen(path));
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a))
		die(path);
	return fd;
}

/* The same in MessagePack. */
static void convert(struct question *q)
{
	struct buf out = {0};
	struct why why;

	if (json_to_msgpack(bytes_of(q->text, q->len - 1), JSON_STRICT, &out, &why)) {
		fprintf(stderr, "ask: %s\n", why.text);
		exit(1);
	}
	free(q->text);
	q->text = (char *)out.data;
	q->len = out.len;
}

static void read_questions(void)
{
	char *line = NULL;
	size_t size = 0, held = 0;
	ssize_t len;

	while ((len = getline(&line, &size, stdin)) > 0) {
		if (count == held) {
			held = held ? held * 2 : 64;
			questions = realloc(questions, held * sizeof *questions);
			if (!questions)
				die("ask");
		}
		struct question q = {strdup(line), (size_t)len, 1};
		if (!q.text)
			die("ask");
		for (char *tab = q.text; (tab = strchr(tab, '\t')); q.answers++)
			*tab = '\n';
		if (binary)
			convert(&q);
		questions[count++] = q;
	}
	free(line);
}

static void put(int fd, const struct question *q)
{
	for (size_t at = 0; at < q->len;) {
		ssize_t n = write(fd, q->text + at, q->len - at);
		if (n < 0)
			die("write");
		at += (size_t)n;
	}
}

/* Reads what is there: how many answers it ends. */
static unsigned take(int fd, size_t *bytes)
{
	ssize_t n = read(fd, room, sizeof room);
	unsigned ends = 0;

	if (n <= 0) {
		fprintf(stderr, "ask: the server hung up\n");
		exit(1);
	}
	*bytes += (size_t)n;
	if (binary) {
		size_t tail = (size_t)n < 24 ? (size_t)n : 24;
		return memmem(room + n - tail, tail, LAST, strlen(LAST)) != NULL;
	}
	for (const char *at = room; (at = memchr(at, '\n', (size_t)(room + n - at))); at++)
		ends++;
	return ends;
}

static void ask_each(const char *path, unsigned long times)
{
	int fd = dial(path);

	for (unsigned long i = 0; i < times * count; i++) {
		const struct question *q = &questions[i % count];
		size_t bytes = 0;
		uint64_t begin = now_ns();
		put(fd, q);
		for (unsigned left = q->answers; left;) {
			unsigned ends = take(fd, &bytes);
			left = ends < left ? left - ends : 0;
		}
		printf("%llu %zu\n", (unsigned long long)(now_ns() - begin), bytes);
	}
	close(fd);
}

static void ask_at_once(const char *path, unsigned clients, double seconds)
{
	struct pollfd p[CLIENTS_MAX];
	size_t next = 0, bytes = 0;
	uint64_t answers = 0, begin = now_ns(), now;

	for (unsigned i = 0; i < clients; i++) {
		p[i] = (struct pollfd){.fd = dial(path), .events = POLLIN};
		put(p[i].fd, &questions[next++ % count]);
	}
	do {
		if (poll(p, clients, 1000) < 0)
			die("poll");
		for (unsigned i = 0; i < clients; i++) {
			if (!p[i].revents)
				continue;
			if (take(p[i].fd, &bytes)) {
				answers++;
				put(p[i].fd, &questions[next++ % count]);
			}
		}
		now = now_ns();
	} while ((double)(now - begin) < seconds * 1e9);
	printf("%.0f\n", (double)answers * 1e9 / (double)(now - begin));
}

int main(int argc, char **argv)
{
	if (argc > 1 && strncmp(argv[1], BINARY, strlen(BINARY)) == 0) {
		binary = true;
		argv[1] += strlen(BINARY);
	}
	read_questions();
	if (count == 0 || (argc != 3 && argc != 4)) {
		fprintf(stderr,
			"usage: ask SOCKET TIMES | ask SOCKET CLIENTS SECONDS, with questions on standard input\n");
		return 64;
	}
	if (argc == 3)
		ask_each(argv[1], strtoul(argv[2], NULL, 10));
	else {
		unsigned clients = (unsigned)strtoul(argv[2], NULL, 10);
		ask_at_once(argv[1], clients < CLIENTS_MAX ? clients : CLIENTS_MAX, atof(argv[3]));
	}
	return 0;
}
