/* Values that programs wrote, kept as they came: documents point to them.
 * They are never changed, so that a document stays what it was. */
#ifndef APISIM_WRITTEN_H
#define APISIM_WRITTEN_H

#include "buf.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Fields that one record has written values for. */
#define WRITTEN_FIELDS_MAX 24

struct written {
	char *field; /* as in the document, parts of an object after a dot */
	json_t *value;
};

/* The number of the new value, from 1 on. */
uint32_t written_add(const char *field, const json_t *value);
const struct written *written_at(uint32_t number);
void written_release(void);

/* The written fields of a record, by number; the newest value of each. */
struct written_set {
	uint32_t list[WRITTEN_FIELDS_MAX];
	uint32_t count;
};

/* false: it has too many. */
bool written_put(struct written_set *s, uint32_t number);
/* Forgets the fields that begin with this. */
void written_drop(struct written_set *s, const char *prefix);
/* NULL: it was never written. */
const json_t *written_find(const struct written_set *s, const char *field);
/* A member of any JSON value. */
void written_print(struct buf *b, const char *key, const json_t *value);
/* Members of an object: those whose field begins with the prefix, without it. */
void written_print_members(struct buf *b, const struct written_set *s, const char *prefix);

#endif
