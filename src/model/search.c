/*
 * search: the parser, by recursive descent, and the matcher: one pass over a text in which each bit says that a phrase is there up to
 * that word (shift and mask).
 */
#include <model/search.h>

#include <stdarg.h>
#include <stdio.h>

struct parser {
	struct bytes text;
	size_t at;
	struct arena *arena;
	struct search *search;
	unsigned nodes, depth, without; /* without: how many `-` we are below */
	struct why *why;
};

/* ---- errors ---- */

static int fail(struct parser *p, size_t at, int code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static int fail(struct parser *p, size_t at, int code, const char *format, ...)
{
	struct why what;
	va_list args;

	va_start(args, format);
	vsnprintf(what.text, sizeof what.text, format, args);
	va_end(args);
	what.text[sizeof what.text - 24] = 0; /* room for the column */
	return why_set(p->why, code, "column %zu: %s",
		       bytes_characters(bytes_of(p->text.data, at)) + 1, what.text);
}

/* ---- words ---- */

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool ends_word(uint8_t c)
{
	return is_space(c) || c == '(' || c == ')' || c == '"' || c == '*';
}

static void skip_space(struct parser *p)
{
	while (p->at < p->text.len && is_space(p->text.data[p->at]))
		p->at++;
}

static bool is_next(const struct parser *p, char c)
{
	return p->at < p->text.len && p->text.data[p->at] == (uint8_t)c;
}

/* The bytes up to a space, bracket, quote or star. */
static struct bytes peek_word(const struct parser *p)
{
	size_t end = p->at;

	while (end < p->text.len && !ends_word(p->text.data[end]))
		end++;
	return bytes_of(p->text.data + p->at, end - p->at);
}

/* Names of several words together stand beside these and are in no phrase. */
static bool is_joined(struct bytes term)
{
	static const bool joins[256] = {['.'] = 1, ['@'] = 1, ['-'] = 1, ['_'] = 1, ['+'] = 1};

	for (size_t i = 0; i < term.len; i++)
		if (joins[term.data[i]])
			return true;
	return false;
}

struct naming {
	struct parser *p;
	unsigned first;
	int error;
	bool joined; /* take these, too */
};

static int add_word(void *ctx, struct bytes term)
{
	struct naming *n = ctx;
	struct search *s = n->p->search;

	if (is_joined(term) && !n->joined)
		return 0;
	if (s->count == SEARCH_WORDS_MAX)
		return n->error = ERR_LIMIT;
	struct bytes copy = arena_bytes(n->p->arena, term);
	if (!copy.data)
		return n->error = ERR_NOMEM;
	if (!n->p->without)
		s->wanted |= UINT64_C(1) << s->count;
	s->heads[copy.data[0] / 8] |= (uint8_t)(1u << copy.data[0] % 8);
	s->words[s->count++] = (struct search_word){copy, false};
	return 0;
}

static int node_new(struct parser *p, enum search_op op, struct search_node **out)
{
	if (++p->nodes > SEARCH_NODES_MAX)
		return fail(p, p->at, ERR_LIMIT, "more than %d parts", SEARCH_NODES_MAX);
	*out = arena_alloc(p->arena, sizeof **out);
	if (!*out)
		return why_set(p->why, ERR_NOMEM, "no memory for the search");
	**out = (struct search_node){.op = op};
	return 0;
}

/* Only what is pasted from other scripts and symbols: a sign or two of ASCII are a slip of the hand. */
static bool is_foreign(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] >= 0x80)
			return true;
	return false;
}

static int fail_wordless(struct parser *p, struct bytes text, size_t at)
{
	int len = (int)(text.len < 40 ? text.len : 40);
	const char *data = (const char *)text.data;

	if (!is_foreign(text))
		return fail(p, at, ERR_SYNTAX, "'%.*s' has no letter or digit", len, data);
	return fail(p, at, ERR_SYNTAX,
		    "'%.*s' has no letter or digit; a condition finds it: subject ~ '%.*s'", len,
		    data, len, data);
}

