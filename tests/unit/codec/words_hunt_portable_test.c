/* words_hunt_test once more, with what hosts without SSE2 use. */
#define SCAN_PORTABLE 1
#undef __SSE2__
#include "words_hunt.c"
#include "plain.c"
#include "words_hunt_test.c"
