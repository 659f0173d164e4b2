/* mcp_plan: what each tool asks the daemon, and what it makes of the answers. */
#include "mcp_tools.h"

#include "values.h"

#include <base/clock.h>
#include <codec/json.h>
#include <codec/msgpack.h>

#include <stdio.h>

#define RECORDS_DEFAULT 20
#define GROUPS_DEFAULT  100
#define RUNS_SHOWN      5
#define SYNC_WAIT_S     45
/* Of one message; the rest is said to be missing. */
#define BODY_BYTES_MAX ((size_t)16 << 10)

/* ---- questions ---- */

static void put_source(const struct mcp_call *c, struct params *p)
{
	struct bytes source = mcp_arg(c, "source");

	if (source.data)
		params_value(p, "source", source);
	else
		params_str(p, "source", app_value(c->mcp->app, OPT_SOURCE));
}

/* The arguments as the daemon's parameters. */
static void put_args(const struct mcp_call *c, struct params *p)
{
	for (const struct mcp_param *a = c->tool->params; a->name; a++) {
		struct bytes value = mcp_arg(c, a->name);
		if (a->to && value.data && strcmp(a->name, "source") != 0)
			params_value(p, a->to, value);
	}
	if (c->tool->resource && !mcp_arg(c, "resource").data)
		params_str(p, "resource", c->tool->resource);
	put_source(c, p);
}

static int ask_plain(struct mcp_call *c, struct why *why)
{
	struct params p = {0};

	put_args(c, &p);
	return mcp_ask(c, 0, c->tool->method, &p, why);
}

static int ask_freshness(struct mcp_call *c, unsigned question, struct why *why)
{
	struct params p = {0};
	struct bytes resource = mcp_arg(c, "resource");

	if (resource.data)
		params_value(&p, "resource", resource);
	put_source(c, &p);
	return mcp_ask(c, question, "freshness", &p, why);
}

/* ---- answers ---- */

void mcp_put_or_nil(struct buf *out, const char *key, struct bytes value)
{
	mp_put_cstr(out, key);
	if (value.data)
		buf_put_bytes(out, value);
	else
		mp_put_nil(out);
}

static void put_or_empty(struct buf *out, const char *key, struct bytes value)
{
	mp_put_cstr(out, key);
	if (value.data)
		buf_put_bytes(out, value);
	else
		mp_put_array(out, 0);
}

static uint32_t items(struct bytes array)
{
	struct mp_value v;

	return array.data && mp_get(array, &v) && v.type == MP_ARRAY ? v.count : 0;
}

void mcp_worth(struct buf *out, struct bytes freshness)
{
	uint32_t gaps = items(member(freshness, "gaps"));
	struct bytes as_of = member_str(freshness, "as_of");
	struct bytes message = member_str(freshness, "message");
	double age_s;

	if (!freshness.data) {
		buf_put_str(out, "It could not be told how fresh this is.");
		return;
	}
	buf_put_bytes(out, member_str(freshness, "state"));
	buf_put_str(out, member_true(freshness, "complete") ? ", complete" : ", not complete");
	if (gaps)
		buf_printf(out, ": %u gap%s", gaps, gaps == 1 ? "" : "s");
	if (as_of.data) {
		buf_put_str(out, ", as of ");
		buf_put_bytes(out, as_of);
	}
	if (member_float(freshness, "age_s", &age_s)) {
		buf_put_str(out, " (");
		show_millis(out, (int64_t)(age_s * 1000));
		buf_put_str(out, " old)");
	}
	buf_put_byte(out, '.');
	if (message.len) {
		buf_put_byte(out, ' ');
		buf_put_bytes(out, message);
	}
}

static size_t json_bytes(const struct buf *value)
{
	struct buf text = {0};

	json_write(buf_bytes(value), &text);
	size_t len = text.len;
	buf_release(&text);
	return len;
}

/* ---- freshness ---- */

