/* url: see the header. */
#include "url.h"

#include <model/record.h>

#include <string.h>

/* isalnum depends on the locale. */
static bool plain(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '-' || c == '_';
}

/* Letters, digits, '-' and '_' only: such an id needs no escaping and cannot leave its place in a path. */
bool url_id_usable(struct bytes id)
{
	if (id.len == 0 || id.len > RECORD_ID_MAX)
		return false;
	for (size_t i = 0; i < id.len; i++)
		if (!plain(id.data[i]))
			return false;
	return true;
}

void url_put_escaped(struct buf *out, struct bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];
		if (plain(c) || c == '.' || c == '~')
			buf_put_byte(out, c);
		else
			buf_printf(out, "%%%02X", c);
	}
}

/* The place of a parameter's value in a URL's query; {NULL, 0}: it has none of that name. */
static struct bytes url_value(struct bytes url, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i + n + 1 < url.len; i++) {
		const char *at = (const char *)url.data + i;
		if ((at[0] != '?' && at[0] != '&') || memcmp(at + 1, name, n) != 0 || at[n + 1] != '=')
			continue;
		struct bytes value = bytes_of(at + n + 2, url.len - i - n - 2);
		for (size_t j = 0; j < value.len; j++)
			if (value.data[j] == '&' || value.data[j] == '#')
				value.len = j;
		return value;
	}
	return bytes_of(NULL, 0);
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A parameter's value without its escapes. */
struct bytes url_parameter(struct arena *arena, struct bytes url, const char *name)
{
	struct bytes raw = url_value(url, name);
	uint8_t *out = arena_alloc(arena, raw.len + 1);
	size_t n = 0;

	for (size_t i = 0; out && i < raw.len; i++) {
		int high = raw.data[i] == '%' && i + 2 < raw.len ? hex_digit(raw.data[i + 1]) : -1;
		int low = high >= 0 ? hex_digit(raw.data[i + 2]) : -1;
		out[n++] = low >= 0 ? (uint8_t)(high * 16 + low) : raw.data[i];
		i += low >= 0 ? 2 : 0;
	}
	return bytes_of(out, n);
}
