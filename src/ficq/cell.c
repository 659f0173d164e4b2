/*
 * cell: one value of an answer as a person reads it, and as a program does. Nothing uncleaned leaves by cell_show; nothing is
 * changed by cell_raw.
 */
#include "cell.h"

#include "text.h"

#include <codec/json.h>
#include <codec/msgpack.h>

#include <math.h>
#include <stdio.h>

#define HOUR_MS INT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)

/* --- members --- */

struct bytes member(struct bytes map, const char *path)
{
	struct mp_value v;
	struct bytes value;

	if (!map.data || mp_path(map, bytes_str(path), &value) != 1 || !mp_get(value, &v) ||
	    v.type == MP_NIL)
		return (struct bytes){NULL, 0};
	return value;
}

struct bytes member_str(struct bytes map, const char *path)
{
	struct bytes value = member(map, path);
	struct mp_value v;

	if (!value.data || !mp_get(value, &v) || v.type != MP_STR)
		return (struct bytes){NULL, 0};
	return v.str;
}

bool member_float(struct bytes map, const char *path, double *out)
{
	struct bytes value = member(map, path);
	struct mp_value v;

	if (!value.data || !mp_get(value, &v))
		return false;
	if (v.type == MP_FLOAT)
		*out = v.real;
	else if (v.type == MP_INT)
		*out = (double)v.integer;
	else if (v.type == MP_UINT)
		*out = (double)v.uinteger;
	else
		return false;
	return isfinite(*out);
}

bool member_int(struct bytes map, const char *path, int64_t *out)
{
	struct bytes value = member(map, path);
	struct mp_value v;

	if (!value.data || !mp_get(value, &v))
		return false;
	if (v.type == MP_FLOAT && v.real == floor(v.real) && fabs(v.real) < 9e15)
		v = (struct mp_value){.type = MP_INT, .integer = (int64_t)v.real};
	if (v.type != MP_INT)
		return false;
	*out = v.integer;
	return true;
}

bool member_true(struct bytes map, const char *path)
{
	struct bytes value = member(map, path);
	struct mp_value v;

	return value.data && mp_get(value, &v) && v.type == MP_BOOL && v.boolean;
}

bool cell_time(struct bytes value, int64_t *ms_out)
{
	struct mp_value v;

	return value.data && mp_get(value, &v) && v.type == MP_STR && time_parse(v.str, ms_out) == 0;
}

bool member_time(struct bytes map, const char *path, int64_t *ms_out)
{
	return cell_time(member(map, path), ms_out);
}

/* --- pieces --- */

void show_time(struct buf *out, const struct show *s, int64_t ms)
{
	char text[WHEN_OUT_MAX];

	buf_put_str(out, when_local_text(ms, s->zone, text));
}

void show_count(struct buf *out, int64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof digits, "%lld", (long long)n);
	int sign = digits[0] == '-';

	for (int i = 0; i < len; i++) {
		if (i > sign && (len - i) % 3 == 0)
			buf_put_byte(out, ',');
		buf_put_byte(out, (uint8_t)digits[i]);
	}
}

void show_bytes(struct buf *out, int64_t n)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double size = (double)n;
	size_t unit = 0;

	while (size >= 1023.95 && unit < 4) {
		size /= 1024;
		unit++;
	}
	buf_printf(out, unit && size < 99.95 ? "%.1f %s" : "%.0f %s", size, units[unit]);
}

void show_millis(struct buf *out, int64_t ms)
{
	int64_t s = (ms + 500) / 1000;

	if (ms < 1000)
		buf_printf(out, "%lld ms", (long long)ms);
	else if (ms < 60000)
		buf_printf(out, "%.1f s", floor((double)ms / 100) / 10);
	else if (s < 3600)
		buf_printf(out, s % 60 ? "%lld min %lld s" : "%lld min", (long long)(s / 60),
			   (long long)(s % 60));
	else if (s < 2 * 86400)
		buf_printf(out, s / 60 % 60 ? "%lld h %lld min" : "%lld h", (long long)(s / 3600),
			   (long long)(s / 60 % 60));
	else
		buf_printf(out, s / 3600 % 24 ? "%lld d %lld h" : "%lld d", (long long)(s / 86400),
			   (long long)(s / 3600 % 24));
}

