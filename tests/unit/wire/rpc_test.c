/* rpc: framing in pieces of any size, both encodings, the specification's examples, and what must be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "skip.h"

#include <base/files.h>
#include <codec/json.h>
#include <codec/msgpack.h>
#include <wire/rpc.h>

#define CORPUS "../shared/corpora/jsonrpc/examples-jsonrpcserver.json"

/* What one message became: its JSON, compact. The caller frees. */
static char *json_of(struct buf *message)
{
	struct buf out = {0};

	assert_int_equal(json_write(buf_bytes(message), &out), 0);
	char *text = strdup(buf_text(&out));
	buf_release(&out);
	return text;
}

static void mp_of(const char *json, struct buf *out)
{
	struct why why;

	buf_reset(out);
	assert_int_equal(json_to_msgpack(bytes_str(json), JSON_STRICT, out, &why), 0);
}

/* Takes all messages of a stream that arrives in pieces; their JSON, one a line. */
static char *take_all(const char *data, size_t len, size_t piece, enum wire_encoding *encoding)
{
	struct buf message = {0}, all = {0};
	size_t start = 0, seen = 0, used;
	int r = 0;

	*encoding = WIRE_UNKNOWN;
	while (seen < len || r == 1) {
		struct why why;
		if (r == 0)
			seen = len - seen < piece ? len : seen + piece;
		r = wire_take(NULL, bytes_of(data + start, seen - start), encoding, &message, &used,
			      &why);
		start += used;
		if (r == 1) {
			char *text = json_of(&message);
			buf_printf(&all, "%s\n", text);
			free(text);
		} else if (r < 0) {
			buf_printf(&all, "%s\n", err_name(r));
			r = 1;
			if (*encoding == WIRE_MSGPACK)
				break;
		}
	}
	char *text = strdup(buf_text(&all));
	buf_release(&message);
	buf_release(&all);
	return text;
}

static const char lines[] =
	"\n\r\n  \t\r\n"
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}\n"
	"\n"
	"{ \"jsonrpc\" : \"2.0\", \"id\" : \"\xc3\xa9\", \"method\" : \"get\", \"params\" : [1, -2.5, null] }\r\n"
	"{oops}\n"
	"[1]\n"
	"7\n"
	"{\"a\":\"cut";

static void json_in_pieces(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < sizeof lines; piece++) {
		enum wire_encoding encoding;
		char *text = take_all(lines, sizeof lines - 1, piece, &encoding);
		assert_string_equal(
			text,
			"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}\n"
			"{\"jsonrpc\":\"2.0\",\"id\":\"\xc3\xa9\",\"method\":\"get\",\"params\":[1,-2.5,null]}\n"
			"syntax\n[1]\n7\n");
		assert_int_equal(encoding, WIRE_JSON);
		free(text);
	}
}

static void msgpack_in_pieces(void **state)
{
	struct buf stream = {0}, one = {0};

	(void)state;
	rpc_put_request(&stream, 1, "status", (struct bytes){NULL, 0});
	mp_of("{\"resource\":\"conversations\",\"limit\":70000,\"x\":[1.5,null,true,-1,-40000,\"\xe2\x82\xac\"]}",
	      &one);
	rpc_put_request(&stream, 1 << 20, "query", buf_bytes(&one));
	rpc_put_notification(&stream, "bye", (struct bytes){NULL, 0});
	for (size_t piece = 1; piece <= stream.len; piece++) {
		enum wire_encoding encoding;
		char *text = take_all((const char *)stream.data, stream.len, piece, &encoding);
		assert_string_equal(
			text,
			"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}\n"
			"{\"jsonrpc\":\"2.0\",\"id\":1048576,\"method\":\"query\",\"params\":{\"resource\":\"conversations\","
			"\"limit\":70000,\"x\":[1.5,null,true,-1,-40000,\"\xe2\x82\xac\"]}}\n"
			"{\"jsonrpc\":\"2.0\",\"method\":\"bye\"}\n");
		assert_int_equal(encoding, WIRE_MSGPACK);
		free(text);
	}
	buf_release(&stream);
	buf_release(&one);
}

