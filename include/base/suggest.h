/*
 * suggest: "did you mean", for configuration keys, commands, fields and options.
 */
#ifndef FIC_BASE_SUGGEST_H
#define FIC_BASE_SUGGEST_H

#include <base/bytes.h>

/* The name in the list (ended by NULL) that is nearest to `word` by edit distance with transpositions,
 * or NULL when none is near enough (more than a third of the letters differ). A unique prefix counts as near. */
const char *suggest(struct bytes word, const char *const *names);

#endif
