/* text: against a plain reading of the same records, which knows neither the index nor the search's own matcher: texts are made of words whose parts are
 * written down here. */
#include <codec/msgpack.h>
#include <query/aggregate.h>
#include <query/query.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DAY_MS        INT64_C(86400000)
#define START         INT64_C(1700000000000)
#define CONVERSATIONS 160
#define MESSAGES      900
#define WORDS_MAX     14
#define FILLER        33000 /* more words than an index lists of a record */

/* ---- words ---- */

/* How a word is written, and what it is. */
static const struct vocabulary {
	const char *spelling;
	const char *parts[4];
} vocabulary[] = {
	{"refund", {"refund"}},
	{"Refund", {"refund"}},
	{"REFUNDS", {"refunds"}},
	{"invoice", {"invoice"}},
	{"order", {"order"}},
	{"number", {"number"}},
	{"the", {"the"}},
	{"the", {"the"}},
	{"The", {"the"}},
	{"a", {"a"}},
	{"paypal", {"paypal"}},
	{"spam", {"spam"}},
	{"Stra\xc3\x9f"
	 "e",
	 {"strasse"}},
	{"CAF\xc3\x89", {"caf\xc3\xa9"}},
	{"cafe\xcc\x81", {"caf\xc3\xa9"}},
	{"caf\xc3\xa9", {"caf\xc3\xa9"}},
	{"ada@example.com", {"ada", "example", "com"}},
	{"v1.2", {"v1", "2"}},
	{"foo-bar", {"foo", "bar"}},
	{"example", {"example"}},
	{"com", {"com"}},
	{"\xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd",
	 {"\xe6\x9d\xb1\xe4\xba\xac", "\xe4\xba\xac\xe9\x83\xbd"}},
	{"\xe6\x9d\xb1\xe4\xba\xac", {"\xe6\x9d\xb1\xe4\xba\xac"}},
	{"rare", {"rare"}},
};

#define VOCABULARY (sizeof vocabulary / sizeof *vocabulary)

struct words {
	char *spelled; /* as a document has it */
	const char *parts[WORDS_MAX * 3];
	unsigned count;
};

static unsigned throw(uint64_t * dice, unsigned n)
{
	*dice ^= *dice << 13;
	*dice ^= *dice >> 7;
	*dice ^= *dice << 17;
	return (unsigned)(*dice % n);
}

static unsigned below(unsigned n)
{
	static uint64_t dice = 88172645463325252u;

	return throw(&dice, n);
}

/* How much a question may cost before it is asked to go on; what the records are does not depend on how often that is. */
static unsigned slice(void)
{
	static uint64_t dice = 88172645463325252u;

	return 1 + throw(&dice, 300);
}

static void add_word(struct words *w, struct buf *spelled, unsigned k, const char *gap)
{
	if (spelled->len)
		buf_put_str(spelled, gap);
	buf_put_str(spelled, vocabulary[k].spelling);
	for (unsigned i = 0; i < 4 && vocabulary[k].parts[i]; i++)
		w->parts[w->count++] = vocabulary[k].parts[i];
}

/* `rare` words come seldom. */
static unsigned any_word(void)
{
	unsigned k = below(VOCABULARY);

	return k == VOCABULARY - 1 && below(20) ? 6 : k;
}

static void make_words(struct words *w, bool html)
{
	static const char *const gaps[] = {" ",    ", ",    "</p><p>", " <b class=\"spam\">",
					   "<br>", "&nbsp;"};
	struct buf b = {0};
	unsigned n = below(WORDS_MAX + 1);

	free(w->spelled);
	w->count = 0;
	for (unsigned i = 0; i < n; i++)
		add_word(w, &b, any_word(), gaps[below(html ? 6 : 2)]);
	buf_put_byte(&b, 0);
	w->spelled = (char *)b.data;
}

/* ---- records ---- */

struct thing {
	char id[16], parent[16];
	int64_t created_ms, updated_ms;
	bool deleted, filled;
	int64_t number;
	struct words title, body, author;
};

