/* fed: sixteen bytes an event, one behind the other. */
#include <model/fed.h>

#include <codec/msgpack.h>

#define ONE 16

void fed_encode(const struct fed *items, size_t count, struct buf *out)
{
	struct buf list = {0};

	for (size_t i = 0; i < count; i++) {
		uint8_t one[ONE];
		put_le64(one, items[i].hash);
		put_le64(one + 8, (uint64_t)items[i].at_ms);
		buf_put(&list, one, sizeof one);
	}
	if (list.error)
		out->error = list.error;
	mp_put_bin(out, buf_bytes(&list));
	buf_release(&list);
}

static struct bytes list_of(struct bytes doc)
{
	struct mp_value v;

	return mp_get(doc, &v) && v.type == MP_BIN ? v.str : bytes_of(NULL, 0);
}

size_t fed_count(struct bytes doc)
{
	return list_of(doc).len / ONE;
}

struct fed fed_at(struct bytes doc, size_t i)
{
	const uint8_t *one = list_of(doc).data + i * ONE;

	return (struct fed){le64(one), (int64_t)le64(one + 8)};
}
