/* main: the command line of ficd. */
#include "check.h"
#include "daemon.h"
#include "heap.h"

#include <base/suggest.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum action { RUN, CHECK_CONFIG, PRINT_CONFIG, ONCE, CHECK_STORE, VERSION, HELP };

static const struct option {
	const char *name;
	enum action action;
	const char *help;
} options[] = {
	{"--check-config", CHECK_CONFIG,
	 "read the configuration, say everything that is wrong with it, and exit"},
	{"--print-config", PRINT_CONFIG,
	 "print the configuration in force, defaults included, and exit"},
	{"--once", ONCE, "do what is due, then exit (for cron)"},
	{"--check-store", CHECK_STORE,
	 "check everything on disk, exit 1 on damage; the daemon must not be running"},
	{"--version", VERSION, "print the version and exit"},
	{"--help", HELP, "print this and exit"},
};

#define OPTIONS (sizeof options / sizeof *options)

static void print_help(void)
{
	printf("Usage: ficd [--config FILE] [OPTION]\n\n"
	       "Keeps a local copy of helpdesk data in step with its provider and answers questions about it on a\n"
	       "UNIX socket. Always in the foreground. Ask it with ficq(1).\n\n"
	       "  %-16s  %s\n",
	       "--config FILE", "read this configuration instead of the default one");
	for (size_t i = 0; i < OPTIONS; i++)
		printf("  %-16s  %s\n", options[i].name, options[i].help);
	printf("\nExit status: 0 ended well, 1 damage found, 64 usage, 71 system, 74 disk, 75 already running, 77 not "
	       "permitted, 78 configuration.\nSee ficd(8), ficd.conf(5).\n");
}

static int usage(const char *word)
{
	const char *names[OPTIONS + 2] = {"--config"};

	for (size_t i = 0; i < OPTIONS; i++)
		names[i + 1] = options[i].name;
	const char *near = suggest(bytes_str(word), names);
	fprintf(stderr, "ficd: unknown option '%.60s'%s%s%s; see 'ficd --help'\n", word,
		near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	return EX_USAGE;
}

/* 0, or the exit code. */
static int read_arguments(int argc, char **argv, const char **config_out, enum action *action_out)
{
	*action_out = RUN;
	for (int i = 1; i < argc; i++) {
		size_t o = 0;
		if (strcmp(argv[i], "--config") == 0 || strcmp(argv[i], "-c") == 0) {
			if (++i == argc) {
				fprintf(stderr, "ficd: --config needs the path of a file\n");
				return EX_USAGE;
			}
			*config_out = argv[i];
			continue;
		}
		if (strncmp(argv[i], "--config=", 9) == 0) {
			*config_out = argv[i] + 9;
			continue;
		}
		while (o < OPTIONS && strcmp(argv[i], options[o].name) != 0)
			o++;
		if (o == OPTIONS)
			return usage(argv[i]);
		*action_out = options[o].action;
	}
	return 0;
}

static struct config *load(const char *path)
{
	struct config_errors errors;
	struct config *config = NULL;
	struct buf text = {0};

	config_errors_init(&errors);
	int rc = config_load(path, &config, &errors);
	config_errors_write(&errors, &text);
	if (text.len)
		fputs(buf_text(&text), stderr);
	buf_release(&text);
	config_errors_release(&errors);
	return rc ? NULL : config;
}

static int print_config(struct config *config)
{
	struct buf text = {0};

	config_print(config, &text);
	fwrite(text.data, 1, text.len, stdout);
	buf_release(&text);
	config_free(config);
	return fflush(stdout) ? EX_IOERR : 0;
}

static int run(struct config *config, const char *path, bool once)
{
	static struct daemon daemon;
	struct why why = {""};

	log_setup(config->log_level, getenv("JOURNAL_STREAM") != NULL);
	int code = daemon_open(&daemon, config, path, once, &why);
	if (code)
		fprintf(stderr, "ficd: %s\n", why.text);
	else
		code = daemon_run(&daemon);
	daemon_close(&daemon);
	return code;
}

/* A socket or a store's file that became descriptor 2 would get the log. */
static void open_standard(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			_exit(EX_OSERR);
}

int main(int argc, char **argv)
{
	static struct config_paths paths;
	struct why why = {""};
	const char *path = NULL;
	enum action action;

	heap_setup();
	open_standard();
	int code = read_arguments(argc, argv, &path, &action);

	if (code)
		return code;
	if (action == HELP) {
		print_help();
		return 0;
	}
	if (action == VERSION) {
		printf("ficd %s\n", FIC_VERSION);
		return 0;
	}
	config_default_paths(&paths, &why);
	if (!path)
		path = paths.config;
	if (!*path) {
		fprintf(stderr, "ficd: %s; give --config FILE\n", why.text);
		return EX_CONFIG;
	}
	struct config *config = load(path);
	if (!config)
		return EX_CONFIG;
	switch (action) {
	case CHECK_CONFIG:
		fprintf(stderr, "%s: no errors\n", path);
		config_free(config);
		return 0;
	case PRINT_CONFIG: return print_config(config);
	case CHECK_STORE: return check_store(config);
	default: return run(config, path, action == ONCE);
	}
}