static int answer_freshness(struct mcp_call *c, struct mcp_answer *out, struct why *why)
{
	struct bytes result = mcp_result(c, 0), freshness = member(result, "freshness");
	struct bytes resource = mcp_arg_text(c, "resource");
	bool conversations = !resource.data || bytes_is(resource, "conversations");
	struct buf *b = &out->found;

	(void)why;
	mp_put_map(b, 7);
	mcp_put_or_nil(b, "freshness", freshness);
	mcp_put_or_nil(b, "last_sync", member(freshness, "last_sync"));
	mcp_put_or_nil(b, "coverage_start", member(result, "coverage_start"));
	mcp_put_or_nil(b, "coverage_end", member(result, "coverage_end"));
	mcp_put_or_nil(b, "records", member(result, "records"));
	mcp_put_or_nil(b, "total_conversations",
		       conversations ? member(result, "records") : bytes_of(NULL, 0));
	mp_put_cstr(b, "is_syncing");
	mp_put_bool(b, member_true(freshness, "syncing"));
	mcp_worth(&out->words, freshness);
	return 0;
}

const struct mcp_plan mcp_plan_freshness = {ask_plain, answer_freshness, NULL, NULL, false};

/* ---- nothing is found ---- */

static int ask_values(struct mcp_call *c, unsigned question, const struct value_sought *v)
{
	struct params p = {0};
	struct why why;

	if (mcp_arg(c, "resource").data)
		params_value(&p, "resource", mcp_arg(c, "resource"));
	else
		params_str(&p, "resource", c->tool->resource);
	put_source(c, &p);
	values_ask(&p, v);
	return mcp_ask(c, question, "aggregate", &p, &why);
}

/* Never with a value of the data, which do not belong among these words. */
static void say_lack(struct mcp_call *c, struct buf *out, const struct value_sought *v)
{
	struct bytes resource = mcp_arg_text(c, "resource");

	buf_put_byte(out, ' ');
	values_say(out, v, resource.data ? resource : bytes_str(c->tool->resource), false);
	buf_put_str(out, mcp_arg(c, "source").data
				 ? ": count_records with the same source and group_by [\""
				 : ": count_records with group_by [\"");
	buf_put_bytes(out, v->field);
	buf_put_str(out, "\"] tells what there is.");
}

/* A model that guessed a value would report that there is nothing. 1: it is asked now what values there are; 0: it was, and is told, or it could not be asked. */
static int doubt(struct mcp_call *c, struct mcp_answer *out)
{
	struct value_sought sought[VALUES_MAX];
	size_t n = mcp_arg(c, "cursor").data ? 0 : values_sought(mcp_arg_text(c, "where"), sought);
	bool asked = c->questions[1].id != 0;
	int64_t until_ms = clock_mono_ms() + VALUES_MS;

	for (unsigned i = 0; i < n && asked; i++)
		if (values_judge(mcp_result(c, 1 + i), &sought[i], false, NULL) == VALUES_LACKS)
			say_lack(c, &out->words, &sought[i]);
	for (unsigned i = 0; i < n && !asked; i++)
		if (ask_values(c, 1 + i, &sought[i]))
			n = i;
	if (n == 0 || asked)
		return 0;
	c->until_ms = c->until_ms < until_ms ? c->until_ms : until_ms;
	return 1;
}

static bool doubt_may_fail(unsigned question)
{
	return question > 0;
}

/* ---- rows ---- */

static int ask_rows(struct mcp_call *c, struct why *why)
{
	struct params p = {0};

	if (c->rows == 0)
		c->rows = mcp_arg_int(c, "limit", RECORDS_DEFAULT);
	put_args(c, &p);
	params_int(&p, "limit", c->rows);
	return mcp_ask(c, 0, c->tool->method, &p, why);
}

/* An answer that is too long is asked for anew with fewer rows, so that its cursor stands where it ends. */
static int fit_rows(struct mcp_call *c, struct mcp_answer *out, uint32_t rows, struct why *why)
{
	size_t bytes = json_bytes(&out->found);

	if (bytes <= MCP_ANSWER_BYTES)
		return 0;
	if (rows <= 1)
		return why_set(
			why, ERR_LIMIT,
			"one record alone is longer than 64 KiB: name the fields that are wanted, without doc");
	int64_t fewer = (int64_t)(rows * MCP_ANSWER_BYTES / bytes) * 9 / 10;
	c->rows = fewer < 1 ? 1 : fewer >= rows ? rows - 1 : fewer;
	int rc = ask_rows(c, why);
	return rc ? rc : 1;
}

