/* found: a table with open addressing; hashes are what they are, so their low bits are the place. */
#include "found.h"

#include <stdlib.h>

#define SIZE_MIN 64u

static struct found_child *slot_of(const struct found *f, uint64_t parent)
{
	for (uint32_t at = (uint32_t)parent & (f->size - 1);; at = (at + 1) & (f->size - 1))
		if (f->slots[at].parent == 0 || f->slots[at].parent == parent)
			return &f->slots[at];
}

void found_release(struct found *f)
{
	free(f->slots);
	*f = (struct found){0};
}

const struct found_child *found_find(const struct found *f, uint64_t parent)
{
	const struct found_child *slot = f->size ? slot_of(f, parent) : NULL;

	return slot && slot->parent ? slot : NULL;
}

void found_more(struct found *f, uint64_t parent)
{
	slot_of(f, parent)->more = true;
}

/* Those created before the time, in a table of this size. */
static int rebuild(struct found *f, uint32_t size, int64_t before_ms)
{
	struct found old = *f;
	struct found_child *slots = calloc(size, sizeof *slots);

	if (!slots)
		return ERR_NOMEM;
	*f = (struct found){slots, size, 0};
	for (uint32_t i = 0; i < old.size; i++)
		if (old.slots[i].parent && old.slots[i].created_ms < before_ms) {
			*slot_of(f, old.slots[i].parent) = old.slots[i];
			f->count++;
		}
	free(old.slots);
	return 0;
}

int found_add(struct found *f, const struct found_child *child)
{
	int rc = 0;

	if (f->count == FOUND_MAX)
		return ERR_LIMIT;
	if ((f->count + 1) * 2 > f->size)
		rc = rebuild(f, f->size ? f->size * 2 : SIZE_MIN, INT64_MAX);
	if (rc)
		return rc;
	*slot_of(f, child->parent) = *child;
	f->count++;
	return 0;
}

uint32_t found_since(const struct found *f, int64_t from_ms)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->size; i++)
		n += f->slots[i].parent && f->slots[i].created_ms >= from_ms;
	return n;
}

int found_forget(struct found *f, int64_t from_ms)
{
	return f->count ? rebuild(f, f->size, from_ms) : 0;
}
