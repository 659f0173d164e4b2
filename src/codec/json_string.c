/*
 * json_string: the insides of a string, from any place a piece may begin to any place it may end.
 *
 *                  +-----------------------------+
 *                  v                             | last byte, or U+FFFD for what is ill-formed
 *   quote ---> PLAIN ---- byte over 0x7f ---> UTF8 (1 to 3 bytes missing)
 *     ^         |  ^
 *     +- quote -+  +-- \n and its kin, \uHHHH, second half ----+
 *               |                                              |
 *               +-- backslash --> ESCAPE --- u ---> HEX (4 digits missing)
 *                                    ^                | first half of a pair
 *                                    |                v
 *                                    |             LOW_SLASH -- backslash --> LOW_U -- u --> HEX
 *                                    |  not a u: alone                          |
 *                                    +------------------------------------------+
 *
 * What is written never exceeds what the finished string needs, so that the output's limit
 * strikes at the same text however it is cut. What lies whole inside a piece takes the short ways
 * (run_...), anything else the steps byte by byte (step_...).
 */
#include "json_state.h"

/* A longer header than the string will need is left room for only where it cannot pass the
 * output's limit. */
#define ROOM_GUESS       3
#define ROOM_GUESS_NEEDS (ROOM_GUESS + UINT8_MAX)

enum json_state json_string_open(struct json *j, struct cursor *c)
{
	const struct buf *out = j->out;
	size_t len = (size_t)(c->w - out->data);
	bool ample = out->max == 0 || (len < out->max && out->max - len >= ROOM_GUESS_NEEDS);
	uint8_t room = ample ? ROOM_GUESS : 1;

	if (!json_room(j, c, room))
		return FAILED;
	j->string = (struct json_string){.mark = len, .room = room, .key = j->string.key};
	c->w += room;
	return IN_STRING;
}

static enum json_state close_string(struct json *j, struct cursor *c)
{
	struct json_string *s = &j->string;
	size_t len = (size_t)(c->w - j->out->data) - s->mark - s->room;

	if (len > UINT32_MAX)
		return json_fail(j, ERR_LIMIT, json_offset(j, c->at), "a string over 4 GiB");
	size_t head = str_head_size((uint32_t)len);
	if (head > s->room && !json_room(j, c, head - s->room))
		return FAILED;
	uint8_t *mark = j->out->data + s->mark;
	if (head != s->room)
		memmove(mark + head, mark + s->room, len);
	encode_str_head(mark, (uint32_t)len);
	c->w = mark + head + len;
	return json_string_next(j);
}

static bool put(struct json *j, struct cursor *c, const void *data, size_t len)
{
	if (!json_room(j, c, len))
		return false;
	memcpy(c->w, data, len);
	c->w += len;
	return true;
}

static bool replace(struct json *j, struct cursor *c)
{
	j->stats.replaced++;
	return put(j, c, "\xef\xbf\xbd", 3);
}

static bool ill_formed(struct json *j, struct cursor *c)
{
	if (j->mode == JSON_LENIENT)
		return replace(j, c);
	json_fail(j, ERR_SYNTAX, json_offset(j, c->at), "a string is not valid UTF-8");
	return false;
}

static bool lone_surrogate(struct json *j, struct cursor *c)
{
	j->string.surrogate = 0;
	if (j->mode == JSON_LENIENT)
		return replace(j, c);
	json_fail(j, ERR_SYNTAX, json_offset(j, c->at), "an escape is half of a surrogate pair");
	return false;
}

static size_t encode_utf8(uint32_t point, uint8_t out[4])
{
	if (point < 0x80) {
		out[0] = (uint8_t)point;
		return 1;
	}
	if (point < 0x800) {
		out[0] = (uint8_t)(0xc0 | point >> 6);
		out[1] = (uint8_t)(0x80 | (point & 0x3f));
		return 2;
	}
	if (point < 0x10000) {
		out[0] = (uint8_t)(0xe0 | point >> 12);
		out[1] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
		out[2] = (uint8_t)(0x80 | (point & 0x3f));
		return 3;
	}
	out[0] = (uint8_t)(0xf0 | point >> 18);
	out[1] = (uint8_t)(0x80 | (point >> 12 & 0x3f));
	out[2] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
	out[3] = (uint8_t)(0x80 | (point & 0x3f));
	return 4;
}

