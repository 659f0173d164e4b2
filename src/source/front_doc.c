/* front_doc: what all of Front's answers have in common: times, ids, the envelope of lists. */
#include "front.h"

#include <string.h>

#define SECONDS_MAX 1e11 /* the year 5138; beyond it are milliseconds */

/* "1701292649.25": digits, and up to three decimals that count. */
static bool parse_seconds(struct bytes text, int64_t *ms_out)
{
	static const int64_t units[] = {1000, 100, 10, 1};
	int64_t ms = 0;
	size_t i = 0;
	unsigned decimals = 0;

	for (; i < text.len && i < 11 && text.data[i] >= '0' && text.data[i] <= '9'; i++)
		ms = ms * 10 + (text.data[i] - '0');
	if (i == 0)
		return false;
	if (i < text.len && text.data[i] == '.')
		for (i++; i < text.len && text.data[i] >= '0' && text.data[i] <= '9'; i++)
			if (decimals < 3) {
				ms = ms * 10 + (text.data[i] - '0');
				decimals++;
			}
	*ms_out = ms * units[decimals];
	return i == text.len;
}

int64_t front_time(struct bytes doc, const char *key)
{
	struct bytes whole;
	struct mp_value v;
	int64_t ms;

	if (mp_find(doc, bytes_str(key), &whole) != 1 || !mp_get(whole, &v))
		return TIME_NONE;
	if (v.type == MP_INT)
		return time_from_seconds((double)v.integer > SECONDS_MAX ? (double)v.integer / 1000
									 : (double)v.integer);
	if (v.type == MP_FLOAT)
		return time_from_seconds(v.real > SECONDS_MAX ? v.real / 1000 : v.real);
	if (v.type == MP_STR && (parse_seconds(v.str, &ms) || time_parse(v.str, &ms) == 0))
		return ms;
	return TIME_NONE;
}

bool front_record(const struct front_reading *g, struct bytes doc, struct record *out)
{
	struct bytes id;

	if (!mp_find_str(doc, "id", &id) || id.len == 0 || id.len > RECORD_ID_MAX)
		return false;
	*out = (struct record){
		.id = id,
		.created_ms = front_time(doc, "created_at"),
		.updated_ms = front_time(doc, "updated_at"),
		.seen_ms = g->seen_ms,
		.doc = doc,
	};
	return true;
}

bool front_results(struct page *page, struct bytes body, struct mp_reader *out, uint32_t *count_out)
{
	struct bytes list;
	struct mp_value head;

	if (mp_find(body, bytes_str("_results"), &list) != 1) {
		page_nonsense(page, "the answer is not a list (it has no _results)");
		return false;
	}
	*out = mp_reader_of(list);
	if (mp_next(out, &head) != 1 || head.type != MP_ARRAY) {
		page_nonsense(page, "the list of items is not a list");
		return false;
	}
	*count_out = head.count;
	return true;
}

/* Absent, empty, or with a next of null: the last page. */
void front_read_next(struct page *page, struct bytes body)
{
	struct bytes next;
	struct mp_value v;

	if (page->fault || mp_path(body, bytes_str("_pagination.next"), &next) != 1 ||
	    !mp_get(next, &v) || v.type == MP_NIL)
		return;
	if (v.type == MP_STR)
		page->next = url_parameter(&page->arena, v.str, "page_token");
	if (page->next.len == 0) {
		page->next = bytes_of(NULL, 0);
		page_nonsense(page, "there is a next page, but no page_token in its address");
	}
}

struct bytes front_url_id(struct page *page, const char *url)
{
	const char *end = url + strcspn(url, "?#"), *start = end;

	while (start > url && start[-1] != '/')
		start--;
	struct bytes id = bytes_of(start, (size_t)(end - start));
	return url_id_usable(id) ? arena_bytes(&page->arena, id) : bytes_of(NULL, 0);
}
