/*
 * ask: the commands that read records and runs: query, count, get, runs, dead letters.
 */
#ifndef FIC_FICQ_ASK_H
#define FIC_FICQ_ASK_H

#include "app.h"

int ask_query(struct app *a);
int ask_search(struct app *a);
int ask_get(struct app *a);
int ask_runs(struct app *a);
int ask_dead(struct app *a);
int ask_edits(struct app *a);

/* What queries and counts ask alike: resource, condition, span, age. 0 or an exit code. */
int ask_put_question(struct app *a, struct params *p);
/* Tells of words in what is looked for (NULL: nothing is) that would be operators if they were in capitals. */
void ask_remark_words(struct app *a, const char *text);
/* Nothing was found: tells people of values in --where that no record has. Answers that were borrowed are gone. */
void ask_remark_values(struct app *a, const char *resource);
/* The columns asked for, or the resource's own. 0 or an exit code. */
int ask_columns(struct app *a, const char *resource, struct columns *c);
/* All that the question finds (or --limit), with the provider's objects when `doc`. 0 or an exit code. */
int ask_export(struct app *a, bool doc, uint64_t *count_out, bool *more_out);

/* An answer that is an absence: says why there is no record. EXIT_NO. */
int ask_absent(struct app *a, const char *resource, const char *id, struct bytes absence);

#endif
