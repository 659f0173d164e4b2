/* config_table: every option of ficd.conf. Parsing, checks, defaults, --print-config and, through a test, the manual page and
 * the example file come from these rows; nothing else knows an option's name. */
#include "config_table.h"

#define FICD(field)     SECTION_FICD, .offset = offsetof(struct config, field)
#define SOURCE(field)   SECTION_SOURCE, .offset = offsetof(struct config_source, field)
#define RESOURCE(field) SECTION_RESOURCE, .offset = offsetof(struct config_resource, field)
#define ALERT(field)    SECTION_ALERT, .offset = offsetof(struct config_alert, field)

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)
#define MIB       (INT64_C(1) << 20)

static const char *const levels[] = {"error", "warn", "info", "debug", NULL};
static const char *const providers[] = {"intercom", "front", NULL};
static const char *const regions[] = {"us", "eu", "au", NULL};
static const char *const versions[] = {"2.14", "2.15", "2.16", NULL};
static const char *const depths[] = {"threads", "counts", NULL};
static const char *const stale[] = {"serve", "wait", "error", "live", NULL};

static const char *const no_yes[] = {"no", "yes", NULL};

const char *const section_names[] = {"ficd", "source", "resource", "alert", NULL};

const struct option config_options[] = {
	{FICD(state_dir), .name = "state_dir", .type = OPTION_PATH,
	 .inherits = "/var/lib/ficd for root, else $XDG_STATE_HOME/ficd",
	 .help = "folder of the mirrored data, made with mode 0700"},
	{FICD(socket), .name = "socket", .type = OPTION_SOCKET,
	 .inherits = "/run/ficd/ficd.sock for root, else $XDG_RUNTIME_DIR/ficd/ficd.sock",
	 .help = "where ficq and other clients connect, made with mode 0660"},
	{FICD(allow_read), .name = "allow_read", .type = OPTION_ACCESS, .fallback = "any",
	 .reloadable = true,
	 .help = "who may ask: any (who can connect), none, or a list of user:NAME, group:NAME, uid:N, gid:N"},
	{FICD(allow_write), .name = "allow_write", .type = OPTION_ACCESS, .fallback = "group:ficd",
	 .reloadable = true,
	 .help = "who may also start syncs; root and the daemon's own user always may"},
	{FICD(http), .name = "http", .type = OPTION_LISTEN, .fallback = "off",
	 .help = "where the status page, metrics and webhooks are served: off, a loopback address such as 127.0.0.1:8889, or the path of a UNIX socket"},
	{FICD(http_token), .name = "http_token", .type = OPTION_TOKEN, .fallback = "",
	 .reloadable = true,
	 .help = "whoever shows the token that is there (Authorization: Bearer) may write over HTTP; empty: nobody"},
	{FICD(memory_bytes), .name = "memory", .type = OPTION_SIZE, .fallback = "16M",
	 .min = 4 * MIB, .max = 4096 * MIB, .help = "caches and buffers together"},
	{FICD(disk_reserve_bytes), .name = "disk_reserve", .type = OPTION_SIZE, .fallback = "16M",
	 .min = MIB, .max = 1024 * 1024 * MIB,
	 .help = "what stays free on the disk of state_dir: nothing new is stored below it, what is there is still served"},
	{FICD(log_level), .name = "log_level", .type = OPTION_WORD, .fallback = "info",
	 .words = levels, .reloadable = true, .help = "least weight of what is logged"},
	{FICD(access_log), .name = "access_log", .type = OPTION_FILE, .fallback = "off",
	 .reloadable = true,
	 .help = "a file that gets a line a request: who asked for what, never what was in it; off: none"},
	{FICD(access_log_bytes), .name = "access_log_size", .type = OPTION_SIZE, .fallback = "16M",
	 .min = MIB, .max = 1024 * MIB, .reloadable = true,
	 .help = "how large it gets before it becomes FILE.1, in place of an older one"},
	{FICD(send_timeout_ms), .name = "send_timeout", .type = OPTION_DURATION, .fallback = "5m",
	 .min = 100, .zero = true, .max = DAY_MS,
	 .help = "a client that takes nothing of its answers for so long is cut off; 0: never"},
	{FICD(shutdown_timeout_ms), .name = "shutdown_timeout", .type = OPTION_DURATION,
	 .fallback = "10s", .max = 10 * MINUTE_MS, .reloadable = true,
	 .help = "how long a stop waits for work under way"},

	{SOURCE(provider), .name = "provider", .type = OPTION_CHOICE, .words = providers,
	 .required = true, .help = "whose API is mirrored"},
	{SOURCE(region), .name = "region", .type = OPTION_CHOICE, .fallback = "us",
	 .words = regions, .help = "where the workspace is hosted (intercom only)"},
	{SOURCE(base_url), .name = "base_url", .type = OPTION_URL, .fallback = "",
	 .help = "another address of the API, for proxies and the simulator; empty: the provider's own"},
	{SOURCE(token), .name = "token", .type = OPTION_TOKEN, .required = true, .reloadable = true,
	 .help = "where the access token is: credential:NAME (systemd) or file:PATH, never the token itself"},
	{SOURCE(webhook_secret), .name = "webhook_secret", .type = OPTION_TOKEN, .fallback = "",
	 .reloadable = true,
	 .help = "where the secret is that the provider signs its webhooks with; they come to /webhooks/NAME of http; empty: none are taken"},
	{SOURCE(version), .name = "version", .type = OPTION_CHOICE, .fallback = "2.16",
	 .words = versions, .help = "Intercom-Version of every call (intercom only)"},
	{SOURCE(history_ms), .name = "history", .type = OPTION_DURATION, .fallback = "400d",
	 .min = DAY_MS, .max = 50 * 365 * DAY_MS, .reloadable = true,
	 .help = "how far back the cache shall reach"},
	{SOURCE(retain_ms), .name = "retain", .type = OPTION_DURATION, .fallback = "0",
	 .min = DAY_MS, .zero = true, .max = 50 * 365 * DAY_MS, .reloadable = true,
	 .help = "conversations and tickets without activity for so long are dropped with all of theirs, once a day; 0: never"},
	{SOURCE(max_staleness_ms), .name = "max_staleness", .type = OPTION_DURATION,
	 .fallback = "1h", .max = 365 * DAY_MS, .reloadable = true,
	 .help = "age of the data that a question accepts unless it says otherwise"},
	{SOURCE(tolerance_ms), .name = "tolerance", .type = OPTION_DURATION, .fallback = "5m",
	 .max = 30 * DAY_MS, .reloadable = true,
	 .help = "a missing tail as long as this is no gap: the answer is still fresh"},
	{SOURCE(on_stale), .name = "on_stale", .type = OPTION_WORD, .fallback = "serve",
	 .words = stale, .reloadable = true,
	 .help = "what a question gets that asks for newer data than there is: serve answers now and refreshes behind, wait fills what is missing first, live asks the provider for just this where it can be asked, error refuses"},
	{SOURCE(budget), .name = "budget", .type = OPTION_PERCENT, .fallback = "80%", .min = 1,
	 .max = 100, .reloadable = true,
	 .help = "share of the provider's rate limit; the rest is left to others"},
	{SOURCE(route_budget), .name = "route_budget", .type = OPTION_ROUTES, .fallback = "",
	 .help = "less for one kind of calls: a list such as search 40%, of the limit that the provider has for them, else of its whole rate; known are, at Intercom, search and scroll"},
	{SOURCE(concurrency), .name = "concurrency", .type = OPTION_NUMBER, .fallback = "4",
	 .min = 1, .max = 8, .help = "calls to the provider at the same time"},
	{SOURCE(retry_ms), .name = "retry", .type = OPTION_DURATION, .fallback = "1s", .min = 10,
	 .max = 10 * MINUTE_MS,
	 .help = "the first pause after a passing failure; it doubles with each of five attempts"},
	{SOURCE(stall_ms), .name = "stall_timeout", .type = OPTION_DURATION, .fallback = "30s",
	 .min = 100, .max = 10 * MINUTE_MS,
	 .help = "an answer that stands still for so long is given up; one that moves may take as long as it takes"},
	{SOURCE(wanted), .name = "resources", .type = OPTION_RESOURCES, .fallback = "all",
	 .help = "what is mirrored: all, or a list; conversations bring their messages, tickets their parts"},
	{SOURCE(exclude), .name = "exclude", .type = OPTION_EXCLUDE, .fallback = "", .reloadable = true,
	 .help = "members of the provider's objects that are never stored, a list such as contacts.doc.phone, conversations.doc.custom_attributes.ssn; what is stored of them already goes from the disk"},
	{SOURCE(timezone), .name = "timezone", .type = OPTION_ZONE, .fallback = "UTC",
	 .help = "whose clocks schedules go by: UTC, local (this machine's), or a name such as Europe/Berlin"},
	{SOURCE(sync_window), .name = "sync_window", .type = OPTION_WEEK, .fallback = "any",
	 .help = "when the past is read (backfill, full): any, or a list such as Mon-Fri 22:00-06:00, Sat, hourly 00-15"},
	{SOURCE(sync_window_strict), .name = "sync_window_strict", .type = OPTION_WORD,
	 .fallback = "no", .words = no_yes,
	 .help = "whether changes, too, are read in the sync_window alone: no or yes"},

	{RESOURCE(every_ms), .name = "every", .type = OPTION_DURATION, .min = 10 * SECOND_MS,
	 .max = 30 * DAY_MS, .inherits = "the resource's default", .reloadable = true,
	 .help = "how often changes are read"},
	{RESOURCE(full), .name = "full", .type = OPTION_SCHEDULE,
	 .inherits = "the resource's default", .reloadable = true,
	 .help = "when everything is read again: off, hourly, daily HH:MM, weekly DAY HH:MM, cron \"m h d m w\""},
	{RESOURCE(verify_ms), .name = "verify", .type = OPTION_DURATION, .fallback = "30d",
	 .max = 365 * DAY_MS, .verifies = true, .reloadable = true,
	 .help = "conversations, tickets: within this time all of the history is read again piece by piece, for what nothing else tells of; 0: never"},
	{RESOURCE(verify_depth), .name = "verify_depth", .type = OPTION_WORD, .fallback = "threads",
	 .words = depths, .verifies = true, .reloadable = true,
	 .help = "threads reads every thread again, counts only those whose listing differs from what is held"},
	{RESOURCE(tolerance_ms), .name = "tolerance", .type = OPTION_DURATION, .max = 30 * DAY_MS,
	 .inherits = "the source's, but 45m where every is 30m", .reloadable = true,
	 .help = "as in the source's section; not shorter than every, or answers turn stale between two runs"},
	{RESOURCE(retain_ms), .name = "retain", .type = OPTION_DURATION, .min = DAY_MS,
	 .zero = true, .max = 50 * 365 * DAY_MS,
	 .inherits = "the source's, for conversations and tickets; others are kept whole",
	 .reloadable = true, .help = "as in the source's section; only for conversations and tickets"},
	{RESOURCE(priority), .name = "priority", .type = OPTION_NUMBER, .min = 1, .max = 9,
	 .inherits = "the resource's default", .reloadable = true,
	 .help = "what goes first when calls are scarce; 1 is first"},

	{ALERT(when), .name = "when", .type = OPTION_CONDITIONS, .required = true, .reloadable = true,
	 .help = "what is to be told: a list such as no_success > 2h, sync_failure_rate > 5%, quota > 80%, duration > 2x, dead_letters > 0"},
	{ALERT(sources), .name = "sources", .type = OPTION_TEXT, .fallback = "", .reloadable = true,
	 .help = "which sources it is about: a list; empty: all"},
	{ALERT(repeat_ms), .name = "repeat", .type = OPTION_DURATION, .fallback = "4h",
	 .min = MINUTE_MS, .zero = true, .max = 30 * DAY_MS, .reloadable = true,
	 .help = "what lasts is told again after so long; 0: once"},
	{ALERT(slack), .name = "slack", .type = OPTION_TOKEN, .fallback = "", .reloadable = true,
	 .help = "where the address of a Slack webhook is: credential:NAME or file:PATH"},
	{ALERT(email), .name = "email", .type = OPTION_ADDRESSES, .inherits = "nobody",
	 .reloadable = true, .help = "mail addresses; needs smtp"},
	{ALERT(from), .name = "from", .type = OPTION_ADDRESSES, .fallback = "", .reloadable = true,
	 .help = "whom the mail is from; empty: ficd at this host"},
	{ALERT(smtp), .name = "smtp", .type = OPTION_SMTP, .inherits = "none", .reloadable = true,
	 .help = "the mail server: HOST:PORT or smtp://HOST:PORT, encrypted by STARTTLS unless it is this host; smtps://HOST:PORT, encrypted from the start"},
	{ALERT(smtp_user), .name = "smtp_user", .type = OPTION_TEXT, .fallback = "",
	 .reloadable = true, .help = "who logs in there; empty: nobody"},
	{ALERT(smtp_password), .name = "smtp_password", .type = OPTION_TOKEN, .fallback = "",
	 .reloadable = true, .help = "where the password is: credential:NAME or file:PATH"},
	{ALERT(command), .name = "command", .type = OPTION_PATH, .fallback = "", .reloadable = true,
	 .help = "a program, without arguments, that gets what is to be told as JSON on standard input"},
};

