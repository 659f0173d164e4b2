/* config_value: one parser and one printer for each type of option. Complaints say what was expected and, where it is short and
 * cannot be a secret, what was found. */
#include "config_value.h"
#include "config_access.h"
#include "config_schedule.h"

#include <base/suggest.h>
#include <io/http.h>
#include <io/listener.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

/* Longer values are not repeated: whoever pasted a token into the wrong line finds it in no log. */
#define SHOWN_MAX 32

/* "expected EXPECTED", with what was found and, for those who comment as in a shell, how to comment. */
static int expected(struct why *why, const char *text, const char *what)
{
	const char *hint = strstr(text, " #") ? "; a comment behind a value begins with ;" : "";

	if (*text == '"' || *text == '\'')
		hint = "; values stand without quotes";
	if (*text && strlen(text) <= SHOWN_MAX)
		return why_set(why, ERR_INVALID, "expected %s, not \"%s\"%s", what, text, hint);
	return why_set(why, ERR_INVALID, "expected %s%s%s", what, *text ? "" : ", found nothing",
		       hint);
}

static const char *copy(struct arena *memory, const char *text)
{
	return arena_str(memory, bytes_str(text));
}

static bool take_nothing(void *field, const char *text)
{
	if (*text)
		return false;
	*(const char **)field = NULL;
	return true;
}

static int keep_text(void *field, const char *text, struct arena *memory)
{
	*(const char **)field = copy(memory, text);
	return *(const char **)field ? 0 : ERR_NOMEM;
}

static int parse_path(const struct option *o, void *field, const char *text, struct arena *memory,
		      struct why *why)
{
	size_t max = o->type == OPTION_SOCKET ? sizeof((struct sockaddr_un *)0)->sun_path - 1
					      : CONFIG_PATH_MAX - 1;

	if (o->fallback && take_nothing(field, text))
		return 0;
	if (*text != '/')
		return expected(why, text, "an absolute path");
	if (strlen(text) > max)
		return why_set(why, ERR_INVALID, "the path is longer than %zu bytes", max);
	return keep_text(field, text, memory);
}

static int range(const struct option *o, int64_t value, struct why *why)
{
	if ((o->zero && value == 0) || (value >= o->min && (!o->max || value <= o->max)))
		return 0;
	char low[DURATION_TEXT_MAX], high[DURATION_TEXT_MAX];
	switch (o->type) {
	case OPTION_DURATION:
		return why_set(why, ERR_INVALID, "must be %sfrom %s to %s", o->zero ? "0 or " : "",
			       duration_text(o->min, low), duration_text(o->max, high));
	case OPTION_SIZE:
		return why_set(why, ERR_INVALID, "must be from %lldM to %lldM",
			       (long long)(o->min >> 20), (long long)(o->max >> 20));
	default:
		return why_set(why, ERR_INVALID, "must be from %lld to %lld%s", (long long)o->min,
			       (long long)o->max, o->type == OPTION_PERCENT ? "%" : "");
	}
}

/* Digits and what follows them. */
static bool take_digits(const char *text, int64_t *out, const char **end)
{
	char *stop;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*out = strtoll(text, &stop, 10);
	*end = stop;
	return errno == 0;
}

static bool take_unit(const char *unit, int64_t *value)
{
	static const char units[] = "KMG";
	const char *at = *unit ? strchr(units, toupper((unsigned char)*unit)) : NULL;

	if (*unit == 0)
		return true;
	if (!at || (unit[1] && strcasecmp(unit + 1, "iB") != 0 && strcasecmp(unit + 1, "B") != 0))
		return false;
	return !__builtin_mul_overflow(*value, INT64_C(1) << (10 * (at - units + 1)), value);
}

static int parse_size(const struct option *o, void *field, const char *text, struct why *why)
{
	const char *unit;
	int64_t value;

	if (!take_digits(text, &value, &unit) || !take_unit(unit, &value))
		return expected(why, text, "a size such as 16M or 512K");
	int rc = range(o, value, why);
	if (rc == 0)
		*(int64_t *)field = value;
	return rc;
}