static int take_once(const void *data, size_t len, size_t *used)
{
	enum wire_encoding encoding = WIRE_UNKNOWN;
	struct buf message = {0};
	struct why why = {""};
	int r = wire_take(NULL, bytes_of(data, len), &encoding, &message, used, &why);

	if (r < 0)
		assert_true(why.text[0] != 0);
	buf_release(&message);
	return r;
}

/* One parser for all gives what one for each gives, whatever came before. */
static void a_parser_serves_for_many(void **state)
{
	static const char *const taken[] = {
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}\n",
		"{oops}\n",
		"{\"a\":\"cut\n",
		"[[[[1.2345678901234567890123456789e10]]]]\n",
		"{\"a\":12345678901234567890123456789\n",
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n",
		"{\"a\":\"\xc3\n",
		"{\"a\":tru\n",
		"{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"get\",\"params\":{\"id\":\"7\"}}\n",
	};
	const size_t count = sizeof taken / sizeof *taken;
	struct json *parser = wire_parser();
	struct buf one = {0}, other = {0};

	(void)state;
	assert_non_null(parser);
	for (size_t i = 0; i < count * count; i++) {
		struct bytes line = bytes_str(taken[i % 2 ? i % count : i / count]);
		enum wire_encoding encoding = WIRE_UNKNOWN, same = WIRE_UNKNOWN;
		struct why why = {""}, too = {""};
		size_t used, as_much;
		int rc = wire_take(NULL, line, &encoding, &one, &used, &why);
		assert_int_equal(wire_take(parser, line, &same, &other, &as_much, &too), rc);
		assert_int_equal(as_much, used);
		assert_string_equal(too.text, why.text);
		if (rc == 1)
			assert_true(bytes_equal(buf_bytes(&one), buf_bytes(&other)));
	}
	json_free(parser);
	buf_release(&one);
	buf_release(&other);
}

/* Every format of MessagePack, cut at every byte: more is needed until it is whole. */
static void msgpack_formats(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} values[] = {
#define V(text) {text, sizeof(text) - 1}
		V("\x7f"),
		V("\xe0"),
		V("\xa0"),
		V("\xa3"
		  "abc"),
		V("\x90"),
		V("\x92\x01\x02"),
		V("\x80"),
		V("\xc0"),
		V("\xc2"),
		V("\xc3"),
		V("\xc4\x02zz"),
		V("\xc5\x00\x01z"),
		V("\xc6\x00\x00\x00\x01z"),
		V("\xc7\x01\x05z"),
		V("\xc8\x00\x01\x05z"),
		V("\xc9\x00\x00\x00\x01\x05z"),
		V("\xca\x3f\x80\x00\x00"),
		V("\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00"),
		V("\xcc\xff"),
		V("\xcd\xff\xff"),
		V("\xce\xff\xff\xff\xff"),
		V("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
		V("\xd0\x80"),
		V("\xd1\x80\x00"),
		V("\xd2\x80\x00\x00\x00"),
		V("\xd3\x80\x00\x00\x00\x00\x00\x00\x00"),
		V("\xd4\x01"
		  "1"),
		V("\xd5\x01"
		  "12"),
		V("\xd6\x01"
		  "1234"),
		V("\xd7\x01"
		  "12345678"),
		V("\xd8\x01"
		  "1234567812345678"),
		V("\xd9\x01"
		  "a"),
		V("\xda\x00\x01"
		  "a"),
		V("\xdb\x00\x00\x00\x01"
		  "a"),
		V("\xdc\x00\x01\xc0"),
		V("\xdd\x00\x00\x00\x01\xc0"),
		V("\xde\x00\x01\xa1k\xc0"),
		V("\xdf\x00\x00\x00\x01\xa1k\xc0"),
#undef V
	};

	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		char map[64] = "\x82\xa1"
			       "a";
		size_t len = 3 + values[i].len, used;
		memcpy(map + 3, values[i].bytes, values[i].len);
		memcpy(map + len,
		       "\xa1"
		       "b\x01",
		       3);
		len += 3;
		for (size_t cut = 1; cut < len; cut++)
			assert_int_equal(take_once(map, cut, &used), 0);
		assert_int_equal(take_once(map, len, &used), 1);
		assert_int_equal(used, len);
	}
}