static struct thing conversations[CONVERSATIONS], messages[MESSAGES];
static size_t conversation_count, message_count;
static char dir[64];
static struct store *store;
static int64_t now_ms;
/* Whether messages are of conversations that are held, and seldom and little older than these. */
static bool orderly;

static const struct field conversation_fields[] = {
	{"title", FIELD_TEXT, "title", NULL},
	{"number", FIELD_INTEGER, "number", NULL},
	{NULL, FIELD_TEXT, NULL, NULL},
};

static const struct field message_fields[] = {
	{"author", FIELD_TEXT, "author.name", NULL},
	{"body", FIELD_HTML, "body", NULL},
	{"number", FIELD_INTEGER, "number", NULL},
	{NULL, FIELD_TEXT, NULL, NULL},
};

static const struct store_field conversations_indexed[] = {{&conversation_fields[0], STORE_TEXT},
							   {&conversation_fields[1], STORE_INTEGER}};
static const struct store_field messages_indexed[] = {{&message_fields[0], STORE_TEXT},
						      {&message_fields[1], STORE_WORDS},
						      {&message_fields[2], STORE_INTEGER}};
/* What the older segments were written with. */
static const struct store_schema older[] = {{"conversations", conversations_indexed + 1, 1, NULL},
					    {"messages", messages_indexed, 1, NULL},
					    {NULL, NULL, 0, NULL}};
static const struct store_schema schemas[] = {{"conversations", conversations_indexed, 2, NULL},
					      {"messages", messages_indexed, 3, "conversations"},
					      {NULL, NULL, 0, NULL}};

/* What a store was written with that did not know of parents. */
static const struct store_schema parentless[] = {{"conversations", conversations_indexed, 2, NULL},
						 {"messages", messages_indexed, 3, NULL},
						 {NULL, NULL, 0, NULL}};

static void wake(void *ctx)
{
	(void)ctx;
}

static void open_store(const struct store_schema *s, size_t journal_bytes)
{
	const struct store_options options = {
		.dir = dir, .schemas = s, .journal_bytes = journal_bytes, .hooks = {.wake = wake}};
	struct why why;

	if (store_open(&options, &store, &why))
		fail_msg("%s", why.text);
}

static void put_filler(struct buf *b)
{
	for (unsigned i = 0; i < FILLER; i++)
		buf_printf(b, "f%u ", i);
}

static void put(struct txn *t, const char *resource, const struct thing *m)
{
	struct buf doc = {0}, body = {0};
	struct why why;

	mp_put_map(&doc, 4);
	mp_put_cstr(&doc, "title");
	mp_put_cstr(&doc, m->title.spelled);
	mp_put_cstr(&doc, "number");
	mp_put_int(&doc, m->number);
	mp_put_cstr(&doc, "author");
	mp_put_map(&doc, 1);
	mp_put_cstr(&doc, "name");
	mp_put_cstr(&doc, m->author.spelled);
	mp_put_cstr(&doc, "body");
	if (m->filled)
		put_filler(&body);
	if (m->body.spelled)
		buf_put_str(&body, m->body.spelled);
	mp_put_str(&doc, buf_bytes(&body));
	struct record r = {
		.id = bytes_str(m->id),
		.parent = bytes_str(m->parent),
		.created_ms = m->created_ms,
		.updated_ms = m->updated_ms,
		.seen_ms = m->updated_ms + 1000,
		.flags = (m->deleted ? RECORD_DELETED : 0) |
			 (m->number % 7 == 0 ? RECORD_TRUNCATED : 0),
		.doc = buf_bytes(&doc),
	};
	if (txn_put(t, resource, &r, NULL, &why))
		fail_msg("%s", why.text);
	buf_release(&doc);
	buf_release(&body);
}

static void committed(void *ctx, int rc, const struct why *why)
{
	if (rc)
		fail_msg("%s", why->text);
	*(bool *)ctx = true;
}

static void commit(struct txn *t)
{
	bool done = false;

	txn_commit(t, committed, &done);
	while (!done)
		store_work(store);
}

