/*
 * json_feed: JSON text to MessagePack while it arrives; the structure (json_string.c and
 * json_number.c are the leaves).
 *
 *   START -- BOM (lenient) --+
 *     |                      v
 *     +------------------> VALUE -- scalar -------------------------> AFTER -- end, nothing open: accepted
 *                          ^  |                                          ^ |  |
 *        '[' --> ITEM -----+  +-- '"' --> STRING --- closing quote ------+ |  +-- ']' or '}' --> AFTER
 *                  |          +-- digit -> NUMBER -- other character ----+ |
 *                  |          +-- t f n -> LITERAL - last letter --------+ +-- ',' --> VALUE or KEY
 *                  +-- ']' ----------------------------------------------+
 *        '{' --> PAIR -- '"' --> STRING as a key -- closing quote --> COLON -- ':' --> VALUE
 *                  +-- '}' ----------------------------------------------> AFTER
 *
 * Any other character, and whatever follows: FAILED, for good. White space stays where it is.
 *
 * No tree, no recursion, no allocation but the output's and a long number's. The result, the
 * error and its place are functions of the text alone: the same for every way of cutting it into
 * pieces. The output is never more than the finished values need.
 */
#include "json_state.h"

#include <stdlib.h>

struct json *json_new(enum json_mode mode, const struct json_limits *limits, struct buf *out)
{
	struct json_limits l = limits ? *limits : (struct json_limits){0};

	if (l.depth_max == 0)
		l.depth_max = JSON_DEPTH_USUAL;
	if (l.depth_max > JSON_DEPTH_MOST)
		l.depth_max = JSON_DEPTH_MOST;
	if (l.number_max == 0)
		l.number_max = JSON_NUMBER_USUAL;
	if (l.wide_depth == 0)
		l.wide_depth = JSON_WIDE_USUAL;
	struct json *j = malloc(sizeof(*j) + (l.depth_max + 1) * sizeof(j->frames[0]));
	if (!j)
		return NULL;
	*j = (struct json){.mode = mode, .limits = l};
	json_reset(j, out);
	return j;
}

void json_free(struct json *j)
{
	if (!j)
		return;
	buf_release(&j->number);
	free(j);
}

void json_reset(struct json *j, struct buf *out)
{
	j->out = out;
	j->stats = (struct json_stats){0};
	j->state = AT_START;
	j->bom = 0;
	j->error = 0;
	j->depth = 0;
	j->frames[0] = (struct frame){.kind = FRAME_TOP};
	buf_reset(&j->number);
}

const struct json_stats *json_stats(const struct json *j)
{
	return &j->stats;
}

static inline bool is_space(uint8_t b)
{
	return b == ' ' || b == '\n' || b == '\r' || b == '\t';
}

static const char *expected(const struct json *j)
{
	const struct frame *f = &j->frames[j->depth];

	switch (j->state) {
	case WANT_ITEM: return "a value or ']'";
	case WANT_KEY: return "a quoted key";
	case WANT_PAIR: return "a quoted key or '}'";
	case WANT_COLON: return "':'";
	case AFTER_VALUE:
		if (f->kind == FRAME_TOP)
			return "the end of the text";
		return f->kind == FRAME_MAP ? "',' or '}'" : "',' or ']'";
	default: return "a value";
	}
}

/* White space keeps the state, which is in j->state; anything else is what nobody expected here. */
static enum json_state skip_space(struct json *j, struct cursor *c)
{
	if (!is_space(*c->at))
		return json_fail(j, ERR_SYNTAX, json_offset(j, c->at), "expected %s", expected(j));
	while (c->at < c->end && is_space(*c->at))
		c->at++;
	return j->state;
}

/* A call that is not inlined gets a copy of the cursor, so that the loop's own has no address
 * and stays in registers. */
static ALWAYS_INLINE enum json_state aside(struct json *j, struct cursor *c,
					   enum json_state (*call)(struct json *, struct cursor *))
{
	struct cursor copy = *c;
	enum json_state next = call(j, &copy);

	*c = copy;
	return next;
}

static ALWAYS_INLINE enum json_state space(struct json *j, struct cursor *c, enum json_state state)
{
	j->state = state;
	return aside(j, c, skip_space);
}

static enum json_state open_container(struct json *j, struct cursor *c, enum frame_kind kind)
{
	if (j->depth == j->limits.depth_max)
		return json_fail(j, ERR_LIMIT, json_offset(j, c->at), "nested deeper than %u",
				 j->limits.depth_max);
	bool wide = j->depth < j->limits.wide_depth;
	size_t head = wide ? 5 : 1;
	if (!json_room(j, c, head))
		return FAILED;
	j->frames[++j->depth] = (struct frame){
		.mark = (size_t)(c->w - j->out->data), .kind = (uint8_t)kind, .wide = wide};
	c->w += head;
	c->at++;
	return kind == FRAME_MAP ? WANT_PAIR : WANT_ITEM;
}