/* What is nearly all is not all. */
void show_ratio(struct buf *out, double ratio)
{
	double percent = floor(ratio * 1000) / 10;

	if (ratio >= 1)
		buf_put_str(out, "100 %");
	else
		buf_printf(out, "%.1f %%", ratio > 0 && percent < 0.1 ? 0.1 : percent);
}

/* --- values --- */

static void put_clean(struct buf *out, const struct show *s, struct bytes text)
{
	text_clean(out, text, TEXT_LINE, s->ascii);
}

static void show_when(struct buf *out, const struct show *s, struct bytes text, enum cell_kind kind)
{
	char relative[WHEN_OUT_MAX];
	int64_t ms;

	if (time_parse(text, &ms) < 0) {
		put_clean(out, s, text);
		return;
	}
	int64_t age = s->now_ms - ms;
	if (kind == CELL_DAY || kind == CELL_MONTH)
		buf_put(out, when_local_text(ms, s->zone, relative), kind == CELL_DAY ? 10 : 7);
	else if (kind == CELL_AGO || (kind == CELL_TIME && s->relative && age >= 0 && age < DAY_MS))
		buf_put_str(out, when_relative_text(ms, s->now_ms, relative));
	else
		show_time(out, s, ms);
}

/* The marks of a snippet, which cleaning would leave as they are. */
static void show_snippet(struct buf *out, const struct show *s, struct bytes text)
{
	size_t start = 0;

	for (size_t i = 0; i + 3 <= text.len; i++) {
		const uint8_t *at = text.data + i;
		if (at[0] != 0xe2 || at[1] != 0x9f || (at[2] != 0xa6 && at[2] != 0xa7))
			continue;
		bool open = at[2] == 0xa6;
		put_clean(out, s, bytes_of(text.data + start, i - start));
		if (s->color)
			buf_put_byte(out, open ? SHOW_MARK : SHOW_UNMARK);
		else if (s->ascii)
			buf_put_byte(out, open ? '[' : ']');
		else
			buf_put(out, at, 3);
		start = i + 3;
	}
	put_clean(out, s, bytes_of(text.data + start, text.len - start));
}

/* Lists with ", " between, what else is nested as JSON. */
static void show_nested(struct buf *out, const struct show *s, struct bytes value,
			const struct mp_value *v)
{
	struct mp_reader r = mp_reader_of(value);
	struct mp_value head;
	struct buf json = {0};

	if (v->type == MP_ARRAY && mp_next(&r, &head) == 1) {
		for (uint32_t i = 0; i < v->count; i++) {
			struct bytes item;
			if (mp_take(&r, &item) != 1)
				return;
			if (i)
				buf_put_str(out, ", ");
			cell_show(out, s, item, CELL_TEXT);
		}
		return;
	}
	if (cell_json(&json, value) == 0)
		put_clean(out, s, buf_bytes(&json));
	buf_release(&json);
}

static void show_number(struct buf *out, double n, const struct mp_value *v, enum cell_kind kind)
{
	char text[32];

	if (kind == CELL_RATIO)
		show_ratio(out, n);
	else if (kind == CELL_BYTES)
		show_bytes(out, (int64_t)n);
	else if (kind == CELL_MILLIS)
		show_millis(out, (int64_t)n);
	else if (kind == CELL_SECONDS && fabs(n) < 1e12)
		show_millis(out, (int64_t)(n * 1000));
	else if (kind == CELL_NUMBER && v->type == MP_INT)
		show_count(out, v->integer);
	else if (kind == CELL_NUMBER && v->type == MP_FLOAT && fabs(n) < 1e12)
		buf_printf(out, "%.2f", n);
	else if (v->type == MP_INT)
		buf_printf(out, "%lld", (long long)v->integer);
	else if (v->type == MP_UINT)
		buf_printf(out, "%llu", (unsigned long long)v->uinteger);
	else if (isfinite(n))
		buf_put(out, text, json_write_double(n, text));
}

