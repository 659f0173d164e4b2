/*
 * term: what kind of terminal, if any, the output goes to. The rules of no-color.org and clig.dev; reads the environment once and
 * never writes.
 */
#include "term.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_DEFAULT  80
#define HEIGHT_DEFAULT 24
#define WIDTH_MIN      20
#define WIDTH_MAX      1000

static bool set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

static bool forced(const char *name)
{
	const char *value = getenv(name);

	return value && *value && strcmp(value, "0") != 0;
}

static bool use_color(const char *when, bool tty)
{
	const char *term = getenv("TERM");

	if (when && strcmp(when, "auto") != 0)
		return strcmp(when, "always") == 0;
	if (forced("FORCE_COLOR") || forced("CLICOLOR_FORCE"))
		return true;
	return tty && term && strcmp(term, "dumb") != 0 && !set("NO_COLOR");
}

/* The names of locales say it; setlocale would not know one that is not installed here. */
static bool speaks_utf8(void)
{
	const char *locale = set("LC_ALL")     ? getenv("LC_ALL")
			     : set("LC_CTYPE") ? getenv("LC_CTYPE")
					       : getenv("LANG");

	for (; locale && *locale; locale++)
		if (strncasecmp(locale, "utf-8", 5) == 0 || strncasecmp(locale, "utf8", 4) == 0)
			return true;
	return false;
}

static size_t bounded(long n, size_t otherwise)
{
	if (n < WIDTH_MIN)
		return n > 0 ? WIDTH_MIN : otherwise;
	return n > WIDTH_MAX ? WIDTH_MAX : (size_t)n;
}

void term_measure(struct term *t)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size = {0};

	t->width = bounded(columns ? strtol(columns, NULL, 10) : 0, WIDTH_DEFAULT);
	t->width_known = t->out_tty || (columns && *columns);
	t->height = HEIGHT_DEFAULT;
	if (!t->out_tty || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return;
	t->width = bounded(size.ws_col, t->width);
	if (size.ws_row > 0)
		t->height = size.ws_row;
}

void term_init(struct term *t, const char *color)
{
	*t = (struct term){
		.in_tty = isatty(STDIN_FILENO) == 1,
		.out_tty = isatty(STDOUT_FILENO) == 1,
		.err_tty = isatty(STDERR_FILENO) == 1,
		.utf8 = speaks_utf8(),
	};
	t->out_color = use_color(color, t->out_tty);
	t->err_color = use_color(color, t->err_tty);
	t->ascii_out = t->out_tty && !t->utf8;
	term_measure(t);
}

const char *style_on(bool color, enum style style)
{
	static const char *const on[] = {"",         "\033[1m",  "\033[2m", "\033[31m",
					 "\033[32m", "\033[33m", "\033[36m"};

	return color ? on[style] : "";
}

const char *style_off(bool color, enum style style)
{
	return color && style != STYLE_NONE ? "\033[0m" : "";
}
