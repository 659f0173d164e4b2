/*
 * rpc: requests, answers and notifications, taken from a stream and given to one.
 *
 * Bytes from outside can only produce an error. Nothing here opens, reads or writes a socket, and nothing is remembered between
 * calls: a connection's state is its encoding and the bytes that its owner keeps.
 */
#include <wire/rpc.h>

#include "frame.h"

#include <codec/json.h>
#include <codec/msgpack.h>

#include <limits.h>

/* --- taking a message from a stream --- */

/* A MessagePack map opens a MessagePack connection: no JSON text begins with such a byte (they are UTF-8 continuations or beyond U+0780, and
 * outside strings JSON is ASCII). */
static enum wire_encoding encoding_of(uint8_t first)
{
	if ((first & 0xf0) == 0x80 || first == 0xde || first == 0xdf)
		return WIRE_MSGPACK;
	return WIRE_JSON;
}

/* An array of MessagePack: nothing that begins a line of JSON, either, and no line would ever end. */
static bool is_other_msgpack(uint8_t first)
{
	return (first & 0xf0) == 0x90 || first == 0xdc || first == 0xdd;
}

static bool blank(struct bytes line)
{
	for (size_t i = 0; i < line.len; i++)
		if (line.data[i] != ' ' && line.data[i] != '\t' && line.data[i] != '\r')
			return false;
	return true;
}

/* What messages may be, and the parser of the caller's (NULL: one is made for each). */
struct taking {
	const struct wire_limits *limits;
	struct json *parser;
};

static struct json *make_parser(const struct wire_limits *limits, struct buf *message)
{
	struct json_limits l = {.depth_max = limits->depth_max, .text_max = limits->bytes_max};

	return json_new(JSON_STRICT, &l, message);
}

static int transcode(const struct taking *t, struct bytes line, struct buf *message, struct why *why)
{
	struct json *j = t->parser;

	if (j)
		json_reset(j, message);
	else if (!(j = make_parser(t->limits, message)))
		return why_set(why, ERR_NOMEM, "out of memory");
	int r = json_feed(j, line.data, line.len, why);
	if (r == 0)
		r = json_finish(j, why);
	if (!t->parser)
		json_free(j);
	if (r == 0 && message->error)
		r = why_set(why, message->error, "the message does not fit into memory");
	return r < 0 ? r : 1;
}

static int take_json(const struct taking *t, struct bytes input, struct buf *message,
		     size_t *used_out, struct why *why)
{
	size_t at = 0, max = t->limits->bytes_max;

	for (;;) {
		struct bytes rest = bytes_of(input.data + at, input.len - at);
		const uint8_t *end = rest.len ? memchr(rest.data, '\n', rest.len) : NULL;
		size_t len = end ? (size_t)(end - rest.data) : rest.len;
		if (len > max) {
			*used_out = at + len + (end != NULL);
			return why_set(why, ERR_LIMIT, "the line is longer than %zu bytes", max);
		}
		if (!end) {
			*used_out = at;
			return 0;
		}
		at += len + 1;
		struct bytes line = bytes_of(rest.data, len);
		if (blank(line))
			continue;
		*used_out = at;
		return transcode(t, line, message, why);
	}
}

static int take_msgpack(const struct wire_limits *limits, struct bytes input, struct buf *message,
			size_t *used_out, struct why *why)
{
	size_t len;
	int r = frame_msgpack(input, limits, &len, why);

	*used_out = r < 0 ? input.len : 0;
	if (r <= 0)
		return r;
	if (mp_check(bytes_of(input.data, len)) < 0) {
		*used_out = input.len;
		return why_set(why, ERR_SYNTAX, "a text in the message is not UTF-8");
	}
	buf_put(message, input.data, len);
	if (message->error) {
		*used_out = input.len;
		return why_set(why, message->error, "the message does not fit into memory");
	}
	*used_out = len;
	return 1;
}

static int take(const struct taking *t, struct bytes input, enum wire_encoding *encoding,
		struct buf *message, size_t *used_out, struct why *why)
{
	buf_reset(message);
	*used_out = 0;
	if (input.len == 0)
		return 0;
	if (*encoding == WIRE_UNKNOWN)
		*encoding = encoding_of(input.data[0]);
	if (is_other_msgpack(input.data[0]) && *encoding == WIRE_JSON) {
		*used_out = input.len;
		return why_set(why, ERR_INVALID,
			       "the first byte is that of a MessagePack array: a request is a map");
	}
	if (*encoding == WIRE_MSGPACK)
		return take_msgpack(t->limits, input, message, used_out, why);
	return take_json(t, input, message, used_out, why);
}

