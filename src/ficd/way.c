/* way: see the header. Secrets (a webhook's address, a password) are read for each attempt, and are in no message. */
#include "way.h"

#include <codec/json.h>
#include <io/command.h>

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#define TOTAL_MS INT64_C(60000)

struct attempt {
	struct notice *notice;
	struct command *command;
	struct http_call *call;
	void (*done)(void *ctx, const char *error); /* NULL: cancelled */
	void *ctx;
};

const char *way_name(enum way way)
{
	static const char *const names[WAYS] = {"slack", "email", "command"};

	return (unsigned)way < WAYS ? names[way] : "unknown";
}

bool way_set(const struct config_alert *a, enum way way)
{
	switch (way) {
	case WAY_SLACK: return a->slack.name;
	case WAY_EMAIL: return a->email;
	case WAY_COMMAND: return a->command;
	case WAYS: break;
	}
	return false;
}

static void attempt_end(struct attempt *t, const char *error)
{
	if (t->done)
		t->done(t->ctx, error);
	notice_leave(t->notice);
	free(t);
}

/* ---- over HTTP and SMTP ---- */

static void on_answer(void *ctx, const struct http_result *r)
{
	struct attempt *t = ctx;
	char words[80];

	if (r->outcome != HTTP_OK) {
		attempt_end(t, r->why.text);
		return;
	}
	snprintf(words, sizeof words, "the answer's status was %d", r->status);
	attempt_end(t, r->status / 100 == 2 ? NULL : words);
}

static int write_post(const struct notice *n, struct buf *out)
{
	struct buf text = {0};

	buf_put_bytes(&text, buf_bytes(&n->subject));
	buf_put_byte(&text, '\n');
	buf_put_bytes(&text, buf_bytes(&n->text));
	buf_put_str(out, "{\"text\":");
	json_write_str(out, buf_bytes(&text));
	buf_put_str(out, "}");
	int rc = text.error ? text.error : out->error;
	buf_release(&text);
	return rc;
}

static int post(struct daemon *d, const struct config_alert *a, struct attempt *t, struct why *why)
{
	struct buf address = {0}, body = {0};
	int rc = config_token_read(&a->slack, &address, why);

	if (rc == 0)
		rc = config_url_check(buf_text(&address), why);
	if (rc == 0)
		rc = write_post(t->notice, &body);
	struct http_request r = {.method = "POST",
				 .url = rc ? "" : buf_text(&address),
				 .headers = {"Content-Type: application/json"},
				 .body = buf_bytes(&body),
				 .body_max = 65536,
				 .total_ms = TOTAL_MS,
				 .done = on_answer,
				 .ctx = t};
	if (rc == 0)
		t->call = http_start(d->http, &r, why);
	config_token_forget(&address);
	buf_release(&body);
	return t->call ? 0 : ERR_IO;
}

/* A mail server on this very host is not asked for a certificate. */
static bool is_this_host(const char *url)
{
	const char *host = strstr(url, "://") + 3;
	size_t len = strcspn(host, ":");

	return (len == 9 && strncasecmp(host, "localhost", 9) == 0) || strncmp(host, "127.", 4) == 0;
}

/* The list of the configuration, as pointers into `room`. */
static void split_addresses(char *room, const char **out)
{
	size_t n = 0;

	for (char *at = strtok_r(room, ", \t", &room); at && n < CONFIG_ADDRESSES_MAX;
	     at = strtok_r(NULL, ", \t", &room))
		out[n++] = at;
	out[n] = NULL;
}

static int mail(struct daemon *d, const struct config_alert *a, struct attempt *t, struct why *why)
{
	const char *to[CONFIG_ADDRESSES_MAX + 1];
	struct buf password = {0}, message = {0}, room = {0};
	char from[320], host[65] = "";
	int rc = a->smtp_user ? config_token_read(&a->smtp_password, &password, why) : 0;

	if (gethostname(host, sizeof host - 1))
		host[0] = 0;
	if (a->from)
		snprintf(from, sizeof from, "%s", a->from);
	else
		snprintf(from, sizeof from, "ficd@%s", host[0] ? host : "localhost");
	buf_put_str(&room, a->email);
	buf_put_byte(&room, 0);
	notice_mail(t->notice, from, a->email, loop_wall_ms(d->loop), &message);
	if (rc == 0 && !room.error && !message.error) {
		split_addresses((char *)room.data, to);
		struct http_mail m = {.from = from,
				      .to = to,
				      .user = a->smtp_user,
				      .password = a->smtp_user ? buf_text(&password) : NULL,
				      .open = strncmp(a->smtp, "smtp://", 7) == 0 &&
					      is_this_host(a->smtp)};
		struct http_request r = {.mail = &m,
					 .url = a->smtp,
					 .body = buf_bytes(&message),
					 .total_ms = TOTAL_MS,
					 .done = on_answer,
					 .ctx = t};
		t->call = http_start(d->http, &r, why);
	}
	config_token_forget(&password);
	buf_release(&message);
	buf_release(&room);
	return t->call ? 0 : ERR_IO;
}

/* ---- a program ---- */

static void on_ended(void *ctx, const struct command_result *r)
{
	struct attempt *t = ctx;

	t->command = NULL;
	attempt_end(t, r->status ? r->why.text : NULL);
}

static int run(struct daemon *d, const struct config_alert *a, struct attempt *t, struct why *why)
{
	struct buf name = {0}, event = {0}, subject = {0}, input = {0};

	buf_printf(&name, "FICD_ALERT=%s", t->notice->alert);
	buf_printf(&event, "FICD_EVENT=%s", t->notice->event);
	buf_printf(&subject, "FICD_SUBJECT=%s", buf_text(&t->notice->subject));
	buf_put_bytes(&input, buf_bytes(&t->notice->json));
	buf_put_byte(&input, '\n');
	const char *environment[] = {buf_text(&name), buf_text(&event), buf_text(&subject), NULL};
	struct command_request r = {.path = a->command,
				    .environment = environment,
				    .input = buf_bytes(&input),
				    .timeout_ms = TOTAL_MS,
				    .done = on_ended,
				    .ctx = t};
	t->command = command_start(d->loop, &r, why);
	buf_release(&name);
	buf_release(&event);
	buf_release(&subject);
	buf_release(&input);
	return t->command ? 0 : ERR_IO;
}

/* ---- all of them ---- */

struct attempt *attempt_start(struct daemon *d, const struct config_alert *a, enum way way,
			      struct notice *n, void (*done)(void *ctx, const char *error),
			      void *ctx, struct why *why)
{
	static int (*const ways[WAYS])(struct daemon *, const struct config_alert *,
				       struct attempt *, struct why *) = {post, mail, run};
	struct attempt *t = calloc(1, sizeof *t);

	why_set(why, 0, "out of memory");
	if (!t)
		return NULL;
	t->notice = n;
	t->done = done;
	t->ctx = ctx;
	if (ways[way](d, a, t, why)) {
		free(t);
		return NULL;
	}
	n->users++;
	return t;
}

void attempt_cancel(struct attempt *t)
{
	if (!t)
		return;
	t->done = NULL;
	if (t->call) {
		http_cancel(t->call); /* its end comes from the loop, and frees this */
		return;
	}
	command_cancel(t->command);
	notice_leave(t->notice);
	free(t);
}
