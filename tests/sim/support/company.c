/* company: see the header. */
#include "company.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define HOST "https://acme.api.test" /* not where it is asked: who follows it, breaks a rule */

static int64_t now_of(const struct company *c)
{
	return loop_wall_ms(c->loop);
}

struct company_thread *company_thread(struct company *c, unsigned id)
{
	for (unsigned i = 0; i < c->count; i++)
		if (c->threads[i].id == id)
			return &c->threads[i];
	return NULL;
}

static void event(struct company *c, const struct company_thread *t, const char *type,
		  int64_t at_ms, unsigned merged)
{
	if (c->event_count == c->event_cap) {
		c->event_cap = c->event_cap ? c->event_cap * 2 : 256;
		c->events = realloc(c->events, c->event_cap * sizeof *c->events);
		assert(c->events);
	}
	c->events[c->event_count++] = (struct company_event){.id = ++c->last_id,
							     .thread = t->id,
							     .merged = merged,
							     .at_ms = at_ms,
							     .shown_ms = now_of(c),
							     .type = type};
}

static void put_part(struct company_thread *t, struct company_part part)
{
	if (t->parts == t->parts_cap) {
		t->parts_cap = t->parts_cap ? t->parts_cap * 2 : 4;
		t->messages = realloc(t->messages, t->parts_cap * sizeof *t->messages);
		assert(t->messages);
	}
	t->messages[t->parts++] = part;
}

static void add_message(struct company *c, struct company_thread *t, int64_t at_ms)
{
	put_part(t, (struct company_part){.id = ++c->last_id, .version = 1, .created_ms = at_ms});
}

static struct company_thread *add_thread(struct company *c, int64_t at_ms)
{
	if (c->count == c->cap) {
		c->cap *= 2;
		c->threads = realloc(c->threads, c->cap * sizeof *c->threads);
		assert(c->threads);
	}
	struct company_thread *t = &c->threads[c->count++];

	*t = (struct company_thread){.id = ++c->last_id,
				     .version = 1,
				     .inbox = 1,
				     .created_ms = at_ms,
				     .updated_ms = at_ms,
				     .place_ms = at_ms,
				     .gone_ms = TIME_MAX,
				     .status = "unassigned"};
	add_message(c, t, at_ms);
	return t;
}

struct company *company_new(struct loop *loop, unsigned threads, int64_t every_ms, uint64_t seed)
{
	struct company *c = calloc(1, sizeof *c);

	assert(c);
	*c = (struct company){.loop = loop, .cap = threads + 1000, .rate = 50, .random = seed};
	c->threads = calloc(c->cap, sizeof *c->threads);
	assert(c->threads);
	for (unsigned i = threads; i > 0; i--) {
		struct company_thread *t = add_thread(c, loop_wall_ms(loop) - (int64_t)i * every_ms -
								 (int64_t)sim_below(&c->random, 1000));
		/* Some were tagged since, which moves nothing. */
		if (i % 7 == 0)
			t->updated_ms += every_ms / 2;
	}
	company_contacts(c, 8);
	c->contact_page = 5;
	return c;
}

void company_contacts(struct company *c, unsigned count)
{
	c->contact_updated_ms = realloc(c->contact_updated_ms, count * sizeof *c->contact_updated_ms);
	c->contact_version = realloc(c->contact_version, count * sizeof *c->contact_version);
	assert(c->contact_updated_ms && c->contact_version);
	c->contacts = count;
	for (unsigned i = 0; i < count; i++) {
		c->contact_updated_ms[i] = now_of(c) - i * INT64_C(3600000);
		c->contact_version[i] = 1;
	}
}

void company_free(struct company *c)
{
	for (unsigned i = 0; i < c->count; i++)
		free(c->threads[i].messages);
	free(c->threads);
	free(c->contact_updated_ms);
	free(c->contact_version);
	free(c->events);
	free(c);
}

/* ---- what happens ---- */

void company_touch(struct company *c, struct company_thread *t, const char *type, bool bumps)
{
	t->version++;
	/* Tags do not count as updates in this company. */
	if (strcmp(type, "tag") != 0)
		t->updated_ms = now_of(c);
	if (bumps)
		t->place_ms = now_of(c);
	event(c, t, type, now_of(c), 0);
}

struct company_thread *company_open(struct company *c)
{
	struct company_thread *t = add_thread(c, now_of(c));

	event(c, t, "inbound", now_of(c), 0);
	return t;
}

void company_message(struct company *c, struct company_thread *t)
{
	add_message(c, t, now_of(c));
	company_touch(c, t, "inbound", true);
}

void company_comment(struct company *c, struct company_thread *t)
{
	t->comments[t->notes++] =
		(struct company_part){.id = ++c->last_id, .version = 1, .created_ms = now_of(c)};
	company_touch(c, t, "comment", false);
}

