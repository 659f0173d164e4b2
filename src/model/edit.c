/* edit: names and the kept form of edits. Pure. What is read is checked as if it came from outside: it decides what is sent to a provider. */
#include <model/edit.h>

#include <codec/msgpack.h>

#include <limits.h>

#define ITEMS 19

const char *edit_state_name(enum edit_state state)
{
	static const char *const names[EDIT_STATES] = {"pending",  "sending", "pushed",
						       "conflict", "failed",  "dropped"};

	return names[state];
}

static void put_time(struct buf *out, int64_t ms)
{
	if (ms == TIME_NONE)
		mp_put_nil(out);
	else
		mp_put_int(out, ms);
}

void edit_encode(const struct edit *e, struct buf *out)
{
	mp_put_array(out, ITEMS);
	mp_put_int(out, 1);
	mp_put_uint(out, e->id);
	mp_put_int(out, e->state);
	mp_put_cstr(out, e->resource);
	mp_put_str(out, e->record);
	buf_put_bytes(out, e->set);
	buf_put_bytes(out, e->base);
	if (e->theirs.len)
		buf_put_bytes(out, e->theirs);
	else
		mp_put_nil(out);
	put_time(out, e->base_updated_ms);
	put_time(out, e->created_ms);
	put_time(out, e->changed_ms);
	put_time(out, e->next_ms);
	put_time(out, e->sent_ms);
	put_time(out, e->sent_updated_ms);
	mp_put_uint(out, e->sent_hash);
	mp_put_int(out, e->attempts);
	mp_put_bool(out, e->shown);
	mp_put_cstr(out, e->who);
	mp_put_cstr(out, e->error);
}

/* ---- reading ---- */

struct taking {
	struct mp_reader reader;
	bool bad;
};

static struct mp_value take(struct taking *t)
{
	struct mp_value v = {.type = MP_NIL};

	if (!t->bad && mp_next(&t->reader, &v) != 1)
		t->bad = true;
	return v;
}

static int64_t take_int(struct taking *t, int64_t least, int64_t most)
{
	struct mp_value v = take(t);

	t->bad |= v.type != MP_INT || v.integer < least || v.integer > most;
	return t->bad ? least : v.integer;
}

static int64_t take_time(struct taking *t)
{
	struct mp_value v = take(t);

	t->bad |= v.type != MP_INT && v.type != MP_NIL;
	return !t->bad && v.type == MP_INT ? v.integer : TIME_NONE;
}

static uint64_t take_hash(struct taking *t)
{
	struct mp_value v = take(t);

	t->bad |= v.type != MP_UINT && (v.type != MP_INT || v.integer < 0);
	return t->bad ? 0 : v.type == MP_UINT ? v.uinteger : (uint64_t)v.integer;
}

static struct bytes take_str(struct taking *t)
{
	struct mp_value v = take(t);

	t->bad |= v.type != MP_STR;
	return t->bad ? bytes_of("", 0) : v.str;
}

static void take_text(struct taking *t, char *out, size_t cap)
{
	struct bytes text = take_str(t);

	t->bad |= text.len >= cap || (text.len && memchr(text.data, 0, text.len));
	if (t->bad)
		return;
	if (text.len)
		memcpy(out, text.data, text.len);
	out[text.len] = 0;
}

static bool take_bool(struct taking *t)
{
	struct mp_value v = take(t);

	t->bad |= v.type != MP_BOOL;
	return !t->bad && v.boolean;
}

/* A map of texts to whatever. */
static bool is_fields(struct bytes map)
{
	struct mp_reader r = mp_reader_of(map);
	struct mp_value head, key;

	if (mp_check(map) || mp_next(&r, &head) != 1 || head.type != MP_MAP ||
	    head.count > EDIT_FIELDS_MAX)
		return false;
	for (uint32_t i = 0; i < head.count; i++)
		if (mp_next(&r, &key) != 1 || key.type != MP_STR || mp_skip(&r) != 1)
			return false;
	return true;
}

static struct bytes take_fields(struct taking *t, bool may_lack)
{
	struct bytes whole = {0};
	struct mp_value v;

