/* Each resource's own ways: versions, tickets with their parts, lists inside contacts, the scroll of companies, attributes without ids. */
#include "support/asking.h"

#include <codec/json.h>
#include <codec/msgpack.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "skip.h"

static const struct record *record(const struct page *p, size_t i)
{
	assert_true(i < p->count);
	return &p->records[i].record;
}

static void url_is(const struct account *a, struct ask ask, const char *cursor, const char *method,
		   const char *url, bool once)
{
	struct call call;
	struct why why = {""};

	assert_int_equal(provider_call(a, &ask, bytes_str(cursor), &call, &why), 0);
	assert_string_equal(call.method, method);
	assert_string_equal((const char *)call.url.data, url);
	assert_true(call.once == once);
	call_release(&call);
}

static void list_is(const char *resource, const char *url)
{
	url_is(&asking_account, asking_of(ASK_LIST, resource), NULL, "GET", url, false);
}

static void lists(void **state)
{
	(void)state;
	list_is("ticket_types", "https://api.test/ticket_types");
	list_is("ticket_states", "https://api.test/ticket_states");
	list_is("data_attributes", "https://api.test/data_attributes?include_archived=true");
	list_is("conversation_attributes",
		"https://api.test/conversations/attributes?include_archived=true");
	list_is("articles", "https://api.test/articles?per_page=150&page=1");
	list_is("collections", "https://api.test/help_center/collections?per_page=150&page=1");
}

/* Up to 2.15 conversations' attributes were found among the others. */
static void versions(void **state)
{
	struct ask ask = asking_of(ASK_LIST, "conversation_attributes");
	static const char old[] =
		"{\"type\":\"list\",\"data\":[{\"type\":\"data_attribute\",\"id\":20,\"model\":\"conversation\"}]}",
			  now[] = "{\"type\":\"list\",\"data\":[{\"type\":\"conversation_attribute\",\"id\":2}]}";

	(void)state;
	url_is(&asking_old_account, ask, NULL, "GET",
	       "https://api.test/data_attributes?model=conversation&include_archived=true", false);
	struct page *p = asking_answer_old(&ask, 200, old);
	assert_true(p->fault == FAULT_NONE && bytes_is(record(p, 0)->id, "20"));
	page_free(p);
	p = asking_answer(&ask, 200, old);
	assert_int_equal(p->fault, FAULT_NONSENSE);
	page_free(p);
	p = asking_answer(&ask, 200, now);
	assert_true(p->fault == FAULT_NONE && bytes_is(record(p, 0)->id, "2"));
	page_free(p);
	assert_false(provider_intercom.traits(&asking_old_account,
					      provider_type(&provider_intercom,
							    bytes_str("conversations"))) &
		     TRAIT_DELETED);
	assert_true(provider_intercom.traits(&asking_account,
					     provider_type(&provider_intercom,
							   bytes_str("conversations"))) &
		    TRAIT_DELETED);
}

/* Pages of another walk must not end where those of the walk before did. */
static void walks_differ(void **state)
{
	struct ask ask = asking_of(ASK_LIST, "articles");

	(void)state;
	ask.walk = 1;
	url_is(&asking_account, ask, "2", "GET", "https://api.test/articles?per_page=111&page=2",
	       false);
	ask.walk = 2;
	url_is(&asking_account, ask, "2", "GET", "https://api.test/articles?per_page=74&page=2",
	       false);
	ask = asking_of(ASK_LIST, "companies");
	ask.walk = 1;
	url_is(&asking_account, ask, NULL, "POST",
	       "https://api.test/companies/list?per_page=44&page=1", false);
	/* The last one is by the listing that says itself where it ends. */
	ask.sure = true;
	url_is(&asking_account, ask, NULL, "GET", "https://api.test/companies/scroll", false);
}

/* ---- attributes ---- */