int wire_take_within(const struct wire_limits *limits, struct bytes input,
		     enum wire_encoding *encoding, struct buf *message, size_t *used_out,
		     struct why *why)
{
	const struct taking t = {limits, NULL};

	return take(&t, input, encoding, message, used_out, why);
}

static const struct wire_limits requests = {WIRE_MESSAGE_MAX, WIRE_DEPTH_MAX};

int wire_take(struct json *parser, struct bytes input, enum wire_encoding *encoding,
	      struct buf *message, size_t *used_out, struct why *why)
{
	const struct taking t = {&requests, parser};

	return take(&t, input, encoding, message, used_out, why);
}

struct json *wire_parser(void)
{
	return make_parser(&requests, NULL);
}

int wire_give(enum wire_encoding encoding, struct bytes message, struct buf *out)
{
	size_t before = out->len;

	if (encoding == WIRE_MSGPACK) {
		buf_put_bytes(out, message);
		return out->error;
	}
	int r = json_write(message, out);
	buf_put_byte(out, '\n');
	if (r == 0)
		r = out->error;
	/* Half a line would be taken for the start of the next one. */
	if (r < 0)
		out->len = before;
	return r;
}

static const uint8_t mp_nil_bytes[] = {0xc0};

static struct bytes nil_bytes(void)
{
	return bytes_of(mp_nil_bytes, sizeof mp_nil_bytes);
}

static void put_nullable(struct buf *out, struct bytes whole)
{
	if (whole.data)
		buf_put_bytes(out, whole);
	else
		mp_put_nil(out);
}

static void put_frame(struct buf *out, uint32_t fields)
{
	mp_put_map(out, 1 + fields);
	mp_put_cstr(out, "jsonrpc");
	mp_put_cstr(out, "2.0");
}

static void put_result_head(struct buf *out, struct bytes id)
{
	put_frame(out, 2);
	mp_put_cstr(out, "id");
	put_nullable(out, id);
	mp_put_cstr(out, "result");
}

void wire_join(const struct json_piece *pieces, size_t count, struct buf *out)
{
	for (size_t i = 0; i < count; i++) {
		if (pieces[i].array)
			mp_put_array(out, pieces[i].values);
		buf_put_bytes(out, pieces[i].bytes);
	}
}

int wire_give_result(enum wire_encoding encoding, struct bytes id, const struct json_piece *result,
		     size_t count, struct buf *out)
{
	size_t before = out->len;

	if (encoding == WIRE_MSGPACK) {
		put_result_head(out, id);
		wire_join(result, count, out);
		return out->error;
	}
	buf_put_str(out, "{\"jsonrpc\":\"2.0\",\"id\":");
	int r = json_write(id.data ? id : nil_bytes(), out);
	buf_put_str(out, ",\"result\":");
	if (r == 0)
		r = json_write_pieces(result, count, out);
	buf_put_str(out, "}\n");
	if (r == 0)
		r = out->error;
	if (r < 0)
		out->len = before;
	return r;
}

/* --- reading a message --- */

/* The fields of a message, each where it comes first. */
enum { FIELD_JSONRPC, FIELD_ID, FIELD_METHOD, FIELD_PARAMS, FIELD_RESULT, FIELD_ERROR, FIELDS };

#define NAME(text)                                        \
	{                                                 \
		(const uint8_t *)(text), sizeof(text) - 1 \
	}
static const struct bytes field_names[FIELDS] = {NAME("jsonrpc"), NAME("id"),     NAME("method"),
						 NAME("params"),  NAME("result"), NAME("error")};
#undef NAME

struct fields {
	struct bytes whole[FIELDS]; /* {NULL, 0}: not met */
	int rest;                   /* what is said of those: 0 they are not there, or an error */
};

static void note_field(struct fields *f, struct bytes name, struct bytes whole)
{
	for (unsigned i = 0; i < FIELDS; i++) {
		if (!bytes_equal(name, field_names[i]))
			continue;
		if (!f->whole[i].data)
			f->whole[i] = whole;
		return;
	}
}

/* A key; one that is no text has no data. */
static bool take_key(struct mp_reader *r, struct bytes *name_out)
{
	struct mp_reader from = *r;
	struct mp_value key;

	*name_out = (struct bytes){NULL, 0};
	if (mp_next(r, &key) != 1)
		return false;
	if (key.type == MP_STR) {
		*name_out = key.str;
		return true;
	}
	*r = from;
	return mp_skip(r) == 1;
}