	if (t->bad || mp_take(&t->reader, &whole) != 1) {
		t->bad = true;
		return (struct bytes){0};
	}
	if (may_lack && mp_get(whole, &v) && v.type == MP_NIL)
		return (struct bytes){0};
	t->bad |= !is_fields(whole);
	return whole;
}

int edit_decode(struct bytes encoded, struct edit *out)
{
	struct taking t = {.reader = mp_reader_of(encoded)};
	struct edit e = {0};
	struct mp_value head = take(&t);

	if (t.bad || head.type != MP_ARRAY || head.count != ITEMS || take_int(&t, 1, 1) != 1)
		return ERR_CORRUPT;
	e.id = (uint64_t)take_int(&t, 1, INT64_MAX);
	e.state = (enum edit_state)take_int(&t, 0, EDIT_STATES - 1);
	take_text(&t, e.resource, sizeof e.resource);
	e.record = take_str(&t);
	e.set = take_fields(&t, false);
	e.base = take_fields(&t, false);
	e.theirs = take_fields(&t, true);
	e.base_updated_ms = take_time(&t);
	e.created_ms = take_time(&t);
	e.changed_ms = take_time(&t);
	e.next_ms = take_time(&t);
	e.sent_ms = take_time(&t);
	e.sent_updated_ms = take_time(&t);
	e.sent_hash = take_hash(&t);
	e.attempts = (unsigned)take_int(&t, 0, UINT_MAX);
	e.shown = take_bool(&t);
	take_text(&t, e.who, sizeof e.who);
	take_text(&t, e.error, sizeof e.error);
	if (t.bad || t.reader.at != t.reader.end || !e.resource[0] || e.record.len == 0 ||
	    e.record.len > RECORD_ID_MAX)
		return ERR_CORRUPT;
	*out = e;
	return 0;
}

bool edit_shares_field(const struct edit *a, const struct edit *b)
{
	struct mp_reader r = mp_reader_of(a->set);
	struct mp_value head, key;
	struct bytes value;

	if (mp_next(&r, &head) != 1 || head.type != MP_MAP)
		return false;
	for (uint32_t i = 0; i < head.count; i++) {
		if (mp_next(&r, &key) != 1 || key.type != MP_STR || mp_skip(&r) != 1)
			return false;
		if (mp_find(b->set, key.str, &value) == 1)
			return true;
	}
	return false;
}

/* ---- the audit trail ---- */

static void put_pair(struct buf *out, const char *key, struct bytes text)
{
	mp_put_cstr(out, key);
	if (text.len)
		mp_put_str(out, text);
	else
		mp_put_nil(out);
}

static void put_moment(struct buf *out, const char *key, int64_t ms)
{
	char text[TIME_TEXT_MAX];

	mp_put_cstr(out, key);
	mp_put_cstr(out, ms == TIME_NONE ? NULL : time_text(ms, false, text));
}

/* The names of the fields; what they are is nobody's business but the outbox's. */
static void put_names(struct bytes set, struct buf *out)
{
	struct mp_reader r = mp_reader_of(set);
	struct mp_value head, key;
	uint32_t n = 0;

	size_t mark = mp_begin_array(out);
	if (mp_next(&r, &head) == 1 && head.type == MP_MAP)
		for (; n < head.count && mp_next(&r, &key) == 1 && key.type == MP_STR &&
		       mp_skip(&r) == 1;
		     n++)
			mp_put_str(out, key.str);
	mp_end_array(out, mark, n);
}

void edit_note(const struct edit *e, const char *source, const char *step, const char *who,
	       int64_t now_ms, struct buf *out)
{
	mp_put_map(out, 12);
	mp_put_cstr(out, "id");
	mp_put_uint(out, e->id);
	put_pair(out, "source", bytes_str(source));
	put_pair(out, "resource", bytes_str(e->resource));
	put_pair(out, "kind", bytes_str("edit"));
	put_pair(out, "outcome", bytes_str(step));
	put_moment(out, "started", e->created_ms);
	put_moment(out, "ended", now_ms);
	put_pair(out, "record", e->record);
	put_pair(out, "who", bytes_str(who));
	mp_put_cstr(out, "fields");
	put_names(e->set, out);
	mp_put_cstr(out, "retries");
	mp_put_uint(out, e->attempts);
	put_pair(out, "error", bytes_str(e->error));
}
