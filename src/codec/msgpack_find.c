/* msgpack_find: a key in a map, a path in a document. Reads forward only; never builds an
 * index and never allocates. */
#include <codec/msgpack.h>

#include <math.h>

/* A reader behind the header of the map (or array) that `whole` encodes: 1, 0 when it is none,
 * ERR_CORRUPT. */
static int open_container(struct bytes whole, enum mp_type type, struct mp_reader *r_out,
			  uint32_t *count_out)
{
	struct mp_reader r = mp_reader_of(whole);
	struct mp_value v;
	int rc = mp_next(&r, &v);

	if (rc != 1)
		return rc;
	if (v.type != type)
		return 0;
	*r_out = r;
	*count_out = v.count;
	return 1;
}

/* Short strings, as nearly all keys are, without a general decode; what else a key may be is
 * stepped over, its data then NULL. 1 or an error: a map's pair is never missing. */
static int next_key(struct mp_reader *r, struct bytes *key_out)
{
	struct mp_value v;

	if (r->at != r->end && (*r->at & 0xe0) == 0xa0) {
		size_t len = *r->at & 0x1fu;
		if (len >= (size_t)(r->end - r->at))
			return ERR_CORRUPT;
		*key_out = bytes_of(r->at + 1, len);
		r->at += 1 + len;
		return 1;
	}
	struct mp_reader ahead = *r;
	int rc = mp_next(&ahead, &v);
	if (rc != 1)
		return ERR_CORRUPT;
	*key_out = v.type == MP_STR ? v.str : (struct bytes){NULL, 0};
	rc = mp_skip(r);
	return rc == 0 ? ERR_CORRUPT : rc;
}

static int need(int rc)
{
	return rc == 0 ? ERR_CORRUPT : rc;
}

/* A reader before the value of the key: 1, 0 or an error. */
static int seek(struct bytes map, struct bytes key, struct mp_reader *r)
{
	uint32_t count;
	int rc = open_container(map, MP_MAP, r, &count);

	if (rc != 1)
		return rc;
	for (uint32_t i = 0; i < count; i++) {
		struct bytes name;
		rc = next_key(r, &name);
		if (rc < 0)
			return rc;
		if (name.data && bytes_equal(name, key))
			return 1;
		rc = need(mp_skip(r));
		if (rc < 0)
			return rc;
	}
	return 0;
}

int mp_find(struct bytes map, struct bytes key, struct bytes *value_out)
{
	struct mp_reader r;
	int rc = seek(map, key, &r);

	return rc == 1 ? need(mp_take(&r, value_out)) : rc;
}

int mp_find_start(struct bytes map, struct bytes key, struct bytes *from_out)
{
	struct mp_reader r;
	int rc = seek(map, key, &r);

	if (rc != 1)
		return rc;
	*from_out = bytes_of(r.at, (size_t)(r.end - r.at));
	return from_out->len ? 1 : ERR_CORRUPT;
}

/* Is `name` the whole of `rest`, or what stands before one of its dots? */
static bool is_step(struct bytes name, struct bytes rest)
{
	return name.data && name.len <= rest.len &&
	       (name.len == rest.len || rest.data[name.len] == '.') &&
	       (name.len == 0 || memcmp(name.data, rest.data, name.len) == 0);
}

/* How well a key of `len` bytes fits: the whole rest best, then the first word of it, then the
 * longest of the dotted ones. */
static size_t rank_of(size_t len, struct bytes rest, size_t word)
{
	return len == rest.len ? SIZE_MAX : len == word ? SIZE_MAX - 1 : len;
}

static size_t word_len(struct bytes rest)
{
	const uint8_t *dot = rest.len ? memchr(rest.data, '.', rest.len) : NULL;

	return dot ? (size_t)(dot - rest.data) : rest.len;
}

/* One pass over a map for the key that continues the path. 1 with the value and the bytes of
 * path taken. */
