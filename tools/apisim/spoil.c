/* Faults that change the finished answer, and counts that are none. Must
 * leave every member alone that it is not about. */
#include "spoil.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void spoil_utf8(struct buf *b)
{
	static const char *const marks[] = {"\"body\":\"", "\"name\":\"", "\"type\":\""};
	const char *text = buf_text(b);

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		char *at = strstr((char *)(uintptr_t)text, marks[i]);

		if (!at)
			continue;
		at[strlen(marks[i])] = (char)0xff;
		return;
	}
}

/* Takes the document. */
static void print(struct buf *b, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	buf_reset(b);
	buf_str(b, text ? text : "");
	free(text);
	json_decref(json);
}

static json_t *items_of(json_t *json)
{
	static const char *const keys[] = {"data",  "conversations", "tickets", "admins",
					   "teams", "segments",      "_results"};
	json_t *items = NULL;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]) && !items; i++)
		items = json_object_get(json, keys[i]);
	return items;
}

/* A right answer in form, with nothing in it. */
static void empty_list(struct buf *b)
{
	json_t *json = json_loadb(b->p, b->len, 0, NULL);

	json_array_clear(items_of(json));
	if (json_object_get(json, "total_count"))
		json_object_set_new(json, "total_count", json_integer(0));
	json_object_del(json_object_get(json, "pages"), "next");
	json_object_del(json_object_get(json, "_pagination"), "next");
	print(b, json);
}

/* Some of its records are missing, and its count knows nothing of them. */
static void part_list(struct buf *b, uint32_t every)
{
	json_t *json = json_loadb(b->p, b->len, 0, NULL), *items = items_of(json);
	json_int_t total = json_integer_value(json_object_get(json, "total_count")), gone = 0;

	for (size_t i = json_array_size(items); i-- > 0;)
		if (i % every == every - 1) {
			json_array_remove(items, i);
			gone++;
		}
	if (json_object_get(json, "total_count"))
		json_object_set_new(json, "total_count", json_integer(total - gone));
	print(b, json);
}

/* It ends after so many records, and nothing says so. */
static void cut_list(struct buf *b, uint32_t at)
{
	json_t *json = json_loadb(b->p, b->len, 0, NULL), *items = items_of(json);
	json_t *pages = json_object_get(json, "pages");
	json_int_t per_page = json_integer_value(json_object_get(pages, "per_page"));
	json_int_t first = (json_integer_value(json_object_get(pages, "page")) - 1) * per_page;

	if (!pages || !items) {
		json_decref(json);
		return;
	}
	for (size_t i = json_array_size(items); i-- > 0 && first + (json_int_t)i >= at;)
		json_array_remove(items, i);
	if (first + per_page >= at)
		json_object_del(pages, "next");
	print(b, json);
}

void spoil(const struct fault *f, struct buf *b)
{
	if (f->kind == FAULT_BAD_JSON && b->len > 20) {
		b->len -= b->len / 3;
		buf_lit(b, "]},,nul");
	} else if (f->kind == FAULT_BAD_UTF8) {
		spoil_utf8(b);
	} else if (f->kind == FAULT_EMPTY_LIST) {
		empty_list(b);
	} else if (f->kind == FAULT_PART_LIST) {
		part_list(b, f->every);
	} else if (f->kind == FAULT_CUT_LIST) {
		cut_list(b, f->at);
	}
}

const char *totals_word(enum totals t)
{
	static const char *const words[TOTALS_COUNT] = {
		[TOTALS_RIGHT] = "right",       [TOTALS_HIGH] = "high",
		[TOTALS_LOW] = "low",           [TOTALS_ZERO] = "zero",
		[TOTALS_NEGATIVE] = "negative", [TOTALS_ABSENT] = "absent",
		[TOTALS_NULL] = "null",         [TOTALS_TEXT] = "text",
		[TOTALS_FRACTION] = "fraction",
	};

	return t < TOTALS_COUNT ? words[t] : NULL;
}

/* NULL: there is none. */
static json_t *told(enum totals t, json_int_t n)
{
	char text[24];

	switch (t) {
	case TOTALS_HIGH: return json_integer(3 * n + 7);
	case TOTALS_LOW: return json_integer(n / 3);
	case TOTALS_ZERO: return json_integer(0);
	case TOTALS_NEGATIVE: return json_integer(-n - 1);
	case TOTALS_NULL: return json_null();
	case TOTALS_FRACTION: return json_real((double)n + 0.5);
	case TOTALS_TEXT:
		snprintf(text, sizeof(text), "%lld", (long long)n);
		return json_string(text);
	default: return NULL;
	}
}

static void tell(json_t *of, const char *key, enum totals t)
{
	json_t *was = json_object_get(of, key), *now;

	if (!json_is_integer(was))
		return;
	now = told(t, json_integer_value(was));
	if (now)
		json_object_set_new(of, key, now);
	else
		json_object_del(of, key);
}

void spoil_totals(enum totals t, struct buf *b)
{
	json_t *json = json_loadb(b->p, b->len, 0, NULL);

	if (!json_object_get(json, "total_count") || !items_of(json)) {
		json_decref(json);
		return;
	}
	tell(json, "total_count", t);
	tell(json_object_get(json, "pages"), "total_pages", t);
	print(b, json);
}