static void say_rows(struct buf *out, uint32_t rows, const char *what, bool more)
{
	buf_printf(out, " %u %s%s.", rows, what, rows == 1 ? "" : "s");
	if (more)
		buf_put_str(out, " There are more: call again with next_cursor as cursor.");
}

static void put_sync_info(struct buf *b, struct bytes freshness)
{
	mp_put_cstr(b, "sync_info");
	mp_put_map(b, 4);
	mcp_put_or_nil(b, "state", member(freshness, "state"));
	mcp_put_or_nil(b, "last_sync", member(freshness, "last_sync"));
	mcp_put_or_nil(b, "message", member(freshness, "message"));
	mp_put_cstr(b, "data_complete");
	mp_put_bool(b, member_true(freshness, "complete"));
}

static int answer_search(struct mcp_call *c, struct mcp_answer *out, struct why *why)
{
	struct bytes result = mcp_result(c, 0), freshness = member(result, "freshness");
	struct bytes rows = member(result, "rows"), next = member(result, "next_cursor");

	mp_put_map(&out->found, 4);
	mcp_put_or_nil(&out->found, "freshness", freshness);
	put_or_empty(&out->found, "conversations", rows);
	mcp_put_or_nil(&out->found, "next_cursor", next);
	put_sync_info(&out->found, freshness);
	mcp_worth(&out->words, freshness);
	say_rows(&out->words, items(rows), "conversation", next.data);
	return items(rows) ? fit_rows(c, out, items(rows), why) : doubt(c, out);
}

const struct mcp_plan mcp_plan_search = {ask_rows, answer_search, NULL, doubt_may_fail, false};

static int answer_query(struct mcp_call *c, struct mcp_answer *out, struct why *why)
{
	struct bytes result = mcp_result(c, 0), freshness = member(result, "freshness");
	struct bytes rows = member(result, "rows"), next = member(result, "next_cursor");

	mp_put_map(&out->found, 4);
	mcp_put_or_nil(&out->found, "freshness", freshness);
	put_or_empty(&out->found, "records", rows);
	mcp_put_or_nil(&out->found, "total", member(result, "total"));
	mcp_put_or_nil(&out->found, "next_cursor", next);
	mcp_worth(&out->words, freshness);
	say_rows(&out->words, items(rows), "record", next.data);
	return items(rows) ? fit_rows(c, out, items(rows), why) : doubt(c, out);
}

const struct mcp_plan mcp_plan_query = {ask_rows, answer_query, NULL, doubt_may_fail, false};

/* ---- counts ---- */

static int ask_count(struct mcp_call *c, struct why *why)
{
	struct params p = {0};

	if (c->rows == 0)
		c->rows = mcp_arg_int(c, "limit", GROUPS_DEFAULT);
	put_args(c, &p);
	params_int(&p, "limit", c->rows);
	return mcp_ask(c, 0, c->tool->method, &p, why);
}

static int answer_count(struct mcp_call *c, struct mcp_answer *out, struct why *why)
{
	struct bytes result = mcp_result(c, 0), freshness = member(result, "freshness");
	struct bytes groups = member(result, "groups");
	int64_t found, total;

	mp_put_map(&out->found, 4);
	mcp_put_or_nil(&out->found, "freshness", freshness);
	mcp_put_or_nil(&out->found, "total", member(result, "total"));
	put_or_empty(&out->found, "groups", groups);
	mcp_put_or_nil(&out->found, "groups_found", member(result, "groups_found"));
	mcp_worth(&out->words, freshness);
	if (member_int(result, "total", &total))
		buf_printf(&out->words, " %lld in all.", (long long)total);
	if (member_int(result, "groups_found", &found) && found > items(groups))
		buf_printf(&out->words, " %u of %lld groups are shown.", items(groups),
			   (long long)found);
	if (member_int(result, "total", &total) && total == 0)
		return doubt(c, out);
	if (json_bytes(&out->found) <= MCP_ANSWER_BYTES)
		return 0;
	if (items(groups) <= 1)
		return why_set(why, ERR_LIMIT, "a group alone is longer than 64 KiB");
	c->rows = items(groups) / 2;
	int rc = ask_count(c, why);
	return rc ? rc : 1;
}