static int parse_duration(const struct option *o, void *field, const char *text, struct why *why)
{
	int64_t value;

	if (duration_parse(bytes_str(text), &value)) {
		if (*text && text[strspn(text, "0123456789")] == 0)
			return expected(why, text,
					"a duration with its unit, such as 90s, 5m or 2h30m");
		return expected(why, text, "a duration such as 90s, 5m, 2h30m or 400d");
	}
	int rc = range(o, value, why);
	if (rc == 0)
		*(int64_t *)field = value;
	return rc;
}

static int parse_number(const struct option *o, void *field, const char *text, struct why *why)
{
	bool percent = o->type == OPTION_PERCENT;
	const char *end;
	int64_t value;

	if (!take_digits(text, &value, &end) || strcmp(end, percent ? "%" : "") != 0)
		return expected(why, text, percent ? "a percentage such as 80%" : "a whole number");
	int rc = range(o, value, why);
	if (rc == 0)
		*(unsigned *)field = (unsigned)value;
	return rc;
}

static void list_words(const char *const *words, char *out, size_t size)
{
	size_t n = 0;

	out[0] = 0;
	for (size_t i = 0; words[i] && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%s",
				      i == 0         ? ""
				      : words[i + 1] ? ", "
						     : " or ",
				      words[i]);
}

/* The index of the word, or an error. */
static int parse_word(const struct option *o, const char *text, struct why *why)
{
	char all[128];

	for (int i = 0; o->words[i]; i++)
		if (strcmp(o->words[i], text) == 0)
			return i;
	for (int i = 0; o->later && o->later[i]; i++)
		if (strcmp(o->later[i], text) == 0)
			return why_set(why, ERR_INVALID, "%s is not in this release", text);
	list_words(o->words, all, sizeof all);
	const char *near = suggest(bytes_str(text), o->words);
	if (!near || strlen(text) > SHOWN_MAX)
		return expected(why, text, all);
	return why_set(why, ERR_INVALID, "expected %s, not \"%s\"; did you mean %s?", all, text, near);
}

/* SCHEME://HOST[:PORT][/PATH]. The text is not repeated: it may hold a password. */
int config_url_check(const char *text, struct why *why)
{
	bool secure = strncasecmp(text, "https://", 8) == 0;
	const char *host = text + (secure ? 8 : 7);

	if (!secure && strncasecmp(text, "http://", 7) != 0)
		return why_set(why, ERR_INVALID, "expected an address that begins with https://");
	size_t authority = strcspn(host, "/?#");
	if (memchr(host, '@', authority))
		return why_set(why, ERR_INVALID,
			       "a user name or password does not belong into the address");
	if (host[strcspn(host, "?# \t\"\\")])
		return why_set(
			why, ERR_INVALID,
			"the address has a ?, #, quote or space in it; expected https://HOST[:PORT][/PATH]");
	const char *bracket = *host == '[' ? memchr(host, ']', authority) : NULL;
	size_t name = bracket ? (size_t)(bracket - host) + 1 : strcspn(host, ":/");
	const char *port = host + name;
	size_t digits = *port == ':' ? strspn(port + 1, "0123456789") : 0;
	if (name == 0 || (*host == '[' && !bracket) ||
	    (*port == ':' ? digits + 1 : 0) != authority - name ||
	    (*port == ':' &&
	     (digits == 0 || digits > 5 || atoi(port + 1) > 65535 || atoi(port + 1) == 0)))
		return why_set(why, ERR_INVALID,
			       "the host or port is not valid; expected https://HOST[:PORT][/PATH]");
	if (!secure && !http_is_this_host(host, name))
		return why_set(why, ERR_INVALID,
			       "http:// would send the token in the clear; only https:// is possible, "
			       "or http:// to localhost, 127.0.0.1 or [::1]");
	return 0;
}

static int parse_url(void *field, const char *text, struct arena *memory, struct why *why)
{
	const char *kept = NULL;

	if (*text) {
		int rc = config_url_check(text, why);
		if (rc)
			return rc;
		size_t len = strlen(text);
		while (len && text[len - 1] == '/')
			len--;
		kept = arena_str(memory, bytes_of(text, len));
		if (!kept)
			return ERR_NOMEM;
	}
	*(const char **)field = kept;
	return 0;
}

