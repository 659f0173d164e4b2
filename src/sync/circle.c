/* circle: a sample of the ids by the first bits of their hashes, which are not the ones that hashset.c places them by. */
#include "circle.h"

#include <base/err.h>

#define COUNTED_MAX 2048 /* ids; half of them are left out when there are more */
#define ROUNDS_MAX  3
#define ROUNDS_MORE 1000

void circle_release(struct circle *c)
{
	hashset_release(&c->ids);
	*c = (struct circle){0};
}

static bool is_counted(const struct circle *c, uint64_t hash)
{
	return c->halvings == 0 || hash >> (64 - c->halvings) == 0;
}

static int halve(struct circle *c)
{
	struct hashset fewer = {0};

	c->halvings++;
	for (size_t i = 0; i < c->ids.cap; i++)
		if (c->ids.slots[i] && is_counted(c, c->ids.slots[i]) &&
		    hashset_add(&fewer, c->ids.slots[i]) < 0) {
			hashset_release(&fewer);
			return ERR_NOMEM;
		}
	hashset_release(&c->ids);
	c->ids = fewer;
	c->again /= 2;
	return 0;
}

int circle_show(struct circle *c, uint64_t hash)
{
	if (!is_counted(c, hash))
		return 0;
	int rc = hashset_add(&c->ids, hash);
	if (rc < 0)
		return rc;
	c->again += rc == 0;
	return c->ids.count > COUNTED_MAX ? halve(c) : 0;
}

bool circle_closed(const struct circle *c)
{
	return c->again > ROUNDS_MAX * (uint64_t)c->ids.count + ROUNDS_MORE;
}
