/* config_paths: where configuration, state and socket are by default. Looks at the environment and the user id only, never at the disk. */
#include <ficd/config.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef FIC_SYSCONFDIR
#define FIC_SYSCONFDIR "/etc"
#endif
#ifndef FIC_LOCALSTATEDIR
#define FIC_LOCALSTATEDIR "/var"
#endif
#ifndef FIC_RUNSTATEDIR
#define FIC_RUNSTATEDIR "/run"
#endif

/* One of the three: what systemd, the XDG specification and root call its folder. */
struct place {
	const char *unit; /* variable, a list with colons */
	const char *root;
	const char *xdg;     /* variable */
	const char *at_home; /* when that is not set; NULL: nowhere */
	const char *file;    /* in the folder */
};

static const struct place places[] = {
	{"CONFIGURATION_DIRECTORY", FIC_SYSCONFDIR "/ficd", "XDG_CONFIG_HOME", ".config", "/ficd.conf"},
	{"STATE_DIRECTORY", FIC_LOCALSTATEDIR "/lib/ficd", "XDG_STATE_HOME", ".local/state", ""},
	{"RUNTIME_DIRECTORY", FIC_RUNSTATEDIR "/ficd", "XDG_RUNTIME_DIR", NULL, "/ficd.sock"},
};

/* Paths that are not absolute are to be ignored, says the specification. */
static const char *absolute(const char *variable)
{
	const char *value = getenv(variable);

	return value && *value == '/' ? value : NULL;
}

static int find(const struct place *p, char out[CONFIG_PATH_MAX], struct why *why)
{
	const char *unit = absolute(p->unit), *xdg = absolute(p->xdg), *home = absolute("HOME");
	int n;

	if (unit)
		n = snprintf(out, CONFIG_PATH_MAX, "%.*s%s", (int)strcspn(unit, ":"), unit, p->file);
	else if (geteuid() == 0)
		n = snprintf(out, CONFIG_PATH_MAX, "%s%s", p->root, p->file);
	else if (xdg)
		n = snprintf(out, CONFIG_PATH_MAX, "%s/ficd%s", xdg, p->file);
	else if (home && p->at_home)
		n = snprintf(out, CONFIG_PATH_MAX, "%s/%s/ficd%s", home, p->at_home, p->file);
	else
		n = 0;
	if (n > 0 && n < CONFIG_PATH_MAX)
		return 0;
	*out = 0;
	if (n > 0)
		return why_set(why, ERR_INVALID, "%s is too long a path", unit ? p->unit : p->xdg);
	return why_set(why, ERR_INVALID, "%s%s is not set", p->xdg, p->at_home ? " or HOME" : "");
}

int config_default_paths(struct config_paths *out, struct why *why)
{
	int rc = find(&places[0], out->config, why);
	int state = find(&places[1], out->state_dir, rc ? NULL : why);
	int socket = find(&places[2], out->socket, rc || state ? NULL : why);

	return rc ? rc : state ? state : socket;
}
