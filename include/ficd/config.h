/*
 * config: what ficd.conf says, checked and complete.
 *
 * A file is read as a whole: either everything in it is right and a struct config comes out with every default filled in, or all that is wrong is
 * reported at once, each with its line, and nothing comes out. A token is never in the file and never in here: only where it can be found.
 * The options themselves (names, types, limits, defaults, help) stand in one table, src/ficd/config_table.c.
 */
#ifndef FIC_FICD_CONFIG_H
#define FIC_FICD_CONFIG_H

#include <base/arena.h>
#include <base/clock.h>
#include <base/err.h>
#include <base/log.h>
#include <model/alert.h>
#include <model/schedule.h>
#include <model/week.h>

#include <sys/types.h>

#define CONFIG_BYTES_MAX     (256 * 1024) /* of a configuration file */
#define CONFIG_SOURCES_MAX   16
#define CONFIG_RESOURCES_MAX 24 /* of one source */
#define CONFIG_ALERTS_MAX    16
#define CONFIG_ADDRESSES_MAX 8 /* of one alert */
#define CONFIG_NAME_MAX \
	32 /* bytes of a source's name: [a-z0-9][a-z0-9_-]* (it is a folder's name as well) */
#define CONFIG_TOKEN_MAX 4096
#define CONFIG_PATH_MAX  4096

/* Who may: any, none, or a list of users and groups, resolved to numbers when the file was read. */
struct access_rule {
	bool group;
	unsigned id;
	const char *text; /* as configured: "group:ficd" */
};

struct access {
	bool any;
	struct access_rule *rules;
	size_t count;
};

/* Where a token can be found. */
struct config_token {
	bool credential;  /* a name in $CREDENTIALS_DIRECTORY, else an absolute path */
	const char *name; /* NULL: not configured (not possible in a loaded configuration) */
};

enum config_on_stale {
	CONFIG_ON_STALE_SERVE,
	CONFIG_ON_STALE_WAIT,
	CONFIG_ON_STALE_ERROR,
	CONFIG_ON_STALE_LIVE
};
enum config_verify_depth { CONFIG_VERIFY_THREADS, CONFIG_VERIFY_COUNTS };
enum config_choice { CONFIG_NO, CONFIG_YES };

struct config_resource {
	const char *name; /* "conversations" */
	const char *follows; /* the resource that this one is read with: its schedule counts; NULL: none */
	bool enabled;        /* `resources` of the source names it */
	int64_t every_ms; /* changes run, or reading of the whole list where there are no changes */
	struct schedule full; /* everything again */
	int64_t verify_ms;    /* the history is verified within this time; 0: never */
	enum config_verify_depth verify_depth;
	int64_t tolerance_ms; /* a missing tail as long as this is no gap */
	unsigned priority;    /* 1 goes first */
	int64_t retain_ms;    /* how long it is kept; 0: for ever */
	int64_t history_ms; /* how far back it is wanted: the source's, but not beyond what is kept */
	uint64_t given;     /* private: which options the file sets */
	unsigned line;      /* private: of the section, 0: none */
};

#define CONFIG_ROUTES_MAX  8
#define CONFIG_EXCLUDE_MAX 64 /* of one source */

/* What calls of some classes may take. */
struct config_routes {
	struct {
		char name[24];    /* of the provider's class: "search" */
		unsigned percent; /* 1..100 */
	} items[CONFIG_ROUTES_MAX];
	size_t count;
};

struct config_source {
	const char *name;
	const char *provider; /* "intercom" */
	const char *region;   /* "us", "eu", "au" */
	const char *base_url; /* without a slash at its end; NULL: the provider's own address for the region */
	struct config_token token;
	struct config_token webhook_secret; /* without a name: webhooks are not taken */
	const char *version;                /* of the provider's API: "2.16" */
	int64_t history_ms;
	int64_t retain_ms;
	int64_t max_staleness_ms;
	int64_t tolerance_ms;
	enum config_on_stale on_stale;
	unsigned budget;                       /* percent, 1..100 */
	struct config_routes route_budget;     /* less for some classes of calls */
	unsigned concurrency;                  /* calls at the same time, 1..8 */
	int64_t retry_ms;                      /* the first pause after a passing failure */
	int64_t stall_ms;                      /* how long an answer may stand still */
	const char *timezone;                  /* of schedules: a name that zone_load took */
	struct week sync_window;               /* when the past is read */
	enum config_choice sync_window_strict; /* changes too */
	const char *exclude; /* "RESOURCE.doc.PATH, …": what is never stored; NULL: nothing */
	unsigned wanted;     /* private: bits of the resource table */
	struct config_resource resources[CONFIG_RESOURCES_MAX]; /* all that the provider has, enabled or not */
	size_t resource_count;
	struct config_resource other; /* private: what config_resource answers for a name it does not know */
	uint64_t given;
	unsigned line;
};

/* Who is told when. At least one of slack, email and command is set. */
struct config_alert {
	const char *name;
	struct alert_conditions when;
	const char *sources;       /* names divided by commas; NULL: all */
	int64_t repeat_ms;         /* it is said again after so long; 0: once */
	struct config_token slack; /* where the address of a webhook is; without a name: none */
	const char *email;         /* addresses divided by commas; NULL: none */
	const char *from;          /* whom mail is from; NULL: ficd at this host */
	const char *smtp;          /* smtp:// or smtps:// URL of the mail server; NULL: none */
	const char *smtp_user;     /* NULL: no authentication */
	struct config_token smtp_password;
	const char *command; /* absolute path of a program; NULL: none */
	uint64_t given;
	unsigned line;
};

