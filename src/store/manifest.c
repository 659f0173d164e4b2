/*
 * manifest: the list of what lives. The reader takes nothing on trust: the checksum says that the
 * bytes are what was written, not that what was written makes sense, and a number from here becomes
 * a path, an offset or an allocation.
 */
#include "manifest.h"
#include "framed.h"

#include <codec/msgpack.h>

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define NUMBER_MAX    ((uint64_t)1 << 53)
#define VERSION       1
#define SEGMENT_ITEMS 19

char *segment_path(const char *dir, const char *resource, const struct segment_meta *meta)
{
	char *path;

	if (asprintf(&path, "%s/%s/%s/%" PRIu64 ".seg", dir, resource, meta->folder, meta->number) < 0)
		return NULL;
	return path;
}

void manifest_segment_end(void *ctx, struct segment *g)
{
	(void)ctx;
	segment_free(g, NULL);
}

/* ---- writing ---- */

static void put_varint(struct buf *out, uint32_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_put_byte(out, (uint8_t)(v | 0x80));
	buf_put_byte(out, (uint8_t)v);
}

static void put_deltas(struct buf *out, const struct dead *d)
{
	uint32_t next = 0;

	for (uint32_t i = 0; i < d->records; i++) {
		if (i % 8 == 0 && d->bits[i / 8] == 0) {
			i += 7;
			continue;
		}
		if (!dead_has(d, i))
			continue;
		put_varint(out, i - next);
		next = i + 1;
	}
}

static void put_dead(struct buf *out, const struct dead *d)
{
	struct buf deltas = {0};
	size_t bitmap;

	if (!d || d->count == 0) {
		mp_put_nil(out);
		return;
	}
	bitmap = (d->records + 7) / 8;
	put_deltas(&deltas, d);
	if (deltas.error)
		out->error = deltas.error;
	else if (deltas.len < bitmap)
		mp_put_str(out, buf_bytes(&deltas));
	else
		mp_put_bin(out, bytes_of(d->bits, bitmap));
	buf_release(&deltas);
}

static void put_segment(struct buf *out, const struct state_segment *e)
{
	const struct segment_meta *m = &e->segment->meta;

	mp_put_array(out, SEGMENT_ITEMS + m->cold);
	mp_put_uint(out, m->number);
	mp_put_cstr(out, m->folder);
	mp_put_uint(out, m->bytes);
	mp_put_uint(out, m->data_end);
	mp_put_uint(out, m->records);
	mp_put_uint(out, e->tombstones);
	mp_put_uint(out, e->truncated);
	mp_put_uint(out, m->untimed);
	mp_put_uint(out, m->dictionary);
	mp_put_uint(out, m->header_sum);
	for (int i = 0; i < SEGMENT_RANGES; i++) {
		mp_put_int(out, m->ranges[i].min);
		mp_put_int(out, m->ranges[i].max);
	}
	put_dead(out, e->dead);
	if (m->cold)
		mp_put_bool(out, true);
}

static void put_resource(struct buf *out, const struct state_resource *r)
{
	mp_put_array(out, 6);
	mp_put_cstr(out, r->name);
	mp_put_uint(out, r->dictionary);
	mp_put_array(out, (uint32_t)r->dictionaries_count);
	for (size_t i = 0; i < r->dictionaries_count; i++) {
		mp_put_array(out, 2);
		mp_put_uint(out, r->dictionaries[i].number);
		mp_put_uint(out, r->dictionaries[i].bytes);
	}
	mp_put_array(out, (uint32_t)r->count);
	for (size_t i = 0; i < r->count; i++) {
		assert(!segment_in_memory(r->segments[i].segment)); /* a flush took them all */
		put_segment(out, &r->segments[i]);
	}
	coverage_encode(&r->coverage, out);
	intervals_encode(&r->damaged, out);
}

void manifest_encode(const struct state *t, struct buf *out)
{
	size_t start = framed_begin(out, MANIFEST_MAGIC);

	mp_put_array(out, 5);
	mp_put_uint(out, VERSION);
	mp_put_uint(out, t->revision);
	mp_put_uint(out, t->next_file);
	mp_put_array(out, (uint32_t)t->resources_count);
	for (size_t i = 0; i < t->resources_count; i++)
		put_resource(out, t->resources[i]);
	mp_put_map(out, (uint32_t)t->marks_count);
	for (size_t i = 0; i < t->marks_count; i++) {
		mp_put_str(out, mark_key(t->marks[i]));
		mp_put_bin(out, mark_value(t->marks[i]));
	}
	framed_end(out, start);
}

/* ---- reading ---- */

/* Reads in order; the first thing that is wrong sticks, and everything after it reads as zero. */
struct parse {
	struct mp_reader r;
	const char *dir;
	const char *trouble; /* what is wrong */
	int error;
	struct state *state;
};