const struct mcp_plan mcp_plan_count = {ask_count, answer_count, NULL, doubt_may_fail, false};

/* ---- a thread ---- */

static size_t cut_at(struct bytes text, size_t max)
{
	if (text.len <= max)
		return text.len;
	while (max > 0 && (text.data[max] & 0xc0) == 0x80)
		max--;
	return max;
}

static void put_body(struct buf *out, struct bytes text)
{
	struct buf cut = {0};

	buf_put(&cut, text.data, cut_at(text, BODY_BYTES_MAX));
	buf_printf(&cut, " [cut: %zu more bytes]", text.len - cut.len);
	mp_put_str(out, buf_bytes(&cut));
	buf_release(&cut);
}

void mcp_put_record(struct buf *out, struct bytes record)
{
	struct mp_reader r = mp_reader_of(record);
	struct mp_value key, head, v;
	struct bytes value;
	uint32_t count = 0;
	size_t mark = mp_begin_map(out);

	if (mp_next(&r, &head) != 1 || head.type != MP_MAP)
		head.count = 0;
	for (uint32_t n = head.count; n > 0; n--) {
		if (mp_next(&r, &key) != 1 || key.type != MP_STR || mp_take(&r, &value) != 1)
			break;
		if (bytes_is(key.str, "doc"))
			continue;
		mp_put_str(out, key.str);
		if (mp_get(value, &v) && v.type == MP_STR && v.str.len > BODY_BYTES_MAX)
			put_body(out, v.str);
		else
			buf_put_bytes(out, value);
		count++;
	}
	mp_end_map(out, mark, count);
}

/* Those from the `at`th on that fit; how many stand before what comes next goes to *next_out, 0 when nothing does. */
static void put_messages(struct buf *out, struct bytes messages, int64_t at, int64_t *next_out)
{
	struct mp_reader r = mp_reader_of(messages);
	struct mp_value head;
	struct bytes message;
	uint32_t count = 0;
	size_t mark = mp_begin_array(out), used = 0;

	*next_out = 0;
	if (!messages.data || mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		head.count = 0;
	for (int64_t i = 0; i < head.count && mp_take(&r, &message) == 1; i++) {
		struct buf one = {0};
		if (i < at)
			continue;
		mcp_put_record(&one, message);
		size_t bytes = json_bytes(&one);
		bool fits = count < MCP_RECORDS_MAX &&
			    (count == 0 || used + bytes <= MCP_ANSWER_BYTES / 8 * 7);
		if (fits)
			buf_put_bytes(out, buf_bytes(&one));
		buf_release(&one);
		if (!fits) {
			*next_out = i;
			break;
		}
		used += bytes;
		count++;
	}
	mp_end_array(out, mark, count);
}

void mcp_put_thread(struct buf *out, struct bytes result, int64_t at)
{
	struct bytes conversation = member(result, "conversation");
	int64_t next;
	char cursor[24];

	mp_put_map(out, 6);
	mcp_put_or_nil(out, "freshness", member(result, "freshness"));
	mp_put_cstr(out, "conversation");
	if (conversation.data)
		mcp_put_record(out, conversation);
	else
		mp_put_nil(out);
	mp_put_cstr(out, "messages");
	put_messages(out, member(result, "messages"), at, &next);
	mp_put_cstr(out, "truncated");
	mp_put_bool(out, member_true(result, "truncated"));
	mcp_put_or_nil(out, "absence", member(result, "absence"));
	mp_put_cstr(out, "next_cursor");
	snprintf(cursor, sizeof cursor, "%lld", (long long)next);
	mp_put_cstr(out, next ? cursor : NULL);
}

bool mcp_put_absence(struct buf *words, struct bytes result)
{
	struct bytes absence = member(result, "absence");

	if (!absence.data)
		return false;
	buf_put_str(words, " It is not there (");
	buf_put_bytes(words, member_str(absence, "reason"));
	buf_put_str(words, ")");
	if (member_str(absence, "detail").len) {
		buf_put_str(words, ": ");
		buf_put_bytes(words, member_str(absence, "detail"));
	}
	buf_put_byte(words, '.');
	return true;
}

/* A cursor is a number of messages. */
static int64_t thread_cursor(const struct mcp_call *c)
{
	struct bytes text = mcp_arg_text(c, "cursor");
	int64_t at = 0;

	if (text.len > 9)
		return -1;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return -1;
		at = at * 10 + (text.data[i] - '0');
	}
	return at;
}

