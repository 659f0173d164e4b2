/* Cursors. Stateless: all a cursor says is after which record to go on. The
 * ledger (ledger.c) remembers which ones were given out. */
#include "cursor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct buf *out, const void *data, size_t n)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16;

		if (i + 1 < n)
			v |= (uint32_t)p[i + 1] << 8;
		if (i + 2 < n)
			v |= p[i + 2];
		buf_char(out, letters[v >> 18 & 63]);
		buf_char(out, letters[v >> 12 & 63]);
		buf_char(out, i + 1 < n ? letters[v >> 6 & 63] : '=');
		buf_char(out, i + 2 < n ? letters[v & 63] : '=');
	}
}

/* Returns the number of bytes, or -1. */
static int base64_decode(const char *text, char *out, size_t size)
{
	size_t n = strlen(text), k = 0;
	uint32_t v = 0, bits = 0;

	while (n && text[n - 1] == '=')
		n--;
	for (size_t i = 0; i < n; i++) {
		const char *at = strchr(letters, text[i]);

		if (!at || k + 1 >= size)
			return -1;
		v = v << 6 | (uint32_t)(at - letters);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[k++] = (char)(v >> bits & 255);
		}
	}
	out[k] = '\0';
	return (int)k;
}

void cursor_encode(struct buf *out, const struct resource *res, bool by_id, const struct cursor *c)
{
	char id[32], json[96];
	const char *quote = res->id_by_text ? "\"" : "";
	int n;

	res->id_text(c->idx, id);
	if (by_id)
		n = snprintf(json, sizeof(json), "[%s%s%s,%s%s%s,%u]", quote, id, quote, quote, id,
			     quote, c->page);
	else
		n = snprintf(json, sizeof(json), "[%llu,%s%s%s,%u]",
			     (unsigned long long)c->key * 1000u, quote, id, quote, c->page);
	base64_encode(out, json, (size_t)n);
}

static bool element_index(const json_t *v, const struct resource *res, uint32_t *idx)
{
	char digits[32];

	if (json_is_string(v) != res->id_by_text)
		return false;
	if (json_is_string(v))
		return res->id_index(json_string_value(v), idx);
	snprintf(digits, sizeof(digits), "%lld", (long long)json_integer_value(v));
	return json_is_integer(v) && res->id_index(digits, idx);
}

bool cursor_decode(const char *text, const struct resource *res, bool by_id, struct cursor *out)
{
	char json[256];
	json_t *array;
	json_int_t sort = 0, page;
	bool ok;

	if (base64_decode(text, json, sizeof(json)) < 0)
		return false;
	array = json_loads(json, 0, NULL);
	ok = json_is_array(array) && json_array_size(array) == 3 &&
	     json_is_integer(json_array_get(array, 2)) &&
	     element_index(json_array_get(array, 1), res, &out->idx);
	if (ok && !by_id) {
		sort = json_integer_value(json_array_get(array, 0));
		ok = json_is_integer(json_array_get(array, 0)) && sort % 1000 == 0 && sort >= 0 &&
		     sort / 1000 <= UINT32_MAX;
	}
	page = ok ? json_integer_value(json_array_get(array, 2)) : 0;
	ok = ok && page > 1 && page < 100000000;
	if (ok && by_id) /* text ids sort like their times of creation */
		out->key = res->id_by_text ? res->pop->created[out->idx] : out->idx;
	else
		out->key = (uint32_t)(sort / 1000);
	out->page = (uint32_t)page;
	json_decref(array);
	return ok;
}
