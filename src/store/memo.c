/* memo: a question whose hash is 0 is never kept. */
#include "memo.h"

#include "view.h"

void memo_forget(struct memo *m)
{
	*m = (struct memo){0};
}

static bool memo_find(const struct memo *m, uint64_t question, uint64_t *number_out)
{
	uint64_t at = question % MEMO_SIZE;

	if (!question || m->questions[at] != question)
		return false;
	*number_out = m->numbers[at];
	return true;
}

static void memo_keep(struct memo *m, uint64_t question, uint64_t number)
{
	m->questions[question % MEMO_SIZE] = question;
	m->numbers[question % MEMO_SIZE] = number;
}

bool snapshot_recall(const struct snapshot *v, uint64_t question, uint64_t *number_out)
{
	return v->state == v->store->state && memo_find(&v->store->memo, question, number_out);
}

void snapshot_remember(struct snapshot *v, uint64_t question, uint64_t number)
{
	if (v->state == v->store->state)
		memo_keep(&v->store->memo, question, number);
}
