/*
 * values: see the header. The condition is not parsed, only looked through for three words in a row: what is read wrongly here is no field, which the daemon says, and
 * nobody is told of.
 */
#include "values.h"

#include "cell.h"
#include "columns.h"
#include "text.h"

#include <base/suggest.h>
#include <codec/msgpack.h>

#include <stdlib.h>
#include <strings.h>

#define GROUPS_MAX 200 /* of more values nobody has an overview */
#define NAMED_MAX  8
#define SOON_MS    500
#define SIGNS      "=!<>~"
#define BREAKS     " \t\r\n(),=!<>~"

/* ---- looking through ---- */

struct token {
	struct bytes text; /* of a string: without quotes; empty: the end */
	bool word;         /* or a string: no sign */
};

static size_t span_of(struct bytes at, const char *set, bool in)
{
	size_t n = 0;

	while (n < at.len && at.data[n] && !strchr(set, at.data[n]) != in)
		n++;
	return n;
}

static struct bytes behind(struct bytes at, size_t n)
{
	return bytes_of(at.data + n, at.len - n);
}

static struct token take_string(struct bytes *rest)
{
	uint8_t quote = rest->data[0];
	size_t n = 1;

	while (n < rest->len && rest->data[n] != quote)
		n += rest->data[n] == '\\' && n + 1 < rest->len ? 2 : 1;
	struct token t = {bytes_of(rest->data + 1, n - 1), true};
	*rest = behind(*rest, n < rest->len ? n + 1 : n);
	return t;
}

static struct token take_token(struct bytes *rest)
{
	*rest = behind(*rest, span_of(*rest, " \t\r\n", true));
	if (rest->len == 0)
		return (struct token){.word = false};
	if (rest->data[0] == '"' || rest->data[0] == '\'')
		return take_string(rest);
	size_t n = span_of(*rest, BREAKS, false);
	bool word = n > 0;
	if (!word)
		n = span_of(*rest, SIGNS, true);
	struct token t = {bytes_of(rest->data, n ? n : 1), word};
	*rest = behind(*rest, t.text.len);
	return t;
}

/* Whose values are texts, and mean themselves. */
static bool is_plain(struct bytes field)
{
	static const char *const others[] = {"id", "parent", "merged_into", "contact"};
	char name[64];

	/* A path into the document is no member of a group. */
	if (field.len == 0 || field.len >= sizeof name || bytes_has(field, "."))
		return false;
	memcpy(name, field.data, field.len);
	name[field.len] = 0;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (strcmp(others[i], name) == 0)
			return false;
	return columns_kind(name) == CELL_TEXT;
}

size_t values_sought(struct bytes where, struct value_sought out[VALUES_MAX])
{
	struct bytes rest = where, field = {NULL, 0};
	bool within = false, awaited = false, several = false;
	size_t n = 0;

	for (;;) {
		struct token t = take_token(&rest);
		if (t.text.len == 0 && !t.word)
			return n;
		if (awaited && t.word) {
			if (n < VALUES_MAX && t.text.len && is_plain(field))
				out[n++] = (struct value_sought){field, t.text, within};
			awaited = several;
		} else if (awaited && (bytes_is(t.text, "(") || bytes_is(t.text, ","))) {
			continue;
		} else {
			several = t.word && bytes_is(t.text, "in");
			within = t.word && bytes_is(t.text, "contains");
			awaited = several || within || (!t.word && bytes_is(t.text, "="));
			if (!awaited && t.word)
				field = t.text;
		}
	}
}

/* ---- asking ---- */

void values_ask(struct params *p, const struct value_sought *v)
{
	struct buf field = {0};

	buf_put_bytes(&field, v->field);
	params_list(p, "group_by", buf_text(&field));
	params_int(p, "limit", GROUPS_MAX);
	params_int(p, "timeout_ms", SOON_MS);
	buf_release(&field);
}

/* ---- judging ---- */

struct values {
	char *names[GROUPS_MAX + 1]; /* ended by NULL */
	size_t count;
};

static void release(struct values *held)
{
	while (held->count)
		free(held->names[--held->count]);
}

static bool has_part(const char *text, struct bytes part)
{
	for (; strlen(text) >= part.len; text++)
		if (strncasecmp(text, (const char *)part.data, part.len) == 0)
			return true;
	return false;
}

static bool meets(const char *text, const struct value_sought *v)
{
	return v->within ? has_part(text, v->value)
			 : strlen(text) == v->value.len &&
				   strncasecmp(text, (const char *)v->value.data, v->value.len) == 0;
}

/* False: it is no text, or there is no room for it. */
static bool add(struct values *held, struct bytes group, const struct value_sought *v, bool ascii)
{
	struct buf path = {0}, clean = {0};
	struct mp_value value;

	buf_put_bytes(&path, v->field);
	struct bytes found = member(group, buf_text(&path));
	buf_release(&path);
	if (!found.data) /* that of those without one */
		return true;
	if (held->count == GROUPS_MAX || !mp_get(found, &value) || value.type != MP_STR)
		return false;
	text_clean(&clean, value.str, TEXT_LINE, ascii);
	held->names[held->count] = strdup(buf_text(&clean));
	buf_release(&clean);
	return held->names[held->count++] != NULL;
}

static bool add_all(struct values *held, struct bytes result, const struct value_sought *v, bool ascii)
{
	struct mp_reader r = mp_reader_of(member(result, "groups"));
	struct mp_value head;
	struct bytes group;
	int64_t found;

	if (mp_next(&r, &head) != 1 || head.type != MP_ARRAY ||
	    !member_int(result, "groups_found", &found) || found != head.count)
		return false;
	for (uint32_t i = 0; i < head.count; i++)
		if (mp_take(&r, &group) != 1 || !add(held, group, v, ascii))
			return false;
	held->names[held->count] = NULL;
	return true;
}

static void put_near(struct buf *out, const struct values *held, struct bytes value)
{
	const char *near = suggest(value, (const char *const *)held->names);

	if (near) {
		buf_printf(out, ": did you mean '%s'?", near);
		return;
	}
	for (size_t i = 0; held->count <= NAMED_MAX && i < held->count; i++)
		buf_printf(out, "%s%s",
			   i == 0                 ? ": there are "
			   : i + 1 == held->count ? " and "
						  : ", ",
			   held->names[i]);
}

enum values_verdict values_judge(struct bytes result, const struct value_sought *v, bool ascii,
				 struct buf *near)
{
	struct values held = {.count = 0};
	enum values_verdict verdict = VALUES_UNKNOWN;

	if (add_all(&held, result, v, ascii)) {
		verdict = VALUES_LACKS;
		for (size_t i = 0; i < held.count; i++)
			if (meets(held.names[i], v))
				verdict = VALUES_HAS;
		if (verdict == VALUES_LACKS && near)
			put_near(near, &held, v->value);
	}
	release(&held);
	return verdict;
}

void values_say(struct buf *out, const struct value_sought *v, struct bytes resource, bool ascii)
{
	buf_put_byte(out, '\'');
	text_clean(out, v->value, TEXT_LINE, ascii);
	buf_put_str(out, v->within ? "' is among the " : "' is the ");
	text_clean(out, v->field, TEXT_LINE, ascii);
	buf_put_str(out, " of none of the ");
	text_clean(out, resource, TEXT_LINE, ascii);
}
