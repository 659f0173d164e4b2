/*
 * indexed: which common fields of a provider's resources the store indexes, and how.
 */
#ifndef FIC_FICD_INDEXED_H
#define FIC_FICD_INDEXED_H

#include <source/provider.h>
#include <store/store.h>

struct indexed;

/* From the table of a provider, which is borrowed. NULL: no memory. */
struct indexed *indexed_new(const struct resource_type *types);
void indexed_free(struct indexed *x);
/* As store_options wants it; borrowed until indexed_free. */
const struct store_schema *indexed_schemas(const struct indexed *x);

#endif