/* All in one pass. */
static void find_fields(struct bytes message, struct fields *f)
{
	struct mp_reader r = mp_reader_of(message);
	struct mp_value head;
	struct bytes name, value;

	*f = (struct fields){.rest = mp_next(&r, &head)};
	if (f->rest != 1)
		return;
	f->rest = 0;
	for (uint32_t i = 0; head.type == MP_MAP && i < head.count; i++) {
		if (!take_key(&r, &name) || mp_take(&r, &value) != 1) {
			f->rest = ERR_CORRUPT;
			return;
		}
		if (name.data)
			note_field(f, name, value);
	}
}

/* 1 and the value, 0 when there is none, or an error. */
static int field_value(const struct fields *f, unsigned i, struct mp_value *value)
{
	if (!f->whole[i].data)
		return f->rest;
	return mp_get(f->whole[i], value) ? 1 : ERR_CORRUPT;
}

/* Says what is wrong with the frame that all messages share. */
static int check_object(struct bytes message, const struct fields *f, struct why *why)
{
	struct mp_value v;

	if (!mp_get(message, &v))
		return why_set(why, ERR_INVALID, "empty message");
	if (v.type == MP_ARRAY)
		return why_set(why, ERR_INVALID, "batches are not taken: send one object at a time");
	if (v.type != MP_MAP)
		return why_set(why, ERR_INVALID, "a message is an object");
	if (field_value(f, FIELD_JSONRPC, &v) != 1 || v.type != MP_STR || !bytes_is(v.str, "2.0"))
		return why_set(why, ERR_INVALID, "\"jsonrpc\" must be \"2.0\"");
	return 0;
}

static bool id_valid(const struct mp_value *v)
{
	return v->type == MP_STR || v->type == MP_INT || v->type == MP_UINT || v->type == MP_NIL;
}

/* 1 an id, 0 none, ERR_INVALID. Looked for first, so that whatever else is wrong can be answered. */
static int find_id(const struct fields *f, struct bytes *id_out)
{
	struct mp_value v;
	int r = field_value(f, FIELD_ID, &v);

	*id_out = nil_bytes();
	if (r <= 0)
		return r < 0 ? ERR_INVALID : 0;
	if (!id_valid(&v))
		return ERR_INVALID;
	*id_out = f->whole[FIELD_ID];
	return 1;
}

static int find_params(const struct fields *f, struct bytes *params_out, struct why *why)
{
	struct mp_value v;
	int r = field_value(f, FIELD_PARAMS, &v);

	*params_out = (struct bytes){NULL, 0};
	if (r < 0 || (r == 1 && v.type != MP_MAP && v.type != MP_ARRAY && v.type != MP_NIL))
		return why_set(why, ERR_INVALID, "\"params\" must be an object or an array");
	if (r == 1 && v.type != MP_NIL)
		*params_out = f->whole[FIELD_PARAMS];
	return 0;
}

int rpc_request_parse(struct bytes message, struct rpc_request *out, struct why *why)
{
	struct fields f;
	struct mp_value v;

	*out = (struct rpc_request){0};
	find_fields(message, &f);
	int id = find_id(&f, &out->id);
	if (check_object(message, &f, why) < 0)
		return ERR_INVALID;
	if (id < 0)
		return why_set(why, ERR_INVALID, "\"id\" must be a text, an integer or null");
	if (field_value(&f, FIELD_METHOD, &v) != 1 || v.type != MP_STR)
		return why_set(why, ERR_INVALID, "\"method\" must be a text");
	out->method = v.str;
	out->notification = id == 0;
	return find_params(&f, &out->params, why);
}

static int parse_error(struct bytes error, struct rpc_response *out, struct why *why)
{
	int64_t code;

	if (!mp_find_int(error, "code", &code) || code < INT_MIN || code > INT_MAX ||
	    !mp_find_str(error, "message", &out->error_message))
		return why_set(why, ERR_INVALID, "an error without code and message");
	out->code = (int)code;
	if (mp_find(error, bytes_str("data"), &out->error_data) != 1)
		out->error_data = (struct bytes){NULL, 0};
	return 0;
}