static void make_conversation(struct txn *t)
{
	bool fresh = conversation_count < CONVERSATIONS && below(3);
	struct thing *c =
		&conversations[fresh || !conversation_count ? conversation_count
							    : below((unsigned)conversation_count)];

	now_ms += 1000 + below(1000000);
	if (fresh) {
		snprintf(c->id, sizeof c->id, "%zu", ++conversation_count);
		c->created_ms = now_ms - below(500000000);
	} else if (c == &conversations[conversation_count]) {
		return;
	}
	c->updated_ms = now_ms;
	c->deleted = below(10) == 0;
	c->number = below(20);
	make_words(&c->title, false);
	put(t, "conversations", c);
}

/* The parent of a new message, and when that one was written. */
static void join_thread(struct thing *m)
{
	const struct thing *c = &conversations[below((unsigned)conversation_count)];
	int64_t after = below(4) ? below(3000000) : below(300000000);

	memcpy(m->parent, c->id, sizeof m->parent);
	m->created_ms = c->created_ms + (below(30) ? after : -(int64_t)below(2000000));
}

static void make_message(struct txn *t)
{
	bool fresh = message_count < MESSAGES && below(5);
	struct thing *m =
		&messages[fresh || !message_count ? message_count : below((unsigned)message_count)];

	now_ms += 1000 + below(100000);
	if (fresh) {
		snprintf(m->id, sizeof m->id, "m%zu", ++message_count);
		/* Of some conversations that are not held, too. */
		snprintf(m->parent, sizeof m->parent, "%u", 1 + below(CONVERSATIONS + 5));
		m->created_ms = below(40) ? now_ms - below(500000000) : TIME_NONE;
		if (orderly)
			join_thread(m);
		m->filled = message_count % 400 == 300;
	} else if (m == &messages[message_count]) {
		return;
	}
	m->updated_ms = now_ms;
	m->deleted = below(12) == 0;
	m->number = below(20);
	make_words(&m->body, true);
	make_words(&m->author, false);
	put(t, "messages", m);
}

static void make_some(unsigned commits)
{
	for (unsigned i = 0; i < commits; i++) {
		struct txn *t;
		struct why why;
		assert_int_equal(store_begin(store, &t, &why), 0);
		for (unsigned n = 1 + below(30); n > 0; n--) {
			if (below(3) == 0 || (orderly && !conversation_count))
				make_conversation(t);
			if (!conversation_count)
				continue;
			make_message(t);
			make_message(t);
		}
		commit(t);
	}
}

/* ---- questions: a tree, its text, and its plain reading ---- */

enum kind { LEAF, AND, OR, WITHOUT };

struct question {
	enum kind kind;
	const char *parts[6];
	unsigned count;
	bool prefix;
	struct question *a, *b;
	double rare[6]; /* of each part; 0: not asked for yet */
};

static struct question nodes[64];
static unsigned nodes_used;

static struct question *make_leaf(struct buf *text)
{
	struct question *q = &nodes[nodes_used++];
	struct words w = {.count = 0};
	struct buf spelled = {0};
	unsigned n = below(3) ? 1 : 2 + below(2);

	while (n-- > 0 && w.count < 3)
		add_word(&w, &spelled, below(VOCABULARY), " ");
	*q = (struct question){.kind = LEAF, .count = w.count};
	memcpy(q->parts, w.parts, w.count * sizeof *w.parts);
	bool quoted = memchr(spelled.data, ' ', spelled.len) || below(4) == 0;
	buf_put_str(text, quoted ? "\"" : "");
	buf_put_bytes(text, buf_bytes(&spelled));
	buf_put_str(text, quoted ? "\"" : "");
	if (below(4) == 0) {
		q->prefix = true;
		buf_put_byte(text, '*');
	}
	buf_release(&spelled);
	return q;
}

static struct question *make_question(struct buf *text, unsigned depth)
{
	static const char *const joints[] = {" ", " AND ", " -", " OR "};
	unsigned how = depth ? below(6) : 5;

	if (how > 3)
		return make_leaf(text);
	struct question *q = &nodes[nodes_used++];
	*q = (struct question){.kind = how == 2 ? WITHOUT : how == 3 ? OR : AND};
	buf_put_byte(text, '(');
	q->a = make_question(text, depth - 1);
	buf_put_str(text, joints[how]);
	q->b = make_question(text, depth - 1);
	buf_put_byte(text, ')');
	return q;
}

