/* suggest: optimal string alignment distance over short words. */
#include <base/suggest.h>

#include <ctype.h>

#define WORD_MAX 64

static int min3(int a, int b, int c)
{
	int m = a < b ? a : b;

	return m < c ? m : c;
}

static int distance(const char *a, int alen, const char *b, int blen)
{
	int rows[3][WORD_MAX + 1];

	for (int j = 0; j <= blen; j++)
		rows[0][j] = j;
	for (int i = 1; i <= alen; i++) {
		int *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
		now[0] = i;
		for (int j = 1; j <= blen; j++) {
			int cost = tolower((unsigned char)a[i - 1]) !=
				   tolower((unsigned char)b[j - 1]);
			now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + cost);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    now[j] > before[j - 2] + 1)
				now[j] = before[j - 2] + 1;
		}
	}
	return rows[alen % 3][blen];
}

const char *suggest(struct bytes word, const char *const *names)
{
	const char *best = NULL, *prefixed = NULL;
	int best_distance = WORD_MAX, prefixes = 0;

	if (word.len == 0 || word.len > WORD_MAX)
		return NULL;
	for (; *names; names++) {
		size_t len = strlen(*names);
		if (len > WORD_MAX)
			continue;
		if (len > word.len && memcmp(*names, word.data, word.len) == 0) {
			prefixed = *names;
			prefixes++;
		}
		int d = distance((const char *)word.data, (int)word.len, *names, (int)len);
		if (d < best_distance) {
			best_distance = d;
			best = *names;
		}
	}
	if (best && best_distance * 3 <= (int)(word.len > 3 ? word.len : 3))
		return best;
	return prefixes == 1 ? prefixed : NULL;
}