static void msgpack_refused(void **state)
{
	size_t used;
	char deep[64];

	(void)state;
	assert_int_equal(take_once("\x81\xa1"
				   "a\xc1",
				   4, &used),
			 ERR_SYNTAX);
	assert_int_equal(used, 4);
	/* promises that cannot be kept are refused before their bytes arrive */
	assert_int_equal(take_once("\x81\xa1"
				   "a\xdb\xff\xff\xff\xff",
				   8, &used),
			 ERR_LIMIT);
	assert_int_equal(take_once("\xdf\xff\xff\xff\xff", 5, &used), ERR_LIMIT);
	assert_int_equal(take_once("\x81\xa1"
				   "a\xdd\x10\x00\x00\x00",
				   8, &used),
			 ERR_LIMIT);
	assert_int_equal(take_once("\x81\xa1"
				   "a\xa2\xc3\x28",
				   6, &used),
			 ERR_SYNTAX);
	memset(deep, 0x91, sizeof deep);
	memcpy(deep,
	       "\x81\xa1"
	       "a",
	       3);
	assert_int_equal(take_once(deep, 3 + WIRE_DEPTH_MAX, &used), ERR_LIMIT);
	deep[2 + WIRE_DEPTH_MAX] = 0x01;
	assert_int_equal(take_once(deep, 3 + WIRE_DEPTH_MAX, &used), 1);
}

static void json_refused(void **state)
{
	static const char *const bad[] = {
		"{\"a\":\"\xc3\x28\"}\n",
		"{\"a\":\"\xff\"}\n",
		"{\"a\":\"\xed\xa0\x80\"}\n",
		"{\"a\":\"\\ud800\"}\n",
		"{\"a\":1}{}\n",
		"{\"a\":99999999999999999999}\n",
		"{\"a\":01}\n",
		"\xef\xbb\xbf{}\n",
		"{\n",
		"\x90\n",
		"\xc1\n",
	};
	char deep[256];
	size_t used;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_true(take_once(bad[i], strlen(bad[i]), &used) < 0);
		assert_int_equal(used, strlen(bad[i]));
	}
	memset(deep, '[', 100);
	memset(deep + 100, ']', 100);
	deep[200] = '\n';
	assert_int_equal(take_once(deep, 201, &used), ERR_LIMIT);
	assert_int_equal(used, 201);
	assert_int_equal(take_once(deep + 100 - WIRE_DEPTH_MAX, WIRE_DEPTH_MAX * 2, &used), 0);
	deep[100 + WIRE_DEPTH_MAX] = '\n';
	assert_int_equal(take_once(deep + 100 - WIRE_DEPTH_MAX, WIRE_DEPTH_MAX * 2 + 1, &used), 1);
}

