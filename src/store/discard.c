/* discard: files that nobody names any more, and what happens when one cannot be removed. */
#include "inside.h"

#include <errno.h>
#include <stdlib.h>

#define LEFTOVERS_MAX 4096

void store_wake(struct store *s)
{
	if (s->hooks.wake)
		s->hooks.wake(s->hooks.ctx);
}

int store_trouble(struct store *s, int rc)
{
	if (rc < 0)
		store_wake(s);
	return rc;
}

void store_discard_later(struct store *s, char *path)
{
	char **grown = s->leftovers_count < LEFTOVERS_MAX
			       ? realloc(s->leftovers, (s->leftovers_count + 1) * sizeof *grown)
			       : NULL;

	if (!grown) {
		free(path); /* the next start removes it */
		return;
	}
	s->leftovers = grown;
	grown[s->leftovers_count++] = path;
}

void store_discard(struct store *s, char *path)
{
	if (path && s->hooks.unlink(s->hooks.ctx, path) != 0 && errno != ENOENT)
		store_discard_later(s, path);
	else
		free(path);
}

void store_discard_leftovers(struct store *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->leftovers_count; i++) {
		char *path = s->leftovers[i];
		if (s->hooks.unlink(s->hooks.ctx, path) == 0 || errno == ENOENT)
			free(path);
		else
			s->leftovers[kept++] = path;
	}
	s->leftovers_count = kept;
}

/* To take the pages of a large file from the cache takes a millisecond or two. */
void store_discard_slowly(struct store *s, char *path)
{
	char **grown = path && s->hooks.wake && s->doomed_count < LEFTOVERS_MAX
			       ? realloc(s->doomed, (s->doomed_count + 1) * sizeof *grown)
			       : NULL;

	if (!grown) {
		store_discard(s, path);
		return;
	}
	s->doomed = grown;
	grown[s->doomed_count++] = path;
	store_wake(s);
}

bool store_discard_step(struct store *s)
{
	if (s->doomed_count == 0)
		return false;
	store_discard(s, s->doomed[--s->doomed_count]);
	return true;
}

void store_retire(struct store *s, char *path)
{
	char **grown = path && s->retired_count < LEFTOVERS_MAX
			       ? realloc(s->retired, (s->retired_count + 1) * sizeof *grown)
			       : NULL;

	if (!grown) {
		free(path); /* a later start removes it */
		return;
	}
	s->retired = grown;
	grown[s->retired_count++] = path;
}

void store_discard_retired(struct store *s)
{
	for (size_t i = 0; i < s->retired_count; i++)
		store_discard_slowly(s, s->retired[i]);
	s->retired_count = 0;
}

/* What was read of it does not outlast it in memory: it may be what somebody wants forgotten. No lookup is under way when a segment ends. */
static void forget_file(struct store *s, const struct segment *g)
{
	if (g->loaded && !segment_in_memory(g))
		pages_forget(s->pages, g->file.number);
	if (s->frame.data)
		explicit_bzero(s->frame.data, s->frame.cap);
}

void store_segment_end(void *ctx, struct segment *g)
{
	struct store *s = ctx;

	if (g->doomed) {
		s->lingering--;
		/* The previous manifest still names it, unless there was another one since. */
		if (s->keep_previous && g->doomed_at >= s->manifests)
			store_retire(s, g->file.path);
		else
			store_discard_slowly(s, g->file.path);
		g->file.path = NULL;
	}
	forget_file(s, g);
	segment_free(g, s->pages);
}
