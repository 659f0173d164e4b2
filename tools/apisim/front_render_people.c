/* Prints contacts, and handles as messages and conversations name them. */
#include "front_render.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

static void print_handles(struct buf *b, const struct front_contact *c)
{
	char text[96];

	j_open(b, "handles", '[');
	for (uint32_t h = c->handle; h; h = front.handles.list[h - 1].next) {
		if (front.handles.list[h - 1].gone)
			continue;
		front_handle_text(h - 1, text);
		j_open(b, NULL, '{');
		j_str(b, "handle", text);
		j_str(b, "source",
		      front_source_name((enum front_source)front.handles.list[h - 1].source));
		j_close(b, '}');
	}
	j_close(b, ']');
}

static void print_lists(struct buf *b, const char *key, const struct front_contact *c)
{
	j_open(b, key, '[');
	if (c->list)
		front_render_list(b, c->list - 1, c->seq);
	j_close(b, ']');
}

/* Some have no name, some an empty one. */
static void print_name(struct buf *b, uint32_t idx, const struct front_contact *c)
{
	uint64_t seed = hash2(world_seed(SEED_CONTACT, idx), c->revision);
	char name[96];

	if (c->revision == 0)
		front_person_name(c->handle - 1, name);
	else
		snprintf(name, sizeof(name), "%s %s", text_first_name(seed), text_last_name(seed));
	if (c->own[OWN_NAME])
		written_print(b, "name", written_at(c->own[OWN_NAME])->value);
	else
		j_str(b, "name", seed % 20 == 0 ? NULL : seed % 20 == 1 ? "" : name);
}

static void print_urls(struct buf *b, uint32_t idx, const struct front_contact *c, uint64_t seed)
{
	char url[80];

	if (c->own[OWN_LINKS]) {
		written_print(b, "links", written_at(c->own[OWN_LINKS])->value);
		return;
	}
	j_open(b, "links", '[');
	snprintf(url, sizeof(url), "https://people.example/%u", idx);
	if (seed % 3 == 0)
		j_str(b, NULL, url);
	j_close(b, ']');
}

void front_render_contact(struct buf *b, const char *key, uint32_t idx)
{
	const struct front_contact *c = &front.contacts.list[idx];
	uint64_t seed = hash2(world_seed(SEED_CONTACT, idx), c->revision);
	struct front_id id = front_id(FRONT_CONTACT, idx);

	j_open(b, key, '{');
	front_links_open(b, "/contacts/%s", id.text);
	front_url(b, "notes", "/contacts/%s/notes", id.text);
	front_url(b, "conversations", "/contacts/%s/conversations", id.text);
	j_null(b, "owner");
	front_links_close(b);
	j_str(b, "id", id.text);
	print_name(b, idx, c);
	if (c->own[OWN_DESCRIPTION])
		written_print(b, "description", written_at(c->own[OWN_DESCRIPTION])->value);
	else
		j_str(b, "description", seed % 5 ? "" : "Prefers to be called \"by phone\"");
	if (seed % 4 == 0)
		front_url(b, "avatar_url", "/contacts/%s/avatar-%u", id.text, c->revision);
	else
		j_null(b, "avatar_url");
	print_urls(b, idx, c, seed);
	print_lists(b, "groups", c);
	print_lists(b, "lists", c);
	print_handles(b, c);
	front_own_fields(b, c->own[OWN_FIELDS], seed);
	j_bool(b, "is_private", c->is_private);
	front_time(b, "updated_at", c->updated);
	if (c->account)
		front_render_account(b, "account", c->account - 1, c->seq);
	j_close(b, '}');
}

void front_render_recipient(struct buf *b, const char *key, uint32_t handle, uint32_t contact,
			    const char *role)
{
	char text[96], name[96];

	front_handle_text(handle, text);
	front_person_name(handle, name);
	j_open(b, key, '{');
	j_open(b, "_links", '{');
	j_open(b, "related", '{');
	if (contact)
		front_url(b, "contact", "/contacts/%s", front_id(FRONT_CONTACT, contact - 1).text);
	else
		j_null(b, "contact");
	front_links_close(b);
	j_str(b, "name", handle % 6 == 5 ? NULL : name);
	j_str(b, "handle", text);
	j_str(b, "role", role);
	j_close(b, '}');
}
