/*
 * zone: time zones, read from the system's data (RFC 9636) without touching the process's own zone.
 *
 * A zone tells how far local clocks are ahead of UTC at a moment, and which moment a local clock meant. NULL stands for UTC in every call.
 * UTC needs no files.
 */
#ifndef FIC_BASE_ZONE_H
#define FIC_BASE_ZONE_H

#include <base/bytes.h>
#include <base/err.h>

#define ZONE_NAME_MAX 64
#define ZONE_FILE_MAX (256 * 1024)

struct zone;

/* An IANA name ("Europe/Berlin", looked up in $TZDIR or /usr/share/zoneinfo), "UTC", "local" ($TZ, else /etc/localtime, else UTC), or
 * a rule as POSIX writes it ("CET-1CEST,M3.5.0,M10.5.0/3"). The caller frees the zone. ERR_NOTFOUND (no such zone, or no data
 * on this machine), ERR_INVALID (cannot be a name), ERR_CORRUPT, ERR_NOMEM. */
int zone_load(struct bytes name, struct zone **zone_out, struct why *why);
/* The same from a file's bytes. */
int zone_decode(struct bytes tzif, struct bytes name, struct zone **zone_out, struct why *why);
void zone_free(struct zone *z);
const char *zone_name(const struct zone *z);
/* Another one for each state of the data that a name was looked up in: zones of the same name and hash are the same. */
uint64_t zone_hash(const struct zone *z);

/* Seconds that local clocks are ahead of UTC at a moment. */
int32_t zone_offset_s(const struct zone *z, int64_t utc_ms);
/* The moment at which local clocks show `local_ms` (a wall time read as if it were UTC). When they show it twice, the first one; when they
 * skip it, the moment of the skip, which is the next time that they show. */
int64_t zone_utc_ms(const struct zone *z, int64_t local_ms);

#endif
