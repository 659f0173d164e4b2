/* Streams of truth: lines made as fast as they are read. */
#include "truth.h"

#include "api.h"

#include <stdlib.h>
#include <string.h>

void truth_line_open(struct truth *t, const char *id)
{
	j_open(&t->out, NULL, '{');
	j_str(&t->out, "id", id);
}

void truth_line_open_number(struct truth *t, uint64_t id)
{
	j_open(&t->out, NULL, '{');
	j_idstr(&t->out, "id", id);
}

void truth_line_close(struct truth *t)
{
	buf_lit(&t->out, "}\n");
}

struct truth *truth_open(const char *resource, uint32_t since, const struct view *view)
{
	struct truth *t = calloc(1, sizeof(*t));

	if (!t)
		abort();
	t->since = since;
	t->view = *view;
	if (api->truth(resource, t))
		return t;
	free(t);
	return NULL;
}

size_t truth_read(struct truth *t, char *out, size_t size)
{
	size_t n;

	while (t->sent == t->out.len && t->at < t->end) {
		buf_reset(&t->out);
		t->sent = 0;
		for (; t->at < t->end && t->out.len < size; t->at++)
			t->line(t);
	}
	n = t->out.len - t->sent < size ? t->out.len - t->sent : size;
	memcpy(out, t->out.p ? t->out.p + t->sent : "", n);
	t->sent += n;
	return n;
}

void truth_close(struct truth *t)
{
	buf_release(&t->out);
	free(t);
}
