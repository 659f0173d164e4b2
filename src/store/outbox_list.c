/* outbox_list: see the header. There are some thousand edits at most: whatever looks for one by anything but its number goes through them all. */
#include "outbox_list.h"

#include <stdlib.h>

static void entry_free(struct outbox_entry *e)
{
	free(e->memory);
	free(e);
}

void outbox_list_release(struct outbox_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		entry_free(l->items[i]);
	free(l->items);
	*l = (struct outbox_list){0};
}

size_t outbox_list_place(const struct outbox_list *l, uint64_t id)
{
	size_t low = 0, high = l->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (l->items[middle]->edit.id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct outbox_entry *outbox_list_find(const struct outbox_list *l, uint64_t id)
{
	size_t at = outbox_list_place(l, id);

	return at < l->count && l->items[at]->edit.id == id ? l->items[at] : NULL;
}

static struct bytes copy_span(uint8_t **to, struct bytes from)
{
	struct bytes copy = bytes_of(*to, from.len);

	if (from.len == 0)
		return (struct bytes){0};
	memcpy(*to, from.data, from.len);
	*to += from.len;
	return copy;
}

static struct outbox_entry *entry_new(const struct edit *e, bool fresh)
{
	struct outbox_entry *new = calloc(1, sizeof *new);
	uint8_t *memory = malloc(e->record.len + e->set.len + e->base.len + e->theirs.len + 1);
	struct buf encoded = {0};

	edit_encode(e, &encoded);
	if (!new || !memory || encoded.error) {
		free(new);
		free(memory);
		buf_release(&encoded);
		return NULL;
	}
	new->edit = *e;
	new->memory = memory;
	new->edit.record = copy_span(&memory, e->record);
	new->edit.set = copy_span(&memory, e->set);
	new->edit.base = copy_span(&memory, e->base);
	new->edit.theirs = copy_span(&memory, e->theirs);
	new->bytes = encoded.len;
	new->record_hash = bytes_hash(e->record);
	new->fresh = fresh;
	buf_release(&encoded);
	return new;
}

int outbox_list_put(struct outbox_list *l, const struct edit *e, bool fresh)
{
	size_t at = outbox_list_place(l, e->id);
	bool there = at < l->count && l->items[at]->edit.id == e->id;
	struct outbox_entry *new;

	if (!there && l->count == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		struct outbox_entry **grown = realloc(l->items, cap * sizeof *grown);
		if (!grown)
			return ERR_NOMEM;
		l->items = grown;
		l->cap = cap;
	}
	new = entry_new(e, fresh);
	if (!new)
		return ERR_NOMEM;
	if (there) {
		l->bytes -= l->items[at]->bytes;
		entry_free(l->items[at]);
	} else {
		memmove(l->items + at + 1, l->items + at, (l->count - at) * sizeof *l->items);
		l->count++;
	}
	l->items[at] = new;
	l->bytes += new->bytes;
	return 0;
}

static void remove_at(struct outbox_list *l, size_t at)
{
	l->bytes -= l->items[at]->bytes;
	entry_free(l->items[at]);
	l->count--;
	memmove(l->items + at, l->items + at + 1, (l->count - at) * sizeof *l->items);
}

void outbox_list_remove(struct outbox_list *l, uint64_t id)
{
	size_t at = outbox_list_place(l, id);

	if (at < l->count && l->items[at]->edit.id == id)
		remove_at(l, at);
}

void outbox_list_trim(struct outbox_list *l)
{
	size_t over = 0;

	for (size_t i = 0; i < l->count; i++)
		over += !edit_open(&l->items[i]->edit);
	for (size_t i = 0;
	     i < l->count && over && (over > OUTBOX_KEPT_MAX || l->bytes > OUTBOX_BYTES_MAX);) {
		if (edit_open(&l->items[i]->edit)) {
			i++;
			continue;
		}
		remove_at(l, i);
		over--;
	}
}
