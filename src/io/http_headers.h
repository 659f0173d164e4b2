/*
 * http_headers: the few header fields of an answer that fic reads.
 */
#ifndef FIC_IO_HTTP_HEADERS_H
#define FIC_IO_HTTP_HEADERS_H

#include <io/http.h>

/* Forgets the fields of an earlier answer (100 Continue comes before the real one). */
void http_headers_reset(struct http_result *r);

/* One header line as it came, with or without its line end; fields that are not ours and lines that
 * make no sense are passed over. */
void http_headers_take(struct http_result *r, struct bytes line);

#endif
