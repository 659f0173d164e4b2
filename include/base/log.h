/*
 * log: one logfmt line an event, on standard error, with a journal priority prefix when the
 * journal reads it.
 *
 *   2026-11-20T09:51:35.120Z info sync run finished source=acme resource=contacts records=10000
 *
 * Messages never hold a token or a record's contents.
 */
#ifndef FIC_BASE_LOG_H
#define FIC_BASE_LOG_H

#include <base/bytes.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* `journal`: prefix "<N>" and no time, as systemd's journal wants. */
void log_setup(enum log_level level, bool journal);
int log_level_parse(struct bytes text,
		    enum log_level *level_out); /* error warn info debug; 0 or ERR_SYNTAX */
const char *log_level_name(enum log_level level);

/* `area` is a layer or module word; the format gives the message and key=value pairs. Control
 * characters in the result become question marks; a line over 1 KiB is cut. */
void log_error(const char *area, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_warn(const char *area, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_info(const char *area, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_debug(const char *area, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
