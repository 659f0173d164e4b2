/* What questions look for at Front: one path of filters and words to the letter, and nothing in it that would be another filter. */
#include "support/asking.h"

#include <stdio.h>
#include <string.h>

static struct bytes values[8][2];

static void add(struct seek *seek, const char *resource, const char *field, enum seek_op op,
		const char *value)
{
	const struct resource_type *type = provider_type(&provider_front, bytes_str(resource));
	const struct field *f = field_find(type->fields, bytes_str(field));

	if (*field && !f)
		f = field_find(envelope_fields, bytes_str(field));
	assert_true(f || !*field);
	values[seek->count][0] = bytes_str(value);
	seek->terms[seek->count] =
		(struct seek_term){.field = f, .op = op, .values = values[seek->count], .count = 1};
	seek->count++;
}

static int seek(const char *resource, bool spanned, struct seek *s)
{
	return provider_seek(&asking_front_account,
			     provider_type(&provider_front, bytes_str(resource)), spanned, s,
			     &(struct why){""});
}

static void expect(const struct ask *ask, const char *url, bool searched)
{
	struct call call;
	struct why why = {""};

	assert_int_equal(provider_call(&asking_front_account, ask, bytes_of(NULL, 0), &call, &why), 0);
	assert_string_equal(call.method, "GET");
	assert_string_equal((const char *)call.url.data, url);
	assert_int_equal(call.route,
			 searched ? provider_route(&provider_front, bytes_str("search")) : 0);
	call_release(&call);
}

#define HOST "https://front.test"

static void terms(void **state)
{
	struct seek s = {.count = 0};
	struct ask ask = asking_front(ASK_SEARCH, "conversations");

	(void)state;
	add(&s, "conversations", "status", SEEK_IS, "unassigned");
	add(&s, "conversations", "assignee", SEEK_IS, "tea_1");
	add(&s, "conversations", "inbox_id", SEEK_IS, "inb_2");
	add(&s, "conversations", "contact", SEEK_IS, "crd_3");
	add(&s, "conversations", "email", SEEK_IS, "a+b@x.test");
	assert_int_equal(seek("conversations", false, &s), 0);
	assert_int_equal(s.count, 5);
	assert_false(s.less);
	ask.seek = &s;
	ask.start_ms = TIME_MIN;
	ask.end_ms = TIME_MAX;
	expect(&ask,
	       HOST "/conversations/search/is%3Aunassigned%20assignee%3Atea_1%20inbox%3Ainb_2%20"
		    "contact%3Acrd_3%20recipient%3Aa%2Bb%40x.test?limit=25",
	       true);
}

