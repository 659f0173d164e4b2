/* The command line: one table of options, which also prints itself. */
#include "options.h"

#include "api.h"
#include "spoil.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION "1"

const struct api *api;

struct settings settings = {
	.token = "sim-token",
	.rate = UINT32_MAX,
	.grace_ms = 100,
	.connections = 8,
	.scroll_page = 100,
	.gzip = true,
	.ticketing = true,
};

enum type { TEXT, NUMBER, BIG, YES, NO, CHOICE };

struct option {
	const char *name, *argument;
	enum type type;
	void *value;
	uint32_t min, max;
	const char *help;
};

static struct world_options *opt;
static struct world_options defaults;
static const char *totals, *parts_total, *clock_kind, *provider, *next_host, *updated_at;
static bool no_ticketing;

#define W(field) &defaults.field

static const struct option table[] = {
	{"provider", "intercom|front", CHOICE, &provider, 0, 0, "whose API is spoken"},
	{"seed", "N", BIG, W(seed), 0, 0, "the world is a function of this and of the sizes"},
	{"contacts", "N", NUMBER, W(contacts), 1, 4000000, "people"},
	{"companies", "N", NUMBER, W(companies), 0, 4000000,
	 "companies, of which some have nobody in them"},
	{"conversations", "N", NUMBER, W(conversations), 0, 50000000, "conversations"},
	{"admins", "N", NUMBER, W(admins), 1, 5000, "teammates"},
	{"teams", "N", NUMBER, W(teams), 1, 1000, "teams"},
	{"tags", "N", NUMBER, W(tags), 1, 5000, "tags"},
	{"segments", "N", NUMBER, W(segments), 1, 1000, "segments"},
	{"tickets", "N", NUMBER, W(tickets), 0, 1000000, "tickets"},
	{"long-tickets", "N", NUMBER, W(long_tickets), 0, 1000000,
	 "tickets of more than 500 parts, the first ones"},
	{"articles", "N", NUMBER, W(articles), 0, 1000000, "articles"},
	{"inboxes", "N", NUMBER, W(inboxes), 1, 60, "Front: inboxes, each with a channel"},
	{"links", "N", NUMBER, W(links), 0, 5000, "Front: links"},
	{"days", "D", NUMBER, W(days), 1, 5000, "history before now"},
	{"long-threads", "N", NUMBER, W(long_threads), 0, 1000000,
	 "threads of more than 500 parts (1 from 50 conversations on)"},
	{"deleted", "N", NUMBER, W(deleted), 0, 1000000, "deletions before the start"},
	{"now", "UNIX", NUMBER, W(now), 1, UINT32_MAX,
	 "the simulated time at the start (the real time)"},
	{"clock", "real|frozen", CHOICE, &clock_kind, 0, 0, "whether simulated time passes"},
	{"timezone", "NAME", TEXT, W(timezone), 0, 0, "of the workspace"},
	{"region", "CODE", TEXT, W(region), 0, 0, "of the workspace: US, EU, AU"},
	{"app-id", "ID", TEXT, W(app_id), 0, 0, "the workspace's id"},
	{"app-name", "NAME", TEXT, W(app_name), 0, 0, "what it is called"},
	{"token", "T", TEXT, &settings.token, 0, 0, "the access token that is let in"},
	{"rate", "N", NUMBER, &settings.rate, 0, 6000000,
	 "calls a minute; 0 any number (10000, enforced in windows of 10 s; Front: 100)"},
	{"search-rate", "N", NUMBER, &settings.search_rate, 0, 6000000,
	 "searches a minute, beside that; the refusal names their tier; 0 any number"},
	{"latency-ms", "N", NUMBER, &settings.latency_ms, 0, 600000, "before every answer"},
	{"grace-ms", "N", NUMBER, &settings.grace_ms, 0, 60000,
	 "how long after an answer a client may not know it yet"},
	{"max-connections", "N", NUMBER, &settings.connections, 1, 100000, "more at once are a breach"},
	{"search-lag", "S", NUMBER, &settings.search_lag_s, 0, 86400,
	 "seconds until a change can be found by search"},
	{"write-lag", "S", NUMBER, &settings.write_lag_s, 0, 86400,
	 "writes are answered 202 and come into effect this many seconds later; 0 at once"},
	{"read-only", NULL, YES, &settings.read_only, 0, 0, "the token may only read"},
	{"scroll-page", "N", NUMBER, &settings.scroll_page, 1, 1000,
	 "companies in one answer of the scroll"},
	{"parts-total", "served|all", CHOICE, &parts_total, 0, 0,
	 "what total_count of a thread of more than 500 parts counts"},
	{"inclusive-bounds", NULL, YES, &settings.inclusive, 0, 0,
	 "conversation searches: > and < include the value"},
	{"inexact-totals", NULL, YES, &settings.inexact_totals, 0, 0,
	 "total_count and total_pages of listings by cursor are only about right"},
	{"totals", "right|high|low|zero|negative|absent|null|text|fraction", CHOICE, &totals, 0, 0,
	 "what total_count and total_pages of all lists and searches are"},
	{"mixed-times", NULL, YES, &settings.mixed_times, 0, 0,
	 "created_at and updated_at of some contacts are milliseconds, of some text"},
	{"unstable-ties", NULL, YES, &settings.unstable_ties, 0, 0,
	 "articles of one second: between two pages one is shown twice and one is missed"},
	{"redact-silent", NULL, YES, &settings.redact_silent, 0, 0,
	 "a redaction leaves updated_at alone"},
	{"next-host", "company|same|foreign", CHOICE, &next_host, 0, 0,
	 "Front: which host the next page is said to be on"},
	{"short-pages", "N", NUMBER, &settings.short_pages, 0, 900,
	 "Front: of 1000 pages, how many end too early or are empty"},
	{"others", "N", NUMBER, &settings.others, 0, 6000000,
	 "calls a minute that other programs of the company make"},
	{"event-days", "N", NUMBER, &settings.event_days, 0, 5000,
	 "Front: how far back the feed of events goes; 0 to the start"},
	{"updated-at", "changes|messages|absent", CHOICE, &updated_at, 0, 0,
	 "Front: what moves updated_at of conversations"},
	{"no-ticketing", NULL, YES, &no_ticketing, 0, 0, "Front: no ticket ids and statuses"},
	{"no-location", NULL, YES, &settings.merged_without_location, 0, 0,
	 "Front: a 301 does not say where to"},
	{"no-gzip", NULL, NO, &settings.gzip, 0, 0, "never compress"},
	{"port", "P", NUMBER, &settings.port, 0, 65535, "on 127.0.0.1; 0 any free one"},
	{"port-file", "FILE", TEXT, &settings.port_file, 0, 0,
	 "where to write the port once listening"},
	{"pid-file", "FILE", TEXT, &settings.pid_file, 0, 0, "where to write the process id"},
	{"max-seconds", "N", NUMBER, &settings.max_seconds, 0, 10000000,
	 "end after this long; 0 never"},
	{"exit-with-parent", NULL, YES, &settings.exit_with_parent, 0, 0,
	 "end when the process that started it does"},
	{"version", NULL, YES, NULL, 0, 0, "print the version"},
	{"help", NULL, YES, NULL, 0, 0, "print this"},
};

