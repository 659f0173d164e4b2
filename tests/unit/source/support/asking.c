/* asking: see the header. */
#include "asking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct account asking_account = {&provider_intercom, "https://api.test", "2.16"};
const struct account asking_old_account = {&provider_intercom, "https://api.test", "2.15"};
const struct account asking_front_account = {&provider_front, "https://front.test", ""};

static struct ask ask_of(const struct provider *p, enum ask_kind kind, const char *resource)
{
	struct ask ask = {.kind = kind, .start_ms = TIME_MIN, .end_ms = TIME_MAX};

	if (resource) {
		ask.type = provider_type(p, bytes_str(resource));
		assert_non_null(ask.type);
	}
	return ask;
}

struct ask asking_front(enum ask_kind kind, const char *resource)
{
	return ask_of(&provider_front, kind, resource);
}

struct ask asking_of(enum ask_kind kind, const char *resource)
{
	return ask_of(&provider_intercom, kind, resource);
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

static struct page *both_ways(const struct account *a, const struct ask *ask, int status,
			      const char *body, const char *link)
{
	struct page *whole = answer(a, ask, status, body, link, strlen(body) + 1),
		    *pieces = answer(a, ask, status, body, link, 1);

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

struct page *asking_answer_link(const struct ask *ask, int status, const char *body, const char *link)
{
	return both_ways(&asking_account, ask, status, body, link);
}

struct page *asking_front_answer(const struct ask *ask, int status, const char *body)
{
	return both_ways(&asking_front_account, ask, status, body, "");
}

struct page *asking_front_moved(const struct ask *ask, const char *location)
{
	return both_ways(&asking_front_account, ask, 301, "", location);
}

struct page *asking_answer(const struct ask *ask, int status, const char *body)
{
	return asking_answer_link(ask, status, body, "");
}

struct page *asking_answer_old(const struct ask *ask, int status, const char *body)
{
	return answer(&asking_old_account, ask, status, body, "", 7);
}

static char *example(const char *beside, const char *file)
{
	const char *dir = getenv("FIC_EXAMPLES");
	char path[512];
	FILE *f;
	char *text;
	size_t n;

	snprintf(path, sizeof path, "%s%s/%s", dir ? dir : "../shared/api/intercom-examples",
		 beside, file);
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

char *asking_example(const char *file)
{
	return example("", file);
}

char *asking_front_example(const char *file)
{
	return example("/../front-examples", file);
}