static void long_lines(void **state)
{
	static const struct wire_limits answers = {WIRE_ANSWER_MAX, WIRE_ANSWER_DEPTH_MAX};
	enum wire_encoding encoding = WIRE_UNKNOWN;
	size_t len = 10 * 1000 * 1000, used;
	struct buf message = {0};
	char *line = malloc(len + 1);

	(void)state;
	memset(line, 'x', len);
	memcpy(line, "{\"a\":\"", 6);
	memcpy(line + len - 3, "\"}\n", 3);
	assert_int_equal(take_once(line, len, &used), ERR_LIMIT);
	assert_int_equal(used, len);
	assert_int_equal(take_once(line, len - 1, &used), ERR_LIMIT);
	assert_int_equal(take_once(line, WIRE_MESSAGE_MAX, &used), 0);
	assert_int_equal(take_once(line, WIRE_MESSAGE_MAX + 1, &used), ERR_LIMIT);
	assert_int_equal(
		wire_take_within(&answers, bytes_of(line, len), &encoding, &message, &used, NULL), 1);
	assert_int_equal(used, len);
	/* the longest request there may be */
	memcpy(line + WIRE_MESSAGE_MAX - 2, "\"}\n", 3);
	assert_int_equal(take_once(line, WIRE_MESSAGE_MAX + 1, &used), 1);
	/* a buffer that is too small is an error, not a short message */
	buf_release(&message);
	buf_init(&message, 1000);
	encoding = WIRE_UNKNOWN;
	assert_int_equal(wire_take(NULL, bytes_of(line, len), &encoding, &message, &used, NULL),
			 ERR_LIMIT);
	buf_release(&message);
	free(line);
}

static int parse_request(const char *json, struct buf *message, struct rpc_request *out)
{
	struct why why = {""};

	mp_of(json, message);
	int r = rpc_request_parse(buf_bytes(message), out, &why);
	assert_true(r == 0 || (r == ERR_INVALID && why.text[0]));
	assert_non_null(out->id.data);
	return r;
}

static void requests(void **state)
{
	struct buf m = {0};
	struct rpc_request q;
	struct mp_value v;

	(void)state;
	assert_int_equal(
		parse_request("{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"params\":{\"x\":1},\"id\":7}",
			      &m, &q),
		0);
	assert_true(bytes_is(q.method, "a") && !q.notification && mp_get(q.params, &v) &&
		    v.type == MP_MAP);
	assert_true(mp_get(q.id, &v) && v.type == MP_INT && v.integer == 7);
	assert_int_equal(
		parse_request("{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"id\":null,\"params\":null}",
			      &m, &q),
		0);
	assert_true(!q.notification && !q.params.data);
	assert_int_equal(
		parse_request("{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"params\":[]}", &m, &q), 0);
	assert_true(q.notification && q.params.data);
	assert_int_equal(parse_request("{\"jsonrpc\":\"2.0\",\"method\":1,\"id\":\"k\"}", &m, &q),
			 ERR_INVALID);
	assert_true(mp_get(q.id, &v) && v.type == MP_STR && bytes_is(v.str, "k"));
	buf_release(&m);
}

static void requests_refused(void **state)
{
	static const char *const bad[] = {
		"[]",
		"1",
		"\"x\"",
		"null",
		"{}",
		"{\"jsonrpc\":\"2.0\"}",
		"{\"jsonrpc\":2.0,\"method\":\"a\"}",
		"{\"jsonrpc\":\"1.0\",\"method\":\"a\"}",
		"{\"method\":\"a\",\"id\":1}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"params\":\"bar\"}",
		"{\"jsonrpc\":\"2.0\",\"method\":null}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"id\":1.5}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"id\":{}}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"id\":true}",
	};
	struct buf m = {0};
	struct rpc_request q;
	struct rpc_response p;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(parse_request(bad[i], &m, &q), ERR_INVALID);
	assert_int_equal(rpc_request_parse((struct bytes){NULL, 0}, &q, NULL), ERR_INVALID);
	assert_int_equal(rpc_response_parse((struct bytes){NULL, 0}, &p, NULL), ERR_INVALID);
	buf_release(&m);
}

