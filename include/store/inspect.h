/*
 * inspect: a file of the store in words, for people and tests; needs no open store.
 */
#ifndef FIC_STORE_INSPECT_H
#define FIC_STORE_INSPECT_H

#include <base/bytes.h>
#include <base/err.h>

/* What one file is: segment, manifest, journal, dictionary or trail is told by its first bytes. Calls `line`
 * for each line of the description, without its newline, borrowed during the call. Everything is
 * checked on the way: ERR_CORRUPT comes after the lines that could be made. ERR_INVALID: not a file
 * of a store, or of a newer one. `records`: of a segment or trail the contents, too, as a JSON
 * object a line; a segment's dictionary is looked for where the store keeps it (../N.dict). */
int store_inspect(const char *path, bool records, void (*line)(void *ctx, struct bytes text),
		  void *ctx, struct why *why);

#endif
