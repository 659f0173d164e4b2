/*
 * render_coverage: what is held of the wanted history, as bars.
 */
#ifndef FIC_FICQ_RENDER_COVERAGE_H
#define FIC_FICQ_RENDER_COVERAGE_H

#include "cell.h"
#include "term.h"

struct coverage_look {
	const struct show *show;
	size_t width;
	bool color;
	bool all_gaps;
	int64_t old_ms; /* a state older than this is drawn light */
};

/* `result` is the method's: resources. */
void render_coverage(struct buf *out, struct bytes result, const struct coverage_look *look);

/* The bar alone, of `cells` characters: '#' held, '-' held but old, '+' in part, ' ' a gap. `resource` is one of the result's; false when
 * there is no span to draw. */
bool coverage_bar(struct bytes resource, int64_t now_ms, int64_t old_ms, size_t cells, char *bar_out);

#endif
