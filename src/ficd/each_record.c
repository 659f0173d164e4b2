/* each_record: see the header. */
#include "each_record.h"

int each_record(struct snapshot *view, const char *resource, int max,
		int (*each)(void *ctx, const struct record *r), void *ctx)
{
	const struct scan_spec spec = {
		.resource = resource, .axis = AXIS_CREATED, .start_ms = TIME_MIN, .end_ms = TIME_MAX};
	struct buf memory = {0};
	struct scan_row row;
	struct record record;
	struct scan *scan;
	int rc = scan_open(view, &spec, &scan, NULL);

	if (rc)
		return rc;
	for (int n = 0; n < max && (rc = scan_next(scan, &row)) == 1; n++) {
		rc = scan_record(scan, &memory, &record);
		if (rc > 0)
			rc = each(ctx, &record);
		if (rc)
			break;
	}
	scan_close(scan);
	buf_release(&memory);
	return rc < 0 ? rc : 0;
}
