/*
 * render_status: how the daemon and its sources are, on one screen.
 */
#ifndef FIC_FICQ_RENDER_STATUS_H
#define FIC_FICQ_RENDER_STATUS_H

#include "cell.h"
#include "table.h"

/* `result` is the method's. */
void render_status(struct buf *out, struct bytes result, const struct show *show,
		   const struct table_look *look);

/* Green for what is well, yellow for what is under way, red for the rest. */
enum style status_style(struct bytes state);

#endif
