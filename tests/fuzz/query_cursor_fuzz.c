/* Cursors come from clients: what is taken for one must be written in exactly one way. */
#include <query/cursor.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[CURSOR_TEXT_MAX];
	struct cursor c;

	if (cursor_parse(bytes_of(data, size), &c, NULL) == 0 &&
	    !bytes_is(bytes_of(data, size), cursor_text(&c, text)))
		abort();
	return 0;
}
