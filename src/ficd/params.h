/* params: a request's parameters as values. Private to this layer. */
#ifndef FIC_FICD_PARAMS_INTERNAL_H
#define FIC_FICD_PARAMS_INTERNAL_H

#include "session.h"

#include <base/arena.h>
#include <model/where.h>

#define HINT_MAX 300

/* Parameters that were checked by the table; false when left out or nil. */
bool param_text(const struct request *r, const char *name, struct bytes *out);
bool param_integer(const struct request *r, const char *name, int64_t *out);
bool param_bool(const struct request *r, const char *name);
bool param_raw(const struct request *r, const char *name, struct bytes *out);
/* Seconds or "5m"; negative when left out. 0, or an error that was sent. */
int param_duration(struct request *r, const char *name, int64_t *ms_out);
/* since, until and axis, with their defaults (open, open, created). 0, or an error that was sent. */
int param_span(struct request *r, struct freshness_question *q);

/* The request names no source, and there are several. */
bool param_all_sources(const struct request *r);
/* The source that is named, or the only one. NULL: the error was sent. */
struct source *param_source(struct request *r);
/* The sources that the request is about: the named one, or all. False: the error was sent. */
bool param_sources(struct request *r, struct source **first, size_t *count);
/* Its resource of the parameter `resource`. NULL: the error was sent. */
const struct resource_type *param_resource(struct request *r, const struct source *s);
/* What may have been meant by a name that is no resource of the source. */
void hint_resource(const struct source *s, struct bytes name, char out[HINT_MAX]);

/* A name, names divided by commas, or a list of them; those over `max` are left out; *count_out is 0 when there is no such parameter, or an empty list. False: the error was sent. */
bool param_names(struct request *r, struct arena *a, const char *name, size_t max,
		 struct bytes **names_out, size_t *count_out);
/* The same of `fields`, which name one at least. */
bool param_fields(struct request *r, struct arena *a, struct bytes **names_out, size_t *count_out);
/* `timezone`; NULL when left out. Free it with zone_free. False: the error was sent. */
bool param_zone(struct request *r, struct zone **out);
/* `where`, on these fields, its times by the zone's clocks (NULL: UTC); NULL when left out. False: the error was sent. */
bool param_where(struct request *r, const struct source *s, const struct field *fields,
		 const struct zone *zone, struct arena *a, const struct where **out);
/* Whether the text of what was given by this name has the word in it. */
bool param_mentions(const struct request *r, const char *name, const char *word);

#endif
