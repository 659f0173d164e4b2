/*
 * schema: which fields of a resource's documents are indexed, and how; made once when the store is
 * opened.
 */
#ifndef FIC_STORE_SCHEMA_H
#define FIC_STORE_SCHEMA_H

#include <store/segment.h>
#include <store/store.h>

#define SCHEMA_FIELDS_MAX (SEGMENT_FIELDS_MAX - SEGMENT_OWN_FIELDS)

#define SCHEMA_PATHS_MAX 256u

struct schema_field {
	const struct field *field;
	enum store_kind kind;
	uint64_t definition;
	bool constant; /* it may have a value though the document has none */
};

struct schema {
	char resource[SEGMENT_NAME_SIZE];
	char parent[SEGMENT_NAME_SIZE]; /* of whom its records are children; "": of nobody */
	size_t count;
	struct schema_field fields[SCHEMA_FIELDS_MAX];
	/* Each alternative of each field's path. */
	size_t paths_count;
	struct schema_path {
		struct bytes path;
		unsigned field;
	} paths[SCHEMA_PATHS_MAX];
	/* The paths by their first byte, those of one byte in their order. */
	uint16_t by_first[SCHEMA_PATHS_MAX];
	uint16_t begins[257]; /* where those of a byte begin in by_first */
};

struct schemas {
	struct schema *all;
	size_t count;
};

/* ERR_INVALID: a resource or field that cannot be one; ERR_LIMIT; ERR_NOMEM. */
int schemas_init(struct schemas *s, const struct store_schema *from, struct why *why);
void schemas_release(struct schemas *s);
const struct schema *schema_find(const struct schemas *s, const char *resource); /* NULL: none */
/* Whose records are children of this resource's; NULL: nobody's. */
const struct schema *schema_child(const struct schemas *s, const char *resource);

/* Whether a member with this key may be on the path's way, and what of the path is left behind it: nothing
 * at its end. A key may hold dots: it is the whole path or its beginning up to a dot. */
static inline bool schema_step(struct bytes path, struct bytes key, struct bytes *rest_out)
{
	if (key.len > path.len || (key.len < path.len && path.data[key.len] != '.') ||
	    (key.len && memcmp(key.data, path.data, key.len) != 0))
		return false;
	size_t taken = key.len < path.len ? key.len + 1 : key.len;
	*rest_out = bytes_of(path.data + taken, path.len - taken);
	return true;
}
/* What is left of each path on whose way a member of the document may be. Room for SCHEMA_PATHS_MAX + 1. */
size_t schema_steps(const struct schema *s, struct bytes key, struct schema_path *out);

bool kind_has_column(enum store_kind kind);
bool kind_has_terms(enum store_kind kind); /* whole values or words */
bool kind_has_words(enum store_kind kind);

#endif
