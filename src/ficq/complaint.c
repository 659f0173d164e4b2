/*
 * complaint: the daemon's errors in the words of the command line. Knows the names of parameters and options; what it does not know stays as it is.
 */
#include "complaint.h"

#include "cell.h"

#include <codec/msgpack.h>

/* --- names of parameters --- */

static const struct {
	const char *parameter;
	const char *option;
} names[] = {
	{"ficd-protocol(7) names the paths; parameters go into params",
	 "ficd-protocol(7), PATHS OF LIVE, names the paths; parameters follow as NAME=VALUE"},
	{"name the source", "name it with --source"},
	{"'require'", "--require"},
	{"on_stale", "--on-stale"},
	{"timeout_ms", "--timeout"},
	{"max_age", "--max-age"},
};

static void put_translated(struct buf *out, struct bytes words)
{
	while (words.len) {
		size_t took = 1;
		for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
			size_t len = strlen(names[i].parameter);
			if (words.len < len || memcmp(words.data, names[i].parameter, len) != 0)
				continue;
			buf_put_str(out, names[i].option);
			took = len;
			break;
		}
		if (took == 1)
			buf_put_byte(out, words.data[0]);
		words = bytes_of(words.data + took, words.len - took);
	}
}

/* --- what it is about --- */

static struct bytes find_unknown(struct bytes message)
{
	static const char head[] = "unknown field '";
	size_t len = sizeof head - 1;

	for (size_t i = 0; i + len < message.len; i++) {
		const uint8_t *name = message.data + i + len;
		if (memcmp(message.data + i, head, len) != 0)
			continue;
		const uint8_t *end = memchr(name, '\'', message.len - i - len);
		return end ? bytes_of(name, (size_t)(end - name)) : bytes_of(NULL, 0);
	}
	return bytes_of(NULL, 0);
}

static void put_message(struct complaint *c, const struct options *o, const struct rpc_response *answer)
{
	bool where = bytes_is(member_str(answer->error_data, "hint"),
			      "see ficq(1), THE WHERE LANGUAGE");

	if (where && o->times[OPT_WHERE] > 1)
		condition_complaint(o->wheres, o->times[OPT_WHERE], answer->error_message,
				    &c->message);
	else
		buf_put_bytes(&c->message, answer->error_message);
	c->unknown = find_unknown(buf_bytes(&c->message));
}

static void put_hint(struct complaint *c, enum command command, const struct rpc_response *answer)
{
	struct bytes hint = member_str(answer->error_data, "hint");
	struct bytes reason = member_str(answer->error_data, "reason");

	if (c->resource && (c->unknown.len || bytes_is(reason, "sort")))
		buf_printf(&c->hint, "'ficq fields %s' lists the fields", c->resource);
	else if (c->resource && command == CMD_EDIT && bytes_is(reason, "edit") && hint.len)
		buf_printf(&c->hint, "'ficq fields %s' says what can be edited", c->resource);
	else if (bytes_is(answer->error_message, "there are several sources: name one"))
		buf_printf(&c->hint, "name it with --source; %.*s", (int)hint.len,
			   (const char *)hint.data);
	else
		put_translated(&c->hint, hint);
}

void complaint_init(struct complaint *c, enum command command, const struct options *o,
		    const struct rpc_response *answer)
{
	*c = (struct complaint){.resource = command_resource(command, o)};
	/* Who calls a method by its name knows its parameters by theirs. */
	if (command == CMD_RPC) {
		buf_put_bytes(&c->message, answer->error_message);
		buf_put_bytes(&c->hint, member_str(answer->error_data, "hint"));
		return;
	}
	put_message(c, o, answer);
	put_hint(c, command, answer);
}

/* --- fields of what hangs under a resource --- */

static bool has_named(struct bytes list, struct bytes name)
{
	struct mp_reader r = mp_reader_of(list);
	struct mp_value head;
	struct bytes item;

	if (!list.data || mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return false;
	while (mp_take(&r, &item) == 1)
		if (bytes_equal(member_str(item, "name"), name))
			return true;
	return false;
}

void complaint_look(struct complaint *c, enum command command, struct bytes resources)
{
	struct bytes list = member(resources, "resources"), item;
	struct mp_reader r = mp_reader_of(list);
	struct mp_value head;

	if (!list.data || mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return;
	while (mp_take(&r, &item) == 1) {
		struct bytes name = member_str(item, "name");
		if (!bytes_is(member_str(item, "parent"), c->resource) ||
		    !has_named(member(item, "fields"), c->unknown))
			continue;
		buf_reset(&c->hint);
		buf_put_bytes(&c->hint, name);
		buf_printf(&c->hint, " have it: %s%s ", command == CMD_SEARCH ? "" : "ficq ",
			   command == CMD_SEARCH ? "--resource" : command_table[command].name);
		buf_put_bytes(&c->hint, name);
		return;
	}
}

void complaint_release(struct complaint *c)
{
	buf_release(&c->message);
	buf_release(&c->hint);
}