static int step_map(struct bytes map, struct bytes rest, struct bytes *value_out, size_t *taken_out)
{
	struct mp_reader r;
	uint32_t count;
	int rc = open_container(map, MP_MAP, &r, &count);
	size_t best = 0, word = word_len(rest);
	bool found = false;

	if (word == rest.len) { /* one key only can be it */
		*taken_out = word;
		return rc == 1 ? mp_find(map, rest, value_out) : rc;
	}
	for (uint32_t i = 0; rc == 1 && i < count; i++) {
		struct bytes name, value;
		rc = next_key(&r, &name);
		if (rc < 0)
			return rc;
		rc = need(mp_take(&r, &value));
		if (rc < 0)
			return rc;
		if (!is_step(name, rest) || (found && rank_of(name.len, rest, word) <= best))
			continue;
		found = true;
		best = rank_of(name.len, rest, word);
		*value_out = value;
		*taken_out = name.len;
		if (name.len == rest.len)
			return 1;
	}
	return rc < 0 ? rc : found;
}

/* "0", "17"; no sign, no leading zero, at most ten digits. */
static bool parse_index(struct bytes word, uint64_t *index_out)
{
	uint64_t index = 0;

	if (word.len == 0 || word.len > 10 || (word.len > 1 && word.data[0] == '0'))
		return false;
	for (size_t i = 0; i < word.len; i++) {
		if (word.data[i] < '0' || word.data[i] > '9')
			return false;
		index = index * 10 + (uint64_t)(word.data[i] - '0');
	}
	*index_out = index;
	return true;
}

static int step_array(struct bytes array, struct bytes rest, struct bytes *value_out, size_t *taken_out)
{
	struct bytes word = {rest.data, word_len(rest)};
	struct mp_reader r;
	uint64_t index;
	uint32_t count;
	int rc = open_container(array, MP_ARRAY, &r, &count);

	if (rc != 1 || !parse_index(word, &index) || index >= count)
		return rc < 0 ? rc : 0;
	for (uint64_t i = 0; i < index; i++) {
		rc = need(mp_skip(&r));
		if (rc < 0)
			return rc;
	}
	*taken_out = word.len;
	return need(mp_take(&r, value_out));
}

/* ---- outlines ---- */

/* Up to eight bytes of a key as a word; zeros where it has less. */
static uint64_t head_of(const uint8_t *key, size_t len)
{
	uint8_t room[8] = {0};

	memcpy(room, key, len < sizeof room ? len : sizeof room);
	return le64(room);
}

/* The same of a key in a longer span. */
static inline uint64_t head_in(struct bytes key, const uint8_t *end)
{
	if (end - key.data < 8)
		return head_of(key.data, key.len);
	uint64_t word = le64(key.data);
	return key.len >= 8 ? word : word & ((UINT64_C(1) << (8 * key.len)) - 1);
}

/* Whether a byte of the word is a dot. */
static inline bool word_has_dot(uint64_t word)
{
	uint64_t x = word ^ UINT64_C(0x2e2e2e2e2e2e2e2e);

	return (x - UINT64_C(0x0101010101010101)) & ~x & UINT64_C(0x8080808080808080);
}

static inline bool has_dot(struct bytes key, uint64_t head)
{
	if (word_has_dot(head))
		return true;
	if (key.len <= 8)
		return false;
	return key.len <= 16 ? word_has_dot(le64(key.data + key.len - 8))
			     : memchr(key.data, '.', key.len) != NULL;
}

/* The members of what `map` encodes, if that is a map and has not too many. */
static void list_members(struct bytes map, struct mp_members *out)
{
	struct mp_reader r;
	uint32_t count;

	out->count = 0;
	out->dotted = false;
	if (open_container(map, MP_MAP, &r, &count) != 1 || count > MP_OUTLINE_MAX)
		return;
	for (uint32_t i = 0; i < count; i++) {
		struct mp_member *m = &out->items[i];
		if (next_key(&r, &m->key) != 1 || mp_take(&r, &m->value) != 1)
			return;
		out->heads[i] = m->key.data ? head_in(m->key, map.data + map.len) : 0;
		out->dotted |= has_dot(m->key, out->heads[i]);
	}
	out->count = count;
}

void mp_outline(struct bytes doc, struct mp_outline *out)
{
	out->doc = doc;
	out->inner_of = NULL;
	list_members(doc, &out->outer);
}