static int parse_token(const struct option *o, void *field, const char *text, struct arena *memory,
		       struct why *why)
{
	bool credential = strncmp(text, "credential:", 11) == 0;
	const char *name = strchr(text, ':');

	if (!*text && !o->required) {
		*(struct config_token *)field = (struct config_token){false, NULL};
		return 0;
	}
	if (!credential && strncmp(text, "file:", 5) != 0)
		return why_set(why, ERR_INVALID,
			       "expected file:PATH or credential:NAME; the token itself does not belong into this file: "
			       "put it into a file of its own with mode 0600");
	name++;
	if (credential && (!*name || strlen(name) > 255 || strchr(name, '/') || *name == '.'))
		return why_set(why, ERR_INVALID,
			       "expected credential:NAME with a file's name without a folder");
	if (!credential && (*name != '/' || strlen(name) >= CONFIG_PATH_MAX))
		return why_set(why, ERR_INVALID, "expected file: and an absolute path");
	const char *kept = copy(memory, name);
	if (!kept)
		return ERR_NOMEM;
	*(struct config_token *)field = (struct config_token){credential, kept};
	return 0;
}

static int parse_listen(void *field, const char *text, struct arena *memory, struct why *why)
{
	char host[LISTENER_HOST_MAX];
	unsigned port;

	*(const char **)field = NULL;
	if (strcmp(text, "off") == 0)
		return 0;
	if (*text != '/' && listener_address(text, host, &port, why))
		return ERR_INVALID;
	if (strlen(text) >= sizeof((struct sockaddr_un *)0)->sun_path)
		return why_set(why, ERR_INVALID, "the path is too long for a socket");
	*(const char **)field = copy(memory, text);
	return *(const char **)field ? 0 : ERR_NOMEM;
}

static int unknown_resource(struct bytes name, struct why *why)
{
	const char *names[CONFIG_RESOURCES_MAX + 2] = {"all"};

	if (name.len > SHOWN_MAX)
		return why_set(why, ERR_INVALID, "a resource's name was expected");
	for (size_t i = 0; i < config_resource_count; i++)
		names[i + 1] = config_resources[i].name;
	const char *near = suggest(name, names);
	if (near)
		return why_set(why, ERR_INVALID, "unknown resource \"%.*s\"; did you mean %s?",
			       (int)name.len, (const char *)name.data, near);
	char all[200];
	list_words(names + 1, all, sizeof all);
	return why_set(why, ERR_INVALID, "unknown resource \"%.*s\"; expected all or a list of %s",
		       (int)name.len, (const char *)name.data, all);
}

static int parse_resources(void *field, const char *text, struct why *why)
{
	unsigned wanted = 0;
	struct bytes item;
	bool all = false;

	while (list_next(&text, &item)) {
		int i = resource_index(item);
		if (bytes_is(item, "all"))
			all = true;
		else if (i < 0)
			return unknown_resource(item, why);
		else
			wanted |= 1u << i;
	}
	if (!all && !wanted)
		return why_set(why, ERR_INVALID, "expected all or a list of resources, found nothing");
	for (size_t i = 0; i < config_resource_count; i++) {
		const char *follows = config_resources[i].follows;
		unsigned parent = follows ? 1u << resource_index(bytes_str(follows)) : 0;
		if (parent && (wanted & 1u << i) && !(wanted & parent))
			return why_set(why, ERR_INVALID,
				       "%s are read with the %s: add these to the list",
				       config_resources[i].name, follows);
		if (all || (wanted & parent))
			wanted |= 1u << i;
	}
	*(unsigned *)field = wanted;
	return 0;
}