static enum json_state open_map(struct json *j, struct cursor *c)
{
	return open_container(j, c, FRAME_MAP);
}

static enum json_state open_array(struct json *j, struct cursor *c)
{
	return open_container(j, c, FRAME_ARRAY);
}

/* Of a container that holds `count` items or pairs: its header gets its true size. */
static enum json_state close_container(struct json *j, struct cursor *c, uint64_t count)
{
	struct frame *f = &j->frames[j->depth];
	bool map = f->kind == FRAME_MAP;

	if (count > UINT32_MAX)
		return json_fail(j, ERR_LIMIT, json_offset(j, c->at), "over 2^32 items");
	size_t head = f->wide ? 1 : container_head_size((uint32_t)count);
	if (head > 1) {
		if (!json_room(j, c, head - 1))
			return FAILED;
		uint8_t *inside = j->out->data + f->mark + 1;
		memmove(inside + head - 1, inside, (size_t)(c->w - inside));
		c->w += head - 1;
	}
	if (f->wide)
		encode_container_wide(j->out->data + f->mark, (uint32_t)count, map);
	else
		encode_container_head(j->out->data + f->mark, (uint32_t)count, map);
	j->depth--;
	c->at++;
	return AFTER_VALUE;
}

static enum json_state close_empty(struct json *j, struct cursor *c)
{
	return close_container(j, c, 0);
}

static enum json_state close_full(struct json *j, struct cursor *c)
{
	return close_container(j, c, j->frames[j->depth].count + 1);
}

static enum json_state begin_string(struct json *j, struct cursor *c)
{
	enum json_state next = json_string_open(j, c);

	return next == IN_STRING ? json_string_run(j, c) : next;
}

/* At an opening quote. A string of up to 31 plain bytes, as most keys and values are, is done
 * in two blocks. */
static ALWAYS_INLINE enum json_state open_string(struct json *j, struct cursor *c, bool key)
{
	c->at++;
	if (c->end - c->at > 2 * SCAN_BLOCK && c->w_end - c->w > 2 * SCAN_BLOCK) {
		unsigned n = scan_copy_text(c->at, c->w + 1);
		if (n == SCAN_BLOCK)
			n += scan_copy_text(c->at + SCAN_BLOCK, c->w + 1 + SCAN_BLOCK);
		if (n < 2 * SCAN_BLOCK && c->at[n] == '"') {
			*c->w = (uint8_t)(0xa0 | n);
			c->w += 1 + n;
			c->at += n + 1;
			return key ? WANT_COLON : AFTER_VALUE;
		}
	}
	j->string.key = key;
	return aside(j, c, begin_string);
}

static enum json_state run_literal(struct json *j, struct cursor *c)
{
	while (*j->literal && c->at < c->end) {
		if (*c->at != (uint8_t)*j->literal)
			return json_fail(j, ERR_SYNTAX, json_offset(j, c->at), "expected a value");
		j->literal++;
		c->at++;
	}
	if (*j->literal)
		return IN_LITERAL;
	if (!json_room(j, c, 1))
		return FAILED;
	*c->w++ = j->literal_code;
	return AFTER_VALUE;
}

static ALWAYS_INLINE enum json_state open_literal(struct json *j, struct cursor *c,
						  const char *word, size_t len, uint8_t code)
{
	if (c->end - c->at >= 5 && c->w < c->w_end && memcmp(c->at, word, len) == 0) {
		c->at += len;
		*c->w++ = code;
		return AFTER_VALUE;
	}
	j->literal = word;
	j->literal_code = code;
	return aside(j, c, run_literal);
}

static ALWAYS_INLINE enum json_state on_value(struct json *j, struct cursor *c, enum json_state state)
{
	switch (*c->at) {
	case '"': return open_string(j, c, false);
	case '{': return aside(j, c, open_map);
	case '[': return aside(j, c, open_array);
	case '-':
	case '0':
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
	case '7':
	case '8':
	case '9': return aside(j, c, json_number_begin);
	case 't': return open_literal(j, c, "true", 4, 0xc3);
	case 'f': return open_literal(j, c, "false", 5, 0xc2);
	case 'n': return open_literal(j, c, "null", 4, 0xc0);
	case ']':
		if (state == WANT_ITEM)
			return aside(j, c, close_empty);
	}
	return space(j, c, state);
}

