/* asking: see the header. */
#include "asking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct account asking_account = {&provider_intercom, "https://api.test", "2.16"};
const struct account asking_old_account = {&provider_intercom, "https://api.test", "2.15"};

struct ask asking_of(enum ask_kind kind, const char *resource)
{
	struct ask ask = {.kind = kind, .start_ms = TIME_MIN, .end_ms = TIME_MAX};

	if (resource) {
		ask.type = provider_type(&provider_intercom, bytes_str(resource));
		assert_non_null(ask.type);
	}
	return ask;
}

struct ask asking_one(const char *resource, const char *id)
{
	struct ask ask = asking_of(ASK_ONE, resource);

	ask.id = bytes_str(id);
	return ask;
}

static struct page *answer(const struct account *a, const struct ask *ask, int status,
			   const char *body, const char *link, size_t piece)
{
	struct reader *r = reader_new(a, ask, 0);
	size_t len = strlen(body);

	assert_non_null(r);
	for (size_t at = 0; at < len; at += piece)
		if (reader_feed(r, body + at, piece < len - at ? piece : len - at))
			break;
	struct page *page = reader_finish(r, status, link, SEEN);
	reader_free(r);
	assert_non_null(page);
	return page;
}

struct page *asking_answer_link(const struct ask *ask, int status, const char *body, const char *link)
{
	struct page *whole = answer(&asking_account, ask, status, body, link, strlen(body) + 1),
		    *pieces = answer(&asking_account, ask, status, body, link, 1);

	assert_int_equal(whole->fault, pieces->fault);
	assert_int_equal(whole->count, pieces->count);
	assert_true(bytes_equal(whole->next, pieces->next));
	for (size_t i = 0; i < whole->count; i++) {
		assert_true(bytes_equal(whole->records[i].record.id, pieces->records[i].record.id));
		assert_true(bytes_equal(whole->records[i].record.doc, pieces->records[i].record.doc));
	}
	page_free(whole);
	return pieces;
}

struct page *asking_answer(const struct ask *ask, int status, const char *body)
{
	return asking_answer_link(ask, status, body, "");
}

struct page *asking_answer_old(const struct ask *ask, int status, const char *body)
{
	return answer(&asking_old_account, ask, status, body, "", 7);
}

char *asking_example(const char *file)
{
	const char *dir = getenv("FIC_EXAMPLES");
	char path[512];
	FILE *f;
	char *text;
	size_t n;

	snprintf(path, sizeof path, "%s/%s", dir ? dir : "../shared/api/intercom-examples", file);
	f = fopen(path, "r");
	if (!f)
		return NULL;
	text = calloc(1, 1 << 20);
	assert_non_null(text);
	n = fread(text, 1, (1 << 20) - 1, f);
	fclose(f);
	text[n] = 0;
	return text;
}