/* "search 40%", behind those that there are. */
static bool add_route(struct config_routes *r, struct bytes item)
{
	const uint8_t *space = item.len ? memchr(item.data, ' ', item.len) : NULL;
	size_t name = space ? (size_t)(space - item.data) : 0, at = name;
	char number[8];
	const char *end;
	int64_t percent;

	while (at < item.len && item.data[at] == ' ')
		at++;
	if (r->count == CONFIG_ROUTES_MAX || name == 0 || name >= sizeof r->items->name ||
	    item.len - at >= sizeof number)
		return false;
	snprintf(number, sizeof number, "%.*s", (int)(item.len - at), (const char *)item.data + at);
	if (!take_digits(number, &percent, &end) || strcmp(end, "%") != 0 || percent < 1 ||
	    percent > 100)
		return false;
	snprintf(r->items[r->count].name, sizeof r->items->name, "%.*s", (int)name,
		 (const char *)item.data);
	r->items[r->count++].percent = (unsigned)percent;
	return true;
}

static int parse_routes(struct config_routes *out, const char *text, struct why *why)
{
	struct config_routes r = {.count = 0};
	struct bytes item;

	while (list_next(&text, &item)) {
		if (!add_route(&r, item))
			return why_set(
				why, ERR_INVALID,
				"expected up to %d kinds of calls with a percentage each, such as search 40%%, found '%.*s'",
				CONFIG_ROUTES_MAX, (int)(item.len < 60 ? item.len : 60),
				(const char *)item.data);
		for (size_t i = 0; i + 1 < r.count; i++)
			if (strcmp(r.items[i].name, r.items[r.count - 1].name) == 0)
				return why_set(why, ERR_INVALID, "%s stands twice", r.items[i].name);
	}
	*out = r;
	return 0;
}

/* Why it cannot be "RESOURCE.doc.PATH"; NULL: it is. */
static const char *exclusion_wrong(struct bytes item)
{
	static const char doc[] = "doc.";
	const uint8_t *dot = memchr(item.data, '.', item.len);
	size_t name = dot ? (size_t)(dot - item.data) : item.len;
	struct bytes path = bytes_of(item.data + name + (dot != NULL),
				     item.len - name - (dot != NULL));

	if (resource_index(bytes_of(item.data, name)) < 0)
		return "begins with no resource";
	if (path.len <= strlen(doc) || memcmp(path.data, doc, strlen(doc)) != 0)
		return "names no member of its objects: RESOURCE.doc.PATH";
	if (item.data[item.len - 1] == '.' || memmem(item.data, item.len, "..", 2))
		return "has an empty step";
	return NULL;
}

static int parse_exclude(const char **out, const char *text, struct arena *memory, struct why *why)
{
	struct buf all = {0};
	struct bytes item;
	unsigned count = 0;

	while (list_next(&text, &item)) {
		const char *wrong = ++count > CONFIG_EXCLUDE_MAX ? "is one too many"
								 : exclusion_wrong(item);
		if (wrong) {
			buf_release(&all);
			return why_set(
				why, ERR_INVALID,
				"expected up to %d members such as contacts.doc.phone, but '%.*s' %s",
				CONFIG_EXCLUDE_MAX, (int)(item.len < 80 ? item.len : 80),
				(const char *)item.data, wrong);
		}
		buf_put_str(&all, count > 1 ? ", " : "");
		buf_put_bytes(&all, item);
	}
	*out = count ? arena_str(memory, buf_bytes(&all)) : NULL;
	int rc = all.error || (count && !*out) ? why_set(why, ERR_NOMEM, "out of memory") : 0;
	buf_release(&all);
	return rc;
}

static int parse_schedule(void *field, const char *text, struct why *why)
{
	struct why inner = {""};

	if (schedule_parse(text, field, &inner) == 0)
		return 0;
	if (strncmp(inner.text, "cron:", 5) == 0)
		return why_set(why, ERR_INVALID, "%s", inner.text);
	return expected(why, text, inner.text);
}

static int parse_zone(void *field, const char *text, struct arena *memory, struct why *why)
{
	struct zone *zone;
	struct why inner = {""};

	int rc = zone_load(bytes_str(text), &zone, &inner);
	if (rc == ERR_NOMEM)
		return rc;
	if (rc)
		return why_set(why, ERR_INVALID,
			       "%s; expected UTC, local, or a name such as Europe/Berlin",
			       inner.text);
	zone_free(zone);
	return keep_text(field, text, memory);
}