static void built_in_attributes(void **state)
{
	struct ask ask = asking_of(ASK_LIST, "data_attributes");
	struct page *p = asking_answer(
		&ask, 200,
		"{\"type\":\"list\",\"data\":[{\"type\":\"data_attribute\",\"model\":\"contact\",\"full_name\":\"location.city\"},"
		"{\"type\":\"data_attribute\",\"model\":\"company\",\"full_name\":\"name\"},"
		"{\"type\":\"data_attribute\",\"model\":\"contact\",\"full_name\":\"custom_attributes.x\",\"id\":31}]}");

	(void)state;
	assert_int_equal(p->fault, FAULT_NONE);
	assert_true(bytes_is(record(p, 0)->id, "contact.location.city"));
	assert_true(bytes_is(record(p, 1)->id, "company.name"));
	assert_true(bytes_is(record(p, 2)->id, "31"));
	page_free(p);
	p = asking_answer(
		&ask, 200,
		"{\"type\":\"list\",\"data\":[{\"type\":\"data_attribute\",\"full_name\":\"x\"}]}");
	assert_int_equal(p->fault, FAULT_NONSENSE);
	page_free(p);
	/* Nothing else may go without an id. */
	ask = asking_of(ASK_LIST, "tags");
	p = asking_answer(
		&ask, 200,
		"{\"type\":\"list\",\"data\":[{\"type\":\"tag\",\"model\":\"m\",\"full_name\":\"x\"}]}");
	assert_int_equal(p->fault, FAULT_NONSENSE);
	page_free(p);
}

static void collections_have_no_type(void **state)
{
	struct ask ask = asking_of(ASK_LIST, "collections");
	struct page *p = asking_answer(
		&ask, 200,
		"{\"type\":\"list\",\"total_count\":1,\"data\":[{\"id\":\"159\",\"name\":\"n\"}]}");

	(void)state;
	assert_true(p->fault == FAULT_NONE && p->count == 1 && p->total == 1);
	page_free(p);
	p = asking_answer(&ask, 200,
			  "{\"type\":\"list\",\"data\":[{\"type\":\"contact\",\"id\":\"159\"}]}");
	assert_int_equal(p->fault, FAULT_NONSENSE);
	page_free(p);
	p = asking_answer(&ask, 200, "{\"type\":\"list\",\"data\":[7]}");
	assert_int_equal(p->fault, FAULT_NONSENSE);
	page_free(p);
}

/* ---- tickets ---- */

static void tickets_come_with_their_parts(void **state)
{
	struct ask ask = asking_of(ASK_CHANGED, "tickets");
	struct bytes value;
	struct page *p = asking_answer(
		&ask, 200,
		"{\"type\":\"ticket.list\",\"total_count\":2,\"tickets\":["
		"{\"type\":\"ticket\",\"id\":\"633\",\"updated_at\":20,\"ticket_parts\":{\"total_count\":2,\"ticket_parts\":["
		"{\"type\":\"ticket_part\",\"id\":\"9\",\"created_at\":12},{\"type\":\"ticket_part\",\"id\":8,\"created_at\":11}]}},"
		"{\"type\":\"ticket\",\"id\":\"634\",\"ticket_parts\":{\"total_count\":3,\"ticket_parts\":[{\"id\":\"7\"}]}}],"
		"\"pages\":{\"next\":{\"starting_after\":\"abc\"}}}");

	(void)state;
	assert_int_equal(p->fault, FAULT_NONE);
	assert_int_equal(p->count, 5);
	assert_true(bytes_is(record(p, 0)->id, "633") && bytes_is(record(p, 3)->id, "634"));
	assert_true(bytes_is(record(p, 1)->id, "8") && bytes_is(record(p, 2)->id, "9"));
	assert_true(bytes_is(record(p, 1)->parent, "633") && bytes_is(record(p, 4)->parent, "634"));
	assert_string_equal(p->records[0].type->name, "tickets");
	assert_string_equal(p->records[4].type->name, "ticket_parts");
	assert_int_equal(record(p, 0)->flags, 0);
	assert_int_equal(record(p, 3)->flags, RECORD_TRUNCATED);
	assert_int_equal(mp_find(record(p, 0)->doc, bytes_str("ticket_parts"), &value), 0);
	assert_true(bytes_is(p->next, "abc"));
	page_free(p);
	p = asking_answer(
		&ask, 200,
		"{\"type\":\"ticket.list\",\"tickets\":[{\"type\":\"ticket\",\"id\":\"1\"}]}");
	assert_int_equal(p->fault, FAULT_NONSENSE);
	page_free(p);
}

