/*
 * thread: all children of one record, in the order in which they were written, the opening message first.
 *
 * The opening message is the one whose common field `kind` is "source". Steps and damage as in query.h.
 */
#ifndef FIC_QUERY_THREAD_H
#define FIC_QUERY_THREAD_H

#include <query/row.h>
#include <store/store.h>

/* Texts, tables and buffers are borrowed until thread_free. */
struct thread_spec {
	const char *source;         /* its name, for the rows */
	const char *resource;       /* of the children: "messages" */
	const struct field *fields; /* common fields of the children; may be NULL */
	struct bytes parent;        /* the conversation's id */
	const struct bytes *names;  /* what rows show; NULL: all, doc included */
	size_t name_count;
	size_t bytes_max;   /* of rows; 0: 8 MiB */
	struct buf *rows;   /* rows are appended, one map each */
	struct buf *memory; /* for records, one after the other */
};

struct thread_result {
	uint32_t rows;
	bool truncated; /* bytes_max left out the newest ones */
	uint64_t damaged;
};

struct thread;

int thread_open(struct snapshot *v, const struct thread_spec *spec, struct thread **out,
		struct why *why);
int thread_step(struct thread *t, unsigned budget, struct why *why); /* as query_step */
const struct thread_result *thread_result(const struct thread *t);
void thread_free(struct thread *t);

#endif