/* A star is at the end of a word, and behind the quotes of a phrase. */
static int take_star(struct parser *p, struct search_word *word)
{
	size_t at = p->at++;

	if (p->at < p->text.len && (!ends_word(p->text.data[p->at]) || is_next(p, '*')))
		return fail(p, at, ERR_SYNTAX, "'*' stands at the end of a word only: refun*");
	word->prefix = true;
	return 0;
}

/* The words of one token as a phrase; `at`: where it stands. */
static int take_phrase(struct parser *p, struct bytes text, size_t at, struct search_node **out)
{
	struct search *s = p->search;
	struct naming n = {p, s->count, 0, false};

	words_each(text, add_word, &n);
	if (!n.error && s->count == n.first) {
		n.joined = true;
		words_each(text, add_word, &n);
	}
	if (n.error == ERR_LIMIT)
		return fail(p, at, ERR_LIMIT, "more than %d words", SEARCH_WORDS_MAX);
	if (n.error)
		return why_set(p->why, n.error, "no memory for the search");
	if (s->count == n.first)
		return fail_wordless(p, text, at);
	int rc = node_new(p, SEARCH_PHRASE, out);
	if (rc)
		return rc;
	(*out)->first = n.first;
	(*out)->count = s->count - n.first;
	s->starts |= UINT64_C(1) << n.first;
	s->ends |= UINT64_C(1) << (s->count - 1);
	return is_next(p, '*') ? take_star(p, &s->words[s->count - 1]) : 0;
}

/* The first star of a phrase that ends a word there; NULL: none does. */
static const uint8_t *find_star(struct bytes phrase)
{
	for (size_t i = 1; i < phrase.len; i++)
		if (phrase.data[i] == '*' && !ends_word(phrase.data[i - 1]) &&
		    (i + 1 == phrase.len || is_space(phrase.data[i + 1])))
			return phrase.data + i;
	return NULL;
}

static int take_quoted(struct parser *p, struct search_node **out)
{
	size_t start = p->at + 1;
	const uint8_t *from = p->text.data + start;
	const uint8_t *quote = memchr(from, '"', p->text.len - start);

	if (!quote)
		return fail(p, start - 1, ERR_SYNTAX, "this phrase is not closed: a \" is missing");
	const uint8_t *star = find_star(bytes_of(from, (size_t)(quote - from)));
	if (star)
		return fail(p, (size_t)(star - p->text.data), ERR_SYNTAX,
			    "'*' stands behind the quotes: \"order numb\"*");
	p->at = (size_t)(quote - p->text.data) + 1;
	return take_phrase(p, bytes_of(from, (size_t)(quote - from)), start - 1, out);
}

/* What people write from other languages. NULL: nothing of that. */
static const char *foreign(struct bytes word)
{
	if (bytes_is(word, "NOT") || bytes_is(word, "!"))
		return "to leave a word out write -word";
	if (bytes_is(word, "||") || bytes_is(word, "|"))
		return "did you mean OR?";
	if (bytes_is(word, "&&") || bytes_is(word, "&"))
		return "leave it out: all words must be there anyway";
	return NULL;
}

static int take_word(struct parser *p, struct search_node **out)
{
	size_t at = p->at;
	struct bytes word = peek_word(p);
	const char *hint = foreign(word);

	if (hint)
		return fail(p, at, ERR_SYNTAX, "'%.*s': %s", (int)word.len, (const char *)word.data,
			    hint);
	p->at += word.len;
	return take_phrase(p, word, at, out);
}

/* ---- groups ---- */

static int take_all(struct parser *p, struct search_node **out);

static bool is_word(const struct parser *p, const char *word)
{
	return bytes_is(peek_word(p), word);
}

static int deeper(struct parser *p)
{
	return ++p->depth > SEARCH_DEPTH_MAX
		       ? fail(p, p->at, ERR_LIMIT, "nested deeper than %d", SEARCH_DEPTH_MAX)
		       : 0;
}

