/*
 * rpc: the socket's words. JSON-RPC 2.0 (https://www.jsonrpc.org/specification), one object a line in UTF-8, or the same objects as
 * MessagePack one after the other; the first byte of a connection decides. No batches.
 *
 * Inside fic a message is always MessagePack: wire_take turns what arrived into it, wire_give turns it into what is sent. Both the daemon and
 * the query tool use this; neither knows the other's sockets.
 *
 * Protocol history
 *   1.0  first release
 *   1.1  changes, cancel (and error 9, canceled); on_stale, timeout_ms, max_age and doc where they were not
 *   1.2  query's stream; on_stale live, get's live
 *   1.3  live
 */
#ifndef FIC_WIRE_RPC_H
#define FIC_WIRE_RPC_H

#include <base/bytes.h>
#include <base/err.h>
#include <codec/json.h>

#define RPC_PROTOCOL_MAJOR 1
#define RPC_PROTOCOL_MINOR 3

#define WIRE_MESSAGE_MAX (1024 * 1024) /* bytes of one request, as sent */
#define WIRE_DEPTH_MAX   32

enum wire_encoding {
	WIRE_UNKNOWN, /* before the first byte */
	WIRE_JSON,
	WIRE_MSGPACK,
};

enum rpc_code {
	RPC_PARSE = -32700,
	RPC_INVALID_REQUEST = -32600,
	RPC_NO_METHOD = -32601,
	RPC_INVALID_PARAMS = -32602,
	RPC_INTERNAL = -32603,
	RPC_NOT_FOUND = 1,
	RPC_CONFLICT = 2,
	RPC_UNAVAILABLE = 3,
	RPC_RATE_LIMITED = 4,
	RPC_FORBIDDEN = 5,
	RPC_STALE = 6,
	RPC_BUSY = 7,
	RPC_BAD_EXPRESSION = 8,
	RPC_CANCELED = 9,
};

/* Takes one message from the start of `input`. 1: `message` (reset first) holds it as MessagePack, *used_out bytes are done with; 0: more bytes are needed (blank lines may still
 * have been used); ERR_SYNTAX, ERR_LIMIT: the message cannot be read; *used_out says what to drop (for a JSON line the line; for MessagePack everything: the connection
 * cannot be used any more, and neither can it after a JSON line that was refused for its length before its end was seen). ERR_NOMEM: likewise.
 * `encoding` is set from the first byte. A request is at most WIRE_MESSAGE_MAX bytes and WIRE_DEPTH_MAX deep.
 * `parser` serves for one request after the other; NULL: each has one of its own, which takes longer. */
int wire_take(struct json *parser, struct bytes input, enum wire_encoding *encoding,
	      struct buf *message, size_t *used_out, struct why *why);
/* Such a parser, for json_free; NULL: no memory. */
struct json *wire_parser(void);

/* Answers are larger and deeper than requests: they carry the provider's objects. */
#define WIRE_ANSWER_MAX       (256 * 1024 * 1024)
#define WIRE_ANSWER_DEPTH_MAX 128

struct wire_limits {
	size_t bytes_max;   /* of one message, as sent */
	unsigned depth_max; /* at most 128 */
};

/* The same with limits of the caller's choice: how a client takes answers. */
int wire_take_within(const struct wire_limits *limits, struct bytes input,
		     enum wire_encoding *encoding, struct buf *message, size_t *used_out,
		     struct why *why);

/* Appends the message in the connection's form to `out`: a JSON line with its newline, or the MessagePack bytes. WIRE_UNKNOWN is taken as JSON. */
int wire_give(enum wire_encoding encoding, struct bytes message, struct buf *out);

/* The same of the message that rpc_put_result would make of an id and a result, which are not put together first: the result is in pieces (codec/json.h). */
int wire_give_result(enum wire_encoding encoding, struct bytes id, const struct json_piece *result,
		     size_t count, struct buf *out);
/* Appends the value that the pieces are, as MessagePack. */
void wire_join(const struct json_piece *pieces, size_t count, struct buf *out);

struct rpc_request {
	bool notification;   /* no id: no answer is sent */
	struct bytes id;     /* MessagePack of the id: text, integer or nil */
	struct bytes method; /* text */
	struct bytes params; /* MessagePack map or array, {NULL, 0} when left out (or null) */
};

/* ERR_INVALID: not a request object (`id` is set when it could be found, else to nil). Spans borrow from `message`. */
int rpc_request_parse(struct bytes message, struct rpc_request *out, struct why *why);

struct rpc_response {
	struct bytes id;
	struct bytes result; /* {NULL, 0}: an error */
	int code;
	struct bytes error_message;
	struct bytes error_data; /* MessagePack, or {NULL, 0} */
	struct bytes method; /* a notification of the server ("progress"): method and params, no id */
	struct bytes params;
};

/* ERR_INVALID: neither an answer nor a notification. Spans borrow from `message`. */
int rpc_response_parse(struct bytes message, struct rpc_response *out, struct why *why);

/* Each appends one whole message as MessagePack. Spans named result, params are MessagePack; {NULL, 0} is nil or left out. */
void rpc_put_request(struct buf *out, int64_t id, const char *method, struct bytes params);
void rpc_put_result(struct buf *out, struct bytes id, struct bytes result);
/* data = {reason, hint}; NULL leaves one out. Of a character that message or hint have only a part of, as when they were cut, nothing is put. */
void rpc_put_error(struct buf *out, struct bytes id, int code, const char *message,
		   const char *reason, const char *hint);
void rpc_put_notification(struct buf *out, const char *method, struct bytes params);

/* "not_found", "rate_limited" …; "error" for a code that has no name. */
const char *rpc_code_name(int code);

#endif