int rpc_response_parse(struct bytes message, struct rpc_response *out, struct why *why)
{
	struct fields f;
	struct mp_value v;

	*out = (struct rpc_response){0};
	find_fields(message, &f);
	if (check_object(message, &f, why) < 0)
		return ERR_INVALID;
	int id = find_id(&f, &out->id);
	int method = field_value(&f, FIELD_METHOD, &v);
	if (method == 1 && id == 0 && v.type == MP_STR) {
		out->method = v.str;
		return find_params(&f, &out->params, why);
	}
	if (id != 1 || method != 0)
		return why_set(why, ERR_INVALID, "an answer without an id");
	int result = field_value(&f, FIELD_RESULT, &v), error = field_value(&f, FIELD_ERROR, &v);
	if (result < 0 || error < 0 || (result == 1) == (error == 1))
		return why_set(why, ERR_INVALID, "an answer has either a result or an error");
	out->result = f.whole[FIELD_RESULT];
	return error == 1 ? parse_error(f.whole[FIELD_ERROR], out, why) : 0;
}

/* --- writing a message --- */

static void put_call(struct buf *out, const char *method, struct bytes params)
{
	mp_put_cstr(out, "method");
	mp_put_cstr(out, method);
	if (!params.data)
		return;
	mp_put_cstr(out, "params");
	buf_put_bytes(out, params);
}

void rpc_put_request(struct buf *out, int64_t id, const char *method, struct bytes params)
{
	put_frame(out, params.data ? 3 : 2);
	mp_put_cstr(out, "id");
	mp_put_int(out, id);
	put_call(out, method, params);
}

void rpc_put_result(struct buf *out, struct bytes id, struct bytes result)
{
	put_result_head(out, id);
	put_nullable(out, result);
}

/* Of the character that begins at `at`, how many bytes should be there, and how many are. */
static size_t character(const char *at, size_t *there_out)
{
	uint8_t first = (uint8_t)*at;
	size_t n = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	size_t there = 1;

	while (there < n && ((uint8_t)at[there] & 0xc0) == 0x80)
		there++;
	*there_out = there;
	return n;
}

/* Words that show what they are about cut it, perhaps within a character: what is left of that is left out. */
static void put_words(struct buf *out, const char *words)
{
	struct buf whole = {0};

	for (size_t there; *words; words += there)
		if (character(words, &there) == there)
			buf_put(&whole, words, there);
	if (whole.error)
		out->error = whole.error;
	mp_put_str(out, buf_bytes(&whole));
	buf_release(&whole);
}

static void put_error_data(struct buf *out, const char *reason, const char *hint)
{
	mp_put_cstr(out, "data");
	mp_put_map(out, (uint32_t)((reason != NULL) + (hint != NULL)));
	if (reason) {
		mp_put_cstr(out, "reason");
		mp_put_cstr(out, reason);
	}
	if (hint) {
		mp_put_cstr(out, "hint");
		put_words(out, hint);
	}
}

void rpc_put_error(struct buf *out, struct bytes id, int code, const char *message,
		   const char *reason, const char *hint)
{
	put_frame(out, 2);
	mp_put_cstr(out, "id");
	put_nullable(out, id);
	mp_put_cstr(out, "error");
	mp_put_map(out, reason || hint ? 3 : 2);
	mp_put_cstr(out, "code");
	mp_put_int(out, code);
	mp_put_cstr(out, "message");
	put_words(out, message ? message : rpc_code_name(code));
	if (reason || hint)
		put_error_data(out, reason, hint);
}

void rpc_put_notification(struct buf *out, const char *method, struct bytes params)
{
	put_frame(out, params.data ? 2 : 1);
	put_call(out, method, params);
}

const char *rpc_code_name(int code)
{
	static const struct {
		int code;
		const char *name;
	} names[] = {
		{RPC_PARSE, "parse_error"},
		{RPC_INVALID_REQUEST, "invalid_request"},
		{RPC_NO_METHOD, "no_method"},
		{RPC_INVALID_PARAMS, "invalid_params"},
		{RPC_INTERNAL, "internal"},
		{RPC_NOT_FOUND, "not_found"},
		{RPC_CONFLICT, "conflict"},
		{RPC_UNAVAILABLE, "unavailable"},
		{RPC_RATE_LIMITED, "rate_limited"},
		{RPC_FORBIDDEN, "forbidden"},
		{RPC_STALE, "stale"},
		{RPC_BUSY, "busy"},
		{RPC_BAD_EXPRESSION, "bad_expression"},
		{RPC_CANCELED, "canceled"},
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].code == code)
			return names[i].name;
	return "error";
}