static void ticket_of_500_parts(void **state)
{
	struct ask ask = asking_one("tickets", "5");
	struct buf body = {0};

	(void)state;
	for (int n = 499; n <= 500; n++) {
		buf_reset(&body);
		buf_printf(&body,
			   "{\"type\":\"ticket\",\"id\":\"5\",\"ticket_parts\":{\"total_count\":%d,\"ticket_parts\":[",
			   n);
		for (int i = 0; i < n; i++)
			buf_printf(&body, "%s{\"id\":\"%d\"}", i ? "," : "", i + 1);
		buf_put_str(&body, "]}}");
		buf_text(&body);
		struct page *p = asking_answer(&ask, 200, (const char *)body.data);
		assert_int_equal(p->count, n + 1);
		assert_true(((record(p, 0)->flags & RECORD_TRUNCATED) != 0) == (n == 500));
		page_free(p);
	}
	buf_release(&body);
}

static void ticket_example(void **state)
{
	struct ask ask = asking_of(ASK_CHANGED, "tickets");
	char *text = asking_example("searchTickets.200.successful.json");

	(void)state;
	if (!text)
		skip_because("the official examples are not there");
	struct page *p = asking_answer(&ask, 200, text);
	assert_true(p->fault == FAULT_NONE && p->count == 2 && bytes_is(record(p, 0)->id, "633") &&
		    bytes_is(record(p, 1)->id, "188"));
	page_free(p);
	free(text);
}

static void example_is(const char *resource, const char *file, size_t count)
{
	struct ask ask = asking_of(ASK_LIST, resource);
	char *text = asking_example(file);

	if (!text)
		skip_because("the official examples are not there");
	struct page *p = asking_answer(&ask, 200, text);
	assert_int_equal(p->fault, FAULT_NONE);
	assert_int_equal(p->count, count);
	page_free(p);
	free(text);
}

static void list_examples(void **state)
{
	(void)state;
	example_is("ticket_types", "listTicketTypes.200.successful.json", 1);
	example_is("articles", "listArticles.200.successful.json", 1);
	example_is("collections", "listAllCollections.200.successful.json", 2);
}

/* ---- lists inside contacts ---- */

#define CUT_CONTACT                                                                                   \
	"{\"type\":\"contact\",\"id\":\"c1\",\"updated_at\":5,"                                       \
	"\"tags\":{\"type\":\"list\",\"data\":[{\"type\":\"tag\",\"id\":\"1\",\"url\":\"/tags/1\"}]," \
	"\"total_count\":3,\"has_more\":true},"                                                       \
	"\"companies\":{\"type\":\"list\",\"data\":[],\"total_count\":0,\"has_more\":false},"         \
	"\"notes\":{\"type\":\"list\",\"data\":[{\"type\":\"note\",\"id\":\"9\"}],\"total_count\":2},\"name\":\"N\"}"

static struct ask nested_of(const char *list)
{
	struct ask ask = asking_one("contacts", "c1");

	ask.kind = ASK_NESTED;
	ask.nested = list;
	return ask;
}

static void cut_contacts_are_poor_in_lists(void **state)
{
	struct ask ask = asking_of(ASK_LIST, "contacts");
	struct page *p = asking_answer(&ask, 200,
				       "{\"type\":\"list\",\"data\":[" CUT_CONTACT
				       ",{\"type\":\"contact\",\"id\":\"c2\"}]}");

	(void)state;
	assert_int_equal(p->count, 2);
	assert_int_equal(record(p, 0)->flags, RECORD_POOR);
	assert_int_equal(record(p, 1)->flags, 0);
	struct page *alone = page_alone(&asking_account, &p->records[0]);
	page_free(p);
	assert_int_equal(record(alone, 0)->flags, 0);
	assert_true(bytes_is(record(alone, 0)->id, "c1") && record(alone, 0)->updated_ms == 5000);
	assert_int_equal(alone->nested_count, 2);
	page_free(alone);
}

static void nested_paths(void **state)
{
	struct ask none = nested_of("segments");
	struct call call;

	(void)state;
	url_is(&asking_account, nested_of("tags"), NULL, "GET", "https://api.test/contacts/c1/tags",
	       false);
	url_is(&asking_account, nested_of("companies"), NULL, "GET",
	       "https://api.test/contacts/c1/companies?per_page=50&page=1", false);
	url_is(&asking_account, nested_of("notes"), "3", "GET",
	       "https://api.test/contacts/c1/notes?per_page=50&page=3", false);
	assert_int_equal(provider_call(&asking_account, &none, bytes_of(NULL, 0), &call, NULL),
			 ERR_INVALID);
}

