/*
 * render_thread: a conversation as a text to read.
 */
#ifndef FIC_FICQ_RENDER_THREAD_H
#define FIC_FICQ_RENDER_THREAD_H

#include "cell.h"
#include "term.h"

struct thread_look {
	const struct show *show;
	size_t width;
	bool color;
	bool unfold; /* quoted lines in full */
};

/* `result` is the method's: conversation, messages, truncated. True: something quoted was folded. */
bool render_thread(struct buf *out, struct bytes result, const struct thread_look *look);

#endif