static bool wrong(struct parse *p, int error, const char *trouble)
{
	if (!p->error) {
		p->error = error;
		p->trouble = trouble;
	}
	return false;
}

static bool take(struct parse *p, enum mp_type type, struct mp_value *v, const char *trouble)
{
	if (p->error)
		return false;
	return (mp_next(&p->r, v) == 1 && v->type == type) || wrong(p, ERR_CORRUPT, trouble);
}

static int64_t take_int(struct parse *p, const char *trouble)
{
	struct mp_value v;

	return take(p, MP_INT, &v, trouble) ? v.integer : 0;
}

static uint64_t take_number(struct parse *p, uint64_t max, const char *trouble)
{
	int64_t n = take_int(p, trouble);

	if (n < 0 || (uint64_t)n > max) {
		wrong(p, ERR_CORRUPT, trouble);
		return 0;
	}
	return (uint64_t)n;
}

/* An array of `want` items, or of any number up to `max` when want is 0. */
static uint32_t take_array(struct parse *p, uint32_t want, uint32_t max, const char *trouble)
{
	struct mp_value v;

	if (!take(p, MP_ARRAY, &v, trouble))
		return 0;
	if ((want && v.count != want) || v.count > max) {
		wrong(p, ERR_CORRUPT, trouble);
		return 0;
	}
	return v.count;
}

static bool take_name(struct parse *p, char *out, size_t size, const char *trouble)
{
	struct mp_value v;

	if (!take(p, MP_STR, &v, trouble))
		return false;
	if (v.str.len >= size || memchr(v.str.data, 0, v.str.len))
		return wrong(p, ERR_CORRUPT, trouble);
	memcpy(out, v.str.data, v.str.len);
	out[v.str.len] = 0;
	return true;
}

/* A folder's name becomes a path: a date or "all", nothing else. */
static bool folder_valid(const char *folder)
{
	if (strcmp(folder, "all") == 0)
		return true;
	for (int i = 0; i < 10; i++)
		if (i == 4 || i == 7 ? folder[i] != '-' : folder[i] < '0' || folder[i] > '9')
			return false;
	return folder[10] == 0;
}

static bool take_bitmap(struct parse *p, struct bytes bits, struct dead *d)
{
	if (bits.len != (d->records + 7) / 8)
		return wrong(p, ERR_CORRUPT, "a bitmap of dead rows has the wrong size");
	memcpy(d->bits, bits.data, bits.len);
	if (d->records % 8 && d->bits[bits.len - 1] >> (d->records % 8))
		return wrong(p, ERR_CORRUPT, "a bitmap of dead rows names rows that are not there");
	for (size_t i = 0; i < bits.len; i++)
		d->count += (uint32_t)__builtin_popcount(d->bits[i]);
	return true;
}

static bool take_deltas(struct parse *p, struct bytes deltas, struct dead *d)
{
	uint64_t next = 0;

	for (size_t i = 0; i < deltas.len;) {
		uint64_t v = 0;
		unsigned shift = 0;
		while (i < deltas.len && deltas.data[i] & 0x80 && shift < 28) {
			v |= (uint64_t)(deltas.data[i++] & 0x7f) << shift;
			shift += 7;
		}
		if (i == deltas.len || deltas.data[i] & 0x80)
			return wrong(p, ERR_CORRUPT, "a list of dead rows is cut");
		v |= (uint64_t)deltas.data[i++] << shift;
		next += v;
		if (next >= d->records)
			return wrong(p, ERR_CORRUPT,
				     "a list of dead rows names rows that are not there");
		d->bits[next / 8] |= (uint8_t)(1u << (next % 8));
		d->count++;
		next++;
	}
	return true;
}

static void take_dead(struct parse *p, uint32_t records, struct dead **out)
{
	struct mp_value v;

	if (p->error)
		return;
	if (mp_next(&p->r, &v) != 1 || (v.type != MP_NIL && v.type != MP_BIN && v.type != MP_STR)) {
		wrong(p, ERR_CORRUPT, "a segment's dead rows");
		return;
	}
	if (v.type == MP_NIL)
		return;
	struct dead *d = dead_new(records);
	if (!d) {
		wrong(p, ERR_NOMEM, "out of memory");
		return;
	}
	if (v.type == MP_BIN ? take_bitmap(p, v.str, d) : take_deltas(p, v.str, d))
		*out = d;
	else
		dead_unref(d);
}

static bool dictionary_known(const struct state_resource *r, uint64_t number)
{
	for (size_t i = 0; i < r->dictionaries_count; i++)
		if (r->dictionaries[i].number == number)
			return true;
	return number == 0;
}

