/* code_lengths: Huffman's code, no longer than allowed. */
#include "code_lengths.h"

#include <stdlib.h>

#define DIGIT_BITS 11u /* of a count: three digits */
#define DIGITS     (UINT32_C(1) << DIGIT_BITS)

struct node {
	uint32_t count;
	uint16_t symbol; /* of a leaf; ties go by it */
	uint16_t parent;
};

/* By one digit of their counts, in the order that they have where it is the same. */
static void sort_by_digit(const struct node *from, struct node *to, uint32_t n, unsigned shift)
{
	uint16_t ends[DIGITS + 1] = {0};

	for (uint32_t i = 0; i < n; i++)
		ends[(from[i].count >> shift) % DIGITS + 1]++;
	for (uint32_t d = 1; d < DIGITS; d++)
		ends[d] = (uint16_t)(ends[d] + ends[d - 1]);
	for (uint32_t i = 0; i < n; i++)
		to[ends[(from[i].count >> shift) % DIGITS]++] = from[i];
}

/* The leaves, the rarest first. They stand behind `nodes`, in the order of their symbols. */
static void sort_leaves(struct node *nodes, uint32_t n)
{
	sort_by_digit(nodes + n, nodes, n, 0);
	sort_by_digit(nodes, nodes + n, n, DIGIT_BITS);
	sort_by_digit(nodes + n, nodes, n, 2 * DIGIT_BITS);
}

/* The rarer of the next leaf and the next joint. */
static uint32_t rarest(const struct node *nodes, uint32_t n, uint32_t end, uint32_t *leaf,
		       uint32_t *joint)
{
	if (*leaf < n && (*joint == end || nodes[*leaf].count <= nodes[*joint].count))
		return (*leaf)++;
	return (*joint)++;
}

/* Leaves in the order of their counts, joints behind them: two queues. */
static void join(struct node *nodes, uint32_t n)
{
	uint32_t leaf = 0, joint = n;

	for (uint32_t end = n; end < 2 * n - 1; end++) {
		uint32_t a = rarest(nodes, n, end, &leaf, &joint),
			 b = rarest(nodes, n, end, &leaf, &joint);
		nodes[end].count = nodes[a].count + nodes[b].count;
		nodes[a].parent = nodes[b].parent = (uint16_t)end;
	}
}

/* False: some code is too long. */
static bool measure(struct node *nodes, uint32_t n, unsigned most, uint8_t *bits)
{
	/* A joint's count is not needed any more: its depth. */
	nodes[2 * n - 2].count = 0;
	for (uint32_t i = 2 * n - 2; i-- > 0;) {
		uint32_t depth = nodes[nodes[i].parent].count + 1;
		nodes[i].count = depth;
		if (depth > most)
			return false;
		if (i < n)
			bits[nodes[i].symbol] = (uint8_t)depth;
	}
	return true;
}

int code_lengths(const uint32_t *counts, uint32_t n, unsigned most, uint8_t *bits)
{
	struct node *nodes = calloc(2 * n, sizeof *nodes);

	if (!nodes)
		return ERR_NOMEM;
	/* The flatter the counts, the flatter the tree. */
	for (unsigned flatter = 0;; flatter++) {
		for (uint32_t i = 0; i < n; i++)
			nodes[n + i] = (struct node){(counts[i] >> flatter) + 1, (uint16_t)i, 0};
		sort_leaves(nodes, n);
		join(nodes, n);
		if (measure(nodes, n, most, bits))
			break;
	}
	free(nodes);
	return 0;
}
