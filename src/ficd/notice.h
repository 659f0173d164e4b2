/*
 * notice: what people are told at one time about one alert, in the three forms in which it is sent. Private to this layer.
 */
#ifndef FIC_FICD_NOTICE_INTERNAL_H
#define FIC_FICD_NOTICE_INTERNAL_H

#include <ficd/config.h>

#define NOTICE_ITEMS_MAX 50 /* that are told one by one; of more their number */

struct notice_item {
	enum alert_step step;          /* never ALERT_SAY_NOTHING */
	const char *source, *resource; /* borrowed; resource "": of the source */
	char condition[ALERT_TEXT_MAX];
	char text[400];
	int64_t since_ms;
};

struct notice {
	unsigned users;    /* whoever waits to send it */
	const char *event; /* "raised", "again", "over", "test": the gravest of the items' */
	char alert[CONFIG_NAME_MAX + 1];
	struct buf subject; /* one line of ASCII */
	struct buf text;    /* lines, UTF-8, without control characters */
	struct buf json;    /* one object, without a line end */
};

/* Of `more` further items only the number is told. No items: a test. NULL: no memory. The caller is its first user. */
struct notice *notice_new(const char *alert, const struct notice_item *items, size_t count,
			  size_t more, int64_t now_ms);
void notice_leave(struct notice *n); /* one user less; the last one frees it; NULL is fine */

/* The whole message as a mail server takes it; `from` is an address. */
void notice_mail(const struct notice *n, const char *from, const char *to, int64_t now_ms,
		 struct buf *out);

#endif