static int parse_text(void *field, const char *text, struct arena *memory, struct why *why)
{
	if (take_nothing(field, text))
		return 0;
	if (strlen(text) > 255)
		return why_set(why, ERR_INVALID, "the text is longer than 255 bytes");
	return keep_text(field, text, memory);
}

/* It goes into commands and headers of the mail protocol: what could end there is not let in. */
static bool is_address(struct bytes item)
{
	const uint8_t *at = memchr(item.data, '@', item.len);

	if (!at || at == item.data || at == item.data + item.len - 1 || item.len > 254)
		return false;
	for (size_t i = 0; i < item.len; i++)
		if (item.data[i] <= ' ' || item.data[i] > '~' || strchr("<>()[]:;\\\"", item.data[i]))
			return false;
	return !memchr(at + 1, '@', item.len - (size_t)(at + 1 - item.data));
}

static int parse_addresses(void *field, const char *text, struct arena *memory, struct why *why)
{
	const char *rest = text;
	struct bytes item;
	int count = 0;

	if (take_nothing(field, text))
		return 0;
	for (; list_next(&rest, &item); count++)
		if (!is_address(item))
			return expected(why, text, "an address such as ops@example.org");
	if (count == 0 || count > CONFIG_ADDRESSES_MAX)
		return why_set(why, ERR_INVALID, "expected 1 to %d addresses", CONFIG_ADDRESSES_MAX);
	return keep_text(field, text, memory);
}

static int parse_smtp(void *field, const char *text, struct arena *memory, struct why *why)
{
	const char *host = strstr(text, "://") ? strstr(text, "://") + 3 : text;
	bool secure = strncmp(text, "smtps://", 8) == 0;
	size_t name = strcspn(host, ":");
	char url[300], *end;

	if (take_nothing(field, text))
		return 0;
	if (host != text && !secure && strncmp(text, "smtp://", 7) != 0)
		return why_set(why, ERR_INVALID, "expected HOST:PORT, smtp:// or smtps://");
	for (size_t i = 0; host[i]; i++)
		if (!isalnum((unsigned char)host[i]) && !strchr(".-:", host[i]))
			return why_set(
				why, ERR_INVALID,
				"expected HOST:PORT; users and passwords stand in smtp_user and smtp_password");
	long port = host[name] ? strtol(host + name + 1, &end, 10) : 1;
	if (name == 0 || port < 1 || port > 65535 || (host[name] && (end == host + name + 1 || *end)))
		return expected(why, text, "HOST:PORT, such as mail.example.org:587");
	if (snprintf(url, sizeof url, "%s://%s", secure ? "smtps" : "smtp", host) >= (int)sizeof url)
		return why_set(why, ERR_INVALID, "the name of the host is too long");
	return keep_text(field, url, memory);
}

int option_parse(const struct option *o, void *section, const char *text, struct arena *memory,
		 struct why *why)
{
	void *field = (char *)section + o->offset;
	int rc;

	switch (o->type) {
	case OPTION_FILE:
		if (strcmp(text, "off") == 0) {
			*(const char **)field = NULL;
			return 0;
		}
		return parse_path(o, field, text, memory, why);
	case OPTION_PATH:
	case OPTION_SOCKET: return parse_path(o, field, text, memory, why);
	case OPTION_ACCESS: return access_parse(field, text, memory, why);
	case OPTION_SIZE: return parse_size(o, field, text, why);
	case OPTION_DURATION: return parse_duration(o, field, text, why);
	case OPTION_PERCENT:
	case OPTION_NUMBER: return parse_number(o, field, text, why);
	case OPTION_URL: return parse_url(field, text, memory, why);
	case OPTION_TOKEN: return parse_token(o, field, text, memory, why);
	case OPTION_EXCLUDE: return parse_exclude(field, text, memory, why);
	case OPTION_LISTEN: return parse_listen(field, text, memory, why);
	case OPTION_RESOURCES: return parse_resources(field, text, why);
	case OPTION_SCHEDULE: return parse_schedule(field, text, why);
	case OPTION_ZONE: return parse_zone(field, text, memory, why);
	case OPTION_WEEK: return week_parse(bytes_str(text), field, why);
	case OPTION_ROUTES: return parse_routes(field, text, why);
	case OPTION_TEXT: return parse_text(field, text, memory, why);
	case OPTION_ADDRESSES: return parse_addresses(field, text, memory, why);
	case OPTION_SMTP: return parse_smtp(field, text, memory, why);
	case OPTION_CONDITIONS: return alert_parse(text, field, why);
	case OPTION_WORD:
	case OPTION_CHOICE: break;
	}
	rc = parse_word(o, text, why);
	if (rc < 0)
		return rc;
	if (o->type == OPTION_CHOICE)
		*(const char **)field = o->words[rc];
	else
		memcpy(field, &rc, sizeof rc); /* an enum, whatever its name */
	return 0;
}