/* The first with this key. No key has a dot. */
static const struct mp_member *find_member(const struct mp_members *m, struct bytes key)
{
	uint64_t head = head_of(key.data, key.len);

	for (uint32_t i = 0; i < m->count; i++)
		if (m->heads[i] == head && bytes_equal(m->items[i].key, key) && m->items[i].key.data)
			return &m->items[i];
	return NULL;
}

/* As step_map. */
static bool step_members(const struct mp_members *m, struct bytes rest, struct bytes *value_out,
			 size_t *taken_out)
{
	size_t best = 0, word = word_len(rest);
	bool found = false;

	if (!m->dotted) {
		const struct mp_member *one = find_member(m, bytes_of(rest.data, word));
		if (one)
			*value_out = one->value;
		*taken_out = word;
		return one;
	}
	for (uint32_t i = 0; i < m->count && best != SIZE_MAX; i++) {
		struct bytes name = m->items[i].key;
		if (!is_step(name, rest) || (found && rank_of(name.len, rest, word) <= best))
			continue;
		found = true;
		best = rank_of(name.len, rest, word);
		*value_out = m->items[i].value;
		*taken_out = name.len;
	}
	return found;
}

/* As mp_path, of a member. */
static int inner_path(struct mp_outline *o, struct bytes member, struct bytes path,
		      struct bytes *value_out)
{
	struct bytes value;
	size_t taken = 0;

	if (o->inner_of != member.data) {
		o->inner_of = member.data;
		list_members(member, &o->inner);
	}
	if (!o->inner.count)
		return mp_path(member, path, value_out);
	if (!step_members(&o->inner, path, &value, &taken))
		return 0;
	if (taken < path.len)
		return mp_path(value, bytes_of(path.data + taken + 1, path.len - taken - 1),
			       value_out);
	*value_out = value;
	return 1;
}

int mp_outline_path(struct mp_outline *o, struct bytes path, struct bytes *value_out)
{
	struct bytes value;
	size_t taken = 0;

	if (!o->outer.count)
		return mp_path(o->doc, path, value_out);
	if (!step_members(&o->outer, path, &value, &taken))
		return 0;
	if (taken < path.len)
		return inner_path(o, value, bytes_of(path.data + taken + 1, path.len - taken - 1),
				  value_out);
	*value_out = value;
	return 1;
}

int mp_path(struct bytes doc, struct bytes path, struct bytes *value_out)
{
	for (;;) {
		struct bytes value;
		struct mp_value v;
		size_t taken = 0;
		if (!mp_get(doc, &v))
			return doc.len ? ERR_CORRUPT : 0;
		if (v.type != MP_MAP && v.type != MP_ARRAY)
			return 0;
		int rc = v.type == MP_MAP ? step_map(doc, path, &value, &taken)
					  : step_array(doc, path, &value, &taken);
		if (rc != 1)
			return rc;
		if (taken == path.len) {
			*value_out = value;
			return 1;
		}
		doc = value;
		path.data += taken + 1;
		path.len -= taken + 1;
	}
}

static bool find_value(struct bytes map, const char *key, struct mp_value *v_out)
{
	struct bytes whole;

	return mp_find(map, bytes_str(key), &whole) == 1 && mp_get(whole, v_out);
}

bool mp_find_str(struct bytes map, const char *key, struct bytes *out)
{
	struct mp_value v;

	if (!find_value(map, key, &v) || v.type != MP_STR)
		return false;
	*out = v.str;
	return true;
}

bool mp_find_int(struct bytes map, const char *key, int64_t *out)
{
	struct mp_value v;

	if (!find_value(map, key, &v))
		return false;
	if (v.type == MP_INT) {
		*out = v.integer;
		return true;
	}
	/* 2^63 is a double, INT64_MAX is not: the upper bound is exclusive. */
	if (v.type != MP_FLOAT || !(v.real >= -0x1p63 && v.real < 0x1p63) || trunc(v.real) != v.real)
		return false;
	*out = (int64_t)v.real;
	return true;
}

bool mp_find_bool(struct bytes map, const char *key, bool *out)
{
	struct mp_value v;

	if (!find_value(map, key, &v) || v.type != MP_BOOL)
		return false;
	*out = v.boolean;
	return true;
}
