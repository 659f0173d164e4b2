/* place: see the header. Only the daemon knows which places there are; here they are told apart from what is none. */
#include "place.h"

#include <codec/msgpack.h>

static bool is_source(const struct app *a, struct bytes name)
{
	struct mp_reader r = mp_reader_of(member(buf_bytes(&a->client.hello), "sources"));
	struct mp_value v;

	if (mp_next(&r, &v) != 1 || v.type != MP_ARRAY)
		return false;
	while (mp_next(&r, &v) == 1)
		if (v.type == MP_STR && bytes_equal(v.str, name))
			return true;
	return false;
}

/* "NAME:12,NAME:33", of sources that there are. */
static bool is_place(const struct app *a, const char *text)
{
	do {
		size_t name = strcspn(text, ":,"), digits = 0;
		if (text[name] == ':')
			digits = strspn(text + name + 1, "0123456789");
		if (digits == 0 || !is_source(a, bytes_of(text, name)))
			return false;
		text += name + 1 + digits;
	} while (*text++ == ',');
	return text[-1] == 0;
}

int place_of_option(struct app *a, enum option option, struct bytes *out)
{
	const char *text = app_value(a, option);

	*out = bytes_of(NULL, 0);
	if (!text)
		return 0;
	size_t digits = strspn(text, "0123456789");
	bool revision = digits > 0 && digits <= 18 && text[digits] == 0;
	int code = !revision && strchr(text, ':') ? app_connect(a) : 0;
	if (code)
		return code;
	if (!revision && (!a->connected || !is_place(a, text)))
		return report_error(
			&a->report, EXIT_USAGE, "usage",
			"--%s: \"%.40s\" is no revision, the number that an earlier reading ended with; by time: ficq query %s --axis=updated --since='%.40s'",
			option_table[option].name, text,
			app_arg(a, 0) ? app_arg(a, 0) : "conversations", text);
	*out = bytes_str(text);
	return 0;
}

void place_put(struct params *p, const char *key, struct bytes place)
{
	struct buf text = {0};
	int64_t n = 0;
	size_t i = 0;

	for (; i < place.len && place.data[i] >= '0' && place.data[i] <= '9'; i++)
		n = n * 10 + (place.data[i] - '0');
	if (i == place.len && i > 0) {
		params_int(p, key, n);
	} else if (place.len) {
		mp_put_str(&text, place);
		params_value(p, key, buf_bytes(&text));
	}
	buf_release(&text);
}

bool place_take(struct bytes answer, const char *key, struct buf *out)
{
	struct bytes whole = member(answer, key);
	struct mp_value v;

	if (!whole.data || !mp_get(whole, &v) || (v.type != MP_INT && v.type != MP_STR))
		return false;
	buf_reset(out);
	if (v.type == MP_INT)
		buf_printf(out, "%lld", (long long)v.integer);
	else
		buf_put_bytes(out, v.str);
	return !out->error;
}

/* One source's part of a place, "acme:12". */
static void put_part(struct buf *out, struct bytes part, struct bytes source, int64_t revision)
{
	if (part.len > source.len && part.data[source.len] == ':' &&
	    memcmp(part.data, source.data, source.len) == 0)
		buf_printf(out, "%.*s:%lld", (int)source.len, (const char *)source.data,
			   (long long)revision);
	else
		buf_put_bytes(out, part);
}

void place_end_with(struct buf *place, struct bytes row)
{
	struct bytes rest = buf_bytes(place), source = member_str(row, "source");
	struct buf out = {0};
	int64_t revision;

	if (!mp_find_int(row, "revision", &revision) || !source.data)
		return;
	if (!rest.len || !memchr(rest.data, ':', rest.len)) {
		buf_printf(&out, "%lld", (long long)revision);
		rest.len = 0;
	}
	while (rest.len) {
		const uint8_t *comma = memchr(rest.data, ',', rest.len);
		size_t len = comma ? (size_t)(comma - rest.data) : rest.len;
		put_part(&out, bytes_of(rest.data, len), source, revision);
		if (comma)
			buf_put_byte(&out, ',');
		rest = comma ? bytes_of(comma + 1, rest.len - len - 1) : bytes_of(NULL, 0);
	}
	buf_release(place);
	*place = out;
}
