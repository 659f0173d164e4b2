/*
 * field_path: the words of a field's path, as include/model/field.h describes them. Private to the model.
 */
#ifndef FIC_MODEL_FIELD_PATH_H
#define FIC_MODEL_FIELD_PATH_H

#include <model/field.h>

enum path_form { PATH_AS_IS, PATH_TAIL, PATH_PLAIN, PATH_REFERENCE };

struct alternative {
	struct bytes guard; /* conditions, separated by commas; {NULL, 0}: it always holds */
	struct bytes path;  /* of a constant: its MessagePack */
	bool constant;
	enum path_form form;
};

/* The alternatives of a path one after the other: takes the first off `rest`. False: there is no more. */
bool alternative_next(struct bytes *rest, struct alternative *out);
/* The conditions of a guard likewise; `word` {NULL, 0}: that there is something is enough. */
bool condition_next(struct bytes *guard, struct bytes *path_out, struct bytes *word_out);

/* The place of the first star of a path, alone or with a condition; the path's length when there is none. `end_out`: behind it; `condition_out`: what stands in its brackets. */
size_t star_find(struct bytes path, size_t *end_out, struct bytes *condition_out);

/* What stands behind the last slash of an address, without its query. */
struct bytes url_tail(struct bytes url);

#endif