const size_t config_option_count = sizeof config_options / sizeof *config_options;

/* Of all providers; each has those it has. Foundation first: names for the ids that the others carry. messages are read with their conversations, ticket parts with their tickets. */
const struct resource_default config_resources[] = {
	{"conversations", NULL, "2m", "off", NULL, 2, true, true},
	{"messages", "conversations", "2m", "off", NULL, 2, true, false},
	{"contacts", NULL, "2m", "daily 03:00", NULL, 3, false, false},
	{"companies", NULL, "30m", "off", "45m", 4, false, false},
	{"admins", NULL, "4m", "off", NULL, 1, false, false},
	{"teams", NULL, "4m", "off", NULL, 1, false, false},
	{"tags", NULL, "4m", "off", NULL, 1, false, false},
	{"segments", NULL, "4m", "off", NULL, 1, false, false},
	{"tickets", NULL, "2m", "off", NULL, 2, true, true},
	{"ticket_parts", "tickets", "2m", "off", NULL, 2, true, false},
	{"ticket_types", NULL, "30m", "off", "45m", 5, false, false},
	{"ticket_states", NULL, "30m", "off", "45m", 5, false, false},
	{"data_attributes", NULL, "30m", "off", "45m", 5, false, false},
	{"conversation_attributes", NULL, "30m", "off", "45m", 5, false, false},
	{"articles", NULL, "30m", "off", "45m", 6, false, false},
	{"collections", NULL, "30m", "off", "45m", 6, false, false},
	{"inboxes", NULL, "30m", "off", "45m", 1, false, false},
	{"channels", NULL, "30m", "off", "45m", 5, false, false},
	{"contact_lists", NULL, "30m", "off", "45m", 5, false, false},
	{"links", NULL, "30m", "off", "45m", 5, false, false},
};

const size_t config_resource_count = sizeof config_resources / sizeof *config_resources;

static const struct option_later later[] = {
	{SECTION_RESOURCE, "window", "1d"},
};

const struct option *option_find(enum section_kind section, const char *name)
{
	for (size_t i = 0; i < config_option_count; i++)
		if (config_options[i].section == section && strcmp(config_options[i].name, name) == 0)
			return &config_options[i];
	return NULL;
}

uint64_t option_bit(const struct option *o)
{
	return UINT64_C(1) << (o - config_options);
}

const struct option_later *option_later(enum section_kind section, const char *name)
{
	for (size_t i = 0; i < sizeof later / sizeof *later; i++)
		if (later[i].section == section && strcmp(later[i].name, name) == 0)
			return &later[i];
	return NULL;
}

int resource_index(struct bytes name)
{
	for (size_t i = 0; i < config_resource_count; i++)
		if (bytes_is(name, config_resources[i].name))
			return (int)i;
	return -1;
}