static void responses(void **state)
{
	static const char *const bad[] = {
		"[]",
		"{}",
		"{\"jsonrpc\":\"2.0\",\"id\":1}",
		"{\"jsonrpc\":\"2.0\",\"result\":1}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1,\"error\":{}}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{}}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":5}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":99999999999,\"message\":\"\"}}",
		"{\"id\":1,\"result\":1}",
	};
	struct buf m = {0};
	struct rpc_response p;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		mp_of(bad[i], &m);
		assert_int_equal(rpc_response_parse(buf_bytes(&m), &p, NULL), ERR_INVALID);
	}
	mp_of("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":null}", &m);
	assert_int_equal(rpc_response_parse(buf_bytes(&m), &p, NULL), 0);
	assert_true(p.result.len == 1 && !p.method.data);
	mp_of("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"no\",\"data\":{\"hint\":\"h\"}}}",
	      &m);
	assert_int_equal(rpc_response_parse(buf_bytes(&m), &p, NULL), 0);
	assert_true(p.code == RPC_PARSE && !p.result.data && bytes_is(p.error_message, "no") &&
		    p.error_data.len > 1);
	mp_of("{\"jsonrpc\":\"2.0\",\"method\":\"progress\",\"params\":{\"done\":1}}", &m);
	assert_int_equal(rpc_response_parse(buf_bytes(&m), &p, NULL), 0);
	assert_true(bytes_is(p.method, "progress") && p.params.len > 1);
	buf_release(&m);
}

static void assert_line(struct buf *message, const char *expected)
{
	struct buf line = {0};

	assert_int_equal(mp_check(buf_bytes(message)), 0);
	assert_int_equal(wire_give(WIRE_UNKNOWN, buf_bytes(message), &line), 0);
	assert_string_equal(buf_text(&line), expected);
	buf_release(&line);
	buf_reset(message);
}

static void writing(void **state)
{
	struct buf m = {0}, out = {0};
	struct bytes none = {NULL, 0}, one = bytes_of("\x01", 1), map = bytes_of("\x80", 1);

	(void)state;
	rpc_put_request(&m, -3, "status", none);
	assert_line(&m, "{\"jsonrpc\":\"2.0\",\"id\":-3,\"method\":\"status\"}\n");
	rpc_put_request(&m, 1, "query", map);
	assert_line(&m, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"query\",\"params\":{}}\n");
	rpc_put_result(&m, bytes_of("\xa1k", 2), one);
	assert_line(&m, "{\"jsonrpc\":\"2.0\",\"id\":\"k\",\"result\":1}\n");
	rpc_put_result(&m, none, none);
	assert_line(&m, "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":null}\n");
	rpc_put_error(&m, one, RPC_NOT_FOUND, "no such thing", NULL, NULL);
	assert_line(
		&m,
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"no such thing\"}}\n");
	rpc_put_error(&m, none, RPC_STALE, NULL, "gap", "wait\nfor it");
	assert_line(&m, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":6,\"message\":\"stale\",\"data\":{\"reason\":\"gap\","
			"\"hint\":\"wait\\nfor it\"}}}\n");
	/* of what was cut within a character only whole ones are told */
	rpc_put_error(&m, one, RPC_NOT_FOUND, "'a\xc3\xa9\xc3' and \xf0\x9f\x98\x80\xe2\x82", "x",
		      "\xf0\x9f\x98");
	assert_line(
		&m,
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"'a\xc3\xa9' and \xf0\x9f\x98\x80\",\"data\":{\"reason\":\"x\",\"hint\":\"\"}}}\n");
	rpc_put_notification(&m, "progress", map);
	assert_line(&m, "{\"jsonrpc\":\"2.0\",\"method\":\"progress\",\"params\":{}}\n");
	/* what cannot be written leaves nothing behind */
	buf_put_str(&out, "before");
	assert_true(wire_give(WIRE_JSON, bytes_of("\x81\xa1", 2), &out) < 0);
	assert_int_equal(out.len, 6);
	assert_int_equal(wire_give(WIRE_MSGPACK, map, &out), 0);
	assert_int_equal(out.len, 7);
	buf_release(&m);
	buf_release(&out);
}

/* A result of one piece. */
static int give_one(enum wire_encoding encoding, struct bytes id, struct bytes result, struct buf *out)
{
	const struct json_piece piece = {.bytes = result.data ? result : bytes_of("\xc0", 1)};

	return wire_give_result(encoding, id, &piece, 1, out);
}