static void check_meta(struct parse *p, const struct state_resource *r, const struct segment_meta *m)
{
	if (p->error)
		return;
	if (m->number == 0 || m->number >= p->state->next_file)
		wrong(p, ERR_CORRUPT, "a segment's number");
	else if (!folder_valid(m->folder))
		wrong(p, ERR_CORRUPT, "a segment's folder");
	else if (m->data_end < SEGMENT_PAGE || m->data_end > m->bytes || m->bytes % SEGMENT_PAGE)
		wrong(p, ERR_CORRUPT, "a segment's size");
	else if (m->records == 0 || m->untimed > m->records)
		wrong(p, ERR_CORRUPT, "a segment's number of records");
	else if (!dictionary_known(r, m->dictionary))
		wrong(p, ERR_CORRUPT, "a segment's dictionary");
}

static void take_meta(struct parse *p, struct segment_meta *m, struct state_segment *e)
{
	m->number = take_number(p, NUMBER_MAX, "a segment's number");
	take_name(p, m->folder, sizeof m->folder, "a segment's folder");
	m->bytes = take_number(p, (uint64_t)UINT32_MAX * SEGMENT_PAGE, "a segment's size");
	m->data_end = take_number(p, UINT32_MAX, "the end of a segment's data");
	m->records = (uint32_t)take_number(p, INT32_MAX, "a segment's number of records");
	e->tombstones = (uint32_t)take_number(p, m->records, "a segment's number of tombstones");
	e->truncated = (uint32_t)take_number(p, m->records, "a segment's number of truncated records");
	m->untimed = (uint32_t)take_number(p, m->records,
					   "a segment's number of records without a time");
	m->dictionary = take_number(p, NUMBER_MAX, "a segment's dictionary");
	m->header_sum = (uint32_t)take_number(p, UINT32_MAX, "a segment's checksum");
	for (int i = 0; i < SEGMENT_RANGES; i++) {
		m->ranges[i].min = take_int(p, "a segment's ranges");
		m->ranges[i].max = take_int(p, "a segment's ranges");
		if (m->ranges[i].min > m->ranges[i].max ||
		    (i == RANGE_REVISION && m->ranges[i].min < 0))
			wrong(p, ERR_CORRUPT, "a segment's ranges");
	}
}

/* What no fresh segment has is only written where it is so. */
static void take_cold(struct parse *p, struct segment_meta *m)
{
	struct mp_value v;

	m->cold = take(p, MP_BOOL, &v, "how a segment is packed") && v.boolean;
	if (!m->cold)
		wrong(p, ERR_CORRUPT, "how a segment is packed");
}

static void take_segment(struct parse *p, struct state_resource *r)
{
	struct segment_meta m = {0};
	struct state_segment e = {0};

	uint32_t items = take_array(p, 0, SEGMENT_ITEMS + 1, "a segment");
	if (items < SEGMENT_ITEMS)
		wrong(p, ERR_CORRUPT, "a segment");
	take_meta(p, &m, &e);
	check_meta(p, r, &m);
	take_dead(p, m.records, &e.dead);
	if (items > SEGMENT_ITEMS)
		take_cold(p, &m);
	if (!p->error) {
		e.segment = segment_new(r->name, &m, segment_path(p->dir, r->name, &m));
		if (!e.segment || resource_add_segment(r, e))
			wrong(p, ERR_NOMEM, "out of memory");
		else
			return;
	}
	dead_unref(e.dead);
	segment_free(e.segment, NULL);
}

static void take_dictionaries(struct parse *p, struct state_resource *r)
{
	uint32_t n = take_array(p, 0, STATE_DICTIONARIES_MAX, "a list of dictionaries");

	for (uint32_t i = 0; i < n && !p->error; i++) {
		take_array(p, 2, 2, "a dictionary");
		uint64_t number = take_number(p, NUMBER_MAX, "a dictionary's number");
		uint32_t bytes = (uint32_t)take_number(p, UINT32_MAX, "a dictionary's size");
		if (!p->error &&
		    (number == 0 || number >= p->state->next_file || dictionary_known(r, number)))
			wrong(p, ERR_CORRUPT, "a dictionary's number");
		if (!p->error && resource_add_dictionary(r, number, bytes))
			wrong(p, ERR_NOMEM, "out of memory");
	}
	if (!p->error && !dictionary_known(r, r->dictionary))
		wrong(p, ERR_CORRUPT, "a resource's dictionary");
}

static void take_nested(struct parse *p, struct state_resource *r)
{
	struct bytes coverage, damaged;
	int rc;

	if (p->error)
		return;
	if (mp_take(&p->r, &coverage) != 1 || mp_take(&p->r, &damaged) != 1) {
		wrong(p, ERR_CORRUPT, "a resource's coverage");
		return;
	}
	coverage_release(&r->coverage);
	coverage_init(&r->coverage);
	rc = coverage_decode(coverage, &r->coverage);
	if (rc)
		wrong(p, rc == ERR_NOMEM ? rc : ERR_CORRUPT, "a resource's coverage");
	rc = intervals_decode(damaged, &r->damaged);
	if (rc)
		wrong(p, rc == ERR_NOMEM ? rc : ERR_CORRUPT, "a resource's damaged spans");
}

