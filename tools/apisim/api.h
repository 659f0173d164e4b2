/* What differs between the two APIs: the world behind them, their paths, how
 * a call is judged, the words of refusals, the headers of answers. */
#ifndef APISIM_API_H
#define APISIM_API_H

#include "call.h"
#include "change.h"
#include "truth.h"
#include "write.h"
#include "world.h"

struct api {
	const char *name;
	uint32_t rate;      /* calls a minute, when the options name none */
	uint32_t window_ms; /* in which calls are counted */
	bool etags;         /* answers have one */
	void (*init)(const struct world_options *opt);
	void (*release)(void);
	const struct route *routes;
	unsigned route_count;
	/* Token, rate, path, parameters; sets c->route. false: refused, the
	 * error is written. */
	bool (*judge)(struct call *c);
	bool (*has_cursor)(const struct call *c);
	/* The body of a refusal. code NULL: the usual one of the status. */
	void (*error)(struct call *c, int status, const char *code, const char *message);
	/* Refuses in the words that the fault stands for. */
	void (*fault)(struct call *c);
	/* The API's own headers. */
	void (*headers)(struct call *c);
	/* More members of the statistics; NULL: none. */
	void (*stats)(struct buf *b);
	const struct kind *kinds;
	unsigned kind_count;
	/* Changes fields of a record behind the client's back, named as in its
	 * document. false: nothing was changed. */
	bool (*edit)(const char *resource, const char *id, const json_t *set, struct refusal *why);
	bool (*conversation_index)(const char *id, uint32_t *idx_out);
	/* Sets t->line and t->end; false: no such resource. */
	bool (*truth)(const char *resource, struct truth *t);
};

extern const struct api api_intercom, api_front;
/* The one that is simulated. */
extern const struct api *api;

#endif