static bool begins(const struct question *q, const char *const *parts, unsigned left)
{
	if (left < q->count)
		return false;
	for (unsigned i = 0; i < q->count; i++)
		if (q->prefix && i + 1 == q->count
			    ? strncmp(parts[i], q->parts[i], strlen(q->parts[i])) != 0
			    : strcmp(parts[i], q->parts[i]) != 0)
			return false;
	return true;
}

static bool in_words(const struct question *q, const struct words *w)
{
	for (unsigned i = 0; i < w->count; i++)
		if (begins(q, w->parts + i, w->count - i))
			return true;
	return false;
}

/* What stands together is one word, too, when there is an @ or a digit in it. */
static bool in_whole(const struct question *q, const struct words *w)
{
	static const char *const whole[] = {"ada@example.com", "v1.2"};

	for (size_t i = 0; i < 2; i++)
		if (q->count == 1 && q->prefix && w->spelled && strstr(w->spelled, whole[i]) &&
		    strncmp(whole[i], q->parts[0], strlen(q->parts[0])) == 0)
			return true;
	return false;
}

static bool in_filler(const struct question *q, const struct thing *m)
{
	return m->filled && q->count == 1 && q->prefix && strcmp(q->parts[0], "f") == 0;
}

static bool reads(const struct question *q, const struct thing *m, bool message)
{
	switch (q->kind) {
	case LEAF:
		return message ? in_words(q, &m->body) || in_words(q, &m->author) ||
					 in_whole(q, &m->body) || in_whole(q, &m->author) ||
					 in_filler(q, m)
			       : in_words(q, &m->title) || in_whole(q, &m->title);
	case AND: return reads(q->a, m, message) && reads(q->b, m, message);
	case OR: return reads(q->a, m, message) || reads(q->b, m, message);
	default: return reads(q->a, m, message) && !reads(q->b, m, message);
	}
}

static bool found_in_thread(const struct question *q, const struct thing *c)
{
	if (reads(q, c, false))
		return true;
	for (size_t i = 0; i < message_count; i++)
		if (!messages[i].deleted && strcmp(messages[i].parent, c->id) == 0 &&
		    reads(q, &messages[i], true))
			return true;
	return false;
}

/* ---- comparing ---- */

static char expected[MESSAGES][16], got[MESSAGES][16];

static bool in_span(const struct query_spec *s, const struct thing *m)
{
	int64_t ms = s->axis == AXIS_UPDATED ? m->updated_ms : m->created_ms;

	if (ms == TIME_NONE)
		return s->start_ms == TIME_MIN && s->end_ms == TIME_MAX;
	return ms >= s->start_ms && ms < s->end_ms;
}

