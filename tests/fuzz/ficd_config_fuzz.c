/* ficd.conf from anyone: no text may do more than be refused, a refusal has words, and a configuration that was taken prints as one that is taken again, and the same. */
#include <ficd/config.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
	if (!good)
		abort();
}

/* NULL: refused. */
static struct config *parse(struct bytes text)
{
	struct config_errors errors;
	struct config *config = NULL;
	struct buf out;

	config_errors_init(&errors);
	buf_init(&out, 0);
	int rc = config_parse("fuzz", text, &config, &errors);
	check((rc == 0) == (config != NULL) && (rc == 0) == (errors.fatal == 0));
	config_errors_write(&errors, &out);
	check(rc == 0 || out.len > 0);
	buf_release(&out);
	config_errors_release(&errors);
	return config;
}

/* A print of what was printed has no defaults any more: every option is set. */
static void drop_marks(struct buf *b)
{
	static const char mark[] = " ; default\n";
	const size_t len = sizeof mark - 1;
	size_t kept = 0;

	for (size_t i = 0; i < b->len;) {
		bool marked = b->len - i >= len && memcmp(b->data + i, mark, len) == 0;
		b->data[kept++] = marked ? '\n' : b->data[i];
		i += marked ? len : 1;
	}
	b->len = kept;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *first = parse(bytes_of(data, size)), *second;
	struct buf once, again;

	if (!first)
		return 0;
	buf_init(&once, 0);
	buf_init(&again, 0);
	config_print(first, &once);
	second = parse(buf_bytes(&once));
	/* A list of users may be longer than a line can be. */
	if (second) {
		config_print(second, &again);
		drop_marks(&once);
		check(bytes_equal(buf_bytes(&once), buf_bytes(&again)));
	}
	config_restart_needed(first, second ? second : first, &again);
	config_free(first);
	config_free(second);
	buf_release(&once);
	buf_release(&again);
	return 0;
}
