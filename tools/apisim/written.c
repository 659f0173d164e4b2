/* The values that programs wrote. */
#include "written.h"

#include <stdlib.h>
#include <string.h>

static struct written *all;
static uint32_t count, cap;

uint32_t written_add(const char *field, const json_t *value)
{
	if (count == cap) {
		cap = cap ? cap * 2 : 64;
		all = realloc(all, cap * sizeof(*all));
		if (!all)
			abort();
	}
	all[count] = (struct written){strdup(field), json_deep_copy(value)};
	if (!all[count].field || !all[count].value)
		abort();
	return ++count;
}

const struct written *written_at(uint32_t number)
{
	return &all[number - 1];
}

void written_release(void)
{
	for (uint32_t i = 0; i < count; i++) {
		free(all[i].field);
		json_decref(all[i].value);
	}
	free(all);
	all = NULL;
	count = cap = 0;
}

bool written_put(struct written_set *s, uint32_t number)
{
	for (uint32_t i = 0; i < s->count; i++) {
		if (strcmp(written_at(s->list[i])->field, written_at(number)->field) != 0)
			continue;
		s->list[i] = number;
		return true;
	}
	if (s->count == WRITTEN_FIELDS_MAX)
		return false;
	s->list[s->count++] = number;
	return true;
}

void written_drop(struct written_set *s, const char *prefix)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < s->count; i++)
		if (strncmp(written_at(s->list[i])->field, prefix, strlen(prefix)) != 0)
			s->list[kept++] = s->list[i];
	s->count = kept;
}

const json_t *written_find(const struct written_set *s, const char *field)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (!strcmp(written_at(s->list[i])->field, field))
			return written_at(s->list[i])->value;
	return NULL;
}

void written_print(struct buf *b, const char *key, const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	if (!text)
		abort();
	j_raw(b, key, text);
	free(text);
}

void written_print_members(struct buf *b, const struct written_set *s, const char *prefix)
{
	size_t n = strlen(prefix);

	for (uint32_t i = 0; i < s->count; i++) {
		const struct written *w = written_at(s->list[i]);

		if (!strncmp(w->field, prefix, n))
			written_print(b, w->field + n, w->value);
	}
}