/* And of several: {"name":[1,2],"b":{}}. */
static void giving_pieces(void **state)
{
	const struct json_piece pieces[] = {
		{.bytes = bytes_of("\x82\xa4name", 6)},
		{.bytes = bytes_of("\x01\x02", 2), .array = true, .values = 2},
		{.bytes = bytes_of("\xa1\x62\x80", 3)}};
	const struct bytes whole = bytes_of("\x82\xa4name\x92\x01\x02\xa1\x62\x80", 12),
			   id = bytes_of("\x07", 1);
	struct buf joined = {0}, text = {0}, wanted = {0}, message = {0};

	(void)state;
	wire_join(pieces, 3, &joined);
	assert_true(bytes_equal(buf_bytes(&joined), whole));
	assert_int_equal(wire_give_result(WIRE_MSGPACK, id, pieces, 3, &message), 0);
	rpc_put_result(&wanted, id, whole);
	assert_true(bytes_equal(buf_bytes(&message), buf_bytes(&wanted)));
	assert_int_equal(wire_give_result(WIRE_JSON, id, pieces, 3, &text), 0);
	assert_string_equal(buf_text(&text),
			    "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"name\":[1,2],\"b\":{}}}\n");
	buf_release(&joined);
	buf_release(&text);
	buf_release(&wanted);
	buf_release(&message);
}

/* What comes twice counts where it comes first; a key may be anything; behind what cannot be read nothing is found. */
static void fields_where_they_come_first(void **state)
{
	static const char twice[] = "\x88\xa7jsonrpc\xa3"
				    "2.0"
				    "\x81\x01\x02\xa2id\xa2id\x07\xa2id\x08"
				    "\xa6method\xa3get\xa6method\xa3put\xa6params\x80\xa6params\x05";
	struct rpc_request r;
	struct why why = {""};

	(void)state;
	assert_int_equal(rpc_request_parse(bytes_of(twice, sizeof twice - 1), &r, &why), 0);
	assert_true(bytes_equal(r.id, bytes_of("\x07", 1)) && bytes_is(r.method, "get"));
	assert_true(bytes_equal(r.params, bytes_of("\x80", 1)) && !r.notification);
	/* Cut behind the method's name, and behind that of the id. */
	assert_int_equal(rpc_request_parse(bytes_of(twice, 34), &r, &why), ERR_INVALID);
	assert_true(bytes_equal(r.id, bytes_of("\x07", 1)) && strstr(why.text, "method"));
	assert_int_equal(rpc_request_parse(bytes_of(twice, 22), &r, &why), ERR_INVALID);
	assert_true(bytes_equal(r.id, bytes_of("\xc0", 1)) && strstr(why.text, "id"));
}

/* No line would ever end: it is refused at its first byte. */
static void arrays_of_messagepack(void **state)
{
	static const char *const inputs[] = {"\x93", "\x90", "\x9f\xa1x", "\xdc", "\xdd\x00"};
	struct buf message = {0};

	(void)state;
	for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
		enum wire_encoding encoding = WIRE_UNKNOWN;
		struct why why = {""};
		size_t used = 0;
		assert_int_equal(wire_take(NULL, bytes_str(inputs[i]), &encoding, &message, &used,
					   &why),
				 ERR_INVALID);
		assert_int_equal(used, strlen(inputs[i]));
		assert_non_null(strstr(why.text, "MessagePack array"));
	}
	buf_release(&message);
}

