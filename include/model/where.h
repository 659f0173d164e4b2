/*
 * where: conditions on records.
 *
 *   state = open and assignee in (alice@example.com, 42) and not tags contains vip
 *   statistics.count_reopens >= 2 and subject ~ refund or created > 2 days ago
 *
 *   condition  any of: conditions with `and`; `and` binds tighter than `or`, `not` tighter than both; ( ) group
 *   term       FIELD = != < <= > >= contains ~ VALUE,  FIELD in (VALUE, ...),  FIELD exists,  FIELD alone when it is a boolean;
 *              `not` may also stand before in, contains, exists and ~
 *   FIELD      see model/field.h
 *   VALUE      a bare word (up to a space, bracket, comma or one of =!<>~), a number, true, false, null, or a string in "double" or
 *              'single' quotes with \" \' \\ \n \t \uHHHH; for a time field whatever when.h reads, several words without quotes too
 *
 * Words of the language are not case-sensitive, names and values are, except:
 *   ~          the text has this substring, whatever the case of ASCII, Latin, Greek and Cyrillic letters (full Unicode folding is
 *              for the text index, not for this filter)
 *   contains   on a list: an item is this text; on a text: as ~; the case does not matter
 *
 * What compares how: times when the field is a time, numbers when both sides are numbers, everything else as text (so an id is text,
 * whatever its type upstream). A time that stands for a span (a day, a month) is equal to all moments in it: `<` is before its start,
 * `>` after its end. On a raw path, a number is taken as seconds when it is compared with a time. A list or an array in the
 * document satisfies a comparison when one of its items does. What is missing or null satisfies nothing; `a != b` is exactly `not a = b`, so it holds
 * for what is missing. `= null` is `not exists`, `!= null` is `exists`; an empty list does not exist.
 */
#ifndef FIC_MODEL_WHERE_H
#define FIC_MODEL_WHERE_H

#include <base/when.h>
#include <model/field.h>

#define WHERE_TEXT_MAX  4096
#define WHERE_NODES_MAX 256 /* terms, groups and values together */
#define WHERE_DEPTH_MAX 32

enum where_op {
	WHERE_AND, /* of all children; without children: true */
	WHERE_OR,
	WHERE_NOT, /* of the one child */
	WHERE_EQUAL,
	WHERE_LESS,
	WHERE_LESS_EQUAL,
	WHERE_GREATER,
	WHERE_GREATER_EQUAL,
	WHERE_IN,
	WHERE_CONTAINS,
	WHERE_MATCH, /* ~ */
	WHERE_EXISTS,
};

struct where_value {
	struct bytes text; /* as written, escapes resolved */
	bool is_integer;
	bool is_number; /* also when it is an integer */
	bool is_time;
	int64_t integer;
	double number;
	struct when time;  /* end > start always: a moment is one millisecond long */
	uint16_t *failure; /* for the search of `text` as a substring; NULL where none is needed */
	const struct where_value *next;
};

/* A condition as a tree in the caller's arena. Open to readers, so that a planner can answer terms from indexes. */
struct where {
	enum where_op op;
	const struct where *child; /* of and, or, not: the first; its siblings follow by `next` */
	const struct where *next;
	const struct field *field;        /* of a term */
	const struct where_value *values; /* one, or those of `in` */
};

/* Parses; `fields` may be NULL (envelope and raw paths only). The tree borrows from `fields` and lives in the arena. 0, ERR_SYNTAX, ERR_INVALID,
 * ERR_NOTFOUND (unknown field), ERR_LIMIT, ERR_NOMEM; `why` begins with the column, "column 9: ...". A blank text is the condition that
 * is always true. */
int where_parse(struct bytes text, const struct field *fields, int64_t now_ms, const struct zone *zone,
		struct arena *a, const struct where **where_out, struct why *why);

/* What a value means that is a name. */
struct where_meant {
	const struct bytes *texts; /* any of these in its place, whole, also where a part was asked for; they must live as long as the tree */
	size_t count;              /* 0: what was written */
	bool nobody;               /* the field is not to exist: with = and != only */
};

/* What values of texts and lists mean when they are compared by `=`, `!=`, `in`, `contains` and `~` (op: WHERE_EQUAL, WHERE_IN, WHERE_CONTAINS or WHERE_MATCH): `settle` may put
 * ids in place of a name; `out` begins zeroed. 0, or an error of where_parse with words in `why`, to which the column is added. */
struct where_names {
	int (*settle)(void *ctx, const struct field *f, enum where_op op, struct bytes text,
		      struct where_meant *out, struct why *why);
	void *ctx;
};

/* The same; `names` may be NULL. */
int where_parse_named(struct bytes text, const struct field *fields,
		      const struct where_names *names, int64_t now_ms, const struct zone *zone,
		      struct arena *a, const struct where **where_out, struct why *why);

/* 1: the record satisfies it; 0: it does not; ERR_CORRUPT (its document is damaged), ERR_NOMEM, ERR_LIMIT. `scratch` is a buffer of the caller's
 * that is overwritten (for texts made from HTML); it may be reused from record to record. */
int where_match(const struct where *w, const struct record *r, struct buf *scratch);

/* The same from values that an index keeps (field_stored): `stored` gives the value of a field that is not of the envelope: 1, or an error. The
 * record's document is not looked at. */
int where_match_stored(const struct where *w, const struct record *r,
		       int (*stored)(void *ctx, const struct field *f, struct bytes *out),
		       void *ctx, struct buf *scratch);

#endif
