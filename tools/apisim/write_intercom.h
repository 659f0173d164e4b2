/* What programs write into an Intercom workspace: the fields of people and
 * conversations, by their names in the document. Each value is judged first
 * and set afterwards, so that a write is made whole or not at all. */
#ifndef APISIM_WRITE_INTERCOM_H
#define APISIM_WRITE_INTERCOM_H

#include "call.h"
#include "conversation.h"
#include "write.h"

/* An attribute of its own must exist and have the type. null: it is emptied. */
bool attribute_fits(const char *model, const char *name, const json_t *value, struct refusal *why);

bool contact_field_fits(uint32_t idx, const char *field, const json_t *value, struct refusal *why);
void contact_field_set(uint32_t idx, const char *field, const json_t *value);
bool contact_edit(const char *id, const json_t *set, struct refusal *why);

bool conversation_field_fits(const char *field, const json_t *value, struct refusal *why);
void conversation_field_set(uint32_t idx, const char *field, const json_t *value, uint32_t admin);
/* One change of it, now. */
void conversation_change(uint32_t idx, struct op op);
bool conversation_edit(const char *id, const json_t *set, struct refusal *why);

/* Whether the list of ids of tags is one, each of a tag that is there. */
bool tags_fit(const json_t *list, struct refusal *why);
bool tag_listed(const json_t *list, uint32_t tag);

#endif
