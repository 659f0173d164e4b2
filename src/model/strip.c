/* strip: see the header. The document is walked once; what no path leads into is copied as it is. */
#include <model/strip.h>

#include <codec/msgpack.h>

#include <assert.h>

/* What is left of each path that leads to where the walk is. */
struct rests {
	struct bytes items[STRIP_PATHS_MAX];
	size_t count;
};

static bool step(struct bytes rest, struct bytes name, struct bytes *out)
{
	if (rest.len <= name.len || memcmp(rest.data, name.data, name.len) != 0 ||
	    rest.data[name.len] != '.')
		return false;
	*out = bytes_of(rest.data + name.len + 1, rest.len - name.len - 1);
	return true;
}

/* Where the paths go on below a member; false: the member itself is meant. */
static bool below(const struct rests *at, struct bytes key, struct rests *out)
{
	out->count = 0;
	for (size_t i = 0; i < at->count; i++) {
		if (bytes_equal(at->items[i], key))
			return false;
		out->count += step(at->items[i], key, &out->items[out->count]);
	}
	return true;
}

/* The same of an item of a list. */
static bool below_item(const struct rests *at, struct rests *out)
{
	static const struct bytes star = {(const uint8_t *)"*", 1};

	out->count = 0;
	for (size_t i = 0; i < at->count; i++) {
		if (bytes_equal(at->items[i], star))
			return false;
		if (!step(at->items[i], star, &out->items[out->count]))
			out->items[out->count] = at->items[i];
		out->count++;
	}
	return true;
}

static int copy(struct mp_reader *r, const struct rests *at, unsigned depth, struct buf *out);

static int copy_whole(struct mp_reader *r, struct buf *out)
{
	struct bytes whole;

	if (mp_take(r, &whole) != 1)
		return ERR_CORRUPT;
	buf_put_bytes(out, whole);
	return 0;
}

/* 1: some members are gone, 0: none. */
static int copy_map(struct mp_reader *r, uint32_t count, const struct rests *at, unsigned depth,
		    struct buf *out)
{
	size_t mark = mp_begin_map(out);
	uint32_t kept = 0;
	int gone = 0;

	for (uint32_t i = 0; i < count; i++) {
		struct bytes key, value;
		struct mp_value v;
		struct rests next = {.count = 0};
		if (mp_take(r, &key) != 1 || !mp_get(key, &v))
			return ERR_CORRUPT;
		if (v.type == MP_STR && !below(at, v.str, &next)) {
			if (mp_take(r, &value) != 1)
				return ERR_CORRUPT;
			gone = 1;
			continue;
		}
		buf_put_bytes(out, key);
		kept++;
		int rc = copy(r, &next, depth + 1, out);
		if (rc < 0)
			return rc;
		gone |= rc;
	}
	mp_end_map(out, mark, kept);
	return gone;
}

static int copy_array(struct mp_reader *r, uint32_t count, const struct rests *at, unsigned depth,
		      struct buf *out)
{
	struct rests next;
	bool stays = below_item(at, &next);
	int gone = count > 0 && !stays;

	mp_put_array(out, stays ? count : 0);
	for (uint32_t i = 0; i < count; i++) {
		struct bytes value;
		int rc = stays ? copy(r, &next, depth + 1, out) : mp_take(r, &value);
		if (rc < 0 || (!stays && rc != 1))
			return rc < 0 ? rc : ERR_CORRUPT;
		gone |= rc;
	}
	return gone;
}

static int copy(struct mp_reader *r, const struct rests *at, unsigned depth, struct buf *out)
{
	struct mp_reader head = *r;
	struct mp_value v;

	if (depth > MP_DEPTH_MAX)
		return ERR_LIMIT;
	if (mp_next(&head, &v) != 1)
		return ERR_CORRUPT;
	if (at->count == 0 || (v.type != MP_MAP && v.type != MP_ARRAY))
		return copy_whole(r, out);
	*r = head;
	return v.type == MP_MAP ? copy_map(r, v.count, at, depth, out)
				: copy_array(r, v.count, at, depth, out);
}

int doc_strip(struct bytes doc, const struct bytes *paths, size_t count, struct buf *out)
{
	struct mp_reader r = mp_reader_of(doc);
	struct rests at = {.count = count};
	size_t start = out->len;

	assert(count <= STRIP_PATHS_MAX);
	memcpy(at.items, paths, count * sizeof *paths);
	int rc = count && doc.len ? copy(&r, &at, 0, out) : 0;
	if (rc >= 0 && out->error)
		rc = out->error;
	if (rc != 1)
		out->len = start;
	return rc;
}