/* What a filter misses though it is about the same. */
static void finds_less(void **state)
{
	static const struct {
		const char *field, *value;
		enum seek_op op;
		bool less;
	} cases[] = {
		{"state", "open", SEEK_IS, true},      {"state", "closed", SEEK_IS, true},
		{"state", "snoozed", SEEK_IS, true},   {"open", "true", SEEK_IS, true},
		{"status", "archived", SEEK_IS, true}, {"state", "trashed", SEEK_IS, false},
		{"status", "deleted", SEEK_IS, false}, {"status", "assigned", SEEK_IS, false},
		{"subject", "refund", SEEK_HAS, true}, {"", "refund", SEEK_HAS, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct seek s = {.count = 0};
		/* Whose trash is said, so that it is not for the trash that less is found. */
		add(&s, "conversations", "status", SEEK_IS, "unassigned");
		add(&s, "conversations", cases[i].field, cases[i].op, cases[i].value);
		assert_int_equal(seek("conversations", false, &s), 0);
		if (s.less != cases[i].less)
			fail_msg("%s %s: less is %d", cases[i].field, cases[i].value, s.less);
	}
}

static void words_and_spans(void **state)
{
	struct seek s = {.count = 0};
	struct ask ask = asking_front(ASK_SEARCH, "conversations");

	(void)state;
	add(&s, "conversations", "", SEEK_HAS, "refund");
	add(&s, "conversations", "subject", SEEK_HAS, "is:open 100 %/..");
	assert_int_equal(seek("conversations", true, &s), 0);
	assert_true(s.less);
	ask.seek = &s;
	ask.start_ms = 1700000003500;
	ask.end_ms = 1700000010001;
	expect(&ask,
	       HOST "/conversations/search/%22refund%22%20%22is%3Aopen%20100%20%25%2F..%22%20after%3A1700000001"
		    "%20before%3A1700000013?limit=25",
	       true);
	/* The newest of all: the list begins with them. */
	s.count = 0;
	assert_int_equal(seek("conversations", true, &s), 0);
	ask.end_ms = TIME_MAX;
	expect(&ask,
	       HOST
	       "/conversations?limit=25&sort_by=date&sort_order=desc&q%5Bstatuses%5D%5B%5D=assigned"
	       "&q%5Bstatuses%5D%5B%5D=unassigned&q%5Bstatuses%5D%5B%5D=archived&q%5Bstatuses%5D%5B%5D=trashed",
	       false);
}

/* A value that no filter takes is left to the cache; one of another kind would refuse the whole search. */
static void left_out(void **state)
{
	static const struct {
		const char *field, *value;
		enum seek_op op;
	} cases[] = {
		{"assignee", "7", SEEK_IS},       {"assignee", "tea_1 is:open", SEEK_IS},
		{"assignee", "tea_", SEEK_IS},    {"assignee", "tea_1", SEEK_NOT},
		{"email", "a b@x", SEEK_IS},      {"email", "a\"b@x", SEEK_IS},
		{"email", "", SEEK_IS},           {"email", "a@x", SEEK_HAS},
		{"state", "new", SEEK_IS},        {"open", "false", SEEK_IS},
		{"status", "invisible", SEEK_IS}, {"subject", "a\"b", SEEK_HAS},
		{"subject", "a\nb", SEEK_HAS},    {"tags", "vip", SEEK_IS},
		{"id", "cnv_1", SEEK_IS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct seek s = {.count = 0};
		add(&s, "conversations", cases[i].field, cases[i].op, cases[i].value);
		if (seek("conversations", false, &s) != ERR_INVALID)
			fail_msg("%s %s is asked for", cases[i].field, cases[i].value);
		s.count = 0;
		add(&s, "conversations", cases[i].field, cases[i].op, cases[i].value);
		add(&s, "conversations", "assignee", SEEK_IS, "tea_9");
		assert_int_equal(seek("conversations", false, &s), 0);
		assert_int_equal(s.count, 1);
		/* The trash is not looked into. */
		assert_true(s.less);
	}
	struct seek both = {.count = 0};
	add(&both, "conversations", "assignee", SEEK_IS, "tea_1");
	both.terms[0].count = 2;
	values[0][1] = bytes_str("tea_2");
	assert_int_equal(seek("conversations", false, &both), ERR_INVALID);
	assert_int_equal(seek("tags", false, &(struct seek){.count = 0}), ERR_INVALID);
}

static void contacts(void **state)
{
	struct seek s = {.count = 0};
	struct ask ask = asking_front(ASK_SEARCH, "contacts");

	(void)state;
	add(&s, "contacts", "name", SEEK_HAS, "ann");
	assert_int_equal(seek("contacts", false, &s), ERR_INVALID);
	s.count = 0;
	assert_int_equal(seek("contacts", true, &s), ERR_INVALID);
	add(&s, "contacts", "name", SEEK_HAS, "ann");
	add(&s, "contacts", "email", SEEK_IS, "ann/x@x.test");
	add(&s, "contacts", "phone", SEEK_IS, "+49123");
	assert_int_equal(seek("contacts", false, &s), 0);
	assert_int_equal(s.count, 1);
	assert_false(s.less);
	ask.seek = &s;
	expect(&ask, HOST "/contacts/alt:email:ann%2Fx%40x.test", false);

	struct page *p = asking_front_answer(&ask, 200, "{\"id\":\"crd_1\",\"updated_at\":17.5}");
	assert_int_equal(p->fault, FAULT_NONE);
	assert_int_equal(p->count, 1);
	assert_true(bytes_is(p->records[0].record.id, "crd_1"));
	page_free(p);
	p = asking_front_answer(&ask, 404, "{\"_error\":{\"message\":\"Unknown contact\"}}");
	assert_int_equal(p->fault, FAULT_NONE);
	assert_int_equal(p->count, 0);
	page_free(p);
	p = asking_front_answer(&ask, 404, "{\"message\":\"nginx\"}");
	assert_int_equal(p->fault, FAULT_NONSENSE);
	page_free(p);
	p = asking_front_answer(&ask, 200, "{\"_results\":[]}");
	assert_int_equal(p->fault, FAULT_NONSENSE);
	page_free(p);
}

static void found(void **state)
{
	struct seek s = {.count = 0};
	struct ask ask = asking_front(ASK_SEARCH, "conversations");

	(void)state;
	ask.seek = &s;
	struct page *p = asking_front_answer(
		&ask, 200,
		"{\"_total\":7,\"_pagination\":{\"next\":\"https://h/?page_token=a\"},\"_results\":["
		"{\"id\":\"cnv_1\",\"created_at\":1700000000,\"updated_at\":1700000001.5}]}");
	assert_int_equal(p->fault, FAULT_NONE);
	assert_int_equal(p->count, 1);
	assert_int_equal(p->total, 7);
	assert_true(p->next.len > 0);
	/* Without its messages. */
	assert_true(p->records[0].record.flags & RECORD_POOR);
	page_free(p);
	p = asking_front_answer(&ask, 404, "{\"_error\":{\"message\":\"x\"}}");
	assert_int_equal(p->fault, FAULT_NEVER);
	page_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(terms),    cmocka_unit_test(words_and_spans),
		cmocka_unit_test(left_out), cmocka_unit_test(contacts),
		cmocka_unit_test(found),    cmocka_unit_test(finds_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