static int take_group(struct parser *p, struct search_node **out)
{
	size_t open = p->at++;
	int rc = deeper(p);

	if (!rc)
		rc = take_all(p, out);
	if (rc)
		return rc;
	p->depth--;
	if (!is_next(p, ')'))
		return fail(p, open, ERR_SYNTAX, "this bracket is not closed: a ) is missing");
	p->at++;
	return 0;
}

static int take_without(struct parser *p, struct search_node **out);

static int take_one(struct parser *p, struct search_node **out)
{
	if (p->at == p->text.len)
		return fail(p, p->at, ERR_SYNTAX, "expected a word, but the search ends here");
	switch (p->text.data[p->at]) {
	case '(': return take_group(p, out);
	case ')': return fail(p, p->at, ERR_SYNTAX, "expected a word, not ')'");
	case '"': return take_quoted(p, out);
	case '-': return take_without(p, out);
	case '*':
		return fail(p, p->at, ERR_SYNTAX, "'*' stands behind the beginning of a word: refun*");
	default:
		if (is_word(p, "OR") || is_word(p, "AND"))
			return fail(p, p->at, ERR_SYNTAX,
				    "expected a word before this (the word itself: \"or\", \"and\")");
		return take_word(p, out);
	}
}

static int take_without(struct parser *p, struct search_node **out)
{
	struct search_node *outer, *inner;
	size_t at = p->at++;
	int rc = deeper(p);

	if (!rc && (p->at == p->text.len || is_space(p->text.data[p->at])))
		return fail(p, at, ERR_SYNTAX, "'-' stands right before what is left out: -word");
	if (!rc && is_next(p, '-'))
		return fail(p, at, ERR_SYNTAX, "one '-' leaves out, two mean nothing");
	p->without++;
	if (!rc)
		rc = take_one(p, &inner);
	p->without--;
	if (!rc)
		rc = node_new(p, SEARCH_NOT, &outer);
	if (rc)
		return rc;
	p->depth--;
	outer->child = inner;
	*out = outer;
	return 0;
}

/* `out` becomes a group of the operator unless it is one, and gets the item. */
static int join(struct parser *p, enum search_op op, struct search_node **out,
		struct search_node **last, struct search_node *item)
{
	if (!*last) {
		struct search_node *group;
		int rc = node_new(p, op, &group);
		if (rc)
			return rc;
		group->child = *last = *out;
		*out = group;
	}
	(*last)->next = item;
	*last = item;
	return 0;
}

static int take_any(struct parser *p, struct search_node **out)
{
	struct search_node *last = NULL, *item;
	size_t at = p->at;
	int rc = take_one(p, out);

	for (;;) {
		if (rc)
			return rc;
		skip_space(p);
		if (!is_word(p, "OR"))
			return 0;
		if ((*out)->op == SEARCH_NOT)
			break;
		p->at += 2;
		skip_space(p);
		at = p->at;
		rc = take_one(p, &item);
		if (!rc && item->op == SEARCH_NOT)
			break;
		if (!rc)
			rc = join(p, SEARCH_ANY, out, &last, item);
	}
	return fail(p, at, ERR_INVALID, "OR joins what is looked for, not what is left out");
}

static int take_all(struct parser *p, struct search_node **out)
{
	struct search_node *last = NULL, *item;
	size_t start;
	bool found;
	int rc;

	skip_space(p);
	start = p->at;
	rc = take_any(p, out);
	found = !rc && (*out)->op != SEARCH_NOT;
	for (;;) {
		if (rc)
			return rc;
		skip_space(p);
		if (is_word(p, "AND")) {
			p->at += 3;
			skip_space(p);
		} else if (p->at == p->text.len || is_next(p, ')')) {
			break;
		}
		rc = take_any(p, &item);
		found |= !rc && item->op != SEARCH_NOT;
		if (!rc)
			rc = join(p, SEARCH_ALL, out, &last, item);
	}
	return found ? 0
		     : fail(p, start, ERR_INVALID,
			    "this only leaves out words: name one to look for, too");
}

/* A name of several words begins with one that passes for another. */
static void set_hunt(struct search *s)
{
	s->hunts = true;
	for (unsigned i = 0; i < s->count && s->hunts; i++)
		s->hunts = !is_joined(s->words[i].term) && words_hunt_add(&s->hunt, s->words[i].term);
}

