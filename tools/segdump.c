/*
 * segdump: shows files of a store in words: segments, manifests, journals, dictionaries, trails.
 *
 *     segdump [--records] FILE...
 *
 * Exits 1 when one is damaged or cannot be read, 64 on a wrong use.
 */
#include <store/inspect.h>

#include <stdio.h>

static void print(void *ctx, struct bytes text)
{
	(void)ctx;
	fwrite(text.data, 1, text.len, stdout);
	putchar('\n');
}

int main(int argc, char **argv)
{
	bool records = argc > 1 && strcmp(argv[1], "--records") == 0;
	int first = records ? 2 : 1, bad = 0;

	if (first >= argc || argv[first][0] == '-') {
		fprintf(stderr, "usage: segdump [--records] FILE...\n");
		return 64;
	}
	for (int i = first; i < argc; i++) {
		struct why why = {""};
		if (store_inspect(argv[i], records, print, NULL, &why) == 0)
			continue;
		fflush(stdout);
		fprintf(stderr, "segdump: %s\n", why.text);
		bad = 1;
	}
	return bad;
}
