/* Ids of Front: a prefix and a number in base 36, rising with the index. */
#include "front.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *prefix;
	uint64_t base, step;
} kinds[FRONT_KINDS] = {
	[FRONT_CONVERSATION] = {"cnv_", 55001234567, 36},
	[FRONT_MESSAGE] = {"msg_", 91007654321, 7},
	[FRONT_COMMENT] = {"com_", 4400123456, 5},
	[FRONT_CONTACT] = {"crd_", 101234567, 11},
	[FRONT_EVENT] = {"evt_", 131009876543, 3},
	[FRONT_TAG] = {"tag_", 5601234, 3},
	[FRONT_INBOX] = {"inb_", 1720000, 13},
	[FRONT_CHANNEL] = {"cha_", 1930000, 17},
	[FRONT_TEAMMATE] = {"tea_", 3340000, 19},
	[FRONT_TEAM] = {"tim_", 120000, 11},
	[FRONT_ACCOUNT] = {"acc_", 450000, 3},
	[FRONT_LINK] = {"top_", 7710000, 5},
	[FRONT_LIST] = {"grp_", 880000, 7},
	[FRONT_STATUS] = {"sts_", 6500, 1},
	[FRONT_FIELD] = {"fld_", 560000, 9},
	[FRONT_RULE] = {"rul_", 990000, 3},
	[FRONT_FILE] = {"fil_", 71000000000, 2},
};

struct front_id front_id(enum front_kind kind, uint64_t idx)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	uint64_t v = kinds[kind].base + idx * kinds[kind].step;
	char text[16];
	size_t at = sizeof(text) - 1;
	struct front_id id;

	text[at] = '\0';
	for (; v; v /= 36)
		text[--at] = digits[v % 36];
	snprintf(id.text, sizeof(id.text), "%s%s", kinds[kind].prefix, text + at);
	return id;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'z' ? c - 'a' + 10 : -1;
}

bool front_index(enum front_kind kind, const char *id, uint64_t count, uint32_t *idx_out)
{
	size_t prefix = strlen(kinds[kind].prefix);
	uint64_t v = 0;

	/* Contacts once had another prefix, which still works. */
	if (kind == FRONT_CONTACT && !strncmp(id, "ctc_", 4))
		id += prefix;
	else if (!strncmp(id, kinds[kind].prefix, prefix))
		id += prefix;
	else
		return false;
	if (!*id || *id == '0' || strlen(id) > 11)
		return false;
	for (; *id; id++) {
		if (digit(*id) < 0)
			return false;
		v = v * 36 + (uint64_t)digit(*id);
	}
	if (v < kinds[kind].base || (v - kinds[kind].base) % kinds[kind].step)
		return false;
	v = (v - kinds[kind].base) / kinds[kind].step;
	*idx_out = (uint32_t)v;
	return v < count;
}