#define OPTIONS (sizeof(table) / sizeof(table[0]))

static void print_default(const struct option *o)
{
	if (!o->value)
		return;
	if (o->type == NUMBER && *(uint32_t *)o->value != UINT32_MAX && *(uint32_t *)o->value)
		printf(" [%u]", *(uint32_t *)o->value);
	else if (o->type == BIG)
		printf(" [%llu]", (unsigned long long)*(uint64_t *)o->value);
	else if (o->type == TEXT && *(const char **)o->value)
		printf(" [%s]", *(const char **)o->value);
	else if (o->type == CHOICE)
		printf(" [the first]");
}

static void help(void)
{
	puts("apisim: a workspace and its REST API on 127.0.0.1, for tests\n\n"
	     "usage: apisim [options]\n");
	for (size_t i = 0; i < OPTIONS; i++) {
		char name[48];

		snprintf(name, sizeof(name), "--%s%s%s", table[i].name,
			 table[i].argument ? " " : "", table[i].argument ? table[i].argument : "");
		printf("  %-26s %s", name, table[i].help);
		print_default(&table[i]);
		putchar('\n');
	}
	puts("\nControls: GET /_sim/truth/RESOURCE, GET /_sim/stats, POST /_sim/stats/reset,\n"
	     "POST /_sim/client/restarted, GET|POST /_sim/clock, POST /_sim/mutate, POST /_sim/edit,\n"
	     "GET|POST|DELETE /_sim/faults, GET /_sim/writes");
}

static bool read_number(const struct option *o, const char *text)
{
	char *end;
	unsigned long long v = strtoull(text, &end, 10);

	if (*text < '0' || *text > '9' || *end)
		return false;
	if (o->type == BIG) {
		*(uint64_t *)o->value = v;
		return true;
	}
	if (v < o->min || v > o->max)
		return false;
	*(uint32_t *)o->value = (uint32_t)v;
	return true;
}

