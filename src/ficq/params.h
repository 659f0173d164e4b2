/*
 * params: a method's parameters, put together one by one. A zeroed struct is ready; NULL values are left out.
 */
#ifndef FIC_FICQ_PARAMS_H
#define FIC_FICQ_PARAMS_H

#include <base/bytes.h>

struct params {
	struct buf buf;
	size_t mark;
	uint32_t count;
};

void params_str(struct params *p, const char *key, const char *value);
void params_int(struct params *p, const char *key, int64_t value);
void params_bool(struct params *p, const char *key, bool value);
/* "a,b,c" as an array of texts; empty parts are empty texts, which the daemon refuses. "" has none. */
void params_list(struct params *p, const char *key, const char *commas);
void params_strs(struct params *p, const char *key, const char *const *values, size_t n);
void params_value(struct params *p, const char *key, struct bytes whole);
struct bytes params_end(struct params *p); /* the whole map, borrowed */
void params_release(struct params *p);     /* ready for the next */

#endif
