/* write_doc: see the header. A document is copied member by member; nothing but the one path is looked into. */
#include "write_doc.h"

#include <codec/msgpack.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define IDS_MAX 1000

/* The first step of a path, and what is left of it. */
static struct bytes step_of(const char **path, struct bytes whole)
{
	const char *end;

	if (**path == 0)
		return whole;
	end = strchrnul(*path, '.');
	struct bytes step = bytes_of(*path, (size_t)(end - *path));
	*path = *end ? end + 1 : end;
	return step;
}

static int put(struct bytes doc, const char *path, struct bytes whole, struct bytes value,
	       struct buf *out);

/* The member's new value, with its name before it; 1, or 0: it is left out. */
static int put_member(struct bytes name, struct bytes old, const char *rest, struct bytes whole,
		      struct bytes value, struct buf *out)
{
	bool last = *rest == 0 && whole.len == 0;

	if (last && value.len == 0)
		return 0;
	mp_put_str(out, name);
	if (last)
		buf_put_bytes(out, value);
	else
		return put(old, rest, whole, value, out) ? ERR_CORRUPT : 1;
	return 1;
}

static int put(struct bytes doc, const char *path, struct bytes whole, struct bytes value,
	       struct buf *out)
{
	struct mp_reader r = mp_reader_of(doc);
	struct mp_value head = {.type = MP_NIL}, k;
	struct bytes key, old, step = step_of(&path, whole);
	bool last_whole = step.data == whole.data, found = false;
	struct bytes rest_whole = last_whole ? bytes_of(NULL, 0) : whole;
	size_t mark = mp_begin_map(out);
	uint32_t kept = 0;
	int rc;

	/* What is no map is replaced by one. */
	bool is_map = doc.len && mp_next(&r, &head) == 1 && head.type == MP_MAP;
	for (uint32_t i = 0; is_map && i < head.count; i++) {
		if (mp_take(&r, &key) != 1 || mp_take(&r, &old) != 1)
			return ERR_CORRUPT;
		if (!found && mp_get(key, &k) && k.type == MP_STR && bytes_equal(k.str, step)) {
			found = true;
			rc = put_member(step, old, path, rest_whole, value, out);
			if (rc < 0)
				return rc;
			kept += (uint32_t)rc;
			continue;
		}
		buf_put_bytes(out, key);
		buf_put_bytes(out, old);
		kept++;
	}
	if (!found) {
		rc = put_member(step, (struct bytes){0}, path, rest_whole, value, out);
		if (rc < 0)
			return rc;
		kept += (uint32_t)rc;
	}
	mp_end_map(out, mark, kept);
	return 0;
}

int doc_put(struct bytes doc, const char *path, struct bytes whole, struct bytes value, struct buf *out)
{
	size_t mark = out->len;
	int rc = put(doc, path, whole, value, out);

	if (rc == 0)
		rc = out->error;
	if (rc)
		out->len = mark;
	return rc;
}

int fields_each(struct bytes map, int (*each)(void *ctx, struct bytes name, struct bytes value),
		void *ctx)
{
	struct mp_reader r = mp_reader_of(map);
	struct mp_value head, key;
	struct bytes value;
	int rc = 0;

	if (mp_next(&r, &head) != 1 || head.type != MP_MAP)
		return ERR_CORRUPT;
	for (uint32_t i = 0; i < head.count && rc == 0; i++) {
		if (mp_next(&r, &key) != 1 || key.type != MP_STR || mp_take(&r, &value) != 1)
			return ERR_CORRUPT;
		rc = each(ctx, key.str, value);
	}
	return rc;
}

struct bytes id_text(struct bytes value, char room[24])
{
	struct mp_value v;

	if (!value.len || !mp_get(value, &v))
		return (struct bytes){0};
	if (v.type == MP_INT && v.integer != 0) {
		int n = snprintf(room, 24, "%" PRId64, v.integer);
		return bytes_of(room, (size_t)n);
	}
	if (v.type == MP_STR && v.str.len && v.str.len <= RECORD_ID_MAX && !bytes_is(v.str, "0"))
		return v.str;
	return (struct bytes){0};
}

static int by_bytes(const void *a, const void *b)
{
	return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

struct ids {
	struct bytes items[IDS_MAX];
	char digits[IDS_MAX][24];
	size_t count;
};

static int ids_collect(struct bytes list, struct ids *ids)
{
	struct mp_reader r = mp_reader_of(list);
	struct mp_value head, v;
	struct bytes item, id;

	if (!list.len || mp_next(&r, &head) != 1 || head.type == MP_NIL)
		return 0;
	if (head.type != MP_ARRAY)
		return ERR_CORRUPT;
	for (uint32_t i = 0; i < head.count; i++) {
		if (mp_take(&r, &item) != 1)
			return ERR_CORRUPT;
		if (mp_get(item, &v) && v.type == MP_MAP && mp_find(item, bytes_str("id"), &id) == 1)
			item = id;
		if (ids->count == IDS_MAX)
			return ERR_LIMIT;
		id = id_text(item, ids->digits[ids->count]);
		if (id.len)
			ids->items[ids->count++] = id;
	}
	return 0;
}

int ids_put(struct bytes list, struct buf *out)
{
	struct ids *ids = calloc(1, sizeof *ids);
	int rc = ids ? ids_collect(list, ids) : ERR_NOMEM;
	uint32_t n = 0;

	if (rc == 0) {
		qsort(ids->items, ids->count, sizeof *ids->items, by_bytes);
		size_t mark = mp_begin_array(out);
		for (size_t i = 0; i < ids->count; i++) {
			if (i && bytes_equal(ids->items[i], ids->items[i - 1]))
				continue;
			mp_put_str(out, ids->items[i]);
			n++;
		}
		mp_end_array(out, mark, n);
		rc = out->error;
	}
	free(ids);
	return rc;
}

bool ids_have(struct bytes list, struct bytes id)
{
	struct mp_reader r = mp_reader_of(list);
	struct mp_value head, v;

	if (mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return false;
	for (uint32_t i = 0; i < head.count && mp_next(&r, &v) == 1; i++)
		if (v.type == MP_STR && bytes_equal(v.str, id))
			return true;
	return false;
}
