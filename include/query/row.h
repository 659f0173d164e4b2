/*
 * row: a record as answers show it.
 *
 *   {source, resource, id, created, updated, revision, parent, deleted, merged_into, truncated, pending, ...common fields..., doc}
 *
 * What does not apply is left out: parent, deleted, merged_into, truncated and pending (local edits lie over it) where there is nothing to say, and common fields that the record
 * has no value for. created and updated are RFC 3339 with milliseconds, nil where the provider has none. A projection by name shows source, resource, id, what the
 * record is marked with (deleted, merged_into, truncated, pending), and the names, each under the name it was asked by; nil where there is no value.
 */
#ifndef FIC_QUERY_ROW_H
#define FIC_QUERY_ROW_H

#include <model/field.h>

#define PROJECTION_NAMES_MAX 64

enum projection_kind {
	PROJECTION_SUMMARY, /* envelope and common fields */
	PROJECTION_ALL,     /* the same and doc */
	PROJECTION_NAMED, /* these names only: of the envelope, common fields, "doc", or paths as "doc.statistics.count_reopens" */
};

/* What a row shows, compiled once for many rows. */
struct projection;

struct projection_spec {
	enum projection_kind kind;
	const char *source, *resource; /* copied */
	const struct field *fields;    /* may be NULL; borrowed until projection_free */
	const struct bytes *names; /* for PROJECTION_NAMED only; copied; one that stands twice is shown once */
	size_t name_count;
};

/* ERR_NOTFOUND with a suggestion, ERR_INVALID, ERR_LIMIT, ERR_NOMEM. */
int projection_new(const struct projection_spec *spec, struct projection **out, struct why *why);
void projection_free(struct projection *p);

/* Whether rows can be made of indexed fields alone: `indexed` says it of a field that is not of the envelope. */
bool projection_indexed(const struct projection *p,
			bool (*indexed)(void *ctx, const struct field *f), void *ctx);

/* As row_write, of a record without its document and of values as an index keeps them (field_stored): `stored` gives 1 and the value, or an
 * error, which ends the row. Not for merged records, whose merged_into no index knows. */
int row_write_stored(struct projection *p, const struct record *r,
		     int (*stored)(void *ctx, const struct field *f, struct bytes *out), void *ctx,
		     struct buf *out);

/* Appends one map. 0; ERR_CORRUPT (the document is damaged) or the buffer's error, and then nothing was appended. */
int row_write(struct projection *p, const struct record *r, struct buf *out);

/* Adds a text to the row that begins at `start` and ends the buffer, under a name that it has not yet. */
void row_add(struct buf *row, size_t start, const char *name, struct bytes text);

#endif
