/* The command line. */
#ifndef APISIM_OPTIONS_H
#define APISIM_OPTIONS_H

#include "settings.h"
#include "world.h"

enum options_verdict { OPTIONS_RUN, OPTIONS_DONE, OPTIONS_WRONG };

/* Fills settings and opt. DONE: --help or --version was answered. */
enum options_verdict options_read(int argc, char **argv, struct world_options *opt);

#endif