void company_merge(struct company *c, struct company_thread *from, struct company_thread *into)
{
	from->gone_ms = now_of(c);
	from->into = into->id;
	/* They keep their ids. */
	for (unsigned i = 0; i < from->parts; i++)
		put_part(into, from->messages[i]);
	into->version++;
	into->updated_ms = now_of(c);
	event(c, into, "conversations_merged", now_of(c), from->id);
}

/* ---- what is shown ---- */

static void put_time(struct buf *out, const char *name, int64_t ms)
{
	char text[32];
	int n = snprintf(text, sizeof text, "%" PRId64 ".%03d", ms / 1000, (int)(ms % 1000));

	while (text[n - 1] == '0')
		n--;
	if (text[n - 1] == '.')
		n--;
	buf_printf(out, ",\"%s\":%.*s", name, n, text);
}

static void put_thread(struct buf *out, const struct company_thread *t)
{
	buf_printf(out,
		   "{\"_links\":{\"self\":\"" HOST "/conversations/cnv_%u\"},\"id\":\"cnv_%u\","
		   "\"subject\":\"v%u\",\"status\":\"%s\",\"assignee\":null,\"tags\":[],\"scheduled_reminders\":[%s]",
		   t->id, t->id, t->version, t->status,
		   t->reminder ? "{\"scheduled_at\":1900000000.5}" : "");
	put_time(out, "created_at", t->created_ms);
	put_time(out, "updated_at", t->updated_ms);
	buf_put_byte(out, '}');
}

static const char *param(const char *url, const char *name)
{
	const char *at = strstr(url, name);

	return at ? at + strlen(name) : NULL;
}

static int64_t param_ms(const char *url, const char *name, int64_t otherwise)
{
	const char *text = param(url, name);

	return text ? (int64_t)(strtod(text, NULL) * 1000 + 0.5) : otherwise;
}

struct row {
	int64_t key;
	unsigned index, id;
};

