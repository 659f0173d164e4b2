/* Sorting in slices comes to what qsort comes to, for sizes around every edge. */
#include "support/lab.h"

#include <sort.h>

static bool follows(const struct sort_key *a, const struct sort_key *b)
{
	if (a->major != b->major)
		return a->major < b->major;
	if (a->middle != b->middle)
		return a->middle < b->middle;
	return a->minor != b->minor ? a->minor < b->minor : a->ordinal < b->ordinal;
}

static void key_at(const void *ctx, uint32_t ordinal, struct sort_key *out)
{
	*out = ((const struct sort_key *)ctx)[ordinal];
}

/* Few different keys, all in order, or all in the other order. */
static struct sort_key any_key(unsigned round, uint64_t *random, uint32_t ordinal)
{
	if (round == 0)
		return (struct sort_key){lab_random(random) % 50, lab_random(random) % 50,
					 lab_random(random) % 50, ordinal};
	return (struct sort_key){round == 1 ? ordinal / 3 : 200000 - ordinal / 3, 0, 0, ordinal};
}

static void sorts_like(unsigned round)
{
	static const uint32_t counts[] = {0,    1,    2,    7,    8,    9,     15,
					  16,   17,   33,   100,  1000, 1023,  1024,
					  1025, 2047, 2048, 2049, 5000, 40000, 100000};
	uint64_t random = 7;
	static struct sort_key keys[100000];
	struct sort s;

	assert_int_equal(sort_init(&s, 100000), 0);
	for (unsigned i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		unsigned steps = 1;
		uint64_t sum = 0;
		sort_reset(&s, key_at, keys);
		s.count = counts[i];
		for (uint32_t k = 0; k < s.count; k++) {
			s.order[k] = k;
			keys[k] = any_key(round, &random, k);
			sum += k;
		}
		while (sort_step(&s))
			steps++;
		assert_true(steps <= s.count / 200 + 2);
		for (uint32_t k = 0; k < s.count; k++)
			sum -= s.order[k];
		assert_int_equal(sum, 0);
		for (uint32_t k = 1; k < s.count; k++)
			assert_true(follows(&keys[s.order[k - 1]], &keys[s.order[k]]));
		assert_false(sort_step(&s));
	}
	sort_release(&s);
}

static void sorts(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 3; round++)
		sorts_like(round);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(sorts)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