static size_t expect(const struct query_spec *s, const struct question *q, bool low)
{
	bool message = strcmp(s->resource, "messages") == 0;
	const struct thing *all = message ? messages : conversations;
	size_t n = 0;

	for (size_t i = 0; i < (message ? message_count : conversation_count); i++)
		if (!all[i].deleted && in_span(s, &all[i]) && (!low || all[i].number < 8) &&
		    (message ? reads(q, &all[i], true) : found_in_thread(q, &all[i])))
			memcpy(expected[n++], all[i].id, sizeof expected[0]);
	return n;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int64_t number_of(const struct query_spec *s, struct bytes id)
{
	bool message = strcmp(s->resource, "messages") == 0;
	const struct thing *all = message ? messages : conversations;

	for (size_t i = 0; i < (message ? message_count : conversation_count); i++)
		if (bytes_is(id, all[i].id))
			return all[i].number;
	fail_msg("no record %.*s", (int)id.len, (const char *)id.data);
	return 0;
}

static struct query_result run(const struct query_spec *s)
{
	struct snapshot *v = snapshot_new(store);
	struct query *q;
	struct why why;
	int rc = query_open(v, s, &q, &why);

	if (rc)
		fail_msg("%s", why.text);
	while ((rc = query_step(q, slice(), &why)) == 1)
		;
	if (rc)
		fail_msg("%s", why.text);
	struct query_result r = *query_result(q);
	query_free(q);
	snapshot_free(v);
	assert_int_equal(r.damaged, 0);
	return r;
}

/* Adds the rows' ids; the times of the axis, or the numbers, never go up. */
static size_t collect(const struct buf *rows, const struct query_spec *s, size_t n, int64_t *last_ms)
{
	struct mp_reader r = mp_reader_of(buf_bytes(rows));
	struct bytes row, id, time, snippet;
	int64_t ms;

	while (mp_take(&r, &row) == 1) {
		assert_int_equal(mp_check(row), 0);
		assert_true(mp_find_str(row, "id", &id));
		assert_true(mp_find_str(row, "snippet", &snippet));
		assert_non_null(strstr((const char *)snippet.data, "\xe2\x9f\xa6"));
		snprintf(got[n++], sizeof got[0], "%.*s", (int)id.len, (const char *)id.data);
		if (s->sort) {
			ms = number_of(s, id);
			assert_true(s->ascending ? ms >= *last_ms : ms <= *last_ms);
			*last_ms = ms;
			continue;
		}
		if (!mp_find_str(row, s->axis == AXIS_UPDATED ? "updated" : "created", &time))
			continue;
		assert_int_equal(time_parse(time, &ms), 0);
		assert_true(s->ascending ? ms >= *last_ms : ms <= *last_ms);
		*last_ms = ms;
	}
	return n;
}

/* All pages. */
static void compare(struct query_spec s, size_t n)
{
	char cursor[CURSOR_TEXT_MAX];
	struct buf rows = {0};
	int64_t last_ms = s.ascending ? TIME_MIN : TIME_MAX;
	bool total = s.want_total;
	size_t count = 0;

	for (;;) {
		buf_reset(&rows);
		s.rows = &rows;
		struct query_result r = run(&s);
		buf_put_byte(&rows, 0); /* for strstr */
		rows.len--;
		count = collect(&rows, &s, count, &last_ms);
		if (total) {
			assert_true(r.total_known);
			assert_int_equal(r.total, n);
		}
		if (!r.more)
			break;
		memcpy(cursor, r.next_cursor, sizeof cursor);
		s.cursor = bytes_str(cursor);
		assert_true(count <= n);
	}
	buf_release(&rows);
	assert_int_equal(count, n);
	qsort(got, n, sizeof got[0], by_text);
	qsort(expected, n, sizeof expected[0], by_text);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(got[i], expected[i]);
}

/* The `n` expected ones in groups by their number. */
static void compare_groups(const struct query_spec *s, size_t n)
{
	const struct bytes by = bytes_str("number");
	struct buf groups = {0};
	struct aggregate_spec spec = {
		.resource = s->resource,
		.fields = s->fields,
		.axis = s->axis,
		.start_ms = s->start_ms,
		.end_ms = s->end_ms,
		.where = s->where,
		.text = s->text,
		.group_by = &by,
		.group_by_count = 1,
		.groups = &groups,
	};
	struct snapshot *v = snapshot_new(store);
	struct aggregate *a;
	struct why why;
	int64_t counts[20] = {0}, number, count;
	int rc = aggregate_open(v, &spec, &a, &why);

	while (rc >= 0 && (rc = aggregate_step(a, slice(), &why)) == 1)
		;
	if (rc)
		fail_msg("%s", why.text);
	assert_int_equal(aggregate_result(a)->records, n);
	assert_int_equal(aggregate_result(a)->damaged, 0);
	for (size_t i = 0; i < n; i++)
		counts[number_of(s, bytes_str(expected[i]))]++;
	struct mp_reader r = mp_reader_of(buf_bytes(&groups));
	struct bytes group;
	while (mp_take(&r, &group) == 1) {
		assert_true(mp_find_int(group, "number", &number));
		assert_true(mp_find_int(group, "count", &count));
		assert_in_range(number, 0, 19);
		assert_int_equal(count, counts[number]);
		counts[number] = 0;
	}
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(counts[i], 0);
	aggregate_free(a);
	snapshot_free(v);
	buf_release(&groups);
}

/* ---- relevance: BM25 of what is written down here ---- */

/* How often one part of a leaf is in a text. */
static unsigned times_in(const struct question *q, unsigned part, const struct words *w)
{
	static const char *const whole[] = {"ada@example.com", "v1.2"};
	bool prefix = q->prefix && part + 1 == q->count;
	size_t len = strlen(q->parts[part]);
	unsigned n = 0;

	for (unsigned i = 0; i < w->count; i++)
		n += prefix ? strncmp(w->parts[i], q->parts[part], len) == 0
			    : strcmp(w->parts[i], q->parts[part]) == 0;
	for (size_t i = 0; prefix && w->spelled && i < 2; i++)
		for (const char *at = w->spelled; (at = strstr(at, whole[i])); at++)
			n += strncmp(whole[i], q->parts[part], len) == 0;
	return n;
}

static unsigned times_of(const struct question *q, unsigned part, const struct thing *m, bool message)
{
	return message ? times_in(q, part, &m->body) + times_in(q, part, &m->author)
		       : times_in(q, part, &m->title);
}

/* An index takes a record with too many words to have each. */
static double rarity(struct question *q, unsigned part, bool message)
{
	double records = 0, having = 0;

	if (q->rare[part] > 0)
		return q->rare[part];

	for (size_t i = 0; !message && i < conversation_count; i++)
		if (!conversations[i].deleted) {
			records++;
			having += times_of(q, part, &conversations[i], false) > 0;
		}
	for (size_t i = 0; i < message_count; i++)
		if (!messages[i].deleted) {
			records++;
			having += messages[i].filled || times_of(q, part, &messages[i], true) > 0;
		}
	return q->rare[part] = log(1 + (records - having + 0.5) / (having + 0.5));
}

/* The records that a document is made of: those of a thread that are found. */
static size_t document_of(const struct question *root, const struct thing *m, bool message,
			  const struct thing **out)
{
	size_t n = 0;

	if (reads(root, m, message))
		out[n++] = m;
	for (size_t i = 0; !message && i < message_count; i++)
		if (!messages[i].deleted && strcmp(messages[i].parent, m->id) == 0 &&
		    reads(root, &messages[i], true))
			out[n++] = &messages[i];
	return n;
}

static bool is_message(const struct thing *m)
{
	return m >= messages && m < messages + MESSAGES;
}

static double length_of(const struct thing *const *document, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += is_message(document[i]) ? document[i]->body.count + document[i]->author.count +
							 (document[i]->filled ? FILLER : 0)
					       : document[i]->title.count;
	return sum;
}

static double score_of(struct question *q, const struct thing *const *document, size_t n,
		       double length, bool message)
{
	double sum = 0;

	if (q->kind == AND || q->kind == OR)
		return score_of(q->a, document, n, length, message) +
		       score_of(q->b, document, n, length, message);
	if (q->kind == WITHOUT)
		return score_of(q->a, document, n, length, message);
	for (unsigned part = 0; part < q->count; part++) {
		double times = 0;
		for (size_t i = 0; i < n; i++)
			times += times_of(q, part, document[i], is_message(document[i]));
		sum += rarity(q, part, message) * times * 2.2 / (times + 1.2 * (0.25 + 0.75 * length));
	}
	return sum;
}

static const struct thing *thing_of(bool message, const char *id)
{
	const struct thing *all = message ? messages : conversations;

	for (size_t i = 0; i < (message ? message_count : conversation_count); i++)
		if (strcmp(all[i].id, id) == 0)
			return &all[i];
	fail_msg("no record %s", id);
	return NULL;
}

/* The pages' ids in their order, into `got`. */
static size_t collect_pages(struct query_spec s)
{
	char cursor[CURSOR_TEXT_MAX];
	struct buf rows = {0};
	struct bytes row, id;
	size_t n = 0;

	for (bool more = true; more;) {
		buf_reset(&rows);
		s.rows = &rows;
		struct query_result r = run(&s);
		struct mp_reader reader = mp_reader_of(buf_bytes(&rows));
		while (mp_take(&reader, &row) == 1) {
			assert_true(mp_find_str(row, "id", &id));
			snprintf(got[n++], sizeof got[0], "%.*s", (int)id.len, (const char *)id.data);
		}
		more = r.more;
		memcpy(cursor, r.next_cursor, sizeof cursor);
		s.cursor = bytes_str(cursor);
	}
	buf_release(&rows);
	return n;
}

static void compare_ranks(struct query_spec s, struct question *q, bool low)
{
	const struct thing *document[MESSAGES + 1];
	bool message = strcmp(s.resource, "messages") == 0;
	double average = 0, last = 1e9;
	int64_t last_ms = TIME_MAX;
	struct why why;

	assert_int_equal(
		query_sort(bytes_str("relevance"), s.fields, s.axis, &s.ascending, &s.sort, &why), 0);
	s.limit += 30; /* each page ranks all */
	size_t n = expect(&s, q, low), found = collect_pages(s);
	assert_int_equal(found, n);
	for (size_t i = 0; i < n; i++)
		average += length_of(document,
				     document_of(q, thing_of(message, got[i]), message, document)) /
			   (double)n;
	for (size_t i = 0; i < n; i++) {
		const struct thing *m = thing_of(message, got[i]);
		size_t records = document_of(q, m, message, document);
		assert_in_range(records, 1, 40); /* more would not count */
		double score = score_of(q, document, records,
					length_of(document, records) / average, message);
		if (records == 0 || score > last + 1e-9)
			fail_msg("%.*s: %s has %.12f, behind %.12f", (int)s.text.search->text.len,
				 (const char *)s.text.search->text.data, m->id, score, last);
		assert_true(score < last - 1e-9 || m->created_ms <= last_ms || score != last);
		last = score;
		last_ms = m->created_ms;
	}
	qsort(got, n, sizeof got[0], by_text);
	qsort(expected, n, sizeof expected[0], by_text);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(got[i], expected[i]);
}

static void ask_one(unsigned i)
{
	struct arena arena = {0};
	struct buf text = {0};
	bool message = below(3) == 0, low = below(4) == 0;
	struct query_spec s = {
		.source = "acme",
		.resource = message ? "messages" : "conversations",
		.fields = message ? message_fields : conversation_fields,
		.text.child = message ? NULL : "messages",
		.text.child_fields = message ? NULL : message_fields,
		.axis = below(3) ? AXIS_CREATED : AXIS_UPDATED,
		.start_ms = TIME_MIN,
		.end_ms = TIME_MAX,
		.ascending = below(4) == 0,
		.limit = below(3) ? 1 + below(40) : 1000,
		.want_total = below(2),
	};
	struct why why;

	nodes_used = 0;
	struct question *q = i % 40 == 39 ? &nodes[nodes_used++] : make_question(&text, below(4));
	if (i % 40 == 39) { /* only the record with too many words has it */
		*q = (struct question){.kind = LEAF, .parts = {"f"}, .count = 1, .prefix = true};
		buf_put_str(&text, "f*");
	}
	if (search_parse(buf_bytes(&text), &arena, &s.text.search, &why))
		fail_msg("%.*s: %s", (int)text.len, (const char *)text.data, why.text);
	if (below(3) == 0) {
		s.start_ms = START + (int64_t)below(40) * DAY_MS / 20;
		s.end_ms = s.start_ms + (int64_t)below(60) * DAY_MS / 20;
	}
	if (low)
		assert_int_equal(where_parse(bytes_str("number < 8"), s.fields, START, NULL, &arena,
					     &s.where, &why),
				 0);
	if (below(3) == 0)
		assert_int_equal(query_sort(bytes_str(below(2) ? "number" : "-number"), s.fields,
					    s.axis, &s.ascending, &s.sort, &why),
				 0);
	size_t n = expect(&s, q, low);
	compare(s, n);
	compare_groups(&s, n);
	if (orderly && i % 2 && i % 40 != 39)
		compare_ranks(s, q, low);
	s.limit = 0;
	s.want_total = true;
	struct query_result r = run(&s);
	assert_true(r.total_known);
	if (r.total != n)
		fail_msg("%.*s: %u instead of %zu", (int)text.len, (const char *)text.data,
			 (unsigned)r.total, n);
	buf_release(&text);
	arena_release(&arena);
}

static void ask(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		ask_one(i);
}

/* ---- tests ---- */

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/fic-text-XXXXXX");
	assert_non_null(mkdtemp(dir));
	now_ms = START;
	return 0;
}