static int ask_thread(struct mcp_call *c, struct why *why)
{
	struct params p = {0};

	if (thread_cursor(c) < 0)
		return why_set(why, ERR_INVALID,
			       "cursor is next_cursor of an earlier answer, or left out");
	put_args(c, &p);
	return mcp_ask(c, 0, "thread", &p, why);
}

static int answer_thread(struct mcp_call *c, struct mcp_answer *out, struct why *why)
{
	struct bytes result = mcp_result(c, 0);

	(void)why;
	mcp_put_thread(&out->found, result, thread_cursor(c));
	mcp_worth(&out->words, member(result, "freshness"));
	if (mcp_put_absence(&out->words, result))
		return 0;
	if (member_true(result, "truncated"))
		buf_put_str(&out->words, " The provider shows only a part of this thread.");
	struct bytes found = buf_bytes(&out->found);
	say_rows(&out->words, items(member(found, "messages")), "message",
		 member(found, "next_cursor").data);
	return 0;
}

const struct mcp_plan mcp_plan_thread = {ask_thread, answer_thread, NULL, NULL, false};

/* ---- coverage ---- */

static int ask_coverage(struct mcp_call *c, struct why *why)
{
	struct params p = {0}, span = {0};
	struct bytes resource = mcp_arg(c, "resource");

	if (resource.data)
		params_value(&p, "resource", resource);
	else
		params_str(&p, "resource", c->tool->resource);
	put_source(c, &p);
	int rc = mcp_ask(c, 0, "coverage", &p, why);
	if (rc)
		return rc;
	put_args(c, &span);
	return mcp_ask(c, 1, "freshness", &span, why);
}

static int answer_coverage(struct mcp_call *c, struct mcp_answer *out, struct why *why)
{
	struct bytes freshness = member(mcp_result(c, 1), "freshness");

	(void)why;
	mp_put_map(&out->found, 2);
	mcp_put_or_nil(&out->found, "freshness", freshness);
	put_or_empty(&out->found, "resources", member(mcp_result(c, 0), "resources"));
	mcp_worth(&out->words, freshness);
	return 0;
}

const struct mcp_plan mcp_plan_coverage = {ask_coverage, answer_coverage, NULL, NULL, false};

/* ---- status ---- */

static int ask_status(struct mcp_call *c, struct why *why)
{
	struct params status = {0}, runs = {0};

	put_source(c, &status);
	int rc = mcp_ask(c, 0, "status", &status, why);
	if (rc)
		return rc;
	put_source(c, &runs);
	params_int(&runs, "limit", RUNS_SHOWN);
	rc = mcp_ask(c, 1, "runs", &runs, why);
	return rc ? rc : ask_freshness(c, 2, why);
}

/* The status says itself what went wrong: a source without conversations has no freshness of them. */
static bool status_may_fail(unsigned question)
{
	return question != 0;
}

static int answer_status(struct mcp_call *c, struct mcp_answer *out, struct why *why)
{
	struct bytes freshness = member(mcp_result(c, 2), "freshness");

	(void)why;
	mp_put_map(&out->found, 3);
	mcp_put_or_nil(&out->found, "freshness", freshness);
	put_or_empty(&out->found, "sources", member(mcp_result(c, 0), "sources"));
	put_or_empty(&out->found, "runs", member(mcp_result(c, 1), "runs"));
	mcp_worth(&out->words, freshness);
	return 0;
}

