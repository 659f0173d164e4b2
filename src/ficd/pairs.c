/* pairs: keys and values of an answer under construction. */
#include "pairs.h"

#include <codec/msgpack.h>

void put_text(struct buf *out, const char *key, const char *value)
{
	mp_put_cstr(out, key);
	mp_put_cstr(out, value);
}

void put_integer(struct buf *out, const char *key, int64_t value)
{
	mp_put_cstr(out, key);
	mp_put_int(out, value);
}

void put_bool(struct buf *out, const char *key, bool value)
{
	mp_put_cstr(out, key);
	mp_put_bool(out, value);
}

void put_real(struct buf *out, const char *key, double value)
{
	mp_put_cstr(out, key);
	mp_put_float(out, value);
}

void put_time_value(struct buf *out, int64_t ms)
{
	char text[TIME_TEXT_MAX];

	if (ms == TIME_NONE || ms == TIME_MIN || ms == TIME_MAX)
		mp_put_nil(out);
	else
		mp_put_cstr(out, time_text(ms, false, text));
}

void put_time(struct buf *out, const char *key, int64_t ms)
{
	mp_put_cstr(out, key);
	put_time_value(out, ms);
}