static int teardown(void **state)
{
	char command[100];

	(void)state;
	store_close(store);
	snprintf(command, sizeof command, "rm -rf -- '%s'", dir);
	for (size_t i = 0; i < CONVERSATIONS; i++)
		free(conversations[i].title.spelled);
	for (size_t i = 0; i < MESSAGES; i++) {
		free(messages[i].body.spelled);
		free(messages[i].author.spelled);
	}
	memset(conversations, 0, sizeof conversations);
	memset(messages, 0, sizeof messages);
	return system(command);
}

static void segments_from_before_the_fields_are_read(void **state)
{
	(void)state;
	open_store(older, 0);
	make_some(12);
	store_close(store);
	open_store(schemas, 0);
	make_some(8);
	ask(120);
}

static void the_journal_and_many_segments(void **state)
{
	(void)state;
	store_close(store);
	open_store(schemas, 1 << 16);
	make_some(20);
	ask(160);
}

static void compacted(void **state)
{
	struct store_stats before, after;

	(void)state;
	store_stats(store, &before);
	store_flush(store);
	while (store_work(store))
		;
	store_stats(store, &after);
	assert_true(after.segments < before.segments);
	ask(200);
}

/* Lists know how many records have the words; only those with too many words for a list are read. */
static void a_count_of_words_reads_next_to_nothing(void **state)
{
	struct arena arena = {0};
	struct query_spec s = {.source = "acme",
			       .resource = "messages",
			       .fields = message_fields,
			       .start_ms = TIME_MIN,
			       .end_ms = TIME_MAX,
			       .want_total = true};
	struct why why;

	(void)state;
	assert_int_equal(search_parse(bytes_str("refund invoice"), &arena, &s.text.search, &why), 0);
	struct query_result r = run(&s);
	assert_true(r.total_known && r.read <= 2 && r.total > 0);
	arena_release(&arena);
}

