/*
 * hooks: the operating system's calls, for those members of struct store_hooks that the caller left
 * empty.
 */
#ifndef FIC_STORE_HOOKS_H
#define FIC_STORE_HOOKS_H

#include <store/store.h>

void hooks_fill(struct store_hooks *h);
/* Nothing may be changed: each step that would fails with EROFS. */
void hooks_forbid(struct store_hooks *h);
/* An errno as an enum err. */
int hooks_error(int error);

#endif
