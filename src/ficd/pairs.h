/* pairs: keys and values of an answer under construction. Private to this layer. */
#ifndef FIC_FICD_PAIRS_INTERNAL_H
#define FIC_FICD_PAIRS_INTERNAL_H

#include <base/bytes.h>
#include <base/clock.h>

/* Each appends a key and its value. */
void put_text(struct buf *out, const char *key, const char *value); /* NULL: nil */
void put_integer(struct buf *out, const char *key, int64_t value);
void put_bool(struct buf *out, const char *key, bool value);
void put_real(struct buf *out, const char *key, double value);
void put_time(struct buf *out, const char *key, int64_t ms); /* nil for TIME_NONE and open ends */
void put_time_value(struct buf *out, int64_t ms);

#endif
