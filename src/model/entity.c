/*
 * entity: names and numbers of characters. Knows the names that mail and chat use (HTML 4's, nearly); any other stays as it was written.
 */
#include "entity.h"

#include <ctype.h>
#include <stdlib.h>

static const struct entity {
	const char *name;
	uint16_t code;
} entities[] = {
	/* sorted by strcmp */
	{"AElig", 198},   {"Aacute", 193},  {"Acirc", 194},   {"Agrave", 192},  {"Aring", 197},
	{"Atilde", 195},  {"Auml", 196},    {"Ccedil", 199},  {"Dagger", 8225}, {"ETH", 208},
	{"Eacute", 201},  {"Ecirc", 202},   {"Egrave", 200},  {"Euml", 203},    {"Iacute", 205},
	{"Icirc", 206},   {"Igrave", 204},  {"Iuml", 207},    {"Ntilde", 209},  {"OElig", 338},
	{"Oacute", 211},  {"Ocirc", 212},   {"Ograve", 210},  {"Oslash", 216},  {"Otilde", 213},
	{"Ouml", 214},    {"Prime", 8243},  {"Scaron", 352},  {"THORN", 222},   {"Uacute", 218},
	{"Ucirc", 219},   {"Ugrave", 217},  {"Uuml", 220},    {"Yacute", 221},  {"Yuml", 376},
	{"aacute", 225},  {"acirc", 226},   {"acute", 180},   {"aelig", 230},   {"agrave", 224},
	{"amp", 38},      {"apos", 39},     {"aring", 229},   {"asymp", 8776},  {"atilde", 227},
	{"auml", 228},    {"bdquo", 8222},  {"brvbar", 166},  {"bull", 8226},   {"ccedil", 231},
	{"cedil", 184},   {"cent", 162},    {"check", 10003}, {"circ", 710},    {"copy", 169},
	{"curren", 164},  {"dagger", 8224}, {"darr", 8595},   {"deg", 176},     {"divide", 247},
	{"eacute", 233},  {"ecirc", 234},   {"egrave", 232},  {"emsp", 8195},   {"ensp", 8194},
	{"equiv", 8801},  {"eth", 240},     {"euml", 235},    {"euro", 8364},   {"fnof", 402},
	{"frac12", 189},  {"frac14", 188},  {"frac34", 190},  {"frasl", 8260},  {"ge", 8805},
	{"gt", 62},       {"hArr", 8660},   {"harr", 8596},   {"hellip", 8230}, {"iacute", 237},
	{"icirc", 238},   {"iexcl", 161},   {"igrave", 236},  {"infin", 8734},  {"iquest", 191},
	{"iuml", 239},    {"laquo", 171},   {"larr", 8592},   {"ldquo", 8220},  {"le", 8804},
	{"lrm", 8206},    {"lsaquo", 8249}, {"lsquo", 8216},  {"lt", 60},       {"macr", 175},
	{"mdash", 8212},  {"micro", 181},   {"middot", 183},  {"minus", 8722},  {"nbsp", 160},
	{"ndash", 8211},  {"ne", 8800},     {"not", 172},     {"ntilde", 241},  {"oacute", 243},
	{"ocirc", 244},   {"oelig", 339},   {"ograve", 242},  {"oline", 8254},  {"ordf", 170},
	{"ordm", 186},    {"oslash", 248},  {"otilde", 245},  {"ouml", 246},    {"para", 182},
	{"permil", 8240}, {"phone", 9742},  {"plusmn", 177},  {"pound", 163},   {"prime", 8242},
	{"quot", 34},     {"rArr", 8658},   {"radic", 8730},  {"raquo", 187},   {"rarr", 8594},
	{"rdquo", 8221},  {"reg", 174},     {"rlm", 8207},    {"rsaquo", 8250}, {"rsquo", 8217},
	{"sbquo", 8218},  {"scaron", 353},  {"sect", 167},    {"shy", 173},     {"star", 9734},
	{"sum", 8721},    {"sup1", 185},    {"sup2", 178},    {"sup3", 179},    {"szlig", 223},
	{"thinsp", 8201}, {"thorn", 254},   {"tilde", 732},   {"times", 215},   {"trade", 8482},
	{"uacute", 250},  {"uarr", 8593},   {"ucirc", 251},   {"ugrave", 249},  {"uml", 168},
	{"uuml", 252},    {"yacute", 253},  {"yen", 165},     {"yuml", 255},    {"zwj", 8205},
	{"zwnj", 8204},
};

/* What numbers 128 to 159 mean to everyone but the standard: Windows-1252 (HTML, 13.2.5.80). */
static const uint16_t windows[32] = {
	0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
	0x2039, 0x0152, 0x008d, 0x017d, 0x008f, 0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
	0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178,
};

static size_t put_utf8(uint32_t c, uint8_t *text)
{
	if (c < 0x80) {
		text[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		text[0] = (uint8_t)(0xc0 | c >> 6);
		text[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		text[0] = (uint8_t)(0xe0 | c >> 12);
		text[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		text[2] = (uint8_t)(0x80 | (c & 0x3f));
		return 3;
	}
	text[0] = (uint8_t)(0xf0 | c >> 18);
	text[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
	text[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	text[3] = (uint8_t)(0x80 | (c & 0x3f));
	return 4;
}

static uint32_t sane(uint32_t c)
{
	if (c >= 128 && c < 160)
		return windows[c - 128];
	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0xfffd;
	return c < 0x20 || c == 0x7f ? ' ' : c; /* no control characters from the side door */
}

/* "&#39;" or "&#x27;". */
static size_t decode_number(struct bytes at, uint8_t *text, size_t *len_out)
{
	size_t i = 2;
	bool hex = i < at.len && (at.data[i] == 'x' || at.data[i] == 'X');
	uint32_t code = 0;

	i += hex;
	size_t start = i;
	for (; i < at.len && (hex ? isxdigit(at.data[i]) : isdigit(at.data[i])); i++) {
		int digit = isdigit(at.data[i]) ? at.data[i] - '0' : tolower(at.data[i]) - 'a' + 10;
		if (code <= 0x10ffff)
			code = code * (hex ? 16 : 10) + (uint32_t)digit;
	}
	if (i == start)
		return 0;
	*len_out = put_utf8(sane(code), text);
	return i < at.len && at.data[i] == ';' ? i + 1 : i;
}

static int by_name(const void *key, const void *item)
{
	return strcmp(key, ((const struct entity *)item)->name);
}

size_t entity_decode(struct bytes at, uint8_t text[ENTITY_TEXT_MAX], size_t *len_out)
{
	char name[16];
	size_t n = 0;

	if (at.len > 2 && at.data[1] == '#')
		return decode_number(at, text, len_out);
	while (n + 1 < at.len && n < sizeof name - 1 && isalnum(at.data[n + 1])) {
		name[n] = (char)at.data[n + 1];
		n++;
	}
	name[n] = 0;
	if (n == 0 || n + 1 >= at.len || at.data[n + 1] != ';')
		return 0;
	const struct entity *found = bsearch(name, entities, sizeof entities / sizeof *entities,
					     sizeof *entities, by_name);
	if (!found)
		return 0;
	*len_out = put_utf8(found->code, text);
	return n + 2;
}
