/*
 * names: a list for each kind, in the order of ids. Asks nobody: app_load_names does.
 */
#include "names.h"

#include <codec/msgpack.h>

#include <stdlib.h>

static struct bytes text_of(const struct names *n, size_t at, size_t len)
{
	return bytes_of(n->text.data + at, len);
}

static int compare(struct bytes a, struct bytes b)
{
	int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

static bool str_of(struct bytes row, const char *key, struct bytes *out)
{
	struct mp_value v;
	struct bytes value;

	if (mp_find(row, bytes_str(key), &value) != 1 || !mp_get(value, &v) || v.type != MP_STR ||
	    v.str.len == 0)
		return false;
	*out = v.str;
	return true;
}

/* In its place: lists come sorted or are short. */
static void insert(struct names *n, enum names_of kind, struct name name)
{
	struct name *list = n->list[kind];
	size_t i = n->count[kind]++;

	for (; i > 0 && compare(text_of(n, list[i - 1].id_at, list[i - 1].id_len),
				text_of(n, name.id_at, name.id_len)) > 0;
	     i--)
		list[i] = list[i - 1];
	list[i] = name;
}

void names_take(struct names *n, enum names_of kind, struct bytes rows)
{
	struct mp_reader r = mp_reader_of(rows);
	struct bytes row, id, text, source;
	struct mp_value head;

	if (!rows.data || mp_next(&r, &head) != 1 || head.type != MP_ARRAY || n->list[kind])
		return;
	n->list[kind] = calloc(head.count ? head.count : 1, sizeof(struct name));
	for (uint32_t i = 0; n->list[kind] && i < head.count && mp_take(&r, &row) == 1; i++) {
		struct name name = {.id_at = n->text.len};
		if (!str_of(row, "id", &id) || !str_of(row, "name", &text))
			continue;
		name.id_len = id.len;
		name.at = name.id_at + id.len;
		name.len = text.len;
		if (!str_of(row, "source", &source))
			source = bytes_of(NULL, 0);
		name.source_at = name.at + text.len;
		name.source_len = source.len;
		buf_put_bytes(&n->text, id);
		buf_put_bytes(&n->text, text);
		buf_put_bytes(&n->text, source);
		if (n->text.error)
			return;
		insert(n, kind, name);
	}
}

/* The first with this id, or where it would be. */
static size_t rank(const struct names *n, enum names_of kind, struct bytes id)
{
	size_t low = 0, high = n->count[kind];

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct name *one = &n->list[kind][middle];
		if (compare(text_of(n, one->id_at, one->id_len), id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool names_find(const struct names *n, enum names_of kind, struct bytes source, struct bytes id,
		struct bytes *name_out)
{
	struct bytes found = {NULL, 0};

	for (size_t i = n ? rank(n, kind, id) : 0; n && i < n->count[kind]; i++) {
		const struct name *one = &n->list[kind][i];
		struct bytes name = text_of(n, one->at, one->len);
		if (!bytes_equal(text_of(n, one->id_at, one->id_len), id))
			break;
		if (source.len && one->source_len &&
		    !bytes_equal(text_of(n, one->source_at, one->source_len), source))
			continue;
		if (found.data && !bytes_equal(found, name))
			return false;
		found = name;
	}
	if (found.data)
		*name_out = found;
	return found.data;
}

void names_release(struct names *n)
{
	for (int i = 0; i < NAMES_KINDS; i++)
		free(n->list[i]);
	buf_release(&n->text);
	*n = (struct names){0};
}
