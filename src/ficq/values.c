/*
 * values: see the header. The condition is not parsed, only looked through for a field, a sign and a value in a row; whatever may be meant otherwise than it looks
 * is passed over.
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

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_STRING, TOKEN_SIGN };

struct token {
	enum token_kind kind;
	struct bytes text; /* of a string: what stands between its quotes */
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
	struct token t = {TOKEN_STRING, bytes_of(rest->data + 1, n - 1)};
	*rest = behind(*rest, n < rest->len ? n + 1 : n);
	return t;
}

static struct token take_token(struct bytes *rest)
{
	*rest = behind(*rest, span_of(*rest, " \t\r\n", true));
	if (rest->len == 0)
		return (struct token){.kind = TOKEN_END};
	if (rest->data[0] == '"' || rest->data[0] == '\'')
		return take_string(rest);
	size_t n = span_of(*rest, BREAKS, false);
	enum token_kind kind = n ? TOKEN_WORD : TOKEN_SIGN;
	if (kind == TOKEN_SIGN)
		n = span_of(*rest, SIGNS, true);
	struct token t = {kind, bytes_of(rest->data, n ? n : 1)};
	*rest = behind(*rest, t.text.len);
	return t;
}

static bool is_word(struct token t, const char *word)
{
	return t.kind == TOKEN_WORD && t.text.len == strlen(word) &&
	       strncasecmp((const char *)t.text.data, word, t.text.len) == 0;
}

static bool is_sign(struct token t, const char *sign)
{
	return t.kind == TOKEN_SIGN && bytes_is(t.text, sign);
}

/* Whose values are texts that mean themselves, and rarely one for each record. */
static bool is_plain(struct bytes field)
{
	static const char *const others[] = {"id",    "parent", "merged_into", "contact",
					     "email", "phone",  "external_id"};
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

/* As it is meant: null is none, and a string with escapes is another one. */
static bool is_value(struct token t)
{
	if (t.kind == TOKEN_STRING)
		return t.text.len && !bytes_has(t.text, "\\");
	return t.kind == TOKEN_WORD && !is_word(t, "null");
}

struct looking {
	struct bytes rest;
	struct value_sought *out;
	size_t count;
};

static void note(struct looking *l, struct bytes field, struct token t, bool within)
{
	if (l->count < VALUES_MAX && is_value(t) && is_plain(field))
		l->out[l->count++] = (struct value_sought){field, t.text, within};
}

/* Behind `in`. */
static void note_list(struct looking *l, struct bytes field)
{
	struct token t = take_token(&l->rest);

	if (!is_sign(t, "("))
		return;
	do {
		t = take_token(&l->rest);
		note(l, field, t, false);
	} while (t.kind != TOKEN_END && !is_sign(t, ")"));
}

/* Behind a word that may be a field: what it is compared with. Returns what comes behind that. */
static struct token note_term(struct looking *l, struct bytes field)
{
	struct token t = take_token(&l->rest);

	if (is_word(t, "in")) {
		note_list(l, field);
	} else if (is_sign(t, "=") || is_word(t, "contains")) {
		bool within = t.kind == TOKEN_WORD;
		note(l, field, take_token(&l->rest), within);
	} else if (t.kind == TOKEN_SIGN && strchr(SIGNS, t.text.data[0])) {
		take_token(&l->rest);
	} else {
		return t;
	}
	return take_token(&l->rest);
}

size_t values_sought(struct bytes where, struct value_sought out[VALUES_MAX])
{
	struct looking l = {.rest = where, .out = out};
	struct token t = take_token(&l.rest);

	while (t.kind != TOKEN_END)
		t = t.kind == TOKEN_WORD ? note_term(&l, t.text) : take_token(&l.rest);
	return l.count;
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

/* False: it is no text, or there is no room for it. */
static bool add(struct values *held, struct bytes group, const struct value_sought *v)
{
	struct buf path = {0};
	struct mp_value value;

	buf_put_bytes(&path, v->field);
	struct bytes found = member(group, buf_text(&path));
	buf_release(&path);
	if (!found.data) /* that of those without one */
		return true;
	if (held->count == GROUPS_MAX || !mp_get(found, &value) || value.type != MP_STR ||
	    memchr(value.str.data, 0, value.str.len))
		return false;
	char *name = malloc(value.str.len + 1);
	if (!name)
		return false;
	memcpy(name, value.str.data, value.str.len);
	name[value.str.len] = 0;
	held->names[held->count++] = name;
	return true;
}

static bool add_all(struct values *held, struct bytes result, const struct value_sought *v)
{
	struct mp_reader r = mp_reader_of(member(result, "groups"));
	struct mp_value head;
	struct bytes group;
	int64_t found;

	if (mp_next(&r, &head) != 1 || head.type != MP_ARRAY ||
	    !member_int(result, "groups_found", &found) || found != head.count)
		return false;
	for (uint32_t i = 0; i < head.count; i++)
		if (mp_take(&r, &group) != 1 || !add(held, group, v))
			return false;
	held->names[held->count] = NULL;
	return held->count > 0;
}

/* Whatever the case, though the daemon is stricter with some fields: then it is at least held. */
static bool meets(const char *text, const struct value_sought *v)
{
	size_t len = strlen(text);

	if (!v->within && len != v->value.len)
		return false;
	for (; len >= v->value.len; text++, len--)
		if (strncasecmp(text, (const char *)v->value.data, v->value.len) == 0)
			return true;
	return false;
}

/* The daemon knows of more letters than this program which are the same. */
static bool is_ascii(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] >= 0x80)
			return false;
	return true;
}

static void put_clean(struct buf *out, const char *text, bool ascii)
{
	text_clean(out, bytes_str(text), TEXT_LINE, ascii);
}

static void put_near(struct buf *out, const struct values *held, struct bytes value, bool ascii)
{
	const char *near = suggest(value, (const char *const *)held->names);

	if (near) {
		buf_put_str(out, ": did you mean '");
		put_clean(out, near, ascii);
		buf_put_str(out, "'?");
		return;
	}
	for (size_t i = 0; held->count <= NAMED_MAX && i < held->count; i++) {
		buf_put_str(out, i == 0 ? ": there are " : i + 1 == held->count ? " and " : ", ");
		put_clean(out, held->names[i], ascii);
	}
}

enum values_verdict values_judge(struct bytes result, const struct value_sought *v, bool ascii,
				 struct buf *near)
{
	struct values held = {.count = 0};
	enum values_verdict verdict = VALUES_UNKNOWN;

	if (is_ascii(v->value) && add_all(&held, result, v)) {
		verdict = VALUES_LACKS;
		for (size_t i = 0; i < held.count; i++)
			if (meets(held.names[i], v))
				verdict = VALUES_HAS;
		if (verdict == VALUES_LACKS && near)
			put_near(near, &held, v->value, ascii);
	}
	release(&held);
	return verdict;
}

void values_say(struct buf *out, const struct value_sought *v, struct bytes resource, bool ascii)
{
	buf_put_byte(out, '\'');
	text_clean(out, v->value, TEXT_LINE, ascii);
	buf_put_str(out, v->within ? "' is in the " : "' is the ");
	text_clean(out, v->field, TEXT_LINE, ascii);
	buf_put_str(out, " of none of the ");
	text_clean(out, resource, TEXT_LINE, ascii);
	buf_put_str(out, " that are held");
}