/* One of the words between bars in the argument's description. */
static bool read_choice(const struct option *o, const char *text)
{
	const char *at = strstr(o->argument, text);
	size_t n = strlen(text);

	if (!n || !at || (at != o->argument && at[-1] != '|') || (at[n] && at[n] != '|'))
		return false;
	*(const char **)o->value = text;
	return true;
}

static bool read_value(const struct option *o, const char *text)
{
	switch (o->type) {
	case TEXT: *(const char **)o->value = text; return *text != '\0';
	case NUMBER:
	case BIG: return read_number(o, text);
	case CHOICE: return read_choice(o, text);
	default: return false;
	}
}

static const struct option *find(const char *word, const char **value)
{
	const char *name = word + 2, *equals = strchr(word, '=');
	size_t n = equals ? (size_t)(equals - name) : strlen(name);

	*value = equals ? equals + 1 : NULL;
	for (size_t i = 0; i < OPTIONS && !strncmp(word, "--", 2); i++)
		if (strlen(table[i].name) == n && !strncmp(table[i].name, name, n))
			return &table[i];
	return NULL;
}

/* Where the machine has no time zone files, a few zones by their rules. */
static const char *zone_rule(const char *name)
{
	static const struct {
		const char *name, *rule;
	} zones[] = {
		{"UTC", "UTC0"},
		{"America/Los_Angeles", "PST8PDT,M3.2.0,M11.1.0"},
		{"America/New_York", "EST5EDT,M3.2.0,M11.1.0"},
		{"Europe/London", "GMT0BST,M3.5.0/1,M10.5.0"},
		{"Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3"},
		{"Asia/Tokyo", "JST-9"},
		{"Australia/Sydney", "AEST-10AEDT,M10.1.0,M4.1.0/3"},
	};

	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
		if (!strcmp(zones[i].name, name))
			return zones[i].rule;
	return NULL;
}

/* What TZ is set to, or NULL: there is no such zone. */
static const char *zone_setting(const char *name)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
	f = strstr(name, "..") ? NULL : fopen(path, "rb");
	if (!f)
		return zone_rule(name);
	fclose(f);
	return name;
}

static enum options_verdict wrong(const char *what, const char *word)
{
	fprintf(stderr, "apisim: %s: %s (see --help)\n", what, word);
	return OPTIONS_WRONG;
}

static bool chosen(const char *choice, const char *word)
{
	return choice && !strcmp(choice, word);
}

static void finish_front(void)
{
	api = chosen(provider, "front") ? &api_front : &api_intercom;
	settings.ticketing = !no_ticketing;
	settings.next_same = chosen(next_host, "same");
	settings.next_foreign = chosen(next_host, "foreign");
	settings.updated_by_messages = chosen(updated_at, "messages");
	settings.no_updated_at = chosen(updated_at, "absent");
	if (settings.rate == UINT32_MAX)
		settings.rate = api->rate;
	if (api == &api_front && !strcmp(defaults.app_id, "simapp01"))
		defaults.app_id = "cmp_k30";
}

static enum options_verdict finish(void)
{
	settings.frozen = chosen(clock_kind, "frozen");
	settings.parts_total = chosen(parts_total, "all");
	while (totals && !chosen(totals, totals_word(settings.totals)))
		settings.totals++;
	finish_front();
	settings.zone = zone_setting(defaults.timezone);
	if (!settings.zone)
		return wrong("unknown time zone", defaults.timezone);
	*opt = defaults;
	return OPTIONS_RUN;
}

enum options_verdict options_read(int argc, char **argv, struct world_options *out)
{
	opt = out;
	world_defaults(&defaults);
	for (int i = 1; i < argc; i++) {
		const char *value;
		const struct option *o = find(argv[i], &value);

		if (!o)
			return wrong("unknown option", argv[i]);
		if (!strcmp(o->name, "help")) {
			help();
			return OPTIONS_DONE;
		}
		if (!strcmp(o->name, "version")) {
			puts("apisim " VERSION);
			return OPTIONS_DONE;
		}
		if (o->type == YES || o->type == NO) {
			*(bool *)o->value = o->type == YES;
			continue;
		}
		if (!value && i + 1 < argc)
			value = argv[++i];
		if (!value || !read_value(o, value))
			return wrong("a wrong value for", o->name);
	}
	return finish();
}