static void take_resource(struct parse *p)
{
	char name[SEGMENT_NAME_SIZE];

	take_array(p, 6, 6, "a resource");
	if (!take_name(p, name, sizeof name, "a resource's name"))
		return;
	if (!resource_name_valid(name) || state_find(p->state, name)) {
		wrong(p, ERR_CORRUPT, "a resource's name");
		return;
	}
	struct state_resource *r = resource_new(name);
	if (!r) {
		wrong(p, ERR_NOMEM, "out of memory");
		return;
	}
	p->state->resources[p->state->resources_count++] = r;
	r->dictionary = take_number(p, NUMBER_MAX, "a resource's dictionary");
	take_dictionaries(p, r);
	uint32_t n = take_array(p, 0, STATE_SEGMENTS_MAX, "a list of segments");
	for (uint32_t i = 0; i < n && !p->error; i++)
		take_segment(p, r);
	take_nested(p, r);
}

static void take_marks(struct parse *p)
{
	struct mp_value map = {0}, key = {0}, value = {0};

	if (!take(p, MP_MAP, &map, "the marks"))
		return;
	for (uint32_t i = 0; i < map.count && !p->error; i++) {
		size_t before = p->state->marks_count;
		if (!take(p, MP_STR, &key, "a mark's key") ||
		    !take(p, MP_BIN, &value, "a mark's value"))
			return;
		if (key.str.len == 0 || key.str.len > MARK_KEY_MAX || value.str.len > MARK_VALUE_MAX) {
			wrong(p, ERR_CORRUPT, "a mark's size");
			return;
		}
		int rc = state_mark(p->state, key.str, value.str);
		if (rc)
			wrong(p, rc == ERR_NOMEM ? rc : ERR_CORRUPT, "the marks");
		else if (p->state->marks_count == before)
			wrong(p, ERR_CORRUPT, "a mark stands twice");
	}
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The page cache knows files by their numbers: one number must not mean two files. */
static void check_numbers(struct parse *p)
{
	const struct state *t = p->state;
	size_t n = 0, at = 0;

	for (size_t i = 0; i < t->resources_count; i++)
		n += t->resources[i]->count;
	uint64_t *numbers = malloc((n + 1) * sizeof *numbers);
	if (!numbers) {
		wrong(p, ERR_NOMEM, "out of memory");
		return;
	}
	for (size_t i = 0; i < t->resources_count; i++)
		for (size_t j = 0; j < t->resources[i]->count; j++)
			numbers[at++] = t->resources[i]->segments[j].segment->meta.number;
	qsort(numbers, n, sizeof *numbers, by_number);
	for (size_t i = 1; i < n; i++)
		if (numbers[i] == numbers[i - 1])
			wrong(p, ERR_CORRUPT, "a segment stands twice");
	free(numbers);
}

static void take_state(struct parse *p)
{
	struct state *t = p->state;

	take_array(p, 5, 5, "the whole");
	if (take_number(p, INT32_MAX, "the version") != VERSION)
		wrong(p, ERR_CORRUPT, "the version");
	t->revision = take_number(p, INT64_MAX / 2, "the revision");
	t->next_file = take_number(p, NUMBER_MAX, "the next file's number");
	uint32_t n = take_array(p, 0, STORE_RESOURCES_MAX, "the resources");
	for (uint32_t i = 0; i < n && !p->error; i++)
		take_resource(p);
	take_marks(p);
	if (!p->error && p->r.at != p->r.end)
		wrong(p, ERR_CORRUPT, "bytes behind the end");
	if (!p->error)
		check_numbers(p);
}

int manifest_parse(struct bytes file, const char *dir, struct state **out, struct why *why)
{
	struct bytes body;
	int rc = framed_parse(file, MANIFEST_MAGIC, &body);

	if (rc == ERR_INVALID)
		return why_set(why, rc, "the manifest was written by a newer version of fic");
	if (rc)
		return why_set(why, rc, "the manifest is damaged: its checksum or length is wrong");
	struct parse p = {.r = mp_reader_of(body), .dir = dir, .state = state_new()};
	if (!p.state)
		return why_set(why, ERR_NOMEM, "out of memory");
	take_state(&p);
	if (p.error) {
		state_unref(p.state, manifest_segment_end, NULL);
		return why_set(why, p.error, "the manifest makes no sense: %s", p.trouble);
	}
	*out = p.state;
	return 0;
}