/* Intercom's own id of nobody is 0. */
static void show_who(struct buf *out, const struct show *s, struct bytes source, struct bytes id,
		     enum cell_kind kind)
{
	struct bytes name = id;

	if (bytes_is(id, "0"))
		name = bytes_str("none");
	names_find(s->names, kind == CELL_TEAM ? NAMES_TEAMS : NAMES_ADMINS, source, id, &name);
	put_clean(out, s, name);
}

static void show_value(struct buf *out, const struct show *s, struct bytes source,
		       struct bytes value, enum cell_kind kind)
{
	struct mp_value v;

	if (!value.data || !mp_get(value, &v))
		return;
	switch (v.type) {
	case MP_NIL: return;
	case MP_BOOL: buf_put_str(out, v.boolean ? "yes" : kind == CELL_YES ? "" : "no"); return;
	case MP_STR:
		if (kind == CELL_TIME || (kind >= CELL_AGO && kind <= CELL_MONTH))
			show_when(out, s, v.str, kind);
		else if (kind == CELL_SNIPPET)
			show_snippet(out, s, v.str);
		else if (kind == CELL_ADMIN || kind == CELL_TEAM)
			show_who(out, s, source, v.str, kind);
		else
			put_clean(out, s, v.str);
		return;
	case MP_INT: show_number(out, (double)v.integer, &v, kind); return;
	case MP_UINT: show_number(out, (double)v.uinteger, &v, kind); return;
	case MP_FLOAT: show_number(out, v.real, &v, kind); return;
	default: show_nested(out, s, value, &v);
	}
}

void cell_show(struct buf *out, const struct show *s, struct bytes value, enum cell_kind kind)
{
	show_value(out, s, bytes_of(NULL, 0), value, kind);
}

void member_show(struct buf *out, const struct show *s, struct bytes map, const char *path,
		 enum cell_kind kind)
{
	show_value(out, s, member_str(map, "source"), member(map, path), kind);
}

static void raw_list(struct buf *out, struct bytes value, uint32_t count)
{
	struct mp_reader r = mp_reader_of(value);
	struct mp_value head;

	if (mp_next(&r, &head) != 1)
		return;
	for (uint32_t i = 0; i < count; i++) {
		struct bytes item;
		if (mp_take(&r, &item) != 1)
			return;
		if (i)
			buf_put_byte(out, ';');
		cell_raw(out, item);
	}
}

void cell_raw(struct buf *out, struct bytes value)
{
	struct mp_value v;

	if (!value.data || !mp_get(value, &v) || v.type == MP_NIL)
		return;
	if (v.type == MP_STR)
		buf_put_bytes(out, v.str);
	else if (v.type == MP_ARRAY)
		raw_list(out, value, v.count);
	else
		json_write(value, out);
}

/* U+007F to U+009F stand in strings only, so that escaping them changes nothing but the looks. */
static void escape_controls(struct buf *out, size_t start)
{
	struct buf escaped = {0};
	size_t at = start;

	for (size_t i = start; i < out->len; i++) {
		uint8_t a = out->data[i], b = i + 1 < out->len ? out->data[i + 1] : 0;
		bool c1 = a == 0xc2 && b >= 0x80 && b <= 0x9f;
		if (a != 0x7f && !c1)
			continue;
		buf_put(&escaped, out->data + at, i - at);
		buf_printf(&escaped, "\\u%04x", c1 ? b : a);
		i += c1;
		at = i + 1;
	}
	if (at > start) {
		buf_put(&escaped, out->data + at, out->len - at);
		out->len = start;
		buf_put_bytes(out, buf_bytes(&escaped));
		if (escaped.error)
			out->error = escaped.error;
	}
	buf_release(&escaped);
}

int cell_json(struct buf *out, struct bytes value)
{
	size_t start = out->len;
	int r = json_write(value, out);

	if (r < 0) {
		out->len = start;
		return r;
	}
	escape_controls(out, start);
	return out->error;
}