static int by_key(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

struct paging {
	struct row *rows; /* in the order of the list */
	unsigned count, limit;
	bool descending;
	void (*put)(struct company *c, struct buf *out, unsigned index);
	const char *path;
};

/* Pages go on behind a row, wherever that is by now; some are short, some empty though others follow. */
static void put_page(struct company *c, const char *url, struct paging *p, struct buf *out)
{
	const char *token = param(url, "page_token=");
	struct row last = {0};
	unsigned i = 0, n = 0, most = p->limit;

	qsort(p->rows, p->count, sizeof *p->rows, by_key);
	if (p->descending)
		for (unsigned k = 0; k < p->count / 2; k++) {
			struct row swap = p->rows[k];
			p->rows[k] = p->rows[p->count - 1 - k];
			p->rows[p->count - 1 - k] = swap;
		}
	if (token && sscanf(token, "%" SCNx64 "x%xz", (uint64_t *)&last.key, &last.id) == 2)
		while (i < p->count && (p->descending ? by_key(&p->rows[i], &last) >= 0
						      : by_key(&p->rows[i], &last) <= 0))
			i++;
	if (!c->tidy && c->calls % 5 == 0 && most > 2)
		most -= 2;
	if (!c->tidy && c->calls % 11 == 0 && token && !strstr(token, "e"))
		most = 0;
	buf_put_str(out, "{\"_results\":[");
	for (; i < p->count && n < most; i++, n++) {
		if (n)
			buf_put_byte(out, ',');
		p->put(c, out, p->rows[i].index);
		last = p->rows[i];
	}
	buf_put_str(out, "],\"_pagination\":{\"next\":");
	if (c->endless)
		buf_printf(out, "\"" HOST "%s?page_token=92f32bcdg%u\"", p->path, c->forgotten);
	else if (i < p->count)
		buf_printf(out, "\"" HOST "%s?limit=9&page_token=%" PRIx64 "x%xz%sg%u&x=1\"",
			   p->path, (uint64_t)last.key, last.id, most ? "" : "e", c->forgotten);
	else
		buf_put_str(out, "null");
	buf_put_str(out, "}}");
}

static void put_thread_at(struct company *c, struct buf *out, unsigned index)
{
	put_thread(out, &c->threads[index]);
}

static void refuse(struct sim_answer *out, int status, const char *message)
{
	out->status = status;
	buf_printf(&out->body, "{\"_error\":{\"status\":%d,\"message\":\"%s\"}}", status, message);
}

static void serve_threads(struct company *c, const char *url, struct sim_answer *answer)
{
	struct buf *out = &answer->body;
	const char *token = param(url, "page_token=");
	struct paging p = {
		.limit = 25, .descending = true, .put = put_thread_at, .path = "/conversations"};

	c->list_calls++;
	c->forgotten += c->forgets && token;
	c->forgets &= !token;
	if (token &&
	    (!strchr(token, 'g') || strtoul(strchr(token, 'g') + 1, NULL, 10) != c->forgotten)) {
		refuse(answer, 400, "Invalid page_token");
		return;
	}
	c->breaches += strstr(url, "/search/") == NULL &&
		       strstr(url, "limit=25&sort_by=date&sort_order=desc") == NULL;
	p.rows = calloc(c->count + 1, sizeof *p.rows);
	assert(p.rows);
	for (unsigned i = 0; i < c->count; i++)
		if (c->threads[i].gone_ms == TIME_MAX)
			p.rows[p.count++] = (struct row){
				c->shuffled ? (int64_t)(c->threads[i].id * 2654435761u % 1009)
					    : c->threads[i].place_ms,
				i, c->threads[i].id};
	put_page(c, url, &p, out);
	free(p.rows);
}

/* All are found, by which words ever. */
static void serve_search(struct company *c, const char *url, struct sim_answer *answer)
{
	c->search_calls++;
	c->breaches += ++c->window_searches > (unsigned)c->rate * 40 / 100;
	serve_threads(c, url, answer);
}

static void put_event_at(struct company *c, struct buf *out, unsigned index)
{
	const struct company_event *e = &c->events[index];

	buf_printf(out, "{\"id\":\"evt_%u\",\"type\":\"%s\"", e->id, e->type);
	put_time(out, "emitted_at", e->at_ms);
	if (e->merged)
		buf_printf(out,
			   ",\"target\":{\"_meta\":{\"type\":\"deleted_conversation_ids\"},\"data\":[\"cnv_%u\"]}",
			   e->merged);
	buf_put_str(out, ",\"conversation\":");
	if (c->previews)
		buf_printf(out, "{\"id\":\"cnv_%u\"}", e->thread);
	else
		put_thread(out, company_thread(c, e->thread));
	buf_put_byte(out, '}');
}

static void serve_events(struct company *c, const char *url, struct buf *out)
{
	struct paging p = {.limit = 15, .put = put_event_at, .path = "/events"};
	int64_t after = param_ms(url, "q%5Bafter%5D=", TIME_MIN);
	int64_t before = param_ms(url, "q%5Bbefore%5D=", TIME_MAX);

	c->event_calls++;
	c->breaches += strstr(url, "limit=15&sort_by=created_at&sort_order=asc") == NULL;
	p.rows = calloc(c->event_count + 1, sizeof *p.rows);
	assert(p.rows);
	for (unsigned i = 0; i < c->event_count; i++) {
		const struct company_event *e = &c->events[i];
		if (e->at_ms > after && e->at_ms < before && e->shown_ms <= now_of(c))
			p.rows[p.count++] = (struct row){e->at_ms, i, e->id};
	}
	put_page(c, url, &p, out);
	free(p.rows);
}

static void put_contact_at(struct company *c, struct buf *out, unsigned index)
{
	buf_printf(out, "{\"id\":\"crd_%u\",\"name\":\"v%u\",\"handles\":[", index,
		   c->contact_version[index]);
	if (index < c->known)
		buf_printf(out, "{\"handle\":\"p%u@x.test\",\"source\":\"email\"}", index);
	buf_put_byte(out, ']');
	put_time(out, "updated_at", c->contact_updated_ms[index]);
	buf_put_byte(out, '}');
}

static void serve_contacts(struct company *c, const char *url, struct buf *out)
{
	struct paging p = {.limit = c->contact_page, .put = put_contact_at, .path = "/contacts"};
	int64_t after = param_ms(url, "q%5Bupdated_after%5D=", TIME_MIN);

	c->contact_calls++;
	p.rows = calloc(c->contacts, sizeof *p.rows);
	assert(p.rows);
	for (unsigned i = 0; i < c->contacts; i++)
		if (c->contact_updated_ms[i] > after)
			p.rows[p.count++] = (struct row){c->contact_updated_ms[i], i, i};
	put_page(c, url, &p, out);
	free(p.rows);
}

static struct company_thread *paged_thread; /* whose messages are put */

static void put_message_at(struct company *c, struct buf *out, unsigned index)
{
	const struct company_part *m = &paged_thread->messages[index];

	(void)c;
	buf_printf(out,
		   "{\"id\":\"msg_%u\",\"type\":\"email\",\"body\":\"v%u\",\"is_inbound\":true,"
		   "\"recipients\":[{\"_links\":{\"related\":{\"contact\":null}},\"name\":\"P\","
		   "\"handle\":\"%c%u@x.test\",\"role\":\"from\"}]",
		   m->id, m->version, m->id % 2 ? 'p' : 'P', paged_thread->id / 2 % COMPANY_PEOPLE);
	put_time(out, "created_at", m->created_ms);
	buf_put_byte(out, '}');
}

static void serve_messages(struct company *c, struct company_thread *t, const char *url,
			   struct buf *out)
{
	struct paging p = {.limit = 100, .descending = true, .put = put_message_at, .path = "/m"};

	p.rows = calloc(t->parts + 1, sizeof *p.rows);
	assert(p.rows);
	for (unsigned i = 0; i < t->parts; i++)
		if (!t->messages[i].gone)
			p.rows[p.count++] = (struct row){t->messages[i].created_ms, i,
							 t->messages[i].id};
	paged_thread = t;
	put_page(c, url, &p, out);
	free(p.rows);
}

static void serve_comments(const struct company_thread *t, struct buf *out)
{
	bool more = false;

	buf_put_str(out, "{\"_pagination\":{},\"_results\":[");
	for (unsigned i = 0; i < t->notes; i++) {
		const struct company_part *n = &t->comments[i];
		if (n->gone)
			continue;
		buf_printf(out, "%s{\"id\":\"com_%u\",\"body\":\"v%u\"", more ? "," : "", n->id,
			   n->version);
		put_time(out, "posted_at", n->created_ms);
		buf_put_byte(out, '}');
		more = true;
	}
	buf_put_str(out, "]}");
}

static void serve_one(struct company *c, const char *url, struct sim_answer *out)
{
	unsigned id = (unsigned)strtoul(strstr(url, "/cnv_") + 5, NULL, 10);
	struct company_thread *t = company_thread(c, id);

	c->thread_calls++;
	if (!t || (t->gone_ms != TIME_MAX && !t->into)) {
		refuse(out, 404, "Unknown conversation ID");
	} else if (t->id == c->denied && c->denials) {
		c->denials--;
		refuse(out, 404, "Unknown conversation ID");
	} else if (t->into) {
		out->status = 301;
		snprintf(out->location, sizeof out->location, HOST "/conversations/cnv_%u", t->into);
	} else if (t->id == c->broken && strstr(url, "/messages")) {
		buf_put_str(&out->body, "{\"oops\":1}");
	} else if (strstr(url, "/messages")) {
		serve_messages(c, t, url, &out->body);
	} else if (strstr(url, "/comments")) {
		serve_comments(t, &out->body);
	} else if (strstr(url, "/inboxes")) {
		buf_printf(&out->body, "{\"_results\":[{\"id\":\"inb_%u\",\"name\":\"I%u\"}]}",
			   t->inbox, t->inbox);
	} else {
		put_thread(&out->body, t);
	}
}

/* So many calls a minute for everybody, and what goes beyond is refused. */
static bool within_rate(struct company *c, struct sim_answer *out)
{
	int64_t window = now_of(c) / 60000;

	if (window != c->window) {
		c->window = window;
		c->window_calls = c->window_searches = 0;
	}
	out->rate_limit = c->rate;
	out->rate_reset = (window + 1) * 60;
	if (++c->window_calls > (unsigned)c->rate) {
		c->refused++;
		out->rate_remaining = 0;
		refuse(out, 429, "Rate limit exceeded. Please retry in 1000 milliseconds.");
		return false;
	}
	out->rate_remaining = c->rate - (int64_t)c->window_calls;
	return true;
}

void company_serve(void *ctx, const struct http_request *request, struct sim_answer *out)
{
	static const char base[] = "https://front.test";
	struct company *c = ctx;
	const char *url = request->url + sizeof base - 1;

	c->calls++;
	/* The token goes nowhere but to the configured address. */
	c->breaches += strncmp(request->url, base, sizeof base - 1) != 0 || *url != '/';
	*out = (struct sim_answer){.outcome = HTTP_OK,
				   .status = 200,
				   .date_ms = now_of(c) / 1000 * 1000,
				   .rate_limit = -1,
				   .rate_remaining = -1,
				   .rate_reset = -1};
	if (!within_rate(c, out))
		return;
	if (strcmp(url, "/me") == 0)
		buf_put_str(&out->body, "{\"id\":\"cmp_1\",\"name\":\"Acme\"}");
	else if (strncmp(url, "/conversations/search/", 22) == 0)
		serve_search(c, url, out);
	else if (strncmp(url, "/conversations/", 15) == 0)
		serve_one(c, url, out);
	else if (strncmp(url, "/conversations?", 15) == 0)
		serve_threads(c, url, out);
	else if (strncmp(url, "/events?", 8) == 0)
		serve_events(c, url, &out->body);
	else if (strncmp(url, "/contacts?", 10) == 0)
		serve_contacts(c, url, &out->body);
	else if (strncmp(url, "/tags?", 6) == 0)
		buf_put_str(&out->body, "{\"_results\":[{\"id\":\"tag_1\",\"name\":\"VIP\"}]}");
	else
		refuse(out, 404, "Not found");
}
