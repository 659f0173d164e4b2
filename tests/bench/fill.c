/*
 * fill: conversations for fic and its rivals alike.
 *
 *   fill DIR COUNT DAYS    makes the store DIR (the state_dir/SOURCE of a ficd.conf) of COUNT conversations of the last
 *                          DAYS days before END_S, in the order of time, and writes each as a line of JSON, as the
 *                          provider gives it, to standard output
 *
 * Seeded: the same numbers make the same conversations. They are whole threads of 6.25 KB of JSON on average; their words
 * have the frequencies of a language, from the word that is everywhere to one that is in a single conversation.
 */
#include "support/fill.h"
#include "support/page.h"

#include <base/log.h>

#include <stdio.h>
#include <stdlib.h>

#define PARTS_MIN  2
#define PARTS_MORE 4
#define SENTENCES  24 /* of a part, at most */
#define VOCABULARY 60000u
#define END_S      1760000000u
#define COMMIT     300u

static void put(struct txn *t, unsigned i)
{
	static struct buf json;
	char id[16];

	buf_reset(&json);
	page_conversation(&json, PARTS_MIN, PARTS_MORE);
	fill_number(&json, i);
	snprintf(id, sizeof id, "%07u", 1000000 + i);
	fill_put(t, buf_bytes(&json), id);
	fwrite(json.data, 1, json.len, stdout);
	putchar('\n');
}

static void fill(struct store *s, unsigned count, unsigned days)
{
	uint64_t start = END_S - (uint64_t)days * 86400, span = (uint64_t)days * 86400;
	struct txn *t;

	for (unsigned i = 0; i < count;) {
		fill_must(store_begin(s, &t, NULL), "begin");
		for (unsigned end = i + COMMIT; i < end && i < count; i++) {
			uint64_t from = span * i / count;
			page_time((uint32_t)(start + from),
				  (uint32_t)(span * (i + 1) / count - from) + 1);
			put(t, i);
		}
		if (i == count)
			fill_hold(t, END_S * INT64_C(1000));
		fill_commit(s, t);
	}
	fill_settle(s);
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: fill DIR COUNT DAYS\n");
		return 64;
	}
	log_setup(LOG_LEVEL_ERROR, false);
	page_init();
	page_vocabulary(VOCABULARY);
	page_sentences(SENTENCES);
	struct store *s = fill_open(argv[1]);
	fill(s, (unsigned)strtoul(argv[2], NULL, 10), (unsigned)strtoul(argv[3], NULL, 10));
	store_close(s);
	if (fflush(stdout) || ferror(stdout)) {
		perror("fill");
		return 1;
	}
	return 0;
}
