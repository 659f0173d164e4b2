/*
 * field_walk: the values behind a field, one by one, in the form that its type gives them. Private to the model.
 */
#ifndef FIC_MODEL_FIELD_WALK_H
#define FIC_MODEL_FIELD_WALK_H

#include <model/field.h>

enum scalar_type {
	SCALAR_NONE,
	SCALAR_TEXT,
	SCALAR_INTEGER,
	SCALAR_REAL,
	SCALAR_BOOL,
	SCALAR_TIME
};

struct scalar {
	enum scalar_type type; /* SCALAR_NONE: cannot be read as the field's type */
	union {
		struct bytes text; /* borrows from the document, the scratch buffer or `digits` */
		int64_t integer;   /* also SCALAR_TIME: milliseconds */
		double real;
		bool boolean;
	};
	bool item; /* one of a list, of an array behind a raw path, or found by a star */
	char digits[40];
};

/* 0: go on, anything else ends the walk and is its result. */
typedef int field_each(void *ctx, const struct scalar *value);

/* A record, and perhaps the outline of its document: who asks for many fields makes one. */
struct field_source {
	const struct record *r;
	struct mp_outline *outline; /* NULL: none */
	bool plain;                 /* field_is_plain said so of the field */
};

/* Calls `each` for the values of a field: all of a list or of an array behind a raw path, else the first that there is. nil is no value. `scratch` is
 * overwritten. Returns what `each` ended with, 0, ERR_CORRUPT, or scratch's error. */
int field_walk(const struct field *f, const struct field_source *from, struct buf *scratch,
	       field_each *each, void *ctx);

/* The same from a value that an index keeps. */
int field_walk_stored(const struct field *f, struct bytes stored, field_each *each, void *ctx);

/* The scalar as text, as TEXT fields show numbers; borrows from it or from `room`. */
struct bytes scalar_text(const struct scalar *s, char room[40]);

/* The values as they stand in the document, before types: the first (1, 0, ERR_CORRUPT), or each (ends and returns as field_walk). */
typedef int field_each_raw(void *ctx, struct bytes raw);
int field_raw(const struct field *f, const struct field_source *from, struct bytes *out);
int field_raw_each(const struct field *f, const struct field_source *from, field_each_raw *each,
		   void *ctx);

#endif
