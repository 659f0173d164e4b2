/*
 * model_html_fuzz: any bytes as HTML. The text is never longer, has no control characters of the decoder's making, no three newlines in a row and
 * no space at its ends.
 */
#include <model/html.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\n' || c == '\t';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out = {0};

	html_to_text(bytes_of(data, size), &out);
	if (out.error || out.len > size)
		abort();
	if (out.len && (is_space(out.data[0]) || is_space(out.data[out.len - 1])))
		abort();
	for (size_t i = 2; i < out.len; i++)
		if (out.data[i] == '\n' && out.data[i - 1] == '\n' && out.data[i - 2] == '\n')
			abort();
	buf_release(&out);
	return 0;
}
