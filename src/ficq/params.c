/* params: a method's parameters, put together one by one. */
#include "params.h"

#include <codec/msgpack.h>

static void key(struct params *p, const char *name)
{
	if (p->count++ == 0)
		p->mark = mp_begin_map(&p->buf);
	mp_put_cstr(&p->buf, name);
}

void params_str(struct params *p, const char *name, const char *value)
{
	if (!value)
		return;
	key(p, name);
	mp_put_cstr(&p->buf, value);
}

void params_int(struct params *p, const char *name, int64_t value)
{
	key(p, name);
	mp_put_int(&p->buf, value);
}

void params_bool(struct params *p, const char *name, bool value)
{
	key(p, name);
	mp_put_bool(&p->buf, value);
}

void params_list(struct params *p, const char *name, const char *commas)
{
	uint32_t n = 0;

	if (!commas)
		return;
	key(p, name);
	size_t mark = mp_begin_array(&p->buf);
	while (*commas) {
		size_t len = strcspn(commas, ",");
		mp_put_str(&p->buf, bytes_of(commas, len));
		n++;
		commas += len;
		/* A comma at the end is followed by an empty part. */
		if (*commas == ',' && !*++commas) {
			mp_put_str(&p->buf, bytes_of(NULL, 0));
			n++;
		}
	}
	mp_end_array(&p->buf, mark, n);
}

void params_strs(struct params *p, const char *name, const char *const *values, size_t n)
{
	key(p, name);
	mp_put_array(&p->buf, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		mp_put_cstr(&p->buf, values[i]);
}

void params_value(struct params *p, const char *name, struct bytes whole)
{
	key(p, name);
	buf_put_bytes(&p->buf, whole);
}

struct bytes params_end(struct params *p)
{
	if (p->count == 0)
		p->mark = mp_begin_map(&p->buf);
	mp_end_map(&p->buf, p->mark, p->count);
	return buf_bytes(&p->buf);
}

void params_release(struct params *p)
{
	buf_release(&p->buf);
	*p = (struct params){0};
}