static bool put_point(struct json *j, struct cursor *c, uint32_t point)
{
	uint8_t text[4];

	return put(j, c, text, encode_utf8(point, text));
}

/* Four hex digits are read. */
static bool take_unit(struct json *j, struct cursor *c)
{
	struct json_string *s = &j->string;
	uint32_t unit = s->unit;
	bool low = unit >= 0xdc00 && unit <= 0xdfff;

	s->state = STRING_PLAIN;
	if (s->surrogate && low) {
		uint32_t point = 0x10000 + ((s->surrogate - 0xd800u) << 10) + (unit - 0xdc00);
		s->surrogate = 0;
		return put_point(j, c, point);
	}
	if (s->surrogate && !lone_surrogate(j, c))
		return false;
	if (low)
		return lone_surrogate(j, c);
	if (unit >= 0xd800 && unit <= 0xdbff) {
		s->surrogate = (uint16_t)unit;
		s->state = STRING_LOW_SLASH;
		return true;
	}
	return put_point(j, c, unit);
}

static int hex_digit(uint8_t b)
{
	if (b >= '0' && b <= '9')
		return b - '0';
	b |= 0x20;
	return b >= 'a' && b <= 'f' ? b - 'a' + 10 : -1;
}

static bool step_hex(struct json *j, struct cursor *c)
{
	struct json_string *s = &j->string;
	int digit = hex_digit(*c->at);

	if (digit < 0) {
		json_fail(j, ERR_SYNTAX, json_offset(j, c->at), "expected a hexadecimal digit");
		return false;
	}
	s->unit = (uint16_t)(s->unit << 4 | digit);
	if (--s->more == 0 && !take_unit(j, c))
		return false;
	c->at++;
	return true;
}

/* What a character behind a backslash stands for; 0: nothing. */
static uint8_t escaped(uint8_t b)
{
	switch (b) {
	case '"':
	case '\\':
	case '/': return b;
	case 'b': return '\b';
	case 'f': return '\f';
	case 'n': return '\n';
	case 'r': return '\r';
	case 't': return '\t';
	default: return 0;
	}
}

static bool step_escape(struct json *j, struct cursor *c)
{
	struct json_string *s = &j->string;

	if (*c->at == 'u') {
		s->state = STRING_HEX;
		s->more = 4;
		s->unit = 0;
		c->at++;
		return true;
	}
	uint8_t plain = escaped(*c->at);
	if (!plain) {
		json_fail(j, ERR_SYNTAX, json_offset(j, c->at), "no such escape in a string");
		return false;
	}
	s->state = STRING_PLAIN;
	c->at++;
	return put(j, c, &plain, 1);
}

/* A byte that does not continue the sequence ends it (one U+FFFD for all of it, Unicode's
 * "maximal subpart") and is looked at anew. */
static bool step_utf8(struct json *j, struct cursor *c)
{
	struct json_string *s = &j->string;
	uint8_t b = *c->at;

	if (b < s->low || b > s->high) {
		c->w -= s->seen;
		s->state = STRING_PLAIN;
		return ill_formed(j, c);
	}
	if (!put(j, c, &b, 1))
		return false;
	c->at++;
	s->seen++;
	s->low = 0x80;
	s->high = 0xbf;
	if (--s->more == 0)
		s->state = STRING_PLAIN;
	return true;
}

static bool start_utf8(struct json *j, struct cursor *c)
{
	struct json_string *s = &j->string;
	struct utf8_lead lead = utf8_lead(*c->at);

	if (lead.more == 0) {
		if (!ill_formed(j, c))
			return false;
		c->at++;
		return true;
	}
	s->state = STRING_UTF8;
	s->more = lead.more;
	s->low = lead.low;
	s->high = lead.high;
	s->seen = 1;
	return put(j, c, c->at++, 1);
}

/* One byte in any state but PLAIN. A step that changes the state without taking the byte
 * leaves it to the next. */