struct config {
	const char *state_dir;
	const char *socket;
	struct access allow_read;
	struct access allow_write;
	const char *http; /* a loopback address, or the path of a UNIX socket; NULL: off */
	struct config_token http_token; /* without a name: nobody may write over HTTP */
	int64_t memory_bytes;
	int64_t disk_reserve_bytes;
	const char *access_log; /* NULL: off */
	int64_t access_log_bytes;
	enum log_level log_level;
	int64_t send_timeout_ms; /* who takes nothing of his answers for so long is cut off; 0: never */
	int64_t shutdown_timeout_ms;
	struct config_source sources[CONFIG_SOURCES_MAX]; /* in the file's order, at least one */
	size_t source_count;
	struct config_alert alerts[CONFIG_ALERTS_MAX];
	size_t alert_count;
	uint64_t given;
	unsigned line;
	struct arena memory; /* owns every text in here */
};

/* What is wrong with a file (or, as a warning, unwise), in the order of its lines. */
struct config_error {
	unsigned line; /* 0: of the file as a whole */
	bool warning;
	const char *text;
};

struct config_errors {
	char path[256]; /* as given, cut when too long */
	struct config_error *items;
	size_t count;
	size_t cap;
	size_t fatal; /* those that are not warnings */
	struct arena memory;
};

void config_errors_init(struct config_errors *e);
void config_errors_release(struct config_errors *e);
/* One line each: "PATH:LINE: error: TEXT" or "…: warning: …". */
void config_errors_write(const struct config_errors *e, struct buf *out);

/* Reads and checks a file. 0 and a configuration (config_free ends it); there may be warnings. ERR_INVALID: `errors` says what is wrong. ERR_NOTFOUND, ERR_DENIED,
 * ERR_IO, ERR_LIMIT, ERR_NOMEM: the file could not be read, `errors` says why. `errors` must be initialized and empty. Reads no secret and, but for user
 * and group names, asks nothing of the system. */
int config_load(const char *path, struct config **out, struct config_errors *errors);
/* The same for text that is at hand; `path` only for the messages. */
int config_parse(const char *path, struct bytes text, struct config **out,
		 struct config_errors *errors);
void config_free(struct config *c);

/* The whole configuration in force as a file that config_load takes, with "; default" behind what the file did not set. */
void config_print(const struct config *c, struct buf *out);

/* Appends the options that differ and take effect only at a restart, as "[ficd] memory, [source acme] region"; nothing: a reload does it all. A source that only one of
 * the two has is not in the list. */
void config_restart_needed(const struct config *old, const struct config *now, struct buf *out);

/* Takes over into `c` what takes effect without a restart; the alerts as a whole. ERR_INVALID: not the same sources (`why` names one), nothing was changed; ERR_NOMEM: some of it was. */
int config_apply(struct config *c, const struct config *now, struct why *why);

/* Is the alert about this source? */
bool config_alert_about(const struct config_alert *a, const char *source);

/* NULL: no such source. */
const struct config_source *config_source(const struct config *c, struct bytes name);
/* Never NULL: a name that the configuration does not know gets plain defaults and is not enabled. */
const struct config_resource *config_resource(const struct config_source *s, const char *name);

/*
 * Reads a secret (t->name is not NULL) into `secret` (reset first; nothing in it on an error): from the file, or from $CREDENTIALS_DIRECTORY/NAME or …/ficd_NAME. One newline at the end is left out.
 * 0: it is there; a text in `why` is then a warning (others can read the file), "" is none. ERR_NOTFOUND, ERR_DENIED, ERR_IO, ERR_INVALID (empty, longer than
 * CONFIG_TOKEN_MAX, or not printable), ERR_NOMEM: `why` says what to do. `why` is not optional. End the buffer with config_token_forget.
 */
int config_token_read(const struct config_token *t, struct buf *secret, struct why *why);
/* Releases the buffer, and leaves nothing of the secret in memory. */
void config_token_forget(struct buf *secret);

/* An address that may be asked with a secret: https://, or http:// to this host. 0, or ERR_INVALID; the words do not repeat it. */
int config_url_check(const char *text, struct why *why);

/* Where things are when nobody says otherwise. */
struct config_paths {
	char config[CONFIG_PATH_MAX];
	char state_dir[CONFIG_PATH_MAX];
	char socket[CONFIG_PATH_MAX];
};

/* Under systemd its $CONFIGURATION_DIRECTORY, $STATE_DIRECTORY and $RUNTIME_DIRECTORY; else for root /etc/ficd/ficd.conf, /var/lib/ficd and
 * /run/ficd/ficd.sock, for others the folders of the XDG base directory specification. Decided one by one. ERR_INVALID: neither HOME nor the XDG variable is set, or a path is
 * too long; what could not be had is "" then, the others are filled in. */
int config_default_paths(struct config_paths *out, struct why *why);

/* Is this peer of the socket allowed? Root and the daemon's own user always are. A group's rule is met by the peer's group or by membership, which asks the user
 * database: ask once for a connection, not for each request. */
bool access_allowed(const struct access *a, uid_t uid, gid_t gid);

#endif
