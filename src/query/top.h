/*
 * top: the first rows in the order of a field, out of many that come in any order. Private to this layer.
 *
 * A value becomes a key of bytes that order as the values do: numbers by size, times, false before true, texts by their first SORT_KEY_MAX bytes. What has no value
 * comes last, whichever way; what is equal lies by the hash of its id.
 */
#ifndef FIC_QUERY_TOP_H
#define FIC_QUERY_TOP_H

#include <model/field.h>
#include <query/cursor.h>

/* From a value as an index keeps it (field_stored). */
void sort_key_make(struct sort_key *k, const struct field *f, struct bytes stored, uint64_t id_hash);
/* Below 0: a comes first. */
int sort_key_compare(const struct sort_key *a, const struct sort_key *b, bool ascending);

/* The integer or time that such a key was made of; false: it has no value. */
bool sort_key_integer(const struct sort_key *k, int64_t *out);

struct top;
/* The first `max` rows. NULL: no memory. */
struct top *top_new(size_t max, bool ascending);
void top_free(struct top *t);
/* Whether a row with this key is among the first ones so far. */
bool top_wants(const struct top *t, const struct sort_key *k);
/* The key of the last one of `max`: only what is not behind it is wanted. NULL: there are not so many yet. */
const struct sort_key *top_last(const struct top *t);
/* Adds it, in place of the last one when there are `max`. 0 or ERR_NOMEM. */
int top_add(struct top *t, const struct sort_key *k, struct bytes id);
/* Puts all in order; nothing is added after. Returns how many there are. */
size_t top_order(struct top *t);
const struct sort_key *top_key(const struct top *t, size_t i);
struct bytes top_id(const struct top *t, size_t i);

#endif
