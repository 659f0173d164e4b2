/* The API simulator: starts, serves, ends when it is told to and never by
 * itself. */
#include "api.h"
#include "clock.h"
#include "foreign.h"
#include "http.h"
#include "ledger.h"
#include "options.h"
#include "written.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

/* Whole or not at all, since others wait for the file to appear. */
static bool write_number(const char *path, long number)
{
	char temporary[4096];
	FILE *f;

	if (!path)
		return true;
	snprintf(temporary, sizeof(temporary), "%s.%ld", path, (long)getpid());
	f = fopen(temporary, "w");
	if (!f) {
		perror(temporary);
		return false;
	}
	fprintf(f, "%ld\n", number);
	if (fclose(f) != 0 || rename(temporary, path) != 0) {
		perror(path);
		return false;
	}
	return true;
}

static int signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void follow_parent(void)
{
	if (!settings.exit_with_parent)
		return;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() == 1)
		raise(SIGTERM); /* it went before we could ask */
}

int main(int argc, char **argv)
{
	struct world_options opt;
	int stop_fd;

	switch (options_read(argc, argv, &opt)) {
	case OPTIONS_DONE: return 0;
	case OPTIONS_WRONG: return 2;
	case OPTIONS_RUN: break;
	}
	stop_fd = signals();
	follow_parent();
	setenv("TZ", settings.zone, 1); /* all else counts in UTC */
	tzset();
	clock_init(opt.now, settings.frozen);
	opt.now = (uint32_t)clock_now();
	api->init(&opt);
	if (api == &api_front && !foreign_start()) {
		fprintf(stderr, "apisim: cannot listen on a second port of 127.0.0.1\n");
		return 1;
	}
	if (!http_start(settings.port)) {
		fprintf(stderr, "apisim: cannot listen on 127.0.0.1:%u\n", settings.port);
		return 1;
	}
	if (!write_number(settings.pid_file, getpid()) ||
	    !write_number(settings.port_file, (long)http_port()))
		return 1;
	printf("apisim: listening on http://127.0.0.1:%u\n", http_port());
	fflush(stdout);
	http_serve(stop_fd,
		   settings.max_seconds ? clock_mono_ms() + (int64_t)settings.max_seconds * 1000 : 0);
	http_stop();
	foreign_stop();
	ledger_release();
	api->release();
	writes_release();
	written_release();
	close(stop_fd);
	return 0;
}
