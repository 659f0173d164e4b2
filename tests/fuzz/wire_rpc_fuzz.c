/*
 * Whatever arrives on a socket: messages are taken one after the other until nothing more can be taken. What was taken is
 * MessagePack that reads back the same through both encodings, and the cut into pieces does not change what is found.
 */
#include <codec/msgpack.h>
#include <wire/rpc.h>

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(what)                                                                \
	do {                                                                       \
		if (!(what)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); \
			abort();                                                   \
		}                                                                  \
	} while (0)

static const struct wire_limits small = {4096, 16};

/* A parser that has seen all that came before gives what a new one gives. */
static void take_again(struct bytes input)
{
	static struct json *parser;
	enum wire_encoding encoding = WIRE_UNKNOWN, same = WIRE_UNKNOWN;
	struct buf one = {0}, other = {0};
	size_t used, as_much;

	if (!parser)
		parser = wire_parser();
	int rc = wire_take(NULL, input, &encoding, &one, &used, NULL);
	CHECK(wire_take(parser, input, &same, &other, &as_much, NULL) == rc);
	CHECK(as_much == used && (rc != 1 || bytes_equal(buf_bytes(&one), buf_bytes(&other))));
	buf_release(&one);
	buf_release(&other);
}

static void look_at(struct bytes message)
{
	struct rpc_request request;
	struct rpc_response response;
	struct why why;

	if (rpc_request_parse(message, &request, &why) == 0) {
		CHECK(request.method.data && request.id.data);
		CHECK(request.notification || mp_check(request.id) == 0);
	} else {
		CHECK(request.id.data);
	}
	if (rpc_response_parse(message, &response, &why) == 0)
		CHECK(response.method.data || response.result.data || response.error_message.data);
}

static void there_and_back(struct bytes message)
{
	enum wire_encoding encoding = WIRE_JSON;
	struct buf line = {0}, again = {0};
	size_t used;

	/* A MessagePack map may have keys that are no text, which JSON cannot say: then nothing is written. */
	if (wire_give(WIRE_JSON, message, &line) < 0) {
		CHECK(line.len == 0);
		buf_release(&line);
		return;
	}
	CHECK(line.len > 0 && memchr(line.data, '\n', line.len) == line.data + line.len - 1);
	/* bin and ext have no JSON of their own, so only the well-formedness of what comes back is held. */
	if (wire_take(NULL, buf_bytes(&line), &encoding, &again, &used, NULL) == 1) {
		CHECK(used == line.len);
		CHECK(mp_check(buf_bytes(&again)) == 0);
	}
	buf_release(&line);
	buf_release(&again);
}

/* The number of messages taken when at most `piece` more bytes arrive at a time. */
static int drain(const uint8_t *data, size_t size, size_t piece, bool look)
{
	enum wire_encoding encoding = WIRE_UNKNOWN;
	struct buf message = {0};
	size_t start = 0, seen = 0, used;
	int count = 0, r = 0;

	while (r >= 0 && (seen < size || r == 1)) {
		struct why why;
		if (r == 0)
			seen = size - seen < piece ? size : seen + piece;
		r = wire_take_within(&small, bytes_of(data + start, seen - start), &encoding,
				     &message, &used, &why);
		CHECK(used <= seen - start);
		CHECK(r != 1 || used > 0);
		start += used;
		if (r == 1)
			count++;
		if (r == 1 && look) {
			CHECK(mp_check(buf_bytes(&message)) == 0);
			look_at(buf_bytes(&message));
			there_and_back(buf_bytes(&message));
		}
	}
	buf_release(&message);
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	int whole = drain(data, size, size, true);
	CHECK(drain(data, size, 1 + data[0] % 7, false) == whole);
	take_again(bytes_of(data, size));
	return 0;
}
