/* log: formats a line and writes it with one write(2). Never allocates, never blocks on anything but standard error. */
#include <base/log.h>

#include <base/clock.h>
#include <base/err.h>

#include <stdio.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024

static enum log_level threshold = LOG_LEVEL_INFO;
static bool to_journal;

static const struct level {
	const char *name;
	int priority; /* of syslog, as sd-daemon(3) prefixes want it */
} levels[] = {{"error", 3}, {"warn", 4}, {"info", 6}, {"debug", 7}};

void log_setup(enum log_level level, bool journal)
{
	threshold = level;
	to_journal = journal;
}

int log_level_parse(struct bytes text, enum log_level *level_out)
{
	for (unsigned i = 0; i < sizeof levels / sizeof *levels; i++)
		if (bytes_is(text, levels[i].name)) {
			*level_out = (enum log_level)i;
			return 0;
		}
	return ERR_SYNTAX;
}

const char *log_level_name(enum log_level level)
{
	return levels[level].name;
}

static size_t line_start(char *line, size_t cap, enum log_level level, const char *area)
{
	char time[TIME_TEXT_MAX];
	int n;

	if (to_journal)
		n = snprintf(line, cap, "<%d>%s ", levels[level].priority, area);
	else
		n = snprintf(line, cap, "%s %-5s %s ", time_text(clock_wall_ms(), true, time),
			     levels[level].name, area);
	return (size_t)n < cap ? (size_t)n : cap - 1;
}

/* A newline or an escape sequence from outside must not forge a line or drive a terminal; U+0080 to U+009F are such too. */
static void line_clean(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p; p++)
		if (*p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)) {
			if (*p == 0xc2)
				p[1] = '?';
			*p = '?';
		}
}

static void line_write(enum log_level level, const char *area, const char *format, va_list args)
{
	char line[LINE_MAX_BYTES + 2];

	if (level > threshold)
		return;
	size_t n = line_start(line, LINE_MAX_BYTES, level, area);
	vsnprintf(line + n, LINE_MAX_BYTES - n, format, args);
	line_clean(line + n);
	n = strlen(line);
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) < 0)
		return; /* nobody is left to tell */
}

#define LOG_CALL(name, level)                                \
	void name(const char *area, const char *format, ...) \
	{                                                    \
		va_list args;                                \
		va_start(args, format);                      \
		line_write(level, area, format, args);       \
		va_end(args);                                \
	}

LOG_CALL(log_error, LOG_LEVEL_ERROR)
LOG_CALL(log_warn, LOG_LEVEL_WARN)
LOG_CALL(log_info, LOG_LEVEL_INFO)
LOG_CALL(log_debug, LOG_LEVEL_DEBUG)
