/*
 * record: the envelope's encoding. Never looks into the document and never copies it on reading.
 */
#include <model/record.h>

#include <codec/msgpack.h>

#define VERSION 1
#define FIELDS  9

static void put_id(struct buf *out, struct bytes id)
{
	if (id.len)
		mp_put_str(out, id);
	else
		mp_put_nil(out);
}

static void put_time(struct buf *out, int64_t ms)
{
	if (ms != TIME_NONE)
		mp_put_int(out, ms);
	else
		mp_put_nil(out);
}

void record_encode(const struct record *r, struct buf *out)
{
	mp_put_array(out, FIELDS);
	mp_put_int(out, VERSION);
	mp_put_str(out, r->id);
	put_id(out, r->parent);
	put_id(out, r->merged_into);
	put_time(out, r->created_ms);
	put_time(out, r->updated_ms);
	put_time(out, r->seen_ms);
	mp_put_uint(out, r->flags);
	if (r->doc.len)
		buf_put_bytes(out, r->doc);
	else
		mp_put_nil(out);
}

/* Text of at most RECORD_ID_MAX bytes, or nil for none. */
static bool get_id(struct mp_reader *r, struct bytes *out)
{
	struct mp_value v;

	if (mp_next(r, &v) != 1)
		return false;
	*out = bytes_of(NULL, 0);
	if (v.type == MP_NIL)
		return true;
	if (v.type != MP_STR || v.str.len == 0 || v.str.len > RECORD_ID_MAX)
		return false;
	*out = v.str;
	return true;
}

static bool get_time(struct mp_reader *r, int64_t *out)
{
	struct mp_value v;

	if (mp_next(r, &v) != 1 || (v.type != MP_NIL && v.type != MP_INT))
		return false;
	*out = v.type == MP_INT ? v.integer : TIME_NONE;
	return true;
}

static bool get_unsigned(struct mp_reader *r, unsigned *out)
{
	struct mp_value v;

	if (mp_next(r, &v) != 1 || v.type != MP_INT || v.integer < 0 || v.integer > UINT16_MAX)
		return false;
	*out = (unsigned)v.integer;
	return true;
}

/* All but the document, which begins where the reader stands then. */
static int decode_envelope(struct mp_reader *r, struct record *got)
{
	struct mp_value head;
	unsigned version;

	if (mp_next(r, &head) != 1 || head.type != MP_ARRAY || head.count != FIELDS)
		return ERR_CORRUPT;
	if (!get_unsigned(r, &version) || version != VERSION || !get_id(r, &got->id) ||
	    got->id.len == 0 || !get_id(r, &got->parent) || !get_id(r, &got->merged_into) ||
	    !get_time(r, &got->created_ms) || !get_time(r, &got->updated_ms) ||
	    !get_time(r, &got->seen_ms) || !get_unsigned(r, &got->flags))
		return ERR_CORRUPT;
	return 0;
}

int record_decode(struct bytes encoded, struct record *out)
{
	struct mp_reader r = mp_reader_of(encoded);
	struct record got = {0};
	int rc = decode_envelope(&r, &got);

	if (rc || mp_take(&r, &got.doc) != 1 || r.at != r.end)
		return ERR_CORRUPT;
	*out = got;
	return 0;
}

int record_open(struct bytes summed, struct record *out)
{
	struct mp_reader r = mp_reader_of(summed);
	struct record got = {0};
	int rc = decode_envelope(&r, &got);

	got.doc = bytes_of(r.at, (size_t)(r.end - r.at));
	if (rc || !got.doc.len)
		return ERR_CORRUPT;
	*out = got;
	return 0;
}

/* Providers count in whole seconds, so both sides are cut to seconds, downwards. */
static int64_t seconds(int64_t ms)
{
	return ms / 1000 - (ms % 1000 < 0);
}

bool record_settled(const struct record *r)
{
	int64_t changed = r->updated_ms != TIME_NONE ? r->updated_ms : r->created_ms;

	if (changed == TIME_NONE || r->seen_ms == TIME_NONE)
		return false;
	return seconds(r->seen_ms) >= seconds(changed) + 2;
}

bool record_redacted(const struct record *r)
{
	bool redacted = false;

	return mp_find_bool(r->doc, "redacted", &redacted) && redacted;
}
