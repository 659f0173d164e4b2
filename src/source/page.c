/* page: see the header. */
#include "page.h"

#include <codec/msgpack.h>

#include <stdio.h>

void page_nonsense(struct page *page, const char *words)
{
	page->fault = FAULT_NONSENSE;
	why_set(&page->why, 0, "%s", words);
	page->count = 0;
}

bool page_room(struct page *page, size_t count)
{
	if (count > PAGE_ITEMS_MAX) {
		page_nonsense(page, "the answer has more items than can be");
		return false;
	}
	page->records = arena_alloc(&page->arena, count * sizeof *page->records + 1);
	if (!page->records)
		page_nonsense(page, "out of memory while reading a page");
	return page->records != NULL;
}

struct bytes page_map_with(struct page *page, struct bytes map, const char *key, struct bytes value)
{
	struct mp_reader r = mp_reader_of(map);
	struct buf out = {0};
	struct mp_value head;
	struct bytes name, old, copy;
	uint32_t kept = 0;

	if (mp_next(&r, &head) != 1)
		return bytes_of(NULL, 0);
	size_t mark = mp_begin_map(&out);
	for (uint32_t i = 0; i < head.count; i++) {
		struct mp_value k;
		if (mp_take(&r, &name) != 1 || mp_take(&r, &old) != 1)
			break;
		bool found = mp_get(name, &k) && k.type == MP_STR && bytes_is(k.str, key);
		if (found && !value.len)
			continue;
		buf_put_bytes(&out, name);
		buf_put_bytes(&out, found ? value : old);
		kept++;
	}
	mp_end_map(&out, mark, kept);
	copy = out.error ? bytes_of(NULL, 0) : arena_bytes(&page->arena, buf_bytes(&out));
	buf_release(&out);
	return copy;
}

void page_copy_text(struct bytes doc, const char *path, char *out, size_t cap)
{
	struct bytes value;
	struct mp_value v;

	out[0] = 0;
	if (mp_path(doc, bytes_str(path), &value) != 1 || !mp_get(value, &v) || v.type != MP_STR)
		return;
	/* Cut between characters, not inside one. */
	if (v.str.len >= cap)
		for (v.str.len = cap - 1; v.str.len && (v.str.data[v.str.len] & 0xc0) == 0x80;
		     v.str.len--)
			continue;
	snprintf(out, cap, "%.*s", (int)v.str.len, (const char *)v.str.data);
}