static ALWAYS_INLINE enum json_state on_key(struct json *j, struct cursor *c, enum json_state state)
{
	if (*c->at == '"')
		return open_string(j, c, true);
	if (*c->at == '}' && state == WANT_PAIR)
		return aside(j, c, close_empty);
	return space(j, c, state);
}

static ALWAYS_INLINE enum json_state on_colon(struct json *j, struct cursor *c)
{
	if (*c->at != ':')
		return space(j, c, WANT_COLON);
	c->at++;
	return WANT_VALUE;
}

static ALWAYS_INLINE enum json_state after_value(struct json *j, struct cursor *c)
{
	struct frame *f = &j->frames[j->depth];
	uint8_t b = *c->at;

	if (b == ',' && f->kind != FRAME_TOP) {
		f->count++;
		c->at++;
		return f->kind == FRAME_MAP ? WANT_KEY : WANT_VALUE;
	}
	if ((b == '}' && f->kind == FRAME_MAP) || (b == ']' && f->kind == FRAME_ARRAY))
		return aside(j, c, close_full);
	return space(j, c, AFTER_VALUE);
}

/* A byte order mark is not JSON, but some servers send one. */
static enum json_state at_start(struct json *j, struct cursor *c)
{
	static const uint8_t mark[3] = {0xef, 0xbb, 0xbf};

	if (j->mode == JSON_LENIENT && j->bom < sizeof(mark) && *c->at == mark[j->bom]) {
		j->bom++;
		c->at++;
		return AT_START;
	}
	if (j->bom % sizeof(mark))
		return json_fail(j, ERR_SYNTAX, json_offset(j, c->at), "expected a value");
	return WANT_VALUE;
}

static enum json_state turn(struct json *j, struct cursor *c)
{
	switch (j->state) {
	case AT_START: return at_start(j, c);
	case IN_STRING: return json_string_run(j, c);
	case IN_NUMBER: return json_number_run(j, c);
	case IN_LITERAL: return run_literal(j, c);
	default: return FAILED;
	}
}

static void run(struct json *j, struct cursor *outer)
{
	struct cursor c = *outer;
	enum json_state state = j->state;

	while (c.at < c.end && state != FAILED) {
		switch (state) {
		case WANT_VALUE:
		case WANT_ITEM: state = on_value(j, &c, state); break;
		case WANT_KEY:
		case WANT_PAIR: state = on_key(j, &c, state); break;
		case WANT_COLON: state = on_colon(j, &c); break;
		case AFTER_VALUE: state = after_value(j, &c); break;
		default: j->state = state; state = aside(j, &c, turn);
		}
	}
	*outer = c;
	j->state = state;
}

static int answer(const struct json *j, struct why *why)
{
	if (j->error && why)
		*why = j->why;
	return j->error;
}

int json_feed(struct json *j, const void *data, size_t len, struct why *why)
{
	struct cursor c;
	uint64_t left = j->limits.text_max ? j->limits.text_max - j->stats.bytes : UINT64_MAX;
	bool over = len > left;

	if (j->out->error && !j->error)
		j->state = json_fail(j, j->out->error, j->stats.bytes, "the output had failed before");
	if (j->error || len == 0)
		return answer(j, why);
	j->piece = data;
	c.at = data;
	c.end = c.at + (over ? (size_t)left : len);
	json_cursor_load(j, &c);
	run(j, &c);
	json_cursor_sync(j, &c);
	if (!j->error && over)
		j->state = json_fail(j, ERR_LIMIT, json_offset(j, c.at),
				     "a text of more than %zu bytes", j->limits.text_max);
	j->stats.bytes = json_offset(j, c.at);
	return answer(j, why);
}

int json_finish(struct json *j, struct why *why)
{
	static const uint8_t nothing[1];
	struct cursor c = {nothing, nothing, NULL, NULL};

	if (j->error)
		return answer(j, why);
	j->piece = nothing;
	json_cursor_load(j, &c);
	if (j->state == IN_NUMBER)
		j->state = json_number_end(j, &c);
	json_cursor_sync(j, &c);
	if (!j->error && (j->state != AFTER_VALUE || j->depth))
		j->state = json_fail(j, ERR_SYNTAX, j->stats.bytes,
				     j->state == AT_START ? "an empty text" : "the text is cut");
	return answer(j, why);
}

int json_to_msgpack(struct bytes text, enum json_mode mode, struct buf *out, struct why *why)
{
	size_t start = out->len;
	struct json *j = json_new(mode, NULL, out);

	if (!j)
		return why_set(why, ERR_NOMEM, "no memory for a JSON parser");
	int rc = json_feed(j, text.data, text.len, why);
	if (rc == 0)
		rc = json_finish(j, why);
	if (rc)
		out->len = start;
	json_free(j);
	return rc;
}
