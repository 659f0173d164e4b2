/* The HTTP server: libmicrohttpd, one thread, no callbacks elsewhere. */
#ifndef APISIM_HTTP_H
#define APISIM_HTTP_H

#include <stdbool.h>
#include <stdint.h>

/* Listens on 127.0.0.1. false: could not. */
bool http_start(uint32_t port);
uint32_t http_port(void);
/* Serves until stop_fd can be read or deadline_ms (monotonic; 0 never). */
void http_serve(int stop_fd, int64_t deadline_ms);
void http_stop(void);

#endif
