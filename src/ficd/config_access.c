/* config_access: who may ask, and who may do more. Names become numbers once, when the file is read, so that a later change of the user database
 * cannot widen a rule in silence. */
#include "config_access.h"
#include "config_errors.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define RULES_MAX    64
#define DATABASE_MAX 16384 /* bytes of one entry of the user database */
#define GROUPS_MAX   1024

bool list_next(const char **text, struct bytes *item_out)
{
	struct bytes item = {NULL, 0};

	while (**text && item.len == 0) {
		const char *start = *text + strspn(*text, " \t,");
		const char *end = start + strcspn(start, ",");
		*text = end;
		while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
			end--;
		item = bytes_of(start, (size_t)(end - start));
	}
	*item_out = item;
	return item.len > 0;
}

static bool find_user(const char *name, unsigned *id)
{
	struct passwd entry, *found = NULL;
	char space[DATABASE_MAX];

	if (getpwnam_r(name, &entry, space, sizeof space, &found) || !found)
		return false;
	*id = found->pw_uid;
	return true;
}

static bool find_group(const char *name, unsigned *id)
{
	struct group entry, *found = NULL;
	char space[DATABASE_MAX];

	if (getgrnam_r(name, &entry, space, sizeof space, &found) || !found)
		return false;
	*id = found->gr_gid;
	return true;
}

static bool parse_id(const char *text, unsigned *id)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 10);

	/* The largest number stands for "none" in the system's own calls. */
	if (*text < '0' || *text > '9' || *end || value >= UINT32_MAX)
		return false;
	*id = (unsigned)value;
	return true;
}

static int parse_rule(const char *text, struct access_rule *rule, struct why *why)
{
	const char *name = strchr(text, ':');

	*rule = (struct access_rule){.text = text};
	if (!name || !name[1])
		return why_set(
			why, ERR_INVALID,
			"expected any, none or a list of user:NAME, group:NAME, uid:N, gid:N, not \"%s\"",
			name_shown(text));
	size_t kind = (size_t)(name - text);
	name++;
	rule->group = *text == 'g';
	if ((kind == 3 && strncmp(text, "uid", 3) == 0) || (kind == 3 && strncmp(text, "gid", 3) == 0))
		return parse_id(name, &rule->id)
			       ? 0
			       : why_set(why, ERR_INVALID, "expected a number behind \"%.3s:\"", text);
	if (kind == 4 && strncmp(text, "user", 4) == 0)
		return find_user(name, &rule->id)
			       ? 0
			       : why_set(why, ERR_NOTFOUND, "there is no user \"%s\"",
					 name_shown(name));
	if (kind == 5 && strncmp(text, "group", 5) == 0)
		return find_group(name, &rule->id)
			       ? 0
			       : why_set(why, ERR_NOTFOUND, "there is no group \"%s\"",
					 name_shown(name));
	return why_set(why, ERR_INVALID, "expected user:, group:, uid: or gid:, not \"%s\"",
		       name_shown(text));
}

int access_parse(struct access *out, const char *text, struct arena *memory, struct why *why)
{
	struct access a = {0};
	const char *rest = text;
	struct bytes item;
	size_t items = 0;

	while (list_next(&rest, &item))
		items++;
	if (items == 0)
		return why_set(why, ERR_INVALID, "expected any, none or a list, found nothing");
	if (items > RULES_MAX)
		return why_set(why, ERR_INVALID, "more than %d users and groups", RULES_MAX);
	a.rules = arena_alloc(memory, items * sizeof *a.rules);
	if (!a.rules)
		return ERR_NOMEM;
	for (rest = text; list_next(&rest, &item); a.count++) {
		bool any = bytes_is(item, "any");
		if ((any || bytes_is(item, "none")) && items > 1)
			return why_set(why, ERR_INVALID, "any and none stand alone");
		if (any || bytes_is(item, "none")) {
			*out = (struct access){.any = any};
			return 0;
		}
		const char *copy = arena_str(memory, item);
		int rc = copy ? parse_rule(copy, &a.rules[a.count], why) : ERR_NOMEM;
		if (rc)
			return rc;
	}
	*out = a;
	return 0;
}

void access_print(const struct access *a, struct buf *out)
{
	if (a->any || a->count == 0)
		buf_put_str(out, a->any ? "any" : "none");
	for (size_t i = 0; i < a->count; i++)
		buf_printf(out, "%s%s", i ? ", " : "", a->rules[i].text);
}

static bool is_member(uid_t uid, gid_t group)
{
	struct passwd entry, *found = NULL;
	char space[DATABASE_MAX];
	gid_t groups[GROUPS_MAX];
	int count = GROUPS_MAX;

	if (getpwuid_r(uid, &entry, space, sizeof space, &found) || !found)
		return false;
	if (getgrouplist(found->pw_name, found->pw_gid, groups, &count) < 0)
		count = GROUPS_MAX; /* in more than that: the first ones count */
	for (int i = 0; i < count; i++)
		if (groups[i] == group)
			return true;
	return false;
}

bool access_allowed(const struct access *a, uid_t uid, gid_t gid)
{
	if (a->any || uid == 0 || uid == geteuid())
		return true;
	for (size_t i = 0; i < a->count; i++)
		if (a->rules[i].group ? a->rules[i].id == gid : a->rules[i].id == uid)
			return true;
	for (size_t i = 0; i < a->count; i++)
		if (a->rules[i].group && is_member(uid, a->rules[i].id))
			return true;
	return false;
}
