/* notice: see the header. Texts of providers may be in it (errors): they are made harmless here, once. */
#include "notice.h"
#include "pairs.h"

#include <codec/json.h>
#include <codec/msgpack.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 900 /* of a mail: at most 998 by RFC 5322 */

static const char *step_word(enum alert_step step)
{
	switch (step) {
	case ALERT_SAY_RAISED: return "raised";
	case ALERT_SAY_AGAIN: return "again";
	case ALERT_SAY_OVER: return "over";
	case ALERT_SAY_NOTHING: break;
	}
	return "test";
}

static enum alert_step gravest(const struct notice_item *items, size_t count)
{
	enum alert_step step = count ? ALERT_SAY_OVER : ALERT_SAY_NOTHING;

	for (size_t i = 0; i < count; i++)
		if (items[i].step < step)
			step = items[i].step;
	return step;
}

/* Letters, digits and signs that are harmless everywhere. */
static void host_name(char *out, size_t size)
{
	if (gethostname(out, size - 1) || !*out)
		snprintf(out, size, "localhost");
	out[size - 1] = 0;
	for (char *p = out; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-", *p))
			*p = '-';
}

static void put_about(struct buf *out, const struct notice_item *item)
{
	buf_printf(out, "%s%s%s", item->source, *item->resource ? "/" : "", item->resource);
}

static void write_subject(struct notice *n, const char *host, const struct notice_item *items,
			  size_t count)
{
	static const char *const leads[] = {"test of the alert ", "", "still: ", "over: "};
	enum alert_step step = gravest(items, count);

	buf_printf(&n->subject, "ficd on %s: %s", host, leads[step]);
	if (count == 0) {
		buf_put_str(&n->subject, n->alert);
		return;
	}
	size_t first = 0;
	while (items[first].step != step)
		first++;
	put_about(&n->subject, &items[first]);
	buf_printf(&n->subject, " %s", items[first].condition);
	if (count > 1)
		buf_printf(&n->subject, " and %zu more", count - 1);
}

/* What came from outside has no way to begin a line, a colour or a header. */
static void put_clean(struct buf *out, const char *text)
{
	for (; *text; text++)
		buf_put_byte(out, (uint8_t)*text < 0x20 || *text == 0x7f ? ' ' : (uint8_t)*text);
}

static void write_text(struct notice *n, const struct notice_item *items, size_t count, size_t more)
{
	static const char *const leads[] = {"", "", "still: ", "over: "};
	char since[TIME_TEXT_MAX];

	if (count == 0)
		buf_printf(&n->text, "This is a test of the alert %s. If you read it, it works.\n",
			   n->alert);
	for (size_t i = 0; i < count; i++) {
		buf_put_str(&n->text, leads[items[i].step]);
		put_about(&n->text, &items[i]);
		buf_put_str(&n->text, ": ");
		put_clean(&n->text, items[i].text);
		buf_printf(&n->text, " (%s, since %s)\n", items[i].condition,
			   time_text(items[i].since_ms, false, since));
	}
	if (more)
		buf_printf(&n->text, "and %zu more: 'ficq alerts' lists them\n", more);
}

static void write_json(struct notice *n, const char *host, const struct notice_item *items,
		       size_t count, int64_t now_ms)
{
	struct buf packed = {0};

	mp_put_map(&packed, 7);
	put_text(&packed, "alert", n->alert);
	put_text(&packed, "event", n->event);
	put_text(&packed, "host", host);
	put_time(&packed, "at", now_ms);
	put_text(&packed, "subject", buf_text(&n->subject));
	put_text(&packed, "text", buf_text(&n->text));
	mp_put_cstr(&packed, "items");
	mp_put_array(&packed, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		mp_put_map(&packed, 6);
		put_text(&packed, "event", step_word(items[i].step));
		put_text(&packed, "source", items[i].source);
		put_text(&packed, "resource", *items[i].resource ? items[i].resource : NULL);
		put_text(&packed, "condition", items[i].condition);
		put_time(&packed, "since", items[i].since_ms);
		put_text(&packed, "text", items[i].text);
	}
	if (packed.error || json_write(buf_bytes(&packed), &n->json))
		n->json.error = ERR_NOMEM;
	buf_release(&packed);
}

struct notice *notice_new(const char *alert, const struct notice_item *items, size_t count,
			  size_t more, int64_t now_ms)
{
	struct notice *n = calloc(1, sizeof *n);
	char host[65];

	if (!n)
		return NULL;
	n->users = 1;
	n->event = step_word(gravest(items, count));
	snprintf(n->alert, sizeof n->alert, "%s", alert);
	host_name(host, sizeof host);
	write_subject(n, host, items, count);
	write_text(n, items, count, more);
	write_json(n, host, items, count, now_ms);
	if (n->subject.error || n->text.error || n->json.error) {
		notice_leave(n);
		return NULL;
	}
	return n;
}

void notice_leave(struct notice *n)
{
	if (!n || --n->users)
		return;
	buf_release(&n->subject);
	buf_release(&n->text);
	buf_release(&n->json);
	free(n);
}

/* Lines end with CR LF, and none is longer than a mail server must take; a character is not cut. */
static void put_lines(struct buf *out, struct bytes text)
{
	size_t line = 0;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];
		if (line >= LINE_MAX_BYTES && (c & 0xc0) != 0x80 && c != '\n') {
			buf_put_str(out, "\r\n");
			line = 0;
		}
		if (c == '\n')
			buf_put_byte(out, '\r');
		buf_put_byte(out, c);
		line = c == '\n' ? 0 : line + 1;
	}
}

void notice_mail(const struct notice *n, const char *from, const char *to, int64_t now_ms,
		 struct buf *out)
{
	char host[65], date[64];
	time_t seconds = (time_t)(now_ms / 1000);
	struct tm utc;

	host_name(host, sizeof host);
	gmtime_r(&seconds, &utc);
	/* The C locale's names: ficd never sets another one. */
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &utc);
	buf_printf(out, "Date: %s\r\nFrom: <%s>\r\nTo: %s\r\nSubject: ", date, from, to);
	buf_put_bytes(out, buf_bytes(&n->subject));
	buf_printf(out, "\r\nMessage-ID: <%lld.%d.%s@%s>\r\n", (long long)now_ms, (int)getpid(),
		   n->alert, host);
	buf_put_str(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
			 "Content-Type: text/plain; charset=utf-8\r\n"
			 "Content-Transfer-Encoding: 8bit\r\n\r\n");
	put_lines(out, buf_bytes(&n->text));
}
