/* log: silence, unless SIM_LOG says up to which level to speak. Stands in for base/log.h. */
#include <base/err.h>
#include <base/log.h>

#include <stdio.h>
#include <stdlib.h>

static void say(enum log_level level, const char *area, const char *format, va_list args)
{
	const char *wanted = getenv("SIM_LOG");

	if (!wanted || (int)level > atoi(wanted))
		return;
	fprintf(stderr, "%s %s ", log_level_name(level), area);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

#define SPEAK(name, level)                                   \
	void name(const char *area, const char *format, ...) \
	{                                                    \
		va_list args;                                \
                                                             \
		va_start(args, format);                      \
		say(level, area, format, args);              \
		va_end(args);                                \
	}

SPEAK(log_error, LOG_LEVEL_ERROR)
SPEAK(log_warn, LOG_LEVEL_WARN)
SPEAK(log_info, LOG_LEVEL_INFO)
SPEAK(log_debug, LOG_LEVEL_DEBUG)

void log_setup(enum log_level level, bool journal)
{
	(void)level;
	(void)journal;
}

int log_level_parse(struct bytes text, enum log_level *level_out)
{
	(void)text;
	(void)level_out;
	return ERR_SYNTAX;
}

const char *log_level_name(enum log_level level)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};

	return names[level];
}