int search_parse(struct bytes text, struct arena *a, const struct search **out, struct why *why)
{
	struct parser p = {.text = text, .arena = a, .why = why};
	struct search_node *root = NULL;

	if (text.len > SEARCH_TEXT_MAX)
		return why_set(why, ERR_LIMIT, "column %d: a search has at most %d bytes",
			       SEARCH_TEXT_MAX + 1, SEARCH_TEXT_MAX);
	p.search = arena_alloc(a, sizeof *p.search);
	if (!p.search)
		return why_set(why, ERR_NOMEM, "no memory for the search");
	p.search->text = arena_bytes(a, text);
	if (text.len && !p.search->text.data)
		return why_set(why, ERR_NOMEM, "no memory for the search");
	skip_space(&p);
	if (p.at == text.len)
		return fail(&p, 0, ERR_INVALID, "there is nothing to look for");
	int rc = take_all(&p, &root);
	if (!rc && p.at < text.len)
		rc = fail(&p, p.at, ERR_SYNTAX, "this ) closes nothing");
	if (rc)
		return rc;
	p.search->root = root;
	set_hunt(p.search);
	*out = p.search;
	return 0;
}

/* ---- matching ---- */

/* The words that a term is. */
static uint64_t words_of(const struct search *s, struct bytes term)
{
	uint64_t mask = 0;

	if (!(s->heads[term.data[0] / 8] >> term.data[0] % 8 & 1))
		return 0;
	for (unsigned i = 0; i < s->count; i++) {
		const struct search_word *w = &s->words[i];
		if (w->prefix ? term.len >= w->term.len : term.len == w->term.len)
			mask |= (uint64_t)(memcmp(term.data, w->term.data, w->term.len) == 0) << i;
	}
	return mask;
}

struct look {
	const struct search *search;
	uint64_t state; /* phrases that are there up to this word, which ends here */
	uint64_t found;
	struct bytes text;
	size_t next; /* the next place where a word of the search may be, as far as was hunted … */
	size_t from;   /* … and where to read on for it */
	size_t resume; /* the reading stopped to go on here */
	size_t name; /* the end of a word that may be one of a name, which comes as a whole behind its words; 0: none is */
};

static struct look look_of(const struct search *s, struct bytes text, uint64_t found)
{
	return (struct look){.search = s, .found = found, .text = text};
}

static void hunt(struct look *l, size_t at)
{
	l->next = words_hunt_next(&l->search->hunt, l->text, at, &l->from);
}

/* Whether what was found may go on in this word: no white space lies between. */
static bool goes_on(struct look *l, size_t at, size_t end)
{
	if (!l->name)
		return false;
	for (; l->name < at; l->name++) {
		if (l->text.data[l->name] <= ' ') {
			l->name = 0;
			return false;
		}
	}
	l->name = end;
	return true;
}

/* Behind a word that is none of the search's: 1: the reading is to stop, and to go on at l->resume. */
static int pass_over(struct look *l, struct bytes source)
{
	size_t at = (size_t)(source.data - l->text.data), end = at + source.len;

	if (!l->search->hunts || l->state || goes_on(l, at, end))
		return 0;
	if (end > l->next)
		hunt(l, end);
	if (l->from <= end)
		return 0;
	l->resume = l->from;
	return 1;
}

/* All words of the text that may matter. */
static void read_words(struct look *l,
		       int (*each)(void *ctx, struct bytes term, struct bytes source), void *ctx)
{
	size_t at = 0;

	if (l->search->hunts) {
		hunt(l, 0);
		at = l->from;
	}
	while (at < l->text.len) {
		l->resume = l->text.len;
		words_spans(bytes_of(l->text.data + at, l->text.len - at), each, ctx);
		at = l->resume;
	}
}