static void json_is(struct bytes doc, const char *expected)
{
	struct buf text = {0};

	assert_int_equal(json_write(doc, &text), 0);
	buf_text(&text);
	assert_string_equal((const char *)text.data, expected);
	buf_release(&text);
}

static void put_in(struct page *whole, const char *list, const char *body, bool first, const char *next)
{
	struct ask ask = nested_of(list);
	struct page *part = asking_answer(&ask, 200, body);

	assert_int_equal(part->fault, FAULT_NONE);
	assert_true(bytes_is(part->next, next));
	assert_int_equal(provider_intercom.nest(&asking_account, whole, list, part, first), 0);
	page_free(part);
}

static void lists_are_made_whole(void **state)
{
	struct ask ask = asking_one("contacts", "c1");
	struct page *whole = asking_answer(&ask, 200, CUT_CONTACT);

	(void)state;
	assert_int_equal(whole->nested_count, 2);
	assert_string_equal(whole->nested[0], "tags");
	assert_string_equal(whole->nested[1], "notes");
	put_in(whole, "tags",
	       "{\"type\":\"list\",\"data\":[{\"type\":\"tag\",\"id\":\"1\",\"name\":\"a\"},{\"type\":\"tag\",\"id\":\"2\"},{\"type\":\"tag\",\"id\":3}]}",
	       true, "");
	put_in(whole, "notes",
	       "{\"type\":\"list\",\"data\":[{\"type\":\"note\",\"id\":\"10\"}],\"pages\":{\"next\":\"https://x/contacts/c1/notes?page=2\"}}",
	       true, "2");
	put_in(whole, "notes",
	       "{\"type\":\"list\",\"data\":[{\"type\":\"note\",\"id\":\"9\"}],\"pages\":{\"next\":null}}",
	       false, "");
	json_is(record(whole, 0)->doc,
		"{\"type\":\"contact\",\"id\":\"c1\",\"updated_at\":5,\"tags\":{\"type\":\"list\",\"data\":["
		"{\"type\":\"tag\",\"id\":\"1\",\"url\":\"/tags/1\"},{\"type\":\"tag\",\"id\":\"2\",\"url\":\"/tags/2\"},"
		"{\"type\":\"tag\",\"id\":\"3\",\"url\":\"/tags/3\"}],\"total_count\":3,\"has_more\":false},"
		"\"companies\":{\"type\":\"list\",\"data\":[],\"total_count\":0,\"has_more\":false},"
		"\"notes\":{\"type\":\"list\",\"data\":[{\"type\":\"note\",\"id\":\"10\",\"url\":\"/notes/10\"},"
		"{\"type\":\"note\",\"id\":\"9\",\"url\":\"/notes/9\"}],\"total_count\":2},\"name\":\"N\"}");
	page_free(whole);
}

static void nested_nonsense(void **state)
{
	static const char *const bad[] = {
		"{\"type\":\"list\"}",
		"{\"type\":\"list\",\"data\":{}}",
		"{\"data\":[]}",
		"{\"type\":\"list\",\"data\":[{\"type\":\"tag\",\"id\":\"1\"}]}",
		"{\"type\":\"list\",\"data\":[{\"type\":\"company\"}]}",
		"{\"type\":\"list\",\"data\":[],\"pages\":{\"next\":\"https://x/y\"}}",
	};
	struct ask ask = nested_of("companies");

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct page *p = asking_answer(&ask, 200, bad[i]);
		assert_int_equal(p->fault, FAULT_NONSENSE);
		page_free(p);
	}
	/* The description has another name for it than its example. */
	struct page *p = asking_answer(
		&ask, 200, "{\"type\":\"list\",\"companies\":[{\"type\":\"company\",\"id\":\"k\"}]}");
	assert_true(p->fault == FAULT_NONE && p->count == 1);
	page_free(p);
	p = asking_answer(
		&ask, 404,
		"{\"type\":\"error.list\",\"errors\":[{\"code\":\"not_found\",\"message\":\"User Not Found\"}]}");
	assert_int_equal(p->fault, FAULT_GONE);
	page_free(p);
}

