/*
 * words: see the header. ASCII goes by a table; only a word that has another character is brought
 * into its normal form by utf8proc. This is the only file that knows that library.
 */
#include <codec/words.h>

#include <utf8proc.h>

#define RAW_MAX    256 /* bytes of a word that are looked at */
#define POINTS_MAX (RAW_MAX * 4)
#define NORMAL_FORM \
	(UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE)

/* What an ASCII character is in a term: itself in lower case, 0: a separator, or not ASCII. */
static const uint8_t letters[256] = {
	['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4', ['5'] = '5', ['6'] = '6',
	['7'] = '7', ['8'] = '8', ['9'] = '9', ['a'] = 'a', ['b'] = 'b', ['c'] = 'c', ['d'] = 'd',
	['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h', ['i'] = 'i', ['j'] = 'j', ['k'] = 'k',
	['l'] = 'l', ['m'] = 'm', ['n'] = 'n', ['o'] = 'o', ['p'] = 'p', ['q'] = 'q', ['r'] = 'r',
	['s'] = 's', ['t'] = 't', ['u'] = 'u', ['v'] = 'v', ['w'] = 'w', ['x'] = 'x', ['y'] = 'y',
	['z'] = 'z', ['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd', ['E'] = 'e', ['F'] = 'f',
	['G'] = 'g', ['H'] = 'h', ['I'] = 'i', ['J'] = 'j', ['K'] = 'k', ['L'] = 'l', ['M'] = 'm',
	['N'] = 'n', ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q', ['R'] = 'r', ['S'] = 's', ['T'] = 't',
	['U'] = 'u', ['V'] = 'v', ['W'] = 'w', ['X'] = 'x', ['Y'] = 'y', ['Z'] = 'z'};

static bool is_joint(uint8_t c)
{
	return c == '.' || c == '@' || c == '-' || c == '_' || c == '+';
}

static bool is_pair_script(int32_t c)
{
	return (c >= 0x3041 && c <= 0x30ff) || (c >= 0x31f0 && c <= 0x31ff) ||
	       (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x4e00 && c <= 0x9fff) ||
	       (c >= 0xf900 && c <= 0xfaff) || (c >= 0xff66 && c <= 0xff9d) ||
	       (c >= 0x20000 && c <= 0x3ffff);
}

static bool is_letter(int32_t c)
{
	switch (utf8proc_category(c)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_MC:
	case UTF8PROC_CATEGORY_ME:
	case UTF8PROC_CATEGORY_ND:
	case UTF8PROC_CATEGORY_NL:
	case UTF8PROC_CATEGORY_NO: return true;
	default: return false;
	}
}

enum class { CLASS_BREAK, CLASS_WORD, CLASS_PAIR };

/* The character at `at`, its bytes and what it is; a byte that begins none breaks. */
static enum class class_at(struct bytes text, size_t at, size_t *bytes) {
	utf8proc_int32_t c;

	*bytes = 1;
	if (text.data[at] < 128) return letters[text.data[at]] ? CLASS_WORD : CLASS_BREAK;
	utf8proc_ssize_t n = utf8proc_iterate(text.data + at, (utf8proc_ssize_t)(text.len - at), &c);
	if (n <= 0) return CLASS_BREAK;
	*bytes = (size_t)n;
	return is_pair_script(c) ? CLASS_PAIR
	       : is_letter(c)    ? CLASS_WORD
				 : CLASS_BREAK;
}

/* No longer than `max`, and not within a character. */
static size_t cut(const uint8_t *text, size_t len, size_t max)
{
	if (len <= max)
		return len;
	len = max;
	while (len && (text[len] & 0xc0) == 0x80)
		len--;
	return len;
}

struct listener {
	int (*each)(void *ctx, struct bytes term, struct bytes source);
	void *ctx;
};

static int say_plain(const struct listener *l, struct bytes word)
{
	uint8_t term[WORDS_TERM_MAX];
	size_t n = word.len < sizeof term ? word.len : sizeof term;

	for (size_t i = 0; i < n; i++) {
		uint8_t lower = letters[word.data[i]];
		term[i] = lower ? lower : word.data[i]; /* a joint */
	}
	return l->each(l->ctx, bytes_of(term, n), word);
}

static int say(const struct listener *l, struct bytes word, bool ascii)
{
	utf8proc_int32_t points[POINTS_MAX + 1];

	if (ascii)
		return say_plain(l, word);
	size_t len = cut(word.data, word.len, RAW_MAX);
	utf8proc_ssize_t n = utf8proc_decompose(word.data, (utf8proc_ssize_t)len, points,
						POINTS_MAX, NORMAL_FORM);
	if (n <= 0 || n > POINTS_MAX)
		return 0;
	n = utf8proc_reencode(points, n, NORMAL_FORM);
	if (n <= 0)
		return 0;
	const uint8_t *term = (const uint8_t *)points;
	return l->each(l->ctx, bytes_of(term, cut(term, (size_t)n, WORDS_TERM_MAX)), word);
}

/* Each two neighbours of the run that begins at `at`; moves it behind the run. */
static int say_pairs(const struct listener *l, struct bytes text, size_t *at)
{
	size_t before = *at, here, bytes;
	int rc = 0;

	class_at(text, before, &bytes);
	here = before + bytes;
	if (here >= text.len || class_at(text, here, &bytes) != CLASS_PAIR)
		rc = say(l, bytes_of(text.data + before, here - before), false);
	while (!rc && here < text.len && class_at(text, here, &bytes) == CLASS_PAIR) {
		rc = say(l, bytes_of(text.data + before, here + bytes - before), false);
		before = here;
		here += bytes;
	}
	*at = here;
	return rc;
}

/* The ASCII of a run, in lower case. It is stored eight at a time: who reads it next reads as many, and would wait
 * for single ones to come to rest. */
struct run {
	uint8_t lower[WORDS_TERM_MAX + 8];
	uint64_t word; /* the last ones, which are stored at the end */
	size_t len;
};

static inline void run_add(struct run *r, uint8_t c)
{
	if (r->len >= WORDS_TERM_MAX)
		return;
	r->word |= (uint64_t)c << 8 * (r->len & 7);
	if ((++r->len & 7) == 0) {
		put_le64(r->lower + r->len - 8, r->word);
		r->word = 0;
	}
}

static struct bytes run_lower(struct run *r)
{
	put_le64(r->lower + (r->len & ~(size_t)7), r->word);
	return bytes_of(r->lower, r->len);
}

/* The end of the run of word characters at `at`. */
static inline size_t run_end(struct bytes text, size_t at, bool *ascii, bool *digit, struct run *r)
{
	size_t bytes;

	for (; at < text.len; at += bytes) {
		for (uint8_t c; at < text.len && (c = letters[text.data[at]]) != 0; at++) {
			*digit |= c <= '9';
			run_add(r, c);
		}
		if (at == text.len || text.data[at] < 128)
			break;
		if (class_at(text, at, &bytes) != CLASS_WORD)
			break;
		*ascii = false;
	}
	return at;
}

/* Runs with single joints between them: each, and all together when that is a name of something. */
static int say_joined(const struct listener *l, struct bytes text, size_t *at)
{
	size_t start = *at, runs = 0, end, bytes;
	bool ascii = true, digit = false, whole = false;
	int rc = 0;

	for (;;) {
		bool plain = true;
		struct run run;
		run.len = 0;
		run.word = 0;
		end = run_end(text, *at, &plain, &digit, &run);
		struct bytes source = bytes_of(text.data + *at, end - *at);
		rc = plain ? l->each(l->ctx, run_lower(&run), source) : say(l, source, false);
		ascii &= plain;
		runs++;
		*at = end;
		if (rc || end + 1 >= text.len || !is_joint(text.data[end]) ||
		    class_at(text, end + 1, &bytes) != CLASS_WORD)
			break;
		whole |= text.data[end] == '@';
		*at = end + 1;
	}
	if (rc || runs == 1 || !(whole || digit))
		return rc;
	return say(l, bytes_of(text.data + start, end - start), ascii);
}

int words_spans(struct bytes text, int (*each)(void *ctx, struct bytes term, struct bytes source),
		void *ctx)
{
	const struct listener l = {each, ctx};
	size_t at = 0, bytes;
	int rc = 0;

	while (!rc && at < text.len) {
		if (text.data[at] < 128 && !letters[text.data[at]]) { /* what most calls would be for */
			at++;
			continue;
		}
		switch (class_at(text, at, &bytes)) {
		case CLASS_BREAK: at += bytes; break;
		case CLASS_PAIR: rc = say_pairs(&l, text, &at); break;
		case CLASS_WORD: rc = say_joined(&l, text, &at); break;
		}
	}
	return rc;
}

struct plain_listener {
	int (*each)(void *ctx, struct bytes term);
	void *ctx;
};

static int forget_source(void *ctx, struct bytes term, struct bytes source)
{
	const struct plain_listener *l = ctx;

	(void)source;
	return l->each(l->ctx, term);
}

int words_each(struct bytes text, int (*each)(void *ctx, struct bytes term), void *ctx)
{
	struct plain_listener l = {each, ctx};

	return words_spans(text, forget_source, &l);
}
