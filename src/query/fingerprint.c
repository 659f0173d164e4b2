/* fingerprint: the question as bytes, hashed. Values go in as they were written: "2 days ago" on a second page is the same question. */
#include "fingerprint.h"

static void put_part(struct buf *b, struct bytes text)
{
	uint8_t len[4];

	put_le32(len, (uint32_t)text.len);
	buf_put(b, len, sizeof len);
	buf_put_bytes(b, text);
}

/* The tree's depth is limited where it is parsed. */
static void put_where(struct buf *b, const struct where *w)
{
	buf_put_byte(b, (uint8_t)w->op);
	if (w->field)
		put_part(b, bytes_str(w->field->name));
	for (const struct where_value *v = w->values; v; v = v->next)
		put_part(b, v->text);
	buf_put_byte(b, '(');
	for (const struct where *child = w->child; child; child = child->next)
		put_where(b, child);
	buf_put_byte(b, ')');
}

int fingerprint(const struct query_spec *spec, uint64_t *out)
{
	struct buf b = {0};

	put_part(&b, bytes_str(spec->source));
	put_part(&b, bytes_str(spec->resource));
	buf_put_byte(&b, (uint8_t)spec->axis);
	buf_put_byte(&b, spec->ascending);
	if (spec->sort)
		put_part(&b, bytes_str(spec->sort->name));
	if (spec->where)
		put_where(&b, spec->where);
	if (spec->text) {
		buf_put_byte(&b, 0xff); /* no operator's number */
		put_part(&b, spec->text->text);
	}
	int rc = b.error;
	*out = bytes_hash(buf_bytes(&b));
	buf_release(&b);
	return rc;
}
