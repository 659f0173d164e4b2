/*
 * indexed: a field's type says how it is indexed. Long texts are words only: a column of them would
 * hold the records once more.
 */
#include "indexed.h"

#include <stdlib.h>
#include <string.h>

struct indexed {
	struct store_schema *schemas;
	struct store_field *fields;
};

static bool is_name(const struct field *f)
{
	return strcmp(f->name, "name") == 0 || strcmp(f->name, "author_name") == 0 ||
	       strcmp(f->name, "title") == 0 || strcmp(f->name, "description") == 0;
}

static enum store_kind kind_of(const struct field *f)
{
	switch (f->type) {
	case FIELD_LIST: return STORE_LIST;
	case FIELD_INTEGER:
	case FIELD_REAL: return STORE_INTEGER;
	case FIELD_TIME: return STORE_TIME;
	case FIELD_HTML: return strcmp(f->name, "body") == 0 ? STORE_WORDS : STORE_TEXT;
	default: return is_name(f) ? STORE_TEXT : STORE_KEYWORD;
	}
}

static size_t count_fields(const struct field *f)
{
	size_t n = 0;

	for (; f && f->name; f++)
		n++;
	return n;
}

/* Whose child it is; NULL: nobody's. */
static const char *parent_of(const struct resource_type *types, const char *name)
{
	for (; types->name; types++)
		if (types->child && strcmp(types->child, name) == 0)
			return types->name;
	return NULL;
}

struct indexed *indexed_new(const struct resource_type *types)
{
	struct indexed *x = calloc(1, sizeof *x);
	size_t resources = 0, fields = 0, at = 0;

	if (!x)
		return NULL;
	for (; types[resources].name; resources++)
		fields += count_fields(types[resources].fields);
	x->schemas = calloc(resources + 1, sizeof *x->schemas);
	x->fields = calloc(fields + 1, sizeof *x->fields);
	if (!x->schemas || !x->fields) {
		indexed_free(x);
		return NULL;
	}
	for (size_t i = 0; i < resources; i++) {
		size_t n = count_fields(types[i].fields);
		x->schemas[i] = (struct store_schema){types[i].name, x->fields + at, n,
						      parent_of(types, types[i].name)};
		for (size_t k = 0; k < n; k++, at++)
			x->fields[at] = (struct store_field){&types[i].fields[k],
							     kind_of(&types[i].fields[k])};
	}
	return x;
}

void indexed_free(struct indexed *x)
{
	if (!x)
		return;
	free(x->schemas);
	free(x->fields);
	free(x);
}

const struct store_schema *indexed_schemas(const struct indexed *x)
{
	return x->schemas;
}
