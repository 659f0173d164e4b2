/* Any bytes as words: terms within their limit, and not many more of them than bytes. */
#include <codec/words.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int check(void *ctx, struct bytes term)
{
	size_t *left = ctx;

	if (term.len == 0 || term.len > WORDS_TERM_MAX)
		abort();
	if (*left == 0)
		return 1;
	--*left;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Each byte begins at most one run, one pair and one whole. */
	size_t left = 3 * size + 3;

	if (words_each(bytes_of(data, size), check, &left) != 0)
		abort();
	return 0;
}
