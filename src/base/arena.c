/* arena: chunks that double, freed together. Never hands out unzeroed memory. */
#include <base/arena.h>

#include <stdlib.h>

struct arena_chunk {
	struct arena_chunk *next;
	size_t cap;
	size_t len;
	_Alignas(max_align_t) uint8_t data[];
};

#define CHUNK_MIN 4096
#define CHUNK_MAX (256 * 1024)

void arena_init(struct arena *a, size_t max)
{
	*a = (struct arena){.max = max};
}

void arena_release(struct arena *a)
{
	struct arena_chunk *next;

	for (struct arena_chunk *c = a->head; c; c = next) {
		next = c->next;
		free(c);
	}
	*a = (struct arena){.max = a->max};
}

void arena_reset(struct arena *a)
{
	struct arena_chunk *keep = a->head;

	if (!keep)
		return;
	a->head = keep->next;
	arena_release(a); /* also zeroes `used` */
	keep->next = NULL;
	keep->len = 0;
	a->head = keep;
}

static struct arena_chunk *chunk_add(struct arena *a, size_t size)
{
	size_t cap = a->head ? a->head->cap * 2 : CHUNK_MIN;

	if (cap > CHUNK_MAX)
		cap = CHUNK_MAX;
	if (cap < size)
		cap = size;
	struct arena_chunk *c = malloc(sizeof *c + cap);
	if (!c)
		return NULL;
	c->next = a->head;
	c->cap = cap;
	c->len = 0;
	a->head = c;
	return c;
}

void *arena_alloc(struct arena *a, size_t size)
{
	size_t align = _Alignof(max_align_t);

	if (size > SIZE_MAX / 4)
		return NULL;
	size = (size + align - 1) / align * align;
	if (a->max && (size > a->max || a->used > a->max - size))
		return NULL;
	struct arena_chunk *c = a->head;
	if (!c || c->cap - c->len < size) {
		c = chunk_add(a, size);
		if (!c)
			return NULL;
	}
	void *p = c->data + c->len;
	c->len += size;
	a->used += size;
	return memset(p, 0, size);
}

char *arena_str(struct arena *a, struct bytes text)
{
	char *copy = arena_alloc(a, text.len + 1);

	if (copy && text.len)
		memcpy(copy, text.data, text.len);
	return copy;
}

struct bytes arena_bytes(struct arena *a, struct bytes b)
{
	char *copy = arena_str(a, b);

	return copy ? bytes_of(copy, b.len) : bytes_of(NULL, 0);
}