/* The lead is known, but for the messages of nobody; and what is asked for newest first is found by walking. */
static void assert_lead(bool known)
{
	struct snapshot *v = snapshot_new(store);
	int64_t lead_ms = 0;

	assert_int_equal(snapshot_lead(v, "messages", &lead_ms), known);
	assert_false(snapshot_lead(v, "conversations", &lead_ms));
	assert_true(!known || (lead_ms >= 0 && lead_ms <= 2000000));
	snapshot_free(v);
}

static void orderly_threads_are_walked(void **state)
{
	(void)state;
	open_store(parentless, 0);
	make_some(5);
	store_close(store);
	open_store(schemas, 0);
	assert_lead(false);
	ask(10);
	while (store_work(store))
		;
	assert_lead(true);
	ask(20);
	make_some(8);
	assert_lead(true);
	ask(40);
	store_close(store);
	open_store(schemas, 1 << 16);
	make_some(14);
	assert_lead(true);
	ask(50);
	store_flush(store);
	while (store_work(store))
		;
	ask(50);
	store_close(store);
	open_store(schemas, 1 << 16);
	assert_lead(true);
	orderly = false;
	make_some(8);
	assert_lead(false);
	ask(30);
}

static int setup_orderly(void **state)
{
	orderly = true;
	conversation_count = message_count = 0;
	return setup(state);
}

int main(void)
{
	const struct CMUnitTest orderly_tests[] = {
		cmocka_unit_test(orderly_threads_are_walked),
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_from_before_the_fields_are_read),
		cmocka_unit_test(the_journal_and_many_segments),
		cmocka_unit_test(compacted),
		cmocka_unit_test(a_count_of_words_reads_next_to_nothing),
	};
	return cmocka_run_group_tests(tests, setup, teardown) |
	       cmocka_run_group_tests(orderly_tests, setup_orderly, teardown);
}