static bool step(struct json *j, struct cursor *c)
{
	struct json_string *s = &j->string;

	switch (s->state) {
	case STRING_UTF8: return step_utf8(j, c);
	case STRING_ESCAPE: return step_escape(j, c);
	case STRING_HEX: return step_hex(j, c);
	case STRING_LOW_SLASH:
		s->state = *c->at == '\\' ? STRING_LOW_U : STRING_PLAIN;
		if (s->state == STRING_PLAIN)
			return lone_surrogate(j, c);
		c->at++;
		return true;
	case STRING_LOW_U: s->state = STRING_ESCAPE; return *c->at == 'u' || lone_surrogate(j, c);
	case STRING_PLAIN: break;
	}
	return true;
}

/* \uHHHH of the basic plane, all of it in the piece: the short way. False: take the long one. */
static ALWAYS_INLINE bool short_unit(struct json *j, struct cursor *c)
{
	int unit = 0;

	if (c->end - c->at < 6 || c->at[1] != 'u')
		return false;
	for (int i = 2; i < 6; i++) {
		int digit = hex_digit(c->at[i]);
		if (digit < 0)
			return false;
		unit = unit << 4 | digit;
	}
	if ((unit & 0xf800) == 0xd800 || !json_room(j, c, 3))
		return false;
	c->w += encode_utf8((uint32_t)unit, c->w);
	c->at += 6;
	return true;
}

/* At a backslash. */
static ALWAYS_INLINE bool run_escape(struct json *j, struct cursor *c)
{
	if (c->end - c->at >= 2 && c->w < c->w_end) {
		uint8_t plain = escaped(c->at[1]);
		if (plain) {
			*c->w++ = plain;
			c->at += 2;
			return true;
		}
		if (c->w_end - c->w >= 4 && short_unit(j, c))
			return true;
	}
	j->string.state = STRING_ESCAPE;
	c->at++;
	return true;
}

/* At a byte over 0x7f: as many well-formed sequences as follow. */
static ALWAYS_INLINE bool run_utf8(struct json *j, struct cursor *c)
{
	do {
		unsigned n = utf8_sequence(c->at, c->end);
		if (n == 0 || (size_t)(c->w_end - c->w) < n) {
			struct cursor copy = *c;
			bool ok = start_utf8(j, &copy);
			*c = copy;
			return ok;
		}
		for (unsigned i = 0; i < n; i++)
			*c->w++ = *c->at++;
	} while (c->at < c->end && *c->at >= 0x80);
	return true;
}

/* The run of plain bytes at hand: in blocks while both sides have room for them, else measured
 * first and copied exactly. */
static ALWAYS_INLINE bool run_plain(struct json *j, struct cursor *c)
{
	while (c->end - c->at >= SCAN_BLOCK && c->w_end - c->w >= SCAN_BLOCK) {
		unsigned n = scan_copy_text(c->at, c->w);
		c->at += n;
		c->w += n;
		if (n < SCAN_BLOCK)
			return true;
	}
	const uint8_t *p = c->at;
	while (p < c->end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\')
		p++;
	size_t n = (size_t)(p - c->at);
	if (n == 0)
		return true;
	if (!json_room(j, c, n))
		return false;
	memcpy(c->w, c->at, n);
	c->w += n;
	c->at = p;
	return true;
}

static bool step_copied(struct json *j, struct cursor *c)
{
	struct cursor copy = *c;
	bool ok = step(j, &copy);

	*c = copy;
	return ok;
}

enum json_state json_string_run(struct json *j, struct cursor *outer)
{
	struct cursor c = *outer;
	enum json_state next = IN_STRING;
	bool ok = true;

	while (ok && c.at < c.end) {
		if (j->string.state != STRING_PLAIN) {
			ok = step_copied(j, &c);
			continue;
		}
		ok = run_plain(j, &c);
		if (!ok || c.at == c.end)
			break;
		uint8_t b = *c.at;
		if (b == '"') {
			struct cursor copy = c;
			next = close_string(j, &copy);
			c = copy;
			c.at++;
			break;
		}
		if (b == '\\') {
			ok = run_escape(j, &c);
		} else if (b >= 0x80) {
			ok = run_utf8(j, &c);
		} else if (b < 0x20) {
			json_fail(j, ERR_SYNTAX, json_offset(j, c.at),
				  "a raw control character in a string");
			ok = false;
		}
	}
	*outer = c;
	return ok ? next : FAILED;
}
