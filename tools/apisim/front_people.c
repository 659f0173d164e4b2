/* People of Front: contacts, their handles, and handles that belong to no
 * contact. What a handle says follows from its number alone, so that it can
 * move from contact to contact. */
#include "front.h"

#include "text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static uint64_t handle_seed(uint32_t handle)
{
	return world_seed(SEED_CONTACT, handle);
}

const char *front_source_name(enum front_source source)
{
	static const char *const names[] = {"email", "phone", "custom", "twitter"};

	return names[source % SOURCES];
}

static void plain_word(const char *from, char *to, size_t size)
{
	size_t n = 0;

	for (; *from && n + 1 < size; from++)
		if (isalnum((unsigned char)*from))
			to[n++] = (char)tolower((unsigned char)*from);
	to[n] = '\0';
}

void front_handle_text(uint32_t handle, char out[96])
{
	uint64_t seed = handle_seed(handle);
	char first[24], stem[24];

	plain_word(text_first_name(seed), first, sizeof(first));
	plain_word(text_company_stem(seed), stem, sizeof(stem));
	switch (front.handles.list[handle].source) {
	case SOURCE_PHONE: snprintf(out, 96, "+1555%07u", handle); break;
	case SOURCE_CUSTOM: snprintf(out, 96, "user-%08x", handle * 2654435761u); break;
	case SOURCE_TWITTER: snprintf(out, 96, "@%s_%u", first, handle); break;
	default: snprintf(out, 96, "%s.%u@%s.example", first, handle, stem);
	}
}

void front_person_name(uint32_t handle, char out[96])
{
	uint64_t seed = handle_seed(handle);

	snprintf(out, 96, "%s %s", text_first_name(seed), text_last_name(seed));
}

const char *front_person_first(uint32_t handle)
{
	return text_first_name(handle_seed(handle));
}

uint32_t front_handle_add(enum front_source source, uint32_t owner)
{
	uint32_t idx = front_add(&front.handles);
	struct front_handle *h = &front.handles.list[idx];

	*h = (struct front_handle){.owner = owner, .source = (uint8_t)source};
	if (owner) {
		uint32_t *at = &front.contacts.list[owner - 1].handle;

		while (*at)
			at = &front.handles.list[*at - 1].next;
		*at = idx + 1;
	}
	return idx;
}

uint32_t front_contact_add(int64_t at)
{
	uint32_t idx = front_add(&front.contacts);
	struct rng r = {world_seed(SEED_COMPANY, idx)};
	struct front_contact *c = &front.contacts.list[idx];

	c->created = c->updated = at;
	c->seq = world.version;
	c->is_private = rng_chance(&r, 20);
	if (front.accounts.count && rng_chance(&r, 300))
		c->account = items_pick(&front.accounts, &r) + 1;
	if (front.lists.count && rng_chance(&r, 250))
		c->list = items_pick(&front.lists, &r) + 1;
	front_handle_add(SOURCE_EMAIL, idx + 1);
	if (rng_chance(&r, 250))
		front_handle_add(SOURCE_EMAIL, idx + 1);
	if (rng_chance(&r, 250))
		front_handle_add(SOURCE_PHONE, idx + 1);
	if (rng_chance(&r, 80))
		front_handle_add(rng_chance(&r, 500) ? SOURCE_CUSTOM : SOURCE_TWITTER, idx + 1);
	front_order_put(&front.by_contact_created, idx, at);
	front_order_put(&front.by_contact_updated, idx, at);
	return idx;
}

bool front_contact_visible(uint32_t idx)
{
	const struct front_contact *c = &front.contacts.list[idx];

	return !c->gone && !c->is_private;
}

/* alt:email:a@b and the like: one of the handles that contacts have now. */
static bool find_alias(const char *alias, uint32_t *idx_out)
{
	char text[96], wanted[140];

	for (uint32_t i = 0; i < front.handles.count; i++) {
		const struct front_handle *h = &front.handles.list[i];

		if (!h->owner || h->gone)
			continue;
		front_handle_text(i, text);
		snprintf(wanted, sizeof(wanted), "alt:%s:%s",
			 front_source_name((enum front_source)h->source), text);
		if (strcmp(wanted, alias) != 0)
			continue;
		*idx_out = h->owner - 1;
		return true;
	}
	return false;
}

bool front_contact_find(const char *id, uint32_t *idx_out)
{
	bool found = !strncmp(id, "alt:", 4)
			     ? find_alias(id, idx_out)
			     : front_index(FRONT_CONTACT, id, front.contacts.count, idx_out);

	return found && front_contact_visible(*idx_out);
}