/* The last words of phrases that end with this term. */
static uint64_t step(struct look *l, struct bytes term)
{
	const struct search *s = l->search;

	if (term.len == 0)
		return 0;
	uint64_t mask = words_of(s, term);
	/* Most words are none of these, and then it does not matter how they are written. */
	if (!mask && !l->state)
		return 0;
	if (is_joined(term))
		return mask & s->starts & s->ends;
	l->state = (l->state << 1 | s->starts) & mask;
	return l->state & s->ends;
}

static int look_at(void *ctx, struct bytes term, struct bytes source)
{
	struct look *l = ctx;

	l->found |= step(l, term);
	return l->found == l->search->ends || pass_over(l, source);
}

void search_look(const struct search *s, struct bytes text, uint64_t *found)
{
	struct look l = look_of(s, text, *found);

	read_words(&l, look_at, &l);
	*found = l.found;
}

static bool holds(const struct search_node *n, uint64_t found)
{
	const struct search_node *c = n->child;

	switch (n->op) {
	case SEARCH_PHRASE: return found >> (n->first + n->count - 1) & 1;
	case SEARCH_NOT: return !holds(c, found);
	case SEARCH_ALL:
		while (c && holds(c, found))
			c = c->next;
		return !c;
	default:
		while (c && !holds(c, found))
			c = c->next;
		return c;
	}
}

bool search_holds(const struct search *s, uint64_t found)
{
	return holds(s->root, found);
}

/* ---- counting ---- */

struct counting {
	const struct search *search;
	uint32_t *counts;
	uint32_t length;
};

static int count_at(void *ctx, struct bytes term)
{
	struct counting *c = ctx;

	for (uint64_t mask = words_of(c->search, term); mask; mask &= mask - 1)
		c->counts[__builtin_ctzll(mask)]++;
	c->length += !is_joined(term);
	return 0;
}

void search_count(const struct search *s, struct bytes text, uint32_t counts[SEARCH_WORDS_MAX],
		  uint32_t *length)
{
	struct counting c = {s, counts, 0};

	words_each(text, count_at, &c);
	*length += c.length;
}

/* ---- snippets ---- */

#define SPANS_MAX 64
#define ROUND_MAX 16 /* bytes that a part grows to the end of a word */

struct span {
	size_t at, end;
	uint64_t words;
};

struct marking {
	struct look look;
	const uint8_t *start;
	size_t room;
	size_t enough;                 /* what begins behind it cannot make the part better */
	size_t ring[SEARCH_WORDS_MAX]; /* where the last words began */
	unsigned words;
	struct span spans[SPANS_MAX];
	unsigned count;
};

/* The words of the longest phrase that ends with this one. */
static unsigned phrase_length(const struct search *s, uint64_t ended)
{
	unsigned longest = 1;

	for (unsigned i = 0; i < s->count; i++) {
		unsigned first = i;
		if (!(ended >> i & 1))
			continue;
		while (!(s->starts >> first & 1))
			first--;
		longest = i - first + 1 > longest ? i - first + 1 : longest;
	}
	return longest;
}

/* When all phrases lie within the room from some span on, no later one is better; what is in that part is still marked. */
static void note_enough(struct marking *m)
{
	const struct search *s = m->look.search;

	for (unsigned i = 0; i < m->count; i++) {
		uint64_t words = 0;
		for (unsigned k = i; k < m->count && m->spans[k].end - m->spans[i].at <= m->room; k++)
			words |= m->spans[k].words;
		if (words == (s->ends & s->wanted)) {
			m->enough = m->spans[i].at + m->room + ROUND_MAX;
			return;
		}
	}
}

