/*
 * field: the names that questions use, and how their values are found in a record.
 *
 * Three kinds of names: those of the envelope (the same for every resource), a provider's common fields (a table for each resource, the same
 * names at both providers), and raw paths into the verbatim document ("doc.statistics.count_reopens", or without "doc." when it has
 * a dot).
 */
#ifndef FIC_MODEL_FIELD_H
#define FIC_MODEL_FIELD_H

#include <base/arena.h>
#include <model/record.h>

enum field_type {
	FIELD_TEXT,    /* a number becomes its digits, true and false become words */
	FIELD_INTEGER, /* integral numbers, also as text */
	FIELD_REAL,    /* numbers, also as text */
	FIELD_BOOL,    /* true, false; 0 and 1 */
	FIELD_TIME, /* seconds upstream (with or without decimals) or RFC 3339 text; milliseconds here, RFC 3339 with milliseconds in answers */
	FIELD_LIST, /* of texts */
	FIELD_HTML, /* HTML upstream, plain text here */
	FIELD_ANY,  /* as it is upstream: raw paths */
};

/*
 * `path` leads into the document: steps separated by dots as mp_path takes them; a step `*` takes all items of an array
 * ("tags.tags.*.name"). Alternatives are separated by `|`: the first that exists and is not nil counts; one that
 * begins with `=` is a constant, the rest of it a MessagePack text ("part_type|=\xa6source"). At most FIELD_STARS_MAX
 * stars. Tables are static and end with a NULL name.
 *
 * An alternative of a table may begin with conditions between question marks, and counts only where they hold: a path that leads to something, or to just
 * that text ("?status=archived,scheduled_reminders.0?=\xa7snoozed"). A star may have them in brackets, for its items ("recipients.*(role=from).handle"). `#` at the end
 * of a path: of an address what stands behind its last slash; `~`: plain text, though the field's type is HTML; `!`: the id of another record, of which 0 and an
 * empty text are none.
 */
struct field {
	const char *name;
	enum field_type type;
	const char *path;
	const char *help;
};

#define FIELD_STARS_MAX 8

/* id, created, updated, parent, revision, deleted, truncated, merged_into. Their path is NULL. */
extern const struct field envelope_fields[];

/* The path of a field that a provider has not, where another one has it: it leads nowhere. */
extern const char field_nowhere[];

/* A field that has one value whatever the record: a lone constant, or nil where the path leads nowhere. */
bool field_constant(const struct field *f, struct bytes *out);

/* The plain paths that the field's value may depend on, conditions' too; a star's brackets stand in them. False: `each` has said so. */
bool field_paths(const struct field *f, bool (*each)(void *ctx, struct bytes path), void *ctx);

const char *field_type_name(enum field_type type); /* "text", "integer", "number", "boolean", "time", "list", "any" */

/* By its exact name; NULL when it is not there. The table may be NULL. */
const struct field *field_find(const struct field *table, struct bytes name);

/* What a name in a question means: envelope first, then the table, then a raw path (made in the arena; the result is borrowed from table and arena).
 * ERR_NOTFOUND with a suggestion, ERR_INVALID (a path that cannot be one), ERR_NOMEM. */
int field_resolve(struct bytes name, const struct field *table, struct arena *a,
		  const struct field **out, struct why *why);

/* Appends the field's value in the document as one MessagePack value. 1: a value; 0: there is none (nil was appended); ERR_CORRUPT, or the buffer's
 * error, and then what was appended is to be thrown away. Not for envelope fields. */
int field_value(const struct field *f, struct bytes doc, struct buf *out);
/* The same for any field of a record. */
int record_value(const struct record *r, const struct field *f, struct buf *out);
/* The same for one of many fields: the outline is that of the record's document (codec/msgpack.h), made once; NULL: none. `plain`: field_is_plain says so of the field,
 * for who asks it once for many records. */
struct mp_outline;
int record_value_in(const struct record *r, struct mp_outline *outline, const struct field *f,
		    bool plain, struct buf *out);
/* Whether the field has one value, at the end of steps without alternatives, stars, conditions and marks. */
bool field_is_plain(const struct field *f);

/* Calls `each` with every text of a value that field_value gave, and every integer as its digits, until it answers true: then so does this. */
bool field_texts(struct bytes value, bool (*each)(void *ctx, struct bytes text), void *ctx);

/*
 * A value as an index keeps it: as field_value gives it, but a time as an integer of milliseconds.
 */
/* As field_value; not for raw paths either. */
int field_stored(const struct field *f, struct bytes doc, struct buf *out);
/* The same for who asks often: `scratch` is the caller's, any contents, and keeps its memory from call to call. */
int field_stored_with(const struct field *f, struct bytes doc, struct buf *scratch, struct buf *out);
/* Appends what field_value would have given. 1: a value; 0: there is none; ERR_CORRUPT: not what field_stored wrote. */
int field_shown(const struct field *f, struct bytes stored, struct buf *out);

#endif
