/* exclude_set: what is to be excluded, and how that becomes so on the disk: see exclude.h. */
#include "exclude.h"
#include "purge.h"

#include <stdlib.h>

static struct bytes configured(const struct store *s, const char *resource)
{
	const struct exclude *x = exclude_find(s, resource);

	return x ? buf_bytes(&x->text) : bytes_of(NULL, 0);
}

/* ---- what is to be excluded ---- */

static int by_text(const void *a, const void *b)
{
	const struct bytes *x = a, *y = b;
	size_t n = x->len < y->len ? x->len : y->len;
	int order = memcmp(x->data, y->data, n);

	return order ? order : (x->len > y->len) - (x->len < y->len);
}

static struct exclude *item_of(struct excludes *x, const char *resource)
{
	for (size_t i = 0; i < x->count; i++)
		if (strcmp(x->items[i].resource, resource) == 0)
			return &x->items[i];
	struct exclude *grown = realloc(x->items, (x->count + 1) * sizeof *grown);
	if (!grown)
		return NULL;
	x->items = grown;
	struct exclude *one = &grown[x->count++];
	*one = (struct exclude){.count = 0};
	strcpy(one->resource, resource);
	return one;
}

/* The paths, which were borrowed, as lines of its own text, each once. */
static int settle(struct exclude *x)
{
	size_t n = 0, at = 0;

	qsort(x->paths, x->count, sizeof *x->paths, by_text);
	for (size_t i = 0; i < x->count; i++) {
		if (n && bytes_equal(x->paths[i], x->paths[n - 1]))
			continue;
		x->paths[n++] = x->paths[i];
	}
	x->count = n;
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_put_byte(&x->text, '\n');
		buf_put_bytes(&x->text, x->paths[i]);
	}
	for (size_t i = 0; i < n && !x->text.error; at += x->paths[i++].len + 1)
		x->paths[i].data = x->text.data + at;
	return x->text.error ? ERR_NOMEM : x->text.len > MARK_VALUE_MAX ? ERR_LIMIT : 0;
}

static int gather(struct excludes *x, const struct store_exclusion *list)
{
	for (; list->resource; list++) {
		struct bytes path = bytes_str(list->path);
		if (!resource_name_valid(list->resource) || path.len == 0 ||
		    memchr(path.data, '\n', path.len))
			return ERR_INVALID;
		struct exclude *one = item_of(x, list->resource);
		if (!one || one->count == STRIP_PATHS_MAX)
			return one ? ERR_LIMIT : ERR_NOMEM;
		one->paths[one->count++] = path;
	}
	for (size_t i = 0; i < x->count; i++) {
		int rc = settle(&x->items[i]);
		if (rc)
			return rc;
	}
	return 0;
}

int store_exclude(struct store *s, const struct store_exclusion *list)
{
	struct excludes x = {.known = true};
	int rc = gather(&x, list);

	if (rc) {
		excludes_release(&x);
		return rc;
	}
	excludes_release(&s->excludes_next);
	s->excludes_next = x;
	exclude_apply(s);
	store_wake(s);
	return 0;
}

void exclude_apply(struct store *s)
{
	if (!s->excludes_next.known || s->committing)
		return;
	if (s->merging) {
		s->merge_void = true;
		return;
	}
	excludes_release(&s->excludes);
	s->excludes = s->excludes_next;
	s->excludes_next = (struct excludes){0};
}

/* ---- what is so on the disk ---- */

bool exclude_differs(const struct store *s, char out[SEGMENT_NAME_SIZE])
{
	size_t at = 0;

	if (!s->excludes.known)
		return false;
	for (size_t i = 0; i < s->excludes.count; i++) {
		const struct exclude *x = &s->excludes.items[i];
		strcpy(out, x->resource);
		if (!bytes_equal(buf_bytes(&x->text), exclude_marked(s->state, out)))
			return true;
	}
	while (purge_next(s->state, EXCLUDE_MARK, &at, out))
		if (!exclude_find(s, out))
			return true;
	return false;
}

static bool has_line(struct bytes text, struct bytes line)
{
	while (text.len) {
		const uint8_t *end = memchr(text.data, '\n', text.len);
		struct bytes one = bytes_of(text.data, end ? (size_t)(end - text.data) : text.len);
		if (bytes_equal(one, line))
			return true;
		size_t skip = one.len + (end != NULL);
		text = bytes_of(text.data + skip, text.len - skip);
	}
	return false;
}

static bool widens(const struct store *s, const char *resource)
{
	const struct exclude *x = exclude_find(s, resource);

	for (size_t i = 0; x && i < x->count; i++)
		if (!has_line(exclude_marked(s->state, resource), x->paths[i]))
			return true;
	return false;
}

int exclude_note(struct txn *t, const char *resource, const void *unused)
{
	struct store *s = t->store;
	char key[EXCLUDE_KEY_SIZE];
	int rc = 0;

	(void)unused;
	exclude_key(resource, key);
	if (widens(s, resource) && state_find(s->state, resource))
		rc = purge_all(t, resource);
	return rc ? rc : txn_mark_add(t, key, configured(s, resource));
}
