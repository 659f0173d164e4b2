/*
 * http_headers: picks the known fields out of an answer's header lines, by one table.
 *
 * The lines come from outside: lengths are bounded, a value that does not fit or has control
 * characters is left out (half a link or half an etag would be a wrong one). Never fails, never
 * allocates.
 */
#include "http_headers.h"

#include <base/clock.h>

#include <strings.h>

enum kind { KIND_TEXT, KIND_TYPE, KIND_NUMBER, KIND_DATE };

static const struct field {
	const char *name;
	enum kind kind;
	size_t offset;
	size_t size;
} fields[] = {
#define FIELD(name, kind, member)                                  \
	{                                                          \
		name, kind, offsetof(struct http_result, member),  \
			sizeof((struct http_result *)NULL)->member \
	}
	FIELD("date", KIND_DATE, date_ms),
	FIELD("content-type", KIND_TYPE, content_type),
	FIELD("retry-after", KIND_TEXT, retry_after),
	FIELD("x-ratelimit-limit", KIND_NUMBER, rate_limit),
	FIELD("x-ratelimit-remaining", KIND_NUMBER, rate_remaining),
	FIELD("x-ratelimit-reset", KIND_NUMBER, rate_reset),
	FIELD("x-front-tier", KIND_TEXT, rate_tier),
	FIELD("etag", KIND_TEXT, etag),
	FIELD("link", KIND_TEXT, link),
	FIELD("location", KIND_TEXT, location),
	FIELD("x-request-id", KIND_TEXT, request_id),
#undef FIELD
};

void http_headers_reset(struct http_result *r)
{
	r->date_ms = TIME_NONE;
	r->rate_limit = r->rate_remaining = r->rate_reset = -1;
	r->content_type[0] = r->retry_after[0] = r->rate_tier[0] = r->etag[0] = r->link[0] =
		r->location[0] = r->request_id[0] = 0;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct bytes trimmed(struct bytes b)
{
	while (b.len && is_blank(b.data[0]))
		b = bytes_of(b.data + 1, b.len - 1);
	while (b.len && is_blank(b.data[b.len - 1]))
		b.len--;
	return b;
}

static void take_text(char *out, size_t size, struct bytes value)
{
	out[0] = 0;
	if (value.len >= size)
		return;
	for (size_t i = 0; i < value.len; i++)
		if (value.data[i] < 0x20 || value.data[i] > 0x7e)
			return;
	memcpy(out, value.data, value.len);
	out[value.len] = 0;
}

static void take_type(char *out, size_t size, struct bytes value)
{
	const uint8_t *end = value.len ? memchr(value.data, ';', value.len) : NULL;

	if (end)
		value.len = (size_t)(end - value.data);
	take_text(out, size, trimmed(value));
	for (; *out; out++)
		if (*out >= 'A' && *out <= 'Z')
			*out = (char)(*out + ('a' - 'A'));
}

/* "83", and "1700000000.25" for 1700000000. */
static int64_t number_of(struct bytes value)
{
	int64_t n = 0;
	size_t i = 0;

	for (; i < value.len && value.data[i] >= '0' && value.data[i] <= '9'; i++) {
		if (i == 18)
			return -1;
		n = n * 10 + (value.data[i] - '0');
	}
	return i > 0 && (i == value.len || value.data[i] == '.') ? n : -1;
}

static void take_value(const struct field *f, struct http_result *r, struct bytes value)
{
	char *at = (char *)r + f->offset;
	int64_t number = TIME_NONE;

	switch (f->kind) {
	case KIND_TEXT: take_text(at, f->size, value); return;
	case KIND_TYPE: take_type(at, f->size, value); return;
	case KIND_NUMBER: number = number_of(value); break;
	case KIND_DATE:
		if (time_parse_http(value, &number))
			number = TIME_NONE;
		break;
	}
	memcpy(at, &number, sizeof number);
}

void http_headers_take(struct http_result *r, struct bytes line)
{
	const uint8_t *colon = line.len ? memchr(line.data, ':', line.len) : NULL;

	if (!colon)
		return;
	size_t name_len = (size_t)(colon - line.data);
	struct bytes value = trimmed(bytes_of(colon + 1, line.len - name_len - 1));
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (strlen(fields[i].name) == name_len &&
		    strncasecmp((const char *)line.data, fields[i].name, name_len) == 0) {
			take_value(&fields[i], r, value);
			return;
		}
}
