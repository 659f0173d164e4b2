/* field_path: takes paths apart. Knows nothing of documents. */
#include "field_path.h"

#include <string.h>

/* Up to `mark`, which is taken off `rest` as well; all of it when there is none. */
static struct bytes cut_at(struct bytes *rest, char mark)
{
	const uint8_t *at = rest->len ? memchr(rest->data, mark, rest->len) : NULL;
	size_t len = at ? (size_t)(at - rest->data) : rest->len;
	struct bytes word = bytes_of(rest->data, len);

	*rest = at ? bytes_of(at + 1, rest->len - len - 1) : bytes_of(NULL, 0);
	return word;
}

bool alternative_next(struct bytes *rest, struct alternative *out)
{
	if (!rest->data)
		return false;
	*out = (struct alternative){.path = cut_at(rest, '|')};
	if (out->path.len && out->path.data[0] == '?') {
		out->path = bytes_of(out->path.data + 1, out->path.len - 1);
		out->guard = cut_at(&out->path, '?');
	}
	if (out->path.len < 2)
		return true;
	uint8_t last = out->path.data[out->path.len - 1];
	out->constant = out->path.data[0] == '=';
	out->form = out->constant ? PATH_AS_IS
		    : last == '#' ? PATH_TAIL
		    : last == '~' ? PATH_PLAIN
		    : last == '!' ? PATH_REFERENCE
				  : PATH_AS_IS;
	if (out->constant)
		out->path = bytes_of(out->path.data + 1, out->path.len - 1);
	else if (out->form != PATH_AS_IS)
		out->path.len--;
	return true;
}

bool condition_next(struct bytes *guard, struct bytes *path_out, struct bytes *word_out)
{
	if (!guard->len)
		return false;
	struct bytes one = cut_at(guard, ',');
	*path_out = cut_at(&one, '=');
	*word_out = one;
	return true;
}

static bool ends(struct bytes path, size_t at)
{
	return at == path.len || path.data[at] == '.';
}

size_t star_find(struct bytes path, size_t *end_out, struct bytes *condition_out)
{
	*condition_out = bytes_of(NULL, 0);
	*end_out = path.len;
	if (!path.len || !memchr(path.data, '*', path.len))
		return path.len;
	for (size_t i = 0; i < path.len; i++) {
		if (path.data[i] != '*' || (i && path.data[i - 1] != '.'))
			continue;
		*end_out = i + 1;
		if (ends(path, i + 1))
			return i;
		const uint8_t *close = path.data[i + 1] == '('
					       ? memchr(path.data + i, ')', path.len - i)
					       : NULL;
		if (!close || !ends(path, (size_t)(close - path.data) + 1))
			continue;
		*condition_out = bytes_of(path.data + i + 2, (size_t)(close - path.data) - i - 2);
		*end_out = (size_t)(close - path.data) + 1;
		return i;
	}
	*end_out = path.len;
	return path.len;
}

struct bytes url_tail(struct bytes url)
{
	size_t start = 0, end = 0;

	while (end < url.len && url.data[end] != '?' && url.data[end] != '#')
		end++;
	for (size_t i = 0; i < end; i++)
		if (url.data[i] == '/')
			start = i + 1;
	return bytes_of(url.data + start, end - start);
}

bool field_paths(const struct field *f, bool (*each)(void *ctx, struct bytes path), void *ctx)
{
	struct bytes rest = bytes_str(f->path), path, word;
	struct alternative one;

	while (alternative_next(&rest, &one)) {
		while (condition_next(&one.guard, &path, &word))
			if (!each(ctx, path))
				return false;
		if (!one.constant && !each(ctx, one.path))
			return false;
	}
	return true;
}