/* ---- companies ---- */

static struct page *companies(int status, const char *body)
{
	struct ask ask = asking_of(ASK_LIST, "companies");

	return asking_answer(&ask, status, body);
}

static void next_is(int status, const char *body, size_t count, const char *next)
{
	struct page *p = companies(status, body);

	assert_int_equal(p->fault, FAULT_NONE);
	assert_int_equal(p->count, count);
	assert_true(next ? bytes_is(p->next, next) : p->next.len == 0);
	page_free(p);
}

static void many_companies_are_scrolled(void **state)
{
	struct ask ask = asking_of(ASK_LIST, "companies");

	(void)state;
	next_is(200,
		"{\"type\":\"list\",\"total_count\":9940,\"data\":[{\"type\":\"company\",\"id\":\"a\"}],\"pages\":{\"next\":\"http://x/?page=2\"}}",
		1, "2");
	next_is(200,
		"{\"type\":\"list\",\"total_count\":9941,\"data\":[{\"type\":\"company\",\"id\":\"a\"}],\"pages\":{\"next\":\"http://x/?page=2\"}}",
		1, "scroll:");
	/* A count that was wrong. */
	next_is(400,
		"{\"type\":\"error.list\",\"errors\":[{\"code\":\"bad_request\",\"message\":\"page limit reached, please use scroll API\"}]}",
		0, "scroll:");
	url_is(&asking_account, ask, "scroll:", "GET", "https://api.test/companies/scroll", false);
	next_is(200,
		"{\"type\":\"list\",\"data\":[{\"type\":\"company\",\"id\":\"b\"}],\"pages\":null,\"total_count\":null,\"scroll_param\":\"p-1\"}",
		1, "scroll:b:p-1");
	url_is(&asking_account, ask, "scroll:b:p-1", "GET",
	       "https://api.test/companies/scroll?scroll_param=p-1", true);
	url_is(&asking_account, ask, "scroll:b:p&x=1", "GET",
	       "https://api.test/companies/scroll?scroll_param=p%26x%3D1", true);
	next_is(200, "{\"type\":\"list\",\"data\":[],\"scroll_param\":\"p-1\"}", 0, NULL);
}

static void scroll_faults(void **state)
{
	struct page *p = companies(
		400,
		"{\"type\":\"error.list\",\"errors\":[{\"code\":\"scroll_exists\",\"message\":\"scroll already exists for this workspace\"}]}");

	(void)state;
	assert_int_equal(p->fault, FAULT_CURSOR);
	assert_true(p->again_ms > 60000);
	page_free(p);
	p = companies(
		404,
		"{\"type\":\"error.list\",\"errors\":[{\"code\":\"not_found\",\"message\":\"scroll parameter not found\"}]}");
	assert_int_equal(p->fault, FAULT_CURSOR);
	page_free(p);
	p = companies(
		404,
		"{\"type\":\"error.list\",\"errors\":[{\"code\":\"not_found\",\"message\":\"Resource Not Found\"}]}");
	assert_int_equal(p->fault, FAULT_NEVER);
	page_free(p);
	p = companies(
		400,
		"{\"type\":\"error.list\",\"errors\":[{\"code\":\"bad_request\",\"message\":\"bad parameter\"}]}");
	assert_int_equal(p->fault, FAULT_NEVER);
	page_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists),
		cmocka_unit_test(versions),
		cmocka_unit_test(walks_differ),
		cmocka_unit_test(built_in_attributes),
		cmocka_unit_test(collections_have_no_type),
		cmocka_unit_test(tickets_come_with_their_parts),
		cmocka_unit_test(ticket_of_500_parts),
		cmocka_unit_test(ticket_example),
		cmocka_unit_test(list_examples),
		cmocka_unit_test(cut_contacts_are_poor_in_lists),
		cmocka_unit_test(nested_paths),
		cmocka_unit_test(lists_are_made_whole),
		cmocka_unit_test(nested_nonsense),
		cmocka_unit_test(many_companies_are_scrolled),
		cmocka_unit_test(scroll_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
