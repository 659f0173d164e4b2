/*
 * model_search_fuzz: any text as a search, in any text. The first line is the search. Looking twice gives the same; the search and `-` before it together
 * find nothing; a snippet is not much longer than it may be, and there is one for one word that is found.
 */
#include <model/search.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 1, 0, or an error. */
static int find(struct bytes search, struct bytes text)
{
	struct arena a = {.max = 1 << 20};
	struct buf out = {.max = 1 << 20};
	const struct search *s;
	struct why why = {""};
	uint64_t found = 0, again = 0;
	int rc = search_parse(search, &a, &s, &why);

	if (rc && (rc > 0 || !why.text[0]))
		abort();
	if (rc == 0) {
		search_look(s, text, &found);
		search_look(s, text, &again);
		search_look(s, text, &again);
		rc = search_holds(s, found);
		if (found != again || (found & ~s->ends))
			abort();
		bool shown = search_snippet(s, text, 40, &out);
		if (shown == (out.len == 0) || out.len > 1024 || (rc && s->count == 1 && !shown))
			abort();
	}
	arena_release(&a);
	buf_release(&out);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = size ? memchr(data, '\n', size) : NULL;
	struct bytes search = bytes_of(data, line ? (size_t)(line - data) : size);
	struct bytes text = line ? bytes_of(line + 1, size - search.len - 1) : bytes_of(NULL, 0);
	struct buf both = {0};

	int rc = find(search, text);
	if (rc >= 0) {
		buf_put_byte(&both, '(');
		buf_put_bytes(&both, search);
		buf_put_str(&both, ") -(");
		buf_put_bytes(&both, search);
		buf_put_str(&both, ")");
		/* May be too long, too deep or of too many words. */
		if (find(buf_bytes(&both), text) > 0)
			abort();
	}
	buf_release(&both);
	return 0;
}