static int mark_at(void *ctx, struct bytes term, struct bytes source)
{
	struct marking *m = ctx;
	size_t at = (size_t)(source.data - m->start), end = at + source.len;
	if (at > m->enough)
		return 1;
	uint64_t ended = step(&m->look, term) & m->look.search->wanted;

	/* Where a phrase began is asked for only where there are any. */
	if (m->look.search->starts != m->look.search->ends && term.len && !is_joined(term))
		m->ring[m->words++ % SEARCH_WORDS_MAX] = at;
	if (!ended)
		return pass_over(&m->look, source);
	m->look.name = end;
	unsigned length = phrase_length(m->look.search, ended);
	if (length > 1)
		at = m->ring[(m->words - length) % SEARCH_WORDS_MAX];
	/* Pairs of characters overlap, phrases begin before what was found in them, names lie over their parts. */
	while (m->count && m->spans[m->count - 1].end >= at) {
		const struct span *last = &m->spans[--m->count];
		at = at < last->at ? at : last->at;
		end = end > last->end ? end : last->end;
		ended |= last->words;
	}
	m->spans[m->count++] = (struct span){at, end, ended};
	if (m->enough == SIZE_MAX)
		note_enough(m);
	return m->count == SPANS_MAX;
}

static unsigned count_bits(uint64_t v)
{
	return (unsigned)__builtin_popcountll(v);
}

/* The span from which on most different phrases lie within the room. */
static unsigned best_span(const struct marking *m, size_t room)
{
	unsigned best = 0, most = 0;

	for (unsigned i = 0; i < m->count; i++) {
		uint64_t words = 0;
		for (unsigned k = i; k < m->count && m->spans[k].end - m->spans[i].at <= room; k++)
			words |= m->spans[k].words;
		if (count_bits(words) > most) {
			most = count_bits(words);
			best = i;
		}
	}
	return best;
}

/* Backwards to where a word begins, a few characters at most; never into a character. */
static size_t round_start(struct bytes text, size_t at)
{
	size_t from = at;

	for (unsigned i = 0; i < ROUND_MAX && at && !is_space(text.data[at - 1]); i++)
		at--;
	if (at && !is_space(text.data[at - 1]))
		at = from;
	while (at && (text.data[at] & 0xc0) == 0x80)
		at--;
	return at;
}

static size_t round_end(struct bytes text, size_t at)
{
	size_t from = at;

	for (unsigned i = 0; i < ROUND_MAX && at < text.len && !is_space(text.data[at]); i++)
		at++;
	if (at < text.len && !is_space(text.data[at]))
		at = from;
	while (at < text.len && (text.data[at] & 0xc0) == 0x80)
		at++;
	return at;
}

/* In one line, without marks of its own. */
static void put_plain(struct buf *out, struct bytes text, size_t start)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];
		if (c == 0xe2 && text.len - i >= 3 && text.data[i + 1] == 0x9f &&
		    (text.data[i + 2] == 0xa6 || text.data[i + 2] == 0xa7)) {
			buf_put_byte(out, text.data[i + 2] == 0xa6 ? '[' : ']');
			i += 2;
		} else if (!is_space(c)) {
			buf_put_byte(out, c);
		} else if (out->len > start && out->data[out->len - 1] != ' ') {
			buf_put_byte(out, ' ');
		}
	}
}

bool search_snippet(const struct search *s, struct bytes text, size_t room, struct buf *out)
{
	struct marking m;

	m.look = look_of(s, text, 0);
	m.start = text.data;
	m.room = room;
	m.enough = SIZE_MAX;
	m.words = m.count = 0;
	read_words(&m.look, mark_at, &m);
	if (m.count == 0)
		return false;
	unsigned at = best_span(&m, room);
	size_t lead = room / 4 < m.spans[at].at ? room / 4 : m.spans[at].at;
	size_t from = round_start(text, m.spans[at].at - lead);
	size_t end = text.len - from > room ? round_end(text, from + room) : text.len;
	size_t done = from;
	if (from)
		buf_put_str(out, "\u2026");
	size_t start = out->len;
	for (; at < m.count && m.spans[at].at < end; at++) {
		size_t to = m.spans[at].end < end ? m.spans[at].end : end;
		put_plain(out, bytes_of(text.data + done, m.spans[at].at - done), start);
		buf_put_str(out, "\u27e6");
		put_plain(out, bytes_of(text.data + m.spans[at].at, to - m.spans[at].at), start);
		buf_put_str(out, "\u27e7");
		done = to;
	}
	put_plain(out, bytes_of(text.data + done, end - done), start);
	if (end < text.len)
		buf_put_str(out, "\u2026");
	return true;
}
