/* schema: the owner's tables, checked and numbered. */
#include "schema.h"

#include "state.h"

#include <stdlib.h>

bool kind_has_column(enum store_kind kind)
{
	return kind != STORE_WORDS;
}

bool kind_has_words(enum store_kind kind)
{
	return kind == STORE_WORDS || kind == STORE_TEXT;
}

bool kind_has_terms(enum store_kind kind)
{
	return kind == STORE_KEYWORD || kind == STORE_LIST || kind_has_words(kind);
}

static uint64_t definition(const struct store_field *f)
{
	struct buf b = {0};

	buf_put_byte(&b, (uint8_t)f->field->type);
	buf_put_byte(&b, (uint8_t)f->kind);
	buf_put_str(&b, f->field->path);
	uint64_t h = b.error ? 0 : bytes_hash(buf_bytes(&b));
	buf_release(&b);
	return h ? h : 1;
}

struct adding {
	struct schema *schema;
	unsigned field;
};

static bool add_path(void *ctx, struct bytes path)
{
	const struct adding *a = ctx;
	struct schema *s = a->schema;

	if (s->paths_count == SCHEMA_PATHS_MAX)
		return false;
	s->paths[s->paths_count++] = (struct schema_path){path, a->field};
	return true;
}

size_t schema_steps(const struct schema *s, struct bytes key, struct schema_path *out)
{
	size_t n = 0, first = 0, end = s->begins[256];

	if (key.len) {
		first = s->begins[key.data[0]];
		end = s->begins[key.data[0] + 1];
	}
	for (size_t i = first; i < end; i++) {
		const struct schema_path *p = &s->paths[s->by_first[i]];
		out[n].field = p->field;
		n += schema_step(p->path, key, &out[n].path);
	}
	return n;
}

/* An empty path stands among those that begin with a zero: no key but the empty one leads along it. */
static void sort_paths(struct schema *s)
{
	uint16_t n = 0;

	for (unsigned byte = 0; byte < 256; byte++) {
		s->begins[byte] = n;
		for (size_t i = 0; i < s->paths_count; i++)
			if ((s->paths[i].path.len ? s->paths[i].path.data[0] : 0) == byte)
				s->by_first[n++] = (uint16_t)i;
	}
	s->begins[256] = n;
}

/* What it is when nothing of the document is there. */
static bool has_constant(const struct field *f)
{
	return strstr(f->path, "=") != NULL;
}

static int schema_init(struct schema *s, const struct store_schema *from, struct why *why)
{
	if (!resource_name_valid(from->resource))
		return why_set(why, ERR_INVALID, "'%s' cannot be a resource", from->resource);
	if (from->count > SCHEMA_FIELDS_MAX)
		return why_set(why, ERR_LIMIT, "%s has more than %u indexed fields", from->resource,
			       SCHEMA_FIELDS_MAX);
	if (from->parent && !resource_name_valid(from->parent))
		return why_set(why, ERR_INVALID, "'%s' cannot be a resource", from->parent);
	strcpy(s->resource, from->resource);
	if (from->parent)
		strcpy(s->parent, from->parent);
	s->count = from->count;
	for (size_t i = 0; i < from->count; i++) {
		const struct store_field *f = &from->fields[i];
		if (!f->field->path || f->field->type == FIELD_ANY ||
		    strlen(f->field->name) >= SEGMENT_NAME_SIZE)
			return why_set(why, ERR_INVALID, "%s of %s cannot be indexed",
				       f->field->name, from->resource);
		if (!field_paths(f->field, add_path, &(struct adding){s, (unsigned)i}))
			return why_set(why, ERR_LIMIT, "the fields of %s have too many paths",
				       from->resource);
		s->fields[i] = (struct schema_field){f->field, f->kind, definition(f),
						     has_constant(f->field)};
	}
	sort_paths(s);
	return 0;
}

int schemas_init(struct schemas *s, const struct store_schema *from, struct why *why)
{
	size_t n = 0;
	int rc = 0;

	*s = (struct schemas){0};
	while (from && from[n].resource)
		n++;
	if (n > STORE_RESOURCES_MAX)
		return why_set(why, ERR_LIMIT, "more than %d resources", STORE_RESOURCES_MAX);
	if (n == 0)
		return 0;
	s->all = calloc(n, sizeof *s->all);
	if (!s->all)
		return why_set(why, ERR_NOMEM, "out of memory for the indexed fields");
	s->count = n;
	for (size_t i = 0; !rc && i < n; i++)
		rc = schema_init(&s->all[i], &from[i], why);
	if (rc)
		schemas_release(s);
	return rc;
}

void schemas_release(struct schemas *s)
{
	free(s->all);
	*s = (struct schemas){0};
}

const struct schema *schema_find(const struct schemas *s, const char *resource)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->all[i].resource, resource) == 0)
			return &s->all[i];
	return NULL;
}

const struct schema *schema_child(const struct schemas *s, const char *resource)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->all[i].parent, resource) == 0)
			return &s->all[i];
	return NULL;
}
