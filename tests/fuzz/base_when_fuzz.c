/*
 * base_when_fuzz: any text as a time, an interval and a zone's rule, any bytes as a time zone file. The first byte chooses which.
 */
#include <base/when.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1734706800123)

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void try_time(struct bytes text, const struct zone *zone)
{
	char out[WHEN_OUT_MAX];
	struct why why = {""};
	struct when got;
	int64_t ms;

	if (when_read(text, NOW, zone, &got, &why) == 0) {
		require(got.start_ms <= got.end_ms);
		require(when_parse(text, NOW, zone, WHEN_UNTIL, &ms, NULL) == 0 && ms == got.end_ms);
		require(when_local_text(ms, zone, out)[0] && when_relative_text(ms, NOW, out)[0]);
	} else {
		require(why.text[0]);
	}
	if (when_parse_interval(text, NOW, zone, &got, &why) == 0)
		require(got.start_ms <= got.end_ms);
}

static void try_zone(struct zone *z)
{
	for (int64_t ms = NOW - 40 * INT64_C(86400000); ms < NOW + 400 * INT64_C(86400000);
	     ms += INT64_C(86400000) / 2) {
		int64_t utc = zone_utc_ms(z, ms);
		require(llabs(utc - ms) < 4 * INT64_C(86400000));
	}
	try_time(bytes_str("yesterday 02:30"), z);
	(void)zone_offset_s(z, INT64_MIN);
	(void)zone_utc_ms(z, INT64_MAX);
	zone_free(z);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zone *z = NULL;

	if (size == 0)
		return 0;
	struct bytes rest = bytes_of(data + 1, size - 1);
	switch (data[0]) {
	case 'z':
		if (zone_decode(rest, bytes_str("x"), &z, NULL) == 0)
			try_zone(z);
		break;
	case 'r':
		/* Only what can be no file's name. */
		if (rest.len && memchr(rest.data, ',', rest.len) && zone_load(rest, &z, NULL) == 0)
			try_zone(z);
		break;
	default:
		require(zone_load(bytes_str("CET-1CEST,M3.5.0,M10.5.0/3"), &z, NULL) == 0);
		try_time(bytes_of(data, size), z);
		try_time(bytes_of(data, size), NULL);
		zone_free(z);
	}
	return 0;
}