const struct mcp_plan mcp_plan_status = {ask_status, answer_status, NULL, status_may_fail, false};

/* ---- sync ---- */

static bool wants_wait(const struct mcp_call *c)
{
	return !mcp_arg(c, "wait").data || member_true(buf_bytes(&c->args), "wait");
}

static int ask_sync(struct mcp_call *c, struct why *why)
{
	struct params p = {0};

	put_args(c, &p);
	params_bool(&p, "wait", wants_wait(c));
	c->until_ms = clock_mono_ms() + mcp_arg_int(c, "timeout_s", SYNC_WAIT_S) * 1000;
	return mcp_ask(c, 0, "sync", &p, why);
}

static int late_sync(struct mcp_call *c, struct why *why)
{
	return ask_freshness(c, 1, why);
}

static bool sync_may_fail(unsigned question)
{
	return question != 0;
}

static uint32_t not_ok(struct bytes runs)
{
	struct mp_reader r = mp_reader_of(runs);
	struct mp_value head;
	struct bytes run;
	uint32_t n = 0;

	if (!runs.data || mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return 0;
	while (mp_take(&r, &run) == 1)
		n += !bytes_is(member_str(run, "outcome"), "ok");
	return n;
}

static int answer_sync(struct mcp_call *c, struct mcp_answer *out, struct why *why)
{
	struct bytes runs = member(mcp_result(c, 0), "runs");
	struct bytes freshness = member(mcp_result(c, 1), "freshness");
	bool finished = runs.data && wants_wait(c);

	if (c->questions[1].id == 0) {
		int rc = ask_freshness(c, 1, why);
		return rc ? rc : 1;
	}
	mp_put_map(&out->found, 3);
	mcp_put_or_nil(&out->found, "freshness", freshness);
	mp_put_cstr(&out->found, "finished");
	mp_put_bool(&out->found, finished);
	put_or_empty(&out->found, "runs", runs);
	mcp_worth(&out->words, freshness);
	if (!finished)
		buf_put_str(&out->words,
			    " The sync goes on: get_sync_status tells when it has ended.");
	else if (not_ok(runs))
		buf_printf(&out->words, " %u of %u runs did not end well: see error.", not_ok(runs),
			   items(runs));
	else
		buf_put_str(&out->words, " The sync has ended.");
	return 0;
}

/* ---- edit ---- */

static int ask_edit(struct mcp_call *c, struct why *why)
{
	struct params p = {0};

	put_args(c, &p);
	params_bool(&p, "wait", true);
	params_int(&p, "timeout_ms", MCP_CALL_MS / 2);
	return mcp_ask(c, 0, "edit", &p, why);
}

static const char *edit_advice(struct bytes state)
{
	static const char *const words[][2] = {
		{"pushed", "The provider has it."},
		{"conflict",
		 "The same field was changed at the provider meanwhile (theirs), and nothing was overwritten: ask the person which of the two shall count; 'ficq resolve ID mine|theirs' decides."},
		{"failed", "The provider refused it: see error."},
		{"dropped", "Somebody gave it up."},
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (bytes_is(state, words[i][0]))
			return words[i][1];
	return "It is kept safe and will be pushed.";
}

static int answer_edit(struct mcp_call *c, struct mcp_answer *out, struct why *why)
{
	struct bytes edit = mcp_result(c, 0);

	if (c->questions[1].id == 0) {
		int rc = ask_freshness(c, 1, why);
		return rc ? rc : 1;
	}
	mp_put_map(&out->found, 2);
	mcp_put_or_nil(&out->found, "freshness", member(mcp_result(c, 1), "freshness"));
	mcp_put_or_nil(&out->found, "edit", edit);
	buf_put_str(&out->words, edit_advice(member_str(edit, "state")));
	return 0;
}

const struct mcp_plan mcp_plan_edit = {ask_edit, answer_edit, NULL, sync_may_fail, false};

const struct mcp_plan mcp_plan_sync = {ask_sync, answer_sync, late_sync, sync_may_fail, false};
