/*
 * app: one run of ficq: its options, its terminal, its connection, and how commands ask, print and fail.
 *
 * A command's function returns an exit code; whoever finds an error reports it at once and returns its code.
 */
#ifndef FIC_FICQ_APP_H
#define FIC_FICQ_APP_H

#include "client.h"
#include "commands.h"
#include "output.h"
#include "params.h"
#include "report.h"
#include "rows.h"

struct app {
	struct options options;
	enum command command;
	struct report report;
	struct term term;
	struct output out;
	struct client client;
	bool connected;
	enum format format;
	struct zone *zone;
	struct show show;
	struct names names;
	struct table_look look;
	size_t width;       /* what is drawn or wrapped: that of the screen; SIZE_MAX: --wide */
	int64_t started_ms; /* clock_mono_ms */
	int64_t timeout_ms; /* 0: none; as given or the default */
	struct buf worth;   /* the freshness of the answer, until app_release tells it */
	uint64_t rows_most; /* that there is room for; 0: any number */
	bool lost;          /* the last call failed because there is no daemon */
	bool waits;         /* that is no error: it is waited for */
	struct buf remarks; /* likewise, a line each */
	struct buf closing; /* the last line on standard error; empty: none */
};

/* Options into everything above; 0 or an exit code. Opens nothing. */
int app_init(struct app *a);
/* Ends output and connection; returns `code`, or what the end of the output made of it. */
int app_release(struct app *a, int code);

/* The argument after the command, NULL when there are fewer. */
const char *app_arg(const struct app *a, size_t n);
const char *app_value(const struct app *a, enum option option); /* NULL: not given */
bool app_given(const struct app *a, enum option option);

/* Connects when not connected yet; asks; reports what fails. 0 and the result (borrowed until the next call), or an exit code. */
int app_connect(struct app *a);
/* Over another connection from here on. */
int app_reconnect(struct app *a);
int app_call(struct app *a, const char *method, struct bytes params, struct bytes *result_out);
/* The same with the caller's way of waiting. */
int app_call_with(struct app *a, const char *method, struct bytes params,
		  const struct client_wait *wait, struct bytes *result_out);
struct client_wait app_wait(const struct app *a);
int app_client_error(struct app *a, int err, const struct why *why);
int app_answer_error(struct app *a, const struct rpc_response *answer);

/* --source, --since, --until, --axis into parameters. 0 or an exit code. */
int app_put_span(struct app *a, struct params *p);
/* --max-age likewise. */
int app_put_max_age(struct app *a, struct params *p);
/* --where likewise, with the zone by whose clocks its times are meant. */
void app_put_where(struct app *a, struct params *p);
/* --on-stale likewise, with the time there is to wait. */
void app_put_on_stale(struct app *a, struct params *p);
/* A duration option in milliseconds; `otherwise` when not given. */
int app_duration(struct app *a, enum option option, int64_t otherwise, int64_t *ms_out);

/* Asks for the names that a table with these columns shows in place of ids (NULL: whatever it shows); before the question itself, whose answer would be gone. Who
 * cannot be asked for stays an id. 0 or an exit code: nobody is there to ask. */
int app_load_names(struct app *a, const struct columns *columns);

/* Several sources are asked: rows have to say whose they are. Needs a connection. */
bool app_asks_several(const struct app *a);
/* Adds the column of it, where it matters and --fields does not say what is shown. 0 or an exit code. */
int app_show_source(struct app *a, struct columns *c);

/* Prints the whole result as a line of JSON. */
int app_print_json(struct app *a, struct bytes result);
/* Prints the maps of an array in the chosen row format. `style` may be NULL. */
int app_print_rows(struct app *a, struct bytes array, const struct columns *columns,
		   enum style (*style)(const char *path, struct bytes value));
/* Ends a rows writer, and tells what there was no room for. */
void app_rows_end(struct app *a, struct rows *rows);
/* A rows writer with this run's looks. */
void app_rows(struct app *a, struct rows *r, const struct columns *columns);

/* Keeps what an answer says about its freshness: app_release tells standard error, after the pager was left, and judges --require. */
void app_note_worth(struct app *a, struct bytes result);
/* The last line on standard error; not when quiet, or when the output was not written. */
void app_close_with(struct app *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Ctrl-C ends the waiting for an answer, not the program; app_release ends it then. */
void app_catch_interrupt(bool on);
/* A remark for a person, told likewise, each behind those before. `always`: whatever reads on must hear it, too. */
void app_remark(struct app *a, bool always, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
