/*
 * json: JSON text to MessagePack while it arrives, and MessagePack back to JSON.
 *
 * RFC 8259. The transcoder is a push parser: fed in pieces of any size (straight from a network
 * callback), it writes MessagePack into one buffer, without a tree, with state bounded by its
 * depth limit. The result does not depend on how the text was cut into pieces.
 */
#ifndef FIC_CODEC_JSON_H
#define FIC_CODEC_JSON_H

#include <base/bytes.h>
#include <base/err.h>

enum json_mode {
	/* Bad UTF-8, lone surrogates and integers beyond 64 bits are errors. */
	JSON_STRICT,
	/* They become U+FFFD (counted) and doubles (counted), and a leading byte order mark is skipped;
	 * everything else as strict. */
	JSON_LENIENT,
};

/*
 * Numbers without fraction and exponent become integers, exactly; all others, and -0 (whose sign
 * an integer cannot keep), become doubles, correctly rounded whatever the locale. One that rounds
 * to infinity is ERR_LIMIT in both modes, an integer beyond 64 bits is ERR_LIMIT in strict.
 * Ill-formed UTF-8 is replaced by one U+FFFD for each "maximal subpart" (Unicode 3.9, as browsers
 * do). Keys that stand twice are both kept.
 */

struct json_limits {
	unsigned depth_max; /* nested containers; at most 512; 0: 128, what mp_check and json_write take */
	size_t text_max;   /* bytes of JSON in all; 0: no limit */
	size_t number_max; /* characters of one number; 0: 1,024 */
	/* Containers nested less deep than this get five-byte headers, so that a large envelope is not
	 * moved when it closes; 0: 3. Does not change values. */
	unsigned wide_depth;
};

struct json_stats {
	uint64_t bytes;    /* of JSON taken */
	uint32_t replaced; /* U+FFFD put in for bad UTF-8 and lone surrogates */
	uint32_t widened;  /* integers that became doubles */
};

/* One transcoder. new/free; reset starts the next text and keeps memory. */
struct json;

/*
 * `out` is borrowed until json_free or the next json_reset; MessagePack is appended to it, and
 * nobody else writes to it between the first piece and json_finish. Its `max` holds: the same
 * texts pass it however they are cut. `limits` is copied and may be NULL. NULL: no memory.
 */
struct json *json_new(enum json_mode mode, const struct json_limits *limits, struct buf *out);
void json_free(struct json *j);
void json_reset(struct json *j, struct buf *out);

/* Takes a piece. 0, ERR_SYNTAX, ERR_LIMIT or ERR_NOMEM; after an error every further call
 * returns the same one. `why` names the byte offset and what was expected there (no offset
 * when the output's limit or memory ended). What stands in `out` after an error is to be
 * thrown away. */
int json_feed(struct json *j, const void *data, size_t len, struct why *why);

/* The text is over: 0 when it was exactly one value, else as above (an empty text is
 * ERR_SYNTAX). */
int json_finish(struct json *j, struct why *why);

const struct json_stats *json_stats(const struct json *j);

/* All at once: 0 or an error; `out` gets one value appended. */
int json_to_msgpack(struct bytes text, enum json_mode mode, struct buf *out, struct why *why);

/*
 * MessagePack to JSON, compact, without raw control characters or newlines, so that one value is
 * one line. Integers exact; doubles in the shortest form that reads back as the same double;
 * integral doubles up to 2^53 print as integers; NaN and infinities as null; bin as base64 text; ext
 * as null. Strings are written as they are (valid UTF-8), with only what JSON demands escaped,
 * and U+007F, U+2028, U+2029 and `<` left alone. Keys that are no strings are written in quotes
 * (containers as keys: ERR_CORRUPT). 0, ERR_CORRUPT, ERR_LIMIT (nested deeper than MP_DEPTH_MAX),
 * or the buffer's error; after ERR_CORRUPT and ERR_LIMIT nothing is appended.
 */
int json_write(struct bytes whole, struct buf *out);

/* A part of a value that lies in several places, as MessagePack. */
struct json_piece {
	struct bytes bytes;
	bool array;      /* they are the items of an array, whose head is not in the bytes … */
	uint32_t values; /* … and so many */
};

/* The same of one value whose pieces lie apart: containers may begin in one and go on in the next, but no head of a container promises more items than
 * there are bytes behind it in its piece. */
int json_write_pieces(const struct json_piece *pieces, size_t count, struct buf *out);

/* The same value spread over lines with two-space indents, for people; no newline at the end. */
int json_write_pretty(struct bytes whole, struct buf *out);

/* A string with its quotes. */
void json_write_str(struct buf *out, struct bytes s);

/* The shortest round-trip form of a finite double (with an exponent over 2^53 and below 1e-6),
 * not terminated, at most 25 bytes. Returns its length. */
size_t json_write_double(double v, char out[32]);

#endif