static void print_size(int64_t value, struct buf *out)
{
	int unit = 0;

	while (unit < 3 && value && value % 1024 == 0) {
		value /= 1024;
		unit++;
	}
	buf_printf(out, "%lld", (long long)value);
	if (unit)
		buf_put_byte(out, (uint8_t) "KMG"[unit - 1]);
}

static void print_resources(unsigned wanted, struct buf *out)
{
	size_t held = 0;
	const char *comma = "";

	for (size_t i = 0; i < config_resource_count; i++)
		held += (wanted >> i) & 1;
	if (held == config_resource_count) {
		buf_put_str(out, "all");
		return;
	}
	for (size_t i = 0; i < config_resource_count; i++) {
		/* What follows comes along unasked: the list as a person would write it. */
		if (!(wanted & 1u << i) || config_resources[i].follows)
			continue;
		buf_printf(out, "%s%s", comma, config_resources[i].name);
		comma = ", ";
	}
}

static void put_text(struct buf *out, const char *text)
{
	buf_put_str(out, text ? text : "");
}

static void print_routes(const struct config_routes *r, struct buf *out)
{
	for (size_t i = 0; i < r->count; i++)
		buf_printf(out, "%s%s %u%%", i ? ", " : "", r->items[i].name, r->items[i].percent);
}

static void print_conditions(const struct alert_conditions *c, struct buf *out)
{
	char text[ALERT_TEXT_MAX];

	for (size_t i = 0; i < c->count; i++) {
		alert_print(&c->items[i], text);
		buf_printf(out, "%s%s", i ? ", " : "", text);
	}
}

void option_print(const struct option *o, const void *section, struct buf *out)
{
	const void *field = (const char *)section + o->offset;
	const struct config_token *token = field;
	const struct week *week = field;
	char text[DURATION_TEXT_MAX];
	int index;

	switch (o->type) {
	case OPTION_PATH:
	case OPTION_SOCKET:
	case OPTION_CHOICE:
	case OPTION_ZONE:
	case OPTION_EXCLUDE:
	case OPTION_TEXT:
	case OPTION_ADDRESSES:
	case OPTION_SMTP:
	case OPTION_URL: put_text(out, *(const char *const *)field); return;
	case OPTION_ACCESS: access_print(field, out); return;
	case OPTION_SIZE: print_size(*(const int64_t *)field, out); return;
	case OPTION_DURATION: put_text(out, duration_text(*(const int64_t *)field, text)); return;
	case OPTION_PERCENT: buf_printf(out, "%u%%", *(const unsigned *)field); return;
	case OPTION_NUMBER: buf_printf(out, "%u", *(const unsigned *)field); return;
	case OPTION_FILE:
	case OPTION_LISTEN:
		put_text(out, *(const char *const *)field ? *(const char *const *)field : "off");
		return;
	case OPTION_TOKEN:
		if (!token->name)
			return;
		buf_printf(out, "%s:%s", token->credential ? "credential" : "file",
			   token->name ? token->name : "");
		return;
	case OPTION_RESOURCES: print_resources(*(const unsigned *)field, out); return;
	case OPTION_SCHEDULE: schedule_print(field, out); return;
	case OPTION_ROUTES: print_routes(field, out); return;
	case OPTION_CONDITIONS: print_conditions(field, out); return;
	case OPTION_WEEK: put_text(out, week->limited ? week->text : "any"); return;
	case OPTION_WORD: break;
	}
	memcpy(&index, field, sizeof index);
	put_text(out, o->words[index]);
}