/* In one go as in two, in both forms. */
static void giving_results(void **state)
{
	const struct bytes ids[] = {{NULL, 0}, bytes_of("\xa1k", 2), bytes_of("\x07", 1)};
	const struct bytes results[] = {{NULL, 0}, bytes_of("\x81\xa1n\x05", 4)};
	const enum wire_encoding encodings[] = {WIRE_UNKNOWN, WIRE_JSON, WIRE_MSGPACK};
	struct buf m = {0}, two = {0}, one = {0};

	(void)state;
	for (size_t i = 0; i < 3 * 2 * 3; i++) {
		struct bytes id = ids[i % 3], result = results[i / 3 % 2];
		buf_reset(&m);
		buf_reset(&two);
		buf_reset(&one);
		rpc_put_result(&m, id, result);
		assert_int_equal(wire_give(encodings[i / 6], buf_bytes(&m), &two), 0);
		assert_int_equal(give_one(encodings[i / 6], id, result, &one), 0);
		assert_true(bytes_equal(buf_bytes(&one), buf_bytes(&two)));
	}
	size_t before = one.len;
	assert_true(give_one(WIRE_JSON, ids[1], bytes_of("\x81\xa1", 2), &one) < 0);
	assert_int_equal(one.len, before);
	buf_release(&m);
	buf_release(&two);
	buf_release(&one);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(rpc_code_name(RPC_NOT_FOUND), "not_found");
	assert_string_equal(rpc_code_name(RPC_BAD_EXPRESSION), "bad_expression");
	assert_string_equal(rpc_code_name(RPC_PARSE), "parse_error");
	assert_string_equal(rpc_code_name(12345), "error");
}

/* One example of the specification, on one line. Batches (arrays) are not taken: they must be refused, as an invalid request
 * where they are JSON and as a parse error where they are not. */
static void try_example(struct bytes text)
{
	enum wire_encoding encoding = WIRE_UNKNOWN;
	struct buf line = {0}, message = {0};
	struct rpc_request request;
	struct why why = {""};
	size_t used;

	for (size_t i = 0; i < text.len; i++)
		buf_put_byte(&line, text.data[i] == '\n' ? ' ' : text.data[i]);
	buf_put_byte(&line, '\n');
	int r = wire_take(NULL, buf_bytes(&line), &encoding, &message, &used, &why);
	assert_int_equal(used, line.len);
	if (r == 1)
		r = rpc_request_parse(buf_bytes(&message), &request, &why) == 0;
	if (text.data[0] == '[')
		assert_true(r == ERR_SYNTAX || (r == 0 && strstr(why.text, "batches")));
	else
		assert_int_equal(r, 1);
	buf_release(&line);
	buf_release(&message);
}

static void specification_examples(void **state)
{
	struct buf text = {0}, examples = {0};
	struct why why;
	struct mp_value v;

	(void)state;
	if (file_read(CORPUS, 1 << 20, &text, &why) < 0)
		skip_because(why.text);
	assert_int_equal(json_to_msgpack(buf_bytes(&text), JSON_STRICT, &examples, &why), 0);
	struct mp_reader r = mp_reader_of(buf_bytes(&examples));
	assert_int_equal(mp_next(&r, &v), 1);
	assert_true(v.type == MP_ARRAY && v.count > 5);
	for (uint32_t i = 0; i < v.count; i++) {
		struct bytes example, request;
		assert_int_equal(mp_take(&r, &example), 1);
		assert_true(mp_find_str(example, "request", &request));
		try_example(request);
	}
	buf_release(&text);
	buf_release(&examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_in_pieces),
		cmocka_unit_test(msgpack_in_pieces),
		cmocka_unit_test(msgpack_formats),
		cmocka_unit_test(msgpack_refused),
		cmocka_unit_test(json_refused),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(requests),
		cmocka_unit_test(requests_refused),
		cmocka_unit_test(responses),
		cmocka_unit_test(writing),
		cmocka_unit_test(names),
		cmocka_unit_test(arrays_of_messagepack),
		cmocka_unit_test(giving_results),
		cmocka_unit_test(giving_pieces),
		cmocka_unit_test(specification_examples),
		cmocka_unit_test(fields_where_they_come_first),
		cmocka_unit_test(a_parser_serves_for_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
