/*
 * text: the part of a question that is full text, as its askers give it.
 */
#ifndef FIC_QUERY_TEXT_H
#define FIC_QUERY_TEXT_H

#include <model/field.h>
#include <model/search.h>

/* Only records that have these words, or, where there are children, one of which has them by itself. All borrowed. */
struct query_text {
	const struct search *search; /* NULL: all records */
	const char *child; /* the resource of the records' children; NULL: they have none */
	const struct field *child_fields; /* its common fields */
};

#endif
