/* config_errors: a list of complaints. When memory runs out a complaint is counted without its words: an error is never lost, so that a broken file never
 * passes for a good one. */
#include "config_errors.h"

#include <stdio.h>
#include <stdlib.h>

#define NAME_SHOWN_MAX 40

void config_errors_init(struct config_errors *e)
{
	*e = (struct config_errors){0};
}

void config_errors_release(struct config_errors *e)
{
	if (!e)
		return;
	free(e->items);
	arena_release(&e->memory);
	*e = (struct config_errors){0};
}

static bool make_room(struct config_errors *e)
{
	if (e->count >= CONFIG_ERRORS_MAX)
		return false;
	if (e->count < e->cap)
		return true;
	size_t cap = e->cap ? e->cap * 2 : 8;
	struct config_error *items = realloc(e->items, cap * sizeof *items);
	if (!items)
		return false;
	e->items = items;
	e->cap = cap;
	return true;
}

static void add(struct config_errors *e, unsigned line, bool warning, const char *format, va_list args)
{
	char text[600];

	if (!warning)
		e->fatal++;
	if (!make_room(e))
		return;
	vsnprintf(text, sizeof text, format, args);
	const char *kept = arena_str(&e->memory, bytes_str(text));
	e->items[e->count++] = (struct config_error){line, warning, kept ? kept : "out of memory"};
}

void config_error(struct config_errors *e, unsigned line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(e, line, false, format, args);
	va_end(args);
}

void config_warning(struct config_errors *e, unsigned line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(e, line, true, format, args);
	va_end(args);
}

void config_errors_sort(struct config_errors *e)
{
	for (size_t i = 1; i < e->count; i++) {
		struct config_error moved = e->items[i];
		size_t j = i;
		for (; j > 0 && e->items[j - 1].line > moved.line; j--)
			e->items[j] = e->items[j - 1];
		e->items[j] = moved;
	}
}

void config_errors_write(const struct config_errors *e, struct buf *out)
{
	size_t errors = 0;

	for (size_t i = 0; i < e->count; i++) {
		const struct config_error *item = &e->items[i];
		buf_put_str(out, e->path);
		if (item->line)
			buf_printf(out, ":%u", item->line);
		buf_printf(out, ": %s: %s\n", item->warning ? "warning" : "error", item->text);
		errors += !item->warning;
	}
	if (e->fatal > errors)
		buf_printf(out, "%s: error: %zu more errors\n", e->path, e->fatal - errors);
}

const char *name_shown(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-:. /");

	return name[n] == 0 && n > 0 && n <= NAME_SHOWN_MAX ? name : "(not shown)";
}
